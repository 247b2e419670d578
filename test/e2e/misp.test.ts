// A MISP partner by the launcher: its events arm, change and withdraw, by both ways of reading, and every attribute that is
// kept out says why.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import { startElastic } from '../../src/simulators/elastic/index.ts';
import { startMisp } from '../../src/simulators/misp/index.ts';
import { type Ended, type Settings, Site, type Status } from './site.ts';
import { INDEX, INSTANCE, valuesOf } from './world.ts';

// Each starts a handful of processes, next to other tests that keep the machine busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 });

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const id = (n: number) => `9f1d4a52-6f0c-4a53-9f3f-${String(n).padStart(12, '0')}`;
const EVENT = id(900);
const anAttribute = (n: number, more: object = {}) => ({
  uuid: id(n),
  type: 'ip-dst',
  value: `198.51.100.${n}`,
  to_ids: true,
  timestamp: String(Math.floor(Date.now() / 1000) - 86_400),
  ...more,
});
const anEvent = (attributes: readonly object[], more: object = {}) => ({
  Event: { uuid: EVENT, info: 'A campaign', Tag: [{ name: 'TLP:GREEN' }], Attribute: attributes, ...more },
});

async function aPlace(data: unknown, exchange: Settings = {}, top: Settings = {}) {
  const site = new Site();
  closers.push(() => site.close());
  const partner = await startMisp({ data });
  closers.push(() => partner.close());
  const sim = await startElastic({});
  closers.push(() => sim.close());
  site.configure({
    instance: INSTANCE,
    identity: { id: 'identity--0c3a5b2e-2f5b-4c8e-9d0f-5a8c3f6b1d11', name: 'SOC Example' },
    exchanges: [
      { name: 'misp-be', type: 'misp', url: partner.url, auth: { key: partner.key }, page_size: 2, ...exchange },
    ],
    siems: [{ name: 'watch', type: 'elastic', url: sim.url, auth: { username: sim.username, password: sim.password } }],
    ...top,
  });
  return {
    site,
    partner,
    sim,
    once: async (code = 0): Promise<Ended> => {
      const ended = await site.entente(['run', '--once']);
      expect(ended, ended.stderr).toMatchObject({ code });
      return ended;
    },
    armed: () => valuesOf(sim, INDEX),
  };
}

describe.each(['search', 'sync'] as const)('a MISP partner, read by %s', (read) => {
  it('arms, changes and withdraws', async () => {
    const { site, partner, once, armed } = await aPlace(
      anEvent(
        [
          anAttribute(1),
          anAttribute(2),
          anAttribute(3, { type: 'domain|ip', value: 'evil.example|198.51.100.3' }),
          anAttribute(4, { type: 'comment', value: 'a text' }),
          anAttribute(5, { to_ids: false }),
          anAttribute(6, { type: 'url', value: 'hxxp://evil[.]example/x' }),
        ],
        { Object: [{ name: 'victim', Attribute: [anAttribute(7, { type: 'domain', value: 'ministry.example' })] }] },
      ),
      { read },
    );
    if (read === 'sync') partner.setQuirks([{ kind: 'guard' }]);

    await once();
    expect(armed()).toEqual(['198.51.100.1', '198.51.100.2', '198.51.100.3', 'evil.example']);
    const refused = await site.entente(['refused', 'list', '--json']);
    const reasons = refused.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { object_id: string; reason: string });
    expect(Object.fromEntries(reasons.map((one) => [one.object_id, one.reason]))).toEqual({
      [id(4)]: 'a type that names no value for a watchlist',
      [id(5)]: 'not flagged for detection',
      [id(6)]: "defanged value: url 'hxxp://evil[.]example/x'",
      [id(7)]: 'data of victims or persons: in an object victim',
    });
    expect(refused.stdout).not.toContain('ministry');

    partner.act([
      { do: 'delete', attribute: id(1) },
      { do: 'edit', attribute: id(2), set: { value: '198.51.100.9' }, publish: true },
    ]);
    await once();
    expect(armed()).toEqual(['198.51.100.3', '198.51.100.9', 'evil.example']);

    partner.act({ do: 'tag_event', event: EVENT, tags: ['tlp:red'], publish: true });
    await once();
    expect(armed()).toEqual([]);
    const why = await site.ask<{ entries: { claims: { object_id: string; tlp: string }[] }[] }>([
      'why',
      '198.51.100[.]9',
    ]);
    expect(why.entries[0]?.claims).toMatchObject([{ object_id: id(2), tlp: 'red' }]);
  });
});

describe('a MISP partner that takes sightings', () => {
  it('is told once of what was seen, also behind a guard', async () => {
    const release = [{ to: 'misp-be', tlp: ['green'], action: 'share' }];
    const { partner, sim, once } = await aPlace(
      anEvent([anAttribute(1), anAttribute(2)]),
      { report: true, read: 'sync' },
      { release },
    );
    partner.setQuirks([{ kind: 'guard' }]);
    await once();
    const matched = { id: elastic.slot('ipv4-addr', '198.51.100.1', null), index: INDEX, field: 'source.ip' };
    const time = new Date().toISOString();
    const event = {
      time,
      index: '.internal.alerts-security.alerts-default-000001',
      fields: { 'kibana.alert.original_time': time, threat: { enrichments: [{ matched }] } },
    };
    await fetch(`${sim.url}/_sim/events`, { method: 'POST', body: JSON.stringify([event, event]) });

    await once();
    await once();

    expect(partner.sightings()).toMatchObject([{ attribute_uuid: id(1), event_uuid: EVENT, type: '0', source: '' }]);
  });
});

describe('a MISP partner behind a guard', () => {
  it('is told by check, by run and in status, and nothing is withdrawn', async () => {
    const { site, partner, once, armed } = await aPlace(anEvent([anAttribute(1)]));
    await once();
    partner.setQuirks([{ kind: 'guard' }]);

    const check = await site.entente(['check', '--probe']);
    expect(check).toMatchObject({ code: 1 });
    expect(`${check.stdout}${check.stderr}`).toContain('set read: sync');
    await once(1);
    expect(armed()).toEqual(['198.51.100.1']);
    const status = await site.ask<Status>(['status']);
    expect(status.exchanges[0]).toMatchObject({
      state: 'failing',
      reason: expect.stringContaining('a guard in front'),
    });
  });
});
