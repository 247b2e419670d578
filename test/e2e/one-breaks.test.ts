// One value at which a SIEM fails (500) each time, through the launcher, at all three: after some tries it waits alone and
// everything else is delivered, and it arrives by itself once the SIEM takes it.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { aTrio, everywhere, type Trio, urlIndicator } from './trio.ts';
import { indicator } from './world.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 30_000 });

let trio: Trio;
beforeEach(async () => {
  trio = await aTrio();
});
afterEach(() => trio.close());

const BREAKS = 'https://listed.example/breaks';
const GOOD = ['198.18.0.1', '198.18.0.2', 'https://listed.example/a', 'https://listed.example/b'];

it('delivers everything else, and that one after the SIEM is mended', async () => {
  trio.configure();
  trio.setFaults([{ match: '/', holds: '/breaks', action: 'status', status: 500, body: '{}' }]);
  trio.taxii.load([
    indicator(GOOD[0]!),
    urlIndicator(GOOD[2]!),
    urlIndicator(BREAKS),
    urlIndicator(GOOD[3]!),
    indicator(GOOD[1]!),
  ]);

  const daemon = await trio.site.daemon();
  const { siems } = await daemon.until(
    ({ siems: all }) => all.every((one) => one['delivered'] === GOOD.length && one.state === 'ok'),
    90_000,
  );

  expect(trio.standing()).toEqual(everywhere(GOOD.toSorted()));
  for (const one of siems) expect(one).toMatchObject({ parked: 0, pending: 1 });
  trio.setFaults([]);
  expect((await daemon.stop()).code).toBe(0);
  // A start tries at once what waits.
  expect((await trio.site.entente(['run', '--once', '--patience-secs', '40'])).code).toBe(0);
  expect(trio.standing()).toEqual(everywhere([...GOOD, BREAKS].toSorted()));
});
