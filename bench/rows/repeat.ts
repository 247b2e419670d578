// A poll of a collection in which nothing changed, and what it writes to the SIEM.
import { OURS } from '../cluster.ts';
import { side } from '../process.ts';
import { spread } from '../rounds.ts';
import { type BenchRow, thousands } from './row.ts';

const REACH = 5;

export const repeat: BenchRow = {
  name: 'repeat',
  async run(bench) {
    const count = bench.size(200_000);
    const cluster = await bench.cluster();
    const taxii = await bench.taxii(count);
    const fromCursor: number[] = [];
    const fromStart: number[] = [];
    let writes = 0;
    for (let round = 0; round < bench.rounds; round++) {
      await cluster.reset(OURS);
      const file = await bench.config({ taxii, indices: [OURS], mode: 'live' });
      const { said } = await side('repeat', [file], 'daemon');
      const before = Number(said['delivered']);
      const found = await cluster.writes(OURS);
      writes += Math.max(0, found - before);
      await cluster.reset(OURS);
      fromCursor.push(Number(said['firstMs']) / Number(said['cursorMs']));
      fromStart.push(Number(said['firstMs']) / Number(said['startMs']));
      bench.note(
        `round ${round + 1}/${bench.rounds}: ${fromCursor.at(-1)?.toFixed(0)} times, read from the start ${fromStart.at(-1)?.toFixed(2)} times; ${found - before} writes`,
      );
    }
    const cursor = spread(fromCursor);
    const start = spread(fromStart);
    return [
      {
        what: `poll of an unchanged collection of ${thousands(count)}`,
        reach: `${REACH} times faster than the first ingest, 0 SIEM writes`,
        measured: `${thousands(cursor.median)} times (${thousands(cursor.low)} to ${thousands(cursor.high)}), ${writes} writes`,
        reached: cursor.median >= REACH && writes === 0,
        detail: `${bench.rounds} rounds; where the cursor is lost and every page is read again ${start.median.toFixed(1)} times (${start.low.toFixed(1)} to ${start.high.toFixed(1)}), also without writes`,
      },
    ];
  },
};
