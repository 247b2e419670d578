import { expect, it } from 'vitest';
import { systemClock } from '../core/runtime/clock.ts';
import { Work } from './work.ts';

function aWork() {
  const at = { now: 0 };
  return { at, work: new Work({ ...systemClock, monotonic: () => at.now }) };
}

it('tells the time left by the rate of what was written just now', () => {
  const { at, work } = aWork();
  expect([work.secsLeft('watch', 0), work.secsLeft('watch', 900)]).toEqual([0, undefined]);
  for (; at.now < 10_000; at.now += 1000) work.wrote('watch', 30);

  expect(work.secsLeft('watch', 900)).toBe(30);
  expect(work.secsLeft('other', 900)).toBeUndefined();
  at.now += 60_000;
  expect(work.secsLeft('watch', 900)).toBeUndefined();
});

it('tells none while an exchange is read, since nobody knows how much is still to come', async () => {
  const { at, work } = aWork();
  for (; at.now < 10_000; at.now += 1000) work.wrote('watch', 30);

  await work.reading('partner', async () => {
    expect(work.secsLeft('watch', 900)).toBeUndefined();
  });

  expect(work.secsLeft('watch', 900)).toBe(30);
});

it('counts polls that came due since the last one that came to something, but not the one that is under way', async () => {
  const { work } = aWork();
  work.schedule('partner', { next: () => 5_000, everyMs: () => 300_000 });
  expect(work.rhythm('partner', false)).toEqual({ everyMs: 300_000, late: 0 });

  work.due('partner');
  await work.reading('partner', async () => {
    expect(work.rhythm('partner', false).late).toBe(0);
    work.due('partner');
    work.due('partner');
    expect(work.rhythm('partner', false).late).toBe(2);
  });
  work.polled('partner');
  expect(work.rhythm('partner', false).late).toBe(0);

  work.due('partner');
  // Tried and failed, and tried again just now.
  await work.reading('partner', async () => expect(work.rhythm('partner', true).late).toBe(1));
  expect(work.rhythm('partner', true).late).toBe(1);
  expect(work.rhythm('unknown', false)).toEqual({ everyMs: undefined, late: 0 });
});
