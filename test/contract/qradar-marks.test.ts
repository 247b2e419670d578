// Whose row it is, and what one row or one reading may not do to the others.
import { afterEach, describe, expect, it } from 'vitest';
import { qradar } from '../../src/connectors/siem/qradar/index.ts';
import type { Entry } from '../../src/core/model/entry.ts';
import { anEntry } from '../builders/entry.ts';
import { contextFor, encodeBatch } from './batches.ts';
import { INSTANCE } from './qradar-harness.ts';
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
  stop,
  upserts,
  values,
} from './qradar-rig.ts';

afterEach(stop);

const slotOf = (entry: Entry) => qradar.slot(entry.type, entry.value, qradar.settings(config(), INSTANCE));
const rowsOf = (suffix: string) => [...sim.store.byName(`Entente ${suffix}`)!.entries.values()];
const classic = (entries: readonly Entry[]) =>
  encodeBatch(
    qradar,
    entries,
    contextFor(qradar, config(), {
      revision: context().revision,
      facts: { version: '15.0', api: 'classic', cidr: false },
    }),
  ).batch;
/** As data from outside may be, whatever the types say. */
const spoil = (row: unknown, field: string, value: unknown) => Object.assign(row as object, { [field]: value });

describe('a row whose source somebody wrote over', () => {
  it.each([['analyst'], [null], ['reference data api']])('is ours by its notes (%s)', async (source) => {
    const connector = await start();
    const entry = anEntry({ value: '192.0.2.1' });
    await apply(connector, upserts([entry]));
    spoil(rowsOf('IPv4')[0], 'source', source);

    expect(await held(connector)).toMatchObject([{ key: entry.key, revision }]);
    expect(await held(connector, [slotOf(entry)])).toHaveLength(1);
    expect(await connector.foreign!(signal)).toBe(0);
    expect(kinds(await apply(connector, upserts([entry])))).toEqual(['applied']);
    spoil(rowsOf('IPv4')[0], 'source', source);
    expect(kinds(await apply(connector, removals([entry.key])))).toEqual(['applied']);
    expect(values('IPv4')).toEqual([]);
  });

  it('is theirs where another instance put its own mark', async () => {
    const connector = await start();
    const entry = anEntry({ value: '192.0.2.1' });
    await apply(connector, upserts([entry]));
    spoil(rowsOf('IPv4')[0], 'source', 'entente:other');

    expect(await held(connector)).toEqual([]);
    expect(await connector.foreign!(signal)).toBe(1);
    await apply(connector, removals([entry.key]));
    expect(values('IPv4')).toHaveLength(1);
  });

  it('may have lost it to the console itself, on a change by id', async () => {
    const connector = await start({ settings: { notesByIdOnly: true, sourceByServer: true } });
    const entry = anEntry({ value: '192.0.2.1' });
    await apply(connector, upserts([entry]));
    await apply(connector, upserts([entry]));

    expect(rowsOf('IPv4')[0]?.source).toBe('reference data api');
    expect(await held(connector)).toMatchObject([{ key: entry.key, revision }]);
    await apply(connector, removals([entry.key]));
    expect(values('IPv4')).toEqual([]);
  });
});

describe('after an upgrade of the console', () => {
  it('rows and writer mark of the classic API are found, and removed', async () => {
    const connector = await start({ apiVersion: '15.0' });
    const entries = [anEntry({ value: '192.0.2.1' }), anEntry({ type: 'url', value: 'https://Case.example/A' })];
    await connector.apply(classic(entries), signal);
    const sent = revision;
    const mark = { writer: 'w', boot: 'b', revision: 1, at: 2 };
    await connector.writer(mark, signal);
    sim.setApiVersion('26.0');

    const newer = connect();
    await newer.open(signal);

    expect(await newer.writer(undefined, signal)).toEqual(mark);
    const rows = await held(newer);
    expect(rows.map((row) => row.key).toSorted()).toEqual(entries.map((one) => one.key).toSorted());
    expect(rows.map((row) => [row.revision, row.writer])).toEqual([
      [sent, 'writer-1'],
      [sent, 'writer-1'],
    ]);
    expect(await newer.foreign!(signal)).toBe(0);
    await apply(newer, removals(entries.map((one) => one.key)));
    expect([...values('IPv4'), ...values('URL')]).toEqual([]);
  });
});

describe('a row of an unexpected form', () => {
  it.each([['26.0'], ['15.0']])('spoils no listing, and is left alone (API %s)', async (apiVersion) => {
    const connector = await start({ apiVersion });
    const entries = addresses(4);
    await apply(connector, apiVersion === '15.0' ? classic(entries) : upserts(entries));
    const [first, second] = rowsOf('IPv4');
    spoil(first, 'value', { no: 'text' });
    if (apiVersion === '26.0') spoil(second, 'notes', 17);

    expect((await held(connector)).map((row) => row.key).toSorted()).toEqual(
      entries
        .slice(1)
        .map((one) => one.key)
        .toSorted(),
    );
    const other = anEntry({ value: '192.0.2.9' });
    const batch = apiVersion === '15.0' ? classic([other]) : upserts([other]);
    expect(kinds(await apply(connector, batch))).toEqual(['applied']);
  });
});

describe('rows of analysts', () => {
  it('are not all read for one change', async () => {
    const connector = await start();
    const set = sim.store.byName('Entente URL')!;
    for (let i = 0; i < 8000; i += 1)
      sim.store.put(set, `https://theirs.example/${i}`, { source: 'analyst', domain: null });
    const entry = anEntry({ type: 'url', value: 'https://ours.example/' });
    const theirs = anEntry({ type: 'url', value: 'https://theirs.example/7' });
    await apply(connector, upserts([entry]));
    const before = asked('GET /reference_data_collections/set_entries');

    const outcomes = await apply(connector, upserts([entry, theirs]));

    expect(asked('GET /reference_data_collections/set_entries') - before).toBeLessThan(4);
    expect(outcomes.map((one) => [one.key, one.kind])).toEqual([
      [theirs.key, 'failed'],
      [entry.key, 'applied'],
    ]);
  });

  it('are not read for many changes either, where asking for the values is less', async () => {
    const connector = await start();
    const set = sim.store.byName('Entente IPv4')!;
    for (let i = 0; i < 30_000; i += 1)
      sim.store.put(set, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, { source: 'analyst', domain: null });
    const before = asked('GET /reference_data_collections/set_entries');

    await apply(connector, upserts([...addresses(500), anEntry({ value: '10.0.0.7' })]));

    expect(asked('GET /reference_data_collections/set_entries') - before).toBeLessThan(20);
  });
});

describe('a listing by position', () => {
  it('misses nothing while our own removals run beside it', async () => {
    const connector = await start({ apiVersion: '15.0', settings: { maxPage: 5 } });
    const entries = addresses(60);
    await connector.apply(classic(entries), signal);

    const removing = connector.apply(removals(entries.slice(0, 30).map((one) => one.key)), signal);
    const keys = new Set<string>();
    for await (const page of connector.list({}, signal)) {
      for (const row of page) keys.add(row.key);
      await new Promise((go) => setTimeout(go, 20));
    }
    await removing;

    expect(values('IPv4')).toHaveLength(30);
    expect(entries.slice(30).filter((one) => !keys.has(one.key))).toEqual([]);
  });

  it('misses nothing while an analyst removes rows', async () => {
    const connector = await start({ apiVersion: '15.0', settings: { maxPage: 5 } });
    const entries = addresses(60);
    await connector.apply(classic(entries), signal);
    const keys = new Set<string>();
    let turn = 0;

    for await (const page of connector.list({}, signal)) {
      for (const row of page) keys.add(row.key);
      const first = rowsOf('IPv4')[0];
      if (turn++ < 10 && first !== undefined) sim.store.drop(first);
    }

    expect(entries.slice(30).filter((one) => !keys.has(one.key))).toEqual([]);
  });
});
