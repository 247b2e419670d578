// Many seeds without a test runner: `node test/simulation/seeds.ts 1 20000` prints each seed that finds something as it
// is found and how far it is after each 500, and ends with 1 if any did. With `--postgres postgres://USER:PASSWORD@HOST:PORT/DATABASE` the worlds keep their
// states in a schema there, which this makes.
import { parseArgs } from 'node:util';
import { Schemas, serverOf } from '../peers/postgres.ts';
import { OnServer } from './keeping.ts';
import { World } from './world.ts';

const STEPS = 60;
const { positionals, values } = parseArgs({ allowPositionals: true, options: { postgres: { type: 'string' } } });
const [from = 1, to = 1000] = positionals.map(Number);
const schemas =
  values.postgres === undefined ? undefined : new Schemas(serverOf(values.postgres), `seeds_${process.pid}`);
let found = 0;
for (let seed = from; seed <= to; seed++) {
  const world = schemas === undefined ? new World(seed) : new World(seed, (folder) => new OnServer(folder, schemas));
  try {
    await world.run(STEPS);
  } catch (error) {
    found++;
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  } finally {
    world.close();
  }
  if ((seed + 1 - from) % 500 === 0) console.info(`as far as ${seed}: ${found} found something`);
}
schemas?.close();
console.info(`seeds ${from} to ${to}: ${found} found something`);
