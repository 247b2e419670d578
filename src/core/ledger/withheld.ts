// Claims that policy holds (no confidence is stated, a marking that nobody explained): whether they vouch, wait for a
// person, or take the entry away first.
import { merge, mergeClaims } from '../inventory/merge.ts';
import type { Observable } from '../model/observable.ts';
import { type Admission, type NumberedClaim, vouching } from './admit.ts';
import type { Question } from './holds.ts';
import type { Stand } from './stand.ts';

/** What a person answered, and may still be asked. */
export interface Answers {
  readonly letIn: (question: Question) => boolean;
  readonly mayAsk: (question: Question) => boolean;
}

/** What counts of the claims, and what is to be done about those that policy holds. */
interface Withheld<C extends NumberedClaim> {
  readonly admission: Admission<C>;
  /** The entry goes into the hold that asks this. */
  readonly hold?: Question;
  /** It stands there and goes first; its claims vouch until then. */
  readonly until?: number | undefined;
  /** What was answered of it counts no longer. */
  readonly over: boolean;
}

/**
 * Claims that policy holds vouch only where none vouches that needs nobody's word, and only once a person let the entry
 * in; until then the entry stands in a hold, or is taken away first where it was armed before policy asked for one.
 */
export function withheld<C extends NumberedClaim>(
  observable: Observable,
  admission: Admission<C>,
  before: Pick<Stand, 'present' | 'call'> | undefined,
  { letIn, mayAsk }: Answers,
  now: number,
): Withheld<C> {
  const { admitted, pending } = admission;
  if (pending.length === 0 || mergeClaims(observable, admitted, now).entry !== undefined)
    return { admission, over: true };
  const merged = merge(observable, pending, now);
  if (merged.entry === undefined)
    return { admission: { ...admission, admitted: [...admitted, ...pending] }, over: true };
  const answered = pending.filter((one) => letIn(one.asks));
  if (mergeClaims(observable, answered, now).entry !== undefined)
    return { admission: { ...admission, ...vouching(answered, now) }, over: false };
  const there = before !== undefined && (before.present.is !== 'no' || before.call !== undefined);
  if (there) return { admission: { ...admission, refused: true }, until: merged.entry.until, over: true };
  const ask = pending.find((one) => mayAsk(one.asks))?.asks;
  if (ask === undefined) return { admission: { ...admission, refused: true }, over: true };
  return { admission: { ...admission, ...vouching(pending, now) }, hold: ask, over: true };
}
