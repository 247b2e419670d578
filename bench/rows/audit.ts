// What the record of what was done costs, how long it takes to check, and to ask what stood where.
import { dirname } from 'node:path';
import type { Bench } from '../bench.ts';
import { OURS } from '../cluster.ts';
import { entente, side } from '../process.ts';
import { type Pair, rounds, spread } from '../rounds.ts';
import { type BenchRow, type Line, thousands } from './row.ts';

const REACH_MORE = 1.1;
const REACH_SECS = 60;
const REACH_MB = 256;
const REACH_MS = 20;

export const audit: BenchRow = {
  name: 'audit',
  run: async (bench) => [...(await costs(bench)), await verifying(bench), await asking(bench)],
};

/** Both stretches of one round in one process, with the record and without. */
async function costs(bench: Bench): Promise<Line[]> {
  const count = bench.size(200_000);
  const measured: { ingest: Pair[]; deliver: Pair[] } = { ingest: [], deliver: [] };
  let sent = 0;
  const one = async (level: 'values' | 'off') => {
    const { said } = await side('audit', ['work', bench.folder(), String(count), level], 'plain');
    sent = Number(said['sent']);
    if (Number(said['records']) > 0 !== (level === 'values'))
      throw new Error(`${level}: ${Number(said['records'])} records`);
    return { ingest: Number(said['ingestMs']), deliver: Number(said['deliverMs']) };
  };
  let last: Record<'ours' | 'theirs', Awaited<ReturnType<typeof one>>>;
  await rounds(
    bench.rounds,
    {
      ours: async () => {
        last = { ...last, ours: await one('values') };
        return count / (last.ours.ingest + last.ours.deliver) / 0.001;
      },
      theirs: async () => {
        last = { ...last, theirs: await one('off') };
        return count / (last.theirs.ingest + last.theirs.deliver) / 0.001;
      },
    },
    bench.note,
    () => {
      for (const part of ['ingest', 'deliver'] as const)
        measured[part].push({ ours: last.ours[part], theirs: last.theirs[part] });
    },
  );
  return (['ingest', 'deliver'] as const).map((part) => {
    const more = spread(measured[part].map(({ ours, theirs }) => ours / theirs));
    const each = (which: 'ours' | 'theirs') =>
      spread(measured[part].map((pair) => (pair[which] / (part === 'ingest' ? count : sent)) * 1000)).median.toFixed(1);
    const what =
      part === 'ingest' ? `ingest of ${thousands(count)} indicators` : `delivery of ${thousands(sent)} entries`;
    return {
      what: `${what} with the record of what was done`,
      reach: `at most ${REACH_MORE} times the processor time without it`,
      measured: `${more.median.toFixed(2)} (${more.low.toFixed(2)} to ${more.high.toFixed(2)})`,
      reached: more.median <= REACH_MORE,
      detail: `${measured[part].length} paired rounds, a process each, the store alone on one thread; ${each('ours')} and ${each('theirs')} µs each`,
    };
  });
}

async function verifying(bench: Bench): Promise<Line> {
  const count = bench.size(1_000_000);
  const file = await bench.config({ indices: [OURS], mode: 'shadow' });
  bench.note(`writing ${thousands(count)} records`);
  await side('audit', ['records', dirname(file), String(count)], 'plain');
  const { said, wallMs, peakMb } = await entente(['audit', 'verify', '--offline', '--json', '-c', file]);
  if (said['sound'] !== true || Number(said['size']) !== count) throw new Error(JSON.stringify(said).slice(0, 500));
  const secs = wallMs / 1000;
  bench.note(`verified in ${secs.toFixed(1)} s, ${peakMb.toFixed(0)} MB`);
  return {
    what: `audit verify of ${thousands(count)} records`,
    reach: `under ${REACH_SECS} s, within ${REACH_MB} MB`,
    measured: `${secs.toFixed(1)} s, ${peakMb.toFixed(0)} MB`,
    reached: secs < REACH_SECS && peakMb <= REACH_MB,
    detail: 'one run of the launcher, start included, peak of the whole process; two rows to a record, no SIEM asked',
  };
}

async function asking(bench: Bench): Promise<Line> {
  const count = bench.size(1_000_000);
  bench.note(`delivering ${thousands(count)} entries to be asked about`);
  const { said } = await side('audit', ['why', bench.folder(), String(count)], 'plain');
  const ms = (name: string) => Number(said[name]).toFixed(1);
  return {
    what: `why of a value among ${thousands(Number(said['delivered']))} entries, now and as of a moment by the record`,
    reach: `under ${REACH_MS} ms (p99)`,
    measured: `p99 ${ms('nowP99')} ms now, ${ms('thenP99')} ms as of a moment`,
    reached: Math.max(Number(said['nowP99']), Number(said['thenP99'])) < REACH_MS,
    detail: `${thousands(Number(said['asked']))} values spread over all of them, 2,000 rows to a record; medians ${ms('nowP50')} and ${ms('thenP50')} ms, at most ${ms('nowMost')} and ${ms('thenMost')}; the question alone, without the start of a command`,
  };
}
