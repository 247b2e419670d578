// The holds themselves: which set each stands for, and what became of it. The rows of a set are those of the projection
// that name the hold; here stand their number and a sum over them, so that no look at a hold has to go through them.
import { digest48 } from '../../model/digest.ts';
import { type HoldKind, type HoldRow, setCode } from '../rows/hold-rows.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';

/** Sums are kept within what JavaScript counts exactly. */
const MODULUS = 2 ** 48;
/** Earlier states of a set that are remembered, for a person who comes back with what was shown then. */
const MOST_PAST = 200;

export class HoldTable {
  readonly #store: StoreContext;
  /** Those that the running unit asked for, as they stand in it. */
  readonly #rows = new Map<number, HoldRow>();
  /** All open ones are among them. */
  #allOpen = false;
  /** What joined and left them in the running unit and is not written yet. */
  readonly #changes = new Map<number, { entries: number; sum: number }>();
  readonly #touched = new Set<number>();

  constructor(store: StoreContext) {
    this.#store = store;
    for (const { id } of store.db.all<{ id: number }>('SELECT id FROM hold WHERE sum IS NULL')) this.#countAnew(id);
  }

  get(id: number): HoldRow | undefined {
    if (!this.#rows.has(id)) this.know([id]);
    return this.#rows.get(id);
  }

  /** For `get`, in one look-up. */
  know(ids: readonly number[]): void {
    const missing = ids.filter((id) => !this.#rows.has(id));
    this.#learn(this.#store.db.byKeys<HoldRow>('SELECT * FROM hold WHERE id IN ($keys)', missing));
  }

  #learn(rows: readonly HoldRow[]): void {
    for (const row of rows)
      if (!this.#rows.has(row.id)) this.#rows.set(row.id, changed(row, this.#changes.get(row.id)));
  }

  /** Those of one exchange in one SIEM that nobody decided on. */
  opened(kind: HoldKind, siem: SiemState, exchangeId: number): HoldRow[] {
    if (!this.#allOpen) this.#learn(this.#store.db.all<HoldRow>('SELECT * FROM hold WHERE decided IS NULL'));
    this.#allOpen = true;
    return [...this.#rows.values()].filter(
      (one) => one.kind === kind && one.siem_id === siem.id && one.exchange_id === exchangeId && one.decided === null,
    );
  }

  /** The open hold of this kind, made if there is none; of what intake holds, one for each reason. */
  open(kind: HoldKind, siem: SiemState, exchangeId: number, now: number, reason: string): number {
    const { db } = this.#store;
    const open = this.opened(kind, siem, exchangeId).find((one) => kind !== 'intake' || one.reason === reason);
    if (open !== undefined) {
      if (open.reason !== reason) db.run('UPDATE hold SET reason = ? WHERE id = ?', reason, open.id);
      this.#rows.set(open.id, { ...open, reason });
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
    const undecided = { decided: null, decision: null, decided_by: null, decision_reason: null };
    const row = { id, kind, siem_id: siem.id, exchange_id: exchangeId, created: now, reason, entries: 0, sum: 0 };
    this.#rows.set(id, { ...row, ...undecided });
    return id;
  }

  join(id: number, entryId: number): void {
    this.#change(id, 1, this.#digest(entryId));
  }

  leave(id: number, entryId: number): void {
    this.#change(id, -1, MODULUS - this.#digest(entryId));
  }

  #change(id: number, entries: number, sum: number): void {
    const by = this.#changes.get(id) ?? { entries: 0, sum: 0 };
    this.#changes.set(id, { entries: by.entries + entries, sum: (by.sum + sum) % MODULUS });
    const known = this.#rows.get(id);
    if (known !== undefined) this.#rows.set(id, changed(known, { entries, sum }));
    this.#touched.add(id);
  }

  #save(): void {
    for (const [id, { entries, sum }] of this.#changes)
      this.#store.db.run(
        `UPDATE hold SET entries = entries + ?, sum = (sum + ?) % ${MODULUS} WHERE id = ?`,
        entries,
        sum,
        id,
      );
    this.#changes.clear();
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
    this.#save();
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
    this.forget();
  }

  /** The unit is over. */
  forget(): void {
    this.#touched.clear();
    this.#changes.clear();
    this.#rows.clear();
    this.#allOpen = false;
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
    const known = this.#rows.get(id);
    if (known !== undefined)
      this.#rows.set(id, { ...known, decided: now, decision, decided_by: by, decision_reason: reason });
  }

  /** Empty ones that were decided, or that nothing is left of, are over after a time. */
  prune(before: number): void {
    this.#save();
    this.#rows.clear();
    this.#allOpen = false;
    this.#store.db.run('DELETE FROM hold WHERE entries = 0 AND coalesce(decided, created) < ?', before);
    this.#store.db.run('DELETE FROM hold_past WHERE hold_id NOT IN (SELECT id FROM hold)');
  }
}

const changed = (row: HoldRow, by: { readonly entries: number; readonly sum: number } | undefined): HoldRow =>
  by === undefined ? row : { ...row, entries: row.entries + by.entries, sum: (row.sum + by.sum) % MODULUS };
