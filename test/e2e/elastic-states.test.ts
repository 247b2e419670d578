// What people do to an index while Entente runs, as the commands show it.
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from './site.ts';
import { addresses, aWorld, INDEX, indicator, revoked, type World } from './world.ts';

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

async function standing() {
  const made = await aWorld();
  world = made;
  made.site.configure(made.settings());
  const admin = (method: string, path: string, body?: object) =>
    fetch(made.elastic.url + path, {
      method,
      headers: { authorization: `ApiKey ${made.elastic.apiKey}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const publish = (from: number, count: number) =>
    made.taxii.load(addresses(count, from).map((value) => indicator(value)));
  const once = () => made.site.entente(['run', '--once', '--patience-secs', '5']);
  return { site: made.site, armed: () => made.armed(), admin, publish, once };
}

describe('an index that somebody closed', () => {
  it('is failing everywhere it is looked for, parks nothing, and is filled once it is open', {
    timeout: 60_000,
  }, async () => {
    const { site, admin, publish, once, armed } = await standing();
    publish(0, 2);
    expect((await once()).code).toBe(0);
    await admin('POST', `/${INDEX}/_close`);
    publish(2, 2);

    const closed = await once();
    const probed = await site.entente(['check', '--probe']);
    const status = await site.ask<{ siems: { state: string; reason: string; parked: number }[] }>(['status']);

    expect([closed.code, probed.code]).toEqual([1, 1]);
    expect(closed.stdout).toContain('wrote 0 changes');
    expect(closed.stderr).toContain('index is closed');
    expect(probed.stdout + probed.stderr).toContain('index is closed');
    expect(status.siems[0]).toMatchObject({ parked: 0, reason: expect.stringContaining('index is closed') });
    await admin('POST', `/${INDEX}/_open`);
    const open = await once();
    expect([open.code, armed()]).toEqual([0, addresses(4)]);
  });
});

describe('a missing pipeline', () => {
  it('parks nothing, and what waits arrives by itself', { timeout: 60_000 }, async () => {
    const { site, admin, publish, once, armed } = await standing();
    publish(0, 1);
    await once();
    await admin('PUT', `/${INDEX}/_settings`, { 'index.default_pipeline': 'enrich' });
    publish(1, 1);

    const without = await once();
    const parked = await site.ask<unknown[]>(['parked', 'list']);
    await admin('PUT', '/_ingest/pipeline/enrich', { processors: [] });
    const after = await once();

    expect([without.code, after.code]).toEqual([1, 0]);
    expect(without.stderr).toContain('pipeline with id [enrich] does not exist');
    expect(JSON.stringify(parked)).not.toContain('198.18');
    expect(armed()).toEqual(addresses(2));
  });
});

describe('a maintenance page that asks to come back tomorrow', () => {
  it('holds up nothing that must go, and nothing else for longer than the cap', { timeout: 60_000 }, async () => {
    world = await aWorld();
    const { elastic, site, taxii } = world;
    const armed = () => world?.armed() ?? [];
    site.configure(world.settings({ exchange: { schedule: '* * * * * *' } }));
    taxii.load(addresses(3).map((value) => indicator(value)));
    const daemon = await site.daemon();
    await daemon.until(({ siems }) => siems[0]?.['delivered'] === 3);
    const page = {
      status: 503,
      headers: { 'retry-after': '86400', 'content-type': 'text/html' },
      body: '<html></html>',
    };
    elastic.setFaults([{ match: '_bulk', times: 1, action: 'status', ...page }]);
    taxii.load([indicator(addresses(1, 3)[0]!)]);
    await daemon.until(({ siems }) => siems[0]?.state === 'recovering');

    taxii.load([revoked(addresses(1)[0]!)]);
    await eventually(() => !armed().includes(addresses(1)[0]!), 'the revoked value is off', 10_000);
    const { code } = await site.entente(['suppress', addresses(1, 1)[0]!, '--hours', '1', '--reason', 'ours']);
    await eventually(() => !armed().includes(addresses(1, 1)[0]!), 'the suppressed value is off', 10_000);

    expect(code).toBe(0);
    // Well again, so that the rest need not wait either.
    await eventually(() => armed().includes(addresses(1, 3)[0]!), 'the new value arrives', 10_000);
    expect((await daemon.stop()).code).toBe(0);
  });
});
