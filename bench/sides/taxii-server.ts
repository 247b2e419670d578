// The partner of all rows: the TAXII simulator, with every object's text made before it listens. `taxii-server.ts COUNT [DAYS]`:
// indicators published today; with DAYS so many on each of the last days, what became of them and their relationships.
import { feed } from '../../src/simulators/feed.ts';
import { startTaxii } from '../../src/simulators/taxii/index.ts';

const DAY_MS = 86_400_000;
const [count = 0, days] = process.argv.slice(2).map(Number);
const start = Date.now() - (days ?? 1) * DAY_MS;

function* objects() {
  for (let day = 0; day < (days ?? 1); day++)
    // Of one day relationships are left out, so that a thing counted is an indicator.
    for (const object of feed({ count, day, start, irregular: 0 }))
      if (days !== undefined || object.type !== 'relationship') yield object;
}

const taxii = await startTaxii({ data: objects() });
const { apiRoot: url, username, password, collections } = taxii;
process.stdout.write(`${JSON.stringify({ url, username, password, collection: collections.read })}\n`);
process.once('SIGTERM', () => void taxii.close());
