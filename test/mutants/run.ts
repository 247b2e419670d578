// npm run mutants: puts one deliberate fault after the other into a copy of the sources, runs the tests that should
// notice and tells which did. What was tried is remembered until the fault, its file or its tests change, so that a run
// that was broken off goes on where it was. Options:
//   --only TEXT   of area, file or rule; may be given several times
//   --list        only look whether each fault still finds its place
//   --again       forget what is remembered
//   --sound       the tests are known to pass without any fault
//   --part K/N    every N-th of them, beside other runs
//   --told        try nothing, tell what is remembered
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AREAS } from './areas.ts';
import { type Mutant, testFile } from './mutant.ts';
import { type Outcome, type Result, table, written } from './table.ts';

const ROOT = join(import.meta.dirname, '../..');
const REMEMBERED = join(import.meta.dirname, '.results.jsonl');
/** Everything that a test may read. */
const COPIED = [
  'src',
  'test',
  'config',
  'content',
  'deploy',
  'docs',
  'bin',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
];
/** A fault that makes a test wait for ever is noticed, too. */
const LONGEST_MS = 180_000;

/** With a digest of the tests that told. */
interface Tried extends Outcome {
  readonly seen: string;
}

interface Placed extends Mutant {
  readonly area: string;
  readonly file: string;
  readonly tests: readonly string[];
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    again: { type: 'boolean' },
    list: { type: 'boolean' },
    sound: { type: 'boolean' },
    part: { type: 'string' },
    told: { type: 'boolean' },
  },
});

const all: readonly Placed[] = Object.entries(AREAS).flatMap(([area, files]) =>
  files.flatMap(({ file, tests, mutants }) =>
    mutants.map((one) => ({ ...one, area, file, tests: (one.tests ?? tests).map(testFile) })),
  ),
);

const problems = all.flatMap(problemsOf);
for (const problem of problems) console.error(problem);
if (problems.length > 0 || values.list === true) {
  console.log(`${all.length} mutants, ${problems.length} without a place`);
  process.exitCode = problems.length > 0 ? 1 : 0;
} else run();

/** The list follows the code: a fault that does not find its place, or its tests, is named. */
function problemsOf({ file, find, put, rule, tests }: Placed): string[] {
  const found = existsSync(join(ROOT, file)) ? sourceOf(file).split(find).length - 1 : 0;
  const where = `${file}: "${rule}"`;
  return [
    ...(found === 1 ? [] : [`${where}: its text stands there ${found} times: ${JSON.stringify(find)}`]),
    ...(find === put ? [`${where}: changes nothing`] : []),
    ...tests.filter((test) => !existsSync(join(ROOT, test))).map((test) => `${where}: there is no ${test}`),
  ];
}

function run(): void {
  setPriority(10);
  const chosen = all.filter(
    ({ area, file, rule }) => values.only?.some((text) => `${area} ${file} ${rule}`.includes(text)) ?? true,
  );
  const remembered = values.again === true ? {} : known();
  const copy = mkdtempSync(join(tmpdir(), 'entente-mutants-'));
  try {
    for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    const [part = 0, parts = 1] = (values.part ?? '').split('/').map(Number);
    const left = chosen.filter((one, i) => {
      if (values.told === true || (values.part !== undefined && i % parts !== part % parts)) return false;
      const before = remembered[keyOf(one)];
      return before === undefined || before.seen !== seenBy(one, before, copy);
    });
    const sound =
      left.length === 0 || values.sound === true || isSound(copy, [...new Set(left.flatMap((one) => one.tests))]);
    for (const [n, one] of (sound ? left : []).entries()) {
      const outcome = tryOut(copy, one);
      const tried = { ...outcome, seen: seenBy(one, outcome, copy) };
      remembered[keyOf(one)] = tried;
      // Line by line, since several runs may go on side by side.
      appendFileSync(REMEMBERED, `${JSON.stringify([keyOf(one), tried])}\n`);
      console.log(`${n + 1}/${left.length} ${tried.result}: ${one.file}: ${one.rule} (${tried.by ?? '-'})`);
    }
    if (!sound) {
      process.exitCode = 1;
      return;
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
  if (values.part !== undefined) return;
  const rows = chosen.map((one) => ({ ...one, result: 'not tried' as const, ...remembered[keyOf(one)] }));
  console.log(table(rows));
  if (values.only === undefined)
    writeFileSync(join(import.meta.dirname, 'README.md'), written(rows, new Date().toISOString().slice(0, 10)));
  if (rows.some((one) => one.result === 'broken' || (one.result === 'survived' && one.survives === undefined)))
    process.exitCode = 1;
}

function known(): Record<string, Tried> {
  if (!existsSync(REMEMBERED)) return {};
  const lines = readFileSync(REMEMBERED, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  // As written below.
  return Object.fromEntries(lines.map((line) => JSON.parse(line) as [string, Tried]));
}

/** Before any fault the tests must pass, or nothing would be told by their failing. */
function isSound(copy: string, tests: readonly string[]): boolean {
  const { result, by } = outcomeOf(copy, tests);
  if (result === 'survived') return true;
  console.error(`The tests fail without any fault (${by ?? 'no test ran'}); nothing was tried.`);
  return false;
}

function tryOut(copy: string, { file, find, put, tests }: Placed): Outcome {
  const path = join(copy, file);
  const source = sourceOf(file, copy);
  writeFileSync(
    path,
    source.replace(find, () => put),
  );
  try {
    return outcomeOf(copy, tests);
  } finally {
    writeFileSync(path, source);
  }
}

function outcomeOf(copy: string, tests: readonly string[]): Outcome {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const ran = spawnSync(
    process.execPath,
    [
      join(copy, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--config',
      'test/mutants/vitest.config.ts',
      '--reporter',
      'json',
      '--outputFile',
      report,
    ],
    {
      cwd: copy,
      stdio: 'ignore',
      timeout: LONGEST_MS,
      killSignal: 'SIGKILL',
      env: { ...process.env, MUTANT_TESTS: tests.join(' ') },
    },
  );
  if (!existsSync(report))
    return ran.signal === null ? { result: 'broken' } : { result: 'caught', by: 'the run had no end' };
  const { testResults } = read<Report>(report);
  const failed = testResults.flatMap((one) =>
    one.assertionResults.flatMap((test) => (test.status === 'failed' ? [{ file: one.name, name: test.fullName }] : [])),
  )[0];
  if (failed !== undefined) return { result: 'caught', by: `${failed.file.slice(copy.length + 1)}: ${failed.name}` };
  const result: Result = ran.status === 0 ? 'survived' : 'broken';
  return { result };
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** What is remembered stands for this fault in this file. */
function keyOf({ file, find, put }: Placed): string {
  return digestOf(file, find, put, sourceOf(file));
}

/** A caught one was seen by one test file; that a fault survives is said by all of them, as they were. */
function seenBy({ tests }: Placed, { by }: Outcome, folder: string): string {
  const told = by === undefined ? tests : tests.filter((test) => by.startsWith(test));
  return digestOf(...told.flatMap((one) => [one, sourceOf(one, folder)]));
}

function digestOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 24);
}

function sourceOf(file: string, folder = ROOT): string {
  return readFileSync(join(folder, file), 'utf8');
}

function read<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}
