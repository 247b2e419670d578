// Takes work out in batches and writes results back. The intent is on disk before anything is sent: a row in
// FLIGHT counts as absent for upserts and as present for removals, so that a crash at any line leaves no orphan.
import type { Change, EncodeContext } from '../contracts/siem-connector.ts';
import type { Json } from '../model/json.ts';
import { entryKey, OBSERVABLE_TYPES } from '../model/observable.ts';
import type { SiemState, StoreContext } from './context.ts';
import type { Brakes } from './brakes.ts';
import type { ContextTable } from './explain.ts';
import type { Projector, StoredEntry } from './projection.ts';
import { FULL, Room } from './room.ts';
import { isBusy, PRESENT, type Present, type ProjectionRow, restingState, STATE, type State } from './rows.ts';

export interface TakenBatch {
  readonly id: number;
  readonly changes: readonly Change[];
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

/** What became of one change, as the engine tells it. Aligned with the batch's changes. */
export type Settlement =
  | { readonly kind: 'applied'; readonly handle?: string }
  | { readonly kind: 'accepted'; readonly receipt: string }
  | { readonly kind: 'superseded'; readonly revision: number }
  /** Not applied for certain; try again at `retryAt`. */
  | { readonly kind: 'retry'; readonly retryAt: number }
  /** Nobody knows whether it was applied. */
  | { readonly kind: 'unknown'; readonly retryAt: number }
  | { readonly kind: 'park'; readonly reason: string };

interface FlightRow {
  readonly entryId: number;
  readonly type: number;
  readonly op: 'upsert' | 'remove';
  readonly before: Present;
  readonly sent: number;
}

interface Flight {
  readonly siem: SiemState;
  readonly rows: readonly FlightRow[];
}

type WorkRow = Pick<
  ProjectionRow,
  'entry_id' | 'wanted' | 'wanted_rev' | 'present' | 'rev' | 'state' | 'handle' | 'attempt' | 'vouchers' | 'due'
> & { type: number; value: string };

export interface SettleReport {
  applied: number;
  parked: number;
  superseded: number;
  /** Why the SIEM refused a removal for good, if it did. */
  refusedRemoval?: string;
}

const MOST_SELECTIONS = 4;
/** How long a row waits for another one that shares its slot. */
const SLOT_WAIT_MS = 1000;

export class Batches {
  readonly #store: StoreContext;
  readonly #projector: Projector;
  readonly #context: ContextTable;
  readonly #brakes: Brakes;
  readonly #flights = new Map<number, Flight>();
  readonly #work;
  #lastBatch = 0;

  constructor(store: StoreContext, projector: Projector, context: ContextTable, brakes: Brakes) {
    this.#store = store;
    this.#projector = projector;
    this.#context = context;
    this.#brakes = brakes;
    this.#work = store.db.statement<WorkRow>(
      `SELECT p.entry_id, p.wanted, p.wanted_rev, p.present, p.rev, p.state, p.handle, p.attempt, p.vouchers, p.due, e.type, e.value
       FROM projection p INDEXED BY projection_work JOIN entry e ON e.id = p.entry_id
       WHERE p.siem_id = ? AND p.state <> 0 AND p.state = ? AND (p.next_at IS NULL OR p.next_at <= ?) ORDER BY p.entry_id LIMIT ?`,
    );
  }

  /** Removals first: an entry that should be gone does harm, one that should come only waits. */
  take(siem: SiemState, limits: { maxItems: number; maxBytes: number }, now: number): TakenBatch | undefined {
    this.#fillRoom(siem, limits.maxItems);
    for (const state of [STATE.remove, STATE.upsert] as const) {
      // Refused entries are parked on the way and may use a whole selection up. Whoever asks looks for more work
      // before it stops, so that a million refusals are not one unit.
      for (let selection = 0; selection < MOST_SELECTIONS; selection++) {
        const rows = this.#work.all(siem.id, state, now, limits.maxItems);
        if (rows.length === 0) break;
        if (state === STATE.upsert && this.#replanned(siem, rows, now)) continue;
        const batch =
          state === STATE.remove
            ? this.#removals(siem, rows, now, limits.maxBytes)
            : this.#upserts(siem, rows, now, limits.maxBytes);
        if (batch !== undefined) return batch;
      }
    }
    return undefined;
  }

  #removals(siem: SiemState, rows: readonly WorkRow[], now: number, maxBytes: number): TakenBatch | undefined {
    const builder = new BatchBuilder(siem, this.#baseContext(siem, now), maxBytes);
    for (const row of rows) {
      const entry = stored(row);
      const slot = siem.encoder.slot(entry.type, entry.value, siem.spec.settings);
      if (siem.encoder.foldsSlots && this.#handOver(siem, slot, row, entry)) continue;
      const change: Change = {
        op: 'remove',
        key: entryKey(entry.type, entry.value),
        slot,
        revision: row.wanted_rev,
        ...(row.handle === null ? {} : { handle: row.handle }),
      };
      if (!builder.add(change, '', row)) break;
    }
    return this.#launch(siem, builder, STATE.remove, now);
  }

  #upserts(siem: SiemState, rows: readonly WorkRow[], now: number, maxBytes: number): TakenBatch | undefined {
    const builder = new BatchBuilder(siem, this.#baseContext(siem, now), maxBytes);
    const explain = (row: Parameters<ContextTable['explain']>[0]) => this.#context.explain(row);
    const room = new Room(this.#store, siem);
    for (const row of rows) {
      const found = stored(row);
      const entry = this.#projector.entryFor(siem, found, now, explain);
      if (entry === undefined) {
        // The rules changed, and the recomputation has not come to this row yet.
        this.#projector.project(found, { cause: 0, exchangeId: 0 }, now, siem);
        continue;
      }
      if (row.present === PRESENT.no && !room.has(found.type)) {
        this.#park(siem, row, found, room.reason(found.type));
        continue;
      }
      if (siem.encoder.foldsSlots && this.#slotBusy(siem, row, found)) {
        this.#later(siem, row.entry_id, now + SLOT_WAIT_MS);
        continue;
      }
      const encoded = siem.encoder.encode(entry, builder.contextFor(row.wanted_rev));
      if ('refused' in encoded) {
        this.#park(siem, row, found, encoded.refused);
        continue;
      }
      if (
        !builder.add({ op: 'upsert', key: entry.key, slot: encoded.slot, revision: row.wanted_rev }, encoded.body, row)
      )
        break;
      if (row.present === PRESENT.no) room.take(found.type);
    }
    return this.#launch(siem, builder, STATE.upsert, now);
  }

  /**
   * A claim began or ended since a row was planned, and the clock's tick did not come yet. What is sent must be what
   * its revision stands for, so such rows are planned anew and the selection is made again. True if there were any.
   */
  #replanned(siem: SiemState, rows: readonly WorkRow[], now: number): boolean {
    const due = rows.filter((row) => row.due !== null && row.due <= now);
    for (const row of due) this.#projector.project(stored(row), { cause: 0, exchangeId: 0 }, now, siem);
    return due.length > 0;
  }

  #baseContext(siem: SiemState, now: number): EncodeContext {
    return {
      owner: `entente:${this.#store.spec.instance}`,
      writer: this.#store.writer,
      revision: 0,
      now,
      settings: siem.spec.settings,
      // Facts were stored as JSON by `opened`.
      facts: siem.facts as Json,
    };
  }

  /** Marks the intent in one statement: the rows are a run of the work index, the skipped ones have left it. */
  #launch(siem: SiemState, builder: BatchBuilder, state: State, now: number): TakenBatch | undefined {
    const { rows } = builder;
    if (rows.length === 0) return undefined;
    const id = ++this.#lastBatch;
    const marked = this.#store.db.run(
      `UPDATE projection SET state = ${STATE.flight}, sent_rev = wanted_rev, batch = ?, present = CASE present WHEN 0 THEN 2 ELSE present END
       WHERE siem_id = ? AND state = ? AND state <> 0 AND entry_id BETWEEN ? AND ? AND (next_at IS NULL OR next_at <= ?)`,
      id,
      siem.id,
      state,
      rows[0]!.entry_id,
      rows.at(-1)!.entry_id,
      now,
    );
    if (marked !== rows.length) throw new Error(`intent marked on ${marked} rows, ${rows.length} were to be sent`);
    const owner = `siem:${siem.id}`;
    for (const row of rows)
      if (row.present === PRESENT.no) this.#store.count(owner, `present:${OBSERVABLE_TYPES[row.type]}`, 1);
    this.#flights.set(id, {
      siem,
      rows: rows.map((row) => ({
        entryId: row.entry_id,
        type: row.type,
        op: state === STATE.remove ? 'remove' : 'upsert',
        before: row.present,
        sent: row.wanted_rev,
      })),
    });
    return { id, ...builder.finish() };
  }

  /** Parked for want of room: goes to work again as soon as there is some. */
  #fillRoom(siem: SiemState, most: number): void {
    if (siem.spec.maxEntries === undefined || this.#store.tally(`siem:${siem.id}`, 'parked') === 0) return;
    // What waits may need the room first.
    if (this.#store.tally(`siem:${siem.id}`, 'pending') > 0) return;
    const room = new Room(this.#store, siem);
    const rows = this.#store.db.iterate<WorkRow>(
      `SELECT p.*, e.type, e.value FROM projection p JOIN entry e ON e.id = p.entry_id
       WHERE p.siem_id = ? AND p.state <> 0 AND p.state = ${STATE.parked} AND p.present = ${PRESENT.no} AND p.note LIKE ? ORDER BY p.entry_id`,
      siem.id,
      `${FULL}%`,
    );
    const fitting: WorkRow[] = [];
    for (const row of rows) {
      const type = OBSERVABLE_TYPES[row.type]!;
      if (!room.has(type)) continue;
      room.take(type);
      if (fitting.push(row) === most) break;
    }
    for (const row of fitting) {
      this.#store.db.run(
        `UPDATE projection SET state = ${STATE.upsert}, note = NULL WHERE siem_id = ? AND entry_id = ?`,
        siem.id,
        row.entry_id,
      );
      this.#projector.count(siem, OBSERVABLE_TYPES[row.type]!, row, { ...row, state: STATE.upsert });
    }
  }

  /** Other rows that are the same row in the product. */
  #sharing(siem: SiemState, slot: string, entryId: number): (ProjectionRow & { type: number })[] {
    return this.#store.db.all(
      'SELECT p.*, e.type FROM projection p JOIN entry e ON e.id = p.entry_id WHERE p.siem_id = ? AND p.slot = ? AND p.entry_id <> ?',
      siem.id,
      slot,
      entryId,
    );
  }

  /**
   * When another wanted entry is the same row in the product, this one goes by being forgotten. The other takes over
   * what stands there and is written again, since the row may show this one's words.
   */
  #handOver(siem: SiemState, slot: string, row: WorkRow, entry: StoredEntry): boolean {
    const heirs = this.#sharing(siem, slot, row.entry_id).filter((one) => one.wanted === 1);
    if (heirs.length === 0) return false;
    for (const heir of heirs) {
      const next: ProjectionRow = { ...heir, present: PRESENT.maybe, wanted_rev: this.#store.revision };
      next.state =
        isBusy(heir.state) || heir.state === STATE.parked || heir.state === STATE.held ? heir.state : STATE.upsert;
      this.#store.db.run(
        'UPDATE projection SET present = ?, wanted_rev = ?, state = ? WHERE siem_id = ? AND entry_id = ?',
        next.present,
        next.wanted_rev,
        next.state,
        siem.id,
        heir.entry_id,
      );
      this.#projector.count(siem, OBSERVABLE_TYPES[heir.type]!, heir, next);
    }
    this.#projector.countGone(siem, entry.type, row);
    return true;
  }

  /** Calls on one slot follow each other: two at a time may land in either order. */
  #slotBusy(siem: SiemState, row: WorkRow, entry: StoredEntry): boolean {
    const slot = siem.encoder.slot(entry.type, entry.value, siem.spec.settings);
    return this.#sharing(siem, slot, row.entry_id).some((one) => isBusy(one.state));
  }

  #later(siem: SiemState, entryId: number, at: number): void {
    this.#store.db.run('UPDATE projection SET next_at = ? WHERE siem_id = ? AND entry_id = ?', at, siem.id, entryId);
  }

  #park(siem: SiemState, row: WorkRow, entry: StoredEntry, reason: string): void {
    // An older version that stands there stays until it expires or is withdrawn: it was vouched for.
    this.#store.db.run(
      `UPDATE projection SET state = ${STATE.parked}, note = ?, next_at = NULL WHERE siem_id = ? AND entry_id = ?`,
      reason.slice(0, 500),
      siem.id,
      row.entry_id,
    );
    this.#projector.count(siem, entry.type, row, { ...row, state: STATE.parked });
  }

  /** A unit failed: what it took is not in flight, and what it settled still is. */
  restore(before: ReadonlyMap<number, Flight>): void {
    this.#flights.clear();
    for (const [id, flight] of before) this.#flights.set(id, flight);
  }

  flights(): ReadonlyMap<number, Flight> {
    return new Map(this.#flights);
  }

  inFlight(): number {
    return this.#flights.size;
  }

  /** All changes of the batch were applied and none has a handle. */
  settleAll(batchId: number): SettleReport {
    const flight = this.#flights.get(batchId);
    if (flight === undefined) throw new Error(`batch ${batchId} is not in flight`);
    const { rows, siem } = flight;
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
       WHERE siem_id = ? AND state = ${STATE.flight} AND entry_id BETWEEN ? AND ? AND batch = ? AND wanted = 1 AND wanted_rev = sent_rev`,
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
        `SELECT entry_id FROM projection WHERE siem_id = ? AND state <> 0 AND state = ${STATE.flight} AND batch = ?`,
        siem.id,
        batchId,
      );
      for (const { entry_id: entryId } of touched) {
        this.settleRow(siem, entryId, 'upsert', PRESENT.maybe, applied, report);
      }
    }
    this.#flights.delete(batchId);
    return report;
  }

  settle(batchId: number, settlements: readonly Settlement[]): SettleReport {
    const flight = this.#flights.get(batchId);
    if (flight === undefined) throw new Error(`batch ${batchId} is not in flight`);
    const report: SettleReport = { applied: 0, parked: 0, superseded: 0 };
    for (const settlement of settlements)
      if (settlement.kind === 'superseded') this.#store.raiseFloor(settlement.revision);
    flight.rows.forEach((row, i) => {
      this.settleRow(
        flight.siem,
        row.entryId,
        row.op,
        row.before,
        settlements[i] ?? { kind: 'unknown', retryAt: this.#store.engineTime },
        report,
      );
    });
    this.#flights.delete(batchId);
    return report;
  }

  /** Writes one result. Only a row whose intent still stands (`sent_rev`) is touched. */
  settleRow(
    siem: SiemState,
    entryId: number,
    op: 'upsert' | 'remove',
    before: Present,
    settlement: Settlement,
    report: SettleReport,
  ): void {
    const { db } = this.#store;
    const row = db.get<ProjectionRow & { type: number }>(
      'SELECT p.*, e.type FROM projection p JOIN entry e ON e.id = p.entry_id WHERE p.siem_id = ? AND p.entry_id = ?',
      siem.id,
      entryId,
    );
    if (row === undefined || row.sent_rev === null || !isBusy(row.state)) return;
    const type = OBSERVABLE_TYPES[row.type]!;
    const next: ProjectionRow = { ...row, batch: null };
    const rest = () => restingState(next.wanted, next.present, next.rev, next.wanted_rev);
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
          rev: settlement.revision,
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
        next.present = row.present === PRESENT.yes && op === 'upsert' ? PRESENT.maybe : row.present;
        next.attempt = row.attempt + 1;
        if (siem.encoder.versioned) {
          Object.assign(next, { sent_rev: null, state: rest(), next_at: retryAt(settlement.retryAt) });
        } else {
          // The read-back waits in any case: a first write that lands late would overwrite a newer one.
          Object.assign(next, { state: STATE.uncertain, next_at: settlement.retryAt });
        }
        break;
      case 'park':
        Object.assign(next, { present: before, sent_rev: null, note: settlement.reason.slice(0, 500), next_at: null });
        next.state = next.wanted === 1 && !overtaken ? STATE.parked : rest();
        if (next.state === STATE.parked) report.parked++;
        break;
    }
    if ((next.state === STATE.upsert || next.state === STATE.remove) && this.#brakes.bars(siem, entryId)) {
      next.state = STATE.held;
    }
    if (next.wanted === 0 && next.present === PRESENT.no && next.state === STATE.settled) {
      this.#projector.countGone(siem, type, row);
      return;
    }
    db.run(
      `UPDATE projection SET present = ?, rev = ?, state = ?, wanted_rev = ?, sent_rev = ?, batch = ?, attempt = ?, next_at = ?, handle = ?, note = ?
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
      siem.id,
      entryId,
    );
    this.#projector.count(siem, type, row, next);
  }
}

function stored(row: { entry_id: number; type: number; value: string }): StoredEntry {
  return { id: row.entry_id, type: OBSERVABLE_TYPES[row.type]!, value: row.value };
}

/** Collects changes and their frames up to a number of bytes. */
class BatchBuilder {
  readonly rows: WorkRow[] = [];
  readonly #siem: SiemState;
  #context: EncodeContext;
  readonly #maxBytes: number;
  readonly #changes: Change[] = [];
  readonly #frames: string[] = [];
  readonly #ends: number[] = [];
  #bytes = 0;

  constructor(siem: SiemState, base: EncodeContext, maxBytes: number) {
    this.#siem = siem;
    this.#context = base;
    this.#maxBytes = maxBytes;
  }

  /** Most rows of a batch share one revision, so the context of the last one is kept. */
  contextFor(revision: number): EncodeContext {
    if (this.#context.revision !== revision) this.#context = { ...this.#context, revision };
    return this.#context;
  }

  /** False when the batch is full; the row then belongs to the next one. */
  add(change: Change, body: string, row: WorkRow): boolean {
    const { frame } = this.#siem.encoder;
    const text = frame === undefined ? body : frame(change, body, this.contextFor(change.revision));
    const size = Buffer.byteLength(text);
    if (this.rows.length > 0 && this.#bytes + size > this.#maxBytes) return false;
    this.#bytes += size;
    this.#changes.push(change);
    this.#frames.push(text);
    this.#ends.push(this.#bytes);
    this.rows.push(row);
    return true;
  }

  finish(): { changes: readonly Change[]; bytes: Uint8Array; ends: Uint32Array } {
    const bytes = new Uint8Array(this.#bytes);
    new TextEncoder().encodeInto(this.#frames.join(''), bytes);
    return { changes: this.#changes, bytes, ends: Uint32Array.from(this.#ends) };
  }
}
