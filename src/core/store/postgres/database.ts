// A state on a PostgreSQL server, behind the port of the units. What gives no answer waits for what does, or for the
// COMMIT, and goes with it in one message: a journey is paid for answers alone.
import { StateAway } from '../sql/away.ts';
import { StateFailure } from '../sql/state-failure.ts';
import type { Database, Keys, OnConflict, Output, Statement, Value, Values } from '../sql/port.ts';
import type { ServerPlace } from '../sql/place.ts';
import { Growth } from './growth.ts';
import type { Rows, Step } from './messages.ts';
import { quotedName, rowsOf, Session, type SessionOptions } from './session.ts';
import { type ArrayValue, arrayOf } from './statements.ts';

/** Rows of a long answer that are held at a time. */
const PAGE = 2_000;
/** Characters of a set that does not wait for the next question. */
const WORTH_SENDING = 4_000;

export class PostgresDatabase implements Database {
  readonly path: string;
  readonly #session: Session;
  readonly #marks: boolean;
  readonly #schema: string;
  /** By table: which of its columns hold text. */
  readonly #texts = new Map<string, ReadonlyMap<string, boolean>>();
  readonly #growth = new Growth();
  #waiting: Step[] = [];
  #depth = 0;
  #begun = false;
  #unit = 0;
  /** The mark of the unit that was committed last, here or by who worked before. */
  #last: string | undefined;

  constructor(place: ServerPlace, options: SessionOptions) {
    this.path = place.name;
    this.#session = new Session(place, options);
    this.#marks = options.role === 'work';
    this.#schema = place.schema;
    try {
      this.#session.open();
      if (this.#marks) this.#last = this.#marked();
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
    const own = this.#depth === 0;
    if (own) this.#begin();
    try {
      this.#later(`DECLARE many NO SCROLL CURSOR FOR ${sql}`, values);
      for (;;) {
        const page = rowsOf<R>(this.#rows(`FETCH ${PAGE} FROM many`, []));
        yield* page;
        if (page.length < PAGE) break;
      }
    } finally {
      if (own) this.#rollback();
      else this.#later('CLOSE many', []);
    }
  }

  run(sql: string, ...values: Value[]): void {
    this.#write(() => this.#later(sql, values));
  }

  changes(sql: string, ...values: Value[]): number {
    return this.#write(() => {
      const [result] = this.#ask([this.#session.statements.step(sql, values, 'changes')]).slice(-1);
      return typeof result === 'number' ? result : 0;
    });
  }

  exec(sql: string): void {
    this.#write(() => {
      this.#texts.clear();
      for (const one of sql.split(';')) if (one.trim() !== '') this.#later(one, []);
    });
  }

  /** Words of the server's own. */
  script(text: string): void {
    this.#flush();
    this.#texts.clear();
    this.#session.script(text);
  }

  insertRows(table: string, columns: readonly string[], rows: readonly Values[], onConflict?: OnConflict): void {
    if (rows.length === 0) return;
    this.#growth.grew(table, rows.length);
    const source = columns.map((_, i) => `$${i + 1}${this.#cast(table, columns[i]!)}`).join(', ');
    const met = onConflict === undefined ? '' : metOf(table, onConflict);
    this.#set(
      `INSERT INTO ${table} (${columns.join(', ')}) SELECT * FROM unnest(${source})${met}`,
      this.#arrays(table, columns, rows),
    );
  }

  insertNew(table: string, columns: readonly string[], rows: readonly Values[], from: number): (number | undefined)[] {
    if (rows.length === 0) return [];
    this.#growth.grew(table, rows.length);
    const source = columns.map((one, i) => `$${i + 1}${this.#cast(table, one)}`).join(', ');
    const names = columns.map((_, i) => `v${i}`);
    const step = this.#session.statements.step(
      `INSERT INTO ${table} (id, ${columns.join(', ')})
       SELECT $${columns.length + 1} + place - 1, ${names.join(', ')} FROM unnest(${source}) WITH ORDINALITY AS u(${names.join(', ')}, place)
       ORDER BY place ON CONFLICT DO NOTHING RETURNING id`,
      [...this.#arrays(table, columns, rows), from],
      'rows',
      false,
    );
    const given = new Set(listsOf(this.#answer(step)).map(([id]) => id));
    return rows.map((_, i) => (given.has(from + i) ? from + i : undefined));
  }

  updateRows(table: string, keys: readonly string[], columns: readonly string[], rows: readonly Values[]): void {
    if (rows.length === 0) return;
    const all = [...columns, ...keys];
    const source = all.map((one, i) => `$${i + 1}${this.#cast(table, one)}`).join(', ');
    const names = all.map((_, i) => `v${i}`);
    this.#set(
      `UPDATE ${table} SET ${columns.map((one, i) => `${one} = v${i}`).join(', ')}
       FROM unnest(${source}) AS u(${names.join(', ')}) WHERE ${this.#keyed(table, keys, columns.length)}`,
      this.#arrays(table, all, lastOfEach(rows, columns.length)),
    );
  }

  deleteRows(table: string, keys: readonly string[], rows: readonly Values[]): void {
    if (rows.length === 0) return;
    const source = keys.map((one, i) => `$${i + 1}${this.#cast(table, one)}`).join(', ');
    const names = keys.map((_, i) => `v${i}`);
    this.#set(
      `DELETE FROM ${table} USING unnest(${source}) AS u(${names.join(', ')}) WHERE ${this.#keyed(table, keys, 0)}`,
      this.#arrays(table, keys, rows),
    );
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
    if (this.#depth > 0) return work();
    this.#begin();
    try {
      const result = work();
      this.#commit();
      return result;
    } catch (error) {
      if (this.#depth > 0) this.#rollback();
      throw error;
    }
  }

  dataVersion(): number {
    // A connection that was lost while nobody asked is found here, within a turn of the daemon's loop.
    if (this.#session.suspicious) this.get('SELECT 1 AS one');
    return this.#session.news;
  }

  back(why: StateAway): void {
    for (let away = why; ; ) {
      this.#session.back(away);
      if (!this.#marks) return;
      try {
        const found = this.#marked();
        if (found !== this.#last) throw this.#another();
        return;
      } catch (error) {
        if (!(error instanceof StateAway)) throw error;
        away = error;
      }
    }
  }

  close(): void {
    this.#session.close();
  }

  // ---- what waits, and what asks

  #begin(): void {
    this.#waiting = [this.#session.statements.step('BEGIN', [], 'nothing', false)];
    this.#begun = false;
    this.#depth = 1;
  }

  #commit(): void {
    this.#depth = 0;
    const steps = this.#waiting;
    this.#waiting = [];
    // Nothing was asked and nothing is to be written.
    if (!this.#begun && steps.length === 1) return;
    for (const table of this.#growth.due())
      steps.push(this.#session.statements.step(`ANALYZE ${table}`, [], 'nothing', false));
    const mark = `${this.#session.token} ${++this.#unit}`;
    if (this.#marks)
      steps.push(
        this.#session.statements.step(
          "INSERT INTO server_state (name, value) VALUES ('unit', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
          [mark],
          'nothing',
          false,
        ),
      );
    steps.push(this.#session.statements.step('COMMIT', [], 'nothing', false));
    try {
      this.#session.ask(steps);
    } catch (error) {
      if (!(error instanceof StateAway)) {
        this.#leave();
        throw error;
      }
      if (!this.#marks || !this.#happened(error, mark)) throw error;
    }
    if (this.#marks) {
      this.#last = mark;
      this.#session.worked();
    }
    this.#session.succeeded();
  }

  /**
   * The connection went away with a COMMIT on its way: what became of it is looked up, never guessed. The lock is ours
   * again by then, so the connection before is over and so is whatever it did.
   */
  #happened(lost: StateAway, mark: string): boolean {
    const before = this.#last;
    for (let away = lost; ; ) {
      this.#session.back(away);
      try {
        const found = this.#marked();
        if (found !== mark && found !== before) throw this.#another();
        return found === mark;
      } catch (error) {
        // Lost once more before it was seen.
        if (!(error instanceof StateAway)) throw error;
        away = error;
      }
    }
  }

  #marked(): string | undefined {
    return this.#session.rows<{ value: string }>("SELECT value FROM server_state WHERE name = 'unit'")[0]?.value;
  }

  /** What is in memory here follows from the last unit: with another state it would be mixed up. */
  #another(): StateFailure {
    return new StateFailure(
      `the state ${this.path} is not the one that it was before its server was away: an older one was put back there, or the server lost what it had confirmed; start again, which takes it as it is and compares the SIEMs with it`,
    );
  }

  #rollback(): void {
    this.#depth = 0;
    this.#waiting = [];
    if (this.#begun) this.#leave();
  }

  #leave(): void {
    try {
      this.#session.leave();
    } catch (error) {
      // Lost: the server rolls it back by itself.
      if (!(error instanceof StateAway)) throw error;
    }
  }

  /** Outside of a transaction a write is one of its own, and is done again until it is done. */
  #write<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    for (;;) {
      try {
        return this.transaction(work);
      } catch (error) {
        if (!this.#marks || !(error instanceof StateAway)) throw error;
        this.back(error);
      }
    }
  }

  #later(sql: string, values: readonly Value[]): void {
    this.#waiting.push(this.#session.statements.step(sql, values, 'nothing'));
  }

  #set(sql: string, values: readonly (Value | ArrayValue)[]): void {
    this.#write(() => {
      const step = this.#session.statements.step(sql, values, 'nothing', false);
      this.#waiting.push(step);
      let size = 0;
      for (const value of step.values) size += value?.length ?? 0;
      if (size < WORTH_SENDING) return;
      // The server writes them while the next ones are made.
      this.#begun = true;
      this.#session.send(this.#waiting, size);
      this.#waiting = [];
    });
  }

  #rows(sql: string, values: readonly Value[]): Rows {
    return this.#answer(this.#session.statements.step(sql, values, 'rows'));
  }

  #byKeys(select: string, keys: Keys, values: readonly Value[]): Rows {
    const isText = typeof keys[0] === 'string';
    const sql = select.replace('IN ($keys)', `= ANY(?)`);
    return this.#answer(this.#session.statements.step(sql, [...values, arrayOf(keys, isText)], 'rows'));
  }

  #answer(step: Step): Rows {
    const result = this.#ask([step]).at(-1);
    return typeof result === 'object' ? result : { columns: [], values: [] };
  }

  #ask(steps: readonly Step[]): readonly (Rows | number)[] {
    if (this.#depth > 0) {
      const all = [...this.#waiting, ...steps];
      this.#waiting = [];
      this.#begun = true;
      return this.#session.ask(all);
    }
    for (;;) {
      try {
        const results = this.#session.ask(steps);
        this.#session.succeeded();
        return results;
      } catch (error) {
        // Reading again changes nothing.
        if (!this.#marks || !(error instanceof StateAway)) throw error;
        this.back(error);
      }
    }
  }

  #flush(): void {
    if (this.#waiting.length > 0) this.#ask([]);
  }

  // ---- sets, as arrays of columns

  #arrays(table: string, columns: readonly string[], rows: readonly Values[]): ArrayValue[] {
    return columns.map((column, i) =>
      arrayOf(
        rows.map((row) => row[i] ?? null),
        this.#isText(table, column),
      ),
    );
  }

  #cast(table: string, column: string): string {
    return this.#isText(table, column) ? '::text[]' : '::bigint[]';
  }

  #keyed(table: string, keys: readonly string[], from: number): string {
    return keys.map((one, i) => `${table}.${one} = v${from + i}`).join(' AND ');
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

/** Of several new values for one row the last holds. */
function lastOfEach(rows: readonly Values[], keysFrom: number): readonly Values[] {
  const last = new Map<string, Values>();
  for (const row of rows) last.set(row.slice(keysFrom).join('\u0000'), row);
  return last.size === rows.length ? rows : [...last.values()];
}

function metOf(table: string, onConflict: Exclude<OnConflict, undefined>): string {
  if (onConflict === 'nothing') return ' ON CONFLICT DO NOTHING';
  const { keys, update } = onConflict;
  const set = update.map((one) => `${one} = excluded.${one}`).join(', ');
  const differs = update.map((one) => `${table}.${one} IS DISTINCT FROM excluded.${one}`).join(' OR ');
  return ` ON CONFLICT (${keys.map((one) => (one === 'value' ? 'md5(value)' : one)).join(', ')}) DO UPDATE SET ${set} WHERE ${differs}`;
}

function listsOf({ columns, values }: Rows): (string | number | null)[][] {
  const made: (string | number | null)[][] = [];
  for (let at = 0; at < values.length; at += columns.length) made.push(values.slice(at, at + columns.length));
  return made;
}
