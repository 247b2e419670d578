// Presence: which scope showed which object. An object has vanished only when a complete listing of every scope
// that ever showed it lacks it; that a partner is unreachable, or hides a scope, says nothing.
import type { ArrivingPage } from './wire.ts';
import type { ExchangeState, StoreContext } from './context.ts';
import type { Objects } from './objects.ts';
import { OBJECT, type ObjectRow } from './rows.ts';

export class Listing {
  readonly #store: StoreContext;
  readonly #objects: Objects;
  #swept = 0;

  constructor(store: StoreContext, objects: Objects) {
    this.#store = store;
    this.#objects = objects;
  }

  begin(exchange: ExchangeState): number {
    return this.#store.db.get<{ listing: number }>(
      'UPDATE exchange SET listing = listing + 1 WHERE id = ? RETURNING listing',
      exchange.id,
    )!.listing;
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

  end(exchange: ExchangeState, run: number, withdraw: boolean, now: number): { vanished: number } {
    const rows = this.#store.db.all<ObjectRow>(
      `SELECT o.* FROM object o WHERE o.exchange_id = ? AND o.state = ${OBJECT.published}
       AND EXISTS (SELECT 1 FROM presence p WHERE p.object_id = o.id)
       AND NOT EXISTS (SELECT 1 FROM presence p JOIN scope s ON s.id = p.scope_id
         WHERE p.object_id = o.id AND (p.listing >= ? OR s.listed IS NULL OR s.listed < ?))`,
      exchange.id,
      run,
      run,
    );
    if (withdraw) for (const row of rows) this.#objects.vanish(exchange, row, now);
    this.#store.db.run('UPDATE exchange SET listed_at = ? WHERE id = ?', now, exchange.id);
    return { vanished: rows.length };
  }

  /** A page that is a full snapshot of its scope: what it lacks is gone from that scope. */
  snapshot(exchange: ExchangeState, page: ArrivingPage, now: number): void {
    const scopeId = this.#objects.scopeId(exchange, page.scope);
    const shown = new Set([...page.indicators].map((indicator) => indicator.objectId));
    const known = this.#store.db.all<ObjectRow>(
      `SELECT o.* FROM presence p JOIN object o ON o.id = p.object_id WHERE p.scope_id = ? AND o.state = ${OBJECT.published}`,
      scopeId,
    );
    for (const row of known) {
      if (shown.has(row.object_id)) continue;
      this.#store.db.run('DELETE FROM presence WHERE object_id = ? AND scope_id = ?', row.id, scopeId);
      const elsewhere = this.#store.db.get('SELECT 1 AS one FROM presence WHERE object_id = ? LIMIT 1', row.id);
      if (elsewhere === undefined) this.#objects.vanish(exchange, row, now);
    }
  }

  /** Entries that nothing refers to any more, some at a time: a changed pattern leaves them behind. True while there are more. */
  #sweep(step: number): boolean {
    const { db } = this.#store;
    const last = db
      .all<{ id: number }>('SELECT id FROM entry WHERE id > ? ORDER BY id LIMIT ?', this.#swept, step)
      .at(-1)?.id;
    db.run(
      `DELETE FROM entry WHERE id > ? AND id <= ? AND NOT EXISTS (SELECT 1 FROM contribution WHERE entry_id = entry.id)
       AND NOT EXISTS (SELECT 1 FROM siem s JOIN projection p ON p.siem_id = s.id AND p.entry_id = entry.id)`,
      this.#swept,
      last ?? this.#swept,
    );
    this.#swept = last ?? 0;
    return last !== undefined;
  }

  /** Vanished objects are forgotten after a time; revoked ids stay as tombstones while their exchange is configured. */
  retain(before: number, step: number): { dropped: number; more: boolean } {
    const { db } = this.#store;
    const rows = db.all<{ id: number }>(
      `SELECT o.id FROM object o JOIN exchange e ON e.id = o.exchange_id
       WHERE o.gone_at IS NOT NULL AND o.gone_at < ? AND (o.state = ${OBJECT.vanished} OR e.active = 0) LIMIT ?`,
      before,
      step,
    );
    for (const { id } of rows) {
      db.run('DELETE FROM contribution WHERE object_id = ?', id);
      db.run('DELETE FROM presence WHERE object_id = ?', id);
      db.run('DELETE FROM unexplained WHERE object_id = ?', id);
      db.run('DELETE FROM object WHERE id = ?', id);
    }
    return { dropped: rows.length, more: this.#sweep(step) || rows.length === step };
  }
}
