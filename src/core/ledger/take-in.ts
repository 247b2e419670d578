// What becomes of an object that is known when a version of it arrives.
//
// Rules (STIX 2.1 §3.6, and what feeds really do): the higher `modified` wins, however late it comes; a revoked id stays a
// tombstone, so a later unrevoked version is dropped; the same version with other content keeps the first, except towards
// less (earlier valid_until, stricter marking, benign).
import { DECAYED, type IncomingIndicator, type IndicatorFacts } from '../model/entry.ts';
import { type Pap, stricterPap, stricterTlp, type Tlp } from '../model/marking.ts';
import { OLDEST_VERSION } from '../model/timestamp.ts';
import { cutsShort, type Validity } from './holds.ts';

export interface Known {
  readonly state: 'published' | 'revoked' | 'vanished';
  readonly version: string;
  readonly digest: number;
  readonly validity: Validity;
  /** Read by older rules of our own. */
  readonly outdated: boolean;
}

type Arriving = Pick<IncomingIndicator, 'version' | 'revoked' | 'digest' | 'validFrom' | 'validUntil' | 'benign'>;

/** `cause`: what its entries are put down to where they turn unwanted. */
type TakenIn =
  | { readonly kind: 'unchanged' }
  /** Revoked once more, with other words: what it says of its marking counts where that is stricter. */
  | { readonly kind: 'repeated' }
  /** Older than what is known, or after a revocation. */
  | { readonly kind: 'outdated' }
  /** Revoked, as of this version. */
  | { readonly kind: 'ended'; readonly version: string; readonly cause: 'withdrawn' }
  /** It had vanished, and counts again. `tighten`: with other content. */
  | { readonly kind: 'returned'; readonly tighten: boolean; readonly cause: 'none' }
  /** Same version, other content: only what arms less is taken over. */
  | { readonly kind: 'conflicting'; readonly cause: 'none' | 'withdrawn' }
  /**
   * Its content is this now. `byUs`: nobody changed anything but the rules that we read by, so that no brake counts
   * values that it names no longer (`left`).
   */
  | {
      readonly kind: 'replaced';
      readonly byUs: boolean;
      readonly cause: 'none' | 'withdrawn';
      readonly left: 'withdrawn' | 'policy';
    };

export function takeIn(known: Known, incoming: Arriving): TakenIn {
  // Revocation is final: only a repeat of it is expected after it.
  if (known.state === 'revoked') {
    if (!incoming.revoked) return { kind: 'outdated' };
    return { kind: incoming.digest === known.digest ? 'unchanged' : 'repeated' };
  }
  if (incoming.revoked) {
    const newest = [incoming.version, known.version].sort().at(-1)!;
    return { kind: 'ended', version: newest, cause: 'withdrawn' };
  }
  // Harmless, whatever its version is: it takes away from the one that is known.
  const undated = incoming.benign === true && incoming.version === OLDEST_VERSION;
  if (incoming.version < known.version && !undated) return { kind: 'outdated' };
  const cause = withdraws(known.validity, incoming) ? 'withdrawn' : 'none';
  const same = incoming.version === known.version || undated;
  // Read by older rules, the same version says what it says now.
  if (!same || (known.outdated && !undated))
    return { kind: 'replaced', byUs: same, cause, left: same ? 'policy' : 'withdrawn' };
  const conflicting = incoming.digest !== known.digest;
  if (known.state === 'vanished') return { kind: 'returned', tighten: conflicting, cause: 'none' };
  return conflicting ? { kind: 'conflicting', cause } : { kind: 'unchanged' };
}

/** A score that the partner's server computes anew at each reading has to move by so much to say something else. */
const SCORE_STEP = 5;

export interface KnownScore extends Pick<Known, 'state' | 'version' | 'digest' | 'outdated'> {
  readonly confidence: number | undefined;
  readonly refusal: string | undefined;
}

/**
 * Of a replaced one that is scored: what there is to take in of it, with the score that is known where the new one lies
 * near it, so that nothing comes and goes with a score that trembles, wherever a SIEM draws its line. What is over goes at once
 * and comes back by a whole step. A new edit counts as it is. Undefined: it says nothing new.
 */
export function steadied(known: KnownScore, incoming: IncomingIndicator): IncomingIndicator | undefined {
  if (incoming.scored !== true || known.state !== 'published' || known.outdated) return incoming;
  const [score, kept] = [incoming.confidence, known.confidence];
  if (score === undefined || kept === undefined || Math.abs(score - kept) >= SCORE_STEP) return incoming;
  if (editedAt(known.version) !== editedAt(incoming.version)) return incoming;
  const [over, wasOver] = [incoming.refusal === DECAYED, known.refusal === DECAYED];
  if (wasOver && !over) return undefined;
  if (over !== wasOver) return incoming;
  return known.digest === incoming.digest ? undefined : { ...incoming, confidence: kept };
}

/** To the second: what stands behind it tells readings of one edit apart (misp/version.ts). */
const editedAt = (version: string): string => version.slice(0, 19);

/** To mark an object benign, or to cut its validity short, is to withdraw it. */
const withdraws = (before: Validity, incoming: Arriving): boolean =>
  incoming.benign === true || cutsShort(before, { from: incoming.validFrom, until: incoming.validUntil });

/** What an object says, as far as a second content of one version may change it. */
export interface Stated {
  readonly until: number | undefined;
  readonly tlp: Tlp | undefined;
  readonly pap: Pap | undefined;
  /** Markings that only their exchange can explain. */
  readonly refs: readonly string[];
  readonly benign: boolean;
  readonly facts: string;
}

/** Of both contents whatever arms less. */
export function tightened(known: Stated, incoming: IncomingIndicator): Stated {
  return {
    until: earlier(known.until, incoming.validUntil),
    tlp: stricterTlp(known.tlp, incoming.tlp),
    pap: stricterPap(known.pap, incoming.pap),
    refs: [...new Set([...known.refs, ...(incoming.openMarkings ?? [])])],
    benign: known.benign || incoming.benign === true,
    facts: factsBeside(known.facts, incoming.facts),
  };
}

/** Of a withdrawn one only the levels count: a hold may keep what it names, and no marking that nobody explained ends that. */
export function marked(known: Stated, incoming: IncomingIndicator, explained: Pick<Stated, 'tlp' | 'pap'>): Stated {
  const { tlpLabel } = incoming.facts.includes('"tlpLabel"') ? (JSON.parse(incoming.facts) as IndicatorFacts) : {};
  return {
    ...known,
    // Beside a level that is stated no label would count any more.
    tlp: stricterTlp(known.tlp, known.tlp === undefined ? explained.tlp : stricterTlp(explained.tlp, tlpLabel)),
    pap: stricterPap(known.pap, explained.pap),
    facts: factsBeside(known.facts, incoming.facts),
  };
}

/** Only a stricter label counts. */
function factsBeside(known: string, incoming: string): string {
  if (!incoming.includes('"tlpLabel"')) return known;
  const facts = JSON.parse(known) as IndicatorFacts;
  const tlpLabel = stricterTlp(facts.tlpLabel, (JSON.parse(incoming) as IndicatorFacts).tlpLabel);
  return tlpLabel === undefined || tlpLabel === facts.tlpLabel ? known : JSON.stringify({ ...facts, tlpLabel });
}

const earlier = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
