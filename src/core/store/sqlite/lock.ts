// The lock of a state file.
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/**
 * Holds the state for the life of the process: an open exclusive transaction on a file of its own, which the
 * kernel releases at any kind of death. Undefined when somebody else holds it; a pid file would lie after a crash.
 */
export function takeLock(statePath: string, holder: string): { release(): void } | { heldBy: string } {
  const path = `${statePath}.lock`;
  // Long enough to outwait a `holderOf` that looks at this very moment.
  const lock = new DatabaseSync(path, { timeout: 250 });
  try {
    lock.exec('PRAGMA journal_mode = DELETE; CREATE TABLE IF NOT EXISTS holder (id INTEGER PRIMARY KEY, name TEXT)');
    lock
      .prepare('INSERT INTO holder (id, name) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name')
      .run(holder);
    // A reserved lock keeps other writers out and still lets them read who holds it.
    lock.exec('BEGIN IMMEDIATE');
    return { release: () => lock.close() };
  } catch (error) {
    const busy = error instanceof Error && /locked|busy/i.test(error.message);
    let heldBy = 'another process';
    try {
      heldBy = String(lock.prepare('SELECT name FROM holder WHERE id = 1').get()?.['name'] ?? heldBy);
    } catch {
      heldBy = 'another process, which is just starting';
    }
    lock.close();
    if (busy) return { heldBy };
    throw error;
  }
}

/** Who holds the state now; undefined when nobody does. Somebody, too, where this user may not look. */
export function holderOf(statePath: string): string | undefined {
  const path = `${statePath}.lock`;
  if (!existsSync(path)) return undefined;
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(path, { timeout: 0 });
    lock.exec('BEGIN IMMEDIATE; ROLLBACK');
    return undefined;
  } catch {
    return String(lock?.prepare('SELECT name FROM holder WHERE id = 1').get()?.['name'] ?? 'another process');
  } finally {
    lock?.close();
  }
}
