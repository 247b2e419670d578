// The claims that one SIEM may hold on one observable, merged to the entry that it shall hold: latest expiry,
// strongest confidence, strictest marking. Runs once per changed value and SIEM, nearly always over one claim.
import { digest48 } from '../model/digest.ts';
import type { Claim, Entry } from '../model/entry.ts';
import { papRank, stricterPap, stricterTlp, tlpRank, type Pap, type Tlp } from '../model/marking.ts';
import { entryKey, type Observable } from '../model/observable.ts';

export interface Admitted {
  readonly claim: Claim;
  /** Epoch milliseconds, exclusive (policy/expiry.ts). */
  readonly until: number;
  /** How the claim counts where it states no TLP: a matter of its own exchange. */
  readonly unmarked: Tlp;
  /** It counts as no less, whatever it states. */
  readonly atLeast?: Tlp;
}

const levelOf = ({ claim, unmarked, atLeast }: Admitted): Tlp =>
  stricterTlp(claim.tlp ?? unmarked, atLeast) ?? unmarked;

export interface Merged {
  /** Absent when no claim vouches now. */
  readonly entry?: Entry | undefined;
  /** The next moment at which this merge gives something else though no claim changed. Always after `now`. */
  readonly nextChangeAt?: number | undefined;
  /** 48 bits over everything of the entry that a SIEM would see; 0 without an entry. Does not depend on `now`. */
  readonly digest: number;
}

export function merge(observable: Observable, admitted: readonly Admitted[], now: number): Merged {
  const { entry, nextChangeAt } = mergeClaims(observable, admitted, now);
  return { entry, nextChangeAt, digest: entry === undefined ? 0 : digest48(seen(entry)) };
}

/** The same without the digest, which costs as much as the rest. */
export function mergeClaims(
  observable: Observable,
  admitted: readonly Admitted[],
  now: number,
): Omit<Merged, 'digest'> {
  const [only] = admitted;
  // The usual case needs no lists of its own.
  if (only !== undefined && admitted.length === 1 && isActive(only, now)) {
    return merged(observable, admitted, only.until, only.until);
  }

  let nextChangeAt = Number.POSITIVE_INFINITY;
  let until = Number.NEGATIVE_INFINITY;
  const active: Admitted[] = [];
  for (const one of admitted) {
    if (isActive(one, now)) {
      active.push(one);
      until = Math.max(until, one.until);
      nextChangeAt = Math.min(nextChangeAt, one.until);
    } else if (one.claim.validFrom > now && one.claim.validFrom < one.until) {
      nextChangeAt = Math.min(nextChangeAt, one.claim.validFrom);
    }
  }
  if (active.length === 0) return nextChangeAt === Number.POSITIVE_INFINITY ? NOTHING : { nextChangeAt };
  active.sort((a, b) => newestFirst(a.claim, b.claim));
  return merged(observable, active, until, nextChangeAt);
}

/**
 * The few of many claims that what they all come to depends on: the newest `keep`, and those that hold the latest end,
 * the strongest confidence, the strictest marking and the next change. Those of two lists, condensed together, are those
 * of all, so that more claims than fit can be gone through in parts. Only the newest are named as sources then.
 */
export function condense(admitted: readonly Admitted[], now: number, keep: number): Admitted[] {
  if (admitted.length <= keep) return [...admitted];
  const active = admitted.filter((one) => isActive(one, now)).sort((a, b) => newestFirst(a.claim, b.claim));
  const waiting = admitted.filter((one) => one.claim.validFrom > now && one.claim.validFrom < one.until);
  const tlpOf = (one: Admitted) => tlpRank(levelOf(one));
  const chosen = new Set(active.slice(0, keep));
  for (const one of [
    most(active, ({ until }) => until),
    most(active, ({ until }) => -until),
    most(active, ({ claim }) => -claim.validFrom),
    most(active, ({ claim }) => claim.confidence ?? -1),
    most(active, tlpOf),
    most(active, ({ claim }) => (claim.pap === undefined ? -1 : papRank(claim.pap))),
    most(waiting, ({ claim }) => -claim.validFrom),
  ]) {
    if (one !== undefined) chosen.add(one);
  }
  return [...chosen];
}

/** The first of those with the highest number. */
function most(of: readonly Admitted[], number: (one: Admitted) => number): Admitted | undefined {
  let best: Admitted | undefined;
  for (const one of of) if (best === undefined || number(one) > number(best)) best = one;
  return best;
}

const NOTHING: Omit<Merged, 'digest'> = {};

const isActive = ({ claim, until }: Admitted, now: number) => claim.validFrom <= now && now < until;

/** Exchange and id break ties, so that the order in which claims arrived never shows. */
function newestFirst(a: Claim, b: Claim): number {
  return compare(b.version, a.version) || compare(a.exchange, b.exchange) || compare(a.objectId, b.objectId);
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function merged(
  observable: Observable,
  active: readonly Admitted[],
  until: number,
  nextChangeAt: number,
): Omit<Merged, 'digest'> {
  let validFrom = Number.POSITIVE_INFINITY;
  let confidence: number | undefined;
  let tlp: Tlp = 'clear';
  let pap: Pap | undefined;
  for (const one of active) {
    const { claim } = one;
    validFrom = Math.min(validFrom, claim.validFrom);
    if (claim.confidence !== undefined && !(confidence !== undefined && confidence >= claim.confidence)) {
      confidence = claim.confidence;
    }
    tlp = stricterTlp(tlp, levelOf(one)) ?? tlp;
    pap = stricterPap(pap, claim.pap);
  }
  const entry: { -readonly [K in keyof Entry]: Entry[K] } = {
    type: observable.type,
    value: observable.value,
    key: entryKey(observable.type, observable.value),
    validFrom,
    until,
    tlp,
    claims: active.map((one) => one.claim),
  };
  if (confidence !== undefined) entry.confidence = confidence;
  if (pap !== undefined) entry.pap = pap;
  return { entry, nextChangeAt };
}

/**
 * A claim's own digest stands for its id, version and content, so that nothing of them has to be read here. Markings
 * are not only its own: a definition that comes later may change them.
 */
function seen(entry: Entry): string {
  let text = `${entry.until}|${entry.validFrom}|${entry.confidence}|${entry.tlp}|${entry.pap}`;
  for (const claim of entry.claims) text += `|${claim.exchange}|${claim.digest}|${claim.tlp}|${claim.pap}`;
  return text;
}
