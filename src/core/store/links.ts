// Objects and the entries that they name.
import type { Reason } from '../ledger/project.ts';
import { OBSERVABLE_TYPES } from '../model/observable.ts';
import type { StoreContext } from './context.ts';
import { OBJECT, type StoredEntry } from './rows.ts';
import type { Touched } from './touched.ts';

export class Links {
  readonly #store: StoreContext;
  readonly #touched: Touched;
  readonly #linked;
  readonly #find;

  constructor(store: StoreContext, touched: Touched) {
    this.#store = store;
    this.#touched = touched;
    this.#linked = store.db.statement<{ id: number; type: number; value: string }>(
      'SELECT e.id, e.type, e.value FROM contribution c JOIN entry e ON e.id = c.entry_id WHERE c.object_id = ?',
    );
    this.#find = store.db.statement<{ id: number; state: number }>(
      'SELECT id, state FROM object WHERE exchange_id = ? AND object_id = ?',
    );
  }

  of(objectRow: number): StoredEntry[] {
    return this.#linked.all(objectRow).map(({ id, type, value }) => ({ id, type: OBSERVABLE_TYPES[type]!, value }));
  }

  /** Its entries are judged at the end of the unit. Returns how many. */
  touch(objectRow: number, reason: Reason): number {
    const entries = this.of(objectRow);
    for (const entry of entries) this.#touched.add(entry, reason);
    return entries.length;
  }

  /** Entries of an object that is to be written again. */
  writeAgain(exchangeId: number, objectId: string): number {
    const row = this.#find.get(exchangeId, objectId);
    if (row === undefined || row.state !== OBJECT.published) return 0;
    return this.touch(row.id, { cause: 'none', exchangeId, force: true });
  }

  /** What it names is vouched for since now. */
  armsFrom(objectRow: number, now: number): void {
    this.#store.db.run('UPDATE contribution SET since = ? WHERE object_id = ?', now, objectRow);
  }
}
