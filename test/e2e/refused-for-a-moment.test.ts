// What stands before a SIEM refuses the first two writes, whatever they are (a mark, a set, a batch), and lets all
// others through: everything is delivered within seconds, and nothing is parked.
import { afterEach, expect, it } from 'vitest';
import { type RunningQRadar, startQradar } from '../../src/simulators/qradar/index.ts';
import { type RunningSplunk, startSplunk } from '../../src/simulators/splunk/index.ts';
import { addresses, aWorld, indicator, type World } from './world.ts';

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
});

const PAGE = { headers: { 'content-type': 'text/html' }, body: '<html><body>No</body></html>' };
const WRITES = { splunk: '/batch_save', elastic: '_bulk', qradar: 'POST /api/reference_data' };

interface Product {
  readonly peer: RunningSplunk | RunningQRadar | World['elastic'];
  readonly settings: object;
  readonly held: () => number;
}

async function start(product: keyof typeof WRITES): Promise<{ world: World } & Product> {
  const world = await aWorld();
  closing.push(world);
  if (product === 'elastic') {
    const { elastic: peer } = world;
    return {
      world,
      peer,
      settings: { url: peer.url, auth: { api_key: peer.apiKey } },
      held: () => world.armed().length,
    };
  }
  const peer = product === 'splunk' ? await startSplunk() : await startQradar();
  closing.push(peer);
  const held = (): number =>
    'documents' in peer
      ? [...peer.documents('entente', 'entente_ip').values()].filter((row) => typeof row['entry_key'] === 'string')
          .length
      : (peer.store.byName('Entente IPv4')?.entries.size ?? 0);
  return { world, peer, settings: { url: peer.url, auth: { token: peer.token } }, held };
}

it.each(
  (['splunk', 'elastic', 'qradar'] as const).flatMap((product) =>
    [413, 403].map((status) => [product, status] as const),
  ),
)('delivers everything to %s after two answers of %i', { timeout: 90_000 }, async (product, status) => {
  const { world, peer, settings, held } = await start(product);
  world.taxii.load(addresses(6).map((value) => indicator(value)));
  world.site.configure({ ...world.settings(), siems: [{ name: 'hq', type: product, ...settings }] });
  peer.setFaults([{ match: WRITES[product], times: 2, action: 'status', status, ...PAGE }]);

  const daemon = await world.site.daemon();
  await daemon.until(({ siems }) => siems[0]?.['delivered'] === 6, 30_000);

  expect(held()).toBe(6);
  await daemon.until(({ siems }) => siems[0]?.state === 'ok');
  expect((await daemon.status()).siems[0]).toMatchObject({ parked: 0, reason: null });
  await daemon.stop();
});
