// The real TAXII servers start, serve a generated bundle, and still fail OASIS' client exactly where they are known to.
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
