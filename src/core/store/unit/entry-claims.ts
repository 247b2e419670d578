// The claims on entries: of one, or of all that are judged together, which are read before in a few look-ups. Of an entry
// that very many objects name they come in parts.
import { OBSERVABLE_TYPES } from '../../model/observable.ts';
import { CLAIM_COLUMNS, claimRow, newestFirst } from '../rows/claims.ts';
import type { StoreContext } from './context.ts';
import { OBJECT, type ObjectRow, type StoredEntry } from '../rows/rows.ts';

/**
 * An entry that more objects name is gone through in parts, by a sweep of its own (its claims would not fit into memory,
 * nor be read again with every commit), and names the newest of them alone as its sources.
 */
export const CROWDED = 500;

/** Claims that are read together. */
const MOST_CLAIMS = 5000;
const DAY_MS = 86_400_000;
const PUBLISHED = `o.state = ${OBJECT.published}`;

/** What is known of an entry of the running set. */
interface Loaded {
  /** How many objects name it, as far as that counts. */
  readonly named: number;
  readonly hitDay: number | null;
  /** Published ones, unless it is crowded, where they were asked for. */
  claims: ObjectRow[] | undefined;
  /** All of them, where they were asked for. */
  every: ObjectRow[] | undefined;
}

export class EntryClaims {
  readonly #store: StoreContext;
  readonly #claims;
  readonly #claimsAfter;
  readonly #every;
  readonly #named;
  readonly #crowd;
  readonly #hitDay;
  #set: ReadonlyMap<number, Loaded> = new Map();

  constructor(store: StoreContext) {
    this.#store = store;
    const { db } = store;
    const claims = (where: string) =>
      db.lists(
        `SELECT ${CLAIM_COLUMNS} FROM contribution c JOIN object o ON o.id = c.object_id WHERE c.entry_id = ? ${where}`,
      );
    this.#claims = claims(`AND ${PUBLISHED}`);
    this.#claimsAfter = claims(`AND c.object_id > ? AND ${PUBLISHED} ORDER BY c.object_id LIMIT ${CROWDED}`);
    this.#every = claims(`LIMIT ${CROWDED}`);
    this.#named = db.statement<{ n: number }>(
      `SELECT count(*) AS n FROM (SELECT 1 FROM contribution WHERE entry_id = ? LIMIT ${CROWDED + 1}) few`,
    );
    this.#crowd = db.statement('UPDATE entry SET crowded = 1 WHERE id = ? AND crowded = 0');
    this.#hitDay = db.statement<{ hit_day: number | null }>('SELECT hit_day FROM entry WHERE id = ?');
  }

  /** Of those that are there, by id. */
  entries(entryIds: readonly number[]): Map<number, StoredEntry> {
    const rows = this.#store.db.byKeys<{ id: number; type: number; value: string }>(
      'SELECT id, type, value FROM entry WHERE id IN ($keys)',
      entryIds,
    );
    return new Map(rows.map(({ id, type, value }) => [id, { id, type: OBSERVABLE_TYPES[type]!, value }]));
  }

  /** The set is over. */
  forget(): void {
    this.#set = new Map();
  }

  /** Reads the claims on all of these, and hands them out in parts that have no more of them than fit into memory. */
  *loaded<T extends { readonly entry: StoredEntry }>(all: readonly T[]): Generator<readonly T[], void, undefined> {
    for (const part of this.#parts(all)) {
      const ids = part.map((one) => one.entry.id).filter((id) => this.#set.has(id));
      for (const id of ids) this.#set.get(id)!.claims = [];
      this.#read(
        ids.filter((id) => this.#few(id) > 0),
        `AND ${PUBLISHED}`,
        (id) => this.#set.get(id)!.claims!,
      );
      yield part;
    }
  }

  /** The same of all claims, withdrawn ones too: for `every` alone. */
  *loadedEvery<T extends { readonly entry: StoredEntry }>(all: readonly T[]): Generator<readonly T[], void, undefined> {
    for (const part of this.#parts(all)) {
      this.loadEvery(part.map((one) => one.entry.id));
      yield part;
    }
  }

  /**
   * Until the set is over: `namedBy` and `lastHit` of these, and `every` of those of them that are `kept`. What does not
   * fit into memory is read when it is asked for. Returns the claims that were read.
   */
  foresee(entryIds: readonly number[], kept: readonly number[]): ObjectRow[] {
    this.#set = this.#known(entryIds);
    let claims = 0;
    this.loadEvery(
      kept.filter((id) => {
        claims += this.#few(id);
        return claims <= MOST_CLAIMS;
      }),
    );
    return kept.flatMap((id) => this.#set.get(id)?.every ?? []);
  }

  #known(entryIds: readonly number[]): Map<number, Loaded> {
    const set = new Map<number, Loaded>();
    for (const [id, named, hitDay] of this.#store.db.listsByKeys(
      `SELECT e.id, (SELECT count(*) FROM (SELECT 1 FROM contribution c WHERE c.entry_id = e.id LIMIT ${CROWDED + 1}) few), e.hit_day
       FROM entry e WHERE e.id IN ($keys)`,
      entryIds,
    ) as [number, number, number | null][])
      set.set(id, { named, hitDay, claims: undefined, every: undefined });
    return set;
  }

  *#parts<T extends { readonly entry: StoredEntry }>(all: readonly T[]): Generator<readonly T[], void, undefined> {
    const set = this.#known(all.map((one) => one.entry.id));
    this.#set = set;
    const few = (at: number): number => this.#few(all[at]!.entry.id);
    for (let from = 0; from < all.length; ) {
      let to = from + 1;
      for (let claims = few(from); to < all.length && claims + few(to) <= MOST_CLAIMS; to++) claims += few(to);
      const part = all.slice(from, to);
      yield part;
      for (const { entry } of part) set.delete(entry.id);
      from = to;
    }
  }

  /** Claims that are read with others: a crowded one has its own read in parts. */
  #few(entryId: number): number {
    const { named } = this.#set.get(entryId) ?? { named: 0 };
    return named > CROWDED ? 0 : named;
  }

  /** Of these also those that are withdrawn. */
  loadEvery(entryIds: readonly number[]): void {
    const ids = entryIds.filter((id) => (this.#set.get(id)?.named ?? CROWDED + 1) <= CROWDED);
    for (const id of ids) this.#set.get(id)!.every = [];
    this.#read(ids, '', (id) => this.#set.get(id)!.every!);
  }

  #read(entryIds: readonly number[], where: string, into: (id: number) => ObjectRow[]): void {
    for (const columns of this.#store.db.listsByKeys(
      `SELECT c.entry_id, ${CLAIM_COLUMNS} FROM contribution c CROSS JOIN object o
       WHERE o.id = c.object_id ${where} AND c.entry_id IN ($keys)`,
      entryIds,
    ))
      into(columns[0] as number).push(claimRow(columns, 1));
  }

  namedBy(entryId: number): number {
    return this.#set.get(entryId)?.named ?? this.#named.get(entryId)!.n;
  }

  /** True, and remembered, when so many objects name the entry that it is judged by a sweep. */
  isCrowded(entryId: number): boolean {
    if (this.namedBy(entryId) <= CROWDED) return false;
    this.#crowd.run(entryId);
    return true;
  }

  /** Published claims on an entry, newest first, or in parts. An exchange that is no longer configured still shows. */
  *parts(entryId: number): Generator<ObjectRow[], void, undefined> {
    const loaded = this.#set.get(entryId);
    if (this.namedBy(entryId) <= CROWDED) {
      yield newestFirst(loaded?.claims ?? this.#claims(entryId).map((row) => claimRow(row, 0)));
      return;
    }
    for (let after = 0; ; ) {
      const rows = this.after(entryId, after);
      yield rows;
      if (rows.length < CROWDED) return;
      after = rows.at(-1)!.id;
    }
  }

  /** The next published claims on an entry behind this object, by their rows. */
  after(entryId: number, object: number): ObjectRow[] {
    return this.#claimsAfter(entryId, object).map((row) => claimRow(row, 0));
  }

  /** In this order: what was chosen of equal ones is chosen again. */
  byIds(objects: readonly number[]): ObjectRow[] {
    const rows = new Map(
      this.#store.db
        .listsByKeys(`SELECT ${CLAIM_COLUMNS} FROM object o WHERE ${PUBLISHED} AND o.id IN ($keys)`, objects)
        .map((columns) => [columns[0] as number, claimRow(columns, 0)]),
    );
    return objects.flatMap((id) => rows.get(id) ?? []);
  }

  /** Withdrawn ones, too. */
  every(entryId: number): ObjectRow[] {
    return newestFirst(this.#set.get(entryId)?.every ?? this.#every(entryId).map((row) => claimRow(row, 0)));
  }

  /** When the value was last seen here. */
  lastHit(entryId: number): number | undefined {
    const loaded = this.#set.get(entryId);
    const day = loaded === undefined ? this.#hitDay.get(entryId)?.hit_day : loaded.hitDay;
    return day === null || day === undefined ? undefined : day * DAY_MS;
  }
}
