// The counts that make status cheap, as this process has them: rows of `tally` that a unit changes with what it counts,
// written where they changed, and set back when the unit fails.
import type { Database } from '../sql/port.ts';

/** One count. */
export interface Tally {
  n: number;
}

/** What every count was when a unit began. */
type Counted = ReadonlyMap<string, number>;

export class TallyBook {
  readonly #db: Database;
  readonly #tallies = new Map<string, Tally>();

  constructor(db: Database) {
    this.#db = db;
    for (const row of db.all<{ owner: string; name: string; n: number }>('SELECT owner, name, n FROM tally'))
      this.#tallies.set(`${row.owner} ${row.name}`, { n: row.n });
  }

  /** To be kept by who counts a million times. It is the same one for good, and set back when a unit fails. */
  of(owner: string, name: string): Tally {
    const key = `${owner} ${name}`;
    let tally = this.#tallies.get(key);
    if (tally === undefined) {
      tally = { n: 0 };
      this.#tallies.set(key, tally);
    }
    return tally;
  }

  get(owner: string, name: string): number {
    return this.#tallies.get(`${owner} ${name}`)?.n ?? 0;
  }

  /** To be compared with, or gone back to, at the end of a unit. */
  counted(): Counted {
    return new Map([...this.#tallies].map(([key, { n }]) => [key, n]));
  }

  /** Writes those that changed since. */
  save(before: Counted): void {
    for (const [key, { n }] of this.#tallies) {
      if ((before.get(key) ?? 0) === n) continue;
      const space = key.indexOf(' ');
      this.#db.run(
        'INSERT INTO tally (owner, name, n) VALUES (?, ?, ?) ON CONFLICT (owner, name) DO UPDATE SET n = excluded.n',
        key.slice(0, space),
        key.slice(space + 1),
        n,
      );
    }
  }

  /** The unit failed. */
  restore(before: Counted): void {
    for (const [key, tally] of this.#tallies) tally.n = before.get(key) ?? 0;
  }
}
