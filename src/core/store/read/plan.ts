// What a delivery would do, from the state alone; what a push brought, and where it stands.
import { OBSERVABLE_TYPES, type Observable } from '../../model/observable.ts';
import { STATE } from '../rows/rows.ts';
import type { StoreSpec } from '../spec/spec.ts';
import type { Database } from '../sql/port.ts';
import { noRoom } from './no-room.ts';

/** Rows read at once, where all of them are wanted. */
const PAGE = 1000;

export class PlanReader {
  readonly #db: Database;
  readonly #given: StoreSpec;

  constructor(db: Database, given: StoreSpec) {
    this.#db = db;
    this.#given = given;
  }

  /** What a delivery would do now, from the state alone. */
  plan(siem: string): {
    add: number;
    change: number;
    remove: number;
    held: number;
    parked: Record<string, number>;
    byType: Record<string, number>;
  } {
    const id = this.#db.get<{ id: number }>('SELECT id FROM siem WHERE name = ?', siem)?.id ?? 0;
    const one = (where: string): number =>
      this.#db.get<{ n: number }>(`SELECT count(*) AS n FROM projection WHERE siem_id = ? AND ${where}`, id)?.n ?? 0;
    const parked = this.#db.all<{ reason: string | null; n: number }>(
      `SELECT reason, count(*) AS n FROM projection INDEXED BY projection_work WHERE siem_id = ? AND state <> 0 AND state = ${STATE.parked} GROUP BY reason`,
      id,
    );
    const types = this.#db.all<{ type: number; n: number }>(
      'SELECT e.type, count(*) AS n FROM projection p JOIN entry e ON e.id = p.entry_id WHERE p.siem_id = ? AND p.wanted = 1 GROUP BY e.type',
      id,
    );
    return {
      add: one('state IN (1, 3, 5) AND wanted = 1 AND present <> 1'),
      change: one('state IN (1, 3, 5) AND wanted = 1 AND present = 1'),
      remove: one('state IN (2, 3, 5) AND wanted = 0'),
      held: one(`state = ${STATE.held}`),
      parked: {
        ...Object.fromEntries(parked.map((row) => [row.reason ?? 'refused', row.n])),
        ...this.#noRooms(siem, id),
      },
      byType: Object.fromEntries(types.map((row) => [OBSERVABLE_TYPES[row.type]!, row.n])),
    };
  }

  /** What is kept out, by container. */
  #noRooms(siem: string, id: number): Record<string, number> {
    const found: Record<string, number> = {};
    for (const { place, n } of this.#db.all<{ place: number; n: number }>(
      `SELECT min(p.place) AS place, count(*) AS n FROM projection p INDEXED BY projection_place JOIN entry e ON e.id = p.entry_id
       WHERE p.siem_id = ? AND p.kept_out = 1 AND p.place IS NOT NULL GROUP BY e.type`,
      id,
    )) {
      const reason = noRoom(this.#db, this.#given, siem, place);
      found[reason] = (found[reason] ?? 0) + n;
    }
    return found;
  }

  /** The entries a delivery would touch, page by page. */
  planned(siem: string, limit: number): { op: string; type: string; value: string }[] {
    return this.#db
      .all<{ wanted: number; present: number; type: number; value: string }>(
        `SELECT p.wanted, p.present, e.type, e.value FROM projection p JOIN siem s ON s.id = p.siem_id JOIN entry e ON e.id = p.entry_id
         WHERE s.name = ? AND p.state IN (1, 2, 3, 5) ORDER BY p.state DESC, p.entry_id LIMIT ?`,
        siem,
        limit,
      )
      .map((row) => ({
        op: row.wanted === 0 ? 'remove' : row.present === 1 ? 'change' : 'add',
        type: OBSERVABLE_TYPES[row.type]!,
        value: row.value,
      }));
  }

  /** What stands in a SIEM once all is done that can be done without a person. */
  *outcome(siem: string): Generator<Observable> {
    const id = this.#db.get<{ id: number }>('SELECT id FROM siem WHERE name = ?', siem)?.id ?? 0;
    for (let after = 0; ; ) {
      const rows = this.#db.all<{ id: number; type: number; value: string }>(
        `SELECT e.id, e.type, e.value FROM projection p JOIN entry e ON e.id = p.entry_id
         WHERE p.siem_id = ? AND p.entry_id > ? AND ((p.wanted = 1 AND p.state NOT IN (${STATE.parked}, ${STATE.held})) OR (p.present = 1 AND p.state = ${STATE.held}))
         ORDER BY p.entry_id LIMIT ${PAGE}`,
        id,
        after,
      );
      for (const row of rows) yield { type: OBSERVABLE_TYPES[row.type]!, value: row.value };
      if (rows.length < PAGE) return;
      after = rows.at(-1)!.id;
    }
  }

  /** Some entry that stands in the SIEM. */
  sample(siem: string): Observable | undefined {
    const row = this.#db.get<{ type: number; value: string }>(
      `SELECT e.type, e.value FROM projection p JOIN siem s ON s.id = p.siem_id JOIN entry e ON e.id = p.entry_id
       WHERE s.name = ? AND p.wanted = 1 AND p.present = 1 LIMIT 1`,
      siem,
    );
    return row === undefined ? undefined : { type: OBSERVABLE_TYPES[row.type]!, value: row.value };
  }

  /**
   * What objects of the exchange have vouched for since then, until another moment where one is given, and nobody else: the
   * values of one push. `shared`: how many more it named that others vouch for, or did before, or after that.
   */
  pushed(
    exchange: string,
    since: number,
    most: number,
    until = Number.MAX_SAFE_INTEGER,
  ): { values: Observable[]; shared: number } {
    const named = `FROM object o JOIN exchange x ON x.id = o.exchange_id JOIN contribution c ON c.object_id = o.id
       JOIN entry e ON e.id = c.entry_id WHERE x.name = ? AND o.state = 0 AND coalesce(c.since, 0) BETWEEN ? AND ?`;
    const beside = `EXISTS (SELECT 1 FROM contribution d JOIN object b ON b.id = d.object_id WHERE d.entry_id = e.id
       AND b.state = 0 AND (b.exchange_id <> o.exchange_id OR coalesce(d.since, 0) NOT BETWEEN ? AND ?))`;
    const rows = this.#db.all<{ type: number; value: string }>(
      `SELECT DISTINCT e.id, e.type, e.value ${named} AND NOT ${beside} ORDER BY e.id LIMIT ?`,
      exchange,
      since,
      until,
      since,
      until,
      most,
    );
    const shared = this.#db.get<{ n: number }>(
      `SELECT count(DISTINCT e.id) AS n ${named} AND ${beside}`,
      exchange,
      since,
      until,
      since,
      until,
    )!.n;
    return { values: rows.map((row) => ({ type: OBSERVABLE_TYPES[row.type]!, value: row.value })), shared };
  }

  /** Of these values, how many a SIEM holds or is about to, by its name. */
  standing(values: readonly Observable[]): Record<string, number> {
    const counts: Record<string, number> = Object.fromEntries(this.#given.siems.map(({ name }) => [name, 0]));
    const find = this.#db.lists(
      `SELECT s.name FROM projection p JOIN siem s ON s.id = p.siem_id JOIN entry e ON e.id = p.entry_id
       WHERE e.type = ? AND e.value = ? AND s.active = 1 AND (p.wanted = 1 OR p.present <> 0)`,
    );
    for (const { type, value } of values)
      for (const [name] of find(OBSERVABLE_TYPES.indexOf(type), value))
        counts[String(name)] = (counts[String(name)] ?? 0) + 1;
    return counts;
  }
}
