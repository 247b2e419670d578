// A scope that is shown whole, as a file is: what a newer showing of it lacks is gone from it. The showing comes in any
// number of pages, and what they hold carries its number in `presence`; what is left behind with a lower one is gone
// through in steps. An object that another scope shows stays.
import type { Brakes } from '../projection/brakes.ts';
import type { ExchangeState, StoreContext } from '../unit/context.ts';
import { carriedBy, type Listing } from './listing.ts';
import type { Objects } from './objects.ts';
import { OBJECT, type ObjectRow } from '../rows/rows.ts';
import type { Sweep, Sweeps, SweepStep } from '../unit/sweeps.ts';
import type { ArrivingPage } from './wire.ts';

interface LeftRow extends ObjectRow {
  readonly listing: number;
  readonly elsewhere: number;
}

/** How far the sweep behind a showing is. */
interface Leaving {
  readonly run: number;
  readonly phase: 'count' | 'act';
  /** Entries still to be withdrawn, by SIEM. */
  readonly left: Readonly<Record<number, number>>;
}

export class Snapshots {
  readonly #store: StoreContext;
  readonly #objects: Objects;
  readonly #listing: Listing;
  readonly #sweeps: Sweeps;
  readonly #brakes: Brakes;

  constructor(store: StoreContext, objects: Objects, listing: Listing, sweeps: Sweeps, brakes: Brakes) {
    this.#store = store;
    this.#objects = objects;
    this.#listing = listing;
    this.#sweeps = sweeps;
    this.#brakes = brakes;
    sweeps.register('left', (sweep, most, now) => this.#leave(sweep, most, now));
  }

  /** Before the page is committed. */
  before(exchange: ExchangeState, page: ArrivingPage): void {
    if (page.snapshotBegins !== true) return;
    // Made where it is used: an exchange without snapshots would pay for it with each object it takes in.
    this.#store.db.exec('CREATE INDEX IF NOT EXISTS presence_scope ON presence (scope_id, listing)');
    const scopeId = this.#objects.scopeId(exchange, page.scope);
    this.#store.db.run('UPDATE scope SET snapshot = ? WHERE id = ?', this.#listing.begin(exchange), scopeId);
  }

  /** After it is. What ends and did not begin is no showing of everything. */
  after(exchange: ExchangeState, page: ArrivingPage, now: number): void {
    if (page.snapshotEnds !== true) return;
    const scopeId = this.#objects.scopeId(exchange, page.scope);
    const run = this.#store.db.get<{ snapshot: number | null }>(
      'SELECT snapshot FROM scope WHERE id = ?',
      scopeId,
    )!.snapshot;
    if (run === null) return;
    this.#store.db.run('UPDATE scope SET snapshot = NULL WHERE id = ?', scopeId);
    this.#sweeps.begin('left', exchange.id, String(scopeId), { run, phase: 'count', left: {} }, now);
  }

  /** What a step does not reach is counted before the first object goes: the brake judges all that left together. */
  #leave(sweep: Sweep, most: number, now: number): SweepStep {
    const exchange = this.#store.exchanges.find((one) => one.id === sweep.owner);
    if (exchange === undefined) return { rows: 0, position: undefined };
    // Written by `after`, and below.
    const { run, phase, left } = sweep.argument as unknown as Leaving;
    const scopeId = Number(sweep.subject);
    const [listing = 0, objectId = 0] = sweep.position === '' ? [] : sweep.position.split(' ').map(Number);
    const rows = this.#store.db.all<LeftRow>(
      `SELECT o.*, p.listing, EXISTS (SELECT 1 FROM presence q WHERE q.object_id = o.id AND q.scope_id <> p.scope_id) AS elsewhere
       FROM presence p INDEXED BY presence_scope CROSS JOIN object o ON o.id = p.object_id
       WHERE p.scope_id = ? AND p.listing < ? AND (p.listing, p.object_id) > (?, ?) ORDER BY p.listing, p.object_id LIMIT ?`,
      scopeId,
      run,
      listing,
      objectId,
      most,
    );
    const over = rows.length < most;
    const act = phase === 'act' || (over && sweep.position === '');
    const next = { ...left };
    let handled = rows.length;
    const going = rows.filter((row) => row.elsewhere === 0 && row.state === OBJECT.published);
    for (const siem of carriedBy(this.#store.db, exchange.id, going)) next[siem] = (next[siem] ?? 0) + (act ? -1 : 1);
    if (act) {
      this.#store.db.deleteRows(
        'presence',
        ['object_id', 'scope_id'],
        rows.map((row) => [row.id, scopeId]),
      );
      handled += this.#objects.vanish(exchange, going, now);
    }
    if (act)
      for (const siem of this.#store.siems) this.#brakes.foresee('removal', siem, exchange.id, next[siem.id] ?? 0);
    const argument = { run, phase, left: next };
    const last = rows.at(-1);
    if (!over && last !== undefined) return { rows: handled, position: `${last.listing} ${last.id}`, argument };
    return act
      ? { rows: handled, position: undefined }
      : { rows: handled, position: '0 0', argument: { ...argument, phase: 'act' } };
  }
}
