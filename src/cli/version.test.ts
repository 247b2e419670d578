import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { commit } from './version.ts';

const HASH = '0123456789abcdef0123456789abcdef01234567';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'entente-version-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(name: string, text: string): void {
  mkdirSync(join(root, name, '..'), { recursive: true });
  writeFileSync(join(root, name), text);
}

it('knows no commit in a plain copy', () => {
  expect(commit(root)).toBeUndefined();
});

it.each([
  ['written down when it was made', { 'commit.txt': `${HASH}-dirty\n`, '.git/HEAD': 'other\n' }, `${HASH}-dirty`],
  ['of a clone that stands on no branch', { '.git/HEAD': `${HASH}\n` }, HASH],
  ['of a branch', { '.git/HEAD': 'ref: refs/heads/a/b\n', '.git/refs/heads/a/b': `${HASH}\n` }, HASH],
  [
    'of a branch that git packed',
    { '.git/HEAD': 'ref: refs/heads/main\n', '.git/packed-refs': `# pack\nff refs/heads/x\n${HASH} refs/heads/main\n` },
    HASH,
  ],
  [
    'of a further worktree',
    {
      '.git': 'gitdir: clone/.git/worktrees/one\n',
      'clone/.git/worktrees/one/HEAD': 'ref: refs/heads/one\n',
      'clone/.git/worktrees/one/commondir': '../..\n',
      'clone/.git/refs/heads/one': `${HASH}\n`,
    },
    HASH,
  ],
  ['of a branch without any', { '.git/HEAD': 'ref: refs/heads/main\n' }, undefined],
])('finds the commit %s', (_, files, found) => {
  for (const [name, text] of Object.entries(files)) write(name, text);

  expect(commit(root)).toBe(found);
});
