import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from './clock.ts';
import { silentLog } from './log.ts';
import { cameDue, checkCron, createScheduled } from './scheduler.ts';

const flush = () => vi.advanceTimersByTimeAsync(0);

describe('a scheduled run', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1, 0, 0, 30) });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const instant = { ...systemClock, sleep: async (_: number, signal?: AbortSignal) => signal?.throwIfAborted() };

  it('runs at its times in UTC', async () => {
    const times: string[] = [];
    const scheduled = createScheduled(
      { name: 'poll', cron: '*/5 * * * *', run: async () => void times.push(new Date().toISOString()) },
      instant,
      silentLog,
    );
    scheduled.start();

    expect(scheduled.next()).toBe(Date.UTC(2026, 0, 1, 0, 5));
    await vi.advanceTimersByTimeAsync(11 * 60_000);

    expect(times.map((one) => one.slice(11, 16))).toEqual(['00:05', '00:10']);
    await scheduled.stop();
  });

  it('tells how far apart its next two times are, and that one came due while a run goes on', async () => {
    let due = 0;
    let release = () => {};
    const run = () =>
      new Promise<void>((go) => {
        release = go;
      });
    const scheduled = createScheduled({ name: 'poll', cron: '*/5 * * * *', due: () => due++, run }, instant, silentLog);
    expect(scheduled.everyMs()).toBeUndefined();
    scheduled.start();

    expect(scheduled.everyMs()).toBe(300_000);
    await vi.advanceTimersByTimeAsync(16 * 60_000);
    expect(due).toBe(3);
    const stopped = scheduled.stop();
    release();
    await stopped;
  });

  it('never runs twice at once, also when triggered by hand', async () => {
    let running = 0;
    let most = 0;
    let runs = 0;
    let release = () => {};
    const scheduled = createScheduled(
      {
        name: 'poll',
        cron: '* * * * *',
        run: async () => {
          runs++;
          most = Math.max(most, ++running);
          await new Promise<void>((go) => {
            release = go;
          });
          running--;
        },
      },
      instant,
      silentLog,
    );
    scheduled.start();
    await vi.advanceTimersByTimeAsync(3 * 60_000);
    const triggered = scheduled.trigger();

    expect([runs, most]).toEqual([1, 1]);
    release();
    await triggered;
    const again = scheduled.trigger();
    release();
    await again;
    expect([runs, most]).toEqual([2, 1]);
    const stopped = scheduled.stop();
    release();
    await stopped;
  });

  it('waits at stop for the run that goes on, tells it by the signal, and starts no other', async () => {
    let ended = false;
    let runs = 0;
    const scheduled = createScheduled(
      {
        name: 'poll',
        cron: '* * * * *',
        run: (signal) => {
          runs++;
          return new Promise((resolve) =>
            signal.addEventListener('abort', () => {
              ended = true;
              resolve();
            }),
          );
        },
      },
      instant,
      silentLog,
    );
    scheduled.start();
    void scheduled.trigger();
    await flush();

    await scheduled.stop();
    await scheduled.trigger();
    await vi.advanceTimersByTimeAsync(5 * 60_000);

    expect([ended, runs, vi.getTimerCount()]).toEqual([true, 1, 0]);
  });

  it('goes on after a run that threw', async () => {
    let runs = 0;
    const scheduled = createScheduled(
      { name: 'poll', cron: '* * * * *', run: () => Promise.reject(new Error(String(++runs))) },
      instant,
      silentLog,
    );
    scheduled.start();

    await vi.advanceTimersByTimeAsync(2 * 60_000);

    expect(runs).toBe(2);
    await scheduled.stop();
  });
});

describe('a cron text', () => {
  it.each(['*/5 * * * *', '17 3 * * *', '0 */15 * * * *', '0 22-23,0-2 * * *', '0 0 13 * *', '0 0 * * 1-5', '@daily'])(
    '%s is good',
    (text) => {
      expect(checkCron(text)).toBeUndefined();
    },
  );

  it.each([
    ['*/90 * * * *', 'step 90 in minute'],
    ['0 */24 * * *', 'step 24 in hour'],
    ['0 22-2 * * *', 'range 22-2 in hour runs backwards'],
    ['61 * * * *', 'minute'],
    ['every day', 'not a cron schedule'],
    ['@every 5m', 'not a cron schedule'],
    ['', 'not a cron schedule'],
    ['0 0 13 * 5', 'only days that are both'],
  ])('%s is refused with a reason', (text, reason) => {
    expect(checkCron(text)).toContain(reason);
  });
});

describe('whether a schedule came due since', () => {
  const at = (text: string) => Date.parse(`${text}Z`);

  it.each([
    ['17 3 * * *', '2026-01-01T03:16:59', '2026-01-01T03:17:00', true],
    ['17 3 * * *', '2026-01-01T03:17:00', '2026-01-02T03:16:59', false],
    ['17 3 * * *', '2026-01-01T03:17:30', '2026-01-02T03:17:00', true],
    ['30 17 3 * * *', '2026-01-01T12:00', '2026-01-02T03:17:29', false],
    ['30 17 3 * * *', '2026-01-01T12:00', '2026-01-02T03:17:30', true],
    ['* * * * * *', '2026-01-01T12:00:00.400', '2026-01-01T12:00:01', true],
    ['0 0 * * 1', '2026-01-06T00:01', '2026-01-11T23:59', false],
    ['0 0 * * 1', '2026-01-06T00:01', '2026-01-12T00:00', true],
    ['*/20 22-23 31 12 *', '2026-01-01T00:00', '2026-12-31T21:59', false],
    ['*/20 22-23 31 12 *', '2026-01-01T00:00', '2026-12-31T22:00', true],
    ['0 0 29 2 *', '2026-01-01T00:00', '2027-06-01T00:00', true],
    ['* * * * *', '2026-01-01T00:00', '2025-12-31T00:00', false],
  ])('%s from %s to %s: %s', (cron, since, until, due) => {
    expect(cameDue(cron, at(since), at(until))).toBe(due);
  });
});
