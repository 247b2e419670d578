import { describe, expect, it } from 'vitest';
import { taxii21 } from '../../src/connectors/exchange/taxii21/index.ts';
import type { Page } from '../../src/core/contracts/exchange-connector.ts';
import type { Fault } from '../../src/simulators/server.ts';
import { startTaxii } from '../../src/simulators/taxii/index.ts';
import type { Quirk } from '../../src/simulators/taxii/quirks.ts';
import { Taxii21Connector } from '../../src/connectors/exchange/taxii21/connector.ts';
import { drain, exchangeContract, type FarFault, type FarSide, failureOf, idsOf, never, testDeps } from './exchange.ts';

const SECRET = 'Hidden-password-1';
const idOf = (n: number) => `indicator--00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

function anIndicator(n: number) {
  return {
    type: 'indicator',
    spec_version: '2.1',
    id: idOf(n),
    created: '2026-01-01T00:00:00.000Z',
    modified: '2026-01-01T00:00:00.000Z',
    valid_from: '2026-01-01T00:00:00Z',
    pattern: `[ipv4-addr:value = '198.51.100.${n % 250}']`,
    pattern_type: 'stix',
  };
}

const FAULTS: Readonly<Record<FarFault, Fault>> = {
  unauthorized: { action: 'status', status: 401, body: JSON.stringify({ title: `no: ${SECRET}` }) },
  forbidden: { action: 'status', status: 403 },
  'too-many-requests': { action: 'status', status: 429, headers: { 'retry-after': '7' } },
  'server-error': { action: 'status', status: 500 },
  reset: { action: 'reset-before' },
  html: { action: 'html' },
  truncated: { action: 'truncate' },
  hang: { action: 'hang' },
};

const start = (quirks: readonly Quirk[], addedFrom: number | undefined) => async (): Promise<FarSide> => {
  const ids = Array.from({ length: 23 }, (_one, i) => idOf(i));
  const taxii = await startTaxii({
    users: [{ username: 'mons', password: SECRET }],
    data: ids.map((_id, i) => anIndicator(i)),
    quirks,
    ...(addedFrom === undefined ? {} : { dataAddedFrom: addedFrom }),
  });
  const config = taxii21.config.parse({
    type: 'taxii21',
    url: taxii.discovery,
    collections: [taxii.collections.read],
    auth: { username: 'mons', password: SECRET },
    page_size: 5,
  });
  return {
    connector: new Taxii21Connector(config, testDeps()),
    ids,
    secret: SECRET,
    add: () => {
      // What comes later has a later time, also where one POST shares one.
      if (quirks.some((quirk) => quirk.kind === 'one-date-added')) taxii.setQuirks([]);
      taxii.load([anIndicator(100)], { collection: taxii.collections.read });
      return idOf(100);
    },
    fail: (fault) => taxii.setFaults(fault === undefined ? [] : [FAULTS[fault]]),
    requests: () => [...taxii.requests.values()].reduce((sum, n) => sum + n, 0),
    close: () => taxii.close(),
  };
};

exchangeContract('taxii21', start([], undefined));
exchangeContract('taxii21, added within the overlap', start([], Date.now() - 60_000));
exchangeContract('taxii21 on a server without next', start([{ kind: 'more-without-next' }], undefined));
exchangeContract('taxii21 where all share one added time', start([{ kind: 'one-date-added' }], undefined));

describe('taxii21 on a server that bends the standard', () => {
  it.each<Quirk>([
    { kind: 'ignore-limit' },
    { kind: 'next-without-more' },
    { kind: 'next-expires', secs: 0 },
    { kind: 'next-changes' },
    { kind: 'next-needs-limit' },
    { kind: 'endless-more' },
    { kind: 'added-after-inclusive' },
    { kind: 'no-date-headers' },
    { kind: 'date-header-undefined' },
    { kind: 'date-header-js' },
    { kind: 'date-header-offset' },
    { kind: 'empty-404' },
    { kind: 'content-type-json' },
    { kind: 'content-type-no-version' },
    { kind: 'content-type-charset' },
    { kind: 'accept-needs-version' },
    { kind: 'accept-refuses-version' },
    { kind: 'relative-roots' },
    { kind: 'clock-off', secs: 600 },
    { kind: 'too-many-requests', match: '/status/' },
  ])('brings everything and ends, twice: $kind', async (quirk) => {
    const far = await start([quirk], undefined)();
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

  it('finds at the next poll what appeared a little behind its cursor', async () => {
    const far = await start([{ kind: 'late-commit' }], Date.now() - 60_000)();
    try {
      const once = await drain(far.connector.pages(undefined, never));
      const again = await drain(far.connector.pages(once.at(-1)?.cursor, never));

      expect(new Set(idsOf([...once, ...again]))).toEqual(new Set(far.ids));
    } finally {
      await far.connector.close();
      await far.close();
    }
  });

  it.each<[Quirk, string, RegExp]>([
    [{ kind: 'huge', bytes: 48 * 1024 * 1024, match: '/objects/' }, 'permanent', /more than 32 MiB/],
    [{ kind: 'gzip-bomb', bytes: 48 * 1024 * 1024, match: '/objects/' }, 'permanent', /more than 32 MiB/],
    [{ kind: 'too-many-requests', secs: 30, match: '/objects/' }, 'retryable', /429/],
    [{ kind: 'unavailable', secs: 30, match: '/objects/' }, 'retryable', /503/],
    [{ kind: 'unauthorized', after: 4 }, 'config', /401/],
  ])('ends with a worded failure: %j', async (quirk, kind, words) => {
    const far = await start([quirk], undefined)();
    try {
      const failure = await failureOf(drain(far.connector.pages(undefined, never)));

      expect(failure.kind).toBe(kind);
      expect(failure.message).toMatch(words);
      if (quirk.secs !== undefined) expect(failure.retryAfterMs).toBe(30_000);
    } finally {
      await far.connector.close();
      await far.close();
    }
  });

  it('ends on a page that repeats for ever', async () => {
    const far = await start([{ kind: 'repeat-page' }], undefined)();
    try {
      const pages: Page[] = [];
      const failure = await failureOf(
        (async () => {
          for await (const page of far.connector.pages(undefined, never)) pages.push(page);
        })(),
      );

      expect(failure).toMatchObject({ kind: 'permanent', message: expect.stringMatching(/repeats itself/) });
      expect(idsOf(pages).length).toBeGreaterThan(0);
      expect(far.requests()).toBeLessThan(10);
    } finally {
      await far.connector.close();
      await far.close();
    }
  });
});
