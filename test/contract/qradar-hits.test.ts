// Hits on a simulated console: what is found, what is asked for, and what happens when a search goes wrong.
import { afterEach, describe, expect, it } from 'vitest';
import type { Json } from '../../src/core/model/json.ts';
import type { ConnectorError } from '../../src/core/model/failure.ts';
import type { SiemConnector } from '../../src/core/contracts/siem-connector.ts';
import type { Hit } from '../../src/core/model/sighting.ts';
import { type Clock, systemClock } from '../../src/core/runtime/clock.ts';
import { createHttp } from '../../src/core/runtime/http.ts';
import { anEntry } from '../builders/entry.ts';
import { startFaultProxy } from './fault-proxy.ts';
import { qradarConfig, qradarConnector, qradarDeps } from './qradar-harness.ts';
import { QRadarConnector } from '../../src/connectors/siem/qradar/connector.ts';
import { apply, asked, connect, signal, sim, start, stop, upserts } from './qradar-rig.ts';

afterEach(stop);

const ADDRESS = '198.51.100.7';
const KEY = `ipv4-addr|${ADDRESS}`;
const SECOND = 1000;
const MINUTE = 60 * SECOND;

async function read(connector: SiemConnector, cursor?: Json) {
  const hits: Hit[] = [];
  let place: Json | undefined = cursor;
  for await (const page of connector.hits!.read(cursor, signal)) {
    hits.push(...page.hits);
    place = page.cursor;
  }
  return { hits, cursor: place };
}

/** As the store does: a digest counts what came on top. */
const total = (hits: readonly Hit[]) => {
  const counts = new Map<string, number>();
  for (const hit of hits) counts.set(hit.dedupe, Math.max(counts.get(hit.dedupe) ?? 0, hit.count));
  return [...counts.values()].reduce((sum, one) => sum + one, 0);
};

const ago = (ms: number, fields: Record<string, unknown>) => ({ time: Date.now() - ms, fields });
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error as ConnectorError,
  );

describe('hits in QRadar', () => {
  it('are found in each field, with times and counts of coalesced events', async () => {
    const connector = await start();
    await apply(connector, upserts([anEntry({ value: ADDRESS })]));
    const events = [
      ago(3 * SECOND, { destinationip: ADDRESS, eventcount: 4 }),
      ago(2 * SECOND, { destinationip: ADDRESS }),
      ago(2 * SECOND, { sourceip: ADDRESS, destinationip: '192.0.2.1' }),
    ];
    sim.plant(events);

    const { hits } = await read(connector);

    expect(new Set(hits.map((hit) => hit.key))).toEqual(new Set([KEY]));
    expect(total(hits)).toBe(6);
    expect(Math.min(...hits.map((hit) => hit.first))).toBe(events[0]?.time);
    expect(Math.max(...hits.map((hit) => hit.last))).toBe(events[2]?.time);
  });

  it('know names, addresses and URLs by the entry in the set, whatever the letters in the log', async () => {
    const connector = await start();
    const url = 'http://evil.example/Path?Q=1';
    const entries = [
      anEntry({ type: 'domain-name', value: 'evil.example' }),
      anEntry({ type: 'ipv6-addr', value: '2001:db8::7' }),
      anEntry({ type: 'url', value: url }),
      anEntry({ type: 'file:hashes.MD5', value: 'd41d8cd98f00b204e9800998ecf8427e' }),
    ];
    await apply(connector, upserts(entries));
    sim.plant([
      ago(0, { 'DNS Request Domain': 'EVIL.example' }),
      ago(0, { destinationaddress: '2001:db8:0:0:0:0:0:7' }),
      ago(0, { URL: url.toUpperCase() }),
      ago(0, { 'MD5 Hash': 'D41D8CD98F00B204E9800998ECF8427E' }),
      ago(0, { 'URL Host': 'harmless.example' }),
    ]);

    const { hits } = await read(connector);

    expect(hits.map((hit) => hit.key).toSorted()).toEqual(entries.map((entry) => entry.key).toSorted());
  });

  it.each([
    ['folds', { foldsEvents: true }],
    ['does not fold', { foldsEvents: false }],
  ])('are found in other letters and with a final dot, where the console %s', async (_, settings) => {
    const connector = await start({ settings });
    const entries = [
      anEntry({ type: 'domain-name', value: 'evil.example' }),
      anEntry({ type: 'url', value: 'http://evil.example/Path' }),
      anEntry({ type: 'email-addr', value: 'Eve@evil.example' }),
      anEntry({ type: "file:hashes.'SHA-256'", value: 'ab'.repeat(32) }),
    ];
    await apply(connector, upserts(entries));
    await connector.close();
    const asking = connect({ event_fields: { 'email-addr': ['Sender'] } });
    sim.plant([
      ago(0, { 'DNS Request Domain': 'EVIL.Example.' }),
      ago(0, { URL: 'HTTP://EVIL.example/path' }),
      ago(0, { Sender: 'EVE@Evil.example' }),
      ago(0, { 'SHA256 Hash': 'AB'.repeat(32) }),
    ]);

    expect((await read(asking)).hits.map((hit) => hit.key).toSorted()).toEqual(
      entries.map((entry) => entry.key).toSorted(),
    );
  });

  it('are found as they are written where the console takes no function beside a set', async () => {
    const connector = await start({ settings: { functionsInSets: false } });
    const entry = anEntry({ type: 'domain-name', value: 'evil.example' });
    await apply(connector, upserts([entry]));
    sim.plant([ago(0, { 'DNS Request Domain': 'evil.example' })]);

    expect((await read(connector)).hits.map((hit) => hit.key)).toEqual([entry.key]);
  });

  it('are read though a proxy lets no PATCH through', async () => {
    const connector = await start();
    await apply(connector, upserts([anEntry({ value: ADDRESS })]));
    await connector.close();
    const again = connect();
    await again.open(signal);
    sim.settings.refusedMethods = ['PATCH'];
    sim.plant([ago(0, { destinationip: ADDRESS })]);

    expect(total((await read(again)).hits)).toBe(1);
  });

  it('are found where a property holds several values', async () => {
    const connector = await start();
    const url = anEntry({ type: 'url', value: 'https://evil.example/b' });
    await apply(connector, upserts([anEntry({ value: ADDRESS }), url]));
    sim.plant([
      ago(0, { destinationip: ['10.9.9.9', ADDRESS] }),
      ago(0, { URL: ['https://fine.example/', 'https://evil.example/b'] }),
    ]);

    const { hits } = await read(connector);

    expect(hits.map((hit) => hit.key).toSorted()).toEqual([KEY, url.key]);
    expect(total(hits)).toBe(2);
  });

  it('are found on a console before 7.4.3, with the letters that the set folded', async () => {
    const connector = await start({ apiVersion: '14.0' });
    const url = 'http://evil.example/Path';
    await apply(connector, upserts([anEntry({ type: 'url', value: url })]));
    sim.plant([ago(0, { URL: url })]);

    expect((await read(connector)).hits.map((hit) => hit.key)).toEqual([`url|${url}`]);
  });

  it('on values that an analyst put into our sets are not ours', async () => {
    const connector = await start();
    await apply(connector, upserts([anEntry({ value: ADDRESS })]));
    sim.store.put(sim.store.byName('Entente IPv4')!, '192.0.2.66', { source: 'analyst', domain: null });
    sim.plant([ago(0, { destinationip: '192.0.2.66' })]);

    expect((await read(connector)).hits).toEqual([]);
  });

  it('that own scanners cause are not counted', async () => {
    const connector = await start({}, { ignore_hosts: ['192.0.2.9', '203.0.113.0/24'] });
    await apply(connector, upserts([anEntry({ value: ADDRESS })]));
    sim.plant(
      ['192.0.2.9', '203.0.113.77', '192.0.2.10'].map((sourceip) => ago(0, { sourceip, destinationip: ADDRESS })),
    );

    expect(total((await read(connector)).hits)).toBe(1);
  });

  it('are looked for in the configured fields only', async () => {
    const connector = await start({}, { event_fields: { 'ipv4-addr': ['NAT Address'] } });
    await apply(connector, upserts([anEntry({ value: ADDRESS })]));
    sim.plant([ago(0, { 'NAT Address': ADDRESS }), ago(0, { destinationip: ADDRESS })]);

    expect(total((await read(connector)).hits)).toBe(1);
    expect(asked('POST /ariel/searches')).toBeGreaterThan(0);
  });

  it('cost no search for a set that is empty or a property that the console has not', async () => {
    const connector = await start();
    await read(connector);
    expect(asked('POST /ariel/searches')).toBe(0);

    await apply(connector, upserts([anEntry({ type: 'url', value: 'http://evil.example/' })]));
    await read(connector);
    expect(asked('POST /ariel/searches')).toBe(0);
  });

  it('are read once, late ones inside the overlap too, over hours and bucket by bucket', async () => {
    // The console's clock stands shortly after the begin of a bucket: what comes late belongs to the one before.
    const shift = 10 * MINUTE - (Date.now() % (10 * MINUTE)) + 5 * SECOND;
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + shift };
    const connector = await start({ clock });
    await apply(connector, upserts([anEntry({ value: ADDRESS })]));
    const begin = clock.now();
    const before = (minutes: number) => ({ time: begin - minutes * MINUTE, fields: { destinationip: ADDRESS } });
    sim.plant([1, 33, 34, 78, 140, 199].map(before));

    const first = await read(connector, { 'IPv4|destinationip': begin - 200 * MINUTE });
    sim.plant([before(9)]);
    const second = await read(connector, first.cursor);
    const third = await read(connector, second.cursor);

    expect(total(first.hits)).toBe(6);
    expect(total([...first.hits, ...second.hits])).toBe(7);
    expect(total([...first.hits, ...second.hits, ...third.hits])).toBe(7);
    expect(second.hits.every((hit) => hit.last > begin - 25 * MINUTE)).toBe(true);
  });

  it('are read page by page, a thousand rows at most', async () => {
    const connector = await start();
    const many = Array.from({ length: 1500 }, (_, i) => `198.51.${Math.floor(i / 250)}.${i % 250}`);
    const entries = many.map((value) => anEntry({ value }));
    await apply(connector, upserts(entries.slice(0, 1000)));
    await apply(connector, upserts(entries.slice(1000)));
    sim.plant(many.map((destinationip) => ago(0, { destinationip })));

    const { hits } = await read(connector);

    expect(new Set(hits.map((hit) => hit.key)).size).toBe(1500);
    expect(asked('GET /ariel/searches/{search_id}/results')).toBeGreaterThan(2);
  });

  it('are read to an end through a proxy that takes Range off', async () => {
    const connector = await start();
    await apply(connector, upserts([anEntry({ value: ADDRESS })]));
    sim.plant([ago(SECOND, { destinationip: ADDRESS }), ago(SECOND, { sourceip: ADDRESS })]);
    const proxy = await startFaultProxy(sim.url, ({ headers }) => Reflect.deleteProperty(headers, 'range'));
    try {
      const { hits } = await read(qradarConnector({ url: proxy.url, token: sim.token }));

      expect(total(hits)).toBe(2);
      expect(asked('GET /ariel/searches/{search_id}/results')).toBeLessThan(10);
    } finally {
      await proxy.close();
    }
  });

  it('are found by the clock of the console, a day behind or ahead', async () => {
    for (const shift of [-24 * 60 * MINUTE, 24 * 60 * MINUTE]) {
      const clock: Clock = { ...systemClock, now: () => systemClock.now() + shift };
      const connector = await start({ clock });
      await apply(connector, upserts([anEntry({ value: ADDRESS })]));
      const before = await read(connector);
      sim.plant([{ time: clock.now(), fields: { destinationip: ADDRESS } }]);

      expect(total((await read(connector, before.cursor)).hits)).toBe(1);
      if (shift < 0) await stop();
    }
  });

  it('are read on from the last finished field after a reading that was cut off', async () => {
    const connector = await start();
    await apply(connector, upserts([anEntry({ value: ADDRESS })]));
    sim.plant([ago(0, { sourceip: ADDRESS }), ago(0, { destinationip: ADDRESS })]);
    const hits: Hit[] = [];
    let cursor: Json | undefined;
    for await (const page of connector.hits!.read(undefined, signal)) {
      hits.push(...page.hits);
      cursor = page.cursor;
      if (hits.length > 0) break;
    }
    hits.push(...(await read(connector, cursor)).hits);

    expect(total(hits)).toBe(2);
    const state = (await (await fetch(`${sim.url}/_sim/state`)).json()) as { state: { searches: number } };
    expect(state.state.searches).toBe(0);
  });
});

describe('offenses', () => {
  const FALSE_POSITIVE = 3;
  const anOffense = (id: number, source: string, more: object = {}) => ({
    id,
    status: 'CLOSED',
    closing_reason_id: FALSE_POSITIVE,
    offense_source: source,
    description: `CANARY of ${source}\n`,
    last_updated_time: Date.now() - MINUTE,
    last_persisted_time: Date.now(),
    ...more,
  });
  const plant = async (offenses: readonly object[]) =>
    fetch(`${sim.url}/_sim/offenses`, { method: 'POST', body: JSON.stringify(offenses) });
  const one = async () => {
    const connector = await start({}, { false_positive_reasons: [FALSE_POSITIVE] });
    await apply(
      connector,
      upserts([anEntry({ value: ADDRESS }), anEntry({ type: 'domain-name', value: 'evil.example' })]),
    );
    return connector;
  };

  it('closed as false positives are verdicts on the entry they are indexed on, once', async () => {
    const connector = await one();
    await plant([
      anOffense(1, ADDRESS),
      anOffense(2, 'Evil.example'),
      anOffense(3, ADDRESS, { closing_reason_id: 1 }),
      anOffense(4, ADDRESS, { status: 'OPEN', closing_reason_id: null }),
      anOffense(5, '192.0.2.77'),
      anOffense(6, ADDRESS, { last_persisted_time: Date.now() - 60 * MINUTE }),
    ]);

    const first = await read(connector);
    await plant([anOffense(7, ADDRESS)]);
    const second = await read(connector, first.cursor);

    const said = ({ hits }: { hits: readonly Hit[] }) => hits.map((hit) => [hit.key, hit.verdict, hit.count]);
    expect(said(first)).toEqual([
      [KEY, 'false_positive', 1],
      ['domain-name|evil.example', 'false_positive', 1],
    ]);
    // Read again inside the overlap, told apart by their digests.
    expect(new Set([...first.hits, ...second.hits].map((hit) => hit.dedupe)).size).toBe(3);
    expect(JSON.stringify([first, second])).not.toContain('CANARY');
  });

  it.each([2, 5])('are all read, equal times and pages cut to %i included', async (maxOffensePage) => {
    const connector = await one();
    sim.settings.maxOffensePage = maxOffensePage;
    const at = Date.now();
    await plant(
      Array.from({ length: 23 }, (_, n) => anOffense(n + 1, ADDRESS, { last_persisted_time: at - (n < 11 ? 0 : n) })),
    );

    expect(new Set((await read(connector)).hits.map((hit) => hit.dedupe)).size).toBe(23);
  });

  it('are read on from the page that was reached, not from the begin', async () => {
    const connector = await one();
    sim.settings.maxOffensePage = 2;
    const old = Date.now() - 60 * MINUTE;
    await plant(
      Array.from({ length: 10 }, (_, n) => anOffense(n + 1, ADDRESS, { last_persisted_time: old + n * 5 * MINUTE })),
    );
    let cursor: Json | undefined;
    for await (const page of connector.hits!.read({ offenses: old - MINUTE }, signal)) {
      cursor = page.cursor;
      if (page.hits.length > 0) break;
    }

    expect((cursor as { offenses: number }).offenses).toBe(old + 5 * MINUTE);
  });

  it('of an unexpected form are passed over', async () => {
    const connector = await one();
    await plant([anOffense(1, ADDRESS, { offense_source: 17 }), anOffense(2, ADDRESS)]);

    expect((await read(connector)).hits).toHaveLength(1);
  });

  it('whose source is no value at all, or aims at the filter, are about nothing of ours', async () => {
    const connector = await one();
    const hostile = [
      '',
      '" or value is not null or value = "',
      "' OR 1=1 --",
      'jane.doe',
      `${ADDRESS}" or id > 0`,
      '%',
    ];
    await plant(hostile.map((text, n) => anOffense(n + 1, text)));

    expect((await read(connector)).hits).toEqual([]);
  });

  it('are not asked for unless somebody said which reasons mean a false positive', async () => {
    const connector = await start();
    await apply(connector, upserts([anEntry({ value: ADDRESS })]));
    await plant([anOffense(1, ADDRESS)]);

    expect((await read(connector)).hits).toEqual([]);
    expect(asked('GET /siem/offenses')).toBe(0);
  });
});

describe('a search', () => {
  async function oneHit() {
    const connector = await start();
    await apply(connector, upserts([anEntry({ value: ADDRESS })]));
    sim.plant([ago(0, { destinationip: ADDRESS })]);
    return connector;
  }
  const gone = JSON.stringify({ http_response: { code: 404 }, code: 1002, message: 'The search does not exist' });

  it('is deleted afterwards', async () => {
    const connector = await oneHit();
    await read(connector);

    expect(asked('DELETE /ariel/searches/{search_id} 202')).toBe(asked('POST /ariel/searches 201'));
  });

  it.each(['/results', 'GET /api/ariel/searches/0'])('that expired (404 to %s) is made again', async (match) => {
    const connector = await oneHit();
    sim.setFaults([{ match, action: 'status', status: 404, body: gone, times: 2 }]);

    expect(total((await read(connector)).hits)).toBe(1);
  });

  it('that vanishes again and again is a failure to be tried later', async () => {
    const connector = await oneHit();
    sim.setFaults([{ match: '/results', action: 'status', status: 404, body: gone }]);

    const failure = await failureOf(read(connector));

    expect(failure).toMatchObject({ kind: 'retryable', status: 404 });
    expect(failure?.message).toContain('vanished');
  });

  it.each([429, 503])('refused with %i is tried later, after the time that was asked for', async (status) => {
    const connector = await oneHit();
    const body = JSON.stringify({ code: 1010, message: 'the cluster is busy' });
    sim.setFaults([{ match: 'POST /api/ariel', action: 'status', status, headers: { 'retry-after': '7' }, body }]);

    expect(await failureOf(read(connector))).toMatchObject({ kind: 'retryable', status, retryAfterMs: 7000 });
  });

  it('that fails on the console says why, and is tried later', async () => {
    const connector = await oneHit();
    const messages = [{ code: 1, message: 'disk is full', severity: 'ERROR', contexts: [] }];
    const body = JSON.stringify({ search_id: 'x', status: 'ERROR', error_messages: messages });
    sim.setFaults([{ match: 'GET /api/ariel/searches/0', action: 'status', status: 200, body }]);

    const failure = await failureOf(read(connector));

    expect(failure).toMatchObject({ kind: 'retryable' });
    expect(failure?.message).toContain('disk is full');
  });

  it('that is complete but complains of an error is a failure, and the cursor waits', async () => {
    const connector = await oneHit();
    sim.settings.searchError = 'a data node did not answer';
    const cursors: Json[] = [];

    const failure = await failureOf(
      (async () => {
        for await (const page of connector.hits!.read(undefined, signal)) cursors.push(page.cursor);
      })(),
    );

    expect(failure).toMatchObject({
      kind: 'retryable',
      message: expect.stringContaining('a data node did not answer'),
    });
    expect(cursors).toEqual([]);
    sim.settings.searchError = '';
    expect(total((await read(connector)).hits)).toBe(1);
  });

  it('that AQL does not take is for a person, who learns which one', async () => {
    const connector = await oneHit();
    const body = JSON.stringify({ code: 2000, message: 'no such column' });
    sim.setFaults([{ match: 'POST /api/ariel', action: 'status', status: 422, body }]);

    const failure = await failureOf(read(connector));

    expect(failure).toMatchObject({ kind: 'config', status: 422 });
    expect(failure?.message).toContain('Entente IPv4 in sourceip (code 2000): no such column');
  });
});

it('no value of a feed or an event becomes part of a query', async () => {
  await start();
  const sent: string[] = [];
  const place = { url: sim.url, token: sim.token };
  const deps = qradarDeps(place);
  const http: typeof deps.http = (options) => {
    const client = createHttp({ label: 'SIEM', timeoutMs: 1500, allowHttp: false, tls: {} }, options);
    const request: typeof client.request = (one) => {
      if (one.path.includes('ariel')) sent.push(`${one.path} ${JSON.stringify(one.query)} ${one.body?.toString()}`);
      return client.request(one);
    };
    return { ...client, request };
  };
  const connector = new QRadarConnector(qradarConfig(place), { ...deps, http });
  await connector.open(signal);
  const hostile = `http://evil.example/')%20OR%20('1'='1" OR REFERENCESETCONTAINS('x', URL) -- CANARY`;
  await apply(connector, upserts([anEntry({ type: 'url', value: hostile })]));
  sim.plant([
    ago(0, { URL: hostile }),
    ago(0, { URL: `') OR 1=1 -- CANARY` }),
    ago(0, { URL: 'http://harmless.example/', username: `CANARY' OR 'a'='a` }),
  ]);

  const { hits } = await read(connector);
  await connector.close();

  expect(hits.map((hit) => [hit.key, hit.count])).toEqual([[`url|${hostile}`, 1]]);
  const queries = sent.filter((one) => one.includes('query_expression'));
  expect(queries).toHaveLength(1);
  expect(sent.join('\n')).not.toMatch(/canary|evil|harmless|username/i);
  // In the body, and nothing of it in the address.
  expect(queries[0]).toMatch(/^\/api\/ariel\/searches undefined query_expression=SELECT\+URL\+AS\+value/);
});
