// A state of the last release is taken over: what stands under old spellings, old readings of markings and times is
// spelled and judged anew, and the partner is read again from the start.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { anIndicator, aSiem, DAY, NOW, Rig, versionAt } from '../../../../test/builders/store.ts';
import type { Observable } from '../../model/observable.ts';
import { migrate, SqliteDatabase } from '../sqlite/database.ts';
import { MIGRATIONS } from '../sql/schema.ts';

/** The schema of the last release. */
const LAST_RELEASE = 2;

const url = (value: string): Observable => ({ type: 'url', value });
const domain = (value: string): Observable => ({ type: 'domain-name', value });

/** What the rig holds, as the last release would have kept it. */
function asLastRelease(rig: Rig, change: (old: SqliteDatabase) => void = () => {}): void {
  rig.close();
  rmSync(`${rig.path}-wal`, { force: true });
  renameSync(rig.path, `${rig.path}.new`);
  const old = new SqliteDatabase(rig.path);
  migrate(old, MIGRATIONS.slice(0, LAST_RELEASE));
  old.run('ATTACH DATABASE ? AS new', `${rig.path}.new`);
  for (const { name } of old.all<{ name: string }>("SELECT name FROM main.sqlite_schema WHERE type = 'table'")) {
    const columnsOf = (schema: string) =>
      old.all<{ name: string }>(`PRAGMA ${schema}.table_info(${name})`).map((column) => column.name);
    const known = new Set(columnsOf('new'));
    const columns = columnsOf('main')
      .filter((column) => known.has(column))
      .join(', ');
    if (columns === '') continue;
    old.exec(`INSERT INTO main.${name} (${columns}) SELECT ${columns} FROM new.${name}`);
  }
  old.exec('DETACH DATABASE new');
  change(old);
  old.close();
  rig.restart();
}

const armed = (rig: Rig) =>
  rig
    .rows()
    .filter((row) => row.wanted === 1)
    .map((row) => row.value)
    .sort();

it('spells every value anew, two old spellings of one thing as one, and takes the old ones away', () => {
  const rig = new Rig({ siems: [aSiem({ brake: { removal: { share: 0.01, atLeast: 1, windowHours: 24 } } })] });
  const old = ['http://gate.example', 'http://gate.example:80/', 'http://Bücher.example/x', 'http://a.example/kept'];
  rig.commit(old.map((value, i) => anIndicator({ objectId: `indicator--${i}`, observables: [url(value)] })));
  rig.deliver();
  asLastRelease(rig);
  rig.tick(NOW + 1);

  expect(armed(rig)).toEqual(['http://a.example/kept', 'http://gate.example/', 'http://xn--bcher-kva.example/x']);
  expect(rig.deliver(NOW + 1).sort()).toEqual([
    ...['http://Bücher.example/x', 'http://gate.example', 'http://gate.example:80/'].map((value) => `remove ${value}`),
    ...['http://gate.example/', 'http://xn--bcher-kva.example/x'].map((value) => `upsert ${value}`),
  ]);
  expect(existsSync(`${rig.path}.schema-2.bak`)).toBe(true);
});

it('withdraws a value that the rules refuse now, without a brake', () => {
  const rig = new Rig({ siems: [aSiem({ brake: { removal: { share: 0.01, atLeast: 1, windowHours: 24 } } })] });
  rig.commit([anIndicator({ objectId: 'indicator--1', observables: [domain('hid\u00adden.example')] })]);
  rig.deliver();
  asLastRelease(rig);
  rig.tick(NOW + 1);

  expect(rig.deliver(NOW + 1)).toEqual(['remove hid\u00adden.example']);
});

it('goes through many in steps, and through those that no partner shows any more', () => {
  const rig = new Rig();
  const many = Array.from({ length: 6000 }, (_, i) =>
    anIndicator({ objectId: `indicator--${i}`, observables: [url(`http://h${i}.example`)] }),
  );
  rig.commit(many);
  asLastRelease(rig);
  let steps = 1;
  while (rig.store.tick(NOW, false).more) steps++;

  expect(steps).toBeGreaterThan(2);
  // A state that knows of no mark may have sent what it says it did not: the old spellings are removed, not forgotten.
  rig.deliver();
  rig.tick(NOW + 1);
  expect([rig.rows().length, rig.rows().every(({ value }) => value.endsWith('/'))]).toEqual([6000, true]);
});

it('reads the partner from the start, and the same versions again', () => {
  const rig = new Rig();
  rig.commit([anIndicator({ objectId: 'indicator--1', confidence: 90 })]);
  rig.deliver();
  asLastRelease(rig);
  expect(rig.store.cursor('partner')).toBeUndefined();
  rig.tick(NOW);

  const refused = anIndicator({
    objectId: 'indicator--1',
    refusal: 'confidence is no integer from 0 to 100',
    observables: [],
  });
  expect(rig.commit([refused])).toMatchObject({ changed: 1, conflicting: 0 });
  expect(rig.deliver()).toEqual(['remove 192.0.2.1']);
  expect(rig.commit([anIndicator({ objectId: 'indicator--1' })])).toMatchObject({ conflicting: 1 });
  expect(rig.deliver()).toEqual([]);
});

it('keeps out at once what nobody explained, also where the clearance is red', () => {
  const siem = aSiem();
  const { intake, lifetime } = siem.rules['partner']!;
  const rig = new Rig({
    siems: [{ ...siem, rules: { partner: { intake: { ...intake, clearance: 'red' }, lifetime } } }],
  });
  rig.commit([anIndicator({ objectId: 'indicator--1' })]);
  rig.deliver();
  asLastRelease(rig, (old) =>
    old.run(
      'UPDATE object SET tlp = 4, open_markings = ?',
      JSON.stringify({ tlp: 'green', refs: ['marking-definition--1'] }),
    ),
  );
  rig.tick(NOW);
  expect(rig.deliver()).toEqual(['remove 192.0.2.1']);

  rig.commit([{ kind: 'marking', objectId: 'marking-definition--1', statement: 'for members' }]);
  expect(rig.deliver()).toEqual(['upsert 192.0.2.1']);
});

it('reads a definition again that the old rules read', () => {
  const rig = new Rig();
  rig.commit([
    { kind: 'marking', objectId: 'marking-definition--1', statement: 'terms' },
    anIndicator({ objectId: 'indicator--1', openMarkings: ['marking-definition--1'] }),
  ]);
  rig.deliver();
  asLastRelease(rig, (old) => old.run('UPDATE context SET body = \'{"statement":"terms"}\''));
  rig.tick(NOW);
  expect(rig.deliver()).toEqual([]);

  rig.commit([{ kind: 'marking', objectId: 'marking-definition--1', tlp: 'red', statement: 'terms' }]);
  expect(rig.deliver()).toEqual(['remove 192.0.2.1']);
  rig.commit([{ kind: 'marking', objectId: 'marking-definition--1', tlp: 'clear', statement: 'terms' }]);
  expect(rig.deliver()).toEqual([]);
});

it('gives a version from the future a life from now', () => {
  const rig = new Rig();
  rig.commit([anIndicator({ objectId: 'indicator--1' })]);
  asLastRelease(rig, (old) => old.run('UPDATE object SET version = ?', versionAt(Date.UTC(2083, 0))));
  rig.tick(NOW);

  expect(rig.row()?.until).toBe(NOW + 90 * DAY);
});
