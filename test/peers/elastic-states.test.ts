// What the vendor's own server says in states that refuse everything, and what the connector makes of it: the same that
// test/contract/elastic-states.test.ts asks of our simulator, so that neither is bent to the other.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import type { Outcome } from '../../src/core/contracts/siem-connector.ts';
import { type Failure, toFailure } from '../../src/core/model/failure.ts';
import { anEntry, NOON } from '../builders/entry.ts';
import { contextFor, encodeBatch } from '../contract/batches.ts';
import { admin, elasticConfig, elasticConnector, type ElasticPlace } from '../contract/elastic-harness.ts';
import { describeWith, tryStart } from './available.ts';
import { sharedElasticsearch } from './elasticsearch.ts';

const never = new AbortController().signal;
const INDEX = 'logs-ti_entente_test_instance.indicator';
const elasticsearch = await tryStart('Elasticsearch', () => sharedElasticsearch({ security: true }));

let revision = NOON * 1000;
const batch = () => {
  revision += 1;
  const context = contextFor(elastic, elasticConfig({ url: 'http://127.0.0.1:9200' }), { revision, now: NOON });
  return encodeBatch(
    elastic,
    [0, 1].map((i) => anEntry({ type: 'domain-name', value: `d${i}.example` })),
    context,
  ).batch;
};
const failures = (outcomes: readonly Outcome[]): Failure[] =>
  outcomes.flatMap((one) => (one.kind === 'failed' ? [one.failure] : []));
const failureOf = (work: Promise<unknown>): Promise<Failure> =>
  work.then(() => {
    throw new Error('it did not fail');
  }, toFailure);

describeWith('Elasticsearch in states that refuse everything', elasticsearch, (peer) => {
  const there: ElasticPlace = {
    url: peer.url,
    admin: `Basic ${Buffer.from(`${peer.username}:${peer.password}`).toString('base64')}`,
    auth: { username: peer.username, password: peer.password },
  };
  const ask = (method: string, path: string, body?: unknown) => admin(there, method, path, body);
  let connector = elasticConnector(there);
  const gone = () => ask('DELETE', `/${INDEX}?ignore_unavailable=true`);

  beforeEach(async () => {
    await gone();
    connector = elasticConnector(there);
    await connector.open(never);
  });
  afterEach(async () => {
    await connector.close();
    await ask('PUT', '/_cluster/settings', { persistent: { 'search.allow_expensive_queries': null } });
    await gone();
  });

  it('names a closed index, and goes on once it is open', async () => {
    await connector.apply(batch(), never);
    await ask('POST', `/${INDEX}/_close`);

    const refused = failures(await connector.apply(batch(), never));

    expect(refused).toHaveLength(2);
    expect(refused[0]).toMatchObject({ kind: 'config', code: 'index_closed_exception' });
    expect((await connector.probe(never)).message).toContain('index is closed');
    await ask('POST', `/${INDEX}/_open?wait_for_active_shards=1`);
    expect(failures(await connector.apply(batch(), never))).toEqual([]);
  });

  it('tells a missing pipeline from a bad value', async () => {
    await ask('PUT', `/${INDEX}/_settings`, { 'index.default_pipeline': 'enrich' });

    const [refused] = failures(await connector.apply(batch(), never));

    expect(refused).toMatchObject({ kind: 'config', code: 'pipeline_missing' });
  });

  it.each(['write', 'read_only', 'read_only_allow_delete'])('names the block %s', async (block) => {
    await ask('PUT', `/${INDEX}/_settings`, { [`index.blocks.${block}`]: true });

    const [refused] = failures(await connector.apply(batch(), never));
    const probe = await connector.probe(never);
    await ask('PUT', `/${INDEX}/_settings`, { [`index.blocks.${block}`]: null });

    expect(refused).toMatchObject({ kind: 'config', code: 'cluster_block_exception' });
    expect(probe.message).toContain(`index.blocks.${block}`);
    expect(failures(await connector.apply(batch(), never))).toEqual([]);
  });

  it('names a field of another type, and the field alone', async () => {
    const made = await ask('GET', `/${INDEX}/_mapping`);
    const { mappings } = made.body![INDEX] as {
      mappings: { properties: { threat: { properties: { indicator: { properties: Record<string, object> } } } } };
    };
    mappings.properties.threat.properties.indicator.properties['confidence'] = { type: 'long' };
    await gone();
    expect((await ask('PUT', `/${INDEX}`, { mappings })).status).toBe(200);

    const opening = await failureOf(elasticConnector(there).open(never));

    expect(opening.kind).toBe('config');
    expect(opening.message).toContain('threat.indicator.confidence is long and needs keyword');
    expect(opening.message).not.toContain(' more');
  });

  it('tells an alias of our name', async () => {
    const made = await ask('GET', `/${INDEX}/_mapping`);
    await gone();
    await ask('PUT', '/entente-second', made.body?.[INDEX]);
    await ask('PUT', `/entente-second/_alias/${INDEX}`, {});

    const { message } = await connector.probe(never);
    await ask('DELETE', '/entente-second');

    expect(message).toContain('is an alias of entente-second');
  });

  it('takes no part of the event indices for all of them, and says which failed and why', async () => {
    const name = (type: string) => ({
      mappings: {
        properties: {
          '@timestamp': { type: 'date' },
          dns: { properties: { question: { properties: { name: { type } } } } },
        },
      },
    });
    await ask('PUT', '/states-good', name('keyword'));
    await ask('PUT', '/states-bad', name('ip'));
    const now = Date.now();
    const event = { '@timestamp': new Date(now - 1000).toISOString(), dns: { question: { name: 'evil.example' } } };
    expect((await ask('POST', '/states-good/_doc?refresh=true', event)).status).toBe(201);
    // A shard with nothing of that time in it is not asked at all.
    const other = { ...event, dns: { question: { name: '192.0.2.1' } } };
    expect((await ask('POST', '/states-bad/_doc?refresh=true', other)).status).toBe(201);
    const searching = elasticConnector(there, {
      event_search: {
        indices: ['states-good', 'states-bad'],
        fields: { 'domain-name': ['dns.question.name'] },
        time_field: '@timestamp',
      },
    });
    const search = async () => {
      const found = [];
      const window = { from: now - 60_000, to: now + 60_000 };
      const entries = [{ type: 'domain-name', value: 'evil.example' }] as const;
      for await (const some of searching.search!.search(entries, window, never)) found.push(...some);
      return found;
    };

    const failure = await failureOf(search());
    await ask('DELETE', '/states-bad');
    await ask('PUT', '/states-bad', name('keyword'));
    const found = await search();
    await ask('DELETE', '/states-good,states-bad');
    await searching.close();

    expect(failure).toMatchObject({ kind: 'config', code: 'query_shard_exception' });
    expect(failure.message).toMatch(/failed in 1 shards of states-bad \(query_shard_exception: /);
    expect(found).toHaveLength(1);
  });

  it('says what it may not do where a cluster forbids expensive queries, and not only that all shards failed', async () => {
    const index = '.internal.alerts-security.alerts-default-000001';
    const made = await ask('PUT', `/${index}`, {
      aliases: { '.alerts-security.alerts-default': {} },
      settings: { 'index.hidden': true },
      mappings: {
        properties: {
          '@timestamp': { type: 'date' },
          threat: { properties: { enrichments: { type: 'nested' } } },
        },
      },
    });
    expect(made.status).toBe(200);
    await ask('PUT', '/_cluster/settings', { persistent: { 'search.allow_expensive_queries': false } });
    const read = async () => {
      for await (const page of connector.hits!.read(undefined, never)) void page;
    };

    const failure = await failureOf(read());
    await ask('PUT', '/_cluster/settings', { persistent: { 'search.allow_expensive_queries': null } });
    await read();
    await ask('DELETE', `/${index}`);

    expect(failure.message).toContain('search.allow_expensive_queries');
    expect(failure.kind).toBe('config');
  });
});
