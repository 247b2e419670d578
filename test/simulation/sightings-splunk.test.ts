// The way back, whole, with Splunk: an indicator travels in and is delivered, an event that holds it is planted there,
// and the sighting arrives at the exchange. Every part is ours except the two far sides, the shipped simulators.
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { splunk } from '../../src/connectors/siem/splunk/index.ts';
import type { SplunkOptions } from '../../src/simulators/splunk/index.ts';
import { nameOf } from '../../src/core/store/state/open.ts';
import { objectIdAt } from '../builders/sightings.ts';
import { aRoundTrip, closers, never, splunkSide } from './round-trip.ts';

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const ADDRESS = '198.51.100.7';
const PATTERN = `[ipv4-addr:value = '${ADDRESS}']`;
const HOUR_MS = 3_600_000;
const EVENTS = {
  indexes: ['proxy', 'dns*'],
  fields: { 'ipv4-addr': ['dest_ip', 'src_ip'], 'domain-name': ['query'], url: ['url'] },
};
const inLookups = (more: object = {}, settings: SplunkOptions['settings'] = {}) =>
  splunkSide({ settings }, { event_search: EVENTS, ...more });
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
const anEvent = (fields: object, at = ago(0)) => ({ time: at, fields: { index: 'proxy', ...fields } });

describe('events in Splunk that hold a value of ours', () => {
  it('arrive at the exchange as one sighting, once, with the right count and times', async () => {
    const { reporter, sender, plant, taxii } = await aRoundTrip([PATTERN], {
      siem: inLookups(),
      release: { precisionMinutes: 1 },
    });
    // Both stand in one window of an hour; their own times are those of the event, not of its indexing.
    const start = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 2 * HOUR_MS;
    const [early, late] = [start + 60_000, start + 40 * 60_000].map((ms) => new Date(ms).toISOString());
    await plant([
      anEvent({ dest_ip: ADDRESS }, early),
      anEvent({ dest_ip: ADDRESS, src_ip: ADDRESS }, late),
      anEvent({ dest_ip: '192.0.2.1' }, late),
      anEvent({ index: 'elsewhere', dest_ip: ADDRESS }, late),
    ]);

    expect((await reporter.collect(never)).fresh).toBe(2);
    expect(await sender.cycle(never)).toMatchObject({ sent: 1, done: true });
    expect((await reporter.collect(never)).fresh).toBe(0);
    await sender.cycle(never);

    expect(reporter.failure ?? sender.failure).toBeUndefined();
    const sightings = taxii.sightings();
    expect(sightings.map((one) => [one['sighting_of_ref'], one['count']])).toEqual([[objectIdAt(1), 2]]);
    const times = [sightings[0]?.['first_seen'], sightings[0]?.['last_seen']].map(String);
    expect(times.map((time) => Date.parse(time))).toEqual([early, late].map((time) => Date.parse(time!)));
  });

  // The pages of the product contradict each other on whether a KV store lookup folds case.
  it.each([true, false])(
    'are found by address, network, name and URL; lookups fold case: %s',
    async (lookupsFoldCase) => {
      const { reporter, plant, store } = await aRoundTrip(
        [
          PATTERN,
          "[ipv4-addr:value ISSUBSET '203.0.113.0/24']",
          "[domain-name:value = 'evil.example']",
          "[url:value = 'http://evil.example/A']",
        ],
        { siem: inLookups({}, { lookupsFoldCase }) },
      );
      await plant([
        anEvent({ dest_ip: ['10.9.9.9', ADDRESS] }),
        anEvent({ src_ip: '203.0.113.77' }),
        anEvent({ index: 'dns-7', query: 'EVIL.example.' }),
        anEvent({ index: 'dns-7', query: 'not.evil.example' }),
        anEvent({ url: ['http://other.example/', 'http://evil.example/A'] }),
        anEvent({ url: 'http://evil.example/a' }),
      ]);

      expect((await reporter.collect(never)).fresh).toBe(4);
      expect(await store.hitCursor('one')).toMatchObject({ alerts: { read: expect.any(Number) } });
      expect(reporter.failure).toBeUndefined();
    },
  );

  it('indexed late, inside the overlap, are found once', async () => {
    const { reporter, plant } = await aRoundTrip([PATTERN], { siem: inLookups() });
    await plant([anEvent({ dest_ip: ADDRESS })]);
    const first = await reporter.collect(never);
    await plant([{ ...anEvent({ dest_ip: ADDRESS }, ago(26 * HOUR_MS)), indextime: ago(120_000) }]);

    const counts = [first.fresh, (await reporter.collect(never)).fresh, (await reporter.collect(never)).fresh];

    expect(counts).toEqual([1, 1, 0]);
  });

  it('caused by our own scanners are not reported', async () => {
    const { reporter, plant } = await aRoundTrip([PATTERN], {
      siem: inLookups({ ignore_hosts: ['scanner.example', '192.0.2.9'] }),
    });
    await plant([
      anEvent({ dest_ip: ADDRESS, host: 'scanner.example' }),
      anEvent({ dest_ip: ADDRESS, src: '192.0.2.9' }),
      anEvent({ dest_ip: ADDRESS, host: 'desk.example' }),
    ]);

    expect((await reporter.collect(never)).fresh).toBe(1);
  });
});

describe('matches of Enterprise Security', () => {
  const slot = splunk.slot(
    'ipv4-addr',
    ADDRESS,
    splunk.settings(
      splunk.config.parse({ type: 'splunk', url: 'http://127.0.0.1:1', auth: { token: 'x' }, form: 'threat_intel' }),
      'soc-one',
    ),
  );
  const aMatch = (more: object = {}) => ({
    time: ago(0),
    fields: {
      index: 'threat_activity',
      threat_key: 'entente:soc-one',
      threat_collection: 'ip_intel',
      threat_collection_key: slot,
      threat_match_value: ADDRESS,
      ...more,
    },
  });

  it('arrive at the exchange once, and those on rows of others are not read as ours', async () => {
    const { reporter, sender, plant, taxii } = await aRoundTrip([PATTERN], {
      siem: splunkSide({}, { form: 'threat_intel' }),
    });
    await plant([
      aMatch(),
      aMatch(),
      aMatch({ threat_key: 'iblocklist', threat_collection_key: 'iblocklist|198.51.100.7' }),
      aMatch({ threat_collection_key: `00000000${slot.slice(8)}` }),
      aMatch({ threat_collection_key: `${slot}" | delete` }),
    ]);

    expect((await reporter.collect(never)).fresh).toBe(2);
    expect(await sender.cycle(never)).toMatchObject({ sent: 1, done: true });
    expect((await reporter.collect(never)).fresh).toBe(0);

    expect(reporter.failure ?? sender.failure).toBeUndefined();
    expect(taxii.sightings().map((one) => [one['sighting_of_ref'], one['count']])).toEqual([[objectIdAt(1), 2]]);
  });
});

it('lets nothing of an event out: no byte to the exchange, in the state or the log holds a word of it', async () => {
  const { reporter, sender, plant, store, spec, logged, sentBodies } = await aRoundTrip([PATTERN], {
    siem: inLookups(),
  });
  const stuffed = { host: 'CANARY-1', user: 'CANARY-2', _raw: 'CANARY-3', process: 'CANARY-4', query: 'CANARY-5' };
  await plant([anEvent({ dest_ip: ADDRESS, ...stuffed })]);
  expect((await reporter.collect(never)).fresh).toBe(1);
  expect(await sender.cycle(never)).toMatchObject({ sent: 1 });

  const copy = `${nameOf(spec.path)}.copy`;
  await store.backup(copy);
  const state = readFileSync(copy);
  expect(state.includes(ADDRESS)).toBe(true);
  expect(sentBodies.join('')).toContain(objectIdAt(1));
  for (const place of [state.toString('latin1'), sentBodies.join('\n'), logged.join('\n')])
    expect(place).not.toContain('CANARY');
});
