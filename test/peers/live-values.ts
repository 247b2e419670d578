// What must stand on the list at a moment, counted from the bundles alone. Nothing of Entente is used here, so that
// the two cannot share a mistake; it knows only the shape of this one feed.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Indicator {
  readonly id: string;
  readonly modified: string;
  readonly pattern: string;
  readonly valid_from: string;
  readonly valid_until: string;
  readonly revoked?: boolean;
}

export interface FeedDay {
  readonly name: string;
  readonly bundle: { readonly objects: readonly object[] };
}

/** The bundles of a feed by day. */
export function feedDays(folder: string): FeedDay[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => ({ name, bundle: JSON.parse(readFileSync(join(folder, name), 'utf8')) as FeedDay['bundle'] }));
}

/** What the feed names and nobody should arm: a public resolver, refused by a list that is built in. */
const NEVER = new Set(['1.1.1.1']);

/** Values of which at least one published indicator holds at `at`, sorted. */
export function liveValues(days: readonly FeedDay[], at: number): string[] {
  const newest = new Map<string, Indicator>();
  for (const one of days.flatMap(({ bundle }) => bundle.objects)) {
    if (!('type' in one) || one.type !== 'indicator') continue;
    const indicator = one as unknown as Indicator;
    const known = newest.get(indicator.id);
    if (known === undefined || Date.parse(known.modified) < Date.parse(indicator.modified))
      newest.set(indicator.id, indicator);
  }
  const values = new Set<string>();
  for (const { pattern, revoked, valid_from, valid_until } of newest.values()) {
    const value = /^\[ipv4-addr:value = '([^']+)'\]$/.exec(pattern)?.[1];
    if (value === undefined) throw new Error(`this feed had one pattern form only, now also ${pattern.slice(0, 40)}`);
    if (revoked !== true && Date.parse(valid_from) <= at && at < Date.parse(valid_until) && !NEVER.has(value))
      values.add(value);
  }
  return [...values].sort();
}
