// A first poll from a partner, and another one with nothing new.
import { openApp, say, stopwatch } from './open.ts';

const app = await openApp(process.argv[2] ?? '');
const poller = app.exchanges.get('partner')?.poller;
if (poller === undefined) throw new Error('the exchange is not enabled');
const { signal } = new AbortController();
await app.tick(signal);

async function poll(): Promise<number> {
  const stop = stopwatch();
  await poller!.poll(signal);
  if (poller!.failure !== undefined) throw new Error(poller!.failure.message);
  return stop().ms;
}

const ms = await poll();
const againMs = await poll();
say({ ms, againMs, wanted: app.reader.siems()[0]?.wanted ?? 0 });
await app.close();
