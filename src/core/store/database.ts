// One connection to the state file: pragmas, cached statements, transactions, the lock. node:sqlite lives here.
import { existsSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { ConnectorError } from '../model/failure.ts';
import { MIGRATIONS } from './schema.ts';

export type Row = Record<string, unknown>;
export type Value = number | string | null;
/** Values in the order of the columns that go with them. */
export type Values = readonly Value[];

/**
 * What becomes of a row whose `keys` are there already: nothing, or `update` takes its values where they differ. Rows of
 * one call differ in their keys.
 */
export type OnConflict = 'nothing' | { readonly keys: readonly string[]; readonly update: readonly string[] };

export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #lists = new Map<string, (...values: SQLInputValue[]) => SQLOutputValue[][]>();
  readonly path: string;
  #depth = 0;

  constructor(path: string, options: { readonly readOnly?: boolean; readonly cacheMb?: number } = {}) {
    this.path = path;
    this.#db = new DatabaseSync(path, { readOnly: options.readOnly ?? false, timeout: 5000 });
    this.#db.exec(
      `PRAGMA cache_size = ${-(options.cacheMb ?? 16) * 1024}; PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY;`,
    );
    if (options.readOnly !== true) {
      // FULL: without it a power cut loses intents and leaves orphans in the SIEMs.
      this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;');
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** A statement for a hot path: prepared once, called with positional values. */
  statement<R extends object>(
    sql: string,
  ): {
    get: (...values: SQLInputValue[]) => R | undefined;
    all: (...values: SQLInputValue[]) => R[];
    run: (...values: SQLInputValue[]) => { readonly changes: number; readonly lastInsertRowid: number };
  } {
    const prepared = this.#prepare(sql);
    // Column lists and row types stand side by side in one statement each; SQLite itself keeps no types to check.
    // Counts and ids are numbers as long as nobody asks for setReadBigInts.
    return {
      get: prepared.get.bind(prepared) as (...values: SQLInputValue[]) => R | undefined,
      all: prepared.all.bind(prepared) as unknown as (...values: SQLInputValue[]) => R[],
      run: prepared.run.bind(prepared) as (...values: SQLInputValue[]) => { changes: number; lastInsertRowid: number },
    };
  }

  /** A statement of many rows: each as a list of its columns, which costs less than an object with their names. */
  lists(sql: string): (...values: SQLInputValue[]) => SQLOutputValue[][] {
    const prepared = this.#db.prepare(sql);
    prepared.setReturnArrays(true);
    // With setReturnArrays rows are lists; the types of this version know objects only.
    return (...values) => prepared.all(...values) as unknown as SQLOutputValue[][];
  }

  get<R extends object>(sql: string, ...values: SQLInputValue[]): R | undefined {
    return this.#prepare(sql).get(...values) as R | undefined;
  }

  all<R extends object>(sql: string, ...values: SQLInputValue[]): R[] {
    return this.#prepare(sql).all(...values) as R[];
  }

  iterate<R extends object>(sql: string, ...values: SQLInputValue[]): IterableIterator<R> {
    return this.#db.prepare(sql).iterate(...values) as IterableIterator<R>;
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  // ---- sets. Units that handle many rows read by key sets and write the difference at their end, table by table: nothing
  // asks for an answer row by row, since on a database server each answer is a journey. Writes give no answer at all and
  // may be sent without waiting; what they write is seen by every later read of the same transaction. Here each is one
  // prepared statement in a loop, which is the best there is in SQLite (lists of VALUES take 1.1 of its time, json_each as
  // a source 2.1).

  /** Rows of values in the order of `columns`. Without `onConflict` no row may be there yet. */
  insertRows(table: string, columns: readonly string[], rows: readonly Values[], onConflict?: OnConflict): void {
    if (rows.length === 0) return;
    const insert = this.#prepare(
      `${insertInto(table, columns)}${onConflict === undefined ? '' : met(table, onConflict)}`,
    );
    for (const row of rows) insert.run(...row);
  }

  /**
   * Inserts those rows that break no unique key of the table, under ids of their own, the first of which is `from`; `rows`
   * and `columns` leave `id` out. Answers with the id of each row, undefined where one was there already. Ids rise in the
   * order of the rows; whether one that was there leaves a gap is the database's own affair, so that the next one to be
   * given is the highest of the answer and one more.
   */
  insertNew(table: string, columns: readonly string[], rows: readonly Values[], from: number): (number | undefined)[] {
    if (rows.length === 0) return [];
    const insert = this.#prepare(`${insertInto(table, ['id', ...columns])}${met(table, 'nothing')}`);
    let id = from;
    return rows.map((row) => (insert.run(id, ...row).changes === 0 ? undefined : id++));
  }

  /** Sets `columns` in the rows with these keys. Each of `rows`: the new values, then those of `keys`. */
  updateRows(table: string, keys: readonly string[], columns: readonly string[], rows: readonly Values[]): void {
    if (rows.length === 0) return;
    const update = this.#prepare(
      `UPDATE ${table} SET ${columns.map(equals).join(', ')} WHERE ${keys.map(equals).join(' AND ')}`,
    );
    for (const row of rows) update.run(...row);
  }

  /** Each of `rows`: the values of `keys`. */
  deleteRows(table: string, keys: readonly string[], rows: readonly Values[]): void {
    if (rows.length === 0) return;
    const remove = this.#prepare(`DELETE FROM ${table} WHERE ${keys.map(equals).join(' AND ')}`);
    for (const row of rows) remove.run(...row);
  }

  /**
   * Rows of a set of keys in one look-up, which costs a third of as many single ones: `select` says `IN ($keys)` behind
   * its parameters, whose `values` are given after the keys. Numbers or texts, never both; at most some thousands. In no
   * order, and a text comes back as the database keeps it (well-formed).
   */
  byKeys<R extends object>(select: string, keys: Keys, ...values: Value[]): R[] {
    if (keys.length === 0) return [];
    return this.#prepare(keyed(select)).all(...values, inJson(keys)) as R[];
  }

  /** The same with each row as a list of its columns, which costs less than an object with their names. */
  listsByKeys(select: string, keys: Keys, ...values: Value[]): unknown[][] {
    if (keys.length === 0) return [];
    let lists = this.#lists.get(select);
    if (lists === undefined) {
      lists = this.lists(keyed(select));
      this.#lists.set(select, lists);
    }
    return lists(...values, inJson(keys));
  }

  /** All or nothing. Nested calls join the outer transaction. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.#db.exec('BEGIN IMMEDIATE');
    this.#depth = 1;
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    } finally {
      this.#depth = 0;
    }
  }

  dataVersion(): number {
    return (this.get<{ data_version: number }>('PRAGMA data_version') ?? { data_version: 0 }).data_version;
  }

  close(): void {
    this.#statements.clear();
    this.#lists.clear();
    this.#db.close();
  }
}

export type Keys = readonly number[] | readonly string[];

const equals = (column: string): string => `${column} = ?`;

const insertInto = (table: string, columns: readonly string[]): string =>
  `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;

function met(table: string, onConflict: OnConflict): string {
  if (onConflict === 'nothing') return ' ON CONFLICT DO NOTHING';
  const { keys, update } = onConflict;
  const set = update.map((one) => `${one} = excluded.${one}`).join(', ');
  const differs = update.map((one) => `${table}.${one} IS DISTINCT FROM excluded.${one}`).join(' OR ');
  return ` ON CONFLICT (${keys.join(', ')}) DO UPDATE SET ${set} WHERE ${differs}`;
}

const keyed = (select: string): string => select.replace('$keys', 'SELECT value FROM json_each(?)');

/** Half a pair of surrogates is kept as U+FFFD when it is bound as it is, and JSON must not say otherwise. */
function inJson(keys: Keys): string {
  const text = JSON.stringify(keys);
  if (!text.includes('\\ud')) return text;
  return JSON.stringify(keys.map((key) => (typeof key === 'string' ? key.toWellFormed() : key)));
}

/** Schema version of the file; 0 for a new one. */
export function schemaVersion(db: Database): number {
  return db.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;
}

/** Brings the file to this version's schema, after a backup beside it when it held an older one. */
export function migrate(db: Database, migrations: readonly string[] = MIGRATIONS): void {
  const newest = migrations.length;
  const found = schemaVersion(db);
  if (found > newest) {
    throw new ConnectorError(
      'config',
      `the state file ${db.path} was written by a newer version (schema ${found}, this one knows ${newest}); install that version, or restore a backup`,
    );
  }
  if (found > 0 && found < newest) backup(db, `${db.path}.schema-${found}.bak`);
  for (let version = found; version < newest; version++) {
    db.transaction(() => {
      db.exec(migrations[version] ?? '');
      db.exec(`PRAGMA user_version = ${version + 1}`);
    });
  }
}

/** What the daemon left for commands beside it; undefined where it left nothing or this user may not look. */
export function rememberedIn(statePath: string, name: 'configuration' | 'listens'): string | undefined {
  if (!existsSync(statePath)) return undefined;
  let db: Database | undefined;
  try {
    db = new Database(statePath, { readOnly: true, cacheMb: 1 });
    return db.get<{ value: string }>('SELECT value FROM meta WHERE name = ?', name)?.value;
  } catch {
    return undefined; // no state of ours: who opens it for its work says so
  } finally {
    db?.close();
  }
}

/** A consistent copy while running. The file must not exist yet. */
export function backup(db: Database, file: string): void {
  if (existsSync(file)) {
    throw new ConnectorError(
      'permanent',
      `${file} exists already and a backup overwrites nothing; move that file away, then try again`,
    );
  }
  db.run('VACUUM INTO ?', file);
}

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
