// What people ask of the store: taking a value off every SIEM for a time, looking at what waits or was refused,
// and trying it again.
import { ConnectorError } from '../model/failure.ts';
import { OBSERVABLE_TYPES, type Observable } from '../model/observable.ts';
import type { SiemState, StoreContext } from './context.ts';
import type { Projector } from './projection.ts';
import { CAUSE, PRESENT, type ProjectionRow, restingState, STATE } from './rows.ts';

export interface Suppression {
  readonly id: number;
  readonly type: string;
  readonly value: string;
  readonly created: number;
  readonly until: number;
  readonly reason: string;
  readonly by: string;
}

/** Parked rows: all, those that the SIEM refused with a word for the cause, or those with this word or reason. */
export type Refused = 'all' | 'by the SIEM' | { readonly code: string } | { readonly note: string };

export class People {
  readonly #store: StoreContext;
  readonly #projector: Projector;

  constructor(store: StoreContext, projector: Projector) {
    this.#store = store;
    this.#projector = projector;
  }

  suppress(observables: readonly Observable[], until: number, reason: string, by: string, now: number): number[] {
    return observables.map((observable) => {
      const type = OBSERVABLE_TYPES.indexOf(observable.type);
      const { id } = this.#store.db.get<{ id: number }>(
        'INSERT INTO suppression (type, value, created, until, reason, made_by) VALUES (?, ?, ?, ?, ?, ?) RETURNING id',
        type,
        observable.value,
        now,
        until,
        reason,
        by,
      )!;
      this.#again(type, observable.value, now);
      return id;
    });
  }

  lift(id: number, now: number): void {
    const row = this.#store.db.get<{ type: number; value: string; lifted: number | null }>(
      'SELECT type, value, lifted FROM suppression WHERE id = ?',
      id,
    );
    if (row === undefined || row.lifted !== null)
      throw new ConnectorError('permanent', `no suppression ${id}; see entente suppress list`);
    this.#store.db.run('UPDATE suppression SET lifted = ? WHERE id = ?', now, id);
    this.#again(row.type, row.value, now);
  }

  #again(type: number, value: string, now: number): void {
    this.#projector.reloadSuppressions();
    const entry = this.#store.db.get<{ id: number }>('SELECT id FROM entry WHERE type = ? AND value = ?', type, value);
    if (entry !== undefined) {
      this.#projector.project(
        { id: entry.id, type: OBSERVABLE_TYPES[type]!, value },
        { cause: CAUSE.suppressed, exchangeId: 0 },
        now,
      );
    }
  }

  /** Parked rows go to work again: all of a SIEM, or one by its id (`siem-entry`). */
  retryParked(only?: string): number {
    let done = 0;
    for (const siem of this.#store.siems) {
      const rows = this.#parkedRows(siem, only);
      for (const row of rows) {
        const state = restingState(row);
        this.#store.db.run(
          'UPDATE projection SET state = ?, note = NULL, attempt = 0, next_at = NULL WHERE siem_id = ? AND entry_id = ?',
          state,
          siem.id,
          row.entry_id,
        );
        this.#projector.count(siem, OBSERVABLE_TYPES[row.type]!, row, { ...row, state });
        done++;
      }
    }
    if (only !== undefined && done === 0)
      throw new ConnectorError('permanent', `nothing is parked under ${only}; see entente parked list`);
    return done;
  }

  #parkedRows(siem: SiemState, only: string | undefined): (ProjectionRow & { type: number })[] {
    const sql = `SELECT p.*, e.type FROM projection p INDEXED BY projection_work JOIN entry e ON e.id = p.entry_id WHERE p.siem_id = ? AND p.state <> 0 AND p.state = ${STATE.parked}`;
    if (only === undefined) return this.#store.db.all(sql, siem.id);
    const [siemId, entryId] = only.split('-').map(Number);
    if (siemId !== siem.id || entryId === undefined || Number.isNaN(entryId)) return [];
    return this.#store.db.all(`${sql} AND p.entry_id = ?`, siem.id, entryId);
  }

  /** Parked rows go to work again, as after an open that negotiated something else: those that `which` names. */
  retryRefused(siem: SiemState, which: Refused): number {
    const named = (row: ProjectionRow): boolean => {
      if (which === 'all') return true;
      if (which === 'by the SIEM') return row.code !== null;
      return 'code' in which ? row.code === which.code : row.note === which.note;
    };
    const rows = this.#parkedRows(siem, undefined).filter(named);
    for (const row of rows) {
      const state = restingState(row);
      this.#store.db.run(
        'UPDATE projection SET state = ?, note = NULL, code = NULL WHERE siem_id = ? AND entry_id = ?',
        state,
        siem.id,
        row.entry_id,
      );
      this.#projector.count(siem, OBSERVABLE_TYPES[row.type]!, row, { ...row, state });
    }
    return rows.length;
  }

  sendAgain(siem: SiemState): boolean {
    const row = this.#store.db.get<ProjectionRow & { type: number }>(
      `SELECT p.*, e.type FROM projection p JOIN entry e ON e.id = p.entry_id
       WHERE p.siem_id = ? AND p.state = ${STATE.settled} AND p.wanted = 1 AND p.present = ${PRESENT.yes} LIMIT 1`,
      siem.id,
    );
    if (row === undefined) return false;
    const next: ProjectionRow = { ...row, state: STATE.upsert, wanted_rev: this.#store.revision };
    this.#store.db.run(
      'UPDATE projection SET state = ?, wanted_rev = ?, next_at = NULL WHERE siem_id = ? AND entry_id = ?',
      next.state,
      next.wanted_rev,
      siem.id,
      row.entry_id,
    );
    this.#projector.count(siem, OBSERVABLE_TYPES[row.type]!, row, next);
    return true;
  }
}
