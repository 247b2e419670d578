// A list of all that a server ever published may be more than it can give in time, however short its pages are: it goes through
// all of it to sort it. Then it is asked for in spans of time, as short as it takes.
import { ConnectorError } from '../../../core/model/failure.ts';
import type { ReadingContext } from './context.ts';
import { tooLarge } from './page-size.ts';

const HOUR = 3600;
const SPANS = [365 * 24 * HOUR, 30 * 24 * HOUR, 24 * HOUR, HOUR];
/** No event was published before there was MISP. */
const FIRST_SECS = Date.UTC(2011, 0, 1) / 1000;

/** What `publish_timestamp` is to be: all, all since, or from one time to another, both inclusive. */
export type Span = undefined | number | readonly [number, number];

/** What `read` gives for all since `from`, the oldest first. Where spans meet, or one is tried again, things come twice. */
export async function* inSpans<T>(
  context: ReadingContext,
  from: number | undefined,
  read: (span: Span) => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  let since = from;
  let length = Number.POSITIVE_INFINITY;
  for (;;) {
    const begin = since ?? FIRST_SECS;
    const left = Math.floor(context.now() / 1000) - begin;
    try {
      // The last one has no end: the server's clock may be ahead of ours.
      if (length >= left) return yield* read(since);
      yield* read([begin, begin + length]);
      since = begin + length;
    } catch (error) {
      if (!(error instanceof ConnectorError) || context.signal.aborted || !tooLarge(error)) throw error;
      const shorter = SPANS.find((one) => one < length && one < left);
      if (shorter === undefined) throw error;
      length = shorter;
      context.warn('the server does not give the list of all events at once; it is asked for in spans of time');
    }
  }
}
