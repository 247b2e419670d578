// Reading hits from a simulated Splunk: windows, pages and jobs, what is asked and what comes back, and everything
// that an event or a feed might try with our searches.
import { beforeEach, describe, expect, it } from 'vitest';
import { anEntry } from '../../../../test/builders/entry.ts';
import { ADDRESS, hitsOn, KEY, read, secs } from '../../../../test/builders/splunk-hits.ts';
import { context, errorOf, never, SplunkRig, upserts } from '../../../../test/builders/splunk-rig.ts';
import { INSTANCE } from '../../../../test/contract/splunk-harness.ts';
import type { Json } from '../../../core/model/json.ts';
import { type Clock, systemClock } from '../../../core/runtime/clock.ts';
import { OVERLAP_SECS } from './hits.ts';
import { splunk } from './index.ts';

const rig = new SplunkRig();
const { aReader, plant, armed } = hitsOn(rig);

// The pages of the product contradict each other on whether a KV store lookup folds case.
describe.each([true, false])('where lookups fold case: %s', (folds) => {
  beforeEach(() => {
    rig.server.state.settings.lookupsFoldCase = folds;
  });

  describe('a reading of hits', () => {
    it('tells the time of the event, however late it was indexed', async () => {
      await armed(ADDRESS);
      const happened = Math.floor(secs()) - 5 * 86_400;
      plant({ dest_ip: ADDRESS }, secs(), happened);
      plant({ dest_ip: ADDRESS }, secs(), happened - 3 * 86_400);

      const { hits } = await read(aReader().reader);

      // The other one is older than late_days allows.
      expect(hits).toMatchObject([
        { key: KEY, verdict: 'seen', first: happened * 1000, last: happened * 1000, count: 1 },
      ]);
    });

    it('gives one event one dedupe, from whichever window or field it is read, and two events two', async () => {
      await armed(ADDRESS);
      plant({ dest_ip: ADDRESS, src_ip: ADDRESS });
      const first = (await read(aReader().reader)).hits;
      plant({ dest_ip: ADDRESS });

      const again = (await read(aReader().reader)).hits;

      expect(first).toHaveLength(1);
      expect(again).toHaveLength(2);
      expect(new Set([...first, ...again].map((hit) => hit.dedupe)).size).toBe(2);
    });

    it('goes on from its cursor less the overlap, and begins at now less the overlap', async () => {
      await armed(ADDRESS);
      const now = Math.floor(secs());
      plant({ dest_ip: ADDRESS }, now - OVERLAP_SECS - 60);
      const { hits, cursors } = await read(aReader().reader);
      const [before] = cursors;

      expect(hits).toEqual([]);
      expect((before as { read: number }).read).toBeGreaterThanOrEqual(now);
      expect((await read(aReader().reader, { read: now - 120 })).hits).toHaveLength(1);
    });

    it('walks through a long stop in windows of an hour, and moves the cursor after each', async () => {
      await armed(ADDRESS);
      const now = Math.floor(secs());
      plant({ dest_ip: ADDRESS }, now - 3 * 3600);
      plant({ dest_ip: ADDRESS }, now - 60);
      const { reader, searches } = aReader();

      const { hits, cursors } = await read(reader, { read: now - 4 * 3600 });

      expect(hits).toHaveLength(2);
      const windows = searches.map((spl) =>
        /_index_earliest=(\d+) _index_latest=(\d+)/.exec(spl)?.slice(1).map(Number),
      );
      expect(windows).toHaveLength(5);
      for (const [n, window] of windows.slice(1).entries()) expect(window?.[0]).toBe(windows[n]?.[1]);
      const places = cursors.map((one) => (one as { read: number }).read);
      expect(places).toEqual([...places].sort((a, b) => a - b));
      expect(places.at(-1)).toBe(windows.at(-1)?.[1]);
    });

    it('halves a window that holds more than a search gives, and misses nothing', async () => {
      await armed(ADDRESS);
      const now = Math.floor(secs());
      for (let n = 0; n < 40; n++) plant({ dest_ip: ADDRESS }, now - 10 * n);

      const { hits } = await read(aReader({ mostRows: 10 }).reader, { read: now - 200 });

      expect(new Set(hits.map((hit) => hit.dedupe)).size).toBe(40);
    });

    it('reads page after page', async () => {
      await armed(ADDRESS);
      for (let n = 0; n < 5001; n++) plant({ dest_ip: ADDRESS });

      const { hits } = await read(aReader().reader);

      expect(new Set(hits.map((hit) => hit.dedupe)).size).toBe(5001);
      expect(rig.requests('{sid}/results')).toBe(3);
    });

    it("goes by the server's clock, which may be a day behind or have been set right", async () => {
      await armed(ADDRESS);
      const now = Math.floor(secs());
      plant({ dest_ip: ADDRESS });
      const ahead: Clock = { ...systemClock, now: () => Date.now() + 86_400_000 };

      expect((await read(aReader({ clock: ahead }).reader)).hits).toHaveLength(1);
      const { hits, cursors } = await read(aReader().reader, { read: now + 86_400 });
      expect(hits).toHaveLength(1);
      expect((cursors.at(-1) as { read: number }).read).toBeLessThan(now + 60);
    });
  });

  describe('a search job', () => {
    it('is waited for, and cancelled when it was read', async () => {
      await armed(ADDRESS);
      rig.server.state.settings.jobMs = 250;
      plant({ dest_ip: ADDRESS });

      expect((await read(aReader().reader)).hits).toHaveLength(1);
      expect(rig.server.state.jobs.size).toBe(0);
      expect(rig.requests('{sid}/control')).toBe(1);
    });

    it('is cancelled too when reading stops in the middle, or is aborted while it runs', async () => {
      await armed(ADDRESS);
      plant({ dest_ip: ADDRESS });
      for await (const page of aReader().reader.read({ read: Math.floor(secs()) }, never)) if (page.hits.length) break;
      expect(rig.server.state.jobs.size).toBe(0);

      rig.server.state.settings.jobMs = 60_000;
      const stop = new AbortController();
      const { reader } = aReader({ before: (_, jobs) => void (jobs.length > 0 && setTimeout(() => stop.abort(), 20)) });
      const reading = reader
        .read({ read: Math.floor(secs()) }, stop.signal)
        [Symbol.asyncIterator]()
        .next();
      await expect(reading).rejects.toThrow();
      expect(rig.server.state.jobs.size).toBe(0);
    });

    it('that is above the quota is tried again later', async () => {
      await armed(ADDRESS);
      rig.server.state.settings.searchQuota = 0;

      const error = await errorOf(read(aReader().reader));

      expect(error).toMatchObject({ kind: 'retryable', status: 503 });
      expect(error.message).toContain('maximum number of concurrent historical searches');
    });

    it('that expires while it is read costs nothing: its window is read again', async () => {
      await armed(ADDRESS);
      plant({ dest_ip: ADDRESS });
      const expiring = aReader({
        before: (path) => void (path.endsWith('/results') && rig.server.state.jobs.clear()),
      });
      const cursors: Json[] = [];
      const reading = async () => {
        for await (const page of expiring.reader.read(undefined, never)) cursors.push(page.cursor);
      };

      const error = await errorOf(reading());

      expect(error).toMatchObject({ kind: 'retryable', status: 404 });
      expect(error.message).toContain('its window is read again');
      expect((await read(aReader().reader, cursors.at(-1))).hits).toHaveLength(1);
    });

    it('that somebody finalized is not taken for all there is', async () => {
      await armed(ADDRESS);
      rig.server.state.settings.jobMs = 60_000;
      const { reader } = aReader({
        before: (_, jobs) => {
          for (const job of jobs) job.finalized = true;
        },
      });

      expect(await errorOf(read(reader))).toMatchObject({ kind: 'retryable' });
    });

    it('without our lookup definitions is for a person to mend', async () => {
      await armed(ADDRESS);
      rig.server.state.lookups.clear();

      const error = await errorOf(read(aReader().reader));

      expect(error.kind).toBe('config');
      expect(error.message).toContain('lookup definitions');
    });

    it('goes the old way to a server of before 9.0.2', async () => {
      (rig.server.state as { version: string }).version = '8.2.9';
      await armed(ADDRESS);
      plant({ dest_ip: ADDRESS });

      expect((await read(aReader().reader)).hits).toHaveLength(1);
    });
  });

  describe('what comes back', () => {
    it('is entry key, time and a digest, and no other word of an event', async () => {
      await armed(ADDRESS);
      plant({
        dest_ip: ADDRESS,
        host: 'CANARY-1',
        user: 'CANARY-2',
        _raw: 'CANARY-3',
        url: 'http://canary-4.example/',
      });
      const { reader, answers } = aReader();

      const { hits } = await read(reader);

      expect(hits).toHaveLength(1);
      const results = answers.filter((body) => body.includes('"results":[')).map((body) => JSON.parse(body) as Rows);
      expect(results[0]?.results.map((row) => Object.keys(row).sort())).toEqual([
        ['_time', 'entente_hit', 'entente_key'],
      ]);
      expect(answers.join('').toLowerCase()).not.toContain('canary');
    });
  });
  interface Rows {
    readonly results: readonly object[];
  }

  describe('hostile values', () => {
    const HOSTILE = [
      `http://evil.example/" OR index=* | delete`,
      String.raw`http://evil.example/\" | outputlookup entente_url \\`,
      'http://evil.example/`drop_it(1)`',
      'http://evil.example/]] | collect index=main [search index=*]',
      `http://evil.example/') OR true() OR ('*`,
      'http://evil.example/$token$ _index_earliest=0',
    ];

    it('of a feed never reach a search: it is the same with and without them, and finds them as they are', async () => {
      const connector = await rig.opened();
      const clean = aReader();
      await read(clean.reader);
      await connector.apply(upserts(HOSTILE.map((value) => anEntry({ type: 'url', value }))), never);
      for (const url of [...HOSTILE, 'http://harmless.example/', '*', '"']) plant({ url, dest_ip: url });
      const hostile = aReader();

      const { hits } = await read(hostile.reader);

      expect(hits.map((hit) => hit.key).sort()).toEqual(HOSTILE.map((value) => `url|${value}`).sort());
      const plain = (spl: string) => spl.replace(/_index_(earliest|latest)=\d+/g, '');
      expect(hostile.searches).toHaveLength(1);
      expect(hostile.searches.map(plain)).toEqual(clean.searches.map(plain));
    });

    it('of a match are no keys of ours, and are asked for nowhere', async () => {
      const connector = await rig.opened({ form: 'threat_intel' });
      await connector.apply(upserts([anEntry({ value: ADDRESS })], context(INSTANCE, 'threat_intel')), never);
      const slot = splunk.slot('ipv4-addr', ADDRESS, splunk.settings(splunkPlain(), INSTANCE));
      const match = (key: string) =>
        plant({ index: 'threat_activity', threat_key: `entente:${INSTANCE}`, threat_collection_key: key });
      for (const text of HOSTILE) match(`${slot}${text}`);
      match(`{"$ne":""}`);
      match(slot.toUpperCase());
      match(slot);
      const { reader, searches } = aReader({ threat: true });

      const { hits } = await read(reader);

      expect(hits.map((hit) => hit.key)).toEqual([KEY]);
      expect(searches.join('')).not.toMatch(/evil\.example|\$ne/);
      expect(rig.requests('batch_find')).toBe(1);
    });

    it.each([
      { event_search: { indexes: ['main" | delete'], fields: { url: ['url'] } } },
      { event_search: { indexes: ['main'], fields: { url: ['url=* | delete'] } } },
      { event_search: { indexes: ['main'], fields: { url: ['`macro`'] } } },
      { event_search: { indexes: ['main'], fields: { url: ["a'b"] } } },
      { event_search: { indexes: ['main'], fields: {} } },
      { threat_activity_index: 'a]] b' },
      { ignore_hosts: ['host" OR index=*'] },
      { ignore_hosts: ['back\\slash'] },
    ])('of a configuration are refused: %j', (given) => {
      const read = splunk.config.safeParse({
        type: 'splunk',
        url: 'https://s.example:8089',
        auth: { token: 'x' },
        ...given,
      });

      expect(read.success).toBe(false);
    });
  });

  const splunkPlain = () =>
    splunk.config.parse({ type: 'splunk', url: 'https://s.example:8089', auth: { token: 'x' }, form: 'threat_intel' });
});
