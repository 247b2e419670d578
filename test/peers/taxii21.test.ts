// Our TAXII client against the real servers: the reading clauses of the exchange contract, and what each does its own way.
import { describe, expect, it } from 'vitest';
import { taxii21 } from '../../src/connectors/exchange/taxii21/index.ts';
import type { Page } from '../../src/core/contracts/exchange-connector.ts';
import { feedBundle } from '../../src/simulators/feed.ts';
import { drain, exchangeReading, idsOf, never, testDeps, type WorkingSide } from '../contract/exchange.ts';
import { startMedallion } from './medallion.ts';
import { startOpenTaxii } from './opentaxii.ts';
import { pythonPeer } from './python.ts';
import { Taxii21Connector } from '../../src/connectors/exchange/taxii21/connector.ts';
import type { TaxiiServer } from './taxii-server.ts';

const medallion = await pythonPeer('medallion');
const openTaxii = await pythonPeer('opentaxii');
// OpenTAXII keeps no marking definitions; indicators alone are what both can serve.
const indicators = feedBundle({ count: 24, irregular: 0 }).objects.filter(({ type }) => type === 'indicator');
const [later, ...first] = indicators;
const MEDIA_TYPE = 'application/taxii+json;version=2.1';

const connectorTo = (server: TaxiiServer, collection: string, auth: object = {}) =>
  new Taxii21Connector(
    taxii21.config.parse({
      type: 'taxii21',
      url: server.discovery,
      collections: [collection],
      page_size: 5,
      auth: { username: server.username, password: server.password, ...auth },
    }),
    testDeps(20_000),
  );

async function post(server: TaxiiServer, objects: readonly unknown[]): Promise<void> {
  const answer = await fetch(`${server.apiRoot}collections/${server.sightingsCollection}/objects/`, {
    method: 'POST',
    headers: {
      accept: MEDIA_TYPE,
      'content-type': MEDIA_TYPE,
      authorization: `Basic ${Buffer.from(`${server.username}:${server.password}`).toString('base64')}`,
    },
    body: JSON.stringify({ objects }),
  });
  expect(answer.status).toBe(202);
}

/** Filled over the wire in three posts; medallion gives all objects of one post the same added time. */
const filled = (start: () => Promise<TaxiiServer>) => async (): Promise<WorkingSide> => {
  const server = await start();
  for (let at = 0; at < first.length; at += 8) await post(server, first.slice(at, at + 8));
  return {
    connector: connectorTo(server, server.sightingsCollection),
    ids: first.map(({ id }) => id),
    add: async () => {
      await post(server, [later]);
      return later!.id;
    },
    close: () => server.stop(),
  };
};

const servers = [
  { name: 'medallion', peer: medallion, start: startMedallion },
  { name: 'OpenTAXII', peer: openTaxii, start: startOpenTaxii },
];

for (const { name, peer, start } of servers) {
  describe.skipIf(peer.kind === 'missing')(name, () => {
    const python = peer.kind === 'ready' ? peer.python : '';

    exchangeReading(
      `taxii21 and ${name}`,
      filled(() => start({ python })),
    );

    it('words wrong credentials as a matter of configuration', async () => {
      const server = await start({ python });
      const connector = connectorTo(server, server.feedCollection, { password: 'Wrong-password-1' });
      try {
        const probe = await connector.probe(never);

        expect(probe).toMatchObject({ ok: false, failure: { kind: 'config' } });
        expect(probe.message).toMatch(/refused the credentials \(401\)/);
        expect(probe.message).not.toContain('Wrong-password-1');
      } finally {
        await connector.close();
        await server.stop();
      }
    });

    it('says which collection may not be read, and reads the others', async () => {
      const server = await start({
        python,
        bundles: [{ type: 'bundle', id: 'bundle--1', objects: first.slice(0, 3) }],
      });
      const closed = connectorTo(server, server.closedCollection);
      const open = connectorTo(server, server.feedCollection);
      try {
        expect((await closed.probe(never)).message).toMatch(/may not read the collection|no collection/);
        expect(new Set(idsOf(await drain(open.pages(undefined, never))))).toEqual(
          new Set(first.slice(0, 3).map(({ id }) => id)),
        );
      } finally {
        await Promise.all([closed.close(), open.close()]);
        await server.stop();
      }
    });
  });
}

describe.skipIf(medallion.kind === 'missing')('medallion, its own ways', () => {
  const python = medallion.kind === 'ready' ? medallion.python : '';
  const bundles = [{ type: 'bundle', id: 'bundle--1', objects: first }];

  it('brings groups of equal added times that pages cut, also after a stop at any page', async () => {
    const server = await startMedallion({ python, bundles, group: 7, page: 5 });
    const connector = connectorTo(server, server.feedCollection);
    const all = new Set(first.map(({ id }) => id));
    try {
      for (let stopAfter = 1; stopAfter <= 6; stopAfter++) {
        const pages: Page[] = [];
        for await (const page of connector.pages(undefined, never)) {
          pages.push(page);
          if (pages.length === stopAfter) break;
        }
        // medallion has one token for all pages, and the page ahead has moved it on already.
        pages.push(...(await drain(connector.pages(pages.at(-1)?.cursor, never))));

        expect(new Set(idsOf(pages))).toEqual(all);
      }
    } finally {
      await connector.close();
      await server.stop();
    }
  });
});
