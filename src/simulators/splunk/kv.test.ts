// The KV store, as its documentation and other people's records have it. The official SDK checks the same side from
// outside (test/peers); here are the corners that it does not reach.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningSplunk, startSplunk } from './index.ts';
import { ask, said } from './testing.ts';

const CONFIG = '/servicesNS/nobody/search/storage/collections/config';
const DATA = '/servicesNS/nobody/search/storage/collections/data';
let server: RunningSplunk;

beforeEach(async () => {
  server = await startSplunk();
  await ask(server, 'POST', CONFIG, { form: { name: 'c', 'field.n': 'number' } });
});
afterEach(() => server.close());

const save = (documents: unknown, path = `${DATA}/c`) => ask(server, 'POST', `${path}/batch_save`, { body: documents });
const read = async (query: Record<string, string> = {}, path = `${DATA}/c`) =>
  (await ask(server, 'GET', path, { query })).json<Record<string, unknown>[]>();
const keys = async (query: Record<string, string> = {}) => (await read(query)).map((row) => row['_key']);

describe('batches', () => {
  it('are refused above the limit, which is named, and nothing is stored', async () => {
    server.state.settings.max_documents_per_batch_save = 2;

    const told = await save([{ _key: 'a' }, { _key: 'b' }, { _key: 'c' }]);

    expect(told.status).toBe(400);
    expect(said(told)[1]).toBe(
      'Request exceeds API limits - see limits.conf for details. (Too many documents for a single batch save, max_documents_per_batch_save=2)',
    );
    expect(await keys()).toEqual([]);
  });

  it('stop at their first failure, and keep what came before', async () => {
    const told = await save([{ _key: 'a' }, { _key: 'b', 'x.y': 1 }, { _key: 'c' }]);

    expect(told.status).toBe(400);
    expect(await keys()).toEqual(['a']);
  });

  it('may ask several questions at once', async () => {
    await save([
      { _key: 'a', n: 1 },
      { _key: 'b', n: 2 },
    ]);
    const asked = [{ query: { n: 2 }, fields: ['n'] }, { query: { $not: { n: 2 } } }, { sort: [{ n: -1 }], limit: 1 }];
    const told = await ask(server, 'POST', `${DATA}/c/batch_find`, { body: asked });

    expect(told.json()).toEqual([
      [{ n: 2, _key: 'b' }],
      [{ n: 1, _key: 'a', _user: 'nobody' }],
      [{ n: 2, _key: 'b', _user: 'nobody' }],
    ]);
  });
});

describe('reads', () => {
  it('are cut at rows and at bytes without a word', async () => {
    await save(Array.from({ length: 20 }, (_, i) => ({ _key: `k${i + 10}`, text: 'x'.repeat(1000) })));

    server.state.settings.max_rows_per_query = 5;
    expect(await keys({ sort: '_key' })).toHaveLength(5);
    server.state.settings.max_rows_per_query = 50;
    server.state.settings.max_size_per_result_mb = 0.01;
    expect(await keys()).toHaveLength(10);
    expect(await keys({ skip: '20' })).toEqual([]);
  });

  it('know the operators of the reference, and not $in', async () => {
    await save([
      { _key: 'a', n: 1, s: 'x' },
      { _key: 'b', n: 2 },
      { _key: 'c', n: 3, s: ['x', 'y'] },
    ]);
    const found = (query: unknown) => keys({ query: JSON.stringify(query), sort: '_key' });

    expect(await found({ n: { $gte: 2, $lt: 3 } })).toEqual(['b']);
    expect(await found({ s: 'x' })).toEqual(['a', 'c']);
    expect(await found({ s: { $ne: 'x' } })).toEqual(['b']);
    expect(await found({ n: { $not: { $gt: 1 } } })).toEqual(['a']);
    expect(await found({ n: { $gt: '1' } })).toEqual([]);
    expect(await found({ $and: [{ $or: [{ _key: 'a' }, { _key: 'b' }] }, { n: 2 }] })).toEqual(['b']);
    const told = await ask(server, 'GET', `${DATA}/c`, { query: { query: '{"n":{"$in":[1]}}' } });
    expect(told.status).toBe(400);
  });
});

describe('documents', () => {
  it('of a user are private, and those of nobody are shared', async () => {
    const mine = DATA.replace('nobody', 'admin');
    await save([{ _key: 'a', n: 1 }]);
    await save(
      [
        { _key: 'a', n: 2 },
        { _key: 'b', n: 3 },
      ],
      `${mine}/c`,
    );

    expect(await read()).toEqual([{ _key: 'a', n: 1, _user: 'nobody' }]);
    expect((await read({ sort: 'n' }, `${mine}/c`)).map((row) => row['_user'])).toEqual(['nobody', 'admin', 'admin']);
  });

  it('lose a field of the wrong type, or are refused where types are enforced', async () => {
    await save([{ _key: 'a', n: 'seven', s: 'kept' }]);
    expect(await read()).toEqual([{ _key: 'a', s: 'kept', _user: 'nobody' }]);

    await ask(server, 'POST', `${CONFIG}/c`, { form: { enforceTypes: 'true' } });
    expect((await save([{ _key: 'b', n: 'seven' }])).status).toBe(400);
  });

  it('all go with a delete that has no query, and only the asked with one', async () => {
    await save([
      { _key: 'a', n: 1 },
      { _key: 'b', n: 2 },
      { _key: 'c', n: 3 },
    ]);

    const some = await ask(server, 'DELETE', `${DATA}/c`, { query: { query: '{"$or":[{"_key":"a"},{"_key":"zz"}]}' } });
    expect([some.status, some.text]).toEqual([200, '']);
    expect(await keys({ sort: '_key' })).toEqual(['b', 'c']);
    await ask(server, 'DELETE', `${DATA}/c`);
    expect(await keys()).toEqual([]);
  });

  it('are not for an account without the right to write', async () => {
    const as = `Bearer ${server.reader.token}`;

    expect((await ask(server, 'POST', `${DATA}/c/batch_save`, { as, body: [{ _key: 'a' }] })).status).toBe(403);
    expect((await ask(server, 'GET', `${DATA}/c`, { as })).status).toBe(200);
  });

  it('are gone for 503 while the store starts', async () => {
    server.state.settings.kvReadyAt = Date.now() + 60_000;

    expect((await save([{ _key: 'a' }])).status).toBe(503);
  });
});

describe('collections', () => {
  it('show their settings flat, with lower-case names of accelerations', async () => {
    await ask(server, 'POST', `${CONFIG}/c`, { form: { 'accelerated_fields.byName': '{"n":1}', 'field.odd': 'geo' } });
    const [entry] = (await ask(server, 'GET', `${CONFIG}/c`)).json<{ entry: { content: object }[] }>().entry;

    expect(entry?.content).toMatchObject({
      disabled: false,
      enforceTypes: 'false',
      'field.n': 'number',
      'field.odd': 'geo',
      'accelerated_fields.byname': '{"n":1}',
      'eai:appName': 'search',
    });
  });

  it('are made once in an app, and again in another', async () => {
    expect((await ask(server, 'POST', CONFIG, { form: { name: 'c' } })).status).toBe(409);
    expect((await ask(server, 'POST', CONFIG.replace('search', 'system'), { form: { name: 'c' } })).status).toBe(201);
    expect((await ask(server, 'POST', CONFIG.replace('search', 'none'), { form: { name: 'c' } })).status).toBe(404);
  });
});
