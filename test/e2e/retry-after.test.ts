// What a SIEM, or a page in front of it, may write into Retry-After: status, health and metrics stay what they are, and a
// withdrawal is tried at once all the same.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Fault } from '../../src/simulators/server.ts';
import { type Daemon, eventually } from './site.ts';
import { aTrio, type Trio, TRIO } from './trio.ts';
import { addresses, indicator, revoked } from './world.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 30_000 });

let trio: Trio;
beforeEach(async () => {
  trio = await aTrio();
  trio.configure();
});
afterEach(() => trio.close());

const VALUES = ['1e309', '-1', '99999999999999999999', 'Fri, 31 Dec 9999 23:59:59 GMT', 'NaN', '', '1e-9', '86400'];
/** The cap on what a SIEM may ask for, and the longest wait without being asked, with some time to look. */
const QUARTER_MS = 15 * 60_000;
const MOST_MS = 5 * 60_000;
const LOOK_MS = 30_000;

const asked = (): number[] =>
  [trio.elastic, trio.splunk, trio.qradar].map(({ requests }) =>
    [...requests].reduce((sum, [route, n]) => sum + (route.endsWith(' 503') ? n : 0), 0),
  );

async function wellFormed(daemon: Daemon, most: number): Promise<void> {
  const [status, health, metrics] = await Promise.all(
    ['/status', '/health', '/metrics'].map((path) => daemon.get(path)),
  );
  const { siems } = JSON.parse(status!.text) as { siems: Record<string, string | null>[] };
  expect(siems.map((one) => one['name'])).toEqual([...TRIO]);
  for (const one of siems) {
    expect(one['state']).toMatch(/^(recovering|failing)$/);
    const next = one['next_attempt'];
    if (typeof next === 'string') {
      expect(Number.isNaN(Date.parse(next))).toBe(false);
      expect(Date.parse(next)).toBeLessThan(Date.now() + most + LOOK_MS);
    }
    for (const field of ['since', 'last_success', 'last_failure'])
      expect(Number.isNaN(Date.parse(one[field] ?? '2026-01-01'))).toBe(false);
  }
  expect(JSON.parse(health!.text)).toMatchObject({ state: expect.any(String) });
  expect([status!.code, metrics!.code]).toEqual([200, 200]);
  const samples = metrics!.text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(samples.length).toBeGreaterThan(10);
  for (const line of samples) expect(line).toMatch(/^[a-z0-9_]+(\{[^{}]*\})? -?\d+(\.\d+)?(e[+-]?\d+)?$/);
}

it('whatever stands there from each of the three, the pages stay well-formed', async () => {
  const values = addresses(VALUES.length + 1);
  trio.taxii.load(values.map((one) => indicator(one)));
  const daemon = await trio.site.daemon();
  await daemon.until(({ siems }) => siems.every((one) => one['delivered'] === values.length));

  for (const [i, value] of VALUES.entries()) {
    const fault: Fault = { match: '/', action: 'status', status: 503, headers: { 'retry-after': value }, body: '{}' };
    const before = asked();
    trio.setFaults([fault]);
    trio.taxii.load([revoked(values[i]!)]);
    await eventually(() => asked().every((n, k) => n > before[k]!), `all are asked, after ${VALUES[i - 1]}`, 15_000);
    await daemon.until(({ siems }) => siems.every((one) => one.state !== 'ok'), 10_000);
    // A day is what somebody may mean; the others are ignored.
    await wellFormed(daemon, value === '86400' ? QUARTER_MS : MOST_MS);
  }
  trio.setFaults([]);
  trio.taxii.load([revoked(values.at(-1)!)]);

  await daemon.until(({ siems }) => siems.every((one) => one['delivered'] === 0 && one.state === 'ok'), 20_000);
  expect((await daemon.stop()).code).toBe(0);
});
