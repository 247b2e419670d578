// The partner of all rows: the TAXII simulator, with every object's text made before it listens.
import { feed } from '../../src/simulators/feed.ts';
import { startTaxii } from '../../src/simulators/taxii/index.ts';

const DAY_MS = 86_400_000;
const count = Number(process.argv[2]);

function* objects() {
  // Regular indicators and what they refer to; relationships are left out, so that a thing counted is an indicator.
  for (const object of feed({ count, start: Date.now() - DAY_MS, irregular: 0 }))
    if (object.type !== 'relationship') yield object;
}

const taxii = await startTaxii({ data: objects() });
const { apiRoot: url, username, password, collections } = taxii;
process.stdout.write(`${JSON.stringify({ url, username, password, collection: collections.read })}\n`);
process.once('SIGTERM', () => void taxii.close());
