// One event in one answer, as MISP servers read each other. It comes as one moment, so that nothing can shift in it.
import { permanent } from '../../../core/model/failure.ts';
import { type EventHead, readEventHead } from '../../../core/misp/head.ts';
import type { IncomingObject } from '../../../core/model/entry.ts';
import type { EventEnd, EventPart, ReadingContext } from './context.ts';

/** `as`: the publication that is expected. */
export async function* readWhole(
  context: ReadingContext,
  uuid: string,
  as?: EventHead,
): AsyncGenerator<EventPart, EventEnd> {
  const { client, mapping, signal, pageSize } = context;
  const raw = await client.view(uuid, `the event ${uuid}`, signal);
  if (raw === undefined) return 'moved';
  const head = readEventHead(raw);
  if ('refusal' in head) throw permanent(`${client.who}: the event ${uuid} cannot be read: ${head.refusal.reason}`);
  if (head.uuid !== uuid) throw permanent(`${client.who}: another event came than ${uuid}; tell the partner`);
  const other = as !== undefined && (head.publishTimestamp !== as.publishTimestamp || head.timestamp !== as.timestamp);
  if (head.published === false || other) return 'moved';
  const { objects, refusals } = mapping.event(raw, head, context.now());
  for (let from = 0; from === 0 || from < objects.length; from += pageSize) {
    const part: IncomingObject[] = objects.slice(from, from + pageSize);
    const ends = from + pageSize >= objects.length;
    yield { head, read: { objects: part, refusals: ends ? refusals : [] }, begins: from === 0, ends };
  }
  return 'read';
}
