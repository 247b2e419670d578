// The whole program by its launcher: an indicator travels in, events that match it are planted in QRadar, and the
// sighting arrives at the exchange once, with the right count, though the process is killed ten times on the way.
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import { startQradar } from '../../src/simulators/qradar/index.ts';
import { startTaxii } from '../../src/simulators/taxii/index.ts';
import { objectIdAt } from '../builders/sightings.ts';
import { stixIndicator } from '../simulation/round-trip.ts';

const run = promisify(execFile);
const LAUNCHER = join(import.meta.dirname, '../../bin/entente.mjs');
const ADDRESS = '198.51.100.7';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function aPlace() {
  const taxii = await startTaxii({ data: [stixIndicator(1, `[ipv4-addr:value = '${ADDRESS}']`)] });
  closers.push(() => taxii.close());
  const sim = await startQradar();
  closers.push(() => sim.close());
  const folder = mkdtempSync(join(tmpdir(), 'entente-e2e-'));
  closers.push(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'entente.yaml');
  writeFileSync(
    file,
    `instance: soc-one
state: ./entente.db
policy: { never_block: { list_actions: { documentation: note } } }
listen: 127.0.0.1:0
identity: { id: identity--0c3a5b2e-2f5b-4c8e-9d0f-5a8c3f6b1d11, name: SOC Example }
exchanges:
  - name: partner
    type: taxii21
    url: ${taxii.discovery}
    auth: { username: ${taxii.username}, password: ${taxii.password} }
    collections: [${taxii.collections.read}]
    report_to: ${taxii.collections.write}
siems:
  - { name: one, type: qradar, url: ${sim.url}, auth: { token: ${sim.token} } }
# One window over all hits, whichever full hour passes during the test.
sightings: { window_minutes: 1440 }
release:
  - { to: partner, tlp: [green], action: share }
`,
  );
  const args = [LAUNCHER, 'run', '--once', '--config', file];
  const once = () => run(process.execPath, args, { timeout: 60_000 });
  const killed = (afterMs: number) =>
    new Promise<void>((resolve) => {
      const child = spawn(process.execPath, args, { stdio: 'ignore', detached: true });
      const timer = setTimeout(() => {
        // The launcher starts the pinned Node as a child: the whole group of this very process goes at once.
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      }, afterMs);
      child.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  return { taxii, sim, once, killed };
}

it('hits in QRadar arrive once, with the right count, though the process is killed ten times', {
  timeout: 240_000,
}, async () => {
  const { taxii, sim, once, killed } = await aPlace();
  await once();
  const time = Date.now();
  sim.plant([
    { time, fields: { destinationip: ADDRESS, eventcount: 3 } },
    { time, fields: { sourceip: ADDRESS } },
    { time, fields: { destinationip: ADDRESS } },
    { time, fields: { destinationip: '192.0.2.1' } },
  ]);
  for (let n = 0; n < 10; n++) await killed(300 + ((n * 7919) % 900));

  await once();

  // A process killed between two fields may have told the first one's hits: then a newer version of the same sighting.
  const told = taxii.sightings();
  expect(new Set(told.map((one) => one['id'])).size).toBe(1);
  expect(Math.max(...told.map((one) => Number(one['count'])))).toBe(5);
  expect(told[0]).toMatchObject({ sighting_of_ref: objectIdAt(1) });
});
