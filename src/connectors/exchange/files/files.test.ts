// What becomes of each file of a folder, over several polls.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { drain, failureOf, idsOf, never, testDeps } from '../../../../test/contract/exchange.ts';
import type { Page, Reading, ScopeEnd } from '../../../core/contracts/exchange-connector.ts';
import type { Json } from '../../../core/model/json.ts';
import { FilesConnector, type Parts } from './connector.ts';
import { disk } from './disk.ts';
import { files } from './index.ts';

const folders: string[] = [];
afterEach(() => {
  for (const one of folders.splice(0)) rmSync(one, { recursive: true, force: true });
});

const idOf = (n: number) => `indicator--00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const indicator = (n: number, more: object = {}) => ({
  type: 'indicator',
  spec_version: '2.1',
  id: idOf(n),
  created: '2026-01-01T00:00:00.000Z',
  modified: '2026-01-01T00:00:00.000Z',
  valid_from: '2026-01-01T00:00:00Z',
  pattern: `[ipv4-addr:value = '198.51.100.${n % 250}']`,
  pattern_type: 'stix',
  ...more,
});
const bundle = (...ns: number[]) => JSON.stringify({ type: 'bundle', objects: ns.map((n) => indicator(n)) });

/** A folder, and an exchange over it that goes on from poll to poll. */
function anInbox(settings: object = {}, parts: Parts = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'entente-files-'));
  folders.push(folder);
  const config = files.config.parse({ type: 'files', path: folder, settle_secs: 0, ...settings });
  const connector = new FilesConnector(config, testDeps(), parts);
  let cursor: Json | undefined;
  let end: ScopeEnd | undefined;
  const reading: Reading = {
    now: () => Date.now(),
    due: () => true,
    committed: () => Promise.resolve(),
    ended: (_scope, how) => {
      end = how;
    },
  };
  return {
    folder,
    connector,
    config,
    reading,
    path: (name: string) => join(folder, name),
    put: (name: string, text: string | Buffer) => {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    },
    poll: async (): Promise<Page[]> => {
      const pages = await drain(connector.pages(cursor, never, reading));
      cursor = pages.at(-1)?.cursor ?? cursor;
      return pages;
    },
    counts: () => files.files?.(cursor),
    end: () => end,
    cursor: () => cursor,
    names: () => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort(),
  };
}

const refusalsOf = (pages: readonly Page[]) =>
  pages.flatMap((page) => page.refusals.map((one) => `${one.objectId}: ${one.reason}`));
const mendedOf = (pages: readonly Page[]) => pages.flatMap((page) => page.mended ?? []);
const snapshots = (pages: readonly Page[]) =>
  pages.flatMap(({ scope, snapshotBegins, snapshotEnds }) =>
    snapshotBegins || snapshotEnds ? [`${scope}${snapshotBegins ? ' begins' : ''}${snapshotEnds ? ' ends' : ''}`] : [],
  );

describe('files of a folder', () => {
  it('are read whatever they hold and are called, those of subfolders too', async () => {
    const inbox = anInbox();
    inbox.put('a.txt', bundle(1));
    inbox.put('sub/b', JSON.stringify({ more: false, objects: [indicator(2)] }));
    inbox.put('c.json', `${JSON.stringify(indicator(3))}\n${JSON.stringify(indicator(4))}\n`);
    inbox.put('d.json', JSON.stringify([indicator(5)]));
    inbox.put('e.json', JSON.stringify(indicator(6), undefined, 2));
    inbox.put('f.json', '{}');
    inbox.put('g.json', JSON.stringify({ type: 'bundle', objects: [{ type: 'bundle', objects: [indicator(7)] }] }));

    expect(idsOf(await inbox.poll()).sort()).toEqual([1, 2, 3, 4, 5, 6, 7].map(idOf));
    expect(inbox.counts()).toEqual({ accepted: 7, refused: 0, waiting: 0 });
    expect(await inbox.poll()).toEqual([]);
  });

  it('of STIX 2.0 are read as such', async () => {
    const inbox = anInbox();
    const { spec_version: _none, pattern_type: _old, ...old } = indicator(1, { labels: ['malicious-activity'] });
    inbox.put('old.json', JSON.stringify({ objects: [old], spec_version: '2.0', type: 'bundle' }));

    const [page] = await inbox.poll();

    expect(page?.objects[0]).toMatchObject({ objectId: idOf(1), observables: [{ value: '198.51.100.1' }] });
  });

  it('hold bundles in other letters, and show no absence by one whose objects cannot be read', async () => {
    const inbox = anInbox();
    inbox.put(
      'a.jsonl',
      `${JSON.stringify({ type: 'Bundle', objects: [indicator(1)] })}\n${JSON.stringify(indicator(2))}\n`,
    );
    const first = await inbox.poll();
    inbox.put(
      'a.jsonl',
      `${JSON.stringify({ type: 'bundle', objects: { 1: indicator(1) } })}\n${JSON.stringify(indicator(2))}\n`,
    );
    const second = await inbox.poll();

    expect(idsOf(first)).toEqual([1, 2].map(idOf));
    expect(first.at(-1)?.snapshotEnds).toBe(true);
    expect(second.flatMap((page) => page.refusals.map((one) => one.reason))).toEqual([
      'objects of a bundle are no list',
    ]);
    expect(second.some((page) => page.snapshotEnds)).toBe(false);
  });

  it('are read again when they grow, are replaced by another, or change in place', async () => {
    const inbox = anInbox();
    inbox.put('a.jsonl', `${JSON.stringify(indicator(1))}\n`);
    await inbox.poll();

    appendFileSync(inbox.path('a.jsonl'), `${JSON.stringify(indicator(2))}\n`);
    expect(idsOf(await inbox.poll())).toEqual([idOf(1), idOf(2)]);

    inbox.put('.new', bundle(3));
    renameSync(inbox.path('.new'), inbox.path('a.jsonl'));
    expect(idsOf(await inbox.poll())).toEqual([idOf(3)]);

    inbox.put('a.jsonl', bundle(4));
    expect(idsOf(await inbox.poll())).toEqual([idOf(4)]);
    expect(inbox.counts()).toMatchObject({ accepted: 1 });
  });

  it('that hold what they held are not read again, whatever time they bear', async () => {
    const inbox = anInbox();
    inbox.put('a.json', bundle(1));
    await inbox.poll();
    utimesSync(inbox.path('a.json'), 1, 1);

    const pages = await inbox.poll();

    expect(idsOf(pages)).toEqual([]);
    expect(await inbox.poll()).toEqual([]);
  });

  it('wait while they may still be written to, and under names of what is not whole yet', async () => {
    const inbox = anInbox({ settle_secs: 60 });
    inbox.put('young.json', bundle(1));
    inbox.put('old.json', bundle(2));
    for (const name of ['.hidden', 'a.tmp', 'b.part', 'c.filepart', 'd~']) inbox.put(name, bundle(3));
    utimesSync(inbox.path('old.json'), new Date(Date.now() - 61_000), new Date(Date.now() - 61_000));

    expect(idsOf(await inbox.poll())).toEqual([idOf(2)]);
    expect(inbox.counts()).toEqual({ accepted: 1, refused: 0, waiting: 1 });

    utimesSync(inbox.path('young.json'), new Date(Date.now() - 61_000), new Date(Date.now() - 61_000));
    expect(idsOf(await inbox.poll())).toEqual([idOf(1)]);
    expect(inbox.counts()).toEqual({ accepted: 2, refused: 0, waiting: 0 });
  });

  it('that are not whole are not moved away while somebody touched them a moment ago, whatever time they bear', async () => {
    const inbox = anInbox({ settle_secs: 60, after: 'move' });
    inbox.put('copied.json', bundle(1).slice(0, -9));
    utimesSync(inbox.path('copied.json'), 1, 1);

    expect(refusalsOf(await inbox.poll())).toEqual([]);
    expect(inbox.counts()).toEqual({ accepted: 0, refused: 0, waiting: 1 });
  });

  it('that cannot be used are refused with a reason, once, and the rest goes on', async () => {
    const inbox = anInbox();
    const outside = mkdtempSync(join(tmpdir(), 'entente-outside-'));
    folders.push(outside);
    writeFileSync(join(outside, 'secret.json'), bundle(9));
    inbox.put('a-cut.json', bundle(1).slice(0, -20));
    inbox.put('b-text.json', 'no JSON at all');
    inbox.put('c-other.json', '{"name":"package"}');
    inbox.put('d-empty.json', '');
    symlinkSync(join(outside, 'secret.json'), inbox.path('e-link.json'));
    symlinkSync(outside, inbox.path('f-folder'));
    symlinkSync(join(outside, 'none'), inbox.path('g-nowhere'));
    symlinkSync(inbox.path('z-good.json'), inbox.path('h-inside.json'));
    inbox.put('z-good.json', bundle(2));

    const pages = await inbox.poll();

    expect(idsOf(pages)).toEqual([idOf(2), idOf(2)]);
    expect(refusalsOf(pages).sort()).toEqual([
      'a-cut.json: file is cut off',
      'b-text.json: file is not JSON',
      'c-other.json: file is neither STIX nor MISP',
      'd-empty.json: file is empty',
      'e-link.json: file is a symbolic link out of the folder',
      'f-folder: file is a symbolic link out of the folder',
      'g-nowhere: file is a symbolic link to nothing',
    ]);
    expect(inbox.counts()).toEqual({ accepted: 2, refused: 7, waiting: 0 });
    expect(inbox.end()?.note).toContain('7 files are refused');
    expect(await inbox.poll()).toEqual([]);
  });

  it('with an element that is too large are read but for that, and nothing is concluded from them', async () => {
    const inbox = anInbox({ vanished: 'withdraw' });
    const large = indicator(2, { description: 'x'.repeat(9 * 1024 * 1024) });
    const objects = [indicator(1), large, indicator(3)].map((one) => JSON.stringify(one));
    inbox.put('a.json', `{"type":"bundle","objects":[${objects.join(',')}]}`);
    inbox.put('b.jsonl', objects.join('\n'));

    const pages = await inbox.poll();

    expect(idsOf(pages)).toEqual([1, 3, 1, 3].map(idOf));
    expect(refusalsOf(pages)).toEqual([
      'a.json:2: element is too large (more than 8 MiB)',
      'b.jsonl:2: element is too large (more than 8 MiB)',
    ]);
    expect(snapshots(pages).filter((one) => one.endsWith('ends'))).toEqual([]);
    expect(inbox.counts()).toEqual({ accepted: 2, refused: 0, waiting: 0 });

    inbox.put('a.json', bundle(1, 3));
    expect(mendedOf(await inbox.poll())).toContain('a.json:2');
  });

  it('that were refused and are mended, or go, are refused no longer', async () => {
    const inbox = anInbox();
    inbox.put('a.json', 'broken');
    inbox.put('b.json', 'broken');
    inbox.put('c.jsonl', `${JSON.stringify(indicator(1))}\nbroken\n${JSON.stringify(indicator(2))}\n`);
    expect(refusalsOf(await inbox.poll())).toContain('c.jsonl:2: line is not JSON');

    inbox.put('a.json', bundle(1));
    rmSync(inbox.path('b.json'));
    inbox.put('c.jsonl', `${JSON.stringify(indicator(1))}\n${JSON.stringify(indicator(2))}\n`);

    expect(mendedOf(await inbox.poll()).sort()).toEqual(['a.json', 'b.json', 'c.jsonl', 'c.jsonl:2']);
    expect(inbox.counts()).toEqual({ accepted: 2, refused: 0, waiting: 0 });
    expect(inbox.end()).toEqual({});
  });

  it('that cannot be read are refused in words until they can', async () => {
    let locked = true;
    const open: typeof disk.open = async (path, ...rest) => {
      if (locked && String(path).endsWith('locked.json')) throw Object.assign(new Error('no'), { code: 'EACCES' });
      return disk.open(path, ...rest);
    };
    const inbox = anInbox({}, { disk: { ...disk, open } });
    inbox.put('locked.json', bundle(1));
    inbox.put('open.json', bundle(2));

    const pages = await inbox.poll();
    expect(idsOf(pages)).toEqual([idOf(2)]);
    expect(refusalsOf(pages)).toEqual([
      'locked.json: file may not be read or written by the user that Entente runs as',
    ]);

    locked = false;
    utimesSync(inbox.path('locked.json'), 1, 1);
    expect(idsOf(await inbox.poll())).toEqual([idOf(1)]);
  });

  it('that are replaced while they are read are read again, and nothing is concluded', async () => {
    const inbox = anInbox({}, { pageObjects: 1 });
    inbox.put('a.json', bundle(1, 2, 3));
    const pages: Page[] = [];
    for await (const page of inbox.connector.pages(undefined, never, inbox.reading)) {
      if (pages.length === 0) inbox.put('a.json', bundle(4, 5));
      pages.push(page);
    }

    expect(snapshots(pages)).toEqual(['a.json begins']);
    expect(files.files?.(pages.at(-1)!.cursor)).toEqual({ accepted: 0, refused: 0, waiting: 1 });
    const again = await drain(inbox.connector.pages(pages.at(-1)!.cursor, never));
    expect(idsOf(again)).toEqual([idOf(4), idOf(5)]);
    expect(snapshots(again)).toEqual(['a.json begins', 'a.json ends']);
  });

  it('leave nobody without a word when the folder is gone or cannot be read', async () => {
    const inbox = anInbox();
    inbox.put('a.json', bundle(1));
    await inbox.poll();
    renameSync(inbox.folder, `${inbox.folder}-away`);
    folders.push(`${inbox.folder}-away`);

    const failure = await failureOf(inbox.poll());

    expect(failure.kind).toBe('config');
    expect(failure.message).toMatch(/^exchange partner: .* is not there \(ENOENT\); check path and its rights/);
    expect(await inbox.connector.probe(never)).toMatchObject({ ok: false, failure: { kind: 'config' } });
    renameSync(`${inbox.folder}-away`, inbox.folder);
    expect(await inbox.poll()).toEqual([]);
  });

  it('may be one file', async () => {
    const inbox = anInbox();
    inbox.put('one.json', bundle(1));
    inbox.put('other.json', bundle(2));
    const config = files.config.parse({ type: 'files', path: inbox.path('one.json'), settle_secs: 0 });

    expect(idsOf(await drain(new FilesConnector(config, testDeps()).pages(undefined, never)))).toEqual([idOf(1)]);
  });

  it('tell what is missing from a numbered series', async () => {
    const inbox = anInbox();
    for (const n of [1, 2, 5]) inbox.put(`low-${n}.json`, bundle(n));
    await inbox.poll();
    expect(inbox.end()?.note).toMatch(/missing from a numbered series: low-\*\.json 3 to 4/);

    for (const n of [3, 4]) inbox.put(`low-${n}.json`, bundle(n));
    await inbox.poll();
    expect(inbox.end()).toEqual({});
  });
});

describe('a file that states what it holds', () => {
  it('is one snapshot over all its pages, also where a crash came between', async () => {
    const inbox = anInbox({}, { pageObjects: 2 });
    inbox.put('a.json', bundle(1, 2, 3, 4, 5));

    const pages = await inbox.poll();
    expect(snapshots(pages)).toEqual(['a.json begins', 'a.json ends']);

    for (const [i, page] of pages.entries()) {
      const rest = await drain(inbox.connector.pages(page.cursor, never));
      expect(idsOf([...pages.slice(0, i + 1), ...rest])).toEqual([1, 2, 3, 4, 5].map(idOf));
      expect(snapshots(rest)).toEqual(i === pages.length - 1 ? [] : ['a.json ends']);
    }
  });

  it('concludes nothing from what it holds and nobody can name', async () => {
    const inbox = anInbox();
    inbox.put('a.jsonl', `${JSON.stringify(indicator(1))}\nbroken\n${JSON.stringify(indicator(2))}\n`);
    inbox.put('b.json', JSON.stringify([indicator(3), { type: 'indicator' }]));

    expect(snapshots(await inbox.poll())).toEqual(['a.jsonl begins', 'b.json begins']);
  });

  it.each([
    ['keep', []],
    ['withdraw', ['a.json begins ends']],
  ])('and is taken away withdraws as the exchange says: %s', async (vanished, expected) => {
    const inbox = anInbox({ vanished });
    inbox.put('a.json', bundle(1));
    inbox.put('b.json', bundle(2));
    await inbox.poll();
    rmSync(inbox.path('a.json'));

    // What is replaced in two steps is missing for a moment.
    const pages = [...(await inbox.poll()), ...(await inbox.poll())];

    expect(snapshots(pages)).toEqual(expected);
    expect(inbox.counts()).toMatchObject({ accepted: 1 });
  });

  it('withdraws nothing when the folder is empty all at once', async () => {
    const inbox = anInbox({ vanished: 'withdraw' });
    inbox.put('a.json', bundle(1));
    await inbox.poll();
    rmSync(inbox.path('a.json'));

    expect(snapshots([...(await inbox.poll()), ...(await inbox.poll())])).toEqual([]);
    expect(inbox.end()?.note).toMatch(/the folder is empty; nothing is withdrawn/);
  });
});

describe('a file that is a delivery', () => {
  it('goes away when it is committed, and states nothing beyond itself', async () => {
    const inbox = anInbox({ after: 'move' });
    inbox.put('a.json', bundle(1, 2));
    inbox.put('sub/b.json', 'broken');

    const pages = await inbox.poll();

    expect(inbox.names()).toEqual(['done', 'done/a.json', 'refused', 'refused/sub', 'refused/sub/b.json', 'sub']);
    expect(snapshots(pages)).toEqual([]);
    expect(inbox.counts()).toEqual({ accepted: 1, refused: 1, waiting: 0 });
    expect(await inbox.poll()).toEqual([]);
  });

  it('stays where what it holds goes into a copy of the state', async () => {
    const inbox = anInbox({ after: 'move' });
    inbox.put('a.json', bundle(1));

    const pages = await drain(inbox.connector.pages(undefined, never, { ...inbox.reading, trial: true }));

    expect([idsOf(pages), inbox.names()]).toEqual([[idOf(1)], ['a.json']]);
  });

  it('is not taken away for another that came under its name meanwhile', async () => {
    const inbox = anInbox({ after: 'move' });
    inbox.put('a.json', bundle(1));
    let cursor: Json | undefined;
    for await (const page of inbox.connector.pages(undefined, never, inbox.reading)) {
      if (idsOf([page]).includes(idOf(1))) inbox.put('a.json', bundle(2, 3));
      cursor = page.cursor;
    }
    expect(inbox.names()).toEqual(['a.json']);

    expect(idsOf(await drain(inbox.connector.pages(cursor, never, inbox.reading)))).toEqual([idOf(2), idOf(3)]);
    expect(inbox.names()).toEqual(['done', 'done/a.json']);
  });

  it('takes the place of no other that was there before', async () => {
    const inbox = anInbox({ after: 'move' });
    for (const n of [1, 2, 3]) {
      inbox.put('a.json', bundle(n));
      expect(idsOf(await inbox.poll())).toEqual([idOf(n)]);
    }

    expect(inbox.names()).toEqual(['done', 'done/a.json', 'done/a~1.json', 'done/a~2.json']);
  });

  it('is not read again where it cannot be moved, and says so until it can', async () => {
    let full = true;
    const rename: typeof disk.rename = async (from, to) => {
      if (full) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      return disk.rename(from, to);
    };
    const inbox = anInbox({ after: 'move' }, { disk: { ...disk, rename } });
    inbox.put('a.json', bundle(1));
    inbox.put('b.json', bundle(2));

    expect(idsOf(await inbox.poll())).toEqual([idOf(1), idOf(2)]);
    expect(inbox.end()?.failure).toMatchObject({
      kind: 'retryable',
      message: expect.stringMatching(/full \(ENOSPC\)/),
    });
    expect(await inbox.poll()).toEqual([]);
    expect(existsSync(inbox.path('a.json'))).toBe(true);

    full = false;
    expect(idsOf(await inbox.poll())).toEqual([]);
    expect(inbox.names()).toEqual(['done', 'done/a.json', 'done/b.json']);
    expect(inbox.end()).toEqual({});
  });

  it('is moved by the next poll where the process died in between', async () => {
    const inbox = anInbox({ after: 'move' });
    inbox.put('a.json', bundle(1));
    let committed: Json | undefined;
    for await (const page of inbox.connector.pages(undefined, never, inbox.reading)) {
      committed = page.cursor;
      break;
    }

    const rest = await drain(inbox.connector.pages(committed, never, inbox.reading));

    expect(idsOf(rest)).toEqual([]);
    expect(inbox.names()).toEqual(['done', 'done/a.json']);
  });
});

describe('very many files', () => {
  it('cost no more for each than few do', async () => {
    const inbox = anInbox();
    for (let n = 0; n < 600; n++) inbox.put(`f${n}.json`, bundle(n));

    const pages = await inbox.poll();
    const shared = new Set(pages.flatMap((page) => (page.cursor as { files: Json[] }).files));

    expect(inbox.counts()).toMatchObject({ accepted: 600 });
    // One list more for each file, and none copied again that was full.
    expect(shared.size).toBeLessThanOrEqual(605);
    expect(await inbox.poll()).toEqual([]);
  });
});
