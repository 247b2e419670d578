// A changed list, policy, clearance or capacity acts on what is armed already at the next plan, and `plan` shows the effect
// before it happens. A marking that becomes stricter takes the value off where it may not be held any more, and nowhere else.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTaxii, type RunningTaxii } from '../../src/simulators/taxii/index.ts';
import { inProcess } from './in-process.ts';
import type { Settings } from './site.ts';
import { aWorld, indicator, INSTANCE, valuesOf, type World } from './world.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 });

const TLP = {
  green: 'marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da',
  amber: 'marking-definition--f88d31f6-486f-44da-b317-01333bde0b82',
  red: 'marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed',
} as const;
const [WORSE, BETTER] = ['198.18.0.1', '198.18.0.2'];
const NOTED = { never_block: { list_actions: { documentation: 'note' } } };
const marked = (level: keyof typeof TLP, facts: Settings = {}): Settings => ({
  object_marking_refs: [TLP[level]],
  ...facts,
});

let world: World;
let other: RunningTaxii;
beforeEach(async () => {
  world = await aWorld();
  other = await startTaxii();
});
afterEach(async () => {
  await other.close();
  await world.close();
});

interface Planned {
  readonly siems: readonly {
    readonly name: string;
    readonly add: number;
    readonly remove: number;
    readonly refused: Readonly<Record<string, number>>;
  }[];
}
const entente = (...args: string[]) => inProcess(world.site, ...args);
const planned = async () => (JSON.parse((await entente('plan', '--offline', '--json')).stdout) as Planned).siems[0]!;

describe('a changed', () => {
  it.each([
    [
      'list',
      { top: { policy: { never_block: { ...NOTED.never_block, values: [WORSE] } } } },
      /never-block list configured/,
    ],
    ['policy', { top: { policy: { ...NOTED, min_confidence: 50 } } }, /^confidence 30 is below 50$/],
    ['clearance', { top: { policy: NOTED }, siem: { clearance: 'green' } }, /above this SIEM's clearance TLP:GREEN/],
    ['capacity', { top: { policy: NOTED }, siem: { max_entries: 1 } }, /^the watchlist is full: .* max_entries 1/],
  ])(
    '%s takes off what it forbids at the next plan, which shows it before, and gives it back',
    async (_what, change, reason) => {
      world.taxii.load([
        indicator(WORSE, marked('amber', { confidence: 30 })),
        indicator(BETTER, marked('green', { confidence: 90 })),
      ]);
      world.site.configure(world.settings({ top: { policy: NOTED } }));
      expect(await entente('run', '--once')).toMatchObject({ code: 0 });
      expect(world.armed()).toEqual([WORSE, BETTER]);

      world.site.configure(world.settings(change));
      const before = await planned();
      expect(before).toMatchObject({ add: 0, remove: 1 });
      expect(Object.keys(before.refused).filter((one) => reason.test(one))).toHaveLength(1);
      expect(world.armed()).toEqual([WORSE, BETTER]);
      expect(await entente('run', '--once')).toMatchObject({ code: 0 });
      expect(world.armed()).toEqual([BETTER]);
      expect((await entente('why', WORSE)).stdout).toMatch(new RegExp(reason.source.replace(/^\^|\$$/g, '')));

      world.site.configure(world.settings({ top: { policy: NOTED } }));
      expect(await planned()).toMatchObject({ add: 1, remove: 0 });
      expect(await entente('run', '--once')).toMatchObject({ code: 0 });
      expect(world.armed()).toEqual([WORSE, BETTER]);
    },
  );
});

it('a watchlist that is full tells what it keeps out, in status and as a metric', async () => {
  world.taxii.load([indicator(WORSE, { confidence: 30 }), indicator(BETTER, { confidence: 90 })]);
  world.site.configure(world.settings({ top: { policy: NOTED }, siem: { max_entries: 1 } }));
  const daemon = await world.site.daemon();
  await daemon.until(({ siems }) => siems[0]?.['delivered'] === 1 && siems[0]['kept_out'] === 1);

  expect(world.armed()).toEqual([BETTER]);
  expect((await daemon.get('/metrics')).text).toContain('entente_siem_entries{siem="watch",kind="kept_out"} 1');
  await daemon.stop();
});

describe('a stricter marking of one partner', () => {
  const [ALONE, SHARED, REPUBLISHED] = ['198.18.1.1', '198.18.1.2', '198.18.1.3'];
  const INDEX = { amber: 'entente-amber', green: 'entente-green' };
  const partner = (name: string, taxii: RunningTaxii): Settings => ({
    name,
    type: 'taxii21',
    url: taxii.apiRoot,
    collections: [taxii.collections.read],
    auth: { username: taxii.username, password: taxii.password },
  });
  const siem = (clearance: 'amber' | 'green'): Settings => ({
    name: clearance,
    type: 'elastic',
    url: world.elastic.url,
    auth: { api_key: world.elastic.apiKey },
    index: INDEX[clearance],
    clearance,
  });
  const armed = () => [valuesOf(world.elastic, INDEX.amber), valuesOf(world.elastic, INDEX.green)];
  const later = (value: string, level: keyof typeof TLP) =>
    indicator(value, marked(level, { modified: new Date(Date.now() - 60_000).toISOString() }));

  it('takes its value off where it may not be held, within one cycle, unless another vouches for it there', async () => {
    world.site.configure({
      instance: INSTANCE,
      state: './state/entente.db',
      exchanges: [partner('one', world.taxii), partner('two', other)],
      siems: [siem('amber'), siem('green')],
      policy: NOTED,
    });
    world.taxii.load([ALONE, SHARED, REPUBLISHED].map((value) => indicator(value, marked('green'))));
    other.load([indicator(SHARED, marked('green', { id: 'indicator--11111111-1111-4111-8111-111111111111' }))]);
    expect(await entente('run', '--once')).toMatchObject({ code: 0 });
    const all = [ALONE, SHARED, REPUBLISHED];
    expect(armed()).toEqual([all, all]);

    // The second partner shows a value of the first as RED: neither takes it away nor makes it stricter.
    other.load([indicator(REPUBLISHED, marked('red', { id: 'indicator--22222222-2222-4222-8222-222222222222' }))]);
    world.taxii.load([later(ALONE, 'amber'), later(SHARED, 'amber')]);
    expect(await entente('run', '--once')).toMatchObject({ code: 0 });

    expect(armed()).toEqual([all, [SHARED, REPUBLISHED]]);
  });
});
