// When a hold ends by itself, one row at a time, and what it asks a person. A hold keeps things as they were until a person
// decides, and after a rejection until the partner says something new; what a person, policy or the clock says of a row
// goes before it.
import type { Turn } from './project.ts';
import type { Stand } from './stand.ts';

export interface HeldRow {
  readonly kind: 'removal' | 'addition';
  /** Rejected: a person said no; it stands until the partner says something new. */
  readonly rejected: boolean;
  /** The claims speak for the entry, before and now. */
  readonly wasWanted: boolean;
  readonly wanted: boolean;
  /** Content or wish changed since the row was looked at last. */
  readonly changed: boolean;
  /** Until when the claims vouch now. */
  readonly offered: number | undefined;
  /** Until when they vouched before they were withdrawn or cut short. */
  readonly kept: number | undefined;
  readonly now: number;
  readonly suppressed: boolean;
  /** Some claim that stood behind it may still stand in this SIEM. */
  readonly allowed: boolean;
}

export function holdStays(row: HeldRow): boolean {
  return row.kind === 'removal' ? removalStays(row) : additionStays(row);
}

/** Ends at the expiry the entry had, when the value is suppressed or not allowed, and when a partner vouches again. */
function removalStays({ wasWanted, wanted, offered, kept, now, suppressed, allowed }: HeldRow): boolean {
  if (suppressed || !allowed || (kept !== undefined && kept <= now)) return false;
  if (!wanted || offered === undefined) return true;
  // A validity that was cut short is the withdrawal itself, and so is one that is stated anew for moments.
  if (wasWanted) return offered < (kept ?? Number.POSITIVE_INFINITY);
  return offered < Math.min(kept ?? Number.POSITIVE_INFINITY, now + SHORTEST_VOUCH_MS);
}

/** Ends when it is withdrawn and, once rejected, when the partner says something new. */
function additionStays({ wanted, changed, rejected }: HeldRow): boolean {
  return wanted && !(rejected && changed);
}

/** Vouching again for less than this is no vouching: else two pages would undo a hold. */
const SHORTEST_VOUCH_MS = 86_400_000;

/** What a partner stated of an object's validity, epoch milliseconds; no end: open-ended. */
export interface Validity {
  readonly from: number;
  readonly until: number | undefined;
}

/** An earlier end or a later beginning than was stated before takes vouching back, as a revocation does. */
export const cutsShort = (before: Validity, after: Validity): boolean =>
  after.from > before.from || (after.until ?? Number.POSITIVE_INFINITY) < (before.until ?? Number.POSITIVE_INFINITY);

/** What a hold is: who froze the row, and what a person said. */
export interface HoldFacts {
  readonly kind: 'removal' | 'addition' | 'intake';
  readonly decision: 'approve' | 'reject' | null;
}

/** Whether the hold that a stand names goes on. `mayBeKept`: some claim that stood behind it may still stand there. */
export function staysHeld(
  hold: HoldFacts | undefined,
  { wanted }: Pick<Stand, 'wanted'>,
  turn: Turn,
  now: number,
  mayBeKept: () => boolean,
): boolean {
  if (hold === undefined || hold.decision === 'approve') return false;
  // What intake holds is decided with its claims (withheld.ts).
  if (hold.kind === 'intake') return false;
  return holdStays({
    kind: hold.kind,
    rejected: hold.decision === 'reject',
    wasWanted: wanted.is,
    wanted: turn.wanted,
    changed: turn.changed,
    offered: turn.until,
    kept: wanted.until,
    now,
    suppressed: turn.suppressed,
    allowed: hold.kind === 'addition' || turn.wanted || mayBeKept(),
  });
}

// ---- what policy holds until a person lets it in

/** Why a claim is held, as a hold says it: what a person is asked, and answers. */
export interface Question {
  readonly exchangeId: number;
  readonly reason: string;
}

const UNSURE = 'no confidence is stated, and policy.unknown_confidence holds such claims';

/** A marking is what its own exchange makes of it, and each is asked by itself; that no confidence is stated, all at once. */
export const questionOf = (exchangeId: number, code: string, reason: string): Question => ({
  exchangeId,
  reason: code === 'confidence_unknown' ? UNSURE : reason,
});

/** Asked of everybody at once, as often as it comes. */
export const isCommon = ({ reason }: Question): boolean => reason === UNSURE;

/** As it is kept. */
export const keyOf = (question: Question): string =>
  isCommon(question) ? '' : `${question.exchangeId} ${question.reason}`;

/** What intake holds stays held until a person decides; what was rejected, until the partner says something new. */
export const intakeStays = (rejected: boolean, changed: boolean): boolean => !(rejected && changed);
