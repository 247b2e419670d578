// Reading for people, over a read-only connection of its own: behind the writer a status would wait for whole
// batches, alone it takes a millisecond.
import { PAP_LEVELS } from '../../model/marking.ts';
import { OBSERVABLE_TYPES, type Observable, type ObservableType } from '../../model/observable.ts';
import type { SweepReport } from '../../model/status.ts';
import { explainExpiry } from '../../policy/expiry.ts';
import type { ListReport } from '../../policy/list-index.ts';
import type { Failure } from '../../model/failure.ts';
import type { Json } from '../../model/json.ts';
import { tlpOf } from '../rows/open-markings.ts';
import type { Database } from '../sql/port.ts';
import { openReading } from '../state/open.ts';
import { decideClaim } from '../../ledger/admit.ts';
import { type HoldKind, type HoldRow, setCode } from '../rows/hold-rows.ts';
import { fullReason } from '../rows/full-containers.ts';
import { ROOM_NAMES, roomName } from '../rows/full-containers.ts';
import { LISTED_OWNER, type OnLists, withFound, withLists } from '../spec/lists.ts';
import { withDetail } from '../../model/refusal.ts';
import { type ClaimRow, toClaim } from '../rows/claims.ts';
import { CAUSE_TEXT, hitTime, PRESENT, type ProjectionRow, STATE, type StoredScope } from '../rows/rows.ts';
import type { StoreSpec } from '../spec/spec.ts';
import { SWEEP_OWNERS, type SweepKind } from '../rows/sweep-kinds.ts';

const IGNORED = 'ignored:';

export interface ExchangeStatus {
  readonly name: string;
  readonly lastSuccess: number | undefined;
  readonly lastFailure: number | undefined;
  readonly failingSince: number | undefined;
  readonly failure: Failure | undefined;
  readonly lastNew: number | undefined;
  readonly cursor: string | undefined;
  readonly objects: number;
  readonly indicators: number;
  readonly refused: number;
  readonly unreadable: number;
  /** Objects that came and are classified above what may be held, since the exchange was configured. */
  readonly classified: number;
  readonly refusals: Readonly<Record<string, number>>;
  /** Objects that were nothing for us, by type. */
  readonly ignored: Readonly<Record<string, number>>;
  readonly scopes: readonly StoredScope[];
}

export interface SiemStatus {
  readonly name: string;
  readonly lastSuccess: number | undefined;
  readonly lastFailure: number | undefined;
  readonly failingSince: number | undefined;
  readonly failure: Failure | undefined;
  readonly wanted: number;
  readonly delivered: number;
  readonly pending: number;
  readonly parked: number;
  /** Of the parked: vouched for, and kept out by better ones because the watchlist takes only so many. */
  readonly keptOut: number;
  readonly held: number;
  readonly rejected: number;
  readonly oldestPending: number | undefined;
  readonly drift: number;
  readonly byType: Readonly<Record<string, number>>;
  readonly oldestParked: number | undefined;
  /** What stands there, by type, and what is kept out for want of room. */
  readonly presentByType: Readonly<Record<string, number>>;
  readonly keptOutByType: Readonly<Record<string, number>>;
}

export interface WhyEntry {
  readonly type: string;
  readonly value: string;
  readonly claims: readonly {
    readonly exchange: string;
    readonly object_id: string;
    readonly name: string | null;
    readonly modified: string;
    readonly tlp: string | null;
    readonly pap: string | null;
    readonly confidence: number | null;
    readonly valid_until: string | null;
    readonly state: 'published' | 'revoked' | 'vanished';
    /** What of its pattern no list can hold, where not all of it is armed. */
    readonly left_out: string | null;
    readonly decisions: readonly { readonly siem: string; readonly decision: string; readonly reason: string }[];
  }[];
  readonly siems: readonly {
    readonly name: string;
    readonly state: 'delivered' | 'pending' | 'parked' | 'held' | 'not_wanted';
    readonly reason: string | null;
    readonly since: string | null;
    readonly until: string | null;
  }[];
  readonly hits: Readonly<Record<string, never>>;
  readonly releases: readonly never[];
}

export interface HeldSet {
  readonly id: number;
  readonly kind: HoldKind;
  readonly siem: string;
  readonly exchange: string;
  readonly count: number;
  /** Stands for exactly this set: an approval names it. */
  readonly set: string;
  readonly created: string;
  /** Never approved by itself, and never denied. */
  readonly expires: null;
  readonly reason: string;
}

export interface ParkedRow {
  readonly id: string;
  readonly siem: string;
  readonly type: string;
  readonly value: string;
  readonly reason: string;
  readonly since: string;
}

/** A value that a person called harmless. */
export interface HarmlessRow {
  readonly id: number;
  readonly type: string;
  readonly value: string;
  readonly since: string;
  readonly review: string;
  readonly reason: string;
  readonly by: string;
}

interface SuppressedRow {
  readonly id: number;
  readonly until: number;
  readonly reason: string;
  readonly made_by: string;
  readonly review: number | null;
}

const iso = (ms: number | null | undefined): string | null =>
  ms === null || ms === undefined ? null : new Date(Math.min(ms, 8.64e15)).toISOString();
const orUndefined = <T>(value: T | null): T | undefined => value ?? undefined;
const OF_VALUE = ' AND type = ? AND value = ?';
/** `type` may be one of a version that knew others. */
type Named = { readonly type: string; readonly value: string };
const ofValue = (of: Named | undefined): (number | string)[] =>
  of === undefined ? [] : [(OBSERVABLE_TYPES as readonly string[]).indexOf(of.type), of.value];
const MOST_SWEEPS = 20;
const MOST_CURSOR = 200;

/** A partner's cursor may be of any size, and nobody reads more of it than this. */
const shortened = (cursor: string): string =>
  cursor.length <= MOST_CURSOR ? cursor : `${cursor.slice(0, MOST_CURSOR)}… (${cursor.length} characters)`;
const OBJECT_STATES = ['published', 'revoked', 'vanished'] as const;

/** Rows read at once, where all of them are wanted. */
const PAGE = 1000;

export class StoreReader {
  readonly #db: Database;
  readonly #given: StoreSpec;
  #ready: StoreSpec | undefined;

  constructor(spec: StoreSpec) {
    this.#given = spec;
    this.#db = openReading(spec.path, { cacheMb: 4 });
  }

  /** With its never-block lists, which are long and read only when a decision is asked for. */
  get #spec(): StoreSpec {
    this.#ready ??= withLists(this.#given).spec;
    return this.#ready;
  }

  /** What became of the never-block lists when the state was opened, and how many values each has met, by `list action`. */
  neverBlock(): { readonly lists: readonly ListReport[]; readonly met: ReadonlyMap<string, number> } {
    const read = this.#db.get<{ value: string }>("SELECT value FROM meta WHERE name = 'lists'")?.value;
    // Written by StoreContext.
    return { lists: read === undefined ? [] : (JSON.parse(read) as ListReport[]), met: this.#tallies(LISTED_OWNER) };
  }

  #tallies(owner: string): Map<string, number> {
    return new Map(
      this.#db
        .all<{ name: string; n: number }>('SELECT name, n FROM tally WHERE owner = ?', owner)
        .map((row) => [row.name, row.n]),
    );
  }

  exchanges(): ExchangeStatus[] {
    return this.#db
      .all<{
        id: number;
        name: string;
        cursor: string | null;
        last_success: number | null;
        last_failure: number | null;
        failing_since: number | null;
        failure: string | null;
        last_new: number | null;
      }>('SELECT * FROM exchange WHERE active = 1 ORDER BY id')
      .map((row) => {
        const tally = this.#tallies(`exchange:${row.id}`);
        const refusals = [...tally]
          .filter(([name, n]) => name.startsWith('refused:') && n > 0)
          .map(([name, n]) => [name.slice('refused:'.length), n]);
        return {
          name: row.name,
          lastSuccess: orUndefined(row.last_success),
          lastFailure: orUndefined(row.last_failure),
          failingSince: orUndefined(row.failing_since),
          failure: row.failure === null ? undefined : (JSON.parse(row.failure) as Failure),
          lastNew: orUndefined(row.last_new),
          cursor: row.cursor === null ? undefined : shortened(row.cursor),
          objects: tally.get('objects') ?? 0,
          indicators: tally.get('indicators') ?? 0,
          refused: tally.get('refused') ?? 0,
          unreadable: tally.get('parked') ?? 0,
          classified: tally.get('classified') ?? 0,
          refusals: Object.fromEntries(refusals) as Record<string, number>,
          ignored: Object.fromEntries(
            [...tally].filter(([name]) => name.startsWith(IGNORED)).map(([name, n]) => [name.slice(IGNORED.length), n]),
          ),
          scopes: this.#scopes(row.id),
        };
      });
  }

  /** Whole, for the connector whose it is. */
  cursor(exchange: string): Json | undefined {
    const row = this.#db.get<{ cursor: string | null }>(
      'SELECT cursor FROM exchange WHERE active = 1 AND name = ?',
      exchange,
    );
    return row === undefined || row.cursor === null ? undefined : (JSON.parse(row.cursor) as Json);
  }

  #scopes(exchangeId: number): StoredScope[] {
    return this.#db
      .all<{ name: string; reading: string }>(
        'SELECT name, reading FROM scope WHERE exchange_id = ? AND reading IS NOT NULL ORDER BY id',
        exchangeId,
      )
      .map(({ name, reading }) => ({ scope: name, ...(JSON.parse(reading) as Omit<StoredScope, 'scope'>) }));
  }

  siems(): SiemStatus[] {
    return this.#db
      .all<{
        id: number;
        name: string;
        last_success: number | null;
        last_failure: number | null;
        failing_since: number | null;
        failure: string | null;
        drift: number;
      }>('SELECT * FROM siem WHERE active = 1 ORDER BY id')
      .map((row) => {
        const tally = this.#tallies(`siem:${row.id}`);
        const ofTypes = (kind: string) =>
          Object.fromEntries(
            [...tally]
              .filter(([name, n]) => name.startsWith(kind) && n > 0)
              .map(([name, n]) => [name.slice(kind.length), n]),
          ) as Record<string, number>;
        const out = ofTypes('out:');
        const keptOut = Object.values(out).reduce((sum, n) => sum + n, 0);
        const wanted = ofTypes('wanted:');
        for (const [type, n] of Object.entries(out)) wanted[type] = (wanted[type] ?? 0) + n;
        return {
          name: row.name,
          lastSuccess: orUndefined(row.last_success),
          lastFailure: orUndefined(row.last_failure),
          failingSince: orUndefined(row.failing_since),
          failure: row.failure === null ? undefined : (JSON.parse(row.failure) as Failure),
          wanted: (tally.get('wanted') ?? 0) + keptOut,
          delivered: tally.get('delivered') ?? 0,
          pending: tally.get('pending') ?? 0,
          parked: (tally.get('parked') ?? 0) + keptOut,
          keptOut,
          held: (tally.get('adopted') ?? 0) + this.#heldBy(row.id, 'decided IS NULL'),
          rejected: this.#heldBy(row.id, "decision = 'reject'"),
          oldestPending: this.#oldest(row.id, [1, 2, 3, 4, 5]),
          oldestParked: this.#oldest(row.id, [STATE.parked]) ?? this.#oldestOut(row.id),
          drift: row.drift,
          byType: wanted,
          presentByType: ofTypes('present:'),
          keptOutByType: out,
        };
      });
  }

  /** A bounded look: during a first sync a million rows wait, and the oldest are the first in the index. */
  #oldest(siemId: number, states: readonly number[]): number | undefined {
    const found = this.#db.get<{ since: number | null }>(
      `SELECT min(since) AS since FROM (SELECT since FROM projection INDEXED BY projection_work WHERE siem_id = ? AND state <> 0 AND state IN (${states.join()}) LIMIT 500) few`,
      siemId,
    );
    return orUndefined(found?.since ?? null);
  }

  #oldestOut(siemId: number): number | undefined {
    const found = this.#db.get<{ since: number | null }>(
      `SELECT min(since) AS since FROM (SELECT since FROM projection INDEXED BY projection_place
       WHERE siem_id = ? AND kept_out = 1 AND place IS NOT NULL ORDER BY place DESC, entry_id LIMIT 500) few`,
      siemId,
    );
    return orUndefined(found?.since ?? null);
  }

  #heldBy(siemId: number, which: string): number {
    return this.#db.get<{ n: number }>(
      `SELECT coalesce(sum(entries), 0) AS n FROM hold WHERE siem_id = ? AND ${which}`,
      siemId,
    )!.n;
  }

  /** `found`: on which lists it stands, where somebody else looked that up. */
  why(observable: Observable, now: number, found?: OnLists): WhyEntry | undefined {
    const { siems } = found === undefined ? this.#spec : withFound(this.#given, found);
    const type = OBSERVABLE_TYPES.indexOf(observable.type);
    const entry = this.#db.get<{ id: number; hit_day: number | null }>(
      'SELECT id, hit_day FROM entry WHERE type = ? AND value = ?',
      type,
      observable.value,
    );
    if (entry === undefined) return undefined;
    const rows = this.#db.all<ClaimRow & { exchange: string }>(
      `SELECT o.*, e.name AS exchange, e.active AS exchange_active FROM contribution c JOIN object o ON o.id = c.object_id
       JOIN exchange e ON e.id = o.exchange_id WHERE c.entry_id = ? ORDER BY o.version DESC`,
      entry.id,
    );
    const suppressed = this.#db.get<SuppressedRow>(
      'SELECT id, until, reason, made_by, review FROM suppression WHERE type = ? AND value = ? AND lifted IS NULL AND until > ? ORDER BY until DESC',
      type,
      observable.value,
      now,
    );
    return {
      ...observable,
      claims: rows.map((row) => ({
        exchange: row.exchange,
        object_id: row.object_id,
        name: toClaim(row, row.exchange).facts.name ?? null,
        modified: row.version,
        tlp: tlpOf(row) ?? null,
        pap: row.pap === null ? null : PAP_LEVELS[row.pap]!,
        confidence: row.confidence,
        valid_until: iso(row.valid_until),
        state: OBJECT_STATES[row.state]!,
        left_out: row.refusal === null ? null : withDetail(row.refusal, toClaim(row, row.exchange).facts.detail),
        decisions: siems.map((siem) => ({
          siem: siem.name,
          ...this.#decision(siem, observable, row, hitTime(entry.hit_day), now),
        })),
      })),
      siems: siems.map((siem) => this.#stand(siem.name, entry.id, suppressed, now)),
      hits: {},
      releases: [],
    };
  }

  #decision(
    siem: StoreSpec['siems'][number],
    observable: Observable,
    row: ClaimRow & { exchange: string },
    lastHit: number | undefined,
    now: number,
  ): { decision: string; reason: string } {
    if (row.state === 1) return { decision: 'ended', reason: 'the partner revoked this object' };
    if (row.state === 2)
      return { decision: 'ended', reason: 'the object vanished from every collection that showed it' };
    const claim = toClaim(row, row.exchange);
    const decision = decideClaim(siem, observable, claim, row.exchange_active === 1);
    if (decision.kind !== 'accept') return { decision: decision.kind, reason: decision.reason };
    const lifetime = siem.rules[row.exchange]!.lifetime;
    const arithmetic = explainExpiry(claim, lifetime, observable.type, lastHit);
    if (row.valid_from > now)
      return { decision: 'waits', reason: `valid_from ${iso(row.valid_from)} is still to come` };
    // The arithmetic stays last: who reads on looks for the moment at its end.
    const noted = decision.note === undefined ? '' : `noted, not refused: ${decision.note}; `;
    return { decision: 'accept', reason: `${noted}${arithmetic}` };
  }

  #stand(siem: string, entryId: number, suppressed: SuppressedRow | undefined, now: number): WhyEntry['siems'][number] {
    const row = this.#db.get<ProjectionRow>(
      'SELECT p.* FROM projection p JOIN siem s ON s.id = p.siem_id WHERE s.name = ? AND p.entry_id = ?',
      siem,
      entryId,
    );
    const off =
      suppressed === undefined
        ? null
        : suppressed.review === null
          ? `suppressed until ${iso(suppressed.until)} by ${suppressed.made_by}: ${suppressed.reason}`
          : `called harmless by ${suppressed.made_by} (${suppressed.id}, to be looked at again at ${iso(suppressed.review)}): ${suppressed.reason}`;
    if (row === undefined)
      return {
        name: siem,
        state: 'not_wanted',
        reason: off ?? 'no admitted claim vouches for it now',
        since: null,
        until: null,
      };
    const since = iso(row.since);
    const until = iso(row.until);
    if (row.state === STATE.parked) return { name: siem, state: 'parked', reason: row.reason, since, until };
    if (row.kept_out === 1 && row.state === STATE.settled)
      return { name: siem, state: 'parked', reason: this.#noRoom(siem, row.place ?? 0), since, until };
    const hold =
      row.hold === null
        ? undefined
        : this.#db.get<HoldRow>("SELECT * FROM hold WHERE id = ? AND coalesce(decision, '') <> 'approve'", row.hold);
    // Held whatever becomes of a call that is under way.
    if (row.state === STATE.held || hold !== undefined) {
      const reason =
        hold === undefined
          ? CAUSE_TEXT[row.cause]
          : hold.decision === null
            ? `hold ${hold.id}: ${hold.reason}`
            : `hold ${hold.id}, rejected by ${hold.decided_by}: ${hold.decision_reason}`;
      return { name: siem, state: 'held', reason, since, until };
    }
    if (row.wanted === 1 && row.state === STATE.settled)
      return { name: siem, state: 'delivered', reason: `revision ${row.rev}`, since, until };
    if (row.state === STATE.settled)
      return { name: siem, state: 'not_wanted', reason: off ?? CAUSE_TEXT[row.cause], since, until };
    const doing = row.wanted === 1 ? 'to be written' : `to be removed: ${off ?? CAUSE_TEXT[row.cause]}`;
    const retry =
      row.next_at !== null && row.next_at > now ? `, next try ${iso(row.next_at)} after ${row.attempt} attempts` : '';
    return { name: siem, state: 'pending', reason: `${doing}${retry}`, since, until };
  }

  /** Why better ones keep it out. */
  #noRoom(siem: string, place: number): string {
    const names = this.#db.get<{ value: string }>('SELECT value FROM meta WHERE name = ?', ROOM_NAMES)?.value;
    const most = this.#given.siems.find((one) => one.name === siem)?.maxEntries ?? 0;
    return fullReason(roomName(names, siem, place), most);
  }

  held(): HeldSet[] {
    const secret = this.#db.get<{ value: string }>("SELECT value FROM meta WHERE name = 'writer'")?.value ?? '';
    return this.#db
      .all<HoldRow & { siem: string; exchange: string | null }>(
        `SELECT h.*, s.name AS siem, e.name AS exchange FROM hold h JOIN siem s ON s.id = h.siem_id
         LEFT JOIN exchange e ON e.id = h.exchange_id WHERE h.decided IS NULL AND h.entries > 0 ORDER BY h.id`,
      )
      .map((row) => ({
        id: row.id,
        kind: row.kind,
        siem: row.siem,
        exchange: row.exchange ?? '(adopted)',
        count: row.entries,
        set: setCode(secret, row),
        created: iso(row.created)!,
        expires: null,
        reason: row.reason,
      }));
  }

  /** The entries of a hold, page by page, in the order of their ids. */
  *heldEntries(holdId: number): Generator<Observable> {
    for (let after = 0; ; ) {
      const rows = this.#db.all<{ id: number; type: number; value: string }>(
        `SELECT e.id, e.type, e.value FROM projection p INDEXED BY projection_hold JOIN entry e ON e.id = p.entry_id
         WHERE p.hold = ? AND p.entry_id > ? ORDER BY p.entry_id LIMIT ${PAGE}`,
        holdId,
        after,
      );
      for (const row of rows) yield { type: OBSERVABLE_TYPES[row.type]!, value: row.value };
      if (rows.length < PAGE) return;
      after = rows.at(-1)!.id;
    }
  }

  /** For `parked retry`. */
  parkedId(siem: string, { type, value }: Pick<WhyEntry, 'type' | 'value'>): string | undefined {
    const row = this.#db.get<{ siem_id: number; entry_id: number }>(
      `SELECT p.siem_id, p.entry_id FROM siem s CROSS JOIN entry e JOIN projection p ON p.siem_id = s.id AND p.entry_id = e.id
       WHERE s.name = ? AND e.type = ? AND e.value = ? AND p.state = ${STATE.parked}`,
      siem,
      // What is no type stands nowhere.
      OBSERVABLE_TYPES.indexOf(type as ObservableType),
      value,
    );
    return row && `${row.siem_id}-${row.entry_id}`;
  }

  /** What a SIEM or mapping refused, then what better ones keep out, the best first. */
  parked(limit: number): ParkedRow[] {
    const refused = this.#refused(limit);
    return refused.length >= limit ? refused : [...refused, ...this.#keptOut(limit - refused.length)];
  }

  #keptOut(limit: number): ParkedRow[] {
    const rows = this.#db.all<{
      siem_id: number;
      entry_id: number;
      siem: string;
      type: number;
      value: string;
      place: number;
      since: number;
    }>(
      `SELECT p.siem_id, p.entry_id, s.name AS siem, e.type, e.value, p.place, p.since
       FROM siem s CROSS JOIN projection p INDEXED BY projection_place CROSS JOIN entry e
       WHERE p.siem_id = s.id AND p.kept_out = 1 AND p.place IS NOT NULL AND p.present = ${PRESENT.no} AND e.id = p.entry_id
       ORDER BY p.siem_id, p.place DESC, p.entry_id LIMIT ?`,
      limit,
    );
    return rows.map((row) => ({
      id: `${row.siem_id}-${row.entry_id}`,
      siem: row.siem,
      type: OBSERVABLE_TYPES[row.type]!,
      value: row.value,
      reason: this.#noRoom(row.siem, row.place),
      since: iso(row.since)!,
    }));
  }

  #refused(limit: number): ParkedRow[] {
    return this.#db
      .all<{
        siem_id: number;
        entry_id: number;
        siem: string;
        type: number;
        value: string;
        reason: string | null;
        since: number;
      }>(
        `SELECT p.siem_id, p.entry_id, s.name AS siem, e.type, e.value, p.reason, p.since FROM projection p JOIN siem s ON s.id = p.siem_id
         JOIN entry e ON e.id = p.entry_id WHERE p.siem_id IN (SELECT id FROM siem) AND p.state = ${STATE.parked} AND p.state <> 0 ORDER BY p.siem_id, p.entry_id LIMIT ?`,
        limit,
      )
      .map((row) => ({
        id: `${row.siem_id}-${row.entry_id}`,
        siem: row.siem,
        type: OBSERVABLE_TYPES[row.type]!,
        value: row.value,
        reason: row.reason ?? '',
        since: iso(row.since)!,
      }));
  }

  /** Of one value, or of all. */
  suppressions(
    now: number,
    of?: Named,
  ): { id: number; type: string; value: string; until: string; reason: string; by: string }[] {
    return this.#db
      .all<{ id: number; type: number; value: string; until: number; reason: string; made_by: string }>(
        `SELECT id, type, value, until, reason, made_by FROM suppression
         WHERE lifted IS NULL AND review IS NULL AND until > ?${of === undefined ? '' : OF_VALUE} ORDER BY id`,
        now,
        ...ofValue(of),
      )
      .map((row) => ({
        id: row.id,
        type: OBSERVABLE_TYPES[row.type]!,
        value: row.value,
        until: iso(row.until)!,
        reason: row.reason,
        by: row.made_by,
      }));
  }

  /** Values that are off until somebody lifts them, those that have waited longest for another look first. */
  harmless(of?: Named): HarmlessRow[] {
    return this.#db
      .all<{
        id: number;
        type: number;
        value: string;
        created: number;
        review: number;
        reason: string;
        made_by: string;
      }>(
        `SELECT id, type, value, created, review, reason, made_by FROM suppression
         WHERE lifted IS NULL AND review IS NOT NULL${of === undefined ? '' : OF_VALUE} ORDER BY review, id`,
        ...ofValue(of),
      )
      .map((row) => ({
        id: row.id,
        type: OBSERVABLE_TYPES[row.type]!,
        value: row.value,
        since: iso(row.created)!,
        review: iso(row.review)!,
        reason: row.reason,
        by: row.made_by,
      }));
  }

  /** How many of them ask for another look. */
  toReview(now: number): number {
    return this.#db.get<{ n: number }>(
      'SELECT count(*) AS n FROM suppression WHERE lifted IS NULL AND review IS NOT NULL AND review <= ?',
      now,
    )!.n;
  }

  /**
   * What objects of the exchange have vouched for since then, until another moment where one is given, and nobody else: the
   * values of one push. `shared`: how many more it named that others vouch for, or did before, or after that.
   */
  pushed(
    exchange: string,
    since: number,
    most: number,
    until = Number.MAX_SAFE_INTEGER,
  ): { values: Observable[]; shared: number } {
    const named = `FROM object o JOIN exchange x ON x.id = o.exchange_id JOIN contribution c ON c.object_id = o.id
       JOIN entry e ON e.id = c.entry_id WHERE x.name = ? AND o.state = 0 AND coalesce(c.since, 0) BETWEEN ? AND ?`;
    const beside = `EXISTS (SELECT 1 FROM contribution d JOIN object b ON b.id = d.object_id WHERE d.entry_id = e.id
       AND b.state = 0 AND (b.exchange_id <> o.exchange_id OR coalesce(d.since, 0) NOT BETWEEN ? AND ?))`;
    const rows = this.#db.all<{ type: number; value: string }>(
      `SELECT DISTINCT e.id, e.type, e.value ${named} AND NOT ${beside} ORDER BY e.id LIMIT ?`,
      exchange,
      since,
      until,
      since,
      until,
      most,
    );
    const shared = this.#db.get<{ n: number }>(
      `SELECT count(DISTINCT e.id) AS n ${named} AND ${beside}`,
      exchange,
      since,
      until,
      since,
      until,
    )!.n;
    return { values: rows.map((row) => ({ type: OBSERVABLE_TYPES[row.type]!, value: row.value })), shared };
  }

  /** Of these values, how many a SIEM holds or is about to, by its name. */
  standing(values: readonly Observable[]): Record<string, number> {
    const counts: Record<string, number> = Object.fromEntries(this.#given.siems.map(({ name }) => [name, 0]));
    const find = this.#db.lists(
      `SELECT s.name FROM projection p JOIN siem s ON s.id = p.siem_id JOIN entry e ON e.id = p.entry_id
       WHERE e.type = ? AND e.value = ? AND s.active = 1 AND (p.wanted = 1 OR p.present <> 0)`,
    );
    for (const { type, value } of values)
      for (const [name] of find(OBSERVABLE_TYPES.indexOf(type), value))
        counts[String(name)] = (counts[String(name)] ?? 0) + 1;
    return counts;
  }

  /** Work in steps that is under way, the oldest first. */
  sweeps(): SweepReport[] {
    return this.#db
      .all<{
        kind: SweepKind;
        owner: number;
        done: number;
        since: number;
        exchange: string | null;
        siem: string | null;
      }>(
        `SELECT w.kind, w.owner, w.done, w.since, e.name AS exchange, s.name AS siem FROM sweep w
         LEFT JOIN exchange e ON e.id = w.owner LEFT JOIN siem s ON s.id = w.owner ORDER BY w.turn LIMIT ${MOST_SWEEPS}`,
      )
      .map(({ kind, owner, done, since, ...names }) => {
        const of = SWEEP_OWNERS[kind];
        return { kind, of: of === 'hold' ? String(owner) : of === null ? null : names[of], done, since: iso(since)! };
      });
  }

  /** Networks that contain the address, and parent domains, that have an entry: `why` names them. */
  related(values: readonly Observable[]): Observable[] {
    return values.filter(
      (one) =>
        this.#db.get(
          'SELECT 1 AS one FROM entry WHERE type = ? AND value = ?',
          OBSERVABLE_TYPES.indexOf(one.type),
          one.value,
        ) !== undefined,
    );
  }

  /** What a delivery would do now, from the state alone. */
  plan(siem: string): {
    add: number;
    change: number;
    remove: number;
    held: number;
    parked: Record<string, number>;
    byType: Record<string, number>;
  } {
    const id = this.#db.get<{ id: number }>('SELECT id FROM siem WHERE name = ?', siem)?.id ?? 0;
    const one = (where: string): number =>
      this.#db.get<{ n: number }>(`SELECT count(*) AS n FROM projection WHERE siem_id = ? AND ${where}`, id)?.n ?? 0;
    const parked = this.#db.all<{ reason: string | null; n: number }>(
      `SELECT reason, count(*) AS n FROM projection INDEXED BY projection_work WHERE siem_id = ? AND state <> 0 AND state = ${STATE.parked} GROUP BY reason`,
      id,
    );
    const types = this.#db.all<{ type: number; n: number }>(
      'SELECT e.type, count(*) AS n FROM projection p JOIN entry e ON e.id = p.entry_id WHERE p.siem_id = ? AND p.wanted = 1 GROUP BY e.type',
      id,
    );
    return {
      add: one('state IN (1, 3, 5) AND wanted = 1 AND present <> 1'),
      change: one('state IN (1, 3, 5) AND wanted = 1 AND present = 1'),
      remove: one('state IN (2, 3, 5) AND wanted = 0'),
      held: one(`state = ${STATE.held}`),
      parked: {
        ...Object.fromEntries(parked.map((row) => [row.reason ?? 'refused', row.n])),
        ...this.#noRooms(siem, id),
      },
      byType: Object.fromEntries(types.map((row) => [OBSERVABLE_TYPES[row.type]!, row.n])),
    };
  }

  /** What is kept out, by container. */
  #noRooms(siem: string, id: number): Record<string, number> {
    const found: Record<string, number> = {};
    for (const { place, n } of this.#db.all<{ place: number; n: number }>(
      `SELECT min(p.place) AS place, count(*) AS n FROM projection p INDEXED BY projection_place JOIN entry e ON e.id = p.entry_id
       WHERE p.siem_id = ? AND p.kept_out = 1 AND p.place IS NOT NULL GROUP BY e.type`,
      id,
    )) {
      const reason = this.#noRoom(siem, place);
      found[reason] = (found[reason] ?? 0) + n;
    }
    return found;
  }

  /** Some entry that stands in the SIEM. */
  sample(siem: string): Observable | undefined {
    const row = this.#db.get<{ type: number; value: string }>(
      `SELECT e.type, e.value FROM projection p JOIN siem s ON s.id = p.siem_id JOIN entry e ON e.id = p.entry_id
       WHERE s.name = ? AND p.wanted = 1 AND p.present = 1 LIMIT 1`,
      siem,
    );
    return row === undefined ? undefined : { type: OBSERVABLE_TYPES[row.type]!, value: row.value };
  }

  /** What stands in a SIEM once all is done that can be done without a person. */
  *outcome(siem: string): Generator<Observable> {
    const id = this.#db.get<{ id: number }>('SELECT id FROM siem WHERE name = ?', siem)?.id ?? 0;
    for (let after = 0; ; ) {
      const rows = this.#db.all<{ id: number; type: number; value: string }>(
        `SELECT e.id, e.type, e.value FROM projection p JOIN entry e ON e.id = p.entry_id
         WHERE p.siem_id = ? AND p.entry_id > ? AND ((p.wanted = 1 AND p.state NOT IN (${STATE.parked}, ${STATE.held})) OR (p.present = 1 AND p.state = ${STATE.held}))
         ORDER BY p.entry_id LIMIT ${PAGE}`,
        id,
        after,
      );
      for (const row of rows) yield { type: OBSERVABLE_TYPES[row.type]!, value: row.value };
      if (rows.length < PAGE) return;
      after = rows.at(-1)!.id;
    }
  }

  /** The entries a delivery would touch, page by page. */
  planned(siem: string, limit: number): { op: string; type: string; value: string }[] {
    return this.#db
      .all<{ wanted: number; present: number; type: number; value: string }>(
        `SELECT p.wanted, p.present, e.type, e.value FROM projection p JOIN siem s ON s.id = p.siem_id JOIN entry e ON e.id = p.entry_id
         WHERE s.name = ? AND p.state IN (1, 2, 3, 5) ORDER BY p.state DESC, p.entry_id LIMIT ?`,
        siem,
        limit,
      )
      .map((row) => ({
        op: row.wanted === 0 ? 'remove' : row.present === 1 ? 'change' : 'add',
        type: OBSERVABLE_TYPES[row.type]!,
        value: row.value,
      }));
  }

  close(): void {
    this.#db.close();
  }
}
