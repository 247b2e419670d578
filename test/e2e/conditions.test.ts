// Each part of the status names its condition, and the command prints where the runbook speaks of it.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CONDITIONS } from '../../src/core/model/condition.ts';
import { aWorld, indicator, type World } from './world.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

let world: World;
beforeEach(async () => {
  world = await aWorld();
  world.taxii.load([indicator('198.18.0.1')]);
});
afterEach(() => world.close());

interface Part {
  condition: string;
  runbook: string | null;
}
type Told = Record<'exchanges' | 'siems', (Part & { name: string; hits?: Part; report?: Part })[]>;

it('prints the address of the chapter for a part that waits for somebody, beside a daemon and without', async () => {
  const { siems, ...settings } = world.settings() as { siems: object[] };
  const second = {
    name: 'second',
    type: 'elastic',
    url: world.elastic.url,
    auth: { api_key: 'wrong' },
    index: 'other',
  };
  const third = { ...second, name: 'third', index: 'more', mode: 'shadow' };
  world.site.configure({ ...settings, siems: [...siems, second, third] });
  const daemon = await world.site.daemon();
  await daemon.until((status) => status.siems[1]?.state === 'failing' && status.siems[0]?.state === 'ok');

  const told = await world.site.ask<Told>(['status']);
  const conditions = Object.fromEntries([...told.exchanges, ...told.siems].map((one) => [one.name, one.condition]));
  expect(conditions).toEqual({ partner: 'well', watch: 'well', second: 'refused', third: 'shadow' });
  const parts = [...told.exchanges, ...told.siems].flatMap((one) => [one, one.hits ?? [], one.report ?? []].flat());
  for (const part of parts) {
    expect(CONDITIONS).toContain(part.condition);
    expect(part.runbook).toBe(part.condition === 'well' ? null : `docs/runbook.md#${part.condition}`);
  }
  const { stdout } = await world.site.entente(['status']);
  expect(stdout).toMatch(/Next, for second: .*\n {2}docs\/runbook\.md#refused\n/);

  await daemon.stop();
  expect((await world.site.entente(['status'])).stdout).toContain('docs/runbook.md#refused');
});
