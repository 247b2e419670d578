// How it stands between one SIEM and one entry: what happens to a row of the ledger, and nothing else, is here. Each
// step takes a stand and gives the next one; none of them knows a database, a clock or a product.
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
import { firm } from './capacity.ts';

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

export interface Presence {
  readonly is: Is;
  /** Of what stands there, or stood there last. */
  readonly revision: number;
  readonly handle: string | undefined;
}
export type Is = 'no' | 'yes' | 'maybe';

export type Op = 'upsert' | 'remove';

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

export interface Wait {
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

const AT_ONCE: Wait = { attempt: 0, at: undefined };
const ABSENT: Presence = { is: 'no', revision: 0, handle: undefined };

/** `upsert` and `remove` need work, `flight`, `accepted` and `uncertain` are busy, the others rest. */
export type Phase = 'settled' | 'upsert' | 'remove' | Call['kind'] | 'parked' | 'held';

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

/** The same, or it is wanted for a shorter time and kept for the longer one: no call is made for it unless it is lost. */
const rests = ({ hold }: Stand): boolean => hold?.kind === 'removal';

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

// ---- a call

/** The intent, on disk before anything is sent. */
export function taken(stand: Stand, batch: number): Stand {
  return {
    ...stand,
    present: stand.present.is === 'no' ? { ...stand.present, is: 'maybe' } : stand.present,
    call: { kind: 'flight', sent: stand.wanted.revision, batch },
    again: false,
  };
}

export type Outcome =
  | { readonly kind: 'applied'; readonly handle?: string }
  | { readonly kind: 'accepted'; readonly receipt: string }
  /** The SIEM holds a higher revision of ours. */
  | { readonly kind: 'superseded'; readonly revision: number }
  /** Not applied for certain; try again at `retryAt`. */
  | { readonly kind: 'retry'; readonly retryAt: number }
  /** Nobody knows whether it was applied. */
  | { readonly kind: 'unknown'; readonly retryAt: number }
  | { readonly kind: 'park'; readonly reason: string; readonly code?: string };

/** What was sent, and what stood there before. */
export interface Sent {
  readonly op: Op;
  readonly before: Is;
}

export interface Terms {
  /** The one that new wishes get now. */
  readonly revision: number;
  /** The product keeps the highest revision by itself, so that what nobody knows is simply sent again. */
  readonly versioned: boolean;
  /** When what rests without a wish is looked at again. */
  readonly lookAt: number;
}

const MOST_REASON = 500;

/** What became of the call. Undefined: nothing is left to keep. One whose intent stands no more is left as it is. */
export function settled(stand: Stand, { op, before }: Sent, outcome: Outcome, terms: Terms): Stand | undefined {
  const { call, wanted, wait } = stand;
  if (call === undefined) return stand;
  // A change that is still the newest failed: it waits. One that was overtaken goes at once.
  const overtaken = wanted.revision !== call.sent;
  const retryAt = (at: number): number | undefined => (overtaken ? undefined : at);
  // What a hold keeps and has written anew is still to be, unless that was applied.
  const again = rests(stand) && op === 'upsert' && !overtaken;
  const next = then();
  // A first write that came to nothing, of what was withdrawn meanwhile: there is nothing that a hold could keep.
  const neverStood = overtaken && op === 'upsert';
  const nothing = !next.wanted.is && next.present.is === 'no';
  return nothing && (phaseOf(next) === 'settled' || neverStood) ? gone(stand, terms.lookAt) : next;

  function then(): Stand {
    const ended: Stand = { ...stand, call: undefined, again };
    const asBefore: Presence = { ...stand.present, is: before };
    switch (outcome.kind) {
      case 'applied':
        return { ...ended, present: standing(stand, op, call!.sent, outcome.handle), again: false, wait: AT_ONCE };
      case 'accepted':
        return {
          ...stand,
          present: { ...stand.present, is: 'maybe' },
          call: { kind: 'accepted', sent: call!.sent, op, receipt: outcome.receipt },
        };
      case 'superseded':
        return {
          ...ended,
          present: { ...stand.present, is: 'maybe', revision: outcome.revision },
          wanted: { ...wanted, revision: terms.revision },
          wait: { ...wait, at: undefined },
        };
      case 'retry':
        return { ...ended, present: asBefore, wait: { attempt: wait.attempt + 1, at: retryAt(outcome.retryAt) } };
      case 'unknown': {
        const doubtful = stand.present.is === 'yes' && op === 'upsert';
        const present: Presence = doubtful ? { ...stand.present, is: 'maybe' } : stand.present;
        const attempt = wait.attempt + 1;
        if (terms.versioned) return { ...ended, present, wait: { attempt, at: retryAt(outcome.retryAt) } };
        // The read-back waits, so that a call that lands soon is seen; not so where what stands there must go.
        const mustGo = !wanted.is && overtaken;
        return {
          ...ended,
          present,
          call: { kind: 'uncertain', sent: call!.sent },
          wait: { attempt, at: mustGo ? undefined : outcome.retryAt },
        };
      }
      case 'park': {
        const refused: Stand = { ...ended, present: asBefore, wait: { ...wait, at: undefined } };
        const stays = (wanted.is || isKept(stand)) && op === 'upsert' && !overtaken;
        return stays ? withReason(refused, outcome.reason, outcome.code) : refused;
      }
    }
  }
}

function standing({ present }: Stand, op: Op, revision: number, handle: string | undefined): Presence {
  return op === 'upsert' ? { is: 'yes', revision, handle: handle ?? present.handle } : { is: 'no', revision, handle };
}

/** What is not there and cannot be sent has no place: another may have it. */
const withReason = (stand: Stand, reason: string, code: string | undefined): Stand => ({
  ...stand,
  place: stand.present.is === 'no' ? undefined : stand.place,
  parked: { reason: reason.slice(0, MOST_REASON), code },
});

/** The process died with the call under way. On a product without versions it is read back, a little later. */
export function recovered(stand: Stand, versioned: boolean, readBackAt: number): Stand {
  if (stand.call?.kind !== 'flight') return stand;
  const present: Presence = { ...stand.present, is: 'maybe' };
  const { sent } = stand.call;
  const again = rests(stand) && sent === stand.wanted.revision;
  return versioned
    ? { ...stand, present, call: undefined, again, wait: { ...stand.wait, at: undefined } }
    : { ...stand, present, call: { kind: 'uncertain', sent }, wait: { ...stand.wait, at: readBackAt } };
}

/** What the read-back of an uncertain one showed. `shared`: another key of ours stands in its slot. */
export function readBack(
  stand: Stand,
  found: Omit<Found, 'until'> | undefined,
  shared: boolean,
  lookAt: number,
): Stand | undefined {
  if (stand.call?.kind !== 'uncertain') return stand;
  const present: Presence =
    found !== undefined
      ? { is: 'yes', revision: found.revision, handle: found.handle }
      : { is: shared ? 'maybe' : 'no', revision: 0, handle: undefined };
  // What never stood there a hold cannot keep.
  if (!stand.wanted.is && present.is === 'no' && (stand.hold === undefined || stand.present.revision === 0))
    return gone(stand, lookAt);
  // The row may show the words of the other.
  const again = rests(stand) && present.is === 'maybe';
  return { ...stand, present, call: undefined, again, wait: AT_ONCE };
}

// ---- what is found in the SIEM

export interface Found {
  readonly revision: number;
  readonly until: number | undefined;
  readonly handle: string | undefined;
}

/**
 * The ledger did not know it. It waits for the partners (`adopted`), or goes: where it was ours a moment ago (`late`), or a
 * person took it off (`suppressed`).
 */
export function unknown(
  found: Found,
  cause: 'adopted' | 'late' | 'suppressed',
  revision: number,
  now: number,
  slot: string | undefined,
): Stand {
  const { until } = found;
  const wanted = { is: false, revision, content: 0, vouchers: 0, until, due: undefined, cause, since: now };
  return {
    ...planned(wanted, slot),
    present: { is: 'yes', revision: found.revision, handle: found.handle },
    adopted: cause === 'adopted',
  };
}

/** A person took it off, and nobody knows yet what stands there: it is removed as what may be there. */
export function takenOff(stand: Stand | undefined, revision: number, now: number, slot: string | undefined): Stand {
  if (stand !== undefined && (stand.present.is !== 'no' || stand.call !== undefined)) return stand;
  const before =
    stand ?? unknown({ revision: 0, until: undefined, handle: undefined }, 'suppressed', revision, now, slot);
  return {
    ...before,
    wanted: { ...before.wanted, is: false, revision, cause: 'suppressed' },
    present: { ...before.present, is: 'maybe' },
    place: undefined,
    wait: AT_ONCE,
  };
}

/** It stands there in another state than the ledger said, which follows. */
export function seen(stand: Stand, found: Omit<Found, 'until'>, revision: number): Stand {
  const { wanted, present } = stand;
  if (present.is === 'yes' && present.revision === found.revision) return stand;
  const asWanted = wanted.is && wanted.revision === found.revision && present.is !== 'no';
  return {
    ...stand,
    wanted: asWanted ? wanted : { ...wanted, revision },
    present: { is: 'yes', revision: found.revision, handle: found.handle ?? present.handle },
    call: undefined,
    parked: undefined,
    again: false,
    wait: AT_ONCE,
  };
}

/**
 * What stood there is lost. What is wanted, and what a held removal keeps armed, is written anew, as far as anybody can
 * still tell what it was (`told`); the rest is gone.
 */
export function lost(stand: Stand, told: boolean, revision: number, lookAt: number): Stand | undefined {
  const kept = isKept(stand);
  if (!stand.wanted.is && !(kept && told)) return gone(stand, lookAt);
  return {
    ...stand,
    wanted: { ...stand.wanted, revision },
    present: { is: 'no', revision: kept ? stand.present.revision : 0, handle: undefined },
    call: undefined,
    again: false,
    wait: AT_ONCE,
  };
}

/** One that only may have stood there, does not, and is written anyway: at its time. Undefined for any other. */
export function notThere(stand: Stand): Stand | undefined {
  const { wanted, present, wait } = stand;
  const written = wanted.is && phaseOf(stand) === 'upsert' && wait.at !== undefined;
  return written && present.is === 'maybe' ? { ...stand, present: { ...present, is: 'no' } } : undefined;
}

/**
 * Nobody can tell any more what it was that a hold keeps. What stands there, or may, stays as it is; what does not is over.
 * One that is wanted otherwise by now is none of these.
 */
export function untold(stand: Stand, revision: number, lookAt: number): Stand | undefined {
  if (!rests(stand) || phaseOf(stand) !== 'upsert') return stand;
  return stand.present.is === 'no' && !stand.wanted.is
    ? lost(stand, false, revision, lookAt)
    : { ...stand, again: false };
}

/** Neither wanted nor there. It goes, unless it may wait for a moment to come (a claim that is valid from then), or for room. */
export function gone(stand: Stand, lookAt: number): Stand | undefined {
  const { wanted, slot, place } = stand;
  if (place?.out === true) return { ...planned(wanted, slot), place };
  return wanted.due === undefined ? undefined : planned({ ...wanted, due: lookAt }, slot);
}

// ---- at rest

/** It cannot be sent. An older version that stands there stays until it expires or is withdrawn: it was vouched for. */
export const refused = (stand: Stand, reason: string): Stand =>
  withReason({ ...stand, wait: { ...stand.wait, at: undefined } }, reason, undefined);

/** It has a place, and what left it still stands in the SIEM. */
export const waitsForRoom = (stand: Stand, reason: string): Stand => ({
  ...refused(stand, reason),
  place: stand.place,
});

/** Parked, and tried once more. */
export const retried = (stand: Stand): Stand => ({ ...stand, parked: undefined, wait: AT_ONCE });

export const postponed = (stand: Stand, at: number | undefined): Stand => ({ ...stand, wait: { ...stand.wait, at } });

/** It stands there as it should, and is written once more to see whether anything is taken. */
export const sentAgain = (stand: Stand, revision: number): Stand => ({
  ...postponed(stand, undefined),
  wanted: { ...stand.wanted, revision },
});

/** Another key that stands in the same row of the product went by being forgotten: the row may show that one's words. */
export const inherits = (stand: Stand, revision: number): Stand => ({
  ...stand,
  wanted: { ...stand.wanted, revision },
  present: { ...stand.present, is: 'maybe' },
  again: stand.call === undefined && rests(stand),
});

/** Whether it is what takes over a row of the product that others share, so that its removal would take the row away. */
export const isHeir = (stand: Stand): boolean =>
  (stand.wanted.is || isKept(stand)) && stand.hold?.kind !== 'addition' && phaseOf(stand) !== 'parked';

/** There is room for it now. */
export function letIn(stand: Stand, revision: number, now: number): Stand {
  const { place, wanted } = stand;
  if (place?.out !== true) return stand;
  return {
    ...stand,
    place: { ...place, out: false },
    wanted: { ...wanted, is: true, revision, cause: 'none', since: now },
    adopted: false,
    wait: AT_ONCE,
  };
}

/** Better ones have its place. */
export function putOut(stand: Stand, revision: number, now: number): Stand {
  const { place, wanted } = stand;
  if (place === undefined || place.out || stand.hold !== undefined) return stand;
  return {
    ...stand,
    place: { ...place, out: true },
    wanted: { ...wanted, is: false, revision, cause: 'full', since: now },
    parked: stand.call === undefined ? undefined : stand.parked,
    wait: AT_ONCE,
  };
}

/** Nothing else became of it since the brake noted it. `kept`: cut short, it would have stood until then. */
export function isAsNoted(stand: Stand, kind: Hold['kind'], kept: number | undefined): boolean {
  if (stand.hold !== undefined) return false;
  const there = stand.present.is !== 'no';
  if (kind === 'addition') return isVouched(stand) && !there;
  return kept === undefined ? !stand.wanted.is && there : there;
}

/** Beyond a brake. Its call may be under way: it rests in the hold once that has ended. */
export function held(stand: Stand, hold: Hold, kept: number | undefined): Stand {
  const due = kept === undefined ? stand.wanted.due : Math.min(stand.wanted.due ?? kept, kept);
  // What waits for a person takes nobody's place, and what it keeps nobody takes.
  const waits = hold.kind === 'addition' && stand.place?.out === true;
  const wanted: Wanted = waits ? { ...stand.wanted, is: true, cause: 'none' } : stand.wanted;
  const place =
    hold.kind === 'addition' || stand.place === undefined ? undefined : { ...stand.place, at: firm(stand.place.at) };
  const frozen: Stand = { ...stand, hold, place, wanted: { ...wanted, until: kept ?? wanted.until, due } };
  return stand.call === undefined ? { ...frozen, parked: undefined, again: false } : frozen;
}

/** Every partner was polled, and nobody vouches for what was adopted. From here its expiry counts, should a brake hold it. */
export const released = (stand: Stand): Stand => ({
  ...stand,
  adopted: false,
  wanted: { ...stand.wanted, due: stand.wanted.until },
});
