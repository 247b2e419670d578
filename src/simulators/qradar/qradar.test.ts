import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../core/runtime/clock.ts';
import { type QRadarOptions, type RunningQRadar, startQradar } from './index.ts';

const NOON = Date.UTC(2026, 10, 23, 12);
const DAY = 86_400_000;
const ROOT = '/reference_data_collections';

let sim: RunningQRadar;
let shift = 0;
const clock: Clock = { ...systemClock, now: () => NOON + shift };
const pass = (ms: number): void => {
  shift += ms;
};

afterEach(async () => {
  shift = 0;
  await sim.close();
});

async function start(options: QRadarOptions = {}): Promise<void> {
  sim = await startQradar({ clock, ...options });
}

async function ask(
  method: string,
  path: string,
  more: { json?: unknown; form?: Record<string, string>; headers?: Record<string, string> } = {},
) {
  const form = more.form === undefined ? undefined : new URLSearchParams(more.form).toString();
  const body = form ?? (more.json === undefined ? undefined : JSON.stringify(more.json));
  const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded';
  const response = await fetch(`${sim.url}/api${path}`, {
    method,
    headers: { SEC: sim.token, ...(body === undefined ? {} : { 'content-type': type }), ...more.headers },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const isJson = text !== '' && response.headers.get('content-type')?.includes('json') === true;
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

async function aSet(name: string, entry_type: string): Promise<number> {
  return (await ask('POST', `${ROOT}/sets`, { json: { name, entry_type } })).body.id;
}

async function values(name: string): Promise<string[]> {
  const { body } = await ask('GET', `/reference_data/sets/${name}`);
  return body.data.map((row: { value: string }) => row.value);
}

describe('versions', () => {
  it('answers in the newest version when none or a newer one is asked for', async () => {
    await start({ apiVersion: '20.0' });

    for (const headers of [{}, { Version: '20' }, { Version: '99.0' }])
      expect((await ask('GET', `${ROOT}/sets`, { headers })).status).toBe(200);
  });

  it('marks a deprecated version and refuses a removed one', async () => {
    await start({ apiVersion: '20.0' });

    expect(
      (await ask('GET', '/system/about', { headers: { Version: '17.0' } })).headers.get('deprecated'),
    ).toBeTruthy();
    expect((await ask('GET', '/system/about', { headers: { Version: '18.0' } })).headers.get('deprecated')).toBeNull();
    const removed = await ask('GET', '/system/about', { headers: { Version: '16.0' } });
    expect(removed.status).toBe(422);
    expect(removed.body.message).toContain('has been removed');
  });

  it('lists which versions live, are deprecated, or were removed', async () => {
    await start({ apiVersion: '20.0' });

    const { body } = await ask('GET', '/help/versions');

    const of = (state: string) =>
      body.filter((one: Record<string, unknown>) => one[state]).map((one: { version: string }) => one.version);
    expect(of('deprecated')).toEqual(['17.0']);
    expect(of('removed').at(-1)).toBe('16.0');
    expect(body.at(-1)).toMatchObject({ version: '20.0', deprecated: false, removed: false });
  });

  it('has routes by version: no collections before 16.0, bulk_load by name gone with 17.0', async () => {
    await start({ apiVersion: '15.0' });
    expect((await ask('GET', `${ROOT}/sets`)).status).toBe(404);
    sim.setApiVersion('17.0');
    expect((await ask('POST', '/reference_data/sets/bulk_load/X', { json: [] })).status).toBe(410);
    const { body } = await ask('GET', '/help/endpoints?filter=version%3D17.0&fields=http_method,path');
    expect(body).toContainEqual({ http_method: 'PATCH', path: `${ROOT}/set_entries` });
    expect(body.map((row: { path: string }) => row.path)).not.toContain('/reference_data/sets/bulk_load/{name}');
  });

  it('knows the type CIDR from 21.0', async () => {
    await start({ apiVersion: '20.0' });
    expect((await ask('POST', `${ROOT}/sets`, { json: { name: 'Nets', entry_type: 'CIDR' } })).status).toBe(422);
    sim.setApiVersion('21.0');
    expect((await ask('POST', `${ROOT}/sets`, { json: { name: 'Nets', entry_type: 'CIDR' } })).status).toBe(201);
  });
});

describe('access', () => {
  it('answers 401 in JSON to a wrong token, whatever is accepted', async () => {
    await start();

    const { status, body } = await ask('GET', '/system/about', { headers: { SEC: 'no', Accept: 'text/html' } });

    expect(status).toBe(401);
    expect(body).toMatchObject({ code: 18, http_response: { code: 401 } });
  });

  it('lets a reader look, and nothing more', async () => {
    await start({ settings: { role: 'reader' } });

    expect((await ask('GET', `${ROOT}/sets`)).status).toBe(200);
    expect(await ask('POST', `${ROOT}/sets`, { json: {} })).toMatchObject({ status: 403, body: { code: 26 } });
  });

  it('refuses a long URL and a large body in HTML, as the web server in front does', async () => {
    await start({ settings: { maxBodyBytes: 100 } });

    const long = await ask('GET', `${ROOT}/sets?filter=${'x'.repeat(9000)}`);
    const large = await ask('PATCH', `${ROOT}/set_entries`, { json: ['x'.repeat(200)] });

    expect([long.status, large.status]).toEqual([414, 413]);
    expect(long.headers.get('content-type')).toContain('html');
  });
});

describe('lists', () => {
  it('pages with inclusive ranges, and says how many there are', async () => {
    await start();
    const id = await aSet('Paged', 'ALN');
    const set = sim.store.sets.get(id)!;
    for (let i = 0; i < 12; i += 1) sim.store.put(set, `v${i}`, { domain: null });
    const page = (range: string) => ask('GET', `${ROOT}/set_entries`, { headers: { Range: `items=${range}` } });

    const first = await page('0-4');
    expect([first.status, first.body.length, first.headers.get('content-range')]).toEqual([200, 5, 'items 0-4/12']);
    expect((await page('10-19')).headers.get('content-range')).toBe('items 10-11/12');
    const beyond = await page('20-29');
    expect([beyond.body, beyond.headers.get('content-range')]).toEqual([[], 'items */12']);
    expect(await page('0--1')).toMatchObject({ status: 422, body: { message: expect.stringContaining('items=x-y') } });
  });

  it('filters by every operator that the connector and others use', async () => {
    await start();
    const id = await aSet('Filtered', 'ALN');
    const set = sim.store.sets.get(id)!;
    for (const [value, source, notes] of [
      ['a', 'one', 'n1'],
      ['b', 'two', null],
      ['c"d\\e', 'two', 'n_3'],
    ] as const)
      sim.store.put(set, value, { source, notes, domain: null });
    const found = async (filter: string) =>
      (await ask('GET', `${ROOT}/set_entries?sort=%2Bid&filter=${encodeURIComponent(filter)}`)).body.map(
        (row: { value: string }) => row.value,
      );

    expect(await found(`collection_id = ${id} and source != "two"`)).toEqual(['a']);
    expect(await found('value in ("a", "b") and not source = "two"')).toEqual(['a']);
    expect(await found('value not in ("a", "b")')).toEqual(['c"d\\e']);
    expect(await found('value = "c\\"d\\\\e"')).toEqual(['c"d\\e']);
    expect(await found('notes is null or notes LIKE "n\\_%"')).toEqual(['b', 'c"d\\e']);
    expect(await found('notes != "n1"')).toEqual(['b', 'c"d\\e']);
    expect(await found('(id > 0 and value between a and b) and notes is not null')).toEqual(['a']);
  });
});

describe('values', () => {
  it.each([
    ['ALNIC', 'EVIL.Example', 'evil.example'],
    ['ALN', 'EVIL.Example', 'EVIL.Example'],
    ['IP', '192.0.2.1', '192.0.2.1'],
    ['CIDR', '192.0.2.0/24', '192.0.2.0/24'],
    ['PORT', '443', '443'],
  ])('%s stores %s as %s', async (type, given, stored) => {
    await start();
    const id = await aSet('Typed', type);

    const { body } = await ask('POST', `${ROOT}/set_entries`, { json: { collection_id: id, value: given } });

    expect(body.value).toBe(stored);
  });

  it('decodes names and values in a path twice, and refuses a slash that was encoded once', async () => {
    await start();
    await aSet('Odd /%? Name', 'ALN');
    const name = encodeURIComponent(encodeURIComponent('Odd /%? Name'));
    const path = `/reference_data/sets/${name}`;
    await ask('POST', path, { form: { value: 'https://x.example/a?b=%20c' } });

    const removed = await ask(
      'DELETE',
      `${path}/${encodeURIComponent(encodeURIComponent('https://x.example/a?b=%20c'))}`,
    );
    const refused = await ask('DELETE', `${path}/${encodeURIComponent('https://x.example/a')}`);

    expect(removed.status).toBe(200);
    expect(refused.status).toBe(400);
  });

  it('lets entries go by first or last sight', async () => {
    await start({ settings: { sweepMs: 0 } });
    for (const [name, timeout_type] of [
      ['First', 'FIRST_SEEN'],
      ['Last', 'LAST_SEEN'],
    ] as const)
      await ask('POST', '/reference_data/sets', {
        form: { name, element_type: 'ALN', timeout_type, time_to_live: '2 days' },
      });
    const put = async () => {
      for (const name of ['First', 'Last']) await ask('POST', `/reference_data/sets/${name}`, { form: { value: 'v' } });
    };

    await put();
    pass(1.5 * DAY);
    await put();
    pass(DAY);

    expect(await values('First')).toEqual([]);
    expect(await values('Last')).toEqual(['v']);
    pass(2 * DAY);
    expect(await values('Last')).toEqual([]);
  });
});

describe('bulk updates', () => {
  const patch = async (rows: unknown) => (await ask('PATCH', `${ROOT}/set_entries`, { json: rows })).body.id;
  const results = async (task: number) => (await ask('GET', `${ROOT}/set_bulk_update_tasks/${task}/results`)).body;

  it('take time, and have no effect before', async () => {
    await start({ settings: { taskMs: 1000 } });
    const id = await aSet('Slow', 'ALN');
    const task = await patch([{ collection_id: id, value: 'v' }]);

    expect((await ask('GET', `${ROOT}/set_bulk_update_tasks/${task}`)).body.status).toBe('QUEUED');
    expect(await values('Slow')).toEqual([]);
    pass(1000);
    expect((await ask('GET', `${ROOT}/set_bulk_update_tasks/${task}`)).body.status).toBe('COMPLETED');
    expect(await values('Slow')).toEqual(['v']);
  });

  it('are complete though only some rows went in', async () => {
    await start();
    const id = await aSet('Part', 'IP');
    const task = await patch([
      { collection_id: id, value: '192.0.2.1' },
      { collection_id: id, value: 'none' },
    ]);
    pass(100);

    expect(await results(task)).toMatchObject({
      status: 'PARTIAL_UPDATE_PERFORMED',
      total_responses: 2,
      successful_responses: 1,
      responses: [{ http_status: 201 }, { http_status: 422, unique_code: 20006 }],
    });
  });

  it('can be aborted as a whole, or end otherwise', async () => {
    await start({ settings: { onBadRow: 'abort' } });
    const id = await aSet('Whole', 'IP');
    const rows = [
      { collection_id: id, value: '192.0.2.1' },
      { collection_id: id, value: 'none' },
    ];
    const aborted = await patch(rows);
    pass(100);
    expect(await results(aborted)).toMatchObject({ status: 'UPDATE_ABORTED', successful_responses: 0 });
    expect(await values('Whole')).toEqual([]);

    sim.settings.taskEnds = 'EXCEPTION';
    const broken = await patch(rows);
    pass(100);
    expect((await ask('GET', `${ROOT}/set_bulk_update_tasks/${broken}`)).body).toMatchObject({ status: 'EXCEPTION' });
    expect((await results(broken)).code).toBe(23003);
  });

  it.each([
    ['by-value', []],
    ['by-id', ['v']],
    ['ignored', ['v']],
  ] as const)('understand delete_entry %s', async (deleteInPatch, left) => {
    await start({ settings: { deleteInPatch } });
    const id = await aSet('Gone', 'ALN');
    sim.store.put(sim.store.sets.get(id)!, 'v', { domain: null });

    await patch([{ collection_id: id, value: 'v', delete_entry: true }]);
    pass(100);

    expect(await values('Gone')).toEqual(left);
  });

  it('change nothing but the notes of an entry that is addressed by id', async () => {
    await start();
    const id = await aSet('Notes', 'ALN');
    const { entry } = sim.store.put(sim.store.sets.get(id)!, 'v', { source: 'first', domain: null });

    await ask('POST', `${ROOT}/set_entries/${entry.id}`, { json: { value: 'w', source: 'second', notes: 'n' } });

    expect(sim.store.findEntry(entry.id)).toMatchObject({ value: 'v', source: 'first', notes: 'n' });
  });
});

describe('searches', () => {
  it('know the built-in columns, and custom properties once an event carries them', async () => {
    await start();
    sim.plant([{ time: NOON, fields: { 'URL Host': 'a.example' } }]);

    const { body } = await ask('GET', '/ariel/databases/events');

    const names = body.columns.map((one: { name: string }) => one.name);
    expect(names).toEqual(expect.arrayContaining(['sourceip', 'starttime', 'URL Host']));
    expect(names).not.toContain('URL');
  });

  it('look whether an address lies in a network', async () => {
    await start();
    sim.plant(['192.0.2.1', '192.0.3.1', 'no address'].map((sourceip) => at(0, { sourceip })));
    const values = async (where: string) =>
      (await search(`SELECT sourceip AS v FROM events WHERE ${where} START ${NOON} STOP ${NOON}`)).map(
        (row: { v: string }) => row.v,
      );

    expect(await values("INCIDR('192.0.2.0/24', sourceip)")).toEqual(['192.0.2.1']);
    expect(await values("NOT INCIDR('192.0.2.0/24', sourceip)")).toEqual(['192.0.3.1', 'no address']);
  });

  const search = async (query_expression: string) => {
    const { body } = await ask('POST', '/ariel/searches', { form: { query_expression } });
    pass(100);
    return (await ask('GET', `/ariel/searches/${body.search_id}/results`)).body.events;
  };
  const at = (offset: number, fields: Record<string, unknown>) => ({ time: NOON + offset, fields });

  it('count events per value within whole minutes', async () => {
    await start();
    sim.plant([
      at(-59_000, { destinationip: '192.0.2.1' }),
      at(-30_000, { destinationip: '192.0.2.1', eventcount: 4 }),
      at(-30_000, { destinationip: '192.0.2.2' }),
      at(-3_600_000, { destinationip: '192.0.2.1' }),
    ]);

    const rows = await search(
      `SELECT destinationip AS v, MIN(starttime) AS f, MAX(starttime) AS l, SUM(eventcount) AS n FROM events WHERE destinationip IN ('192.0.2.1') GROUP BY destinationip LIMIT 10 START ${NOON - 20_000} STOP ${NOON - 10_000}`,
    );

    expect(rows).toEqual([{ v: '192.0.2.1', f: NOON - 59_000, l: NOON - 30_000, n: 5 }]);
  });

  it('look at the last minute when no time is given', async () => {
    await start();
    sim.plant([at(-30_000, { sourceip: '192.0.2.1' }), at(-600_000, { sourceip: '192.0.2.2' })]);

    expect(await search('SELECT sourceip FROM events')).toEqual([{ sourceip: '192.0.2.1' }]);
  });

  it('ask reference sets, with the set as it is now and IPv6 in eight groups', async () => {
    await start();
    const set = sim.store.sets.get(await aSet('Entente IPv6', 'ALNIC'))!;
    sim.store.put(set, '2001:db8:0:0:0:0:0:1', { domain: null });
    sim.plant([at(-1000, { sourceaddress: '2001:DB8::1' }), at(-1000, { sourceaddress: '2001:db8::2' })]);

    const rows = await search(
      "SELECT sourceaddress AS v FROM events WHERE REFERENCESETCONTAINS('Entente IPv6', sourceaddress) LAST 1 HOURS",
    );

    expect(rows).toEqual([{ v: '2001:db8:0:0:0:0:0:1' }]);
  });

  it('give the old search for the same text, and rows of then', async () => {
    await start();
    const query = 'SELECT "URL Host" AS h FROM events LAST 2 HOURS';
    expect(await search(query)).toEqual([]);
    sim.plant([at(-1000, { 'URL Host': 'a.example' })]);

    expect(await search(query)).toEqual([]);
    expect(await search(`${query.replace('LAST 2', 'LAST 3')}`)).toEqual([{ h: 'a.example' }]);
  });
});

describe('back door', () => {
  it('tells what it holds, counts requests by route, and takes events, faults and settings', async () => {
    await start();
    const door = async (name: string, body?: unknown) =>
      (
        await fetch(`${sim.url}/_sim/${name}`, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) })
      ).json();
    await aSet('Seen', 'ALN');

    await door('events', [{ time: '2026-11-23T11:59:00Z', fields: { sourceip: '192.0.2.1' } }]);
    await door('settings', { maxRows: 7 });
    await door('faults', [{ action: 'status', status: 503, times: 1 }]);

    expect((await ask('GET', '/system/about')).status).toBe(503);
    expect(await door('state')).toMatchObject({
      requests: { 'POST /reference_data_collections/sets 201': 1 },
      state: { events: 1, settings: { maxRows: 7 }, sets: [{ name: 'Seen', entries: [] }] },
    });
  });
});

describe('what stands around a console, and what its pages leave open', () => {
  it('refuses methods on the way with 405 and a web page', async () => {
    await start({ settings: { refusedMethods: ['PATCH'] } });

    const refused = await ask('PATCH', `${ROOT}/set_entries`, { json: [] });

    expect(refused.status).toBe(405);
    expect(refused.headers.get('content-type')).toContain('html');
    expect((await ask('GET', `${ROOT}/sets`)).status).toBe(200);
  });

  it('decodes a query once, or twice', async () => {
    await start();
    const id = await aSet('Odd', 'ALN');
    await ask('POST', `${ROOT}/set_entries`, { json: { collection_id: id, value: 'a%2fb+c' } });
    const find = async (filter: string) =>
      (await ask('GET', `${ROOT}/set_entries?filter=${encodeURIComponent(filter)}`)).body.length as number;

    expect(await find(`collection_id = ${id} and value = "a%2fb+c"`)).toBe(1);
    sim.settings.queryDecoding = 'twice';
    expect(await find(`collection_id = ${id} and value = "a%2fb+c"`)).toBe(0);
    expect(await find(encodeURIComponent(`collection_id = ${id} and value = "a%2fb+c"`))).toBe(1);
  });

  it('lets a task wait for those before it, or not', async () => {
    for (const [tasksInOrder, done] of [
      [true, []],
      [false, ['192.0.2.2']],
    ] as const) {
      await start({ settings: { tasksInOrder, nextTasksMs: [5000, 10] } });
      const id = await aSet('Late', 'IP');
      for (const value of ['192.0.2.1', '192.0.2.2'])
        await ask('PATCH', `${ROOT}/set_entries`, { json: [{ collection_id: id, value }] });
      pass(100);
      expect(await values('Late')).toEqual(done);
      pass(5000);
      expect((await values('Late')).toSorted()).toEqual(['192.0.2.1', '192.0.2.2']);
      if (tasksInOrder) await sim.close();
    }
  });

  it('takes a name once per console, or once per namespace, and hides sets of other tenants', async () => {
    await start({ settings: { visibleTenants: [] } });
    const theirs = { name: 'Shared name', entry_type: 'IP', namespace: 'TENANT', tenant_id: 5 };
    const ours = { name: 'Shared name', entry_type: 'IP' };
    const id = (await ask('POST', `${ROOT}/sets`, { json: theirs })).body.id as number;

    expect(await ask('POST', `${ROOT}/sets`, { json: ours })).toMatchObject({ status: 409, body: { code: 10_006 } });
    expect((await ask('GET', `${ROOT}/sets`)).body).toEqual([]);
    expect((await ask('GET', `${ROOT}/sets/${id}`)).status).toBe(404);
    sim.settings.namesUnique = 'namespace';
    expect((await ask('POST', `${ROOT}/sets`, { json: ours })).status).toBe(201);
    sim.settings.visibleTenants = null;
    expect((await ask('GET', `${ROOT}/sets`)).body).toHaveLength(2);
    await ask('POST', '/reference_data/sets/Shared%2520name?value=192.0.2.1');
    expect([
      sim.store.byName('Shared name', null)?.entries.size,
      sim.store.byName('Shared name', 5)?.entries.size,
    ]).toEqual([1, 0]);
  });

  it('cuts pages of offenses shorter than what was asked for', async () => {
    await start({ settings: { maxOffensePage: 2 } });
    const offenses = [1, 2, 3].map((id) => ({ id, last_persisted_time: 7 }));
    await fetch(`${sim.url}/_sim/offenses`, { method: 'POST', body: JSON.stringify(offenses) });
    const page = async (filter: string) =>
      (
        await ask('GET', `/siem/offenses?sort=${encodeURIComponent('+last_persisted_time,+id')}&filter=${filter}`, {
          headers: { Range: 'items=0-99' },
        })
      ).body.map((one: { id: number }) => one.id);

    expect(await page('')).toEqual([1, 2]);
    expect(await page(encodeURIComponent('last_persisted_time > 7 or (last_persisted_time = 7 and id > 2)'))).toEqual([
      3,
    ]);
  });

  it('compares values of events as they are where it does not fold, and each of several', async () => {
    await start({ settings: { foldsEvents: false } });
    const id = await aSet('Names', 'ALNIC');
    await ask('POST', `${ROOT}/set_entries`, { json: { collection_id: id, value: 'evil.example' } });
    sim.plant([
      { time: NOON, fields: { host: 'EVIL.example.' } },
      { time: NOON, fields: { host: ['fine.example', 'evil.example'] } },
    ]);
    const found = async (compared: string) => {
      const query_expression = `SELECT host AS value FROM events WHERE REFERENCESETCONTAINS('Names', ${compared}) START ${NOON - 1000} STOP ${NOON + 1000}`;
      const { body } = await ask('POST', '/ariel/searches', { form: { query_expression } });
      pass(100);
      return (await ask('GET', `/ariel/searches/${body.search_id}/results`)).body.events.length as number;
    };

    expect(await found('host')).toBe(1);
    expect(await found("REPLACEALL('[.]$', LOWER(host), '')")).toBe(2);
    sim.settings.searchError = 'a data node did not answer';
    const { body } = await ask('POST', '/ariel/searches', { form: { query_expression: 'SELECT host FROM events' } });
    pass(100);
    expect((await ask('GET', `/ariel/searches/${body.search_id}`)).body).toMatchObject({
      status: 'COMPLETED',
      error_messages: [{ severity: 'ERROR' }],
    });
  });
});
