// One poll from the TAXII server to committed state.
import { openApp, say, stopwatch } from './open.ts';

const app = await openApp(process.argv[2] ?? '');
const poller = app.exchanges.get('partner')?.poller;
if (poller === undefined) throw new Error('the exchange is not enabled');
const { signal } = new AbortController();
// As at every start: a SIEM that is new has its wanted state computed, of nothing yet.
await app.tick(signal);

const stop = stopwatch();
await poller.poll(signal);
const took = stop();
if (poller.failure !== undefined) throw new Error(poller.failure.message);
const [siem] = app.reader.siems();
say({ ...took, wanted: siem?.wanted ?? 0 });
await app.close();
