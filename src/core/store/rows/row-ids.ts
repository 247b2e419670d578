// Ids of rows, never given twice. SQLite gives the id of the last row again once that row is deleted, and what still
// hangs on it (a hit, a sighting, an approval, a digest) would then tell of another.
import type { Database } from '../sql/port.ts';

const NUMBERED = ['object', 'entry', 'outbox', 'suppression', 'hold', 'history'] as const;
type Numbered = (typeof NUMBERED)[number];

export class RowIds {
  readonly #last: Record<Numbered, number>;
  #before: Readonly<Record<Numbered, number>>;

  constructor(db: Database, meta: (name: string) => string | undefined) {
    const last = (table: Numbered): number => {
      const highest = db.get<{ id: number | null }>(`SELECT max(id) AS id FROM ${table}`)?.id ?? 0;
      return Math.max(highest, Number(meta(metaName(table)) ?? 0));
    };
    this.#last = Object.fromEntries(NUMBERED.map((table) => [table, last(table)])) as Record<Numbered, number>;
    this.#before = { ...this.#last };
  }

  /** The id that the next row gets. */
  next(table: Numbered): number {
    return this.#last[table] + 1;
  }

  /** Ids up to this one were given. */
  reach(table: Numbered, id: number): void {
    this.#last[table] = Math.max(this.#last[table], id);
  }

  take(table: Numbered): number {
    return ++this.#last[table];
  }

  /** Writes down what a unit gave, inside its transaction. */
  save(setMeta: (name: string, value: string) => void): void {
    for (const table of NUMBERED)
      if (this.#last[table] !== this.#before[table]) setMeta(metaName(table), String(this.#last[table]));
  }

  /** The unit is over: what it gave is given, or, where it failed, is not. */
  end(committed: boolean): void {
    if (committed) this.#before = { ...this.#last };
    else Object.assign(this.#last, this.#before);
  }
}

const metaName = (table: Numbered): string => `last_id ${table}`;
