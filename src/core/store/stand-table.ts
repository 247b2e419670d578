// Stands as rows of the projection. A row changes in one way: the stand before it and the stand after it are written as
// one difference, and the tallies and the sets of holds follow from that. Whole batches go by one statement
// (stand-runs.ts), which a property test holds to the same rules.
import { type Observable, OBSERVABLE_TYPES, type ObservableType } from '../model/observable.ts';
import type { Stand } from '../ledger/stand.ts';
import { count, type Tallies } from '../ledger/tallies.ts';
import type { SiemState, StoreContext } from './context.ts';
import type { HoldTable } from './hold-table.ts';
import { type ProjectionRow, type StoredEntry, voucherBit } from './rows.ts';
import { columnsOf, standOf, WRITTEN } from './stand-rows.ts';

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
  readonly #tallies = new Map<number, Map<ObservableType, Tallies>>();

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
    this.#delete = db.statement('DELETE FROM projection WHERE siem_id = ? AND entry_id = ?');
  }

  load(siem: SiemState, entryId: number): Stand | undefined {
    const row = this.#row.get(siem.id, entryId);
    return row === undefined ? undefined : standOf(row);
  }

  at(siem: SiemState, entryId: number): Standing | undefined {
    return this.select(siem, '', 'p.entry_id = ?', entryId)[0];
  }

  of(siem: SiemState, { type, value }: Observable): Standing | undefined {
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
    return this.#store.db
      .all<Joined>(
        `SELECT p.*, e.type, e.value FROM projection p ${by} JOIN entry e ON e.id = p.entry_id WHERE p.siem_id = ? AND ${where}`,
        siem.id,
        ...values,
      )
      .map(standing);
  }

  /** Undefined: no row. */
  write(
    siem: SiemState,
    { id, type }: Pick<StoredEntry, 'id' | 'type'>,
    before: Stand | undefined,
    after: Stand | undefined,
  ): void {
    if (before === after) return;
    if (after === undefined) this.#delete.run(siem.id, id);
    else if (before === undefined) this.#insert.run(...columnsOf(after), siem.id, id, after.slot ?? null);
    else this.#update.run(...columnsOf(after), siem.id, id);
    count(this.#talliesOf(siem, type), before, after);
    const [left, joined] = [before?.hold?.id, after?.hold?.id];
    if (left === joined) return;
    if (left !== undefined) this.#holds.leave(left, id);
    if (joined !== undefined) this.#holds.join(joined, id);
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
        armed: [...this.#store.exchangeNames.keys()].map((id) => [voucherBit(id), of(`armed:${id}`)]),
      };
      ofSiem.set(type, found);
    }
    return found;
  }
}

const standing = (row: Joined): Standing => ({
  entry: { id: row.entry_id, type: OBSERVABLE_TYPES[row.type]!, value: row.value },
  stand: standOf(row),
});
