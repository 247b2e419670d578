// Values that policy holds: told at once, kept out, and let in or kept out by a person for exactly what was shown.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { eventually } from './site.ts';
import { aWorld, indicator, type World } from './world.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 });

let world: World;
beforeEach(async () => {
  world = await aWorld();
  world.site.configure(
    world.settings({
      exchange: { schedule: '* * * * * *' },
      top: {
        policy: { unknown_confidence: 'hold', never_block: { list_actions: { documentation: 'note' } } },
      },
    }),
  );
});
afterEach(() => world.close());

const armed = (): string[] => {
  try {
    return world.armed();
  } catch {
    return []; // the index does not exist yet
  }
};
interface Held {
  readonly held: readonly {
    readonly id: number;
    readonly kind: string;
    readonly count: number;
    readonly set: string;
  }[];
}

it('held lists them, approve lets exactly that set in, and status tells what waits', async () => {
  world.taxii.load([indicator('198.18.0.1'), indicator('198.18.0.2'), indicator('198.18.0.3', { confidence: 60 })]);
  const daemon = await world.site.daemon();
  const status = await daemon.until(({ siems }) => siems[0]?.['held'] === 2 && armed().length === 1);
  expect(status.reasons).toContainEqual(expect.stringMatching(/hold \d+ \(2 values to let in\) waits for a person/));
  expect(armed()).toEqual(['198.18.0.3']);

  const { held } = await world.site.ask<Held>(['held', 'list', '--kind', 'intake']);
  expect(held).toMatchObject([{ kind: 'intake', count: 2 }]);
  const [hold] = held;
  const show = await world.site.entente(['held', 'show', String(hold!.id)]);
  expect(show.stdout).toContain('198.18.0.1');
  expect((await world.site.entente(['why', '198.18.0.1'])).stdout).toContain(
    'policy keeps it out until a person decides',
  );
  const decision = ['--set', hold!.set, '--reason', 'known source', '--by', 'ana'];
  expect((await world.site.entente(['held', 'approve', String(hold!.id), ...decision])).code).toBe(0);
  await eventually(() => armed().length === 3, 'the approved are armed');

  world.taxii.load([indicator('198.18.0.4')]);
  await daemon.until(({ siems }) => siems[0]?.['held'] === 1);
  expect(armed()).toHaveLength(3);
  expect((await daemon.get('/metrics')).text).toContain('entente_holds_undecided{kind="intake"} 1');
  await daemon.stop();
});

it('a marking that never came keeps its object out until a person lets it in, and a strict definition takes it off again', async () => {
  const marking = 'marking-definition--7d2f4a36-0d5e-4c39-9bd5-0c1f1c0f3a11';
  world.taxii.load([indicator('198.18.0.1', { confidence: 60, object_marking_refs: [marking] })]);
  const daemon = await world.site.daemon();
  await daemon.until(({ siems }) => siems[0]?.['held'] === 1);
  expect(armed()).toEqual([]);
  expect((await world.site.entente(['why', '198.18.0.1'])).stdout).toContain(`${marking}, which nobody explained`);

  const { held } = await world.site.ask<Held>(['held', 'list', '--kind', 'intake']);
  const decision = ['--set', held[0]!.set, '--reason', 'our agreement says so', '--by', 'ana'];
  expect((await world.site.entente(['held', 'approve', String(held[0]!.id), ...decision])).code).toBe(0);
  await eventually(() => armed().length === 1, 'what was let in is armed');

  world.taxii.load([
    {
      type: 'marking-definition',
      spec_version: '2.1',
      id: marking,
      created: '2026-01-01T00:00:00Z',
      definition_type: 'statement',
      definition: { statement: 'TLP:RED' },
    },
  ]);
  await eventually(() => armed().length === 0, 'what may not be held there is gone');
  expect((await world.site.entente(['why', '198.18.0.1'])).stdout).toContain("above this SIEM's clearance");
});
