// The whole simulation over PostgreSQL: the same worlds, whose states are kept, backed up, put back and lost there. Many more
// seeds: docs/architecture.md.
import { afterAll, it } from 'vitest';
import { OnServer } from '../simulation/keeping.ts';
import { runSeed } from '../simulation/seeds-in-a-row.ts';
import { describeWith, tryStart } from './available.ts';
import { Schemas, sharedPostgres } from './postgres.ts';

const started = await tryStart('PostgreSQL', () => sharedPostgres());

describeWith('store, pollers and deliverers together, over PostgreSQL', started, (server) => {
  const schemas = new Schemas(server, `simulation_${process.pid}`);
  afterAll(() => schemas.close());

  it.each([1, 2, 3, 4, 5])('converge once faults stop, whatever came before: seed %i', async (seed) => {
    await runSeed(seed, (folder) => new OnServer(folder, schemas));
  });
});
