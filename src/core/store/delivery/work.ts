// Whether there is anything to do at a SIEM, and when.
import { STATE } from '../rows/rows.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';

/** How often a task under way in a SIEM is asked for. */
const RECEIPT_MS = 1000;

/** When work is next due at this SIEM: 0 = now, undefined = none. */
export function nextWork({ db }: StoreContext, { id }: SiemState, now: number): number | undefined {
  const ready = db.get(
    `SELECT 1 AS one FROM projection INDEXED BY projection_work WHERE siem_id = ? AND state <> 0 AND state IN (1, 2) AND (next_at IS NULL OR next_at <= ?) LIMIT 1`,
    id,
    now,
  );
  if (ready !== undefined) return 0;
  const later = db.all<{ state: number; at: number | null }>(
    'SELECT state, min(coalesce(next_at, 0)) AS at FROM projection INDEXED BY projection_work WHERE siem_id = ? AND state <> 0 AND state IN (1, 2, 4, 5) GROUP BY state',
    id,
  );
  // A receipt is asked for again after a while; an uncertain row is read back by the next cycle.
  const times = later.map((row) => (row.state === STATE.accepted ? now + RECEIPT_MS : Math.max(now + 1, row.at ?? 0)));
  return times.length === 0 ? undefined : Math.min(...times);
}

/** Something that must go has not been tried since it is to go: no pause holds it up. */
export const isUrgent = ({ db }: StoreContext, { id }: SiemState): boolean =>
  db.get(
    `SELECT 1 AS one FROM projection INDEXED BY projection_work
     WHERE siem_id = ? AND state <> 0 AND state IN (${STATE.remove}, ${STATE.uncertain}) AND wanted = 0 AND next_at IS NULL LIMIT 1`,
    id,
  ) !== undefined;
