// Where a state is opened, locked and looked for: the one place that knows which database keeps it.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { type CopiedTable, copyTables } from './copying.ts';
import { PostgresDatabase } from '../postgres/database.ts';
import { hasServerState, openServerState, serverHolder } from '../postgres/state.ts';
import { nameOf, type StatePlace } from '../sql/place.ts';
import type { Database } from '../sql/port.ts';
import { backup, migrate, refuseExisting, SqliteDatabase } from '../sqlite/database.ts';
import { holderOf as fileHolder, takeLock as takeFileLock } from '../sqlite/lock.ts';
import { StateAway } from '../sql/away.ts';

const MOVE_PATIENCE_MS = 10_000;

export interface OpenOptions {
  readonly cacheMb?: number;
  /** What others are told who want the state too. On a server the lock is the connection's. */
  readonly holder?: string;
  /** How long a server may be away at a time; for ever, unless it is said. */
  readonly patienceMs?: number;
  /** Told why nothing goes on, and with undefined that it does again. */
  readonly onAway?: (reason: string | undefined) => void;
  /** Told which statement a server refused, and its words for it. */
  readonly onFault?: (statement: string, reason: string) => void;
}

/** To write, brought to this version's schema. */
export function openState(place: StatePlace, options: OpenOptions = {}): Database {
  if (typeof place !== 'string') return openServerState(place, options);
  const db = new SqliteDatabase(place, options);
  migrate(db);
  return db;
}

/** For a request beside the daemon, which keeps the schema as it is. */
export function openBeside(place: StatePlace): Database {
  return typeof place === 'string' ? new SqliteDatabase(place) : new PostgresDatabase(place, { role: 'beside' });
}

/** For reading alone, beside whoever writes. */
export function openReading(place: StatePlace, options: { readonly cacheMb?: number } = {}): Database {
  return typeof place === 'string'
    ? new SqliteDatabase(place, { ...options, readOnly: true })
    : new PostgresDatabase(place, { role: 'read' });
}

export const hasState = (place: StatePlace): boolean =>
  typeof place === 'string' ? existsSync(place) : hasServerState(place);

/** A consistent copy while somebody works on it. The file must not exist yet. */
export function copyState(place: StatePlace, file: string): void {
  if (typeof place === 'string') {
    const db = new SqliteDatabase(place, { readOnly: true });
    try {
      backup(db, file);
    } finally {
      db.close();
    }
    return;
  }
  refuseExisting(file);
  const from = new PostgresDatabase(place, { role: 'read' });
  try {
    // One look at all tables, whatever is committed meanwhile.
    from.transaction(() => copyToFile(from, file));
  } finally {
    from.close();
  }
}

/** The whole state into a place that holds none. Both must stand still: the caller holds the lock of `from`. */
export function moveState(from: StatePlace, to: StatePlace, holder: string, told: (done: CopiedTable) => void): void {
  const source = openState(from, { holder, patienceMs: MOVE_PATIENCE_MS });
  try {
    if (typeof to === 'string') {
      refuseExisting(to);
      copyToFile(source, to, told);
      return;
    }
    const target = openServerState(to, { holder, patienceMs: MOVE_PATIENCE_MS });
    try {
      copyTables(source, target, told);
    } finally {
      target.close();
    }
  } finally {
    source.close();
  }
}

/** Under another name until it is whole. */
function copyToFile(from: Database, file: string, told?: (done: CopiedTable) => void): void {
  const part = `${file}.part`;
  for (const beside of ['', '-wal', '-shm']) rmSync(part + beside, { force: true });
  const db = new SqliteDatabase(part);
  try {
    migrate(db);
    copyTables(from, db, told);
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    db.close();
    renameSync(part, file);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  } finally {
    for (const beside of ['-wal', '-shm']) rmSync(part + beside, { force: true });
  }
}

/**
 * Undefined when somebody else holds it. A file is locked here for the life of the process; on a server the connection
 * that works on the state takes the lock, and here is only looked who has it.
 */
export function takeLock(place: StatePlace, holder: string): { release(): void } | { heldBy: string } {
  if (typeof place === 'string') return takeFileLock(place, holder);
  const heldBy = serverHolder(place);
  return heldBy === undefined ? { release: () => {} } : { heldBy };
}

/** Who holds the state now; undefined when nobody does. Somebody, too, where this user may not look. */
export function holderOf(place: StatePlace): string | undefined {
  return typeof place === 'string' ? fileHolder(place) : serverHolder(place);
}

/** What the daemon left for commands beside it; undefined where it left nothing or this user may not look. */
export function rememberedIn(place: StatePlace, name: 'configuration' | 'listens'): string | undefined {
  let db: Database | undefined;
  try {
    if (typeof place === 'string' && !existsSync(place)) return undefined;
    db = openReading(place, { cacheMb: 1 });
    return db.get<{ value: string }>('SELECT value FROM meta WHERE name = ?', name)?.value;
  } catch {
    return undefined; // no state of ours: who opens it for its work says so
  } finally {
    db?.close();
  }
}

export { nameOf, StateAway };
