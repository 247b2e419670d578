import { describe, expect, it } from 'vitest';
import { misp } from '../../src/connectors/exchange/misp/index.ts';
import type { Page } from '../../src/core/contracts/exchange-connector.ts';
import { type Quirk, startMisp } from '../../src/simulators/misp/index.ts';
import type { Fault } from '../../src/simulators/server.ts';
import { MispConnector } from '../../src/connectors/exchange/misp/connector.ts';
import {
  drain,
  exchangeContract,
  exchangeFaults,
  exchangeReading,
  type FarFault,
  type FarSide,
  failureOf,
  idsOf,
  never,
  testDeps,
} from './exchange.ts';

const SECRET = 'HiddenAuthKeyOfFortyCharacters0123456789';
const idOf = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const EVENT = idOf(9_000_000);
const NUMBERS = Array.from({ length: 23 }, (_one, i) => i);

const anAttribute = (n: number) => ({
  uuid: idOf(n),
  type: 'ip-dst',
  value: `198.51.100.${n % 250}`,
  to_ids: true,
  timestamp: '1767225600',
});
const anEvent = (numbers: readonly number[], uuid = EVENT) => ({
  Event: { uuid, info: 'seed', timestamp: '1767225600', Attribute: numbers.map(anAttribute) },
});
const inObjects = (numbers: readonly number[], uuid = EVENT) => ({
  Event: {
    uuid,
    info: 'seed',
    timestamp: '1767225600',
    Object: numbers.map((n) => ({ name: 'ip-port', Attribute: [anAttribute(n)] })),
  },
});

const FAULTS: Readonly<Record<FarFault, Fault>> = {
  unauthorized: { action: 'status', status: 401, body: JSON.stringify({ message: `no: ${SECRET}` }) },
  forbidden: { action: 'status', status: 403 },
  'too-many-requests': { action: 'status', status: 429, headers: { 'x-rate-limit-reset': '7' } },
  'server-error': { action: 'status', status: 500 },
  reset: { action: 'reset-before' },
  html: { action: 'html' },
  truncated: { action: 'truncate' },
  hang: { action: 'hang' },
};

interface Setting {
  readonly read: 'search' | 'sync';
  readonly quirks?: readonly Quirk[];
  readonly event?: (numbers: readonly number[], uuid?: string) => unknown;
  /** When the event was published, milliseconds ago. */
  readonly ago?: number;
}

const start =
  ({ read, quirks = [], event = anEvent, ago = 3_600_000 }: Setting) =>
  async (): Promise<FarSide> => {
    let shift = ago;
    const server = await startMisp({
      keys: [{ key: SECRET }],
      quirks,
      clock: () => Date.now() - shift,
      data: event(NUMBERS),
    });
    shift = 0;
    const config = misp.config.parse({ type: 'misp', url: server.url, auth: { key: SECRET }, read, page_size: 5 });
    return {
      connector: new MispConnector(config, testDeps()),
      ids: NUMBERS.map(idOf),
      secret: SECRET,
      add: () => {
        server.load(event([...NUMBERS, 100]));
        return idOf(100);
      },
      fail: (fault) => server.setFaults(fault === undefined ? [] : [FAULTS[fault]]),
      requests: () => [...server.requests.values()].reduce((sum, n) => sum + n, 0),
      close: () => server.close(),
    };
  };

/** The contract speaks of indicators; beside them comes the name of the organisation. */
const plain = (far: () => Promise<FarSide>) => async (): Promise<FarSide> => {
  const side = await far();
  const { connector } = side;
  const pages = connector.pages.bind(connector);
  connector.pages = async function* (...given) {
    for await (const page of pages(...given))
      yield { ...page, objects: page.objects.filter((one) => one.kind === 'indicator') };
  };
  return side;
};

/** Events that come whole are stopped between two of them. */
const several =
  (one: (numbers: readonly number[], uuid: string) => unknown) =>
  (numbers: readonly number[]): unknown =>
    Array.from({ length: Math.ceil(numbers.length / 5) }, (_one, i) =>
      one(numbers.slice(5 * i, 5 * i + 5), idOf(9_000_000 + i)),
    );
const guard = [{ kind: 'guard' }] as const;

exchangeContract('misp by search', plain(start({ read: 'search' })));
exchangeReading('misp by search, published a moment ago', plain(start({ read: 'search', ago: 0 })));
exchangeReading('misp by search, in objects', plain(start({ read: 'search', event: inObjects })));
exchangeReading('misp by sync', plain(start({ read: 'sync' })));
exchangeReading('misp by sync, published a moment ago', plain(start({ read: 'sync', ago: 0 })));
exchangeReading('misp by sync, behind a guard', plain(start({ read: 'sync', quirks: guard })));
exchangeReading(
  'misp by sync, of a server that follows MISP',
  plain(start({ read: 'sync', quirks: [{ kind: 'no-named' }] })),
);
exchangeFaults('misp by sync', plain(start({ read: 'sync', event: several(anEvent), quirks: guard })));
exchangeFaults('misp by search, in objects', plain(start({ read: 'search', event: several(inObjects) })));

describe('misp on a server that does wrong', () => {
  it.each<Quirk>([
    { kind: 'unsorted' },
    { kind: 'order-ignored' },
    { kind: 'no-result-count' },
    { kind: 'too-large', rows: 22 },
    { kind: 'numbers' },
    { kind: 'flags' },
    { kind: 'clock-off', secs: 600 },
    { kind: 'moves-while-read', times: 1 },
    { kind: 'truncated-without-limit', rows: 3 },
  ])('brings everything and ends, twice: $kind', async (quirk) => {
    const far = await plain(start({ read: 'search', quirks: [quirk] }))();
    try {
      const once = await drain(far.connector.pages(undefined, never));
      const again = await drain(far.connector.pages(once.at(-1)?.cursor, never));

      expect(new Set(idsOf(once))).toEqual(new Set(far.ids));
      expect(idsOf(again).every((id) => far.ids.includes(id))).toBe(true);
    } finally {
      await far.connector.close();
      await far.close();
    }
  });

  it.each<[Setting['read'], Quirk, string, RegExp]>([
    ['search', { kind: 'guard' }, 'config', /a guard .*set read: sync/],
    ['search', { kind: 'key-expired' }, 'config', /expired .*renew auth.key/],
    ['sync', { kind: 'ip-not-allowed' }, 'config', /may not be used from our address/],
    ['search', { kind: 'no-search' }, 'config', /may not search .*read: sync/],
    ['search', { kind: 'rate-limit', most: 0 }, 'retryable', /429/],
    ['search', { kind: 'login-page' }, 'config', /a web page came/],
  ])('ends with a worded failure: %s %j', async (read, quirk, kind, words) => {
    const far = await start({ read, quirks: [quirk] })();
    try {
      const failure = await failureOf(drain(far.connector.pages(undefined, never)));

      expect(failure.kind).toBe(kind);
      expect(failure.message).toMatch(words);
      if (quirk.kind === 'rate-limit') expect(failure.retryAfterMs).toBeGreaterThan(0);
      const { failure: probed } = (await far.connector.probe(never)) as { failure?: { kind: string } };
      expect(probed?.kind).toBe(kind);
    } finally {
      await far.connector.close();
      await far.close();
    }
  });

  it.each([
    ['as a time', 503, () => ({ 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() })],
    ['in seconds', 503, () => ({ 'retry-after': '3600' })],
    [
      'beside a limit of requests that is not reached',
      503,
      () => ({ 'x-rate-limit-reset': '', 'retry-after': '3600' }),
    ],
    ['as the rest of a limit of requests', 429, () => ({ 'x-rate-limit-reset': '3600', 'retry-after': '1' })],
  ] as const)('waits as long as it is told %s', async (_how, status, headers) => {
    const server = await startMisp({ keys: [{ key: SECRET }] });
    const config = misp.config.parse({ type: 'misp', url: server.url, auth: { key: SECRET }, read: 'search' });
    const connector = new MispConnector(config, testDeps());
    try {
      server.setFaults([{ action: 'status', status, headers: headers() }]);
      const failure = await failureOf(drain(connector.pages(undefined, never)));

      expect(failure).toMatchObject({ kind: 'retryable', status });
      expect(failure.retryAfterMs).toBeGreaterThan(1_800_000);
      expect(failure.retryAfterMs).toBeLessThanOrEqual(3_600_000);
    } finally {
      await connector.close();
      await server.close();
    }
  });

  it('asks for smaller pages of a server that is slow, so that they come in time', async () => {
    const server = await startMisp({
      keys: [{ key: SECRET }],
      // 100 of them take 10 seconds, 20 of them 2.
      quirks: [{ kind: 'slow', ms: 100_000, match: 'attributes/restSearch', times: 2 }],
      clock: () => Date.now() - 3_600_000,
      data: anEvent(Array.from({ length: 130 }, (_one, i) => i)),
    });
    const config = misp.config.parse({ type: 'misp', url: server.url, auth: { key: SECRET }, page_size: 100 });
    const connector = new MispConnector(config, testDeps(3000));
    try {
      const pages: Page[] = await drain(connector.pages(undefined, never));

      expect(new Set(idsOf(pages)).size).toBe(131);
      expect(pages.at(-1)?.cursor).toMatchObject({ limit: { size: 20, of: 100, words: 'no answer in time' } });
    } finally {
      await connector.close();
      await server.close();
    }
  });

  it.each(['search', 'sync'] as const)('lists by %s in spans of time where all of it is too much', async (read) => {
    const day = 86_400_000;
    let now = Date.UTC(2026, 0, 1);
    const server = await startMisp({
      keys: [{ key: SECRET }],
      quirks: [{ kind: 'span-too-large', secs: 40 * 86_400 }],
      clock: () => now,
    });
    const numbers = [0, 1, 2, 3, 4, 5];
    for (const n of numbers) {
      now = Date.UTC(2020, 0, 1) + n * 400 * day;
      server.load(anEvent([n], idOf(9_000_000 + n)));
    }
    now += day;
    const config = misp.config.parse({ type: 'misp', url: server.url, auth: { key: SECRET }, read });
    const connector = new MispConnector(config, { ...testDeps(), clock: { ...testDeps().clock, now: () => now } });
    try {
      const pages: Page[] = await drain(connector.pages(undefined, never));

      expect(new Set(idsOf(pages).filter((one) => !one.startsWith('identity')))).toEqual(new Set(numbers.map(idOf)));
      expect(await drain(connector.pages(pages.at(-1)?.cursor, never))).toEqual([]);
      const listed = [];
      for await (const part of connector.listing?.(never) ?? []) listed.push(...part.present);
      expect(listed.map((one) => one.objectId)).toEqual(numbers.map(idOf));
    } finally {
      await connector.close();
      await server.close();
    }
  });

  it('asks for smaller pages where large ones are too much, and remembers it', async () => {
    const server = await startMisp({
      keys: [{ key: SECRET }],
      quirks: [{ kind: 'too-large', rows: 30, match: 'attributes' }],
      clock: () => Date.now() - 3_600_000,
      data: anEvent(Array.from({ length: 130 }, (_one, i) => i)),
    });
    const config = misp.config.parse({ type: 'misp', url: server.url, auth: { key: SECRET }, page_size: 100 });
    const connector = new MispConnector(config, testDeps());
    try {
      const pages: Page[] = await drain(connector.pages(undefined, never));

      // With the name of the organisation.
      expect(new Set(idsOf(pages)).size).toBe(131);
      expect(pages.at(-1)?.cursor).toMatchObject({ limit: { size: 20, of: 100 } });
    } finally {
      await connector.close();
      await server.close();
    }
  });
});
