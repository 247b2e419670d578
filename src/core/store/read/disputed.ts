// What people called a false positive and is armed all the same: each a value that somebody may want to take off. It is a
// suggestion and no more, since one analyst's alert is not the partner's indicator; nobody has to answer it. Who took a
// value off after that, and lifted it again, has answered.
import { type ObservableType, OBSERVABLE_TYPES } from '../../model/observable.ts';
import { VERDICTS } from '../../model/sighting.ts';
import { STATE } from '../rows/rows.ts';
import type { Database } from '../sql/port.ts';

export interface Disputed {
  readonly type: ObservableType;
  readonly value: string;
  /** Where it was said. */
  readonly said: readonly string[];
  /** Where it stands, or goes. */
  readonly armed: readonly string[];
  readonly count: number;
  readonly last: string;
}

/** The partial index hit_disputed holds just these. */
const NEGATIVE = VERDICTS.indexOf('false_positive');
const ARMED = `SELECT s.name FROM siem s CROSS JOIN projection p WHERE s.active = 1 AND p.siem_id = s.id AND p.entry_id = h.entry_id
  AND p.wanted = 1 AND p.state NOT IN (${STATE.parked}, ${STATE.held})`;

/** The latest first. */
export function disputed(db: Database, most: number): Disputed[] {
  return db
    .all<{ id: number; type: number; value: string; n: number; last: number }>(
      `SELECT h.entry_id AS id, e.type, e.value, sum(h.n) AS n, max(h.last) AS last
       FROM hit h INDEXED BY hit_disputed CROSS JOIN entry e
       WHERE h.verdict = ${NEGATIVE} AND e.id = h.entry_id AND EXISTS (${ARMED}) AND NOT EXISTS (
         SELECT 1 FROM suppression x WHERE x.type = e.type AND x.value = e.value AND x.lifted IS NOT NULL AND x.created >= h.last)
       GROUP BY h.entry_id, e.type, e.value ORDER BY last DESC, h.entry_id LIMIT ?`,
      most,
    )
    .map((row) => ({
      type: OBSERVABLE_TYPES[row.type]!,
      value: row.value,
      said: names(
        db,
        `SELECT DISTINCT coalesce(s.name, 'by hand') AS name FROM hit h INDEXED BY hit_disputed LEFT JOIN siem s ON s.id = h.siem_id
         WHERE h.verdict = ${NEGATIVE} AND h.entry_id = ? ORDER BY name`,
        row.id,
      ),
      armed: names(
        db,
        `SELECT s.name FROM siem s CROSS JOIN projection p WHERE s.active = 1 AND p.siem_id = s.id AND p.entry_id = ?
         AND p.wanted = 1 AND p.state NOT IN (${STATE.parked}, ${STATE.held}) ORDER BY s.name`,
        row.id,
      ),
      count: row.n,
      last: new Date(row.last).toISOString(),
    }));
}

const names = (db: Database, sql: string, id: number): string[] =>
  db.all<{ name: string }>(sql, id).map(({ name }) => name);
