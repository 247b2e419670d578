// How long the record tells which values they were. Its chain stays for good: a record keeps the root over its rows, and
// rows and salt go.
import type { RecordKept } from './records.ts';

/** Records before this one tell no values any more. */
export const PRUNED = 'audit_pruned';
const STEP = 200;

export class RecordRetention {
  readonly #store: RecordKept;

  constructor(store: RecordKept) {
    this.#store = store;
  }

  /** One step; how many records it came to. */
  step(before: number): number {
    const { db } = this.#store;
    const from = Number(this.#store.meta(PRUNED) ?? 0);
    const rows = db.all<{ seq: number; action: string; entries: string | null }>(
      'SELECT seq, action, entries FROM audit_record WHERE seq >= ? AND at < ? ORDER BY seq LIMIT ?',
      from,
      before,
      STEP,
    );
    const last = rows.at(-1);
    if (last === undefined) return 0;
    for (const { seq, action, entries } of rows) {
      // Which checkpoints were lost is no value of anybody.
      if (entries === null || action === 'gap') continue;
      const ids = [...new Set(entries.split(' ').map(Number))];
      db.deleteRows(
        'audit_entry',
        ['entry_id', 'seq'],
        ids.map((id) => [id, seq]),
      );
      db.run('UPDATE audit_record SET lines = NULL, entries = NULL WHERE seq = ?', seq);
    }
    db.run(
      'DELETE FROM audit_forgotten WHERE NOT EXISTS (SELECT 1 FROM audit_entry WHERE audit_entry.entry_id = audit_forgotten.entry_id)',
    );
    this.#store.setMeta(PRUNED, String(last.seq + 1));
    return rows.length;
  }
}
