// Takes work out in batches; settling.ts writes results back. The intent is on disk before anything is sent: a row in
// FLIGHT counts as absent for upserts and as present for removals, so that a crash at any line leaves no orphan.
import type { Changes } from '../../contracts/batch.ts';
import type { Change, EncodeContext } from '../../contracts/siem-connector.ts';
import { untold } from '../../ledger/found.ts';
import { inherits, isHeir, postponed, refused, retried, waitsForRoom } from '../../ledger/rest.ts';
import { gone, type Op, type Stand } from '../../ledger/stand.ts';
import type { Reason } from '../../ledger/project.ts';
import type { Entry } from '../../model/entry.ts';
import type { Json } from '../../model/json.ts';
import { entryKey, OBSERVABLE_TYPES } from '../../model/observable.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import type { Crowds } from '../projection/crowds.ts';
import { CROWDED } from '../unit/entry-claims.ts';
import type { Explanations } from '../unit/explanations.ts';
import type { Flights } from './flights.ts';
import { CLAIM_COLUMNS, claimRow, newestFirst } from '../rows/claims.ts';
import type { Projector } from '../projection/projection.ts';
import { Room } from '../projection/room.ts';
import { BatchBuilder, type BuiltBatch, Buffers } from './batch-builder.ts';
import {
  HOLD,
  OBJECT,
  PRESENCES,
  PRESENT,
  type Present,
  type ObjectRow,
  type ProjectionRow,
  STATE,
  type State,
  type StoredEntry,
} from '../rows/rows.ts';
import type { StandRuns } from '../projection/stand-runs.ts';
import type { Standing, StandTable } from '../projection/stand-table.ts';

export type TakenBatch = Omit<BuiltBatch, 'changes'> & { readonly changes: Changes };

type WorkRow = Pick<
  ProjectionRow,
  | 'entry_id'
  | 'wanted'
  | 'wanted_rev'
  | 'present'
  | 'rev'
  | 'state'
  | 'handle'
  | 'attempt'
  | 'vouchers'
  | 'due'
  | 'until'
  | 'hold_kind'
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
const WORK_COLUMNS = 15;
/** Rows of one selection: what is made for them is young garbage when the next one begins. */
const SELECTION = 250;
/** Rows looked at for one batch, in batches. */
const MOST_PASSES = 4;
const NO_CLAIMS: ObjectRow[] = [];
/** How long a row waits for the claims on its entry to be gone through. */
const CROWD_WAIT_MS = 1000;
const NOTHING_NEW: Reason = { cause: 'none', exchangeId: 0 };
/** How long a row waits for another one that shares its slot. */
const SLOT_WAIT_MS = 1000;
/** How long a row waits for others to leave. */
const ROOM_WAIT_MS = 1000;

export class Batches {
  readonly #store: StoreContext;
  readonly #projector: Projector;
  readonly #stands: StandTable;
  readonly #runs: StandRuns;
  readonly #recomputedTo: (siem: SiemState) => number | undefined;
  readonly #context: Explanations;
  readonly #explain: Explanations['explain'];
  readonly #flights: Flights;
  readonly #crowds: Crowds;
  readonly #work;
  readonly #buffers = new Buffers();
  #lastBatch = 0;

  constructor(
    store: StoreContext,
    projector: Projector,
    stands: StandTable,
    runs: StandRuns,
    context: Explanations,
    flights: Flights,
    crowds: Crowds,
    /** Up to which entry the rules that hold now were applied; undefined: to all of them. */
    recomputedTo: (siem: SiemState) => number | undefined,
  ) {
    this.#store = store;
    this.#projector = projector;
    this.#stands = stands;
    this.#runs = runs;
    this.#recomputedTo = recomputedTo;
    this.#flights = flights;
    this.#crowds = crowds;
    this.#context = context;
    this.#explain = (exchangeId, objectId, createdBy) => context.explain(exchangeId, objectId, createdBy);
    // One statement for many rows and their claims: one per entry takes three times as long.
    this.#work = store.db.lists(
      `SELECT p.entry_id, p.wanted, p.wanted_rev, p.present, p.rev, p.state, p.handle, p.attempt, p.vouchers, p.due, p.until, p.hold_kind, e.type, e.value, e.crowded, ${CLAIM_COLUMNS}
       FROM (SELECT * FROM projection INDEXED BY projection_work
             WHERE siem_id = ? AND state <> 0 AND state = ? AND entry_id > ? AND (next_at IS NULL OR next_at <= ?)
             ORDER BY entry_id LIMIT ?) p
       JOIN entry e ON e.id = p.entry_id LEFT JOIN contribution c ON c.entry_id = p.entry_id AND e.crowded = 0
       LEFT JOIN object o ON o.id = c.object_id AND o.state = ${OBJECT.published} ORDER BY p.entry_id`,
    );
  }

  /** Bytes of a batch that nobody needs any more. */
  giveBack(bytes: ArrayBuffer): void {
    this.#buffers.give(bytes);
  }

  /** Rows behind `after` that need work, with their published claims. */
  #selected(siem: SiemState, state: State, after: number, now: number, most: number): WorkRow[] {
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
    const room = new Room(this.#store, siem);
    const most = MOST_PASSES * limits.maxItems;
    const planned = new Planned(this.#recomputedTo(siem));
    let after = 0;
    for (let seen = 0; seen < most && builder.rows.length < limits.maxItems; ) {
      const rows = this.#selected(siem, STATE[op], after, now, limits.maxItems - builder.rows.length);
      if (rows.length === 0) break;
      seen += rows.length;
      if (op === 'upsert' && this.#replanned(siem, rows, planned, now)) continue;
      if (op === 'upsert') this.#context.foresee(rows.flatMap((row) => row.claims));
      const full = rows.some((row) =>
        op === 'remove' ? !this.#removal(siem, row, builder) : !this.#upsert(siem, row, builder, room, now),
      );
      if (full) break;
      after = rows.at(-1)!.entry_id;
    }
    this.#context.foresee([]);
    return this.#launch(siem, builder, op, now);
  }

  /** False when the batch is full. */
  #removal(siem: SiemState, row: WorkRow, builder: BatchBuilder<WorkRow>): boolean {
    const entry = stored(row);
    const slot = siem.encoder.slot(entry.type, entry.value, siem.spec.settings);
    if (siem.encoder.foldsSlots && this.#handOver(siem, slot, row, entry)) return true;
    const change: Change = {
      op: 'remove',
      key: entryKey(entry.type, entry.value),
      slot,
      revision: row.wanted_rev,
      ...(row.handle === null ? {} : { handle: row.handle }),
    };
    return builder.add(change, '', row);
  }

  /** False when the batch is full. What cannot be sent leaves the work it was selected from. */
  #upsert(siem: SiemState, row: WorkRow, builder: BatchBuilder<WorkRow>, room: Room, now: number): boolean {
    const found = stored(row);
    const crowd = row.crowded === 1 && this.#projector.claims.namedBy(row.entry_id) > CROWDED;
    const claims = row.crowded === 1 ? undefined : newestFirst(row.claims);
    const entry =
      row.hold_kind === HOLD.removal
        ? this.#projector.admissions.keptEntry(siem, found, row.until ?? undefined, now, this.#explain)
        : crowd
          ? this.#ofCrowd(siem, found, now)
          : this.#projector.admissions.entryFor(siem, found, claims, now, this.#explain);
    // Kept until the batch leaves, unlike what the entry was made of.
    row.claims = NO_CLAIMS;
    if (entry === undefined && crowd && row.hold_kind !== HOLD.removal) {
      this.#crowds.look({ entry: found, reason: NOTHING_NEW }, now);
      this.#change(siem, found, (stand) => postponed(stand, now + CROWD_WAIT_MS));
      return true;
    }
    if (entry === undefined) {
      // The rules changed, and the recomputation has not come to this row yet.
      this.#projector.project(found, NOTHING_NEW, now, siem);
      if (row.hold_kind === HOLD.removal)
        this.#change(siem, found, (stand) => untold(stand, this.#store.revision, this.#store.engineTime));
      return true;
    }
    if (row.present === PRESENT.no && !room.has(found.type)) {
      this.#change(siem, found, (stand) =>
        room.leaving ? postponed(stand, now + ROOM_WAIT_MS) : waitsForRoom(stand, room.reason(found.type)),
      );
      return true;
    }
    if (siem.encoder.foldsSlots && this.#slotBusy(siem, row, found)) {
      this.#change(siem, found, (stand) => postponed(stand, now + SLOT_WAIT_MS));
      return true;
    }
    const encoded = siem.encoder.encode(entry, builder.contextFor(row.wanted_rev));
    if ('refused' in encoded) {
      this.#change(siem, found, (stand) => refused(stand, encoded.refused));
      return true;
    }
    const change: Change = { op: 'upsert', key: entry.key, slot: encoded.slot, revision: row.wanted_rev };
    if (!builder.add(change, encoded.body, row)) return false;
    row.object = entry.claims[0]?.objectId ?? null;
    row.marking = entry.tlp;
    if (row.present === PRESENT.no) room.take(found.type);
    return true;
  }

  /** As its claims were when they were gone through last: they are too many to be read once more. */
  #ofCrowd(siem: SiemState, found: StoredEntry, now: number): Entry | undefined {
    const chosen = this.#projector.chosen.get(siem.id, found.id);
    if (chosen === undefined) return undefined;
    const claims = this.#projector.claims.byIds(chosen.objects);
    const entry = this.#projector.admissions.entryFor(siem, found, claims, chosen.moment, this.#explain);
    return entry !== undefined && entry.until > now ? entry : undefined;
  }

  /**
   * A claim began or ended since a row was planned and the clock's tick did not come yet, or the rules changed and their
   * recomputation did not come to the row. What is sent must be what its revision stands for, so such rows are planned
   * anew and the selection is made again. True if there were any.
   */
  #replanned(siem: SiemState, rows: readonly WorkRow[], planned: Planned, now: number): boolean {
    // What goes through the claims of a crowded one is a sweep, and what is sent of it is what that came to.
    const due = rows.filter((row) => (row.due !== null && row.due <= now) || planned.awaits(row.entry_id));
    let left = due.length;
    this.#projector.projectAll(
      due.map((row) => ({ entry: stored(row), reason: NOTHING_NEW })),
      now,
      siem,
      () => left--,
    );
    return left > 0;
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

  /** Other rows that are the same row in the product. */
  #sharing(siem: SiemState, slot: string, entryId: number): Standing[] {
    return this.#stands.select(siem, 'INDEXED BY projection_slot', 'p.slot = ? AND p.entry_id <> ?', slot, entryId);
  }

  /**
   * When another wanted entry is the same row in the product, this one goes by being forgotten. The other takes over
   * what stands there and is written again, since the row may show this one's words.
   */
  #handOver(siem: SiemState, slot: string, row: WorkRow, entry: StoredEntry): boolean {
    // One that is not written (held as an addition, parked) would leave in the slot what has to go.
    const heirs = this.#sharing(siem, slot, row.entry_id).filter(({ stand }) => isHeir(stand));
    if (heirs.length === 0) return false;
    const { revision, engineTime } = this.#store;
    for (const heir of heirs) this.#stands.write(siem, heir.entry, heir.stand, inherits(heir.stand, revision));
    this.#change(siem, entry, (stand) => gone(stand, engineTime));
    return true;
  }

  /** Calls on one slot follow each other: two at a time may land in either order. */
  #slotBusy(siem: SiemState, row: WorkRow, entry: StoredEntry): boolean {
    const slot = siem.encoder.slot(entry.type, entry.value, siem.spec.settings);
    return this.#sharing(siem, slot, row.entry_id).some(({ stand }) => stand.call !== undefined);
  }

  /** One row of the selection, which leaves the work it was selected from. */
  #change(siem: SiemState, entry: StoredEntry, step: (stand: Stand) => Stand | undefined): void {
    const stand = this.#stands.load(siem, entry.id);
    if (stand !== undefined) this.#stands.write(siem, entry, stand, step(stand));
  }
}

function workRow(columns: readonly unknown[]): WorkRow {
  // In the order of the work statement.
  return {
    entry_id: columns[0] as number,
    wanted: columns[1] as 0 | 1,
    wanted_rev: columns[2] as number,
    present: columns[3] as Present,
    rev: columns[4] as number,
    state: columns[5] as State,
    handle: columns[6] as string | null,
    attempt: columns[7] as number,
    vouchers: columns[8] as number,
    due: columns[9] as number | null,
    until: columns[10] as number | null,
    hold_kind: columns[11] as ProjectionRow['hold_kind'],
    type: columns[12] as number,
    value: columns[13] as string,
    crowded: columns[14] as number,
    claims: [],
    object: null,
    marking: null,
  };
}

function stored(row: { entry_id: number; type: number; value: string }): StoredEntry {
  return { id: row.entry_id, type: OBSERVABLE_TYPES[row.type]!, value: row.value };
}

/** Rows that a recomputation under way has still to come to, each told once. */
class Planned {
  readonly #to: number;
  readonly #told = new Set<number>();

  constructor(recomputedTo: number | undefined) {
    this.#to = recomputedTo ?? Number.POSITIVE_INFINITY;
  }

  awaits(entryId: number): boolean {
    if (entryId <= this.#to || this.#told.has(entryId)) return false;
    this.#told.add(entryId);
    return true;
  }
}
