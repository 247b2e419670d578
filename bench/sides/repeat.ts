// A first ingest, its delivery, then polls with nothing new: from the cursor, and with the cursor lost. A last
// delivery would write what they changed; the caller compares with the product's own count of writes.
import { DatabaseSync } from 'node:sqlite';
import { runOnce } from '../../src/app/once.ts';
import { openApp, say } from './open.ts';

const app = await openApp(process.argv[2] ?? '');
const poller = app.exchanges.get('partner')?.poller;
const [deliverer] = app.deliverers.values();
if (poller === undefined || deliverer === undefined) throw new Error('exchange or SIEM is not enabled');
const { signal } = new AbortController();

async function poll(): Promise<number> {
  const begin = performance.now();
  await poller!.poll(signal);
  if (poller!.failure !== undefined) throw new Error(poller!.failure.message);
  return performance.now() - begin;
}

const firstMs = await poll();
await deliverer.cycle(signal);
if (deliverer.failure !== undefined) throw new Error(deliverer.failure.message);
const delivered = deliverer.totals.applied;
const cursorMs = await poll();
const beside = new DatabaseSync(app.config.state);
beside.exec('UPDATE exchange SET cursor = NULL');
beside.close();
const startMs = await poll();
const report = await runOnce(app, 60_000, signal);
if (!report.complete) throw new Error(report.left.join('; '));
say({ firstMs, cursorMs, startMs, delivered });
await app.close();
