import { describe, expect, it } from 'vitest';
import type { Failure } from '../model/failure.ts';
import { silentLog } from './log.ts';
import { Standing, type Telling } from './standing.ts';

const outage: Failure = { kind: 'retryable', message: 'connection refused' };
const denied: Failure = { kind: 'config', message: '401', code: 'http_401' };
const TELLING: Telling = {
  well: (log, who) => log.info('Well again.', who),
  heals: (log, fields) => log.warn('Away.', fields),
  refused: (log, fields) => log.error('Refuses.', fields),
};

function given(telling = TELLING) {
  const clock = { now: 1_000 };
  const said: unknown[] = [];
  const say = (level: string) => (message: string, fields?: object) => void said.push([level, message, fields]);
  const log = { ...silentLog, error: say('error'), warn: say('warn'), info: say('info') };
  const parts = { now: () => clock.now, random: () => 1, log };
  return { clock, said, standing: new Standing(parts, telling, () => ({ exchange: 'partner' })) };
}

describe('how a peer stands with a loop', () => {
  it('pauses longer after each failure, and begins anew after a success', () => {
    const { clock, standing } = given();
    const waits = [1, 2, 3].map(() => {
      standing.failed(outage);
      return standing.pausedUntil - clock.now;
    });

    expect(waits).toEqual([1_000, 2_000, 4_000]);
    expect([standing.pauses, standing.attempt, standing.waitMs(outage)]).toEqual([true, 3, 8_000]);

    standing.succeeded();

    expect([standing.pauses, standing.pausedUntil, standing.attempt, standing.failure]).toEqual([
      false,
      0,
      0,
      undefined,
    ]);
    expect(standing.waitMs(outage)).toBe(1_000);
  });

  it('tells a failure once, what became of it, and when it is over', () => {
    const { said, standing } = given();

    standing.failed(outage);
    standing.failed(outage);
    standing.failed(denied);
    expect([standing.succeeded(), said.length]).toEqual([true, 3]);
    expect(standing.succeeded()).toBe(false);

    expect(said).toEqual([
      ['warn', 'Away.', { exchange: 'partner', failure: outage }],
      ['error', 'Refuses.', { exchange: 'partner', failure: denied }],
      ['info', 'Well again.', { exchange: 'partner' }],
    ]);
  });

  it('tells when it tries again where that is wanted, and what was thrown where it is a bug', () => {
    const { said, standing } = given({ ...TELLING, next: 'next_attempt' });
    const bug: Failure = { kind: 'bug', message: 'x is not a function' };
    const thrown = new TypeError('x is not a function');

    standing.failed(outage, thrown);
    standing.failed(bug, thrown);

    expect(said).toMatchObject([
      ['warn', 'Away.', { next_attempt: '1970-01-01T00:00:02.000Z' }],
      ['error', 'Refuses.', { failure: bug, error: thrown }],
    ]);
    expect(said[0]).not.toHaveProperty('2.error');
  });

  it('keeps for status what fails, since when, and when it is tried next', () => {
    const { clock, standing } = given();

    standing.failed(outage);
    clock.now += 1_000;
    standing.failed(outage);

    expect(standing.history).toMatchObject({
      failure: outage,
      failingFrom: 1_000,
      lastFailure: 2_000,
      nextAttempt: 4_000,
    });
  });

  it('ends a pause when it is woken, and counts its failures on', () => {
    const { standing } = given();

    standing.failed(outage);
    standing.wake();

    expect([standing.pauses, standing.failure, standing.waitMs(outage)]).toEqual([false, outage, 2_000]);
  });

  it('is not paused by what fails in part, and leaves the telling to the parts', () => {
    const { said, standing } = given();

    standing.failed(outage);
    said.length = 0;
    standing.partly(denied, 9_000);

    expect([standing.pauses, standing.attempt, said]).toEqual([false, 0, []]);
    expect(standing.history).toMatchObject({ failure: denied, nextAttempt: 9_000 });
  });
});
