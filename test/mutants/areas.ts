// All mutants, by area.
import { connectors } from './connectors.ts';
import { delivery, ingest } from './delivery.ts';
import { ledger } from './ledger.ts';
import type { Mutated } from './mutant.ts';
import { inventory, policy, stix } from './rules.ts';
import { sightings } from './sightings.ts';
import { storeRows } from './store-rows.ts';
import { storeWanted } from './store-wanted.ts';
import { taxii } from './taxii.ts';

export const AREAS: Readonly<Record<string, readonly Mutated[]>> = {
  ledger,
  'store rows': storeRows,
  'store wanted': storeWanted,
  delivery,
  ingest,
  sightings,
  taxii,
  policy,
  inventory,
  stix,
  connectors,
};
