// Entries whose moment has come though nothing arrived: an expiry, a claim that is valid from now on, a touch that is due.
import type { StoreContext } from '../unit/context.ts';
import type { Crowds } from './crowds.ts';
import type { Projector } from './projection.ts';
import type { StandTable } from './stand-table.ts';

/** What is needed to judge them. */
interface Judges {
  readonly store: StoreContext;
  readonly projector: Projector;
  readonly stands: StandTable;
  readonly crowds: Crowds;
}

/** Rows gone through, entries judged, and whether more are due. */
interface DueJudged {
  readonly rows: number;
  readonly changed: number;
  readonly more: boolean;
}

/** Judges those that are due by `now`, `most` rows of them. */
export function judgeDue({ store, projector, stands, crowds }: Judges, most: number, now: number): DueJudged {
  const rows = store.db.all<{ siem_id: number; entry_id: number }>(
    'SELECT siem_id, entry_id FROM projection WHERE due IS NOT NULL AND due <= ? ORDER BY due LIMIT ?',
    now,
    most,
  );
  const entries = projector.claims.entries(rows.map((row) => row.entry_id));
  let changed = 0;
  let crowded = 0;
  for (const siem of store.siems) {
    const due = rows.flatMap((row) => (row.siem_id === siem.id ? (entries.get(row.entry_id) ?? []) : []));
    const judged = due.map((entry) => ({ entry, reason: { cause: 'expired', exchangeId: 0 } as const }));
    projector.projectAll(judged, now, siem, (one) => {
      crowded++;
      crowds.look(one, now);
    });
    changed += due.length;
  }
  // Its SIEM left the configuration.
  for (const row of rows)
    if (!entries.has(row.entry_id) || !store.siems.some((one) => one.id === row.siem_id))
      stands.neverDue(row.siem_id, row.entry_id);
  // What is gone through by a sweep stays due until that is over.
  return { rows: rows.length, changed, more: rows.length === most && crowded < most / 2 };
}

/** The next moment of any entry. */
export const nextDue = ({ db }: StoreContext): number | undefined =>
  db.get<{ due: number | null }>('SELECT min(due) AS due FROM projection WHERE due IS NOT NULL')?.due ?? undefined;
