// When a row comes into a hold, when the hold ends by itself, and what it asks a person. A hold keeps things as they were until a person
// decides, and after a rejection until the partner says something new; what a person, policy or the clock says of a row
// goes before it.
import { firm } from './capacity.ts';
import { type Hold, isVouched, type Stand, type Wanted } from './stand.ts';

/** What decides whether it goes on. */
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

/** Nothing of what ends it by itself came to pass. */
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
interface HoldFacts {
  readonly kind: 'removal' | 'addition' | 'intake';
  readonly decision: 'approve' | 'reject' | null;
}

/** What claims come to now, as far as a hold needs to know it to end by itself. */
export interface Turn {
  readonly wanted: boolean;
  readonly changed: boolean;
  readonly until: number | undefined;
  readonly suppressed: boolean;
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

// ---- into a hold

/** Nothing else became of it since the brake noted it. `kept`: cut short, it would have stood until then. */
export function isAsNoted(stand: Stand, kind: Hold['kind'], kept: number | undefined): boolean {
  if (stand.hold !== undefined) return false;
  const there = stand.present.is !== 'no';
  if (kind === 'addition') return isVouched(stand) && !there;
  return kept === undefined ? !stand.wanted.is && there : there;
}

/**
 * Beyond a brake. Its call may be under way: it rests in the hold once that has ended. `now`: epoch milliseconds. `room`:
 * any place of its watchlist, where that takes only so many.
 */
export function held(
  stand: Stand,
  hold: Hold,
  kept: number | undefined,
  revision: number,
  now: number,
  room?: number,
): Stand {
  const due = kept === undefined ? stand.wanted.due : Math.min(stand.wanted.due ?? kept, kept);
  // One that waited for a place is wanted from now on: what left for want of one is known there by the revision it has.
  const waits = hold.kind === 'addition' && stand.place?.out === true;
  const wanted: Wanted = waits ? { ...stand.wanted, is: true, cause: 'none', revision, since: now } : stand.wanted;
  // What waits for a person takes nobody's place, and of what it keeps, or may stand there, nobody takes it. What was
  // withdrawn had left its place a moment before.
  const fills = hold.kind === 'removal' || stand.present.is !== 'no';
  const place = room !== undefined && fills ? { at: firm(room), out: false } : undefined;
  const frozen: Stand = { ...stand, hold, place, wanted: { ...wanted, until: kept ?? wanted.until, due } };
  return stand.call === undefined ? { ...frozen, parked: undefined, again: false } : frozen;
}
