// The way back from QRadar, whole: an indicator travels in and is delivered to a reference set, an event that matches
// is planted, and the sighting arrives at the exchange. Every part is ours except the two far sides, which are the
// shipped simulators.
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { taxii21 } from '../../src/connectors/exchange/taxii21/index.ts';
import { qradar } from '../../src/connectors/siem/qradar/index.ts';
import { Batch } from '../../src/core/contracts/batch.ts';
import { systemClock } from '../../src/core/runtime/clock.ts';
import { createHttp } from '../../src/core/runtime/http.ts';
import { silentLog } from '../../src/core/runtime/log.ts';
import { Reporter } from '../../src/core/sightings/reporter.ts';
import { Sender } from '../../src/core/sightings/sender.ts';
import { localStore } from '../../src/core/store/remote.ts';
import { nameOf } from '../../src/core/store/state/open.ts';
import type { SiemEncoder } from '../../src/core/contracts/siem-connector.ts';
import type { ReleaseSpec } from '../../src/core/store/spec/spec.ts';
import { type PlantedEvent, startQradar } from '../../src/simulators/qradar/index.ts';
import { startTaxii } from '../../src/simulators/taxii/index.ts';
import { aSiem, aStore, objectIdAt } from '../builders/sightings.ts';
import { qradarConfig } from '../contract/qradar-harness.ts';
import { QRadarConnector } from '../../src/connectors/siem/qradar/connector.ts';
import { Taxii21Connector } from '../../src/connectors/exchange/taxii21/connector.ts';
import { IDENTITY, never, stixIndicator } from './round-trip.ts';

const ADDRESS = '198.51.100.7';
const PATTERN = `[ipv4-addr:value = '${ADDRESS}']`;
const MINUTE = 60_000;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function aRoundTrip(patterns: readonly string[], release: Partial<ReleaseSpec> = {}) {
  const taxii = await startTaxii({ data: patterns.map((pattern, n) => stixIndicator(n + 1, pattern)) });
  closers.push(() => taxii.close());
  const sim = await startQradar();
  closers.push(() => sim.close());
  const sent: string[] = [];
  const http =
    (label: string) =>
    (options: Parameters<typeof createHttp>[1]): ReturnType<typeof createHttp> => {
      const client = createHttp({ label, timeoutMs: 10_000, allowHttp: false, tls: {} }, options);
      const request: typeof client.request = (one) => {
        if (label === 'exchange') sent.push(JSON.stringify([one.path, one.query, one.body?.toString()]));
        return client.request(one);
      };
      return { ...client, request };
    };
  const common = { clock: systemClock, log: silentLog };
  const exchange = new Taxii21Connector(
    taxii21.config.parse({
      type: 'taxii21',
      url: taxii.discovery,
      auth: { username: taxii.username, password: taxii.password },
      collections: [taxii.collections.read],
      report_to: taxii.collections.write,
    }),
    { ...common, name: 'partner', http: http('exchange'), identity: IDENTITY },
  );
  closers.push(() => exchange.close());
  const config = qradarConfig({ url: sim.url, token: sim.token });
  const connect = () => {
    const siem = new QRadarConnector(config, { ...common, name: 'one', instance: 'soc-one', http: http('siem') });
    closers.push(() => siem.close());
    return siem;
  };
  const siem = connect();

  const blank = aStore({ release, siems: [] });
  blank.store.close();
  const settings = qradar.settings(config, 'soc-one');
  const spec = { ...blank.spec, siems: [aSiem('one', { type: 'qradar', settings })] };
  const store = localStore(spec, new Map<string, SiemEncoder>([['qradar', qradar as unknown as SiemEncoder]]));
  closers.push(() => store.close());

  for await (const page of exchange.pages(undefined, never)) await store.commitPages('partner', [page], Date.now());
  await siem.open(never);
  const taken = await store.takeBatch('one', qradar.limits, Date.now());
  const outcomes = await siem.apply(new Batch(taken!.changes, taken!.bytes, taken!.ends), never);
  const receipts = new Set(outcomes.flatMap((one) => (one.kind === 'accepted' ? [one.receipt] : [])));
  for (const receipt of receipts)
    while ((await siem.settle!(receipt, never)) === 'pending') await systemClock.sleep(10);
  await store.settleAll(taken!.id, Date.now());

  const shared = { store, now: Date.now, log: silentLog, random: () => 1 };
  const aReporter = () => new Reporter({ ...shared, name: 'one', connector: connect() });
  const sender = new Sender({ ...shared, name: 'partner', connector: exchange });
  const plant = async (events: readonly PlantedEvent[]) => {
    const answer = await fetch(`${sim.url}/_sim/events`, { method: 'POST', body: JSON.stringify(events) });
    expect(answer.status).toBe(200);
  };
  return { taxii, sim, store, spec, reporter: aReporter(), aReporter, sender, plant, sent };
}

const at = (time: number, fields: Readonly<Record<string, unknown>>): PlantedEvent => ({ time, fields });

describe('hits in QRadar', () => {
  it('arrive at the exchange as one sighting, once, with the right count and times', async () => {
    const { reporter, aReporter, sender, plant, taxii } = await aRoundTrip([PATTERN], { precisionMinutes: 1 });
    const now = Date.now();
    await plant([
      at(now, { destinationip: ADDRESS, eventcount: 3 }),
      at(now, { sourceip: ADDRESS, destinationip: '192.0.2.1' }),
      at(now, { destinationip: '192.0.2.1' }),
    ]);

    expect(await reporter.collect(never)).toEqual({ fresh: 4, ignored: 0 });
    expect(await sender.cycle(never)).toMatchObject({ sent: 1, done: true });
    // Again, and by a daemon that knows nothing but its store.
    expect([(await reporter.collect(never)).fresh, (await aReporter().collect(never)).fresh]).toEqual([0, 0]);
    await sender.cycle(never);

    expect(reporter.failure ?? sender.failure).toBeUndefined();
    const minute = new Date(Math.floor(now / MINUTE) * MINUTE).toISOString();
    expect(taxii.sightings()).toHaveLength(1);
    expect(taxii.sightings()[0]).toMatchObject({
      sighting_of_ref: objectIdAt(1),
      count: 4,
      first_seen: minute,
      last_seen: minute,
    });
  });

  it('late inside the overlap are found once, and make a newer version of the same sighting', async () => {
    const { reporter, sender, plant, taxii } = await aRoundTrip([PATTERN], { windowMinutes: 1440 });
    // Both in the same day, or the first one would stand in a window of its own.
    const now = Math.max(Date.now() - 2 * MINUTE, Math.floor(Date.now() / 86_400_000) * 86_400_000);
    await plant([at(Date.now(), { destinationip: ADDRESS })]);
    const first = await reporter.collect(never);
    await sender.cycle(never);
    await plant([at(now, { destinationip: ADDRESS })]);
    const counts = [first.fresh, (await reporter.collect(never)).fresh, (await reporter.collect(never)).fresh];
    await sender.cycle(never);

    expect(counts).toEqual([1, 1, 0]);
    expect(new Set(taxii.sightings().map((one) => one['id'])).size).toBe(1);
    expect(Math.max(...taxii.sightings().map((one) => Number(one['count'])))).toBe(2);
  });

  it('let nothing of an event out: neither to the exchange nor into the state', async () => {
    const { reporter, sender, plant, taxii, store, spec, sent } = await aRoundTrip([PATTERN]);
    const fields = {
      username: 'CANARY-1',
      sourceip: '10.9.8.7',
      'Process CommandLine': 'CANARY-2',
      payload: 'CANARY-3',
    };
    await plant([at(Date.now(), { ...fields, destinationip: ADDRESS, logsourceid: 'CANARY-4' })]);

    await reporter.collect(never);
    await sender.cycle(never);

    const copy = `${nameOf(spec.path)}.copy`;
    await store.backup(copy);
    const state = readFileSync(copy);
    expect(taxii.sightings()).toHaveLength(1);
    expect(sent.join('')).toContain(objectIdAt(1));
    expect(state.includes(ADDRESS)).toBe(true);
    for (const canary of ['CANARY', '10.9.8.7'])
      expect([sent.join('').includes(canary), state.includes(canary)]).toEqual([false, false]);
    expect(sent.join('')).not.toContain(ADDRESS);
  });
});
