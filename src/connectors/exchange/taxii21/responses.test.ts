import { describe, expect, it } from 'vitest';
import { Taxii21Config } from './config.ts';
import { Taxii21Connector } from './connector.ts';
import { at, closers, MANIFEST, never, OBJECTS, OLD, partner, read } from './scripted-partner.ts';
import { anIndicator, COLLECTION, envelope, idOf, ONE, type Reply, scripted, testDeps } from './scripted-server.ts';

describe('truth values that a server writes otherwise than JSON does', () => {
  it.each(['true', 'True', ' TRUE ', 1])('goes on to the next page where more is %j', async (more) => {
    const answers = [envelope([1, 2], { more, next: 'b' }, at(2)), envelope([3], { more: 'false', next: 'c' }, at(3))];
    const { connector, queries } = await partner((path) => (path === OBJECTS ? answers.shift() : undefined));

    const { ids, failure } = await read(connector);

    expect(failure).toBeUndefined();
    expect(ids).toEqual([1, 2, 3].map(idOf));
    expect(queries()).toHaveLength(2);
  });

  it.each(['yes', '', 2, {}])('takes no page for the last whose more is %j, and keeps its place', async (more) => {
    const { connector } = await partner((path) => (path === OBJECTS ? envelope([1], { more }, OLD) : undefined));

    const { failure, cursor } = await read(connector);

    expect(failure?.message).toMatch(
      /collection Indicators is not what TAXII 2.1 describes \(more: neither true nor false\)/,
    );
    expect(cursor).toBeUndefined();
  });

  it.each(['true', 'yes'])('never takes a manifest for complete whose first page says more: %j', async (more) => {
    const entry = { id: idOf(1), date_added: OLD, version: '2026-01-01T00:00:00Z' };
    const answers: Reply[] = [{ body: { more, next: 'b', objects: [entry] } }, { status: 500 }];
    const { connector } = await partner((path) => (path === MANIFEST ? answers.shift() : undefined));

    const parts = [];
    for await (const part of connector.listing(never)) parts.push(part);

    expect(parts.map((part) => part.complete)).not.toContain(true);
  });

  it('reads no collection of which can_read is false as a text', async () => {
    const closed = { id: 'closed', title: 'Closed', can_read: 'false' };
    const open = { id: COLLECTION, title: 'Indicators', can_read: 'True' };
    const { connector, server } = await partner((path) => {
      if (path === 'collections/') return { body: { collections: [closed, open] } };
      return path === OBJECTS ? { body: { objects: [anIndicator(1)] } } : undefined;
    });

    const { ids, failure } = await read(connector);

    expect(failure).toBeUndefined();
    expect(ids).toEqual([idOf(1)]);
    expect(server.asked.map((one) => one.path)).not.toContain('/api1/collections/closed/objects/');
  });
});

describe('a status resource', () => {
  const sighting = {
    uuid: '00000000-0000-5000-8000-000000000001',
    kind: 'seen',
    objectId: idOf(1),
    firstSeen: 0,
    lastSeen: 0,
    count: 1,
    created: 0,
    modified: 0,
    tlp: 'green',
  } as const;

  it.each([
    ['Complete', 'sent'],
    [' COMPLETE', 'sent'],
    ['Pending', 'accepted'],
    // Nobody knows what it means; the collection does not show the object.
    ['done', 'unseen'],
  ])('that says %j settles a report as %s', async (status, kind) => {
    const [collection] = ONE.collections;
    const server = await scripted((path, { headers }) => {
      if (path === 'collections/') return { body: { collections: [{ ...collection, can_write: 'true' }] } };
      if (path !== OBJECTS) return undefined;
      if (headers['content-type'] === undefined) return { body: {} };
      return { status: 202, body: { id: '1', status, success_count: 1, failure_count: 0 } };
    });
    const config = Taxii21Config.parse({ type: 'taxii21', url: server.url, report_to: COLLECTION });
    const identity = { id: 'identity--0c3a5b2e-2f5b-4c8e-9d0f-5a8c3f6b1d11', name: 'SOC', class: 'organization' };
    const connector = new Taxii21Connector(config, { ...testDeps, identity });
    closers.push(
      () => connector.close(),
      () => server.close(),
    );

    expect((await connector.send!([sighting], never)).map((one) => one.kind)).toEqual([kind]);
  });
});

describe('the words of a server that refuses', () => {
  it.each([
    ['{"title":"Bad","description":"limit is too large"}', 'Bad: limit is too large'],
    ['\uFEFF{"title":"limit is too large"}', 'limit is too large'],
    ['{"type":"about:blank","title":"Bad","detail":"limit is too large"}', 'Bad: limit is too large'],
    ['{"detail":"limit is too large"}', 'limit is too large'],
    ['{"message":"limit is too large"}', 'limit is too large'],
    ['{"error":"limit is too large"}', 'limit is too large'],
    ['{"title":{"en":"Bad"},"message":"limit is too large"}', 'limit is too large'],
  ])('are passed on: %s', async (body, words) => {
    const { connector } = await partner((path) => (path === OBJECTS ? { status: 403, body } : undefined));

    expect((await read(connector)).failure?.message).toContain(`[server: ${words}]`);
  });
});
