// A bundle far larger than the memory of the daemon is read object by object. Small here; ENTENTE_BIG_FILE_MB=2048 makes
// it what the interface promises: 2 GB within 256 MB.
import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { afterEach, expect, it, vi } from 'vitest';
import { moment, Site, type Status } from './site.ts';
import { INSTANCE } from './world.ts';

const MOST_MB = 256;
const BIG_MB = Number(process.env['ENTENTE_BIG_FILE_MB'] ?? 80);
vi.setConfig({ testTimeout: 120_000 + BIG_MB * 1_000 });

let site: Site;
afterEach(() => site.close());

/** The largest resident set of a process and its children so far, in MB, as the kernel counted it. */
function peakMb(pid: number): number {
  const read = (path: string) => {
    try {
      return readFileSync(`/proc/${path}`, 'utf8');
    } catch {
      return '';
    }
  };
  const own = [String(pid), ...read(`${pid}/task/${pid}/children`).split(' ')].filter((one) => one.trim() !== '');
  return Math.max(...own.map((one) => Number(/^VmHWM:\s+(\d+) kB/m.exec(read(`${one}/status`))?.[1] ?? 0))) / 1024;
}

const hex = (n: number, digits: number) => n.toString(16).padStart(digits, '0');

/** One indicator of some 1,000 bytes, as vendors write them. */
const indicator = (n: number) => {
  const time = '2026-01-01T00:00:00.000Z';
  const pattern = `[file:hashes.'SHA-256' = '${hex(n, 8).repeat(8)}']`;
  const id = `indicator--00000000-0000-4000-8000-${hex(n, 12)}`;
  const head = `{"type":"indicator","spec_version":"2.1","id":"${id}","created":"${time}","modified":"${time}"`;
  const description = `Seen in a campaign, number ${n}. ${'Lorem ipsum dolor sit amet, consetetur. '.repeat(14)}`;
  return `${head},"name":"Sample ${n}","description":"${description}","indicator_types":["malicious-activity"],"pattern":"${pattern}","pattern_type":"stix","valid_from":"${time}"}`;
};

/** A bundle of so many megabytes, and how many indicators it holds. */
function bigBundle(path: string, mb: number): number {
  const file = openSync(path, 'w');
  let written = writeSync(file, '{"type":"bundle","id":"bundle--1","objects":[');
  let n = 0;
  for (let text = ''; written < mb * 1024 * 1024; text = '') {
    for (let i = 0; i < 1000; i++) text += `${n === 0 && i === 0 ? '' : ','}${indicator(n + i)}\n`;
    n += 1000;
    written += writeSync(file, text);
  }
  writeSync(file, `,${indicator(n).replace('Lorem', 'x'.repeat(4 * 1024 * 1024))}]}`);
  closeSync(file);
  return n + 1;
}

it(`reads a bundle of ${BIG_MB} MB within ${MOST_MB} MB`, async () => {
  site = new Site();
  site.configure({
    instance: INSTANCE,
    exchanges: [{ name: 'low-side', type: 'files', path: './big.json', settle_secs: 0, schedule: '0 0 1 1 *' }],
    siems: [],
  });
  const count = bigBundle(site.path('big.json'), BIG_MB);
  const started = performance.now();
  const running = site.start(['run', '--once'], { limitMs: 100_000 + BIG_MB * 1_000 });
  let over = false;
  const ended = running.ended.finally(() => {
    over = true;
  });
  let peak = 0;
  // The kernel keeps the largest value until the process is gone.
  for (; !over; await moment(200)) peak = Math.max(peak, peakMb(running.pid));
  const seconds = (performance.now() - started) / 1000;
  console.info(`${statSync(site.path('big.json')).size} bytes in ${seconds.toFixed(1)} s, peak ${peak.toFixed(0)} MB`);

  expect(await ended).toMatchObject({ code: 0 });
  const [one] = (await site.ask<Status>(['status'])).exchanges;
  expect(one).toMatchObject({ state: 'ok', indicators: count, files: { accepted: 1, refused: 0, waiting: 0 } });
  expect(peak, `${peak} MB`).toBeLessThan(MOST_MB);
});
