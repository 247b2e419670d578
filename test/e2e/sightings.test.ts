// The whole program by its launcher: an indicator travels in, what matches it is planted in a SIEM, and the sighting
// arrives at the exchange once, with the right count, though the process is killed at random ten times on the way.
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import { startElastic } from '../../src/simulators/elastic/index.ts';
import type { RunningSimulator } from '../../src/simulators/server.ts';
import { startSplunk } from '../../src/simulators/splunk/index.ts';
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

interface Siem {
  readonly name: string;
  /** Starts a simulator; `entry` is the SIEM's in the configuration, and `event` what is planted. */
  start(): Promise<{
    readonly sim: RunningSimulator;
    readonly entry: string;
    readonly event: (time: string) => object;
  }>;
}

const ELASTIC: Siem = {
  name: 'Elastic',
  start: async () => {
    const sim = await startElastic({});
    const matched = {
      id: elastic.slot('ipv4-addr', ADDRESS, null),
      index: 'logs-ti_entente_soc_one.indicator',
      field: 'source.ip',
    };
    const event = (time: string) => ({
      time,
      index: '.internal.alerts-security.alerts-default-000001',
      fields: { 'kibana.alert.original_time': time, threat: { enrichments: [{ matched }] } },
    });
    const auth = `{ username: ${sim.username}, password: ${sim.password} }`;
    return { sim, entry: `{ name: one, type: elastic, url: ${sim.url}, auth: ${auth} }`, event };
  },
};

const SPLUNK: Siem = {
  name: 'Splunk',
  start: async () => {
    const sim = await startSplunk();
    const events = 'event_search: { indexes: [proxy], fields: { ipv4-addr: [dest_ip] } }';
    const event = (time: string) => ({ time, fields: { index: 'proxy', dest_ip: ADDRESS, host: 'desk.example' } });
    return {
      sim,
      entry: `{ name: one, type: splunk, url: ${sim.url}, auth: { token: ${sim.token} }, ${events} }`,
      event,
    };
  },
};

async function aPlace(action: 'share' | 'hold', siem: Siem = ELASTIC) {
  const taxii = await startTaxii({ data: [stixIndicator(1, `[ipv4-addr:value = '${ADDRESS}']`)] });
  closers.push(() => taxii.close());
  const { sim, entry, event } = await siem.start();
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
  - ${entry}
release:
  - { to: partner, tlp: [green], action: ${action} }
`,
  );
  const entente = async (...args: string[]) => {
    const node = process.execPath;
    return run(node, [LAUNCHER, ...args, '--config', file], { timeout: 60_000 }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code?: number; stdout: string; stderr: string }) => ({
        code: error.code ?? -1,
        stdout: error.stdout,
        stderr: error.stderr,
      }),
    );
  };
  const killed = (afterMs: number) =>
    new Promise<void>((resolve) => {
      const child = spawn(process.execPath, [LAUNCHER, 'run', '--once', '--config', file], {
        stdio: 'ignore',
        detached: true,
      });
      const timer = setTimeout(() => {
        // The launcher starts the pinned Node as a child: the whole group of this very process goes at once.
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      }, afterMs);
      child.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  const plant = async (count: number) => {
    const planted = event(new Date().toISOString());
    const body = JSON.stringify(Array.from({ length: count }, () => planted));
    expect((await fetch(`${sim.url}/_sim/events`, { method: 'POST', body })).status).toBe(200);
  };
  return { taxii, entente, killed, plant };
}

describe('sightings by the launcher', () => {
  it.each([ELASTIC, SPLUNK])(
    'arrive once from $name, with the right count, though the process is killed ten times',
    {
      timeout: 240_000,
    },
    async (siem) => {
      const { taxii, entente, killed, plant } = await aPlace('share', siem);
      const first = await entente('run', '--once');
      expect([first.code, first.stderr]).toEqual([0, expect.any(String)]);
      await plant(5);
      for (let n = 0; n < 10; n++) await killed(300 + ((n * 7919) % 900));

      const last = await entente('run', '--once');

      expect([last.code, last.stdout, taxii.sightings().length]).toEqual([0, expect.any(String), 1]);
      expect(taxii.sightings()[0]).toMatchObject({ count: 5, sighting_of_ref: objectIdAt(1) });
    },
  );
});
