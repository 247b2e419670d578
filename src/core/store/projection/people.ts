// What people ask of the store: taking a value off every SIEM for a time, looking at what waits or was refused,
// and trying it again.
import { ConnectorError } from '../../model/failure.ts';
import { retried, sentAgain } from '../../ledger/rest.ts';
import type { Stand } from '../../ledger/stand.ts';
import type { Reason } from '../../ledger/project.ts';
import type { Json } from '../../model/json.ts';
import { OBSERVABLE_TYPES, type Observable } from '../../model/observable.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import type { Projector } from './projection.ts';
import { isFull } from '../rows/full-containers.ts';
import { PRESENT, STATE, type StoredEntry } from '../rows/rows.ts';
import type { Seats } from './seats.ts';
import type { Standing, StandTable } from './stand-table.ts';
import type { Sweep, Sweeps, SweepStep } from '../unit/sweeps.ts';

/** Parked rows: all, those that the SIEM refused with a word for the cause, or those with this word or reason. */
export type Refused = 'all' | 'by the SIEM' | { readonly code: string } | { readonly note: string };

/** For how long, and why. `review`: it is called harmless, and somebody looks again then. */
export interface Off {
  readonly until: number;
  readonly reason: string;
  readonly review?: number;
}

/** Until somebody lifts it: the last day that RFC 3339 can write. */
export const UNTIL_LIFTED = Date.UTC(9999, 11, 31);

export class People {
  readonly #store: StoreContext;
  readonly #projector: Projector;
  readonly #stands: StandTable;
  readonly #seats: Seats;
  readonly #sweeps: Sweeps;

  constructor(store: StoreContext, projector: Projector, stands: StandTable, seats: Seats, sweeps: Sweeps) {
    this.#store = store;
    this.#projector = projector;
    this.#stands = stands;
    this.#seats = seats;
    this.#sweeps = sweeps;
    sweeps.register('parked', (sweep, most, now) => this.#step(sweep, most, now));
  }

  suppress(observables: readonly Observable[], off: Off, by: string, now: number): number[] {
    const { db, ids } = this.#store;
    const made = observables.map(({ type, value }) => {
      const number = OBSERVABLE_TYPES.indexOf(type);
      const id = ids.take('suppression');
      // Saying it again is looking at it again.
      if (off.review !== undefined)
        db.run(
          'UPDATE suppression SET lifted = ? WHERE type = ? AND value = ? AND review IS NOT NULL AND lifted IS NULL',
          now,
          number,
          value,
        );
      db.run(
        'INSERT INTO suppression (id, type, value, created, until, reason, made_by, review) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        id,
        number,
        value,
        now,
        off.until,
        off.reason,
        by,
        off.review ?? null,
      );
      return id;
    });
    // Read once for all of them: a whole push comes in thousands.
    this.#projector.suppressions.forget();
    for (const { type, value } of observables) this.#again(OBSERVABLE_TYPES.indexOf(type), value, now);
    return made;
  }

  /** What was lifted. */
  lift(id: number, what: 'suppress' | 'harmless', now: number): Observable {
    const row = this.#store.db.get<{ type: number; value: string; lifted: number | null; review: number | null }>(
      'SELECT type, value, lifted, review FROM suppression WHERE id = ?',
      id,
    );
    if (row === undefined || row.lifted !== null || (row.review === null) !== (what === 'suppress'))
      throw new ConnectorError(
        'permanent',
        `no ${what === 'suppress' ? 'suppression' : 'harmless value'} ${id}; see entente ${what} list`,
      );
    this.#store.db.run('UPDATE suppression SET lifted = ? WHERE id = ?', now, id);
    this.#projector.suppressions.forget();
    this.#again(row.type, row.value, now);
    return { type: OBSERVABLE_TYPES[row.type]!, value: row.value };
  }

  #again(type: number, value: string, now: number): void {
    const entry = this.#store.db.get<{ id: number }>('SELECT id FROM entry WHERE type = ? AND value = ?', type, value);
    if (entry === undefined) return;
    this.#judge({ id: entry.id, type: OBSERVABLE_TYPES[type]!, value }, { cause: 'suppressed', exchangeId: 0 }, now);
  }

  #judge(entry: StoredEntry, reason: Reason, now: number, only?: SiemState): void {
    // What comes back may wait for its turn.
    if (this.#projector.suppressions.until(entry) === undefined && this.#projector.claims.isCrowded(entry.id))
      this.#sweeps.later('crowded', 0, String(entry.id), { ...reason }, now);
    else this.#projector.project(entry, reason, now, only);
  }

  /** Parked rows go to work again: all, in steps, or one by its id (`siem-entry`). Returns how many. */
  retryParked(only: string | undefined, now: number): number {
    if (only === undefined) {
      let waiting = 0;
      for (const siem of this.#store.siems) {
        waiting += this.#store.tally(`siem:${siem.id}`, 'parked');
        this.#sweeps.begin('parked', siem.id, '', 'everything', now);
      }
      return waiting;
    }
    const [siemId, entryId] = only.split('-').map(Number);
    const siem = this.#store.siems.find((one) => one.id === siemId);
    const [row] = siem === undefined || !Number.isInteger(entryId) ? [] : this.#parked(siem, entryId! - 1, 1);
    if (siem === undefined || row?.entry.id !== entryId)
      throw new ConnectorError('permanent', `nothing is parked under ${only}; see entente parked list`);
    this.#retry(siem, row!, now);
    return 1;
  }

  /** Parked rows go to work again, as after an open that negotiated something else: those that `which` names. */
  retryRefused(siem: SiemState, which: Refused, now: number): void {
    if (this.#store.tally(`siem:${siem.id}`, 'parked') === 0) return;
    // By word or reason beside one another; all of them are all there are.
    const subject = typeof which === 'string' ? '' : JSON.stringify(which);
    this.#sweeps.begin('parked', siem.id, subject, which as Json, now);
  }

  sendAgain(siem: SiemState): boolean {
    const [row] = this.#stands.select(
      siem,
      '',
      `p.state = ${STATE.settled} AND p.wanted = 1 AND p.present = ${PRESENT.yes} LIMIT 1`,
    );
    if (row === undefined) return false;
    this.#stands.write(siem, row.entry, row.stand, sentAgain(row.stand, this.#store.revision));
    return true;
  }

  #step({ owner, position, argument }: Sweep, most: number, now: number): SweepStep {
    const siem = this.#store.siems.find((one) => one.id === owner);
    if (siem === undefined) return { rows: 0, position: undefined };
    const rows = this.#parked(siem, Number(position), most);
    // As `begin` was given it above.
    const which = argument as Refused | 'everything';
    for (const row of rows) {
      if (!isNamed(row.stand, which)) continue;
      // Tried every few hours, it would put out what stands there, be refused once more and let it in again.
      if (which === 'by the SIEM' && this.#lacksPlace(siem, row) === 'none free') continue;
      this.#retry(siem, row, now);
    }
    return { rows: rows.length, position: rows.length < most ? undefined : String(rows.at(-1)!.entry.id) };
  }

  #parked(siem: SiemState, after: number, most: number): Standing[] {
    return this.#stands.select(
      siem,
      'INDEXED BY projection_work',
      `p.state <> 0 AND p.state = ${STATE.parked} AND p.entry_id > ? ORDER BY p.entry_id LIMIT ?`,
      after,
      most,
    );
  }

  #retry(siem: SiemState, row: Standing, now: number): void {
    const { entry, stand } = row;
    const lacks = this.#lacksPlace(siem, row) !== undefined;
    this.#stands.write(siem, entry, stand, retried(stand));
    if (lacks) this.#judge(entry, { cause: 'none', exchangeId: 0 }, now, siem);
  }

  /** Refused, it lost its place in a watchlist that takes only so many: sent without one, it would take that of others. */
  #lacksPlace(siem: SiemState, { entry, stand }: Standing): 'none free' | 'some free' | undefined {
    const room = stand.place === undefined ? this.#seats.roomFor(siem, entry.type) : undefined;
    if (room === undefined) return undefined;
    return room.full ? 'none free' : 'some free';
  }
}

function isNamed({ parked }: Stand, which: Refused | 'everything'): boolean {
  if (which === 'everything') return true;
  if (parked === undefined) return false;
  if (which === 'by the SIEM') return parked.code !== undefined;
  // What waits for room goes by itself when there is some.
  if (which === 'all') return !isFull(parked.reason);
  return 'code' in which ? parked.code === which.code : parked.reason === which.note;
}
