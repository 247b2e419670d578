// By the launcher, with all three SIEMs: what analysts close as a false positive there becomes one opinion to the partner
// where a rule allows it, and a suggestion to whoever looks; nothing is taken off by itself.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import { startElastic } from '../../src/simulators/elastic/index.ts';
import { startQradar } from '../../src/simulators/qradar/index.ts';
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

async function started<T extends { close(): Promise<unknown> }>(starting: Promise<T>): Promise<T> {
  const one = await starting;
  closers.push(() => one.close());
  return one;
}
const post = (url: string, body: unknown) => fetch(url, { method: 'POST', body: JSON.stringify(body) });

it('verdicts from all three SIEMs are one opinion to the partner, and a suggestion until the value is off', {
  timeout: 180_000,
}, async () => {
  const taxii = await started(startTaxii({ data: [stixIndicator(1, `[ipv4-addr:value = '${ADDRESS}']`)] }));
  const [splunk, kibana, qradar] = await Promise.all([
    started(startSplunk()),
    started(startElastic({})),
    started(startQradar({})),
  ]);
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
  - { name: splunk-hq, type: splunk, url: ${splunk.url}, auth: { token: ${splunk.token} }, false_positive_dispositions: ["disposition:3"] }
  - { name: elastic-hq, type: elastic, url: ${kibana.url}, auth: { username: ${kibana.username}, password: ${kibana.password} } }
  - { name: qradar-hq, type: qradar, url: ${qradar.url}, auth: { token: ${qradar.token} }, false_positive_reasons: [2] }
# One window over all hits, whichever full hour passes during the test.
sightings: { window_minutes: 1440 }
release:
  - { to: partner, tlp: [green], false_positives: true, action: share }
`,
  );
  const entente = async (...args: string[]) =>
    (await run(process.execPath, [LAUNCHER, ...args, '--config', file], { timeout: 60_000 })).stdout;
  await entente('run', '--once');

  const time = new Date().toISOString();
  // A notable of our own search, and what its analyst said of it.
  await post(`${splunk.url}/_sim/events`, [{ time, fields: { index: 'notable', entry_key: `ipv4-addr|${ADDRESS}` } }]);
  const bySplunk = async (path: string, form: Record<string, string>) => {
    const headers = { authorization: `Bearer ${splunk.token}` };
    const body = new URLSearchParams({ output_mode: 'json', ...form });
    return (await fetch(`${splunk.url}${path}`, { method: 'POST', headers, body })).json() as Promise<{
      results: { event_id: string }[];
    }>;
  };
  const search = 'search `notable` | fields event_id';
  const found = await bySplunk('/services/search/jobs', { exec_mode: 'oneshot', search });
  const ruleUIDs = found.results[0]?.event_id ?? '';
  await bySplunk('/services/notable_update', { ruleUIDs, status: '5', disposition: 'disposition:3' });
  const matched = {
    id: elastic.slot('ipv4-addr', ADDRESS, null),
    index: 'logs-ti_entente_soc_one.indicator',
  };
  const alert = {
    'kibana.alert.original_time': time,
    'kibana.alert.workflow_status': 'closed',
    'kibana.alert.workflow_reason': 'false_positive',
    threat: { enrichments: [{ matched }] },
  };
  const index = '.internal.alerts-security.alerts-default-000001';
  await post(`${kibana.url}/_sim/events`, [{ time, index, fields: alert }]);
  const closed = { status: 'CLOSED', closing_reason_id: 2, offense_source: ADDRESS, description: 'listed\n' };
  const now = Date.now();
  await post(`${qradar.url}/_sim/offenses`, [{ id: 1, ...closed, last_updated_time: now, last_persisted_time: now }]);
  await entente('run', '--once');

  const why = JSON.parse(await entente('why', ADDRESS, '--json')) as {
    entries: { hits: Record<string, { verdict: string; count: number }[]>; releases: object[]; siems: object[] }[];
  };
  const negative = [{ verdict: 'false_positive', count: 1 }];
  expect(why.entries[0]?.hits).toMatchObject({
    'splunk-hq': negative,
    'elastic-hq': negative,
    'qradar-hq': negative,
  });
  expect(why.entries[0]?.releases).toMatchObject([{ kind: 'false_positive', state: 'sent', rule: 1 }]);
  const kept = await fetch(`${taxii.apiRoot}collections/${taxii.collections.write}/objects/?match[type]=opinion`, {
    headers: {
      accept: 'application/taxii+json;version=2.1',
      authorization: `Basic ${Buffer.from(`${taxii.username}:${taxii.password}`).toString('base64')}`,
    },
  });
  const { objects } = (await kept.json()) as { objects: { id: string }[] };
  expect(new Set(objects.map((one) => one.id)).size).toBe(1);
  expect(objects[0]).toMatchObject({ opinion: 'disagree', object_refs: [objectIdAt(1)] });

  // It stays armed, and who looks is told.
  const all = ['elastic-hq', 'qradar-hq', 'splunk-hq'];
  const suggested = async () =>
    (JSON.parse(await entente('suppress', 'list', '--json')) as { suggested: object[] }).suggested;
  expect(await suggested()).toMatchObject([{ value: ADDRESS, said: all, armed: all, count: 3 }]);
  expect(await entente('why', ADDRESS)).toContain('Called a false positive, and armed.');
  await entente('suppress', ADDRESS, '--hours', '1', '--reason', 'our mail relay').catch(() => undefined);
  expect(await suggested()).toEqual([]);
});
