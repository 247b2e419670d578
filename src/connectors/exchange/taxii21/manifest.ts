// Reading a manifest to its end. The standard gives it no `next` (§5.3.1), so it is paged by added time, or by
// `next` where a server has one. It ends normally only when complete; anything doubtful throws, because what is
// missing from a listing counts as withdrawn.
import { type ConnectorError, permanent } from '../../../core/model/failure.ts';
import type { TaxiiClient } from './client.ts';
import { goesOn, MAX_LIMIT } from './paging.ts';
import { Manifest, type ManifestEntry } from './responses.ts';
import { microsOf, textOf } from './time.ts';

export interface ManifestReading {
  readonly client: TaxiiClient;
  readonly url: URL;
  readonly what: string;
  readonly who: string;
  readonly limit: number;
  readonly maxPages: number;
  readonly signal: AbortSignal;
}

export interface ManifestPage {
  readonly entries: readonly ManifestEntry[];
  readonly last: boolean;
}

/** Later pages may repeat entries of the added time at which an earlier one was cut. */
export async function* readManifest(
  reading: ManifestReading,
  from?: bigint,
): AsyncGenerator<ManifestPage, void, undefined> {
  let addedAfter = from === undefined ? undefined : textOf(from);
  let next: string | undefined;
  let { limit } = reading;
  let reached = from;
  let previous = '';
  for (let page = 0; page < reading.maxPages; page++) {
    const query = { added_after: addedAfter, limit, next };
    const answer = await reading.client.get(reading.url, reading.what, Manifest, reading.signal, query);
    // `{}` is an empty manifest (§3.1); nothing at all may be what is left of a cut answer.
    if (answer.bytes === 0) throw stuck(reading, 'it is answered without a body');
    const { objects, more } = answer.content;
    const end = !goesOn({ more, next: answer.content.next, count: objects.length });
    yield { entries: objects, last: end };
    if (end) return;

    const mark = objects.map((one) => `${one.id} ${one.version}`).join('\n');
    const repeated = objects.length === 0 || mark === previous;
    previous = mark;
    if (answer.content.next !== undefined) {
      if (repeated) throw stuck(reading, 'the same page came twice');
      next = answer.content.next;
      continue;
    }
    const last = microsOf(answer.last) ?? microsOf(objects.at(-1)?.date_added);
    if (last === undefined) throw stuck(reading, 'there is more, but neither next nor an added time to go on from');
    if (reached !== undefined && last - 1n <= reached && repeated) {
      if (limit >= MAX_LIMIT) throw stuck(reading, 'more objects share one added time than one page holds');
      limit = MAX_LIMIT;
    }
    reached = last - 1n;
    addedAfter = textOf(reached);
    next = undefined;
  }
  throw stuck(reading, `it has more than ${reading.maxPages} pages`);
}

function stuck(reading: ManifestReading, why: string): ConnectorError {
  return permanent(
    `${reading.who}: ${reading.what} could not be read to its end: ${why}; nothing is concluded from it`,
  );
}
