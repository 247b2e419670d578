// The rules of content/elastic on the real Elasticsearch: their queries as Kibana makes them of its language, over what the
// connector wrote and over events as products log them. Kibana itself, which compares the two, is not here; the comparison
// is done as its pages describe it: any of the mapped pairs of fields with one value in common.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Entry } from '../../src/core/model/entry.ts';
import { anEntry } from '../builders/entry.ts';
import { queryOf } from '../builders/kql.ts';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import { contextFor, encodeBatch } from '../contract/batches.ts';
import { admin, elasticConfig, elasticConnector, type ElasticPlace } from '../contract/elastic-harness.ts';
import { describeWith, tryStart } from './available.ts';
import { sharedElasticsearch } from './elasticsearch.ts';

const started = await tryStart('Elasticsearch', () => sharedElasticsearch({ security: true }));
const never = new AbortController().signal;
const INSTANCE = 'rules-test';
const EVENTS = 'packetbeat-entente-rules';

interface Rule {
  readonly rule_id: string;
  readonly query: string;
  readonly threat_query: string;
  readonly threat_mapping: readonly {
    readonly entries: readonly { readonly field: string; readonly value: string }[];
  }[];
}
const rules = readFileSync(new URL('../../content/elastic/rules.ndjson', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Rule);

const [SURE, UNSURE, UNKNOWN] = ['198.51.100.71', '198.51.100.72', '198.51.100.73'];
const HASH = 'ab'.repeat(32);
const NAME = 'listed-by-rules.example';
const URL_ = 'https://shared-host.example/listed-by-rules';
const entries = (): Entry[] => {
  const until = Date.now() + 86_400_000;
  return [
    anEntry({ value: SURE, until, confidence: 30 }),
    anEntry({ value: UNSURE, until, confidence: 29 }),
    anEntry({ value: UNKNOWN, until }),
    anEntry({ type: 'domain-name', value: NAME, until, confidence: 80 }),
    anEntry({ type: 'url', value: URL_, until, confidence: 80 }),
    anEntry({ type: "file:hashes.'SHA-256'", value: HASH, until, confidence: 80 }),
  ];
};

/** By the name that the test calls each; what the rules shall find is named in `found` below. */
const events: Readonly<Record<string, object>> = {
  outbound: {
    destination: { ip: SURE },
    network: { direction: 'outbound' },
    event: { type: ['connection', 'allowed'] },
  },
  silent: { destination: { ip: SURE } },
  unknown: { destination: { ip: UNKNOWN } },
  unsure: { destination: { ip: UNSURE } },
  inbound: { destination: { ip: SURE }, network: { direction: 'inbound' } },
  denied: { destination: { ip: SURE }, event: { type: ['connection', 'denied'] } },
  failed: { destination: { ip: SURE }, event: { outcome: 'failure' } },
  'dropped by a firewall': { destination: { ip: SURE }, event: { action: 'dropped' } },
  'a scan of ours': { source: { ip: SURE }, destination: { ip: '10.0.0.1' } },
  'a sign-in': { source: { ip: SURE }, event: { category: ['authentication'], outcome: 'success' } },
  'a refused sign-in': { source: { ip: SURE }, event: { category: ['authentication'], outcome: 'failure' } },
  'a lookup': { dns: { question: { name: NAME } }, event: { outcome: 'failure' } },
  'a stopped lookup': { dns: { question: { name: NAME } }, event: { action: 'blocked' } },
  'another page of the host': { url: { domain: 'shared-host.example', full: 'https://shared-host.example/other' } },
  'the page': { url: { domain: 'shared-host.example', full: URL_ } },
  'the page, stopped': { url: { full: URL_ }, event: { type: ['denied'] } },
  'a file': { file: { hash: { sha256: HASH } } },
  'a process': { process: { hash: { sha256: HASH } } },
  'a file, quarantined': { file: { hash: { sha256: HASH } }, event: { action: 'quarantined' } },
};
const found: Readonly<Record<string, readonly string[]>> = {
  'entente-ip-match': ['outbound', 'silent', 'unknown'],
  'entente-sign-in-match': ['a sign-in'],
  'entente-domain-match': ['a lookup'],
  'entente-url-match': ['the page'],
  'entente-hash-match': ['a file', 'a process'],
};

describeWith('the shipped rules on the real Elasticsearch', started, (peer) => {
  const basic = Buffer.from(`${peer.username}:${peer.password}`).toString('base64');
  const place: ElasticPlace = { url: peer.url, admin: `Basic ${basic}`, instance: INSTANCE };
  const auth = { username: peer.username ?? '', password: peer.password ?? '' };

  beforeAll(async () => {
    const connector = elasticConnector({ ...place, auth });
    await connector.open(never);
    const config = elasticConfig({ ...place, auth });
    const context = contextFor(elastic, config, { revision: Date.now() * 1000, instance: INSTANCE });
    const outcomes = await connector.apply(encodeBatch(elastic, entries(), context).batch, never);
    await connector.close();
    expect(outcomes.every((one) => one.kind === 'applied')).toBe(true);
    const [ip, keyword] = [{ type: 'ip' }, { type: 'keyword' }];
    const hash = { properties: { hash: { properties: { md5: keyword, sha1: keyword, sha256: keyword } } } };
    const address = { properties: { ip, domain: keyword } };
    const properties = {
      source: address,
      destination: address,
      network: { properties: { direction: keyword } },
      event: { properties: { type: keyword, action: keyword, outcome: keyword, category: keyword } },
      dns: { properties: { question: { properties: { name: keyword } } } },
      url: { properties: { domain: keyword, full: { type: 'wildcard' }, original: { type: 'wildcard' } } },
      file: hash,
      process: hash,
      dll: hash,
    };
    await admin(place, 'DELETE', `/${EVENTS}`);
    expect((await admin(place, 'PUT', `/${EVENTS}`, { mappings: { properties } })).status).toBe(200);
    for (const [id, event] of Object.entries(events))
      expect((await admin(place, 'PUT', `/${EVENTS}/_doc/${encodeURIComponent(id)}`, event)).status).toBe(201);
    await admin(place, 'POST', `/${EVENTS},logs-ti_entente_*/_refresh`);
  });
  afterAll(async () => {
    for (const index of [EVENTS, 'logs-ti_entente_rules_test.indicator']) await admin(place, 'DELETE', `/${index}`);
  });

  const search = async (index: string, query: object) => {
    const said = await admin(place, 'POST', `/${index}/_search`, { size: 1000, query });
    expect(said.status).toBe(200);
    return (said.body as { hits: { hits: { _id: string; _source: object }[] } }).hits.hits;
  };
  const valuesAt = (source: unknown, path: readonly string[]): unknown[] =>
    path.length === 0
      ? [source].flat()
      : [source].flat().flatMap((one) => {
          const next = (one as Record<string, unknown> | undefined)?.[path[0]!];
          return next === undefined ? [] : valuesAt(next, path.slice(1));
        });

  it.each(rules.map((rule) => [rule.rule_id, rule] as const))(
    '%s finds what it is for, and no noise',
    async (id, rule) => {
      const indicators = await search('logs-ti_entente_rules_test*', queryOf(rule.threat_query));
      const pairs = rule.threat_mapping.map(({ entries: all }) => {
        const [{ field, value }] = all as [{ field: string; value: string }];
        const values = indicators.flatMap((one) => valuesAt(one._source, value.split('.')));
        return { terms: { [field]: values } };
      });
      const query = { bool: { filter: [queryOf(rule.query)], should: pairs, minimum_should_match: 1 } };

      const matched = (await search(EVENTS, query)).map((one) => one._id);

      expect(indicators.length).toBeGreaterThan(0);
      expect(matched.toSorted()).toEqual(found[id]?.toSorted());
    },
  );
});
