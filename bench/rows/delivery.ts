// Delivery into the real Elasticsearch against a bare loader of the same bodies.
import { join } from 'node:path';
import { OURS, THEIRS } from '../cluster.ts';
import { side } from '../process.ts';
import { ratios, rounds, spread } from '../rounds.ts';
import { type BenchRow, thousands } from './row.ts';

const REACH = 0.8;

export const delivery: BenchRow = {
  name: 'delivery',
  async run(bench) {
    const count = bench.size(200_000);
    const cluster = await bench.cluster();
    const state = await bench.ingested(count, [OURS], 'live');
    const bodies = join(bench.folder(), 'bodies');
    const { said } = await side(
      'capture',
      [await bench.config({ indices: [OURS], mode: 'live' }, state), bodies],
      'plain',
    );
    const documents = Number(said['documents']);
    const landed = async (index: string) => {
      const found = await cluster.count(index);
      await cluster.reset(index);
      if (found !== documents) throw new Error(`${index} holds ${found} documents, not ${documents}`);
    };
    const pairs = await rounds(
      bench.rounds,
      {
        ours: async () => {
          await cluster.reset(OURS);
          const file = await bench.config({ indices: [OURS], mode: 'live' }, state);
          const ended = await side('deliver', [file], 'daemon');
          await landed(OURS);
          return (documents / Number(ended.said['ms'])) * 1000;
        },
        theirs: async () => {
          await cluster.make(THEIRS);
          const ended = await side('bare-loader', [bodies, `${cluster.url}/${THEIRS}`], 'plain');
          await landed(THEIRS);
          return (documents / Number(ended.said['ms'])) * 1000;
        },
      },
      bench.note,
    );
    const { median, low, high } = ratios(pairs);
    const ours = spread(pairs.map((pair) => pair.ours));
    const theirs = spread(pairs.map((pair) => pair.theirs));
    return [
      {
        what: `delivery of ${thousands(documents)} entries into the real Elasticsearch, plan, intent and acknowledgement included`,
        reach: `at least ${REACH} of a bare loader of the same bulk bodies`,
        measured: `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`,
        reached: median >= REACH,
        detail: `${pairs.length} paired rounds; ours ${thousands(ours.median)}/s (${thousands(ours.low)} to ${thousands(ours.high)}), the loader ${thousands(theirs.median)}/s (${thousands(theirs.low)} to ${thousands(theirs.high)})`,
      },
    ];
  },
};
