// The one AQL query that reads hits, and what its rows say. Pure. Names of sets and fields come from configuration
// and are quoted here; no value of a feed or an event ever stands in a query, since the console itself compares
// the field with our set.
import { configFailure } from '../../../core/contracts/failure.ts';
import { hitDigest } from '../../../core/model/digest.ts';
import type { EntryKey } from '../../../core/model/observable.ts';
import type { Hit } from '../../../core/model/sighting.ts';
import type { ResultRow } from './responses.ts';

const MINUTE_MS = 60_000;
/**
 * Rows are counted per value and stretch of this length. The stretches stand still, so the same events read again
 * make the same count under the same digest, and late ones only what comes on top.
 */
export const BUCKET_MS = 10 * MINUTE_MS;
/** Longest first search after a long silence: what is bounded can be given up and begun again. */
const LONGEST_MS = 36 * BUCKET_MS;

export interface Window {
  /** Epoch milliseconds by the console's clock, at the begin of a bucket. */
  readonly from: number;
  readonly to: number;
}

/** How the event's value is written before it is compared: as it stands, in lower case, or without a final dot as well. */
export type Fold = 'none' | 'case' | 'name';

export interface Watched {
  /** Full name of the reference set. */
  readonly set: string;
  readonly field: string;
  readonly fold?: Fold;
  /** Only events of this domain. */
  readonly domainId?: number | undefined;
  /** Sources whose events are not counted: addresses or networks. */
  readonly ignored: readonly string[];
}

/** `now` makes the text another one at each asking: the same text soon after gets the old search and its old rows. */
export function hitQuery({ set, field, fold, domainId, ignored }: Watched, { from, to }: Window, now: number): string {
  const column = name(field);
  const where = [
    `REFERENCESETCONTAINS(${literal(set)}, ${folded(column, fold)})`,
    // START and STOP have the grain of a minute, so they only bound the search and these cut it.
    `starttime >= ${from}`,
    `starttime < ${to}`,
    ...(domainId === undefined ? [] : [`domainid = ${domainId}`]),
    ...ignored.map((network) => `NOT INCIDR(${literal(network.includes('/') ? network : `${network}/32`)}, sourceip)`),
  ];
  return [
    `SELECT ${column} AS value, MIN(starttime) AS first_seen, MAX(starttime) AS last_seen, SUM(eventcount) AS hits`,
    `FROM events WHERE ${where.join(' AND ')} GROUP BY ${column}`,
    `START ${from} STOP ${to + (now % MINUTE_MS)}`,
  ].join(' ');
}

/** Our sets hold names in lower case and without a final dot; logs hold them as a resolver or a user wrote them. */
function folded(column: string, fold: Fold = 'none'): string {
  if (fold === 'none') return column;
  return fold === 'case' ? `LOWER(${column})` : `REPLACEALL('[.]$', LOWER(${column}), '')`;
}

/** A plain word stands as it is, any other name in double quotes. */
function name(field: string): string {
  if (/^[A-Za-z]\w*$/.test(field)) return field;
  if (/["'\\\p{Cc}]/u.test(field)) throw configFailure(`event field ${JSON.stringify(field)} cannot stand in AQL`);
  return `"${field}"`;
}

/** How a quote inside a text is written is said nowhere, so none is let through. */
function literal(text: string): string {
  if (/["'\\\p{Cc}]/u.test(text)) throw configFailure(`${JSON.stringify(text)} cannot stand in AQL`);
  return `'${text}'`;
}

const bucketOf = (time: number): number => Math.floor(time / BUCKET_MS) * BUCKET_MS;

/** From the begin of a bucket on, in pieces that can be searched. */
export function windowsOf(from: number, to: number): Window[] {
  const windows: Window[] = [];
  for (let at = bucketOf(from); at < to; at += LONGEST_MS)
    windows.push({ from: at, to: Math.min(at + LONGEST_MS, to) });
  return windows;
}

const isOneBucket = ({ from, to }: Window): boolean => to - from <= BUCKET_MS;

/** Two halves that meet at the begin of a bucket. */
export function halves({ from, to }: Window): [Window, Window] {
  const middle = from + Math.ceil((to - from) / BUCKET_MS / 2) * BUCKET_MS;
  return [
    { from, to: middle },
    { from: middle, to },
  ];
}

/** True when the count of this row belongs to more than one bucket, so that it must be asked for in parts. */
export function isSpread(row: ResultRow, window: Window): boolean {
  return !isOneBucket(window) && bucketOf(row.first_seen) !== bucketOf(row.last_seen);
}

/** `keyOf` tells the entry of ours that an event's value stands for, if there is one. */
export function hitsOf(
  rows: readonly ResultRow[],
  { set, field }: Pick<Watched, 'set' | 'field'>,
  window: Window,
  keyOf: (value: string) => EntryKey | undefined,
): Hit[] {
  return rows.flatMap((row) => {
    const key = keyOf(row.value);
    if (key === undefined || isSpread(row, window)) return [];
    const bucket = isOneBucket(window) ? window.from : bucketOf(row.first_seen);
    const dedupe = hitDigest(set, field, row.value, String(bucket));
    const count = Math.max(1, Math.round(row.hits));
    return [{ key, verdict: 'seen' as const, first: row.first_seen, last: row.last_seen, count, dedupe }];
  });
}
