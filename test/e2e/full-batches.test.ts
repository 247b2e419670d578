// Batches at their full size, failing in every way a call can fail, in a daemon under the heaps that it is shipped with.
import { afterEach, describe, expect, it } from 'vitest';
import { type RunningQRadar, startQradar } from '../../src/simulators/qradar/index.ts';
import type { Fault, RunningSimulator } from '../../src/simulators/server.ts';
import { type RunningSplunk, startSplunk } from '../../src/simulators/splunk/index.ts';
import { addresses, aWorld, INDEX, indicator, valuesOf, type World } from './world.ts';

let world: World | undefined;
let splunk: RunningSplunk | undefined;
let qradar: RunningQRadar | undefined;
afterEach(async () => {
  for (const one of [world, splunk, qradar]) await one?.close();
  [world, splunk, qradar] = [undefined, undefined, undefined];
});

/** More than one batch of the largest kind; the names make a bulk request of Elastic larger than 3 MB. */
const COUNT = 2600;
const page = { body: '<html><body>Busy</body></html>', headers: { 'content-type': 'text/html', 'retry-after': '1' } };

const FAILURES: readonly (readonly [string, Omit<Fault, 'match'>])[] = [
  ['429', { action: 'status', status: 429, headers: { 'retry-after': '1' }, body: '{}' }],
  ['503 and a web page', { action: 'status', status: 503, ...page }],
  ['a time-out', { action: 'hang' }],
  ['a lost answer', { action: 'reset-after' }],
  ['half an answer', { action: 'truncate' }],
];

describe('a full batch that fails', () => {
  it.each(FAILURES)(
    'with %s leaves the daemon alive, and everything arrives',
    { timeout: 90_000 },
    async (_, fault) => {
      world = await aWorld();
      splunk = await startSplunk();
      qradar = await startQradar();
      const values = addresses(COUNT);
      world.taxii.load(values.map((one) => indicator(one, { name: 'n'.repeat(900) })));
      const fail = (server: RunningSimulator, match: string) => server.setFaults([{ match, times: 2, ...fault }]);
      fail(world.elastic, '_bulk');
      fail(splunk, 'batch_save');
      fail(qradar, 'PATCH /api/reference_data_collections/set_entries');
      const { site } = world;
      const settings = world.settings({ siem: { timeout_secs: 2 } });
      site.configure({
        ...settings,
        siems: [
          ...(settings['siems'] as object[]),
          { name: 'splunk', type: 'splunk', url: splunk.url, auth: { token: splunk.token }, timeout_secs: 2 },
          { name: 'qradar', type: 'qradar', url: qradar.url, auth: { token: qradar.token }, timeout_secs: 2 },
        ],
      });

      const daemon = await site.daemon({ limitMs: 85_000 });
      const full = await daemon.until(
        ({ siems }) => siems.every((one) => one['delivered'] === COUNT && one['pending'] === 0),
        80_000,
      );

      expect(full.siems.map((one) => one['parked'])).toEqual([0, 0, 0]);
      expect(valuesOf(world.elastic, INDEX)).toHaveLength(COUNT);
      expect((await daemon.stop()).code).toBe(0);
    },
  );
});
