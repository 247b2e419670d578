// The whole first sync against the script that one would write first.
import { join } from 'node:path';
import { pythonPeer } from '../../test/peers/python.ts';
import { OURS, THEIRS } from '../cluster.ts';
import { entente, finished } from '../process.ts';
import { ratios, rounds, spread } from '../rounds.ts';
import { type BenchRow, thousands } from './row.ts';

const REACH = 1.5;

export const endToEnd: BenchRow = {
  name: 'end-to-end',
  async run(bench) {
    const count = bench.size(200_000);
    const cluster = await bench.cluster();
    const taxii = await bench.taxii(count);
    const python = await pythonPeer('plain-script');
    if (python.kind === 'missing') throw new Error(python.reason);
    const script = join(import.meta.dirname, '..', 'baseline', 'plain_script.py');
    const collection = `${taxii.url}collections/${taxii.collection}/`;
    const peaks = { ours: 0, theirs: 0 };
    const pairs = await rounds(
      bench.rounds,
      {
        ours: async () => {
          await cluster.reset(OURS);
          const file = await bench.config({ taxii, indices: [OURS], mode: 'live' });
          const ended = await entente(['run', '--once', '--json', '-c', file]);
          peaks.ours = Math.max(peaks.ours, ended.peakMb);
          const found = await cluster.count(OURS);
          await cluster.reset(OURS);
          // Duplicates share a row, and what cannot be expressed exactly is refused.
          if (found < 0.8 * count) throw new Error(`${OURS} holds only ${found} documents of ${count} indicators`);
          return (count / ended.wallMs) * 1000;
        },
        theirs: async () => {
          await cluster.make(THEIRS);
          const ended = await finished(python.python, [
            script,
            collection,
            taxii.username,
            taxii.password,
            cluster.url,
            THEIRS,
          ]);
          peaks.theirs = Math.max(peaks.theirs, ended.peakMb);
          const found = await cluster.count(THEIRS);
          await cluster.reset(THEIRS);
          if (found !== count) throw new Error(`${THEIRS} holds ${found} documents of ${count} indicators`);
          return (count / ended.wallMs) * 1000;
        },
      },
      bench.note,
    );
    const { median, low, high } = ratios(pairs);
    const ours = spread(pairs.map((pair) => pair.ours));
    const theirs = spread(pairs.map((pair) => pair.theirs));
    return [
      {
        what: `end to end, first sync of ${thousands(count)} from a TAXII server into the real Elasticsearch`,
        reach: `at least ${REACH} times the plain script`,
        measured: `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`,
        reached: median >= REACH,
        detail: `${pairs.length} paired rounds, whole processes; ours ${thousands(ours.median)}/s (${thousands(ours.low)} to ${thousands(ours.high)}) at ${Math.round(peaks.ours)} MB, the script ${thousands(theirs.median)}/s (${thousands(theirs.low)} to ${thousands(theirs.high)}) at ${Math.round(peaks.theirs)} MB`,
      },
    ];
  },
};
