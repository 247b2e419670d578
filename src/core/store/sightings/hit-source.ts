// One SIEM as hits are read from it: how far they were read, how that went, and for which entries to search.
import type { Failure } from '../../model/failure.ts';
import type { Json } from '../../model/json.ts';
import { OBSERVABLE_TYPES, type Observable } from '../../model/observable.ts';
import { PRESENT } from '../rows/rows.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';

export function hitCursor({ db }: StoreContext, siem: SiemState): Json | undefined {
  const row = db.get<{ cursor: string | null }>('SELECT cursor FROM hit_source WHERE siem_id = ?', siem.id);
  return row === undefined || row.cursor === null ? undefined : (JSON.parse(row.cursor) as Json);
}

export function moveHitCursor({ db }: StoreContext, siem: SiemState, cursor: Json): void {
  db.run(
    'INSERT INTO hit_source (siem_id, cursor) VALUES (?, ?) ON CONFLICT (siem_id) DO UPDATE SET cursor = excluded.cursor',
    siem.id,
    JSON.stringify(cursor),
  );
}

/** How the reading ended. */
export function noteHits(
  { db }: StoreContext,
  siem: SiemState,
  failure: Failure | undefined,
  now: number,
  idle?: string,
): void {
  db.run('INSERT INTO hit_source (siem_id) VALUES (?) ON CONFLICT DO NOTHING', siem.id);
  if (failure === undefined)
    db.run(
      'UPDATE hit_source SET last_success = ?, failing_since = NULL, failure = NULL, idle = ? WHERE siem_id = ?',
      now,
      idle ?? null,
      siem.id,
    );
  else
    db.run(
      'UPDATE hit_source SET last_failure = ?, failing_since = coalesce(failing_since, ?), failure = ? WHERE siem_id = ?',
      now,
      now,
      JSON.stringify(failure),
      siem.id,
    );
}

/** Entries the SIEM holds, in steps: `after` is the id of the last one, 0 at the start. */
export function presentEntries(
  { db }: StoreContext,
  siem: SiemState,
  after: number,
  limit: number,
): { entries: Observable[]; last: number | undefined } {
  const rows = db.all<{ id: number; type: number; value: string }>(
    `SELECT e.id, e.type, e.value FROM projection p JOIN entry e ON e.id = p.entry_id
     WHERE p.siem_id = ? AND p.entry_id > ? AND p.wanted = 1 AND p.present = ${PRESENT.yes} ORDER BY p.entry_id LIMIT ?`,
    siem.id,
    after,
    limit,
  );
  return {
    entries: rows.map((row) => ({ type: OBSERVABLE_TYPES[row.type]!, value: row.value })),
    last: rows.at(-1)?.id,
  };
}
