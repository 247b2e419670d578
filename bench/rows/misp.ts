// First ingest from a MISP server against that of as many indicators from a TAXII server, and a poll with nothing new.
import { OURS } from '../cluster.ts';
import { side } from '../process.ts';
import { ratios, rounds, spread } from '../rounds.ts';
import { type BenchRow, thousands } from './row.ts';

const REACH = 0.8;
const REACH_AGAIN_SECS = 1;

export const misp: BenchRow = {
  name: 'misp',
  async run(bench) {
    const count = bench.size(300_000);
    const partners = { misp: await bench.misp(count), taxii: await bench.taxii(count) };
    const again: number[] = [];
    const rate = async (partner: Partial<typeof partners>): Promise<number> => {
      const file = await bench.config({ ...partner, indices: [OURS], mode: 'shadow' });
      const { said } = await side('again', [file], 'daemon');
      if (partner.misp !== undefined) again.push(Number(said['againMs']) / 1000);
      return (count / Number(said['ms'])) * 1000;
    };
    const pairs = await rounds(
      bench.rounds,
      { ours: () => rate({ misp: partners.misp }), theirs: () => rate({ taxii: partners.taxii }) },
      bench.note,
    );
    const { median, low, high } = ratios(pairs);
    const ours = spread(pairs.map((pair) => pair.ours));
    const theirs = spread(pairs.map((pair) => pair.theirs));
    const idle = spread(again);
    return [
      {
        what: `first ingest from the MISP simulator, ${thousands(count)} attributes in events of 1,000, to committed state, 1 SIEM`,
        reach: `at least ${REACH} of the ingest of as many indicators from the TAXII simulator`,
        measured: `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`,
        reached: median >= REACH,
        detail: `${pairs.length} paired rounds, by search; MISP ${thousands(ours.median)}/s (${thousands(ours.low)} to ${thousands(ours.high)}), TAXII ${thousands(theirs.median)}/s (${thousands(theirs.low)} to ${thousands(theirs.high)})`,
      },
      {
        what: `poll of the same MISP server with nothing new`,
        reach: `under ${REACH_AGAIN_SECS} s`,
        measured: `${idle.median.toFixed(3)} s (${idle.low.toFixed(3)} to ${idle.high.toFixed(3)})`,
        reached: idle.median < REACH_AGAIN_SECS,
        detail: `${again.length} rounds, right after the first ingest; all events were published within the same minute, so that all are listed again`,
      },
    ];
  },
};
