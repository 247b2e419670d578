import { describe, expect, it, vi } from 'vitest';
import { ConnectorError, configFailure, permanent, retryable } from '../model/failure.ts';
import { silentLog } from '../runtime/log.ts';
import type { RemoteStore } from '../store/remote.ts';
import { anIndicator, DAY, HOUR, indicators, ipv4, MINUTE, NOW, Rig, versionAt } from '../../../test/builders/store.ts';
import { memorySiem, type MemorySiemOptions } from '../../../test/contract/memory-siem.ts';
import { Deliverer } from './deliverer.ts';
import { entryKey } from '../model/observable.ts';
import { judgeWriter } from './writer.ts';

const signal = new AbortController().signal;

/** A store, a SIEM in memory and a deliverer between them. */
function delivering(product: MemorySiemOptions = {}) {
  const rig = new Rig({ product });
  const siem = memorySiem(product);
  const at = { now: NOW };
  const store = new Proxy({} as RemoteStore, {
    get:
      (_target, name) =>
      async (...args: unknown[]) =>
        (rig.store as unknown as Record<string | symbol, (...given: unknown[]) => unknown>)[name]!(...args),
  });
  const start = (boot: string) =>
    new Deliverer({
      name: 'siem',
      definition: siem.definition,
      connector: siem.connect(),
      store,
      clock: { now: () => at.now, monotonic: () => at.now, sleep: async () => {} },
      now: () => at.now,
      log: silentLog,
      random: () => 1,
      boot,
      abort: signal,
    });
  const deliverer = start('boot-1');
  const values = () => [...siem.store.rows.values()].map((row) => row.key.slice(row.key.indexOf('|') + 1)).sort();
  const batches: number[] = [];
  const onApply = (
    work: (batch: { size: number; changes: readonly { key: string; op: string }[] }) => void,
    when: 'before' | 'after' = 'before',
  ) => {
    siem.store.hook = (call, moment, batch) => {
      if (call !== 'apply' || batch === undefined) return;
      if (moment === 'before') batches.push(batch.size);
      if (moment === when) work(batch);
    };
  };
  return { rig, siem: siem.store, at, deliverer, start, values, onApply, batches };
}

const revoked = (i: number) => indicators(i, i + 1, { revoked: true, version: versionAt(NOW) });

describe('a cycle', () => {
  it('writes what is wanted, removes what is not, and says so in the writer mark', async () => {
    const { rig, siem, deliverer, values } = delivering();
    rig.commit(indicators(0, 3));
    await deliverer.cycle(signal);
    rig.commit(revoked(0));

    await deliverer.cycle(signal);

    expect(values()).toEqual(['198.18.0.1', '198.18.0.2']);
    expect(siem.mark?.revision).toBeGreaterThanOrEqual(Math.max(...[...siem.rows.values()].map((row) => row.revision)));
    expect(deliverer.failure).toBeUndefined();
  });

  it('says in the mark what it wrote, also where the SIEM gives receipts first', async () => {
    const { rig, siem, deliverer } = delivering({ versioned: false, receipts: true });
    await deliverer.cycle(signal);
    rig.commit(indicators(0, 3));

    await deliverer.cycle(signal);

    expect(siem.rows.size).toBe(3);
    expect(siem.mark?.revision).toBeGreaterThanOrEqual(Math.max(...[...siem.rows.values()].map((row) => row.revision)));
  });

  it('asks for receipts of earlier batches while it sends later ones', async () => {
    const { rig, siem, deliverer, values } = delivering({ versioned: false, receipts: true, maxItems: 2 });
    rig.commit(indicators(0, 20));
    const calls: string[] = [];
    siem.hook = (call, when) => {
      if (when === 'before' && (call === 'apply' || call === 'settle')) calls.push(call);
    };

    await deliverer.cycle(signal);

    expect(values()).toHaveLength(20);
    expect(calls.filter((call) => call === 'apply')).toHaveLength(10);
    expect(calls.indexOf('settle')).toBeLessThan(calls.lastIndexOf('apply'));
    expect(calls.filter((call) => call === 'settle')).toHaveLength(10);
  });

  it('parks the one change that sinks its batch, and nothing else', async () => {
    const { rig, deliverer, values, onApply, batches } = delivering();
    rig.commit(indicators(0, 8));
    onApply((batch) => {
      if (batch.changes.some((one) => one.key.endsWith('.0.5'))) throw permanent('400');
    });

    await deliverer.cycle(signal);

    expect(values()).toHaveLength(7);
    expect(batches).toEqual([8, 4, 4, 2, 1, 1, 2]);
    expect(rig.read((reader) => reader.parked(10))).toMatchObject([{ value: '198.18.0.5', reason: '400' }]);
    expect(deliverer.failure).toBeUndefined();
  });

  it('takes the limits a SIEM names and keeps to them', async () => {
    const { rig, deliverer, values, onApply, batches } = delivering();
    rig.commit(indicators(0, 8));
    onApply((batch) => {
      if (batch.size > 2) throw new ConnectorError('permanent', '413', { split: { maxItems: 2 } });
    });
    await deliverer.cycle(signal);
    expect(values()).toHaveLength(8);
    batches.length = 0;

    rig.commit(indicators(8, 12));
    await deliverer.cycle(signal);

    expect(batches).toEqual([2, 2]);
  });

  it('gives the bytes of a batch back only when they went in one call', async () => {
    const { rig, deliverer, onApply } = delivering();
    const settled = vi.spyOn(rig.store, 'settleAll');
    rig.commit(indicators(0, 2));
    await deliverer.cycle(signal);
    expect(settled.mock.calls.map(([, , bytes]) => bytes instanceof ArrayBuffer)).toEqual([true]);

    rig.commit(indicators(2, 6));
    onApply((batch) => {
      if (batch.size > 2) throw new ConnectorError('permanent', '413', { split: { maxItems: 2 } });
    });
    await deliverer.cycle(signal);

    expect(settled).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['retryable', retryable('503'), 1_000],
    ['retryable that names a time', retryable('429', { retryAfterMs: 90_000 }), 90_000],
    ['config', configFailure('401'), 60_000],
    ['bug', new TypeError('undefined is not a function'), 600_000],
  ])('pauses the target after a %s failure, keeps the work and goes on by itself', async (_what, error, wait) => {
    const { rig, siem, at, deliverer, values, onApply } = delivering();
    rig.commit(indicators(0, 3));
    onApply(() => {
      throw error;
    });
    await deliverer.cycle(signal);
    expect(deliverer.pausedUntil).toBe(NOW + wait);
    siem.hook = undefined;
    at.now += wait - 1;
    await deliverer.cycle(signal);
    expect(values()).toEqual([]);

    at.now += 600_000;
    await deliverer.cycle(signal);

    expect(values()).toHaveLength(3);
    expect(deliverer.history.failure).toBeUndefined();
  });

  it('fails while a removal is refused, and delivers the rest meanwhile', async () => {
    const { rig, siem, at, deliverer, values, onApply } = delivering();
    rig.commit(indicators(0, 2));
    await deliverer.cycle(signal);
    rig.commit([...revoked(0), ...indicators(5, 6)]);
    onApply((batch) => {
      if (batch.changes.some((one) => one.op === 'remove')) throw permanent('400 may not delete');
    });

    await deliverer.cycle(signal);
    at.now += MINUTE;
    await deliverer.cycle(signal);

    expect(deliverer.history.failure).toMatchObject({ kind: 'config' });
    expect(values()).toEqual(['198.18.0.0', '198.18.0.1', '198.18.0.5']);
    siem.hook = undefined;
    at.now += HOUR;
    await deliverer.cycle(signal);
    expect(values()).toEqual(['198.18.0.1', '198.18.0.5']);
    expect(deliverer.history.failure).toBeUndefined();
  });

  it('reads back what nobody knows before it writes again where no revisions decide', async () => {
    const { rig, siem, at, deliverer, values, onApply } = delivering({ versioned: false });
    rig.commit(indicators(0, 2));
    onApply(() => {
      throw retryable('time-out');
    }, 'after');
    await deliverer.cycle(signal);
    const { writes } = siem;
    siem.hook = undefined;

    at.now += MINUTE;
    await deliverer.cycle(signal);

    expect(values()).toHaveLength(2);
    expect(siem.writes).toBe(writes);
  });

  it('is not held up by a task that the SIEM forgot', async () => {
    const { rig, siem, at, deliverer, values } = delivering({ versioned: false, receipts: true });
    rig.commit(indicators(0, 2));
    await deliverer.cycle(signal);
    siem.receipts.clear();
    rig.commit(indicators(2, 3));

    for (let i = 0; i < 3; i++) {
      at.now += MINUTE;
      await deliverer.cycle(signal);
    }

    expect(values()).toHaveLength(3);
    expect(rig.rows().every((row) => row.state === 0)).toBe(true);
  });

  it('writes everything again after an administrator deleted the container', async () => {
    const { rig, siem, deliverer, values } = delivering();
    rig.commit(indicators(0, 3));
    await deliverer.cycle(signal);
    siem.drop();

    await deliverer.cycle(signal);

    expect(values()).toHaveLength(3);
  });

  it('gives back a batch whose result could not be written', async () => {
    const { rig, at, deliverer, values } = delivering();
    rig.commit(indicators(0, 2));
    const real = rig.store.settleAll.bind(rig.store);
    rig.store.settleAll = () => {
      throw new Error('disk full');
    };
    await deliverer.cycle(signal);
    expect(deliverer.failure?.message).toContain('disk full');
    rig.store.settleAll = real;

    at.now += HOUR;
    await deliverer.cycle(signal);

    expect(values()).toHaveLength(2);
    expect(rig.rows().every((row) => row.state === 0)).toBe(true);
  });
});

describe('who writes here', () => {
  it('is told by the mark: a restart goes on, another fresh writer stops us, an old one is taken over', () => {
    const self = { writer: 'me', boot: 'b2', revision: 10, marked: false };
    const mark = { writer: 'me', boot: 'b1', revision: 9, at: NOW };

    expect(judgeWriter(mark, self, NOW).kind).toBe('mine');
    expect(judgeWriter({ ...mark, revision: 11 }, self, NOW).kind).toBe('adopt');
    expect(judgeWriter(mark, { ...self, marked: true }, NOW).kind).toBe('twin');
    expect(judgeWriter({ ...mark, writer: 'you' }, self, NOW + MINUTE).kind).toBe('twin');
    expect(judgeWriter({ ...mark, writer: 'you' }, self, NOW + 16 * MINUTE).kind).toBe('adopt');
    expect(judgeWriter(undefined, self, NOW).kind).toBe('adopt');
  });

  it('a second daemon of the same name writes nothing', async () => {
    const { rig, siem, deliverer } = delivering();
    siem.mark = { writer: 'other', boot: 'x', revision: 1, at: NOW };
    rig.commit(indicators(0, 1));

    await deliverer.cycle(signal);

    expect(siem.writes).toBe(0);
    expect(deliverer.history.failure).toMatchObject({ kind: 'config' });
  });

  it('a copy of this state that starts elsewhere stops the first', async () => {
    const { rig, siem, at, deliverer, start } = delivering();
    await deliverer.cycle(signal);
    at.now += MINUTE;
    await start('boot-2').cycle(signal);
    rig.commit(indicators(0, 1));

    await deliverer.cycle(signal);

    expect(siem.writes).toBe(0);
    expect(deliverer.history.failure?.message).toContain('a copy of this state');
  });

  it('a lost state takes over what stands there, and removes nothing before the partners were read', async () => {
    const { rig, siem, deliverer, values } = delivering();
    const body = JSON.stringify({ owner: 'entente:test-instance', writer: 'lost', until: NOW + DAY });
    for (const value of ['192.0.2.1', '192.0.2.2']) {
      const key = `ipv4-addr|${value}`;
      siem.rows.set(key, {
        owner: 'entente:test-instance',
        key: key as never,
        slot: key,
        writer: 'lost',
        revision: 77,
        until: NOW + DAY,
        body,
      });
    }
    siem.generation = 1;
    siem.mark = { writer: 'lost', boot: 'x', revision: 77, at: NOW - DAY };
    await deliverer.cycle(signal);
    expect(values()).toHaveLength(2);

    rig.commit([anIndicator({ objectId: 'indicator--1', observables: [ipv4('192.0.2.1')] })]);
    rig.store.pollCompleted('partner', NOW);
    await deliverer.cycle(signal);

    expect(values()).toEqual(['192.0.2.1']);
  });

  it('a restored older state raises its revisions above what stands there', async () => {
    const { rig, siem, at, deliverer, values } = delivering();
    rig.commit(indicators(0, 1));
    siem.tombstones.set('ipv4-addr|198.18.0.0', (NOW + DAY) * 1000);

    await deliverer.cycle(signal);
    at.now += HOUR;
    await deliverer.cycle(signal);

    expect(values()).toEqual(['198.18.0.0']);
    expect(siem.rows.get('ipv4-addr|198.18.0.0')?.revision).toBeGreaterThan((NOW + DAY) * 1000);
  });

  it('lists and takes over when the mark is newer than the state was when it was opened', async () => {
    const { rig, siem, at, start, values } = delivering();
    rig.commit(indicators(0, 2));
    await start('boot-1').cycle(signal);
    const { writer, openedRevision } = rig.store.identity();
    // What a later life of this state wrote before the backup was put back: a mark, and an entry unknown here.
    siem.rows.set('ipv4-addr|198.18.9.9', {
      ...[...siem.rows.values()][0]!,
      key: entryKey('ipv4-addr', '198.18.9.9'),
      slot: 'ipv4-addr|198.18.9.9',
    });
    siem.mark = { writer, boot: 'later', revision: openedRevision + 5, at: at.now };
    rig.commit(indicators(2, 3));

    await start('boot-2').cycle(signal);

    expect(rig.read((reader) => reader.siems()[0])).toMatchObject({ held: 1 });
    expect(values()).toContain('198.18.9.9');
  });
});
