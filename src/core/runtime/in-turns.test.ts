import { describe, expect, it } from 'vitest';
import type { Clock } from './clock.ts';
import { inTurns, turns } from './in-turns.ts';

/** Each look at it takes so many milliseconds. */
function ticking(ms: number): Clock {
  let at = 0;
  return { now: () => 0, monotonic: () => (at += ms), sleep: async () => {} };
}

function* counting(to: number): Generator<undefined, string> {
  for (let i = 0; i < to; i++) yield;
  return 'counted';
}

describe('work in turns', () => {
  it('is handed back what it came to, and lets others have their turn when its own is over', async () => {
    let others = 0;
    const going = setInterval(() => others++, 0);

    const long = await inTurns(counting(500), ticking(10));
    const seen = others;
    others = 0;
    const short = await inTurns(counting(500), ticking(0.01));
    clearInterval(going);

    expect([long, short]).toEqual(['counted', 'counted']);
    expect(seen).toBeGreaterThan(others);
    expect(others).toBe(0);
  });

  it('ends with its error', async () => {
    function* failing(): Generator<undefined, void> {
      yield;
      throw new Error('no');
    }
    await expect(inTurns(failing(), ticking(10))).rejects.toThrow('no');
  });
});

describe('a loop of small steps', () => {
  it('rests before its first step, and then whenever its turn is over', async () => {
    let others = 0;
    const rests: number[] = [];
    const over = turns(10, ticking(3));
    for (let i = 0; i < 12; i++) {
      setImmediate(() => others++);
      const rest = over();
      if (rest === undefined) continue;
      await rest;
      rests.push(i);
    }

    expect(rests).toEqual([0, 4, 8]);
    expect(others).toBeGreaterThan(8);
  });
});
