// The numbers in the tables, named. What becomes of a row of the projection is told in ledger/; stand-rows.ts
// alone spells a stand in these columns.

import type { Cause as CauseName, Is, Phase } from '../../ledger/stand.ts';
import type { Observable } from '../../model/observable.ts';
import type { History } from '../../runtime/health.ts';

export const STATE = {
  settled: 0,
  upsert: 1,
  remove: 2,
  flight: 3,
  accepted: 4,
  uncertain: 5,
  parked: 6,
  held: 7,
} as const satisfies Record<Phase, number>;
export type State = (typeof STATE)[keyof typeof STATE];

export const PRESENT = { no: 0, yes: 1, maybe: 2 } as const satisfies Record<Is, number>;
export type Present = (typeof PRESENT)[keyof typeof PRESENT];
export const PRESENCES = ['no', 'yes', 'maybe'] as const satisfies readonly Is[];

export const CAUSE = {
  none: 0,
  expired: 1,
  withdrawn: 2,
  policy: 3,
  suppressed: 4,
  unlisted: 5,
  adopted: 6,
  late: 7,
  full: 8,
} as const satisfies Record<CauseName, number>;
export type Cause = (typeof CAUSE)[CauseName];
export const CAUSES = [
  'none',
  'expired',
  'withdrawn',
  'policy',
  'suppressed',
  'unlisted',
  'adopted',
  'late',
  'full',
] as const satisfies readonly CauseName[];

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
  8: 'the watchlist is full of better ones',
};

export const OBJECT = { published: 0, revoked: 1, vanished: 2 } as const;

export interface StoredEntry extends Observable {
  readonly id: number;
}

export interface ProjectionRow {
  entry_id: number;
  wanted: 0 | 1;
  wanted_rev: number;
  content: number;
  /** Bit set of the exchanges whose claims carry the entry (voucherBit of ledger/admit.ts). */
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
  /** Of an accepted row: what was sent, and the receipt of the task that has it. */
  receipt: string | null;
  /** Of a parked row: why. */
  reason: string | null;
  /** Of a parked row: constant word for the refusal. */
  code: string | null;
  /** Id of the hold that bars it. */
  hold: number | null;
  hold_kind: Hold;
  /** What it is worth in a watchlist that takes only so many (ledger/capacity.ts), and whether it waits for a place there. */
  place: number | null;
  kept_out: 0 | 1;
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

/** The beginning of the day on which an entry was seen last. */
export const hitTime = (day: number | null): number | undefined => (day === null ? undefined : day * 86_400_000);

/** How the reading of a scope ended last, as its row keeps it. */
export interface StoredScope {
  readonly scope: string;
  readonly title: string;
  readonly history: History;
  readonly note?: string;
}
