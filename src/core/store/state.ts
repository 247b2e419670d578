// Where a state is opened, locked and copied: the one place that knows which database keeps it.
import { existsSync } from 'node:fs';
import type { Database } from './sql/port.ts';
import { backup, migrate, SqliteDatabase } from './sqlite/database.ts';
import { holderOf, takeLock } from './sqlite/lock.ts';

export { holderOf, takeLock };

/** To write, brought to this version's schema. */
export function openState(path: string, options: { readonly cacheMb?: number } = {}): Database {
  const db = new SqliteDatabase(path, options);
  migrate(db);
  return db;
}

/** For a request beside the daemon, which keeps the schema as it is. */
export function openBeside(path: string): Database {
  return new SqliteDatabase(path);
}

/** For reading alone, beside whoever writes. */
export function openReading(path: string, options: { readonly cacheMb?: number } = {}): Database {
  return new SqliteDatabase(path, { ...options, readOnly: true });
}

/** A consistent copy while somebody works on it. The file must not exist yet. */
export function copyState(path: string, file: string): void {
  const db = new SqliteDatabase(path, { readOnly: true });
  try {
    backup(db, file);
  } finally {
    db.close();
  }
}

/** What the daemon left for commands beside it; undefined where it left nothing or this user may not look. */
export function rememberedIn(statePath: string, name: 'configuration' | 'listens'): string | undefined {
  if (!existsSync(statePath)) return undefined;
  let db: Database | undefined;
  try {
    db = openReading(statePath, { cacheMb: 1 });
    return db.get<{ value: string }>('SELECT value FROM meta WHERE name = ?', name)?.value;
  } catch {
    return undefined; // no state of ours: who opens it for its work says so
  } finally {
    db?.close();
  }
}
