// The rows of a record as they are kept: each with a salt of its own, so that it can be forgotten, and with the newest
// object that names the entry; and where an entry is found among all records.
import { type RecordRow, rowLine } from '../../audit/record.ts';
import { OBSERVABLE_TYPES, parseEntryKey } from '../../model/observable.ts';
import { randomHex } from '../../runtime/ids.ts';
import type { ObjectRow } from '../rows/rows.ts';
import type { Database } from '../sql/port.ts';

const SALT_BYTES = 16;
/** Entries of one look-up. */
const LOOK_UP = 2000;
const NEWEST = `SELECT c.entry_id, o.object_id, o.tlp, o.open_markings, o.facts FROM contribution c JOIN object o ON o.id = c.object_id
  WHERE c.entry_id IN ($keys) AND c.object_id = (SELECT max(d.object_id) FROM contribution d WHERE d.entry_id = c.entry_id)`;

/** A row to be written. `unseen`: nothing was known of its object when it was noted. */
export type Noted = RecordRow & { readonly entryId: number; readonly unseen: boolean };

/** The marking of an object as its row has it (open-markings.ts). */
export type MarkingOf = (row: Pick<ObjectRow, 'tlp' | 'open_markings' | 'facts'>) => string | undefined;

type Newest = Pick<ObjectRow, 'object_id' | 'tlp' | 'open_markings' | 'facts'> & { readonly entry_id: number };

/** As they are hashed and kept. */
export function linesOf(db: Database, rows: readonly Noted[], markingOf: MarkingOf): string[] {
  // One draw for all of them.
  const salts = rows.length === 0 ? '' : randomHex(SALT_BYTES * rows.length);
  const newest = newestOf(db, rows);
  return rows.map((row, i) =>
    rowLine(
      row.unseen ? seen(row, newest.get(row.entryId), markingOf) : row,
      salts.slice(2 * SALT_BYTES * i, 2 * SALT_BYTES * (i + 1)),
    ),
  );
}

/** The newest object that names each of those that nothing was known of when they were noted. */
function newestOf(db: Database, rows: readonly Noted[]): ReadonlyMap<number, Newest> {
  const ids = [...new Set(rows.flatMap((row) => (row.unseen ? [row.entryId] : [])))];
  const found = new Map<number, Newest>();
  for (let at = 0; at < ids.length; at += LOOK_UP)
    for (const one of db.byKeys<Newest>(NEWEST, ids.slice(at, at + LOOK_UP))) found.set(one.entry_id, one);
  return found;
}

/** With the newest object that names it, withdrawn or not. */
function seen(row: Noted, found: Newest | undefined, markingOf: MarkingOf): RecordRow {
  if (found === undefined) return row;
  return { ...row, object: found.object_id, marking: row.marking ?? markingOf(found) ?? null };
}

/** By entry, so that what became of one is found among all the others. */
export function placeEntries(db: Database, rows: readonly Noted[], seq: number): void {
  const placed = new Set<number>();
  for (const { entryId } of rows) if (entryId !== 0) placed.add(entryId);
  db.insertRows(
    'audit_entry',
    ['entry_id', 'seq'],
    [...placed].map((id) => [id, seq]),
  );
}

/** 0: nobody knows it. */
export function entryIdOf(db: Database, key: string): number {
  const observable = parseEntryKey(key);
  if (observable === undefined) return 0;
  const { type, value } = observable;
  const number = OBSERVABLE_TYPES.indexOf(type);
  return db.get<{ id: number }>('SELECT id FROM entry WHERE type = ? AND value = ?', number, value)?.id ?? 0;
}
