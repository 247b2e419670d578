// Many seeds without a test runner: `node test/simulation/seeds.ts 1 20000` prints each seed that finds something as it
// is found, and ends with 1 if any did.
import { World } from './world.ts';

const STEPS = 60;
const [from = 1, to = 1000] = process.argv.slice(2).map(Number);
let found = 0;
for (let seed = from; seed <= to; seed++) {
  const world = new World(seed);
  try {
    await world.run(STEPS);
  } catch (error) {
    found++;
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  } finally {
    world.close();
  }
}
console.info(`seeds ${from} to ${to}: ${found} found something`);
