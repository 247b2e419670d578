// Where the reading of a MISP server stands, as the store keeps it. `after` is the server's own clock of publication, since
// all other times are their origin's. The last minutes before it are listed again at each poll; what was read of them is
// known by its marks. Within an event of many pages `at` says how to go on.
import { z } from 'zod';
import type { Json } from '../../../core/model/json.ts';
import { PageLimit } from './page-size.ts';

const Seconds = z.number().int().nonnegative();

/** Time of publication, of edit, and a digest of what was read, with when that was (ours, epoch seconds). */
const Mark = z.object({ pub: Seconds, ts: Seconds, digest: z.number(), read: Seconds });
export type Mark = z.output<typeof Mark>;

const At = z.object({
  uuid: z.string(),
  pub: Seconds,
  ts: Seconds,
  page: z.number().int().positive(),
  limit: z.number().int().positive(),
});
export type At = z.output<typeof At>;

const Cursor = z.object({
  v: z.literal(1),
  after: Seconds.optional(),
  marks: z.record(z.string(), Mark),
  at: At.optional(),
  /** A run through the event index: when it began by the server's clock, and the last event read, in the order of uuids. */
  run: z.object({ since: Seconds, upto: z.string() }).optional(),
  /** Events that could not be read though others were. */
  failed: z.array(z.string()),
  /** Events that are not published any more, since when (epoch seconds). */
  away: z.record(z.string(), Seconds),
  limit: PageLimit.optional(),
  /** When decay scores were asked for again last (ours, epoch seconds), and the publication that is come to meanwhile. */
  scored: z.object({ since: Seconds, upto: Seconds.optional() }).optional(),
});
export type Cursor = z.output<typeof Cursor>;

/** What we cannot read is no place to go on from: everything is read again, which loses nothing. */
export function readCursor(json: Json | undefined): Cursor {
  const read = Cursor.safeParse(json);
  return read.success ? read.data : { v: 1, marks: {}, failed: [], away: {} };
}

/** Events are listed again for so long, since some appear a little behind the last one. */
export const OVERLAP_SECS = 300;
/** Of more events published at once only the last are remembered; the others are read again, which changes nothing. */
const MOST_MARKS = 5000;

export function pruned(marks: Cursor['marks'], after: number | undefined): Cursor['marks'] {
  const kept = Object.entries(marks).filter(([, mark]) => after === undefined || mark.pub >= after - OVERLAP_SECS);
  if (kept.length <= MOST_MARKS) return Object.fromEntries(kept);
  return Object.fromEntries(kept.sort(([, a], [, b]) => b.pub - a.pub).slice(0, MOST_MARKS));
}

/** Times of publication are whole seconds: what was read within them may have been published once more since. */
const YOUNG_SECS = 3;

export const isYoung = (mark: Mark): boolean => mark.read - mark.pub < YOUNG_SECS;
