// Steps of many stands in one statement each, where nearly all of them go the same way: a batch that is taken, one that
// was applied, a task that took one. What a statement cannot tell it leaves to be written one by one. stand-runs.test.ts
// holds each of them to the pure rules of ledger/.
import { OBSERVABLE_TYPES, type ObservableType } from '../../model/observable.ts';
import { settled } from '../../ledger/call.ts';
import type { Op } from '../../ledger/stand.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import { PRESENT, type ProjectionRow, STATE } from '../rows/rows.ts';
import { standOf, toldOf } from '../rows/stand-rows.ts';

const AT_REST =
  'sent_rev = NULL, batch = NULL, attempt = 0, next_at = NULL, receipt = NULL, reason = NULL, code = NULL';
const WORK = 'INDEXED BY projection_work';
/** What a task removed, and is kept for the moment from which it is wanted again. */
const GOES = 'p.wanted = 0 AND p.due IS NOT NULL AND p.kept_out = 0';

type Joined = ProjectionRow & { readonly type: number; readonly value: string };

/** Entries in the order of their ids. */
export interface Run {
  readonly first: number;
  readonly last: number;
}

export class StandRuns {
  readonly #store: StoreContext;

  constructor(store: StoreContext) {
    this.#store = store;
  }

  #count(siem: SiemState, name: string, by: number): void {
    this.#store.count(`siem:${siem.id}`, name, by);
  }

  /**
   * `taken`, of all that are ready in the run; those skipped on the way have left their phase. `absent`: of which type
   * those are that nobody knew to stand there. Returns how many.
   */
  taken(
    siem: SiemState,
    op: Op,
    { first, last }: Run,
    batch: number,
    now: number,
    absent: readonly ObservableType[],
  ): number {
    for (const [type, some] of Map.groupBy(absent, (one) => one)) this.#count(siem, `present:${type}`, some.length);
    return this.#store.db.changes(
      `UPDATE projection SET state = ${STATE.flight}, sent_rev = wanted_rev, batch = ?, receipt = NULL, reason = NULL, code = NULL,
         present = CASE present WHEN ${PRESENT.no} THEN ${PRESENT.maybe} ELSE present END
       WHERE siem_id = ? AND state = ? AND state <> 0 AND entry_id BETWEEN ? AND ? AND (next_at IS NULL OR next_at <= ?)`,
      batch,
      siem.id,
      STATE[op],
      first,
      last,
      now,
    );
  }

  /** `settled` as applied, of all upserts of a batch whose wish is still what was sent. Returns how many. */
  upserted(siem: SiemState, { first, last }: Run, batch: number): number {
    const n = this.#store.db.changes(
      `UPDATE projection SET state = ${STATE.settled}, present = ${PRESENT.yes}, rev = sent_rev, ${AT_REST}
       WHERE siem_id = ? AND state = ${STATE.flight} AND entry_id BETWEEN ? AND ? AND batch = ? AND wanted = 1
         AND wanted_rev = sent_rev AND hold IS NULL`,
      siem.id,
      first,
      last,
      batch,
    );
    this.#count(siem, 'pending', -n);
    this.#count(siem, 'delivered', n);
    return n;
  }

  /** `settled` as accepted, of all of a batch, whatever is wanted of them meanwhile. */
  accepted(siem: SiemState, { first, last }: Run, batch: number, op: Op, receipt: string): void {
    this.#store.db.run(
      `UPDATE projection SET state = ${STATE.accepted}, present = ${PRESENT.maybe}, batch = NULL, receipt = ?
       WHERE siem_id = ? AND state = ${STATE.flight} AND entry_id BETWEEN ? AND ? AND batch = ?`,
      toldOf(op, receipt),
      siem.id,
      first,
      last,
      batch,
    );
  }

  /** `settled` as applied, of all that a task was given whose wish is still what was sent. Returns how many. */
  told(siem: SiemState, receipt: string): number {
    const { db } = this.#store;
    const waiting = (of: string): string => `SELECT p.entry_id FROM projection p ${WORK}
      WHERE p.siem_id = ${siem.id} AND p.state <> 0 AND p.state = ${STATE.accepted} AND p.receipt = ? AND p.wanted_rev = p.sent_rev AND p.hold IS NULL AND ${of}`;
    for (const op of ['upsert', 'remove'] as const)
      this.#told(siem, op, waiting(op === 'upsert' ? 'p.wanted = 1' : GOES), toldOf(op, receipt));
    const upserted = db.changes(
      `UPDATE projection SET state = ${STATE.settled}, present = ${PRESENT.yes}, rev = sent_rev, ${AT_REST}
       WHERE siem_id = ? AND entry_id IN (${waiting('p.wanted = 1')})`,
      siem.id,
      toldOf('upsert', receipt),
    );
    this.#count(siem, 'delivered', upserted);
    // What waits for no moment to come goes for good, one by one: its row is deleted.
    const gone = waiting(GOES);
    const types = db.all<{ type: number; n: number }>(
      `SELECT type, count(*) AS n FROM entry WHERE id IN (${gone}) GROUP BY type`,
      toldOf('remove', receipt),
    );
    const removed = db.changes(
      `UPDATE projection SET state = ${STATE.settled}, present = ${PRESENT.no}, rev = 0, ${AT_REST}, handle = NULL, due = ?
       WHERE siem_id = ? AND entry_id IN (${gone})`,
      this.#store.engineTime,
      siem.id,
      toldOf('remove', receipt),
    );
    for (const { type, n } of types) this.#count(siem, `present:${OBSERVABLE_TYPES[type]}`, -n);
    this.#count(siem, 'pending', -upserted - removed);
    return upserted + removed;
  }

  /** For the record, before the task's rows are written in one statement: what they are, and what becomes of them. */
  #told(siem: SiemState, op: Op, rows: string, note: string): void {
    const found = this.#store.db.all<Joined>(
      `SELECT p.*, e.type, e.value FROM projection p JOIN entry e ON e.id = p.entry_id WHERE p.siem_id = ${siem.id} AND p.entry_id IN (${rows})`,
      note,
    );
    const terms = { revision: 0, versioned: siem.encoder.versioned, lookAt: this.#store.engineTime };
    for (const row of found) {
      const before = standOf(row);
      const after = settled(before, { op, before: 'maybe' }, { kind: 'applied' }, terms);
      const entry = { id: row.entry_id, type: OBSERVABLE_TYPES[row.type]!, value: row.value };
      this.#store.records.stood(siem.spec.name, entry, before, after);
    }
  }

  /** `postponed`, of all that must go and were not tried since. */
  waitUntil(siem: SiemState, until: number): void {
    this.#store.db.run(
      `UPDATE projection SET next_at = ? WHERE siem_id = ? AND state <> 0
         AND state IN (${STATE.remove}, ${STATE.uncertain}) AND wanted = 0 AND next_at IS NULL`,
      until,
      siem.id,
    );
  }

  /** `postponed` to nothing, of all that wait for a time. A value that is perhaps none has its type from the words (CAST). */
  atOnce(siem: SiemState, readBackAt?: number): void {
    this.#store.db.run(
      `UPDATE projection SET next_at = CASE state WHEN ${STATE.uncertain} THEN CAST(? AS INTEGER) ELSE NULL END WHERE siem_id = ? AND state <> 0
         AND state IN (${STATE.upsert}, ${STATE.remove}, ${STATE.uncertain}) AND next_at IS NOT NULL`,
      readBackAt ?? null,
      siem.id,
    );
  }
}
