// Where the never-block lists of a folder lie: `lists/NAME/list.json` in it, as in the repository of MISP's warninglists,
// `NAME/list.json`, or `NAME.json`.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface ListFile {
  readonly name: string;
  readonly file: string;
}

/** In the order of their names. Throws where the folder cannot be read. */
export function listFiles(folder: string): ListFile[] {
  const found = new Map<string, string>();
  const parts = readdirSync(folder, { withFileTypes: true });
  const repository = parts.find((one) => one.name === 'lists' && !one.isFile());
  const below = repository === undefined ? [] : readdirSync(join(folder, repository.name));
  const folders = [
    ...below.map((name) => ({ name, path: join(folder, 'lists', name) })),
    ...parts
      .filter((one) => !one.isFile() && one !== repository)
      .map(({ name }) => ({ name, path: join(folder, name) })),
  ];
  for (const { name, path } of folders) {
    const file = join(path, 'list.json');
    if (!found.has(name) && existsSync(file)) found.set(name, file);
  }
  for (const { name } of parts) {
    // The format's own schema lies beside the lists.
    const list = name === 'schema.json' ? undefined : /^(.+)\.json$/.exec(name)?.[1];
    if (list !== undefined && !found.has(list)) found.set(list, join(folder, name));
  }
  return [...found].map(([name, file]) => ({ name, file })).sort((a, b) => (a.name < b.name ? -1 : 1));
}
