// npm run mutants: puts one deliberate fault after the other into a copy of the sources, runs the tests that should
// notice and tells which did. What was tried is remembered until the fault, its file or its
// tests change, so that a run that was broken off goes on where it was. Options:
//   --only TEXT   of area, file or rule; may be given several times
//   --sample N    so many, spread over all areas; --seed S draws others
//   --list        only look which faults find their place, and which moved
//   --room        what those let through is shown to the other tests of the same room, too
//   --again       forget what is remembered
//   --sound       the tests are known to pass without any fault
//   --seconds N   break off after so long
//   --told        try nothing, tell what is remembered
//   --untried     only those of which neither the memory nor the README tells a result
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
import { getPriority, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AREAS } from './areas.ts';
import { broken, type Placed, placed, ROOT } from './places.ts';
import { sampled } from './sampling.ts';
import { type Outcome, read, table, written } from './table.ts';
import { outcomeOf } from './tests.ts';

const REMEMBERED = join(import.meta.dirname, '.results.jsonl');
const WRITTEN = join(import.meta.dirname, 'README.md');
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

/** With a digest of the file and the tests that told. */
interface Tried extends Outcome {
  readonly seen: string;
  /** Whether all tests of its room were asked. */
  readonly room: boolean;
}

/** One that finds its place. */
type Standing = Placed & { readonly file: string };

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    room: { type: 'boolean', default: false },
    again: { type: 'boolean' },
    list: { type: 'boolean' },
    sound: { type: 'boolean' },
    seconds: { type: 'string', default: 'Infinity' },
    told: { type: 'boolean' },
    untried: { type: 'boolean' },
  },
});

const all = Object.entries(AREAS).flatMap(([area, files]) => files.flatMap((one) => placed(area, one)));
// What no test can notice stands in the list with its reason, and is not counted.
const equal = all.filter((one) => one.survives !== undefined);
const problems = all.flatMap(problemsOf);
for (const problem of problems) console.error(problem);
if (values.list === true)
  for (const { listed, file, rule } of all)
    if (file !== undefined && file !== listed) console.log(`${listed}: "${rule}" stands in ${file}`);
console.log(`${all.length} faults, ${equal.length} of them equal to the code, ${problems.length} without a place`);
if (values.list === true) process.exitCode = problems.length > 0 ? 1 : 0;
else await run();

/** The list follows the code: a fault that does not find its place, or its tests, is named. */
function problemsOf({ file, listed, find, put, rule, tests, more }: Placed): string[] {
  const where = `${listed}: "${rule}"`;
  return [
    ...(file === undefined ? [`${where}: its text stands nowhere, or more than once: ${JSON.stringify(find)}`] : []),
    ...(find === put ? [`${where}: changes nothing`] : []),
    ...(tests.length + more.length === 0 ? [`${where}: has no tests`] : []),
  ];
}

async function run(): Promise<void> {
  setPriority(Math.max(10, getPriority()));
  const standing = all.filter((one): one is Standing => one.file !== undefined && one.survives === undefined);
  const remembered = known(standing);
  const wanted = standing
    .filter(({ area, file, rule }) => values.only?.some((text) => `${area} ${file} ${rule}`.includes(text)) ?? true)
    .filter((one) => values.untried !== true || remembered[keyOf(one)] === undefined);
  const chosen = values.sample === undefined ? wanted : sampled(wanted, Number(values.sample), Number(values.seed));
  const left = chosen.filter((one) => {
    const before = remembered[keyOf(one)];
    if (values.told === true) return false;
    if (before === undefined || values.again === true || before.seen !== seenBy(one, before)) return true;
    return before.result === 'broken' || (before.result === 'survived' && values.room && !before.room);
  });
  if (left.length > 0 && !(await tryAll(left, remembered))) {
    process.exitCode = 1;
    return;
  }
  const rowsOf = (some: readonly Standing[]) =>
    some.map((one) => ({ ...one, result: 'not tried' as const, ...remembered[keyOf(one)] }));
  const rows = rowsOf(chosen);
  console.log(table(rows));
  if (values.only === undefined) {
    const sample = values.sample === undefined ? undefined : { rows, seed: values.seed };
    const when = `${new Date().toISOString().slice(0, 10)}, on top of commit ${commit()}`;
    const applied = `${all.length - problems.length} of ${all.length} faults find their place`;
    writeFileSync(
      WRITTEN,
      written({
        rows: rowsOf(standing),
        sample,
        equal: equal.map((one) => ({ ...one, file: one.listed })),
        when,
        applied,
      }),
    );
  }
  if (rows.some((one) => one.result === 'broken' || one.result === 'survived')) process.exitCode = 1;
}

/** Whether anything could be told. */
async function tryAll(left: readonly Standing[], remembered: Record<string, Tried>): Promise<boolean> {
  const copy = mkdtempSync(join(tmpdir(), 'entente-mutants-'));
  try {
    for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    // Before any fault the tests must pass, or nothing would be told by their failing.
    if (values.sound !== true) {
      const { result, by } = await outcomeOf(copy, [
        ...new Set(left.flatMap((one) => (values.room ? [...one.tests, ...one.more] : one.tests))),
      ]);
      if (result !== 'survived') {
        console.error(`The tests fail without any fault (${by ?? 'no test ran'}); nothing was tried.`);
        return false;
      }
    }
    const start = performance.now();
    const spent = (): number => (performance.now() - start) / 1000;
    for (const [n, one] of left.entries()) {
      if (spent() > Number(values.seconds)) break;
      const before = spent();
      const outcome = await tryOut(copy, one);
      const tried = { ...outcome, seen: seenBy(one, outcome, copy), room: values.room };
      remembered[keyOf(one)] = tried;
      // Line by line, since a run may be broken off.
      appendFileSync(REMEMBERED, `${JSON.stringify([keyOf(one), tried])}\n`);
      const took = `${(spent() - before).toFixed(1)} s`;
      console.log(`${n + 1}/${left.length} ${took} ${tried.result}: ${one.file}: ${one.rule} (${tried.by ?? '-'})`);
    }
    return true;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function tryOut(copy: string, one: Standing): Promise<Outcome> {
  const path = join(copy, one.file);
  const source = readFileSync(path, 'utf8');
  writeFileSync(path, broken(one, source));
  try {
    const outcome = one.tests.length === 0 ? undefined : await outcomeOf(copy, one.tests);
    if (outcome !== undefined && (outcome.result !== 'survived' || !values.room || one.more.length === 0))
      return outcome;
    return await outcomeOf(copy, one.more);
  } finally {
    writeFileSync(path, source);
  }
}

/** Results of this machine, and of others what they wrote down: told, and tried anew where it is chosen. */
function known(standing: readonly Standing[]): Record<string, Tried> {
  const told = read(readFileSync(WRITTEN, 'utf8'), standing);
  const before = standing.flatMap((one): [string, Tried][] => {
    const outcome = told.get(one);
    return outcome === undefined ? [] : [[keyOf(one), { ...outcome, seen: 'elsewhere', room: false }]];
  });
  const lines = existsSync(REMEMBERED) ? readFileSync(REMEMBERED, 'utf8').split('\n') : [];
  // As written above.
  const here = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as [string, Tried]);
  return Object.fromEntries([...before, ...here]);
}

/** What is remembered stands for this fault, wherever it moves. */
function keyOf({ rule, find, put }: Placed): string {
  return digestOf(rule, find, put);
}

/** A caught one was seen by one test file; that a fault survives is said by all of them, as they were. */
function seenBy({ file, tests, more }: Standing, outcome: Outcome | undefined, folder = ROOT): string {
  const by = outcome?.by;
  const told = [...tests, ...more].filter((test) => by === undefined || by.startsWith(test));
  return digestOf(sourceOf(file, folder), ...told.flatMap((one) => [one, sourceOf(one, folder)]));
}

function digestOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 24);
}

function sourceOf(file: string, folder: string): string {
  return readFileSync(join(folder, file), 'utf8');
}

function commit(): string {
  return spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).stdout.trim();
}
