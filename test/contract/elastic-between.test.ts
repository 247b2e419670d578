// Answers that the Elastic connector gets and Elasticsearch did not word, and blocks that a cluster names: whom each is
// about decides whether a value is parked, a person is called, or nothing is done but waiting.
import { afterEach, describe, expect, it } from 'vitest';
import type { SiemConnector } from '../../src/core/contracts/siem-connector.ts';
import { type RunningElastic, startElastic } from '../../src/simulators/elastic/index.ts';
import type { Fault } from '../../src/simulators/server.ts';
import { aBatch, elasticConnector, failureOf } from './elastic-harness.ts';

const never = new AbortController().signal;
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

const batch = () => aBatch('a.example', 'b.example');

async function filled(): Promise<{ server: RunningElastic; connector: SiemConnector; slots: string[] }> {
  const server = await startElastic();
  const connector = elasticConnector({ url: server.url, auth: { api_key: server.apiKey }, timeoutMs: 3000 });
  opened.push(server, connector);
  await connector.open(never);
  const written = batch();
  await connector.apply(written, never);
  return { server, connector, slots: written.changes.map(({ slot }) => slot) };
}

const answers = (match: string, status: number, body: string, headers: Record<string, string> = {}): Fault => ({
  match,
  action: 'status',
  status,
  body,
  headers,
});

describe('an answer that is not in the words of Elasticsearch', () => {
  it.each([
    ['empty', ''],
    ['of a gateway', '{"message":"no Route matched with those values"}'],
    ['of a framework', '{"status":404,"error":"Not Found","path":"/x"}'],
  ])('with 404 and %s concludes nothing: no entry is gone, no index is missing', async (_, body) => {
    const { server, connector, slots } = await filled();
    server.setFaults([answers('', 404, body)]);

    for (const work of [
      () => connector.list({}, never),
      () => connector.list({ slots }, never),
      () => connector.containers(never),
      () => connector.writer(undefined, never),
      () => connector.open(never),
    ])
      expect(await failureOf(work())).toMatchObject({ kind: 'config', code: 'http_404_page' });
    expect([...server.requests.keys()].filter((one) => one.startsWith('PUT') && one.endsWith('404'))).toEqual([]);
  });

  it('with 403 and the JSON of a firewall is about one value, and with 403 and nothing a matter of rights', async () => {
    const { server, connector } = await filled();
    server.setFaults([answers('_bulk', 403, '{"message":"Forbidden"}')]);
    expect(await failureOf(connector.apply(batch(), never))).toMatchObject({ kind: 'permanent', code: 'between_403' });

    server.setFaults([answers('_bulk', 403, '')]);
    const failure = await failureOf(connector.apply(batch(), never));
    expect(failure.kind).toBe('config');
    expect(failure.message).toContain('give the credential the rights');
  });

  it('with 200 and the page of a firewall is about one value, a login page is not', async () => {
    const { server, connector } = await filled();
    const page = '<html><head><title>Request Rejected</title></head><body>Your support ID is: 7</body></html>';
    server.setFaults([answers('_bulk', 200, page, { 'content-type': 'text/html' })]);
    expect(await failureOf(connector.apply(batch(), never))).toMatchObject({ kind: 'permanent', code: 'between_200' });

    server.setFaults([{ match: '_bulk', action: 'html' }]);
    expect(await failureOf(connector.apply(batch(), never))).toMatchObject({ kind: 'config' });
  });

  it('shows nothing of our credential, though it answers with the request in it', async () => {
    const { server, connector } = await filled();
    const echo = JSON.stringify({
      error: { type: 'security_exception', reason: `no ${server.apiKey}, sorry` },
      status: 401,
    });
    server.setFaults([answers('', 401, echo)]);

    const failure = await failureOf(connector.containers(never));

    expect(failure.message).toContain('no [redacted], sorry');
    expect(failure.message).not.toContain(server.apiKey);
  });

  it.each([405, 407, 501])('with %i and nothing blames no value, unless a firewall says 501', async (status) => {
    const { server, connector } = await filled();
    server.setFaults([answers('_bulk', status, '')]);

    expect((await failureOf(connector.apply(batch(), never))).kind).toBe(status === 501 ? 'permanent' : 'config');
  });

  it('that begins like a bulk answer and holds no items is asked for again', async () => {
    const { server, connector } = await filled();
    const product = { 'x-elastic-product': 'Elasticsearch' };
    for (const items of ['[null,null]', '[{"index":null},{"index":null}]', '["a","b"]']) {
      server.setFaults([answers('_bulk', 200, `{"errors":true,"items":${items}}`, product)]);
      expect((await failureOf(connector.apply(batch(), never))).kind, items).toBe('retryable');
    }
  });
});

describe('a search that does not answer in full', () => {
  const hits = '"hits":{"hits":[]}';
  const shards = '"_shards":{"total":1,"successful":1,"skipped":0,"failed":0}';

  it.each([
    ['cut by time', `{"timed_out":true,${shards},${hits}}`, 'search.default_search_timeout'],
    [
      'without one of its clusters',
      `{"timed_out":false,${shards},"_clusters":{"total":2,"successful":1,"skipped":1},${hits}}`,
      '1 of 2 clusters did not answer in full',
    ],
  ])('(%s) is not taken for all there is', async (_, body, said) => {
    const { server, connector } = await filled();
    server.setFaults([answers('POST /_search', 200, body, { 'x-elastic-product': 'Elasticsearch' })]);

    const failure = await failureOf(connector.list({}, never));

    expect(failure.kind).toBe('retryable');
    expect(failure.message).toContain(said);
  });
});

describe('a block', () => {
  const blocked = (type: string, status: number, by: string) =>
    answers('_bulk', status, JSON.stringify({ error: { type, reason: `blocked by: [${by}];` }, status }));

  it.each(['SERVICE_UNAVAILABLE/1/state not recovered / initialized', 'SERVICE_UNAVAILABLE/2/no master'])(
    'of a cluster that starts or elects a master is over in a moment (%s)',
    async (by) => {
      const { server, connector } = await filled();
      server.setFaults([blocked('cluster_block_exception', 503, by)]);

      const failure = await failureOf(connector.apply(batch(), never));

      expect(failure.kind).toBe('retryable');
      expect(failure.message).not.toContain('free disk space');
    },
  );

  it.each([
    ['FORBIDDEN/6/cluster read-only (api)', 'remove cluster.blocks.read_only'],
    ['FORBIDDEN/13/cluster read-only / allow delete (api)', 'cluster.blocks.read_only_allow_delete'],
    ['FORBIDDEN/12/index read-only / allow delete (api)', 'index.blocks.read_only_allow_delete'],
    ['FORBIDDEN/5/index read-only (api)', 'remove index.blocks.read_only'],
    ['FORBIDDEN/8/index write (api)', 'remove index.blocks.write'],
    ['FORBIDDEN/7/index read (api)', 'remove index.blocks.read'],
    ['FORBIDDEN/4/index closed', 'open it (POST /<index>/_open)'],
  ])('%s is named with what lifts just that', async (by, remedy) => {
    const { server, connector } = await filled();
    server.setFaults([blocked('cluster_block_exception', 403, by)]);

    const failure = await failureOf(connector.apply(batch(), never));

    expect(failure.kind).toBe('config');
    expect(failure.message).toContain(remedy);
  });

  it('on making indices, as OpenSearch sets it where disks are full, is no matter of rights', async () => {
    const { server, connector } = await filled();
    server.setFaults([blocked('index_create_block_exception', 403, 'FORBIDDEN/10/cluster create-index blocked (api)')]);

    const failure = await failureOf(connector.apply(batch(), never));

    expect(failure).toMatchObject({ kind: 'config', code: 'index_create_block_exception' });
    expect(failure.message).toContain('free disk space or remove cluster.blocks.create_index');
    expect(failure.message).not.toContain('rights');
  });
});
