// The objects of one part of a commit, the entries that they name and what is between them, as plain values: read by a
// few look-ups before anything is decided, and written back as a difference, table by table.
import { CANON_VERSION } from '../../model/canonical.ts';
import type { IncomingIndicator } from '../../model/entry.ts';
import { type Observable, OBSERVABLE_TYPES } from '../../model/observable.ts';
import type { Known } from '../../ledger/take-in.ts';
import type { ExchangeState, StoreContext } from '../unit/context.ts';
import { type NamedBy, NAMED_BY, saveNamed } from '../rows/named.ts';
import { type ClaimedRow, COLUMNS, NARROW, stateOf, valuesOf } from '../rows/object-rows.ts';
import type { StoredEntry } from '../rows/rows.ts';
import type { Values } from '../sql/port.ts';

/** An object of the set. */
export interface Item {
  readonly id: number;
  known: Known;
  /** Whole where it may change, or is new. */
  row: ClaimedRow | undefined;
  /** What it names now, by entry, and what its rows say it names. */
  links: Map<number, StoredEntry> | undefined;
  linked: Set<number> | undefined;
  /** The listing of its scope in which it is shown, where that is known. */
  readonly shown: number | undefined;
  readonly state: 'stored' | 'inserted' | 'fresh';
  changed: boolean;
  /** All that it names is vouched for since now. */
  armsAnew: boolean;
  /** Of what it named before, entries that it left and names again. */
  again: Set<number> | undefined;
}

/**
 * Over 200 lines, because what is loaded, what changes and what is written are about the same few maps, which nobody else
 * sees.
 */
export class ObjectSet {
  readonly #store: StoreContext;
  readonly #exchange: ExchangeState;
  readonly #items = new Map<string, Item>();
  readonly #entries = new Map<string, StoredEntry>();
  /** Entries that nobody named before, while a single object of the set does. */
  readonly fresh = new Map<number, { readonly entry: StoredEntry; readonly item: Item }>();
  /** Made by this set, and named by nothing yet. */
  readonly #unnamed = new Set<number>();
  readonly #madeEntries: StoredEntry[] = [];
  /** By scope and object, the listing that it is shown in. */
  readonly #seen = new Map<number, Map<number, number>>();
  /** That `shown` of the items is about. */
  #scope: number | undefined;
  readonly #awaited: Values[] = [];
  readonly #named: NamedBy[] = [];
  readonly #namedAnew: NamedBy[] = [];

  constructor(store: StoreContext, exchange: ExchangeState) {
    this.#store = store;
    this.#exchange = exchange;
  }

  get(objectId: string): Item | undefined {
    return this.#items.get(objectId);
  }

  // ---- what is known

  /** What is to be known of these to tell what becomes of them. */
  load(objectIds: readonly string[], scope?: number): void {
    for (const columns of this.#store.db.listsByKeys(
      `SELECT ${NARROW.map((one) => `o.${one}`).join(', ')}, p.listing
       FROM object o LEFT JOIN presence p ON p.object_id = o.id AND p.scope_id = ? WHERE o.exchange_id = ? AND o.object_id IN ($keys)`,
      objectIds,
      scope ?? 0,
      this.#exchange.id,
    )) {
      // In the order of NARROW.
      const [id, objectId, version, state, from, until, digest, canon, shown] = columns as [
        number,
        string,
        string,
        number,
        number,
        number | null,
        number,
        number,
        number | null,
      ];
      const validity = { from, until: until ?? undefined };
      const known = { state: stateOf(state), version, digest, validity, outdated: canon < CANON_VERSION };
      this.#items.set(objectId, itemOf(id, known, undefined, 'stored', shown ?? undefined));
    }
    this.#scope = scope;
  }

  /** All of those that may change, and what they name. */
  loadWhole(items: readonly Item[]): void {
    const byId = new Map(items.map((one) => [one.id, one]));
    const ids = [...byId.keys()];
    for (const item of items) {
      item.links = new Map();
      item.linked = new Set();
    }
    const { db } = this.#store;
    for (const row of db.byKeys<ClaimedRow>('SELECT * FROM object WHERE id IN ($keys)', ids))
      byId.get(row.id)!.row = row;
    for (const columns of db.listsByKeys(
      'SELECT c.object_id, e.id, e.type, e.value FROM contribution c CROSS JOIN entry e WHERE e.id = c.entry_id AND c.object_id IN ($keys) ORDER BY c.object_id, c.entry_id',
      ids,
    ) as [number, number, number, string][]) {
      const [objectRow, id, type, value] = columns;
      const item = byId.get(objectRow)!;
      const entry = { id, type: OBSERVABLE_TYPES[type]!, value };
      item.links!.set(id, entry);
      item.linked!.add(id);
      this.#entries.set(keyOf(entry), entry);
    }
  }

  /** Inserts what is new among these, and loads the others. In a first sync nearly all are, and the insert finds that out. */
  insertNew(rows: readonly ClaimedRow[], scope?: number): void {
    const { db, ids } = this.#store;
    const made = db.insertNew('object', COLUMNS, rows.map(valuesOf), ids.next('object'));
    const known: string[] = [];
    for (const [i, id] of made.entries()) {
      const row = rows[i]!;
      if (id === undefined) known.push(row.object_id);
      else this.#items.set(row.object_id, itemOf(id, knownOf(row), { ...row, id }, 'inserted'));
    }
    ids.reach('object', Math.max(0, ...made.map((id) => id ?? 0)));
    this.load(known, scope);
  }

  /** Entries of these values. With `insert`, all of them are needed, and what is new is made at once. */
  loadEntries(observables: readonly Observable[], insert: boolean): void {
    const { db, ids } = this.#store;
    const missing = new Map<string, Observable>();
    for (const one of observables) if (!this.#entries.has(keyOf(one))) missing.set(keyOf(one), one);
    let wanted = [...missing.values()];
    if (insert) {
      const rows = wanted.map(({ type, value }) => [OBSERVABLE_TYPES.indexOf(type), value]);
      const made = db.insertNew('entry', ['type', 'value'], rows, ids.next('entry'));
      for (const [i, id] of made.entries())
        if (id !== undefined) this.#made({ id, type: wanted[i]!.type, value: wanted[i]!.value });
      ids.reach('entry', Math.max(0, ...made.map((id) => id ?? 0)));
      wanted = wanted.filter((_, i) => made[i] === undefined);
    }
    for (const type of new Set(wanted.map((one) => one.type)))
      for (const [id, value] of db.listsByKeys(
        'SELECT id, value FROM entry WHERE type = ? AND value IN ($keys)',
        wanted.flatMap((one) => (one.type === type ? one.value : [])),
        OBSERVABLE_TYPES.indexOf(type),
      ) as [number, string][])
        this.#entries.set(keyOf({ type, value }), { id, type, value });
  }

  #made(entry: StoredEntry): StoredEntry {
    this.#entries.set(keyOf(entry), entry);
    this.#unnamed.add(entry.id);
    return entry;
  }

  // ---- what changes

  /** An object that nobody knew. */
  add(row: ClaimedRow): Item {
    const item = itemOf(row.id, knownOf(row), row, 'fresh');
    item.changed = true;
    this.#items.set(row.object_id, item);
    return item;
  }

  change(item: Item, by: Partial<ClaimedRow>): void {
    item.row = { ...item.row!, ...by };
    item.known = knownOf(item.row);
    item.changed = true;
  }

  see(item: Item, scope: number, listing: number): void {
    if (item.shown === listing && scope === this.#scope) return;
    let shown = this.#seen.get(scope);
    if (shown === undefined) {
      shown = new Map();
      this.#seen.set(scope, shown);
    }
    shown.set(item.id, listing);
  }

  entryOf({ type, value }: Observable): StoredEntry {
    const found = this.#entries.get(keyOf({ type, value }));
    if (found !== undefined) return found;
    const entry = this.#made({ id: this.#store.ids.take('entry'), type, value });
    this.#madeEntries.push(entry);
    return entry;
  }

  /** It names this. False when it did. A value that nobody else names is judged from this object alone. */
  link(item: Item, entry: StoredEntry): boolean {
    item.links ??= new Map();
    if (item.links.has(entry.id)) return false;
    item.links.set(entry.id, entry);
    if (item.linked?.has(entry.id) === true) {
      item.again ??= new Set();
      item.again.add(entry.id);
    }
    if (this.#unnamed.delete(entry.id)) this.fresh.set(entry.id, { entry, item });
    return true;
  }

  /** By which markings that nothing explains yet it is to be found. */
  await(item: Item, refs: readonly string[]): void {
    for (const ref of refs) this.#awaited.push([this.#exchange.id, ref, item.id]);
  }

  /** Values that it names though it makes no claim. */
  names(item: Item, { named }: IncomingIndicator, before: boolean): void {
    if (before) this.#namedAnew.push({ ref: item.id, digests: named ?? [] });
    else if (named !== undefined) this.#named.push({ ref: item.id, digests: named });
  }

  // ---- the difference

  save(now: number): void {
    const { db } = this.#store;
    const [inserted, updated, since, again, links, unlinked]: Values[][] = [[], [], [], [], [], []];
    for (const item of this.#items.values()) {
      if (item.changed && item.state === 'fresh') inserted!.push([item.id, ...valuesOf(item.row!)]);
      else if (item.changed) updated!.push([...valuesOf(item.row!), item.id]);
      if (item.armsAnew) since!.push([now, item.id]);
      if (item.links === undefined) continue;
      for (const id of item.again ?? []) again!.push([now, id, item.id]);
      for (const id of item.links.keys()) if (item.linked?.has(id) !== true) links!.push([id, item.id, now]);
      for (const id of item.linked ?? []) if (!item.links.has(id)) unlinked!.push([id, item.id]);
    }
    db.insertRows('object', ['id', ...COLUMNS], inserted!);
    db.updateRows('object', ['id'], COLUMNS, updated!);
    db.insertRows(
      'entry',
      ['id', 'type', 'value'],
      this.#madeEntries.map(({ id, type, value }) => [id, OBSERVABLE_TYPES.indexOf(type), value]),
    );
    db.deleteRows('contribution', ['entry_id', 'object_id'], unlinked!);
    db.updateRows('contribution', ['object_id'], ['since'], since!);
    db.updateRows('contribution', ['entry_id', 'object_id'], ['since'], again!);
    db.insertRows('contribution', ['entry_id', 'object_id', 'since'], links!);
    for (const [scope, shown] of this.#seen)
      db.insertRows(
        'presence',
        ['object_id', 'scope_id', 'listing'],
        Array.from(shown, ([id, listing]) => [id, scope, listing]),
        { keys: ['object_id', 'scope_id'], update: ['listing'] },
      );
    db.insertRows('unexplained', ['exchange_id', 'marking_id', 'object_id'], this.#awaited, 'nothing');
    saveNamed(db, NAMED_BY.object, this.#named, true);
    saveNamed(db, NAMED_BY.object, this.#namedAnew);
  }
}

const keyOf = ({ type, value }: Observable): string => `${type} ${value}`;

const NONE: ReadonlyMap<number, StoredEntry> = new Map();

export const linksOf = ({ links }: Item): ReadonlyMap<number, StoredEntry> => links ?? NONE;

const itemOf = (id: number, known: Known, row: ClaimedRow | undefined, state: Item['state'], shown?: number): Item => ({
  id,
  known,
  row,
  links: undefined,
  linked: undefined,
  shown,
  state,
  changed: false,
  armsAnew: false,
  again: undefined,
});

const knownOf = (row: ClaimedRow): Known => ({
  state: stateOf(row.state),
  version: row.version,
  digest: row.digest,
  validity: { from: row.valid_from, until: row.valid_until ?? undefined },
  outdated: row.canon < CANON_VERSION,
});
