// What the web pages read beside status and `why`: differences page by page, what a hold covers, what an exchange sends,
// and the last day in half hours. Over a read-only connection of its own; each question looks at so many rows at most,
// so that none takes longer because more waits.
import { voucherBit } from '../../ledger/admit.ts';
import { type Observable, OBSERVABLE_TYPES, type ObservableType } from '../../model/observable.ts';
import type { StatePlace } from '../sql/place.ts';
import type { Database } from '../sql/port.ts';
import { iso } from './moments.ts';
import { openReading } from '../state/open.ts';
import { refusedObject, type RefusedObject } from './refused.ts';
import { CAUSE, CAUSE_TEXT, type ProjectionRow, STATE } from '../rows/rows.ts';
import type { Sample } from '../rows/samples.ts';

export type { Sample } from '../rows/samples.ts';

export const BUCKETS = ['add', 'change', 'remove', 'hold', 'park', 'foreign'] as const;
export type Bucket = (typeof BUCKETS)[number];

export interface DifferenceAsked {
  readonly siem?: string | undefined;
  readonly bucket?: Bucket | undefined;
  readonly exchange?: string | undefined;
  readonly type?: string | undefined;
  /** Where the page before ended. */
  readonly after?: string | undefined;
}

export interface DifferenceRow extends Observable {
  /** Its name among all rows. */
  readonly row: string;
  readonly siem: string;
  readonly bucket: Bucket;
  readonly wanted: boolean;
  readonly until: string | null;
  readonly present: 'no' | 'yes' | 'maybe';
  readonly exchanges: readonly string[];
  readonly why: string;
  readonly since: string;
  readonly attempts: number;
  readonly next: string | null;
  /** A call is under way. */
  readonly flying: boolean;
  readonly hold: number | null;
  /** For `parked retry`; null where better ones keep it out. */
  readonly id: string | null;
}

export interface DifferencePage {
  readonly rows: readonly DifferenceRow[];
  /** Undefined at the end. There may be more although nothing on this page fitted. */
  readonly next: string | undefined;
  readonly counts: readonly DifferenceCounts[];
}

/** `more`: as many were counted, and there are more. */
export interface Counted {
  readonly n: number;
  readonly more: boolean;
}
export interface DifferenceCounts {
  readonly siem: string;
  readonly buckets: Readonly<Record<Bucket, Counted>>;
}

export interface HeldPage {
  readonly entries: readonly (Observable & { readonly id: number })[];
  readonly next: number | undefined;
}

export interface RefusedExample extends RefusedObject {
  /** The reason without the particular case, and how many objects have it. */
  readonly kind: string;
  readonly of: number;
}

export interface ExchangeDetails {
  /** Examples, a few of each reason, the most frequent reasons first. */
  readonly refused: readonly RefusedExample[];
  /** What it may be told, by state; of very many, the first. */
  readonly told: Readonly<Record<string, number>>;
  readonly lastNew: string | null;
}

const PAGE = 50;
/** Rows that one page looks at, and how many it reads at once. */
const MOST_LOOKED = 1_000;
const MOST_AT_ONCE = 250;
/** Of one state; more are not counted apart. */
const MOST_COUNTED = 1_000;
/** Rows that somebody acts on at once. */
export const MOST_CHOSEN = 100;
const MOST_REASONS = 8;
const EXAMPLES = 2;
/** Rows that better ones keep out are settled, and found by their place. */
const KEPT_OUT = -1;
const WORK = [
  STATE.remove,
  STATE.upsert,
  STATE.flight,
  STATE.accepted,
  STATE.uncertain,
  STATE.parked,
  STATE.held,
  KEPT_OUT,
] as const;
/** Above every place. */
const NO_PLACE = Number.MAX_SAFE_INTEGER;
const PRESENCE = ['no', 'yes', 'maybe'] as const;
/** Of one state. */
const MOST_TOLD = 20_000;

interface Active {
  readonly id: number;
  readonly name: string;
}
type Row = ProjectionRow & { readonly type: number; readonly value: string; readonly hold_reason: string | null };

export class PagesReader {
  readonly #db: Database;

  constructor(place: StatePlace) {
    this.#db = openReading(place, { cacheMb: 4 });
  }

  difference(asked: DifferenceAsked): DifferencePage {
    const siems = this.#active('siem').filter((one) => asked.siem === undefined || one.name === asked.siem);
    const exchanges = this.#active('exchange');
    const bit = exchanges.find((one) => one.name === asked.exchange)?.id;
    const [fromSiem = 0, fromState = -1, fromEntry = 0, fromPlace = NO_PLACE] = (asked.after ?? '')
      .split('-')
      .map(Number);
    const rows: DifferenceRow[] = [];
    let looked = 0;
    // Without it the first rows are those to be shown.
    const sieved = asked.bucket !== undefined || asked.exchange !== undefined || asked.type !== undefined;
    let next: string | undefined;
    const fits = (row: Row, bucket: Bucket): boolean =>
      (asked.bucket === undefined || asked.bucket === bucket) &&
      (asked.type === undefined || OBSERVABLE_TYPES[row.type] === asked.type) &&
      (asked.exchange === undefined || (bit !== undefined && (row.vouchers & voucherBit(bit)) !== 0));
    search: for (const siem of siems.filter((one) => one.id >= fromSiem))
      for (const [at, state] of WORK.entries()) {
        if (siem.id === fromSiem && at < fromState) continue;
        if (asked.bucket !== undefined && !MAY_BE[asked.bucket].includes(state)) continue;
        const resumes = siem.id === fromSiem && at === fromState;
        let [after, place] = resumes ? [fromEntry, fromPlace] : [0, NO_PLACE];
        for (;;) {
          const most = Math.min(sieved ? MOST_AT_ONCE : PAGE - rows.length, MOST_LOOKED - looked);
          const found =
            state === KEPT_OUT ? this.#keptOut(siem.id, place, after, most) : this.#rows(siem.id, state, after, most);
          for (const row of found) {
            looked++;
            after = row.entry_id;
            place = row.place ?? NO_PLACE;
            const bucket = bucketOf(row);
            if (fits(row, bucket)) rows.push(shownRow(row, siem, bucket, exchanges));
            if (rows.length === PAGE || looked === MOST_LOOKED) {
              next = `${siem.id}-${at}-${after}${state === KEPT_OUT ? `-${place}` : ''}`;
              break search;
            }
          }
          if (found.length < most) break;
        }
      }
    return { rows, next, counts: siems.map((siem) => this.#counts(siem)) };
  }

  /** Of those named, the ones that differ still; each once, in the order in which they are gone through. */
  rows(names: readonly string[]): DifferenceRow[] {
    const siems = this.#active('siem');
    const exchanges = this.#active('exchange');
    const wanted = [...new Set(names)].slice(0, MOST_CHOSEN).map((name) => name.split('-').map(Number));
    return wanted
      .sort(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d)
      .flatMap(([siemId = 0, entryId = 0]) => {
        const siem = siems.find((one) => one.id === siemId);
        const row = this.#db.get<Row>(
          `SELECT p.*, e.type, e.value, h.reason AS hold_reason FROM projection p
           JOIN entry e ON e.id = p.entry_id LEFT JOIN hold h ON h.id = p.hold WHERE p.siem_id = ? AND p.entry_id = ?`,
          siemId,
          entryId,
        );
        const differs = row !== undefined && (row.state !== STATE.settled || row.kept_out === 1);
        return siem === undefined || !differs ? [] : [shownRow(row, siem, bucketOf(row), exchanges)];
      });
  }

  #active(table: 'siem' | 'exchange'): Active[] {
    return this.#db.all<{ id: number; name: string }>(`SELECT id, name FROM ${table} WHERE active = 1 ORDER BY id`);
  }

  #rows(siemId: number, state: number, after: number, most: number): Row[] {
    return this.#db.all<Row>(
      `SELECT p.*, e.type, e.value, h.reason AS hold_reason FROM projection p INDEXED BY projection_work
       JOIN entry e ON e.id = p.entry_id LEFT JOIN hold h ON h.id = p.hold
       WHERE p.siem_id = ? AND p.state <> 0 AND p.state = ${state} AND p.entry_id > ? ORDER BY p.entry_id LIMIT ?`,
      siemId,
      after,
      most,
    );
  }

  /** The best of those that have no place come first, as they would get one. */
  #keptOut(siemId: number, place: number, after: number, most: number): Row[] {
    return this.#db.all<Row>(
      `SELECT p.*, e.type, e.value, NULL AS hold_reason FROM projection p INDEXED BY projection_place
       JOIN entry e ON e.id = p.entry_id
       WHERE p.siem_id = ? AND p.kept_out = 1 AND p.place IS NOT NULL AND p.place <= ? AND (p.place < ? OR p.entry_id > ?)
         AND p.state = ${STATE.settled}
       ORDER BY p.place DESC, p.entry_id LIMIT ?`,
      siemId,
      place,
      place,
      after,
      most,
    );
  }

  #counts({ id, name }: Active): DifferenceCounts {
    const tally = (which: string) =>
      this.#db.get<{ n: number }>('SELECT n FROM tally WHERE owner = ? AND name = ?', `siem:${id}`, which)?.n ?? 0;
    const counts: Record<Bucket, { n: number; more: boolean }> = {
      add: { n: 0, more: false },
      change: { n: 0, more: false },
      remove: { n: 0, more: false },
      hold: { n: tally('held'), more: false },
      park: { n: tally('parked') + this.#outOf(id), more: false },
      foreign: { n: tally('adopted'), more: false },
    };
    const busy = [STATE.upsert, STATE.remove, STATE.flight, STATE.accepted, STATE.uncertain];
    for (const state of tally('pending') === 0 ? [] : busy) {
      const found = this.#db.all<{ wanted: number; present: number; n: number }>(
        `SELECT wanted, present, count(*) AS n FROM (SELECT wanted, present FROM projection INDEXED BY projection_work
         WHERE siem_id = ? AND state <> 0 AND state = ${state} LIMIT ${MOST_COUNTED}) counted GROUP BY wanted, present`,
        id,
      );
      const all = found.reduce((sum, one) => sum + one.n, 0);
      for (const { wanted, present, n } of found) {
        const of = counts[wanted === 0 ? 'remove' : present === 1 ? 'change' : 'add'];
        of.n += n;
        of.more ||= all === MOST_COUNTED;
      }
    }
    return { siem: name, buckets: counts };
  }

  #outOf(id: number): number {
    const all = this.#db.all<{ name: string; n: number }>('SELECT name, n FROM tally WHERE owner = ?', `siem:${id}`);
    return all.reduce((sum, one) => (one.name.startsWith('out:') ? sum + one.n : sum), 0);
  }

  /** What a hold covers, page by page. */
  held(id: number, after: number, most = 100): HeldPage | undefined {
    const hold = this.#db.get('SELECT 1 AS one FROM hold WHERE id = ? AND decided IS NULL AND entries > 0', id);
    if (hold === undefined) return undefined;
    const entries = this.#db
      .all<{ id: number; type: number; value: string }>(
        `SELECT e.id, e.type, e.value FROM projection p INDEXED BY projection_hold JOIN entry e ON e.id = p.entry_id
         WHERE p.hold = ? AND p.entry_id > ? ORDER BY p.entry_id LIMIT ?`,
        id,
        after,
        most,
      )
      .map((row) => ({ id: row.id, type: OBSERVABLE_TYPES[row.type]!, value: row.value }));
    return { entries, next: entries.length < most ? undefined : entries.at(-1)!.id };
  }

  exchange(name: string, refusals: Readonly<Record<string, number>>): ExchangeDetails | undefined {
    const row = this.#db.get<{ id: number; last_new: number | null }>(
      'SELECT id, last_new FROM exchange WHERE name = ? AND active = 1',
      name,
    );
    if (row === undefined) return undefined;
    const most = Object.entries(refusals).sort((a, b) => b[1] - a[1]);
    const refused = most.slice(0, MOST_REASONS).flatMap(([reason, of]) =>
      this.#db
        .all<{ object_id: string; facts: string }>(
          `SELECT object_id, facts FROM object INDEXED BY object_refused
           WHERE exchange_id = ? AND refusal IS NOT NULL AND refusal = ? AND state = 0 LIMIT ${EXAMPLES}`,
          row.id,
          reason,
        )
        .map((found) => ({ ...refusedObject(name, found.object_id, reason, found.facts), kind: reason, of })),
    );
    const told = TOLD.map((_, state) => ({
      state,
      n: this.#db.get<{ n: number }>(
        `SELECT count(*) AS n FROM (SELECT 1 FROM outbox WHERE exchange_id = ? AND state = ${state} LIMIT ${MOST_TOLD}) counted`,
        row.id,
      )!.n,
    })).filter(({ n }) => n > 0);
    return {
      refused,
      told: toldOf(told),
      lastNew: row.last_new === null ? null : new Date(row.last_new).toISOString(),
    };
  }

  samples(from: number): Sample[] {
    return this.#db.all<{ [K in keyof Sample]: Sample[K] }>(
      'SELECT * FROM sample WHERE start >= ? ORDER BY start',
      from,
    );
  }

  newestObject(): number {
    return this.#db.get<{ id: number | null }>('SELECT max(id) AS id FROM object')?.id ?? 0;
  }

  /** Objects that came after this one, for looking at how long they take to be armed. */
  objectsAfter(id: number, most: number): { readonly id: number; readonly version: string }[] {
    return this.#db.all<{ id: number; version: string }>(
      'SELECT id, version FROM object WHERE id > ? AND state = 0 AND refusal IS NULL ORDER BY id LIMIT ?',
      id,
      most,
    );
  }

  /** Where what it names is wanted, and whether it stands there. */
  standsOf(objectId: number): { readonly siem: string; readonly armed: boolean }[] {
    return this.#db
      .all<{ siem: string; state: number; present: number }>(
        `SELECT s.name AS siem, p.state, p.present FROM siem s CROSS JOIN contribution c
         JOIN projection p ON p.siem_id = s.id AND p.entry_id = c.entry_id
         WHERE c.object_id = ? AND s.active = 1 AND p.wanted = 1 AND p.state NOT IN (${STATE.parked}, ${STATE.held})`,
        objectId,
      )
      .map((row) => ({ siem: row.siem, armed: row.state === STATE.settled && row.present === 1 }));
  }

  close(): void {
    this.#db.close();
  }
}

function toldOf(states: readonly { readonly state: number; readonly n: number }[]): Record<string, number> {
  const told: Record<string, number> = {};
  for (const { state, n } of states) {
    const name = TOLD[state] ?? 'queued';
    told[name] = (told[name] ?? 0) + n;
  }
  return told;
}

/** As outbox.ts numbers them. */
const TOLD = ['queued', 'held', 'denied', 'queued', 'queued', 'sent', 'failed'] as const;

const MAY_BE: Readonly<Record<Bucket, readonly number[]>> = {
  add: [STATE.upsert, STATE.flight, STATE.accepted, STATE.uncertain],
  change: [STATE.upsert, STATE.flight, STATE.accepted, STATE.uncertain],
  remove: [STATE.remove, STATE.flight, STATE.accepted, STATE.uncertain],
  hold: [STATE.held],
  park: [STATE.parked, KEPT_OUT],
  foreign: [STATE.held],
};

function bucketOf({ state, wanted, present, hold, kept_out: out }: ProjectionRow): Bucket {
  if (state === STATE.parked || (out === 1 && state === STATE.settled)) return 'park';
  if (state === STATE.held) return hold === null ? 'foreign' : 'hold';
  if (wanted === 0) return 'remove';
  return present === 1 ? 'change' : 'add';
}

function shownRow(row: Row, siem: Active, bucket: Bucket, exchanges: readonly Active[]): DifferenceRow {
  return {
    // The column holds a place in this list.
    type: OBSERVABLE_TYPES[row.type] as ObservableType,
    value: row.value,
    row: `${siem.id}-${row.entry_id}`,
    siem: siem.name,
    bucket,
    wanted: row.wanted === 1,
    until: iso(row.until),
    present: PRESENCE[row.present],
    exchanges: exchanges.filter(({ id }) => (row.vouchers & voucherBit(id)) !== 0).map(({ name }) => name),
    why: whyOf(row, bucket),
    since: new Date(row.since).toISOString(),
    attempts: row.attempt,
    next: iso(row.next_at),
    flying: row.state === STATE.flight || row.state === STATE.accepted,
    hold: row.hold,
    id: row.kept_out === 1 ? null : `${siem.id}-${row.entry_id}`,
  };
}

function whyOf(row: Row, bucket: Bucket): string {
  if (bucket === 'park' && row.kept_out === 1) return 'the watchlist is full, and what stands there is surer or newer';
  switch (bucket) {
    case 'add':
      return 'vouched for, and not there yet';
    case 'change':
      return 'what is said of it changed';
    case 'remove':
      return CAUSE_TEXT[row.cause] || 'nobody vouches for it any more';
    case 'park':
      return row.reason ?? 'refused';
    case 'hold':
      return row.hold_reason ?? 'a person decides';
    case 'foreign':
      return CAUSE_TEXT[CAUSE.adopted];
  }
}
