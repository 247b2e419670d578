// One row that differs, as people are shown it: in which bucket, why, and what happens when. Pure; difference.ts finds them.
import { voucherBit } from '../../ledger/admit.ts';
import { type Observable, OBSERVABLE_TYPES, type ObservableType } from '../../model/observable.ts';
import { CAUSE, CAUSE_TEXT, PRESENCES, type ProjectionRow, STATE } from '../rows/rows.ts';
import { iso } from './moments.ts';

/** What is to happen, or why nothing does. */
export const BUCKETS = ['add', 'change', 'remove', 'hold', 'park', 'foreign'] as const;
export type Bucket = (typeof BUCKETS)[number];

/** As people are shown it. */
export interface DifferenceRow extends Observable {
  /** Its name among all rows. */
  readonly row: string;
  readonly siem: string;
  readonly bucket: Bucket;
  readonly wanted: boolean;
  readonly until: string | null;
  readonly present: 'no' | 'yes' | 'maybe';
  readonly exchanges: readonly string[];
  readonly why: string;
  readonly since: string;
  readonly attempts: number;
  readonly next: string | null;
  /** A call is under way. */
  readonly flying: boolean;
  readonly hold: number | null;
  /** For `parked retry`; null where better ones keep it out. */
  readonly id: string | null;
}

/** As the tables have it, with what is read beside it. */
export type DifferingRow = ProjectionRow & {
  readonly type: number;
  readonly value: string;
  readonly hold_reason: string | null;
};

/** A peer that is configured. */
export interface Named {
  readonly id: number;
  readonly name: string;
}

/** What a row is counted and shown as. */
export function bucketOf({ state, wanted, present, hold, kept_out: out }: ProjectionRow): Bucket {
  if (state === STATE.parked || (out === 1 && state === STATE.settled)) return 'park';
  if (state === STATE.held) return hold === null ? 'foreign' : 'hold';
  if (wanted === 0) return 'remove';
  return present === 1 ? 'change' : 'add';
}

/** `exchanges`: all that are configured. */
export function shownRow(row: DifferingRow, siem: Named, bucket: Bucket, exchanges: readonly Named[]): DifferenceRow {
  return {
    // The column holds a place in this list.
    type: OBSERVABLE_TYPES[row.type] as ObservableType,
    value: row.value,
    row: `${siem.id}-${row.entry_id}`,
    siem: siem.name,
    bucket,
    wanted: row.wanted === 1,
    until: iso(row.until),
    present: PRESENCES[row.present],
    exchanges: exchanges.filter(({ id }) => (row.vouchers & voucherBit(id)) !== 0).map(({ name }) => name),
    why: whyOf(row, bucket),
    since: new Date(row.since).toISOString(),
    attempts: row.attempt,
    next: iso(row.next_at),
    flying: row.state === STATE.flight || row.state === STATE.accepted,
    hold: row.hold,
    id: row.kept_out === 1 ? null : `${siem.id}-${row.entry_id}`,
  };
}

function whyOf(row: DifferingRow, bucket: Bucket): string {
  if (bucket === 'park' && row.kept_out === 1) return 'the watchlist is full, and what stands there is surer or newer';
  switch (bucket) {
    case 'add':
      return 'vouched for, and not there yet';
    case 'change':
      return 'what is said of it changed';
    case 'remove':
      return CAUSE_TEXT[row.cause] || 'nobody vouches for it any more';
    case 'park':
      return row.reason ?? 'refused';
    case 'hold':
      return row.hold_reason ?? 'a person decides';
    case 'foreign':
      return CAUSE_TEXT[CAUSE.adopted];
  }
}
