// `reconcile` without --repair and `purge` without --yes only look: nothing is made at a SIEM, not even what open()
// would provision, and a place that does not exist yet is an answer, not an error.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { perform } from '../../src/app/requests.ts';
import { type ThreeSiems, threeSiems } from '../builders/three-siems.ts';
import { addresses, indicator } from './world.ts';

let three: ThreeSiems;
beforeEach(async () => {
  three = await threeSiems({ data: addresses(5).map((value) => indicator(value)) });
});
afterEach(() => three.close());

const LOOKING = /_search|_pit|_refresh|_mget|_count|_query|ariel/;
const changes = (): string[] =>
  [three.elastic, three.splunk, three.qradar].flatMap((one) =>
    [...one.requests.keys()].filter((route) => !route.startsWith('GET') && !LOOKING.test(route)),
  );

it('at SIEMs where nothing of ours exists yet', async () => {
  const signal = new AbortController().signal;
  await three.app.exchanges.get('partner')!.poller.poll(signal);

  const report = await perform(three.app, { kind: 'reconcile', repair: false }, 'ana', signal);

  expect(changes()).toEqual([]);
  const one = { wanted: 5, pending: 5, present: 0, counts: { missing: 0, stale: 0, orphaned: 0 } };
  expect(report).toMatchObject({
    siems: [
      { name: 'elastic', ...one },
      { name: 'splunk', ...one },
      { name: 'qradar', ...one },
    ],
  });
});
