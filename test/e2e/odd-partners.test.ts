// What a partner says that is against the standard, or that nobody should see: told to people in words, and not as it came.
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RawPartner, rawPartner } from './raw-partner.ts';
import { inProcess } from './in-process.ts';
import type { Status } from './site.ts';
import { aWorld, indicator, type World } from './world.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

let world: World;
let partner: RawPartner;
beforeEach(async () => {
  world = await aWorld();
  partner = await rawPartner();
  world.site.configure(
    world.settings({ top: { exchanges: [{ name: 'partner', type: 'taxii21', url: partner.url }] } }),
  );
});
afterEach(async () => {
  await partner.close();
  await world.close();
});

const once = () => world.site.entente(['run', '--once', '--patience-secs', '0']);
const objects = (...all: readonly object[]) => JSON.stringify({ objects: all });

describe('is counted and told', () => {
  it('a collection that does not say can_read', async () => {
    partner.collection = { title: 'Indicators' };
    partner.page = objects(indicator('198.18.0.1'));
    const ended = await once();
    const status = await inProcess(world.site, 'status');

    expect(ended.code).toBe(0);
    expect(world.armed()).toEqual(['198.18.0.1']);
    expect(ended.stderr).toContain('the server does not say can_read of it; it is read all the same');
    expect(status.stdout).toContain('the server does not say can_read of it; it is read all the same');
  });

  it('the same version with other content, of which only what arms less is believed', async () => {
    const at = Date.now();
    const one = (facts: object) => indicator('198.18.0.1', { ...facts }, at);
    partner.page = objects(one({}));
    await once();
    partner.page = objects(one({ pattern: "[ipv4-addr:value = '198.18.0.2']" }));
    const ended = await once();

    expect(world.armed()).toEqual(['198.18.0.1']);
    expect(ended.stderr).toContain('1 object came in a known version with other content, of which only what arms less');
    const status = JSON.parse((await inProcess(world.site, 'status', '--json')).stdout) as Status;
    expect(status.exchanges[0]?.['ignored']).toEqual({ 'other content in a known version': 1 });
  });
});

describe('reaches no log, status or page as it came', () => {
  const HIDDEN = '\u202e\u200b\u00ad\u2066\u001b[31m\u0007\u2028\ufeff';
  const LETTERS = [
    '\u202e',
    '\u200b',
    '\u00ad',
    '\u2066',
    '\u001b',
    '\u0007',
    '\u2028',
    '\ufeff',
    '\\u001b',
    '\\u0007',
  ];
  const seen = (text: string) => LETTERS.filter((one) => text.includes(one)).map((one) => JSON.stringify(one));
  const message = (text: string) => JSON.stringify({ title: text, description: `again ${text}` });

  it('what hides in the texts of a partner, in any place where he writes', async () => {
    partner.collection = { id: `c${HIDDEN}1`, title: HIDDEN, can_read: true, description: HIDDEN };
    partner.root = { title: `Root${HIDDEN}`, versions: ['application/taxii+json;version=2.1'] };
    partner.page = objects(indicator('198.18.0.1', { name: `name${HIDDEN}`, description: HIDDEN, labels: [HIDDEN] }));
    const probe = await inProcess(world.site, 'check', '--probe');
    const first = await once();
    partner.status = 500;
    partner.page = message(`no${HIDDEN}`);
    const second = await once();
    partner.status = 400;
    const daemon = await world.site.daemon();
    await daemon.until((status) => status.exchanges[0]?.state === 'failing');
    const pages: string[] = [];
    for (const path of [
      '/',
      '/status',
      '/health',
      '/metrics',
      '/exchange/partner',
      '/why?value=198.18.0.1',
      '/history',
    ])
      pages.push((await daemon.get(path)).text);
    await daemon.stop();
    const texts = [
      (await inProcess(world.site, 'status')).stdout,
      (await inProcess(world.site, 'status', '--json')).stdout,
      (await inProcess(world.site, 'why', '198.18.0.1')).stdout,
      (await inProcess(world.site, 'history')).stdout,
    ];

    expect(probe.stdout).toContain('API root "Root[31m"');
    expect(first.code).toBe(0);
    expect(second.stderr).toContain('[server: no[31m');
    for (const text of [probe.stdout, first.stderr, second.stderr, second.stdout, ...texts, ...pages])
      expect(seen(text), text.slice(0, 3000)).toEqual([]);
    expect(seen(world.site.printed)).toEqual([]);
  });
});

describe('is broken JSON like any other', () => {
  it.each<[string, Buffer, Record<string, string>]>([
    ['an answer that ends inside a text', Buffer.from('{"objects":[{"type":"indicator","id":"indicator--'), {}],
    ['one that ends inside a letter', Buffer.concat([Buffer.from('{"objects":[{"id":"'), Buffer.from([0xc3])]), {}],
    ['one that ends inside an escape', Buffer.from('{"objects":[{"id":"\\u00'), {}],
    ['one that ends inside a name, behind its objects', Buffer.from('{"objects":[],"mor'), {}],
    ['one that is packed twice', gzipSync(gzipSync('{"objects":[]}')), { 'content-encoding': 'gzip' }],
    ['one that is packed and does not say so', gzipSync('{"objects":[]}'), {}],
    ['one whose packing was cut', gzipSync('{"objects":[]}').subarray(0, 14), { 'content-encoding': 'gzip' }],
    ['NaN', Buffer.from('{"objects":[NaN]}'), {}],
  ])('%s', async (_what, page, headers) => {
    partner.page = page;
    Object.assign(partner.headers, headers);
    await inProcess(world.site, 'run', '--once', '--patience-secs', '0');
    const status = JSON.parse((await inProcess(world.site, 'status', '--json')).stdout) as Status;

    expect(status.exchanges[0]).toMatchObject({
      state: 'recovering',
      reason: expect.stringContaining('the collection Indicators came as broken JSON of'),
    });
  });
});
