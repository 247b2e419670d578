// The store: whole units of work, each one transaction. Synchronous, so that the simulation can run it in its own
// thread; the daemon runs it on a worker (remote.ts). What may be asked is told in port/, a file for each subject.
// Reading for people goes through read/.
import type { SiemEncoder } from '../contracts/siem-connector.ts';
import { deliveryUnits } from './port/delivery.ts';
import { exchangeUnits } from './port/exchanges.ts';
import { assemble, type StoreOptions } from './port/parts.ts';
import { peopleUnits } from './port/people.ts';
import { recordUnits } from './port/record.ts';
import { siemUnits } from './port/siems.ts';
import { sightingUnits } from './port/sightings.ts';
import { stateUnits } from './port/state.ts';
import { timeUnits } from './port/time.ts';
import type { StoreSpec } from './spec/spec.ts';

/** What may be asked, in one list: a unit is asked by its name, from another thread in one message. */
export type Store = ReturnType<typeof openStore>;

/** Opens the state, migrates it and ends what a crash left half done. */
export function openStore(spec: StoreSpec, encoders: ReadonlyMap<string, SiemEncoder>, options: StoreOptions = {}) {
  const parts = assemble(spec, encoders, options);
  return {
    ...exchangeUnits(parts),
    ...timeUnits(parts),
    ...siemUnits(parts),
    ...deliveryUnits(parts),
    ...peopleUnits(parts),
    ...sightingUnits(parts),
    ...recordUnits(parts),
    ...stateUnits(parts),
  };
}
