// Who writes at a SIEM, through the commands: a state that was lost, a person who knows that the other is gone, and
// commands beside the daemon. At one SIEM of each product.
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { eventually } from './site.ts';
import { aTrio, everywhere, type Trio, TRIO } from './trio.ts';
import { addresses, indicator } from './world.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 30_000 });

let trio: Trio;
beforeEach(async () => {
  trio = await aTrio();
  trio.configure();
});
afterEach(() => trio.close());

const VALUES = addresses(3);
const loseState = () => rmSync(dirname(trio.site.state), { recursive: true });
async function delivering() {
  trio.taxii.load(VALUES.map((one) => indicator(one)));
  const daemon = await trio.site.daemon();
  await daemon.until(({ siems }) => siems.every((one) => one['delivered'] === VALUES.length));
  return daemon;
}

it('a clean stop gives the place back, so that a lost state starts at once', async () => {
  const daemon = await delivering();
  expect((await daemon.stop()).code).toBe(0);
  loseState();
  trio.taxii.load(addresses(1, 3).map((one) => indicator(one)));

  const again = await trio.site.entente(['run', '--once', '--patience-secs', '20']);

  expect(again, again.stderr).toMatchObject({ code: 0 });
  expect(trio.standing()).toEqual(everywhere(addresses(4)));
});

it('a fresh mark of another is respected and named, until a person says that it is gone', async () => {
  const daemon = await delivering();
  await daemon.process.kill('SIGKILL');
  loseState();
  trio.taxii.load(addresses(1, 3).map((one) => indicator(one)));

  const waits = await trio.site.entente(['run', '--once', '--patience-secs', '4']);
  const status = await trio.site.ask<{ siems: { name: string; state: string; reason: string }[] }>(['status']);
  expect(waits.code).toBe(1);
  expect(status.siems.map((one) => one.name)).toEqual([...TRIO]);
  for (const { reason } of status.siems) {
    expect(reason).toMatch(/on \S+, process \d+/);
    expect(reason).toContain('run --take-over');
  }
  expect(trio.standing()).toEqual(everywhere(VALUES));

  const taken = await trio.site.entente(['run', '--once', '--take-over', '--patience-secs', '20']);

  expect(taken, taken.stderr).toMatchObject({ code: 0 });
  expect(trio.standing()).toEqual(everywhere(addresses(4)));
});

it('reconcile --repair, twice at once, beside a daemon whose own audit is due spoils nobody’s listing', async () => {
  const first = await delivering();
  expect((await first.stop()).code).toBe(0);
  const db = new DatabaseSync(trio.site.state);
  db.exec('UPDATE siem SET repaired_at = repaired_at - 7 * 3600000');
  db.close();
  // The first listing takes long enough to meet the others: without turns, this fails.
  trio.elastic.setFaults([{ match: '_search', action: 'slow', ms: 4000, times: 4 }]);
  const daemon = await trio.site.daemon();

  const both = await Promise.all([1, 2].map(() => trio.site.entente(['reconcile', '--repair', '--json'])));

  for (const one of both) {
    expect(one, one.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(one.stdout)).toMatchObject({
      siems: TRIO.map((name) => ({ name, missing: [], stale: [], orphaned: [] })),
    });
  }
  trio.setFaults([]);
  trio.taxii.load(addresses(1, 3).map((one) => indicator(one)));
  await eventually(() => TRIO.every((name) => trio.standing()[name].length === 4), 'work goes on', 15_000);
  const { siems } = await daemon.until((one) => one.siems.every((siem) => siem.state === 'ok'), 15_000);
  expect(siems.map((one) => one.reason)).toEqual([null, null, null]);
  const repaired = new DatabaseSync(trio.site.state, { readOnly: true });
  const due = repaired.prepare('SELECT count(*) AS n FROM siem WHERE repaired_at > ?').get(Date.now() - 3_600_000);
  repaired.close();
  expect(due).toEqual({ n: 3 });
  const { code, stderr } = await daemon.stop();
  expect(code).toBe(0);
  expect(stderr).not.toMatch(/\bbug\b|audit of the SIEM failed/i);
});
