// Hits as rows: each is counted once, however often it is read, for its entry, its window of time, its verdict, its SIEM
// and the claims that can have armed the entry then.
import { type Grid, windowOf } from '../../inventory/aggregate.ts';
import { parseEntryKey } from '../../model/observable.ts';
import { type Hit, VERDICTS } from '../../model/sighting.ts';
import type { Releases } from '../rows/releases.ts';
import type { StoreContext } from '../unit/context.ts';
import { entryIdsOf } from '../unit/entry-ids.ts';
import { Coming, merge } from './coming-hits.ts';
import { byStarts, IN_STARTS, startsOf, type Window } from './windows.ts';

export const DAY_MS = 86_400_000;
/** In the place of a SIEM, where a person gave the verdict. */
export const BY_HAND = { id: 0 };
/** Rows that one step of retention takes. */
const STEP = 5000;

/** Since when a claim can have armed its entry, of contribution c and object o. */
export const ARMED = 'CASE WHEN o.valid_from > c.since THEN o.valid_from ELSE c.since END';

export interface HitReport {
  /** New, after those that were read before. */
  fresh: number;
  /** Read before. */
  known: number;
  /** No entry of ours, older than what is kept, or a canary of ours. */
  ignored: number;
}

/** What is known before the hits of a unit are gone through. */
interface Before {
  /** By key. */
  readonly entries: ReadonlyMap<string, number>;
  /** By the digest of what was read, how many it stood for. */
  readonly seen: ReadonlyMap<string, number>;
  /** By entry, since when the claims on it stood, in order. */
  readonly armed: ReadonlyMap<number, readonly number[]>;
}

export class Hits {
  readonly #store: StoreContext;
  readonly #grid: Grid;
  readonly #releases: Releases;
  /** Entries whose lifetime may have been renewed by the hits of the running unit. */
  readonly renewed = new Set<number>();

  constructor(store: StoreContext, grid: Grid, releases: Releases) {
    this.#store = store;
    this.#grid = grid;
    this.#releases = releases;
  }

  /** Returns the windows in which something changed, too. */
  add(
    siem: { readonly id: number },
    hits: readonly Hit[],
    now: number,
  ): { report: HitReport; windows: Iterable<Window> } {
    const report: HitReport = { fresh: 0, known: 0, ignored: 0 };
    const before = this.#before(siem, hits);
    const coming = new Coming();
    for (const hit of hits) this.#add(hit, now, report, before, coming);
    this.#write(siem, coming);
    this.#seenOn(coming.days);
    this.#store.count('sightings', 'hits', report.fresh);
    return { report, windows: coming.windows.values() };
  }

  /** Drops what is older than it may be kept, a step at a time. */
  retain(now: number): number[] {
    const { db } = this.#store;
    const oldest = this.#oldest(now);
    return [
      db.changes(
        `DELETE FROM hit WHERE (entry_id, start, verdict, siem_id) IN (SELECT entry_id, start, verdict, siem_id FROM hit WHERE start < ? LIMIT ${STEP})`,
        oldest,
      ),
      db.changes(
        `DELETE FROM hit_seen WHERE (siem_id, hash) IN (SELECT siem_id, hash FROM hit_seen WHERE day < ? LIMIT ${STEP})`,
        Math.floor(oldest / DAY_MS),
      ),
    ];
  }

  #before({ id }: { readonly id: number }, hits: readonly Hit[]): Before {
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
    return { entries, seen: new Map(seen as [string, number][]), armed };
  }

  #add(hit: Hit, now: number, report: HitReport, before: Before, coming: Coming): void {
    // A SIEM whose clock runs ahead: nothing was seen later than it was read.
    const last = Math.min(hit.last, now);
    const start = windowOf(last, this.#grid);
    const entryId = before.entries.get(hit.key.toWellFormed());
    if (entryId === undefined || start < this.#oldest(now) || this.#releases.ignores(hit.key) || !(hit.count > 0)) {
      report.ignored++;
      return;
    }
    // An alert may stand for more events than when it was read first; only what came on top counts.
    const count = Math.floor(hit.count);
    const more = count - (coming.seen.get(hit.dedupe)?.[1] ?? before.seen.get(hit.dedupe) ?? 0);
    if (more <= 0) {
      report.known++;
      return;
    }
    const day = Math.floor(last / DAY_MS);
    coming.seen.set(hit.dedupe, [day, count]);
    coming.add({
      entryId,
      start,
      verdict: VERDICTS.indexOf(hit.verdict),
      part: partAt(before.armed.get(entryId) ?? [], last),
      first: Math.max(Math.min(hit.first, last), start),
      last,
      n: more,
    });
    if (hit.verdict === 'seen') coming.days.set(entryId, Math.max(coming.days.get(entryId) ?? 0, day));
    report.fresh += more;
  }

  /** On top of what was counted before. */
  #write({ id }: { readonly id: number }, coming: Coming): void {
    const { db } = this.#store;
    db.insertRows(
      'hit_seen',
      ['siem_id', 'hash', 'day', 'n'],
      [...coming.seen].map(([hash, [day, n]]) => [id, hash, day, n]),
      { keys: ['siem_id', 'hash'], update: ['day', 'n'] },
    );
    for (const part of byStarts(coming.counted)) {
      const found = db.listsByKeys(
        `SELECT entry_id, start, verdict, part, first, last, n FROM hit WHERE siem_id = ? AND start ${IN_STARTS} AND entry_id IN ($keys)`,
        [...new Set(part.map((one) => one.entryId))],
        id,
        ...startsOf(part),
      ) as [number, number, number, number, number, number, number][];
      const before = new Map(
        found.map(([entryId, start, verdict, since, first, last, n]) => [
          `${entryId} ${start} ${verdict} ${since}`,
          { first, last, n },
        ]),
      );
      for (const one of part) {
        const known = before.get(`${one.entryId} ${one.start} ${one.verdict} ${one.part}`);
        if (known !== undefined) merge(one, known);
      }
      db.insertRows(
        'hit',
        ['entry_id', 'start', 'verdict', 'siem_id', 'part', 'first', 'last', 'n'],
        part.map((one) => [one.entryId, one.start, one.verdict, id, one.part, one.first, one.last, one.n]),
        { keys: ['entry_id', 'start', 'verdict', 'siem_id', 'part'], update: ['first', 'last', 'n'] },
      );
    }
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

  #oldest(now: number): number {
    return windowOf(now - this.#releases.spec.hitsDays * DAY_MS, this.#grid);
  }
}

/**
 * The time since when the youngest claim stood that could have armed the entry at a hit. Where none was as old, as with
 * a rule that looks back or a SIEM whose clock is behind, the hit is owed to the claim that came first.
 */
const partAt = (armed: readonly number[], at: number): number =>
  armed.findLast((since) => since <= at) ?? armed[0] ?? 0;
