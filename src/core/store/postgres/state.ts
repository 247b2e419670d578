// Opening a state on a server: to work on, brought to this version's schema under the lock; to read; or to look at
// without either.
import { ConnectorError } from '../../model/failure.ts';
import type { ServerPlace } from '../sql/place.ts';
import { SCHEMA_VERSION } from '../sql/schema.ts';
import { PostgresDatabase } from './database.ts';
import { stepsFrom } from './schema.ts';
import { holderIn } from './lock.ts';
import type { SessionOptions } from './session.ts';

/** Holds the lock of the state as long as it is open. */
export function openServerState(place: ServerPlace, options: Omit<SessionOptions, 'role'>): PostgresDatabase {
  const db = new PostgresDatabase(place, { ...options, role: 'work' });
  try {
    migrate(db, place);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

function migrate(db: PostgresDatabase, place: ServerPlace): void {
  const found = versionOf(db);
  if (found > SCHEMA_VERSION)
    throw new ConnectorError(
      'config',
      `the state ${place.name} was written by a newer version (schema ${found}, this one knows ${SCHEMA_VERSION}); install that version, or restore a backup`,
    );
  if (
    found === 0 &&
    db.all("SELECT 1 AS one FROM pg_tables WHERE schemaname = ? AND tablename <> 'server_state'", place.schema).length >
      0
  )
    throw new ConnectorError(
      'config',
      `state ${place.name}: the schema ${place.schema} holds tables that are not ours; name another one in state.schema`,
    );
  for (const { version, sql } of stepsFrom(found))
    db.script(`BEGIN; ${sql};
      INSERT INTO server_state (name, value) VALUES ('schema', '${version}') ON CONFLICT (name) DO UPDATE SET value = excluded.value;
      COMMIT`);
}

/** 0 where there is no state yet. */
export function versionOf(db: PostgresDatabase): number {
  const [table] = db.all<{ found: string | null }>("SELECT to_regclass('server_state')::text AS found");
  if (table?.found == null) return 0;
  return Number(db.get<{ value: string }>("SELECT value FROM server_state WHERE name = 'schema'")?.value ?? 0);
}

export function hasServerState(place: ServerPlace): boolean {
  return looking(place, (db) => versionOf(db) > 0);
}

export function serverHolder(place: ServerPlace): string | undefined {
  return looking(place, (db) => holderIn((sql, ...values) => db.session.rows(sql, ...values), place)?.name);
}

function looking<T>(place: ServerPlace, look: (db: PostgresDatabase) => T): T {
  const db = new PostgresDatabase(place, { role: 'read' });
  try {
    return look(db);
  } finally {
    db.close();
  }
}
