import { get } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Quirk } from './quirks.ts';
import { anExchange, aSighting, type Exchange, indicators, numbers, TAXII } from './testing.ts';

const FIRST = 'x-taxii-date-added-first';
const LAST = 'x-taxii-date-added-last';

function withQuirk(quirk: Quirk, count = 4): Promise<Exchange> {
  return anExchange({
    data: indicators(count),
    dataAddedFrom: Date.parse('2026-01-05T10:00:00Z'),
    quirks: [quirk],
  });
}

describe('quirks of paging', () => {
  it('ignore-limit', async () => {
    await using exchange = await withQuirk({ kind: 'ignore-limit' });

    expect(numbers(await exchange.get('objects/?limit=1'))).toEqual([1, 2, 3, 4]);
  });

  it('repeat-page', async () => {
    await using exchange = await withQuirk({ kind: 'repeat-page' });

    const one = await exchange.get('objects/?limit=2');
    const two = await exchange.get(`objects/?limit=2&next=${one.body.next}`);
    const three = await exchange.get(`objects/?limit=2&next=${two.body.next}`);

    expect([one, two, three].map(numbers)).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
    expect(three.body.next).toBe(two.body.next);
  });

  it('more-without-next', async () => {
    await using exchange = await withQuirk({ kind: 'more-without-next' });

    const { body } = await exchange.get('objects/?limit=2');

    expect(body.more).toBe(true);
    expect(body).not.toHaveProperty('next');
  });

  it('next-without-more', async () => {
    await using exchange = await withQuirk({ kind: 'next-without-more' });

    const { body } = await exchange.get('objects/?limit=2');

    expect(body).not.toHaveProperty('more');
    expect(numbers(await exchange.get(`objects/?limit=2&next=${body.next}`))).toEqual([3, 4]);
  });

  it('next-expires', async () => {
    let now = Date.parse('2026-01-05T12:00:00Z');
    await using exchange = await anExchange({
      data: indicators(4),
      clock: () => now,
      quirks: [{ kind: 'next-expires', secs: 30 }],
    });

    const { body } = await exchange.get('objects/?limit=2');
    const soon = await exchange.get(`objects/?limit=2&next=${body.next}`);
    now += 31_000;
    const late = await exchange.get(`objects/?limit=2&next=${body.next}`);

    expect([soon.status, late.status]).toEqual([200, 400]);
  });

  it('next-changes', async () => {
    await using exchange = await withQuirk({ kind: 'next-changes' });

    const one = await exchange.get('objects/?limit=2');
    const again = await exchange.get('objects/?limit=2');

    expect(one.body.next).not.toBe(again.body.next);
    expect(numbers(await exchange.get(`objects/?limit=2&next=${one.body.next}`))).toEqual([3, 4]);
    expect(numbers(await exchange.get(`objects/?limit=2&next=${again.body.next}`))).toEqual([3, 4]);
  });

  it('gives the same next for the same page without that quirk', async () => {
    await using exchange = await anExchange({ data: indicators(4) });

    const next = async (): Promise<string | undefined> => (await exchange.get('objects/?limit=2')).body.next;

    expect(await next()).toBe(await next());
  });

  it('next-needs-limit', async () => {
    await using exchange = await withQuirk({ kind: 'next-needs-limit' });

    const { body } = await exchange.get('objects/?limit=2');

    expect((await exchange.get(`objects/?next=${body.next}`)).status).toBe(500);
    expect((await exchange.get(`objects/?limit=2&next=${body.next}`)).status).toBe(200);
  });

  it('endless-more', async () => {
    await using exchange = await withQuirk({ kind: 'endless-more' }, 1);

    const one = await exchange.get('objects/');
    const two = await exchange.get(`objects/?next=${one.body.next}`);
    const three = await exchange.get(`objects/?next=${two.body.next}`);

    expect([one, two, three].map(numbers)).toEqual([[1], [], []]);
    expect([one, two, three].map(({ body }) => body.more)).toEqual([true, true, true]);
  });

  it('late-commit', async () => {
    await using exchange = await withQuirk({ kind: 'late-commit' });

    const one = await exchange.get('objects/?limit=2');
    const two = await exchange.get(`objects/?limit=2&next=${one.body.next}`);
    const later = await exchange.get('objects/');

    expect([numbers(one), numbers(two)]).toEqual([[1, 3], [4]]);
    expect(numbers(later)).toEqual([1, 2, 3, 4]);
  });

  it('empty-404', async () => {
    await using exchange = await withQuirk({ kind: 'empty-404' });

    expect((await exchange.get('objects/?match[type]=malware')).status).toBe(404);
    expect((await exchange.get('objects/')).status).toBe(200);
  });
});

describe('quirks of dates and headers', () => {
  it('one-date-added: the Last header then loses the rest of a cut group, next does not', async () => {
    await using exchange = await withQuirk({ kind: 'one-date-added' });

    const one = await exchange.get('objects/?limit=2');

    expect(one.headers.get(FIRST)).toBe(one.headers.get(LAST));
    expect(numbers(await exchange.get(`objects/?limit=2&next=${one.body.next}`))).toEqual([3, 4]);
    expect(numbers(await exchange.get(`objects/?added_after=${one.headers.get(LAST)}`))).toEqual([]);
  });

  it('added-after-inclusive', async () => {
    await using exchange = await withQuirk({ kind: 'added-after-inclusive' });

    expect(numbers(await exchange.get('objects/?added_after=2026-01-05T10:00:00.000004Z'))).toEqual([4]);
  });

  it('no-date-headers', async () => {
    await using exchange = await withQuirk({ kind: 'no-date-headers' });

    const { headers } = await exchange.get('objects/');

    expect([headers.get(FIRST), headers.get(LAST)]).toEqual([null, null]);
  });

  it.each([
    ['date-header-undefined', /^undefined$/],
    ['date-header-js', /^Mon Jan 05 2026 /],
    ['date-header-offset', /^2026-01-05T10:00:00\.000004\+00:00$/],
  ] as const)('%s', async (kind, wanted) => {
    await using exchange = await withQuirk({ kind });

    expect((await exchange.get('objects/')).headers.get(LAST)).toMatch(wanted);
  });

  it.each([
    ['content-type-json', 'application/json'],
    ['content-type-no-version', 'application/taxii+json'],
    ['content-type-charset', `${TAXII}; charset=utf-8`],
  ] as const)('%s', async (kind, wanted) => {
    await using exchange = await withQuirk({ kind });

    expect((await exchange.get('objects/')).headers.get('content-type')).toBe(wanted);
  });

  it('clock-off', async () => {
    await using exchange = await withQuirk({ kind: 'clock-off', secs: 600 });

    expect((await exchange.get('objects/')).headers.get('date')).toBe('Mon, 05 Jan 2026 12:10:00 GMT');
  });

  it('relative-roots', async () => {
    await using exchange = await withQuirk({ kind: 'relative-roots' });

    expect((await exchange.get('/taxii2/')).body).toMatchObject({ default: '/api1/', api_roots: ['/api1/', '/api2/'] });
  });

  it('accept-needs-version and accept-refuses-version', async () => {
    await using needs = await withQuirk({ kind: 'accept-needs-version' });
    await using refuses = await withQuirk({ kind: 'accept-refuses-version' });
    const bare = { accept: 'application/taxii+json' };

    expect([(await needs.get('/api1/')).status, (await needs.get('/api1/', bare)).status]).toEqual([200, 406]);
    expect([(await refuses.get('/api1/')).status, (await refuses.get('/api1/', bare)).status]).toEqual([406, 200]);
  });
});

describe('refusals', () => {
  it('too-many-requests, for a time, with and without Retry-After', async () => {
    await using exchange = await withQuirk({ kind: 'too-many-requests', secs: 7, times: 1 });

    const busy = await exchange.get('objects/');
    exchange.taxii.setQuirks([{ kind: 'too-many-requests', match: '/manifest/' }]);
    const mute = await exchange.get('manifest/');

    expect([busy.status, busy.headers.get('retry-after')]).toEqual([429, '7']);
    expect([mute.status, mute.headers.get('retry-after')]).toEqual([429, null]);
    expect((await exchange.get('objects/')).status).toBe(200);
  });

  it('unavailable', async () => {
    await using exchange = await withQuirk({ kind: 'unavailable', times: 1 });

    expect((await exchange.get('objects/')).status).toBe(503);
    expect((await exchange.get('objects/')).status).toBe(200);
  });

  it('unauthorized after n requests', async () => {
    await using exchange = await withQuirk({ kind: 'unauthorized', after: 2 });

    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await exchange.get('objects/')).status);

    expect(statuses).toEqual([200, 200, 401, 401]);
  });

  it('html', async () => {
    await using exchange = await withQuirk({ kind: 'html' });

    const { status, headers, text } = await exchange.get('objects/');

    expect([status, headers.get('content-type')]).toEqual([200, 'text/html']);
    expect(text).toMatch(/^<!DOCTYPE html>/);
  });

  it('status-missing', async () => {
    await using exchange = await withQuirk({ kind: 'status-missing' });

    const { body } = await exchange.post({ objects: [aSighting(1, 1)] });

    expect((await exchange.get(`/api1/status/${String(body['id'])}/`)).status).toBe(404);
  });

  it('partial-failure', async () => {
    await using exchange = await withQuirk({ kind: 'partial-failure' });

    const { status, body } = await exchange.post({ objects: [aSighting(1, 1), aSighting(2, 1), aSighting(3, 1)] });

    expect(status).toBe(202);
    expect(body).toMatchObject({ status: 'complete', success_count: 2, failure_count: 1 });
    expect(exchange.taxii.sightings()).toEqual([aSighting(1, 1), aSighting(3, 1)]);
  });
});

describe('answers that no client should hold', () => {
  it('huge is a valid envelope of about the size that was asked for', async () => {
    await using exchange = await withQuirk({ kind: 'huge', bytes: 3_000_000 });

    const { text, body } = await exchange.get('objects/');

    expect(text.length).toBeGreaterThan(3_000_000);
    expect(body.objects?.length).toBeGreaterThan(10_000);
  });

  it('huge stops when the client hangs up', async () => {
    await using exchange = await withQuirk({ kind: 'huge' });
    const before = process.memoryUsage().rss;
    const hangUp = new AbortController();

    const answer = await fetch(`${exchange.taxii.apiRoot}collections/`, { signal: hangUp.signal });
    const reader = answer.body?.getReader();
    const first = await reader?.read();
    hangUp.abort();

    expect(first?.done).toBe(false);
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
    exchange.taxii.setQuirks([]);
    expect((await exchange.get('objects/')).status).toBe(200);
  });

  it('gzip-bomb unpacks to the size that was asked for from a body a hundred times smaller', async () => {
    await using exchange = await withQuirk({ kind: 'gzip-bomb', bytes: 32 << 20 });

    const packed = await rawBody(exchange);

    expect(packed.length).toBeLessThan((32 << 20) / 100);
    expect(gunzipSync(packed).length).toBeGreaterThanOrEqual(32 << 20);
  });
});

/** The body as it came over the wire: fetch would unpack it. */
async function rawBody(exchange: Exchange): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    get(`${exchange.taxii.apiRoot}collections/`, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => resolve(Buffer.concat(chunks)));
      answer.on('error', reject);
    }).on('error', reject);
  });
}
