// What hits make to be told: of each object that vouched for the entry then, to each exchange that may be told of it.
// Read, judged and written in parts of as many objects as fit into memory.
import { aggregate, type Grid } from '../../inventory/aggregate.ts';
import { RELEASED_COLUMNS, type ReleasedRow, type Releases } from '../rows/releases.ts';
import { OBJECT } from '../rows/rows.ts';
import type { StoreContext } from '../unit/context.ts';
import { CROWDED } from '../unit/entry-claims.ts';
import type { Sweep, Sweeps, SweepStep } from '../unit/sweeps.ts';
import type { Outbox, ToTell } from './outbox.ts';
import { type ObjectWindow, VouchedHits, windowKey } from './vouched-hits.ts';
import { byStarts, type Window } from './windows.ts';

/** Objects that are told of together, and of one entry in one unit. */
const MOST_TOLD = CROWDED;
const CROWD = MOST_TOLD + 1;
/** Values that these name together, unless one object alone names more. */
const MOST_VALUES = 5000;

/** A published object behind an entry. */
interface Behind {
  readonly id: number;
  readonly exchange: string;
}

/** An object with how many values it names, as far as that counts. */
type Named = ReleasedRow & { readonly named: number };

interface Wanted extends ObjectWindow {
  readonly targets: readonly string[];
}

export class Telling {
  readonly #store: StoreContext;
  readonly #sweeps: Sweeps;
  readonly #grid: Grid;
  readonly #releases: Releases;
  readonly #vouched: VouchedHits;
  readonly #outbox: Outbox;

  constructor(store: StoreContext, sweeps: Sweeps, grid: Grid, releases: Releases, outbox: Outbox) {
    this.#store = store;
    this.#sweeps = sweeps;
    this.#grid = grid;
    this.#releases = releases;
    this.#vouched = new VouchedHits(store, releases);
    this.#outbox = outbox;
    sweeps.register('told', (sweep, _most, now) => this.#goOn(sweep, now));
  }

  /** Every published object behind the entries is looked at again, with all its entries: of very many some in each unit. */
  tell(windows: Iterable<Window>, now: number): void {
    if (this.#releases.spec.reporting.length === 0) return;
    const all = [...windows];
    const named = this.#named(all);
    // A crowded one is told of alone, also beside those that nobody names any more.
    const costOf = ({ entryId }: Window) => {
      const n = named.get(entryId) ?? 0;
      return n < MOST_TOLD ? n : CROWD;
    };
    for (const part of byStarts(all, costOf, MOST_TOLD)) {
      const [first] = part;
      if (first !== undefined && costOf(first) === CROWD) this.#tellCrowded(first, now);
      else this.#tellOf(part, this.#behind(part), now);
    }
  }

  #tellCrowded(window: Window, now: number): void {
    const last = this.#tellSome(window, 0, now);
    // From the first again: a sweep that was under way may have told of them before these hits.
    const subject = `${window.entryId} ${window.start} ${window.verdict}`;
    if (last !== undefined) this.#sweeps.later('told', 0, subject, null, now);
  }

  #goOn({ subject, position }: Sweep, now: number): SweepStep {
    const [entryId = 0, start = 0, verdict = 0] = subject.split(' ').map(Number);
    const last = this.#tellSome({ entryId, start, verdict }, Number(position), now);
    return { rows: MOST_TOLD, position: last === undefined ? undefined : String(last) };
  }

  /** Behind the object with the row `after`. Returns the row to go on behind, where there are perhaps more. */
  #tellSome(window: Window, after: number, now: number): number | undefined {
    const objects = this.#store.db.all<{ id: number; exchange_id: number }>(
      `SELECT o.id, o.exchange_id FROM contribution c JOIN object o ON o.id = c.object_id
       WHERE c.entry_id = ? AND c.object_id > ? AND o.state = ${OBJECT.published} ORDER BY c.object_id LIMIT ${MOST_TOLD}`,
      window.entryId,
      after,
    );
    const behind = objects.map(({ id, exchange_id }) => this.#one(id, exchange_id));
    this.#tellOf([window], new Map([[window.entryId, behind]]), now);
    return objects.length < MOST_TOLD ? undefined : objects.at(-1)!.id;
  }

  /** By entry, how many objects name it, withdrawn ones too, as far as that counts. */
  #named(windows: readonly Window[]): Map<number, number> {
    return new Map(
      this.#store.db.listsByKeys(
        `SELECT e.id, (SELECT count(*) FROM (SELECT 1 FROM contribution c WHERE c.entry_id = e.id LIMIT ${MOST_TOLD}) few)
         FROM entry e WHERE e.id IN ($keys)`,
        [...new Set(windows.map((one) => one.entryId))],
      ) as [number, number][],
    );
  }

  /** By entry, in their order. */
  #behind(windows: readonly Window[]): Map<number, Behind[]> {
    const found = this.#store.db.listsByKeys(
      `SELECT c.entry_id, o.id, o.exchange_id FROM contribution c CROSS JOIN object o
       WHERE o.id = c.object_id AND o.state = ${OBJECT.published} AND c.entry_id IN ($keys)`,
      [...new Set(windows.map((one) => one.entryId))],
    ) as [number, number, number][];
    const behind = new Map<number, Behind[]>();
    for (const [entryId, id, exchangeId] of found.sort(([, a], [, b]) => a - b)) {
      const known = behind.get(entryId);
      if (known === undefined) behind.set(entryId, [this.#one(id, exchangeId)]);
      else known.push(this.#one(id, exchangeId));
    }
    return behind;
  }

  #one(id: number, exchangeId: number): Behind {
    return { id, exchange: this.#store.exchangeNames.get(exchangeId) ?? '' };
  }

  /** Of each object once for a window, whichever of its entries were seen. */
  #tellOf(windows: readonly Window[], behind: ReadonlyMap<number, readonly Behind[]>, now: number): void {
    const wanted = new Map<string, Wanted>();
    for (const { entryId, start, verdict } of windows)
      for (const { id: objectId, exchange } of behind.get(entryId) ?? []) {
        const targets = this.#releases.targets(exchange);
        const one = { objectId, start, verdict, targets };
        if (targets.length > 0 && !wanted.has(windowKey(one))) wanted.set(windowKey(one), one);
      }
    const all = [...wanted.values()];
    const objects = this.#objects(all);
    const named = ({ objectId }: Wanted) => objects.get(objectId)?.named ?? 0;
    for (const part of byStarts(all, named, MOST_VALUES)) this.#put(part, objects, now);
  }

  #objects(wanted: readonly Wanted[]): Map<number, Named> {
    const rows = this.#store.db.byKeys<Named>(
      `SELECT ${RELEASED_COLUMNS}, (SELECT count(*) FROM (SELECT 1 FROM contribution c WHERE c.object_id = o.id LIMIT ${MOST_VALUES}) few) AS named
       FROM object o JOIN exchange x ON x.id = o.exchange_id WHERE o.id IN ($keys)`,
      [...new Set(wanted.map((one) => one.objectId))],
    );
    return new Map(rows.map((row) => [row.id, row]));
  }

  #put(wanted: readonly Wanted[], known: ReadonlyMap<number, Named>, now: number): void {
    const rows = new Map(
      wanted.flatMap(({ objectId }) => (known.has(objectId) ? [[objectId, known.get(objectId)!]] : [])),
    );
    const hits = this.#vouched.of(wanted, rows);
    const objects = this.#releases.of([...rows.values()]);
    const tellings = wanted.flatMap((one): ToTell[] => {
      const { objectId, start, verdict: kind, targets } = one;
      const counted = hits.get(windowKey(one)) ?? [];
      const totals = aggregate(counted, start, this.#grid);
      const found = objects.get(objectId);
      if (totals === undefined || found === undefined) return [];
      const latest = counted.reduce((most, { last }) => Math.max(most, last), Number.NEGATIVE_INFINITY);
      return targets.map((name) => ({ to: this.#store.exchange(name), found, start, kind, totals, latest }));
    });
    this.#outbox.put(tellings, now);
  }
}
