// A sick collection beside sound ones, and answers with nothing in them, on the simulated exchange.
import { afterEach, describe, expect, it } from 'vitest';
import { taxii21 } from '../../src/connectors/exchange/taxii21/index.ts';
import type { Page, Reading, ScopeEnd } from '../../src/core/contracts/exchange-connector.ts';
import type { Json } from '../../src/core/model/json.ts';
import { systemClock } from '../../src/core/runtime/clock.ts';
import type { Fault } from '../../src/simulators/server.ts';
import { type Quirk, startTaxii, type TaxiiOptions } from '../../src/simulators/taxii/index.ts';
import { Taxii21Connector } from '../../src/connectors/exchange/taxii21/connector.ts';
import { drain, idsOf, never, testDeps } from './exchange.ts';

const idOf = (n: number) => `indicator--00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const DAY_MS = 86_400_000;

function anIndicator(n: number, more: object = {}) {
  return {
    type: 'indicator',
    spec_version: '2.1',
    id: idOf(n),
    created: '2026-01-01T00:00:00.000Z',
    modified: '2026-01-01T00:00:00.000Z',
    valid_from: '2026-01-01T00:00:00Z',
    pattern: `[ipv4-addr:value = '198.51.100.${n % 250}']`,
    pattern_type: 'stix',
    ...more,
  };
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const TITLES = ['First', 'Second', 'Third'];

async function threeOf(options: TaxiiOptions = {}, config: object = {}, timeoutMs = 5000) {
  const taxii = await startTaxii({ more: TITLES, users: [], ...options });
  closers.push(() => taxii.close());
  for (const [n, title] of TITLES.entries())
    taxii.load([anIndicator(n + 1)], {
      collection: title,
      dateAdded: new Date(options.clock?.() ?? Date.now() - 3_600_000).toISOString(),
    });
  const parsed = taxii21.config.parse({ type: 'taxii21', url: taxii.apiRoot, collections: TITLES, ...config });
  const connector = new Taxii21Connector(parsed, testDeps(timeoutMs));
  closers.push(() => connector.close());
  const poll = async (cursor?: Json, now = systemClock.now()) => {
    const ends = new Map<string, ScopeEnd>();
    const reading: Reading = { now: () => now, due: () => true, ended: ({ title }, end) => void ends.set(title, end) };
    const pages: Page[] = [];
    for await (const page of connector.pages(cursor, never, reading)) pages.push(page);
    return { ids: idsOf(pages).sort(), cursor: pages.at(-1)?.cursor ?? cursor, ends };
  };
  return { taxii, connector, poll };
}

describe('one collection of three that is sick', () => {
  const of = (id: string, fault: Omit<Fault, 'match'>): Fault[] => [{ ...fault, match: `${id}/objects/` }];

  it.each<[string, Omit<Fault, 'match'>, string]>([
    ['answers 500', { action: 'status', status: 500, body: '{"title":"Unsupported operation"}' }, 'retryable'],
    ['answers 401', { action: 'status', status: 401 }, 'config'],
    ['answers 403', { action: 'status', status: 403 }, 'config'],
    ['answers 429', { action: 'status', status: 429 }, 'retryable'],
    ['answers 404', { action: 'status', status: 404 }, 'ok'],
    ['answers 422', { action: 'status', status: 422 }, 'permanent'],
    ['resets the connection', { action: 'reset-before' }, 'retryable'],
    ['sends half an answer', { action: 'truncate' }, 'retryable'],
    ['sends a login page', { action: 'html' }, 'config'],
    ['sends NaN', { action: 'status', status: 200, body: '{"objects":[{"confidence":NaN}]}' }, 'retryable'],
    ['ends inside a text', { action: 'status', status: 200, body: '{"objects":[{"id":"indic' }, 'retryable'],
    ['sends no JSON', { action: 'status', status: 200, body: '{]' }, 'retryable'],
    ['sends a list', { action: 'status', status: 200, body: '[]' }, 'permanent'],
    ['sends nothing', { action: 'status', status: 200, body: '' }, 'ok'],
  ])(
    'keeps nobody from being read, and is read from where it stood once it is well: it %s',
    async (_n, fault, kind) => {
      const { taxii, poll } = await threeOf();
      taxii.setFaults(of(taxii.idOf('Second'), fault));

      const first = await poll();
      taxii.setFaults([]);
      const second = await poll(first.cursor);

      expect(first.ids).toEqual([1, 3].map(idOf));
      expect(TITLES.map((title) => first.ends.get(title)?.failure?.kind ?? 'ok')).toEqual(['ok', kind, 'ok']);
      if (kind !== 'ok') expect(first.ends.get('Second')?.failure?.message).toContain('collection Second');
      expect(second.ids).toContain(idOf(2));
    },
  );

  it('hangs, and the third is read long before anybody gives up on it', async () => {
    const { taxii, connector } = await threeOf({}, {}, 60_000);
    taxii.setFaults(of(taxii.idOf('Second'), { action: 'hang' }));
    const stop = new AbortController();
    const start = performance.now();
    const ids: string[] = [];
    const reading: Reading = { now: () => systemClock.now(), due: () => true, ended: () => {} };
    await expect(
      (async () => {
        for await (const page of connector.pages(undefined, stop.signal, reading)) {
          ids.push(...idsOf([page]));
          if (ids.length === 2) stop.abort();
        }
      })(),
    ).rejects.toThrow(/stopped/);

    expect(ids).toEqual([1, 3].map(idOf));
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it('that hangs fails alone when its time is over', async () => {
    const { taxii, poll } = await threeOf({}, {}, 300);
    taxii.setFaults(of(taxii.idOf('Second'), { action: 'hang' }));

    const { ids, ends } = await poll();

    expect(ids).toEqual([1, 3].map(idOf));
    expect(ends.get('Second')?.failure).toMatchObject({ kind: 'retryable', message: expect.stringMatching(/in time/) });
  });

  it('is not asked while it rests', async () => {
    const { taxii, connector } = await threeOf();
    const second = taxii.idOf('Second');
    const reading: Reading = { now: () => systemClock.now(), due: (scope) => scope !== second, ended: () => {} };
    const pages: Page[] = [];
    for await (const page of connector.pages(undefined, never, reading)) pages.push(page);

    expect(idsOf(pages)).toEqual([1, 3].map(idOf));
  });

  it('is named by a probe, with every other that is', async () => {
    const { taxii, connector } = await threeOf();
    taxii.setFaults([
      { action: 'status', status: 500, match: `${taxii.idOf('Second')}/objects/` },
      { action: 'status', status: 403, match: `${taxii.idOf('Third')}/objects/` },
    ]);

    const probe = await connector.probe(never);

    expect(probe.ok).toBe(false);
    expect(probe.message).toMatch(/collection Second.*collection Third/s);
  });

  it.each([401, 403, 429, 503])('is named by a probe, which goes on after %d', async (status) => {
    const { taxii, connector } = await threeOf();
    taxii.setFaults([
      { action: 'status', status, match: `${taxii.idOf('First')}/objects/` },
      { action: 'status', status, match: `${taxii.idOf('Third')}/objects/` },
    ]);

    const probe = await connector.probe(never);

    expect([probe.ok, probe.message]).toEqual([false, expect.stringMatching(/collection First.*collection Third/s)]);
  });

  it('is named by its configured name where there is none, and the others are read', async () => {
    const { poll } = await threeOf({}, { collections: ['First', 'Nowhere', 'Third'] });

    const { ids, ends } = await poll();

    expect(ids).toEqual([1, 3].map(idOf));
    expect(ends.get('Nowhere')?.failure).toMatchObject({ kind: 'config' });
  });
});

describe('nothing new', () => {
  it.each<Quirk['kind']>(['empty-200', 'empty-204', 'empty-404'])(
    'told as %s moves nothing and fails nothing',
    async (kind) => {
      const { taxii, poll } = await threeOf();
      const once = await poll();
      taxii.setQuirks([{ kind }]);

      // Beyond the overlap.
      const again = await poll(once.cursor, systemClock.now() + 3_600_000);
      taxii.load([anIndicator(9)], { collection: 'Second' });
      const later = await poll(again.cursor);

      expect([again.ids, [...again.ends.values()]]).toEqual([[], [{}, {}, {}]]);
      expect(again.cursor).toEqual(once.cursor);
      expect(later.ids).toContain(idOf(9));
    },
  );

  it.each<Quirk['kind']>(['empty-200', 'empty-204'])(
    'from the beginning, told as %s, is an empty collection',
    async (kind) => {
      const taxii = await startTaxii({ users: [], quirks: [{ kind }] });
      closers.push(() => taxii.close());
      const config = taxii21.config.parse({
        type: 'taxii21',
        url: taxii.apiRoot,
        collections: [taxii.collections.read],
      });
      const connector = new Taxii21Connector(config, testDeps());
      closers.push(() => connector.close());

      expect(await connector.probe(never)).toMatchObject({ ok: true });
      expect(await drain(connector.pages(undefined, never))).toEqual([]);
    },
  );
});

describe('a partner whose clock runs a year ahead for a while', () => {
  const YEAR_MS = 365 * DAY_MS;

  it('does not keep later revocations from arriving', async () => {
    let ahead = YEAR_MS;
    const { taxii, poll } = await threeOf({ clock: () => systemClock.now() + ahead });

    const wrong = await poll();
    ahead = 0;
    const right = await poll(wrong.cursor);
    taxii.load([anIndicator(1, { revoked: true, modified: '2026-01-02T00:00:00.000Z' })], { collection: 'First' });
    taxii.load([anIndicator(4)], { collection: 'Second', dateAdded: new Date().toISOString() });
    const later = await poll(right.cursor);

    expect(wrong.ids).toEqual([1, 2, 3].map(idOf));
    expect(later.ids).toContain(idOf(4));
  });

  it.each([1000, 3_600_000, YEAR_MS])('has no cursor of ours run ahead of our own time, by %i ms', async (ahead) => {
    const { poll } = await threeOf({ clock: () => systemClock.now() + ahead });

    const { cursor } = await poll();

    for (const text of JSON.stringify(cursor).matchAll(/"micros":"(\d+)"/g))
      expect(Number(text[1]) / 1000).toBeLessThanOrEqual(systemClock.now());
  });

  it('set a cursor of ours a year ahead, which comes back and says so', async () => {
    const { poll, taxii } = await threeOf();
    const { cursor } = await poll();
    const ahead = JSON.parse(
      JSON.stringify(cursor)
        .replaceAll(
          /"micros":"(\d+)"/g,
          (_all, micros: string) => `"micros":"${BigInt(micros) + BigInt(YEAR_MS) * 1000n}"`,
        )
        .replaceAll(/"text":"(\d{4})/g, (_all, year: string) => `"text":"${Number(year) + 1}`),
    ) as Json;
    taxii.load([anIndicator(7)], { collection: 'Third' });
    const warnings: string[] = [];
    const ids: string[] = [];
    const parsed = taxii21.config.parse({ type: 'taxii21', url: taxii.apiRoot, collections: TITLES });
    const connector = new Taxii21Connector(parsed, testDeps());
    closers.push(() => connector.close());
    for await (const page of connector.pages(ahead, never)) {
      ids.push(...idsOf([page]));
      if (page.warning !== undefined) warnings.push(page.warning);
    }

    expect(ids.sort()).toEqual([1, 2, 3, 7].map(idOf));
    expect(warnings.join()).toMatch(/ahead of our own time.*read again/);
  });
});
