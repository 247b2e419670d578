// Writes back what became of a batch. Only rows whose intent still stands are touched; one whose wish changed while it
// flew goes to work again.
import { type Outcome, settled } from '../../ledger/call.ts';
import { type Is, type Op, phaseOf } from '../../ledger/stand.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import { saneRevision } from '../unit/foreign-numbers.ts';
import { doubt } from './doubts.ts';
import type { FlightRow, Flights } from './flights.ts';
import { STATE } from '../rows/rows.ts';
import type { Run, StandRuns } from '../projection/stand-runs.ts';
import type { Standing, StandTable } from '../projection/stand-table.ts';

/** What became of one change, as the engine tells it. Aligned with the batch's changes. */
export type Settlement = Outcome;

export interface SettleReport {
  applied: number;
  parked: number;
  superseded: number;
  /** Why the SIEM refused a removal for good, if it did. */
  refusedRemoval?: string;
}

export class Settling {
  readonly #store: StoreContext;
  readonly #stands: StandTable;
  readonly #runs: StandRuns;
  readonly #flights: Flights;

  constructor(store: StoreContext, stands: StandTable, runs: StandRuns, flights: Flights) {
    this.#store = store;
    this.#stands = stands;
    this.#runs = runs;
    this.#flights = flights;
  }

  /** All changes of the batch were applied and none has a handle. */
  all(batchId: number): SettleReport {
    const { rows, siem } = this.#flights.of(batchId);
    const applied = { kind: 'applied' } as const;
    const report: SettleReport = { applied: 0, parked: 0, superseded: 0 };
    if (rows[0]!.op === 'upsert') {
      report.applied = this.#runs.upserted(siem, runOf(rows), batchId);
      // The others are those whose wish changed while they flew.
      const changed = report.applied === rows.length ? [] : this.#flying(siem, batchId);
      this.#store.records.sent(siem.spec.name, this.#applied(siem, rows, changed, report.applied));
      const before = new Map(changed.length === 0 ? [] : rows.map((row) => [row.entryId, row.before]));
      this.#stands.together(() => {
        for (const row of changed)
          this.one(siem, row, { op: 'upsert', before: before.get(row.entry.id) ?? 'maybe' }, applied, report);
      });
    } else this.#each(siem, rows, () => applied, report);
    this.#flights.end(batchId);
    return report;
  }

  /** Of what was sent: what the one statement settled. */
  #applied(
    siem: SiemState,
    rows: readonly FlightRow[],
    changed: readonly Standing[],
    settled: number,
  ): readonly FlightRow[] {
    if (settled === rows.length) return rows;
    const others = new Set(changed.map(({ entry }) => entry.id));
    if (settled + others.size === rows.length) return rows.filter(({ entryId }) => !others.has(entryId));
    // Some are not what they were when they were sent: they tell by themselves.
    const found = this.#stands.standings(
      siem,
      rows.map(({ entryId }) => entryId),
    );
    return rows.filter(({ entryId, sent }) => {
      const present = found.get(entryId)?.stand.present;
      return !others.has(entryId) && present?.is === 'yes' && present.revision === sent;
    });
  }

  #flying(siem: SiemState, batchId: number): Standing[] {
    const where = `p.state <> 0 AND p.state = ${STATE.flight} AND p.batch = ?`;
    return this.#stands.select(siem, 'INDEXED BY projection_work', where, batchId);
  }

  settle(batchId: number, settlements: readonly Settlement[]): SettleReport {
    const { siem, rows } = this.#flights.of(batchId);
    const report: SettleReport = { applied: 0, parked: 0, superseded: 0 };
    const receipt = oneReceipt(settlements, rows.length);
    if (receipt !== undefined) {
      // One task took the whole batch.
      this.#runs.accepted(siem, runOf(rows), batchId, rows[0]!.op, receipt);
      this.#flights.end(batchId);
      return report;
    }
    for (const settlement of settlements)
      if (settlement.kind === 'superseded') this.#store.raiseFloor(settlement.revision);
    this.#each(siem, rows, (i) => settlements[i] ?? { kind: 'unknown', retryAt: this.#store.now }, report);
    this.#flights.end(batchId);
    return report;
  }

  #each(siem: SiemState, rows: readonly FlightRow[], became: (i: number) => Settlement, report: SettleReport): void {
    this.#stands.together(() => {
      const found = this.#stands.standings(
        siem,
        rows.map((row) => row.entryId),
      );
      for (const [i, { entryId, op, before }] of rows.entries())
        this.one(siem, found.get(entryId), { op, before }, became(i), report);
    });
  }

  /** Writes one result. Only a row whose intent still stands is touched. */
  one(
    siem: SiemState,
    found: Standing | undefined,
    sent: { readonly op: Op; readonly before: Is },
    settlement: Settlement,
    report: SettleReport,
  ): void {
    if (found?.stand.call === undefined) return;
    const { entry, stand } = found;
    const outcome: Outcome =
      settlement.kind === 'superseded' ? { ...settlement, revision: saneRevision(settlement.revision) } : settlement;
    const { revision, engineTime: lookAt } = this.#store;
    const next = settled(stand, sent, outcome, { revision, versioned: siem.encoder.versioned, lookAt });
    if (outcome.kind === 'unknown') doubt(this.#store, siem, entry);
    if (outcome.kind === 'applied') report.applied++;
    if (outcome.kind === 'superseded') report.superseded++;
    if (next !== undefined && phaseOf(next) === 'parked') report.parked++;
    this.#stands.write(siem, entry, stand, next, sent.before);
  }
}

const runOf = (rows: readonly FlightRow[]): Run => ({ first: rows[0]!.entryId, last: rows.at(-1)!.entryId });

/** The receipt that all of them name, if they do. */
function oneReceipt(settlements: readonly Settlement[], rows: number): string | undefined {
  const [first] = settlements;
  if (first?.kind !== 'accepted' || settlements.length !== rows) return undefined;
  const { receipt } = first;
  return settlements.every((one) => one.kind === 'accepted' && one.receipt === receipt) ? receipt : undefined;
}
