// The numbers in the projection table, named.
//
// A row moves like this:
//   wanted differs from present -> UPSERT or REMOVE (needs work) -> FLIGHT (intent is on disk, call under way)
//   FLIGHT -> SETTLED applied | ACCEPTED a receipt is stored | UPSERT/REMOVE again with next_at | PARKED refused for good
//   FLIGHT -> UNCERTAIN the call may or may not have had its effect, on a product without versions: read back first
//   any resting state -> HELD while `hold` names a hold that was not approved, or while it was adopted and its partners
//   were not polled since.
// While in FLIGHT, ACCEPTED or UNCERTAIN a row is not sent again; a change of wanted meanwhile only raises wanted_rev.
// `hold` is a property of the row and no state of its call: whatever becomes of the call, the row rests in HELD.

import type { History } from '../runtime/health.ts';

export const STATE = {
  settled: 0,
  upsert: 1,
  remove: 2,
  flight: 3,
  accepted: 4,
  uncertain: 5,
  parked: 6,
  held: 7,
} as const;
export type State = (typeof STATE)[keyof typeof STATE];

/** maybe counts as absent for upserts and as present for removals, so that a crash leaves no orphan. */
export const PRESENT = { no: 0, yes: 1, maybe: 2 } as const;
export type Present = (typeof PRESENT)[keyof typeof PRESENT];

/** Why an entry is not wanted any more. Only `withdrawn` counts for the removal brake. */
export const CAUSE = {
  none: 0,
  expired: 1,
  withdrawn: 2,
  policy: 3,
  suppressed: 4,
  unlisted: 5,
  adopted: 6,
  late: 7,
} as const;
export type Cause = (typeof CAUSE)[keyof typeof CAUSE];

/**
 * What a hold does to its row. A held removal keeps the entry as it stands, and has it written anew where it is lost; a
 * held addition keeps it out.
 */
export const HOLD = { none: 0, removal: 1, addition: 2 } as const;
export type Hold = (typeof HOLD)[keyof typeof HOLD];

export const CAUSE_TEXT: Readonly<Record<Cause, string>> = {
  0: '',
  1: 'expired',
  2: 'withdrawn by the partner',
  3: 'not allowed by policy',
  4: 'suppressed',
  5: 'its exchange was removed from the configuration',
  6: 'found in the SIEM under our mark, vouched for by nobody',
  7: 'written late by a call that had been given up',
};

export const OBJECT = { published: 0, revoked: 1, vanished: 2 } as const;

export interface ProjectionRow {
  entry_id: number;
  wanted: 0 | 1;
  wanted_rev: number;
  content: number;
  /** Bit set of the exchanges whose claims carry the entry (voucherBit). */
  vouchers: number;
  until: number | null;
  due: number | null;
  present: Present;
  rev: number;
  state: State;
  cause: Cause;
  since: number;
  sent_rev: number | null;
  batch: number | null;
  attempt: number;
  next_at: number | null;
  slot: string | null;
  handle: string | null;
  note: string | null;
  /** Of a parked row: constant word for the refusal. */
  code: string | null;
  /** Id of the hold that bars it. */
  hold: number | null;
  hold_kind: Hold;
}

export interface ObjectRow {
  id: number;
  exchange_id: number;
  object_id: string;
  version: string;
  state: number;
  valid_from: number;
  valid_until: number | null;
  confidence: number | null;
  tlp: number | null;
  pap: number | null;
  benign: number;
  open_markings: string | null;
  refusal: string | null;
  digest: number;
  facts: string;
  /** The marking that nobody explained, as words to follow "refers to". */
  unexplained: string | null;
  /** Where its lifetime counts from; null = it was taken in before that was kept, and not gone through yet. */
  life_from: number | null;
}

/** Of an object that is found again: the rules under which it was read. */
export interface FoundObject extends ObjectRow {
  canon: number;
}

/** Bit of an exchange in `vouchers`; beyond 31 exchanges some share one, which only makes a brake's share coarser. */
export const voucherBit = (exchangeId: number): number => 1 << (exchangeId % 31);

/** A call is under way or may be: the row is not sent again. */
export const isBusy = (state: State): boolean =>
  state === STATE.flight || state === STATE.accepted || state === STATE.uncertain;

/** What says how a row rests. */
export type Standing = Pick<ProjectionRow, 'wanted' | 'present' | 'rev' | 'wanted_rev' | 'hold_kind'>;

/** The state that a row asks for, calls under way apart. */
export function restingState({ wanted, present, rev, wanted_rev: wantedRev, hold_kind: hold }: Standing): State {
  if (hold === HOLD.removal) return present === PRESENT.no ? STATE.upsert : STATE.held;
  if (hold === HOLD.addition) return STATE.held;
  if (wanted === 1) return present === PRESENT.yes && rev === wantedRev ? STATE.settled : STATE.upsert;
  return present === PRESENT.no ? STATE.settled : STATE.remove;
}

/** A held removal keeps it armed though nobody vouches for it. */
export const isKept = ({ wanted, hold_kind: hold }: Pick<ProjectionRow, 'wanted' | 'hold_kind'>): boolean =>
  wanted === 0 && hold === HOLD.removal;

/** How the reading of a scope ended last, as its row keeps it. */
export interface StoredScope {
  readonly scope: string;
  readonly title: string;
  readonly history: History;
  readonly note?: string;
}
