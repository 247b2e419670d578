import { describe, expect, it } from 'vitest';
import { anExchange, anIndicator, indicators, numbers, TAXII, uuidAt } from './testing.ts';

const FIRST = 'x-taxii-date-added-first';
const LAST = 'x-taxii-date-added-last';
const FROM = Date.parse('2026-01-05T10:00:00Z');

describe('discovery, API roots and collections (TAXII 2.1 §4, §5.1)', () => {
  it('lists one root in full and one without scheme and host, both of which answer', async () => {
    await using exchange = await anExchange();

    const { body, headers } = await exchange.get('/taxii2/');
    const roots = body['api_roots'] as string[];

    expect(headers.get('content-type')).toBe(TAXII);
    expect(roots).toEqual([exchange.taxii.apiRoot, '/api2/']);
    expect(body['default']).toBe(exchange.taxii.apiRoot);
    expect((await exchange.get('/api1/')).body).toMatchObject({ versions: [TAXII], max_content_length: 10_485_760 });
    expect((await exchange.get('/api2/')).status).toBe(200);
  });

  it('lists collections of all four combinations of rights, sorted by id', async () => {
    await using exchange = await anExchange();

    const { body } = await exchange.get('/api1/collections/');
    const all = body['collections'] as { id: string; can_read: boolean; can_write: boolean }[];

    expect(new Set(all.map((one) => `${one.can_read} ${one.can_write}`)).size).toBe(4);
    expect(all.map(({ id }) => id)).toEqual(all.map(({ id }) => id).toSorted());
  });

  it('answers a collection by id and by alias', async () => {
    await using exchange = await anExchange({ data: indicators(2) });

    const byAlias = await exchange.get('/api1/collections/indicators/');

    expect(byAlias.body['id']).toBe(exchange.taxii.collections.read);
    expect(numbers(await exchange.get('/api1/collections/indicators/objects/'))).toEqual([1, 2]);
  });

  it.each([
    ['/api9/'],
    ['/api1/collections/00000000-0000-4000-8000-000000000000/'],
    ['/api1/collections'],
    ['/api1/status/00000000-0000-4000-8000-000000000000/'],
    ['/api1/nothing/'],
  ])('answers 404 in TAXII form to %s', async (path) => {
    await using exchange = await anExchange();

    const { status, body, headers } = await exchange.get(path);

    expect(status).toBe(404);
    expect(headers.get('content-type')).toBe(TAXII);
    expect(body).toMatchObject({ http_status: '404' });
  });

  it('forbids reading what is write-only and hides what is closed', async () => {
    await using exchange = await anExchange();
    const { body } = await exchange.get('/api1/collections/');
    const all = body['collections'] as { id: string; title: string }[];
    const statusOf = async (title: string): Promise<number> =>
      (await exchange.get(`/api1/collections/${all.find((one) => one.title === title)?.id}/objects/`)).status;

    expect(await statusOf('inbox')).toBe(403);
    expect(await statusOf('closed')).toBe(404);
  });
});

describe('media types (§3.1)', () => {
  it.each([
    ['application/taxii+json', 200],
    ['application/taxii+json; version=2.1', 200],
    ['Application/TAXII+json;Version="2.1"', 200],
    ['text/html, application/taxii+json;version=2.1', 200],
    ['application/taxii+json;version=2.0', 406],
    ['application/json, */*', 406],
  ])('Accept: %s is answered with %d', async (accept, status) => {
    await using exchange = await anExchange();

    expect((await exchange.get('/taxii2/', { accept })).status).toBe(status);
  });
});

describe('paging (§3.2 to §3.5)', () => {
  it('gives everything at once when it fits, without more and next', async () => {
    await using exchange = await anExchange({ data: indicators(3), dataAddedFrom: FROM });

    const answer = await exchange.get('objects/');

    expect(numbers(answer)).toEqual([1, 2, 3]);
    expect(Object.keys(answer.body)).toEqual(['objects']);
    expect(answer.headers.get(FIRST)).toBe('2026-01-05T10:00:00.000001Z');
    expect(answer.headers.get(LAST)).toBe('2026-01-05T10:00:00.000003Z');
  });

  it('leads through all pages by next', async () => {
    await using exchange = await anExchange({ data: indicators(5) });

    const one = await exchange.get('objects/?limit=2');
    const two = await exchange.get(`objects/?limit=2&next=${one.body.next}`);
    const three = await exchange.get(`objects/?limit=2&next=${two.body.next}`);

    expect([one, two, three].map(numbers)).toEqual([[1, 2], [3, 4], [5]]);
    expect([one, two, three].map(({ body }) => body.more)).toEqual([true, true, undefined]);
  });

  it('leads through all pages by the Last header', async () => {
    await using exchange = await anExchange({ data: indicators(5) });

    const one = await exchange.get('objects/?limit=3');
    const two = await exchange.get(`objects/?limit=3&added_after=${one.headers.get(LAST)}`);

    expect(numbers(two)).toEqual([4, 5]);
  });

  it('never gives more than its own cap', async () => {
    await using exchange = await anExchange({ data: indicators(5), pageCap: 2 });

    expect(numbers(await exchange.get('objects/?limit=4'))).toEqual([1, 2]);
    expect(numbers(await exchange.get('objects/'))).toEqual([1, 2]);
  });

  it('keeps next good while objects come and go', async () => {
    await using exchange = await anExchange({ data: indicators(4) });
    const one = await exchange.get('objects/?limit=2');

    exchange.taxii.remove([`indicator--${uuidAt(3)}`]);
    exchange.taxii.load([anIndicator(9)]);
    const two = await exchange.get(`objects/?limit=2&next=${one.body.next}`);

    expect(numbers(two)).toEqual([4, 9]);
  });

  it('refuses a next it did not give, and one under other parameters', async () => {
    await using exchange = await anExchange({ data: indicators(3) });
    const { body } = await exchange.get('objects/?limit=1');

    expect((await exchange.get('objects/?next=nonsense')).status).toBe(400);
    expect((await exchange.get(`objects/?limit=1&next=${body.next}&match[type]=malware`)).status).toBe(400);
  });

  it('says more: false for an empty collection', async () => {
    await using exchange = await anExchange();

    const answer = await exchange.get('objects/');

    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ more: false });
  });

  it('orders by date added when an object comes with an earlier date', async () => {
    await using exchange = await anExchange({ data: indicators(2), dataAddedFrom: FROM });

    exchange.taxii.load([anIndicator(3)], { dateAdded: '2026-01-05T09:00:00.000000Z' });
    exchange.taxii.load([anIndicator(4)]);

    expect(numbers(await exchange.get('objects/'))).toEqual([3, 1, 2, 4]);
    expect(numbers(await exchange.get('objects/?added_after=2026-01-05T09:30:00Z&limit=1'))).toEqual([1]);
  });
});

describe('parameters (§3.4)', () => {
  it.each([
    ['limit=0'],
    ['limit=-1'],
    ['limit=many'],
    ['limit=1&limit=2'],
    ['added_after=yesterday'],
    ['added_after=2026-01-05T10:00:00%2B00:00'],
    ['added_after=2026-01-05T10:00:00Z&added_after=2026-01-05T10:00:00Z'],
    ['match[type]=indicator&match[type]=malware'],
    ['match[version]=all,last'],
    ['match[version]=newest'],
    ['match[id]=a,,b'],
    ['match[id]=a,a'],
    ['next='],
  ])('refuses %s with 400', async (query) => {
    await using exchange = await anExchange({ data: indicators(2) });

    expect((await exchange.get(`objects/?${query}`)).status).toBe(400);
  });

  it.each([
    ['match[type]=malware', [9]],
    ['match[type]=malware,indicator', [1, 2, 9]],
    ['match%5Btype%5D=indicator', [1, 2]],
    [`match[id]=indicator--${uuidAt(2)},malware--${uuidAt(9)}`, [2, 9]],
    [`match[id]=indicator--${uuidAt(2)}&match[type]=malware`, []],
    ['match[spec_version]=2.0', []],
    ['added_after=2026-01-05T10:00:00.000001Z', [2, 9]],
    ['added_after=2026-01-05T10:00:00Z', [1, 2, 9]],
    ['unknown=1', [1, 2, 9]],
  ])('answers %s with %j', async (query, wanted) => {
    const malware = anIndicator(9, { type: 'malware', id: `malware--${uuidAt(9)}` });
    await using exchange = await anExchange({ data: [...indicators(2), malware], dataAddedFrom: FROM });

    expect(numbers(await exchange.get(`objects/?${query}`))).toEqual(wanted);
  });

  it('tells versions apart', async () => {
    const second = anIndicator(1, { modified: '2026-01-02T00:00:00Z', confidence: 50 });
    const third = anIndicator(1, { modified: '2026-01-03T00:00:00.5Z', confidence: 90 });
    await using exchange = await anExchange({ data: [anIndicator(1), third, second] });
    const asked = async (query: string): Promise<unknown[]> =>
      ((await exchange.get(`objects/?${query}`)).body.objects ?? []).map((one) => one['modified']);

    expect(await asked('')).toEqual(['2026-01-03T00:00:00.5Z']);
    expect(await asked('match[version]=first')).toEqual(['2026-01-01T00:00:00.000Z']);
    expect(await asked('match[version]=first,last')).toHaveLength(2);
    expect(await asked('match[version]=all')).toHaveLength(3);
    expect(await asked('match[version]=2026-01-02T00:00:00.000Z')).toEqual(['2026-01-02T00:00:00Z']);
    const { body } = await exchange.get(`objects/indicator--${uuidAt(1)}/versions/`);
    expect(body.versions?.toSorted()).toEqual([
      '2026-01-01T00:00:00.000Z',
      '2026-01-02T00:00:00Z',
      '2026-01-03T00:00:00.5Z',
    ]);
  });

  it('prefers the newest specification version of an object', async () => {
    const { spec_version: _, ...old } = anIndicator(1, { modified: '2026-02-01T00:00:00.000Z' });
    await using exchange = await anExchange({
      data: [anIndicator(1), { ...old, type: 'indicator', id: `indicator--${uuidAt(1)}` }],
    });

    expect((await exchange.get('objects/')).body.objects?.map((one) => one['spec_version'])).toEqual(['2.1']);
    expect(numbers(await exchange.get('objects/?match[spec_version]=2.0'))).toEqual([1]);
  });
});

describe('manifest and single objects (§5.3, §5.6)', () => {
  it('lists id, date added and version of each object, with no next', async () => {
    await using exchange = await anExchange({ data: indicators(3), dataAddedFrom: FROM });

    const { body, headers } = await exchange.get('manifest/?limit=1');

    expect(body).toEqual({
      more: true,
      objects: [
        {
          id: `indicator--${uuidAt(1)}`,
          date_added: '2026-01-05T10:00:00.000001Z',
          version: '2026-01-01T00:00:00.000Z',
          media_type: 'application/stix+json;version=2.1',
        },
      ],
    });
    expect(headers.get(LAST)).toBe('2026-01-05T10:00:00.000001Z');
  });

  it('answers one object, and 404 for one it does not have', async () => {
    await using exchange = await anExchange({ data: indicators(2) });

    expect(numbers(await exchange.get(`objects/indicator--${uuidAt(2)}/`))).toEqual([2]);
    expect((await exchange.get(`objects/indicator--${uuidAt(7)}/`)).status).toBe(404);
  });

  it('forgets a removed object without a trace', async () => {
    await using exchange = await anExchange({ data: indicators(2) });

    exchange.taxii.remove([`indicator--${uuidAt(1)}`]);

    expect(numbers(await exchange.get('manifest/'))).toEqual([2]);
    expect((await exchange.get(`objects/indicator--${uuidAt(1)}/`)).status).toBe(404);
  });

  it('gives objects back byte for byte as JSON has them', async () => {
    const awkward = anIndicator(1, { name: 'Müller “x” \\ \n', x_score: 0.25, x_list: [{ deep: null }] });
    await using exchange = await anExchange({ data: [awkward, anIndicator(2)] });

    expect((await exchange.get('objects/')).text).toBe(JSON.stringify({ objects: [awkward, anIndicator(2)] }));
  });
});
