// Batches as QRadar takes them: tasks that lose rows, removals of uncertain effect, slots that fold case.
import { afterEach, describe, expect, it } from 'vitest';
import { qradar } from '../../src/connectors/siem/qradar/index.ts';
import { anEntry } from '../builders/entry.ts';
import { joinBatches } from './batches.ts';
import { INSTANCE } from './qradar-harness.ts';
import {
  addresses,
  apply,
  asked,
  config,
  connect,
  held,
  kinds,
  removals,
  revision,
  settled,
  signal,
  sim,
  start,
  stop,
  upserts,
  values,
} from './qradar-rig.ts';

afterEach(stop);

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

    // The results told it; nothing is sent once more to be told the same.
    expect(asked('POST /reference_data_collections/set_entries 422')).toBe(0);
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

  it('find rows that were lost with their set, and park none of them', async () => {
    const connector = await start({ settings: { loseRows: 3 } });
    const [first] = await connector.apply(upserts(addresses(10)), signal);
    if (first?.kind !== 'accepted') throw new Error('it was not accepted');
    sim.store.sets.delete(sim.store.byName('Entente IPv4')!.id);

    const outcomes = await settled(connector, first.receipt);

    const failed = outcomes.flatMap((one) => (one.kind === 'failed' ? [one.failure] : []));
    expect(failed).toHaveLength(10);
    expect(new Set(failed.map(({ kind }) => kind))).toEqual(new Set(['retryable']));
    expect(failed[0]!.message).toContain('is gone; it is made anew at the next open');
  });

  it('are read back where the results count fewer than were sent, though they call themselves complete', async () => {
    const connector = await start();
    await apply(connector, upserts(addresses(1)));
    sim.settings.loseRows = 1;
    const [status, created] = ['COMPLETE_UPDATE_PERFORMED', { http_status: 201, unique_code: 0, message: '' }];
    const results = { id: 1, status, total_responses: 3, successful_responses: 2, responses: Array(3).fill(created) };
    sim.setFaults([{ match: '/results', action: 'status', status: 200, body: JSON.stringify(results) }]);

    await apply(connector, upserts(addresses(4).slice(1)));

    expect(values('IPv4')).toHaveLength(4);
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

  it('that went singly are over, whatever becomes of the rest of their batch', async () => {
    const connector = await start({ settings: { deleteInPatch: 'refused' } });
    const [one, two, three] = addresses(3);
    await apply(connector, upserts([one!, two!]));
    await apply(connector, removals([one!.key]));
    sim.setFaults([{ match: 'PATCH', action: 'status', status: 503 }]);

    const outcomes = await connector.apply(joinBatches(upserts([three!]), removals([two!.key])), signal);

    expect(new Map(outcomes.map(({ key, kind }) => [key, kind]))).toEqual(
      new Map([
        [two!.key, 'applied'],
        [three!.key, 'failed'],
      ]),
    );
    expect(values('IPv4')).toEqual([]);
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

  it('are held for the earlier spelling as well where a later one took the slot before it was read back', async () => {
    const connector = await start();
    const sent = ['https://case.example/MiXeD', 'https://case.example/mixed'].map((value) =>
      anEntry({ type: 'url', value }),
    );
    const receipts: string[] = [];
    for (const entry of sent)
      for (const outcome of await connector.apply(upserts([entry]), signal))
        if (outcome.kind === 'accepted') receipts.push(outcome.receipt);
    // Once the later one is over, the slot shows it.
    await settled(connector, receipts[1]!);
    // Results that say nothing have the rows read back.
    sim.setFaults([
      { match: '/results', action: 'status', status: 200, body: '{"status":"PARTIAL_UPDATE_PERFORMED"}' },
    ]);

    expect(await settled(connector, receipts[0]!)).toEqual([{ key: sent[0]!.key, kind: 'applied' }]);
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
