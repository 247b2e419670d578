// Sets that are not as we would make them: in another tenant, or forgetting what is still vouched for; and what a look
// beforehand says of both, of methods that do not come through, and of hits.
import { afterEach, describe, expect, it } from 'vitest';
import { qradar } from '../../src/connectors/siem/qradar/index.ts';
import { intervalDays } from '../../src/connectors/siem/qradar/lifetime.ts';
import { type Clock, systemClock } from '../../src/core/runtime/clock.ts';
import type { SetRow } from '../../src/simulators/qradar/store.ts';
import { anEntry, DAY_MS } from '../builders/entry.ts';
import {
  addresses,
  apply,
  connect,
  held,
  kinds,
  removals,
  signal,
  sim,
  start,
  startConsole,
  stop,
  upserts,
  values,
} from './qradar-rig.ts';

afterEach(stop);

const plant = (name: string, more: Partial<SetRow> = {}) =>
  sim.store.create({
    name,
    type: 'IP',
    namespace: 'SHARED',
    tenantId: null,
    expiry: 'NO_EXPIRY',
    ttlMs: undefined,
    logOption: 'LOG_NONE',
    description: null,
    ...more,
  });
const inTenant = (tenantId: number) => ({ namespace: 'TENANT', tenantId }) as const;

describe('a set of our name in another tenant', () => {
  it.each([
    ['hidden', [], undefined],
    ['seen', null, '(tenant 5)'],
  ])('that is %s is named with what to do, and the other sets are served', async (_, visibleTenants, where) => {
    await startConsole({ settings: { visibleTenants } });
    plant('Entente IPv4', inTenant(5));
    const connector = connect();

    const { containers } = await connector.open(signal);
    const domain = anEntry({ type: 'domain-name', value: 'evil.example' });
    const outcomes = await apply(connector, upserts([...addresses(2), domain]));

    expect(containers.map((one) => one.name)).not.toContain('Entente IPv4');
    expect(values('Domain')).toEqual(['evil.example']);
    const failed = outcomes.flatMap((one) => (one.kind === 'failed' ? [one.failure] : []));
    expect(failed).toHaveLength(2);
    expect(failed[0]).toMatchObject({ kind: 'config', code: 'place_other_tenant' });
    const trouble = connector.trouble!();
    expect(trouble?.message).toContain('set Entente IPv4 stands in another tenant');
    expect(trouble?.message).toContain('set_prefix');
    if (where !== undefined) expect(trouble?.message).toContain(where);
    expect(trouble?.message).not.toContain('anew');
    expect((await held(connector)).map((row) => row.key)).toEqual([domain.key]);
  });

  it('that is seen is told beforehand', async () => {
    await startConsole();
    plant('Entente IPv4', inTenant(5));

    expect((await connect().probe(signal)).message).toContain('but Entente IPv4 stands in another tenant');
  });

  it('that is hidden cannot be told beforehand, which is said', async () => {
    await startConsole({ settings: { visibleTenants: [] } });
    plant('Entente IPv4', inTenant(5));

    const { message } = await connect().probe(signal);

    expect(message).toContain('sets will be created');
    expect(message).toContain('a tenant that this token does not see');
  });

  it('and no tenants are spoken of where all sets are there', async () => {
    const connector = await start();

    expect((await connector.probe(signal)).message).not.toContain('tenant');
  });

  it('is served as soon as it is out of the way', async () => {
    await startConsole({ settings: { visibleTenants: [] } });
    const other = plant('Entente IPv4', inTenant(5));
    const connector = connect();
    await connector.open(signal);
    const batch = upserts(addresses(2));
    expect(new Set(kinds(await apply(connector, batch)))).toEqual(new Set(['failed']));

    sim.store.sets.delete(other.id);

    expect(new Set(kinds(await apply(connector, batch)))).toEqual(new Set(['applied']));
    expect(connector.trouble!()).toBeUndefined();
    expect(kinds(await apply(connector, removals(addresses(1).map((one) => one.key))))).toEqual(['applied']);
  });

  it('does no harm where each tenant has names of its own', async () => {
    await startConsole({ settings: { namesUnique: 'namespace' } });
    plant('Entente IPv4', inTenant(5));
    const connector = connect();
    await connector.open(signal);

    expect(kinds(await apply(connector, upserts(addresses(1))))).toEqual(['applied']);
    expect(sim.store.byName('Entente IPv4', null)?.entries.size).toBe(1);
    expect(sim.store.byName('Entente IPv4', 5)?.entries.size).toBe(0);
  });

  it('that holds the writer mark bars everything', async () => {
    await startConsole({ settings: { visibleTenants: [] } });
    plant('Entente Control', { ...inTenant(5), type: 'ALN' });

    await expect(connect().open(signal)).rejects.toMatchObject({
      kind: 'config',
      message: expect.stringContaining('Entente Control stands in another tenant'),
    });
  });
});

describe('a set whose entries leave', () => {
  it.each([
    ['sooner than they are renewed', 'LAST_SEEN', 7, 'time to live of more than 30 days'],
    ['by the time they were first seen', 'FIRST_SEEN', 7, 'LAST_SEEN'],
    // However late: nothing that is written again makes it later.
    ['by the time they were first seen, late', 'FIRST_SEEN', 400, 'LAST_SEEN'],
  ] as const)('%s is named with what to do, and served', async (_, expiry, days, remedy) => {
    await startConsole();
    plant('Entente IPv4', { expiry, ttlMs: days * DAY_MS });
    const connector = connect();
    expect(await connector.probe(signal)).toMatchObject({
      ok: false,
      message: expect.stringContaining(`set Entente IPv4 forgets entries ${days} days after`),
    });
    await connector.open(signal);

    expect(kinds(await apply(connector, upserts(addresses(1))))).toEqual(['applied']);

    expect(connector.trouble!()).toMatchObject({ kind: 'config', message: expect.stringContaining(remedy) });
    const set = sim.store.byName('Entente IPv4')!;
    [set.expiry, set.ttlMs] = ['LAST_SEEN', 45 * DAY_MS];
    await connector.containers(signal);
    expect(connector.trouble!()).toBeUndefined();
  });

  it('is no trouble where it is ours, however short dead_man_days is: entries are renewed the sooner', async () => {
    const clock: Clock = systemClock;
    const connector = await start({ clock }, { dead_man_days: 3 });

    expect(connector.trouble!()).toBeUndefined();
    expect(await connector.probe(signal)).toMatchObject({ ok: true });
    const config = qradar.config.parse({ type: 'qradar', url: sim.url, auth: { token: sim.token }, dead_man_days: 3 });
    expect(qradar.refreshAfter?.(config)).toBe(1);
    expect(qradar.refreshAfter?.({ ...config, dead_man_days: 90 })).toBe(30);
    expect(qradar.refreshAfter?.({ ...config, dead_man_days: 0 })).toBe(30);
  });

  it('is read in the words of IBM', () => {
    expect(intervalDays('0 years 0 mons 30 days 0 hours 0 mins 0.00 secs')).toBe(30);
    expect(intervalDays('1 years 2 mons 2 days 12 hours 0 mins 0.00 secs')).toBe(427.5);
    expect(intervalDays('5 minutes')).toBeCloseTo(5 / 1440);
    expect(intervalDays('')).toBe(0);
  });
});

describe('a look beforehand', () => {
  it.each(['PATCH', 'DELETE', 'POST'])('says that %s does not come through', async (method) => {
    const connector = await start();
    sim.settings.refusedMethods = [method];

    expect(await connector.probe(signal)).toMatchObject({
      ok: false,
      message: expect.stringContaining(`${method} is refused on the way (405, a web page)`),
    });
    expect(sim.store.tasks.size).toBe(0);
  });

  it('asks for the rights to read hits where they are read', async () => {
    const connector = await start();
    const body = JSON.stringify({ code: 26, message: 'User has insufficient capabilities' });
    sim.setFaults([{ match: '/api/ariel/', action: 'status', status: 403, body }]);

    expect(await connector.probe(signal)).toMatchObject({ ok: true });
    expect(await connector.probe(signal, { hits: true })).toMatchObject({ ok: false, failure: { kind: 'config' } });
    sim.setFaults([]);
    expect(await connector.probe(signal, { hits: true })).toMatchObject({ ok: true });
  });

  it('names properties of events that the console has not', async () => {
    await start();
    const connector = connect({ event_fields: { url: ['URL', 'Request URL'] } });
    sim.plant([{ time: Date.now(), fields: { URL: 'https://fine.example/' } }]);

    expect(await connector.probe(signal, { hits: true })).toMatchObject({
      ok: false,
      message: expect.stringMatching(/event_fields.*has not: Request URL;/),
    });
  });

  it('asks for offenses where their verdicts are read', async () => {
    await start();
    const connector = connect({ false_positive_reasons: [3] });
    sim.setFaults([{ match: '/api/siem/offenses', action: 'status', status: 403, body: JSON.stringify({ code: 26 }) }]);

    expect(await connector.probe(signal, { hits: true })).toMatchObject({ ok: false, failure: { kind: 'config' } });
  });
});
