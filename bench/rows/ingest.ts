// First ingest against a bare insert of the rows that it leaves.
import { join } from 'node:path';
import { OURS } from '../cluster.ts';
import { side } from '../process.ts';
import { ratios, rounds, spread } from '../rounds.ts';
import { type BenchRow, type Line, thousands } from './row.ts';

const REACH = 0.6;

export const ingest: BenchRow = {
  name: 'ingest',
  async run(bench) {
    const lines: Line[] = [];
    for (const indices of [[OURS], [OURS, 'bench-second', 'bench-third']]) {
      const count = bench.size(200_000);
      const taxii = await bench.taxii(count);
      const state = await bench.ingested(count, indices, 'shadow');
      const rate = (ms: unknown) => (count / Number(ms)) * 1000;
      const pairs = await rounds(
        bench.rounds,
        {
          ours: async () => {
            const file = await bench.config({ taxii, indices, mode: 'shadow' });
            return rate((await side('ingest', [file], 'daemon')).said['ms']);
          },
          theirs: async () =>
            rate((await side('bare-insert', [state, join(bench.folder(), 'bare.db')], 'plain')).said['ms']),
        },
        bench.note,
      );
      const { median, low, high } = ratios(pairs);
      const ours = spread(pairs.map((pair) => pair.ours));
      const theirs = spread(pairs.map((pair) => pair.theirs));
      lines.push({
        what: `first ingest from the TAXII simulator, ${thousands(count)} indicators, to committed state, ${indices.length} SIEM${indices.length > 1 ? 's' : ''}`,
        reach: `at least ${REACH} of a bare insert of the same rows`,
        measured: `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`,
        reached: median >= REACH,
        detail: `${pairs.length} paired rounds; ours ${thousands(ours.median)}/s (${thousands(ours.low)} to ${thousands(ours.high)}), the insert ${thousands(theirs.median)}/s (${thousands(theirs.low)} to ${thousands(theirs.high)})`,
      });
    }
    return lines;
  },
};
