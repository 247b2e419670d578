import { expect, it } from 'vitest';
import { Rig } from '../../../../test/builders/store.ts';
import { deliveryUnits } from './delivery.ts';
import { exchangeUnits } from './exchanges.ts';
import type { Parts } from './parts.ts';
import { peopleUnits } from './people.ts';
import { recordUnits } from './record.ts';
import { siemUnits } from './siems.ts';
import { sightingUnits } from './sightings.ts';
import { stateUnits } from './state.ts';
import { timeUnits } from './time.ts';

const ALL = [
  exchangeUnits,
  timeUnits,
  siemUnits,
  deliveryUnits,
  peopleUnits,
  sightingUnits,
  recordUnits,
  stateUnits,
] as const;

it('has no two units of one name, and every one in the store', () => {
  // Nothing is asked of any part until a unit is.
  const names = ALL.flatMap((units) => Object.keys(units({} as Parts)));

  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  expect(names.toSorted()).toEqual(Object.keys(new Rig().store).toSorted());
});
