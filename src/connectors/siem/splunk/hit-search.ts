// Searches for hits as SPL, and their rows as hits. Pure. Values of a feed are compared inside Splunk, where they stand
// in our collections: no search holds one. What is written into SPL is our own text, numbers, and names that the
// configuration admits only when they are made of letters, digits and a few signs that mean nothing to SPL.
import { z } from 'zod';
import { hitDigest } from '../../../core/model/digest.ts';
import { entryKey, type ObservableType, parseEntryKey } from '../../../core/model/observable.ts';
import type { Hit } from '../../../core/model/sighting.ts';
import type { SplunkConfig } from './config.ts';
import { type Kind, kindOf } from './mapping.ts';
import { MessagesOf } from './responses.ts';

export type EventSearchSettings = NonNullable<SplunkConfig['event_search']>;

/** Index time, epoch seconds; `to` is not inside. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** Everything that a search gives back. */
export const HIT_FIELDS = ['_time', 'entente_hit', 'entente_key'];

const texts = z.union([z.string(), z.array(z.string())]).optional();
export const HitRows = MessagesOf.extend({
  results: z.array(z.looseObject({ _time: z.string(), entente_hit: z.string().optional(), entente_key: texts })),
});
export type HitRow = z.output<typeof HitRows>['results'][number];

/** Lookup definition and its field, for each kind. Names below a domain are not the domain, so they are no hit of it. */
const LOOKUPS: Readonly<Record<Kind, readonly (readonly [string, string])[]>> = {
  ip: [
    ['entente_ip', 'ip'],
    ['entente_network', 'network'],
  ],
  domain: [['entente_domain', 'domain']],
  url: [['entente_url', 'url']],
  email: [['entente_email', 'email']],
  file: [['entente_file', 'file_hash']],
};

/** Joins events with our lookups. A field may hold several values, in any letter case; each is looked up. */
export function eventSearch(settings: EventSearchSettings, ignored: readonly string[], window: Window): string {
  const compared = comparedFields(settings.fields);
  const fields = [...new Set(compared.map(({ field }) => field))];
  const joins = compared.flatMap(({ kind, field }, n) =>
    LOOKUPS[kind].map(([lookup, input]) => ({ kind, field, lookup, input, value: `entente_v${n}` })),
  );
  const found = (n: number): string => `entente_${n}`;
  const keys = [
    `eval entente_key=mvdedup(mvappend(${joins.map((_, n) => found(n)).join(', ')}))`,
    'where isnotnull(entente_key)',
  ];
  const urls = joins.flatMap(({ kind, field }, n) =>
    kind === 'url' ? exactUrl(field, found(n), `entente_u${n}`) : [],
  );
  return [
    `search ${anyOf(settings.indexes.map((index) => `index="${index}"`))} ${bounds(window)} ` +
      `${anyOf(fields.map((field) => `${field}=*`))}${notFrom(ignored)}`,
    `fields _time, _indextime, _bkt, _cd, ${fields.join(', ')}`,
    ...compared.flatMap(({ kind, field }, n) => [
      `eval entente_v${n}='${field}'`,
      `eval entente_v${n}=mvmap(entente_v${n}, ${folded(kind, `entente_v${n}`)})`,
    ]),
    ...joins.map(
      ({ lookup, input, value }, n) =>
        `lookup local=true ${lookup} ${input} AS ${value} OUTPUT entry_key AS ${found(n)}`,
    ),
    ...keys,
    ...(urls.length === 0 ? [] : [...urls, ...keys]),
    ...ENDING,
  ].join(' | ');
}

/** Rows are in lower case, and a name of an event may end with the dot of the root. */
const folded = (kind: Kind, field: string): string =>
  kind === 'domain' ? `rtrim(lower(${field}), ".")` : `lower(${field})`;

/**
 * Two URLs may differ in nothing but letter case, so the key is compared with the URL as it stands in the event. Only
 * events that matched come this far, so that making a row of each of their values costs little. An empty field gets
 * a text, because nothing says what becomes of a row whose field is empty.
 */
const exactUrl = (field: string, found: string, one: string): string[] => [
  `eval ${one}=coalesce('${field}', "-")`,
  `mvexpand ${one}`,
  `eval ${found}=mvmap(${found}, if(${found}=="url|".${one}, ${found}, null()))`,
];

/** What Enterprise Security matched against rows of ours; the key is that of the row. */
export function threatSearch(index: string, owner: string, ignored: readonly string[], window: Window): string {
  return [
    `search index="${index}" ${bounds(window)} threat_key="${owner}*"${notFrom(ignored)}`,
    'fields _time, _indextime, _bkt, _cd, threat_collection_key',
    'eval entente_key=threat_collection_key',
    ...ENDING,
  ].join(' | ');
}

/** Notables of our rules, or of what Enterprise Security matched against rows of ours, that somebody closed as no threat. */
export function verdictSearch(
  {
    false_positive_dispositions: said,
    ignore_hosts: ignored,
    form,
  }: Pick<SplunkConfig, 'false_positive_dispositions' | 'ignore_hosts' | 'form'>,
  owner: string,
): string {
  const [ours, key] =
    form === 'lookups' ? ['entry_key=*', 'entry_key'] : [`threat_key="${owner}*"`, 'threat_collection_key'];
  return [
    'search `notable`',
    `search ${ours} ${anyOf(said.map((one) => `disposition="${one}"`))}${notFrom(ignored)}`,
    `eval entente_key=${key}`,
    'eval entente_hit=sha256(event_id)',
    'sort 0 -_time',
    `table ${HIT_FIELDS.join(', ')}`,
  ].join(' | ');
}

/** As hits, but negative, and told apart from a hit that the same event is. */
export const verdictsOf = (rows: readonly HitRow[], keyOf?: (text: string) => string | undefined): Hit[] =>
  hitsOf(rows, keyOf).map((hit) => ({
    ...hit,
    verdict: 'false_positive',
    dedupe: hitDigest('notable', hit.dedupe, hit.key),
  }));

/** One hit for each entry in each event; a row that names no entry, or no time, is none. */
export function hitsOf(rows: readonly HitRow[], keyOf: (text: string) => string | undefined = (text) => text): Hit[] {
  const told = new Set<string>();
  return rows.flatMap((row) => {
    const time = timeOf(row._time);
    if (time === undefined) return [];
    return [...new Set([row.entente_key ?? []].flat())].flatMap((text): Hit[] => {
      const observable = parseEntryKey(keyOf(text) ?? '');
      if (observable === undefined) return [];
      const key = entryKey(observable.type, observable.value);
      // Without a digest of the event, two at one moment are one: too few rather than too many.
      const dedupe = hitDigest(row.entente_hit ?? row._time, key);
      // An event with several URLs comes as several rows.
      if (told.has(dedupe)) return [];
      told.add(dedupe);
      return [{ key, verdict: 'seen', first: time, last: time, count: 1, dedupe }];
    });
  });
}

/** Bucket and address are how Splunk tells its events apart; they leave it as a digest only. */
const ENDING = ['eval entente_hit=sha256(_bkt."|"._cd)', 'sort 0 _indextime', `table ${HIT_FIELDS.join(', ')}`];

const bounds = ({ from, to }: Window): string => `_index_earliest=${from} _index_latest=${to}`;

const anyOf = (terms: readonly string[]): string => `(${terms.join(' OR ')})`;

const notFrom = (hosts: readonly string[]): string =>
  hosts.length === 0
    ? ''
    : ` NOT ${anyOf(hosts.flatMap((host) => ['src', 'src_ip', 'host'].map((field) => `${field}="${host}"`)))}`;

/** Types of one kind stand in one collection, so a field of several types is compared once. */
function comparedFields(fields: EventSearchSettings['fields']): { kind: Kind; field: string }[] {
  const compared = new Map<string, { kind: Kind; field: string }>();
  for (const [type, names] of Object.entries(fields)) {
    // Keys were checked against the observable types.
    const kind = kindOf(type as ObservableType);
    for (const field of names) compared.set(`${kind} ${field}`, { kind, field });
  }
  return [...compared.values()];
}

/** Epoch seconds with decimals, or a date with its offset. */
function timeOf(text: string): number | undefined {
  const ms = /^\d+(\.\d+)?$/.test(text) ? Math.round(Number(text) * 1000) : Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
