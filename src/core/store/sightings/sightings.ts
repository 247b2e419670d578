// From hits to what may leave: hits, aggregates, release decisions, outbox rows and the hit cursor change in one
// transaction, so that a crash at any line neither loses a hit nor counts it twice.
import type { Failure } from '../../model/failure.ts';
import type { Json } from '../../model/json.ts';
import { hitDigest } from '../../model/digest.ts';
import { entryKey, OBSERVABLE_TYPES, type Observable, parseEntryKey } from '../../model/observable.ts';
import { type Hit, VERDICTS } from '../../model/sighting.ts';
import { aggregate, type Grid, type HitRow, windowOf } from '../../inventory/aggregate.ts';
import { expiryOf } from '../../policy/expiry.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import { hitTime } from '../rows/rows.ts';
import { decideClaim } from '../../ledger/admit.ts';
import { keyOf, questionOf } from '../../ledger/holds.ts';
import { CROWDED } from '../unit/entry-claims.ts';
import { entryIdsOf } from '../unit/entry-ids.ts';
import { Outbox } from './outbox.ts';
import { notePlaces } from './places.ts';
import { toClaim } from '../rows/claims.ts';
import { Releases } from '../rows/releases.ts';
import { OBJECT, type ObjectRow, PRESENT } from '../rows/rows.ts';
import type { ReleaseSpec } from '../spec/spec.ts';
import type { Sweep, Sweeps, SweepStep } from '../unit/sweeps.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const STEP = 5000;
/** Objects of which one unit tells: each takes look-ups of its own. */
const MOST_TOLD = CROWDED;
/** In the place of a SIEM, where a person gave the verdict. */
const BY_HAND = { id: 0 };

/** Since when a claim can have armed its entry, of contribution c and object o. */
const ARMED = 'CASE WHEN o.valid_from > c.since THEN o.valid_from ELSE c.since END';

/** What is known before the hits of a unit are gone through, and what comes of them. */
interface Before {
  /** By key. */
  readonly entries: ReadonlyMap<string, number>;
  /** By the digest of what was read, how many it stood for. */
  readonly seen: Map<string, number>;
  /** By entry, since when the claims on it stood, in order. */
  readonly armed: ReadonlyMap<number, readonly number[]>;
  /** By entry, the last day on which it is seen. */
  readonly days: Map<number, number>;
}

type Touched = Map<string, { entryId: number; start: number; verdict: number }>;

export interface HitReport {
  /** New, after those that were read before. */
  fresh: number;
  /** Read before. */
  known: number;
  /** No entry of ours, older than what is kept, or a canary of ours. */
  ignored: number;
}

const NOTHING: ReleaseSpec = {
  rules: [],
  reporting: [],
  windowMinutes: 60,
  precisionMinutes: 60,
  delayMinutes: 0,
  minCount: 1,
  holdHours: 72,
  ignore: [],
  hitsDays: 30,
  sightingsDays: 365,
};

export class Sightings {
  readonly #store: StoreContext;
  readonly #spec: ReleaseSpec;
  readonly #grid: Grid;
  readonly #releases: Releases;
  readonly #sweeps: Sweeps;
  readonly outbox: Outbox;

  /** Entries whose lifetime may have been renewed by the hits of the running unit. */
  readonly renewed = new Set<number>();

  constructor(store: StoreContext, sweeps: Sweeps) {
    this.#store = store;
    this.#sweeps = sweeps;
    sweeps.register('told', (sweep, _most, now) => this.#toldOn(sweep, now));
    this.#spec = store.spec.release ?? NOTHING;
    this.#grid = {
      windowMs: this.#spec.windowMinutes * MINUTE_MS,
      precisionMs: this.#spec.precisionMinutes * MINUTE_MS,
    };
    this.#releases = new Releases(store.db, this.#spec, notePlaces(store));
    this.outbox = new Outbox(store, this.#releases);
  }

  cursor(siem: SiemState): Json | undefined {
    const row = this.#store.db.get<{ cursor: string | null }>(
      'SELECT cursor FROM hit_source WHERE siem_id = ?',
      siem.id,
    );
    return row === undefined || row.cursor === null ? undefined : (JSON.parse(row.cursor) as Json);
  }

  /** Without a cursor the hits are kept and the place stays: a search goes on over further entries. */
  commit(siem: SiemState, hits: readonly Hit[], cursor: Json | undefined, now: number): HitReport {
    const report: HitReport = { fresh: 0, known: 0, ignored: 0 };
    const touched: Touched = new Map();
    const before = this.#before(siem, hits);
    for (const hit of hits) this.#add(siem, hit, now, report, touched, before);
    this.#seenOn(before.days);
    for (const one of touched.values()) this.#tell(one.entryId, one.start, one.verdict, now);
    if (cursor !== undefined)
      this.#store.db.run(
        'INSERT INTO hit_source (siem_id, cursor) VALUES (?, ?) ON CONFLICT (siem_id) DO UPDATE SET cursor = excluded.cursor',
        siem.id,
        JSON.stringify(cursor),
      );
    return report;
  }

  #before({ id }: Pick<SiemState, 'id'>, hits: readonly Hit[]): Before {
    const { db } = this.#store;
    const entries = entryIdsOf(
      db,
      hits.flatMap((hit) => parseEntryKey(hit.key) ?? []),
    );
    const digests = [...new Set(hits.map((hit) => hit.dedupe))];
    const seen = db.listsByKeys('SELECT hash, n FROM hit_seen WHERE siem_id = ? AND hash IN ($keys)', digests, id);
    const armed = new Map<number, number[]>();
    for (const [entryId, since] of db.listsByKeys(
      `SELECT DISTINCT c.entry_id, ${ARMED} AS armed FROM contribution c CROSS JOIN object o
       WHERE o.id = c.object_id AND c.entry_id IN ($keys) ORDER BY c.entry_id, armed`,
      [...new Set(entries.values())],
    ) as [number, number][]) {
      const known = armed.get(entryId);
      if (known === undefined) armed.set(entryId, [since]);
      else known.push(since);
    }
    return { entries, seen: new Map(seen as [string, number][]), armed, days: new Map() };
  }

  #add(siem: Pick<SiemState, 'id'>, hit: Hit, now: number, report: HitReport, touched: Touched, before: Before): void {
    const { db } = this.#store;
    // A SIEM whose clock runs ahead: nothing was seen later than it was read.
    const last = Math.min(hit.last, now);
    const start = windowOf(last, this.#grid);
    const entryId = before.entries.get(hit.key.toWellFormed());
    if (entryId === undefined || start < this.#oldest(now) || this.#releases.ignores(hit.key) || !(hit.count > 0)) {
      report.ignored++;
      return;
    }
    // An alert may stand for more events than when it was read first; only what came on top counts.
    const more = Math.floor(hit.count) - (before.seen.get(hit.dedupe) ?? 0);
    if (more <= 0) {
      report.known++;
      return;
    }
    before.seen.set(hit.dedupe, Math.floor(hit.count));
    db.run(
      'INSERT INTO hit_seen (siem_id, hash, day, n) VALUES (?, ?, ?, ?) ON CONFLICT (siem_id, hash) DO UPDATE SET n = excluded.n, day = excluded.day',
      siem.id,
      hit.dedupe,
      Math.floor(last / DAY_MS),
      Math.floor(hit.count),
    );
    const verdict = VERDICTS.indexOf(hit.verdict);
    db.run(
      `INSERT INTO hit (entry_id, start, verdict, siem_id, part, first, last, n) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (entry_id, start, verdict, siem_id, part) DO UPDATE SET
       first = min(hit.first, excluded.first), last = max(hit.last, excluded.last), n = hit.n + excluded.n`,
      entryId,
      start,
      verdict,
      siem.id,
      partAt(before.armed.get(entryId) ?? [], last),
      Math.max(Math.min(hit.first, last), start),
      last,
      more,
    );
    touched.set(`${entryId} ${start} ${verdict}`, { entryId, start, verdict });
    if (hit.verdict === 'seen')
      before.days.set(entryId, Math.max(before.days.get(entryId) ?? 0, Math.floor(last / DAY_MS)));
    report.fresh += more;
    this.#store.count('sightings', 'hits', more);
  }

  /** By day, so that a value that is seen all day is written anew once. */
  #seenOn(days: ReadonlyMap<number, number>): void {
    const { db, siems } = this.#store;
    if (!siems.some(({ spec }) => Object.values(spec.rules).some(({ lifetime }) => lifetime.renewOnHit === true)))
      return;
    const rows: [number, number][] = [];
    for (const [id, before] of db.listsByKeys('SELECT id, hit_day FROM entry WHERE id IN ($keys)', [
      ...days.keys(),
    ]) as [number, number | null][])
      if ((before ?? 0) < days.get(id)!) rows.push([days.get(id)!, id]);
    db.updateRows('entry', ['id'], ['hit_day'], rows);
    for (const [, id] of rows) this.renewed.add(id);
  }

  /** A person says that a value is no threat: a negative hit of the entry, as of now. */
  disown(observables: readonly Observable[], suppressions: readonly number[], now: number): void {
    const report: HitReport = { fresh: 0, known: 0, ignored: 0 };
    const touched: Touched = new Map();
    const hits = observables.map(({ type, value }, n): Hit => {
      const dedupe = hitDigest('suppress', String(suppressions[n]));
      return { key: entryKey(type, value), verdict: 'false_positive', first: now, last: now, count: 1, dedupe };
    });
    const before = this.#before(BY_HAND, hits);
    for (const hit of hits) this.#add(BY_HAND, hit, now, report, touched, before);
    for (const one of touched.values()) this.#tell(one.entryId, one.start, one.verdict, now);
  }

  #oldest(now: number): number {
    return windowOf(now - this.#spec.hitsDays * DAY_MS, this.#grid);
  }

  /** Every published object behind the entry is looked at again, with all its entries: of very many some in each unit. */
  #tell(entryId: number, start: number, verdict: number, now: number): void {
    if (this.#spec.reporting.length === 0) return;
    const last = this.#tellSome(entryId, start, verdict, 0, now);
    // From the first again: a sweep that was under way may have told of them before these hits.
    if (last !== undefined) this.#sweeps.later('told', 0, `${entryId} ${start} ${verdict}`, null, now);
  }

  #toldOn({ subject, position }: Sweep, now: number): SweepStep {
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
        this.outbox.put(this.#store.exchange(name), found, start, verdict, totals, latest, now);
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

  /** How the reading of one SIEM's hits ended. */
  note(siem: SiemState, failure: Failure | undefined, now: number, idle?: string): void {
    this.#store.db.run('INSERT INTO hit_source (siem_id) VALUES (?) ON CONFLICT DO NOTHING', siem.id);
    if (failure === undefined)
      this.#store.db.run(
        'UPDATE hit_source SET last_success = ?, failing_since = NULL, failure = NULL, idle = ? WHERE siem_id = ?',
        now,
        idle ?? null,
        siem.id,
      );
    else
      this.#store.db.run(
        'UPDATE hit_source SET last_failure = ?, failing_since = coalesce(failing_since, ?), failure = ? WHERE siem_id = ?',
        now,
        now,
        JSON.stringify(failure),
        siem.id,
      );
  }

  /** Entries the SIEM holds, in steps: `after` is the id of the last one, 0 at the start. */
  present(siem: SiemState, after: number, limit: number): { entries: Observable[]; last: number | undefined } {
    const rows = this.#store.db.all<{ id: number; type: number; value: string }>(
      `SELECT e.id, e.type, e.value FROM projection p JOIN entry e ON e.id = p.entry_id
       WHERE p.siem_id = ? AND p.entry_id > ? AND p.wanted = 1 AND p.present = ${PRESENT.yes} ORDER BY p.entry_id LIMIT ?`,
      siem.id,
      after,
      limit,
    );
    return {
      entries: rows.map((row) => ({ type: OBSERVABLE_TYPES[row.type]!, value: row.value })),
      last: rows.at(-1)?.id,
    };
  }

  /** Ends holds nobody decided and drops what is older than it may be kept, a step at a time. */
  retain(now: number): { dropped: number; more: boolean } {
    const { db } = this.#store;
    const oldest = this.#oldest(now);
    const expired = this.outbox.expireHeld(now - this.#spec.holdHours * 3_600_000, now);
    const hits = db.changes(
      `DELETE FROM hit WHERE (entry_id, start, verdict, siem_id) IN (SELECT entry_id, start, verdict, siem_id FROM hit WHERE start < ? LIMIT ${STEP})`,
      oldest,
    );
    const seen = db.changes(
      `DELETE FROM hit_seen WHERE (siem_id, hash) IN (SELECT siem_id, hash FROM hit_seen WHERE day < ? LIMIT ${STEP})`,
      Math.floor(oldest / DAY_MS),
    );
    const told = this.outbox.retain(now - this.#spec.sightingsDays * DAY_MS);
    return { dropped: hits + seen + told, more: [expired, hits, seen, told].some((n) => n >= 2000) };
  }
}

/**
 * The time since when the youngest claim stood that could have armed the entry at a hit. Where none was as old, as with
 * a rule that looks back or a SIEM whose clock is behind, the hit is owed to the claim that came first.
 */
const partAt = (armed: readonly number[], at: number): number =>
  armed.findLast((since) => since <= at) ?? armed[0] ?? 0;
