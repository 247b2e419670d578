// Tasks that a SIEM took a batch in: their receipts are rows, so that they outlive a crash, and are asked for until each
// task tells what became of it.
import { entryKey } from '../../model/observable.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import { STATE } from '../rows/rows.ts';
import type { Settlement, SettleReport, Settling } from './settling.ts';
import { receiptOf, toldOf as spelled } from '../rows/stand-rows.ts';
import type { StandRuns } from '../projection/stand-runs.ts';
import type { Standing, StandTable } from '../projection/stand-table.ts';

/** When a refused removal is tried again. */
const REFUSED_WAIT_MS = 10 * 60_000;

export class Receipts {
  readonly #store: StoreContext;
  readonly #stands: StandTable;
  readonly #runs: StandRuns;
  readonly #settling: Settling;

  constructor(store: StoreContext, stands: StandTable, runs: StandRuns, settling: Settling) {
    this.#store = store;
    this.#stands = stands;
    this.#runs = runs;
    this.#settling = settling;
  }

  /** Those whose tasks are still to be asked for. */
  open(siem: SiemState): string[] {
    return this.#store.db
      .all<{ receipt: string }>(
        `SELECT DISTINCT receipt FROM projection INDEXED BY projection_work
         WHERE siem_id = ? AND state <> 0 AND state = ${STATE.accepted} AND receipt IS NOT NULL`,
        siem.id,
      )
      .map((row) => receiptOf(row.receipt).receipt)
      .filter((receipt, i, all) => all.indexOf(receipt) === i);
  }

  settle(siem: SiemState, receipt: string, outcomes: readonly { key: string; settlement: Settlement }[]): SettleReport {
    const report: SettleReport = { applied: 0, parked: 0, superseded: 0 };
    const byKey = new Map(outcomes.map((one) => [one.key, one.settlement]));
    const rows = this.#stands.select(
      siem,
      'INDEXED BY projection_work',
      `p.state <> 0 AND p.state = ${STATE.accepted} AND p.receipt IN (?, ?)`,
      spelled('upsert', receipt),
      spelled('remove', receipt),
    );
    const toldOf = ({ entry }: Standing) => byKey.get(entryKey(entry.type, entry.value));
    const plain = rows.every((row) => {
      const told = toldOf(row);
      return told?.kind === 'applied' && told.handle === undefined;
    });
    const done = plain ? this.#runs.told(siem, receipt) : 0;
    report.applied += done;
    // What is settled has left the state it was read in.
    if (done === rows.length) return report;
    this.#stands.together(() => {
      const left = this.#stands.standings(
        siem,
        rows.map((row) => row.entry.id),
      );
      for (const row of left.values()) this.#one(siem, row, toldOf(row), report);
    });
    return report;
  }

  #one(siem: SiemState, row: Standing, told: Settlement | undefined, report: SettleReport): void {
    let settlement = told ?? ({ kind: 'unknown', retryAt: this.#store.now } as const);
    const op = row.stand.call?.kind === 'accepted' ? row.stand.call.op : 'upsert';
    if (op === 'remove' && settlement.kind === 'park') {
      // A removal is never parked: what should be gone would stay armed and nobody would look.
      report.refusedRemoval = settlement.reason;
      settlement = { kind: 'retry', retryAt: this.#store.now + REFUSED_WAIT_MS };
    }
    this.#settling.one(siem, row, { op, before: 'maybe' }, settlement, report);
  }
}
