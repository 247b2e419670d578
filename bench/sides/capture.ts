// Writes the bulk bodies that delivery would send into one file, and their lengths beside it.
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { siems } from '../../src/connectors/registry.ts';
import { openApp, say } from './open.ts';

const [file = '', bodies = ''] = process.argv.slice(2);
const app = await openApp(file);
const [siem] = app.config.siems;
const limits = siems.find((one) => one.type === siem?.type)?.limits;
if (siem === undefined || limits === undefined) throw new Error('no SIEM is configured');
await app.store.opened(siem.name, { version: '9.0.0', product: 'elasticsearch' }, app.now());
const out = openSync(bodies, 'w');
const lengths: number[] = [];
let documents = 0;
for (;;) {
  const batch = await app.store.takeBatch(siem.name, limits, app.now());
  if (batch === undefined) break;
  writeSync(out, batch.bytes);
  lengths.push(batch.bytes.byteLength);
  documents += batch.ends.length;
  await app.store.settleAll(batch.id, app.now());
}
closeSync(out);
writeFileSync(`${bodies}.json`, JSON.stringify(lengths));
say({ documents });
await app.close();
