// What analysts get: searches through our lookup definitions, and Enterprise Security's threat collections.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { anEntry, DAY_MS } from '../../../../test/builders/entry.ts';
import { context, never, SplunkRig, upserts } from '../../../../test/builders/splunk-rig.ts';
import { INSTANCE } from '../../../../test/contract/splunk-harness.ts';
import { type ObservableType, parseEntryKey } from '../../../core/model/observable.ts';
import { ES_APP, prune } from '../../../simulators/splunk/threat-intel.ts';
import { splunk } from './index.ts';

const rig = new SplunkRig();

// The pages of the product contradict each other on whether a KV store lookup folds case.
const FOLDS = [true, false] as const;

describe.each(FOLDS)('searches, where lookups fold case: %s', (folds) => {
  it('find what stands on the lists, for a plain user in another app, as the README of the app says', async () => {
    rig.server.state.settings.lookupsFoldCase = folds;
    const connector = await rig.opened();
    const entries = [
      anEntry({ value: '192.0.2.7' }),
      anEntry({ value: '198.51.100.0/24' }),
      anEntry({ type: 'domain-name', value: 'c2.example' }),
      anEntry({ type: "file:hashes.'SHA-256'", value: 'ab'.repeat(32) }),
    ];
    await connector.apply(upserts(entries), never);
    const now = Date.now() / 1000;
    const fields = { index: 'proxy', query: 'C2.example.', file_hash: 'AB'.repeat(32) };
    rig.server.state.events.push(
      { time: now, indexed: now, fields: { ...fields, dest_ip: ['10.0.0.1', '192.0.2.7'] } },
      { time: now, indexed: now, fields: { index: 'proxy', dest_ip: '198.51.100.77', query: 'WWW.c2.example' } },
      { time: now, indexed: now, fields: { index: 'proxy', dest_ip: '203.0.113.1' } },
    );

    const hits = async (value: string, lookup: string) => {
      const spl = `search index=proxy earliest=-5m | eval v=${value} | lookup ${lookup} AS v OUTPUT entry_key`;
      return (await search(`${spl} | where isnotnull(entry_key)`)).map((row) => row['entry_key']);
    };
    const name = 'mvmap(query, rtrim(lower(query), "."))';
    expect(await hits('mvmap(dest_ip, lower(dest_ip))', 'entente_ip ip')).toEqual([entries[0]!.key]);
    expect(await hits('mvmap(dest_ip, lower(dest_ip))', 'entente_network network')).toEqual([entries[1]!.key]);
    expect(await hits(name, 'entente_domain domain')).toEqual([entries[2]!.key]);
    expect(await hits(name, 'entente_subdomain domain_pattern')).toEqual([entries[2]!.key]);
    expect(await hits('mvmap(file_hash, lower(file_hash))', 'entente_file file_hash')).toEqual([entries[3]!.key]);
  });
});

describe('the example searches of the shipped app', () => {
  const conf = (file: string): string =>
    readFileSync(join(import.meta.dirname, '../../../../content/splunk/entente/default', file), 'utf8');
  const macros = new Map(
    [...conf('macros.conf').matchAll(/^\[(\w+)\]\ndefinition = (.+)$/gm)].map((one) => [one[1] ?? '', one[2] ?? '']),
  );
  beforeEach(() => {
    for (const [name, definition] of macros) rig.server.state.macros.set(name, definition);
  });
  const searches = conf('savedsearches.conf')
    .split(/^\[/m)
    .slice(1)
    .map((stanza) => ({
      name: stanza.slice(0, stanza.indexOf(']')),
      off: /^disabled = 1$/m.test(stanza) && /^enableSched = 0$/m.test(stanza),
      spl: (/^search = ((?:.*\\\n)*.*)/m.exec(stanza)?.[1] ?? '').replaceAll('\\\n', ''),
    }));

  it('are four, and switched off', () => {
    expect(searches.map((one) => one.off)).toEqual([true, true, true, true]);
  });

  const MINUTE = 60;
  /** Events that hold live, old and unlisted values, one of them in upper case and beside another value. */
  const plant = (spl: string, given: { time?: number; indexed?: number; more?: Record<string, string> } = {}) => {
    const now = Date.now() / 1000;
    const index = /index=(\w+)/.exec(macros.get(/`(\w+)`/.exec(spl)?.[1] ?? '') ?? '')?.[1] ?? '';
    const event = (name: string, dest_ip: string, hash: string) => ({
      time: now - 10 * MINUTE,
      indexed: now - 10 * MINUTE,
      ...given,
      fields: {
        ...given.more,
        tag: ['web', 'dns', 'endpoint'],
        index,
        url: [`https://beside.example/`, `HTTPS://${name}.example/X`],
        query: `${name.toUpperCase()}.example.`,
        dest_ip: ['10.0.0.1', dest_ip],
        file_hash: hash.repeat(32).toUpperCase(),
        src: name,
      },
    });
    rig.server.state.events.push(
      event('live', '198.51.100.7', 'a'),
      event('old', '203.0.113.9', 'b'),
      event('other', '192.0.2.1', 'c'),
    );
  };
  const until = (live: number, old: number) => {
    const both = (type: ObservableType, one: string, other: string) => [
      anEntry({ type, value: one, until: live }),
      anEntry({ type, value: other, until: old }),
    ];
    return [
      ...both('url', 'https://live.example/x', 'https://old.example/x'),
      ...both('ipv4-addr', '198.51.100.0/25', '203.0.113.9'),
      ...both('domain-name', 'live.example', 'old.example'),
      ...both('file:hashes.MD5', 'a'.repeat(32), 'b'.repeat(32)),
    ];
  };

  describe.each(FOLDS)('where lookups fold case: %s', (folds) => {
    it.each(searches)('$name finds the live entry and not the expired one', async ({ spl }) => {
      rig.server.state.settings.lookupsFoldCase = folds;
      const now = Date.now();
      const entries = until(now + DAY_MS, now - DAY_MS);
      const connector = await rig.opened();
      await connector.apply(upserts(entries), never);
      plant(spl);

      const found = await search(`search ${spl}`);

      expect(found).toHaveLength(1);
      expect(found[0]).toMatchObject({ tlp: 'amber', source_ids: expect.stringContaining('indicator--') });
      expect(entries.filter((entry) => entry.until > now).map((entry) => entry.key)).toContain(found[0]?.['entry_key']);
    });
  });

  it.each(searches)('$name finds an event by when it was indexed, however late, and once', async ({ spl }) => {
    const connector = await rig.opened();
    const later = Date.now() + DAY_MS;
    await connector.apply(upserts(until(later, later)), never);
    const now = Date.now() / 1000;
    plant(spl, { time: now - 3 * 86_400, indexed: now - 10 * MINUTE });
    expect(await search(`search ${spl}`)).toHaveLength(2);

    rig.server.state.events.length = 0;
    plant(spl, { time: now - 10 * MINUTE, indexed: now - 40 * MINUTE });
    plant(spl, { time: now - 10 * MINUTE, indexed: now });
    expect(await search(`search ${spl}`)).toEqual([]);
  });

  it('the one for addresses finds what stands in several networks and as itself, while one of them is live', async () => {
    const { spl } = searches.find((one) => one.name.includes('addresses'))!;
    const connector = await rig.opened();
    const now = Date.now();
    const held = (...given: readonly (readonly [string, number])[]) =>
      connector.apply(upserts(given.map(([value, at]) => anEntry({ value, until: at }))), never);
    const [live, old] = [now + DAY_MS, now - DAY_MS];
    plant(spl);

    await held(['198.51.100.7', old], ['198.51.100.0/24', old], ['198.51.100.0/25', old]);
    expect(await search(`search ${spl}`)).toEqual([]);
    await held(['198.51.100.0/24', live]);
    expect(await search(`search ${spl}`)).toMatchObject([{ src: 'live' }]);
    await held(['198.51.100.0/24', old], ['198.51.100.0/25', live]);
    const [found] = await search(`search ${spl}`);
    expect(found?.['entry_key']).toHaveLength(3);
  });

  it.each(searches)(
    '$name leaves out what was stopped, what came in, and what the partner is unsure of',
    async ({ spl }) => {
      const connector = await rig.opened();
      const later = Date.now() + DAY_MS;
      const watched = (confidence?: number) =>
        connector.apply(upserts(until(later, later).map((one) => ({ ...one, confidence }) as typeof one)), never);
      const found = async () => (await search(`search ${spl}`)).length;

      plant(spl, { more: { action: 'blocked' } });
      plant(spl, { more: { action: 'allowed' } });
      await watched(30);
      expect(await found()).toBe(2);
      await watched(29);
      expect(await found()).toBe(0);
      await watched();
      expect(await found()).toBe(2);

      rig.server.state.events.length = 0;
      plant(spl, { more: { direction: 'inbound' } });
      plant(spl, { more: { direction: 'outbound' } });
      expect(await found()).toBe(/proxy/.test(spl) ? 2 : 4);
      // As the comment beside the macros says.
      for (const name of ['entente_outbound', 'entente_allowed'])
        rig.server.state.macros.set(name, 'NOT entente_never=*');
      expect(await found()).toBe(4);
    },
  );

  it.each(searches)('$name links each entry to what is said of it, and no value ends its address', async ({ spl }) => {
    const connector = await rig.opened();
    const later = Date.now() + DAY_MS;
    const url = 'https://live.example/x';
    const odd = `${url}?a=1&b=100%25+c#d`;
    await connector.apply(upserts([...until(later, later), anEntry({ type: 'url', value: odd, until: later })]), never);
    plant(spl);
    rig.server.state.events.push({
      time: Date.now() / 1000 - 600,
      indexed: Date.now() / 1000 - 600,
      fields: { index: 'proxy', tag: 'web', url: odd },
    });

    const rows = await search(`search ${spl}`);
    expect(rows.map((row) => row['entry_key']).includes(`url|${odd}`)).toBe(spl.includes('entente_url'));
    for (const row of rows) {
      const { value } = parseEntryKey(row['entry_key'] ?? '')!;
      const link = new URL(row['why'] ?? '');
      expect([link.origin, link.pathname]).toEqual(['https://entente.example:8686', '/why']);
      expect([...link.searchParams]).toEqual([['value', value]]);
      expect(link.hash).toBe('');
    }
  });

  it('say where events are by index time, and by a week of their own', () => {
    const text = conf('savedsearches.conf');
    expect(text.match(/^dispatch\.earliest_time = -7d$/gm)).toHaveLength(4);
    expect(text.match(/_index_earliest=-20m@m _index_latest=-5m@m/g)).toHaveLength(4);
  });
});

describe('the threat collections of Enterprise Security', () => {
  it('show our rows through their own endpoint, under our threat_key', async () => {
    const connector = await rig.opened({ form: 'threat_intel' });
    await connector.apply(upserts([anEntry({ value: '192.0.2.7' })], context(INSTANCE, 'threat_intel')), never);

    const item = encodeURIComponent('{"ip":"192.0.2.7"}');
    const answer = await fetch(`${rig.server.url}/services/data/threat_intel/item/ip_intel?item=${item}`, {
      headers: { authorization: `Bearer ${rig.server.token}` },
    });

    expect(await answer.json()).toMatchObject({ status: true, message: [{ threat_key: `entente:${INSTANCE}` }] });
  });

  it('keep what is fed again within 60 days, and lose the rest with its marker', async () => {
    const connector = await rig.opened({ form: 'threat_intel' });
    const table = rig.server.state.collections.get(`${ES_APP}/email_intel`)!.documents.get('nobody')!;
    for (const row of table.values()) row['time'] = Date.now() / 1000 - 61 * 86_400;

    const gone = prune(rig.server.state);

    expect(gone).toBe(1);
    expect((await connector.containers(never)).map((one) => one.name)).not.toContain('email_intel');
    expect(splunk.refreshAfterDays).toBeLessThan(60);
  });

  it('renews its markers long before they are too old', async () => {
    let now = Date.now();
    const clock = { now: () => now, monotonic: () => 0, sleep: async () => {} };
    const connector = await rig.opened({ form: 'threat_intel', clock });
    const before = await connector.containers(never);
    now += 2 * DAY_MS;

    await connector.writer({ writer: 'w', boot: 'b', revision: 1, at: now }, never);

    const marker = [...rig.server.documents(ES_APP, 'ip_intel').values()].find((row) => 'generation' in row);
    expect(marker?.['time']).toBe(now / 1000);
    expect(await connector.containers(never)).toEqual(before);
  });
});

/** As a plain user, in another app than ours. */
async function search(spl: string): Promise<Record<string, string>[]> {
  const body = new URLSearchParams({ search: spl, exec_mode: 'oneshot', output_mode: 'json' });
  const answer = await fetch(`${rig.server.url}/servicesNS/analyst/search/search/v2/jobs`, {
    method: 'POST',
    headers: { authorization: `Bearer ${rig.server.reader.token}` },
    body,
  });
  return ((await answer.json()) as { results: Record<string, string>[] }).results;
}
