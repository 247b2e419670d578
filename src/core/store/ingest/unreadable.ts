// Objects that could not be read but have an id: never a claim, kept so that people find them. Written as one set with
// the part of a commit in which they came.
import { digest48 } from '../../model/digest.ts';
import type { ObjectRefusal } from '../../model/entry.ts';
import type { ExchangeState, StoreContext } from '../unit/context.ts';
import { type NamedBy, NAMED_BY, saveNamed } from '../rows/named.ts';

export class Unreadable {
  readonly #store: StoreContext;
  /** There are any; usually not, and nobody has to look. */
  #any: boolean;
  /** What the running part says of each id: refused, or read after all. */
  readonly #said = new Map<string, ObjectRefusal | undefined>();

  constructor(store: StoreContext) {
    this.#store = store;
    this.#any = store.db.get('SELECT 1 AS one FROM unreadable LIMIT 1') !== undefined;
  }

  refused(refusal: ObjectRefusal): void {
    const { pattern } = refusal;
    // Without an id it is known by what it says.
    const objectId =
      refusal.objectId ?? (pattern === undefined ? undefined : `no id (${digest48(pattern).toString(16)})`);
    if (objectId === undefined) return;
    this.#said.set(objectId, refusal);
    this.#any = true;
  }

  read(objectId: string): void {
    if (this.#any) this.#said.set(objectId, undefined);
  }

  save(exchange: ExchangeState, now: number): void {
    if (this.#said.size === 0) return;
    const { db } = this.#store;
    const refused = new Map<string, ObjectRefusal>();
    const read: [number, string][] = [];
    for (const [objectId, refusal] of this.#said) {
      if (refusal === undefined) read.push([exchange.id, objectId]);
      else refused.set(objectId, refusal);
    }
    this.#said.clear();
    db.deleteRows('unreadable', ['exchange_id', 'object_id'], read);
    if (refused.size === 0) return;
    const ids = new Map(
      db
        .byKeys<{ id: number; object_id: string }>(
          'SELECT id, object_id FROM unreadable WHERE exchange_id = ? AND object_id IN ($keys)',
          [...refused.keys()],
          exchange.id,
        )
        .map((row) => [row.object_id, row.id]),
    );
    const [known, fresh] = [true, false].map((is) => [...refused].filter(([objectId]) => ids.has(objectId) === is));
    db.updateRows(
      'unreadable',
      ['id'],
      ['reason', 'facts', 'seen'],
      known!.map(([objectId, refusal]) => [refusal.reason, factsOf(refusal), now, ids.get(objectId)!]),
    );
    const last = db.get<{ id: number | null }>('SELECT max(id) AS id FROM unreadable')?.id ?? 0;
    const made = db.insertNew(
      'unreadable',
      ['exchange_id', 'object_id', 'reason', 'facts', 'seen'],
      fresh!.map(([objectId, refusal]) => [exchange.id, objectId, refusal.reason, factsOf(refusal), now]),
      last + 1,
    );
    for (const [i, [objectId]] of fresh!.entries()) if (made[i] !== undefined) ids.set(objectId, made[i]);
    const named: NamedBy[] = [];
    for (const [objectId, refusal] of refused) {
      const ref = ids.get(objectId);
      if (ref !== undefined) named.push({ ref, digests: refusal.named ?? [] });
    }
    saveNamed(db, NAMED_BY.unreadable, named);
  }

  /** A unit failed. */
  forget(): void {
    this.#said.clear();
  }
}

const factsOf = ({ name, pattern, detail }: ObjectRefusal): string => JSON.stringify({ name, pattern, detail });
