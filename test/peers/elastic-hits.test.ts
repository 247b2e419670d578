// Alerts and events in the real Elasticsearch: both shapes of alerts, page after page, and events by their fields.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import type { Hit } from '../../src/core/model/sighting.ts';
import { admin, elasticConnector, type ElasticPlace } from '../contract/elastic-harness.ts';
import { describeWith, tryStart } from './available.ts';
import { sharedElasticsearch } from './elasticsearch.ts';

const started = await tryStart('Elasticsearch', () => sharedElasticsearch());
const never = new AbortController().signal;
const ADDRESS = '198.51.100.7';
const INDEX = 'logs-ti_entente_test_instance.indicator';
const ALERTS = '.internal.alerts-security.alerts-default-000001';
const EVENTS = 'app-events';

const matched = { id: elastic.slot('ipv4-addr', ADDRESS, null), index: INDEX, field: 'source.ip', atomic: ADDRESS };
const indicator = { type: 'ipv4-addr', name: ADDRESS, ip: ADDRESS };

describeWith('hits in the real Elasticsearch', started, (peer) => {
  const place: ElasticPlace = { url: peer.url };
  const event_search = {
    indices: ['app-*'],
    fields: { 'ipv4-addr': ['destination.ip'] as [string] },
    time_field: '@timestamp',
  };
  const connector = elasticConnector(place, { event_search });
  const gone = async () => {
    for (const index of [ALERTS, EVENTS]) await admin(place, 'DELETE', `/${index}?ignore_unavailable=true`);
  };
  beforeAll(gone);
  afterAll(async () => {
    await connector.close();
    await gone();
  });

  it('are read from alerts in both shapes', async () => {
    const keyword = { type: 'keyword' };
    const made = await admin(place, 'PUT', `/${ALERTS}`, {
      aliases: { '.alerts-security.alerts-default': {} },
      settings: { 'index.hidden': true },
      mappings: {
        dynamic: false,
        properties: {
          '@timestamp': { type: 'date' },
          'kibana.alert.workflow_status_updated_at': { type: 'date' },
          threat: {
            properties: {
              enrichments: {
                type: 'nested',
                properties: { matched: { properties: { id: keyword, index: keyword } } },
              },
            },
          },
        },
      },
    });
    expect(made.status).toBe(200);
    const time = new Date().toISOString();
    const common = { '@timestamp': time, 'kibana.alert.original_time': time, 'kibana.alert.rule.name': 'ours' };
    const alerts: object[] = [
      { ...common, threat: { enrichments: [{ indicator, matched }] } },
      { ...common, 'threat.enrichments': [{ indicator, matched }] },
      {
        ...common,
        kibana: { alert: { suppression: { docs_count: 2 } } },
        threat: { enrichments: [{ indicator, matched }] },
      },
      { ...common, threat: { enrichments: [{ indicator, matched: { ...matched, index: 'another' } }] } },
      {
        ...common,
        'kibana.alert.workflow_status': 'closed',
        'kibana.alert.workflow_reason': 'false_positive',
        threat: { enrichments: [{ indicator, matched }] },
      },
    ];
    for (const [n, one] of alerts.entries())
      expect((await admin(place, 'PUT', `/${ALERTS}/_doc/a${n}?refresh=true`, one)).status).toBe(201);

    const hits: Hit[] = [];
    for await (const page of connector.hits!.read(undefined, never)) hits.push(...page.hits);

    expect(hits.map((hit) => [hit.key, hit.count, hit.verdict])).toEqual([
      [`ipv4-addr|${ADDRESS}`, 1, 'seen'],
      [`ipv4-addr|${ADDRESS}`, 1, 'seen'],
      [`ipv4-addr|${ADDRESS}`, 3, 'seen'],
      [`ipv4-addr|${ADDRESS}`, 1, 'false_positive'],
    ]);
  });

  it('are found in events by addresses and networks', async () => {
    const address = { properties: { ip: { type: 'ip' } } };
    const mappings = { properties: { '@timestamp': { type: 'date' }, destination: address } };
    await admin(place, 'PUT', `/${EVENTS}`, { mappings });
    const now = Date.now();
    for (const ip of [ADDRESS, '203.0.113.77', '192.0.2.1']) {
      const event = { '@timestamp': new Date(now - 1000).toISOString(), destination: { ip } };
      await admin(place, 'POST', `/${EVENTS}/_doc?refresh=true`, event);
    }
    const entries = [
      { type: 'ipv4-addr', value: ADDRESS },
      { type: 'ipv4-addr', value: '203.0.113.0/24' },
    ] as const;

    const hits: Hit[] = [];
    for await (const some of connector.search!.search(entries, { from: now - 60_000, to: now + 60_000 }, never))
      hits.push(...some);

    expect(hits.map((hit) => hit.key).sort()).toEqual(['ipv4-addr|198.51.100.7', 'ipv4-addr|203.0.113.0/24']);
  });
});
