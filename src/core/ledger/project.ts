// From what the claims on an entry come to for one SIEM to what it shall hold there, and what is counted of it.
// Every change of wanted state goes through here: a new version of an object, an expiry, a changed rule, a suppression,
// the end of a hold.
import { type Cause, phaseOf, planned, type Stand, type Wanted } from './stand.ts';

/** What the admitted claims come to at this moment. */
export interface Offer {
  /** Some claim vouches now. */
  readonly vouched: boolean;
  readonly until: number | undefined;
  /** Digest over what the SIEM would see. */
  readonly content: number;
  readonly vouchers: number;
  /** When the claims come to something else though none of them changes. */
  readonly nextChangeAt: number | undefined;
  /** Policy refused some of the claims. */
  readonly refused: boolean;
  /** An exchange among those that claim it left the configuration. */
  readonly left: number | undefined;
  /** A person took the value off until then. */
  readonly suppressedUntil: number | undefined;
}

/** Why it is computed: what an entry that turns unwanted now is put down to. */
export interface Reason {
  readonly cause: Cause;
  /** The exchange whose page, listing or removal set this off; 0 = none. */
  readonly exchangeId: number;
  /** Send again even if nothing changed that the digest covers (a threat name arrived). */
  readonly force?: boolean;
}

export interface Moment {
  readonly now: number;
  /** The one that new wishes get now. */
  readonly revision: number;
  /** What stands there is touched again after so long, before the product forgets it. */
  readonly refreshAfter: number | undefined;
  /** Up to this revision something may have been sent that the state, a copy of an older one, does not know of; 0: nothing. */
  readonly sentUpTo: number;
}

/** What a hold needs to know to end by itself (policy/holds.ts). */
export interface Turn {
  readonly wanted: boolean;
  readonly changed: boolean;
  readonly until: number | undefined;
  readonly suppressed: boolean;
}

/** What is counted of it, for the brakes and for people. */
export type Counted =
  | { readonly kind: 'added' }
  /** Policy takes away what stands there. */
  | { readonly kind: 'stopped' }
  /** `kept`: it still stands, and would have stood until then. */
  | { readonly kind: 'withdrawn'; readonly exchangeId: number; readonly kept?: number };

export interface Projected {
  readonly stand: Stand | undefined;
  readonly counted: Counted | undefined;
}

const NOTHING: Projected = { stand: undefined, counted: undefined };

/** Nothing is known of the entry in this SIEM. */
export function projectNew(offer: Offer, { now, revision, refreshAfter }: Moment, slot: string | undefined): Projected {
  const { is, due } = wish(offer, now);
  if (!is && due === undefined) return NOTHING;
  const { content, vouchers, until } = offer;
  const refresh = is ? refreshAfter : undefined;
  const wanted: Wanted = {
    is,
    revision,
    content,
    vouchers,
    until,
    due: dueFrom(due, now, refresh),
    cause: 'none',
    since: now,
  };
  return { stand: planned(wanted, slot), counted: is ? { kind: 'added' } : undefined };
}

/** `stays`: whether the hold that the stand names goes on. */
export function project(
  stand: Stand,
  offer: Offer,
  reason: Reason,
  { now, revision, refreshAfter: every, sentUpTo }: Moment,
  stays: (turn: Turn) => boolean,
): Projected {
  const { wanted: had, present } = stand;
  const { is, suppressed, due } = wish(offer, now);
  const refreshAfter = is ? every : undefined;
  const turned = had.is !== is;
  const changed = turned || (is && (had.content !== offer.content || reason.force === true));
  const sentAt = present.revision / 1000;
  const stale = refreshAfter !== undefined && present.is === 'yes' && now >= sentAt + refreshAfter;
  const lapsed = had.until !== undefined && had.until <= now;

  const hold =
    stand.hold !== undefined && stays({ wanted: is, changed, until: offer.until, suppressed }) ? stand.hold : undefined;
  const ended = stand.hold !== undefined && hold === undefined ? stand.hold.kind : undefined;
  const kept = hold?.kind === 'removal';
  // What was kept may have been written anew as it was kept, under the revision that is wanted.
  const fresher = changed || stale || ended === 'removal';
  // A copy of a state does not know what was sent after it was made; below the mark it may have been this.
  const maySent = present.is === 'no' && had.is && fresher && had.revision <= sentUpTo;
  const there = present.is !== 'no' || maySent;

  // What a hold keeps has the expiry it had; only then it goes by itself.
  const until = kept ? had.until : (offer.until ?? had.until);
  const ends = (kept || (!is && there)) && until !== undefined && until > now ? until : undefined;
  const nextDue = dueFrom(earlier(due, ends), fresher || present.is !== 'yes' ? now : sentAt, refreshAfter);
  const busy = stand.call !== undefined;
  if (!is && !there && nextDue === undefined && !busy && !kept) return NOTHING;

  const cause = is ? 'none' : !turned ? had.cause : kept ? 'withdrawn' : causeOf(suppressed, lapsed, offer, reason);
  const wanted: Wanted = {
    is,
    revision: fresher ? revision : had.revision,
    content: is ? offer.content : had.content,
    // An entry that is withdrawn keeps its vouchers until it is gone: they say in whose share it counted.
    vouchers: is ? offer.vouchers : had.vouchers,
    until,
    due: nextDue,
    cause,
    since: turned ? now : had.since,
  };
  const waits = waitsAdopted(stand, is, lapsed, suppressed);
  const stuck = (stand.parked !== undefined && !changed) || waits;
  // What must go is looked at without delay, also where a lost call is still to be read back.
  const atOnce = (fresher && !busy && !stuck) || (turned && !is && phaseOf(stand) === 'uncertain');
  const next: Stand = {
    ...stand,
    wanted,
    present: maySent ? { ...present, is: 'maybe' } : present,
    hold,
    parked: busy || stuck ? stand.parked : undefined,
    adopted: waits,
    again: stand.again && kept,
    wait: {
      attempt: fresher && !stuck ? 0 : stand.wait.attempt,
      at: atOnce ? undefined : stand.wait.at,
    },
  };
  return { stand: next, counted: countedOf(stand, next, ended, offer, reason) };
}

function countedOf(
  before: Stand,
  { wanted, hold }: Stand,
  ended: 'removal' | 'addition' | undefined,
  offer: Offer,
  reason: Reason,
): Counted | undefined {
  if (hold !== undefined) return undefined;
  const turned = before.wanted.is !== wanted.is;
  if (before.present.is === 'no') {
    // A rejected addition that comes anew is an addition once more.
    const anew = ended === 'addition' && reason.exchangeId !== 0;
    return (turned || anew) && wanted.is ? { kind: 'added' } : undefined;
  }
  if (turned && !wanted.is) {
    if (wanted.cause === 'policy') return { kind: 'stopped' };
    return wanted.cause === 'withdrawn'
      ? { kind: 'withdrawn', exchangeId: reason.exchangeId !== 0 ? reason.exchangeId : (offer.left ?? 0) }
      : undefined;
  }
  // Cut short by the partner: it still stands, and goes by itself sooner than was stated before.
  const kept = before.wanted.until;
  const cut = !turned && wanted.is && offer.until !== undefined && kept !== undefined && offer.until < kept;
  return cut && reason.cause === 'withdrawn' && reason.exchangeId !== 0
    ? { kind: 'withdrawn', exchangeId: reason.exchangeId, kept }
    : undefined;
}

function wish(
  { vouched, nextChangeAt, suppressedUntil }: Offer,
  now: number,
): { is: boolean; suppressed: boolean; due: number | undefined } {
  const suppressed = suppressedUntil !== undefined && suppressedUntil > now;
  return {
    is: vouched && !suppressed,
    suppressed,
    due: suppressed ? earlier(nextChangeAt, suppressedUntil) : nextChangeAt,
  };
}

/** Adopted ones wait for the partners; what expired of them goes with the release. */
const waitsAdopted = ({ adopted, wanted }: Stand, is: boolean, lapsed: boolean, suppressed: boolean): boolean =>
  adopted && wanted.is === is && !suppressed && (!lapsed || wanted.cause === 'adopted');

function causeOf(suppressed: boolean, lapsed: boolean, { left, refused }: Offer, { cause }: Reason): Cause {
  if (suppressed) return 'suppressed';
  // Whatever else set this off: at its expiry an entry goes, and no brake holds that.
  if (lapsed) return 'expired';
  if (cause === 'withdrawn') return 'withdrawn';
  // Claims of an exchange that left the configuration are withdrawn, under the brake.
  if (left !== undefined) return 'withdrawn';
  if (refused) return 'policy';
  return cause === 'none' ? 'expired' : cause;
}

/** When it is looked at next: when its claims say so, or when what was sent then has to be touched again. */
const dueFrom = (due: number | undefined, sentAt: number, refreshAfter: number | undefined): number | undefined =>
  refreshAfter === undefined ? due : earlier(due, Math.ceil(sentAt + refreshAfter));

const earlier = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
