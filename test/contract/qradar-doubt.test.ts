// Calls of which a part took effect, tasks that land late, and look-ups that find nothing although something is there.
import { afterEach, describe, expect, it } from 'vitest';
import { qradar } from '../../src/connectors/siem/qradar/index.ts';
import type { ConnectorError } from '../../src/core/contracts/failure.ts';
import type { Outcome, SiemConnector } from '../../src/core/contracts/siem-connector.ts';
import type { Entry } from '../../src/core/model/entry.ts';
import { type Clock, systemClock } from '../../src/core/runtime/clock.ts';
import { anEntry } from '../builders/entry.ts';
import { contextFor, encodeBatch } from './batches.ts';
import { INSTANCE, qradarConnector } from './qradar-harness.ts';
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

const PATCH = 'PATCH /api/reference_data_collections/set_entries';
const slotOf = (entry: Entry) => qradar.slot(entry.type, entry.value, qradar.settings(config(), INSTANCE));
const later = (ms: number) => new Promise((go) => setTimeout(go, ms));
const errorOf = async (work: Promise<unknown>) => {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error as ConnectorError;
};
const appliedKeys = (outcomes: readonly Outcome[]) =>
  outcomes.flatMap((one) => (one.kind === 'applied' ? [one.key as string] : [])).toSorted();
const classic = (entries: readonly Entry[]) =>
  encodeBatch(
    qradar,
    entries,
    contextFor(qradar, config(), {
      revision: context().revision,
      facts: { version: '15.0', api: 'classic', cidr: false },
    }),
  ).batch;

describe('a bulk update whose answer was lost', () => {
  it('and whose task takes longer than the read-back is not believed to be absent', async () => {
    const connector = await start();
    const entry = anEntry({ value: '192.0.2.1' });
    sim.settings.nextTasksMs = [700];
    sim.setFaults([{ match: PATCH, action: 'reset-after', times: 1 }]);
    expect(await errorOf(connector.apply(upserts([entry]), signal))).toMatchObject({ uncertain: true });

    const rows = await held(connector, [slotOf(entry)]);
    await later(800);
    await held(connector);

    expect(rows.map((row) => row.slot)).toEqual(values('IPv4').map((value) => `IPv4|${value}`));
  });

  it('at which the console fails each time is fenced by something harmless', async () => {
    const connector = await start();
    const entry = anEntry({ value: '192.0.2.66' });
    sim.setFaults([{ match: PATCH, holds: '192.0.2.66', action: 'status', status: 500, body: '{}' }]);
    expect(await errorOf(connector.apply(upserts([entry]), signal))).toMatchObject({ status: 500, uncertain: true });

    expect(await held(connector, [slotOf(entry)])).toEqual([]);
  });

  it.each([['by-value'], ['ignored']] as const)(
    'and never arrived leaves nothing behind (delete_entry %s)',
    async (deleteInPatch) => {
      const connector = await start({ settings: { deleteInPatch } });
      const entry = anEntry({ value: '192.0.2.1' });
      await apply(connector, upserts([entry]));
      await apply(connector, removals([entry.key]));
      sim.setFaults([{ match: PATCH, action: 'reset-before', times: 1 }]);
      await errorOf(connector.apply(upserts([entry]), signal));

      const rows = await held(connector, [slotOf(entry)]);
      await later(50);
      await held(connector);

      expect(rows.map((row) => row.slot)).toEqual(values('IPv4').map((value) => `IPv4|${value}`));
      await apply(connector, removals([entry.key]));
      expect(values('IPv4')).toEqual([]);
    },
  );

  it('with removals in it does not take away later what was put again meanwhile', async () => {
    const connector = await start();
    const entry = anEntry({ value: '192.0.2.1' });
    await apply(connector, upserts([entry, anEntry({ value: '192.0.2.2' })]));
    await apply(connector, removals([anEntry({ value: '192.0.2.2' }).key]));
    sim.settings.nextTasksMs = [700];
    sim.setFaults([{ match: PATCH, action: 'reset-after', times: 1 }]);
    await errorOf(connector.apply(removals([entry.key]), signal));

    expect(await held(connector, [slotOf(entry)])).toEqual([]);
    await apply(connector, upserts([entry]));
    await later(800);
    await held(connector);

    expect(values('IPv4')).toEqual(['192.0.2.1']);
  });

  it('is waited for by the next process as well', async () => {
    const first = await start();
    const entry = anEntry({ value: '192.0.2.1' });
    sim.settings.nextTasksMs = [700];
    sim.setFaults([{ match: PATCH, action: 'reset-after', times: 1 }]);
    await errorOf(first.apply(upserts([entry]), signal));

    const second = connect();
    await second.open(signal);

    expect(await held(second, [slotOf(entry)])).toHaveLength(1);
  });

  it('and whose task waits for very long is asked for again, and sent behind once', async () => {
    await start();
    let shift = 0;
    const monotonic = () => {
      shift += 15_000;
      return shift;
    };
    const clock: Clock = { ...systemClock, monotonic };
    const connector = qradarConnector({ url: sim.url, token: sim.token, clock });
    await connector.open(signal);
    const entry = anEntry({ value: '192.0.2.1' });
    sim.settings.nextTasksMs = [1500];
    sim.setFaults([{ match: PATCH, action: 'reset-after', times: 1 }]);
    await errorOf(connector.apply(upserts([entry]), signal));
    const before = asked('PATCH');

    for (let i = 0; i < 2; i += 1)
      expect(await errorOf(held(connector, [slotOf(entry)]))).toMatchObject({ kind: 'retryable', code: 'task_waits' });
    await later(1600);

    expect(await held(connector, [slotOf(entry)])).toHaveLength(1);
    expect(asked('PATCH') - before).toBe(1);
    await connector.close();
  });
});

describe('a batch of several calls', () => {
  const body = (code: number) => JSON.stringify({ code, message: 'no' });
  it.each([
    ['401', { status: 401, body: body(18) }, 'config'],
    ['403', { status: 403, body: body(26) }, 'config'],
    ['404', { status: 404, body: body(1002) }, 'retryable'],
    ['404 of a page', { status: 404, body: '<html></html>' }, 'config'],
    ['405', { status: 405, body: '<html></html>' }, 'config'],
  ])('whose tenth call gets %s tells of each change what became of it (classic API)', async (_, fault, kind) => {
    const connector = await start({ apiVersion: '15.0' });
    const entries = addresses(30);
    const headers = { 'content-type': fault.body.startsWith('<') ? 'text/html' : 'application/json' };
    sim.setFaults([{ match: 'POST /api/reference_data/sets/Entente', action: 'status', ...fault, headers, skip: 9 }]);

    const outcomes = await connector.apply(classic(entries), signal);

    expect(outcomes.map((one) => one.key).toSorted()).toEqual(entries.map((one) => one.key).toSorted());
    expect(appliedKeys(outcomes)).toEqual(
      values('IPv4')
        .map((value) => `ipv4-addr|${value}`)
        .toSorted(),
    );
    expect(outcomes.filter((one) => one.kind === 'failed')[0]).toMatchObject({ failure: { kind } });
  });

  it('of removals, the same', async () => {
    const connector = await start({ apiVersion: '15.0' });
    const entries = addresses(30);
    await connector.apply(classic(entries), signal);
    const fault = { action: 'status', status: 403, body: body(26) } as const;
    sim.setFaults([{ match: 'DELETE /api/reference_data/sets/Entente', ...fault, skip: 9 }]);

    const outcomes = await connector.apply(removals(entries.map((one) => one.key)), signal);

    const left = new Set(values('IPv4').map((value) => `ipv4-addr|${value}`));
    expect(left.size).toBeGreaterThan(0);
    expect(appliedKeys(outcomes)).toEqual(
      entries
        .map((one) => one.key)
        .filter((key) => !left.has(key))
        .toSorted(),
    );
    expect(outcomes).toHaveLength(30);
  });

  it('whose page in between may hide an effect is uncertain as a whole', async () => {
    const connector = await start({ apiVersion: '15.0' });
    sim.setFaults([{ match: 'POST /api/reference_data/sets/Entente', action: 'html', skip: 9 }]);

    expect(await errorOf(connector.apply(classic(addresses(30)), signal))).toMatchObject({
      kind: 'config',
      uncertain: true,
    });
  });

  it('that removes singly and then fails keeps what it removed', async () => {
    const connector = await start({ settings: { deleteInPatch: 'refused' } });
    const entries = addresses(20);
    await apply(connector, upserts(entries));
    await apply(connector, removals([entries[0]!.key]));
    const fault = { action: 'status', status: 403, body: body(26) } as const;
    sim.setFaults([{ match: 'DELETE /api', ...fault, skip: 5 }]);

    const outcomes = await connector.apply(removals(entries.slice(1).map((one) => one.key)), signal);

    const left = new Set(values('IPv4').map((value) => `ipv4-addr|${value}`));
    expect(appliedKeys(outcomes)).toEqual(
      entries
        .slice(1)
        .map((one) => one.key)
        .filter((key) => !left.has(key))
        .toSorted(),
    );
    expect(outcomes).toHaveLength(19);
  });
});

describe('a console that decodes queries twice', () => {
  const odd = ['https://q.example/a%2fb', 'https://q.example/a+b', 'https://q.example/100%25'].map((value) =>
    anEntry({ type: 'url', value }),
  );

  it.each([['by-value'], ['by-id'], ['ignored'], ['refused']] as const)(
    'finds and removes values that look encoded (delete_entry %s)',
    async (deleteInPatch) => {
      const connector = await start({ settings: { queryDecoding: 'twice', deleteInPatch } });
      await apply(connector, upserts(odd));

      expect((await held(connector, odd.map(slotOf))).map((row) => row.key).toSorted()).toEqual(
        odd.map((one) => one.key).toSorted(),
      );
      for (const entry of odd) expect(kinds(await apply(connector, removals([entry.key])))).toEqual(['applied']);
      expect(values('URL')).toEqual([]);
    },
  );

  it('is known from one that decodes once, where such values are asked for', async () => {
    const connector = await start();
    await apply(
      connector,
      upserts([...odd, anEntry({ type: 'url', value: 'https://q.example/a b'.replace(' ', '%20') })]),
    );
    for (let i = 0; i < 5; i += 1)
      sim.store.put(sim.store.byName('Entente URL')!, `https://foreign.example/${i}`, { domain: null });
    sim.settings.maxPage = 2;
    const before = asked('GET /reference_data_collections/set_entries');

    expect(await held(connector, [slotOf(odd[0]!)])).toHaveLength(1);

    expect(asked('GET /reference_data_collections/set_entries') - before).toBe(1);
  });
});

describe('a console that changes notes by id only', () => {
  const updated = async (connector: SiemConnector) => {
    const entries = addresses(5);
    await apply(connector, upserts(entries));
    await apply(connector, upserts(addresses(8).slice(5)));
    const outcomes = await apply(connector, upserts(entries));
    const rows = await held(connector);
    return {
      outcomes,
      stale: rows.filter((row) => entries.some((one) => one.key === row.key) && row.revision !== revision),
    };
  };

  it.each([['aligned'], ['failures']] as const)(
    'has no stale notes after an update (responses %s)',
    async (responses) => {
      const connector = await start({ settings: { notesByIdOnly: true, responses } });

      const { outcomes, stale } = await updated(connector);

      expect(new Set(kinds(outcomes))).toEqual(new Set(['applied']));
      expect(stale).toEqual([]);
    },
  );

  it('is no reason to look twice at one that changes them in bulk', async () => {
    const connector = await start();
    await apply(connector, upserts(addresses(5)));
    await apply(connector, upserts(addresses(5)));
    const before = asked('GET /reference_data_collections/set_entries');

    await apply(connector, upserts(addresses(5)));

    // Who else holds these values, and nothing more.
    expect(asked('GET /reference_data_collections/set_entries') - before).toBe(1);
    expect(asked('POST /reference_data_collections/set_entries')).toBe(1);
  });
});
