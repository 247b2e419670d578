// Takes work out in batches; settling.ts writes results back. The intent is on disk before anything is sent: a row in
// FLIGHT counts as absent for upserts and as present for removals, so that a crash at any line leaves no orphan.
import type { Changes } from '../../contracts/batch.ts';
import type { EncodeContext } from '../../contracts/siem-connector.ts';
import { retried } from '../../ledger/rest.ts';
import type { Op } from '../../ledger/stand.ts';
import type { Json } from '../../model/json.ts';
import { entryKey, OBSERVABLE_TYPES } from '../../model/observable.ts';
import type { Projector } from '../projection/projection.ts';
import { Room } from '../projection/room.ts';
import type { StandRuns } from '../projection/stand-runs.ts';
import type { StandTable } from '../projection/stand-table.ts';
import { PRESENCES, PRESENT, STATE } from '../rows/rows.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import { BatchBuilder, type BuiltBatch, Buffers } from './batch-builder.ts';
import type { Drafts } from './drafts.ts';
import type { Flights } from './flights.ts';
import { Replanning } from './replanning.ts';
import { type WorkRow, WorkRows } from './work-rows.ts';

export type TakenBatch = Omit<BuiltBatch, 'changes'> & { readonly changes: Changes };

/** Rows looked at for one batch, in batches. */
const MOST_PASSES = 4;

export class Batches {
  readonly #store: StoreContext;
  readonly #projector: Projector;
  readonly #stands: StandTable;
  readonly #runs: StandRuns;
  readonly #flights: Flights;
  readonly #drafts: Drafts;
  readonly #recomputedTo: (siem: SiemState) => number | undefined;
  readonly #work: WorkRows;
  readonly #buffers = new Buffers();
  #lastBatch = 0;

  constructor(
    store: StoreContext,
    projector: Projector,
    stands: StandTable,
    runs: StandRuns,
    flights: Flights,
    drafts: Drafts,
    /** Up to which entry the rules that hold now were applied; undefined: to all of them. */
    recomputedTo: (siem: SiemState) => number | undefined,
  ) {
    this.#store = store;
    this.#projector = projector;
    this.#stands = stands;
    this.#runs = runs;
    this.#flights = flights;
    this.#drafts = drafts;
    this.#recomputedTo = recomputedTo;
    this.#work = new WorkRows(store);
  }

  /** Bytes of a batch that nobody needs any more. */
  giveBack(bytes: ArrayBuffer): void {
    this.#buffers.give(bytes);
  }

  /** Removals first: an entry that should be gone does harm, one that should come only waits. */
  take(
    siem: SiemState,
    limits: { maxItems: number; maxBytes: number },
    now: number,
    which: 'all' | 'removals' = 'all',
  ): BuiltBatch | undefined {
    if (which === 'removals') return this.#collect(siem, 'remove', limits, now);
    this.#fillRoom(siem, limits.maxItems);
    return this.#collect(siem, 'remove', limits, now) ?? this.#collect(siem, 'upsert', limits, now);
  }

  /**
   * Selection after selection until the batch is full. Refused entries are parked on the way and may use a whole
   * selection up; after so many looked at in vain, whoever asks looks for more work before it stops, so that a
   * million refusals are not one unit.
   */
  #collect(
    siem: SiemState,
    op: Op,
    limits: { maxItems: number; maxBytes: number },
    now: number,
  ): BuiltBatch | undefined {
    const builder = new BatchBuilder<WorkRow>(
      this.#buffers,
      siem.encoder,
      this.#baseContext(siem, now),
      limits.maxBytes,
    );
    const making = { siem, builder, room: new Room(this.#store, siem), now, words: new Map() };
    const most = MOST_PASSES * limits.maxItems;
    const replanning = new Replanning(this.#projector, this.#recomputedTo(siem));
    let after = 0;
    for (let seen = 0; seen < most && builder.rows.length < limits.maxItems; ) {
      const rows = this.#work.behind(siem, STATE[op], after, now, limits.maxItems - builder.rows.length);
      if (rows.length === 0) break;
      seen += rows.length;
      if (op === 'upsert' && replanning.has(siem, rows, now)) continue;
      if (!this.#drafts.all(op, rows, making)) break;
      after = rows.at(-1)!.entry_id;
    }
    return this.#launch(siem, builder, op, now);
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
  #launch(siem: SiemState, builder: BatchBuilder<WorkRow>, op: Op, now: number): BuiltBatch | undefined {
    const { rows } = builder;
    if (rows.length === 0) {
      builder.discard();
      return undefined;
    }
    const id = ++this.#lastBatch;
    const run = { first: rows[0]!.entry_id, last: rows.at(-1)!.entry_id };
    const absent = rows.filter((row) => row.present === PRESENT.no).map((row) => OBSERVABLE_TYPES[row.type]!);
    const marked = this.#runs.taken(siem, op, run, id, now, absent);
    if (marked !== rows.length) throw new Error(`intent marked on ${marked} rows, ${rows.length} were to be sent`);
    // What was planned anew goes out under the revision of this very unit, at the end of which it may lose its place: the
    // wish to take it back must not look like the one that was sent.
    const { revision } = this.#store;
    if (rows.some((row) => row.wanted_rev === revision)) this.#store.raiseFloor(revision);
    this.#flights.begin(id, {
      siem,
      rows: rows.map((row) => ({
        entryId: row.entry_id,
        type: row.type,
        op,
        before: PRESENCES[row.present],
        sent: row.wanted_rev,
        key: entryKey(OBSERVABLE_TYPES[row.type]!, row.value),
        vouchers: row.vouchers,
        object: row.object,
        marking: row.marking,
      })),
    });
    return builder.finish(id);
  }

  /** Parked for want of room: goes to work again as soon as there is some, and is found by the reason it stands under. */
  #fillRoom(siem: SiemState, most: number): void {
    if (this.#store.tally(`siem:${siem.id}`, 'parked') === 0) return;
    // What waits may need the room first.
    if (this.#store.tally(`siem:${siem.id}`, 'pending') > 0) return;
    for (const { reason, left } of new Room(this.#store, siem).open()) {
      const rows = this.#stands.select(
        siem,
        'INDEXED BY projection_parked',
        `p.state = ${STATE.parked} AND p.reason >= ? AND p.reason < ? ORDER BY p.reason, p.entry_id LIMIT ?`,
        `${reason} `,
        `${reason}!`,
        Math.min(left, most),
      );
      for (const { entry, stand } of rows) this.#stands.write(siem, entry, stand, retried(stand));
    }
  }
}
