// Takes pages of objects in: newest version per object id, presence per scope, the claims each makes, and then the
// projection of every entry whose claims changed.
//
// Rules (STIX 2.1 §3.6, and what feeds really do): the higher `modified` wins, however late it comes; a revoked id
// stays a tombstone, so a later unrevoked version is dropped; the same version with other content keeps the first,
// except towards less (revoked, earlier valid_until, stricter marking).
import type { IncomingIndicator, IndicatorFacts, ObjectRefusal } from '../model/entry.ts';
import { CANON_VERSION } from '../model/canonical.ts';
import { papRank, stricterPap, stricterTlp, tlpRank } from '../model/marking.ts';
import { OBSERVABLE_TYPES, type Observable } from '../model/observable.ts';
import { digest48 } from '../model/digest.ts';
import type { Reason } from '../ledger/project.ts';
import { OLDEST_VERSION } from '../model/timestamp.ts';
import { believable, FUTURE_VERSION } from '../policy/arrival.ts';
import { lifeFrom } from '../policy/expiry.ts';
import { isAbove, listedFor, termsOf } from '../policy/intake.ts';
import { mayBeClassified } from '../stix/classification.ts';
import { cutsShort } from '../policy/holds.ts';
import type { Brakes } from './brakes.ts';
import type { ExchangeState, StoreContext } from './context.ts';
import type { ContextTable } from './explain.ts';
import { explained, factsBeside, openOf } from './open-markings.ts';
import { decideClaim } from './decide.ts';
import { LISTED_OWNER } from './lists.ts';
import { Named, NAMED_BY } from './named.ts';
import { type ClaimRow, type Projector, toClaim } from './projection.ts';
import { type FoundObject, OBJECT, type ObjectRow, type StoredEntry } from './rows.ts';
import type { Sweep, Sweeps, SweepStep } from './sweeps.ts';
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

/** More than any brake lets pass; counting on would take long. */
const MOST_FORESEEN = 100_000;

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

/** As the subject of a sweep: all objects of the exchange that refer to a marking which only it can explain. */
const EVERY_MARKING = '';

export class Objects {
  readonly #store: StoreContext;
  readonly #projector: Projector;
  readonly #context: ContextTable;
  readonly #touched: Touched;
  readonly #sweeps: Sweeps;
  readonly #brakes: Brakes;
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
  readonly #linked;
  readonly #named: Named;
  readonly #scopes = new Map<string, number>();
  /** There are objects that could not be read; usually not, and nobody has to look. */
  #unreadable: boolean;

  constructor(
    store: StoreContext,
    projector: Projector,
    context: ContextTable,
    touched: Touched,
    sweeps: Sweeps,
    brakes: Brakes,
  ) {
    this.#store = store;
    this.#projector = projector;
    this.#context = context;
    this.#touched = touched;
    this.#sweeps = sweeps;
    this.#brakes = brakes;
    sweeps.register('marking', (sweep, most) => this.#remark(sweep, most));
    sweeps.register('name', (sweep, most) => this.#renamed(sweep, most));
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
    this.#linked = db.statement<{ id: number; type: number; value: string }>(
      'SELECT e.id, e.type, e.value FROM contribution c JOIN entry e ON e.id = c.entry_id WHERE c.object_id = ?',
    );
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
      report.refused[refusal.reason] = (report.refused[refusal.reason] ?? 0) + 1;
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

  /**
   * Names, markings and relationships of all pages of a commit. Taken in before its indicators, so that what comes
   * together is judged and sent once, in whichever order it stands. What they explain of earlier indicators is swept.
   */
  explain(exchange: ExchangeState, pages: readonly ArrivingPage[], now: number): void {
    const markings = new Set<string>();
    const names = new Set<string>();
    const sources = new Set<string>();
    let redefined = false;
    for (const page of pages) {
      for (const object of page.context) {
        const news = this.#context.store(exchange.id, object);
        if (news?.kind === 'marking') markings.add(news.objectId);
        else if (news?.kind === 'redefined') redefined = true;
        else if (news?.kind === 'name') names.add(news.objectId);
        else if (news?.kind === 'source') sources.add(news.objectId);
      }
    }
    for (const id of sources) this.#touch(exchange.id, id);
    for (const id of markings) if (this.#awaited(exchange.id, id)) this.#sweep('marking', exchange, id, now);
    // Rare, and no index leads from a marking to what stands under it: one way through for all of a commit.
    if (redefined) this.#sweep('marking', exchange, EVERY_MARKING, now);
    for (const id of names) if (this.#context.isNamed(exchange.id, id)) this.#sweep('name', exchange, id, now);
  }

  #sweep(kind: 'marking' | 'name', exchange: ExchangeState, subject: string, now: number): void {
    this.#sweeps.begin(kind, exchange.id, subject, null, now);
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
    if (found.state === OBJECT.revoked) {
      // Revocation is final (STIX 2.1 §3.6): only a repeat of it is expected after it.
      if (incoming.revoked) report.unchanged++;
      else report.outdated++;
      return;
    }
    // Harmless, whatever its version is: it takes away from the one that is known.
    const undated = incoming.benign === true && incoming.version === OLDEST_VERSION;
    const same = incoming.version === found.version || undated;
    if (incoming.version < found.version && !incoming.revoked && !undated) {
      report.outdated++;
      if (incoming !== given) report.refused[FUTURE_VERSION] = (report.refused[FUTURE_VERSION] ?? 0) + 1;
      return;
    }
    if (incoming.revoked) {
      const newest = [incoming.version, found.version].sort().at(-1)!;
      this.#tombstone.run(OBJECT.revoked, newest, now, incoming.digest, found.id);
      report.revoked++;
      this.#touchLinked(found.id, { cause: 'withdrawn', exchangeId: exchange.id });
      if (found.state === OBJECT.published) this.#countObject(exchange, found, undefined);
      return;
    }
    const back = found.state === OBJECT.vanished;
    // Read by older rules, the same version says what it says now: nobody changed anything but we.
    const again = same && !undated && found.canon < CANON_VERSION;
    if (same && !again) {
      const conflicting = incoming.digest !== found.digest;
      if (back) {
        // A vanished object that reappears counts again.
        this.#store.db.run('UPDATE object SET state = 0, gone_at = NULL WHERE id = ?', found.id);
        report.changed++;
        this.#countObject(exchange, undefined, found);
        this.#armsFrom(found.id, now);
        if (conflicting) this.#tighten(found, incoming);
        this.#touchLinked(found.id, { cause: 'none', exchangeId: exchange.id });
      } else if (conflicting) {
        report.conflicting++;
        const cause = withdraws(found, incoming) ? 'withdrawn' : 'none';
        if (this.#tighten(found, incoming)) this.#touchLinked(found.id, { cause, exchangeId: exchange.id });
      } else report.unchanged++;
      return;
    }
    this.#replace(
      exchange,
      found,
      incoming,
      report,
      again ? BY_OUR_RULES : { cause: 'withdrawn', exchangeId: exchange.id },
      now,
    );
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
    const made = this.#insert.run(
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
    if (made.changes === 0) return false;
    ids.taken('object');
    this.#see.run(row.id, scope, listing);
    this.#awaitMarkings(row);
    if (incoming.named !== undefined) this.#named.add(NAMED_BY.object, row.id, incoming.named);
    if (incoming.revoked) {
      report.revoked++;
      return true;
    }
    report.created++;
    if (incoming.refusal !== undefined) report.refused[incoming.refusal] = (report.refused[incoming.refusal] ?? 0) + 1;
    this.#countObject(exchange, undefined, row);
    const reason: Reason = { cause: 'none', exchangeId: exchange.id };
    this.#countListed(exchange, incoming, report);
    for (const { type, value } of incoming.observables) {
      const number = OBSERVABLE_TYPES.indexOf(type);
      const next = ids.next('entry');
      if (this.#insertEntry.run(next, number, value).changes > 0) {
        ids.taken('entry');
        this.#link.run(next, row.id, now);
        this.#projector.projectNew({ id: next, type, value }, row, reason, now);
      } else {
        const { id } = this.#findEntry.get(number, value)!;
        if (this.#link.run(id, row.id, now).changes > 0) this.#touched.add({ id, type, value }, reason);
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
    if (this.#insertEntry.run(id, type, value).changes === 0) return this.#findEntry.get(type, value)!.id;
    this.#store.ids.taken('entry');
    return id;
  }

  /** `left`: what a value is put down to that the object names no longer. */
  /** Whether any SIEM took what the object said until now. Hits of that time are owed to those whom it armed by. */
  #armed(exchange: ExchangeState, found: ObjectRow, entries: readonly { type: number; value: string }[]): boolean {
    const [first] = entries;
    if (first === undefined || found.state !== OBJECT.published) return false;
    const claim = toClaim(found, exchange.spec.name);
    return this.#store.siems.some(
      ({ spec }) => decideClaim(spec, storedEntry({ id: 0, ...first }), claim, true).kind === 'accept',
    );
  }

  #armsFrom(objectRow: number, now: number): void {
    this.#store.db.run('UPDATE contribution SET since = ? WHERE object_id = ?', now, objectRow);
  }

  #replace(
    exchange: ExchangeState,
    found: ObjectRow,
    incoming: IncomingIndicator,
    report: CommitReport,
    left: Reason,
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
    if (incoming.refusal !== undefined) report.refused[incoming.refusal] = (report.refused[incoming.refusal] ?? 0) + 1;
    this.#countObject(exchange, found.state === OBJECT.published ? found : undefined, row);
    this.#countListed(exchange, incoming, report);
    const before = this.#linked.all(found.id);
    if (!this.#armed(exchange, found, before)) this.#armsFrom(found.id, now);
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
      this.#touched.add(storedEntry(entry), left);
    }
    const why: Reason = withdraws(found, incoming)
      ? { cause: 'withdrawn', exchangeId: exchange.id }
      : { cause: 'none', exchangeId: left.exchangeId };
    for (const [id, observable] of kept) {
      this.#touched.add({ id, ...observable }, why);
    }
  }

  /** Same version, other content: the standard says nothing, so only what arms less is taken over. True if anything was. */
  #tighten(found: ObjectRow, incoming: IncomingIndicator): boolean {
    const refs = incoming.openMarkings ?? [];
    // The levels as stated: an open marking is explained anew below, from both contents together.
    const stated = openOf(found);
    const open = {
      tlp: stricterTlp(stated.tlp, incoming.tlp),
      pap: stricterPap(stated.pap, incoming.pap),
      refs: [...new Set([...stated.refs, ...refs])],
    };
    const openText = open.refs.length === 0 ? null : JSON.stringify(open);
    const next = {
      ...explained(this.#context, found.exchange_id, open),
      until: earlier(found.valid_until, incoming.validUntil ?? null),
      benign: incoming.benign === true ? 1 : found.benign,
      facts: factsBeside(found.facts, incoming.facts),
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

  #awaited(exchangeId: number, markingId: string): boolean {
    return (
      this.#store.db.get(
        'SELECT 1 AS one FROM unexplained WHERE exchange_id = ? AND marking_id = ? LIMIT 1',
        exchangeId,
        markingId,
      ) !== undefined
    );
  }

  /** Markings became stricter: the objects that refer to any are judged anew. */
  #remarkAll(sweep: Sweep, most: number): SweepStep {
    const objects = this.#store.db.all<ObjectRow>(
      'SELECT * FROM object WHERE id > ? ORDER BY id LIMIT ?',
      Number(sweep.position),
      most,
    );
    const step = this.#whileItFits(objects, most, (row) =>
      row.exchange_id === sweep.owner && row.open_markings !== null ? this.#explainAnew(row) : 1,
    );
    return { rows: step.rows, position: step.more ? String(step.last!.id) : undefined };
  }

  /** Returns the rows it touched. */
  #explainAnew(row: ObjectRow): number {
    const next = explained(this.#context, row.exchange_id, openOf(row));
    if (next.tlp === row.tlp && next.pap === row.pap && next.unexplained === row.unexplained) return 1;
    if (row.unexplained !== null && next.unexplained === null) this.#armsFrom(row.id, this.#store.engineTime);
    this.#store.db.run(
      'UPDATE object SET tlp = ?, pap = ?, unexplained = ? WHERE id = ?',
      next.tlp,
      next.pap,
      next.unexplained,
      row.id,
    );
    if (row.state !== OBJECT.published) return 1;
    return this.#touchLinked(row.id, { cause: 'policy', exchangeId: row.exchange_id, force: true });
  }

  /** A marking definition arrived: the objects that waited for it are judged anew. */
  #remark(sweep: Sweep, most: number): SweepStep {
    if (sweep.subject === EVERY_MARKING) return this.#remarkAll(sweep, most);
    const waiting = this.#store.db.all<ObjectRow>(
      `SELECT o.* FROM unexplained u JOIN object o ON o.id = u.object_id
       WHERE u.exchange_id = ? AND u.marking_id = ? AND u.object_id > ? ORDER BY u.object_id LIMIT ?`,
      sweep.owner,
      sweep.subject,
      Number(sweep.position),
      most,
    );
    const step = this.#whileItFits(waiting, most, (row) => this.#explainAnew(row));
    // It is explained: nobody waits for this marking any more.
    this.#store.db.run(
      'DELETE FROM unexplained WHERE exchange_id = ? AND marking_id = ? AND object_id <= ?',
      sweep.owner,
      sweep.subject,
      step.last?.id ?? Number.MAX_SAFE_INTEGER,
    );
    if (step.more) this.#foresee(sweep);
    return { rows: step.rows, position: step.more ? String(step.last!.id) : undefined };
  }

  /** The brake judges all that one marking lets in together. */
  #foresee({ owner, subject }: Sweep): void {
    const { n } = this.#store.db.get<{ n: number }>(
      `SELECT count(*) AS n FROM (SELECT 1 FROM unexplained WHERE exchange_id = ? AND marking_id = ? LIMIT ${MOST_FORESEEN})`,
      owner,
      subject,
    )!;
    for (const siem of this.#store.siems) this.#brakes.foresee('addition', siem, owner, n);
  }

  /** A name that indicators refer to arrived or changed: they are written again. */
  #renamed(sweep: Sweep, most: number): SweepStep {
    const sources = this.#context.sourcesOf(sweep.owner, sweep.subject, sweep.position, most);
    const step = this.#whileItFits(sources, most, (source) => this.#touch(sweep.owner, source));
    return { rows: step.rows, position: step.more ? step.last! : undefined };
  }

  /** Goes through `given`, of which there may be more where it is `most` long, until so many rows are handled. */
  #whileItFits<T>(
    given: readonly T[],
    most: number,
    work: (one: T) => number,
  ): { rows: number; last: T | undefined; more: boolean } {
    let rows = 0;
    for (const [i, one] of given.entries()) {
      rows += Math.max(1, work(one));
      if (rows >= most) return { rows, last: one, more: i + 1 < given.length || given.length >= most };
    }
    return { rows, last: given.at(-1), more: false };
  }

  /** Entries of an object that is to be written again. */
  #touch(exchangeId: number, objectId: string): number {
    const row = this.#find.get(exchangeId, objectId);
    if (row === undefined || row.state !== OBJECT.published) return 0;
    return this.#touchLinked(row.id, { cause: 'none', exchangeId, force: true });
  }

  #touchLinked(objectRowId: number, reason: Reason): number {
    const entries = this.#linked.all(objectRowId);
    for (const entry of entries) this.#touched.add(storedEntry(entry), reason);
    return entries.length;
  }

  /** An object vanished from every scope that ever showed it. */
  vanish(exchange: ExchangeState, row: ObjectRow, now: number): number {
    this.#store.db.run(`UPDATE object SET state = ${OBJECT.vanished}, gone_at = ? WHERE id = ?`, now, row.id);
    this.#countObject(exchange, row, undefined);
    return this.#touchLinked(row.id, { cause: 'withdrawn', exchangeId: exchange.id });
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

/** No partner withdrew or added anything, and no brake counts it. */
const BY_OUR_RULES: Reason = { cause: 'policy', exchangeId: 0 };

const storedEntry = (row: { id: number; type: number; value: string }): StoredEntry => ({
  id: row.id,
  type: OBSERVABLE_TYPES[row.type]!,
  value: row.value,
});

/** To mark an object benign, or to cut its validity short, is to withdraw it. */
const withdraws = (found: ObjectRow, incoming: IncomingIndicator): boolean =>
  incoming.benign === true ||
  cutsShort(
    { from: found.valid_from, until: found.valid_until ?? undefined },
    { from: incoming.validFrom, until: incoming.validUntil },
  );

const earlier = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);
