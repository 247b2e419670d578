// Stands as rows of the projection. A row changes in one way: the stand before it and the stand after it are written as
// one difference, and the tallies and the sets of holds follow from that. Whole batches go by one statement
// (stand-runs.ts), which a property test holds to the same rules.
import { type Observable, OBSERVABLE_TYPES } from '../../model/observable.ts';
import { roomOf } from '../../ledger/capacity.ts';
import { type Is, isSameStand, type Stand } from '../../ledger/stand.ts';
import { count } from '../../ledger/tallies.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import type { HoldTable } from './hold-table.ts';
import type { ProjectionRow, StoredEntry } from '../rows/rows.ts';
import { columnsOf, standOf, WRITTEN } from '../rows/stand-rows.ts';
import { StandSet } from './stand-set.ts';
import { StandTallies } from './stand-tallies.ts';

/** An entry, and how it stands with the SIEM that was asked for. */
export interface Standing {
  readonly entry: StoredEntry;
  readonly stand: Stand;
}

type Joined = ProjectionRow & { readonly type: number; readonly value: string };

export class StandTable {
  readonly #store: StoreContext;
  readonly #holds: HoldTable;
  readonly #row;
  readonly #insert;
  readonly #update;
  readonly #delete;
  readonly #tallies: StandTallies;
  readonly #set: StandSet;
  /** Containers in which a place was given, changed or left since seats.ts looked. */
  readonly placesMoved = new Map<SiemState, Set<number>>();

  constructor(store: StoreContext, holds: HoldTable) {
    this.#store = store;
    this.#holds = holds;
    this.#tallies = new StandTallies(store);
    this.#set = new StandSet(store.db);
    const { db } = store;
    this.#row = db.statement<ProjectionRow>('SELECT * FROM projection WHERE siem_id = ? AND entry_id = ?');
    this.#insert = db.statement(
      `INSERT INTO projection (${WRITTEN.join(', ')}, siem_id, entry_id, slot) VALUES (${WRITTEN.map(() => '?').join(', ')}, ?, ?, ?)`,
    );
    this.#update = db.statement(
      `UPDATE projection SET ${WRITTEN.map((name) => `${name} = ?`).join(', ')} WHERE siem_id = ? AND entry_id = ?`,
    );
    this.#delete = db.statement('DELETE FROM projection WHERE siem_id = ? AND entry_id = ?');
  }

  /**
   * Handles many stands as one set: what `work` loads for all of them (`loadAll`, `standings`) answers without asking once
   * more, and what it writes goes to the database at its end. Statements that are not of this class see it only then.
   */
  together<T>(work: () => T): T {
    return this.#set.together(work);
  }

  /** For `load`, in one look-up. */
  loadAll(siem: SiemState, entryIds: readonly number[]): void {
    this.#set.load(siem.id, entryIds);
  }

  /** Of those of the entries that have a row, by id. */
  standings(siem: SiemState, entryIds: readonly number[]): Map<number, Standing> {
    this.#set.save();
    const found = new Map<number, Standing>();
    for (const row of this.#store.db.byKeys<Joined>(
      'SELECT p.*, e.type, e.value FROM projection p CROSS JOIN entry e WHERE p.siem_id = ? AND e.id = p.entry_id AND p.entry_id IN ($keys)',
      entryIds,
      siem.id,
    )) {
      found.set(row.entry_id, standing(row));
      this.#set.drop(siem.id, row.entry_id);
    }
    return found;
  }

  load(siem: SiemState, entryId: number): Stand | undefined {
    const kept = this.#set.get(siem.id, entryId);
    if (kept !== undefined) return kept.stand;
    const row = this.#row.get(siem.id, entryId);
    return row === undefined ? undefined : standOf(row);
  }

  of(siem: SiemState, { type, value }: Observable): Standing | undefined {
    this.#set.save();
    const row = this.#store.db.get<Joined>(
      `SELECT p.*, e.type, e.value FROM entry e JOIN projection p ON p.entry_id = e.id
       WHERE e.type = ? AND e.value = ? AND p.siem_id = ?`,
      OBSERVABLE_TYPES.indexOf(type),
      value,
      siem.id,
    );
    return row === undefined ? undefined : standing(row);
  }

  /** Rows p of the SIEM with their entries e; `by`: what the planner needs to be told. */
  select(siem: SiemState, by: string, where: string, ...values: (number | string)[]): Standing[] {
    this.#set.save();
    return this.#store.db
      .all<Joined>(
        `SELECT p.*, e.type, e.value FROM projection p ${by} JOIN entry e ON e.id = p.entry_id WHERE p.siem_id = ? AND ${where}`,
        siem.id,
        ...values,
      )
      .map(standing);
  }

  /** One step of the stand of an entry, where it has one. */
  step(siem: SiemState, entry: StoredEntry, step: (stand: Stand) => Stand | undefined): void {
    const stand = this.load(siem, entry.id);
    if (stand !== undefined) this.write(siem, entry, stand, step(stand));
  }

  /** Undefined: no row. */
  write(
    siem: SiemState,
    entry: Pick<StoredEntry, 'id' | 'type'> & { readonly value?: string },
    before: Stand | undefined,
    after: Stand | undefined,
    /** What stood there before the call that is settled now. */
    stood?: Is,
  ): void {
    if (before === after || (before !== undefined && after !== undefined && isSameStand(before, after))) return;
    const { id, type } = entry;
    if (this.#set.isOpen) this.#set.put(siem.id, id, before, after);
    else if (after === undefined) this.#delete.run(siem.id, id);
    else if (before === undefined) this.#insert.run(...columnsOf(after), siem.id, id, after.slot ?? null);
    else this.#update.run(...columnsOf(after), siem.id, id);
    count(this.#tallies.of(siem, type), before, after);
    this.#store.records.stood(siem.spec.name, entry, before, after, stood);
    const [was, is] = [before?.place, after?.place];
    if (was?.at !== is?.at || was?.out !== is?.out)
      for (const place of [was, is]) if (place !== undefined) this.moved(siem, roomOf(place.at));
    const [left, joined] = [before?.hold?.id, after?.hold?.id];
    if (left === joined) return;
    if (left !== undefined) this.#holds.leave(left, id);
    if (joined !== undefined) this.#holds.join(joined, id);
  }

  moved(siem: SiemState, room: number): void {
    const rooms = this.placesMoved.get(siem);
    if (rooms === undefined) this.placesMoved.set(siem, new Set([room]));
    else rooms.add(room);
  }

  /** Its SIEM left the configuration, so that nobody looks at what it shall hold. */
  neverDue(siemId: number, entryId: number): void {
    this.#store.db.run('UPDATE projection SET due = NULL WHERE siem_id = ? AND entry_id = ?', siemId, entryId);
  }
}

const standing = (row: Joined): Standing => ({
  entry: { id: row.entry_id, type: OBSERVABLE_TYPES[row.type]!, value: row.value },
  stand: standOf(row),
});
