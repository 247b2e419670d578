// Where each fault stands now. The list names a file, but it is the text that counts: where code moved, the one file that
// holds the text is taken, and the spaces between its words may have become others.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Mutant, Mutated } from './mutant.ts';
import { testFile } from './mutant.ts';

export const ROOT = join(import.meta.dirname, '../..');

export interface Placed extends Mutant {
  readonly area: string;
  /** As listed, and where the text stands today: undefined where it stands nowhere, or in several places. */
  readonly listed: string;
  readonly file: string | undefined;
  /** What is to be replaced there, which differs from the text of the list by spaces at most. */
  readonly text: string;
  readonly tests: readonly string[];
  /** The others of its room, for what those let through. */
  readonly more: readonly string[];
}

/** Slow, or with a process beside them. */
const APART = /\.large\.test\.ts$/;

const filesIn = (pattern: string): readonly string[] =>
  globSync(pattern, { cwd: ROOT })
    .map((one) => one.replaceAll('\\', '/'))
    .toSorted();
const TESTS = filesIn('src/**/*.test.ts').filter((one) => !APART.test(one));
const SOURCES = new Map(
  filesIn('src/**/*.ts')
    .filter((one) => !one.endsWith('.test.ts'))
    .map((one) => [one, readFileSync(join(ROOT, one), 'utf8')]),
);

export function placed(area: string, { file, tests, mutants }: Mutated): readonly Placed[] {
  return mutants.map((one) => {
    const place = placeOf(file, one.find);
    const named = [...new Set((one.tests ?? tests).flatMap((name) => testsNamed(testFile(name))))];
    const room = dirname(place?.file ?? file);
    const more = TESTS.filter((test) => dirname(test) === room && !named.includes(test));
    return { ...one, area, listed: file, file: place?.file, text: place?.text ?? one.find, tests: named, more };
  });
}

/** The fault in the text of its file. */
export function broken({ text, find, put }: Placed, source: string): string {
  return source.replace(text, () => (text === find ? put : put.trim()));
}

function placeOf(file: string, find: string): { file: string; text: string } | undefined {
  const loose = new RegExp(find.trim().split(/\s+/).map(escaped).join('\\s+'), 'g');
  for (const text of [textually(find), (source: string) => source.match(loose) ?? []]) {
    const here = text(SOURCES.get(file) ?? '');
    if (here.length === 1) return { file, text: here[0]! };
    if (here.length > 1) return undefined;
    const elsewhere = [...SOURCES].flatMap(([name, source]) =>
      text(source).map((found) => ({ file: name, text: found })),
    );
    if (elsewhere.length === 1) return elsewhere[0];
  }
  return undefined;
}

const escaped = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&');

const textually =
  (find: string) =>
  (source: string): readonly string[] =>
    source
      .split(find)
      .slice(1)
      .map(() => find);

/** Of a test file that moved, those of its name in the same part of the house. */
function testsNamed(file: string): readonly string[] {
  if (existsSync(join(ROOT, file))) return [file];
  const part = file.split('/').slice(0, 3).join('/');
  return TESTS.filter((one) => basename(one) === basename(file) && one.startsWith(`${part}/`));
}
