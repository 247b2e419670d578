// The way back, whole: an indicator travels in and is delivered to Elastic, what matches it is planted there, and the
// sighting arrives at the exchange. Every part is ours except the two far sides, which are the shipped simulators.
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import { shiftedClock } from '../../src/core/runtime/clock.ts';
import { SightingsReader } from '../../src/core/store/read/sightings.ts';
import { nameOf } from '../../src/core/store/state/open.ts';
import type { RunningElastic } from '../../src/simulators/elastic/index.ts';
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

  it('in part of the event indices only are a failure, and nothing is lost once it is mended', async () => {
    const indices = ['logs-simulated.events', 'app-events'];
    const fields = { 'domain-name': ['dns.question.name'] };
    const { reporter, plant, sim } = await aRoundTrip(["[domain-name:value = 'evil.example']"], {
      elastic: { event_search: { indices, fields } },
    });
    const ask = (method: string, path: string, body: object) =>
      fetch(sim.url + path, {
        method,
        headers: { 'content-type': 'application/json', authorization: `ApiKey ${(sim as RunningElastic).apiKey}` },
        body: JSON.stringify(body),
      });
    const name = (type: string) => ({ dns: { properties: { question: { properties: { name: { type } } } } } });
    const event = { time: now(), fields: { dns: { question: { name: 'evil.example' } } } };
    await ask('PUT', '/app-events', { mappings: { properties: name('ip') } });
    await plant([event]);

    const first = await reporter.collect(never);
    expect(reporter.failure).toMatchObject({ kind: 'config' });
    expect(reporter.failure?.message).toMatch(/failed in 1 shards of app-events \(/);
    await ask('DELETE', '/app-events', {});
    await ask('PUT', '/app-events', {
      mappings: { properties: { '@timestamp': { type: 'date' }, ...name('keyword') } },
    });
    await plant([{ ...event, index: 'app-events' }]);
    reporter.wake();
    const second = await reporter.collect(never);

    expect(first.fresh + second.fresh).toBe(2);
    expect(reporter.failure).toBeUndefined();
  });

  it('made from alerts, and by rules that match no indicators, are not counted', async () => {
    const { reporter, plant } = await aRoundTrip([PATTERN]);
    await plant([
      anAlert('first', { 'kibana.alert.rule.type': 'threat_match', 'kibana.alert.depth': 1 }),
      anAlert('above', { 'kibana.alert.rule.type': 'query', 'kibana.alert.depth': 2 }),
      anAlert('query', { 'kibana.alert.rule.type': 'query', 'kibana.alert.depth': 1 }),
      anAlert('deep', { kibana: { alert: { rule: { type: 'threat_match' }, depth: 2 } } }),
      anAlert('child', { 'kibana.alert.ancestors': [{ type: 'event' }, { type: 'signal' }] }),
    ]);

    expect((await reporter.collect(never)).fresh).toBe(1);
  });

  it('on an index behind an alias of our name are ours, and on another instance of the same values are not', async () => {
    const { reporter, plant, sim, siem, logged } = await aRoundTrip([PATTERN]);
    const server = sim as RunningElastic;
    const ask = async (method: string, path: string, body?: object) =>
      (
        await fetch(server.url + path, {
          method,
          headers: { 'content-type': 'application/json', authorization: `ApiKey ${server.apiKey}` },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        })
      ).json() as Promise<Record<string, object>>;
    const documents = server.documents(INDEX) as Record<string, { entente: object }>;
    const mapping = (await ask('GET', `/${INDEX}/_mapping`))[INDEX]!;
    await ask('DELETE', `/${INDEX}`);
    for (const [name, owner] of [
      ['second', 'entente:soc-one'],
      ['theirs', 'entente:other'],
    ] as const) {
      await ask('PUT', `/${name}`, mapping);
      for (const [id, doc] of Object.entries(documents))
        await ask('PUT', `/${name}/_doc/${id}`, { ...doc, entente: { ...doc.entente, owner } });
    }
    await ask('PUT', `/second/_alias/${INDEX}`, {});
    const named = (index: string) => ({ threat: { enrichments: [{ indicator, matched: { ...matched(), index } }] } });
    await plant([anAlert('new', named('second')), anAlert('old', named(INDEX)), anAlert('theirs', named('theirs'))]);

    await siem.open(never);

    expect((await reporter.collect(never)).fresh).toBe(2);
    expect(logged.join('\n')).toContain('Our index is an alias');
  });

  it('in other letter case, with a final dot and in fields of several values are found', async () => {
    const sha256 = 'ab'.repeat(32);
    const { reporter, plant } = await aRoundTrip(
      [`[file:hashes.'SHA-256' = '${sha256}']`, "[domain-name:value = 'evil.example']", PATTERN],
      {
        elastic: {
          event_search: {
            ...EVENTS,
            fields: { ...EVENTS.fields, "file:hashes.'SHA-256'": ['file.hash.sha256'] },
          },
        },
      },
    );
    await plant([
      { time: now(), fields: { file: { hash: { sha256: sha256.toUpperCase() } } } },
      { time: now(), fields: { dns: { question: { name: 'EVIL.Example.' } } } },
      { time: now(), fields: { dns: { question: { name: ['fine.example', 'evil.EXAMPLE'] } } } },
      { time: now(), fields: { destination: { ip: ['192.0.2.1', ADDRESS.value] } } },
    ]);

    expect((await reporter.collect(never)).fresh).toBe(4);
  });

  it('in events that do not say when they were indexed are found by their own time', async () => {
    const { reporter, plant } = await aRoundTrip([PATTERN], { elastic: { event_search: EVENTS } });
    await plant([
      { ...anEvent(ADDRESS.value), fields: { destination: { ip: ADDRESS.value }, event: { kind: 'event' } } },
    ]);

    expect((await reporter.collect(never)).fresh).toBe(1);
  });

  it('are not said to be read where there is nothing to read', async () => {
    const { reporter, plant } = await aRoundTrip([PATTERN]);
    await reporter.collect(never);
    expect(reporter.idle).toContain('.alerts-security.alerts-default is not there yet');

    await plant([anAlert('a')]);
    await reporter.collect(never);

    expect(reporter.idle).toBeUndefined();
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

  const copy = `${nameOf(spec.path)}.copy`;
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
