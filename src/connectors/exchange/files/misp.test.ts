// MISP events and feed folders among the files. What an attribute means is core/misp's affair; here it is where its
// event comes from, and what follows when it no longer shows it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { drain, never, testDeps } from '../../../../test/contract/exchange.ts';
import type { Page } from '../../../core/contracts/exchange-connector.ts';
import type { Json } from '../../../core/model/json.ts';
import { FilesConnector, type Parts } from './connector.ts';
import { files } from './index.ts';

const folders: string[] = [];
afterEach(() => {
  for (const one of folders.splice(0)) rmSync(one, { recursive: true, force: true });
});

const uuidOf = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const attribute = (n: number, more: object = {}) => ({
  uuid: uuidOf(n),
  type: 'ip-dst',
  category: 'Network activity',
  to_ids: true,
  timestamp: '1767225600',
  value: `198.51.100.${n % 250}`,
  ...more,
});
const event = (n: number, ns: readonly number[], more: object = {}) => ({
  uuid: uuidOf(n),
  info: `Event ${n}`,
  timestamp: '1767225600',
  Orgc: { uuid: uuidOf(999), name: 'CERT Example' },
  Attribute: ns.map((one) => attribute(one)),
  Object: [],
  Tag: [{ name: 'tlp:green' }],
  ...more,
});
const E1 = 901;
const E2 = 902;

function anInbox(settings: object = {}, parts: Parts = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'entente-misp-files-'));
  folders.push(folder);
  const config = files.config.parse({ type: 'files', path: folder, settle_secs: 0, ...settings });
  const connector = new FilesConnector(config, testDeps(), parts);
  let cursor: Json | undefined;
  return {
    put: (name: string, value: unknown) => {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
    },
    remove: (name: string) => rmSync(join(folder, name)),
    poll: async (): Promise<Page[]> => {
      const pages = await drain(connector.pages(cursor, never));
      cursor = pages.at(-1)?.cursor ?? cursor;
      return pages;
    },
    from: (page: Page) => drain(connector.pages(page.cursor, never)),
    counts: () => files.files?.(cursor),
  };
}

const attributesOf = (pages: readonly Page[]) =>
  pages.flatMap((page) => page.objects.flatMap((one) => (one.kind === 'indicator' ? [one.objectId] : [])));
const snapshots = (pages: readonly Page[]) =>
  pages.flatMap(({ scope, snapshotBegins, snapshotEnds }) =>
    snapshotBegins || snapshotEnds ? [`${scope}${snapshotBegins ? ' begins' : ''}${snapshotEnds ? ' ends' : ''}`] : [],
  );

describe('MISP events in files', () => {
  it.each([
    ['as an answer', { response: [{ Event: event(E1, [1, 2]) }, { Event: event(E2, [3]) }] }],
    ['in a list', [{ Event: event(E1, [1, 2]) }, { Event: event(E2, [3]) }]],
    ['as a list of events', { Event: [event(E1, [1, 2]), event(E2, [3])] }],
    ['a line each', [event(E1, [1, 2]), event(E2, [3])].map((one) => `${JSON.stringify({ Event: one })}\n`).join('')],
  ])('are read in every wrapping: %s', async (_how, value) => {
    const inbox = anInbox();
    inbox.put('events', value);

    const pages = await inbox.poll();

    expect(attributesOf(pages)).toEqual([1, 2, 3].map(uuidOf));
    expect(pages[0]?.objects).toContainEqual(expect.objectContaining({ kind: 'name', name: 'CERT Example' }));
    expect(pages[0]?.objects).toContainEqual(expect.objectContaining({ objectId: uuidOf(1), tlp: 'green' }));
    expect(inbox.counts()).toEqual({ accepted: 1, refused: 0, waiting: 0 });
  });

  it('are read attribute by attribute where one event is the file, with its objects, from any page on', async () => {
    const inbox = anInbox({}, { pageObjects: 2 });
    const object = { name: 'domain-ip', timestamp: '1767225600', Attribute: [attribute(6), attribute(7)] };
    inbox.put('event.json', { Event: event(E1, [1, 2, 3, 4, 5], { Object: [object] }) });

    const pages = await inbox.poll();

    expect(attributesOf(pages)).toEqual([1, 2, 3, 4, 5, 6, 7].map(uuidOf));
    expect(snapshots(pages)).toEqual(['event.json begins', 'event.json ends']);
    for (const [i, page] of pages.entries()) {
      const all = attributesOf([...pages.slice(0, i + 1), ...(await inbox.from(page))]);
      expect(new Set(all)).toEqual(new Set([1, 2, 3, 4, 5, 6, 7].map(uuidOf)));
    }
  });

  it('that say nothing readable of themselves are refused', async () => {
    const inbox = anInbox();
    inbox.put('a.json', { Event: event(E1, [1], { uuid: 'none' }) });
    inbox.put('b.json', [{ Event: event(E2, [2], { uuid: 'none' }) }, { Event: event(E1, [3]) }]);

    const pages = await inbox.poll();

    expect(attributesOf(pages)).toEqual([uuidOf(3)]);
    expect(pages.flatMap((page) => page.refusals)).toMatchObject([
      { objectId: 'a.json', reason: 'event without a readable uuid' },
      { objectId: 'none', reason: 'event without a readable uuid' },
    ]);
  });

  it('of 100,000 attributes are read in pages', async () => {
    const inbox = anInbox();
    inbox.put('large.json', {
      Event: event(
        E1,
        Array.from({ length: 100_000 }, (_one, i) => i),
      ),
    });

    const pages = await inbox.poll();

    expect(new Set(attributesOf(pages)).size).toBe(100_000);
    expect(Math.max(...pages.map((page) => page.objects.length))).toBeLessThanOrEqual(1_001);
  });
});

describe('MISP events that are delivered', () => {
  it('are each shown whole, whichever file they come in', async () => {
    const inbox = anInbox({ after: 'move' });
    inbox.put('1.json', { Event: event(E1, [1, 2]) });
    inbox.put('2.json', [{ Event: event(E1, [1], { timestamp: '1767225700' }) }, { Event: event(E2, [3]) }]);

    const pages = await inbox.poll();

    const one = `event ${uuidOf(E1)} begins ends`;
    expect(snapshots(pages)).toEqual([one, one, `event ${uuidOf(E2)} begins ends`]);
    expect(attributesOf(pages)).toEqual([1, 2, 1, 3].map(uuidOf));
  });

  it('say nothing in an older state than is known', async () => {
    const inbox = anInbox({ after: 'move' });
    inbox.put('new.json', { Event: event(E1, [1], { timestamp: '1767225700' }) });
    await inbox.poll();
    inbox.put('old.json', { Event: event(E1, [1, 2]) });
    inbox.put('older.json', [{ Event: event(E1, [1, 2]) }]);

    const pages = await inbox.poll();

    expect([attributesOf(pages), snapshots(pages)]).toEqual([[], []]);
    expect(inbox.counts()).toEqual({ accepted: 3, refused: 0, waiting: 0 });
  });
});

describe('a MISP feed folder', () => {
  const manifest = (...ns: number[]) =>
    Object.fromEntries(ns.map((n) => [uuidOf(n), { info: `Event ${n}`, timestamp: 1767225600 }]));

  it('holds the events that its manifest names', async () => {
    const inbox = anInbox({ vanished: 'withdraw' });
    inbox.put('feed/manifest.json', manifest(E1, E2));
    inbox.put('feed/hashes.csv', `${'0'.repeat(32)},${uuidOf(E1)}\n`);
    inbox.put(`feed/${uuidOf(E1)}.json`, { Event: event(E1, [1]) });
    inbox.put(`feed/${uuidOf(E1)}.json.asc`, 'signature');
    inbox.put(`feed/${uuidOf(E2)}.json`, { Event: event(E2, [2]) });
    inbox.put(`feed/${uuidOf(903)}.json`, { Event: event(903, [3]) });

    expect(attributesOf(await inbox.poll())).toEqual([1, 2].map(uuidOf));
    expect(inbox.counts()).toEqual({ accepted: 3, refused: 0, waiting: 0 });

    inbox.put('feed/manifest.json', manifest(E1));
    const pages = [...(await inbox.poll()), ...(await inbox.poll())];

    expect(snapshots(pages)).toContain(`feed/${uuidOf(E2)}.json begins ends`);
    expect(attributesOf(pages)).toEqual([]);
  });

  it('holds no other events where the manifest begins with a byte order mark', async () => {
    const inbox = anInbox();
    inbox.put('manifest.json', `\uFEFF${JSON.stringify(manifest(E1))}`);
    inbox.put(`${uuidOf(E1)}.json`, { Event: event(E1, [1]) });
    inbox.put(`${uuidOf(E2)}.json`, { Event: event(E2, [2]) });

    expect(attributesOf(await inbox.poll())).toEqual([uuidOf(1)]);
    expect(inbox.counts()).toEqual({ accepted: 2, refused: 0, waiting: 0 });
  });

  it('is read whole where the manifest is broken, which is refused', async () => {
    const inbox = anInbox();
    inbox.put('manifest.json', '{"broken');
    inbox.put(`${uuidOf(E1)}.json`, { Event: event(E1, [1]) });

    expect(attributesOf(await inbox.poll())).toEqual([uuidOf(1)]);
    expect(inbox.counts()).toEqual({ accepted: 1, refused: 1, waiting: 0 });
  });
});
