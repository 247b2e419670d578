import { describe, expect, it } from 'vitest';
import { anIndicator, aSiem, indicators, NOW, Rig } from '../../../../test/builders/store.ts';
import { AIM_MS, Stride } from './stride.ts';

/** Steps of rows that cost so much each. Returns how long each step took. */
function walked(steps: number, costMs: (step: number) => number): { took: number[]; rows: number[] } {
  let now = 0;
  const stride = new Stride(2500, () => now);
  const [took, rows]: number[][] = [[], []];
  for (let step = 0; step < steps; step++) {
    stride.begins();
    const ms = stride.rows * costMs(step);
    now += ms;
    took!.push(ms);
    rows!.push(stride.rows);
    stride.ended(stride.rows);
  }
  return { took: took!, rows: rows! };
}

describe('steps of long work', () => {
  it.each([0.004, 0.022, 0.05])('come to take about as long as they may, where a row costs %d ms', (cost) => {
    const { took, rows } = walked(12, () => cost);

    expect(took.at(-1)).toBeLessThanOrEqual(AIM_MS * 1.01);
    expect(rows.at(-1)).toBe(Math.min(2500, Math.round(AIM_MS / cost)));
  });

  it('go on with few rows where each costs more than that, and never with none', () => {
    expect(walked(12, () => 5).rows.at(-1)).toBe(200);
  });

  it('make good for one that was slow by chance', () => {
    const { rows } = walked(20, (step) => (step === 10 ? 2 : 0.02));

    expect(rows[11]).toBe(300);
    expect(rows.at(-1)).toBe(750);
  });

  it('learn nothing from one that had little to do', () => {
    let now = 0;
    const stride = new Stride(2500, () => now);
    stride.begins();
    now += 1;
    stride.ended(3);

    expect(stride.rows).toBe(200);
  });
});

describe('a changed rule over many entries', () => {
  const MANY = 1200;
  /** How many entries each step came to. */
  function steps(watch?: () => number): number[] {
    const rig = new Rig(watch === undefined ? {} : { watch });
    rig.commit(indicators(0, MANY, { confidence: 20 }));
    rig.deliver();
    rig.restart({ siems: [aSiem({ fingerprint: 'b', minConfidence: 50 })] });
    const gone = () => rig.rows().filter((one) => one.wanted === 0).length;
    const found: number[] = [];
    for (let before = 0, more = true; more; before = gone()) {
      more = rig.store.tick(NOW, false).more;
      found.push(gone() - before);
    }
    // No command that comes between sees anything but what is there.
    rig.commit([anIndicator({ objectId: 'indicator--x' })]);
    return found;
  }

  it('is gone through in steps that are as short as they may be, on a slow machine', () => {
    let now = 0;

    const found = steps(() => (now += 100));

    expect(found.filter((n) => n > 0)).toEqual([200, 200, 200, 200, 200, 200]);
  });

  it('comes out the same each time where nobody looks at the time', () => {
    expect(steps()).toEqual([MANY]);
  });
});
