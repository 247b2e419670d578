// The connector against the vendor's own server: the shared contract with the API keys that the README documents,
// the filters of the five stock rules, and refusals that only a real product gives.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import type { Entry } from '../../src/core/model/entry.ts';
import { anEntry, DAY_MS, NOON } from '../builders/entry.ts';
import { contextFor, encodeBatch, removalBatch } from '../contract/batches.ts';
import {
  admin,
  elasticConfig,
  elasticFaults,
  elasticConnector,
  elasticHarness,
  type ElasticPlace,
} from '../contract/elastic-harness.ts';
import { startFaultProxy } from '../contract/fault-proxy.ts';
import { elasticBulk } from '../contract/elastic-bulk.ts';
import { siemContract } from '../contract/siem.ts';
import { describeWith, tryStart } from './available.ts';
import { ELASTICSEARCH_8, ELASTICSEARCH_VERSION, sharedElasticsearch, startElasticsearch } from './elasticsearch.ts';
import { sharedOpensearch } from './opensearch.ts';
import type { ScriptPeer } from './script-peer.ts';

const never = new AbortController().signal;
const INDEX = 'logs-ti_entente_test_instance.indicator';

/** The rights of the README: daily work, and what set-up needs beside. */
const DAILY = {
  cluster: ['monitor'],
  indices: [
    { names: [INDEX], privileges: ['index', 'delete', 'read', 'view_index_metadata'] },
    { names: ['entente-control'], privileges: ['index', 'read', 'view_index_metadata'] },
  ],
};
const SETUP = {
  cluster: ['monitor', 'manage_index_templates'],
  indices: [
    { names: [INDEX], privileges: ['index', 'delete', 'read', 'view_index_metadata', 'create_index', 'maintenance'] },
    { names: ['entente-control'], privileges: ['index', 'read', 'view_index_metadata', 'create_index'] },
  ],
};

// All at once: each of them waits for itself a good part of the time that it takes to start.
const [elasticsearch, openSearch, narrow, before] = await Promise.all([
  tryStart('Elasticsearch', () => sharedElasticsearch({ security: true })),
  tryStart('OpenSearch', () => sharedOpensearch()),
  tryStart('a narrow Elasticsearch', () =>
    startElasticsearch({ set: { 'http.max_content_length': '3mb', 'indexing_pressure.memory.limit': '1mb' } }),
  ),
  ELASTICSEARCH_VERSION === ELASTICSEARCH_8
    ? undefined
    : tryStart(`Elasticsearch ${ELASTICSEARCH_8}`, () =>
        startElasticsearch({ security: true, version: ELASTICSEARCH_8 }),
      ),
]);
afterAll(async () => {
  for (const one of [narrow, before]) if (one?.kind === 'running') await one.peer.stop();
});

function placeOf(peer: ScriptPeer): ElasticPlace {
  const basic = Buffer.from(`${peer.username}:${peer.password}`).toString('base64');
  return { url: peer.url, admin: `Basic ${basic}` };
}

async function apiKey(place: ElasticPlace, role: unknown): Promise<ElasticPlace> {
  const made = await admin(place, 'POST', '/_security/api_key', {
    name: 'entente',
    role_descriptors: { entente: role },
  });
  expect(made.status).toBe(200);
  return { ...place, auth: { api_key: String(made.body?.['encoded']) } };
}

async function collect<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(page);
  return all;
}

/**
 * The product with a proxy before it, so that no clause is left out. The time-out is what a hanging call takes; a busy
 * machine needs more than a second for its first index.
 */
async function withFaults(place: ElasticPlace) {
  const proxy = await startFaultProxy(place.url);
  const faults = elasticFaults(proxy);
  return elasticHarness({ ...place, url: proxy.url, timeoutMs: 6000 }, { faults, stop: () => proxy.close() });
}

describeWith('with the key for set-up', elasticsearch, (peer) => {
  siemContract(`real Elasticsearch ${ELASTICSEARCH_VERSION}`, async () =>
    withFaults(await apiKey(placeOf(peer), SETUP)),
  );
  elasticBulk(`real Elasticsearch ${ELASTICSEARCH_VERSION}`, async () =>
    withFaults(await apiKey(placeOf(peer), SETUP)),
  );
});

if (before !== undefined)
  describeWith('with the key for set-up, the major version before', before, (peer) => {
    siemContract(`real Elasticsearch ${ELASTICSEARCH_8}`, async () => withFaults(await apiKey(placeOf(peer), SETUP)));
  });

describeWith('without security', openSearch, (peer) => {
  siemContract('real OpenSearch', () => withFaults({ url: peer.url, product: 'opensearch' }));
  elasticBulk('real OpenSearch', () => withFaults({ url: peer.url, product: 'opensearch' }));
});

describeWith('a real Elasticsearch', elasticsearch, (peer) => {
  let place: ElasticPlace;
  let setup: ElasticPlace;
  let revision = Date.now() * 1000;
  const config = elasticConfig({ url: 'http://127.0.0.1:9200' });
  const context = (now: number) => {
    revision += 1;
    return contextFor(elastic, config, { revision, now });
  };
  const batchOf = (entries: readonly Entry[], now = NOON) => encodeBatch(elastic, entries, context(now)).batch;

  beforeAll(async () => {
    place = placeOf(peer);
    await admin(place, 'DELETE', `/${INDEX}`);
    setup = await apiKey(place, SETUP);
    const connector = elasticConnector(setup);
    await connector.open(never);
    await connector.close();
  });

  it('lets the key for daily work write, list and remove, and no more', async () => {
    const daily = await apiKey(place, DAILY);
    const connector = elasticConnector(daily);
    const entry = anEntry({ value: '203.0.113.1' });

    expect(await connector.probe(never)).toMatchObject({ ok: true });
    const { containers } = await connector.open(never);
    const put = await connector.apply(batchOf([entry]), never);
    await connector.writer({ writer: 'w', boot: 'b', revision, at: NOON }, never);
    const listed = await collect(connector.list({ slots: [elastic.slot(entry.type, entry.value, null)] }, never));
    const gone = await connector.apply(removalBatch(elastic, [entry.key], context(NOON)), never);

    expect(containers).toHaveLength(1);
    expect(put).toEqual([{ key: entry.key, kind: 'applied' }]);
    expect(listed.flat().map((row) => row.key)).toEqual([entry.key]);
    expect(gone).toEqual([{ key: entry.key, kind: 'applied' }]);
    await connector.close();

    const other = elasticConnector({ ...daily, index: 'logs-ti_other.indicator' });
    await expect(other.open(never)).rejects.toMatchObject({ kind: 'config' });
    expect(await other.probe(never)).toMatchObject({ ok: false, failure: { kind: 'config' } });
    await other.close();
  });

  it('lists what was written last for a key that may not refresh, though nobody searches and nothing is refreshed', async () => {
    const connector = elasticConnector(await apiKey(place, DAILY));
    const entry = anEntry({ value: '203.0.113.9' });
    const settings = await admin(place, 'GET', `/${INDEX}/_settings/index.search*?flat_settings=true`);
    await connector.apply(batchOf([entry]), never);

    const listed = async () => (await collect(connector.list({}, never))).flat().map((row) => row.key);

    // The first search after a while makes the index look, at the latest once its next second began.
    await expect.poll(listed, { timeout: 30_000, interval: 200 }).toContain(entry.key);
    expect(await connector.foreign?.(never)).toBeTypeOf('number');
    expect(JSON.stringify(settings.body)).toContain('"index.search.idle.after":"1s"');
    await connector.close();
  });

  it('says per document that the index is blocked: config, so nothing is lost', async () => {
    const connector = elasticConnector(setup);
    await admin(place, 'PUT', `/${INDEX}/_settings`, { 'index.blocks.write': true });

    const outcomes = await connector.apply(batchOf([anEntry({ value: '203.0.113.2' })]), never);

    await admin(place, 'PUT', `/${INDEX}/_settings`, { 'index.blocks.write': false });
    expect(outcomes).toMatchObject([{ kind: 'failed', failure: { kind: 'config' } }]);
    await connector.close();
  });

  it('refuses an index that belongs to another instance', async () => {
    const stranger = elasticConnector({ ...setup, instance: 'other', index: INDEX });

    await expect(stranger.open(never)).rejects.toThrow('belongs to entente:test-instance');

    await stranger.close();
  });

  it('forgets a removal after gc_deletes, which is why the index keeps it for an hour and a listing shows what came back', async () => {
    const connector = elasticConnector(setup);
    const entry = anEntry({ value: '203.0.113.3' });
    const slots = [elastic.slot(entry.type, entry.value, null)];
    const late = batchOf([entry]);
    const lateRevision = revision;
    await connector.apply(batchOf([entry]), never);
    const settings = await admin(place, 'GET', `/${INDEX}/_settings/index.gc_deletes?flat_settings=true`);
    await connector.apply(removalBatch(elastic, [entry.key], context(NOON)), never);
    const remembered = await connector.apply(late, never);

    await admin(place, 'PUT', `/${INDEX}/_settings`, { 'index.gc_deletes': '1s' });
    let outcomes = remembered;
    // Forgotten by the refresh that follows, and only once the time is over.
    for (let i = 0; i < 20 && outcomes[0]?.kind !== 'applied'; i++) {
      await new Promise((go) => setTimeout(go, 1000));
      await admin(place, 'POST', `/${INDEX}/_refresh`);
      outcomes = await connector.apply(late, never);
    }
    await admin(place, 'PUT', `/${INDEX}/_settings`, { 'index.gc_deletes': '1h' });
    const back = (await collect(connector.list({ slots }, never))).flat();
    await connector.apply(removalBatch(elastic, [entry.key], context(NOON)), never);
    await connector.close();

    expect(JSON.stringify(settings.body)).toContain('"index.gc_deletes":"1h"');
    expect(remembered).toMatchObject([{ kind: 'superseded' }]);
    expect(outcomes).toEqual([{ key: entry.key, kind: 'applied' }]);
    expect(back).toMatchObject([{ key: entry.key, revision: lateRevision }]);
  });

  it('lists more than one page', async () => {
    const connector = elasticConnector(setup);
    const entries = Array.from({ length: 6000 }, (_, i) => anEntry({ type: 'domain-name', value: `d${i}.example` }));
    for (let at = 0; at < entries.length; at += 2000)
      await connector.apply(batchOf(entries.slice(at, at + 2000)), never);

    const pages = await collect(connector.list({}, never));

    expect(pages.length).toBeGreaterThan(1);
    const keys = new Set(pages.flat().map((row) => row.key));
    for (const entry of entries) expect(keys.has(entry.key)).toBe(true);
    await connector.close();
  });

  describe('the filters of the stock indicator-match rules', () => {
    const stock: Readonly<Record<string, { entry: Entry; field: string; value: string; also?: object }>> = {
      address: { entry: anEntry({ value: '203.0.113.7' }), field: 'threat.indicator.ip', value: '203.0.113.7' },
      hash: {
        entry: anEntry({ type: "file:hashes.'SHA-256'", value: 'e'.repeat(64) }),
        field: 'threat.indicator.file.hash.sha256',
        value: 'e'.repeat(64),
      },
      url: {
        entry: anEntry({ type: 'url', value: 'https://bad.example/a?b=1' }),
        field: 'threat.indicator.url.full',
        value: 'https://bad.example/a?b=1',
      },
      email: {
        entry: anEntry({ type: 'email-addr', value: 'bad@mail.example' }),
        field: 'threat.indicator.email.address',
        value: 'bad@mail.example',
      },
      // No stock rule: the one in content/elastic. The fifth stock rule is about registry keys, which we do not carry.
      domain: {
        entry: anEntry({ type: 'domain-name', value: 'bad.example' }),
        field: 'threat.indicator.url.domain',
        value: 'bad.example',
        // Without it, a URL on a shared host would make every visit of that host an alert.
        also: { term: { 'threat.indicator.type': 'domain-name' } },
      },
    };
    /** As the rules have it, with `now` fixed: elastic.md, "What Kibana requires". */
    const matches = async (field: string, value: string, now: number, also: object[] = []): Promise<number> => {
      await admin(place, 'POST', `/${INDEX}/_refresh`);
      const found = await admin(place, 'POST', '/logs-ti_*/_count', {
        query: {
          bool: {
            filter: [
              { range: { '@timestamp': { gte: `${new Date(now).toISOString()}||-30d/d` } } },
              {
                bool: { should: [{ term: { 'event.module': 'threatintel' } }, { prefix: { 'event.module': 'ti_' } }] },
              },
              { match_phrase: { 'event.category': 'threat' } },
              { match_phrase: { 'event.kind': 'enrichment' } },
              { match_phrase: { 'event.type': 'indicator' } },
              { exists: { field } },
              { term: { [field]: value } },
              ...also,
            ],
            must_not: [{ term: { 'labels.is_ioc_transform_source': 'true' } }],
          },
        },
      });
      return Number(found.body?.['count']);
    };

    for (const [name, { entry, field, value, also }] of Object.entries(stock)) {
      it(`${name}: find the entry on day 0 and 29, not on day 31, and on day 31 when it was pushed again`, async () => {
        const connector = elasticConnector(setup);

        await connector.apply(batchOf([entry], NOON), never);
        const found = [];
        for (const day of [0, 29, 31])
          found.push(await matches(field, value, NOON + day * DAY_MS, also === undefined ? [] : [also]));
        await connector.apply(batchOf([entry], NOON + (elastic.refreshAfterDays ?? 0) * DAY_MS), never);
        found.push(await matches(field, value, NOON + 31 * DAY_MS, also === undefined ? [] : [also]));

        expect(found).toEqual([1, 1, 0, 1]);
        await connector.close();
      });
    }

    it('find nothing for a network: its first address is not the network', async () => {
      const connector = elasticConnector(setup);
      await connector.apply(batchOf([anEntry({ value: '203.0.113.64/26' })]), never);
      await admin(place, 'POST', `/${INDEX}/_refresh`);

      const inside = await admin(place, 'POST', `/${INDEX}/_count`, {
        query: { term: { 'entente.network': '203.0.113.100' } },
      });

      expect(await matches('threat.indicator.ip', '203.0.113.64', NOON)).toBe(0);
      expect(inside.body).toMatchObject({ count: 1 });
      await connector.close();
    });
  });
});

describeWith('an Elasticsearch that is short of room', narrow, (peer) => {
  const batchOfBytes = (bytes: number) => {
    const config = elasticConfig({ url: peer.url });
    const context = contextFor(elastic, config, { revision: NOON * 1000, now: NOON });
    const one = (i: number) => anEntry({ type: 'domain-name', value: `n${i}.example` });
    const size = encodeBatch(elastic, [one(1000)], context).batch.bytes.length;
    return encodeBatch(
      elastic,
      Array.from({ length: Math.ceil(bytes / size) }, (_, i) => one(i + 1000)),
      context,
    ).batch;
  };

  it.each([
    ['asks for halves of a body beyond its limit', 3_500_000, { kind: 'permanent', status: 413, uncertain: false }],
    [
      'asks for patience when it has no memory for the body',
      2_000_000,
      { kind: 'retryable', status: 429, uncertain: false },
    ],
  ])('%s', async (_, bytes, expected) => {
    const connector = elasticConnector({ url: peer.url });
    await connector.open(never);
    const batch = batchOfBytes(bytes);

    await expect(connector.apply(batch, never)).rejects.toMatchObject(expected);

    expect(await collect(connector.list({}, never))).toEqual([]);
    await connector.close();
  });
});
