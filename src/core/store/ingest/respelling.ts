// After an upgrade that reads values or markings by other rules: what was taken in under the old ones is gone through
// once. Each value is spelled anew from the old spelling, so that none of them stays armed for ever, whether or not its
// partner still publishes it; a value that the rules refuse now is withdrawn. The exchanges start over meanwhile, and
// what they publish still is read again from the source.
import { canonical } from '../../model/canonical.ts';
import { OBSERVABLE_TYPES } from '../../model/observable.ts';
import { lifeFrom } from '../../policy/expiry.ts';
import type { StoreContext } from '../unit/context.ts';
import type { Explanations } from '../unit/explanations.ts';
import { explained, openOf } from '../rows/open-markings.ts';
import { OBJECT, type ObjectRow } from '../rows/rows.ts';
import type { Sweep, Sweeps, SweepStep } from '../unit/sweeps.ts';
import type { Touched } from '../unit/touched.ts';

/** By our own rules, so no partner withdrew or added anything, and no brake counts it. */
const OURS = { cause: 'policy', exchangeId: 0 } as const;

export function registerRespelling(sweeps: Sweeps, store: StoreContext, context: Explanations, touched: Touched): void {
  const { db } = store;
  const linked = db.statement<{ id: number; type: number; value: string }>(
    'SELECT e.id, e.type, e.value FROM contribution c JOIN entry e ON e.id = c.entry_id WHERE c.object_id = ?',
  );

  sweeps.register('respelled', (sweep: Sweep, most: number, now: number): SweepStep => {
    const rows = db.all<ObjectRow>(
      `SELECT * FROM object WHERE id > ? AND life_from IS NULL ORDER BY id LIMIT ?`,
      Number(sweep.position),
      most,
    );
    let done = 0;
    for (const [i, row] of rows.entries()) {
      done += 1 + one(row, now);
      if (done >= most && i + 1 < rows.length) return { rows: done, position: String(row.id) };
    }
    return { rows: done, position: rows.length < most ? undefined : String(rows.at(-1)!.id) };
  });

  function one(row: ObjectRow, now: number): number {
    const levels = row.open_markings === null ? row : explained(context, row.exchange_id, openOf(row));
    const life = lifeFrom({ version: row.version, validFrom: row.valid_from }, now);
    db.run(
      'UPDATE object SET tlp = ?, pap = ?, unexplained = ?, life_from = ? WHERE id = ?',
      levels.tlp,
      levels.pap,
      levels.unexplained,
      life,
      row.id,
    );
    if (row.state === OBJECT.revoked) return 0;
    const entries = linked.all(row.id);
    for (const entry of entries) respell(row, entry);
    return entries.length;
  }

  function respell(row: ObjectRow, entry: { id: number; type: number; value: string }): void {
    const type = OBSERVABLE_TYPES[entry.type]!;
    const spelled = canonical(type, entry.value);
    const stays = 'value' in spelled && spelled.value === entry.value;
    if (!stays) {
      if ('value' in spelled) {
        const id = entryOf(entry.type, spelled.value);
        db.run('INSERT INTO contribution (entry_id, object_id) VALUES (?, ?) ON CONFLICT DO NOTHING', id, row.id);
        touched.add({ id, type, value: spelled.value }, OURS);
      }
      db.run('DELETE FROM contribution WHERE entry_id = ? AND object_id = ?', entry.id, row.id);
    }
    touched.add({ id: entry.id, type, value: entry.value }, OURS);
  }

  function entryOf(type: number, value: string): number {
    const found = db.get<{ id: number }>('SELECT id FROM entry WHERE type = ? AND value = ?', type, value);
    if (found !== undefined) return found.id;
    const id = store.ids.take('entry');
    db.run('INSERT INTO entry (id, type, value) VALUES (?, ?, ?)', id, type, value);
    return id;
  }
}
