// What of an event counts as a hit, and hits that wait rather than being lost while Splunk is not as it should be.
import { beforeEach, describe, expect, it } from 'vitest';
import { anEntry } from '../../../../test/builders/entry.ts';
import { ADDRESS, type Given, hitsOn, read, secs } from '../../../../test/builders/splunk-hits.ts';
import { errorOf, never, SplunkRig, upserts } from '../../../../test/builders/splunk-rig.ts';
import type { Json } from '../../../core/model/json.ts';

const rig = new SplunkRig();
const { aReader, plant, armed } = hitsOn(rig);

// The pages of the product contradict each other on whether a KV store lookup folds case.
describe.each([true, false])('where lookups fold case: %s', (folds) => {
  beforeEach(() => {
    rig.server.state.settings.lookupsFoldCase = folds;
  });

  describe('an event', () => {
    const HASH = 'ab'.repeat(32);
    const all = async (fields: Record<string, string | string[]>) => {
      plant(fields);
      const compared = { 'ipv4-addr': ['dest_ip'], 'ipv6-addr': ['dest_ip'], 'domain-name': ['query'], url: ['url'] };
      const events = { fields: { ...compared, "file:hashes.'SHA-256'": ['hash'], 'email-addr': ['from'] } };
      return (await read(aReader({ events }).reader)).hits.map((hit) => hit.key).sort();
    };
    const watched = async (...entries: Parameters<typeof anEntry>[0][]) => {
      const connector = await rig.opened();
      await connector.apply(upserts(entries.map((one) => anEntry(one))), never);
    };

    it.each([
      ['a hash in upper case', { type: "file:hashes.'SHA-256'", value: HASH }, { hash: HASH.toUpperCase() }],
      ['a name in mixed case', { type: 'domain-name', value: 'c2.example' }, { query: 'C2.Example' }],
      ['a name with the final dot', { type: 'domain-name', value: 'c2.example' }, { query: 'C2.EXAMPLE.' }],
      ['an address in upper case', { type: 'ipv6-addr', value: '2001:db8::ab' }, { dest_ip: '2001:DB8::AB' }],
      ['a mail address in mixed case', { type: 'email-addr', value: 'a@mail.example' }, { from: 'A@Mail.example' }],
    ] as const)('is found by %s', async (_, entry, fields) => {
      await watched(entry);

      expect(await all(fields)).toEqual([`${entry.type}|${entry.value}`]);
    });

    it('is found by each of several values of one field, and counts once', async () => {
      const [address, network] = ['198.51.100.7', '203.0.113.0/24'];
      const [one, two] = ['https://listed.example/A', 'https://listed.example/B'];
      await watched({ value: address }, { value: network }, { type: 'url', value: one }, { type: 'url', value: two });

      expect(await all({ dest_ip: ['10.9.9.9', address] })).toEqual([`ipv4-addr|${address}`]);
      rig.server.state.events.length = 0;
      expect(await all({ dest_ip: ['10.9.9.9', '203.0.113.9', address] })).toEqual([
        `ipv4-addr|${address}`,
        `ipv4-addr|${network}`,
      ]);
      rig.server.state.events.length = 0;
      expect(await all({ url: ['https://other.example/', one], dest_ip: address })).toEqual([
        `ipv4-addr|${address}`,
        `url|${one}`,
      ]);
      rig.server.state.events.length = 0;
      expect(await all({ url: [one, two.toLowerCase(), one] })).toEqual([`url|${one}`]);
      rig.server.state.events.length = 0;
      expect(await all({ url: [one, two] })).toEqual([`url|${one}`, `url|${two}`]);
    });
  });

  describe('while something is not as it should be', () => {
    /** Where the cursor stood when reading failed. */
    const failing = async (given: Given = {}) => {
      await armed(ADDRESS);
      plant({ dest_ip: ADDRESS });
      const cursor = { read: Math.floor(secs()) - 10 };
      const moved: Json[] = [];
      const reading = async () => {
        for await (const page of aReader(given).reader.read(cursor, never)) moved.push(page.cursor);
      };
      const error = await errorOf(reading());
      expect(moved).toEqual([]);
      return { error, again: async () => (await read(aReader().reader, cursor)).hits };
    };

    it('hits wait for the KV store, which starts after the searches do', async () => {
      await armed(ADDRESS);
      rig.server.state.settings.kvReadyAt = Date.now() + 60_000;

      const error = await errorOf(read(aReader().reader));
      rig.server.state.settings.kvReadyAt = 0;

      expect(error).toMatchObject({ kind: 'retryable' });
      expect(error.message).toContain('hits wait: the KV store is starting');
      expect(rig.requests('search/v2/jobs')).toBe(0);
    });

    it('a KV store that goes away under a search costs nothing', async () => {
      const { settings } = rig.server.state;
      const { error, again } = await failing({
        before: (path) => {
          if (path.endsWith('/jobs')) settings.kvReadyAt = Date.now() + 60_000;
        },
      });
      settings.kvReadyAt = 0;

      expect(error).toMatchObject({ kind: 'retryable' });
      expect(error.message).toContain('KV Store initialization has failed');
      expect(await again()).toHaveLength(1);
    });

    it.each(['ERROR', 'FATAL'] as const)(
      'a search that is done and says %s is not taken for all there is',
      async (type) => {
        const { settings } = rig.server.state;
        settings.jobMessages = [
          { type: 'INFO', text: 'fine' },
          { type, text: 'Search peer idx1 went away.' },
        ];

        const { error, again } = await failing();
        settings.jobMessages = [];

        expect(error).toMatchObject({ kind: 'retryable' });
        expect(error.message).toContain('(Search peer idx1 went away.)');
        expect(await again()).toHaveLength(1);
        expect(rig.server.state.jobs.size).toBe(0);
      },
    );

    it('a search that failed for want of a lookup is for a person, as one that is refused for it', async () => {
      const text =
        "Error in 'lookup' command: Could not construct lookup 'entente_ip, ip'. See search.log for details.";
      const content = { dispatchState: 'FAILED', isDone: true, isFailed: true, messages: [{ type: 'FATAL', text }] };
      const body = JSON.stringify({ entry: [{ content }] });
      rig.server.setFaults([{ match: 'GET /servicesNS/nobody/entente/search', action: 'status', status: 200, body }]);

      const { error, again } = await failing();
      rig.server.setFaults([]);

      expect(error).toMatchObject({ kind: 'config', code: 'lookup_missing' });
      expect(error.message).toContain('check that the lookup definitions of the app exist');
      expect(await again()).toHaveLength(1);
    });

    it('what a search only remarks is no failure, but rows that it dropped are searched again in shorter windows', async () => {
      await armed(ADDRESS);
      plant({ dest_ip: ADDRESS });
      rig.server.state.settings.jobMessages = [{ type: 'WARN', text: 'Field extraction is slow.' }];
      expect((await read(aReader().reader)).hits).toHaveLength(1);

      const text = 'command.mvexpand: output will be truncated at 1100 results due to excessive memory usage.';
      rig.server.state.settings.jobMessages = [{ type: 'WARN', text }];
      const { reader, searches } = aReader({ before: () => void (searches.length > 2 && calm()) });
      const calm = () => (rig.server.state.settings.jobMessages = []);
      expect((await read(reader)).hits).toHaveLength(1);
      expect(searches.length).toBeGreaterThan(3);
    });

    it('a job that answers 204 is asked again', async () => {
      await armed(ADDRESS);
      plant({ dest_ip: ADDRESS });
      rig.server.state.settings.jobUnreadyMs = 150;

      expect((await read(aReader().reader)).hits).toHaveLength(1);
      expect(rig.requests('jobs/{sid} 204')).toBeGreaterThan(0);
    });

    it("a page of an ingress is not taken for a job's end", async () => {
      const { error, again } = await failing({
        before: (path) =>
          void (
            path.includes('/jobs/') &&
            rig.server.setFaults([{ match: '/jobs/', action: 'status', status: 404, ...PAGE }])
          ),
      });
      rig.server.setFaults([]);

      expect(error.message).toContain('refused by something in between (404, a web page)');
      expect(await again()).toHaveLength(1);
    });
  });
  const PAGE = { headers: { 'content-type': 'text/html' }, body: '<html><body>no route</body></html>' };
});
