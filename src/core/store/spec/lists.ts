// The folder of never-block lists, read where it is needed: on the store's thread, so that no length of list holds the
// daemon up, and by commands that ask for a decision. Their content is part of what shapes wanted state.
import { readFileSync, statSync } from 'node:fs';
import { ConnectorError } from '../../model/failure.ts';
import { type Listed, type ListReport, ListIndex } from '../../policy/list-index.ts';
import { isOurListName, type NeverBlockRules } from '../../policy/never-block.ts';
import { type NamedList, readWarninglist } from '../../policy/warninglist.ts';
import { sha256 } from '../../runtime/ids.ts';
import { type ListFile, listFiles } from '../../runtime/list-folder.ts';
import type { SiemSpec, StoreSpec } from './spec.ts';

export interface LoadedLists {
  readonly index: ListIndex;
  /** Of all that was read, names included. */
  readonly digest: string;
  readonly reports: readonly ListReport[];
}

/** Whose tallies count values on never-block lists, by `list action`. */
export const LISTED_OWNER = 'never_block';

/** Longer files are no lists of values. */
const MOST_BYTES = 24 * 1024 * 1024;
const LIST_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** Read once while nothing changes: a command that waits for something looks many times a second. */
export function loadLists(folder: string): LoadedLists {
  const files = filesOf(folder);
  const stamp = `${folder} ${files.map(({ name, file }) => `${name} ${stampOf(file)}`).join()}`;
  if (last?.stamp !== stamp) last = { stamp, lists: loadFiles(files) };
  return last.lists;
}

let last: { readonly stamp: string; readonly lists: LoadedLists } | undefined;

function stampOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? 'none' : `${found.size} ${found.mtimeMs} ${found.ino}`;
}

function loadFiles(files: readonly ListFile[]): LoadedLists {
  const refused: ListReport[] = [];
  let digest = '';
  function* read(): Generator<NamedList> {
    for (const one of files) {
      const list = readOne(one);
      if (!('refused' in list)) digest = sha256(`${digest} ${one.name} ${list.text}`);
      const parsed = 'refused' in list ? list : readWarninglist(one.name, list.text);
      if ('refused' in parsed)
        refused.push({ name: one.name, entries: 0, leftOut: 0, problems: [`not used: ${parsed.refused}`] });
      else yield parsed;
    }
  }
  const index = new ListIndex(read());
  return { index, digest, reports: [...index.reports, ...refused] };
}

function filesOf(folder: string): ListFile[] {
  try {
    return listFiles(folder);
  } catch (error) {
    throw new ConnectorError('config', `the folder of never-block lists cannot be read: ${folder} (${codeOf(error)})`);
  }
}

function readOne({ name, file }: ListFile): { readonly text: string } | { readonly refused: string } {
  if (!LIST_NAME.test(name)) return { refused: 'a name has at most 64 letters, digits, dots, dashes and underscores' };
  if (isOurListName(name)) return { refused: 'a list of the project has this name; give the file another' };
  try {
    if (statSync(file).size > MOST_BYTES) return { refused: 'it is longer than 24 MB' };
    return { text: readFileSync(file, 'utf8') };
  } catch (error) {
    return { refused: `it cannot be read (${codeOf(error)})` };
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

/**
 * The same with the lists that its rules name, and with their content in the fingerprint: another list computes wanted
 * state anew.
 */
export function withLists(spec: StoreSpec): {
  readonly spec: StoreSpec;
  readonly reports: readonly ListReport[];
  /** By folder. */
  readonly loaded: ReadonlyMap<string, LoadedLists>;
} {
  const loaded = new Map<string, LoadedLists>();
  const filled = withFiles(spec, (folder) => {
    const lists = loaded.get(folder) ?? loadLists(folder);
    loaded.set(folder, lists);
    return lists.index;
  });
  const siems = filled.siems.map((siem): SiemSpec => {
    const digests = [...loaded.values()].map((one) => one.digest).join(' ');
    return {
      ...siem,
      fingerprint: digests === '' ? siem.fingerprint : sha256(`${siem.fingerprint} ${digests}`).slice(0, 24),
    };
  });
  return { spec: { ...spec, siems }, reports: [...loaded.values()].flatMap((one) => one.reports), loaded };
}

/** What one value was found on, by folder of lists: for who has none of them (Store.onLists). */
export type OnLists = ReadonlyMap<string, readonly Listed[]>;

/** Good for that value alone. */
export const withFound = (spec: StoreSpec, found: OnLists): StoreSpec =>
  withFiles(spec, (folder) => ({ find: () => found.get(folder) ?? [] }));

function withFiles(spec: StoreSpec, filesOf: (folder: string) => NonNullable<NeverBlockRules['files']>): StoreSpec {
  // Rules that are one object stay one: what was made ready for them is found again by it.
  const made = new Map<NeverBlockRules, NeverBlockRules>();
  const ready = (rules: NeverBlockRules): NeverBlockRules => {
    if (rules.lists === undefined || rules.files !== undefined) return rules;
    const one = made.get(rules) ?? { ...rules, files: filesOf(rules.lists) };
    made.set(rules, one);
    return one;
  };
  const siems = spec.siems.map((siem): SiemSpec => {
    const rules = Object.fromEntries(
      Object.entries(siem.rules).map(([name, pair]) => {
        const { neverBlock } = pair.intake;
        return [
          name,
          neverBlock === undefined ? pair : { ...pair, intake: { ...pair.intake, neverBlock: ready(neverBlock) } },
        ];
      }),
    );
    return { ...siem, rules };
  });
  return { ...spec, siems };
}
