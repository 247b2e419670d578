import { expect, it } from 'vitest';
import { systemClock } from '../core/runtime/clock.ts';
import type { Log } from '../core/runtime/log.ts';
import { Pace } from './pace.ts';

function aPace() {
  const at = { now: 0 };
  const lines: object[] = [];
  // Only `info` is called.
  const log = { info: (_message: string, facts: object) => void lines.push(facts) } as unknown as Log;
  const pace = new Pace({ ...systemClock, monotonic: () => at.now }, log, () => 900);
  return { at, lines, pace };
}

it('tells of long work every ten seconds, with its rate and the time left', () => {
  const { at, lines, pace } = aPace();

  for (at.now = 0; at.now <= 25_000; at.now += 1000) pace.count({ read: 10, written: 5 });

  expect(lines).toEqual([
    { read: 110, written: 55, pending: 900, written_per_sec: 6, secs_left: 164 },
    { read: 210, written: 105, pending: 900, written_per_sec: 5, secs_left: 172 },
  ]);
});

it('says nothing of short work, however often it comes', () => {
  const { at, lines, pace } = aPace();

  for (at.now = 0; at.now <= 600_000; at.now += 20_000) pace.count({ read: 3, written: 3 });

  expect(lines).toEqual([]);
});

it('tells of a SIEM that is listed, too', () => {
  const { at, lines, pace } = aPace();

  for (at.now = 0; at.now <= 10_000; at.now += 1000) pace.count({ listed: 500 });

  expect(lines).toEqual([{ read: 0, written: 0, listed: 5500, pending: 900, written_per_sec: 0 }]);
});

it('names no time left while an exchange is read, since nobody knows what is still to come', () => {
  const lines: object[] = [];
  // Only `info` is called.
  const log = { info: (_message: string, facts: object) => void lines.push(facts) } as unknown as Log;
  let now = 0;
  let reading = true;
  const pace = new Pace(
    { ...systemClock, monotonic: () => now },
    log,
    () => 900,
    () => reading,
  );

  for (; now <= 25_000; now += 1000) {
    reading = now < 15_000;
    pace.count({ read: 10, written: 5 });
  }

  expect(lines.map((one) => 'secs_left' in one)).toEqual([false, true]);
});
