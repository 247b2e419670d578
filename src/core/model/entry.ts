// The values that flow inwards: an indicator as an exchange states it, the claim it makes on an observable,
// and the entry that a SIEM shall hold once claims have been judged and merged.
import type { Pap, Tlp } from './marking.ts';
import type { EntryKey, Observable } from './observable.ts';

/** What an analyst wants to know of an indicator. Texts are already cut to length and free of control characters. */
export interface IndicatorFacts {
  readonly name?: string;
  readonly description?: string;
  readonly types?: readonly string[];
  readonly labels?: readonly string[];
  /** The TLP that only its labels spell: it makes stricter what the object counts as, and never opens. */
  readonly tlpLabel?: Tlp;
  /** STIX id of the creator, resolved to a name when an entry is encoded. */
  readonly createdBy?: string;
  readonly created?: string;
  /** Kept only for indicators of which nothing, or not everything, could be used, cut to length. */
  readonly pattern?: string;
  /** Of those, what exactly stood in the way. */
  readonly detail?: string;
  readonly statements?: readonly string[];
  /** It states URLs without a scheme, which stand for both spellings (policy.bare_urls). */
  readonly bare?: boolean;
}

/** The refusal of one whose score, by the partner's own rules, has come to its end. */
export const DECAYED = "over by the partner's decay model";

/** One version of an indicator as an exchange published it, reduced to what we use. */
export interface IncomingIndicator {
  readonly kind: 'indicator';
  readonly objectId: string;
  /** `modified` as UTC with exactly nine fraction digits, so that text order is time order. */
  readonly version: string;
  readonly revoked: boolean;
  /** Epoch milliseconds. */
  readonly validFrom: number;
  /** Epoch milliseconds, exclusive; absent = open-ended. */
  readonly validUntil?: number;
  /** Where its lifetime counts from, epoch milliseconds; absent = the later of `version` and `validFrom`. */
  readonly lifeFrom?: number;
  /** 0 to 100; absent = not stated, which is not 0. */
  readonly confidence?: number;
  /** Strictest level among object and granular markings that are known by id, definition or name. */
  readonly tlp?: Tlp;
  readonly pap?: Pap;
  /** Marking references that only a marking-definition of this exchange can explain; until then they keep it out. */
  readonly openMarkings?: readonly string[];
  readonly benign?: boolean;
  /** Empty when refused. */
  readonly observables: readonly Observable[];
  /** Why nothing, or not everything, could become an entry: a short constant reason, fit to be counted. */
  readonly refusal?: string;
  /** IndicatorFacts as JSON, the form that is kept: most are never looked at again. */
  readonly facts: string;
  /**
   * Its confidence is a score that the partner's server computes anew at each reading, edited or not: what follows from a
   * score that hardly moved is no news (ledger/take-in.ts), and no part of the digest.
   */
  readonly scored?: boolean;
  /** 48-bit digest over the fields above: tells two contents under one version apart. */
  readonly digest: number;
  /** Where it is refused or revoked: what its pattern names all the same (named.ts). */
  readonly named?: readonly number[];
}

/** Objects that explain indicators. They may come before or after them, or never. */
export type IncomingContext =
  | {
      readonly kind: 'name';
      readonly objectId: string;
      readonly version: string;
      readonly type: string;
      readonly name: string;
    }
  | {
      readonly kind: 'marking';
      readonly objectId: string;
      readonly tlp?: Tlp;
      readonly pap?: Pap;
      readonly statement?: string;
      /** What it says is not understood, as words to follow "marking X". */
      readonly unread?: string;
    }
  | {
      readonly kind: 'relationship';
      readonly objectId: string;
      readonly version: string;
      readonly revoked: boolean;
      readonly relation: string;
      readonly source: string;
      readonly target: string;
    };

export type IncomingObject = IncomingIndicator | IncomingContext;

/** An object that could not be read at all. It never sinks the page it came with. */
export interface ObjectRefusal {
  readonly objectId: string | undefined;
  /** Short and constant, fit to be counted. */
  readonly reason: string;
  /** The particular case, cut to length. */
  readonly detail?: string;
  /** For people who look for it, cut to length. */
  readonly name?: string;
  readonly pattern?: string;
  /** What the whole pattern names (named.ts). */
  readonly named?: readonly number[];
}

/** What one object of one exchange says about one observable, as policy sees it. */
export interface Claim {
  readonly exchange: string;
  readonly objectId: string;
  readonly version: string;
  /** Digest of the object's content in this version. */
  readonly digest: number;
  readonly validFrom: number;
  readonly validUntil?: number | undefined;
  /** Where its lifetime counts from (policy/expiry.ts); absent = by its own times alone. */
  readonly lifeFrom?: number | undefined;
  readonly confidence?: number | undefined;
  readonly tlp?: Tlp | undefined;
  readonly pap?: Pap | undefined;
  /** The marking that keeps it out because nobody explained it, as words to follow "refers to". */
  readonly unexplained?: string | undefined;
  readonly benign: boolean;
  /** The facts as they are kept, where they are: nearly none of them has to be parsed. */
  readonly factsText?: string | undefined;
  readonly facts: IndicatorFacts;
  /** Name of the creator, if its identity was received. */
  readonly provider?: string | undefined;
  /** Malware, campaign and actor names that the indicator `indicates`. */
  readonly threats?: readonly string[] | undefined;
}

/** What its claims and the lists that name it say of an entry in single words, for who looks at it in a SIEM. */
export const labelsOf = ({ claims, noted = [] }: Entry): string[] => [
  ...claims.flatMap((claim) => claim.facts.labels ?? []),
  ...noted.map((list) => `on list ${list}`),
];

/** What one SIEM shall hold for one observable: the merge of the claims that this SIEM may hold. */
export interface Entry extends Observable {
  readonly key: EntryKey;
  /** Earliest `valid_from` of the admitted claims, epoch milliseconds. */
  readonly validFrom: number;
  /** Latest expiry of the admitted claims, epoch milliseconds, exclusive. */
  readonly until: number;
  /** Strongest confidence, absent when no admitted claim states one. */
  readonly confidence?: number;
  /** Strictest marking; claims without one count as configured (`unmarked`). */
  readonly tlp: Tlp;
  readonly pap?: Pap;
  /** Never-block lists that name the value and only note. Absent where none does. */
  readonly noted?: readonly string[];
  /** The admitted claims, newest version first. */
  readonly claims: readonly Claim[];
}
