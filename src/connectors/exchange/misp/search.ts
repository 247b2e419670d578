// Reading by restSearch: the events that were published since, then the attributes of each, page by page. Filters on type, to_ids or
// tag would hide what the partner takes back, so none is sent; X-Result-Count is a hint whether there is more, and an empty
// page alone proves nothing. An answer is pinned to the publication it is read of: an event that is edited meanwhile answers nothing.
import { ConnectorError, permanent } from '../../../core/model/failure.ts';
import { type EventHead, readEventHead } from '../../../core/misp/head.ts';
import { turns } from '../../../core/runtime/in-turns.ts';
import type { EventEnd, EventPart, ReadingContext } from './context.ts';
import { type At, OVERLAP_SECS } from './cursor.ts';
import { inObject, put } from './mapping.ts';
import { smaller, tooLarge } from './page-size.ts';
import { type IndexRow, Row } from './responses.ts';
import { inSpans, type Span } from './spans.ts';
import { readWhole } from './whole.ts';

const HEADS = 500;
const FEW_HEADS = 25;
/** Passes over an unsorted list until no pass brings anything new. */
const MOST_PASSES = 6;
const MOST_TRIES = 3;

/** Events that were published since `from`, oldest publication first, in lists of any length; some come twice. */
export const published = (context: ReadingContext, from: number | undefined): AsyncGenerator<readonly EventHead[]> =>
  inSpans(context, from, (span) => publishedIn(context, span));

async function* publishedIn(context: ReadingContext, span: Span): AsyncGenerator<readonly EventHead[]> {
  const [from, until] = typeof span === 'object' ? span : [span, undefined];
  let since = from;
  let page = 1;
  let limit = HEADS;
  let last = -1;
  for (;;) {
    const batch = await listed(context, since, until, page, limit);
    if ('smaller' in batch) {
      limit = batch.smaller;
      page = 1;
      continue;
    }
    const times = batch.heads.map((head) => head.publishTimestamp ?? 0);
    const sorted = times.every((time, i) => time >= (i === 0 ? last : times[i - 1]!));
    if (!sorted) {
      yield await unsorted(context, from, until);
      return;
    }
    yield batch.heads;
    if (batch.rows < limit) return;
    // By key and not by number: an event that is published again leaves its place, and would shift the rest past an offset.
    const end = times.at(-1) ?? last;
    page = end === since ? page + 1 : 1;
    since = end;
    last = end;
  }
}

async function listed(
  context: ReadingContext,
  since: number | undefined,
  until: number | undefined,
  page: number,
  limit: number,
): Promise<{ readonly heads: readonly EventHead[]; readonly rows: number } | { readonly smaller: number }> {
  const { client, signal } = context;
  try {
    const answer = await client.news(
      {
        published: 1,
        ...(since === undefined ? {} : { publish_timestamp: until === undefined ? since : [since, until] }),
        order: 'Event.publish_timestamp asc',
        limit,
        page,
      },
      'the list of published events',
      signal,
    );
    if (answer.serverNow !== undefined) context.heard(answer.serverNow);
    return { heads: readable(answer.content, context), rows: answer.content.length };
  } catch (error) {
    if (!(error instanceof ConnectorError) || signal.aborted || !tooLarge(error) || limit <= FEW_HEADS) throw error;
    return { smaller: Math.max(FEW_HEADS, Math.floor(limit / 5)) };
  }
}

/** Of a list; those that cannot be read are told, since nothing else will bring them. */
function readable(raw: readonly unknown[], context: ReadingContext): readonly EventHead[] {
  const read = raw.map((one) => readEventHead(one));
  const [first, ...more] = read.flatMap((one) => ('refusal' in one ? [one.refusal] : []));
  if (first !== undefined) {
    const many = more.length === 0 ? '1 event' : `${more.length + 1} events`;
    const which = `the first ${first.objectId ?? 'without an id'} (${first.reason})`;
    context.warn(
      `${many} of the list cannot be read and ${more.length === 0 ? 'is' : 'are'} passed over, ${which}; tell the partner`,
    );
  }
  return read.flatMap((one) => ('refusal' in one ? [] : [one]));
}

const headOf = (raw: unknown): EventHead[] => {
  const head = readEventHead(raw);
  return 'refusal' in head ? [] : [head];
};

/** A server that does not know `order` skips and repeats rows from page to page: read until nothing new comes. */
async function unsorted(
  context: ReadingContext,
  from: number | undefined,
  until: number | undefined,
): Promise<EventHead[]> {
  const found = new Map<string, EventHead>();
  context.warn('the server does not order its answers; the list of events is read until it is stable');
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    const before = found.size;
    for (let page = 1; ; page++) {
      const batch = await listed(context, from, until, page, HEADS);
      if ('smaller' in batch)
        throw permanent(`${context.client.who}: the list of events neither comes in time nor in order`);
      for (const head of batch.heads) found.set(head.uuid, head);
      if (batch.rows < HEADS) break;
    }
    if (found.size === before && pass > 0) break;
  }
  return [...found.values()].sort((a, b) => (a.publishTimestamp ?? 0) - (b.publishTimestamp ?? 0));
}

/** The rows of the event index, one by one; some come twice. */
export const indexed = (context: ReadingContext, from: number | undefined): AsyncGenerator<IndexRow> =>
  inSpans(context, from, async function* (span) {
    const filter = span === undefined ? {} : { publish_timestamp: span };
    const { content, serverNow } = await context.client.index(filter, context.signal);
    if (serverNow !== undefined) context.heard(serverNow);
    yield* content;
  });

export const listingFrom = (after: number | undefined, start: number | undefined): number | undefined =>
  after === undefined ? start : Math.max(after - OVERLAP_SECS, start ?? 0);

/** All of one event as it was published, or the news that it moved. */
export async function* readEvent(
  context: ReadingContext,
  given: EventHead,
  at: At | undefined,
): AsyncGenerator<EventPart, EventEnd> {
  let head = given;
  let from = at;
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const end = yield* onePublication(context, head, from);
    if (end !== 'moved') return end;
    const now = await headNow(context, head.uuid);
    // Unpublished while somebody edits it: what stood stays, and it comes again with its next publication.
    if (now === undefined || now.published !== true) return 'moved';
    head = now;
    from = undefined;
  }
  return 'moved';
}

/** The heads of these events as they stand now, published or not. */
export async function headsOf({ client, signal }: ReadingContext, uuids: readonly string[]): Promise<EventHead[]> {
  const { content } = await client.heads({ eventid: uuids, limit: uuids.length, page: 1 }, 'events by uuid', signal);
  return content.flatMap(headOf);
}

async function headNow({ client, signal }: ReadingContext, uuid: string): Promise<EventHead | undefined> {
  const { content } = await client.heads({ eventid: uuid, limit: 1, page: 1 }, `the event ${uuid}`, signal);
  return content.flatMap(headOf).find((one) => one.uuid === uuid);
}

async function* onePublication(
  context: ReadingContext,
  head: EventHead,
  at: At | undefined,
): AsyncGenerator<EventPart, EventEnd> {
  const { mapping, limit: known, pageSize } = context;
  const nothing = { head, begins: true, ends: true };
  if (!mapping.wantsOrg(head.orgc)) {
    yield { ...nothing, read: mapping.begun(head) };
    return 'read';
  }
  let limit = at?.limit ?? known.learnt?.size ?? pageSize;
  let page = at?.page ?? 1;
  let lastId = -1;
  let unnamed = false;
  for (;;) {
    const answer = await rowsOf(context, head, page, limit);
    if ('limit' in answer) {
      // Sizes divide each other, so that the place stays the same.
      page = ((page - 1) * limit) / answer.limit + 1;
      limit = answer.limit;
      continue;
    }
    const { rows, more } = answer;
    const last = !more;
    // One page is one moment; of several, and of nothing, nobody knows.
    if (last && (page > 1 || rows.length === 0) && (await moved(context, head))) return 'moved';
    const turnOver = turns();
    const ids: number[] = [];
    for (const row of rows) {
      await turnOver();
      const { data } = Row.safeParse(row);
      if (data !== undefined) ids.push(Number(data.id));
    }
    const sorted = ids.every((id, i) => id > (i === 0 ? lastId : ids[i - 1]!));
    if (!sorted || (!unnamed && rows.some(inObject))) {
      const whole = yield* wholeInstead(context, head, sorted);
      if (whole !== 'unnamed') return whole;
      unnamed = true;
    }
    lastId = ids.at(-1) ?? lastId;
    const read = mapping.begun(head);
    for (const one of mapping.rows(rows, head, context.now())) {
      await turnOver();
      put(read, one);
    }
    const next: At = { uuid: head.uuid, pub: head.publishTimestamp ?? 0, ts: head.timestamp, page: page + 1, limit };
    yield { head, read, begins: page === 1, ends: last, ...(last ? {} : { next }) };
    if (last) return 'read';
    page += 1;
  }
}

/** Where names of objects are needed, or pages cannot be followed: all of the event at once. */
async function* wholeInstead(
  context: ReadingContext,
  head: EventHead,
  sorted: boolean,
): AsyncGenerator<EventPart, EventEnd | 'unnamed'> {
  try {
    return yield* readWhole(context, head.uuid, head);
  } catch (error) {
    if (!(error instanceof ConnectorError) || context.signal.aborted || !tooLarge(error)) throw error;
    if (!sorted)
      throw permanent(
        `${context.client.who}: the server gives attributes of an event in no order, and the event is too large to be read at once`,
        { cause: error },
      );
    context.warn(
      'an event is too large to be read at once, so that the objects of its attributes stay unnamed; of those hashes alone are armed',
    );
    return 'unnamed';
  }
}

async function rowsOf(
  context: ReadingContext,
  { uuid, publishTimestamp: pub }: EventHead,
  page: number,
  limit: number,
): Promise<{ readonly rows: readonly unknown[]; readonly more: boolean } | { readonly limit: number }> {
  const { client, signal, extras } = context;
  const filter = {
    eventid: uuid,
    published: 1,
    ...(pub === undefined ? {} : { publish_timestamp: [pub, pub] }),
    ...extras,
    order: 'Attribute.id asc',
    limit,
    page,
  };
  try {
    const { content, count, serverNow } = await client.attributes(filter, `the event ${uuid}`, signal);
    if (serverNow !== undefined) context.heard(serverNow);
    const more =
      count === undefined ? content.length >= limit : count >= limit && !(count === 1 && content.length === 0);
    return { rows: content, more };
  } catch (error) {
    if (!(error instanceof ConnectorError) || signal.aborted || !tooLarge(error)) throw error;
    const next = smaller(limit);
    if (next === undefined) throw error;
    const words = error.status === undefined ? 'no answer in time' : `the server answered ${error.status}`;
    context.limit.learnt = { size: next, of: context.pageSize, at: context.now(), words };
    return { limit: next };
  }
}

/** Whether the event is no longer as it was listed. */
async function moved(context: ReadingContext, head: EventHead): Promise<boolean> {
  const now = await headNow(context, head.uuid);
  return now?.published !== true || now.publishTimestamp !== head.publishTimestamp || now.timestamp !== head.timestamp;
}
