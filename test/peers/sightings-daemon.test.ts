// The daemon between a SIEM and the real medallion: an indicator travels in, what matches it is put into the SIEM, and
// the sighting arrives at medallion, once, with the right count and times, though the daemon is killed ten times on the
// way. Elasticsearch is the real one; Splunk and QRadar are the shipped simulators. ENTENTE_SEED repeats a run.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, expect, it } from 'vitest';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import { startQradar } from '../../src/simulators/qradar/index.ts';
import { startSplunk } from '../../src/simulators/splunk/index.ts';
import { objectIdAt } from '../builders/sightings.ts';
import { admin, type ElasticPlace } from '../contract/elastic-harness.ts';
import { stixIndicator } from '../simulation/round-trip.ts';
import { describeWith, tryStart } from './available.ts';
import { sharedElasticsearch } from './elasticsearch.ts';
import { startMedallion } from './medallion.ts';
import { pythonPeer } from './python.ts';
import type { TaxiiServer } from './taxii-server.ts';

const LAUNCHER = join(import.meta.dirname, '../../bin/entente.mjs');
/** One for each SIEM, so that their sightings are told apart. */
const addressAt = (n: number) => `198.51.100.${n}`;
const INDICATORS = 3;
const WATCHLIST = 'logs-ti_entente_soc_one.indicator';
const ALERTS = '.internal.alerts-security.alerts-default-000001';
const HOUR_MS = 3_600_000;
const KILLS = 10;

interface Siem {
  /** Which of the indicators is seen there. */
  readonly n: number;
  /** Its place in the configuration. */
  readonly entry: string;
  /** One event that matches, at this time. */
  hit(happened: number): Promise<void>;
  stop(): Promise<void>;
}

const medallion = await tryStart('medallion', async () => {
  const python = await pythonPeer('medallion');
  if (python.kind === 'missing') throw new Error(python.reason);
  return python;
});
const elasticsearch = medallion.kind === 'missing' ? medallion : await tryStart('Elasticsearch', sharedElasticsearch);

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

async function inElasticsearch(place: ElasticPlace): Promise<Siem> {
  const gone = async () => {
    // The mark of a daemon that died would keep a second try out.
    for (const index of [ALERTS, WATCHLIST, 'entente-control'])
      await admin(place, 'DELETE', `/${index}?ignore_unavailable=true`);
  };
  await gone();
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
  let alerts = 0;
  return {
    n: 1,
    entry: `{ name: one, type: elastic, url: ${place.url}, hits: { schedule: "* * * * * *" } }`,
    hit: async (happened) => {
      const address = addressAt(1);
      const matched = {
        id: elastic.slot('ipv4-addr', address, null),
        index: WATCHLIST,
        field: 'source.ip',
      };
      const indicator = { type: 'ipv4-addr', name: address, ip: address };
      const answer = await admin(place, 'PUT', `/${ALERTS}/_doc/alert-${alerts++}?refresh=true`, {
        '@timestamp': new Date().toISOString(),
        'kibana.alert.original_time': new Date(happened).toISOString(),
        'kibana.alert.workflow_status': 'open',
        threat: { enrichments: [{ indicator, matched }] },
      });
      expect(answer.status).toBe(201);
    },
    stop: gone,
  };
}

async function inSplunk(): Promise<Siem> {
  const sim = await startSplunk();
  const search = 'event_search: { indexes: [proxy], fields: { ipv4-addr: [dest_ip] } }';
  return {
    n: 2,
    entry: `{ name: two, type: splunk, url: ${sim.url}, auth: { token: ${sim.token} }, ${search}, hits: { schedule: "* * * * * *" } }`,
    hit: async (happened) => {
      const fields = { index: 'proxy', dest_ip: addressAt(2), host: 'desk.example' };
      const body = JSON.stringify([{ time: new Date(happened).toISOString(), fields }]);
      expect((await fetch(`${sim.url}/_sim/events`, { method: 'POST', body })).status).toBe(200);
    },
    stop: () => sim.close(),
  };
}

async function inQRadar(): Promise<Siem> {
  const sim = await startQradar();
  return {
    n: 3,
    entry: `{ name: three, type: qradar, url: ${sim.url}, auth: { token: ${sim.token} }, hits: { schedule: "* * * * * *" } }`,
    hit: async (happened) => sim.plant([{ time: happened, fields: { destinationip: addressAt(3) } }]),
    stop: () => sim.close(),
  };
}

describeWith('the daemon before medallion', medallion, ({ python }) => {
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
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    if (running !== undefined) await ended(running, 'SIGKILL');
    for (const close of closers.splice(0)) await close();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const starts: readonly (() => Promise<Siem>)[] =
    elasticsearch.kind === 'running'
      ? [() => inElasticsearch(elasticsearch.peer), inSplunk, inQRadar]
      : [inSplunk, inQRadar];

  if (elasticsearch.kind === 'missing')
    it('needs Elasticsearch', ({ skip }) => skip(elasticsearch.reason.trim().split('\n').join(' | ').slice(0, 400)));

  // One daemon for all SIEMs: each of its deaths cuts the reading of every one of them, and the sending.
  it('tells the sighting of each SIEM once, with the right count and times, though it is killed ten times', {
    timeout: 240_000,
  }, async () => {
    const feed = Array.from({ length: INDICATORS }, (_, n) =>
      stixIndicator(n + 1, `[ipv4-addr:value = '${addressAt(n + 1)}']`),
    );
    const taxii = await startMedallion({ python, bundles: [feed] });
    closers.push(() => taxii.stop());
    const siems: Siem[] = [];
    for (const start of starts) {
      const one = await start();
      siems.push(one);
      closers.push(() => one.stop());
    }
    const seed = Number(process.env['ENTENTE_SEED'] ?? Date.now() % 1_000_000_000);
    process.stderr.write(`ENTENTE_SEED=${seed}\n`);
    const random = drawing(seed);
    rmSync(join(folder, 'state'), { recursive: true, force: true });
    writeFileSync(
      file,
      `instance: soc-one
state: ./state/entente.db
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
${siems.map(({ entry }) => `  - ${entry}`).join('\n')}
policy: { never_block: { list_actions: { documentation: note } } }
release:
  - { to: partner, tlp: [green], action: share }
`,
    );
    // All in one window, whatever the hour is when the test runs.
    const happened = Date.now() - 60_000;
    const hour = new Date(Math.floor(happened / HOUR_MS) * HOUR_MS).toISOString();
    /** In each SIEM at a moment of its own; over when the last has it. */
    const hitEach = (spanMs: number) =>
      Promise.all(
        siems.map(async (siem) => {
          await delay(random() * spanMs);
          await siem.hit(happened);
        }),
      );

    said = '';
    const first = run();
    await until('the watchlists', async () => {
      const url = /listens on (http:\/\/[\d.:]+)/.exec(said)?.[1];
      if (url === undefined) return false;
      const status = (await (await fetch(`${url}/status`)).json()) as {
        siems: { delivered: number; hits: { state: string } }[];
      };
      return (
        status.siems.length === siems.length &&
        status.siems.every((one) => one.delivered === INDICATORS && one.hits.state === 'ok')
      );
    });
    await hitEach(0);
    await delay(random() * 1500);
    await ended(first, 'SIGKILL');
    for (let kill = 1; kill < KILLS; kill++) {
      const child = run();
      await hitEach(1200);
      await delay(random() * 1200);
      await ended(child, 'SIGKILL');
    }

    const last = run();
    const toldOf = async (n: number) =>
      (await sightingsAt(taxii)).filter((one) => one.sighting_of_ref === objectIdAt(n));
    for (const { n } of siems)
      await until(`the sighting of indicator ${n}`, async () => (await toldOf(n)).at(-1)?.count === KILLS);
    // Two more readings: nothing of it comes again.
    await delay(2500);
    expect(await ended(last, 'SIGTERM')).toBe(0);

    for (const { n } of siems) {
      const versions = await toldOf(n);
      expect([seed, n, new Set(versions.map((one) => one.id)).size]).toEqual([seed, n, 1]);
      // Each version once, and each counts more than the one before.
      const counts = versions.map((one) => one.count);
      expect([seed, n, counts]).toEqual([seed, n, [...new Set(counts)].sort((a, b) => a - b)]);
      expect(versions.at(-1)).toMatchObject({ count: KILLS, first_seen: hour, last_seen: hour });
    }
    // Nothing was seen of anything else.
    expect(new Set((await sightingsAt(taxii)).map((one) => one.sighting_of_ref)).size).toBe(siems.length);
  });
});
