// The store by itself: three SIEMs against one, growth to a million, what concerns very many at once, and the same state on
// PostgreSQL.
import { startPostgres } from '../../test/peers/postgres.ts';
import type { Bench } from '../bench.ts';
import { side } from '../process.ts';
import { type Pair, rounds, spread } from '../rounds.ts';
import { type BenchRow, type Line, thousands } from './row.ts';

const MOST_THREE = 1.25;
const MOST_GROWTH = 1.5;
const MOST_CROWD = 4;
const LEAST_FIRST = 0.4;
const LEAST_AGAIN = 0.5;

export const pace: BenchRow = {
  name: 'pace',
  run: async (bench) => [await threeSiems(bench), await growth(bench), ...(await crowds(bench))],
};

export const postgres: BenchRow = { name: 'postgres', run: (bench) => onServer(bench) };

const said = async (args: readonly string[]): Promise<Readonly<Record<string, number>>> =>
  (await side('pace', args, 'plain')).said as Readonly<Record<string, number>>;

const around = ({ median, low, high }: { median: number; low: number; high: number }): string =>
  `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;

async function threeSiems(bench: Bench): Promise<Line> {
  const count = bench.size(200_000);
  const rate = async (siems: string) =>
    (count / (await said(['again', bench.folder(), String(count), siems]))['firstCpuMs']!) * 1000;
  const pairs = await rounds(bench.rounds, { ours: () => rate('3'), theirs: () => rate('1') }, bench.note);
  const times = spread(pairs.map(({ ours, theirs }) => theirs / ours));
  const each = (which: keyof Pair) => (1e6 / spread(pairs.map((pair) => pair[which])).median).toFixed(1);
  return {
    what: `first ingest of ${thousands(count)} indicators, the store alone: three SIEMs against one`,
    reach: `at most ${MOST_THREE} times the processor time`,
    measured: around(times),
    reached: times.median <= MOST_THREE,
    detail: `${pairs.length} paired rounds, a process each; ${each('ours')} µs an indicator with three, ${each('theirs')} with one`,
  };
}

async function growth(bench: Bench): Promise<Line> {
  const count = bench.size(1_000_000);
  const parts = await said(['grow', bench.folder(), String(count), '1']);
  const [first, last] = [parts['part1']!, parts['part10']!];
  bench.note(
    `by tenths: ${Object.values(parts)
      .map((ms) => (ms / 1000).toFixed(1))
      .join(', ')} s`,
  );
  return {
    what: `the last tenth of ${thousands(count)} indicators against the first, the store alone`,
    reach: `at most ${MOST_GROWTH} times the processor time`,
    measured: (last / first).toFixed(2),
    reached: last / first <= MOST_GROWTH,
    detail: `one run; ${(first / 1000).toFixed(1)} and ${(last / 1000).toFixed(1)} s`,
  };
}

interface Crowd {
  readonly kind: 'crowd' | 'versions' | 'markings';
  readonly count: number;
  /** What is measured against as many ordinary objects, in the order in which it happens. */
  readonly what: readonly ((n: string) => string)[];
}

const CROWDS: readonly Crowd[] = [
  { kind: 'crowd', count: 30_000, what: [(n) => `${n} objects that name one value`] },
  { kind: 'versions', count: 1_000, what: [(n) => `${n} versions of a malware that ${n} indicators name`] },
  {
    kind: 'markings',
    count: 20_000,
    what: [
      (n) => `${n} indicators under a marking each that nobody explained`,
      (n) => `the definitions of ${n} markings that as many indicators waited for`,
    ],
  },
];

async function crowds(bench: Bench): Promise<Line[]> {
  const lines: Line[] = [];
  for (const { kind, count: standard, what } of CROWDS) {
    const count = bench.size(standard);
    const found: Readonly<Record<string, number>>[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      found.push(await said([kind, bench.folder(), String(count), '1']));
      bench.note(`${kind}, round ${round + 1}/${bench.rounds}: ${JSON.stringify(found.at(-1))}`);
    }
    for (const [at, words] of what.entries()) {
      const of = (one: Readonly<Record<string, number>>) => one[at === 0 ? 'otherMs' : 'laterMs']!;
      const times = spread(found.map((one) => of(one) / one['ordinaryMs']!));
      const each = (ms: readonly number[]) => ((spread(ms).median / count) * 1000).toFixed(0);
      lines.push({
        what: `${words(thousands(count))} against as many ordinary indicators, the store alone`,
        reach: `at most ${MOST_CROWD} times the processor time`,
        measured: around(times),
        reached: times.median <= MOST_CROWD,
        detail: `${bench.rounds} rounds, sweeps included; ${each(found.map(of))} µs each, an ordinary one ${each(found.map((one) => one['ordinaryMs']!))}`,
      });
    }
  }
  return lines;
}

async function onServer(bench: Bench): Promise<Line[]> {
  const count = bench.size(200_000);
  bench.note('starting PostgreSQL');
  const server = await startPostgres({ set: { fsync: 'on', full_page_writes: 'on', shared_buffers: '256MB' } });
  try {
    const first: number[] = [];
    const again: number[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      const url = new URL(server.url);
      url.password = server.password;
      const args = ['again', bench.folder(), String(count), '1'];
      const ours = await said([...args, url.href, `bench_${round}`]);
      const file = await said(args);
      first.push(file['firstMs']! / ours['firstMs']!);
      again.push(file['againMs']! / ours['againMs']!);
      bench.note(`round ${round + 1}/${bench.rounds}: ${first.at(-1)!.toFixed(2)} and ${again.at(-1)!.toFixed(2)}`);
    }
    const line = (what: string, times: number[], reach: number): Line => ({
      what: `${what} of ${thousands(count)} indicators into PostgreSQL, the store alone`,
      reach: `at least ${reach} of SQLite's pace`,
      measured: around(spread(times)),
      reached: spread(times).median >= reach,
      detail: `${times.length} paired rounds by the clock, server on loopback with fsync; a process each`,
    });
    return [line('first ingest', first, LEAST_FIRST), line('ingest of the same once more', again, LEAST_AGAIN)];
  } finally {
    await server.stop();
  }
}
