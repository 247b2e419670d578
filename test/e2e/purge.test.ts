// After a purge nothing stands there that says that we were ever at work: no entry, no writer mark, no marker.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { siemConnector } from '../../src/app/peers.ts';
import { type ThreeSiems, threeSiems } from '../builders/three-siems.ts';
import { startQradar } from '../../src/simulators/qradar/index.ts';
import { startSplunk } from '../../src/simulators/splunk/index.ts';
import { addresses, aWorld, indicator, INSTANCE } from './world.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

let three: ThreeSiems;
beforeEach(async () => {
  three = await threeSiems({ data: addresses(2).map((value) => indicator(value)) });
});
afterEach(() => three.close());

it.each(['elastic', 'splunk', 'qradar'])('%s: the control records go, and what stays is named', async (name) => {
  const { signal } = new AbortController();
  await three.run();
  const { config, clock, log } = three.app;
  const connector = await siemConnector(config, name, clock, log);
  try {
    await connector.open(signal);
    expect(await connector.writer(undefined, signal)).toBeDefined();

    const left = await connector.leave?.(signal);

    expect(left).toMatchObject({ removed: expect.any(Number), stays: expect.arrayContaining([expect.any(String)]) });
    expect(left!.removed).toBeGreaterThan(0);
    expect(await connector.writer(undefined, signal)).toBeUndefined();
    expect((await connector.leave?.(signal))?.removed).toBe(0);
    // What tells a collection of Splunk from one that was made anew stands inside it.
    for (const family of ['ip', 'domain', 'url', 'email', 'file'])
      for (const row of three.splunk.documents('entente', `entente_${family}`).values())
        if (name === 'splunk') expect(row).not.toHaveProperty('generation');
  } finally {
    await connector.close();
  }
});

describe('typed', () => {
  const splunk = async (form: string) => {
    const sim = await startSplunk({ enterpriseSecurity: form === 'threat_intel' });
    const settings = { type: 'splunk', url: sim.url, auth: { token: sim.token }, form };
    const rows = () =>
      [...sim.state.collections.values()].flatMap((one) =>
        [...one.documents.values()].flatMap((rows) => [...rows.values()]),
      );
    return { settings, rows, close: () => sim.close() };
  };
  const qradar = async (apiVersion?: string) => {
    const sim = await startQradar(apiVersion === undefined ? {} : { apiVersion });
    const settings = { type: 'qradar', url: sim.url, auth: { token: sim.token } };
    const rows = () => [...sim.store.sets.values()].flatMap((one) => [...one.entries.values()]);
    return { settings, rows, close: () => sim.close() };
  };

  it.each([
    ['Splunk, lookups', () => splunk('lookups')],
    ['Splunk, threat_intel', () => splunk('threat_intel')],
    ['QRadar', () => qradar()],
    ['QRadar with the classic interface', () => qradar('15.0')],
  ])('leaves no row of ours at %s', async (_what, start) => {
    const world = await aWorld();
    const siem = await start();
    try {
      const configure = (mode: string) => {
        const settings = world.settings();
        world.site.configure({ ...settings, siems: [{ name: 'there', ...siem.settings, mode }] });
      };
      const ours = () => siem.rows().filter((row) => JSON.stringify(row).includes(INSTANCE));
      world.taxii.load(addresses(3).map((value) => indicator(value)));
      configure('live');
      expect((await world.site.entente(['run', '--once'])).code).toBe(0);
      expect(ours().length).toBeGreaterThan(3);
      configure('shadow');

      const done = await world.site.entente(['purge', '--siem', 'there', '--yes']);

      expect([done.code, done.stdout]).toEqual([0, 'Removed 3 entries from there.\n']);
      expect(done.stderr).toMatch(/Removed \d+ control records\. On purpose stays: /);
      expect(ours()).toEqual([]);
    } finally {
      await siem.close();
      await world.close();
    }
  });
});
