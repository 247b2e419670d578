import { describe, expect, it } from 'vitest';
import { EngineTime } from './engine-time.ts';

const START = Date.UTC(2026, 0, 10);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function aClock(wall = START) {
  const at = { wall, mono: 0 };
  return {
    at,
    pass: (ms: number) => {
      at.wall += ms;
      at.mono += ms;
    },
    clock: { now: () => at.wall, monotonic: () => at.mono, sleep: async () => {} },
  };
}

describe('engine time', () => {
  it('goes with the clock and never back by the clock’s unrest', () => {
    const { at, pass, clock } = aClock();
    const time = new EngineTime(clock, 0, false);
    pass(1000);
    expect(time.now()).toBe(START + 1000);

    at.wall -= 500;

    expect(time.now()).toBe(START + 1000);
    expect(time.doubt).toBeUndefined();
  });

  it('does not follow a jump ahead, and goes on from where it was', () => {
    const { at, pass, clock } = aClock();
    const time = new EngineTime(clock, START - HOUR, false);
    at.wall += 365 * DAY;

    expect(time.now()).toBe(START);
    expect(time.doubt).toMatch(/jumped by 365 days ahead/);
    pass(HOUR);
    expect(time.now()).toBe(START + HOUR);
  });

  it('follows once a peer confirms, not when the peer says otherwise', () => {
    const { at, clock } = aClock();
    const time = new EngineTime(clock, START, false);
    at.wall += 2 * DAY;
    time.now();

    time.confirm(START);
    expect(time.doubt).toBeDefined();
    time.confirm(START + 2 * DAY);

    expect(time.doubt).toBeUndefined();
    expect(time.now()).toBe(START + 2 * DAY);
  });

  it('does not run slow while it doubts the clock, however often it is asked', () => {
    const { at, pass, clock } = aClock();
    const time = new EngineTime(clock, START, false);
    at.wall += DAY;
    time.now();
    expect(time.doubt).toBeDefined();

    for (let i = 0; i < 10_000; i++) {
      pass(0.6);
      time.now();
    }

    expect(time.now()).toBeGreaterThanOrEqual(START + 5_999);
    expect(time.now()).toBeLessThanOrEqual(START + 6_000);
  });

  it('believes a clock again that came back by itself', () => {
    const { at, clock } = aClock();
    const time = new EngineTime(clock, START, false);
    at.wall += DAY;
    time.now();

    at.wall -= DAY;

    expect(time.now()).toBe(START);
    expect(time.doubt).toBeUndefined();
  });

  it('asks after a long stop, and after a start before the last run', () => {
    expect(new EngineTime(aClock().clock, START - 8 * DAY, false).doubt).toMatch(/8 days after/);
    expect(new EngineTime(aClock().clock, START + DAY, false).doubt).toMatch(/24 hours before/);
    expect(new EngineTime(aClock().clock, START - DAY, false).doubt).toBeUndefined();
  });

  it('comes back from a state that was written with a clock a year ahead', () => {
    const { pass, clock } = aClock();
    const time = new EngineTime(clock, START + 365 * DAY, false);
    expect(time.now()).toBe(START + 365 * DAY);

    time.confirm(START);
    pass(HOUR);

    expect(time.now()).toBe(START + HOUR);
    expect(time.doubt).toBeUndefined();
  });

  it('trusts a rehearsal’s clock', () => {
    expect(new EngineTime(aClock().clock, START + DAY, true).doubt).toBeUndefined();
  });
});
