// What a part of a commit does to the objects that are known, as ledger/take-in.ts judges them one by one, in their
// order, over plain values: the set is read before, and written after.
import type { IncomingIndicator } from '../../model/entry.ts';
import type { Reason } from '../../ledger/project.ts';
import { steadied, takeIn } from '../../ledger/take-in.ts';
import { believable, FUTURE_VERSION } from '../../policy/arrival.ts';
import { spelledOut } from '../../stix/bare-urls.ts';
import { type CommitReport, countIn, OTHER_CONTENT } from './commit-report.ts';
import type { ExchangeState, StoreContext } from '../unit/context.ts';
import { decideClaim } from '../../ledger/admit.ts';
import type { Explanations } from '../unit/explanations.ts';
import type { ObjectCounts } from './object-counts.ts';
import { rowOf } from '../rows/object-rows.ts';
import { type Item, linksOf, ObjectSet } from './object-set.ts';
import { loadPart } from './part-loading.ts';
import { toClaim } from '../rows/claims.ts';
import { OBJECT, type ObjectRow, type StoredEntry } from '../rows/rows.ts';
import { Statements } from './statements.ts';
import type { Touched } from '../unit/touched.ts';

/** What came, from where it is shown. */
export interface Arrival {
  readonly given: IncomingIndicator;
  readonly scope: number;
  readonly listing: number;
}

export interface Shown {
  readonly objectId: string;
  readonly scope: number;
  readonly listing: number;
}

interface Arrived extends Arrival {
  /** As far as it is believed. */
  readonly incoming: IncomingIndicator;
}

export class TakingIn {
  readonly #store: StoreContext;
  readonly #context: Explanations;
  readonly #counts: ObjectCounts;
  readonly #touched: Touched;
  readonly #exchange: ExchangeState;
  readonly #report: CommitReport;
  readonly #now: number;
  readonly #set: ObjectSet;
  readonly #statements: Statements;
  /** Those whose first arrival of this part was gone through. */
  readonly #taken = new Set<Item>();

  constructor(
    store: StoreContext,
    parts: { readonly context: Explanations; readonly counts: ObjectCounts; readonly touched: Touched },
    exchange: ExchangeState,
    report: CommitReport,
    now: number,
  ) {
    this.#store = store;
    this.#context = parts.context;
    this.#counts = parts.counts;
    this.#touched = parts.touched;
    this.#exchange = exchange;
    this.#report = report;
    this.#now = now;
    this.#set = new ObjectSet(store, exchange);
    this.#statements = new Statements(parts.context, this.#set);
  }

  /** `shown`: could not be read, which says nothing but that they are there. Returns what only one object names, which is new. */
  take(arrivals: readonly Arrival[], shown: readonly Shown[]): ObjectSet['fresh'] {
    const both = this.#exchange.spec.bareUrls === 'both_schemes';
    const arrived = arrivals.map((one): Arrived => {
      const given = both ? spelledOut(one.given) : one.given;
      return { given, incoming: believable(given, this.#now), scope: one.scope, listing: one.listing };
    });
    const markings = arrived.flatMap(({ incoming }) => incoming.openMarkings ?? []);
    if (markings.length > 0) this.#context.know(this.#exchange.id, markings);
    loadPart(
      this.#set,
      { context: this.#context, exchange: this.#exchange, now: this.#now, scope: oneOf(arrivals) },
      arrived.map((one) => one.incoming),
      shown.map((one) => one.objectId),
    );
    for (const { objectId, scope, listing } of shown) {
      const item = this.#set.get(objectId);
      if (item !== undefined) this.#set.see(item, scope, listing);
    }
    for (const one of arrived) this.#one(one);
    this.#set.save(this.#now);
    return this.#set.fresh;
  }

  #one({ given, incoming, scope, listing }: Arrived): void {
    const item = this.#set.get(incoming.objectId);
    if (item === undefined || (item.state === 'inserted' && !this.#taken.has(item))) {
      this.#created(item, incoming, scope, listing);
      return;
    }
    const report = this.#report;
    this.#set.see(item, scope, listing);
    const taken = takeIn(item.known, incoming);
    const by = (cause: Reason['cause']): Reason => ({ cause, exchangeId: this.#exchange.id });
    const found = item.row;
    switch (taken.kind) {
      case 'unchanged':
        report.unchanged++;
        return;
      case 'outdated':
        report.outdated++;
        if (incoming !== given && item.known.state !== 'revoked') countIn(report.refused, FUTURE_VERSION);
        return;
      case 'ended':
        report.revoked++;
        if (found!.state === OBJECT.published) this.#counts.change(this.#exchange, found, undefined);
        this.#statements.mark(item, incoming);
        this.#set.change(item, {
          state: OBJECT.revoked,
          version: taken.version,
          gone_at: this.#now,
          digest: incoming.digest,
        });
        this.#touch(item, by(taken.cause));
        return;
      case 'repeated':
        report.unchanged++;
        if (this.#statements.mark(item, incoming)) this.#touch(item, by('policy'));
        this.#set.change(item, { digest: incoming.digest });
        return;
      case 'returned':
        report.changed++;
        this.#set.change(item, { state: OBJECT.published, gone_at: null });
        this.#counts.change(this.#exchange, undefined, found);
        item.armsAnew = true;
        if (taken.tighten) this.#statements.tighten(item, incoming);
        this.#touch(item, by(taken.cause));
        return;
      case 'conflicting':
        report.conflicting++;
        this.#store.count(`exchange:${this.#exchange.id}`, OTHER_CONTENT, 1);
        if (this.#statements.tighten(item, incoming)) this.#touch(item, by(taken.cause));
        return;
      case 'replaced': {
        const news = steadied({ ...item.known, ...scoreOf(found!) }, incoming);
        if (news === undefined) {
          report.unchanged++;
          return;
        }
        const nobody = { exchangeId: 0 };
        const left = taken.byUs ? { cause: taken.left, ...nobody } : by(taken.left);
        const kept = taken.byUs && taken.cause === 'none' ? { cause: taken.cause, ...nobody } : by(taken.cause);
        this.#replaced(item, news, { left, kept });
        return;
      }
    }
  }

  /** `inserted`: by the look whether anybody knew it. */
  #created(inserted: Item | undefined, incoming: IncomingIndicator, scope: number, listing: number): void {
    const exchange = this.#exchange;
    const item =
      inserted ?? this.#set.add(rowOf(this.#store.ids.take('object'), exchange.id, incoming, this.#context, this.#now));
    this.#taken.add(item);
    this.#set.see(item, scope, listing);
    this.#statements.await(item);
    this.#set.names(item, incoming, false);
    if (incoming.revoked) {
      this.#report.revoked++;
      return;
    }
    this.#report.created++;
    if (incoming.refusal !== undefined) countIn(this.#report.refused, incoming.refusal);
    this.#counts.change(exchange, undefined, item.row);
    this.#counts.arrived(exchange, incoming, this.#report);
    this.#name(item, incoming, { cause: 'none', exchangeId: exchange.id });
  }

  /** What it names from now on. */
  #name(item: Item, incoming: IncomingIndicator, reason: Reason): void {
    for (const observable of incoming.observables) {
      const entry = this.#set.entryOf(observable);
      if (!this.#set.link(item, entry) || this.#set.fresh.get(entry.id)?.item === item) continue;
      this.#set.fresh.delete(entry.id);
      this.#touched.add(entry, reason);
    }
  }

  #replaced(
    item: Item,
    incoming: IncomingIndicator,
    /** What its entries are put down to: those it names no longer, and the others. */
    why: { readonly left: Reason; readonly kept: Reason },
  ): void {
    const [exchange, found] = [this.#exchange, item.row!];
    this.#set.change(item, rowOf(item.id, exchange.id, incoming, this.#context, this.#now));
    this.#statements.await(item);
    if (found.refusal !== null || incoming.named !== undefined) this.#set.names(item, incoming, true);
    this.#report.changed++;
    if (incoming.refusal !== undefined) countIn(this.#report.refused, incoming.refusal);
    this.#counts.change(exchange, found.state === OBJECT.published ? found : undefined, item.row);
    this.#counts.arrived(exchange, incoming, this.#report);
    const before = [...linksOf(item).values()];
    if (!this.#armed(found, item)) item.armsAnew = true;
    const kept = new Map(incoming.observables.map((one) => [this.#set.entryOf(one).id, one]));
    for (const entry of before) {
      if (kept.has(entry.id)) continue;
      // The partner changed the pattern: it no longer vouches for the old value.
      item.links?.delete(entry.id);
      this.#touchOne(entry, why.left);
    }
    for (const [id, observable] of kept) {
      const entry = { id, ...observable };
      this.#set.link(item, entry);
      this.#touchOne(entry, why.kept);
    }
  }

  #touchOne(entry: StoredEntry, reason: Reason): void {
    this.#set.fresh.delete(entry.id);
    this.#touched.add(entry, reason);
  }

  #touch(item: Item, reason: Reason): void {
    for (const entry of linksOf(item).values()) this.#touchOne(entry, reason);
  }

  /** Whether any SIEM took what the object said until now. Hits of that time are owed to those whom it armed by. */
  #armed(found: ObjectRow, item: Item): boolean {
    const [first] = linksOf(item).values();
    if (first === undefined || found.state !== OBJECT.published) return false;
    const claim = toClaim(found, this.#exchange.spec.name);
    return this.#store.siems.some(({ spec }) => decideClaim(spec, first, claim, true).kind === 'accept');
  }
}

const scoreOf = ({ confidence, refusal }: ObjectRow) => ({
  confidence: confidence ?? undefined,
  refusal: refusal ?? undefined,
});

/** The scope that all of them are shown in, if they are. */
function oneOf(arrivals: readonly Arrival[]): number | undefined {
  const scope = arrivals[0]?.scope;
  return arrivals.every((one) => one.scope === scope) ? scope : undefined;
}
