// The tests of the units of work and of the readers, over PostgreSQL: one set of rules and units, two databases.
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { statePlaces } from '../builders/states.ts';
import { describeWith, tryStart } from './available.ts';
import { Schemas, sharedPostgres } from './postgres.ts';

/** Each unit and each reader. */
const UNITS = [
  'delivery/batches',
  'read/difference',
  'read/disputed',
  'record/history',
  'projection/holds',
  'projection/let-in',
  'ingest/objects',
  'delivery/outcomes',
  'read/pages',
  'read/record-between',
  'projection/people',
  'projection/projection',
  'record/records',
  'read/refused',
  'ingest/retention',
  'rules',
  'projection/seats',
  'sightings/claims',
  'sightings/held-sightings',
  'sightings/hits',
  'sightings/outbox',
  'sightings/releases',
  'sightings/sightings',
  'sightings/telling',
  'sightings/verdicts',
  'projection/stand-runs',
];

/** All others that make their states by the builders and are not about a state file: with ENTENTE_FULL=1. */
const OTHERS = [
  'answers',
  'delivery/comparison',
  'ingest/bare-urls',
  'projection/brakes',
  'ingest/explained',
  'ingest/many-definitions',
  'delivery/found',
  'projection/judged',
  'projection/alike-rows',
  'spec/lists',
  'record/noted',
  'sightings/renewal',
  'store',
  'ingest/stricter-markings',
  'read/summary',
];

const started = await tryStart('PostgreSQL', () => sharedPostgres());
if (started.kind === 'running') {
  const schemas = new Schemas(started.peer, 'units');
  schemas.use(statePlaces);
  const full = process.env['ENTENTE_FULL'] === '1';
  const only = process.env['ENTENTE_STORE_TESTS']?.split(',');
  // They say what they test when they are read.
  for (const name of only ?? (full ? [...UNITS, ...OTHERS] : UNITS))
    await import(/* @vite-ignore */ join(import.meta.dirname, '../../src/core/store', `${name}.test.ts`));
  if (!full)
    describe('further tests of the store over PostgreSQL', () => {
      it('take minutes', ({ skip }) => skip(`ENTENTE_FULL=1 runs them: ${OTHERS.join(', ')}`));
    });
  afterAll(() => schemas.close());
} else describeWith('the units over PostgreSQL', started, () => {});
