import { describe, expect, it } from 'vitest';
import { MIGRATIONS } from '../sql/schema.ts';
import { migrationToPostgres, toPostgres } from './dialect.ts';
import { BASE_VERSION, stepsFrom } from './schema.ts';

describe('a statement of the units', () => {
  it.each([
    ['SELECT 1 FROM a WHERE b = ? AND c > ?', 'SELECT 1 FROM a WHERE b = $1 AND c > $2'],
    ["SELECT '?' AS a, ? AS b", "SELECT '?' AS a, $1 AS b"],
    ['SELECT x FROM p INDEXED BY p_work WHERE a = ?', 'SELECT x FROM p WHERE a = $1'],
    ['SELECT x FROM p NOT INDEXED WHERE a = ?', 'SELECT x FROM p WHERE a = $1'],
    ['SELECT 1 FROM a CROSS JOIN b c ON c.x = a.x', 'SELECT 1 FROM a JOIN b c ON c.x = a.x'],
    ['SELECT 1 FROM a CROSS JOIN b WHERE c = ?', 'SELECT 1 FROM a CROSS JOIN b WHERE c = $1'],
    ['SELECT min(a), max(a, b), min(c + max(?, 1), d)', 'SELECT min(a), greatest(a, b), least(c + greatest($1, 1), d)'],
    [
      'SELECT n FROM (SELECT 1 FROM (SELECT 2)) WHERE 1',
      'SELECT n FROM (SELECT 1 FROM (SELECT 2) AS part_24) AS part_9 WHERE 1',
    ],
    [
      'SELECT n FROM (SELECT f(1)) few JOIN (SELECT 2) AS b ON 1',
      'SELECT n FROM (SELECT f(1)) few JOIN (SELECT 2) AS b ON 1',
    ],
    ['SELECT a IS ?', 'SELECT a IS NOT DISTINCT FROM $1'],
    [
      'INSERT INTO d (x) VALUES (?) ON CONFLICT (a, value) DO NOTHING',
      'INSERT INTO d (x) VALUES ($1) ON CONFLICT (a, md5(value)) DO NOTHING',
    ],
    ['CREATE TEMP TABLE s (a INTEGER) WITHOUT ROWID', 'CREATE TEMP TABLE s (a INTEGER)'],
  ])('is spelled for the server: %s', (sql, expected) => {
    expect(toPostgres(sql)).toBe(expected);
  });
});

describe('the schema', () => {
  it('takes over every later step of the file', () => {
    const steps = stepsFrom(0);

    expect(steps.map((one) => one.version)).toEqual([
      BASE_VERSION,
      ...MIGRATIONS.map((_, i) => i + 1).filter((version) => version > BASE_VERSION),
    ]);
    expect(stepsFrom(MIGRATIONS.length)).toEqual([]);
    expect(steps.map(({ sql }) => sql).join('\n')).not.toMatch(/ROWID|\bINTEGER\b/);
  });

  it('refuses a step that only SQLite understands, so that it gets words of its own', () => {
    expect(() => migrationToPostgres('CREATE TRIGGER a AFTER DELETE ON b BEGIN SELECT 1; END')).toThrow(
      /words of its own/,
    );
    expect(
      migrationToPostgres("ALTER TABLE a ADD COLUMN b TEXT; -- it's a word\nALTER TABLE a ADD COLUMN c INTEGER"),
    ).toBe('ALTER TABLE a ADD COLUMN b TEXT COLLATE "C"; \nALTER TABLE a ADD COLUMN c BIGINT');
  });
});
