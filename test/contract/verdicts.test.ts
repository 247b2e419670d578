// What a person says of an alert, in the three products: closed as a false positive it is a negative hit of the entry
// that the alert matched, closed otherwise it is none, and read twice it is told apart by its digest.
import { afterEach, describe, expect, it } from 'vitest';
import type { SiemConnector } from '../../src/core/contracts/siem-connector.ts';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import { splunk } from '../../src/connectors/siem/splunk/index.ts';
import type { Json } from '../../src/core/model/json.ts';
import type { Hit } from '../../src/core/model/sighting.ts';
import { startElastic } from '../../src/simulators/elastic/index.ts';
import { startQradar } from '../../src/simulators/qradar/index.ts';
import { startSplunk } from '../../src/simulators/splunk/index.ts';
import { anEntry } from '../builders/entry.ts';
import { upserts as splunkUpserts, context as splunkContext } from '../builders/splunk-rig.ts';
import { contextFor, encodeBatch } from './batches.ts';
import { admin, elasticConfig, elasticConnector } from './elastic-harness.ts';
import { qradarConfig, qradarConnector } from './qradar-harness.ts';
import { INSTANCE, splunkConfig, splunkConnector } from './splunk-harness.ts';

const never = new AbortController().signal;
const ADDRESS = '198.51.100.7';
const KEY = `ipv4-addr|${ADDRESS}`;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** One alert about our entry; `close` says what a person says of it. */
interface Rig {
  readonly connector: SiemConnector;
  raise(id: string): Promise<void>;
  close(id: string, how: 'false positive' | 'true positive'): Promise<void>;
}
type Verdicts = 'read' | 'not configured';

async function onElastic(): Promise<Rig> {
  const sim = await startElastic({});
  closers.push(() => sim.close());
  const place = {
    url: sim.url,
    admin: `Basic ${Buffer.from(`${sim.username}:${sim.password}`).toString('base64')}`,
    auth: { username: sim.username, password: sim.password },
  };
  const connector = elasticConnector(place);
  closers.push(() => connector.close());
  await connector.open(never);
  const settings = elastic.settings(elasticConfig(place), INSTANCE);
  await connector.apply(
    encodeBatch(elastic, [anEntry({ value: ADDRESS })], contextFor(elastic, elasticConfig(place), { revision: 1 }))
      .batch,
    never,
  );
  const matched = { id: elastic.slot('ipv4-addr', ADDRESS, null), index: elastic.container('ipv4-addr', settings) };
  const index = '.internal.alerts-security.alerts-default-000001';
  const put = async (id: string, more: object) => {
    const time = new Date().toISOString();
    const common = { '@timestamp': time, 'kibana.alert.original_time': time, threat: { enrichments: [{ matched }] } };
    const said = await admin(place, 'PUT', `/${index}/_doc/${id}?refresh=true`, { ...common, ...more });
    expect(said.status).toBeLessThan(300);
  };
  const plant = [{ time: new Date().toISOString(), index, fields: { 'kibana.alert.depth': 9 } }];
  await fetch(`${sim.url}/_sim/events`, { method: 'POST', body: JSON.stringify(plant) });
  return {
    connector,
    raise: (id) => put(id, { 'kibana.alert.workflow_status': 'open' }),
    close: (id, how) =>
      put(id, {
        'kibana.alert.workflow_status': 'closed',
        'kibana.alert.workflow_status_updated_at': new Date().toISOString(),
        'kibana.alert.workflow_reason': how.replace(' ', '_'),
      }),
  };
}

async function onSplunk(form: 'lookups' | 'threat_intel', verdicts: Verdicts): Promise<Rig> {
  const sim = await startSplunk();
  closers.push(() => sim.close());
  const more = verdicts === 'read' ? { false_positive_dispositions: ['disposition:3', 'disposition:4'] } : {};
  const place = { url: sim.url, auth: { token: sim.token }, form, more } as const;
  const connector = splunkConnector(place);
  closers.push(() => connector.close());
  await connector.open(never);
  await connector.apply(splunkUpserts([anEntry({ value: ADDRESS })], splunkContext(INSTANCE, form)), never);
  const settings = splunk.settings(splunkConfig(place), INSTANCE);
  const slot = splunk.slot('ipv4-addr', ADDRESS, settings);
  const post = async (path: string, form: Record<string, string>) => {
    const headers = { authorization: `Bearer ${sim.token}`, 'content-type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams({ output_mode: 'json', ...form }).toString();
    return (await fetch(`${sim.url}${path}`, { method: 'POST', headers, body })).json() as Promise<{
      results?: Record<string, string>[];
      success?: boolean;
    }>;
  };
  return {
    connector,
    raise: async (id) => {
      const match = { threat_key: `entente:${INSTANCE}`, threat_collection_key: slot };
      const fields = { index: 'notable', rule_title: id, ...(form === 'lookups' ? { entry_key: KEY } : match) };
      const event = [{ time: new Date().toISOString(), fields }];
      await fetch(`${sim.url}/_sim/events`, { method: 'POST', body: JSON.stringify(event) });
    },
    close: async (id, how) => {
      const search = `search \`notable\` | search rule_title="${id}" | fields event_id`;
      const found = await post('/services/search/jobs', { exec_mode: 'oneshot', search });
      const ruleUIDs = found.results?.[0]?.['event_id'] ?? '';
      const disposition = how === 'false positive' ? 'disposition:4' : 'disposition:1';
      const said = await post('/services/notable_update', { ruleUIDs, status: '5', disposition, comment: 'looked at' });
      expect(said).toMatchObject({ success: true });
    },
  };
}

async function onQradar(verdicts: Verdicts): Promise<Rig> {
  const sim = await startQradar({});
  closers.push(() => sim.close());
  const place = { url: sim.url, token: sim.token, instance: INSTANCE };
  const more = verdicts === 'read' ? { false_positive_reasons: [2] } : {};
  const connector = qradarConnector(place, more);
  closers.push(() => connector.close());
  await connector.open(never);
  const { qradar } = await import('../../src/connectors/siem/qradar/index.ts');
  const facts = { version: '26.0', api: 'collections', cidr: true };
  const context = contextFor(qradar, qradarConfig(place), { revision: 1, facts, instance: INSTANCE });
  for (const outcome of await connector.apply(encodeBatch(qradar, [anEntry({ value: ADDRESS })], context).batch, never))
    if (outcome.kind === 'accepted')
      while ((await connector.settle!(outcome.receipt, never)) === 'pending')
        await new Promise((go) => setTimeout(go, 10));
  const plant = async (id: string, more: object) => {
    const common = { id: Number(id), description: 'listed\n', offense_source: ADDRESS, last_updated_time: Date.now() };
    const offense = [{ ...common, last_persisted_time: Date.now(), ...more }];
    await fetch(`${sim.url}/_sim/offenses`, { method: 'POST', body: JSON.stringify(offense) });
  };
  return {
    connector,
    raise: async () => undefined,
    close: (id, how) => plant(id, { status: 'CLOSED', closing_reason_id: how === 'false positive' ? 2 : 1 }),
  };
}

async function read({ connector }: Rig, cursor?: Json): Promise<{ hits: Hit[]; cursor: Json | undefined }> {
  const hits: Hit[] = [];
  let place = cursor;
  for await (const page of connector.hits?.read(cursor, never) ?? []) {
    hits.push(...page.hits);
    place = page.cursor;
  }
  return { hits, cursor: place };
}
const negative = (hits: readonly Hit[]) => hits.filter((one) => one.verdict === 'false_positive');

describe.each([
  ['Kibana', () => onElastic()],
  ["Splunk's Enterprise Security, of its own matches", () => onSplunk('threat_intel', 'read')],
  ["Splunk's Enterprise Security, of matches of our lookups", () => onSplunk('lookups', 'read')],
  ['QRadar', () => onQradar('read')],
] as const)('what a person says in %s', (_, aRig) => {
  it('is a negative hit where it was closed as a false positive, and none where it was closed otherwise', async () => {
    const rig = await aRig();
    for (const id of ['1', '2', '3']) await rig.raise(id);
    const before = await read(rig);
    await rig.close('1', 'false positive');
    await rig.close('2', 'true positive');

    const first = await read(rig, before.cursor);
    const again = await read(rig, first.cursor);
    await rig.raise('4');
    await rig.close('4', 'false positive');
    const second = await read(rig, again.cursor);

    expect(negative(before.hits)).toEqual([]);
    expect(negative(first.hits)).toMatchObject([{ key: KEY, count: 1 }]);
    // Read again or not: one person's word is one.
    const digests = (...all: readonly { hits: readonly Hit[] }[]) =>
      new Set(all.flatMap(({ hits }) => negative(hits).map((hit) => hit.dedupe))).size;
    expect([digests(first, again), digests(first, again, second)]).toEqual([1, 2]);
  });
});

it.each([
  ['Splunk', () => onSplunk('threat_intel', 'not configured')],
  ['QRadar', () => onQradar('not configured')],
] as const)('what a person says in %s is not asked for until somebody said which words mean it', async (_, aRig) => {
  const rig = await aRig();
  await rig.raise('1');
  await rig.close('1', 'false positive');

  expect(negative((await read(rig)).hits)).toEqual([]);
});
