import { describe, expect, it } from 'vitest';
import { UnitClock } from './unit-clock.ts';

const NOW = Date.UTC(2026, 0, 10, 12);
const HOUR = 3_600_000;

const ended = (clock: UnitClock, now: number): number => {
  clock.begin(now);
  clock.end();
  return clock.revision;
};

describe('the time of a unit', () => {
  it.each([
    ['goes on', 5, 5],
    ['stands still where the clock went back a little', -HOUR, 0],
    ['goes back with a clock that was confirmed', -HOUR - 1, -HOUR - 1],
  ])('%s', (_what, step, moved) => {
    const clock = new UnitClock(0, NOW);

    expect(clock.begin(NOW + step)).toBe(NOW + moved);
    expect(clock.now).toBe(NOW + moved);
    expect(clock.engineTime).toBe(NOW);
    clock.end();
    expect(clock.engineTime).toBe(NOW + moved);
  });
});

describe('the revision of a unit', () => {
  it('is the microsecond of its time, or the next one that nobody was given', () => {
    const clock = new UnitClock(NOW * 1000 + 7, NOW);

    expect(ended(clock, NOW)).toBe(NOW * 1000 + 8);
    expect(ended(clock, NOW)).toBe(NOW * 1000 + 9);
    expect(ended(clock, NOW + 1)).toBe((NOW + 1) * 1000);
  });

  it.each([
    ['below', -1, 0],
    ['the very same', 0, 1],
    ['above', 5, 6],
  ])('lies above one of ours that a SIEM holds, here %s', (_what, beyond, moved) => {
    const clock = new UnitClock(0, NOW);
    clock.begin(NOW);
    const { revision } = clock;

    clock.raiseFloor(revision + beyond);

    expect(clock.revision).toBe(revision + moved);
    clock.end();
    expect(ended(clock, NOW)).toBe(revision + moved + 1);
  });

  it('of a unit that failed is given again, and its floor is forgotten', () => {
    const clock = new UnitClock(0, NOW);
    clock.begin(NOW + 1);
    const { revision } = clock;
    clock.raiseFloor(revision + 100);
    clock.end();

    clock.fail();

    expect(clock).toMatchObject({ lastRevision: 0, engineTime: NOW });
    expect(ended(clock, NOW + 1)).toBe(revision);
  });
});
