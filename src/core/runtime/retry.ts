// When to try again: a pure function of attempt, failure and chance. Retry lives here and nowhere else.
import type { Failure } from '../model/failure.ts';

const FIRST_MS = 1_000;
const MOST_MS = 5 * 60_000;
/** A wrong token or right is not mended in seconds, but a mended one should be noticed within minutes. */
const CONFIG_MS = 60_000;
const BUG_MS = 10 * 60_000;
/** A peer may ask for any time; one that is well again should not stay unasked for a day. */
const RETRY_AFTER_CAP_MS = 15 * 60_000;

/**
 * Milliseconds to wait before attempt number `attempt` + 1; `attempt` counts from 1, `chance` is 0 to 1.
 * Exponential with full jitter; what the peer asked for is the least, up to `retryAfterCapMs`.
 */
export function backoffMs(
  attempt: number,
  failure: Failure,
  chance: number,
  retryAfterCapMs: number = RETRY_AFTER_CAP_MS,
): number {
  const asked = failure.retryAfterMs ?? 0;
  const least = asked > 0 ? Math.min(asked, retryAfterCapMs) : 0;
  switch (failure.kind) {
    case 'retryable': {
      const ceiling = Math.min(MOST_MS, doubled(attempt));
      return Math.max(least, Math.round(ceiling * (0.1 + 0.9 * chance)));
    }
    // What refuses and is no credential is asked soon the first times: a page from something in between, or one call that
    // was too large, may be over in a moment. A wrong password asked so soon would lock the account.
    case 'config':
      return Math.max(least, Math.round(Math.min(CONFIG_MS, soonest(attempt, failure)) * (0.5 + 0.5 * chance)));
    case 'permanent':
      return Math.max(least, Math.round(Math.min(BUG_MS, doubled(attempt)) * (0.5 + 0.5 * chance)));
    case 'bug':
      return Math.max(least, Math.round(BUG_MS * (0.5 + 0.5 * chance)));
  }
}

const doubled = (attempt: number): number => FIRST_MS * 2 ** Math.min(attempt - 1, 20);

function soonest(attempt: number, { code = '' }: Failure): number {
  const ofCredentials = /^http_40[1347]$|^http_40[17]_/.test(code);
  return /^(between_|call_refused|http_4|http_501)/.test(code) && !ofCredentials ? doubled(attempt) : CONFIG_MS;
}

/**
 * Milliseconds until what was asked `times` before is asked again: for what is no failure and yet has no answer. Doubles
 * from `first` to `most`, with a quarter of it left to chance.
 */
export function patienceMs(times: number, first: number, most: number, chance: number): number {
  return Math.round(Math.min(most, first * 2 ** Math.min(times, 20)) * (0.75 + 0.25 * chance));
}
