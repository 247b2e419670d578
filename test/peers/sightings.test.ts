// Our sightings at real TAXII servers. medallion counts an identical re-post as a failure, OpenTAXII refuses a whole
// envelope for one object: both must end as delivered, or split, never lost and never twice.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { taxii21 } from '../../src/connectors/exchange/taxii21/index.ts';
import type { Sighting } from '../../src/core/model/sighting.ts';
import { testDeps } from '../contract/exchange.ts';
import { aRoundTrip, closers, IDENTITY, INDEX, never, splunkSide } from '../simulation/round-trip.ts';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import { objectIdAt } from '../builders/sightings.ts';
import { startMedallion } from './medallion.ts';
import { startOpenTaxii } from './opentaxii.ts';
import { pythonPeer } from './python.ts';
import { Taxii21Connector } from '../../src/connectors/exchange/taxii21/connector.ts';
import type { TaxiiServer } from './taxii-server.ts';

const servers = [
  { name: 'medallion', start: startMedallion, peer: await pythonPeer('medallion') },
  { name: 'OpenTAXII', start: startOpenTaxii, peer: await pythonPeer('opentaxii') },
];
const TEN = Date.UTC(2026, 0, 5, 10);
const digits = (n: number) => String(n).padStart(12, '0');

const aSighting = (n: number, given: Partial<Sighting> = {}): Sighting => ({
  uuid: `00000000-0000-4000-8000-${digits(n)}`,
  kind: 'seen',
  objectId: `indicator--00000000-0000-4000-8000-${digits(n)}`,
  firstSeen: TEN,
  lastSeen: TEN,
  count: 3,
  created: TEN,
  modified: TEN * 1000 + 3000,
  tlp: 'green',
  ...given,
});

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

for (const { name, start, peer } of servers) {
  describe.skipIf(peer.kind === 'missing')(name, () => {
    let server: TaxiiServer;
    beforeAll(async () => {
      if (peer.kind === 'ready') server = await start({ python: peer.python });
    });
    afterAll(async () => {
      await server?.stop();
    });

    const access = () => ({
      type: 'taxii21',
      url: server.apiRoot,
      auth: { username: server.username, password: server.password },
      report_to: server.sightingsCollection,
    });
    const connect = () => {
      const connector = new Taxii21Connector(taxii21.config.parse(access()), {
        ...testDeps(20_000),
        identity: IDENTITY,
      });
      closers.push(() => connector.close());
      return connector;
    };
    const held = async (type: string) => {
      const answer = await fetch(
        `${server.apiRoot}collections/${server.sightingsCollection}/objects/?limit=100&match[type]=${type}&match[version]=all`,
        {
          headers: {
            accept: 'application/taxii+json;version=2.1',
            authorization: `Basic ${Buffer.from(`${server.username}:${server.password}`).toString('base64')}`,
          },
        },
      );
      const { objects = [] } = (await answer.json()) as {
        objects?: { type: string; id: string; count: number; sighting_of_ref: string }[];
      };
      return objects.filter((one) => one.type === type);
    };

    it('takes sightings and opinions, once, however often they are sent', async () => {
      const all = [aSighting(1), aSighting(2), aSighting(3, { kind: 'false_positive' })];
      const sent = all.map(({ uuid }) => ({ uuid, kind: 'sent' }));

      expect(await connect().send!(all, never)).toEqual(sent);
      expect(await connect().send!(all, never)).toEqual(sent);
      expect([(await held('sighting')).length, (await held('opinion')).length]).toEqual([2, 1]);
    });

    it('takes a newer version of the same sighting', async () => {
      await connect().send!([aSighting(4)], never);
      const newer = aSighting(4, { count: 4, modified: TEN * 1000 + 4001 });

      expect(await connect().send!([newer, aSighting(5)], never)).toEqual([
        { uuid: newer.uuid, kind: 'sent' },
        { uuid: aSighting(5).uuid, kind: 'sent' },
      ]);
      expect((await held('sighting')).some((one) => one.id.endsWith(digits(4)) && one.count === 4)).toBe(true);
    });

    it('gets the sighting of what was planted in Elastic, once, with the right count', async () => {
      const address = '198.51.100.7';
      const { reporter, sender, plant } = await aRoundTrip([`[ipv4-addr:value = '${address}']`], {
        reportTo: access(),
      });
      const time = new Date().toISOString();
      const matched = { id: elastic.slot('ipv4-addr', address, null), index: INDEX, field: 'source.ip' };
      const alert = {
        time,
        index: '.internal.alerts-security.alerts-default-000001',
        fields: { threat: { enrichments: [{ matched }] } },
      };
      await plant([alert, alert]);
      const before = (await held('sighting')).length;

      expect((await reporter.collect(never)).fresh).toBe(2);
      expect(await sender.cycle(never)).toMatchObject({ sent: 1, refused: 0, done: true });
      await reporter.collect(never);
      await sender.cycle(never);

      const after = await held('sighting');
      expect(after).toHaveLength(before + 1);
      expect(after.find((one) => one.sighting_of_ref === objectIdAt(1) && one.count === 2)).toBeDefined();
    });

    it('gets the sighting of an event that was planted in Splunk, once, with the right count', async () => {
      const address = '198.51.100.8';
      const event_search = { indexes: ['proxy'], fields: { 'ipv4-addr': ['dest_ip'] } };
      // The second indicator, so that it is not the one that was seen in Elastic.
      const { reporter, sender, plant } = await aRoundTrip(
        ["[ipv4-addr:value = '192.0.2.1']", `[ipv4-addr:value = '${address}']`],
        { siem: splunkSide({}, { event_search }), reportTo: access() },
      );
      const event = { time: new Date().toISOString(), fields: { index: 'proxy', dest_ip: address } };
      await plant([event, event, event]);
      const before = (await held('sighting')).length;

      expect((await reporter.collect(never)).fresh).toBe(3);
      expect(await sender.cycle(never)).toMatchObject({ sent: 1, refused: 0, done: true });
      await reporter.collect(never);
      await sender.cycle(never);

      const after = await held('sighting');
      expect(after).toHaveLength(before + 1);
      expect(after.find((one) => one.sighting_of_ref === objectIdAt(2) && one.count === 3)).toBeDefined();
    });
  });
}
