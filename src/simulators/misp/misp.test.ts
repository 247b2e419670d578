// The traps of the reference, asked of the simulator as a client would: by HTTP.
import { afterEach, describe, expect, it } from 'vitest';
import { type MispOptions, type RunningMisp, startMisp } from './index.ts';

const uuid = (n: number) => `9f1d4a52-6f0c-4a53-9f3f-${String(n).padStart(12, '0')}`;
const EVENT = uuid(1);
const anAttribute = (n: number, more: object = {}) => ({
  uuid: uuid(100 + n),
  type: 'ip-dst',
  value: `198.51.100.${n}`,
  to_ids: true,
  timestamp: '1700000000',
  ...more,
});
const anEvent = (attributes: readonly object[], more: object = {}) => ({
  Event: { uuid: EVENT, info: 'seed', timestamp: '1700000000', Attribute: attributes, ...more },
});
const four = anEvent([1, 2, 3, 4].map((n) => anAttribute(n)));

const running: RunningMisp[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()));
});
async function start(options: MispOptions = {}): Promise<RunningMisp> {
  const misp = await startMisp(options);
  running.push(misp);
  return misp;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // Any shape, looked into by the assertions.
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes
  readonly body: any;
}
async function ask(misp: RunningMisp, path: string, body?: unknown, headers: object = {}): Promise<Answer> {
  const answer = await fetch(`${misp.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: misp.key,
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  return { status: answer.status, headers: answer.headers, text, body: parsed };
}
const found = (answer: Answer): string[] => answer.body.response.Attribute.map((one: { value: string }) => one.value);
const counted = (answer: Answer) => answer.headers.get('x-result-count');
const search = (misp: RunningMisp, body: object) => ask(misp, '/attributes/restSearch', body);

describe('credentials and forms', () => {
  it('answers 403 in JSON to a wrong key, never 401, and takes the key beside another', async () => {
    const misp = await start();

    expect(await ask(misp, '/servers/getVersion', undefined, { authorization: 'x' })).toMatchObject({
      status: 403,
      body: { message: expect.stringMatching(/^Authentication failed/) },
    });
    expect(
      (await ask(misp, '/servers/getVersion', undefined, { authorization: `Basic eA==, ${misp.key}` })).status,
    ).toBe(200);
    expect(
      (await ask(misp, '/servers/getVersion', undefined, { authorization: '', 'x-misp-auth': misp.key })).status,
    ).toBe(200);
  });

  it('answers a login page with 200 to whoever does not ask for JSON', async () => {
    const misp = await start();

    expect(await ask(misp, '/events/index', undefined, { accept: '*/*' })).toMatchObject({
      status: 200,
      text: expect.stringContaining('<html>'),
    });
  });

  it('ignores a filter that is not sent as JSON, and refuses an empty one', async () => {
    const misp = await start({ data: four });

    const all = await ask(misp, '/attributes/restSearch', '{"value":"198.51.100.1"}', { 'content-type': 'text/plain' });
    expect(found(all)).toHaveLength(4);
    expect((await ask(misp, '/attributes/restSearch', '')).status).toBe(400);
    expect((await ask(misp, '/attributes/restSearch')).status).toBe(400);
  });

  it('reads with a read-only key and takes no sighting by it', async () => {
    const misp = await start({ data: four });
    const by = { authorization: misp.readKey };

    expect(found(await ask(misp, '/attributes/restSearch', { limit: 9 }, by))).toHaveLength(4);
    expect((await ask(misp, '/sightings/add', { value: '198.51.100.1' }, by)).status).toBe(403);
    expect((await ask(misp, `/sightings/bulkSaveSightings/${EVENT}`, [], by)).status).toBe(403);
  });
});

describe('attributes/restSearch', () => {
  it('brings unpublished events and attributes without to_ids, unless it is told otherwise', async () => {
    const misp = await start({
      data: anEvent([anAttribute(1), anAttribute(2, { to_ids: false })], { published: false }),
    });

    expect(found(await search(misp, { limit: 9 }))).toHaveLength(2);
    expect(found(await search(misp, { limit: 9, to_ids: 1 }))).toEqual(['198.51.100.1']);
    expect(found(await search(misp, { limit: 9, published: 1 }))).toEqual([]);
  });

  it.each([
    [{ limit: 2, page: 1 }, 2, '3'],
    [{ limit: 2, page: 2 }, 2, '3'],
    [{ limit: 3, page: 2 }, 1, '1'],
    [{ limit: 4, page: 2 }, 0, '1'],
    [{ limit: 9, page: 1 }, 4, '4'],
  ])('counts as a hint: %j gives %i rows and says %s', async (body, rows, count) => {
    const answer = await search(await start({ data: four }), body);

    expect(found(answer)).toHaveLength(rows);
    expect(counted(answer)).toBe(count);
  });

  it('skips decayed rows after the limit, and the count tells', async () => {
    const over = { decay_score: [{ score: 0, decayed: true }] };
    const misp = await start({
      data: anEvent([anAttribute(1, over), anAttribute(2), anAttribute(3, over), anAttribute(4, over)]),
    });

    expect(counted(await search(misp, { limit: 2, page: 1, excludeDecayed: 1 }))).toBe('2');
    const empty = await search(misp, { limit: 2, page: 2, excludeDecayed: 1 });
    expect([found(empty), counted(empty)]).toEqual([[], '3']);
  });

  it('loses and repeats rows where no order is asked for, and none where it is', async () => {
    const misp = await start({ data: four, quirks: [{ kind: 'unsorted' }] });
    const both = async (more: object) =>
      [
        ...found(await search(misp, { limit: 2, page: 1, ...more })),
        ...found(await search(misp, { limit: 2, page: 2, ...more })),
      ].sort();

    expect(new Set(await both({})).size).toBeLessThan(4);
    expect(new Set(await both({ order: 'Attribute.id asc' })).size).toBe(4);
  });

  it('takes a time that it cannot read for one to come', async () => {
    const misp = await start({ data: four });

    expect(found(await search(misp, { limit: 9, publish_timestamp: 'yesterday' }))).toEqual([]);
    expect(found(await search(misp, { limit: 9, publish_timestamp: '1d' }))).toHaveLength(4);
    expect(found(await search(misp, { limit: 9, timestamp: [1_600_000_000, 1_700_000_000] }))).toHaveLength(4);
  });

  it('shows tombstones on demand, sanitised ones without their content', async () => {
    const misp = await start({ data: four });
    misp.act([
      { do: 'delete', attribute: uuid(101) },
      { do: 'delete', attribute: uuid(102), sanitise: true, publish: true },
    ]);

    expect(found(await search(misp, { limit: 9 }))).toHaveLength(2);
    const all = await search(misp, { limit: 9, deleted: [0, 1], order: 'Attribute.id asc' });
    expect(all.body.response.Attribute.slice(0, 2)).toMatchObject([
      { deleted: true, value: '198.51.100.1', to_ids: true },
      { deleted: true, value: 'deleted', type: 'comment', to_ids: false },
    ]);
  });

  it('shows event tags as inherited, context on demand, and no name of an object', async () => {
    const misp = await start({
      data: anEvent([], { Tag: [{ name: 'tlp:green' }], Object: [{ name: 'victim', Attribute: [anAttribute(1)] }] }),
    });

    const [one] = (await search(misp, { limit: 1, includeEventTags: 1, includeContext: 1 })).body.response.Attribute;
    expect(one).toMatchObject({
      Tag: [{ name: 'tlp:green', inherited: 1 }],
      Event: { published: true, Orgc: { name: 'EXCHANGE' } },
    });
    expect(JSON.stringify(one)).not.toContain('victim');
  });

  it('knows texts with not, or, and likeness', async () => {
    const misp = await start({
      data: anEvent([
        anAttribute(1),
        anAttribute(2, { Tag: [{ name: 'Phishing' }] }),
        anAttribute(3, { type: 'ip-dst|port', value: '198.51.100.3|443' }),
      ]),
    });

    expect(found(await search(misp, { limit: 9, value: '198.51.100.1||198.51.100.2' }))).toHaveLength(2);
    expect(found(await search(misp, { limit: 9, value: '198.51.100.3' }))).toEqual(['198.51.100.3|443']);
    expect(found(await search(misp, { limit: 9, tags: 'phishing' }))).toEqual(['198.51.100.2']);
    expect(found(await search(misp, { limit: 9, tags: '!phish%' }))).toHaveLength(2);
    expect(found(await search(misp, { limit: 9, type: { NOT: ['ip-dst'] } }))).toEqual(['198.51.100.3|443']);
  });

  it('is refused, limited and cut on demand', async () => {
    const misp = await start({ data: four, quirks: [{ kind: 'rate-limit', most: 1 }] });
    expect((await search(misp, { limit: 1 })).status).toBe(200);
    const limited = await search(misp, { limit: 1 });
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, null]);
    expect(Number(limited.headers.get('x-rate-limit-reset'))).toBeGreaterThan(0);

    misp.setQuirks([{ kind: 'too-large', rows: 2 }]);
    expect([(await search(misp, { limit: 3 })).status, (await search(misp, { limit: 2 })).status]).toEqual([500, 200]);
    misp.setQuirks([{ kind: 'truncated-without-limit', rows: 3 }]);
    expect(found(await search(misp, { page: 1 }))).toHaveLength(3);
    misp.setQuirks([{ kind: 'no-search' }]);
    expect(await search(misp, { limit: 3 })).toMatchObject({ status: 405 });
  });

  it('writes numbers and booleans in other spellings on demand', async () => {
    const misp = await start({ data: four, quirks: [{ kind: 'numbers' }, { kind: 'flags' }] });

    expect((await search(misp, { limit: 1 })).body.response.Attribute[0]).toMatchObject({
      timestamp: 1_700_000_000,
      to_ids: '1',
    });
  });
});

describe('two clocks', () => {
  it('keeps the times of the origin, and publishes by its own', async () => {
    const misp = await start({ data: four, clock: () => 1_800_000_000_000 });

    const [one] = (await search(misp, { limit: 1, includeContext: 1 })).body.response.Attribute;
    expect(one).toMatchObject({
      timestamp: '1700000000',
      Event: { timestamp: '1700000000', publish_timestamp: '1800000000' },
    });
  });

  it('unpublishes with any edit, and leaves the time of publication', async () => {
    let now = 1_800_000_000_000;
    const misp = await start({ data: four, clock: () => now });
    now += 60_000;
    misp.act({ do: 'edit', attribute: uuid(101), set: { to_ids: false } });

    const { Event } = (await ask(misp, `/events/view/${EVENT}`)).body;
    expect(Event).toMatchObject({ published: false, timestamp: '1800000060', publish_timestamp: '1800000000' });
    misp.act({ do: 'publish', event: EVENT });
    expect((await ask(misp, `/events/view/${EVENT}`)).body.Event.publish_timestamp).toBe('1800000060');
  });

  it('leaves no trace of what is deleted for good', async () => {
    const misp = await start({ data: four });
    misp.act([{ do: 'hard_delete', attribute: uuid(101) }]);
    expect(found(await search(misp, { limit: 9, deleted: [0, 1] }))).toHaveLength(3);

    misp.act({ do: 'delete_event', event: EVENT });
    expect(await ask(misp, `/events/view/${EVENT}`)).toMatchObject({ status: 404, body: { message: 'Invalid event' } });
  });

  it('takes an event that is loaded again as what stands now', async () => {
    const misp = await start({ data: four });
    misp.load(anEvent([anAttribute(2)]));

    expect(found(await search(misp, { limit: 9, deleted: [0, 1] }))).toEqual(['198.51.100.2']);
  });
});

describe('events', () => {
  it('are listed in short without those that are empty or protected, which the count includes', async () => {
    const misp = await start({
      data: [four, anEvent([], { uuid: uuid(2) }), anEvent([anAttribute(9)], { uuid: uuid(3), protected: true })],
    });

    const minimal = await ask(misp, '/events/index', { minimal: 1, published: 1 });
    expect(minimal.body.map((one: { uuid: string }) => one.uuid)).toEqual([EVENT]);
    expect(Object.keys(minimal.body[0]).sort()).toEqual([
      'id',
      'orgc_uuid',
      'published',
      'sighting_timestamp',
      'timestamp',
      'uuid',
    ]);
    expect(counted(minimal)).toBe('3');
    expect((await ask(misp, '/events/index', {})).body).toHaveLength(2);
    expect((await ask(misp, `/events/view/${uuid(3)}`)).status).toBe(200);
  });

  it('show tags and sharing group without attributes on demand, and the whole count', async () => {
    const misp = await start({
      data: anEvent([anAttribute(1)], {
        distribution: '4',
        SharingGroup: { name: 'Blue', releasability: 'REL TO BEL' },
      }),
    });

    const answer = await ask(misp, '/events/restSearch', { metadata: 1, published: 1, limit: 1 });
    expect(answer.body.response[0].Event).toMatchObject({ SharingGroup: { name: 'Blue' }, Attribute: [] });
    expect(counted(answer)).toBe('1');
  });

  it('show tombstones of other organisations to those alone who synchronise', async () => {
    const keys = [{ key: 'a'.repeat(40) }, { key: 'b'.repeat(40), sync: true }];
    const misp = await start({
      keys,
      data: anEvent([anAttribute(1, { deleted: true })], { Orgc: { name: 'OTHER', uuid: uuid(7) } }),
    });
    const view = async (authorization: string) =>
      (await ask(misp, `/events/view/${EVENT}/deleted[]:0/deleted[]:1`, undefined, { authorization })).body.Event
        .Attribute;

    expect(await view(keys[0]!.key)).toEqual([]);
    expect(await view(keys[1]!.key)).toMatchObject([{ deleted: true }]);
  });

  it('can be hidden, which looks like an event that was never there', async () => {
    const misp = await start({ data: four });
    misp.act({ do: 'hide', event: EVENT });

    expect((await ask(misp, `/events/view/${EVENT}`)).status).toBe(404);
    expect(found(await search(misp, { limit: 9 }))).toEqual([]);
  });
});

describe('sightings', () => {
  it('are refused with 200 and a message', async () => {
    const misp = await start({ data: four });

    for (const body of [{ value: '203.0.113.1' }, { uuid: uuid(999) }, { uuid: uuid(101), type: '9' }])
      expect(await ask(misp, '/sightings/add', body)).toMatchObject({
        status: 200,
        body: { message: expect.stringMatching(/^Could not add the Sighting/) },
      });
    expect(misp.sightings()).toEqual([]);
  });

  it('made one by one are made twice by a retry; a value hits either half of a pair, and tombstones', async () => {
    const misp = await start({
      data: anEvent([
        anAttribute(1, { type: 'ip-dst|port', value: '198.51.100.1|443' }),
        anAttribute(2, { type: 'ip-dst|port', value: '198.51.100.2|443', deleted: true }),
      ]),
    });
    await ask(misp, '/sightings/add', { value: '443', source: 's' });
    await ask(misp, '/sightings/add', { value: '443', source: 's' });

    expect(misp.sightings()).toHaveLength(4);
  });

  it('saved in bulk keep their uuid and are known again; what is not found is skipped without a word', async () => {
    const misp = await start({ data: four });
    const row = (n: number, attribute = uuid(101)) => ({
      uuid: uuid(n),
      attribute_uuid: attribute,
      date_sighting: 1_700_000_000,
      type: '0',
      source: '',
    });
    const save = (rows: unknown, event = EVENT) => ask(misp, `/sightings/bulkSaveSightings/${event}`, rows);

    expect((await save([row(1), row(2)])).body).toEqual({ saved: true, success: '2 sightings added.' });
    expect((await save([row(1)])).body).toEqual({ saved: false, success: 'No sightings added.' });
    expect((await save([row(3, uuid(999))])).body).toEqual({ saved: false, success: 'No sightings added.' });
    expect((await save([row(4)], uuid(999))).status).toBe(405);
    expect((await save([{ uuid: uuid(5), attribute_uuid: uuid(101) }])).status).toBe(500);
    expect(misp.sightings().map((one) => one.uuid)).toEqual([uuid(1), uuid(2)]);
  });

  it('are read back by attribute, those of a month unless more is asked for', async () => {
    const misp = await start({ data: four });
    await ask(misp, `/sightings/bulkSaveSightings/${EVENT}`, [
      { uuid: uuid(1), attribute_uuid: uuid(101), date_sighting: 1_600_000_000, type: '0', source: '' },
    ]);
    const read = (body: object) => ask(misp, '/sightings/restSearch/event', { uuid: [EVENT], ...body });

    expect((await read({})).body.response).toEqual([]);
    expect((await read({ last: 0 })).body.response).toMatchObject([
      { Sighting: { uuid: uuid(1), attribute_uuid: uuid(101) } },
    ]);
  });
});

describe('a guard in front', () => {
  it.each<[string, unknown, number]>([
    ['/servers/getVersion', undefined, 200],
    [`/events/view/${EVENT}/deleted[]:0/deleted[]:1`, undefined, 200],
    ['/events/index', { minimal: 1, published: 1 }, 200],
    ['/events/index', { minimal: true, published: true }, 403],
    ['/events/index', { minimal: 1 }, 403],
    ['/sightings/restSearch/event', { uuid: [EVENT], last: 0 }, 200],
    [`/sightings/bulkSaveSightings/${EVENT}`, [], 200],
    ['/sightings/bulkSaveSightings/1', [], 403],
    ['/sightings/add', { uuid: uuid(101) }, 403],
    ['/attributes/restSearch', { limit: 1 }, 403],
    ['/events/restSearch', { limit: 1, metadata: 1 }, 403],
  ])('%s %j: %i', async (path, body, status) => {
    const misp = await start({ data: four, quirks: [{ kind: 'guard' }] });

    const answer = await ask(misp, path, body);
    expect(answer.status).toBe(status);
    if (status === 403) expect([answer.text, answer.headers.get('content-type')]).toEqual(['Forbidden', 'text/plain']);
  });
});

describe('the back door', () => {
  it('loads, edits and bends by HTTP, and tells what it holds', async () => {
    const misp = await start();

    expect((await ask(misp, '/_sim/load', four)).body).toEqual({ events: 1, attributes: 4 });
    expect((await ask(misp, '/_sim/act', { do: 'unpublish', event: EVENT })).body).toEqual({ ok: true });
    expect((await ask(misp, '/_sim/quirks', [{ kind: 'nonsense' }])).status).toBe(400);
    expect((await ask(misp, '/_sim/state')).body).toMatchObject({
      state: { events: [{ uuid: EVENT, published: false, attributes: 4 }], sightings: [] },
    });
  });

  it('refuses what holds no event', async () => {
    await expect(startMisp({ data: { type: 'bundle', objects: [] } })).rejects.toThrow('neither a MISP event');
  });
});
