// The way back by the launcher, as people see it: what waits for them, what an exchange refused, what they disown, and
// that nothing of a hit shows anywhere.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import { startElastic } from '../../src/simulators/elastic/index.ts';
import { startTaxii } from '../../src/simulators/taxii/index.ts';
import { objectIdAt } from '../builders/sightings.ts';
import { stixIndicator } from '../simulation/round-trip.ts';
import { Site } from './site.ts';

const LAUNCHER = join(import.meta.dirname, '../../bin/entente.mjs');
const ADDRESS = '198.51.100.7';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function aPlace(action: 'share' | 'hold', given: { rule?: string } = {}) {
  const taxii = await startTaxii({
    data: [stixIndicator(1, `[ipv4-addr:value = '${ADDRESS}']`)],
  });
  closers.push(() => taxii.close());
  const sim = await startElastic({});
  closers.push(() => sim.close());
  const site = new Site();
  closers.push(() => site.close());
  const file = site.write(
    'entente.yaml',
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
  - { name: one, type: elastic, url: ${sim.url}, auth: { username: ${sim.username}, password: ${sim.password} }, hits: { schedule: "* * * * * *" } }
release:
  - { to: partner, tlp: [green], action: ${action}${given.rule ?? ''} }
`,
  );
  const entente = (...args: string[]) => site.entente([...args, '--config', file]);
  const plant = async (count: number, stuffed: object = {}) => {
    const time = new Date().toISOString();
    const matched = {
      id: elastic.slot('ipv4-addr', ADDRESS, null),
      index: 'logs-ti_entente_soc_one.indicator',
      field: 'source.ip',
    };
    const alert = {
      time,
      index: '.internal.alerts-security.alerts-default-000001',
      fields: { ...stuffed, 'kibana.alert.original_time': time, threat: { enrichments: [{ matched }] } },
    };
    const body = JSON.stringify(Array.from({ length: count }, () => alert));
    expect((await fetch(`${sim.url}/_sim/events`, { method: 'POST', body })).status).toBe(200);
  };
  /** Runs until it is stopped; everything it prints is kept. */
  const daemon = async () => {
    const child = spawn(process.execPath, [LAUNCHER, 'run', '--config', file], { detached: true });
    let printed = '';
    const gone = new Promise<number | null>((resolve) => child.once('close', resolve));
    closers.push(() => {
      // The group of this very process, if it is still there.
      if (child.exitCode === null && child.signalCode === null && child.pid !== undefined)
        process.kill(-child.pid, 'SIGKILL');
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (printed += chunk.toString('utf8')));
    await vi.waitFor(() => expect(printed).toMatch(/listens on http/), { timeout: 20_000 });
    const url = /listens on (http:\/\/[\d.:]+)/.exec(printed)?.[1] ?? '';
    return {
      printed: () => printed,
      get: async (path: string) => (await fetch(`${url}${path}`)).text(),
      stop: async () => {
        child.kill('SIGTERM');
        return gone;
      },
    };
  };
  return { taxii, entente, plant, daemon, state: site.path('entente.db') };
}

describe('sightings by the launcher', () => {
  it('wait for a person where the rule says so, and why tells of hits and releases', { timeout: 120_000 }, async () => {
    const { taxii, entente, plant } = await aPlace('hold');
    await entente('run', '--once');
    await plant(2);
    await entente('run', '--once');
    expect(taxii.sightings()).toEqual([]);

    const list = JSON.parse((await entente('held', 'list', '--json')).stdout) as {
      held: { id: string; set: string }[];
    };
    const { id, set } = list.held[0]!;
    const because = ['--reason', 'known campaign', '--by', 'ann'];
    await plant(3);
    await entente('run', '--once');
    const stale = await entente('held', 'approve', id, '--set', set, ...because);
    expect([stale.code, stale.stderr]).toEqual([
      1,
      expect.stringContaining('s1 has changed since it was shown: it counted 2 then and counts 5 now'),
    ]);
    const shown = JSON.parse((await entente('held', 'show', id, '--json')).stdout) as { set: string; stix: object };
    const approved = await entente('held', 'approve', id, '--set', shown.set, ...because);
    await entente('run', '--once');
    const why = JSON.parse((await entente('why', ADDRESS, '--json')).stdout) as {
      entries: { hits: Record<string, { count: number }[]>; releases: { state: string; rule: number }[] }[];
    };
    const told = (await entente('why', ADDRESS)).stdout;
    const status = JSON.parse((await entente('status', '--json')).stdout) as { sightings: object };

    expect(told).toMatch(
      /one: seen, 5 from .*\n.*To partner, window .*, count 5: sent: rule 1 holds .*; ann: known campaign/,
    );
    expect(approved.code).toBe(0);
    expect(taxii.sightings()).toEqual([expect.objectContaining(shown.stix)]);
    expect(why.entries[0]?.hits['one']?.[0]?.count).toBe(5);
    expect(why.entries[0]?.releases).toMatchObject([{ state: 'sent', rule: 1 }]);
    expect(status.sightings).toEqual({ hits: 5, held: 0, denied: 0, queued: 0, sent: 1, failed: 0 });
  });

  it('let nothing of a hit out: not in metrics, status, what is printed, or the tables', {
    timeout: 90_000,
  }, async () => {
    const { taxii, entente, plant, daemon, state } = await aPlace('share');
    await entente('run', '--once');
    const word = (n: number) => `CANARY-${n}`;
    await plant(3, {
      host: { name: word(1), ip: '10.9.8.7' },
      user: { name: word(2), email: word(3) },
      message: word(4),
      'kibana.alert.rule.name': word(5),
      'kibana.alert.reason': word(6),
      'kibana.alert.workflow_tags': [word(7)],
    });
    const running = await daemon();
    await vi.waitFor(() => expect(taxii.sightings()).toHaveLength(1), { timeout: 20_000, interval: 200 });
    const [metrics, status, page] = [
      await running.get('/metrics'),
      await running.get('/status'),
      await running.get('/'),
    ];
    const backup = await entente('backup', `${state}.copy`);
    const shown = await Promise.all(
      [['why', ADDRESS], ['held', 'list'], ['parked', 'list'], ['status']].map((one) => entente(...one, '--json')),
    );
    expect([await running.stop(), backup.code]).toEqual([0, 0]);

    // What is looked through holds what it should hold.
    expect(metrics).toMatch(/^entente_hits 3$/m);
    expect(metrics).toMatch(/^entente_sightings\{kind="sent"\} 1$/m);
    expect((JSON.parse(status) as { sightings: object }).sightings).toMatchObject({ hits: 3, sent: 1 });
    const tables = readFileSync(`${state}.copy`).toString('latin1');
    expect(tables).toContain(ADDRESS);
    const printed = shown.map((one) => one.stdout + one.stderr);
    for (const place of [
      metrics,
      status,
      page,
      tables,
      running.printed(),
      JSON.stringify(taxii.sightings()),
      ...printed,
    ])
      expect(place).not.toMatch(/CANARY|10\.9\.8\.7/);
  });

  it('refused by the exchange are parked until a person asks to try again', { timeout: 90_000 }, async () => {
    const { taxii, entente, plant } = await aPlace('share');
    await entente('run', '--once');
    await plant(1);
    taxii.setFaults([{ match: 'POST ', action: 'status', status: 422, body: '{"title":"type not taken"}' }]);
    const refused = await entente('run', '--once');
    const list = JSON.parse((await entente('parked', 'list', '--json')).stdout) as {
      sightings: { id: string; exchange: string; reason: string }[];
    };
    taxii.setFaults([]);
    const unknown = await entente('parked', 'retry', 's99');
    const retried = await entente('parked', 'retry', list.sightings[0]?.id ?? '', '--json');
    await entente('run', '--once');

    expect([refused.code, taxii.sightings().length]).toEqual([0, 1]);
    expect(list.sightings).toMatchObject([{ exchange: 'partner', reason: expect.stringContaining('422') as string }]);
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('no sighting is parked under s99')]);
    expect(JSON.parse(retried.stdout)).toEqual({ entries: 0, sightings: 1 });
  });

  it('that a person disowns go as an opinion, and status tells without a daemon how it stands', {
    timeout: 90_000,
  }, async () => {
    const { taxii, entente } = await aPlace('share', { rule: ', false_positives: true' });
    await entente('run', '--once');
    await entente('suppress', ADDRESS, '--hours', '1', '--reason', 'our mail relay', '--false-positive');
    await entente('run', '--once');
    const why = JSON.parse((await entente('why', ADDRESS, '--json')).stdout) as {
      entries: { hits: Record<string, object[]>; releases: object[] }[];
    };
    const status = JSON.parse((await entente('status', '--json')).stdout) as {
      exchanges: { report: object }[];
      siems: { hits: object }[];
    };

    const kept = await fetch(`${taxii.apiRoot}collections/${taxii.collections.write}/objects/?match[type]=opinion`, {
      headers: {
        accept: 'application/taxii+json;version=2.1',
        authorization: `Basic ${Buffer.from(`${taxii.username}:${taxii.password}`).toString('base64')}`,
      },
    });
    expect(((await kept.json()) as { objects: object[] }).objects).toMatchObject([
      { opinion: 'disagree', object_refs: [objectIdAt(1)] },
    ]);
    expect(why.entries[0]?.hits['by hand']).toMatchObject([{ verdict: 'false_positive', count: 1 }]);
    expect(why.entries[0]?.releases).toMatchObject([{ kind: 'false_positive', state: 'sent', rule: 1 }]);
    // Nothing has ever matched in this Elastic, so that there is no index of alerts yet.
    expect([status.exchanges[0]?.report, status.siems[0]?.hits]).toMatchObject([
      { state: 'ok', reason: null },
      { state: 'paused', reason: expect.stringContaining('nothing to read') },
    ]);
  });
});
