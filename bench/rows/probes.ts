// Do probes get their answer while much is read and written? And what does the main thread do in its longest turns?
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { StatusReport } from '../../src/core/model/status.ts';
import type { Bench } from '../bench.ts';
import { listening, ROOT } from '../process.ts';
import type { Turns } from '../sides/watch-loop.ts';
import { threeSiems } from '../three.ts';
import { type BenchRow, thousands } from './row.ts';

const PROBES = ['/livez', '/status', '/health', '/metrics'] as const;
const REACH_MS = 50;
const LONG_TURN_MS = 20;
const LONGEST_MS = 30 * 60_000;
const WATCH = join(ROOT, 'bench/sides/watch-loop.ts');

export const probes: BenchRow = {
  name: 'probes',
  async run(bench) {
    const count = bench.size(300_000);
    const { answers, turns, synced } = await firstSync(bench, count);
    for (const { ms, second, in: frames } of turns.long.filter((one) => one.ms > LONG_TURN_MS))
      bench.note(
        `a turn of ${ms.toFixed(1)} ms of processor time at second ${second.toFixed(1)}:\n    ${frames.join('\n    ')}`,
      );
    const sorted = answers.toSorted((a, b) => a - b);
    const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN);
    const later = turns.long.filter((one) => one.second > synced.from).map((one) => one.ms);
    return [
      {
        what: `answers of ${PROBES.join(', ')} during a first sync of ${thousands(count)} into three simulated SIEMs`,
        reach: `each within ${REACH_MS} ms`,
        measured: `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, at most ${at(1)} ms`,
        reached: at(1) <= REACH_MS,
        detail: `${thousands(answers.length)} answers, all over one client, ${Math.round(synced.secs)} s until every SIEM was full; of the main thread's turns since it listens the longest took ${Math.max(0, ...later).toFixed(0)} ms of processor time (of a process under a profiler), ${later.filter((ms) => ms > LONG_TURN_MS).length} more than ${LONG_TURN_MS}`,
      },
    ];
  },
};

interface Found {
  readonly answers: readonly number[];
  readonly turns: Turns;
  /** When it began to listen, in seconds of its process, and how long all of it took. */
  readonly synced: { readonly from: number; readonly secs: number };
}

async function firstSync(bench: Bench, count: number): Promise<Found> {
  const taxii = await bench.taxii(count);
  const folder = bench.folder();
  const simulated = await threeSiems(folder);
  const { siems } = simulated;
  const { url, collection, username, password } = taxii;
  const exchange = { name: 'partner', type: 'taxii21', url, collections: [collection], auth: { username, password } };
  const settings = { instance: 'bench', state: 'entente.db', listen: '127.0.0.1:0', exchanges: [exchange], siems };
  const [file, out] = [join(folder, 'entente.yaml'), join(folder, 'loop.json')];
  writeFileSync(file, JSON.stringify(settings));

  const begin = performance.now();
  const child = spawn(process.execPath, [join(ROOT, 'bin/entente.mjs'), 'run', '-c', file], {
    env: { ...process.env, NODE_OPTIONS: `--import ${WATCH}`, LOOP_OUT: out },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    while (listening(said) === undefined) {
      if (child.exitCode !== null) throw new Error(`the daemon ended:\n${said.slice(-2000)}`);
      await delay(20);
    }
    const from = (performance.now() - begin) / 1000;
    const base = `http://${listening(said)!.replace(/^http:\/\//, '')}`;
    const answers: number[] = [];
    let status: StatusReport | undefined;
    while (!isFull(status, count)) {
      if (performance.now() - begin > LONGEST_MS) throw new Error('the SIEMs were not full in time');
      for (const path of PROBES) {
        const start = performance.now();
        const text = await (await fetch(base + path)).text();
        answers.push(performance.now() - start);
        if (path === '/status') status = JSON.parse(text) as StatusReport;
        await delay(5);
      }
    }
    const secs = (performance.now() - begin) / 1000;
    child.kill('SIGTERM');
    await ended;
    return { answers, turns: JSON.parse(readFileSync(out, 'utf8')) as Turns, synced: { from, secs } };
  } finally {
    child.kill('SIGKILL');
    await simulated.stop();
  }
}

/** Some of a feed expired or is refused, and each SIEM parks what it cannot hold. */
const isFull = (status: StatusReport | undefined, count: number): boolean =>
  status?.exchanges[0]?.last_success != null &&
  (status.exchanges[0].objects ?? 0) >= count * 0.99 &&
  status.siems.every((one) => one.wanted > 0 && one.pending === 0);
