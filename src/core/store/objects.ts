// Takes pages of objects in, as ledger/take-in.ts judges them: newest version per object id, presence per scope, the claims
// each makes, and then the projection of every entry whose claims changed.
import { CANON_VERSION } from '../model/canonical.ts';
import { digest48 } from '../model/digest.ts';
import type { IncomingIndicator, IndicatorFacts, ObjectRefusal } from '../model/entry.ts';
import { papRank, tlpRank } from '../model/marking.ts';
import { OBSERVABLE_TYPES, type Observable } from '../model/observable.ts';
import type { Reason } from '../ledger/project.ts';
import { type Known, type Stated, takeIn, tightened } from '../ledger/take-in.ts';
import { believable, FUTURE_VERSION } from '../policy/arrival.ts';
import { lifeFrom } from '../policy/expiry.ts';
import { isAbove, listedFor, termsOf } from '../policy/intake.ts';
import { mayBeClassified } from '../stix/classification.ts';
import type { ExchangeState, StoreContext } from './context.ts';
import { decideClaim } from './decide.ts';
import type { ContextTable } from './explain.ts';
import type { Links } from './links.ts';
import { LISTED_OWNER } from './lists.ts';
import { Named, NAMED_BY } from './named.ts';
import { explained, openOf } from './open-markings.ts';
import { type ClaimRow, type Projector, toClaim } from './projection.ts';
import { type FoundObject, OBJECT, type ObjectRow, type StoredEntry } from './rows.ts';
import type { Touched } from './touched.ts';
import type { ArrivingPage } from './wire.ts';

export interface CommitReport {
  objects: number;
  created: number;
  changed: number;
  unchanged: number;
  revoked: number;
  /** Older than what is known, or after a revocation. */
  outdated: number;
  /** Same id and version with other content. */
  conflicting: number;
  /** Indicators of the exchange that are known, after this. */
  indicators: number;
  readonly refused: Record<string, number>;
  /** Classified above what any SIEM that listens may hold. */
  classified: number;
}

export const emptyReport = (): CommitReport => ({
  objects: 0,
  created: 0,
  changed: 0,
  unchanged: 0,
  revoked: 0,
  outdated: 0,
  conflicting: 0,
  indicators: 0,
  refused: {},
  classified: 0,
});

export class Objects {
  readonly #store: StoreContext;
  readonly #projector: Projector;
  readonly #context: ContextTable;
  readonly #touched: Touched;
  readonly #links: Links;
  readonly #find;
  readonly #insert;
  readonly #update;
  readonly #tombstone;
  readonly #see;
  readonly #findEntry;
  readonly #insertEntry;
  readonly #link;
  readonly #unlink;
  readonly #await;
  readonly #named: Named;
  readonly #scopes = new Map<string, number>();
  /** There are objects that could not be read; usually not, and nobody has to look. */
  #unreadable: boolean;

  constructor(store: StoreContext, projector: Projector, context: ContextTable, touched: Touched, links: Links) {
    this.#store = store;
    this.#projector = projector;
    this.#context = context;
    this.#touched = touched;
    this.#links = links;
    const { db } = store;
    this.#named = new Named(db);
    this.#unreadable = db.get('SELECT 1 AS one FROM unreadable LIMIT 1') !== undefined;
    this.#find = db.statement<FoundObject>('SELECT * FROM object WHERE exchange_id = ? AND object_id = ?');
    this.#insert = db.statement(
      `INSERT INTO object (id, exchange_id, object_id, version, state, valid_from, valid_until, confidence, tlp, pap, benign,
       open_markings, refusal, digest, facts, unexplained, life_from, gone_at, canon)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ${CANON_VERSION})
       ON CONFLICT (exchange_id, object_id) DO NOTHING`,
    );
    this.#update = db.statement(
      `UPDATE object SET version = ?, state = ?, valid_from = ?, valid_until = ?, confidence = ?, tlp = ?, pap = ?, benign = ?,
       open_markings = ?, refusal = ?, digest = ?, facts = ?, unexplained = ?, life_from = ?, gone_at = ?, canon = ${CANON_VERSION} WHERE id = ?`,
    );
    this.#tombstone = db.statement('UPDATE object SET state = ?, version = ?, gone_at = ?, digest = ? WHERE id = ?');
    this.#see = db.statement(
      `INSERT INTO presence (object_id, scope_id, listing) VALUES (?, ?, ?)
       ON CONFLICT (object_id, scope_id) DO UPDATE SET listing = excluded.listing WHERE presence.listing <> excluded.listing`,
    );
    this.#findEntry = db.statement<{ id: number }>('SELECT id FROM entry WHERE type = ? AND value = ?');
    this.#insertEntry = db.statement(
      'INSERT INTO entry (id, type, value) VALUES (?, ?, ?) ON CONFLICT (type, value) DO NOTHING',
    );
    this.#link = db.statement(
      'INSERT INTO contribution (entry_id, object_id, since) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    );
    this.#await = db.statement(
      'INSERT INTO unexplained (exchange_id, marking_id, object_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    );
    this.#unlink = db.statement('DELETE FROM contribution WHERE entry_id = ? AND object_id = ?');
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

  /** Forgets ids learnt in a unit that failed. */
  forget(): void {
    this.#scopes.clear();
  }

  commit(exchange: ExchangeState, page: ArrivingPage, now: number, report: CommitReport): void {
    const scope = this.scopeId(exchange, page.scope);
    // What a poll brings while a listing runs counts as shown in it.
    const listing = this.#listingRun(exchange);
    for (const refusal of page.refusals) {
      report.objects++;
      countIn(report.refused, refusal.reason);
      this.#keepUnreadable(exchange, refusal, now);
      this.#stillShown(exchange, refusal, scope, listing);
      this.#store.count(`exchange:${exchange.id}`, 'parked', 1);
    }
    for (const id of page.mended ?? []) this.#readable(exchange, id);
    report.objects += page.context.length;
    for (const [type, n] of Object.entries(page.ignored ?? {}))
      this.#store.count(`exchange:${exchange.id}`, `ignored:${type}`, n);
    for (const indicator of page.indicators) {
      report.objects++;
      this.#indicator(exchange, indicator, scope, listing, now, report);
    }
  }

  #keepUnreadable(exchange: ExchangeState, refusal: ObjectRefusal, now: number): void {
    const { reason, name, pattern } = refusal;
    // Without an id it is known by what it says.
    const objectId =
      refusal.objectId ?? (pattern === undefined ? undefined : `no id (${digest48(pattern).toString(16)})`);
    if (objectId === undefined) return;
    const { id } = this.#store.db.get<{ id: number }>(
      `INSERT INTO unreadable (exchange_id, object_id, reason, facts, seen) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (exchange_id, object_id) DO UPDATE SET reason = excluded.reason, facts = excluded.facts, seen = excluded.seen
       RETURNING id`,
      exchange.id,
      objectId,
      reason,
      JSON.stringify({ name, pattern }),
      now,
    )!;
    this.#named.replace(NAMED_BY.unreadable, id, refusal.named);
    this.#unreadable = true;
  }

  /** A version that cannot be read says nothing, but that the object is there. */
  #stillShown(exchange: ExchangeState, { objectId }: ObjectRefusal, scope: number, listing: number): void {
    const known = objectId === undefined ? undefined : this.#find.get(exchange.id, objectId);
    if (known !== undefined) this.#see.run(known.id, scope, listing);
  }

  /** It was read after all. */
  #readable(exchange: ExchangeState, objectId: string): void {
    if (this.#unreadable)
      this.#store.db.run('DELETE FROM unreadable WHERE exchange_id = ? AND object_id = ?', exchange.id, objectId);
  }

  #listingRun(exchange: ExchangeState): number {
    return this.#store.db.get<{ listing: number }>('SELECT listing FROM exchange WHERE id = ?', exchange.id)!.listing;
  }

  #indicator(
    exchange: ExchangeState,
    given: IncomingIndicator,
    scope: number,
    listing: number,
    now: number,
    report: CommitReport,
  ): void {
    const incoming = believable(given, now);
    this.#readable(exchange, incoming.objectId);
    // On a first sync nearly every object is new, and the insert itself finds that out.
    if (exchange.firstSync && !incoming.revoked && this.#create(exchange, incoming, scope, listing, now, report))
      return;
    const found =
      this.#find.get(exchange.id, incoming.objectId) ??
      (incoming.revoked ? this.#inOtherCase(exchange, incoming.objectId) : undefined);
    if (found === undefined) {
      this.#create(exchange, incoming, scope, listing, now, report);
      return;
    }
    this.#see.run(found.id, scope, listing);
    const taken = takeIn(knownOf(found), incoming);
    const by = (cause: Reason['cause']): Reason => ({ cause, exchangeId: exchange.id });
    switch (taken.kind) {
      case 'unchanged':
        report.unchanged++;
        return;
      case 'outdated':
        report.outdated++;
        if (incoming !== given && found.state !== OBJECT.revoked) countIn(report.refused, FUTURE_VERSION);
        return;
      case 'ended':
        report.revoked++;
        this.#tombstone.run(OBJECT.revoked, taken.version, now, incoming.digest, found.id);
        this.#links.touch(found.id, by(taken.cause));
        if (found.state === OBJECT.published) this.#countObject(exchange, found, undefined);
        return;
      case 'returned':
        report.changed++;
        this.#store.db.run('UPDATE object SET state = 0, gone_at = NULL WHERE id = ?', found.id);
        this.#countObject(exchange, undefined, found);
        this.#links.armsFrom(found.id, now);
        if (taken.tighten) this.#tighten(found, incoming);
        this.#links.touch(found.id, by(taken.cause));
        return;
      case 'conflicting':
        report.conflicting++;
        if (this.#tighten(found, incoming)) this.#links.touch(found.id, by(taken.cause));
        return;
      case 'replaced': {
        const nobody = { exchangeId: 0 };
        const left = taken.byUs ? { cause: taken.left, ...nobody } : by(taken.left);
        const kept = taken.byUs && taken.cause === 'none' ? { cause: taken.cause, ...nobody } : by(taken.cause);
        this.#replace(exchange, found, incoming, report, { left, kept }, now);
        return;
      }
    }
  }

  /** The UUID of an id says the same in capitals (RFC 9562), and a withdrawal is not lost over them. */
  #inOtherCase({ id }: ExchangeState, objectId: string): FoundObject | undefined {
    const at = objectId.indexOf('--') + 2;
    const [type, uuid] = [objectId.slice(0, at), objectId.slice(at)];
    return this.#find.get(id, type + uuid.toLowerCase()) ?? this.#find.get(id, type + uuid.toUpperCase());
  }

  #create(
    exchange: ExchangeState,
    incoming: IncomingIndicator,
    scope: number,
    listing: number,
    now: number,
    report: CommitReport,
  ): boolean {
    const { ids } = this.#store;
    const row = this.#rowOf(ids.next('object'), exchange, incoming, now);
    const made = this.#insert.changes(
      row.id,
      row.exchange_id,
      row.object_id,
      row.version,
      incoming.revoked ? OBJECT.revoked : OBJECT.published,
      row.valid_from,
      row.valid_until,
      row.confidence,
      row.tlp,
      row.pap,
      row.benign,
      row.open_markings,
      row.refusal,
      row.digest,
      row.facts,
      row.unexplained,
      row.life_from,
      incoming.revoked ? now : null,
    );
    if (made === 0) return false;
    ids.taken('object');
    this.#see.run(row.id, scope, listing);
    this.#awaitMarkings(row);
    if (incoming.named !== undefined) this.#named.add(NAMED_BY.object, row.id, incoming.named);
    if (incoming.revoked) {
      report.revoked++;
      return true;
    }
    report.created++;
    if (incoming.refusal !== undefined) countIn(report.refused, incoming.refusal);
    this.#countObject(exchange, undefined, row);
    const reason: Reason = { cause: 'none', exchangeId: exchange.id };
    this.#countListed(exchange, incoming, report);
    for (const { type, value } of incoming.observables) {
      const number = OBSERVABLE_TYPES.indexOf(type);
      const next = ids.next('entry');
      if (this.#insertEntry.changes(next, number, value) > 0) {
        ids.taken('entry');
        this.#link.run(next, row.id, now);
        this.#projector.projectNew({ id: next, type, value }, row, reason, now);
      } else {
        const { id } = this.#findEntry.get(number, value)!;
        if (this.#link.changes(id, row.id, now) > 0) this.#touched.add({ id, type, value }, reason);
      }
    }
    return true;
  }

  /** What comes anew and stands on a never-block list, by the rules of the first SIEM that listens. */
  #countListed(exchange: ExchangeState, incoming: IncomingIndicator, report: CommitReport): void {
    const { name } = exchange.spec;
    if (this.#isTooHigh(exchange, incoming)) {
      report.classified++;
      this.#store.count(`exchange:${exchange.id}`, 'classified', 1);
    }
    const rules = this.#store.siems.find((siem) => siem.spec.rules[name] !== undefined)?.spec.rules[name]?.intake;
    if (rules === undefined) return;
    for (const observable of incoming.observables)
      for (const { list, action } of listedFor(observable, rules))
        this.#store.count(LISTED_OWNER, `${list} ${action}`, 1);
  }

  /** Somebody sent over a network what it may not carry: no policy for lists, but an alarm. */
  #isTooHigh({ id, spec: { name } }: ExchangeState, { facts, openMarkings }: IncomingIndicator): boolean {
    if (openMarkings === undefined && !mayBeClassified(facts)) return false;
    const refs = openMarkings ?? [];
    const unexplained = refs.length === 0 ? null : explained(this.#context, id, { refs }).unexplained;
    const { classification } = termsOf({
      factsText: facts,
      facts: JSON.parse(facts) as IndicatorFacts,
      unexplained: unexplained ?? undefined,
    });
    const ceilings = this.#store.siems.flatMap(({ spec }) => spec.rules[name]?.intake.maxClassification ?? []);
    return (
      classification !== undefined && ceilings.length > 0 && ceilings.every((most) => isAbove(classification, most))
    );
  }

  #entryId(type: number, value: string): number {
    const id = this.#store.ids.next('entry');
    if (this.#insertEntry.changes(id, type, value) === 0) return this.#findEntry.get(type, value)!.id;
    this.#store.ids.taken('entry');
    return id;
  }

  /** Whether any SIEM took what the object said until now. Hits of that time are owed to those whom it armed by. */
  #armed(exchange: ExchangeState, found: ObjectRow, entries: readonly StoredEntry[]): boolean {
    const [first] = entries;
    if (first === undefined || found.state !== OBJECT.published) return false;
    const claim = toClaim(found, exchange.spec.name);
    return this.#store.siems.some(({ spec }) => decideClaim(spec, first, claim, true).kind === 'accept');
  }

  #replace(
    exchange: ExchangeState,
    found: ObjectRow,
    incoming: IncomingIndicator,
    report: CommitReport,
    /** What its entries are put down to: those it names no longer, and the others. */
    why: { readonly left: Reason; readonly kept: Reason },
    now: number,
  ): void {
    const row = this.#rowOf(found.id, exchange, incoming, now);
    this.#update.run(
      row.version,
      row.state,
      row.valid_from,
      row.valid_until,
      row.confidence,
      row.tlp,
      row.pap,
      row.benign,
      row.open_markings,
      row.refusal,
      row.digest,
      row.facts,
      row.unexplained,
      row.life_from,
      null,
      row.id,
    );
    this.#awaitMarkings(row);
    if (found.refusal !== null || incoming.named !== undefined)
      this.#named.replace(NAMED_BY.object, row.id, incoming.named);
    report.changed++;
    if (incoming.refusal !== undefined) countIn(report.refused, incoming.refusal);
    this.#countObject(exchange, found.state === OBJECT.published ? found : undefined, row);
    this.#countListed(exchange, incoming, report);
    const before = this.#links.of(found.id);
    if (!this.#armed(exchange, found, before)) this.#links.armsFrom(found.id, now);
    const kept = new Map<number, Observable>();
    for (const observable of incoming.observables) {
      const type = OBSERVABLE_TYPES.indexOf(observable.type);
      const entryId = this.#entryId(type, observable.value);
      this.#link.run(entryId, found.id, now);
      kept.set(entryId, observable);
    }
    for (const entry of before) {
      if (kept.has(entry.id)) continue;
      // The partner changed the pattern: it no longer vouches for the old value.
      this.#unlink.run(entry.id, found.id);
      this.#touched.add(entry, why.left);
    }
    for (const [id, observable] of kept) {
      this.#touched.add({ id, ...observable }, why.kept);
    }
  }

  /** Same version, other content: the standard says nothing, so only what arms less is taken over. True if anything was. */
  #tighten(found: ObjectRow, incoming: IncomingIndicator): boolean {
    const { until, benign, facts, ...open } = tightened(statedOf(found), incoming);
    const openText = open.refs.length === 0 ? null : JSON.stringify(open);
    // An open marking is explained anew, from both contents together.
    const next = {
      ...explained(this.#context, found.exchange_id, open),
      until: until ?? null,
      benign: benign ? 1 : 0,
      facts,
    };
    const same =
      next.until === found.valid_until &&
      next.tlp === found.tlp &&
      next.pap === found.pap &&
      next.unexplained === found.unexplained &&
      next.benign === found.benign &&
      next.facts === found.facts &&
      openText === found.open_markings;
    if (same) return false;
    this.#store.db.run(
      'UPDATE object SET valid_until = ?, tlp = ?, pap = ?, unexplained = ?, benign = ?, open_markings = ?, facts = ?, digest = ? WHERE id = ?',
      next.until,
      next.tlp,
      next.pap,
      next.unexplained,
      next.benign,
      openText,
      next.facts,
      incoming.digest,
      found.id,
    );
    this.#awaitMarkings({ ...found, open_markings: openText });
    return true;
  }

  /** Remembers by which markings that nothing explains yet the object is to be found. */
  #awaitMarkings(row: ObjectRow): void {
    if (row.open_markings === null) return;
    for (const ref of openOf(row).refs) {
      if (this.#context.marking(row.exchange_id, ref) === undefined) this.#await.run(row.exchange_id, ref, row.id);
    }
  }

  #rowOf(id: number, exchange: ExchangeState, incoming: IncomingIndicator, now: number): ClaimRow {
    const { tlp, pap, openMarkings } = incoming;
    const stated =
      openMarkings === undefined || openMarkings.length === 0 ? undefined : { tlp, pap, refs: openMarkings };
    return {
      id,
      exchange_id: exchange.id,
      object_id: incoming.objectId,
      version: incoming.version,
      state: OBJECT.published,
      valid_from: incoming.validFrom,
      valid_until: incoming.validUntil ?? null,
      confidence: incoming.confidence ?? null,
      ...(stated === undefined
        ? {
            tlp: tlp === undefined ? null : tlpRank(tlp),
            pap: pap === undefined ? null : papRank(pap),
            unexplained: null,
          }
        : explained(this.#context, exchange.id, stated)),
      benign: incoming.benign === true ? 1 : 0,
      open_markings: stated === undefined ? null : JSON.stringify(stated),
      refusal: incoming.refusal ?? null,
      digest: incoming.digest,
      facts: incoming.facts,
      life_from: lifeFrom(incoming, now),
      exchange_active: 1,
    };
  }

  /** An object vanished from every scope that ever showed it. */
  vanish(exchange: ExchangeState, row: ObjectRow, now: number): number {
    this.#store.db.run(`UPDATE object SET state = ${OBJECT.vanished}, gone_at = ? WHERE id = ?`, now, row.id);
    this.#countObject(exchange, row, undefined);
    return this.#links.touch(row.id, { cause: 'withdrawn', exchangeId: exchange.id });
  }

  /** A published object is forgotten. */
  uncount(row: ObjectRow): void {
    const exchange = this.#store.exchanges.find((one) => one.id === row.exchange_id);
    if (exchange !== undefined) this.#countObject(exchange, row, undefined);
  }

  #countObject(exchange: ExchangeState, before: ObjectRow | undefined, after: ObjectRow | undefined): void {
    if (before !== undefined) this.#tallyObject(exchange, before, -1);
    if (after !== undefined) this.#tallyObject(exchange, after, 1);
  }

  #tallyObject(exchange: ExchangeState, row: ObjectRow, by: 1 | -1): void {
    exchange.indicators.n += by;
    if (row.refusal === null) return;
    const owner = `exchange:${exchange.id}`;
    this.#store.count(owner, 'refused', by);
    this.#store.count(owner, `refused:${row.refusal}`, by);
  }
}

const STATES = ['published', 'revoked', 'vanished'] as const;

const knownOf = (row: FoundObject): Known => ({
  state: STATES[row.state] ?? 'published',
  version: row.version,
  digest: row.digest,
  validity: { from: row.valid_from, until: row.valid_until ?? undefined },
  outdated: row.canon < CANON_VERSION,
});

/** The levels as stated, whatever a definition made of them since. */
function statedOf(row: ObjectRow): Stated {
  const { tlp, pap, refs } = openOf(row);
  return { until: row.valid_until ?? undefined, tlp, pap, refs, benign: row.benign === 1, facts: row.facts };
}

function countIn(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
