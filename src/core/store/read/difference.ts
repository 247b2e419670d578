// Where wanted and present differ, page by page: every row once, SIEM by SIEM and state by state. Each question looks at so
// many rows at most, so that none takes longer because more waits.
import { voucherBit } from '../../ledger/admit.ts';
import { OBSERVABLE_TYPES } from '../../model/observable.ts';
import { STATE } from '../rows/rows.ts';
import type { Database } from '../sql/port.ts';
import {
  type Bucket,
  bucketOf,
  type DifferenceRow,
  type DifferingRow,
  type Named,
  shownRow,
} from './difference-rows.ts';

/** Undefined: whatever it is. */
export interface DifferenceAsked {
  readonly siem?: string | undefined;
  readonly bucket?: Bucket | undefined;
  readonly exchange?: string | undefined;
  readonly type?: string | undefined;
  /** Where the page before ended. */
  readonly after?: string | undefined;
}

/** Some rows, and how many there are of each bucket. */
export interface DifferencePage {
  readonly rows: readonly DifferenceRow[];
  /** Undefined at the end. There may be more although nothing on this page fitted. */
  readonly next: string | undefined;
  readonly counts: readonly DifferenceCounts[];
}

/** `more`: as many were counted, and there are more. */
interface Counted {
  readonly n: number;
  readonly more: boolean;
}

/** Of one SIEM. */
export interface DifferenceCounts {
  readonly siem: string;
  readonly buckets: Readonly<Record<Bucket, Counted>>;
}

const PAGE = 50;
/** Rows that one page looks at, and how many it reads at once. */
const MOST_LOOKED = 1_000;
const MOST_AT_ONCE = 250;
/** Of one state; more are not counted apart. */
const MOST_COUNTED = 1_000;
/** Rows that somebody acts on at once. */
export const MOST_CHOSEN = 100;
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

const MAY_BE: Readonly<Record<Bucket, readonly number[]>> = {
  add: [STATE.upsert, STATE.flight, STATE.accepted, STATE.uncertain],
  change: [STATE.upsert, STATE.flight, STATE.accepted, STATE.uncertain],
  remove: [STATE.remove, STATE.flight, STATE.accepted, STATE.uncertain],
  hold: [STATE.held],
  park: [STATE.parked, KEPT_OUT],
  foreign: [STATE.held],
};

/** Over a connection that reads. */
export class Differences {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** From where the page before ended. */
  page(asked: DifferenceAsked): DifferencePage {
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
    const fits = (row: DifferingRow, bucket: Bucket): boolean =>
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
        const row = this.#db.get<DifferingRow>(
          `SELECT p.*, e.type, e.value, h.reason AS hold_reason FROM projection p
           JOIN entry e ON e.id = p.entry_id LEFT JOIN hold h ON h.id = p.hold WHERE p.siem_id = ? AND p.entry_id = ?`,
          siemId,
          entryId,
        );
        const differs = row !== undefined && (row.state !== STATE.settled || row.kept_out === 1);
        return siem === undefined || !differs ? [] : [shownRow(row, siem, bucketOf(row), exchanges)];
      });
  }

  #active(table: 'siem' | 'exchange'): Named[] {
    return this.#db.all<{ id: number; name: string }>(`SELECT id, name FROM ${table} WHERE active = 1 ORDER BY id`);
  }

  #rows(siemId: number, state: number, after: number, most: number): DifferingRow[] {
    return this.#db.all<DifferingRow>(
      `SELECT p.*, e.type, e.value, h.reason AS hold_reason FROM projection p INDEXED BY projection_work
       JOIN entry e ON e.id = p.entry_id LEFT JOIN hold h ON h.id = p.hold
       WHERE p.siem_id = ? AND p.state <> 0 AND p.state = ${state} AND p.entry_id > ? ORDER BY p.entry_id LIMIT ?`,
      siemId,
      after,
      most,
    );
  }

  /** The best of those that have no place come first, as they would get one. */
  #keptOut(siemId: number, place: number, after: number, most: number): DifferingRow[] {
    return this.#db.all<DifferingRow>(
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

  #counts({ id, name }: Named): DifferenceCounts {
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
}
