// Events that hold a value of ours, as a query and as hits. Pure. Values go into the query as JSON values of `terms`
// and nowhere else, so a value cannot become syntax; of an event only its time and the compared fields are asked for.
import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { hitDigest } from '../../../core/model/digest.ts';
import { entryKey, type EntryKey, isNetwork, type Observable } from '../../../core/model/observable.ts';
import type { Hit } from '../../../core/model/sighting.ts';
import type { ElasticConfig } from './config.ts';

export type EventFields = NonNullable<ElasticConfig['event_search']>['fields'];

export const EventPage = z.object({
  pit_id: z.string().optional(),
  hits: z.object({
    hits: z.array(
      z.object({
        _id: z.string(),
        _index: z.string(),
        fields: z.record(z.string(), z.array(z.unknown())).optional(),
        sort: z.array(z.union([z.number(), z.string()])).optional(),
      }),
    ),
  }),
});
export type EventPage = z.output<typeof EventPage>;

/** Clauses of one query; the product takes at least 1,024, and each with folding reads a part of the field's terms. */
const MOST_CLAUSES = 800;

export interface EventQuery {
  readonly some: readonly Observable[];
  readonly query: Record<string, unknown>;
}

/**
 * None when no field is configured for any of the entries. How far back is told in the cluster's own time, whose
 * clock may be another than ours; how far on is bounded by the point in time that is read.
 */
export function* eventQueries(
  entries: readonly Observable[],
  fields: EventFields,
  timeField: string,
  backMs: number,
  ignored: readonly string[],
): Iterable<EventQuery> {
  const since = indexedSince(timeField, `now-${Math.max(0, Math.ceil(backMs / 1000))}s`);
  const made = (some: readonly Observable[], should: unknown[]): EventQuery => ({
    some,
    query: { bool: { filter: [since], should, minimum_should_match: 1, must_not: ownHosts(ignored) } },
  });
  const compared = entries.filter((one) => (fields[one.type] ?? []).length > 0);
  const [folded, plain] = [compared.filter(isFolded), compared.filter((one) => !isFolded(one))];
  if (plain.length > 0) {
    const should = [...Map.groupBy(plain, (one) => one.type)].flatMap(([type, some]) =>
      (fields[type] ?? []).map((field) => ({ terms: { [field]: some.flatMap(spellings) } })),
    );
    yield made(plain, should);
  }
  let some: Observable[] = [];
  let should: unknown[] = [];
  for (const one of folded) {
    const clauses = (fields[one.type] ?? []).flatMap((field) =>
      spellings(one).map((value) => ({ term: { [field]: { value, case_insensitive: true } } })),
    );
    if (should.length > 0 && should.length + clauses.length > MOST_CLAUSES) {
      yield made(some, should);
      [some, should] = [[], []];
    }
    some.push(one);
    should.push(...clauses);
  }
  if (should.length > 0) yield made(some, should);
}

/** Names come in any mixture of letter cases; `terms` cannot fold them. */
const isFolded = ({ type }: Observable): boolean => type === 'domain-name' || type === 'email-addr';

/** How an event may spell the value, beyond what the query folds. */
function spellings({ type, value }: Observable): string[] {
  if (type === 'domain-name') return [value, `${value}.`];
  if (type.startsWith('file:')) return [value.toLowerCase(), value.toUpperCase()];
  return [value];
}

/** Where an index does not say when it took an event in, the event's own time has to do: better late than silent. */
function indexedSince(timeField: string, since: string): Record<string, unknown> {
  const range = (field: string) => ({ range: { [field]: { gte: since } } });
  if (timeField === '@timestamp') return range(timeField);
  const without = { bool: { filter: [range('@timestamp')], must_not: [{ exists: { field: timeField } }] } };
  return { bool: { should: [range(timeField), without], minimum_should_match: 1 } };
}

/** Clauses that leave out what our own scanners cause. An address field takes addresses only. */
export function ownHosts(ignored: readonly string[]): unknown[] {
  const addresses = ignored.filter((one) => isIP(one.split('/')[0] ?? '') !== 0);
  const names = ignored.filter((one) => !addresses.includes(one));
  return [
    ...(addresses.length === 0 ? [] : ['source.ip', 'host.ip'].map((field) => ({ terms: { [field]: addresses } }))),
    ...(names.length === 0 ? [] : [{ terms: { 'host.name': names } }]),
  ];
}

export const comparedFields = (entries: readonly Observable[], fields: EventFields): string[] => [
  ...new Set(entries.flatMap((one) => fields[one.type] ?? [])),
];

/** Which entries each event holds: the answer says only that one of them matched. */
export function eventHits(page: EventPage, entries: readonly Observable[], fields: EventFields): Hit[] {
  const lookups = lookupsOf(entries, fields);
  return page.hits.hits.flatMap((event) => {
    const given = event.fields ?? {};
    const stamp = given['@timestamp']?.[0];
    const time = typeof stamp === 'string' ? Date.parse(stamp) : Number.NaN;
    if (Number.isNaN(time)) return [];
    const keys = new Set<EntryKey>();
    for (const { field, find } of lookups)
      for (const value of given[field] ?? [])
        if (typeof value === 'string') for (const key of find(value)) keys.add(key);
    return [...keys].map((key) => ({
      key,
      verdict: 'seen' as const,
      first: time,
      last: time,
      count: 1,
      dedupe: hitDigest(event._index, event._id, key),
    }));
  });
}

interface Lookup {
  readonly field: string;
  readonly find: (value: string) => readonly EntryKey[];
}

function lookupsOf(entries: readonly Observable[], fields: EventFields): Lookup[] {
  return [...Map.groupBy(entries, (one) => one.type)].flatMap(([type, some]) => {
    const plain = new Map(some.map((one) => [one.value.toLowerCase(), one]));
    const networks = some.filter(isNetwork).map((one) => ({ key: entryKey(one.type, one.value), list: blockOf(one) }));
    const find = (value: string): EntryKey[] => {
      const folded = value.toLowerCase();
      const exact = plain.get(type === 'domain-name' ? folded.replace(/\.$/, '') : folded);
      const found =
        exact === undefined || (type === 'url' && exact.value !== value) ? [] : [entryKey(type, exact.value)];
      const version = isIP(value);
      if (version === 0) return found;
      const containing = networks.filter(({ list }) => list.check(value, version === 4 ? 'ipv4' : 'ipv6'));
      return [...found, ...containing.map(({ key }) => key)];
    };
    return (fields[type] ?? []).map((field) => ({ field, find }));
  });
}

function blockOf({ type, value }: Observable): BlockList {
  const [address = '', length = ''] = value.split('/');
  const list = new BlockList();
  list.addSubnet(address, Number(length), type === 'ipv4-addr' ? 'ipv4' : 'ipv6');
  return list;
}
