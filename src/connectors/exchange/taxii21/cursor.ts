// Where the reading of each collection stands, as the store keeps it. A place belongs to (root, collection,
// account), because another account may see another world.
//
// `after` moves only when a run has come to its end. Within a run the cursor of each page says how to go on from
// there: `resume`. It is an added time, not the server's `next`: servers hand out one token for a whole run and
// keep the position themselves (medallion), so that a token used again after a crash would skip what was fetched
// but never committed. Only where added times can't be trusted is `next` kept, and then only if it changes per page.
import { z } from 'zod';
import { PageLimit } from './page-size.ts';
import type { Json } from '../../../core/model/json.ts';

const Instant = z.object({ text: z.string(), micros: z.string().regex(/^-?\d+$/) });
/** An added time: the header as received, which is sent back unchanged, and its microseconds for arithmetic. */
export type Instant = z.output<typeof Instant>;

const Resume = z.discriminatedUnion('by', [
  z.object({ by: z.literal('time'), at: Instant }),
  z.object({
    by: z.literal('next'),
    next: z.string(),
    added_after: z.string().optional(),
    limit: z.number().int().positive(),
    top: Instant.optional(),
  }),
]);
export type Resume = z.output<typeof Resume>;

const Place = z.object({
  root: z.string(),
  collection: z.string(),
  account: z.string(),
  after: Instant.optional(),
  /** Marks of what was read with an added time within the overlap before `after`. */
  seen: z.array(z.string()).optional(),
  resume: Resume.optional(),
  /** Pages that the server can give, where they are smaller than those it was asked for. */
  limit: PageLimit.optional(),
});
export type Place = z.output<typeof Place>;

const Cursor = z.object({ v: z.literal(1), places: z.array(Place) });
export type Cursor = z.output<typeof Cursor>;

/** What we cannot read is no place to go on from: everything is read again, which loses nothing. */
export function readCursor(json: Json | undefined): Cursor {
  const read = Cursor.safeParse(json);
  return read.success ? read.data : { v: 1, places: [] };
}

export function placeOf(cursor: Cursor, root: string, collection: string, account: string): Place {
  const known = cursor.places.find((one) => same(one, { root, collection, account }));
  return known ?? { root, collection, account };
}

export function withPlace(cursor: Cursor, place: Place): Cursor {
  // Places keep their order, and one where nothing was read yet is none: an unchanged cursor stays the same text.
  if (cursor.places.some((one) => same(one, place))) {
    return { v: 1, places: cursor.places.map((one) => (same(one, place) ? place : one)) };
  }
  if (place.after === undefined && place.resume === undefined && place.limit === undefined) return cursor;
  return { v: 1, places: [...cursor.places, place] };
}

/** Without undefined members, so that it is plain JSON. */
export function cursorJson(cursor: Cursor): Json {
  return JSON.parse(JSON.stringify(cursor)) as Json;
}

export function instantOf(text: string | undefined, micros: bigint | undefined): Instant | undefined {
  return text === undefined || micros === undefined ? undefined : { text, micros: String(micros) };
}

export function laterOf(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return BigInt(b.micros) > BigInt(a.micros) ? b : a;
}

function same(a: Pick<Place, 'root' | 'collection' | 'account'>, b: Pick<Place, 'root' | 'collection' | 'account'>) {
  return a.root === b.root && a.collection === b.collection && a.account === b.account;
}
