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

/**
 * Undefined when no field is configured for any of the entries. How far back is told in the cluster's own time, whose
 * clock may be another than ours; how far on is bounded by the point in time that is read.
 */
export function eventQuery(
  entries: readonly Observable[],
  fields: EventFields,
  timeField: string,
  backMs: number,
  ignored: readonly string[],
): Record<string, unknown> | undefined {
  const should = [...Map.groupBy(entries, (one) => one.type)].flatMap(([type, some]) =>
    (fields[type] ?? []).map((field) => ({ terms: { [field]: some.map((one) => one.value) } })),
  );
  if (should.length === 0) return undefined;
  const range = { gte: `now-${Math.max(0, Math.ceil(backMs / 1000))}s` };
  return {
    bool: {
      filter: [{ range: { [timeField]: range } }],
      should,
      minimum_should_match: 1,
      must_not: ownHosts(ignored),
    },
  };
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
      const exact = plain.get(value.toLowerCase());
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
