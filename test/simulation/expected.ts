// What a SIEM shall hold, computed from the partners' objects alone and written apart from the store's own rules.
import { TLP_LEVELS, type Tlp } from '../../src/core/model/marking.ts';
import { type EntryKey, entryKey, type ObservableType } from '../../src/core/model/observable.ts';
import type { MemorySiemStore } from '../contract/memory-siem.ts';
import type { Partner } from './partner.ts';
import { admitted, type RuleSet } from './rules.ts';

/** The product refuses this value for good. */
export const PARKED_VALUE = 'http://refused.example/';

interface Content {
  readonly until: number;
  readonly tlp: Tlp;
  readonly confidence: number | null;
  readonly sources: readonly string[];
}

export interface Expected extends Content {
  readonly slot: string;
  readonly sources: string[];
  /** Of its newest claim. */
  readonly version: string;
}

/** By entry key. `suppressed` says whether a person took the value off. */
export function expectedIn(
  partners: readonly Partner[],
  rules: RuleSet,
  now: number,
  suppressed: (key: string) => boolean,
  slotOf: (type: ObservableType, value: string) => string,
): Map<EntryKey, Expected> {
  const wanted = new Map<EntryKey, Expected>();
  for (const partner of partners) {
    for (const object of partner.current.values()) {
      const tlp = admitted(object, partner.name, rules);
      const until = object.validUntil ?? Number.POSITIVE_INFINITY;
      if (object.revoked || tlp === undefined || object.validFrom > now || until <= now) continue;
      for (const { type, value } of object.observables) {
        const key = entryKey(type, value);
        if (value === PARKED_VALUE || suppressed(key)) continue;
        const known = wanted.get(key);
        wanted.set(key, {
          slot: slotOf(type, value),
          until: Math.max(known?.until ?? 0, until),
          tlp: TLP_LEVELS.findLast((level) => level === tlp || level === known?.tlp)!,
          confidence: larger(known?.confidence ?? null, object.confidence ?? null),
          version: [known?.version ?? '', object.version].sort().at(-1)!,
          sources: [...(known?.sources ?? []), `${partner.name}/${object.objectId}`].sort(),
        });
      }
    }
  }
  return wanted;
}

/**
 * Undefined when the SIEM holds exactly that, but for what a person said no to, and for the worst of it where it takes
 * only so many.
 */
export function difference(
  wanted: ReadonlyMap<EntryKey, Expected>,
  siem: MemorySiemStore,
  rejected: ReadonlySet<string>,
  most = Number.POSITIVE_INFINITY,
  /** Those that may have a place besides. */
  others = rejected.size,
): string | undefined {
  const slots = new Set([...wanted].filter(([key]) => !rejected.has(key)).map(([, { slot }]) => slot));
  // Another key of the row stands there with it, and has no place of its own.
  const besides = new Set<string>();
  for (const [slot, row] of siem.rows) {
    if (rejected.has(row.key)) {
      besides.add(slot);
      slots.delete(slot);
      continue;
    }
    const entry = wanted.get(row.key);
    if (entry === undefined) return `${row.key} stands there and nobody vouches for it`;
    const content = contentOf(row.body);
    for (const what of ['until', 'tlp', 'confidence'] as const)
      if (content[what] !== entry[what]) return `${row.key}: ${what} is ${content[what]} instead of ${entry[what]}`;
    if (content.sources.join() !== entry.sources.join()) return `${row.key} names ${content.sources.join()}`;
    slots.delete(slot);
  }
  if (slots.size === 0) return undefined;
  return most === Number.POSITIVE_INFINITY
    ? `missing: ${[...slots].join(', ')}`
    : wronglyOut(
        [...wanted].filter(([key, { slot }]) => !rejected.has(key) && !besides.has(slot)),
        slots,
        most,
        others,
      );
}

const DAY_MS = 86_400_000;

/** What is missing of a watchlist that takes only so many. Keys that are one row there have a place each. */
function wronglyOut(
  wanted: readonly [EntryKey, Expected][],
  missing: ReadonlySet<string>,
  most: number,
  others: number,
): string | undefined {
  const stands = wanted.filter(([, { slot }]) => !missing.has(slot));
  const out = wanted.filter(([, { slot }]) => missing.has(slot));
  const names = out.map(([key]) => key).join(', ');
  // One that waits for a place stands all the same where another key is the same row.
  const rows = new Set(stands.map(([, { slot }]) => slot)).size;
  if (rows > most) return `${rows} have a place where only ${most} may`;
  // What a person said no to may be kept, and has a place then.
  if (stands.length + others < most) return `${stands.length} of ${most} have a place, and these wait: ${names}`;
  const order = (a: Expected, b: Expected): number => sure(a) - sure(b) || timeOf(a) - timeOf(b);
  const bestOfRow = new Map<string, Expected>();
  for (const [, one] of stands) {
    const known = bestOfRow.get(one.slot);
    if (known === undefined || order(one, known) > 0) bestOfRow.set(one.slot, one);
  }
  const [worst] = [...bestOfRow.values()].sort(order);
  if (worst === undefined) return undefined;
  const better = out.find(([, one]) => {
    const surer = sure(one) - sure(worst);
    return surer >= 10 || (surer >= 0 && timeOf(one) - timeOf(worst) >= 7 * DAY_MS);
  });
  return better === undefined ? undefined : `${better[0]} is better than what has a place: ${JSON.stringify(worst)}`;
}

const sure = ({ confidence }: Expected): number => (confidence === null ? -1 : confidence);
const timeOf = ({ version }: Expected): number => Math.floor(Date.parse(version) / 60_000) * 60_000;

const larger = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b);

/** What the in-memory SIEM's encoder wrote. */
export const contentOf = (body: string): Content => JSON.parse(body) as Content;
