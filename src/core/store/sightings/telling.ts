// What hits make to be told: of each object that vouched for the entry then, to each exchange that may be told of it.
import { aggregate, type Grid, type HitRow } from '../../inventory/aggregate.ts';
import { decideClaim } from '../../ledger/admit.ts';
import { keyOf, questionOf } from '../../ledger/holds.ts';
import { entryKey, OBSERVABLE_TYPES } from '../../model/observable.ts';
import { expiryOf } from '../../policy/expiry.ts';
import { toClaim } from '../rows/claims.ts';
import type { Releases } from '../rows/releases.ts';
import { hitTime, OBJECT, type ObjectRow } from '../rows/rows.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import { CROWDED } from '../unit/entry-claims.ts';
import type { Sweep, Sweeps, SweepStep } from '../unit/sweeps.ts';
import { ARMED, BY_HAND, type Window } from './hits.ts';
import type { Outbox } from './outbox.ts';

/** Objects of which one unit tells: each takes look-ups of its own. */
const MOST_TOLD = CROWDED;

export class Telling {
  readonly #store: StoreContext;
  readonly #sweeps: Sweeps;
  readonly #grid: Grid;
  readonly #releases: Releases;
  readonly #outbox: Outbox;

  constructor(store: StoreContext, sweeps: Sweeps, grid: Grid, releases: Releases, outbox: Outbox) {
    this.#store = store;
    this.#sweeps = sweeps;
    this.#grid = grid;
    this.#releases = releases;
    this.#outbox = outbox;
    sweeps.register('told', (sweep, _most, now) => this.#goOn(sweep, now));
  }

  /** Every published object behind the entry is looked at again, with all its entries: of very many some in each unit. */
  tell({ entryId, start, verdict }: Window, now: number): void {
    if (this.#releases.spec.reporting.length === 0) return;
    const last = this.#tellSome(entryId, start, verdict, 0, now);
    // From the first again: a sweep that was under way may have told of them before these hits.
    if (last !== undefined) this.#sweeps.later('told', 0, `${entryId} ${start} ${verdict}`, null, now);
  }

  #goOn({ subject, position }: Sweep, now: number): SweepStep {
    const [entryId = 0, start = 0, verdict = 0] = subject.split(' ').map(Number);
    const last = this.#tellSome(entryId, start, verdict, Number(position), now);
    return { rows: MOST_TOLD, position: last === undefined ? undefined : String(last) };
  }

  /** Behind the object with the row `after`. Returns the row to go on behind, where there are perhaps more. */
  #tellSome(entryId: number, start: number, verdict: number, after: number, now: number): number | undefined {
    const objects = this.#store.db.all<ObjectRow & { exchange: string; exchange_active: number }>(
      `SELECT o.*, x.name AS exchange, x.active AS exchange_active FROM contribution c JOIN object o ON o.id = c.object_id
       JOIN exchange x ON x.id = o.exchange_id WHERE c.entry_id = ? AND c.object_id > ? AND o.state = ${OBJECT.published}
       ORDER BY c.object_id LIMIT ${MOST_TOLD}`,
      entryId,
      after,
    );
    for (const object of objects) {
      const targets = this.#releases.targets(object.exchange);
      if (targets.length === 0) continue;
      const rows = this.#rows(object, start, verdict);
      const totals = aggregate(rows, start, this.#grid);
      const found = this.#releases.object(object.id);
      if (totals === undefined || found === undefined) continue;
      const latest = Math.max(...rows.map((row) => row.last));
      for (const name of targets)
        this.#outbox.put(this.#store.exchange(name), found, start, verdict, totals, latest, now);
    }
    return objects.length < MOST_TOLD ? undefined : objects.at(-1)!.id;
  }

  /** Only from SIEMs that may hold what the object claims: elsewhere it vouched for nothing. */
  #rows(object: ObjectRow & { exchange: string; exchange_active: number }, start: number, verdict: number): HitRow[] {
    const claim = toClaim(object, object.exchange);
    return this.#store.db
      .all<{
        siem_id: number;
        first: number;
        last: number;
        n: number;
        id: number;
        type: number;
        value: string;
        hit_day: number | null;
      }>(
        // CROSS JOIN keeps SQLite from walking all hits of the window instead of the few entries of one object.
        `SELECT h.siem_id, h.first, h.last, h.n, e.id, e.type, e.value, e.hit_day FROM contribution c CROSS JOIN hit h CROSS JOIN entry e
         CROSS JOIN object o
         WHERE c.object_id = ? AND o.id = c.object_id AND h.entry_id = c.entry_id AND ${ARMED} <= h.part
         AND h.start = ? AND h.verdict = ? AND e.id = c.entry_id`,
        object.id,
        start,
        verdict,
      )
      .flatMap((row) => {
        // It may have become one after these hits came.
        if (this.#releases.ignores(entryKey(OBSERVABLE_TYPES[row.type]!, row.value))) return [];
        if (row.siem_id === BY_HAND.id) return [{ siem: row.siem_id, first: row.first, last: row.last, count: row.n }];
        const siem = this.#store.siems.find((one) => one.id === row.siem_id);
        if (siem === undefined) return [];
        const observable = { type: OBSERVABLE_TYPES[row.type]!, value: row.value };
        const decision = decideClaim(siem.spec, observable, claim, object.exchange_active === 1);
        const rules = siem.spec.rules[object.exchange];
        // One that had ended when the value was seen armed nothing then.
        const over =
          rules !== undefined && expiryOf(claim, rules.lifetime, observable.type, hitTime(row.hit_day)) <= row.first;
        const holds =
          decision.kind === 'accept' ||
          (decision.kind === 'hold' && this.#wasLetIn(siem, row.id, object.exchange_id, decision));
        return holds && !over ? [{ siem: row.siem_id, first: row.first, last: row.last, count: row.n }] : [];
      });
  }

  /** A person let the entry in, though policy holds such claims. */
  #wasLetIn(
    { id }: SiemState,
    entryId: number,
    exchangeId: number,
    { code, reason }: { readonly code: string; readonly reason: string },
  ): boolean {
    const row = this.#store.db.get<{ asked: string }>(
      'SELECT asked FROM let_in WHERE siem_id = ? AND entry_id = ?',
      id,
      entryId,
    );
    return row?.asked === keyOf(questionOf(exchangeId, code, reason));
  }
}
