// The page that a server can give may be smaller than the one it is asked for: it refuses the limit, takes longer than
// anybody waits, or makes an answer that nobody can hold. The size is then lowered by itself, and remembered with the
// place of the collection, so that the next poll does not begin with the large page again. Pure.
import { z } from 'zod';
import type { ConnectorError } from '../../../core/model/failure.ts';

export const PageLimit = z.object({
  size: z.number().int().positive(),
  /** The configured size that was too large; another one is tried as it is. */
  of: z.number().int().positive(),
  /** slow: it may have been a bad hour, so that it holds for a day. heavy: more bytes or values than we hold. */
  why: z.enum(['refused', 'slow', 'heavy']),
  /** Epoch milliseconds. */
  at: z.number(),
  words: z.string(),
});
export type PageLimit = z.output<typeof PageLimit>;

const SLOW_HOLDS_MS = 86_400_000;
const STEP = 4;
const FEW = 10;
/** A server that does not answer such a page in time is not slow because of its size. */
const SMALLEST_SLOW = 10;

/** Whether a smaller page may help. */
export function tooLarge(error: ConnectorError): PageLimit['why'] | undefined {
  if (error.code === 'timeout' || [408, 504, 524].includes(error.status ?? 0)) return 'slow';
  if (error.code === 'answer_too_large') return 'heavy';
  return [400, 413, 414].includes(error.status ?? 0) ? 'refused' : undefined;
}

/** The next smaller size to try; undefined when it is not worth it. */
export function smaller(size: number, why: PageLimit['why']): number | undefined {
  // A server that ignores `limit` sends all of it each time, so that two tries must do.
  if (why === 'heavy') return size > FEW ? FEW : size > 1 ? 1 : undefined;
  if (size <= (why === 'slow' ? SMALLEST_SLOW : 1)) return undefined;
  return Math.max(why === 'slow' ? SMALLEST_SLOW : 1, Math.floor(size / STEP));
}

/** What was learnt, where it still holds. */
export function standing(limit: PageLimit | undefined, configured: number, now: number): PageLimit | undefined {
  if (limit === undefined || limit.of !== configured || limit.size >= configured) return undefined;
  return limit.why === 'slow' && now - limit.at > SLOW_HOLDS_MS ? undefined : limit;
}

export function wordsOf({ size, of, why, words }: PageLimit): string {
  const until = why === 'slow' ? 'the larger page is tried again in a day' : 'set page_size to try another';
  return `asked for in pages of ${size}, because a page of ${of} was too large (${words}); ${until}`;
}
