// Texts of megabytes and answers that unpack to far more than they are: the daemon stays within its 256 MB, takes what
// is good, and says what is not.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type RawPartner, rawPartner } from './raw-partner.ts';
import { eventually } from './site.ts';
import { addresses, aWorld, indicator, type World } from './world.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 });

const MOST_MB = 256;
const TEN_MB = 10 * 1024 * 1024;

let world: World;
let partner: RawPartner;
beforeEach(async () => {
  world = await aWorld();
  partner = await rawPartner();
  const one = { name: 'partner', type: 'taxii21', url: partner.url, page_size: 50 };
  world.site.configure(world.settings({ top: { exchanges: [one] } }));
});
afterEach(async () => {
  await partner.close();
  await world.close();
});

/** The largest resident set of a process and its children so far, in MB, as the kernel counted it. */
function peakMb(pid: number): number {
  const status = (one: string) => {
    try {
      return readFileSync(`/proc/${one}/status`, 'utf8');
    } catch {
      return '';
    }
  };
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const own = all.filter((one) => one === String(pid) || new RegExp(`^PPid:\\s+${pid}$`, 'm').test(status(one)));
  return Math.max(...own.map((one) => Number(/^VmHWM:\s+(\d+) kB/m.exec(status(one))?.[1] ?? 0))) / 1024;
}

it('takes objects with texts of ten megabytes, cut, within its memory', async () => {
  const long = 'x'.repeat(TEN_MB);
  partner.page = JSON.stringify({
    objects: [
      indicator('198.18.5.1', { name: long }),
      indicator('198.18.5.2', { description: `\u202e${long.slice(0, 1e6)}` }),
      indicator('198.18.5.3', { pattern: `[url:value = 'http://a.example/${long.slice(0, 4e6)}']` }),
      indicator('198.18.5.4', { labels: [long.slice(0, 1e6)], confidence: long.slice(0, 1000) }),
      indicator('198.18.5.5', { revoked: long.slice(0, 1e6) }),
      indicator('198.18.5.6'),
    ],
  });
  const daemon = await world.site.daemon();
  await daemon.until(({ siems }) => siems[0]?.['delivered'] === 3);
  const peak = peakMb(daemon.process.pid);
  const status = await daemon.status();
  await daemon.stop();

  expect(world.armed()).toEqual(['198.18.5.1', '198.18.5.2', '198.18.5.6']);
  expect(status.exchanges[0]).toMatchObject({ state: 'ok', refused: 2, parked: 1 });
  expect(JSON.stringify(status).length).toBeLessThan(20_000);
  expect(peak, `${peak} MB`).toBeLessThan(MOST_MB);
});

it('stays within its memory through pages of thirty megabytes, whatever they are made of', async () => {
  const one = { name: 'partner', type: 'taxii21', url: partner.url, page_size: 50, schedule: '* * * * * *' };
  world.site.configure(world.settings({ top: { exchanges: [one] } }));
  const long = 'x'.repeat(TEN_MB);
  const wide = 'д'.repeat(TEN_MB / 2);
  const three = (facts: object) => addresses(3).map((value) => indicator(value, { ...facts }));
  const daemon = await world.site.daemon();
  await daemon.until(({ exchanges }) => exchanges[0]?.state === 'ok');

  for (const [n, objects] of [
    three({ name: long }),
    three({ pattern: `[url:value = 'http://a.example/${wide}']` }),
    [indicator('198.18.7.7', { x_many: Array.from({ length: 100 }, () => long.slice(0, 300_000)) })],
  ].entries()) {
    partner.page = JSON.stringify({ objects: [...objects, indicator(`198.18.9.${n + 1}`)] });
    // The next is read while what it left still lies about.
    const { asked } = partner;
    await eventually(() => partner.asked > asked + 1, 'it was read, and is asked for again');
  }
  await daemon.until(({ siems }) => Number(siems[0]?.['delivered']) >= 3);
  const peak = peakMb(daemon.process.pid);
  await daemon.stop();

  expect(peak, `${peak} MB`).toBeLessThan(MOST_MB);
});

it('gives up on a packed answer that is larger than it may be, within its memory', async () => {
  partner.page = gzipSync(Buffer.alloc(400 * 1024 * 1024, ' '));
  partner.headers['content-encoding'] = 'gzip';
  const daemon = await world.site.daemon();
  await daemon.until(({ exchanges }) => /more than \d+ MiB/.test(exchanges[0]?.reason ?? ''));
  const peak = peakMb(daemon.process.pid);
  const status = await daemon.status();
  await daemon.stop();

  expect(status.exchanges[0]?.reason).toMatch(/more than \d+ MiB/);
  expect(peak, `${peak} MB`).toBeLessThan(MOST_MB);
});
