// `reconcile` without --repair and `purge` without --yes only look: nothing is made at a SIEM, not even what open()
// would provision, and a place that does not exist yet is an answer, not an error.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Step } from '../../src/app/reconcile.ts';
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

it('at SIEMs that hold something, and tells how far it is', async () => {
  const signal = new AbortController().signal;
  await three.run();
  const steps: (Omit<Step, 'of'> & { of: number })[] = [];

  await perform(three.app, { kind: 'reconcile', repair: false }, 'ana', signal, (step) =>
    steps.push({ ...step, of: step.of() }),
  );

  const last = ['elastic', 'splunk', 'qradar'].map((siem) => steps.findLast((one) => one.siem === siem));
  expect(last).toMatchObject([{}, {}, {}].map(() => ({ what: 'listed', done: 5, of: 5 })));
});
