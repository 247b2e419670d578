// Presence: which scope showed which object. An object has vanished only when a complete listing of every scope
// that ever showed it lacks it; that a partner is unreachable, or hides a scope, says nothing.
import type { ExchangeState, StoreContext } from '../unit/context.ts';
import type { Brakes } from '../projection/brakes.ts';
import type { Database } from '../sql/port.ts';
import type { Objects } from './objects.ts';
import { voucherBit } from '../../ledger/admit.ts';
import { OBJECT, type ObjectRow } from '../rows/rows.ts';
import type { Sweep, Sweeps, SweepStep } from '../unit/sweeps.ts';

interface ListedRow extends ObjectRow {
  readonly gone_at: number | null;
  readonly shown: number;
  readonly missing: number;
}

/** How far the sweep behind a complete listing is. */
interface Vanishing {
  readonly run: number;
  readonly withdraw: boolean;
  readonly phase: 'count' | 'act';
  /** Entries still to be withdrawn, by SIEM. */
  readonly left: Readonly<Record<number, number>>;
}

const FEW_SCOPES = 8;

/** Ids of exchanges are never given again. */
const listedName = (exchange: ExchangeState): string => `listed:${exchange.id}`;

export class Listing {
  readonly #store: StoreContext;
  readonly #objects: Objects;
  readonly #sweeps: Sweeps;
  readonly #brakes: Brakes;
  /** What the sweep behind an exchange's last listing found, until it is asked for. */
  readonly #found = new Map<number, { run: number; vanished: number }>();

  constructor(store: StoreContext, objects: Objects, sweeps: Sweeps, brakes: Brakes) {
    this.#store = store;
    this.#objects = objects;
    this.#sweeps = sweeps;
    this.#brakes = brakes;
    sweeps.register('vanished', (sweep, most, now) => this.#vanished(sweep, most, now));
  }

  begin(exchange: ExchangeState): number {
    return this.#store.db.get<{ listing: number }>(
      'UPDATE exchange SET listing = listing + 1 WHERE id = ? RETURNING listing',
      exchange.id,
    )!.listing;
  }

  keepListed(exchange: ExchangeState, begun: number): void {
    this.#store.setMeta(listedName(exchange), String(begun));
  }

  listedAt(exchange: ExchangeState): number | undefined {
    const kept = this.#store.meta(listedName(exchange));
    return kept === undefined ? undefined : Number(kept);
  }

  scopesOf(exchange: ExchangeState): string[] {
    const { db } = this.#store;
    const { n } = db.get<{ n: number }>('SELECT count(*) AS n FROM scope WHERE exchange_id = ?', exchange.id)!;
    // Of few the first rows tell; of thousands each would go through all that is there.
    if (n > FEW_SCOPES) db.exec('CREATE INDEX IF NOT EXISTS presence_scope ON presence (scope_id, listing)');
    return db
      .all<{ name: string }>(
        `SELECT s.name FROM scope s WHERE s.exchange_id = ? AND EXISTS (
           SELECT 1 FROM presence p JOIN object o ON o.id = p.object_id WHERE p.scope_id = s.id AND o.state = ${OBJECT.published})`,
        exchange.id,
      )
      .map((one) => one.name);
  }

  /** `complete`: this was the last of the scope, which can now be concluded about. */
  part(
    exchange: ExchangeState,
    run: number,
    scope: string,
    present: readonly { objectId: string }[],
    complete: boolean,
  ): void {
    const scopeId = this.#objects.scopeId(exchange, scope);
    const see = this.#store.db.statement(
      `INSERT INTO presence (object_id, scope_id, listing) SELECT id, ?, ? FROM object WHERE exchange_id = ? AND object_id = ?
       ON CONFLICT (object_id, scope_id) DO UPDATE SET listing = excluded.listing`,
    );
    for (const one of present) see.run(scopeId, run, exchange.id, one.objectId);
    if (complete) this.#store.db.run('UPDATE scope SET listed = ? WHERE id = ?', run, scopeId);
  }

  /** One step of what follows from a complete listing, to be asked again while there is more. */
  end(exchange: ExchangeState, run: number, withdraw: boolean, now: number): { vanished: number; more: boolean } {
    const under = this.#sweeps.find('vanished', exchange.id, '');
    // Written by `begin` below.
    if (under !== undefined && (under.argument as unknown as Vanishing).run === run)
      this.#sweeps.stepOf('vanished', exchange.id, '', now);
    else if (this.#found.get(exchange.id)?.run !== run) {
      this.#found.set(exchange.id, { run, vanished: 0 });
      this.#sweeps.begin(
        'vanished',
        exchange.id,
        '',
        { run, withdraw, phase: withdraw ? 'count' : 'act', left: {} },
        now,
      );
    }
    const { vanished } = this.#found.get(exchange.id) ?? { vanished: 0 };
    return { vanished, more: this.#sweeps.find('vanished', exchange.id, '') !== undefined };
  }

  /**
   * Objects that no scope showed, by id. With `withdraw` they are counted before the first of them goes: the brake
   * judges all that vanished with one listing together, not the thousands of one step.
   */
  #vanished(sweep: Sweep, most: number, now: number): SweepStep {
    const exchange = this.#store.exchanges.find((one) => one.id === sweep.owner);
    if (exchange === undefined) return { rows: 0, position: undefined };
    const { run, withdraw, phase, left } = sweep.argument as unknown as Vanishing;
    const rows = this.#store.db.all<ListedRow>(
      `SELECT o.*, EXISTS (SELECT 1 FROM presence p WHERE p.object_id = o.id AND p.listing >= ?) AS shown,
         EXISTS (SELECT 1 FROM presence p WHERE p.object_id = o.id) AND NOT EXISTS (
           SELECT 1 FROM presence p JOIN scope s ON s.id = p.scope_id
           WHERE p.object_id = o.id AND (p.listing >= ? OR s.listed IS NULL OR s.listed < ?)) AS missing
       FROM object o NOT INDEXED WHERE o.id > ? AND o.exchange_id = ? AND o.state = ${OBJECT.published} ORDER BY o.id LIMIT ?`,
      run,
      run,
      run,
      Number(sweep.position),
      exchange.id,
      most,
    );
    const missing = rows.filter((row) => row.missing === 1);
    const over = rows.length < most;
    // What fits into one step needs no counting before.
    const act = phase === 'act' || (over && sweep.position === '');
    const next = { ...left };
    let handled = rows.length;
    if (withdraw) {
      for (const siem of carriedBy(this.#store.db, exchange.id, missing))
        next[siem] = (next[siem] ?? 0) + (act ? -1 : 1);
      if (act) handled += this.#objects.vanish(exchange, missing, now);
    }
    if (withdraw && act)
      for (const siem of this.#store.siems) this.#brakes.foresee('removal', siem, exchange.id, next[siem.id] ?? 0);
    if (!withdraw) this.#keep(rows, now);
    const found = this.#found.get(exchange.id);
    if (found !== undefined && act)
      found.vanished += withdraw ? missing.length : missing.filter((row) => row.gone_at === null).length;
    const argument = { run, withdraw, phase, left: next };
    if (!over) return { rows: handled, position: String(rows.at(-1)!.id), argument };
    if (act) return { rows: handled, position: undefined };
    return { rows: handled, position: '0', argument: { ...argument, phase: 'act' } };
  }

  /** Still vouched for. Since when it is missed is remembered, so that it is told once. */
  #keep(rows: readonly ListedRow[], now: number): void {
    for (const row of rows) {
      if (row.missing === 1 && row.gone_at === null)
        this.#store.db.run('UPDATE object SET gone_at = ? WHERE id = ?', now, row.id);
      else if (row.shown === 1 && row.gone_at !== null)
        this.#store.db.run('UPDATE object SET gone_at = NULL WHERE id = ?', row.id);
    }
  }
}

/** The SIEM of each entry of these that only its exchange carries. Too many rather than too few: others of it may, too. */
export function carriedBy(db: Database, exchangeId: number, objects: readonly ObjectRow[]): number[] {
  return db
    .byKeys<{ siem_id: number }>(
      // In this order: the planner would read all rows of a SIEM first.
      `SELECT p.siem_id FROM contribution c CROSS JOIN siem s CROSS JOIN projection p
       WHERE p.siem_id = s.id AND p.entry_id = c.entry_id AND p.wanted = 1 AND p.present <> 0 AND p.vouchers = ?
       AND c.object_id IN ($keys)`,
      objects.map((row) => row.id),
      voucherBit(exchangeId),
    )
    .map((one) => one.siem_id);
}
