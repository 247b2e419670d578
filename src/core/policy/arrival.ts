// What an indicator that arrives now may state of time. A clock that runs ahead must neither lengthen a life nor lock
// out the honest versions that follow: a version from the future is not believed, and counts as older than its first.
import type { IncomingIndicator, IndicatorFacts } from '../model/entry.ts';
import { isoTime, OLDEST_VERSION, parseTimestamp, timestampMs } from '../model/timestamp.ts';

/** Clocks differ; a version may lie this far ahead. */
const MOST_AHEAD_MS = 86_400_000;
export const FUTURE_VERSION = 'modified lies more than a day ahead';

/** The same, or, where its version cannot be believed, with an older one and the reason. A withdrawal counts always. */
export function believable(incoming: IncomingIndicator, now: number): IncomingIndicator {
  if (incoming.revoked || incoming.version <= bound(now)) return incoming;
  const facts = JSON.parse(incoming.facts) as IndicatorFacts;
  const refusal = incoming.refusal ?? FUTURE_VERSION;
  const detail = [`modified is ${incoming.version}`, facts.detail].filter((one) => one !== undefined).join('; ');
  return {
    ...incoming,
    version: beforeFirst(facts.created, now),
    refusal,
    facts: JSON.stringify({ ...facts, detail }),
  };
}

/** Just before it was made, which no honest version is; the oldest there is where that is not believed either. */
function beforeFirst(created: string | undefined, now: number): string {
  const ms = timestampMs(created);
  if (ms === undefined || ms > now + MOST_AHEAD_MS) return OLDEST_VERSION;
  return parseTimestamp(isoTime(ms - 1))?.version ?? OLDEST_VERSION;
}

/** As text, so that the usual case costs one comparison. Made anew once a second at most. */
function bound(now: number): string {
  const second = Math.floor(now / 1000);
  if (second !== boundSecond) {
    boundSecond = second;
    boundText = parseTimestamp(isoTime(now + MOST_AHEAD_MS))?.version ?? OLDEST_VERSION;
  }
  return boundText;
}

let boundSecond = Number.NaN;
let boundText = OLDEST_VERSION;
