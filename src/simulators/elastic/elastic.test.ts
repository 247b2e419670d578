import { afterEach, describe, expect, it } from 'vitest';
import { type ElasticOptions, type RunningElastic, startElastic } from './index.ts';

let running: RunningElastic | undefined;

afterEach(async () => {
  await running?.close();
  running = undefined;
});

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // Answers differ by route; each test names the fields it reads.
  readonly body: Record<string, unknown>;
}

async function aSimulator(options: ElasticOptions = {}) {
  const elastic = await startElastic(options);
  running = elastic;
  return async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> => {
    const response = await fetch(elastic.url + path, {
      method,
      headers: {
        authorization: `ApiKey ${elastic.apiKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text.startsWith('{') ? JSON.parse(text) : {},
    };
  };
}

/** A clock that stands until it is turned. */
function aClock() {
  let now = Date.parse('2026-11-23T00:00:00Z');
  const clock = { now: () => now, monotonic: () => now, sleep: async () => {} };
  return { clock, turn: (ms: number) => (now += ms) };
}

const lines = (...all: unknown[]) => `${all.map((one) => JSON.stringify(one)).join('\n')}\n`;
const statuses = (reply: Reply) =>
  (reply.body['items'] as Record<string, { status: number }>[]).map((item) => Object.values(item)[0]!.status);
const ids = (reply: Reply) => (reply.body['hits'] as { hits: { _id: string }[] }).hits.map((hit) => hit._id);

const MAPPINGS = {
  dynamic: false,
  properties: {
    '@timestamp': { type: 'date' },
    threat: {
      properties: {
        indicator: { properties: { ip: { type: 'ip' }, type: { type: 'keyword' } } },
        network: { type: 'ip_range' },
        enrichments: { type: 'nested', properties: { matched: { properties: { id: { type: 'keyword' } } } } },
      },
    },
  },
};

describe('versions', () => {
  it('refuses an external version that is not higher and keeps the newer document', async () => {
    const ask = await aSimulator();
    const put = (version: number, value: string) =>
      lines({ index: { _index: 'x', _id: 'a', version, version_type: 'external' } }, { value });

    const answers = [
      await ask('POST', '/_bulk', put(5, 'new')),
      await ask('POST', '/_bulk', put(5, 'same')),
      await ask('POST', '/_bulk', put(4, 'old')),
    ];

    expect(answers.map(statuses)).toEqual([[201], [409], [409]]);
    expect(running?.documents('x')).toEqual({ a: { value: 'new' } });
  });

  it('takes an old version again once the delete is forgotten', async () => {
    const { clock, turn } = aClock();
    const ask = await aSimulator({ clock });
    const old = lines({ index: { _index: 'x', _id: 'a', version: 15, version_type: 'external' } }, { value: 1 });
    await ask('PUT', '/x', { settings: { 'index.gc_deletes': '1s' } });
    await ask('POST', '/_bulk', lines({ delete: { _index: 'x', _id: 'a', version: 20, version_type: 'external' } }));

    const atOnce = await ask('POST', '/_bulk', old);
    turn(1100);
    const later = await ask('POST', '/_bulk', old);

    expect([statuses(atOnce), statuses(later)]).toEqual([[409], [201]]);
  });
});

describe('bulk', () => {
  it('answers each item for itself and calls a missing document no error', async () => {
    const ask = await aSimulator();
    await ask('PUT', '/x', { mappings: MAPPINGS });

    const mixed = await ask(
      'POST',
      '/x/_bulk',
      lines(
        { index: { _id: 'good' } },
        { threat: { indicator: { ip: '192.0.2.1' } } },
        { index: { _id: 'bad-ip' } },
        { 'threat.indicator.ip': '192.0.2.0/24' },
        { index: { _id: 'bad-date' } },
        { '@timestamp': '2026-02-30' },
        { delete: { _id: 'absent' } },
      ),
    );
    const onlyMissing = await ask('POST', '/x/_bulk', lines({ delete: { _id: 'absent' } }));

    expect(statuses(mixed)).toEqual([201, 400, 400, 404]);
    expect(mixed.body['errors']).toBe(true);
    expect(onlyMissing.body['errors']).toBe(false);
  });

  it('keeps only what filter_path names', async () => {
    const ask = await aSimulator();

    const answer = await ask(
      'POST',
      '/_bulk?filter_path=errors,items.*.status',
      lines({ index: { _index: 'x', _id: 'a' } }, {}),
    );

    expect(answer.body).toEqual({ errors: false, items: [{ index: { status: 201 } }] });
  });

  it('refuses a body above the limit with 413 and no body', async () => {
    const ask = await aSimulator({ maxContentLength: 100 });

    const answer = await ask('POST', '/_bulk', lines({ index: { _index: 'x' } }, { text: 'x'.repeat(100) }));

    expect([answer.status, answer.text]).toEqual([413, '']);
  });

  it('rejects single items on demand and takes them afterwards', async () => {
    const ask = await aSimulator();
    running?.setItemFaults([
      { id: 'b', times: 1, status: 429, type: 'es_rejected_execution_exception', reason: 'full' },
    ]);
    const both = lines({ index: { _index: 'x', _id: 'a' } }, {}, { index: { _index: 'x', _id: 'b' } }, {});

    expect(statuses(await ask('POST', '/_bulk', both))).toEqual([201, 429]);
    expect(statuses(await ask('POST', '/_bulk', both))).toEqual([200, 201]);
  });

  it('blocks writes per item while the index is read-only', async () => {
    const ask = await aSimulator();
    await ask('PUT', '/x');
    await ask('PUT', '/x/_settings', { index: { 'blocks.write': true } });

    expect(statuses(await ask('POST', '/x/_bulk', lines({ index: { _id: 'a' } }, {})))).toEqual([403]);
  });
});

describe('search', () => {
  it('sees a document only after a refresh, while a get sees it at once', async () => {
    const { clock, turn } = aClock();
    const ask = await aSimulator({ clock });
    await ask('PUT', '/x/_doc/a', { value: 1 });

    const early = await ask('POST', '/x/_search', {});
    const read = await ask('GET', '/x/_doc/a');
    turn(1000);
    const late = await ask('POST', '/x/_search', {});

    expect([ids(early), read.status, ids(late)]).toEqual([[], 200, ['a']]);
  });

  it('finds addresses by network, networks by address, and nested objects only by a nested query', async () => {
    const ask = await aSimulator();
    await ask('PUT', '/x', { mappings: MAPPINGS });
    await ask('PUT', '/x/_doc/ip', { threat: { indicator: { ip: '192.0.2.7' } } });
    await ask('PUT', '/x/_doc/net', { threat: { network: '198.51.100.0/24' } });
    await ask('PUT', '/x/_doc/alert?refresh=true', { threat: { enrichments: [{ matched: { id: 'm1' } }] } });
    const find = async (query: unknown) => ids(await ask('POST', '/x/_search', { query }));
    const matched = { term: { 'threat.enrichments.matched.id': 'm1' } };

    expect(await find({ term: { 'threat.indicator.ip': '192.0.2.0/28' } })).toEqual(['ip']);
    expect(await find({ terms: { 'threat.indicator.ip': ['203.0.113.1', '192.0.2.7'] } })).toEqual(['ip']);
    expect(await find({ term: { 'threat.network': '198.51.100.9' } })).toEqual(['net']);
    expect(await find(matched)).toEqual([]);
    expect(await find({ nested: { path: 'threat.enrichments', query: matched } })).toEqual(['alert']);
  });

  it('reads date arithmetic against its own clock', async () => {
    const { clock } = aClock();
    const ask = await aSimulator({ clock });
    await ask('PUT', '/x', { mappings: MAPPINGS });
    await ask('PUT', '/x/_doc/fresh', { '@timestamp': '2026-10-24T00:00:00Z' });
    await ask('PUT', '/x/_doc/stale?refresh=true', { '@timestamp': '2026-10-23T23:59:59Z' });

    const found = await ask('POST', '/x/_search', { query: { range: { '@timestamp': { gte: 'now-30d/d' } } } });

    expect(ids(found)).toEqual(['fresh']);
  });

  it('pages through a frozen point in time and answers 404 once it is closed', async () => {
    const ask = await aSimulator();
    await ask('PUT', '/x', { mappings: MAPPINGS });
    for (const id of ['a', 'b', 'c']) await ask('PUT', `/x/_doc/${id}?refresh=true`, { '@timestamp': '2026-01-01' });
    const { id } = (await ask('POST', '/x/_pit?keep_alive=1m')).body as { id: string };
    await ask('PUT', '/x/_doc/late?refresh=true', { '@timestamp': '2026-01-01' });

    const seen: string[] = [];
    let after: unknown;
    for (let page = 0; page < 5; page += 1) {
      const answer = await ask('POST', '/_search', {
        size: 2,
        pit: { id, keep_alive: '1m' },
        sort: [{ '@timestamp': 'asc' }],
        ...(after === undefined ? {} : { search_after: after }),
      });
      const { hits } = answer.body['hits'] as { hits: { _id: string; sort: unknown[] }[] };
      seen.push(...hits.map((hit) => hit._id));
      if (hits.length === 0) break;
      after = hits.at(-1)!.sort;
    }
    const closed = await ask('DELETE', '/_pit', { id });
    const gone = await ask('POST', '/_search', { pit: { id } });

    expect(seen).toEqual(['a', 'b', 'c']);
    expect([closed.status, gone.status]).toEqual([200, 404]);
  });
});

describe('templates', () => {
  it('makes an index of the winning template when a bulk creates it, each time with another identity', async () => {
    const ask = await aSimulator();
    await ask('PUT', '/_component_template/base', { template: { mappings: MAPPINGS } });
    await ask('PUT', '/_index_template/low', { index_patterns: ['logs-*'], priority: 100 });
    await ask('PUT', '/_index_template/high', { index_patterns: ['logs-ti_*'], priority: 500, composed_of: ['base'] });
    const uuid = async () => {
      await ask('POST', '/_bulk', lines({ index: { _index: 'logs-ti_x.y', _id: 'a' } }, {}));
      const found = (await ask('GET', '/logs-ti_x.y')).body['logs-ti_x.y'] as { settings: { index: { uuid: string } } };
      return found.settings.index.uuid;
    };

    const first = await uuid();
    const mappings = (await ask('GET', '/logs-ti_x.y/_mapping')).body;
    await ask('DELETE', '/logs-ti_x.y');

    expect(mappings).toEqual({ 'logs-ti_x.y': { mappings: { ...MAPPINGS, dynamic: 'false' } } });
    expect(await uuid()).not.toBe(first);
  });
});

describe('product and rights', () => {
  it.each([
    ['9.5.0', 9, 200],
    ['9.5.0', 8, 200],
    ['8.19.0', 9, 400],
    ['8.19.0', 8, 200],
  ])('version %s answers compatible-with=%d with %d', async (version, compatible, expected) => {
    const ask = await aSimulator({ version });
    const type = `application/vnd.elasticsearch+json; compatible-with=${compatible}`;

    const answer = await ask('POST', '/_count', '{}', { accept: type, 'content-type': type });

    expect(answer.status).toBe(expected);
    expect(answer.headers.get('x-elastic-product')).toBe('Elasticsearch');
  });

  it('as OpenSearch knows no vendor media type and carries no product header', async () => {
    const ask = await aSimulator({ product: 'opensearch', security: 'none' });
    const type = 'application/vnd.elasticsearch+json; compatible-with=9';

    const answer = await ask('POST', '/_count', '{}', { accept: type, 'content-type': type });

    expect([answer.status, answer.headers.get('x-elastic-product')]).toEqual([406, null]);
  });

  it('refuses unknown callers with 401 and keys without rights with 403', async () => {
    const ask = await aSimulator();
    await ask('PUT', '/x');
    const key = await ask('POST', '/_security/api_key', {
      name: 'reader',
      role_descriptors: { r: { cluster: ['monitor'], indices: [{ names: ['x'], privileges: ['read'] }] } },
    });
    const reader = { authorization: `ApiKey ${key.body['encoded'] as string}` };

    const stranger = await ask('GET', '/', undefined, { authorization: 'Basic eDp5' });
    const write = await ask('PUT', '/x/_doc/a', {}, reader);
    const read = await ask('POST', '/x/_search', {}, reader);
    const rights = await ask(
      'POST',
      '/_security/user/_has_privileges',
      { index: [{ names: ['x'], privileges: ['read', 'index'] }] },
      reader,
    );

    expect([stranger.status, write.status, read.status]).toEqual([401, 403, 200]);
    expect(rights.body).toMatchObject({ has_all_requested: false, index: { x: { read: true, index: false } } });
  });
});

describe('back door', () => {
  it('plants events that a search by network finds at once', async () => {
    const ask = await aSimulator();

    const planted = await fetch(`${running?.url}/_sim/events`, {
      method: 'POST',
      body: JSON.stringify([{ time: '2026-11-23T00:00:00Z', fields: { destination: { ip: '192.0.2.7' } } }]),
    });
    const found = await ask('POST', '/logs-*/_search', { query: { term: { 'destination.ip': '192.0.2.0/24' } } });

    expect(planted.status).toBe(200);
    expect(ids(found)).toHaveLength(1);
  });
});

describe('an index that cannot be used', () => {
  const errorsOf = (reply: Reply) =>
    (reply.body['items'] as Record<string, { status: number; error?: { type: string; reason: string } }>[]).map(
      (item) => Object.values(item)[0]!.error?.type,
    );
  const write = lines({ index: { _index: 'x', _id: 'a' } }, { value: 1 });
  const kindOf = ({ body }: Reply) => (body['error'] as { root_cause: { type: string }[] }).root_cause[0]?.type;

  it('is closed: its rows are refused inside a success, and it is passed over where a pattern finds it', async () => {
    const ask = await aSimulator();
    await ask('PUT', '/x', {});
    await ask('PUT', '/y', {});
    await ask('POST', '/x/_close');

    const bulk = await ask('POST', '/_bulk', write);
    const named = await ask('POST', '/x/_search', {});
    const many = await ask('POST', '/*/_search', {});
    const got = await ask('POST', '/x/_mget', { ids: ['a'] });
    const settings = await ask('GET', '/x/_settings');

    expect([bulk.status, errorsOf(bulk)]).toEqual([200, ['index_closed_exception']]);
    expect([named.status, kindOf(named)]).toEqual([400, 'index_closed_exception']);
    expect([many.status, many.body['_shards']]).toMatchObject([200, { total: 1, failed: 0 }]);
    expect(got.text).toContain('index_closed_exception');
    expect(settings.text).toContain('"verified_before_close":"true"');
    await ask('POST', '/x/_open');
    expect(statuses(await ask('POST', '/_bulk', write))).toEqual([201]);
  });

  it('names a pipeline that is missing', async () => {
    const ask = await aSimulator();
    await ask('PUT', '/x', { settings: { 'index.default_pipeline': 'enrich' } });

    const without = await ask('POST', '/_bulk', write);
    await ask('PUT', '/_ingest/pipeline/enrich', { processors: [] });
    const withIt = await ask('POST', '/_bulk', write);

    expect([statuses(without), errorsOf(without)]).toEqual([[400], ['illegal_argument_exception']]);
    expect(without.text).toContain('pipeline with id [enrich] does not exist');
    expect(statuses(withIt)).toEqual([201]);
  });

  it('has its primary shard nowhere', async () => {
    const ask = await aSimulator();
    await ask('PUT', '/x', {});
    await ask('PUT', '/y', {});
    running?.setUnassigned('x', true);

    const bulk = await ask('POST', '/_bulk', write);
    const alone = await ask('POST', '/x/_search', {});
    const both = await ask('POST', '/x,y/_search', {});

    expect([statuses(bulk), errorsOf(bulk)]).toEqual([[503], ['unavailable_shards_exception']]);
    expect([alone.status, kindOf(alone)]).toEqual([503, 'no_shard_available_action_exception']);
    expect([both.status, both.body['_shards']]).toMatchObject([200, { total: 2, successful: 1, failed: 1 }]);
  });

  it('would be one shard too many', async () => {
    const ask = await aSimulator();
    await ask('PUT', '/_cluster/settings', { persistent: { 'cluster.max_shards_per_node': 2 } });

    const first = await ask('PUT', '/x', {});
    const second = await ask('POST', '/_bulk', lines({ index: { _index: 'y', _id: 'a' } }, { value: 1 }));

    expect(first.status).toBe(200);
    expect([statuses(second), errorsOf(second)]).toEqual([[400], ['validation_exception']]);
    expect(second.text).toContain('[2]/[2] maximum normal shards open');
  });

  it('fails in some of its shards only, inside a success', async () => {
    const ask = await aSimulator();
    const event = (type: string) => ({ mappings: { properties: { host: { type } } } });
    await ask('PUT', '/a', event('keyword'));
    await ask('PUT', '/b', event('ip'));
    await ask('PUT', '/a/_doc/1?refresh=true', { host: 'one.example' });
    const query = { query: { terms: { host: ['one.example'] } } };

    const some = await ask('POST', '/a,b/_search', query);
    const all = await ask('POST', '/b/_search', query);

    expect([some.status, ids(some)]).toEqual([200, ['1']]);
    expect(some.body['_shards']).toMatchObject({ total: 2, successful: 1, failed: 1, failures: [{ index: 'b' }] });
    expect([all.status, (all.body['error'] as { type: string }).type]).toEqual([
      400,
      'search_phase_execution_exception',
    ]);
  });
});
