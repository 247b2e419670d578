import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { MIGRATIONS } from '../sql/schema.ts';
import { backup, migrate, SqliteDatabase, schemaVersion } from './database.ts';

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'entente-database-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

// No fault of the configuration, which would be exit code 2.
const refused = expect.objectContaining({
  kind: 'permanent',
  message: expect.stringMatching(/exists already .*; move that file away, then try again/),
});

it('a backup overwrites nothing, and says what to do', () => {
  const file = join(aFolder(), 'state.db');
  const db = new SqliteDatabase(file);
  backup(db, `${file}.copy`);

  expect(() => backup(db, `${file}.copy`)).toThrow(refused);
  db.close();
});

it('a migration whose backup finds its place taken changes nothing', () => {
  const file = join(aFolder(), 'state.db');
  const db = new SqliteDatabase(file);
  migrate(db, ['CREATE TABLE one (id INTEGER)']);
  writeFileSync(`${file}.schema-1.bak`, 'of an earlier try');

  expect(() => migrate(db, ['CREATE TABLE one (id INTEGER)', 'CREATE TABLE two (id INTEGER)'])).toThrow(refused);

  expect(schemaVersion(db)).toBe(1);
  db.close();
});

it('an older state comes to spell ids in small letters, and an object that was two becomes one', () => {
  const before = MIGRATIONS.findIndex((step) => step.includes('object_spelling'));
  const db = new SqliteDatabase(join(aFolder(), 'state.db'));
  migrate(db, MIGRATIONS.slice(0, before));
  const rows: [object: string, version: string, state: number][] = [
    ['indicator--AB', '2', 0],
    ['indicator--ab', '1', 0],
    ['indicator--Ab', '1', 0],
    ['indicator--CD', '1', 1],
    ['indicator--cd', '2', 0],
    ['indicator--EF', '1', 0],
    ['indicator--00', '1', 0],
  ];
  for (const [i, [object, version, state]] of rows.entries()) {
    db.run(
      `INSERT INTO object (id, exchange_id, object_id, version, state, valid_from, benign, digest, facts, valid_until)
       VALUES (?, 1, ?, ?, ?, 0, 0, 1, '{}', 99)`,
      i + 1,
      object,
      version,
      state,
    );
    db.run('INSERT INTO contribution (entry_id, object_id) VALUES (?, ?)', i + 1, i + 1);
    db.run(
      `INSERT INTO projection (siem_id, entry_id, wanted, wanted_rev, content, vouchers, until, due, present, rev, state, cause, since)
       VALUES (1, ?, 1, 1, 1, 1, 99, 99, 1, 1, 0, 0, 0)`,
      i + 1,
    );
  }
  db.run(
    "INSERT INTO context (exchange_id, object_id, kind, version, body) VALUES (1, 'malware--AB', 'name', '1', 'x')",
  );
  db.run("INSERT INTO relation VALUES (1, 'indicator--AB', 'malware--AB', 'indicates', 'relationship--AB')");

  migrate(db);

  expect(db.all('SELECT object_id, version, state, valid_until FROM object ORDER BY id')).toEqual([
    { object_id: 'indicator--ab', version: '2', state: 0, valid_until: 99 },
    { object_id: 'indicator--ab#2', version: '1', state: 0, valid_until: 0 },
    { object_id: 'indicator--ab#3', version: '1', state: 0, valid_until: 0 },
    { object_id: 'indicator--cd', version: '1', state: 1, valid_until: 99 },
    { object_id: 'indicator--cd#5', version: '2', state: 0, valid_until: 0 },
    { object_id: 'indicator--ef', version: '1', state: 0, valid_until: 99 },
    { object_id: 'indicator--00', version: '1', state: 0, valid_until: 99 },
  ]);
  // They are judged anew at the next tick.
  expect(db.all('SELECT entry_id FROM projection WHERE due = 0 ORDER BY entry_id')).toEqual(
    [2, 3, 5].map((id) => ({ entry_id: id })),
  );
  expect(db.all('SELECT object_id FROM context')).toEqual([{ object_id: 'malware--ab' }]);
  expect(db.all('SELECT source, target, object_id FROM relation')).toEqual([
    { source: 'indicator--ab', target: 'malware--ab', object_id: 'relationship--ab' },
  ]);
  db.close();
});

it('has no column that nobody names', () => {
  const db = new SqliteDatabase(join(aFolder(), 'state.db'));
  migrate(db);
  const store = join(import.meta.dirname, '..');
  const written = globSync('**/*.ts', { cwd: store })
    .filter((name) => !name.endsWith('schema.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(store, name), 'utf8'))
    .join('\n');
  const words = new Set(written.match(/\w+/g));
  const columns = db.all<{ column: string; name: string }>(
    `SELECT m.name || '.' || c.name AS "column", c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'`,
  );

  expect(columns.length).toBeGreaterThan(100);
  expect(columns.filter(({ name }) => !words.has(name)).map(({ column }) => column)).toEqual([]);
  db.close();
});
