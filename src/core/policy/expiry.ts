// Until when a claim vouches. A partner's `valid_until` counts, capped; without one the claim lives for so many
// days from the later of `modified` and `valid_from`. Never from receipt: reading an old feed again would make it
// young. No time that was still to come at receipt makes it older than it can be: there the receipt counts.
import type { Claim } from '../model/entry.ts';
import { family, type ObservableType } from '../model/observable.ts';
import { timestampMs } from '../model/timestamp.ts';

export interface ExpiryRules {
  readonly defaultDays: number;
  /** By family: all hashes are `file`. */
  readonly byType: Readonly<Partial<Record<ReturnType<typeof family>, number>>>;
  /** Nothing lives longer than so many days from the later of `modified` and `valid_from`. */
  readonly maxDays: number;
  /**
   * What a stated `valid_until` counts for: all it says, all it says but no longer than `maxDays`, or nothing, so that the
   * lifetime of the type holds. Left out: cap.
   */
  readonly validUntil?: 'respect' | 'cap' | 'replace';
  /** A hit of ours begins a lifetime anew, as long as nothing lives longer than `maxDays`. Never what a partner states. */
  readonly renewOnHit?: boolean;
}

/** What expiry needs of a claim. */
type Dated = Pick<Claim, 'version' | 'validFrom' | 'validUntil' | 'lifeFrom'>;

/** Epoch milliseconds, exclusive. */
export function expiryOf(claim: Dated, rules: ExpiryRules, type: ObservableType, lastHit?: number): number {
  const start = startOf(claim);
  const stated = rules.validUntil === 'replace' ? undefined : claim.validUntil;
  if (stated !== undefined && rules.validUntil === 'respect') return stated;
  const lives = renewedFrom(start, rules, lastHit) + lifetimeDays(rules, type) * DAY_MS;
  return Math.min(stated ?? lives, start + rules.maxDays * DAY_MS);
}

/** Where a lifetime of ours counts from. */
const renewedFrom = (start: number, { renewOnHit }: ExpiryRules, lastHit: number | undefined): number =>
  renewOnHit === true && lastHit !== undefined ? Math.max(start, lastHit) : start;

/** The latest end that these rules could give it, whatever it names. */
export function latestExpiryOf(claim: Dated, rules: ExpiryRules): number {
  const longest = Math.max(rules.defaultDays, ...Object.values(rules.byType));
  return expiryOf(claim, { ...rules, defaultDays: longest, byType: {} }, 'url');
}

/** The same sum as a line for people. */
export function explainExpiry(claim: Dated, rules: ExpiryRules, type: ObservableType, lastHit?: number): string {
  const start = startOf(claim);
  const from = startWords(claim, start);
  const until = day(expiryOf(claim, rules, type, lastHit));
  const cap = start + rules.maxDays * DAY_MS;
  if (claim.validUntil !== undefined && rules.validUntil !== 'replace') {
    return claim.validUntil <= cap || rules.validUntil === 'respect'
      ? `valid_until ${until}`
      : `valid_until ${day(claim.validUntil)}, capped at ${from} ${day(start)} + max ${rules.maxDays} days = ${until}`;
  }
  const days = lifetimeDays(rules, type);
  const stated = claim.validUntil === undefined ? 'no valid_until' : `valid_until ${day(claim.validUntil)} replaced`;
  const counted = renewedFrom(start, rules, lastHit);
  const base = counted > start ? `hit here ${day(counted)}` : `${from} ${day(start)}`;
  const sum = `${stated}: ${base} + ${days} days for ${family(type)}`;
  return counted + days * DAY_MS <= cap
    ? `${sum} = ${until}`
    : `${sum}, capped at max ${rules.maxDays} days = ${until}`;
}

function startWords(claim: Dated, start: number): string {
  const modified = timestampMs(claim.version) ?? claim.validFrom;
  if (start === claim.validFrom) return 'valid_from';
  if (start === modified) return 'modified';
  return start > Math.max(modified, claim.validFrom) ? 'last seen' : 'first received';
}

const DAY_MS = 86_400_000;
/** The last instant that a Date can hold. */
const LAST_MS = 8.64e15;

function lifetimeDays(rules: ExpiryRules, type: ObservableType): number {
  return rules.byType[family(type)] ?? rules.defaultDays;
}

function startOf(claim: Dated): number {
  return lifeFrom(claim, Number.POSITIVE_INFINITY);
}

/** Where lifetimes count from: what the partner says of that, else the later of `modified` and `valid_from`; no later than it came. */
export function lifeFrom(
  { version, validFrom, lifeFrom: stated }: Pick<Claim, 'version' | 'validFrom' | 'lifeFrom'>,
  received: number,
): number {
  return Math.min(received, stated ?? Math.max(timestampMs(version) ?? validFrom, validFrom));
}

function day(ms: number): string {
  return new Date(Math.min(ms, LAST_MS)).toISOString().replace('.000Z', 'Z');
}
