// The console around the rows: sets that come and go, versions that are removed, several daemons, domains.
import { afterEach, describe, expect, it } from 'vitest';
import { qradar } from '../../src/connectors/siem/qradar/index.ts';
import { ConnectorError } from '../../src/core/model/failure.ts';
import { type Clock, systemClock } from '../../src/core/runtime/clock.ts';
import { anEntry, DAY_MS } from '../builders/entry.ts';
import { contextFor, encodeBatch } from './batches.ts';
import { INSTANCE, qradarConfig } from './qradar-harness.ts';
import {
  addresses,
  apply,
  asked,
  config,
  connect,
  context,
  held,
  kinds,
  removals,
  revision,
  signal,
  sim,
  start,
  startConsole,
  stop,
  upserts,
} from './qradar-rig.ts';

const ROOT = '/api/reference_data_collections';

afterEach(stop);

describe('sets', () => {
  it('are made with their types, and entries that nobody renews leave after the dead-man days', async () => {
    let shift = 0;
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + shift };
    const connector = await start({ clock, settings: { sweepMs: 0 } }, { dead_man_days: 10 });
    await apply(connector, upserts([anEntry({ value: '192.0.2.1' })]));

    expect([...sim.store.sets.values()].map((set) => [set.name, set.type, set.expiry])).toEqual(
      expect.arrayContaining([
        ['Entente IPv4', 'IP', 'LAST_SEEN'],
        ['Entente IPv4 Networks', 'CIDR', 'LAST_SEEN'],
        ['Entente URL', 'ALNIC', 'LAST_SEEN'],
      ]),
    );
    expect(sim.store.byName('Entente Control')?.ttlMs).toBeUndefined();
    shift = 9 * DAY_MS;
    await apply(connector, upserts([anEntry({ value: '192.0.2.1' })]));
    shift = 15 * DAY_MS;
    expect(await held(connector)).toHaveLength(1);
    shift = 25 * DAY_MS;
    expect(await held(connector)).toHaveLength(0);
  });

  it('never expire with dead_man_days 0, or for a tenant', async () => {
    await start({}, { dead_man_days: 0, tenant_id: 4 });

    const sets = [...sim.store.sets.values()];
    expect(sets.every((set) => set.ttlMs === undefined && set.tenantId === 4)).toBe(true);
    expect(asked('POST /reference_data/sets')).toBe(0);
  });

  it('are not made when provision is never; the missing ones are named', async () => {
    await startConsole();
    const connector = connect({ provision: 'never' });

    await expect(connector.open(signal)).rejects.toThrow(/Entente IPv4 \(IP\).*Entente Control \(ALN\)/);
    expect(await connector.probe(signal)).toMatchObject({ ok: false, failure: { kind: 'config' } });
    expect(sim.store.sets.size).toBe(0);
  });

  it('of another type are not written into', async () => {
    await startConsole();
    sim.store.create({
      name: 'Entente URL',
      type: 'NUM',
      namespace: 'SHARED',
      tenantId: null,
      expiry: 'UNKNOWN',
      ttlMs: undefined,
      logOption: 'LOG_NONE',
      description: null,
    });

    await expect(connect().open(signal)).rejects.toMatchObject({
      kind: 'config',
      message: expect.stringContaining('Entente URL has type NUM'),
    });
  });

  it('that somebody made anew with another type while we run are not written into either', async () => {
    const connector = await start();
    const set = sim.store.byName('Entente Domain')!;
    sim.store.sets.delete(set.id);
    sim.store.create({ ...set, type: 'NUM' });

    await expect(connector.containers(signal)).rejects.toMatchObject({
      kind: 'config',
      message: expect.stringContaining('Entente Domain has type NUM'),
    });
  });

  it('that an administrator empties count as new, so that they are filled again', async () => {
    const connector = await start();
    await apply(connector, upserts([anEntry({ value: '192.0.2.1' })]));
    const identity = async () =>
      (await connector.containers(signal)).find((one) => one.name === 'Entente IPv4')?.identity;
    const before = await identity();

    sim.store.byName('Entente IPv4')?.entries.clear();

    expect(await identity()).not.toBe(before);
  });

  it('that we emptied ourselves stay what they are', async () => {
    const connector = await start();
    const entry = anEntry({ value: '192.0.2.1' });
    await apply(connector, upserts([entry]));
    const before = await connector.containers(signal);

    await apply(connector, removals([entry.key]));

    expect(await connector.containers(signal)).toEqual(before);
  });

  it('that an administrator deletes while a batch is sent hold it up until they are made again', async () => {
    const connector = await start();
    const batch = upserts([anEntry({ value: '192.0.2.1' })]);
    sim.store.sets.delete(sim.store.byName('Entente IPv4')!.id);

    const error = await connector.apply(batch, signal).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'retryable', uncertain: false });
    await connector.open(signal);

    expect(kinds(await apply(connector, batch))).toEqual(['applied']);
  });
});

describe('several daemons', () => {
  it('never touch each other’s entries on one console', async () => {
    const ours = await start();
    const theirs = connect({}, 'other');
    const shared = anEntry({ value: '192.0.2.1' });
    await apply(ours, upserts([shared, anEntry({ value: '192.0.2.2' })]));
    const mark = { writer: 'w', boot: 'b', revision: 1, at: 2 };
    await ours.writer(mark, signal);

    await apply(theirs, upserts([shared, anEntry({ value: '192.0.2.3' })], 'other'));
    await apply(theirs, removals([shared.key]));

    expect((await held(ours)).map((row) => row.slot)).toEqual(['IPv4|192.0.2.1', 'IPv4|192.0.2.2']);
    expect((await held(theirs)).map((row) => row.slot)).toEqual(['IPv4|192.0.2.3']);
    expect(await theirs.writer(undefined, signal)).toBeUndefined();
    expect(await ours.writer(undefined, signal)).toEqual(mark);
  });

  it('read a writer mark that somebody wrote over as none', async () => {
    const connector = await start();
    await connector.writer({ writer: 'w', boot: 'b', revision: 1, at: 2 }, signal);
    for (const row of sim.store.byName('Entente Control')!.entries.values()) row.notes = 'hello';

    expect(await connector.writer(undefined, signal)).toBeUndefined();
  });
});

describe('what IBM leaves open', () => {
  it('a console that changes notes by the id of an entry only: found out by reading back', async () => {
    const connector = await start({ settings: { notesByIdOnly: true } });
    const entry = anEntry({ value: '192.0.2.1' });
    await apply(connector, upserts([entry, anEntry({ value: '192.0.2.2' })]));
    const again = connect();
    const batch = upserts([entry]);

    expect(kinds(await apply(again, batch))).toEqual(['applied']);

    expect((await held(again)).find((row) => row.key === entry.key)).toMatchObject({ revision });
    const marks = ['one', 'two'].map((boot) => ({ writer: 'w', boot, revision: 1, at: 2 }));
    await again.writer(marks[0], signal);
    expect(await again.writer(marks[1], signal)).toEqual(marks[0]);
    expect(await again.writer(undefined, signal)).toEqual(marks[1]);
  });

  it('a console that writes its own name into the writer mark: known by its value', async () => {
    const connector = await start({ settings: { notesByIdOnly: true, sourceByServer: true } });
    const marks = ['one', 'two'].map((boot) => ({ writer: 'w', boot, revision: 1, at: 2 }));
    for (const mark of marks) await connector.writer(mark, signal);

    expect(await connector.writer(undefined, signal)).toEqual(marks[1]);
  });
});

describe('domains', () => {
  it.each([['26.0'], ['15.0']])(
    'entries and mark stand in ours, and those of others do not matter (API %s)',
    async (apiVersion) => {
      const connector = await start({ apiVersion }, { domain_id: 3 });
      const entry = anEntry({ value: '192.0.2.1' });
      const settings = qradar.settings(qradarConfig({ url: sim.url, token: sim.token }, { domain_id: 3 }), INSTANCE);
      sim.store.put(sim.store.byName('Entente IPv4')!, entry.value, { source: 'analyst', domain: null });
      const mark = { writer: 'w', boot: 'b', revision: 1, at: 2 };

      const outcomes = await apply(connector, encodeBatch(qradar, [entry], { ...context(), settings }).batch);
      await connector.writer(mark, signal);

      expect(kinds(outcomes)).toEqual(['applied']);
      expect([...sim.store.byName('Entente IPv4')!.entries.values()].map((row) => row.domain_id)).toEqual([null, 3]);
      expect((await held(connector)).map((row) => row.key)).toEqual([entry.key]);
      expect(await connector.writer(undefined, signal)).toEqual(mark);
      expect(kinds(await apply(connector, removals([entry.key])))).toEqual(['applied']);
      expect([...sim.store.byName('Entente IPv4')!.entries.values()].map((row) => row.domain_id)).toEqual([null]);
    },
  );
});

describe('a domain that is not there', () => {
  it.each([['26.0'], ['15.0']])('is said, and no value is parked for it (API %s)', async (apiVersion) => {
    const connector = await start({ apiVersion }, { domain_id: 3 });
    const settings = qradar.settings(qradarConfig({ url: sim.url, token: sim.token }, { domain_id: 3 }), INSTANCE);
    const written = encodeBatch(qradar, addresses(3), { ...context(), settings }).batch;
    sim.settings.domains = [0];

    await expect(connector.apply(written, signal)).rejects.toMatchObject({
      kind: 'config',
      message: expect.stringContaining('domain_id names a domain that this console does not have'),
    });
    sim.settings.domains = [0, 3];
    expect(new Set(kinds(await apply(connector, written)))).toEqual(new Set(['applied']));
  });
});

describe('the console changes', () => {
  it('versions are negotiated again when the one in use was removed', async () => {
    const connector = await start({ apiVersion: '18.0' });
    await apply(connector, upserts([anEntry({ value: '192.0.2.1' })]));
    sim.setApiVersion('24.0');

    const error = await connector.containers(signal).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConnectorError);
    expect(error).toMatchObject({ kind: 'retryable', message: expect.stringContaining('negotiated again') });

    expect((await connector.open(signal)).facts).toMatchObject({ version: '24.0', cidr: true });
    expect(await held(connector)).toHaveLength(1);
  });

  it('an upgrade from the classic API keeps the sets and renews what stood in them', async () => {
    const connector = await start({ apiVersion: '15.0' });
    const entry = anEntry({ value: '192.0.2.1' });
    const ctx = contextFor(qradar, config(), {
      revision: context().revision,
      facts: { version: '15.0', api: 'classic', cidr: false },
    });
    await apply(connector, encodeBatch(qradar, [entry], ctx).batch);
    const before = sim.store.byName('Entente IPv4')?.id;
    sim.setApiVersion('26.0');
    await connector.containers(signal).catch(() => undefined);

    expect((await connector.open(signal)).facts).toMatchObject({ api: 'collections' });

    expect(sim.store.byName('Entente IPv4')?.id).toBe(before);
    expect(kinds(await apply(connector, upserts([entry])))).toEqual(['applied']);
    expect((await held(connector)).map((row) => row.key)).toEqual([entry.key]);
  });

  it('a token revoked half-way is a matter of configuration, and work goes on with the new one', async () => {
    const connector = await start();
    const batch = upserts([anEntry({ value: '192.0.2.1' })]);
    const good = sim.token;
    sim.setToken('another');

    await expect(connector.apply(batch, signal)).rejects.toMatchObject({
      kind: 'config',
      message: expect.stringContaining('renew the authorized service token'),
    });
    sim.setToken(good);

    expect(kinds(await apply(connector, batch))).toEqual(['applied']);
  });

  it('a token that may only look is told from one that may write', async () => {
    const connector = await start({ settings: { role: 'admin' } });
    sim.settings.role = 'reader';

    expect(await connector.probe(signal)).toMatchObject({
      ok: false,
      failure: { kind: 'config', message: expect.stringContaining('403') },
    });
  });

  it('an HTML page of a proxy is named as such', async () => {
    const connector = await start();
    sim.setFaults([
      {
        action: 'status',
        status: 503,
        body: '<html>busy</html>',
        headers: { 'content-type': 'text/html' },
        match: ROOT,
        times: 1,
      },
    ]);
    await expect(connector.containers(signal)).rejects.toMatchObject({ kind: 'retryable', status: 503 });
    sim.setFaults([{ action: 'html', match: ROOT, times: 1 }]);

    await expect(connector.containers(signal)).rejects.toMatchObject({
      kind: 'config',
      message: expect.stringContaining('web page'),
    });
  });
});
