// The real TAXII servers start, serve a generated bundle, and still fail OASIS' client exactly where they are known to.
import type { IncomingHttpHeaders } from 'node:http';
import { get } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { feedBundle } from '../../src/simulators/feed.ts';
import { startMedallion } from './medallion.ts';
import { startOpenTaxii } from './opentaxii.ts';
import { pythonPeer } from './python.ts';
import { runTaxii2Client } from './taxii2client/run.ts';
import type { TaxiiServer } from './taxii-server.ts';

const client = await pythonPeer('taxii2-client');
const servers = [
  { name: 'medallion', start: startMedallion, peer: await pythonPeer('medallion') },
  { name: 'OpenTAXII', start: startOpenTaxii, peer: await pythonPeer('opentaxii') },
];
// OpenTAXII keeps no marking definitions, so the bundle that both can serve has none.
const bundle = feedBundle({ count: 12, irregular: 0 });
const common = { ...bundle, objects: bundle.objects.filter(({ modified }) => modified !== undefined) };

for (const { name, start, peer } of servers) {
  describe.skipIf(peer.kind === 'missing')(name, () => {
    let server: TaxiiServer;
    beforeAll(async () => {
      if (peer.kind === 'ready') server = await start({ python: peer.python, bundles: [common] });
    });
    afterAll(async () => {
      await server?.stop();
    });

    it('serves what it was given', async () => {
      const answer = await fetch(`${server.apiRoot}collections/${server.feedCollection}/objects/?limit=100`, {
        headers: {
          accept: 'application/taxii+json;version=2.1',
          authorization: `Basic ${Buffer.from(`${server.username}:${server.password}`).toString('base64')}`,
        },
      });
      const envelope = (await answer.json()) as { objects: { id: string }[] };

      expect(answer.status).toBe(200);
      expect(envelope.objects.map(({ id }) => id).sort()).toEqual(common.objects.map(({ id }) => id).sort());
    });

    it.skipIf(client.kind === 'missing')('fails taxii2-client only in the known places', async () => {
      const python = client.kind === 'ready' ? client.python : '';
      const results = await runTaxii2Client({ ...server, python });
      const failed = results.filter(({ problem }) => problem !== undefined).map((one) => one.name);

      expect(failed.sort()).toEqual([...server.known].sort());
    });
  });
}

const medallion = servers[0]?.peer;

describe.skipIf(medallion?.kind !== 'ready')('medallion as a difficult partner', () => {
  it('cuts pages through objects of one date_added, over HTTPS', async () => {
    const python = medallion?.kind === 'ready' ? medallion.python : '';
    const server = await startMedallion({
      python,
      bundles: [common],
      tls: true,
      page: 3,
      group: 5,
      start: '2026-02-01T00:00:00.000000Z',
    });
    const date = (name: string, headers: IncomingHttpHeaders): unknown => headers[`x-taxii-date-added-${name}`];

    const answer = page(server);
    await Promise.allSettled([answer]);
    await server.stop();
    const { headers, body } = await answer;

    expect(body.objects).toHaveLength(3);
    expect(body.more).toBe(true);
    expect([date('first', headers), date('last', headers)]).toEqual([
      '2026-02-01T00:00:00.000000Z',
      '2026-02-01T00:00:00.000000Z',
    ]);
  });
});

function page(
  server: TaxiiServer,
): Promise<{ headers: IncomingHttpHeaders; body: { objects: unknown[]; more: boolean } }> {
  const options = {
    ca: server.ca,
    auth: `${server.username}:${server.password}`,
    headers: { accept: 'application/taxii+json;version=2.1' },
  };
  return new Promise((resolve, reject) => {
    get(`${server.apiRoot}collections/${server.feedCollection}/objects/?limit=3`, options, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => {
        text += piece;
      });
      answer.on('end', () => resolve({ headers: answer.headers, body: JSON.parse(text) }));
      answer.on('error', reject);
    }).on('error', reject);
  });
}
