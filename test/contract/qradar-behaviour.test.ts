// What only QRadar asks of its connector: tasks, removals of uncertain effect, slots that fold case, versions that go.
import { afterEach, describe, expect, it } from 'vitest';
import { qradar } from '../../src/connectors/siem/qradar/index.ts';
import type { Batch } from '../../src/core/contracts/batch.ts';
import type { Outcome, OwnedEntry, SiemConnector } from '../../src/core/contracts/siem-connector.ts';
import type { Entry } from '../../src/core/model/entry.ts';
import { ConnectorError } from '../../src/core/model/failure.ts';
import type { EntryKey } from '../../src/core/model/observable.ts';
import { type Clock, systemClock } from '../../src/core/runtime/clock.ts';
import { type QRadarOptions, type RunningQRadar, startQradar } from '../../src/simulators/qradar/index.ts';
import { anEntry, DAY_MS } from '../builders/entry.ts';
import { contextFor, encodeBatch, joinBatches, removalBatch } from './batches.ts';
import { INSTANCE, qradarConfig, qradarConnector } from './qradar-harness.ts';

const ROOT = '/api/reference_data_collections';
const signal = new AbortController().signal;

let sim: RunningQRadar;
let revision = 1_795_000_000_000_000;
const open: SiemConnector[] = [];

afterEach(async () => {
  for (const connector of open.splice(0)) await connector.close();
  await sim.close();
});

async function start(options: QRadarOptions = {}, more: Record<string, unknown> = {}): Promise<SiemConnector> {
  sim = await startQradar(options);
  const connector = connect(more);
  await connector.open(signal);
  return connector;
}

function connect(more: Record<string, unknown> = {}, instance = INSTANCE): SiemConnector {
  const connector = qradarConnector({ url: sim.url, token: sim.token, instance }, more);
  open.push(connector);
  return connector;
}

const config = () => qradarConfig({ url: sim.url, token: sim.token });
const facts = { version: '26.0', api: 'collections', cidr: true };

function context(instance = INSTANCE) {
  revision += 1;
  return contextFor(qradar, config(), { revision, facts, instance });
}

const upserts = (entries: readonly Entry[], instance = INSTANCE): Batch =>
  encodeBatch(qradar, entries, context(instance)).batch;
const removals = (keys: readonly EntryKey[]): Batch => removalBatch(qradar, keys, context());

async function settled(connector: SiemConnector, receipt: string): Promise<readonly Outcome[]> {
  for (let turn = 0; turn < 200; turn += 1) {
    const outcomes = await connector.settle!(receipt, signal);
    if (outcomes !== 'pending') return outcomes;
    await new Promise((go) => setTimeout(go, 10));
  }
  throw new Error('never settled');
}

async function apply(connector: SiemConnector, batch: Batch): Promise<readonly Outcome[]> {
  const done: Outcome[] = [];
  const receipts = new Set<string>();
  for (const outcome of await connector.apply(batch, signal)) {
    if (outcome.kind === 'accepted') receipts.add(outcome.receipt);
    else done.push(outcome);
  }
  for (const receipt of receipts) done.push(...(await settled(connector, receipt)));
  return done;
}

async function held(connector: SiemConnector, slots?: readonly string[]): Promise<OwnedEntry[]> {
  const rows: OwnedEntry[] = [];
  for await (const page of connector.list(slots === undefined ? {} : { slots }, signal)) rows.push(...page);
  return rows;
}

const kinds = (outcomes: readonly Outcome[]) => outcomes.map((one) => one.kind);
const asked = (route: string) =>
  [...sim.requests].filter(([name]) => name.startsWith(route)).reduce((sum, [, n]) => sum + n, 0);
const addresses = (n: number) =>
  Array.from({ length: n }, (_, i) => anEntry({ value: `198.51.${100 + Math.floor(i / 250)}.${i % 250}` }));
const values = (suffix: string) =>
  [...(sim.store.byName(`Entente ${suffix}`)?.entries.values() ?? [])].map((row) => row.value);

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
    sim = await startQradar();
    const connector = connect({ provision: 'never' });

    await expect(connector.open(signal)).rejects.toThrow(/Entente IPv4 \(IP\).*Entente Control \(ALN\)/);
    expect(await connector.probe(signal)).toMatchObject({ ok: false, failure: { kind: 'config' } });
    expect(sim.store.sets.size).toBe(0);
  });

  it('of another type are not written into', async () => {
    sim = await startQradar();
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

describe('bulk updates', () => {
  it('park the row that QRadar refuses, with its own reason, and deliver the others', async () => {
    const connector = await start({ settings: { maxValueLength: 2000 } });
    const long = anEntry({ type: 'url', value: `https://long.example/${'a'.repeat(8000)}` });
    const good = [
      anEntry({ value: '192.0.2.1' }),
      anEntry({ type: 'domain-name', value: 'xn--bcher-kva.example' }),
      anEntry({ type: 'url', value: 'https://q.example/"\\x\'' }),
    ];

    const outcomes = await apply(connector, upserts([long, ...good]));

    const byKey = new Map(outcomes.map((one) => [one.key, one]));
    expect(byKey.get(long.key)).toMatchObject({
      kind: 'failed',
      failure: { kind: 'permanent', message: expect.stringMatching(/20007.*too long/) },
    });
    for (const entry of good) expect(byKey.get(entry.key)?.kind).toBe('applied');
  });

  it.each([
    ['results that tell of failed rows only', { responses: 'failures' }],
    ['an update that was aborted as a whole', { onBadRow: 'abort' }],
    ['a task that ended with an exception', { taskEnds: 'EXCEPTION' }],
    ['a task that was interrupted', { taskEnds: 'INTERRUPTED' }],
  ] as const)('find out row by row after %s', async (_, settings) => {
    const connector = await start({ settings: { ...settings, maxValueLength: 100 } });
    const good = addresses(20);
    const bad = anEntry({ type: 'url', value: `https://long.example/${'a'.repeat(200)}` });

    const outcomes = await apply(connector, upserts([...good.slice(0, 10), bad, ...good.slice(10)]));

    expect(outcomes.filter((one) => one.kind === 'failed')).toMatchObject([
      { key: bad.key, failure: { kind: 'permanent' } },
    ]);
    expect((await held(connector)).map((row) => row.key).toSorted()).toEqual(good.map((entry) => entry.key).toSorted());
    expect(outcomes).toHaveLength(21);
  });

  it('find rows that were lost without a word', async () => {
    const connector = await start({ settings: { loseRows: 3 } });

    const outcomes = await apply(connector, upserts(addresses(10)));

    expect(new Set(kinds(outcomes))).toEqual(new Set(['applied']));
    expect(values('IPv4')).toHaveLength(10);
  });

  it('that broke off with more rows than may go singly are sent again, not parked', async () => {
    const connector = await start({ settings: { taskEnds: 'EXCEPTION' } });

    const outcomes = await apply(connector, upserts(addresses(300)));

    const again = outcomes.filter((one) => one.kind === 'failed');
    expect(again).toHaveLength(50);
    expect(again[0]).toMatchObject({ failure: { kind: 'retryable' } });
  });

  it('stay pending while the task runs', async () => {
    const connector = await start({ settings: { taskMs: 150 } });
    const outcomes = await connector.apply(upserts([anEntry({ value: '192.0.2.1' })]), signal);
    const receipt = outcomes[0]?.kind === 'accepted' ? outcomes[0].receipt : '';

    expect(await connector.settle!(receipt, signal)).toBe('pending');
    expect(kinds(await settled(connector, receipt))).toEqual(['applied']);
  });

  it('leave a receipt that outlives the process: the task ends, then the rows are read back', async () => {
    const first = await start({ settings: { taskMs: 150 } });
    const entry = anEntry({ value: '192.0.2.1' });
    const [outcome] = await first.apply(upserts([entry]), signal);
    const receipt = outcome?.kind === 'accepted' ? outcome.receipt : '';
    expect(receipt.length).toBeLessThan(40);

    const second = connect();
    expect(await second.settle!(receipt, signal)).toBe('pending');
    expect(await settled(second, receipt)).toEqual([]);

    expect(
      await held(second, [qradar.slot(entry.type, entry.value, qradar.settings(config(), INSTANCE))]),
    ).toMatchObject([{ key: entry.key, revision }]);
  });

  it('settle by reading back when the console forgot the task', async () => {
    const connector = await start();
    const [outcome] = await connector.apply(upserts([anEntry({ value: '192.0.2.1' })]), signal);
    await new Promise((go) => setTimeout(go, 30));
    await held(connector);
    sim.store.tasks.clear();

    expect(kinds(await settled(connector, outcome?.kind === 'accepted' ? outcome.receipt : ''))).toEqual(['applied']);
  });

  it('are split when the limit of the console was lowered', async () => {
    const connector = await start();
    await apply(connector, upserts(addresses(5)));
    sim.settings.maxBodyBytes = 500;
    const batch = upserts(addresses(8));

    const error = await connector.apply(batch, signal).catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ kind: 'permanent', split: { maxItems: 4 } });
    sim.settings.maxBodyBytes = 1_000_000;
    sim.settings.maxRows = 4;
    await expect(connector.apply(batch, signal)).rejects.toMatchObject({ kind: 'permanent' });
    expect(kinds(await apply(connector, batch.slice(0, 4)))).toEqual(Array(4).fill('applied'));
  });

  it('that are too long with removals inside are not taken for a console that refuses removals', async () => {
    const connector = await start();
    const entries = addresses(8);
    await apply(connector, upserts(entries));
    sim.settings.maxRows = 4;

    await expect(connector.apply(removals(entries.map((entry) => entry.key)), signal)).rejects.toMatchObject({
      kind: 'permanent',
    });
    await apply(connector, removals(entries.slice(0, 4).map((entry) => entry.key)));
    await apply(connector, removals(entries.slice(4).map((entry) => entry.key)));

    expect(values('IPv4')).toEqual([]);
    expect(asked('DELETE')).toBe(0);
  });
});

describe('removals', () => {
  it.each([
    ['by-value', 0],
    ['by-id', 8],
    ['ignored', 24],
    ['refused', 24],
  ] as const)('work on a console that takes delete_entry %s', async (deleteInPatch, singles) => {
    const connector = await start({ settings: { deleteInPatch } });
    const entries = addresses(24);
    await apply(connector, upserts(entries));

    for (const from of [0, 8, 16])
      expect(
        new Set(kinds(await apply(connector, removals(entries.slice(from, from + 8).map((entry) => entry.key))))),
      ).toEqual(new Set(['applied']));

    expect(values('IPv4')).toEqual([]);
    expect(asked('DELETE')).toBe(singles);
  });

  it('of absent values never become additions, whatever the console makes of delete_entry', async () => {
    const connector = await start({ settings: { deleteInPatch: 'ignored' } });

    await apply(connector, removals(addresses(3).map((entry) => entry.key)));

    expect(values('IPv4')).toEqual([]);
  });

  it("spare an analyst's entry, and say who holds a value that we may not take over", async () => {
    const connector = await start();
    const entry = anEntry({ value: '192.0.2.1' });
    sim.store.put(sim.store.byName('Entente IPv4')!, entry.value, { source: 'analyst', notes: 'mine', domain: null });

    const [put] = await apply(connector, upserts([entry]));
    const [gone] = await apply(connector, removals([entry.key]));

    expect(put).toMatchObject({
      kind: 'failed',
      failure: { kind: 'permanent', message: expect.stringContaining('"analyst"') },
    });
    expect(gone).toMatchObject({ kind: 'applied' });
    expect(await connector.foreign!(signal)).toBe(1);
    expect(values('IPv4')).toEqual([entry.value]);
  });
});

describe('folded values', () => {
  it('are one row for two URLs, listed under the one that was written last', async () => {
    const connector = await start();
    const upper = anEntry({ type: 'url', value: 'https://case.example/MiXeD' });
    const lower = anEntry({ type: 'url', value: 'https://case.example/mixed' });

    expect(kinds(await apply(connector, upserts([upper, lower])))).toEqual(['applied', 'applied']);

    expect(values('URL')).toEqual(['https://case.example/mixed']);
    expect((await held(connector)).map((row) => row.key)).toEqual([lower.key]);
    await apply(connector, upserts([upper]));
    expect((await held(connector)).map((row) => row.key)).toEqual([upper.key]);
  });

  it('find by slot what no filter can quote', async () => {
    const connector = await start();
    const odd = anEntry({ type: 'url', value: 'https://q.example/"\\' });
    const other = anEntry({ type: 'url', value: 'https://q.example/plain' });
    await apply(connector, upserts([odd, other]));

    const rows = await held(connector, [qradar.slot('url', odd.value, qradar.settings(config(), INSTANCE))]);

    expect(rows.map((row) => row.key)).toEqual([odd.key]);
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
      revision: ++revision,
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

describe('mixed batches', () => {
  it('change several sets and remove in one request', async () => {
    const connector = await start();
    const old = addresses(3);
    await apply(connector, upserts(old));
    await apply(connector, removals([old[0]!.key]));
    const before = asked('PATCH');

    const batch = joinBatches(
      upserts([
        anEntry({ type: 'domain-name', value: 'a.example' }),
        anEntry({ type: 'ipv6-addr', value: '2001:db8::1' }),
      ]),
      removals([old[1]!.key]),
    );
    expect(new Set(kinds(await apply(connector, batch)))).toEqual(new Set(['applied']));

    expect(asked('PATCH') - before).toBe(1);
    expect([values('Domain'), values('IPv6'), values('IPv4')]).toEqual([
      ['a.example'],
      ['2001:db8:0:0:0:0:0:1'],
      [old[2]!.value],
    ]);
  });
});
