// Builds entries with only the facts that matter to a test; the rest is plausible and harmless.
import type { Claim, Entry } from '../../src/core/model/entry.ts';
import { entryKey, type ObservableType } from '../../src/core/model/observable.ts';

export const DAY_MS = 86_400_000;
/** A fixed "now" for values that must not depend on the day of the test. */
export const NOON = Date.UTC(2026, 10, 23, 12);

export function aClaim(given: Partial<Claim> = {}): Claim {
  return {
    exchange: 'partner',
    objectId: 'indicator--11111111-1111-4111-8111-111111111111',
    version: '2026-11-20T08:00:00.000000000Z',
    digest: 1,
    validFrom: Date.UTC(2026, 10, 20),
    benign: false,
    facts: { name: 'Indicator of a test', types: ['malicious-activity'], labels: ['test'] },
    ...given,
  };
}

export function anEntry(given: Partial<Omit<Entry, 'key'>> = {}): Entry {
  const type: ObservableType = given.type ?? 'ipv4-addr';
  const value = given.value ?? '192.0.2.7';
  return {
    validFrom: Date.UTC(2026, 10, 20),
    until: NOON + 30 * DAY_MS,
    tlp: 'amber',
    claims: [aClaim()],
    ...given,
    type,
    value,
    key: entryKey(type, value),
  };
}
