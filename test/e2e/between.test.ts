// A firewall in front of a SIEM that refuses one value with a page of its own, through the launcher: that value is parked
// and named, and its neighbours stand, are told when they are hit, and hold nobody up. As for Splunk in splunk-between.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { eventually } from './site.ts';
import { aTrio, type Member, type Trio, urlIndicator } from './trio.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 30_000 });

let trio: Trio;
beforeEach(async () => {
  trio = await aTrio();
});
afterEach(() => trio.close());

const PAGE = {
  status: 403,
  headers: { 'content-type': 'text/html' },
  body: '<html><body>Request Rejected</body></html>',
};
const BAD = 'https://listed.example/?f=../../etc/passwd';
const GOOD = ['https://listed.example/a', 'https://listed.example/b'];
const hits = { enabled: true, schedule: '* * * * * *' };
const BEHIND: readonly Member[] = ['watch', 'console'];

it('parks that value by name at Elasticsearch and QRadar, and tells hits on its neighbours', async () => {
  trio.configure({
    siems: {
      watch: { hits, event_search: { indices: ['app-events'], fields: { url: ['url.full'] } } },
      console: { hits },
    },
  });
  for (const sim of [trio.elastic, trio.qradar])
    sim.setFaults([{ match: '/', holds: 'etc/passwd', action: 'status', ...PAGE }]);
  trio.taxii.load([GOOD[0]!, BAD, GOOD[1]!].map(urlIndicator));
  const daemon = await trio.site.daemon();
  await daemon.until(
    ({ siems }) => siems.every((one) => one['delivered'] === 2 + Number(one.name === 'hq') && one['pending'] === 0),
    30_000,
  );
  const { siems } = await daemon.status();
  for (const name of BEHIND) expect(siems.find((one) => one.name === name)).toMatchObject({ delivered: 2, parked: 1 });
  expect(trio.standing()).toEqual({ watch: GOOD, hq: [...GOOD, BAD].toSorted(), console: GOOD });

  type Why = {
    entries: { siems: { name: string; state: string; reason: string }[]; hits: Record<string, unknown[]> }[];
  };
  const bad = (await trio.site.ask<Why>(['why', BAD])).entries[0]!;
  for (const name of BEHIND)
    expect(bad.siems.find((one) => one.name === name)).toMatchObject({
      state: 'parked',
      reason: expect.stringContaining('refused by something in between (403, a web page)'),
    });

  trio.taxii.load([urlIndicator('https://listed.example/c')]);
  await eventually(() => BEHIND.every((name) => trio.standing()[name].length === 3), 'the later value', 10_000);
  trio.elastic.plantEvents([
    { index: 'app-events', time: new Date().toISOString(), fields: { url: { full: GOOD[0]! } } },
  ]);
  trio.qradar.plant([{ time: Date.now(), fields: { URL: GOOD[0]!, logsourceid: 1 } }]);
  await eventually(
    async () => {
      const told = (await trio.site.ask<Why>(['why', GOOD[0]!])).entries[0]!.hits;
      return BEHIND.every((name) => (told[name] ?? []).length > 0);
    },
    'hits on a neighbour',
    20_000,
  );
  expect((await daemon.stop()).code).toBe(0);
});
