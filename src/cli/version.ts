// `version`: what runs here, with the schema of its state and the commit it was made from, as far as that is known.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MIGRATIONS } from '../core/store/sql/schema.ts';
import type { Command } from './command.ts';
import { DONE } from './exit.ts';

export const version: Command = {
  name: 'version',
  summary: 'Shows the version, the schema of its state, and the commit it was made from.',
  usage: 'version',
  example: 'entente version --json',
  flags: {},
  async run({ parts, json, out }) {
    const told = { version: parts.version, schema: MIGRATIONS.length, commit: commit() ?? null };
    if (json) out.json({ ...told, node: process.versions.node });
    else
      out.line(
        `entente ${told.version} (schema ${told.schema}, commit ${told.commit ?? 'unknown'}, node ${process.versions.node})`,
      );
    return DONE;
  },
};

/** In a package and an image it was written down when they were made; a clone knows its own; a plain copy knows none. */
export function commit(root = fileURLToPath(new URL('../..', import.meta.url))): string | undefined {
  return firstLine(join(root, 'commit.txt')) ?? headOf(join(root, '.git'));
}

/** Without git: HEAD names a commit, or a reference that stands in a file of its own or among the packed ones. */
function headOf(git: string): string | undefined {
  // In a further worktree .git is a file that says where the rest is.
  const folder = /^gitdir: (.+)$/.exec(firstLine(git) ?? '')?.[1];
  const at = folder === undefined ? git : resolve(dirname(git), folder);
  const head = firstLine(join(at, 'HEAD'));
  const reference = /^ref: (.+)$/.exec(head ?? '')?.[1];
  if (head === undefined || reference === undefined) return head;
  const common = firstLine(join(at, 'commondir'));
  for (const place of common === undefined ? [at] : [at, resolve(at, common)]) {
    const found = firstLine(join(place, reference)) ?? packed(join(place, 'packed-refs'), reference);
    if (found !== undefined) return found;
  }
  return undefined;
}

function packed(file: string, reference: string): string | undefined {
  const line = textOf(file)
    ?.split('\n')
    .find((one) => one.endsWith(` ${reference}`));
  return line?.split(' ')[0];
}

const firstLine = (file: string): string | undefined => textOf(file)?.split('\n')[0]?.trim() || undefined;

function textOf(file: string): string | undefined {
  try {
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  } catch {
    return undefined; // a folder, or what we may not read
  }
}
