// What waits for a person or was decided by one: holds, parked entries, what is off and what asks for another look.
import { OBSERVABLE_TYPES, type Observable, type ObservableType } from '../../model/observable.ts';
import { type HoldKind, type HoldRow, setCode } from '../rows/hold-rows.ts';
import { PRESENT, STATE } from '../rows/rows.ts';
import type { StoreSpec } from '../spec/spec.ts';
import type { Database } from '../sql/port.ts';
import { iso } from './moments.ts';
import { noRoom } from './no-room.ts';

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

const OF_VALUE = ' AND type = ? AND value = ?';
/** `type` may be one of a version that knew others. */
export type Named = { readonly type: string; readonly value: string };
const ofValue = (of: Named | undefined): (number | string)[] =>
  of === undefined ? [] : [(OBSERVABLE_TYPES as readonly string[]).indexOf(of.type), of.value];

/** Rows read at once, where all of them are wanted. */
const PAGE = 1000;

export class WaitingReader {
  readonly #db: Database;
  readonly #given: StoreSpec;

  constructor(db: Database, given: StoreSpec) {
    this.#db = db;
    this.#given = given;
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
        created: iso(row.created),
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

  /** What a SIEM or mapping refused, then what better ones keep out, the best first. */
  parked(limit: number): ParkedRow[] {
    const refused = this.#refused(limit);
    return refused.length >= limit ? refused : [...refused, ...this.#keptOut(limit - refused.length)];
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
        since: iso(row.since),
      }));
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
      reason: noRoom(this.#db, this.#given, row.siem, row.place),
      since: iso(row.since),
    }));
  }

  /** For `parked retry`. */
  parkedId(siem: string, { type, value }: Named): string | undefined {
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
        until: iso(row.until),
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
        since: iso(row.created),
        review: iso(row.review),
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
}
