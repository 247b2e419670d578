// Objects and the entries that they name.
import type { Reason } from '../../ledger/project.ts';
import { OBSERVABLE_TYPES } from '../../model/observable.ts';
import type { StoreContext } from '../unit/context.ts';
import { OBJECT, type StoredEntry } from '../rows/rows.ts';
import type { Touched } from '../unit/touched.ts';

/** Objects whose entries are looked up together. */
const MOST_TOGETHER = 1000;

export class Links {
  readonly #store: StoreContext;
  readonly #touched: Touched;

  constructor(store: StoreContext, touched: Touched) {
    this.#store = store;
    this.#touched = touched;
  }

  /** What each of these objects names, by its row. */
  of(objectRows: readonly number[]): Map<number, StoredEntry[]> {
    const found = new Map<number, StoredEntry[]>(objectRows.map((id) => [id, []]));
    for (let at = 0; at < objectRows.length; at += MOST_TOGETHER)
      for (const [objectRow, id, type, value] of this.#store.db.listsByKeys(
        `SELECT c.object_id, e.id, e.type, e.value FROM contribution c CROSS JOIN entry e
         WHERE e.id = c.entry_id AND c.object_id IN ($keys) ORDER BY c.object_id, c.entry_id`,
        objectRows.slice(at, at + MOST_TOGETHER),
      ) as [number, number, number, string][])
        found.get(objectRow)!.push({ id, type: OBSERVABLE_TYPES[type]!, value });
    return found;
  }

  /** Their entries are judged at the end of the unit. */
  touch(entries: readonly StoredEntry[], reason: Reason): void {
    for (const entry of entries) this.#touched.add(entry, reason);
  }

  /** Entries of these published objects, by the ids of their partner, which are to be written again. */
  toWriteAgain(exchangeId: number, objectIds: readonly string[]): Map<string, StoredEntry[]> {
    const rows = new Map<number, string>();
    for (let at = 0; at < objectIds.length; at += MOST_TOGETHER)
      for (const { id, object_id } of this.#store.db.byKeys<{ id: number; object_id: string }>(
        `SELECT id, object_id FROM object WHERE exchange_id = ? AND state = ${OBJECT.published} AND object_id IN ($keys)`,
        objectIds.slice(at, at + MOST_TOGETHER),
        exchangeId,
      ))
        rows.set(id, object_id);
    return new Map(Array.from(this.of([...rows.keys()]), ([row, entries]) => [rows.get(row)!, entries]));
  }

  writeAgain(exchangeId: number, entries: readonly StoredEntry[]): void {
    this.touch(entries, { cause: 'none', exchangeId, force: true });
  }

  /** What they name is vouched for since now. */
  armFrom(objectRows: readonly number[], now: number): void {
    this.#store.db.updateRows(
      'contribution',
      ['object_id'],
      ['since'],
      objectRows.map((id) => [now, id]),
    );
  }
}
