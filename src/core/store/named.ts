// The values that objects name which were refused or came revoked. For people who look for a value, never for claims.
import type { Database } from './sql/port.ts';

/** What names them: an object, or one that could not be read. */
export const NAMED_BY = { object: 0, unreadable: 1 } as const;

export class Named {
  readonly #add;
  readonly #drop;

  constructor(db: Database) {
    this.#add = db.statement('INSERT INTO named (digest, kind, ref) VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
    this.#drop = db.statement('DELETE FROM named WHERE kind = ? AND ref = ?');
  }

  add(kind: number, ref: number, digests: readonly number[]): void {
    for (const digest of digests) this.#add.run(digest, kind, ref);
  }

  replace(kind: number, ref: number, digests: readonly number[] = []): void {
    this.#drop.run(kind, ref);
    this.add(kind, ref, digests);
  }
}
