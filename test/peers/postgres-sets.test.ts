// Sets that are written over a real PostgreSQL: they go on their way at once and are waited for at the end, and the server
// is told how much a table has grown.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Database, Values } from '../../src/core/store/sql/port.ts';
import { openState } from '../../src/core/store/state/open.ts';
import { describeWith, tryStart } from './available.ts';
import { placeOn, sharedPostgres } from './postgres.ts';

const started = await tryStart('PostgreSQL', () => sharedPostgres());
let made = 0;

describeWith('a set of rows', started, (server) => {
  let db: Database;

  beforeEach(() => {
    db = openState(placeOn(server, `sets_${process.pid}_${++made}`));
  });
  afterEach(() => db.close());

  /** Long enough to be sent before anybody asks. */
  const rows = (from: number, to: number): Values[] =>
    Array.from({ length: to - from }, (_, i) => [`name ${from + i}`, 'some text']);
  const insert = (from: number, to: number) => db.insertRows('meta', ['name', 'value'], rows(from, to));
  const count = () => db.get<{ n: number }>("SELECT count(*) AS n FROM meta WHERE name LIKE 'name %'")!.n;

  it('is seen by what reads after it, and stays', () => {
    db.transaction(() => {
      insert(0, 1000);
      expect(count()).toBe(1000);
      insert(1000, 2000);
    });

    expect(count()).toBe(2000);
  });

  it('fails its transaction wherever it fails, and nothing of that stays', () => {
    insert(0, 10);

    expect(() =>
      db.transaction(() => {
        insert(5, 1000);
        insert(2000, 3000);
      }),
    ).toThrow(/duplicate key/);
    expect(() =>
      db.transaction(() => {
        insert(5, 1000);
        insert(2000, 3000);
        count();
      }),
    ).toThrow(/duplicate key/);

    insert(10, 20);
    expect(count()).toBe(20);
  });

  it('is forgotten with a transaction that fails by itself', () => {
    insert(0, 10);

    expect(() =>
      db.transaction(() => {
        insert(5, 1000);
        throw new Error('something else');
      }),
    ).toThrow('something else');

    expect(count()).toBe(10);
  });

  it('is looked at by the server as soon as there is much of it, so that keys are searched for by the way that is short', () => {
    const known = () => db.get<{ n: number }>("SELECT reltuples AS n FROM pg_class WHERE oid = to_regclass('meta')")!.n;
    insert(0, 100);
    expect(known()).toBe(-1);

    insert(100, 1000);
    expect(known()).toBeGreaterThan(900);
  });
});
