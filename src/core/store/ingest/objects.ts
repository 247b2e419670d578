// Takes pages of objects in, in parts that are read, decided and written as sets: newest version per object id, presence
// per scope, the claims each makes, and then the projection of every entry whose claims changed.
import type { ObjectRefusal } from '../../model/entry.ts';
import type { CommitReport } from './commit-report.ts';
import { countIn } from './commit-report.ts';
import type { ExchangeState, StoreContext } from '../unit/context.ts';
import type { Explanations } from '../unit/explanations.ts';
import type { Links } from './links.ts';
import { ObjectCounts } from './object-counts.ts';
import type { Projector } from '../projection/projection.ts';
import { OBJECT, type ObjectRow } from '../rows/rows.ts';
import type { StandTable } from '../projection/stand-table.ts';
import { type Arrival, type Shown, TakingIn } from './taking-in.ts';
import type { Touched } from '../unit/touched.ts';
import { Unreadable } from './unreadable.ts';
import type { ArrivingPage } from './wire.ts';

/** Objects of one part, and values that they name. */
const PART = 1000;
const MOST_VALUES = 5000;

export class Objects {
  readonly #store: StoreContext;
  readonly #projector: Projector;
  readonly #stands: StandTable;
  readonly #context: Explanations;
  readonly #counts: ObjectCounts;
  readonly #touched: Touched;
  readonly #links: Links;
  readonly #unreadable: Unreadable;
  readonly #scopes = new Map<string, number>();

  constructor(
    store: StoreContext,
    projector: Projector,
    stands: StandTable,
    context: Explanations,
    touched: Touched,
    links: Links,
  ) {
    this.#store = store;
    this.#projector = projector;
    this.#stands = stands;
    this.#context = context;
    this.#counts = new ObjectCounts(store, context);
    this.#touched = touched;
    this.#links = links;
    this.#unreadable = new Unreadable(store);
  }

  scopeId(exchange: ExchangeState, name: string): number {
    const key = `${exchange.id} ${name}`;
    let id = this.#scopes.get(key);
    if (id === undefined) {
      this.#store.db.run(
        'INSERT INTO scope (exchange_id, name) VALUES (?, ?) ON CONFLICT DO NOTHING',
        exchange.id,
        name,
      );
      id = this.#store.db.get<{ id: number }>(
        'SELECT id FROM scope WHERE exchange_id = ? AND name = ?',
        exchange.id,
        name,
      )!.id;
      this.#scopes.set(key, id);
    }
    return id;
  }

  /** Forgets what was learnt in a unit that failed. */
  forget(): void {
    this.#scopes.clear();
    this.#unreadable.forget();
  }

  /** `around`: what is done before and after each page. */
  commit(
    exchange: ExchangeState,
    pages: readonly ArrivingPage[],
    now: number,
    report: CommitReport,
    around: { before(page: ArrivingPage): void; after(page: ArrivingPage): void },
  ): void {
    let arrivals: Arrival[] = [];
    let shown: Shown[] = [];
    let values = 0;
    let listing: number | undefined;
    const over = (): void => {
      this.#part(exchange, arrivals, shown, now, report);
      [arrivals, shown, values] = [[], [], 0];
    };
    for (const page of pages) {
      // A showing of everything begins and ends between parts.
      const apart = page.snapshotBegins === true || page.snapshotEnds === true;
      if (apart) over();
      around.before(page);
      const scope = this.scopeId(exchange, page.scope);
      // What a poll brings while a listing runs counts as shown in it.
      if (apart || listing === undefined) listing = this.#listingRun(exchange);
      for (const refusal of page.refusals) {
        this.#refused(exchange, refusal, report);
        const { objectId } = refusal;
        if (objectId !== undefined) shown.push({ objectId, scope, listing });
        if (shown.length >= PART) over();
      }
      for (const id of page.mended ?? []) this.#unreadable.read(id);
      report.objects += page.context.length;
      for (const [type, n] of Object.entries(page.ignored ?? {}))
        this.#store.count(`exchange:${exchange.id}`, `ignored:${type}`, n);
      for (const given of page.indicators) {
        report.objects++;
        this.#unreadable.read(given.objectId);
        arrivals.push({ given, scope, listing });
        values += given.observables.length;
        if (arrivals.length >= PART || values >= MOST_VALUES) over();
      }
      if (apart) over();
      around.after(page);
    }
    over();
  }

  #refused(exchange: ExchangeState, refusal: ObjectRefusal, report: CommitReport): void {
    report.objects++;
    countIn(report.refused, refusal.reason);
    this.#unreadable.refused(refusal);
    this.#store.count(`exchange:${exchange.id}`, 'parked', 1);
  }

  #part(
    exchange: ExchangeState,
    arrivals: readonly Arrival[],
    shown: readonly Shown[],
    now: number,
    report: CommitReport,
  ): void {
    this.#unreadable.save(exchange, now);
    if (arrivals.length + shown.length === 0) return;
    const parts = { context: this.#context, counts: this.#counts, touched: this.#touched };
    const fresh = new TakingIn(this.#store, parts, exchange, report, now).take(arrivals, shown);
    this.#stands.together(() => {
      for (const { entry, item } of fresh.values())
        this.#projector.projectNew(entry, item.row!, { cause: 'none', exchangeId: exchange.id }, now);
    });
  }

  #listingRun(exchange: ExchangeState): number {
    return this.#store.db.get<{ listing: number }>('SELECT listing FROM exchange WHERE id = ?', exchange.id)!.listing;
  }

  /** These vanished from every scope that ever showed them. Returns how many entries they name. */
  vanish(exchange: ExchangeState, rows: readonly ObjectRow[], now: number): number {
    this.#store.db.updateRows(
      'object',
      ['id'],
      ['state', 'gone_at'],
      rows.map((row) => [OBJECT.vanished, now, row.id]),
    );
    const named = this.#links.of(rows.map((row) => row.id));
    let entries = 0;
    for (const row of rows) {
      this.#counts.change(exchange, row, undefined);
      this.#links.touch(named.get(row.id)!, { cause: 'withdrawn', exchangeId: exchange.id });
      entries += named.get(row.id)!.length;
    }
    return entries;
  }

  /** A published object is forgotten. */
  uncount(row: ObjectRow): void {
    const exchange = this.#store.exchanges.find((one) => one.id === row.exchange_id);
    if (exchange !== undefined) this.#counts.change(exchange, row, undefined);
  }
}
