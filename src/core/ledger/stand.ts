// How it stands between one SIEM and one entry: a row of the ledger, and how it rests. What happens to it is beside this:
// a call (call.ts), what is found in the SIEM (found.ts), what is done between calls (rest.ts), a hold (holds.ts), another
// wish (project.ts). Each step takes a stand and gives the next one; none of them knows a database, a clock or a product.
//
//   wanted   what ingest decided: shall it stand there, since which revision, until when
//   present  what delivery knows: does it stand there. `maybe` counts as absent for upserts and as present for removals,
//            so that a crash leaves no orphan
//   call     under way, or nobody knows what came of it. A busy stand is not sent; a wish that changes meanwhile only
//            raises the wanted revision, and the answer acknowledges the revision that was sent
//   place    what it has, or waits for, in a watchlist that takes only so many (capacity.ts). What waits is not wanted
//            there, whatever vouches for it
//   hold, parked, adopted  why it rests though wanted and present differ. No phase of a call hides them: whatever comes
//            of the call, the stand rests in its hold
//
// What is to be done is never stored by hand, it follows (`phaseOf`).

/** One (SIEM, entry). */
export interface Stand {
  readonly wanted: Wanted;
  readonly present: Presence;
  readonly call: Call | undefined;
  readonly hold: Hold | undefined;
  readonly parked: Parked | undefined;
  /** Found in the SIEM under our mark and vouched for by nobody: waits until every partner was polled to its end. */
  readonly adopted: boolean;
  /** What a held removal keeps shares its row in the product with one that went: it is written anew all the same. */
  readonly again: boolean;
  readonly wait: Wait;
  /** Undefined: its watchlist takes all, or nothing vouches for it. */
  readonly place: Place | undefined;
  /** The product's own identity of the row, where several keys may share one. */
  readonly slot: string | undefined;
}

/** What ingest decided. */
export interface Wanted {
  readonly is: boolean;
  /** Given when the wish changed last. */
  readonly revision: number;
  /** Digest over what the SIEM would see. */
  readonly content: number;
  /** Bit set of the exchanges whose claims carry it; of one that is withdrawn, of those that did. */
  readonly vouchers: number;
  readonly until: number | undefined;
  /** When it is looked at again though nothing arrives. */
  readonly due: number | undefined;
  readonly cause: Cause;
  readonly since: number;
}

/** Why it is not wanted. Only `withdrawn` counts for the removal brake. */
export type Cause =
  | 'none'
  | 'expired'
  | 'withdrawn'
  | 'policy'
  | 'suppressed'
  | 'unlisted'
  /** Found under our mark, vouched for by nobody. */
  | 'adopted'
  /** Written by a call that had been given up. */
  | 'late'
  /** Vouched for, and its watchlist is full of better ones. */
  | 'full';

/** What delivery knows. */
export interface Presence {
  readonly is: Is;
  /** Of what stands there, or stood there last. */
  readonly revision: number;
  readonly handle: string | undefined;
}
/** `maybe`: a call is or was under way, and nobody knows. */
export type Is = 'no' | 'yes' | 'maybe';

/** What a call does. */
export type Op = 'upsert' | 'remove';

/** Under way, or lost. */
export type Call =
  | { readonly kind: 'flight'; readonly sent: number; readonly batch: number }
  /** A task in the SIEM will tell. */
  | { readonly kind: 'accepted'; readonly sent: number; readonly op: Op; readonly receipt: string }
  /** It may or may not have had its effect, on a product without versions: it is read back first. */
  | { readonly kind: 'uncertain'; readonly sent: number };

/** A held removal keeps the entry as it stands and has it written anew where it is lost; a held addition keeps it out. */
export interface Hold {
  readonly id: number;
  readonly kind: 'removal' | 'addition';
}

/** Refused for good. */
export interface Parked {
  readonly reason: string;
  /** Constant word for it, where the SIEM gave one. */
  readonly code: string | undefined;
}

/** What claims vouch for has one in a watchlist that takes only so many. */
export interface Place {
  /** As it sorts (capacity.ts). */
  readonly at: number;
  /** Others have it. */
  readonly out: boolean;
}

/** Between tries. */
interface Wait {
  readonly attempt: number;
  /** Not before; undefined: at once. */
  readonly at: number | undefined;
}

/** Both say the same, so that nothing is to be written. */
export function isSameStand(a: Stand, b: Stand): boolean {
  return (
    sameOf(a.wanted, b.wanted) &&
    sameOf(a.present, b.present) &&
    sameOf(a.call, b.call) &&
    sameOf(a.hold, b.hold) &&
    sameOf(a.parked, b.parked) &&
    a.adopted === b.adopted &&
    a.again === b.again &&
    sameOf(a.wait, b.wait) &&
    sameOf(a.place, b.place) &&
    a.slot === b.slot
  );
}

/** Parts of a stand hold nothing but plain values. */
function sameOf<T extends object>(a: T | undefined, b: T | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  for (const name in a) if (a[name] !== b[name]) return false;
  for (const name in b) if (!(name in a)) return false;
  return true;
}

/** It waits for nothing. */
export const AT_ONCE: Wait = { attempt: 0, at: undefined };
const ABSENT: Presence = { is: 'no', revision: 0, handle: undefined };

/** `upsert` and `remove` need work, `flight`, `accepted` and `uncertain` are busy, the others rest. */
export type Phase = 'settled' | 'upsert' | 'remove' | Call['kind'] | 'parked' | 'held';

/** How it rests, or what it waits for. */
export function phaseOf(stand: Stand): Phase {
  if (stand.call !== undefined) return stand.call.kind;
  const asked = askedOf(stand);
  // What should be gone is never parked: it would stay armed, and nobody would look.
  if (stand.parked !== undefined && asked !== 'remove') return 'parked';
  return stand.adopted ? 'held' : asked;
}

/** What wanted, present and hold ask for. */
function askedOf({ wanted, present, hold, again }: Stand): 'settled' | 'upsert' | 'remove' | 'held' {
  if (hold !== undefined) return hold.kind === 'removal' && (present.is === 'no' || again) ? 'upsert' : 'held';
  if (wanted.is) return present.is === 'yes' && present.revision === wanted.revision ? 'settled' : 'upsert';
  return present.is === 'no' ? 'settled' : 'remove';
}

/** A held removal keeps it armed though nobody vouches for it. */
export const isKept = ({ wanted, hold }: Stand): boolean => !wanted.is && hold?.kind === 'removal';

/** Kept, or wanted for a shorter time and kept for the longer one: no call is made for it unless it is lost. */
export const rests = ({ hold }: Stand): boolean => hold?.kind === 'removal';

/** Some claim vouches for it, whether there is room or not. */
export const isVouched = ({ wanted, place }: Pick<Stand, 'wanted' | 'place'>): boolean =>
  wanted.is || place?.out === true;

/** Nothing of it is known to stand there, and the wish is new. */
export function planned(wanted: Wanted, slot: string | undefined): Stand {
  return {
    wanted,
    present: ABSENT,
    call: undefined,
    hold: undefined,
    parked: undefined,
    adopted: false,
    again: false,
    wait: AT_ONCE,
    place: undefined,
    slot,
  };
}

/** Neither wanted nor there. It goes, unless it may wait for a moment to come (a claim that is valid from then), or for room. */
export function gone(stand: Stand, lookAt: number): Stand | undefined {
  const { wanted, slot, place } = stand;
  if (place?.out === true) return { ...planned(wanted, slot), place };
  return wanted.due === undefined ? undefined : planned({ ...wanted, due: lookAt }, slot);
}

const MOST_REASON = 500;

/** Parked. What is not there and cannot be sent has no place: another may have it. */
export const withReason = (stand: Stand, reason: string, code: string | undefined): Stand => ({
  ...stand,
  place: stand.present.is === 'no' ? undefined : stand.place,
  parked: { reason: reason.slice(0, MOST_REASON), code },
});
