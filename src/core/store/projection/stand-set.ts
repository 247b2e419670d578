// Stands that are handled as one set: loaded in one look-up, changed in memory, and written at its end, table by table.
// What is asked of rows while a set is open has it written first (`save`).
import type { Stand } from '../../ledger/stand.ts';
import type { ProjectionRow } from '../rows/rows.ts';
import { columnsOf, FRESH, freshOf, isFresh, standOf, WRITTEN } from '../rows/stand-rows.ts';
import type { Database, Value } from '../sql/port.ts';
import type { Run } from './stand-runs.ts';

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

const KEYS = ['siem_id', 'entry_id'];

export class StandSet {
  readonly #db: Database;
  readonly #copy;
  /** By SIEM and entry, while a set is handled. */
  #set: Map<number, Map<number, Kept>> | undefined;

  constructor(db: Database) {
    this.#db = db;
    this.#copy = db.statement(
      `INSERT INTO projection (siem_id, entry_id, ${FRESH.join(', ')})
       SELECT CAST(? AS INTEGER), entry_id, ${FRESH.join(', ')} FROM projection WHERE siem_id = ? AND entry_id BETWEEN ? AND ?`,
    );
  }

  /** One within another is part of it. */
  together<T>(work: () => T): T {
    if (this.#set !== undefined) return work();
    this.#set = new Map();
    try {
      const result = work();
      this.save();
      return result;
    } finally {
      this.#set = undefined;
    }
  }

  get isOpen(): boolean {
    return this.#set !== undefined;
  }

  load(siem: number, entryIds: readonly number[]): void {
    const kept = this.#keptOf(siem);
    const missing = entryIds.filter((id) => !kept.has(id));
    for (const id of missing) kept.set(id, { stored: false, stand: undefined, written: false });
    for (const row of this.#db.byKeys<ProjectionRow>(
      'SELECT * FROM projection WHERE siem_id = ? AND entry_id IN ($keys)',
      missing,
      siem,
    ))
      kept.set(row.entry_id, { stored: true, stand: standOf(row), written: false });
  }

  /** Undefined: nothing is known of it. */
  get(siem: number, entryId: number): Pick<Kept, 'stand'> | undefined {
    return this.#set?.get(siem)?.get(entryId);
  }

  put(siem: number, id: number, before: Stand | undefined, stand: Stand | undefined): void {
    const kept = this.#keptOf(siem);
    const stored = kept.get(id)?.stored ?? before !== undefined;
    kept.set(id, { stored, stand, written: true });
  }

  /** Its row was read by somebody else. */
  drop(siem: number, entryId: number): void {
    this.#set?.get(siem)?.delete(entryId);
  }

  #keptOf(siem: number): Map<number, Kept> {
    if (this.#set === undefined) throw new Error('stands are loaded for a set, and none is handled');
    let kept = this.#set.get(siem);
    if (kept === undefined) {
      kept = new Map();
      this.#set.set(siem, kept);
    }
    return kept;
  }

  /** Writes what the set has changed so far. */
  save(): void {
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
      const db = this.#db;
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
