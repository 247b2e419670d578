// A hit is what a SIEM saw, a sighting is what leaves. Both are narrow on purpose: there is no field in which a
// host, a user, an address, a log line, a rule name or any free text of ours could travel.
import type { Pap, Tlp } from './marking.ts';
import type { EntryKey, Observable } from './observable.ts';

export const VERDICTS = ['seen', 'false_positive'] as const;
/** false_positive: a person said that it is no threat, by closing an alert or by `suppress --false-positive`. */
export type Verdict = (typeof VERDICTS)[number];

/** One match of an entry in a SIEM. */
export interface Hit {
  readonly key: EntryKey;
  readonly verdict: Verdict;
  /** When it happened, epoch milliseconds; the same moment twice for a single event. */
  readonly first: number;
  readonly last: number;
  readonly count: number;
  /** A digest of what the SIEM identifies the match by, from `hitDigest`: tells a match that is read twice. */
  readonly dedupe: string;
}

export const SIGHTING_KINDS = ['seen', 'false_positive', 'expired'] as const;
/** `expired` belongs to exchanges that can be told so (MISP sighting type 2); STIX has no form for it. */
export type SightingKind = (typeof SIGHTING_KINDS)[number];

/** What leaves towards one exchange about one of its objects. */
export interface Sighting {
  /** UUID, derived: the same hits make the same one. Also the uuid of a MISP sighting. */
  readonly uuid: string;
  readonly kind: SightingKind;
  /** The object that was sighted, as its exchange names it. */
  readonly objectId: string;
  /** Where its exchange showed it last: a collection, a MISP event, a file. Absent where that is forgotten. */
  readonly scope?: string;
  /** Epoch milliseconds, cut to the configured precision. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly count: number;
  /** Start of the window, epoch milliseconds, cut to the precision too. */
  readonly created: number;
  /** Epoch microseconds, derived from the hits: greater for every later content under this uuid. */
  readonly modified: number;
  /** Of the sighted object, the strictest of its levels; never weaker. */
  readonly tlp: Tlp;
  /** Attempts before this one. From the second on the exchange may have it already, and is asked before it is sent again. */
  readonly attempt?: number;
}

/** What tells a sighting that was handed over, in the version it had then. */
export type Posted = Pick<Sighting, 'uuid' | 'kind' | 'created' | 'modified' | 'attempt'>;

/** Who we are to a partner. */
export interface Identity {
  readonly id: string;
  readonly name: string;
  readonly class: string;
}

/** What the release rules look at: the object's own markings, and the sighting itself. */
export interface ReleaseFacts {
  /** The exchange it would go to. */
  readonly to: string;
  /** The exchange the object came from. */
  readonly from: string;
  readonly kind: SightingKind;
  /** Absent = unmarked. */
  readonly tlp?: Tlp;
  readonly pap?: Pap;
  readonly statements: readonly string[];
  readonly types: readonly Observable['type'][];
  readonly count: number;
  /** Time of the last hit, epoch milliseconds. */
  readonly last: number;
}
