// Every test of the units of work and of the readers, over PostgreSQL: one set of rules and units, two databases.
import { statePlaces } from '../builders/states.ts';
import { Schemas, sharedPostgres } from './postgres.ts';
import { describeWith, tryStart } from './available.ts';

/** All that make their states by the builders and are not about a state file. */
const FILES = [
  'audit',
  'batches',
  'brakes',
  'explained',
  'found',
  'history',
  'holds',
  'judged',
  'let-in',
  'objects',
  'outcomes',
  'people',
  'projection',
  'refused-reader',
  'renewal',
  'retention',
  'rules',
  'sightings',
  'stand-runs',
  'store',
  'stricter-markings',
  'summary',
];

const started = await tryStart('PostgreSQL', () => sharedPostgres());
if (started.kind === 'running') {
  new Schemas(started.peer, 'units').use(statePlaces);
  const only = process.env['ENTENTE_STORE_TESTS']?.split(',');
  // They say what they test when they are read.
  for (const name of FILES) if (only?.includes(name) ?? true) await import(`../../src/core/store/${name}.test.ts`);
} else describeWith('the units over PostgreSQL', started, () => {});
