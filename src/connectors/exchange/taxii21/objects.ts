// Objects of an answer become objects of ours in small portions, so that one large answer does not stop the loops
// of the other peers for long.
import { setImmediate as breathe } from 'node:timers/promises';
import type { IncomingObject, ObjectRefusal } from '../../../core/model/entry.ts';
import { retryable } from '../../../core/model/failure.ts';
import { sha256 } from '../../../core/runtime/ids.ts';
import { readObject } from '../../../core/stix/objects.ts';

export type Read =
  | { readonly kind: 'object'; readonly object: IncomingObject }
  | { readonly kind: 'refusal'; readonly refusal: ObjectRefusal };

const PORTION = 200;

export async function readObjects(raw: readonly unknown[], signal: AbortSignal): Promise<Read[]> {
  const read: Read[] = [];
  for (let at = 0; at < raw.length; at += PORTION) {
    if (at > 0) await breathe();
    if (signal.aborted) throw retryable('the reading was stopped');
    for (const one of raw.slice(at, at + PORTION)) {
      const result = readObject(one);
      if ('object' in result) read.push({ kind: 'object', object: result.object });
      else if ('refusal' in result) read.push({ kind: 'refusal', refusal: result.refusal });
    }
  }
  return read;
}

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

/** Tells a page that comes again. Cheaper than marks: identities only, as the server sent them. */
export function pageMark(raw: readonly unknown[]): string {
  const names = raw.map((one) => {
    const { id, modified } = Object(one) as { id?: unknown; modified?: unknown };
    return `${String(id)} ${String(modified)}`;
  });
  return sha256(names.join('\n')).slice(0, 24);
}
