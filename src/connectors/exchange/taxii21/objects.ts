// Objects of an answer become objects of ours in small portions, so that one large answer does not stop the loops
// of the other peers for long.
import { setImmediate as breathe } from 'node:timers/promises';
import type { IncomingObject, ObjectRefusal } from '../../../core/model/entry.ts';
import { permanent, retryable } from '../../../core/model/failure.ts';
import { sha256 } from '../../../core/runtime/ids.ts';
import { readObject } from '../../../core/stix/objects.ts';
import { MOST_NAMED } from './bounds.ts';
import type { RawObjects } from './envelope.ts';

export type Read =
  | { readonly kind: 'object'; readonly object: IncomingObject }
  | { readonly kind: 'refusal'; readonly refusal: ObjectRefusal }
  /** Nothing for us. `id` tells one that comes again. */
  | { readonly kind: 'ignored'; readonly type: string; readonly id: string };

const PORTION = 200;

export interface ReadAnswer {
  readonly read: readonly Read[];
  /** Tells an answer that comes again. Of identities only, as the server sent them. */
  readonly mark: string;
}

/** `what` names the answer in messages. */
export async function readObjects(raw: RawObjects, what: string, signal: AbortSignal): Promise<ReadAnswer> {
  const read: Read[] = [];
  let names = '';
  let portion = 0;
  let named = 0;
  for (const one of raw) {
    if (++portion > PORTION) {
      portion = 1;
      await breathe();
    }
    if (signal.aborted) throw retryable('the reading was stopped');
    const { id, modified } = Object(one) as { id?: unknown; modified?: unknown };
    names += `${textOr(id)} ${textOr(modified)}\n`;
    const result = readObject(one);
    if ('object' in result) {
      read.push({ kind: 'object', object: result.object });
      if (result.object.kind === 'indicator') named += result.object.observables.length;
      if (named > MOST_NAMED)
        throw permanent(
          `${what} came as one answer whose patterns name more than ${MOST_NAMED.toLocaleString('en')} values; lower page_size, or ask the partner what it sends`,
          { code: 'answer_too_large' },
        );
    } else if ('refusal' in result) read.push({ kind: 'refusal', refusal: result.refusal });
    else read.push({ kind: 'ignored', type: result.ignored, id: `${textOr(id)} ${textOr(modified)}`.slice(0, 128) });
  }
  return { read, mark: sha256(names).slice(0, 24) };
}

const textOr = (value: unknown): string => (typeof value === 'string' ? value : typeof value);

/** Tells an object that was seen before from one that is new, or has changed under the same version. */
export function keyOf(read: Read): string {
  if (read.kind === 'object' && read.object.kind === 'indicator') {
    return `${read.object.objectId} ${read.object.version} ${read.object.digest}`;
  }
  return JSON.stringify(read);
}

/** The same, short enough to be kept in a cursor: 96 bits. */
export function markOf(key: string): string {
  return sha256(key).slice(0, 24);
}
