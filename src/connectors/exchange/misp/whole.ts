// One event in one answer, as MISP servers read each other. It comes as one moment, so that nothing can shift in it.
import { permanent } from '../../../core/model/failure.ts';
import { type EventHead, readEventHead } from '../../../core/misp/head.ts';
import { turns } from '../../../core/runtime/in-turns.ts';
import type { EventEnd, EventPart, ReadingContext } from './context.ts';
import { put } from './mapping.ts';

/** Objects of a part: what was read of it stands beside the whole answer. */
const MOST_PART = 1000;

/** `as`: the publication that is expected. */
export async function* readWhole(
  context: ReadingContext,
  uuid: string,
  as?: EventHead,
): AsyncGenerator<EventPart, EventEnd> {
  const { client, mapping, signal, pageSize } = context;
  const what = `the event ${uuid}`;
  const event = await client.view(uuid, what, signal);
  if (event === undefined) return 'moved';
  const head = readEventHead(event.head);
  if ('refusal' in head) throw permanent(`${client.who}: the event ${uuid} cannot be read: ${head.refusal.reason}`);
  if (head.uuid !== uuid) throw permanent(`${client.who}: another event came than ${uuid}; tell the partner`);
  const other = as !== undefined && (head.publishTimestamp !== as.publishTimestamp || head.timestamp !== as.timestamp);
  if (head.published === false || other) return 'moved';
  let read = mapping.begun(head);
  let begins = true;
  const turnOver = turns();
  try {
    for (const one of mapping.whole(event, head, context.now())) {
      await turnOver();
      if (read.objects.length + read.refusals.length >= Math.min(pageSize, MOST_PART)) {
        yield { head, read, begins, ends: false };
        read = { objects: [], refusals: [] };
        begins = false;
      }
      put(read, one);
    }
  } catch (error) {
    throw error instanceof SyntaxError ? client.broken(what) : error;
  }
  yield { head, read, begins, ends: true };
  return 'read';
}
