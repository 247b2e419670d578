// After a purge nothing stands there that says that we were ever at work: no entry, no writer mark, no marker.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { siemConnector } from '../../src/app/peers.ts';
import { type ThreeSiems, threeSiems } from '../builders/three-siems.ts';
import { addresses, indicator } from './world.ts';

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
