// An event of 100,000 attributes by both ways of reading: all of it is armed, within the memory of the daemon, and one that is
// larger than an answer may be keeps no other event from being read.
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startMisp } from '../../src/simulators/misp/index.ts';
import { moment, Site, type Status } from './site.ts';
import { INSTANCE } from './world.ts';

vi.setConfig({ testTimeout: 300_000 });

const MOST_MB = 256;
const MANY = 100_000;
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const id = (n: number) => `9f1d4a52-6f0c-4a53-9f3f-${String(n).padStart(12, '0')}`;
const attribute = (n: number) => ({
  uuid: id(n),
  type: 'sha256',
  category: 'Payload delivery',
  value: n.toString(16).padStart(8, '0').repeat(8),
  to_ids: true,
  timestamp: '1790000000',
  comment: `sample ${n} of a campaign`,
});
const anEvent = (uuid: string, attributes: readonly object[], more: object = {}) => ({
  Event: { uuid, info: 'A campaign', timestamp: '1790000000', Attribute: attributes, ...more },
});

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

async function once(read: 'search' | 'sync', data: unknown) {
  const site = new Site();
  const partner = await startMisp({ data });
  closers.push(
    () => site.close(),
    () => partner.close(),
  );
  site.configure({
    instance: INSTANCE,
    exchanges: [{ name: 'misp-be', type: 'misp', url: partner.url, auth: { key: partner.key }, read }],
    siems: [],
  });
  const running = site.start(['run', '--once'], { limitMs: 240_000 });
  let over = false;
  const ended = running.ended.finally(() => {
    over = true;
  });
  let peak = 0;
  for (; !over; await moment(100)) peak = Math.max(peak, peakMb(running.pid));
  const { code, stderr } = await ended;
  const [exchange] = (await site.ask<Status>(['status'])).exchanges;
  return { code, stderr, exchange, peak };
}

describe.each(['search', 'sync'] as const)('an event of 100,000 attributes by %s', (read) => {
  it('is read whole, within the memory of the daemon', async () => {
    const attributes = Array.from({ length: MANY }, (_, n) => attribute(n));

    const { code, stderr, exchange, peak } = await once(read, [
      anEvent(id(900_000), attributes),
      anEvent(id(900_001), [attribute(200_000)]),
    ]);

    expect(code, stderr).toBe(0);
    expect(exchange).toMatchObject({ state: 'ok', indicators: MANY + 1 });
    console.info(`by ${read}: peak ${peak.toFixed(0)} MB`);
    expect(peak, `${peak} MB`).toBeLessThan(MOST_MB);
  });
});
