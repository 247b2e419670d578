// The way back: from a hit visible in the SIEM to the sighting accepted by the exchange, and what a flood of hits
// takes. Both far sides are the shipped simulators.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import { startElastic } from '../../src/simulators/elastic/index.ts';
import { startTaxii } from '../../src/simulators/taxii/index.ts';
import { objectIdAt } from '../../test/builders/sightings.ts';
import type { Bench } from '../bench.ts';
import { listening, ROOT, side } from '../process.ts';
import { spread } from '../rounds.ts';
import { type BenchRow, type Line, thousands } from './row.ts';

const HITS_PER_POLL = 1000;
const INTERVAL_SECS = 1;
const REACH_SECS = 2;
const REACH_MB = 256;
const LONGEST_MS = 120_000;

export const sightings: BenchRow = {
  name: 'sightings',
  run: async (bench) => [await soon(bench), await flood(bench)],
};

async function soon(bench: Bench): Promise<Line> {
  const seconds: number[] = [];
  await withDaemon(async (round) => {
    for (let n = 0; n < bench.rounds; n++) {
      seconds.push(await round(n));
      bench.note(`round ${n + 1}/${bench.rounds}: ${seconds.at(-1)?.toFixed(2)} s`);
    }
  });
  const { median, low, high } = spread(seconds);
  return {
    what: `a hit visible until its sighting is accepted, ${HITS_PER_POLL} hits on as many entries per poll`,
    reach: `poll interval plus ${REACH_SECS} s`,
    measured: `${median.toFixed(2)} s (${low.toFixed(2)} to ${high.toFixed(2)}) at an interval of ${INTERVAL_SECS} s`,
    reached: median <= INTERVAL_SECS + REACH_SECS,
    detail: `${bench.rounds} rounds, until the last of the ${HITS_PER_POLL} is accepted; daemon as a process of its own, simulated Elasticsearch and TAXII server`,
  };
}

/** Seconds from planting the alerts of a round to the last of their sightings. */
async function withDaemon(measure: (round: (n: number) => Promise<number>) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'entente-bench-'));
  const taxii = await startTaxii({ data: Array.from({ length: HITS_PER_POLL }, (_, n) => indicator(n)) });
  const sim = await startElastic({});
  const file = join(folder, 'entente.yaml');
  writeFileSync(
    file,
    `instance: soc-one
state: ./entente.db
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
  - { name: one, type: elastic, url: ${sim.url}, auth: { username: ${sim.username}, password: ${sim.password} }, hits: { schedule: "*/${INTERVAL_SECS} * * * * *" } }
release:
  - { to: partner, tlp: [green], action: share }
policy: { never_block: { list_actions: { documentation: note } } }
`,
  );
  const daemon = spawn(process.execPath, [join(ROOT, 'bin', 'entente.mjs'), 'run', '--config', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    await delivered(daemon);
    await measure(async (n) => {
      const before = taxii.sightings().length;
      const body = JSON.stringify(Array.from({ length: HITS_PER_POLL }, (_, at) => alert(n, at)));
      const begin = performance.now();
      const answer = await fetch(`${sim.url}/_sim/events`, { method: 'POST', body });
      if (!answer.ok) throw new Error(`the alerts were not taken: ${answer.status}`);
      while (taxii.sightings().length < before + HITS_PER_POLL) {
        if (performance.now() - begin > LONGEST_MS) throw new Error('the sightings did not come');
        await delay(20);
      }
      return (performance.now() - begin) / 1000;
    });
  } finally {
    const gone = once(daemon, 'close');
    if (daemon.exitCode === null && daemon.kill('SIGTERM')) await gone;
    await sim.close();
    await taxii.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The daemon is up and its watchlist stands. */
async function delivered(daemon: ChildProcess): Promise<void> {
  let text = '';
  daemon.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
  for (const end = performance.now() + LONGEST_MS; performance.now() < end; await delay(100)) {
    const url = listening(text);
    if (url === undefined) continue;
    const status = (await (await fetch(new URL('/status', url))).json()) as { siems: { delivered: number }[] };
    if (status.siems[0]?.delivered === HITS_PER_POLL) return;
  }
  throw new Error(`the watchlist was not delivered:\n${text.slice(-1000)}`);
}

const indicator = (n: number) => ({
  type: 'indicator',
  spec_version: '2.1',
  id: objectIdAt(n),
  created: '2026-01-01T00:00:00.000Z',
  modified: '2026-01-01T00:00:00.000Z',
  valid_from: '2026-01-01T00:00:00Z',
  valid_until: '2099-01-01T00:00:00Z',
  pattern: `[ipv4-addr:value = '${addressOf(n)}']`,
  pattern_type: 'stix',
  object_marking_refs: ['marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb'],
});

/** Of the range for benchmarks (RFC 2544). */
const addressOf = (n: number): string => `198.18.${n >> 8}.${n & 255}`;

function alert(round: number, n: number) {
  const time = new Date().toISOString();
  const matched = {
    id: elastic.slot('ipv4-addr', addressOf(n), null),
    index: 'logs-ti_entente_soc_one.indicator',
    field: 'source.ip',
  };
  const enrichment = { indicator: { type: 'ipv4-addr', name: addressOf(n), ip: addressOf(n) }, matched };
  return {
    time,
    index: '.internal.alerts-security.alerts-default-000001',
    fields: {
      'kibana.alert.uuid': `alert-${round}-${n}`,
      'kibana.alert.original_time': time,
      threat: { enrichments: [enrichment] },
    },
  };
}

async function flood(bench: Bench): Promise<Line> {
  const hits = bench.size(1_000_000);
  const entries = Math.max(1, Math.round(hits / 100));
  const { peakMb, said } = await side('sightings', [String(hits), String(entries)], 'daemon');
  const made = Number(said['sightings']);
  const rate = hits / Number(said['seconds']);
  bench.note(`${hits} hits: ${made} sightings, ${peakMb.toFixed(0)} MB, ${thousands(rate)} hits a second`);
  return {
    what: `${thousands(hits)} hits on ${thousands(entries)} entries`,
    reach: `${thousands(entries)} sightings, at most ${REACH_MB} MB`,
    measured: `${thousands(made)} sightings, ${Math.round(peakMb)} MB`,
    reached: made === entries && peakMb <= REACH_MB,
    detail: `the store in a process of its own with the daemon's limits, pages of ${HITS_PER_POLL}, ${thousands(rate)} hits a second; peak of the whole process as the kernel counted it`,
  };
}
