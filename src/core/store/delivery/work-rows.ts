// Rows that need work, in the order of their entries, with what a change is made of: the entry and its published claims.
import { OBSERVABLE_TYPES } from '../../model/observable.ts';
import { CLAIM_COLUMNS, claimRow } from '../rows/claims.ts';
import {
  OBJECT,
  type ObjectRow,
  type Present,
  type ProjectionRow,
  type State,
  type StoredEntry,
} from '../rows/rows.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';

export type WorkRow = Pick<
  ProjectionRow,
  'entry_id' | 'wanted_rev' | 'present' | 'handle' | 'vouchers' | 'due' | 'until' | 'hold_kind'
> & {
  type: number;
  value: string;
  crowded: number;
  claims: ObjectRow[];
  /** Of what is sent: the newest object that vouches, and the marking. */
  object: string | null;
  marking: string | null;
};

/** Columns of the work statement before those of the claim. */
const WORK_COLUMNS = 11;
/** Rows of one selection: what is made for them is young garbage when the next one begins. */
const SELECTION = 250;

export class WorkRows {
  readonly #work;

  constructor({ db }: StoreContext) {
    // One statement for many rows and their claims: one per entry takes three times as long.
    this.#work = db.lists(
      `SELECT p.entry_id, p.wanted_rev, p.present, p.handle, p.vouchers, p.due, p.until, p.hold_kind, e.type, e.value, e.crowded, ${CLAIM_COLUMNS}
       FROM (SELECT * FROM projection INDEXED BY projection_work
             WHERE siem_id = ? AND state <> 0 AND state = ? AND entry_id > ? AND (next_at IS NULL OR next_at <= ?)
             ORDER BY entry_id LIMIT ?) p
       JOIN entry e ON e.id = p.entry_id LEFT JOIN contribution c ON c.entry_id = p.entry_id AND e.crowded = 0
       LEFT JOIN object o ON o.id = c.object_id AND o.state = ${OBJECT.published} ORDER BY p.entry_id`,
    );
  }

  /** Of that state, behind the entry `after`. */
  behind(siem: SiemState, state: State, after: number, now: number, most: number): WorkRow[] {
    const rows: WorkRow[] = [];
    for (const columns of this.#work(siem.id, state, after, now, Math.min(most, SELECTION))) {
      let row = rows.at(-1);
      if (row === undefined || row.entry_id !== columns[0]) {
        row = workRow(columns);
        rows.push(row);
      }
      if (columns[WORK_COLUMNS] !== null) row.claims.push(claimRow(columns, WORK_COLUMNS));
    }
    return rows;
  }
}

export function stored(row: { entry_id: number; type: number; value: string }): StoredEntry {
  return { id: row.entry_id, type: OBSERVABLE_TYPES[row.type]!, value: row.value };
}

function workRow(columns: readonly unknown[]): WorkRow {
  // In the order of the work statement.
  return {
    entry_id: columns[0] as number,
    wanted_rev: columns[1] as number,
    present: columns[2] as Present,
    handle: columns[3] as string | null,
    vouchers: columns[4] as number,
    due: columns[5] as number | null,
    until: columns[6] as number | null,
    hold_kind: columns[7] as ProjectionRow['hold_kind'],
    type: columns[8] as number,
    value: columns[9] as string,
    crowded: columns[10] as number,
    claims: [],
    object: null,
    marking: null,
  };
}
