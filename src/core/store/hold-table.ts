// The holds themselves: which set each stands for, and what became of it. The rows of a set are those of the projection
// that name the hold; here stand their number and a sum over them, so that no look at a hold has to go through them.
import { digest48 } from '../model/digest.ts';
import { sha256 } from '../runtime/ids.ts';
import type { SiemState, StoreContext } from './context.ts';

/** `intake`: policy wants a person to look before they are armed. Their rows are held as additions are. */
export type HoldKind = 'removal' | 'addition' | 'intake';

/** What a brake freezes. */
export type BrakeKind = Exclude<HoldKind, 'intake'>;

export interface HoldRow {
  readonly id: number;
  readonly kind: HoldKind;
  readonly siem_id: number;
  readonly exchange_id: number;
  readonly created: number;
  readonly reason: string;
  readonly decided: number | null;
  readonly decision: 'approve' | 'reject' | null;
  readonly decided_by: string | null;
  readonly decision_reason: string | null;
  readonly entries: number;
  readonly sum: number;
}

/** Sums are kept within what JavaScript counts exactly. */
const MODULUS = 2 ** 48;
/** Earlier states of a set that are remembered, for a person who comes back with what was shown then. */
const MOST_PAST = 200;

/**
 * Eight digits that stand for exactly the set that was shown. `secret` is this state's own, so that a partner who knows
 * everything else cannot make a set that looks like the one that was shown.
 */
export function setCode(secret: string, hold: Pick<HoldRow, 'id' | 'entries' | 'sum'>): string {
  return sha256(`hold ${secret} ${hold.id} ${hold.entries} ${hold.sum}`).slice(0, 8);
}

export class HoldTable {
  readonly #store: StoreContext;
  readonly #touched = new Set<number>();

  constructor(store: StoreContext) {
    this.#store = store;
    for (const { id } of store.db.all<{ id: number }>('SELECT id FROM hold WHERE sum IS NULL')) this.#countAnew(id);
  }

  get(id: number): HoldRow | undefined {
    return this.#store.db.get<HoldRow>('SELECT * FROM hold WHERE id = ?', id);
  }

  /** The open hold of this kind, made if there is none; of what intake holds, one for each reason. */
  open(kind: HoldKind, siem: SiemState, exchangeId: number, now: number, reason: string): number {
    const { db } = this.#store;
    const open = db.get<{ id: number }>(
      `SELECT id FROM hold WHERE kind = ? AND siem_id = ? AND exchange_id = ? AND decided IS NULL
       AND (kind <> 'intake' OR reason = ?)`,
      kind,
      siem.id,
      exchangeId,
      reason,
    );
    if (open !== undefined) {
      db.run('UPDATE hold SET reason = ? WHERE id = ?', reason, open.id);
      return open.id;
    }
    const id = this.#store.ids.take('hold');
    db.run(
      'INSERT INTO hold (id, kind, siem_id, exchange_id, created, reason, sum) VALUES (?, ?, ?, ?, ?, ?, 0)',
      id,
      kind,
      siem.id,
      exchangeId,
      now,
      reason,
    );
    return id;
  }

  join(id: number, entryId: number): void {
    this.#change(id, 1, this.#digest(entryId));
  }

  leave(id: number, entryId: number): void {
    this.#change(id, -1, MODULUS - this.#digest(entryId));
  }

  #change(id: number, entries: number, sum: number): void {
    this.#store.db.run(
      `UPDATE hold SET entries = entries + ?, sum = (sum + ?) % ${MODULUS} WHERE id = ?`,
      entries,
      sum,
      id,
    );
    this.#touched.add(id);
  }

  #digest(entryId: number): number {
    return digest48(`${this.#store.writer} ${entryId}`);
  }

  #countAnew(id: number): void {
    let entries = 0;
    let sum = 0;
    for (const row of this.#store.db.iterate<{ entry_id: number }>(
      'SELECT entry_id FROM projection WHERE hold = ?',
      id,
    )) {
      entries++;
      sum = (sum + this.#digest(row.entry_id)) % MODULUS;
    }
    this.#store.db.run('UPDATE hold SET entries = ?, sum = ? WHERE id = ?', entries, sum, id);
  }

  /** At the end of a unit: what a person who looks from now on is shown, to be told apart from what comes later. */
  remember(now: number): void {
    const { db, revision } = this.#store;
    for (const id of this.#touched) {
      db.run(
        `INSERT INTO hold_past (hold_id, revision, at, entries, sum)
         SELECT id, ?, ?, entries, sum FROM hold WHERE id = ? AND decided IS NULL ON CONFLICT DO NOTHING`,
        revision,
        now,
        id,
      );
      db.run(
        `DELETE FROM hold_past WHERE hold_id = ? AND revision <=
           (SELECT revision FROM hold_past WHERE hold_id = ? ORDER BY revision DESC LIMIT 1 OFFSET ${MOST_PAST})`,
        id,
        id,
      );
    }
    this.#touched.clear();
  }

  forget(): void {
    this.#touched.clear();
  }

  code(hold: HoldRow): string {
    return setCode(this.#store.writer, hold);
  }

  /** The earlier state of the set that a person was shown under this code. */
  past(hold: HoldRow, code: string): { at: number; entries: number; revision: number } | undefined {
    return this.#store.db
      .all<{ at: number; entries: number; sum: number; revision: number }>(
        'SELECT at, entries, sum, revision FROM hold_past WHERE hold_id = ? ORDER BY revision DESC',
        hold.id,
      )
      .find((one) => setCode(this.#store.writer, { id: hold.id, entries: one.entries, sum: one.sum }) === code);
  }

  decide(id: number, decision: 'approve' | 'reject', by: string, reason: string, now: number): void {
    this.#store.db.run(
      'UPDATE hold SET decided = ?, decision = ?, decided_by = ?, decision_reason = ? WHERE id = ?',
      now,
      decision,
      by,
      reason,
      id,
    );
    this.#store.db.run('DELETE FROM hold_past WHERE hold_id = ?', id);
  }

  /** Empty ones that were decided, or that nothing is left of, are over after a time. */
  prune(before: number): void {
    this.#store.db.run('DELETE FROM hold WHERE entries = 0 AND coalesce(decided, created) < ?', before);
    this.#store.db.run('DELETE FROM hold_past WHERE hold_id NOT IN (SELECT id FROM hold)');
  }
}
