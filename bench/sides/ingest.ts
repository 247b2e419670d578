// One poll from the TAXII server to committed state; with `twice`, the same again with nothing new.
import { openApp, say } from './open.ts';

const [file = '', twice] = process.argv.slice(2);
const app = await openApp(file);
const poller = app.exchanges.get('partner')?.poller;
if (poller === undefined) throw new Error('the exchange is not enabled');
const { signal } = new AbortController();
// As at every start: a SIEM that is new has its wanted state computed, of nothing yet.
await app.tick(signal);

async function poll(): Promise<number> {
  const begin = performance.now();
  await poller!.poll(signal);
  if (poller!.failure !== undefined) throw new Error(poller!.failure.message);
  return performance.now() - begin;
}

const ms = await poll();
const again = twice === undefined ? {} : { againMs: await poll() };
const [siem] = app.reader.siems();
say({ ms, ...again, wanted: siem?.wanted ?? 0 });
await app.close();
