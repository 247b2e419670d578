// One connection to the state file: pragmas, cached statements, transactions, migrations, a copy of it.
import { existsSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { ConnectorError } from '../../model/failure.ts';
import type { Database, Keys, OnConflict, Output, Statement, Value, Values } from '../sql/port.ts';
import { MIGRATIONS } from '../sql/schema.ts';

export class SqliteDatabase implements Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #lists = new Map<string, (...values: Value[]) => Output[][]>();
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

  statement<R extends object>(sql: string): Statement<R> {
    const prepared = this.#prepare(sql);
    // Column lists and row types stand side by side in one statement each; SQLite itself keeps no types to check.
    // Counts and ids are numbers as long as nobody asks for setReadBigInts.
    return {
      get: prepared.get.bind(prepared) as (...values: Value[]) => R | undefined,
      all: prepared.all.bind(prepared) as unknown as (...values: Value[]) => R[],
      run: prepared.run.bind(prepared) as (...values: Value[]) => void,
      changes: (...values) => Number(prepared.run(...values).changes),
    };
  }

  lists(sql: string): (...values: Value[]) => Output[][] {
    const prepared = this.#db.prepare(sql);
    prepared.setReturnArrays(true);
    // With setReturnArrays rows are lists; the types of this version know objects only.
    return (...values) => prepared.all(...values) as unknown as Output[][];
  }

  get<R extends object>(sql: string, ...values: Value[]): R | undefined {
    return this.#prepare(sql).get(...values) as R | undefined;
  }

  all<R extends object>(sql: string, ...values: Value[]): R[] {
    return this.#prepare(sql).all(...values) as R[];
  }

  iterate<R extends object>(sql: string, ...values: Value[]): IterableIterator<R> {
    return this.#db.prepare(sql).iterate(...values) as IterableIterator<R>;
  }

  run(sql: string, ...values: Value[]): void {
    this.#prepare(sql).run(...values);
  }

  changes(sql: string, ...values: Value[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  // ---- sets: each write is one prepared statement in a loop, which is the best there is in SQLite (lists of VALUES take
  // 1.1 of its time, json_each as a source 2.1).

  insertRows(table: string, columns: readonly string[], rows: readonly Values[], onConflict?: OnConflict): void {
    if (rows.length === 0) return;
    const insert = this.#prepare(
      `${insertInto(table, columns)}${onConflict === undefined ? '' : met(table, onConflict)}`,
    );
    for (const row of rows) insert.run(...row);
  }

  insertNew(table: string, columns: readonly string[], rows: readonly Values[], from: number): (number | undefined)[] {
    if (rows.length === 0) return [];
    const insert = this.#prepare(`${insertInto(table, ['id', ...columns])}${met(table, 'nothing')}`);
    let id = from;
    return rows.map((row) => (insert.run(id, ...row).changes === 0 ? undefined : id++));
  }

  updateRows(table: string, keys: readonly string[], columns: readonly string[], rows: readonly Values[]): void {
    if (rows.length === 0) return;
    const update = this.#prepare(
      `UPDATE ${table} SET ${columns.map(equals).join(', ')} WHERE ${keys.map(equals).join(' AND ')}`,
    );
    for (const row of rows) update.run(...row);
  }

  deleteRows(table: string, keys: readonly string[], rows: readonly Values[]): void {
    if (rows.length === 0) return;
    const remove = this.#prepare(`DELETE FROM ${table} WHERE ${keys.map(equals).join(' AND ')}`);
    for (const row of rows) remove.run(...row);
  }

  byKeys<R extends object>(select: string, keys: Keys, ...values: Value[]): R[] {
    if (keys.length === 0) return [];
    return this.#prepare(keyed(select)).all(...values, inJson(keys)) as R[];
  }

  listsByKeys(select: string, keys: Keys, ...values: Value[]): unknown[][] {
    if (keys.length === 0) return [];
    let lists = this.#lists.get(select);
    if (lists === undefined) {
      lists = this.lists(keyed(select));
      this.#lists.set(select, lists);
    }
    return lists(...values, inJson(keys));
  }

  tables(): { name: string; columns: string[] }[] {
    const rows = this.all<{ name: string; column: string }>(
      `SELECT m.name, c.name AS "column" FROM sqlite_master m, pragma_table_info(m.name) c
       WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid`,
    );
    return [...Map.groupBy(rows, (row) => row.name)].map(([name, found]) => ({
      name,
      columns: found.map((row) => row.column),
    }));
  }

  /** Ids come from the rows themselves. */
  copied(): void {}

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

  /** A file is never away. */
  back(why: Error): void {
    throw why;
  }

  close(): void {
    this.#statements.clear();
    this.#lists.clear();
    this.#db.close();
  }
}

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
export function schemaVersion(db: SqliteDatabase): number {
  return db.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;
}

/** Brings the file to this version's schema, after a backup beside it when it held an older one. */
export function migrate(db: SqliteDatabase, migrations: readonly string[] = MIGRATIONS): void {
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

/** A consistent copy while running. The file must not exist yet. */
export function backup(db: SqliteDatabase, file: string): void {
  refuseExisting(file);
  db.run('VACUUM INTO ?', file);
}

export function refuseExisting(file: string): void {
  if (existsSync(file)) {
    throw new ConnectorError(
      'permanent',
      `${file} exists already and a backup overwrites nothing; move that file away, then try again`,
    );
  }
}
