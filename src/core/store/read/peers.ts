// How each exchange and each SIEM stands, from tallies and bounded looks: what `status` says of them.
import type { Failure } from '../../model/failure.ts';
import type { Json } from '../../model/json.ts';
import type { SweepReport } from '../../model/status.ts';
import type { ListReport } from '../../policy/list-index.ts';
import { STATE, type StoredScope } from '../rows/rows.ts';
import { SWEEP_OWNERS, type SweepKind } from '../rows/sweep-kinds.ts';
import { LISTED_OWNER } from '../spec/lists.ts';
import type { Database } from '../sql/port.ts';
import { iso } from './moments.ts';

const IGNORED = 'ignored:';
const MOST_SWEEPS = 20;
const MOST_CURSOR = 200;

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

export class PeersReader {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** What became of the never-block lists when the state was opened, and how many values each has met, by `list action`. */
  neverBlock(): { readonly lists: readonly ListReport[]; readonly met: ReadonlyMap<string, number> } {
    const read = this.#db.get<{ value: string }>("SELECT value FROM meta WHERE name = 'lists'")?.value;
    // Written by StoreContext.
    return { lists: read === undefined ? [] : (JSON.parse(read) as ListReport[]), met: this.#tallies(LISTED_OWNER) };
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

  #tallies(owner: string): Map<string, number> {
    return new Map(
      this.#db
        .all<{ name: string; n: number }>('SELECT name, n FROM tally WHERE owner = ?', owner)
        .map((row) => [row.name, row.n]),
    );
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
        return { kind, of: of === 'hold' ? String(owner) : of === null ? null : names[of], done, since: iso(since) };
      });
  }
}

const orUndefined = <T>(value: T | null): T | undefined => value ?? undefined;

/** A partner's cursor may be of any size, and nobody reads more of it than this. */
const shortened = (cursor: string): string =>
  cursor.length <= MOST_CURSOR ? cursor : `${cursor.slice(0, MOST_CURSOR)}… (${cursor.length} characters)`;
