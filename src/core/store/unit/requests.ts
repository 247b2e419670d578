// How a command speaks to the running daemon: it inserts a row and waits. The daemon claims it and writes the
// outcome. A request that nobody claims expires, so that an old approval never fires later.
import type { Json } from '../../model/json.ts';
import type { StoreContext } from './context.ts';
import type { Database } from '../sql/port.ts';
import { SCHEMA_VERSION } from '../sql/schema.ts';

export interface StoredRequest {
  readonly id: number;
  readonly kind: string;
  readonly arguments: Json;
  readonly by: string;
}

export const REQUEST_LIFE_MS = 60_000;
const BELIEVED_MS = 3_600_000;

export class Requests {
  readonly #store: StoreContext;

  constructor(store: StoreContext) {
    this.#store = store;
  }

  claim(now: number): StoredRequest | undefined {
    const { db } = this.#store;
    db.run(
      'UPDATE request SET finished = ?, outcome = ? WHERE claimed IS NULL AND finished IS NULL AND (expires < ? OR schema <> ?)',
      now,
      JSON.stringify({
        ok: false,
        message: 'the request expired, or came from another version, before the daemon took it; nothing was done',
      }),
      now,
      SCHEMA_VERSION,
    );
    const row = db.get<{ id: number; kind: string; arguments: string; made_by: string }>(
      `UPDATE request SET claimed = ? WHERE id = (SELECT min(id) FROM request WHERE claimed IS NULL AND finished IS NULL)
       RETURNING id, kind, arguments, made_by`,
      now,
    );
    return row === undefined
      ? undefined
      : { id: row.id, kind: row.kind, arguments: JSON.parse(row.arguments) as Json, by: row.made_by };
  }

  finish(id: number, outcome: Json, now: number): void {
    this.#store.db.run('UPDATE request SET finished = ?, outcome = ? WHERE id = ?', now, JSON.stringify(outcome), id);
    this.#store.db.run('DELETE FROM request WHERE finished IS NOT NULL AND finished < ?', now - 30 * 86_400_000);
  }
}

/** From the command's side, over a connection of its own. */
export function insertRequest(db: Database, kind: string, args: Json, by: string, wall: number): number {
  // The daemon measures a request's life by engine time, and while the clock of the machine is doubted the two are far
  // apart: by the clock alone a request would be dead when it is made, or would fire long after its minute.
  const engine = Number(db.get<{ value: string }>("SELECT value FROM meta WHERE name = 'engine_time'")?.value ?? 0);
  const now = engine > 0 && Math.abs(wall - engine) > BELIEVED_MS ? engine : wall;
  return db.get<{ id: number }>(
    'INSERT INTO request (kind, arguments, made_by, schema, created, expires) VALUES (?, ?, ?, ?, ?, ?) RETURNING id',
    kind,
    JSON.stringify(args),
    by,
    SCHEMA_VERSION,
    now,
    now + REQUEST_LIFE_MS,
  )!.id;
}

/** True when nobody took it, so that it is as if it had never been made. */
export function withdrawRequest(db: Database, id: number): boolean {
  return db.changes('DELETE FROM request WHERE id = ? AND claimed IS NULL AND finished IS NULL', id) === 1;
}

export function requestOutcome(db: Database, id: number): Json | undefined {
  const row = db.get<{ outcome: string | null }>('SELECT outcome FROM request WHERE id = ?', id);
  return row === undefined || row.outcome === null ? undefined : (JSON.parse(row.outcome) as Json);
}
