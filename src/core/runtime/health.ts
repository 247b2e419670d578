// The state of a peer is derived from what its calls came to, never set by hand:
//
//   ok ──retryable──▶ recovering ──longer than stale_after──▶ failing
//   ok, recovering ──config or bug──▶ failing          any ──success──▶ ok
//
// A peer that was never reached is recovering until it was, and never ok.
//
// `record` folds outcomes into a history, `healthOf` reads it at a time. Both are pure.
import type { Failure } from '../model/failure.ts';
import type { Condition } from '../model/condition.ts';
import type { State } from '../model/status.ts';

/** Epoch milliseconds throughout. */
export interface History {
  /** Since the last change between working and not working. */
  readonly since: number;
  readonly lastSuccess?: number;
  readonly lastFailure?: number;
  /** The failure that stands; absent while things work. */
  readonly failure?: Failure;
  /** Start of the failure that stands, whatever it turned into since. */
  readonly failingFrom?: number;
  /** When the engine tries again. */
  readonly nextAttempt?: number;
}

export type Outcome =
  | { readonly kind: 'success'; readonly at: number }
  | { readonly kind: 'failure'; readonly at: number; readonly failure: Failure; readonly nextAttempt?: number };

export function freshHistory(now: number): History {
  return { since: now };
}

export function record(history: History, outcome: Outcome): History {
  const last = history.lastFailure === undefined ? {} : { lastFailure: history.lastFailure };
  if (outcome.kind === 'success') {
    return { since: history.failure === undefined ? history.since : outcome.at, lastSuccess: outcome.at, ...last };
  }
  return {
    since: history.failure?.kind === outcome.failure.kind ? history.since : outcome.at,
    ...(history.lastSuccess === undefined ? {} : { lastSuccess: history.lastSuccess }),
    lastFailure: outcome.at,
    failure: outcome.failure,
    failingFrom: history.failingFrom ?? outcome.at,
    ...(outcome.nextAttempt === undefined ? {} : { nextAttempt: outcome.nextAttempt }),
  };
}

export interface Health {
  readonly state: State;
  readonly condition: Condition;
  readonly since: number;
  readonly reason: string | null;
  readonly nextAction: string | null;
}

export interface HealthSettings {
  readonly staleAfterMs: number;
  /** Why work is paused on purpose: "disabled", "shadow mode: nothing is written". */
  readonly paused?: string;
  /** A condition that waits for a person though calls succeed (a hold that is overdue, a refused removal). */
  readonly waiting?: {
    readonly condition: 'hold-overdue' | 'full';
    readonly reason: string;
    readonly since: number;
    readonly nextAction: string;
  };
}

export function healthOf(history: History, settings: HealthSettings, now: number): Health {
  const { failure } = history;
  if (settings.paused !== undefined && failure === undefined) {
    const condition = settings.paused === 'disabled' ? 'disabled' : 'shadow';
    return { state: 'paused', condition, since: history.since, reason: settings.paused, nextAction: null };
  }
  if (settings.paused === 'disabled') {
    return { state: 'paused', condition: 'disabled', since: history.since, reason: settings.paused, nextAction: null };
  }
  if (failure !== undefined) return failing(failure, history, settings, now);
  if (settings.waiting !== undefined) {
    return { state: 'failing', ...settings.waiting };
  }
  if (history.lastSuccess === undefined) return unreached(history, settings, now);
  return { state: 'ok', condition: 'well', since: history.since, reason: null, nextAction: null };
}

function unreached({ since }: History, { staleAfterMs }: HealthSettings, now: number): Health {
  if (now - since < staleAfterMs)
    return {
      state: 'recovering',
      condition: 'first-contact',
      since,
      reason: 'not reached yet',
      nextAction: 'wait for the first contact',
    };
  return {
    state: 'failing',
    condition: 'never-reached',
    since: since + staleAfterMs,
    reason: `never reached, for ${Math.floor((now - since) / 60_000)} minutes`,
    nextAction: 'look at its schedule, and whether the daemon runs',
  };
}

function failing(failure: Failure, history: History, settings: HealthSettings, now: number): Health {
  const from = history.failingFrom ?? history.since;
  switch (failure.kind) {
    case 'config':
      return {
        state: 'failing',
        condition: 'refused',
        since: history.since,
        reason: failure.message,
        nextAction: 'act on the reason (settings, rights, a second daemon); work goes on by itself once it is let in',
      };
    case 'bug':
      return {
        state: 'failing',
        condition: 'bug',
        since: history.since,
        reason: failure.message,
        nextAction: 'report this with the log; it is tried again slowly',
      };
    case 'permanent':
      // A single refused change is parked and never comes here: this is a whole call, or a refused removal.
      return {
        state: 'failing',
        condition: 'refused-for-good',
        since: history.since,
        reason: failure.message,
        nextAction: 'it does not heal by itself: act on the reason; it is tried again slowly meanwhile',
      };
    case 'retryable': {
      const again =
        history.nextAttempt === undefined
          ? 'it is tried again'
          : `next attempt at ${new Date(history.nextAttempt).toISOString()}`;
      if (now - from < settings.staleAfterMs) {
        return {
          state: 'recovering',
          condition: 'unreachable',
          since: from,
          reason: failure.message,
          nextAction: again,
        };
      }
      const minutes = Math.floor((now - from) / 60_000);
      return {
        state: 'failing',
        condition: 'stale',
        since: from + settings.staleAfterMs,
        reason: `${failure.message} (for ${minutes} minutes)`,
        nextAction: `look at the peer and the way to it; ${again}`,
      };
    }
  }
}
