// Writes back what became of a batch. Only rows whose intent still stands are touched; one whose wish changed while it
// flew goes to work again.
import { OBSERVABLE_TYPES } from '../model/observable.ts';
import { saneRevision, type SiemState, type StoreContext } from './context.ts';
import { doubt } from './doubts.ts';
import type { Flight, Flights } from './flights.ts';
import type { Projector } from './projection.ts';
import { isBusy, isKept, PRESENT, type Present, type ProjectionRow, restingState, STATE } from './rows.ts';

/** What became of one change, as the engine tells it. Aligned with the batch's changes. */
export type Settlement =
  | { readonly kind: 'applied'; readonly handle?: string }
  | { readonly kind: 'accepted'; readonly receipt: string }
  | { readonly kind: 'superseded'; readonly revision: number }
  /** Not applied for certain; try again at `retryAt`. */
  | { readonly kind: 'retry'; readonly retryAt: number }
  /** Nobody knows whether it was applied. */
  | { readonly kind: 'unknown'; readonly retryAt: number }
  | { readonly kind: 'park'; readonly reason: string; readonly code?: string };

export interface SettleReport {
  applied: number;
  parked: number;
  superseded: number;
  /** Why the SIEM refused a removal for good, if it did. */
  refusedRemoval?: string;
}

export class Settling {
  readonly #store: StoreContext;
  readonly #projector: Projector;
  readonly #flights: Flights;

  constructor(store: StoreContext, projector: Projector, flights: Flights) {
    this.#store = store;
    this.#projector = projector;
    this.#flights = flights;
  }

  /** All changes of the batch were applied and none has a handle. */
  all(batchId: number): SettleReport {
    const { rows, siem } = this.#flights.of(batchId);
    const applied = { kind: 'applied' } as const;
    if (rows[0]!.op === 'remove') {
      return this.settle(
        batchId,
        rows.map(() => applied),
      );
    }
    // In one statement, but for the rows whose wish changed while they flew.
    const settled = this.#store.db.run(
      `UPDATE projection SET state = ${STATE.settled}, present = ${PRESENT.yes}, rev = sent_rev, sent_rev = NULL, batch = NULL, attempt = 0, next_at = NULL
       WHERE siem_id = ? AND state = ${STATE.flight} AND entry_id BETWEEN ? AND ? AND batch = ? AND wanted = 1 AND wanted_rev = sent_rev AND hold IS NULL`,
      siem.id,
      rows[0]!.entryId,
      rows.at(-1)!.entryId,
      batchId,
    );
    const owner = `siem:${siem.id}`;
    this.#store.count(owner, 'pending', -settled);
    this.#store.count(owner, 'delivered', settled);
    const report: SettleReport = { applied: settled, parked: 0, superseded: 0 };
    if (settled < rows.length) {
      const touched = this.#store.db.all<{ entry_id: number }>(
        `SELECT entry_id FROM projection INDEXED BY projection_work WHERE siem_id = ? AND state <> 0 AND state = ${STATE.flight} AND batch = ?`,
        siem.id,
        batchId,
      );
      for (const { entry_id: entryId } of touched) {
        this.row(siem, entryId, 'upsert', PRESENT.maybe, applied, report);
      }
    }
    this.#flights.end(batchId);
    return report;
  }

  settle(batchId: number, settlements: readonly Settlement[]): SettleReport {
    const flight = this.#flights.of(batchId);
    const report: SettleReport = { applied: 0, parked: 0, superseded: 0 };
    const receipt = oneReceipt(settlements, flight.rows.length);
    if (receipt !== undefined) {
      this.#accepted(batchId, flight, receipt);
      return report;
    }
    for (const settlement of settlements)
      if (settlement.kind === 'superseded') this.#store.raiseFloor(settlement.revision);
    flight.rows.forEach((row, i) => {
      this.row(
        flight.siem,
        row.entryId,
        row.op,
        row.before,
        settlements[i] ?? { kind: 'unknown', retryAt: this.#store.now },
        report,
      );
    });
    this.#flights.end(batchId);
    return report;
  }

  /** One task took the whole batch: its rows wait for the receipt, whatever is wanted of them meanwhile. */
  #accepted(batchId: number, { siem, rows }: Flight, receipt: string): void {
    this.#store.db.run(
      `UPDATE projection SET state = ${STATE.accepted}, present = ${PRESENT.maybe}, batch = NULL, note = ?
       WHERE siem_id = ? AND state = ${STATE.flight} AND entry_id >= ? AND entry_id <= ? AND batch = ? AND sent_rev IS NOT NULL`,
      `${rows[0]!.op} ${receipt}`,
      siem.id,
      rows[0]!.entryId,
      rows.at(-1)!.entryId,
      batchId,
    );
    this.#flights.end(batchId);
  }

  /** Writes one result. Only a row whose intent still stands (`sent_rev`) is touched. */
  row(
    siem: SiemState,
    entryId: number,
    op: 'upsert' | 'remove',
    before: Present,
    settlement: Settlement,
    report: SettleReport,
  ): void {
    const { db } = this.#store;
    const row = db.get<ProjectionRow & { type: number; value: string }>(
      'SELECT p.*, e.type, e.value FROM projection p JOIN entry e ON e.id = p.entry_id WHERE p.siem_id = ? AND p.entry_id = ?',
      siem.id,
      entryId,
    );
    if (row === undefined || row.sent_rev === null || !isBusy(row.state)) return;
    const type = OBSERVABLE_TYPES[row.type]!;
    const next: ProjectionRow = { ...row, batch: null, code: null };
    const rest = () => restingState(next);
    // A change that is still the newest failed: it waits. One that was overtaken goes at once.
    const overtaken = row.wanted_rev !== row.sent_rev;
    const retryAt = (at: number) => (overtaken ? null : at);
    switch (settlement.kind) {
      case 'applied':
        Object.assign(next, {
          present: op === 'upsert' ? PRESENT.yes : PRESENT.no,
          rev: row.sent_rev,
          sent_rev: null,
          attempt: 0,
          next_at: null,
          note: null,
        });
        next.handle = settlement.handle ?? (op === 'upsert' ? row.handle : null);
        next.state = rest();
        report.applied++;
        break;
      case 'accepted':
        Object.assign(next, { state: STATE.accepted, note: `${op} ${settlement.receipt}`, present: PRESENT.maybe });
        break;
      case 'superseded':
        Object.assign(next, {
          present: PRESENT.maybe,
          rev: saneRevision(settlement.revision),
          wanted_rev: this.#store.revision,
          sent_rev: null,
          next_at: null,
        });
        next.state = rest();
        report.superseded++;
        break;
      case 'retry':
        Object.assign(next, {
          present: before,
          sent_rev: null,
          attempt: row.attempt + 1,
          next_at: retryAt(settlement.retryAt),
        });
        next.state = rest();
        break;
      case 'unknown':
        doubt(this.#store, siem, row.type, row.value);
        next.present = row.present === PRESENT.yes && op === 'upsert' ? PRESENT.maybe : row.present;
        next.attempt = row.attempt + 1;
        if (siem.encoder.versioned) {
          Object.assign(next, { sent_rev: null, state: rest(), next_at: retryAt(settlement.retryAt) });
        } else {
          // The read-back waits, so that a call that lands soon is seen; not so where what stands there must go.
          const gone = row.wanted === 0 && overtaken;
          Object.assign(next, { state: STATE.uncertain, next_at: gone ? null : settlement.retryAt });
        }
        break;
      case 'park':
        Object.assign(next, { present: before, sent_rev: null, note: settlement.reason.slice(0, 500), next_at: null });
        next.code = settlement.code ?? null;
        next.state = (next.wanted === 1 || isKept(next)) && op === 'upsert' && !overtaken ? STATE.parked : rest();
        if (next.state === STATE.parked) report.parked++;
        break;
    }
    // A first write that came to nothing, of what was withdrawn meanwhile: there is nothing that a hold could keep.
    const neverStood = overtaken && op === 'upsert';
    if (next.wanted === 0 && next.present === PRESENT.no && (next.state === STATE.settled || neverStood)) {
      this.#projector.countGone(siem, type, row);
      return;
    }
    db.run(
      `UPDATE projection SET present = ?, rev = ?, state = ?, wanted_rev = ?, sent_rev = ?, batch = ?, attempt = ?, next_at = ?, handle = ?, note = ?, code = ?
       WHERE siem_id = ? AND entry_id = ?`,
      next.present,
      next.rev,
      next.state,
      next.wanted_rev,
      next.sent_rev,
      next.batch,
      next.attempt,
      next.next_at,
      next.handle,
      next.note,
      next.code,
      siem.id,
      entryId,
    );
    this.#projector.count(siem, type, row, next);
  }
}

/** The receipt that all of them name, if they do. */
function oneReceipt(settlements: readonly Settlement[], rows: number): string | undefined {
  const [first] = settlements;
  if (first?.kind !== 'accepted' || settlements.length !== rows) return undefined;
  const { receipt } = first;
  return settlements.every((one) => one.kind === 'accepted' && one.receipt === receipt) ? receipt : undefined;
}
