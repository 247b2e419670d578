import { describe, expect, it } from 'vitest';
import type { ListingPart } from '../../../core/contracts/exchange-connector.ts';
import { Taxii21Config } from './config.ts';
import { Taxii21Connector } from './connector.ts';
import { afterOf, at, closers, MANIFEST, never, OBJECTS, OLD, partner, read } from './scripted-partner.ts';
import {
  anIndicator,
  envelope,
  idOf,
  COLLECTION,
  ONE,
  type Reply,
  ROOT,
  scripted,
  testDeps,
} from './scripted-server.ts';

describe('answers that bend the standard', () => {
  const objects = (reply: Reply) => (path: string) => (path === OBJECTS ? reply : undefined);

  it('splits an answer that ignores limit, and moves the cursor only with its last part', async () => {
    const numbers = Array.from({ length: 2500 }, (_one, n) => n);
    const { connector } = await partner(objects(envelope(numbers, {}, OLD)));

    const { pages, ids, warnings } = await read(connector);

    expect(pages.map((page) => page.objects.length)).toEqual([1000, 1000, 500]);
    expect(pages.map((page) => afterOf(page.cursor))).toEqual([undefined, undefined, OLD]);
    expect(ids).toHaveLength(2500);
    expect(warnings).toMatch(/ignores limit/);
  });

  it('refuses single objects without losing the page, and takes a repeated id as it comes', async () => {
    const body = { objects: [anIndicator(1), { type: 'indicator' }, 7, null, anIndicator(1), anIndicator(2)] };
    const { connector } = await partner(objects({ body, headers: { 'x-taxii-date-added-last': OLD } }));

    const { pages, ids } = await read(connector);

    expect(new Set(ids)).toEqual(new Set([1, 2].map(idOf)));
    expect(pages[0]?.refusals).toHaveLength(3);
  });

  it('refuses an answer whose patterns name more values than one answer may, and keeps its place', async () => {
    const values = Array.from({ length: 3000 }, (_one, n) => `'198.18.${n >> 8}.${n & 255}'`).join(',');
    const wide = Array.from({ length: 134 }, (_one, n) =>
      anIndicator(n, { pattern: `[ipv4-addr:value IN (${values})]` }),
    );
    const { connector } = await partner(
      objects({ body: { objects: wide }, headers: { 'x-taxii-date-added-last': OLD } }),
    );

    const { pages, failure } = await read(connector);

    expect(failure).toMatchObject({ kind: 'permanent' });
    expect(failure?.message).toMatch(/patterns name more than 400,000 values; lower page_size/);
    expect(pages).toEqual([]);
  });

  it('reads what bundles among the objects hold, counts types in another case, and names odd times', async () => {
    const bundle = {
      type: 'bundle',
      id: 'bundle--1',
      objects: [anIndicator(1), { type: 'Bundle', objects: [anIndicator(2)] }],
    };
    const odd = { ...anIndicator(3), modified: '2026-01-05T12:00:00.000+02:00' };
    const body = { objects: [bundle, odd, { ...anIndicator(4), type: 'Indicator' }] };
    const { connector } = await partner(objects({ body, headers: { 'x-taxii-date-added-last': OLD } }));

    const { ids, warnings, pages } = await read(connector);

    expect(ids.sort()).toEqual([1, 2, 3].map(idOf).sort());
    expect(warnings).toMatch(/2 bundles stand among the objects/);
    expect(warnings).toMatch(/times with an offset/);
    expect(warnings).toMatch(/1 ignored: type in another case \(indicator\)/);
    expect(pages[0]?.ignored).toEqual({ 'type in another case (indicator)': 1 });
  });

  it('refuses an answer of bundles in bundles without end', async () => {
    let nested: object = anIndicator(1);
    for (let i = 0; i < 200; i++) nested = { type: 'bundle', objects: [nested] };
    const { connector } = await partner(objects({ body: { objects: [nested] }, headers: {} }));

    const { failure } = await read(connector);

    expect(failure?.message).toMatch(/bundles in bundles, deeper than 4/);
    expect(await read(connector)).toMatchObject({ ids: [] });
  });

  it('takes 404 as empty where the collection is still there', async () => {
    const { connector } = await partner(objects({ status: 404 }));

    expect(await read(connector)).toMatchObject({ failure: undefined, pages: [] });
  });

  it('takes 404 as a failure of configuration where the collection is gone, and concludes nothing', async () => {
    const { connector } = await partner((path) =>
      path.startsWith(`collections/${COLLECTION}`) ? { status: 404 } : undefined,
    );

    const { failure, pages } = await read(connector);

    expect(failure).toMatchObject({ kind: 'config', status: 404 });
    expect(pages).toEqual([]);
  });

  it('reads the other collections when one is refused, then reports it', async () => {
    const other = { id: 'x-mitre-collection--1/2', title: 'Other', can_read: true };
    const { connector, server } = await partner((path) => {
      if (path === 'collections/') return { body: { collections: [...ONE.collections, other] } };
      if (path === OBJECTS) return { status: 403 };
      return path === 'collections/x-mitre-collection--1%2F2/objects/' ? envelope([5], {}, OLD) : undefined;
    });

    const { ids, failure, pages } = await read(connector);

    expect(ids).toEqual([idOf(5)]);
    expect(pages[0]?.scope).toBe(other.id);
    expect(failure).toMatchObject({ kind: 'config', status: 403 });
    expect(failure?.message).toMatch(/collection Indicators: this account may not read it/);
    expect(server.asked.some((one) => one.path.includes('%2F'))).toBe(true);
  });

  it.each([
    [406, 'application/taxii+json;version=2.1'],
    [415, 'application/taxii+json;version=2.1'],
  ])('tries the other form of the media type once after %i', async (status, refused) => {
    const { connector, server } = await partner((path, { headers }) => {
      if (headers.accept === refused) return { status };
      return path === OBJECTS ? envelope([1], {}, OLD) : undefined;
    });

    expect((await read(connector)).ids).toEqual([idOf(1)]);
    expect(server.asked.filter((one) => one.headers.accept === refused)).toHaveLength(1);
  });

  it('says that no TAXII 2.1 is spoken when both forms are refused', async () => {
    const { connector, server } = await partner(() => ({ status: 406 }));

    expect((await read(connector)).failure).toMatchObject({ kind: 'config', status: 406 });
    expect(server.asked).toHaveLength(2);
  });

  it.each([
    ['9', 9000],
    [undefined, undefined],
  ])('passes Retry-After %s on with 429 and 503', async (header, wait) => {
    for (const status of [429, 503]) {
      const headers = header === undefined ? {} : { 'retry-after': header };
      const { connector } = await partner(objects({ status, headers }));

      expect((await read(connector)).failure).toMatchObject({ kind: 'retryable', status, retryAfterMs: wait });
    }
  });

  it.each([
    ['a web page', { body: '<html><form>Sign in</form>', headers: { 'content-type': 'text/html' } }, 'config'],
    ['a web page that claims to be TAXII', { body: '  <!DOCTYPE html>' }, 'config'],
    ['cut JSON', { body: '{"objects":[{"type":' }, 'retryable'],
    ['a bare list', { body: '[]' }, 'permanent'],
    ['objects that are no list', { body: { objects: 'x' } }, 'permanent'],
  ])('classifies %s with status 200', async (_name, reply, kind) => {
    const { connector } = await partner(objects(reply));

    expect((await read(connector)).failure?.kind).toBe(kind);
  });

  it.each([['{"objects":null,"more":null,"next":null}'], ['{}'], ['\uFEFF{}'], [''], [' \n'], ['\uFEFF']])(
    'takes %j as empty',
    async (body) => {
      const { connector } = await partner(objects({ body }));

      expect(await read(connector)).toMatchObject({ failure: undefined, pages: [] });
    },
  );
});

describe('finding root and collections', () => {
  const discovered = (roots: object) => async (path: string) => {
    const server = await scripted((below, asked) => {
      if (asked.path === '/taxii2/') return { body: { title: 'Discovery', ...roots } };
      if (below === OBJECTS) return envelope([1], {}, OLD);
      return undefined;
    });
    const url = new URL(path, server.url).href;
    const connector = new Taxii21Connector(Taxii21Config.parse({ type: 'taxii21', url }), testDeps);
    closers.push(
      () => connector.close(),
      () => server.close(),
    );
    return { server, connector };
  };

  it.each([
    ['a relative default root', { default: '/api1/', api_roots: ['/other/', '/api1/'] }],
    ['the only root, without its slash', { api_roots: ['/api1'] }],
    ['the first root beside a blank default', { default: ' ', api_roots: ['/api1/'] }],
  ])('uses %s of a discovery, whose own slash may be missing', async (_name, roots) => {
    const { connector } = await discovered(roots)('/taxii2');

    expect((await read(connector)).ids).toEqual([idOf(1)]);
  });

  it('names the other roots of a discovery whose first is not there, and none on another host', async () => {
    const roots = ['/gone/', '/api1/', 'https://other.example/api3/', '/gone', '/api2'];
    const { connector } = await discovered({ api_roots: roots })('/taxii2/');

    const { failure } = await read(connector);

    expect(failure).toMatchObject({ kind: 'config', status: 404 });
    expect(failure?.message).toMatch(
      /the API root \/gone\/: not found.*; the discovery also names \/api1\/, \/api2\/: if one of these is meant, set it as url$/,
    );
  });

  it('goes to no root on another host', async () => {
    const { connector, server } = await discovered({ default: 'https://other.example/api1/' })('/taxii2/');

    const { failure } = await read(connector);

    expect(failure?.kind).toBe('config');
    expect(failure?.message).toMatch(/names an API root elsewhere .*ask the partner/);
    expect(failure?.message).not.toMatch(/configure|set .* url|trust it/);
    expect(server.asked).toHaveLength(1);
  });

  it('sends no credentials to a root that a discovery names elsewhere, in plain HTTP or on another port', async () => {
    const other = await partner(() => undefined);
    const { connector } = await discovered({ api_roots: [other.server.url] })('/taxii2/');

    const { failure, ids } = await read(connector);

    expect(ids).toEqual([]);
    expect(failure?.message).toMatch(/names an API root elsewhere/);
    expect(other.server.asked).toEqual([]);
  });

  it('refuses a redirect, and a root of another TAXII', async () => {
    const redirected = await partner(() => ({ status: 302, headers: { location: 'https://login.example/?x' } }));
    const old = await partner((path) => (path === '' ? { body: { ...ROOT, versions: ['taxii-2.0'] } } : undefined));

    expect((await read(redirected.connector)).failure?.message).toMatch(/redirected to https:\/\/login.example\//);
    expect((await read(old.connector)).failure?.message).toMatch(/not TAXII 2.1/);
  });

  it('knows collections by id, alias or title, and names what is not there or not readable', async () => {
    const collections = [
      { id: 'a', title: 'b', can_read: true },
      { id: 'c', alias: 'b', title: 'T', can_read: true },
      { id: 'd', title: 'T', can_read: true },
      { id: 'e', title: 'Inbox', can_read: false },
    ];
    const answer = (path: string) => {
      if (path === 'collections/') return { body: { collections } };
      return path.endsWith('/objects/') ? envelope([1], {}, OLD) : undefined;
    };
    const scopes = async (names: string[]) => {
      const { pages, failure } = await read((await partner(answer, { collections: names })).connector);
      return [pages.map((page) => page.scope).join(), failure?.message ?? ''] as const;
    };

    expect(await scopes(['b'])).toEqual(['c', '']);
    expect((await scopes(['T', 'a']))[1]).toMatch(/several collections are titled "T"/);
    expect((await scopes(['T', 'a']))[0]).toBe('a');
    expect((await scopes(['Inbox']))[1]).toMatch(/may not read the collection "Inbox"/);
    expect((await scopes(['gone']))[1]).toMatch(/no collection "gone"; the server shows b \(a\)/);
  });

  it('says in a probe what is readable, and what is wrong', async () => {
    const good = await partner((path) => (path === OBJECTS ? envelope([], {}) : undefined));
    const bad = await partner(() => ({ status: 401, body: { title: 'no', description: 'bad\nHidden-1 password' } }), {
      auth: { username: 'mons', password: 'Hidden-1' },
    });

    expect(await good.connector.probe(never)).toEqual({
      ok: true,
      message: `TAXII 2.1, API root "Partner"; reads Indicators (${COLLECTION})`,
    });
    expect((await bad.connector.probe(never)).message).toMatch(
      /^exchange partner: .*refused the credentials \(401\); renew auth \[server: no: bad \[redacted\] password\]$/,
    );
  });

  it.each([
    [
      { username: 'mons', password: 'p\u00e4ss' },
      'authorization',
      `Basic ${Buffer.from('mons:p\u00e4ss').toString('base64')}`,
    ],
    [{ token: 'abc' }, 'authorization', 'Bearer abc'],
    [{ header: 'X-Api-Key', value: 'abc' }, 'x-api-key', 'abc'],
  ])('shows its credentials as %j', async (auth, header, value) => {
    const { connector, server } = await partner((path) => (path === OBJECTS ? envelope([], {}) : undefined), { auth });

    await read(connector);

    expect(server.asked.every((one) => one.headers[header] === value)).toBe(true);
  });

  it.each([
    { username: '', password: 'the-token' },
    { username: 'the-key', password: '' },
  ])('may have a blank user name or password (RFC 7617): %j', async (auth) => {
    const { connector, server } = await partner((path) => (path === OBJECTS ? envelope([], {}) : undefined), { auth });

    await read(connector);

    const pair = Buffer.from(`${auth.username}:${auth.password}`).toString('base64');
    expect(server.asked[0]?.headers['authorization']).toBe(`Basic ${pair}`);
  });

  it.each([
    [{ username: '', password: '' }, /both blank/],
    [{ username: 'a:b', password: 'c' }, /without a colon/],
  ])('cannot be %j', (auth, words) => {
    const read = Taxii21Config.safeParse({ type: 'taxii21', url: 'https://taxii.example/', auth });

    expect(JSON.stringify(read.error?.issues)).toMatch(words);
  });

  it('words a secret file that cannot be read', async () => {
    const { connector } = await partner(() => undefined, { auth: { token: { file: '/nonexistent/token' } } });

    expect((await read(connector)).failure).toMatchObject({ kind: 'config' });
  });
});

describe('the listing', () => {
  const entry = (n: number) => ({ id: idOf(n), date_added: at(n), version: '2026-01-01T00:00:00Z' });
  const list = async (connector: Taxii21Connector): Promise<ListingPart[]> => {
    const parts: ListingPart[] = [];
    for await (const part of connector.listing(never)) parts.push(part);
    return parts;
  };

  it('follows next or added times, with versions as the objects carry them', async () => {
    const byNext = [{ body: { more: true, next: 'b', objects: [entry(1)] } }, { body: { objects: [entry(2)] } }];
    const byTime = [{ body: { more: true, objects: [entry(1)] } }, { body: { objects: [entry(1), entry(2)] } }];
    for (const answers of [byNext, byTime]) {
      const { connector } = await partner((path) => (path === MANIFEST ? answers.shift() : undefined));

      const parts = await list(connector);

      const present = parts.flatMap((part) => part.present);
      expect(new Set(present.map((one) => one.objectId))).toEqual(new Set([1, 2].map(idOf)));
      expect(present[0]?.version).toBe('2026-01-01T00:00:00.000000000Z');
      expect(parts.map((part) => part.complete)).toEqual([false, true]);
    }
  });

  it('lists ids as they are kept, in small letters', async () => {
    const upper = { ...entry(1), id: 'indicator--ABCDEF00-0000-4000-8000-00000000000A' };
    const { connector } = await partner((path) =>
      path === MANIFEST ? { body: { more: false, objects: [upper] } } : undefined,
    );

    const [part] = await list(connector);

    expect(part?.present.map((one) => one.objectId)).toEqual(['indicator--abcdef00-0000-4000-8000-00000000000a']);
  });

  it.each([
    ['there is no manifest', { status: 404 }, /has no manifest/],
    [
      'the same page comes again',
      { body: { more: true, next: 'n', objects: [entry(1)] } },
      /could not be read to its end: the same page came twice/,
    ],
    ['it cannot be paged', { body: { more: true, objects: [{ id: idOf(1) }] } }, /neither next nor an added time/],
    ['it stays within one added time', { body: { more: true, objects: [entry(1)] } }, /share one added time/],
    ['it is answered without a body', { body: '' }, /answered without a body/],
    ['it is answered with 204', { status: 204, body: '' }, /answered without a body/],
    ['it breaks the server', { status: 500 }, /answered 500/],
    ['it is refused', { status: 403 }, /may not read it/],
  ])('never ends as complete when %s', async (_name, reply, words) => {
    const { connector } = await partner((path) => (path === MANIFEST ? reply : undefined));

    const parts = await list(connector);

    expect(parts.some((part) => part.complete)).toBe(false);
    expect(parts.at(-1)?.failure?.message).toMatch(words);
  });

  it('never ends as complete when the manifest is cut at the cap of pages', async () => {
    let page = 0;
    const { connector } = await partner(
      (path) => (path === MANIFEST ? { body: { more: true, next: `n${++page}`, objects: [entry(page)] } } : undefined),
      {},
      { pages: 3, bytes: 1e9 },
    );

    const parts = await list(connector);

    expect(parts.map((part) => part.complete)).toEqual([false, false, false, false]);
    expect(parts.at(-1)?.failure?.message).toMatch(/more than 3 pages/);
  });

  it('is complete for each collection by itself, whatever the others answer', async () => {
    const ids = ['a', 'b', 'c'];
    const collections = ids.map((id) => ({ id, title: id, can_read: true, can_write: false }));
    const { connector } = await partner((path) => {
      if (path === 'collections/') return { body: { collections } };
      if (path === 'collections/b/manifest/') return { status: 500 };
      return path.endsWith('/manifest/') ? { body: { objects: [entry(1)] } } : undefined;
    });

    const parts = await list(connector);

    expect(parts.map(({ scope, complete }) => [scope, complete])).toEqual([
      ['a', true],
      ['b', false],
      ['c', true],
    ]);
  });

  it('is broken off by what concerns the whole server', async () => {
    const { connector } = await partner((path) => (path === MANIFEST ? { status: 429 } : undefined));

    await expect(list(connector)).rejects.toThrow(/429/);
  });
});
