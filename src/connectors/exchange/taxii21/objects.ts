// Objects of an answer become objects of ours in short turns, so that one large answer does not stop the loops
// of the other peers for long.
import type { IncomingObject, ObjectRefusal } from '../../../core/model/entry.ts';
import { permanent, retryable } from '../../../core/model/failure.ts';
import { sha256 } from '../../../core/runtime/ids.ts';
import { turns } from '../../../core/runtime/in-turns.ts';
import { OTHER_CASE, type ReadResult, readObject } from '../../../core/stix/objects.ts';
import { inBundle } from '../../../core/stix/raw.ts';
import { MOST_NAMED } from './bounds.ts';
import { LONGEST_OBJECT, type RawObjects, TooLong } from './envelope.ts';

export type Read =
  | { readonly kind: 'object'; readonly object: IncomingObject }
  | { readonly kind: 'refusal'; readonly refusal: ObjectRefusal }
  /** Nothing for us. `id` tells one that comes again. */
  | { readonly kind: 'ignored'; readonly type: string; readonly id: string };

/** By time: the first objects of a process take ten times as long as those that follow. */
const TURN_MS = 2;

export interface ReadAnswer {
  readonly read: readonly Read[];
  /** Tells an answer that comes again. Of identities only, as the server sent them. */
  readonly mark: string;
  /** What was taken though it is not as the standard asks, and what was left out: for people, each once. */
  readonly notes: readonly string[];
}

/** `what` names the answer in messages. */
export async function readObjects(raw: RawObjects, what: string, signal: AbortSignal): Promise<ReadAnswer> {
  const read: Read[] = [];
  let names = '';
  const over = turns(TURN_MS);
  let named = 0;
  const odd = new Odd();
  for (const one of unwrapped(raw, what, odd)) {
    const rest = over();
    if (rest !== undefined) await rest;
    if (signal.aborted) throw retryable('the reading was stopped');
    const { id, modified } = Object(one) as { id?: unknown; modified?: unknown };
    names += `${textOr(id)} ${textOr(modified)}\n`;
    const result: ReadResult = one instanceof TooLong ? tooLong(one) : readObject(one);
    odd.note(result);
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
  return { read, mark: sha256(names).slice(0, 24), notes: odd.notes() };
}

const tooLong = ({ id }: TooLong): ReadResult => ({
  refusal: { objectId: id, reason: `object longer than ${LONGEST_OBJECT >> 20} MiB` },
});

/** How deep bundles may stand in bundles. */
const MOST_NESTED = 4;

/**
 * TAXII has no bundles among the objects (§3.7), but a bundle has no meaning of its own either: what it holds is read as
 * if it stood there itself.
 */
function* unwrapped(raw: Iterable<unknown>, what: string, odd: Odd, depth = 0): Generator<unknown, void, undefined> {
  for (const one of raw) {
    const objects = inBundle(one);
    if (objects === undefined) yield one;
    else if (depth === MOST_NESTED)
      throw permanent(`${what} holds bundles in bundles, deeper than ${MOST_NESTED}; ask the partner what it sends`);
    else {
      odd.bundles++;
      yield* unwrapped(objects, what, odd, depth + 1);
    }
  }
}

/** What is not as the standard asks in one answer, counted. */
class Odd {
  bundles = 0;
  readonly #quirks = new Set<string>();
  readonly #otherCase = new Map<string, number>();

  note(result: ReadResult): void {
    if ('ignored' in result && result.ignored.startsWith(OTHER_CASE))
      this.#otherCase.set(result.ignored, (this.#otherCase.get(result.ignored) ?? 0) + 1);
    if ('quirk' in result && result.quirk !== undefined) this.#quirks.add(result.quirk);
  }

  notes(): string[] {
    const notes = [...this.#quirks];
    if (this.bundles > 0) {
      const stand = this.bundles === 1 ? '1 bundle stands' : `${this.bundles} bundles stand`;
      notes.push(`${stand} among the objects, against TAXII 2.1 §3.7; what they hold is read`);
    }
    for (const [type, count] of this.#otherCase)
      notes.push(`${count} ignored: ${type}; STIX writes types in small letters`);
    return notes;
  }
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
