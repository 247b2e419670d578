// What a partner tells of its own sightings, and what it shows of ours, stays there: through the whole loop, over several
// polls, nothing of it is a hit, an indicator or a sighting once more.
import { afterEach, expect, it, vi } from 'vitest';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import { type RunningElastic, startElastic } from '../../src/simulators/elastic/index.ts';
import { startMisp } from '../../src/simulators/misp/index.ts';
import { startTaxii } from '../../src/simulators/taxii/index.ts';
import { inProcess } from './in-process.ts';
import { type Settings, Site, type Status } from './site.ts';
import { INDEX, idFor, indicator, INSTANCE, valuesOf } from './world.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 });

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const [SEEN, QUIET] = ['198.51.100.1', '198.51.100.2'];
const id = (n: number) => `9f1d4a52-6f0c-4a53-9f3f-${String(n).padStart(12, '0')}`;
const GREEN = 'marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da';

interface Partner {
  readonly exchange: Settings;
  /** It says that it saw the value itself. */
  saw(value: string): Promise<void>;
  /** What it holds of each, ours and theirs: which value, and from whom. */
  sightings(): string[];
}

async function taxii(): Promise<Partner> {
  const server = await startTaxii({
    data: [SEEN, QUIET].map((value) => indicator(value, { object_marking_refs: [GREEN] })),
  });
  closers.push(() => server.close());
  const { read, write } = server.collections;
  const theirs: string[] = [];
  return {
    // What we send there is read there, too.
    exchange: {
      type: 'taxii21',
      url: server.apiRoot,
      auth: { username: server.username, password: server.password },
      collections: [read, write],
      report_to: write,
    },
    saw: async (value) => {
      theirs.push(`${value} theirs`);
      const now = new Date().toISOString();
      server.load([
        {
          type: 'sighting',
          spec_version: '2.1',
          id: `sighting--22222222-2222-4222-8222-${String(theirs.length).padStart(12, '0')}`,
          created: now,
          modified: now,
          created_by_ref: 'identity--11111111-1111-4111-8111-111111111111',
          object_marking_refs: [GREEN],
          first_seen: now,
          last_seen: now,
          count: 9,
          sighting_of_ref: idFor(value),
        },
      ]);
      await Promise.resolve();
    },
    sightings: () => {
      const named = (ref: unknown) => [SEEN, QUIET].find((of) => idFor(of) === ref);
      return [...theirs, ...server.sightings().map((one) => `${named(one['sighting_of_ref'])} ours`)].sort();
    },
  };
}

async function misp(read: 'search' | 'sync'): Promise<Partner> {
  const attribute = (n: number, value: string) => ({ uuid: id(n), type: 'ip-dst', value, to_ids: true });
  const server = await startMisp({
    data: {
      Event: {
        uuid: id(900),
        info: 'A campaign',
        Tag: [{ name: 'tlp:green' }],
        Attribute: [attribute(1, SEEN), attribute(2, QUIET)],
      },
    },
  });
  closers.push(() => server.close());
  if (read === 'sync') server.setQuirks([{ kind: 'guard' }]);
  return {
    exchange: { type: 'misp', url: server.url, auth: { key: server.key }, read, report: true, read_sightings: true },
    saw: async (value) => {
      const uuid = id(value === SEEN ? 1 : 2);
      server.setQuirks([]);
      const answer = await fetch(`${server.url}/sightings/add/${uuid}`, {
        method: 'POST',
        headers: { authorization: server.key, accept: 'application/json', 'content-type': 'application/json' },
        body: JSON.stringify({ type: '0', source: 'theirs' }),
      });
      if (read === 'sync') server.setQuirks([{ kind: 'guard' }]);
      expect(answer.status).toBe(200);
      // Sightings alone make no new publication: with this one they are read again.
      server.act([{ do: 'publish', event: id(900) }]);
    },
    sightings: () =>
      server
        .sightings()
        .map((one) => `${one.attribute_uuid === id(1) ? SEEN : QUIET} ${one.source === 'theirs' ? 'theirs' : 'ours'}`)
        .sort(),
  };
}

async function plantHit(sim: RunningElastic, value: string): Promise<void> {
  const matched = { id: elastic.slot('ipv4-addr', value, null), index: INDEX, field: 'source.ip' };
  const time = new Date().toISOString();
  const event = {
    time,
    index: '.internal.alerts-security.alerts-default-000001',
    fields: { 'kibana.alert.original_time': time, threat: { enrichments: [{ matched }] } },
  };
  await fetch(`${sim.url}/_sim/events`, { method: 'POST', body: JSON.stringify([event]) });
}

it.each<[string, () => Promise<Partner>]>([
  ['TAXII, which shows our sightings in the collection that takes them', taxii],
  ['MISP by search, which shows the sightings of an attribute', () => misp('search')],
  ['MISP by sync', () => misp('sync')],
])('a sighting of a partner is not told it again: %s', async (_what, start) => {
  const site = new Site();
  closers.push(() => site.close());
  const partner = await start();
  const sim = await startElastic({});
  closers.push(() => sim.close());
  site.configure({
    instance: INSTANCE,
    identity: { id: 'identity--0c3a5b2e-2f5b-4c8e-9d0f-5a8c3f6b1d11', name: 'SOC Example' },
    exchanges: [{ name: 'partner', ...partner.exchange }],
    siems: [{ name: 'watch', type: 'elastic', url: sim.url, auth: { username: sim.username, password: sim.password } }],
    release: [{ to: 'partner', tlp: ['green'], action: 'share' }],
  });
  const once = async () => expect(await inProcess(site, 'run', '--once')).toMatchObject({ code: 0 });
  const status = async () => JSON.parse((await inProcess(site, 'status', '--json')).stdout) as Told;
  await partner.saw(QUIET);
  await once();
  await plantHit(sim, SEEN);
  await once();
  // Ours arrived, and theirs came in with the first poll.
  expect(partner.sightings()).toEqual([`${SEEN} ours`, `${QUIET} theirs`]);
  const before = await status();
  expect(before.sightings).toMatchObject({ hits: 1, sent: 1, queued: 0, held: 0, denied: 0 });

  await partner.saw(QUIET);
  await partner.saw(SEEN);
  await once();
  await once();

  expect(partner.sightings()).toEqual([`${SEEN} ours`, `${SEEN} theirs`, `${QUIET} theirs`, `${QUIET} theirs`]);
  const after = await status();
  expect(after.sightings).toEqual(before.sightings);
  expect(after.exchanges[0]).toMatchObject({ state: 'ok', indicators: 2, refused: 0 });
  expect(valuesOf(sim, INDEX)).toEqual([SEEN, QUIET]);
});

interface Told extends Status {
  readonly sightings: Readonly<Record<string, number>>;
}
