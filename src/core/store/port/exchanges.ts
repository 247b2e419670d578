// What the loops of an exchange ask: pages and the place to read on from, and what a complete listing shows no more.
import type { Page } from '../../contracts/exchange-connector.ts';
import type { Json } from '../../model/json.ts';
import { type CommitReport, emptyReport } from '../ingest/commit-report.ts';
import { arriving, type PackedPage, unpackPage } from '../ingest/wire.ts';
import type { StoredScope } from '../rows/rows.ts';
import { cursorOf, keepCursor, keepPolled } from '../unit/peers.ts';
import type { Parts } from './parts.ts';

/** Units of the exchanges, each by the exchange's name. */
export const exchangeUnits = ({ store, unit, explaining, objects, snapshots, listing, adoption }: Parts) => ({
  cursor(exchange: string): Json | undefined {
    return cursorOf(store, store.exchange(exchange));
  },

  /** Pages and the cursor of the last one, together. */
  commitPages(exchange: string, given: readonly (PackedPage | Page)[], now: number): CommitReport {
    const state = store.exchange(exchange);
    return unit(now, (time) => {
      // Made in the unit, which may be done again.
      const report = emptyReport();
      const pages = given.map((page) => ('objects' in page ? arriving(page) : unpackPage(page)));
      explaining.take(state, pages, time);
      objects.commit(state, pages, time, report, {
        before: (page) => snapshots.before(state, page),
        after: (page) => snapshots.after(state, page, time),
      });
      const last = pages.at(-1);
      if (last === undefined) return report;
      const { objects: n, created, changed, revoked } = report;
      keepCursor(store, state, last.cursor, created + changed + revoked > 0, time);
      store.count(`exchange:${state.id}`, 'objects', n);
      const refused = Object.values(report.refused).reduce((sum, of) => sum + of, 0);
      store.history.polling(exchange, { objects: n, new: created, changed, revoked, refused }, time);
      report.indicators = state.indicators.n;
      return report;
    });
  },

  /** The poll reached the end of what is published. */
  pollCompleted(exchange: string, now: number): void {
    const state = store.exchange(exchange);
    unit(now, (time) => {
      keepPolled(store, state, time);
      for (const siem of store.siems) adoption.release(siem, time);
      store.history.polled(exchange, time);
      store.history.recovered('exchange', exchange, time);
    });
    state.firstSync = false;
  },

  /** How the reading of each scope ended, for `status` without a daemon. What is not named is no longer read. */
  noteScopes(exchange: string, scopes: readonly StoredScope[], now: number): void {
    const state = store.exchange(exchange);
    unit(now, () => {
      store.db.run('UPDATE scope SET reading = NULL WHERE exchange_id = ?', state.id);
      for (const { scope, ...reading } of scopes)
        store.db.run(
          'UPDATE scope SET reading = ? WHERE id = ?',
          JSON.stringify(reading),
          objects.scopeId(state, scope),
        );
    });
  },

  beginListing(exchange: string, now: number): number {
    return unit(now, () => listing.begin(store.exchange(exchange)));
  },

  /** Those that showed something which is published; collections, events, files. */
  scopesOf(exchange: string): string[] {
    return listing.scopesOf(store.exchange(exchange));
  },

  listingPart(
    exchange: string,
    run: number,
    scope: string,
    present: readonly { objectId: string }[],
    complete: boolean,
    now: number,
  ): void {
    unit(now, () => listing.part(store.exchange(exchange), run, scope, present, complete));
  },

  /**
   * Over: what every scope that ever showed it was listed without has vanished. With `withdraw`, its claims end; otherwise
   * what is missed for the first time is only counted. One step: to be asked again while there is more.
   */
  endListing(exchange: string, run: number, withdraw: boolean, now: number): { vanished: number; more: boolean } {
    return unit(now, (time) => listing.end(store.exchange(exchange), run, withdraw, time));
  },

  /** A listing that showed all scopes, begun then (epoch milliseconds), has come to its end. */
  keepListed(exchange: string, begun: number, now: number): void {
    unit(now, () => listing.keepListed(store.exchange(exchange), begun));
  },

  /** When the newest complete listing was begun, epoch milliseconds; undefined: there was none. */
  listedAt(exchange: string): number | undefined {
    return listing.listedAt(store.exchange(exchange));
  },
});
