// The narrow port between the units of work and a database. The units are written once, over this; which database
// answers is decided where a state is opened (state/open.ts).
//
// The SQL is the common subset of SQLite and PostgreSQL, with `?` for values. What the two spell otherwise is rewritten
// by the database, never by a unit.

import type { StateAway } from './away.ts';

export type Value = number | string | null;
export type Output = number | string | null;

/** Values in the order of the columns that go with them. */
export type Values = readonly Value[];

/**
 * What becomes of a row whose `keys` are there already: nothing, or `update` takes its values where they differ. Rows of
 * one call differ in their keys.
 */
export type OnConflict = 'nothing' | { readonly keys: readonly string[]; readonly update: readonly string[] };

export type Keys = readonly number[] | readonly string[];

/** A statement for a hot path: prepared once, called with positional values. */
export interface Statement<R extends object> {
  readonly get: (...values: Value[]) => R | undefined;
  readonly all: (...values: Value[]) => R[];
  readonly run: (...values: Value[]) => void;
  /** How many rows it changed. */
  readonly changes: (...values: Value[]) => number;
}

export interface Database {
  /** What people know the state by. Never with a secret in it. */
  readonly path: string;
  statement<R extends object>(sql: string): Statement<R>;
  /** A statement of many rows: each as a list of its columns, which costs less than an object with their names. */
  lists(sql: string): (...values: Value[]) => Output[][];
  get<R extends object>(sql: string, ...values: Value[]): R | undefined;
  all<R extends object>(sql: string, ...values: Value[]): R[];
  /** Rows that are too many to be held at once. */
  iterate<R extends object>(sql: string, ...values: Value[]): IterableIterator<R>;
  /** Gives no answer, and may be sent without waiting: what fails in it fails by the end of the transaction. */
  run(sql: string, ...values: Value[]): void;
  /** How many rows it changed. */
  changes(sql: string, ...values: Value[]): number;
  exec(sql: string): void;
  // ---- sets. Units that handle many rows read by key sets and write the difference at their end, table by table: nothing
  // asks for an answer row by row, since on a database server each answer is a journey. Writes give no answer at all and
  // may be sent without waiting; what they write is seen by every later read of the same transaction.

  /** Rows of values in the order of `columns`. Without `onConflict` no row may be there yet. */
  insertRows(table: string, columns: readonly string[], rows: readonly Values[], onConflict?: OnConflict): void;
  /**
   * Inserts those rows that break no unique key of the table, under ids of their own, the first of which is `from`; `rows`
   * and `columns` leave `id` out. Answers with the id of each row, undefined where one was there already. Ids rise in the
   * order of the rows; whether one that was there leaves a gap is the database's own affair, so that the next one to be
   * given is the highest of the answer and one more.
   */
  insertNew(table: string, columns: readonly string[], rows: readonly Values[], from: number): (number | undefined)[];
  /** Sets `columns` in the rows with these keys. Each of `rows`: the new values, then those of `keys`. */
  updateRows(table: string, keys: readonly string[], columns: readonly string[], rows: readonly Values[]): void;
  /** Each of `rows`: the values of `keys`. */
  deleteRows(table: string, keys: readonly string[], rows: readonly Values[]): void;
  /**
   * Rows of a set of keys in one look-up, which costs a third of as many single ones: `select` says `IN ($keys)` behind
   * its parameters, whose `values` are given after the keys. Numbers or texts, never both; at most some thousands. In no
   * order, and a text comes back as the database keeps it (well-formed).
   */
  byKeys<R extends object>(select: string, keys: Keys, ...values: Value[]): R[];
  /** The same with each row as a list of its columns, which costs less than an object with their names. */
  listsByKeys(select: string, keys: Keys, ...values: Value[]): unknown[][];

  /** Those of the state, with their columns. */
  tables(): { readonly name: string; readonly columns: readonly string[] }[];
  /** All rows were put in with their ids (copying.ts): what gives ids goes on behind them. */
  copied(): void;

  /** All or nothing. Nested calls join the outer transaction. */
  transaction<T>(work: () => T): T;
  /** Another number after another connection committed something. */
  dataVersion(): number;
  /** Returns once a database that was away (away.ts) can be worked with again. */
  back(why: StateAway): void;
  close(): void;
}
