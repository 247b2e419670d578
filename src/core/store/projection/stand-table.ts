// Stands as rows of the projection. A row changes in one way: the stand before it and the stand after it are written as
// one difference, and the tallies and the sets of holds follow from that. Whole batches go by one statement
// (stand-runs.ts), which a property test holds to the same rules.
import { type Observable, OBSERVABLE_TYPES, type ObservableType } from '../../model/observable.ts';
import { roomOf } from '../../ledger/capacity.ts';
import { voucherBit } from '../../ledger/admit.ts';
import { type Is, isSameStand, type Stand } from '../../ledger/stand.ts';
import { count, type Tallies } from '../../ledger/tallies.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import type { HoldTable } from './hold-table.ts';
import type { ProjectionRow, StoredEntry } from '../rows/rows.ts';
import type { Value } from '../sql/port.ts';
import type { Run } from './stand-runs.ts';
import { columnsOf, FRESH, freshOf, isFresh, standOf, WRITTEN } from '../rows/stand-rows.ts';

/** An entry, and how it stands with the SIEM that was asked for. */
export interface Standing {
  readonly entry: StoredEntry;
  readonly stand: Stand;
}

type Joined = ProjectionRow & { readonly type: number; readonly value: string };

/** A stand of the running set. */
interface Kept {
  /** There is a row for it. */
  readonly stored: boolean;
  stand: Stand | undefined;
  written: boolean;
}

/** Stands of one SIEM that nothing happened to yet, by entry. */
interface Fresh {
  readonly siem: number;
  readonly ids: number[];
  readonly stands: Stand[];
}

/** Rows that are copied by one statement, at the least. */
const FEW = 10;

export class StandTable {
  readonly #store: StoreContext;
  readonly #holds: HoldTable;
  readonly #row;
  readonly #insert;
  readonly #update;
  readonly #copy;
  readonly #delete;
  readonly #tallies = new Map<number, Map<ObservableType, Tallies>>();
  /** By SIEM and entry, while a set is handled. */
  #set: Map<number, Map<number, Kept>> | undefined;
  /** Containers in which a place was given, changed or left since seats.ts looked. */
  readonly placesMoved = new Map<SiemState, Set<number>>();

  constructor(store: StoreContext, holds: HoldTable) {
    this.#store = store;
    this.#holds = holds;
    const { db } = store;
    this.#row = db.statement<ProjectionRow>('SELECT * FROM projection WHERE siem_id = ? AND entry_id = ?');
    this.#insert = db.statement(
      `INSERT INTO projection (${WRITTEN.join(', ')}, siem_id, entry_id, slot) VALUES (${WRITTEN.map(() => '?').join(', ')}, ?, ?, ?)`,
    );
    this.#update = db.statement(
      `UPDATE projection SET ${WRITTEN.map((name) => `${name} = ?`).join(', ')} WHERE siem_id = ? AND entry_id = ?`,
    );
    this.#copy = db.statement(
      `INSERT INTO projection (siem_id, entry_id, ${FRESH.join(', ')})
       SELECT CAST(? AS INTEGER), entry_id, ${FRESH.join(', ')} FROM projection WHERE siem_id = ? AND entry_id BETWEEN ? AND ?`,
    );
    this.#delete = db.statement('DELETE FROM projection WHERE siem_id = ? AND entry_id = ?');
  }

  /**
   * Handles many stands as one set: what `work` loads for all of them (`loadAll`, `standings`) answers without asking once
   * more, and what it writes goes to the database at its end. Statements that are not of this class see it only then.
   */
  together<T>(work: () => T): T {
    if (this.#set !== undefined) return work();
    this.#set = new Map();
    try {
      const result = work();
      this.#save();
      return result;
    } finally {
      this.#set = undefined;
    }
  }

  /** For `load`, in one look-up. */
  loadAll(siem: SiemState, entryIds: readonly number[]): void {
    const kept = this.#keptOf(siem);
    const missing = entryIds.filter((id) => !kept.has(id));
    for (const id of missing) kept.set(id, { stored: false, stand: undefined, written: false });
    for (const row of this.#store.db.byKeys<ProjectionRow>(
      'SELECT * FROM projection WHERE siem_id = ? AND entry_id IN ($keys)',
      missing,
      siem.id,
    ))
      kept.set(row.entry_id, { stored: true, stand: standOf(row), written: false });
  }

  /** Of those of the entries that have a row, by id. */
  standings(siem: SiemState, entryIds: readonly number[]): Map<number, Standing> {
    this.#save();
    const found = new Map<number, Standing>();
    for (const row of this.#store.db.byKeys<Joined>(
      'SELECT p.*, e.type, e.value FROM projection p CROSS JOIN entry e WHERE p.siem_id = ? AND e.id = p.entry_id AND p.entry_id IN ($keys)',
      entryIds,
      siem.id,
    )) {
      found.set(row.entry_id, standing(row));
      this.#set?.get(siem.id)?.delete(row.entry_id);
    }
    return found;
  }

  #keptOf(siem: SiemState): Map<number, Kept> {
    if (this.#set === undefined) throw new Error('stands are loaded for a set, and none is handled');
    let kept = this.#set.get(siem.id);
    if (kept === undefined) {
      kept = new Map();
      this.#set.set(siem.id, kept);
    }
    return kept;
  }

  /** Writes what the set has changed so far. */
  #save(): void {
    let last: Fresh | undefined;
    for (const [siem, kept] of this.#set ?? []) {
      const [inserted, updated, deleted]: Value[][][] = [[], [], []];
      const fresh: Fresh = { siem, ids: [], stands: [] };
      for (const [id, one] of kept) {
        if (!one.written) continue;
        const { stored, stand } = one;
        if (stand === undefined) {
          if (stored) deleted!.push([siem, id]);
        } else if (stored) updated!.push([...columnsOf(stand), siem, id]);
        else if (isFresh(stand)) {
          fresh.ids.push(id);
          fresh.stands.push(stand);
        } else inserted!.push([...columnsOf(stand), siem, id, stand.slot ?? null]);
        kept.set(id, { stored: stand !== undefined, stand, written: false });
      }
      const { db } = this.#store;
      db.deleteRows('projection', KEYS, deleted!);
      db.updateRows('projection', KEYS, WRITTEN, updated!);
      if (last === undefined || !this.#copied(last, fresh))
        db.insertRows(
          'projection',
          [...FRESH, ...KEYS],
          fresh.stands.map((stand, i) => [...freshOf(stand), siem, fresh.ids[i]!]),
        );
      last = fresh;
      db.insertRows('projection', [...WRITTEN, ...KEYS, 'slot'], inserted!);
    }
  }

  /**
   * SIEMs that judge alike share their stands: rows of the one are made from those of the other, in the database. False
   * where they do not, or where the entries lie so far apart that each would be a statement of its own.
   */
  #copied(from: Fresh, to: Fresh): boolean {
    if (from.ids.length !== to.ids.length || to.stands.some((stand, i) => stand !== from.stands[i])) return false;
    const runs = runsOf(to.ids);
    if (runs.length * FEW > to.ids.length) return false;
    for (const { first, last } of runs) this.#copy.run(to.siem, from.siem, first, last);
    return true;
  }

  load(siem: SiemState, entryId: number): Stand | undefined {
    const kept = this.#set?.get(siem.id)?.get(entryId);
    if (kept !== undefined) return kept.stand;
    const row = this.#row.get(siem.id, entryId);
    return row === undefined ? undefined : standOf(row);
  }

  at(siem: SiemState, entryId: number): Standing | undefined {
    return this.select(siem, '', 'p.entry_id = ?', entryId)[0];
  }

  of(siem: SiemState, { type, value }: Observable): Standing | undefined {
    this.#save();
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
    this.#save();
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
    if (this.#set !== undefined) this.#keep(siem, id, before, after);
    else if (after === undefined) this.#delete.run(siem.id, id);
    else if (before === undefined) this.#insert.run(...columnsOf(after), siem.id, id, after.slot ?? null);
    else this.#update.run(...columnsOf(after), siem.id, id);
    count(this.#talliesOf(siem, type), before, after);
    this.#store.records.stood(siem.spec.name, entry, before, after, stood);
    const [was, is] = [before?.place, after?.place];
    if (was?.at !== is?.at || was?.out !== is?.out)
      for (const place of [was, is]) if (place !== undefined) this.moved(siem, roomOf(place.at));
    const [left, joined] = [before?.hold?.id, after?.hold?.id];
    if (left === joined) return;
    if (left !== undefined) this.#holds.leave(left, id);
    if (joined !== undefined) this.#holds.join(joined, id);
  }

  #keep(siem: SiemState, id: number, before: Stand | undefined, stand: Stand | undefined): void {
    const kept = this.#keptOf(siem);
    const stored = kept.get(id)?.stored ?? before !== undefined;
    kept.set(id, { stored, stand, written: true });
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

  /** Found once per SIEM and type: a first sync would look a million times. */
  #talliesOf(siem: SiemState, type: ObservableType): Tallies {
    let ofSiem = this.#tallies.get(siem.id);
    if (ofSiem === undefined) {
      ofSiem = new Map();
      this.#tallies.set(siem.id, ofSiem);
    }
    let found = ofSiem.get(type);
    if (found === undefined) {
      const of = (name: string) => this.#store.tallyOf(`siem:${siem.id}`, name);
      found = {
        wanted: of('wanted'),
        wantedOfType: of(`wanted:${type}`),
        delivered: of('delivered'),
        presentOfType: of(`present:${type}`),
        parked: of('parked'),
        held: of('held'),
        adopted: of('adopted'),
        pending: of('pending'),
        seatedOfType: of(`seated:${type}`),
        outOfType: of(`out:${type}`),
        armed: [...this.#store.exchangeNames.keys()].map((id) => [voucherBit(id), of(`armed:${id}`)]),
      };
      ofSiem.set(type, found);
    }
    return found;
  }
}

/** Entries with nothing between them. */
function runsOf(ids: readonly number[]): Run[] {
  const runs: { first: number; last: number }[] = [];
  for (const id of ids) {
    const run = runs.at(-1);
    if (run?.last === id - 1) run.last = id;
    else runs.push({ first: id, last: id });
  }
  return runs;
}

const KEYS = ['siem_id', 'entry_id'];

const standing = (row: Joined): Standing => ({
  entry: { id: row.entry_id, type: OBSERVABLE_TYPES[row.type]!, value: row.value },
  stand: standOf(row),
});
