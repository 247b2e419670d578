// One SIEM that hangs: do the other two keep their pace?
import { side } from '../process.ts';
import { spread } from '../rounds.ts';
import { type BenchRow, thousands } from './row.ts';

const REACH = 0.75;

export const hang: BenchRow = {
  name: 'hang',
  async run(bench) {
    const count = Math.min(20_000, bench.size(20_000));
    const found: number[] = [];
    let entries = 0;
    for (let round = 0; round < bench.rounds; round++) {
      const timed = async (how: 'answers' | 'hangs') => {
        const { said } = await side('hang', [how, String(count)], 'plain');
        entries = Number(said['entries']);
        return Number(said['ms']);
      };
      const first = await timed(round % 2 === 0 ? 'answers' : 'hangs');
      const second = await timed(round % 2 === 0 ? 'hangs' : 'answers');
      const [answers, hangs] = round % 2 === 0 ? [first, second] : [second, first];
      found.push(answers / hangs);
      bench.note(`round ${round + 1}/${bench.rounds}: ${found.at(-1)?.toFixed(2)} of the pace without a hang`);
    }
    const { median, low, high } = spread(found);
    return [
      {
        what: `pace of two SIEMs, ${thousands(entries)} entries each, while the third answers no call (time-out 60 s)`,
        reach: `at least ${REACH} of their pace while it answers`,
        measured: `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`,
        reached: median >= REACH,
        detail: `${bench.rounds} paired rounds; first sync, all three simulators in the daemon's own process, which the third no longer burdens while it hangs`,
      },
    ];
  },
};
