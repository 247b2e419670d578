// A reader of hits that has nothing to read is paused, with its reason and not ok: beside the daemon and after it.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { eventually } from './site.ts';
import { aTrio, type Trio } from './trio.ts';
import { indicator } from './world.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 30_000 });

let trio: Trio;
beforeEach(async () => {
  trio = await aTrio();
});
afterEach(() => trio.close());

type Hits = { siems: { name: string; hits: { state: string; reason: string | null } }[] };
const hits = { enabled: true, schedule: '* * * * * *' };

it('Splunk without event_search, Elasticsearch without alerts, QRadar switched off', async () => {
  trio.configure({ siems: { watch: { hits }, hq: { hits }, console: { hits: { enabled: false } } } });
  trio.taxii.load([indicator('198.18.0.1')]);
  const daemon = await trio.site.daemon();
  await daemon.until(
    ({ siems }) =>
      siems.every((one) => one['delivered'] === 1) &&
      /nothing to read/.test((siems[0]!['hits'] as { reason: string | null }).reason ?? ''),
    20_000,
  );

  const told = async () =>
    Object.fromEntries((await trio.site.ask<Hits>(['status'])).siems.map((one) => [one.name, one.hits]));
  const expected = {
    watch: { state: 'paused', reason: expect.stringMatching(/nothing to read: .*set event_search/) },
    hq: { state: 'paused', reason: expect.stringContaining('no way to read hits is configured') },
    console: { state: 'paused', reason: 'no hits are read' },
  };
  // Each SIEM is read in a turn of its own.
  await expect.poll(told, { timeout: 20_000 }).toMatchObject(expected);
  // The daemon knows at once why there is nothing to read; after it is told what a reading that came to its end wrote down.
  await eventually(async () => {
    const { text } = await daemon.get('/metrics');
    return ['watch', 'hq'].every((name) => text.includes(`entente_peer_runs_total{role="hits",peer="${name}"}`));
  }, 'both were read to the end');
  expect((await daemon.stop()).code).toBe(0);
  expect(await told()).toMatchObject(expected);
});
