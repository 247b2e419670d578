// The text of a statement over a set, which is the same however many rows there are.
import { describe, expect, it } from 'vitest';
import { type Casts, deleteSql, insertNewSql, insertSql, lastOfEach, updateSql } from './sets.ts';

const casts: Casts = (column) => (column === 'value' ? '::text[]' : '::bigint[]');
const plain = (sql: string) => sql.replace(/\s+/g, ' ');

describe('a set', () => {
  it.each([
    [
      'is inserted',
      insertSql('tally', ['owner', 'n'], casts),
      'INSERT INTO tally (owner, n) SELECT * FROM unnest($1::bigint[], $2::bigint[])',
    ],
    [
      'is inserted where it is not there yet',
      insertSql('entry', ['type', 'value'], casts, 'nothing'),
      'INSERT INTO entry (type, value) SELECT * FROM unnest($1::bigint[], $2::text[]) ON CONFLICT DO NOTHING',
    ],
    [
      'is written over what differs, a long value found by its digest',
      insertSql('named', ['type', 'value', 'n'], casts, { keys: ['type', 'value'], update: ['n'] }),
      'INSERT INTO named (type, value, n) SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[]) ON CONFLICT (type, md5(value)) DO UPDATE SET n = excluded.n WHERE named.n IS DISTINCT FROM excluded.n',
    ],
    [
      'is inserted under ids of its own, in its order',
      insertNewSql('entry', ['type', 'value'], casts),
      'INSERT INTO entry (id, type, value) SELECT $3 + place - 1, v0, v1 FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS u(v0, v1, place) ORDER BY place ON CONFLICT DO NOTHING RETURNING id',
    ],
    [
      'is changed, its keys last',
      updateSql('entry', ['id'], ['hit_day', 'value'], casts),
      'UPDATE entry SET hit_day = v0, value = v1 FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS u(v0, v1, v2) WHERE entry.id = v2',
    ],
    [
      'is deleted by several keys',
      deleteSql('presence', ['object_id', 'scope_id'], casts),
      'DELETE FROM presence USING unnest($1::bigint[], $2::bigint[]) AS u(v0, v1) WHERE presence.object_id = v0 AND presence.scope_id = v1',
    ],
  ])('%s', (_what, sql, text) => {
    expect(plain(sql)).toBe(text);
  });

  it('has the last of several new values for one row', () => {
    const once = [
      [1, 7],
      [2, 8],
    ];

    expect(lastOfEach(once, 1)).toBe(once);
    expect(lastOfEach([...once, [3, 7]], 1)).toEqual([
      [3, 7],
      [2, 8],
    ]);
  });
});
