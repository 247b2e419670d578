// Policy over a large state: decisions a second, and what a changed list keeps waiting.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { side } from '../process.ts';
import { spread } from '../rounds.ts';
import { type BenchRow, thousands } from './row.ts';

const PER_SEC = 200_000;
const WAIT_MS = 100;
/** As sides/policy.ts calls what it asks for. */
const ASKED = [
  { what: 'command', words: 'commands', each: "writing commands to the store's thread" },
  { what: 'status', words: '/status', each: 'times what /status reads' },
  {
    what: 'poll',
    words: 'polls',
    each: 'polls of another exchange with 100 new indicators each, from the page to its end',
  },
] as const;

export const policy: BenchRow = {
  name: 'policy',
  async run(bench) {
    const count = bench.size(1_000_000);
    const [listed, networks] = [bench.size(300_000), bench.size(20_000)];
    const folder = mkdtempSync(join(tmpdir(), 'entente-policy-'));
    try {
      const rates: number[] = [];
      let [mb, noted] = [0, 0];
      for (let round = 0; round < bench.rounds; round++) {
        const { said } = await side('policy', ['judge', folder, ...[count, listed, networks].map(String)], 'plain');
        rates.push(Number(said['perSec']));
        [mb, noted] = [Number(said['listsMb']), Number(said['noted'])];
        bench.note(`round ${round + 1}/${bench.rounds}: ${thousands(rates.at(-1)!)} decisions a second`);
      }
      const { said } = await side('policy', ['rejudge', folder, ...[count, listed, networks].map(String)], 'daemon');
      const { said: alone } = await side(
        'policy',
        ['steps', folder, ...[count, listed, networks].map(String)],
        'daemon',
      );
      const rate = spread(rates);
      const secs = Number(said['ms']) / 1000;
      const p99 = (what: string) => Number(said[`${what}P99Ms`]);
      const waited = ASKED.map(
        ({ what, words }) =>
          `${words} p99 ${p99(what).toFixed(0)} ms, at most ${Number(said[`${what}MostMs`]).toFixed(0)}`,
      );
      const asked = ASKED.map(({ what, each }) => `${thousands(Number(said[`${what}Times`]))} ${each}`);
      return [
        {
          what: `policy on ${thousands(count)} entries with ${thousands(listed)} values and ${thousands(networks)} networks on lists`,
          reach: `at least ${thousands(PER_SEC)} decisions a second a core`,
          measured: `${thousands(rate.median)}/s (${thousands(rate.low)} to ${thousands(rate.high)}), ${mb.toFixed(0)} MB for the lists`,
          reached: rate.median >= PER_SEC,
          detail: `${bench.rounds} rounds, a process each, by processor time; one decision on each value, ${thousands(noted)} of them listed`,
        },
        {
          what: `a changed list judged anew over ${thousands(count)} entries`,
          reach: `no command, /status or poll of another exchange waits for more than ${WAIT_MS} ms (p99)`,
          measured: waited.join('; '),
          reached: ASKED.every(({ what }) => p99(what) <= WAIT_MS),
          detail: `one run of ${secs.toFixed(0)} s; ${asked.join(', ')}, in turn and 20 ms apart, under the heaps of the daemon; a step takes ${Number(alone['p99Ms']).toFixed(0)} ms of processor time (p99), ${Number(alone['mostMs']).toFixed(0)} ms at most`,
        },
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
