// From a row that needs work to the change that is sent for it. What cannot be sent now leaves the work that it was
// selected from: it waits, is parked, or is planned anew.
import type { Change } from '../../contracts/siem-connector.ts';
import { untold } from '../../ledger/found.ts';
import { postponed, refused, waitsForRoom, type Words } from '../../ledger/rest.ts';
import type { Op, Stand } from '../../ledger/stand.ts';
import type { Entry } from '../../model/entry.ts';
import { entryKey } from '../../model/observable.ts';
import type { Crowds } from '../projection/crowds.ts';
import type { Projector } from '../projection/projection.ts';
import type { Room } from '../projection/room.ts';
import type { Standing, StandTable } from '../projection/stand-table.ts';
import { newestFirst } from '../rows/claims.ts';
import { HOLD, type ObjectRow, PRESENT, type StoredEntry } from '../rows/rows.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import { CROWDED } from '../unit/entry-claims.ts';
import type { Explanations } from '../unit/explanations.ts';
import type { BatchBuilder } from './batch-builder.ts';
import { NOTHING_NEW } from './replanning.ts';
import { Slots } from './slots.ts';
import { stored, type WorkRow } from './work-rows.ts';

const NO_CLAIMS: ObjectRow[] = [];
/** How long a row waits for the claims on its entry to be gone through. */
const CROWD_WAIT_MS = 1000;
/** How long a row waits for another one that shares its slot. */
const SLOT_WAIT_MS = 1000;
/** How long a row waits for others to leave. */
const ROOM_WAIT_MS = 1000;

/** A row that is not sent now, and what becomes of its stand. */
interface Waits {
  readonly entry: StoredEntry;
  readonly step: (stand: Stand) => Stand;
}

/** What one batch is made with. */
interface Making {
  readonly siem: SiemState;
  readonly builder: BatchBuilder<WorkRow>;
  readonly room: Room;
  readonly now: number;
  /** By entry, what the batch writes so far into rows of the product that several share. */
  readonly words: Map<number, Words>;
}

export class Drafts {
  readonly #store: StoreContext;
  readonly #projector: Projector;
  readonly #stands: StandTable;
  readonly #crowds: Crowds;
  readonly #slots: Slots;
  readonly #explanations: Explanations;
  readonly #explain: Explanations['explain'];

  constructor(
    store: StoreContext,
    projector: Projector,
    stands: StandTable,
    crowds: Crowds,
    explanations: Explanations,
  ) {
    this.#store = store;
    this.#projector = projector;
    this.#stands = stands;
    this.#crowds = crowds;
    this.#slots = new Slots(store, stands, projector.claims);
    this.#explanations = explanations;
    this.#explain = (exchangeId, objectId, createdBy) => explanations.explain(exchangeId, objectId, createdBy);
  }

  /** Of each of these rows, which are of one selection. False when the batch is full. */
  all(op: Op, rows: readonly WorkRow[], making: Making): boolean {
    const fit = op === 'remove' ? this.#removals(rows, making) : this.#upserts(rows, making);
    this.#projector.claims.forget();
    return fit;
  }

  #removals(rows: readonly WorkRow[], making: Making): boolean {
    const { siem } = making;
    // What becomes of one changes the next that shares its slot.
    return this.#stands.together(() => {
      if (siem.encoder.foldsSlots) {
        this.#slots.foresee(siem, rows.map(stored));
        const kept = this.#slots.kept(siem);
        this.#projector.claims.foresee(kept, kept);
      }
      return rows.every((row) => this.#removal(row, making));
    });
  }

  #upserts(rows: readonly WorkRow[], making: Making): boolean {
    const { siem } = making;
    if (siem.encoder.foldsSlots)
      this.#stands.together(() => {
        this.#slots.foresee(siem, rows.map(stored));
        this.#slots.arrange(siem, rows, making.words);
      });
    const kept = rows.filter((row) => row.hold_kind === HOLD.removal).map((row) => row.entry_id);
    const known = renewsOnHit(siem) ? rows.map((row) => row.entry_id) : kept;
    const claims = this.#projector.claims.foresee(known, kept);
    this.#explanations.foresee([...rows.flatMap((row) => row.claims), ...claims]);
    const waiting: Waits[] = [];
    const fit = rows.every((row) => this.#upsert(row, making, waiting));
    this.#wait(siem, waiting);
    this.#explanations.foresee([]);
    return fit;
  }

  /** As one set: a product may refuse, or keep waiting, all that there is. */
  #wait(siem: SiemState, waiting: Waits[]): void {
    if (waiting.length === 0) return;
    this.#stands.together(() => {
      this.#stands.loadAll(
        siem,
        waiting.map(({ entry }) => entry.id),
      );
      for (const { entry, step } of waiting) this.#stands.step(siem, entry, step);
    });
    waiting.length = 0;
  }

  /** False when the batch is full. */
  #removal(row: WorkRow, { siem, builder, now }: Making): boolean {
    const entry = stored(row);
    const slot = siem.encoder.slot(entry.type, entry.value, siem.spec.settings);
    const { admissions } = this.#projector;
    const tells = ({ entry: kept, stand }: Standing) =>
      admissions.keptEntry(siem, kept, stand.wanted.until, now) !== undefined;
    if (siem.encoder.foldsSlots && this.#slots.handOver(siem, slot, entry, tells)) return true;
    const change: Change = {
      op: 'remove',
      key: entryKey(entry.type, entry.value),
      slot,
      revision: row.wanted_rev,
      ...(row.handle === null ? {} : { handle: row.handle }),
    };
    const added = builder.add(change, '', row);
    if (added && siem.encoder.foldsSlots) this.#slots.takeAlong(siem, slot, entry.id);
    return added;
  }

  /** False when the batch is full. */
  #upsert(row: WorkRow, { siem, builder, room, now }: Making, waiting: Waits[]): boolean {
    const found = stored(row);
    const isCrowd = row.crowded === 1 && this.#projector.claims.namedBy(row.entry_id) > CROWDED;
    const entry = this.#entryOf(siem, row, found, isCrowd, now);
    // Kept until the batch leaves, unlike what the entry was made of.
    row.claims = NO_CLAIMS;
    if (entry === undefined) {
      // What is judged now finds those before it as they are.
      this.#wait(siem, waiting);
      this.#without(siem, row, found, isCrowd, now);
      return true;
    }
    const step = this.#obstacle(siem, row, found, room, now);
    if (step !== undefined) {
      waiting.push({ entry: found, step });
      return true;
    }
    const encoded = siem.encoder.encode(entry, builder.contextFor(row.wanted_rev));
    if ('refused' in encoded) {
      waiting.push({ entry: found, step: (stand) => refused(stand, encoded.refused) });
      return true;
    }
    const change: Change = { op: 'upsert', key: entry.key, slot: encoded.slot, revision: row.wanted_rev };
    if (!builder.add(change, encoded.body, row)) return false;
    row.object = entry.claims[0]?.objectId ?? null;
    row.marking = entry.tlp;
    if (row.present === PRESENT.no) room.take(found.type);
    return true;
  }

  #entryOf(siem: SiemState, row: WorkRow, found: StoredEntry, isCrowd: boolean, now: number): Entry | undefined {
    const { admissions } = this.#projector;
    if (row.hold_kind === HOLD.removal)
      return admissions.keptEntry(siem, found, row.until ?? undefined, now, this.#explain);
    if (isCrowd) return this.#ofCrowd(siem, found, now);
    const claims = row.crowded === 1 ? undefined : newestFirst(row.claims);
    return admissions.entryFor(siem, found, claims, now, this.#explain);
  }

  /** As its claims were when they were gone through last: they are too many to be read once more. */
  #ofCrowd(siem: SiemState, found: StoredEntry, now: number): Entry | undefined {
    const chosen = this.#projector.chosen.get(siem.id, found.id);
    if (chosen === undefined) return undefined;
    const claims = this.#projector.claims.byIds(chosen.objects);
    const entry = this.#projector.admissions.entryFor(siem, found, claims, chosen.moment, this.#explain);
    return entry !== undefined && entry.until > now ? entry : undefined;
  }

  /** Nothing is to be written for the row as it was planned. */
  #without(siem: SiemState, row: WorkRow, found: StoredEntry, isCrowd: boolean, now: number): void {
    const isKept = row.hold_kind === HOLD.removal;
    if (isCrowd && !isKept) {
      this.#crowds.look({ entry: found, reason: NOTHING_NEW }, now);
      this.#stands.step(siem, found, (stand) => postponed(stand, now + CROWD_WAIT_MS));
      return;
    }
    // The rules changed, and the recomputation has not come to this row yet.
    this.#projector.project(found, NOTHING_NEW, now, siem);
    const { revision, engineTime } = this.#store;
    if (isKept) this.#stands.step(siem, found, (stand) => untold(stand, revision, engineTime));
  }

  /** What it waits for, as the step of its stand. */
  #obstacle(
    siem: SiemState,
    row: WorkRow,
    found: StoredEntry,
    room: Room,
    now: number,
  ): ((stand: Stand) => Stand) | undefined {
    if (row.present === PRESENT.no && !room.has(found.type)) {
      const reason = room.reason(found.type);
      return room.leaving ? (stand) => postponed(stand, now + ROOM_WAIT_MS) : (stand) => waitsForRoom(stand, reason);
    }
    if (siem.encoder.foldsSlots && this.#slots.isBusy(siem, found))
      return (stand) => postponed(stand, now + SLOT_WAIT_MS);
    return undefined;
  }
}

const renewsOnHit = ({ spec }: SiemState): boolean =>
  Object.values(spec.rules).some(({ lifetime }) => lifetime.renewOnHit === true);
