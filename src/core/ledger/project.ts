// From what the claims on an entry come to for one SIEM to what it shall hold there, and what is counted of it.
// Every change of wanted state goes through here: a new version of an object, an expiry, a changed rule, a suppression,
// the end of a hold.
import { firm } from './capacity.ts';
import type { Turn } from './holds.ts';
import { type Cause, isVouched, phaseOf, type Place, planned, type Stand, type Wanted } from './stand.ts';

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
  /** Undefined: its watchlist takes all. */
  readonly room: Room | undefined;
}

export interface Room {
  /** The place that it is worth (capacity.ts); what vouches for nothing has the lowest. */
  readonly place: number;
  /** All places are taken. */
  readonly full: boolean;
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

/** What is counted of it, for the brakes and for people. */
type Counted =
  | { readonly kind: 'added' }
  /** Policy takes away what stands there. */
  | { readonly kind: 'stopped' }
  /** `kept`: it still stands, and would have stood until then. */
  | { readonly kind: 'withdrawn'; readonly exchangeId: number; readonly kept?: number };

interface Projected {
  readonly stand: Stand | undefined;
  readonly counted: Counted | undefined;
}

const NOTHING: Projected = { stand: undefined, counted: undefined };

/** Nothing is known of the entry in this SIEM. */
export function projectNew(offer: Offer, { now, revision, refreshAfter }: Moment, slot: string | undefined): Projected {
  const { is: vouched, due } = wish(offer, now);
  if (!vouched && due === undefined) return NOTHING;
  const { content, vouchers, until, room } = offer;
  const place = vouched && room !== undefined ? { at: room.place, out: room.full } : undefined;
  const is = vouched && place?.out !== true;
  const refresh = is ? refreshAfter : undefined;
  const wanted: Wanted = {
    is,
    revision,
    content,
    vouchers,
    until,
    due: dueFrom(due, now, refresh),
    cause: vouched && !is ? 'full' : 'none',
    since: now,
  };
  return { stand: { ...planned(wanted, slot), place }, counted: vouched ? { kind: 'added' } : undefined };
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
  const { is: vouched, suppressed, due } = wish(offer, now);
  const other = had.content !== offer.content || reason.force === true;
  const answered = isVouched(stand) !== vouched;
  const news = answered || (vouched && other);
  const hold =
    stand.hold !== undefined && stays({ wanted: vouched, changed: news, until: offer.until, suppressed })
      ? stand.hold
      : undefined;
  const ended = stand.hold !== undefined && hold === undefined ? stand.hold.kind : undefined;
  const kept = hold?.kind === 'removal';

  // What was refused for good has no place until it says something new.
  const refused = stand.parked !== undefined && stand.place === undefined && present.is === 'no' && !news;
  const place = refused ? undefined : placeFor(stand, offer.room, vouched, hold);
  const is = vouched && place?.out !== true;
  const refreshAfter = is ? every : undefined;
  const turned = had.is !== is;
  const changed = turned || (is && other);
  const sentAt = present.revision / 1000;
  const stale = refreshAfter !== undefined && present.is === 'yes' && now >= sentAt + refreshAfter;
  const lapsed = had.until !== undefined && had.until <= now;

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
  if (!vouched && !there && nextDue === undefined && !busy && !kept) return NOTHING;

  const over = (): Cause => (kept ? 'withdrawn' : causeOf(suppressed, lapsed, offer, reason));
  const cause = is ? 'none' : vouched ? 'full' : answered ? over() : had.cause;
  const wanted: Wanted = {
    is,
    revision: fresher ? revision : had.revision,
    content: vouched ? offer.content : had.content,
    // An entry that is withdrawn keeps its vouchers until it is gone: they say in whose share it counted.
    vouchers: vouched ? offer.vouchers : had.vouchers,
    until,
    due: nextDue,
    cause,
    since: turned ? now : had.since,
  };
  const waits = waitsAdopted(stand, is, lapsed, suppressed);
  // In doubt whether it stands there, it is written: what waits for room would wait for the room that it fills itself.
  const stuck = (stand.parked !== undefined && !changed && !maySent) || waits;
  // What must go is looked at without delay, also where a lost call is still to be read back.
  const atOnce = (fresher && !busy && !stuck) || (turned && !is && phaseOf(stand) === 'uncertain');
  const next: Stand = {
    ...stand,
    wanted,
    present: maySent ? { ...present, is: 'maybe' } : present,
    hold,
    place: hold?.kind === 'addition' ? keptPlace(offer.room, there) : place,
    parked: busy || (stuck && place?.out !== true) ? stand.parked : undefined,
    adopted: waits,
    again: stand.again && kept,
    wait: {
      attempt: fresher && !stuck ? 0 : stand.wait.attempt,
      at: atOnce ? undefined : stand.wait.at,
    },
  };
  return { stand: next, counted: countedOf(stand, next, ended, offer, reason) };
}

/** What stands there has a place until better ones take it; what is new waits where all are taken. */
function placeFor(
  { place, present }: Stand,
  room: Room | undefined,
  vouched: boolean,
  hold: Stand['hold'],
): Place | undefined {
  if (room === undefined || hold?.kind === 'addition') return undefined;
  if (hold?.kind === 'removal') return { at: firm(room.place), out: false };
  if (!vouched) return undefined;
  return { at: room.place, out: place === undefined ? room.full && present.is === 'no' : place.out };
}

/** What waits for a person takes nobody's place. What may stand there although it does fills one all the same. */
const keptPlace = (room: Room | undefined, there: boolean): Place | undefined =>
  room !== undefined && there ? { at: firm(room.place), out: false } : undefined;

function countedOf(
  before: Stand,
  after: Stand,
  ended: 'removal' | 'addition' | undefined,
  offer: Offer,
  reason: Reason,
): Counted | undefined {
  const { wanted, hold } = after;
  if (hold !== undefined) return undefined;
  if (before.present.is === 'no') {
    // A rejected addition that comes anew is an addition once more.
    const anew = ended === 'addition' && reason.exchangeId !== 0;
    const added = (!isVouched(before) || anew) && isVouched(after);
    return added ? { kind: 'added' } : undefined;
  }
  const turned = before.wanted.is !== wanted.is;
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
