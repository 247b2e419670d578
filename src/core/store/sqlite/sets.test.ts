// Reading and writing by sets, as the units of work do it. Each database behind the port keeps these.
import { describe, expect, it } from 'vitest';
import type { Database } from '../sql/port.ts';
import { SqliteDatabase } from './database.ts';

function aDatabase(): Database {
  const db = new SqliteDatabase(':memory:');
  db.exec('CREATE TABLE one (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, n INTEGER)');
  db.exec('CREATE TABLE two (a INTEGER NOT NULL, b INTEGER NOT NULL, n INTEGER, PRIMARY KEY (a, b))');
  return db;
}

const all = (db: Database, table: 'one' | 'two'): unknown[] =>
  db.all(`SELECT * FROM ${table} ORDER BY 1, 2`).map((row) => Object.values(row));

describe('rows that are inserted', () => {
  it('refuse what is there already, unless it is said what becomes of it', () => {
    const db = aDatabase();
    db.insertRows('two', ['a', 'b', 'n'], [[1, 1, 7]]);

    expect(() => db.insertRows('two', ['a', 'b', 'n'], [[1, 1, 8]])).toThrow(/UNIQUE/);
    db.insertRows('two', ['a', 'b', 'n'], [[1, 1, 8]], 'nothing');
    expect(all(db, 'two')).toEqual([[1, 1, 7]]);

    const onConflict = { keys: ['a', 'b'], update: ['n'] };
    db.insertRows(
      'two',
      ['a', 'b', 'n'],
      [
        [1, 1, null],
        [2, 1, 9],
      ],
      onConflict,
    );
    expect(all(db, 'two')).toEqual([
      [1, 1, null],
      [2, 1, 9],
    ]);
  });

  it('are told apart from those that were there, and have ids in order', () => {
    const db = aDatabase();
    db.insertRows('one', ['id', 'name'], [[3, 'there']]);

    const ids = db.insertNew(
      'one',
      ['name', 'n'],
      [
        ['a', 1],
        ['there', 2],
        ['b', null],
      ],
      4,
    );

    expect(ids[0]).toBe(4);
    expect(ids[1]).toBeUndefined();
    expect(ids[2]).toBeGreaterThan(4);
    expect(all(db, 'one')).toEqual([
      [3, 'there', null],
      [4, 'a', 1],
      [ids[2], 'b', null],
    ]);
  });

  it('of one call may be the same: the first of them is the new one', () => {
    const db = aDatabase();

    const ids = db.insertNew('one', ['name'], [['a'], ['a']], 1);

    expect(ids).toEqual([1, undefined]);
  });
});

it('rows are changed and deleted by their keys', () => {
  const db = aDatabase();
  db.insertRows(
    'two',
    ['a', 'b', 'n'],
    [
      [1, 1, 1],
      [1, 2, 2],
      [2, 1, 3],
    ],
  );

  db.updateRows(
    'two',
    ['a', 'b'],
    ['n'],
    [
      [null, 1, 2],
      [5, 9, 9],
    ],
  );
  db.deleteRows('two', ['a', 'b'], [[2, 1]]);
  expect(all(db, 'two')).toEqual([
    [1, 1, 1],
    [1, 2, null],
  ]);

  db.deleteRows('two', ['a'], [[1]]);
  expect(all(db, 'two')).toEqual([]);
});

describe('a look-up by keys', () => {
  it('finds those that are there, by numbers and by texts, as rows and as lists', () => {
    const db = aDatabase();
    db.insertRows(
      'one',
      ['id', 'name', 'n'],
      [
        [1, 'a', 1],
        [2, 'b', 2],
        [3, 'c', 2],
      ],
    );

    expect(db.byKeys('SELECT name FROM one WHERE id IN ($keys) ORDER BY id', [3, 1, 8, 3])).toMatchObject([
      { name: 'a' },
      { name: 'c' },
    ]);
    expect(db.listsByKeys('SELECT id FROM one WHERE n = ? AND name IN ($keys)', ['a', 'b'], 2)).toEqual([[2]]);
    expect(db.byKeys('SELECT id FROM one WHERE id IN ($keys)', [])).toEqual([]);
  });

  it('finds a text of whatever characters', () => {
    const db = aDatabase();
    const texts = ['a"b\\c', 'é 😀', 'half \ud800', 'two\nlines'];
    db.insertNew(
      'one',
      ['name'],
      texts.map((text) => [text]),
      1,
    );

    expect(db.byKeys('SELECT id FROM one WHERE name IN ($keys)', texts)).toHaveLength(texts.length);
  });
});
