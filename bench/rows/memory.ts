// What the daemon's process takes with a million entries, and how soon it is ready with them.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Bench } from '../bench.ts';
import { OURS } from '../cluster.ts';
import { entente, listening, ROOT } from '../process.ts';
import { spread } from '../rounds.ts';
import { syncIntoThree } from '../three.ts';
import { type BenchRow, type Line, thousands } from './row.ts';

const REACH_MB = 256;
const REACH_GROWTH = 1.3;
const REACH_READY_SECS = 2;

export const memory: BenchRow = {
  name: 'memory',
  async run(bench) {
    const small = await sync(bench, bench.size(100_000));
    const large = await sync(bench, bench.size(1_000_000));
    const growth = large.peakMb / small.peakMb;
    const size = thousands(bench.size(1_000_000));
    const line: Line = {
      what: `resident memory, ${size} indicators ingested and delivered`,
      reach: `at most ${REACH_MB} MB, and no more than ${REACH_GROWTH} times the figure at a tenth of it`,
      measured: `${Math.round(large.peakMb)} MB, ${growth.toFixed(2)} times`,
      reached: large.peakMb <= REACH_MB && growth <= REACH_GROWTH,
      detail: `peak of the whole process of run --once into the real Elasticsearch, which held ${thousands(large.delivered)} entries after ${Math.round(large.wallMs / 1000)} s; ${Math.round(small.peakMb)} MB at ${thousands(bench.size(100_000))}`,
    };
    return [line, await ready(bench, large.file, size), await intoThree(bench)];
  },
};

async function sync(bench: Bench, count: number) {
  const cluster = await bench.cluster();
  await cluster.reset(OURS);
  const file = await bench.config({ taxii: await bench.taxii(count), indices: [OURS], mode: 'live' });
  const { peakMb, wallMs } = await entente(['run', '--once', '--json', '-c', file]);
  const delivered = await cluster.count(OURS);
  bench.note(`${count} indicators: ${peakMb.toFixed(0)} MB, ${delivered} delivered in ${(wallMs / 1000).toFixed(1)} s`);
  return { file, peakMb, wallMs, delivered };
}

/** The same into the three simulated SIEMs. With 1,000,000 it takes more than a quarter of an hour: the simulated QRadar looks through its sets. */
async function intoThree(bench: Bench): Promise<Line> {
  const count = bench.size(300_000);
  const taxii = await bench.taxii(count);
  const { ended, held, said } = await syncIntoThree(bench.folder(), taxii);
  const [peak, secs] = [Math.round(ended.peakMb), Math.round(ended.wallMs / 1000)];
  bench.note(`${count} indicators into three: ${peak} MB in ${secs} s; ${said}`);
  if ([...held.values()].some((n) => n < 0.9 * count)) throw new Error(`of ${count} they hold ${said}`);
  return {
    what: `${thousands(count)} indicators into three simulated SIEMs`,
    reach: `at most ${REACH_MB} MB`,
    measured: `${peak} MB`,
    reached: peak <= REACH_MB,
    detail: `one run of run --once, ${secs} s, ${Math.round(ended.cpuMs / 1000)} s of processor time; they held: ${said}`,
  };
}

async function ready(bench: Bench, file: string, size: string): Promise<Line> {
  const seconds: number[] = [];
  const talking = thatSaysWhereItListens(file);
  for (let round = 0; round < bench.rounds; round++) {
    seconds.push(await start(talking));
    bench.note(`start ${round + 1}/${bench.rounds}: ready after ${seconds.at(-1)?.toFixed(2)} s`);
  }
  const { median, low, high } = spread(seconds);
  return {
    what: `start with ${size} entries in the store until /readyz`,
    reach: `under ${REACH_READY_SECS} s`,
    measured: `${median.toFixed(2)} s (${low.toFixed(2)} to ${high.toFixed(2)})`,
    reached: median < REACH_READY_SECS,
    detail: `${bench.rounds} starts of the launcher, with both peers reachable`,
  };
}

/** The same configuration beside it, with the log at `info`. */
function thatSaysWhereItListens(file: string): string {
  const config = JSON.parse(readFileSync(file, 'utf8')) as object;
  const other = join(dirname(file), 'talking.yaml');
  writeFileSync(other, JSON.stringify({ ...config, log: { level: 'info', format: 'json' } }));
  return other;
}

/** Seconds from the start of the launcher to the first 200 of /readyz. */
async function start(file: string): Promise<number> {
  const begin = performance.now();
  const child = spawn(process.execPath, [join(ROOT, 'bin', 'entente.mjs'), 'run', '-c', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let text = '';
      child.stderr.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8');
        const found = listening(text);
        if (found !== undefined) resolve(found);
      });
      child.once('close', (code) => reject(new Error(`the daemon ended with ${code}:\n${text.slice(-1000)}`)));
    });
    for (;;) {
      const answer = await fetch(new URL('/readyz', url));
      await answer.text();
      if (answer.ok) return (performance.now() - begin) / 1000;
      if (performance.now() - begin > 120_000) throw new Error('the daemon is not ready after two minutes');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  } finally {
    child.kill('SIGTERM');
    await gone;
  }
}
