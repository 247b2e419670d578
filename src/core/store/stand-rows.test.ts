import { expect, it } from 'vitest';
import { held, inherits, phaseOf, planned, type Stand } from '../ledger/stand.ts';
import type { ProjectionRow } from './rows.ts';
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
