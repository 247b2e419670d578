// What a person must mend at a QRadar console, through the whole daemon: it is failing and says what to do, nothing is
// parked, and what can be served is served.
import { afterEach, describe, expect, it } from 'vitest';
import { type RunningQRadar, startQradar } from '../../src/simulators/qradar/index.ts';
import { addresses, aWorld, idFor, indicator, revoked, type World } from './world.ts';

let world: World | undefined;
let qradar: RunningQRadar | undefined;
afterEach(async () => {
  await world?.close();
  await qradar?.close();
  [world, qradar] = [undefined, undefined];
});

async function aSite(values: readonly string[], names: readonly string[] = []) {
  world = await aWorld();
  qradar = await startQradar();
  world.taxii.load([
    ...values.map((one) => indicator(one)),
    ...names.map((one) => ({ ...indicator(one), id: idFor(one), pattern: `[domain-name:value = '${one}']` })),
  ]);
  const settings = world.settings({ exchange: { schedule: '* * * * * *' } });
  world.site.configure({
    ...settings,
    siems: [
      ...(settings['siems'] as object[]),
      { name: 'qradar', type: 'qradar', url: qradar.url, auth: { token: qradar.token } },
    ],
  });
  return { site: world.site, sim: qradar };
}

const stored = (sim: RunningQRadar, set: string) => sim.store.byName(`Entente ${set}`)?.entries.size ?? 0;

describe('a bulk update whose answer is lost', () => {
  it('and that lands long after leaves no revoked value armed', { timeout: 60_000 }, async () => {
    const values = addresses(3);
    const { site, sim } = await aSite(values);
    sim.settings.nextTasksMs = [8000];
    // The look for others' rows comes first; the read-back then has to wait until the partner revoked a value.
    const busy = { action: 'status', status: 503, headers: { 'retry-after': '5' }, body: '{}' } as const;
    sim.setFaults([
      { match: 'PATCH /api', action: 'reset-after', times: 1 },
      { match: 'value+in', skip: 1, times: 1, ...busy },
    ]);
    const daemon = await site.daemon({ limitMs: 55_000 });
    await daemon.until(({ siems }) => siems.some((one) => one['name'] === 'watch' && one['delivered'] === 3), 20_000);

    world?.taxii.load([revoked(values[0]!)]);
    await daemon.until(({ siems }) => siems.every((one) => one['delivered'] === 2 && one['pending'] === 0), 50_000);
    await new Promise((go) => setTimeout(go, 8500));
    await fetch(`${sim.url}/_sim/state`);

    expect([...sim.store.byName('Entente IPv4')!.entries.values()].map((row) => row.value).toSorted()).toEqual(
      values.slice(1).toSorted(),
    );
    expect((await daemon.stop()).code).toBe(0);
  });
});

const page = { body: '<html><body>Rejected</body></html>', headers: { 'content-type': 'text/html' } };

describe('a full batch that is refused twice', () => {
  it.each([
    ['413', { status: 413, body: '{}' }],
    ['403 and a web page', { status: 403, ...page }],
  ])(
    'with %s is divided under the heaps of the daemon, and everything arrives',
    { timeout: 90_000 },
    async (_, fault) => {
      const values = addresses(2600);
      const { site, sim } = await aSite([]);
      world?.taxii.load(values.map((one) => indicator(one, { name: 'n'.repeat(900) })));
      sim.setFaults([{ match: 'PATCH /api', action: 'status', times: 2, ...fault }]);

      const daemon = await site.daemon({ limitMs: 85_000 });
      const status = await daemon.until(
        ({ siems }) => siems.every((one) => one['delivered'] === 2600 && one['pending'] === 0),
        80_000,
      );

      expect(status.siems.map((one) => one['parked'])).toEqual([0, 0]);
      expect(stored(sim, 'IPv4')).toBe(2600);
      expect((await daemon.stop()).code).toBe(0);
    },
  );
});

describe('a QRadar in trouble', () => {
  it('with a set of our name in another tenant serves the other sets', { timeout: 60_000 }, async () => {
    // More than one batch for the set that is barred, before anything else is due.
    const names = ['a.evil.example', 'b.evil.example', 'c.evil.example'];
    const { site, sim } = await aSite(addresses(1500), names);
    sim.settings.visibleTenants = [];
    sim.store.create({
      name: 'Entente IPv4',
      type: 'IP',
      namespace: 'TENANT',
      tenantId: 5,
      expiry: 'NO_EXPIRY',
      ttlMs: undefined,
      logOption: 'LOG_NONE',
      description: null,
    });

    const daemon = await site.daemon({ limitMs: 55_000 });
    const status = await daemon.until(
      ({ siems }) =>
        siems.some((one) => one['name'] === 'qradar' && one['delivered'] === 3 && one['state'] === 'failing') &&
        siems.some((one) => one['name'] === 'watch' && one['delivered'] === 1503 && one['state'] === 'ok'),
      50_000,
    );

    const said = JSON.stringify(status.siems.find((one) => one['name'] === 'qradar'));
    expect(said).toContain('set Entente IPv4 stands in another tenant');
    expect(said).not.toContain('made anew');
    expect(status.siems.find((one) => one['name'] === 'qradar')).toMatchObject({ parked: 0, pending: 1500 });
    expect(stored(sim, 'Domain')).toBe(3);
    expect((await daemon.stop()).code).toBe(0);
  });

  it('behind a proxy that refuses PATCH is failing after a call or two, with nothing parked', {
    timeout: 60_000,
  }, async () => {
    const { site, sim } = await aSite(addresses(400));
    sim.settings.refusedMethods = ['PATCH'];

    const daemon = await site.daemon({ limitMs: 55_000 });
    const status = await daemon.until(
      ({ siems }) =>
        siems.some((one) => one['name'] === 'qradar' && one['state'] === 'failing') &&
        siems.some((one) => one['name'] === 'watch' && one['delivered'] === 400),
      50_000,
    );

    expect(JSON.stringify(status.siems)).toContain('PATCH is refused on the way (405, a web page)');
    expect(status.siems.find((one) => one['name'] === 'qradar')).toMatchObject({ parked: 0, pending: 400 });
    expect(sim.requests.get('PATCH /api/reference_data_collections/set_entries 405') ?? 0).toBeLessThan(3);
    expect((await daemon.stop()).code).toBe(0);
  });

  it('with a set that forgets too soon is filled, and says so', { timeout: 60_000 }, async () => {
    const { site, sim } = await aSite(addresses(5));
    sim.store.create({
      name: 'Entente IPv4',
      type: 'IP',
      namespace: 'SHARED',
      tenantId: null,
      expiry: 'LAST_SEEN',
      ttlMs: 86_400_000,
      logOption: 'LOG_NONE',
      description: null,
    });

    const daemon = await site.daemon({ limitMs: 55_000 });
    const status = await daemon.until(
      ({ siems }) =>
        siems.some((one) => one['name'] === 'qradar' && one['delivered'] === 5 && one['state'] === 'failing'),
      50_000,
    );

    expect(JSON.stringify(status.siems)).toMatch(/set Entente IPv4 forgets entries 1 days after/);
    expect((await daemon.stop()).code).toBe(0);
  });
});
