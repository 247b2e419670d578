import { expect, it } from 'vitest';
import { asSchema } from '../../../../test/builders/older-state.ts';
import { indicators, Rig } from '../../../../test/builders/store.ts';
import { held } from '../../ledger/holds.ts';
import { inherits } from '../../ledger/rest.ts';
import { phaseOf, planned, type Stand } from '../../ledger/stand.ts';
import type { ProjectionRow } from './rows.ts';
import { MIGRATIONS } from '../sql/schema.ts';
import { columnsOf, FRESH, freshOf, isFresh, standOf, WRITTEN } from './stand-rows.ts';

const NOW = 1_768_046_400_000;
const wanted = (is: boolean): Stand => ({
  ...planned(
    { is, revision: 100, content: 1, vouchers: 1, until: NOW, due: NOW, cause: 'none', since: NOW },
    'url|http://a.example/y',
  ),
  present: { is: 'yes', revision: 100, handle: undefined },
});

it.each([true, false])('a row keeps that what a hold keeps is written anew (wanted: %s)', (is) => {
  const stand = inherits(held(wanted(is), { id: 1, kind: 'removal' }, NOW, 200, NOW), 200);
  const columns = Object.fromEntries(columnsOf(stand).map((value, i) => [WRITTEN[i], value]));

  // As the table gives it back.
  const read = standOf({ ...columns, slot: stand.slot } as unknown as ProjectionRow);

  expect(phaseOf(read)).toBe('upsert');
  expect(read).toEqual(stand);
});

it('a row that is made in short is what the whole row would be', () => {
  const rig = new Rig();
  const byItself = new Map(
    rig
      .ask<{ name: string; value: string | null }>(
        "SELECT name, dflt_value AS value FROM pragma_table_info('projection')",
      )
      .map(({ name, value }) => [name, value === null ? null : Number(value)]),
  );
  const stand = { ...planned(wanted(true).wanted, undefined) };
  expect(isFresh(stand)).toBe(true);
  const whole = Object.fromEntries(columnsOf(stand).map((value, i) => [WRITTEN[i]!, value]));

  const short = Object.fromEntries(freshOf(stand).map((value, i) => [FRESH[i]!, value]));

  for (const name of WRITTEN)
    expect([name, name in short ? short[name] : byItself.get(name)]).toEqual([name, whole[name]]);
});

it.each<[string, Partial<Stand>]>([
  ['a slot', { slot: 'url|http://a.example/y' }],
  ['a hold', { hold: { id: 1, kind: 'addition' } }],
  ['a call', { call: { kind: 'uncertain', sent: 3 } }],
  ['a reason', { parked: { reason: 'too long', code: undefined } }],
  ['a place', { place: { at: 3, out: true } }],
  ['a handle', { present: { is: 'yes', revision: 100, handle: '7' } }],
  ['a wait', { wait: { attempt: 0, at: NOW } }],
  ['an attempt', { wait: { attempt: 1, at: undefined } }],
])('and is not made so with %s', (_, more) => {
  expect(isFresh({ ...planned(wanted(true).wanted, undefined), ...more })).toBe(false);
});

it('a state of the version that kept reason and receipt in one column keeps both', () => {
  const rig = new Rig();
  rig.commit(indicators(0, 3));
  rig.close();
  asSchema(
    rig.path,
    MIGRATIONS.findIndex((sql) => sql.includes('RENAME COLUMN note TO reason')),
    (old) => {
      old.exec(`UPDATE projection SET state = 6, note = 'too long' WHERE entry_id = 1;
      UPDATE projection SET state = 4, present = 2, sent_rev = wanted_rev, note = 'upsert task-1' WHERE entry_id = 2;
      UPDATE projection SET note = 'of what it was before' WHERE entry_id = 3`);
    },
  );

  rig.restart();

  expect(rig.rows()).toMatchObject([
    { reason: 'too long', receipt: null },
    { reason: null, receipt: 'upsert task-1' },
    { reason: null, receipt: null },
  ]);
  expect(rig.store.receipts('siem')).toEqual(['task-1']);
});
