// Alerts of indicator-match rules as hits. Pure. Of an alert only this is read: which document of ours it matched, when,
// how many events it stands for, whether a person closed it as a false positive, and whether it is an alert of such a
// rule about an event at all. Everything else stays where it is.
import { z } from 'zod';
import { hitDigest } from '../../../core/model/digest.ts';
import { entryKey, type EntryKey, OBSERVABLE_TYPES, parseEntryKey } from '../../../core/model/observable.ts';
import type { Hit } from '../../../core/model/sighting.ts';
import { slotOf } from './mapping.ts';

/** Fields of an alert that are asked for, and no others. */
export const ALERT_FIELDS = [
  '@timestamp',
  'kibana.alert.original_time',
  'kibana.alert.workflow_status',
  'kibana.alert.workflow_reason',
  'kibana.alert.workflow_tags',
  'kibana.alert.suppression.docs_count',
  'kibana.alert.rule.type',
  'kibana.alert.depth',
  'kibana.alert.ancestors.type',
  'threat.enrichments.matched.id',
  'threat.enrichments.matched.index',
  'threat.enrichments.indicator.name',
  'threat.enrichments.indicator.type',
];

export const AlertPage = z.object({
  pit_id: z.string().optional(),
  hits: z.object({
    hits: z.array(
      z.object({
        _id: z.string(),
        _source: z.unknown().optional(),
        sort: z.array(z.union([z.number(), z.string()])).optional(),
      }),
    ),
  }),
});

export interface Alert {
  readonly id: string;
  readonly source: unknown;
}

/** A document that an alert names as what it matched: in an index of any name, since ours may be behind an alias. */
export interface Match {
  readonly index: string;
  readonly slot: string;
  /** As the alert itself tells it, by the name of the indicator; the index is asked otherwise. */
  readonly key: EntryKey | undefined;
}

/** What the alerts name, without repetition. */
export function matchesOf(alerts: readonly Alert[]): Match[] {
  const found = new Map<string, Match>();
  for (const { source } of alerts)
    if (isFirstHand(source))
      for (const one of matches(source)) if (!found.has(placeOf(one))) found.set(placeOf(one), one);
  return [...found.values()];
}

export const placeOf = ({ index, slot }: Pick<Match, 'index' | 'slot'>): string => `${index} ${slot}`;

/** One hit per entry of ours that an alert matched; `ours` holds the keys of those documents by their place. */
export function hitsOf(alerts: readonly Alert[], ours: ReadonlyMap<string, string>): Hit[] {
  return alerts.flatMap(({ id, source }) => {
    const time = timeOf(source, 'kibana.alert.original_time') ?? timeOf(source, '@timestamp');
    if (time === undefined || !isFirstHand(source)) return [];
    const suppressed = Number(values(source, ['kibana', 'alert', 'suppression', 'docs_count'])[0] ?? 0);
    const count = 1 + (Number.isSafeInteger(suppressed) && suppressed > 0 ? suppressed : 0);
    const verdict = isFalsePositive(source) ? 'false_positive' : 'seen';
    const seen = new Set<string>();
    return matches(source).flatMap((match): Hit[] => {
      const found = known(ours.get(placeOf(match)));
      if (found === undefined || seen.has(found)) return [];
      seen.add(found);
      const dedupe = hitDigest(id, match.slot, verdict);
      return [{ key: found, verdict, first: time, last: time, count, dedupe }];
    });
  });
}

/**
 * Of an indicator-match rule, about events. An alert made from alerts carries a copy of their enrichments, so that one
 * event would count once for each rule that stands upon another.
 */
function isFirstHand(source: unknown): boolean {
  const rule = text(source, 'kibana.alert.rule.type');
  if (rule !== undefined && rule !== 'threat_match') return false;
  if (Number(values(source, ['kibana', 'alert', 'depth'])[0] ?? 1) > 1) return false;
  return !values(source, ['kibana', 'alert', 'ancestors', 'type']).includes('signal');
}

/** An alert that was open when it was read first counts as seen; closed as no threat it says so besides. */
function isFalsePositive(source: unknown): boolean {
  if (text(source, 'kibana.alert.workflow_status') !== 'closed') return false;
  const said = [
    text(source, 'kibana.alert.workflow_reason') ?? '',
    ...values(source, ['kibana', 'alert', 'workflow_tags']).map(String),
  ];
  return said.some((one) => /^false[ _-]?positive$/i.test(one.trim()));
}

/** Enrichments come as a list of objects, or with dotted keys that each hold a list. */
function matches(source: unknown): Match[] {
  const nested = records(values(source, ['threat', 'enrichments'])).flatMap((one) => {
    const slot = text(one, 'matched.id');
    const index = text(one, 'matched.index');
    if (slot === undefined || index === undefined) return [];
    return [{ index, slot, key: keyOf(slot, text(one, 'indicator.type'), text(one, 'indicator.name')) }];
  });
  if (nested.length > 0) return nested;
  const ids = values(source, ['threat', 'enrichments', 'matched', 'id']);
  const places = values(source, ['threat', 'enrichments', 'matched', 'index']);
  // Side by side only where every match has both; otherwise nobody could tell which id is ours.
  if (ids.length !== places.length) return [];
  return ids.flatMap((slot, i) => {
    const index = places[i];
    return typeof slot === 'string' && typeof index === 'string' ? [{ index, slot, key: undefined }] : [];
  });
}

/** The name of our indicator is its value, and its id a digest of type and value: together they prove the key. */
function keyOf(slot: string, type: string | undefined, value: string | undefined): EntryKey | undefined {
  if (type === undefined || value === undefined) return undefined;
  const candidates = OBSERVABLE_TYPES.filter((one) => (type === 'file' ? one.startsWith('file:') : one === type));
  const found = candidates.find((one) => slotOf(one, value) === slot);
  return found === undefined ? undefined : entryKey(found, value);
}

function known(key: string | undefined): EntryKey | undefined {
  const observable = key === undefined ? undefined : parseEntryKey(key);
  return observable === undefined ? undefined : entryKey(observable.type, observable.value);
}

/** As a date, or as the number that the product's dates may be as well. Events without a time have year 1, or 1970. */
function timeOf(source: unknown, path: string): number | undefined {
  const given = values(source, path.split('.'))[0];
  const ms = typeof given === 'string' && !/^\d{5,}$/.test(given) ? Date.parse(given) : Number(given ?? Number.NaN);
  return ms > 0 ? ms : undefined;
}

const text = (source: unknown, path: string): string | undefined => {
  const found = values(source, path.split('.'))[0];
  return typeof found === 'string' ? found : undefined;
};

/** What stands at a path whose parts may be nested objects or one dotted key, in any mixture; lists are opened. */
function values(source: unknown, path: readonly string[]): unknown[] {
  if (Array.isArray(source)) return source.flatMap((one: unknown) => values(one, path));
  if (path.length === 0) return source === undefined || source === null ? [] : [source];
  if (typeof source !== 'object' || source === null) return [];
  const found: unknown[] = [];
  for (let length = 1; length <= path.length; length++) {
    const key = path.slice(0, length).join('.');
    if (Object.hasOwn(source, key)) found.push(...values((source as Record<string, unknown>)[key], path.slice(length)));
  }
  return found;
}

const records = (found: readonly unknown[]): unknown[] =>
  found.filter((one) => typeof one === 'object' && one !== null);
