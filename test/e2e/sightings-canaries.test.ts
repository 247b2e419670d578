// Nothing of a hit leaves: hits of all three SIEMs with a canary in every field but those that name our entry and tell
// the time, and then every byte searched that went to the exchange, that the state holds while the daemon runs, that
// it logged at its most talkative, and that it shows.
import { afterEach, expect, it } from 'vitest';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import { splunk } from '../../src/connectors/siem/splunk/index.ts';
import { startElastic } from '../../src/simulators/elastic/index.ts';
import { startQradar } from '../../src/simulators/qradar/index.ts';
import { startSplunk } from '../../src/simulators/splunk/index.ts';
import { startTaxii } from '../../src/simulators/taxii/index.ts';
import { objectIdAt } from '../builders/sightings.ts';
import { startFaultProxy } from '../contract/fault-proxy.ts';
import { IDENTITY, INDEX, stixIndicator } from '../simulation/round-trip.ts';
import { eventually, Site } from './site.ts';

/** The first is shared, the second held: it is marked amber. */
const VALUES = ['198.51.100.7', '198.51.100.8'];
const AMBER = 'marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421';
const SIEMS = ['elastic-hq', 'splunk-hq', 'splunk-es', 'qradar-hq'];
const CANARIES = /CANARY|10\.9\.8\.7|fd00::c0de/i;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

let words = 0;
const word = () => `CANARY-${words++}`;
const now = () => new Date().toISOString();

/** What an event may say of us, under the names that products give it. */
const stuffed = () => ({
  host: { name: word(), ip: ['10.9.8.7', 'fd00::c0de'], hostname: word() },
  user: { name: word(), email: word(), domain: word() },
  source: { user: { name: word() } },
  message: word(),
  process: { command_line: word(), name: word() },
  file: { path: word(), name: word() },
  labels: { [word()]: word() },
  tags: [word()],
});

function inElastic(value: string) {
  const id = elastic.slot('ipv4-addr', value, null);
  const indicator = { type: 'ipv4-addr', name: value, ip: value, description: word(), provider: word() };
  const kibana = {
    alert: {
      uuid: word(),
      original_time: now(),
      reason: word(),
      workflow_status: 'closed',
      workflow_reason: word(),
      workflow_tags: [word()],
      rule: { name: word(), uuid: word(), rule_id: word(), tags: [word()], description: word() },
      url: word(),
      ancestors: [{ id: word(), index: word() }],
    },
  };
  const matched = { id, index: INDEX, field: word(), atomic: word(), type: word() };
  const enrichments = [
    { indicator, matched, feed: { name: word() } },
    { indicator: { type: word(), name: word() }, matched: { ...matched, id: word() } },
    { indicator: { type: word(), name: word() }, matched: { ...matched, index: word() } },
  ];
  const index = '.internal.alerts-security.alerts-default-000001';
  const flat = { 'kibana.alert.rule.name': word(), 'threat.enrichments': [{ matched }], ...stuffed() };
  return [
    { time: now(), index, fields: { ...stuffed(), kibana, threat: { enrichments } } },
    { time: now(), index, fields: { 'kibana.alert.original_time': now(), ...flat } },
    { time: now(), fields: { ...stuffed(), destination: { ip: value, domain: word() }, source: { ip: '10.9.8.7' } } },
  ];
}

function inSplunk(value: string) {
  const settings = splunk.settings(
    splunk.config.parse({ type: 'splunk', url: 'http://127.0.0.1:1', auth: { token: 'x' }, form: 'threat_intel' }),
    'soc-one',
  );
  const names = ['host', 'user', 'src_user', '_raw', 'process', 'query', 'source', 'sourcetype', 'dest', 'punct'];
  const all = Object.fromEntries([...names.map((name) => [name, word()]), ['src', '10.9.8.7'], ['dvc', 'fd00::c0de']]);
  const threat = ['threat_match_field', 'threat_match_value', 'orig_sourcetype', 'file_name', 'threat_description'];
  const match = {
    ...all,
    ...Object.fromEntries(threat.map((name) => [name, word()])),
    index: 'threat_activity',
    threat_key: `entente:soc-one|${word()}`,
    threat_collection: word(),
  };
  return [
    { time: now(), fields: { ...all, index: 'proxy', dest_ip: value } },
    { time: now(), fields: { ...match, threat_collection_key: splunk.slot('ipv4-addr', value, settings) } },
    { time: now(), fields: { ...match, threat_collection_key: word() } },
  ];
}

function inQRadar(value: string) {
  const names = [
    'username',
    'logsourceid',
    'category',
    'payload',
    'Process CommandLine',
    'Filename',
    'URL',
    'URL Host',
    'DNS Request Domain',
    'SHA256 Hash',
    'creeventlist',
  ];
  const all = Object.fromEntries(names.map((name) => [name, word()]));
  const addresses = { sourceip: '10.9.8.7', identityip: '10.9.8.7', sourceaddress: 'fd00::c0de' };
  return { time: Date.now(), fields: { ...all, ...addresses, destinationip: value } };
}

it('lets nothing of a hit in any SIEM out, whatever field it stands in', { timeout: 120_000 }, async () => {
  const pattern = (n: number) => `[ipv4-addr:value = '${VALUES[n]}']`;
  const data = [stixIndicator(1, pattern(0)), { ...stixIndicator(2, pattern(1)), object_marking_refs: [AMBER] }];
  const [taxii, elasticSim, splunkSim, qradarSim, site] = [
    await startTaxii({ data }),
    await startElastic({}),
    await startSplunk(),
    await startQradar(),
    new Site(),
  ];
  const asked: string[] = [];
  const proxy = await startFaultProxy(new URL(taxii.apiRoot).origin, ({ method, path, query, headers, body }) =>
    asked.push([method, path, query.toString(), JSON.stringify(headers), body.toString()].join(' ')),
  );
  closers.push(
    () => taxii.close(),
    () => elasticSim.close(),
    () => splunkSim.close(),
    () => qradarSim.close(),
    () => proxy.close(),
    () => site.close(),
  );
  const hits = { schedule: '* * * * * *' };
  const splunkPeer = { type: 'splunk', url: splunkSim.url, auth: { token: splunkSim.token }, hits };
  const fields = { 'ipv4-addr': ['destination.ip'] };
  site.configure({
    instance: 'soc-one',
    state: './state/entente.db',
    log: { level: 'debug' },
    identity: IDENTITY,
    exchanges: [
      {
        name: 'partner',
        type: 'taxii21',
        url: `${proxy.url}${new URL(taxii.apiRoot).pathname}`,
        auth: { username: taxii.username, password: taxii.password },
        collections: [taxii.collections.read],
        report_to: taxii.collections.write,
      },
    ],
    siems: [
      {
        name: 'elastic-hq',
        type: 'elastic',
        url: elasticSim.url,
        auth: { username: elasticSim.username, password: elasticSim.password },
        event_search: { indices: ['logs-simulated.events'], fields },
        hits,
      },
      {
        ...splunkPeer,
        name: 'splunk-hq',
        event_search: { indexes: ['proxy'], fields: { 'ipv4-addr': ['dest_ip'] } },
      },
      { ...splunkPeer, name: 'splunk-es', form: 'threat_intel' },
      { name: 'qradar-hq', type: 'qradar', url: qradarSim.url, auth: { token: qradarSim.token }, hits },
    ],
    release: [
      { to: 'partner', tlp: ['green'], action: 'share' },
      { to: 'partner', tlp: ['amber'], action: 'hold' },
    ],
  });
  const daemon = await site.daemon();
  await daemon.until(({ siems }) => siems.every((one) => one['delivered'] === VALUES.length));
  const plant = (url: string, events: readonly object[]) =>
    fetch(`${url}/_sim/events`, { method: 'POST', body: JSON.stringify(events) });
  await plant(elasticSim.url, VALUES.flatMap(inElastic));
  await plant(splunkSim.url, VALUES.flatMap(inSplunk));
  qradarSim.plant(VALUES.map(inQRadar));

  type Why = { entries: { hits: Record<string, unknown> }[] };
  const hitsOf = async (value: string) => Object.keys((await site.ask<Why>(['why', value])).entries[0]?.hits ?? {});
  await eventually(async () => (await hitsOf(VALUES[0]!)).length === SIEMS.length, 'hits of each SIEM', 30_000);
  await eventually(async () => taxii.sightings().length > 0, 'the sighting', 20_000);
  const held = await site.ask<{ held: { id: string }[] }>(['held', 'list']);
  for (const args of [
    ['why', VALUES[0]!],
    ['why', VALUES[1]!],
    ['held', 'list'],
    ['held', 'show', held.held[0]!.id],
    ['held', 'show', held.held[0]!.id, '--json'],
    ['parked', 'list'],
    ['status'],
  ])
    await site.entente(args);
  const shown = await Promise.all(['/metrics', '/status', '/', '/health'].map(async (path) => daemon.get(path)));
  // While it runs, so that the write-ahead log is searched too.
  const state = site.files(/^state\//);
  const backup = await site.entente(['backup', site.path('state/copy.db')]);
  await daemon.stop();

  expect(site.printed).not.toContain('Hits cannot be read');
  // What is searched holds what it should hold.
  expect((await hitsOf(VALUES[1]!)).sort()).toEqual([...SIEMS].sort());
  expect([backup.code, asked.join('').includes(objectIdAt(1)), state.includes(VALUES[0]!)]).toEqual([0, true, true]);
  expect(site.printed).toContain(objectIdAt(2));
  expect(state.includes('SQLite format 3') && site.files(/-wal$|entente\.db/).length > 0).toBe(true);
  const places = { asked: asked.join('\n'), state, printed: site.printed, shown: JSON.stringify(shown) };
  const copy = site.files(/^state\//);
  for (const [place, text] of Object.entries({ ...places, copy }))
    expect([place, CANARIES.exec(text)]).toEqual([place, null]);
  // The values stay here too: the partner knows its own indicators by their ids.
  for (const value of VALUES) expect(places.asked).not.toContain(value);
});
