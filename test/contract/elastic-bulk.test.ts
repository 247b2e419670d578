// The Elastic connector's bulk requests on the simulator, and what only a simulator refuses on demand.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import type { SiemConnector } from '../../src/core/contracts/siem-connector.ts';
import { type ElasticOptions, type RunningElastic, startElastic } from '../../src/simulators/elastic/index.ts';
import { anEntry, NOON } from '../builders/entry.ts';
import { contextFor, encodeBatch } from './batches.ts';
import { elasticBulk } from './elastic-bulk.ts';
import {
  elasticConfig,
  elasticConnector,
  elasticFaults,
  elasticHarness,
  type ElasticPlace,
} from './elastic-harness.ts';

const never = new AbortController().signal;

function placeOf(server: RunningElastic, product: 'elasticsearch' | 'opensearch'): ElasticPlace {
  const basic = Buffer.from(`${server.username}:${server.password}`).toString('base64');
  const { username, password, apiKey } = server;
  const auth = product === 'opensearch' ? { username, password } : { api_key: apiKey };
  return { url: server.url, admin: `Basic ${basic}`, auth, product, timeoutMs: 1500 };
}

async function harness(options: ElasticOptions) {
  const server = await startElastic(options);
  const product = options.product ?? 'elasticsearch';
  return elasticHarness(placeOf(server, product), { faults: elasticFaults(server), stop: () => server.close() });
}

elasticBulk('the simulated Elasticsearch', () => harness({}));
elasticBulk('the simulated OpenSearch', () => harness({ product: 'opensearch' }));

describe('items that fail on the way', () => {
  let server: RunningElastic;
  let connector: SiemConnector;
  let revision = NOON * 1000;
  beforeAll(async () => {
    server = await startElastic();
    connector = elasticConnector(placeOf(server, 'elasticsearch'));
    await connector.open(never);
  });
  afterAll(async () => {
    await connector.close();
    await server.close();
  });
  const batch = () => {
    revision += 1;
    const context = contextFor(elastic, elasticConfig({ url: 'http://127.0.0.1:9200' }), { revision, now: NOON });
    return encodeBatch(
      elastic,
      ['a', 'b', 'c'].map((name) => anEntry({ type: 'domain-name', value: `${name}.example` })),
      context,
    ).batch;
  };
  const busy = { status: 429, type: 'es_rejected_execution_exception', reason: 'queue is full' };
  const blocked = {
    status: 403,
    type: 'cluster_block_exception',
    reason: 'index [x] blocked by: [FORBIDDEN/8/index write (api)];',
  };

  it('and are taken by the second call are applied', async () => {
    server.setItemFaults([{ ...busy, times: 1, skip: 1 }]);

    const outcomes = await connector.apply(batch(), never);

    expect(outcomes.map((one) => one.kind)).toEqual(expect.arrayContaining(['applied', 'applied', 'applied']));
    expect(outcomes).toHaveLength(3);
  });

  it('and fail in the second as well are told with its reason', async () => {
    const one = batch();
    server.setItemFaults([{ ...busy, id: one.changes[1]!.slot }]);

    const outcomes = await connector.apply(one, never);

    server.setItemFaults([]);
    const byKey = new Map(outcomes.map((outcome) => [outcome.key, outcome]));
    expect(byKey.get(one.changes[0]!.key)).toMatchObject({ kind: 'applied' });
    expect(byKey.get(one.changes[1]!.key)).toMatchObject({ kind: 'failed', failure: { kind: 'retryable' } });
    expect(byKey.get(one.changes[2]!.key)).toMatchObject({ kind: 'applied' });
  });

  it('and fail only in the second, as when a block comes in between, do not hide what the first wrote', async () => {
    const one = batch();
    const [first, second, third] = one.changes.map((change) => change.slot);
    server.setItemFaults([
      { ...blocked, id: first! },
      { ...blocked, id: second!, skip: 1 },
      { ...blocked, id: third!, skip: 1 },
    ]);

    const outcomes = await connector.apply(one, never);

    server.setItemFaults([]);
    const byKey = new Map(outcomes.map((outcome) => [outcome.key, outcome]));
    expect(byKey.get(one.changes[0]!.key)).toMatchObject({ kind: 'failed', failure: { kind: 'config' } });
    for (const { key } of one.changes.slice(1)) expect(byKey.get(key)).toEqual({ key, kind: 'applied' });
  });

  it('leave open what became of the others where nobody can look', async () => {
    const one = batch();
    server.setItemFaults([{ ...busy, id: one.changes[0]!.slot }]);
    server.setFaults([{ match: '_mget', action: 'status', status: 401, body: '{}', times: 1 }]);

    const error: unknown = await connector.apply(one, never).catch((thrown: unknown) => thrown);

    server.setItemFaults([]);
    expect(error).toMatchObject({ kind: 'config', uncertain: true });
  });

  it('and are all there were are told from the second answer alone', async () => {
    const one = batch();
    server.setItemFaults([blocked]);
    server.setFaults([{ match: '_mget', action: 'status', status: 401, body: '{}' }]);

    const outcomes = await connector.apply(one, never);

    server.setItemFaults([]);
    server.setFaults([]);
    expect(outcomes).toHaveLength(3);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: 'failed', failure: { kind: 'config' } });
  });
});
