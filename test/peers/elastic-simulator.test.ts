// The simulator against the products it stands for: the same requests go to both, and status and shape of the answers
// must agree. Shape = the names and the kinds of values, and the texts that carry a decision (types, results, flags).
import { describe, expect, it } from 'vitest';
import { type ElasticOptions, startElastic } from '../../src/simulators/elastic/index.ts';
import { describeWith, type Started, tryStart } from './available.ts';
import { ELASTICSEARCH_VERSION, sharedElasticsearch } from './elasticsearch.ts';
import { sharedOpensearch } from './opensearch.ts';
import type { ScriptPeer } from './script-peer.ts';

interface Step {
  readonly ask: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly only?: 'elasticsearch' | 'opensearch';
}

const nd = (...all: unknown[]) => `${all.map((one) => JSON.stringify(one)).join('\n')}\n`;
const media = (version: number) => `application/vnd.elasticsearch+json; compatible-with=${version}`;
const item = (op: string, id: string, more: object = {}) => ({ [op]: { _index: 't-1', _id: id, ...more } });
const external = (version: number) => ({ version, version_type: 'external' });

const MAPPINGS = {
  dynamic: false,
  properties: {
    '@timestamp': { type: 'date' },
    ip: { type: 'ip' },
    net: { type: 'ip_range' },
    k: { type: 'keyword' },
    n: { type: 'long' },
    f: { type: 'boolean' },
    o: { properties: { a: { type: 'keyword' } } },
    ns: { type: 'nested', properties: { i: { type: 'keyword' } } },
  },
};

const STEPS: readonly Step[] = [
  { ask: 'GET /' },
  { ask: 'HEAD /nothing' },
  { ask: 'GET /nothing' },
  {
    ask: 'PUT /_component_template/c1',
    body: { template: { settings: { index: { gc_deletes: '1s', number_of_replicas: 0 } }, mappings: MAPPINGS } },
  },
  {
    ask: 'PUT /_index_template/t1',
    body: { index_patterns: ['t-*'], composed_of: ['c1'], priority: 500, template: { aliases: { al1: {} } } },
  },
  { ask: 'PUT /_index_template/t2', body: { index_patterns: ['t-*'], priority: 500 } },
  { ask: 'GET /_index_template/t1' },
  { ask: 'GET /_index_template/absent' },
  { ask: 'GET /_component_template/absent' },
  { ask: 'POST /_index_template/_simulate_index/none' },
  {
    ask: 'POST /_bulk',
    body: nd(
      item('index', 'a', external(5)),
      { ip: '192.0.2.1', k: 'x', n: 1, '@timestamp': '2026-01-01T00:00:00Z', ns: [{ i: 'q' }] },
      item('index', 'a', external(5)),
      { ip: '192.0.2.1' },
      item('index', 'b'),
      { ip: 'bad' },
      item('index', 'b'),
      { '@timestamp': 'bad' },
      item('index', 'b'),
      { net: 'bad' },
      item('index', 'b'),
      { n: 'bad' },
      item('index', 'b'),
      { f: 'bad' },
      item('index', 'b'),
      { k: { x: 1 } },
      item('delete', 'absent'),
      item('delete', 'absent', external(3)),
      item('create', 'a'),
      { k: '2' },
      item('create', 'c'),
      { k: '2' },
      item('update', 'c'),
      { doc: { k: '3' } },
      item('update', 'c'),
      { doc: { k: '3' } },
      item('update', 'absent2'),
      { doc: { k: '3' } },
      item('index', 'c', { if_seq_no: 1, if_primary_term: 1 }),
      { k: '4' },
      item('index', 'a', { version: 4, version_type: 'external_gte' }),
      { k: 'x' },
      item('delete', 'a', external(4)),
      { index: { _index: 'Bad', _id: 'q' } },
      { k: 1 },
      { delete: { _index: 'no-index', _id: 'q' } },
    ),
  },
  {
    ask: 'POST /_bulk?filter_path=errors,items.*.status,items.*.error.type',
    body: nd(item('create', 'a'), {}, item('delete', 'none')),
  },
  { ask: 'POST /_bulk', body: '{"index":{"_index":"t-1"}}\n{"k":1}' },
  { ask: 'POST /_bulk', body: nd({ wrong: { _index: 't-1' } }, {}) },
  { ask: 'POST /_bulk', body: nd({ index: { _id: 'x' } }, {}) },
  { ask: 'POST /_bulk', body: nd({ index: { _index: 't-1', version: 1, version_type: 'external' } }, {}) },
  { ask: 'GET /t-1/_doc/a' },
  { ask: 'GET /t-1/_doc/none' },
  { ask: 'GET /nothing/_doc/none' },
  { ask: 'GET /t-1/_doc/a?_source_includes=k' },
  { ask: 'PUT /t-1/_doc/a?version=4&version_type=external', body: { k: '1' } },
  {
    ask: 'PUT /t-1/_doc/a?version=9&version_type=external',
    body: { k: '1', ip: '192.0.2.1', '@timestamp': '2026-01-01' },
  },
  { ask: 'DELETE /t-1/_doc/none' },
  {
    ask: 'POST /_mget',
    body: {
      docs: [
        { _index: 't-1', _id: 'a' },
        { _index: 't-1', _id: 'none' },
        { _index: 'nothing', _id: 'a' },
      ],
    },
  },
  { ask: 'POST /t-1/_refresh' },
  { ask: 'POST /t-1/_search', body: { query: { term: { ip: '192.0.2.0/24' } }, sort: [{ '@timestamp': 'asc' }] } },
  {
    ask: 'POST /t-1/_search',
    body: {
      query: { bool: { filter: [{ terms: { k: ['1', '3'] } }], must_not: [{ exists: { field: 'n' } }] } },
      sort: ['k'],
      track_total_hits: false,
      _source: ['k'],
    },
  },
  {
    ask: 'POST /t-1/_search',
    body: { query: { range: { '@timestamp': { gte: '2026-01-01||-1d/d', lt: '2027-01-01' } } } },
  },
  { ask: 'POST /t-1/_search', body: { query: { wrong: {} } } },
  { ask: 'POST /t-1/_search', body: { size: 10_001 } },
  { ask: 'POST /t-1/_search', body: { sort: ['absent'] } },
  { ask: 'POST /nothing/_search', body: {} },
  { ask: 'POST /nothing*/_search', body: {} },
  { ask: 'POST /t-1/_count', body: { query: { prefix: { k: '1' } } } },
  { ask: 'POST /t-1/_pit', only: 'elasticsearch' },
  { ask: 'POST /t-1/_pit?keep_alive=1m', only: 'elasticsearch' },
  { ask: 'POST /t-1/_search/point_in_time?keep_alive=1m', only: 'opensearch' },
  { ask: 'PUT /t-1' },
  { ask: 'PUT /BAD' },
  { ask: 'PUT /t-7', body: { mappings: { properties: { zz: { type: 'keyword' } } } } },
  { ask: 'GET /t-7/_mapping' },
  { ask: 'PUT /t-7/_mapping', body: { properties: { zz: { type: 'ip' } } } },
  { ask: 'PUT /t-7/_settings', body: { index: { 'blocks.write': true } } },
  { ask: 'POST /t-7/_bulk', body: nd({ index: { _id: 'b' } }, {}) },
  { ask: 'PUT /t-7/_doc/1', body: {} },
  { ask: 'GET /_alias/al1' },
  { ask: 'GET /_alias/absent' },
  { ask: 'GET /_resolve/index/t-*' },
  { ask: 'GET /_cluster/health' },
  { ask: 'GET /_security/_authenticate', only: 'elasticsearch' },
  {
    ask: 'POST /_security/user/_has_privileges',
    body: { cluster: ['monitor'], index: [{ names: ['t-*'], privileges: ['read'] }] },
    only: 'elasticsearch',
  },
  { ask: 'GET /', headers: { authorization: 'Basic eDp5' } },
  { ask: 'GET /', headers: { authorization: 'ApiKey YTpi' } },
  ...[7, 8, 9, 10].map((version) => ({
    ask: 'POST /t-1/_count',
    body: '{}',
    headers: { accept: media(version), 'content-type': media(version) },
  })),
  { ask: 'POST /t-1/_count', body: '{}', headers: { accept: media(9) } },
  { ask: 'POST /t-1/_count', body: '{}', headers: { 'content-type': 'text/plain' } },
  { ask: 'DELETE /_component_template/c1', body: undefined },
  { ask: 'DELETE /_index_template/t1' },
  { ask: 'DELETE /_index_template/t1' },
  { ask: 'DELETE /t-1,t-7' },
];

const asked = (step: Step) =>
  `${step.ask} ${JSON.stringify(step.headers ?? {})} ${JSON.stringify(step.body ?? '').slice(0, 60)}`;

const elasticsearch = await tryStart('Elasticsearch', () => sharedElasticsearch({ security: true }));
const opensearch = await tryStart('OpenSearch', () => sharedOpensearch());

describe('the simulator answers like the product', () => {
  compare('elasticsearch', elasticsearch, { version: ELASTICSEARCH_VERSION });
  compare('opensearch', opensearch, { product: 'opensearch', security: 'none' });
});

function compare(kind: 'elasticsearch' | 'opensearch', started: Started<ScriptPeer>, options: ElasticOptions): void {
  describeWith(kind, started, (peer) => {
    const steps = STEPS.filter((step) => (step.only ?? kind) === kind);
    const real: Promise<string[]> = replay(peer.url, basic(peer.username, peer.password), steps);
    const simulated: Promise<string[]> = (async () => {
      const simulator = await startElastic(options);
      try {
        return await replay(simulator.url, basic(simulator.username, simulator.password), steps);
      } finally {
        await simulator.close();
      }
    })();

    it.each(steps.map((step, at) => [at, asked(step)] as const))('%d %s', async (at) => {
      expect((await simulated)[at]).toBe((await real)[at]);
    });
  });
}

const basic = (username: string, password: string) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

async function replay(url: string, authorization: string, steps: readonly Step[]): Promise<string[]> {
  const shapes: string[] = [];
  for (const { ask, body, headers } of steps) {
    const [method = '', path = ''] = ask.split(' ');
    const response = await fetch(url + path, {
      method,
      headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const marks = ['x-elastic-product', 'www-authenticate', 'content-type'].map((name) => response.headers.get(name));
    const answer: unknown = text.startsWith('{') ? JSON.parse(text) : text;
    shapes.push(JSON.stringify([response.status, method === 'HEAD' ? [] : marks, shape(answer, '')], null, 1));
  }
  return shapes;
}

/** Values whose text is a decision stay; the rest is reduced to its kind. */
const TELLING = new Set(
  'type result status errors found _index _version _seq_no _id value relation acknowledged has_all_requested'.split(
    ' ',
  ),
);
/** Facts of the server itself, or wording that depends on its JSON parser or its layout. */
const APART = new Set(
  'caused_by version settings cluster_name index_uuid failed_shards created_date_millis'.split(' '),
);

function shape(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return value.map((one) => shape(one, name));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !APART.has(key))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, below]) => [key, shape(below, key)]),
    );
  return TELLING.has(name) && value !== null ? value : typeof value;
}
