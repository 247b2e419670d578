// A state on a PostgreSQL server, behind the port of the units.
import type { StateAway } from '../sql/away.ts';
import type { Database, Keys, OnConflict, Output, Statement, Value, Values } from '../sql/port.ts';
import type { ServerPlace } from '../sql/place.ts';
import { listsOf, rowsOf } from './answers.ts';
import { Conversation } from './conversation.ts';
import { quotedName } from './dialect.ts';
import { Growth } from './growth.ts';
import type { Rows } from './messages.ts';
import { Session, type SessionOptions } from './session.ts';
import { type Casts, deleteSql, insertNewSql, insertSql, lastOfEach, updateSql } from './sets.ts';
import { type ArrayValue, arrayOf } from './statements.ts';

/** Rows of a long answer that are held at a time. */
const PAGE = 2_000;

export class PostgresDatabase implements Database {
  readonly path: string;
  readonly #session: Session;
  readonly #talk: Conversation;
  readonly #schema: string;
  /** By table: which of its columns hold text. */
  readonly #texts = new Map<string, ReadonlyMap<string, boolean>>();
  readonly #growth = new Growth();

  constructor(place: ServerPlace, options: SessionOptions) {
    this.path = place.name;
    this.#session = new Session(place, options);
    this.#talk = new Conversation(this.#session, place.name, this.#growth, options.role === 'work');
    this.#schema = place.schema;
    try {
      this.#session.open();
      this.#talk.begins();
    } catch (error) {
      this.#session.close();
      throw error;
    }
  }

  get session(): Session {
    return this.#session;
  }

  statement<R extends object>(sql: string): Statement<R> {
    return {
      get: (...values) => this.get<R>(sql, ...values),
      all: (...values) => this.all<R>(sql, ...values),
      run: (...values) => this.run(sql, ...values),
      changes: (...values) => this.changes(sql, ...values),
    };
  }

  lists(sql: string): (...values: Value[]) => Output[][] {
    return (...values) => listsOf(this.#rows(sql, values));
  }

  get<R extends object>(sql: string, ...values: Value[]): R | undefined {
    return rowsOf<R>(this.#rows(sql, values))[0];
  }

  all<R extends object>(sql: string, ...values: Value[]): R[] {
    return rowsOf<R>(this.#rows(sql, values));
  }

  *iterate<R extends object>(sql: string, ...values: Value[]): IterableIterator<R> {
    const own = !this.#talk.inTransaction;
    if (own) this.#talk.begin();
    try {
      this.#talk.later(`DECLARE many NO SCROLL CURSOR FOR ${sql}`, values);
      for (;;) {
        const page = rowsOf<R>(this.#rows(`FETCH ${PAGE} FROM many`, []));
        yield* page;
        if (page.length < PAGE) break;
      }
    } finally {
      if (own) this.#talk.rollback();
      else this.#talk.later('CLOSE many', []);
    }
  }

  run(sql: string, ...values: Value[]): void {
    this.#talk.write(() => this.#talk.later(sql, values));
  }

  changes(sql: string, ...values: Value[]): number {
    return this.#talk.write(() => {
      const [result] = this.#talk.ask([this.#session.statements.step(sql, values, 'changes')]).slice(-1);
      return typeof result === 'number' ? result : 0;
    });
  }

  exec(sql: string): void {
    this.#talk.write(() => {
      this.#texts.clear();
      for (const one of sql.split(';')) if (one.trim() !== '') this.#talk.later(one, []);
    });
  }

  /** Words of the server's own. */
  script(text: string): void {
    this.#talk.flush();
    this.#texts.clear();
    this.#session.script(text);
  }

  insertRows(table: string, columns: readonly string[], rows: readonly Values[], onConflict?: OnConflict): void {
    if (rows.length === 0) return;
    this.#growth.grew(table, rows.length);
    this.#talk.set(insertSql(table, columns, this.#casts(table), onConflict), this.#arrays(table, columns, rows));
  }

  insertNew(table: string, columns: readonly string[], rows: readonly Values[], from: number): (number | undefined)[] {
    if (rows.length === 0) return [];
    this.#growth.grew(table, rows.length);
    const values = [...this.#arrays(table, columns, rows), from];
    const step = this.#session.statements.step(insertNewSql(table, columns, this.#casts(table)), values, 'rows', false);
    const given = new Set(listsOf(this.#talk.answer(step)).map(([id]) => id));
    return rows.map((_, i) => (given.has(from + i) ? from + i : undefined));
  }

  updateRows(table: string, keys: readonly string[], columns: readonly string[], rows: readonly Values[]): void {
    if (rows.length === 0) return;
    const values = this.#arrays(table, [...columns, ...keys], lastOfEach(rows, columns.length));
    this.#talk.set(updateSql(table, keys, columns, this.#casts(table)), values);
  }

  deleteRows(table: string, keys: readonly string[], rows: readonly Values[]): void {
    if (rows.length === 0) return;
    this.#talk.set(deleteSql(table, keys, this.#casts(table)), this.#arrays(table, keys, rows));
  }

  byKeys<R extends object>(select: string, keys: Keys, ...values: Value[]): R[] {
    return keys.length === 0 ? [] : rowsOf<R>(this.#byKeys(select, keys, values));
  }

  listsByKeys(select: string, keys: Keys, ...values: Value[]): unknown[][] {
    return keys.length === 0 ? [] : listsOf(this.#byKeys(select, keys, values));
  }

  tables(): { name: string; columns: string[] }[] {
    const rows = this.all<{ name: string; column: string }>(
      `SELECT c.relname AS name, a.attname AS "column" FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
       WHERE c.relkind = 'r' AND c.relnamespace = to_regnamespace(?) AND c.relname <> 'server_state'
       AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum`,
      quotedName(this.#schema),
    );
    return [...Map.groupBy(rows, (row) => row.name)].map(([name, found]) => ({
      name,
      columns: found.map((row) => row.column),
    }));
  }

  copied(): void {
    this.get(
      `SELECT setval(pg_get_serial_sequence('request', 'id'), coalesce(max(id), 0) + 1, false) AS at FROM request`,
    );
  }

  transaction<T>(work: () => T): T {
    return this.#talk.transaction(work);
  }

  dataVersion(): number {
    // A connection that was lost while nobody asked is found here, within a turn of the daemon's loop.
    if (this.#session.suspicious) this.get('SELECT 1 AS one');
    return this.#session.news;
  }

  back(why: StateAway): void {
    this.#talk.back(why);
  }

  close(): void {
    this.#session.close();
  }

  #rows(sql: string, values: readonly Value[]): Rows {
    return this.#talk.answer(this.#session.statements.step(sql, values, 'rows'));
  }

  #byKeys(select: string, keys: Keys, values: readonly Value[]): Rows {
    const isText = typeof keys[0] === 'string';
    const sql = select.replace('IN ($keys)', `= ANY(?)`);
    return this.#talk.answer(this.#session.statements.step(sql, [...values, arrayOf(keys, isText)], 'rows'));
  }

  #arrays(table: string, columns: readonly string[], rows: readonly Values[]): ArrayValue[] {
    return columns.map((column, i) =>
      arrayOf(
        rows.map((row) => row[i] ?? null),
        this.#isText(table, column),
      ),
    );
  }

  #casts(table: string): Casts {
    return (column) => (this.#isText(table, column) ? '::text[]' : '::bigint[]');
  }

  #isText(table: string, column: string): boolean {
    let columns = this.#texts.get(table);
    if (columns === undefined) {
      const rows = this.all<{ name: string; text: number }>(
        'SELECT attname AS name, atttypid = 25 AS text FROM pg_attribute WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped',
        table,
      );
      // Lost with its connection, as a temporary one is: the server says so by itself.
      if (rows.length === 0) return false;
      columns = new Map(rows.map(({ name, text }) => [name, text === 1]));
      this.#texts.set(table, columns);
    }
    const found = columns.get(column);
    if (found === undefined) throw new Error(`${table} has no column ${column}`);
    return found;
  }
}
