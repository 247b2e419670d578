// The daemon between the real Elasticsearch and the real medallion: an indicator travels in, alerts that match it are put
// into Elasticsearch, and the sighting arrives at medallion, once, with the right count and times, though the daemon is
// killed ten times on the way. ENTENTE_SEED repeats a run.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, expect, it } from 'vitest';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import { objectIdAt } from '../builders/sightings.ts';
import { admin, type ElasticPlace } from '../contract/elastic-harness.ts';
import { stixIndicator } from '../simulation/round-trip.ts';
import { describeWith, tryStart } from './available.ts';
import { startElasticsearch } from './elasticsearch.ts';
import { startMedallion } from './medallion.ts';
import { pythonPeer } from './python.ts';
import type { TaxiiServer } from './taxii-server.ts';

const LAUNCHER = join(import.meta.dirname, '../../bin/entente.mjs');
const ADDRESS = '198.51.100.7';
const ALERTS = '.internal.alerts-security.alerts-default-000001';
const HOUR_MS = 3_600_000;
const KILLS = 10;

const started = await tryStart('medallion and Elasticsearch', async () => {
  const python = await pythonPeer('medallion');
  if (python.kind === 'missing') throw new Error(python.reason);
  const taxii = await startMedallion({
    python: python.python,
    bundles: [[stixIndicator(1, `[ipv4-addr:value = '${ADDRESS}']`)]],
  });
  try {
    return { taxii, siem: await startElasticsearch() };
  } catch (error) {
    await taxii.stop();
    throw error;
  }
});

/** A small deterministic generator (mulberry32). */
function drawing(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Told {
  readonly type: string;
  readonly id: string;
  readonly modified: string;
  readonly count: number;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly sighting_of_ref: string;
}

async function sightingsAt(server: TaxiiServer): Promise<Told[]> {
  const answer = await fetch(
    `${server.apiRoot}collections/${server.sightingsCollection}/objects/?limit=1000&match[type]=sighting&match[version]=all`,
    {
      headers: {
        accept: 'application/taxii+json;version=2.1',
        authorization: `Basic ${Buffer.from(`${server.username}:${server.password}`).toString('base64')}`,
      },
    },
  );
  const { objects = [] } = (await answer.json()) as { objects?: Told[] };
  return objects.filter((one) => one.type === 'sighting').sort((a, b) => (a.modified < b.modified ? -1 : 1));
}

describeWith('the daemon between the real Elasticsearch and medallion', started, ({ taxii, siem }) => {
  const place: ElasticPlace = { url: siem.url };
  const folder = mkdtempSync(join(tmpdir(), 'entente-daemon-'));
  const file = join(folder, 'entente.yaml');
  let running: ChildProcess | undefined;
  let said = '';

  const run = () => {
    // A group of its own: the launcher starts the pinned Node as a child, and both must go at once.
    const child = spawn(process.execPath, [LAUNCHER, 'run', '--config', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    running = child;
    return child;
  };
  const ended = async (child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> => {
    const gone = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    if (child.pid !== undefined) process.kill(signal === 'SIGKILL' ? -child.pid : child.pid, signal);
    return gone;
  };
  const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    for (let n = 0; n < 300; n++) {
      if (await holds()) return;
      await delay(200);
    }
    throw new Error(`${what} did not come within a minute; the log ends:\n${said.slice(-2000)}`);
  };
  afterEach(async () => {
    if (running !== undefined) await ended(running, 'SIGKILL');
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await taxii.stop();
    await siem.stop();
  });

  it('tells the sighting once, with the right count and times, though it is killed ten times', {
    timeout: 240_000,
  }, async () => {
    const seed = Number(process.env['ENTENTE_SEED'] ?? Date.now() % 1_000_000_000);
    process.stderr.write(`ENTENTE_SEED=${seed}\n`);
    const random = drawing(seed);
    writeFileSync(
      file,
      `instance: soc-one
state: ./entente.db
listen: 127.0.0.1:0
identity: { id: identity--0c3a5b2e-2f5b-4c8e-9d0f-5a8c3f6b1d11, name: SOC Example }
exchanges:
  - name: partner
    type: taxii21
    url: ${taxii.apiRoot}
    auth: { username: ${taxii.username}, password: ${taxii.password} }
    collections: [${taxii.feedCollection}]
    report_to: ${taxii.sightingsCollection}
siems:
  - { name: one, type: elastic, url: ${siem.url}, hits: { schedule: "* * * * * *" } }
release:
  - { to: partner, tlp: [green], action: share }
`,
    );
    const keyword = { type: 'keyword' };
    const matchedFields = { properties: { id: keyword, index: keyword } };
    const made = await admin(place, 'PUT', `/${ALERTS}`, {
      aliases: { '.alerts-security.alerts-default': {} },
      settings: { 'index.hidden': true },
      mappings: {
        dynamic: false,
        properties: {
          '@timestamp': { type: 'date' },
          'kibana.alert.workflow_status_updated_at': { type: 'date' },
          threat: { properties: { enrichments: { type: 'nested', properties: { matched: matchedFields } } } },
        },
      },
    });
    expect(made.status).toBe(200);
    // All in one window, whatever the hour is when the test runs.
    const happened = Date.now() - 60_000;
    const window = Math.floor(happened / HOUR_MS) * HOUR_MS;
    let alerts = 0;
    const anAlert = async (): Promise<void> => {
      const matched = {
        id: elastic.slot('ipv4-addr', ADDRESS, null),
        index: 'logs-ti_entente_soc_one.indicator',
        field: 'source.ip',
      };
      const indicator = { type: 'ipv4-addr', name: ADDRESS, ip: ADDRESS };
      const answer = await admin(place, 'PUT', `/${ALERTS}/_doc/alert-${alerts++}?refresh=true`, {
        '@timestamp': new Date().toISOString(),
        'kibana.alert.original_time': new Date(happened).toISOString(),
        'kibana.alert.workflow_status': 'open',
        threat: { enrichments: [{ indicator, matched }] },
      });
      expect(answer.status).toBe(201);
    };

    const first = run();
    await until('the indicator', async () => {
      const found = await admin(place, 'GET', '/logs-ti_entente_soc_one.indicator/_count');
      return found.status === 200 && Number(found.body?.['count']) > 0;
    });
    await anAlert();
    await delay(random() * 1500);
    await ended(first, 'SIGKILL');
    for (let kill = 1; kill < KILLS; kill++) {
      const child = run();
      await delay(random() * 1200);
      await anAlert();
      await delay(random() * 1200);
      await ended(child, 'SIGKILL');
    }

    const last = run();
    await until('the sighting', async () => (await sightingsAt(taxii)).at(-1)?.count === alerts);
    // Two more readings: nothing of it comes again.
    await delay(2500);
    expect(await ended(last, 'SIGTERM')).toBe(0);

    const told = await sightingsAt(taxii);
    const hour = new Date(window).toISOString();
    expect([seed, new Set(told.map((one) => one.id)).size]).toEqual([seed, 1]);
    // Each version once, and each counts more than the one before.
    const counts = told.map((one) => one.count);
    expect([seed, counts]).toEqual([seed, [...new Set(counts)].sort((a, b) => a - b)]);
    expect(told.at(-1)).toMatchObject({
      count: KILLS,
      first_seen: hour,
      last_seen: hour,
      sighting_of_ref: objectIdAt(1),
    });
  });
});
