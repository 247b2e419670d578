import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
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
