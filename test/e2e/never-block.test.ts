// What no partner may put on a watchlist, as an operator meets it: refused by built-in lists, noted where the
// configuration says so, judged anew when it changes, and our own ground neither armed nor told.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { aWorld, indicator, type World } from './world.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 });

const LISTED = ['10.1.2.3', '127.0.0.1', '198.18.7.7'];

let world: World;
beforeEach(async () => {
  world = await aWorld();
  world.taxii.load([...LISTED, '5.6.7.8'].map((value) => indicator(value)));
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
  expect(world.armed()).toEqual(['5.6.7.8']);
  expect(await decision('10.1.2.3')).toMatchObject({
    decision: 'refuse',
    reason: '10.1.2.3 is a private address (never-block list special_addresses)',
  });

  world.site.configure(world.settings({ top: { policy: noting('documentation') } }));
  await world.site.entente(['run', '--once']);
  expect(world.armed()).toEqual(['198.18.7.7', '5.6.7.8']);
  expect((await decision('198.18.7.7'))?.reason).toMatch(/^noted, not refused: .*never-block list documentation/);

  world.site.configure(
    world.settings({ top: { policy: noting('documentation'), own: { networks: ['198.18.0.0/16', '5.6.7.0/24'] } } }),
  );
  await world.site.entente(['run', '--once']);
  expect(world.armed()).toEqual([]);
  expect((await decision('5.6.7.8'))?.reason).toContain('our own ground (never-block list own_hosts)');
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

it('is taken off by a list of a folder at the next signal, counted there, and given back with the one after', async () => {
  const put = (name: string, list: readonly string[]) =>
    world.site.write(
      `warninglists/lists/${name}/list.json`,
      JSON.stringify({ name, version: 1, description: name, type: 'cidr', list }),
    );
  put('mine', []);
  put('cloud', ['5.6.7.0/24']);
  const never = { lists: './warninglists', list_actions: { mine: 'refuse', documentation: 'note' } };
  world.site.configure(
    world.settings({ exchange: { schedule: '* * * * * *' }, top: { policy: { never_block: never } } }),
  );
  const daemon = await world.site.daemon();
  await daemon.until(({ siems }) => siems[0]?.['delivered'] === 2);
  expect((await decision('5.6.7.8'))?.reason).toMatch(/^noted, not refused: .*\(never-block list cloud\)/);

  put('mine', ['5.6.7.8', '0.0.0.0/0']);
  daemon.process.signal('SIGHUP');
  await daemon.until(() => !world.armed().includes('5.6.7.8'));
  expect(world.armed()).toEqual(['198.18.7.7']);
  const status = await daemon.until((now) => JSON.stringify(now).includes('"list":"mine"'));
  expect((status as unknown as { never_block: unknown }).never_block).toContainEqual({
    list: 'mine',
    action: 'refuse',
    entries: 1,
    left_out: 1,
    refused: 1,
    noted: 0,
    problems: ['0.0.0.0/0: it covers nearly everything'],
  });
  expect(status['reasons']).toContainEqual(expect.stringContaining('never-block list mine: 1 entry is left out'));
  expect((await daemon.get('/metrics')).text).toContain('entente_never_block_total{list="mine",action="refuse"} 1');

  put('mine', []);
  daemon.process.signal('SIGHUP');
  await daemon.until(() => world.armed().includes('5.6.7.8'));
  await daemon.stop();
});

it('and a changed clearance or class of data show in a plan before they act, in both directions', async () => {
  interface Plan {
    readonly siems: readonly { add: number; change: number; remove: number; refused: Record<string, number> }[];
  }
  const plan = async () => (await world.site.ask<Plan>(['plan', '--offline'])).siems[0]!;
  const settings = (never: object, siem: Record<string, unknown> = {}) =>
    world.settings({ siem, top: { policy: { never_block: { list_actions: { documentation: 'note' }, ...never } } } });
  world.taxii.load([
    indicator('5.6.7.9', { labels: ['NATO SECRET'] }),
    indicator('5.6.7.10', { labels: ['exercise:cyber-europe="2026"'] }),
  ]);
  world.site.configure(settings({}));
  await world.site.entente(['run', '--once']);
  expect(world.armed()).toEqual(['198.18.7.7', '5.6.7.8']);
  const status = await world.site.ask<{ reasons: string[] }>(['status']);
  expect(status.reasons).toContainEqual(expect.stringContaining('1 object came classified above'));
  expect(world.site.printed).toContain('Objects came that are classified above what may be held here');

  world.site.configure(settings({ domains: ['soc.example'], cidrs: ['5.6.0.0/16'] }));
  expect(await plan()).toMatchObject({
    add: 0,
    remove: 1,
    refused: {
      '5.6.7.8 is listed (never-block list configured)': 1,
    },
  });
  expect(world.armed()).toEqual(['198.18.7.7', '5.6.7.8']);
  await world.site.entente(['run', '--once']);
  expect(world.armed()).toEqual(['198.18.7.7']);

  world.site.configure(settings({}, { policy: { max_classification: 'secret' } }));
  expect(await plan()).toMatchObject({ add: 2, remove: 0, refused: { 'it is data of an exercise': 1 } });
  await world.site.entente(['run', '--once']);
  expect(world.armed()).toEqual(['198.18.7.7', '5.6.7.8', '5.6.7.9']);

  world.site.configure(settings({}, { clearance: 'green', policy: { max_classification: 'secret' } }));
  expect(await plan()).toMatchObject({ add: 0, remove: 3 });
  expect(world.armed()).toHaveLength(3);
});

it('names what is wrong in own, never_block and list_actions', async () => {
  const check = async (top: object) => {
    world.site.configure(world.settings({ top: { ...top } }));
    const { code, stderr } = await world.site.entente(['check']);
    expect(code).toBe(2);
    return stderr;
  };
  const own = { networks: ['10.0.0.0/40', 'mons'], domains: ['http://x.example/'] };
  const never = { values: ['not a value'], cidrs: ['0.0.0.0/0'], domains: ['a b'] };
  const wrong = await check({ own, policy: { never_block: { ...never, list_actions: { documentation: 'ignore' } } } });
  for (const path of ['own.networks[0]', 'own.networks[1]', 'own.domains[0]', 'list_actions.documentation'])
    expect(wrong).toContain(path);
  for (const path of ['never_block.values[0]', 'never_block.cidrs[0]', 'never_block.domains[0]'])
    expect(wrong).toContain(path);

  expect(await check({ policy: { never_block: { list_actions: { empty_hash: 'note' } } } })).toContain(
    'list_actions.empty_hash: no list has this name; did you mean empty_hashes?',
  );
  expect(await check({ policy: { never_block: { lists: './nowhere' } } })).toMatch(
    /never_block\.lists: this folder cannot be read \(ENOENT\): \S+nowhere/,
  );
});
