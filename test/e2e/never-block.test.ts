// What no partner may put on a watchlist, as an operator meets it: refused by built-in lists, noted where the
// configuration says so, judged anew when it changes, and our own ground neither armed nor told.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { aWorld, indicator, type World } from './world.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 });

const LISTED = ['10.1.2.3', '127.0.0.1', '198.18.7.7'];

let world: World;
beforeEach(async () => {
  world = await aWorld();
  world.taxii.load([...LISTED, '8.8.8.8'].map((value) => indicator(value)));
});
afterEach(() => world.close());

const noting = (list: string) => ({ never_block: { list_actions: { [list]: 'note' } } });
interface Why {
  readonly entries: readonly {
    readonly claims: readonly {
      readonly decisions: readonly { readonly decision: string; readonly reason: string }[];
    }[];
  }[];
}
const decision = async (value: string) =>
  (await world.site.ask<Why>(['why', value])).entries[0]?.claims[0]?.decisions[0];

it('is refused by name, armed once its list only notes, and taken away again with the next change', async () => {
  world.site.configure(world.settings({ top: { policy: noting('public_suffixes') } }));
  await world.site.entente(['run', '--once']);
  expect(world.armed()).toEqual(['8.8.8.8']);
  expect(await decision('10.1.2.3')).toMatchObject({
    decision: 'refuse',
    reason: '10.1.2.3 is a private address (never-block list special_addresses)',
  });

  world.site.configure(world.settings({ top: { policy: noting('documentation') } }));
  await world.site.entente(['run', '--once']);
  expect(world.armed()).toEqual(['198.18.7.7', '8.8.8.8']);
  expect((await decision('198.18.7.7'))?.reason).toMatch(/^noted, not refused: .*never-block list documentation/);

  world.site.configure(
    world.settings({ top: { policy: noting('documentation'), own: { networks: ['198.18.0.0/16', '8.8.8.0/24'] } } }),
  );
  await world.site.entente(['run', '--once']);
  expect(world.armed()).toEqual([]);
  expect((await decision('8.8.8.8'))?.reason).toContain('our own ground (never-block list own_hosts)');
});

it('is counted by list and action', async () => {
  world.site.configure(world.settings({ exchange: { schedule: '* * * * * *' } }));
  const daemon = await world.site.daemon();
  await daemon.until(({ exchanges }) => exchanges[0]?.['indicators'] === 4);
  const { text } = await daemon.get('/metrics');
  await daemon.stop();

  expect(text).toContain('entente_never_block_total{list="special_addresses",action="refuse"} 2');
  expect(text).toContain('entente_never_block_total{list="documentation",action="note"} 1');
});

it('names what is wrong in own and list_actions', async () => {
  const own = { networks: ['10.0.0.0/40', 'mons'], domains: ['http://x.example/'] };
  world.site.configure(
    world.settings({
      top: { own, policy: { never_block: { list_actions: { documentation: 'ignore', none: 'note' } } } },
    }),
  );
  const { code, stderr } = await world.site.entente(['check']);

  expect(code).toBe(2);
  for (const path of ['own.networks[0]', 'own.networks[1]', 'own.domains[0]', 'list_actions.documentation', 'none'])
    expect(stderr).toContain(path);
});
