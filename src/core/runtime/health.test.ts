import { describe, expect, it } from 'vitest';
import type { Failure } from '../model/failure.ts';
import { worstState } from '../model/status.ts';
import { freshHistory, healthOf, record, type Outcome } from './health.ts';

const MINUTE = 60_000;
const hour = { staleAfterMs: 60 * MINUTE };
const outage: Failure = { kind: 'retryable', message: 'SIEM watch: connection refused' };
const denied: Failure = { kind: 'config', message: 'SIEM watch: 401' };
const history = (...outcomes: Outcome[]) => outcomes.reduce(record, freshHistory(0));
const failed = (minute: number, failure: Failure): Outcome => ({ kind: 'failure', at: minute * MINUTE, failure });
const worked = (minute: number): Outcome => ({ kind: 'success', at: minute * MINUTE });

describe('the state of a peer', () => {
  it('is ok while calls succeed, since the first of them', () => {
    expect(healthOf(history(worked(1), worked(2)), hour, 3 * MINUTE)).toMatchObject({
      state: 'ok',
      since: 0,
      reason: null,
      nextAction: null,
    });
  });

  it('is never ok before the first of them, and failing when none came for stale_after_minutes', () => {
    expect(healthOf(freshHistory(0), hour, MINUTE)).toMatchObject({ state: 'recovering', reason: 'not reached yet' });
    expect(healthOf(freshHistory(0), hour, 60 * MINUTE)).toMatchObject({
      state: 'failing',
      since: 60 * MINUTE,
      reason: 'never reached, for 60 minutes',
    });
  });

  it('is recovering during a short outage and says when it tries again', () => {
    const past = history(worked(1), { kind: 'failure', at: 2 * MINUTE, failure: outage, nextAttempt: 3 * MINUTE });

    expect(healthOf(past, hour, 2 * MINUTE)).toMatchObject({
      state: 'recovering',
      since: 2 * MINUTE,
      reason: outage.message,
      nextAction: 'next attempt at 1970-01-01T00:03:00.000Z',
    });
  });

  it('is failing exactly when an outage has lasted stale_after_minutes, though attempts went on', () => {
    const past = history(failed(10, outage), failed(40, outage), failed(69, outage));

    expect(healthOf(past, hour, 70 * MINUTE - 1).state).toBe('recovering');
    expect(healthOf(past, hour, 70 * MINUTE)).toMatchObject({ state: 'failing', since: 70 * MINUTE });
  });

  it('is failing at once when a person must act', () => {
    expect(healthOf(history(failed(1, denied)), hour, MINUTE)).toMatchObject({
      state: 'failing',
      reason: denied.message,
    });
    for (const kind of ['bug', 'permanent'] as const)
      expect(healthOf(history(failed(1, { kind, message: 'refused for good' })), hour, MINUTE).state).toBe('failing');
  });

  it('counts an outage from its first failure when a refusal came between', () => {
    expect(healthOf(history(failed(0, outage), failed(30, denied), failed(50, outage)), hour, 61 * MINUTE).state).toBe(
      'failing',
    );
  });

  it('is ok again with the first success, and an outage after it counts anew', () => {
    const past = history(failed(0, outage), worked(50), failed(55, outage));

    expect(healthOf(history(failed(0, outage), worked(50)), hour, 55 * MINUTE)).toMatchObject({
      state: 'ok',
      since: 50 * MINUTE,
    });
    expect(healthOf(past, hour, 70 * MINUTE).state).toBe('recovering');
    expect(past).toMatchObject({ lastSuccess: 50 * MINUTE, lastFailure: 55 * MINUTE });
  });

  it('is paused when disabled, whatever happened before, and when in shadow mode only while nothing fails', () => {
    const broken = history(failed(1, denied));

    expect(healthOf(broken, { ...hour, paused: 'disabled' }, MINUTE).state).toBe('paused');
    expect(healthOf(broken, { ...hour, paused: 'shadow mode' }, MINUTE).state).toBe('failing');
    expect(healthOf(history(worked(1)), { ...hour, paused: 'shadow mode' }, MINUTE)).toMatchObject({
      state: 'paused',
      reason: 'shadow mode',
    });
  });

  it('is failing while a hold is overdue, though calls succeed', () => {
    const waiting = {
      condition: 'hold-overdue' as const,
      reason: '120 removals wait',
      since: 5,
      nextAction: 'entente held list',
    };

    expect(healthOf(history(worked(1)), { ...hour, waiting }, MINUTE)).toMatchObject({ state: 'failing', ...waiting });
  });
});

describe('the state of the whole', () => {
  it('is the worst part', () => {
    expect(worstState([])).toBe('ok');
    expect(worstState(['ok', 'paused'])).toBe('paused');
    expect(worstState(['paused', 'failing', 'recovering', 'ok'])).toBe('failing');
  });
});
