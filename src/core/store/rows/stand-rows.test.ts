import { expect, it } from 'vitest';
import { asSchema } from '../../../../test/builders/older-state.ts';
import { indicators, Rig } from '../../../../test/builders/store.ts';
import { held, inherits, phaseOf, planned, type Stand } from '../../ledger/stand.ts';
import type { ProjectionRow } from './rows.ts';
import { MIGRATIONS } from '../sql/schema.ts';
import { columnsOf, standOf, WRITTEN } from './stand-rows.ts';

const NOW = 1_768_046_400_000;
const wanted = (is: boolean): Stand => ({
  ...planned(
    { is, revision: 100, content: 1, vouchers: 1, until: NOW, due: NOW, cause: 'none', since: NOW },
    'url|http://a.example/y',
  ),
  present: { is: 'yes', revision: 100, handle: undefined },
});

it.each([true, false])('a row keeps that what a hold keeps is written anew (wanted: %s)', (is) => {
  const stand = inherits(held(wanted(is), { id: 1, kind: 'removal' }, NOW), 200);
  const columns = Object.fromEntries(columnsOf(stand).map((value, i) => [WRITTEN[i], value]));

  // As the table gives it back.
  const read = standOf({ ...columns, slot: stand.slot } as unknown as ProjectionRow);

  expect(phaseOf(read)).toBe('upsert');
  expect(read).toEqual(stand);
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
