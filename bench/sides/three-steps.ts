// Entries created, changed and removed at one SIEM by the daemon's own delivery. Polls lie between and are not timed.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startTaxii } from '../../src/simulators/taxii/index.ts';
import { openApp, say } from './open.ts';

const LONGEST_MS = 120_000;
const [folder = '', siemText = '', countText = ''] = process.argv.slice(2);
const count = Number(countText);
const begin = Date.now() - 3_600_000;

function* version(n: number) {
  const modified = new Date(begin + n * 1000).toISOString();
  for (let i = 0; i < count; i++) {
    yield {
      type: 'indicator',
      spec_version: '2.1',
      id: `indicator--${i.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`,
      created: new Date(begin).toISOString(),
      modified,
      valid_from: new Date(begin).toISOString(),
      valid_until: new Date(begin + (30 + n) * 86_400_000).toISOString(),
      confidence: 50 + n,
      pattern: `[ipv4-addr:value = '198.18.${i >> 8}.${i & 255}']`,
      pattern_type: 'stix',
      ...(n === 2 ? { revoked: true } : {}),
    };
  }
}

const taxii = await startTaxii({ data: version(0) });
const file = join(folder, 'entente.yaml');
writeFileSync(
  file,
  JSON.stringify({
    instance: 'bench',
    state: 'entente.db',
    listen: '127.0.0.1:0',
    exchanges: [
      {
        name: 'partner',
        type: 'taxii21',
        url: taxii.apiRoot,
        collections: [taxii.collections.read],
        auth: { username: taxii.username, password: taxii.password },
      },
    ],
    siems: [JSON.parse(siemText)],
    policy: { removal_brake: { share: 1, at_least: 1_000_000 } },
  }),
);
const app = await openApp(file);
const poller = app.exchanges.get('partner')?.poller;
const [deliverer] = app.deliverers.values();
if (poller === undefined || deliverer === undefined) throw new Error('exchange or SIEM is not enabled');
const { signal } = new AbortController();
await app.tick(signal);
// Containers are made and the writer is known before anything is timed, as in a daemon that runs.
await deliverer.cycle(signal);

async function step(n: number): Promise<number> {
  if (n > 0) taxii.load(version(n));
  await poller!.poll(signal);
  if (poller!.failure?.kind === 'retryable') {
    // A connection that lay idle may be closed by the far side just then; the daemon comes back, and so does this.
    poller!.wake();
    await poller!.poll(signal);
  }
  if (poller!.failure !== undefined) throw new Error(poller!.failure.message);
  const started = performance.now();
  for (;;) {
    await deliverer!.cycle(signal);
    if (deliverer!.failure !== undefined) throw new Error(deliverer!.failure.message);
    const siem = app.reader.siems()[0];
    if (siem?.pending === 0) {
      const wanted = n === 2 ? 0 : count;
      if (siem.delivered !== wanted) throw new Error(`${siem.delivered} entries are delivered, not ${wanted}`);
      return performance.now() - started;
    }
    if (performance.now() - started > LONGEST_MS)
      throw new Error(`${siem?.pending} entries are left after two minutes`);
    // The pace of the daemon's own loop.
    const next = (await app.store.nextWork(deliverer!.name, app.now())) ?? 0;
    if (next !== 0) await delay(Math.max(100, next - app.now()));
  }
}

say({ createMs: await step(0), changeMs: await step(1), removeMs: await step(2) });
await app.close();
await taxii.close();
