// The way back, whole: an indicator travels in and is delivered to Elastic, what matches it is planted there, and the
// sighting arrives at the exchange. Every part is ours except the two far sides, which are the shipped simulators.
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import { shiftedClock } from '../../src/core/runtime/clock.ts';
import { SightingsReader } from '../../src/core/store/sightings-reader.ts';
import { objectIdAt } from '../builders/sightings.ts';
import { aRoundTrip, closers, elasticSide, INDEX, never } from './round-trip.ts';

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const ALERTS = '.internal.alerts-security.alerts-default-000001';
const ADDRESS = { type: 'ipv4-addr', value: '198.51.100.7' } as const;
const PATTERN = "[ipv4-addr:value = '198.51.100.7']";
const now = () => new Date().toISOString();

const matched = (slot = elastic.slot(ADDRESS.type, ADDRESS.value, null)) => ({
  id: slot,
  index: INDEX,
  field: 'source.ip',
  atomic: ADDRESS.value,
  type: 'indicator_match_rule',
});
const indicator = { type: 'ipv4-addr', name: ADDRESS.value, ip: ADDRESS.value };
const anAlert = (uuid: string, given: object = {}) => ({
  time: now(),
  index: ALERTS,
  fields: {
    'kibana.alert.uuid': uuid,
    'kibana.alert.original_time': now(),
    'kibana.alert.workflow_status': 'open',
    threat: { enrichments: [{ indicator, matched: matched() }] },
    ...given,
  },
});
const EVENTS = {
  indices: ['logs-simulated.events'],
  fields: { 'ipv4-addr': ['destination.ip'], 'domain-name': ['dns.question.name'] },
};
const anEvent = (address: string, more: object = {}) => ({
  time: now(),
  fields: { destination: { ip: address }, ...more },
});

describe('hits in Elastic', () => {
  it('arrive at the exchange as one sighting, once, with the right count', async () => {
    const { reporter, sender, plant, taxii } = await aRoundTrip([PATTERN]);
    await plant([anAlert('a'), anAlert('b'), anAlert('c')]);

    expect((await reporter.collect(never)).fresh).toBe(3);
    expect(await sender.cycle(never)).toMatchObject({ sent: 1, done: true });
    await reporter.collect(never);
    await sender.cycle(never);

    expect(reporter.failure ?? sender.failure).toBeUndefined();
    expect(taxii.sightings().map((one) => [one['sighting_of_ref'], one['count']])).toEqual([[objectIdAt(1), 3]]);
  });

  it('count in both shapes of alerts, and without what the rule copied of the indicator', async () => {
    const { reporter, plant } = await aRoundTrip([PATTERN]);
    await plant([
      anAlert('nested'),
      anAlert('dotted', { threat: undefined, 'threat.enrichments': [{ matched: matched() }] }),
      anAlert('suppressing', { kibana: { alert: { suppression: { docs_count: 4 } } } }),
    ]);

    // One, one, and one with four that it suppressed.
    expect((await reporter.collect(never)).fresh).toBe(7);
  });

  it('are all found though the search expires while it is read', async () => {
    const { reporter, plant, sim } = await aRoundTrip([PATTERN]);
    await plant(Array.from({ length: 1500 }, (_, n) => anAlert(`many-${n}`)));
    // The second page is gone, as after keep_alive.
    const body =
      '{"error":{"type":"search_phase_execution_exception","root_cause":[{"type":"search_context_missing_exception"}]},"status":404}';
    sim.setFaults([{ match: 'POST /_search', skip: 1, times: 1, action: 'status', status: 404, body }]);
    const first = await reporter.collect(never);
    const failure = reporter.failure?.kind;
    reporter.wake();
    const second = await reporter.collect(never);

    expect([first.fresh, failure, second.fresh, reporter.failure]).toEqual([1000, 'retryable', 500, undefined]);
  });

  it('on other indicators than ours are not read as ours', async () => {
    const { reporter, plant } = await aRoundTrip([PATTERN]);
    const foreign = { ...matched(), index: 'logs-ti_abusech.malware' };
    await plant([
      anAlert('foreign', { threat: { enrichments: [{ matched: foreign }] } }),
      anAlert('strange', { threat: { enrichments: [{ matched: matched('no-such-document') }] } }),
    ]);

    expect((await reporter.collect(never)).fresh).toBe(0);
    expect(reporter.failure).toBeUndefined();
  });

  it('closed as false positives become an opinion where a rule allows it', async () => {
    const rules = [{ to: '*', tlp: ['green'], falsePositives: true, action: 'share' }] as const;
    const { reporter, sender, plant, sentBodies } = await aRoundTrip([PATTERN], { release: { rules } });
    const closed = {
      'kibana.alert.workflow_status': 'closed',
      'kibana.alert.workflow_reason': 'false_positive',
    };
    await plant([anAlert('a', closed)]);
    await reporter.collect(never);

    expect(await sender.cycle(never)).toMatchObject({ sent: 1 });
    expect(sentBodies.join('')).toContain(String.raw`\"type\":\"opinion\"`);
  });

  it('caused by our own scanners are not reported', async () => {
    const { reporter, plant } = await aRoundTrip([PATTERN], {
      elastic: { event_search: EVENTS, ignore_hosts: ['scanner.example', '192.0.2.9'] },
    });
    await plant([
      anEvent(ADDRESS.value, { host: { name: 'scanner.example' } }),
      anEvent(ADDRESS.value, { source: { ip: '192.0.2.9' } }),
      anEvent(ADDRESS.value, { host: { name: 'desk.example' } }),
    ]);

    expect((await reporter.collect(never)).fresh).toBe(1);
  });

  it('are found in events where no rule looks: single addresses, networks and names', async () => {
    const { reporter, plant } = await aRoundTrip(
      [PATTERN, "[ipv4-addr:value ISSUBSET '203.0.113.0/24']", "[domain-name:value = 'evil.example']"],
      { elastic: { event_search: EVENTS } },
    );
    await plant([
      anEvent(ADDRESS.value),
      anEvent('203.0.113.77'),
      anEvent('192.0.2.1'),
      { time: now(), fields: { dns: { question: { name: 'evil.example' } } } },
    ]);

    expect((await reporter.collect(never)).fresh).toBe(3);
    expect(reporter.failure).toBeUndefined();
  });

  it('late inside the overlap are found once', async () => {
    const { reporter, plant } = await aRoundTrip([PATTERN], { elastic: { event_search: EVENTS } });
    await plant([anEvent(ADDRESS.value)]);
    const first = await reporter.collect(never);
    await plant([{ ...anEvent(ADDRESS.value), time: new Date(Date.now() - 120_000).toISOString() }]);

    const counts = [first.fresh, (await reporter.collect(never)).fresh, (await reporter.collect(never)).fresh];

    expect(counts).toEqual([1, 1, 0]);
  });

  it.each([-1, 1])('are found in events by the clock of the cluster, %i days from ours', async (days) => {
    const clock = shiftedClock(Date.now() + days * 86_400_000);
    const { reporter, plant } = await aRoundTrip([PATTERN], { siem: elasticSide({ event_search: EVENTS }, { clock }) });
    const there = () => new Date(clock.now()).toISOString();
    await plant([{ ...anEvent(ADDRESS.value), time: there() }]);
    const first = await reporter.collect(never);
    await plant([{ ...anEvent(ADDRESS.value), time: there() }]);

    const counts = [first.fresh, (await reporter.collect(never)).fresh, (await reporter.collect(never)).fresh];

    expect([counts, reporter.failure]).toEqual([[1, 1, 0], undefined]);
  });

  it('cannot turn a value of a feed into a query', async () => {
    const hostile = `http://evil.example/"}}]}},{"match_all":{}},{"x":{"y":"*?x=<script>' OR 1=1`;
    const quoted = hostile.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
    const { reporter, plant } = await aRoundTrip([`[url:value = '${quoted}']`], {
      elastic: { event_search: { ...EVENTS, fields: { url: ['url.full'] } } },
    });
    await plant([
      { time: now(), fields: { url: { full: 'http://harmless.example/' } } },
      { time: now(), fields: { url: { full: '*' } } },
    ]);

    expect((await reporter.collect(never)).fresh).toBe(0);
    expect(reporter.failure).toBeUndefined();
  });
});

it('lets nothing of a hit out: no byte to the exchange, in the state, the log or status holds a word of it', async () => {
  const { reporter, sender, plant, taxii, store, spec, logged, sentBodies } = await aRoundTrip([PATTERN], {
    elastic: { event_search: EVENTS },
  });
  const word = (n: number) => `CANARY-${n}`;
  const stuffed = {
    host: { name: word(1), ip: '10.9.8.7' },
    user: { name: word(2), email: word(3) },
    message: word(4),
    process: { command_line: word(5) },
    file: { path: word(6) },
    labels: { [word(7)]: word(8) },
  };
  const rule = { name: word(10), uuid: word(11), tags: [word(12)] };
  const kibana = { alert: { rule, reason: word(13), workflow_tags: [word(14)], workflow_reason: word(15) } };
  await plant([anAlert(word(9), { ...stuffed, kibana }), anEvent(ADDRESS.value, stuffed)]);
  const { fresh } = await reporter.collect(never);
  const { sent } = await sender.cycle(never);

  const copy = `${spec.path}.copy`;
  await store.backup(copy);
  const state = readFileSync(copy);
  const reader = new SightingsReader(spec);
  const shown = [reader.counts(), reader.sources(), reader.held(), reader.hits(ADDRESS), reader.releases(ADDRESS)];
  reader.close();

  expect([fresh, sent, taxii.sightings().length]).toEqual([2, 1, 1]);
  // What is looked through holds what it should hold.
  expect(sentBodies.join('')).toContain(objectIdAt(1));
  expect(state.includes(ADDRESS.value)).toBe(true);
  const places = [sentBodies.join('\n'), logged.join('\n'), JSON.stringify(shown), JSON.stringify(taxii.sightings())];
  for (const place of places) {
    expect(place).not.toContain('CANARY');
    expect(place).not.toContain('10.9.8.7');
  }
  expect([state.includes('CANARY'), state.includes('10.9.8.7')]).toEqual([false, false]);
  // The value stays here too: the partner knows its own indicator by its id.
  expect(sentBodies.join('\n')).not.toContain(ADDRESS.value);
});
