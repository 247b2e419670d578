// What an index, a cluster or something before it may be like, and what the Elastic connector says of it: a state that
// refuses everything is a matter for a person and is named with what to do, never a bad value and never silence.
import { afterEach, describe, expect, it } from 'vitest';
import type { Outcome, SiemConnector } from '../../src/core/contracts/siem-connector.ts';
import type { Failure } from '../../src/core/model/failure.ts';
import { type ElasticOptions, type RunningElastic, startElastic } from '../../src/simulators/elastic/index.ts';
import { ElasticConnector } from '../../src/connectors/siem/elastic/connector.ts';
import {
  aBatch,
  admin,
  elasticConfig,
  elasticConnector,
  elasticDeps,
  type ElasticPlace,
  failureOf,
} from './elastic-harness.ts';

const never = new AbortController().signal;
const INDEX = 'logs-ti_entente_test_instance.indicator';
const PAGE = {
  body: '<!DOCTYPE html><title>Request Rejected</title>',
  headers: { 'content-type': 'text/html' },
} as const;

const opened: { close(): Promise<void> }[] = [];
const keep = <T extends { close(): Promise<void> }>(one: T): T => {
  opened.push(one);
  return one;
};
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

const batch = (count = 2) => aBatch(...Array.from({ length: count }, (_, i) => `d${i}.example`));

function placeOf(server: RunningElastic): ElasticPlace {
  const basic = Buffer.from(`${server.username}:${server.password}`).toString('base64');
  return { url: server.url, admin: `Basic ${basic}`, auth: { api_key: server.apiKey }, timeoutMs: 1500 };
}

async function standing(options: ElasticOptions = {}) {
  const server = keep(await startElastic(options));
  const there = placeOf(server);
  const connector = keep(elasticConnector(there));
  await connector.open(never);
  return { server, there, connector, ask: (m: string, path: string, body?: unknown) => admin(there, m, path, body) };
}

const failures = (outcomes: readonly Outcome[]): Failure[] =>
  outcomes.flatMap((one) => (one.kind === 'failed' ? [one.failure] : []));

const probeMessage = async (connector: SiemConnector, hits = false): Promise<string> => {
  const { ok, message } = await connector.probe(never, { hits });
  expect(ok).toBe(false);
  return message;
};

describe('an index that takes nothing', () => {
  it('because it is closed is named so, by writing, opening and probing, and nothing in it counts as gone', async () => {
    const { connector, ask } = await standing();
    const one = batch();
    await connector.apply(one, never);
    await ask('POST', `/${INDEX}/_close`);

    const refused = failures(await connector.apply(batch(), never));
    const opening = await failureOf(connector.open(never));
    const reading = await failureOf(connector.list({ slots: [one.changes[0]!.slot] }, never));

    expect(refused).toHaveLength(2);
    expect(refused[0]).toMatchObject({ kind: 'config', code: 'index_closed_exception' });
    expect(refused[0]?.message).toContain('index is closed; open it');
    expect(opening).toMatchObject({ kind: 'config', code: 'index_closed_exception' });
    expect(opening.message).toContain('index is closed');
    expect(reading.kind).toBe('config');
    expect(await probeMessage(connector)).toContain('index is closed');
    await ask('POST', `/${INDEX}/_open`);
    expect((await connector.probe(never)).ok).toBe(true);
    expect(failures(await connector.apply(batch(), never))).toEqual([]);
  });

  it('because a pipeline is missing is told from a bad value', async () => {
    const { connector, ask } = await standing();
    await ask('PUT', `/${INDEX}/_settings`, { 'index.default_pipeline': 'enrich' });

    const [refused] = failures(await connector.apply(batch(), never));

    expect(refused).toMatchObject({ kind: 'config', code: 'pipeline_missing' });
    expect(refused?.message).toContain('pipeline with id [enrich] does not exist');
  });

  it.each([
    ['write', 'blocks.write'],
    ['read_only', 'blocks.read_only'],
    ['read_only_allow_delete', 'blocks.read_only_allow_delete'],
  ])('because of block %s is named with the block and what to do', async (block, named) => {
    const { connector, ask } = await standing();
    await ask('PUT', `/${INDEX}/_settings`, { [`index.blocks.${block}`]: true });

    const [refused] = failures(await connector.apply(batch(), never));

    expect(refused).toMatchObject({ kind: 'config', code: 'cluster_block_exception' });
    expect(refused?.message).toContain(
      `remove ${block === 'read_only_allow_delete' ? 'the block (' : ''}index.${named}`,
    );
    expect(await probeMessage(connector)).toContain(`index.${named}`);
  });

  it('because its primary shard is nowhere is tried again, and a part of a listing is no listing', async () => {
    const { server, connector } = await standing();
    await connector.apply(batch(), never);
    server.setUnassigned(INDEX, true);

    const [refused] = failures(await connector.apply(batch(), never));
    const listing = await failureOf(connector.list({}, never));

    expect(refused).toMatchObject({ kind: 'retryable', code: 'unavailable_shards_exception' });
    expect(listing.kind).toBe('retryable');
    expect(listing.message).toContain('no_shard_available_action_exception');
  });

  it('because the cluster has no room for its shards says how to make some', async () => {
    const server = keep(await startElastic());
    await admin(placeOf(server), 'PUT', '/_cluster/settings', { persistent: { 'cluster.max_shards_per_node': 1 } });

    const failure = await failureOf(keep(elasticConnector(placeOf(server))).open(never));

    expect(failure).toMatchObject({ kind: 'config', code: 'shard_limit' });
    expect(failure.message).toContain('raise cluster.max_shards_per_node');
  });
});

describe('an index with another mapping', () => {
  it.each([
    ['threat.indicator.confidence', 'long', 'keyword'],
    ['threat.indicator.ip', 'keyword', 'ip'],
    ['entente.until', 'text', 'date'],
  ])('names %s, which is %s and needs %s, and is made anew once it is deleted', async (field, has, needs) => {
    const server = keep(await startElastic());
    const there = placeOf(server);
    const known = keep(elasticConnector(there));
    await known.open(never);
    const made = await admin(there, 'GET', `/${INDEX}/_mapping`);
    const mappings = (made.body![INDEX] as { mappings: { properties: Record<string, unknown> } }).mappings;
    const path = field.split('.');
    let at = mappings as { properties: Record<string, never> };
    for (const step of path.slice(0, -1)) at = at.properties[step]!;
    (at.properties as Record<string, unknown>)[path.at(-1)!] = { type: has };
    await admin(there, 'DELETE', `/${INDEX}`);
    await admin(there, 'PUT', `/${INDEX}`, { mappings });
    const connector = keep(elasticConnector(there));

    const opening = await failureOf(connector.open(never));

    const said = `${field} is ${has} and needs ${needs}`;
    expect(opening).toMatchObject({ kind: 'config' });
    expect(opening.message).toContain(said);
    expect(await probeMessage(connector)).toContain(said);
    await admin(there, 'DELETE', `/${INDEX}`);
    await connector.open(never);
    expect(failures(await connector.apply(batch(), never))).toEqual([]);
  });

  it('names a field that is not mapped', async () => {
    const server = keep(await startElastic());
    const mappings = { properties: { entente: { properties: { owner: { type: 'keyword' } } } } };
    await admin(placeOf(server), 'PUT', `/${INDEX}`, { mappings });

    const failure = await failureOf(keep(elasticConnector(placeOf(server))).open(never));

    expect(failure.message).toMatch(/@timestamp is not mapped and needs date; .* and \d+ more/);
  });
});

describe('something between', () => {
  const statusPage = (match: string, status: number) => ({ match, action: 'status' as const, status, ...PAGE });

  it('that refuses one value has the batch divided; its page is no matter of rights', async () => {
    const { server, connector } = await standing();
    server.setFaults([statusPage('_bulk', 403)]);

    const failure = await failureOf(connector.apply(batch(), never));

    expect(failure).toMatchObject({ kind: 'permanent', code: 'between_403' });
    expect(failure.message).toContain('refused by something in between (403, a web page)');
    server.setFaults([
      { match: '_bulk', action: 'status', status: 403, body: '{"error":{"type":"security_exception"}}' },
    ]);
    expect(await failureOf(connector.apply(batch(), never))).toMatchObject({ kind: 'config' });
  });

  it.each([405, 407, 404])('that answers every write with %i and a page is no bad value', async (status) => {
    const { server, connector } = await standing();
    server.setFaults([statusPage('_bulk', status)]);

    const failure = await failureOf(connector.apply(batch(), never));

    expect(failure).toMatchObject({ kind: 'config', code: `http_${status}_page` });
    expect(await probeMessage(connector)).toContain(`(${status}, a web page)`);
  });

  it.each([
    ['a web page', PAGE],
    ['plain words', { body: 'default backend - 404', headers: { 'content-type': 'text/plain' } }],
  ])('that knows no such place (404 and %s) does not have the index made', async (_, page) => {
    const server = keep(await startElastic());
    server.setFaults([{ match: `GET /${INDEX}`, action: 'status', status: 404, ...page }]);

    const failure = await failureOf(keep(elasticConnector(placeOf(server))).open(never));

    expect(failure).toMatchObject({ kind: 'config', code: 'http_404_page' });
    expect(failure.message).not.toContain('create the index');
    expect([...server.requests.keys()].filter((one) => one.startsWith('PUT'))).toEqual([]);
  });

  it('that shows a login page is said to do so', async () => {
    const { server, connector } = await standing();
    server.setFaults([{ match: '_bulk', action: 'html' }]);

    const failure = await failureOf(connector.apply(batch(), never));

    expect(failure.kind).toBe('config');
    expect(failure.message).toContain('answered by a web page instead of JSON');
  });

  it('that is busy may still say for how long', async () => {
    const { server, connector } = await standing();
    server.setFaults([
      {
        match: '_bulk',
        action: 'status',
        status: 503,
        body: PAGE.body,
        headers: { ...PAGE.headers, 'retry-after': '7' },
      },
    ]);

    expect(await failureOf(connector.apply(batch(), never))).toMatchObject({
      kind: 'retryable',
      code: 'http_503_page',
      retryAfterMs: 7000,
    });
  });
});

describe('a refusal', () => {
  it('tells what is beneath "all shards failed"', async () => {
    const { server, connector } = await standing();
    const reason = "[joining] queries cannot be executed when 'search.allow_expensive_queries' is set to false.";
    const cause = { type: 'exception', reason };
    const body = JSON.stringify({
      error: {
        root_cause: [cause],
        type: 'search_phase_execution_exception',
        reason: 'all shards failed',
        phase: 'query',
        failed_shards: [{ shard: 0, index: INDEX, reason: cause }],
      },
      status: 400,
    });
    server.setFaults([{ match: '/_search', action: 'status', status: 400, body }]);

    const failure = await failureOf(connector.list({}, never));

    expect(failure.message).toContain('all shards failed');
    expect(failure.message).toContain('search.allow_expensive_queries');
    expect(failure).toMatchObject({ kind: 'config', code: 'expensive_queries' });
  });
});

describe('a probe', () => {
  const EVENTS = { event_search: { indices: ['app-events'], fields: { 'ipv4-addr': ['destination.ip'] } } };
  const connectorWith = (there: ElasticPlace, more: object) =>
    keep(new ElasticConnector(elasticConfig(there, { ...more }), elasticDeps(there)));

  it('asks for the rights and places of hits where hits are read', async () => {
    const { there, ask } = await standing();
    const role = {
      cluster: ['monitor'],
      indices: [
        { names: [INDEX], privileges: ['index', 'delete', 'read', 'view_index_metadata'] },
        { names: ['entente-control'], privileges: ['index', 'read', 'view_index_metadata'] },
      ],
    };
    const key = await ask('POST', '/_security/api_key', { name: 'daily', role_descriptors: { daily: role } });
    const daily = { ...there, auth: { api_key: String(key.body?.['encoded']) } };

    expect((await keep(elasticConnector(daily)).probe(never)).ok).toBe(true);
    expect(await probeMessage(connectorWith(daily, {}), true)).toContain('.alerts-security.alerts-default: read');
    expect(await probeMessage(connectorWith(there, EVENTS), true)).toContain('app-events, and no such index is there');
    expect(await probeMessage(connectorWith(there, { alert_spaces: ['default', 'sco'] }), true)).toContain(
      'Kibana space sco',
    );
    await ask('PUT', '/app-events', {});
    expect(await connectorWith(there, EVENTS).probe(never, { hits: true })).toMatchObject({
      ok: true,
      message: expect.stringContaining('no alerts of space default yet'),
    });
  });

  it('says when the index is an alias', async () => {
    const { there, connector, ask } = await standing();
    const made = await ask('GET', `/${INDEX}/_mapping`);
    await ask('DELETE', `/${INDEX}`);
    await ask('PUT', '/second', made.body?.[INDEX]);
    await ask('PUT', `/second/_alias/${INDEX}`, {});

    expect(there.url).not.toBe('');
    expect((await connector.probe(never)).message).toContain('is an alias of second');
  });
});
