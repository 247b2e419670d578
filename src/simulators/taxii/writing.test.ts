import { describe, expect, it } from 'vitest';
import { anExchange, anIndicator, aSighting, indicators, numbers, TAXII, uuidAt } from './testing.ts';

describe('adding objects (TAXII 2.1 §5.5)', () => {
  it('answers 202 and a complete status, and shows the objects', async () => {
    await using exchange = await anExchange();

    const answer = await exchange.post({ objects: [aSighting(1, 1), aSighting(2, 1)] });

    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ status: 'complete', total_count: 2, success_count: 2, failure_count: 0 });
    expect(numbers(await exchange.get(`/api1/collections/${exchange.taxii.collections.write}/objects/`))).toEqual([
      1, 2,
    ]);
    expect(exchange.taxii.sightings()).toEqual([aSighting(1, 1), aSighting(2, 1)]);
  });

  it('takes the same object again without an error and without a second copy', async () => {
    await using exchange = await anExchange();
    await exchange.post({ objects: [aSighting(1, 1)] });

    const again = await exchange.post({ objects: [aSighting(1, 1)] });

    expect(again.body).toMatchObject({ success_count: 1, failure_count: 0 });
    expect(exchange.taxii.sightings()).toHaveLength(1);
  });

  it('names in the status what it refused, and takes the rest', async () => {
    await using exchange = await anExchange();
    await exchange.post({ objects: [aSighting(5, 1)] });

    const { status, body } = await exchange.post({
      objects: [
        aSighting(1, 1),
        aSighting(2, 1, { id: 'sighting--no-uuid' }),
        aSighting(3, 1, { last_seen: 'yesterday' }),
        aSighting(4, 1, { sighting_of_ref: `relationship--${uuidAt(1)}` }),
        aSighting(5, 1, { count: 7 }),
      ],
    });
    const failures = body['failures'] as { message: string }[];

    expect(status).toBe(202);
    expect(body).toMatchObject({ status: 'complete', total_count: 5, success_count: 1, failure_count: 4 });
    expect(failures.map(({ message }) => message)).toEqual([
      'id is not the type, two dashes and a UUID',
      'last_seen is not a timestamp',
      'sighting_of_ref is no domain object',
      'this version exists with another content',
    ]);
  });

  it('keeps a status pending for as many polls as it was told, and the objects unseen', async () => {
    await using exchange = await anExchange({ pendingPolls: 2 });

    const { body } = await exchange.post({ objects: [aSighting(1, 1)] });
    const path = `/api1/status/${String(body['id'])}/`;

    expect(body).toMatchObject({ status: 'pending', total_count: 1, pending_count: 1 });
    expect(exchange.taxii.sightings()).toEqual([]);
    expect((await exchange.get(path)).body).toMatchObject({ status: 'pending' });
    expect((await exchange.get(path)).body).toMatchObject({ status: 'complete', success_count: 1 });
    expect(exchange.taxii.sightings()).toHaveLength(1);
  });

  it.each([
    ['text that is no JSON', '{', 400],
    ['a bundle', { type: 'bundle', id: `bundle--${uuidAt(1)}`, objects: [aSighting(1, 1)] }, 422],
    ['no objects', {}, 422],
    ['an object without id', { objects: [{ type: 'sighting' }] }, 422],
  ])('refuses %s', async (_, body, status) => {
    await using exchange = await anExchange();

    expect((await exchange.post(body)).status).toBe(status);
  });

  it('refuses another media type with 415 and takes one without version', async () => {
    await using exchange = await anExchange();
    const body = { objects: [aSighting(1, 1)] };

    expect((await exchange.post(body, undefined, { 'content-type': 'application/json' })).status).toBe(415);
    expect((await exchange.post(body, undefined, { 'content-type': 'application/taxii+json' })).status).toBe(202);
  });

  it('refuses a body over max_content_length with 413, and not one that just fits', async () => {
    const body = JSON.stringify({ objects: [aSighting(1, 1)] });
    await using exchange = await anExchange({ maxContentLength: body.length });

    expect((await exchange.post(body)).status).toBe(202);
    expect((await exchange.post(`${body} `)).status).toBe(413);
  });

  it('forbids writing to the read collection and hides the closed one', async () => {
    await using exchange = await anExchange();
    const { body } = await exchange.get('/api1/collections/');
    const closed = (body['collections'] as { id: string; title: string }[]).find(({ title }) => title === 'closed');
    const sighting = { objects: [aSighting(1, 1)] };

    expect((await exchange.post(sighting, '/api1/collections/indicators/objects/')).status).toBe(403);
    expect((await exchange.post(sighting, `/api1/collections/${closed?.id}/objects/`)).status).toBe(404);
  });
});

describe('deleting (§5.7)', () => {
  it('takes all versions away, or the ones that are named', async () => {
    await using exchange = await anExchange();
    const objects = `/api1/collections/${exchange.taxii.collections.write}/objects/`;
    const newer = aSighting(1, 1, { modified: '2026-01-06T00:00:00.000Z' });
    await exchange.post({ objects: [aSighting(1, 1), newer, aSighting(2, 1)] });

    const one = `${objects}sighting--${uuidAt(1)}/`;
    expect((await exchange.remove(`${one}?match[version]=last`)).status).toBe(200);
    expect((await exchange.get(one)).body.objects).toEqual([aSighting(1, 1)]);
    expect((await exchange.remove(one)).status).toBe(200);
    expect((await exchange.get(one)).status).toBe(404);
    expect((await exchange.remove(one)).status).toBe(404);
    expect(numbers(await exchange.get(objects))).toEqual([2]);
  });

  it('is forbidden with the right to read only', async () => {
    await using exchange = await anExchange({ data: indicators(1) });

    expect((await exchange.remove(`objects/indicator--${uuidAt(1)}/`)).status).toBe(403);
  });
});

describe('the back door', () => {
  const door = async (url: string, name: string, body: unknown): Promise<unknown> => {
    const answer = await fetch(`${url}/_sim/${name}`, { method: 'POST', body: JSON.stringify(body) });
    return answer.json();
  };

  it('loads bundles, new versions and objects with a date of their own', async () => {
    await using exchange = await anExchange({ data: indicators(1) });
    const { url } = exchange.taxii;
    const newer = anIndicator(1, { modified: '2026-01-04T00:00:00.000Z' });

    expect(await door(url, 'load', { type: 'bundle', id: `bundle--${uuidAt(1)}`, objects: [newer] })).toEqual({
      added: 1,
    });
    await door(url, 'load', {
      collection: 'sightings',
      bundle: { type: 'bundle', id: `bundle--${uuidAt(2)}`, objects: [aSighting(1, 1)] },
      date_added: '2026-01-05T08:00:00.000000Z',
    });
    await door(url, 'events', [{ time: '2026-01-05T07:00:00.000000Z', fields: anIndicator(2) }]);

    expect((await exchange.get('objects/')).body.objects).toEqual([anIndicator(2), newer]);
    const sightings = await exchange.get(`/api1/collections/${exchange.taxii.collections.write}/manifest/`);
    expect(sightings.body.objects?.[0]?.date_added).toBe('2026-01-05T08:00:00.000000Z');
  });

  it('tells what it holds, what was reported and what was asked', async () => {
    await using exchange = await anExchange({ data: indicators(3) });
    await exchange.post({ objects: [aSighting(1, 1)] });
    await exchange.get('objects/');
    await door(exchange.taxii.url, 'remove', { collection: 'indicators', ids: [`indicator--${uuidAt(1)}`] });

    const state = (await (await fetch(`${exchange.taxii.url}/_sim/state`)).json()) as {
      requests: unknown;
      state: { collections: { title: string; objects: number }[]; sightings: unknown };
    };

    expect(state.requests).toEqual({
      'POST /api1/collections/{id}/objects/ 202': 1,
      'GET /api1/collections/{id}/objects/ 200': 1,
    });
    expect(state.state.collections).toContainEqual(expect.objectContaining({ title: 'Indicators', objects: 2 }));
    expect(state.state.sightings).toEqual([{ collection: 'sightings', object: aSighting(1, 1) }]);
  });

  it('refuses a quirk it does not know', async () => {
    await using exchange = await anExchange();

    expect(await door(exchange.taxii.url, 'quirks', [{ kind: 'nonsense' }])).toMatchObject({
      error: expect.stringContaining('unknown quirk nonsense'),
    });
  });
});

describe('credentials', () => {
  it('challenges who has none, with two schemes', async () => {
    await using exchange = await anExchange();

    const { status, headers, body } = await exchange.get('/taxii2/', { authorization: '' });

    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toMatch(/^Basic .*, Bearer /);
    expect(headers.get('content-type')).toBe(TAXII);
    expect(body).toMatchObject({ http_status: '401' });
  });

  it('knows a bearer token and an API key, and everybody when it has no users', async () => {
    await using keyed = await anExchange({ users: [{ token: 'abc' }, { header: 'X-Api-Key', value: 'def' }] });
    await using open = await anExchange({ users: [] });

    expect((await keyed.get('/taxii2/', { authorization: 'Bearer abc' })).status).toBe(200);
    expect((await keyed.get('/taxii2/', { authorization: '', 'x-api-key': 'def' })).status).toBe(200);
    expect((await keyed.get('/taxii2/', { authorization: 'Bearer def' })).status).toBe(401);
    expect((await open.get('/taxii2/', { authorization: '' })).status).toBe(200);
  });
});
