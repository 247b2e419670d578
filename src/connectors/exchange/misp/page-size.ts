// The page that a server can give may be smaller than the one it is asked for: PHP runs out of memory or time, or the answer
// is more than anybody holds. The size is lowered by itself, in steps that divide it, so that a page begun with a larger one goes on at
// the same place, and remembered in the cursor for a day. Pure.
import { z } from 'zod';
import type { ConnectorError } from '../../../core/model/failure.ts';

export const PageLimit = z.object({
  size: z.number().int().positive(),
  /** The configured size that was too large; another one is tried as it is. */
  of: z.number().int().positive(),
  /** Epoch milliseconds. */
  at: z.number(),
  words: z.string(),
});
export type PageLimit = z.output<typeof PageLimit>;

const HOLDS_MS = 86_400_000;
const STEPS = [5, 4, 3, 2];
const SMALLEST = 20;

/** Whether a smaller page may help. */
export function tooLarge(error: ConnectorError): boolean {
  return (
    error.code === 'timeout' ||
    error.code === 'answer_too_large' ||
    [408, 413, 500, 502, 504, 524].includes(error.status ?? 0)
  );
}

/** The next smaller size to try; undefined when it is not worth it. */
export function smaller(size: number): number | undefined {
  if (size <= SMALLEST) return undefined;
  for (const step of STEPS) if (size % step === 0 && size / step >= SMALLEST) return size / step;
  return undefined;
}

/** What was learnt, where it still holds. */
export function standing(limit: PageLimit | undefined, configured: number, now: number): PageLimit | undefined {
  if (limit === undefined || limit.of !== configured || limit.size >= configured) return undefined;
  return now - limit.at > HOLDS_MS ? undefined : limit;
}

export function wordsOf({ size, of, words }: PageLimit): string {
  return `asked for in pages of ${size}, because a page of ${of} was too large (${words}); the larger page is tried again in a day`;
}
