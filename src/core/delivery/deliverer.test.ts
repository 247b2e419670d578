import { describe, expect, it, vi } from 'vitest';
import { anIndicator, DAY, HOUR, indicators, ipv4, MINUTE, NOW, versionAt } from '../../../test/builders/store.ts';
import { delivering, revoked, signal } from '../../../test/builders/delivering.ts';
import type { MemorySiemOptions } from '../../../test/contract/memory-siem.ts';
import { ConnectorError, configFailure, permanent, retryable } from '../model/failure.ts';
import { entryKey } from '../model/observable.ts';
import { STATE } from '../store/rows/rows.ts';
import { judgeWriter } from './writer.ts';

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

  it('says in the mark what it may write before it writes, so that an older state put back knows its age', async () => {
    const { rig, siem, deliverer, onApply } = delivering();
    rig.commit(indicators(0, 1));
    await deliverer.cycle(signal);
    rig.commit(indicators(1, 3));
    let marked = 0;
    onApply((batch) => {
      marked = siem.mark!.revision - Math.max(...batch.changes.map((one) => one.revision));
      throw retryable('answer lost');
    }, 'after');

    await deliverer.cycle(signal);

    expect([siem.rows.size, marked >= 0]).toEqual([3, true]);
  });

  it('writes nothing where the mark cannot be written', async () => {
    const { rig, siem, deliverer, values } = delivering();
    rig.commit(indicators(0, 1));
    await deliverer.cycle(signal);
    rig.commit(indicators(1, 3));
    let calls = 0;
    siem.hook = (call) => {
      // The look at the mark passes; the mark that names the new revisions does not.
      if (call === 'writer' && ++calls > 2) throw retryable('503');
    };

    await deliverer.cycle(signal);
    siem.hook = undefined;
    expect([values(), deliverer.failure?.message]).toEqual([['198.18.0.0'], '503']);

    deliverer.wake();
    await deliverer.cycle(signal);
    expect(values()).toHaveLength(3);
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

  it('tries a refused removal again soon, and then ever later', async () => {
    const { rig, at, deliverer, onApply, batches } = delivering();
    rig.commit(indicators(0, 2));
    await deliverer.cycle(signal);
    rig.commit(revoked(0));
    onApply(() => {
      throw permanent('refused by something in between (403, a web page)', { code: 'between_403' });
    });
    const tried: number[] = [];

    for (let second = 0; second < 70; second++) {
      batches.length = 0;
      await deliverer.cycle(signal);
      if (batches.length > 0) tried.push(second);
      at.now += 1_000;
    }

    expect(tried).toEqual([0, 1, 3, 7, 15, 31, 63]);
  });

  it.each(['writer', 'open', 'containers'] as const)(
    'goes on in a moment after a call without values was refused for good (%s)',
    async (refused) => {
      const { rig, siem, at, deliverer, values } = delivering();
      if (refused !== 'open') await deliverer.cycle(signal);
      rig.commit(indicators(0, 3));
      let left = 2;
      siem.hook = (call, when) => {
        if (call === refused && when === 'before' && left-- > 0) throw permanent('413', { code: 'http_413' });
      };

      await deliverer.cycle(signal);
      expect(deliverer.history.failure).toMatchObject({ kind: 'config', code: 'http_413' });
      for (let i = 0; i < 4; i++) {
        at.now += 1_000;
        await deliverer.cycle(signal);
      }

      expect(values()).toHaveLength(3);
      expect(deliverer.history.failure).toBeUndefined();
    },
  );

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

  it.each(['renewed', 'given back'])('a mark of the life before that lands late (%s) stops nobody', async (which) => {
    const { rig, siem, at, start, values } = delivering();
    rig.commit(indicators(0, 1));
    await start('boot-1').cycle(signal);
    const late = { ...siem.mark!, ...(which === 'renewed' ? {} : { at: 0 }) };
    at.now += 2_000;
    rig.restart();
    const second = start('boot-2');
    await second.cycle(signal);
    siem.mark = late;
    rig.commit(indicators(1, 2));
    at.now += 2_000;

    await second.cycle(signal);

    expect(second.history.failure).toBeUndefined();
    expect(values()).toHaveLength(2);
    expect(siem.mark.boot).toBe('boot-2');
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

  it('lists and takes over when the mark is newer than the one that the state wrote', async () => {
    const { rig, siem, at, start, values } = delivering();
    rig.commit(indicators(0, 2));
    await start('boot-1').cycle(signal);
    const { writer } = rig.store.identity();
    // What a later life of this state wrote before the backup was put back: a mark, and an entry unknown here.
    siem.rows.set('ipv4-addr|198.18.9.9', {
      ...[...siem.rows.values()][0]!,
      key: entryKey('ipv4-addr', '198.18.9.9'),
      slot: 'ipv4-addr|198.18.9.9',
    });
    siem.mark = { writer, boot: 'later', revision: siem.mark!.revision + 5, at: at.now };
    rig.commit(indicators(2, 3));

    await start('boot-2').cycle(signal);

    expect(rig.row('198.18.9.9')).toMatchObject({ state: STATE.held });
    expect(values()).toContain('198.18.9.9');
  });
});

describe('a call that was given up and lands late', () => {
  const UNVERSIONED: MemorySiemOptions[] = [
    { versioned: false },
    { versioned: false, receipts: true },
    { versioned: false, foldsSlots: true },
  ];

  it.each(UNVERSIONED)('leaves no revoked value armed (%j)', async (product) => {
    const { rig, siem, at, deliverer, values } = delivering(product);
    await deliverer.cycle(signal);
    rig.commit(indicators(0, 2));
    siem.losing = 1;
    await deliverer.cycle(signal);
    rig.commit(revoked(0));
    at.now += 2_000;
    await deliverer.cycle(signal);
    expect(values()).not.toContain('198.18.0.0');

    at.now += 9_000;
    siem.land();
    expect(values()).toContain('198.18.0.0');
    at.now += 30_000;
    await deliverer.cycle(signal);

    expect(values()).toEqual(['198.18.0.1']);
    rig.tick(at.now);
    expect(rig.row('198.18.0.0')).toBeUndefined();
  });

  it.each([
    [9, 11],
    [15, 21],
    [25, 31],
  ])('is found soon after it landed, long before it can land no more (%i s, %i s)', async (lands, found) => {
    const { rig, siem, at, deliverer, values } = delivering({ versioned: false });
    await deliverer.cycle(signal);
    rig.commit(indicators(0, 2));
    siem.losing = 1;
    await deliverer.cycle(signal);
    rig.commit(revoked(0));
    for (let second = 1; second <= found; second++) {
      at.now += 1_000;
      if (second === lands) {
        siem.land();
        expect(values()).toContain('198.18.0.0');
      }
      await deliverer.cycle(signal);
    }

    expect(values()).toEqual(['198.18.0.1']);
    expect(rig.read((reader) => reader.siems())).toMatchObject([{ pending: 0 }]);
  });

  it.each(UNVERSIONED)('leaves no marking too open (%j)', async (product) => {
    const { rig, siem, at, deliverer } = delivering(product);
    await deliverer.cycle(signal);
    rig.commit([anIndicator({ objectId: 'indicator--1' })]);
    siem.losing = 1;
    await deliverer.cycle(signal);
    rig.commit([anIndicator({ objectId: 'indicator--1', version: versionAt(NOW), tlp: 'amber' })]);
    at.now += 2_000;
    await deliverer.cycle(signal);
    const body = () => [...siem.rows.values()][0]?.body;
    expect(body()).toContain('amber');

    siem.land();
    expect(body()).toContain('green');
    at.now += 30_000;
    await deliverer.cycle(signal);

    expect(body()).toContain('amber');
  });

  it('is looked at after a kill -9 too, and a removal that lands late takes nothing away for good', async () => {
    const { rig, siem, at, deliverer, start, values } = delivering({ versioned: false });
    rig.commit(indicators(0, 2));
    await deliverer.cycle(signal);
    rig.commit(revoked(0));
    expect(rig.take()?.changes.map((one) => one.op)).toEqual(['remove']);
    siem.lose(() => siem.rows.delete('ipv4-addr|198.18.0.0'));
    rig.restart();

    rig.commit([anIndicator({ objectId: 'indicator--again', observables: [ipv4('198.18.0.0')] })]);
    const second = start('boot-2');
    at.now += 2_000;
    await second.cycle(signal);
    expect(values()).toEqual(['198.18.0.0', '198.18.0.1']);
    siem.land();
    expect(values()).toEqual(['198.18.0.1']);
    at.now += 30_000;
    await second.cycle(signal);

    expect(values()).toEqual(['198.18.0.0', '198.18.0.1']);
  });

  it('is seen by the next audit where it took longer than a call can live', async () => {
    const { rig, siem, at, deliverer, values } = delivering({ versioned: false });
    await deliverer.cycle(signal);
    rig.commit(indicators(0, 2));
    siem.losing = 1;
    await deliverer.cycle(signal);
    rig.commit(revoked(0));
    for (const wait of [2_000, 40_000]) {
      at.now += wait;
      await deliverer.cycle(signal);
    }
    siem.land();
    rig.store.pollCompleted('partner', at.now);

    at.now += 6 * HOUR;
    await deliverer.cycle(signal);
    rig.store.pollCompleted('partner', at.now);
    await deliverer.cycle(signal);

    expect(values()).toEqual(['198.18.0.1']);
  });
});

describe('the audit', () => {
  it('is due by the stored time of the last one, however often the daemon starts', async () => {
    const { rig, siem, at, start, values } = delivering();
    rig.commit(indicators(0, 2));
    await start('boot-0').cycle(signal);
    siem.rows.delete('ipv4-addr|198.18.0.0');

    for (let hours = 1; hours <= 5; hours++) {
      at.now += HOUR;
      rig.restart();
      await start(`boot-${hours}`).cycle(signal);
    }
    expect(values()).toEqual(['198.18.0.1']);
    at.now += HOUR;
    rig.restart();
    const last = start('boot-6');
    await last.cycle(signal);
    await last.cycle(signal);

    expect(values()).toEqual(['198.18.0.0', '198.18.0.1']);
  });

  it('is not put off by one that only looked', async () => {
    const { rig, siem, at, deliverer, values } = delivering();
    rig.commit(indicators(0, 2));
    await deliverer.cycle(signal);
    siem.rows.delete('ipv4-addr|198.18.0.0');
    at.now += 5 * HOUR;
    await deliverer.audit(signal, false);

    at.now += 2 * HOUR;
    await deliverer.cycle(signal);
    await deliverer.cycle(signal);

    expect(values()).toHaveLength(2);
  });

  it('never runs beside another, a cycle or an adoption', async () => {
    const { rig, siem, at, deliverer } = delivering();
    rig.commit(indicators(0, 50));
    await deliverer.cycle(signal);
    let listing = 0;
    let most = 0;
    siem.hook = async (call, when) => {
      if (call !== 'list') return;
      listing += when === 'before' ? 1 : -1;
      most = Math.max(most, listing);
      await new Promise((go) => setImmediate(go));
    };
    siem.mark = undefined;
    at.now += 7 * HOUR;

    const reports = await Promise.all([
      deliverer.audit(signal, true),
      deliverer.cycle(signal),
      deliverer.audit(signal, false),
      deliverer.cycle(signal),
    ]);

    expect(most).toBe(1);
    expect(reports[0]).toMatchObject({ present: 50, counts: { missing: 0, stale: 0, orphaned: 0 } });
    expect(deliverer.failure).toBeUndefined();
  });
});

describe('what must go', () => {
  it.each([{}, { versioned: false }])(
    'is tried at once, whatever the SIEM asked others to wait (%j)',
    async (product) => {
      const { rig, siem, at, deliverer, values, onApply } = delivering(product);
      rig.commit(indicators(0, 3));
      await deliverer.cycle(signal);
      rig.commit(indicators(0, 2, { version: versionAt(NOW), tlp: 'amber' }));
      onApply(() => {
        throw retryable('503', { retryAfterMs: 86_400_000 });
      });
      await deliverer.cycle(signal);
      expect(deliverer.pausedUntil).toBe(NOW + 15 * MINUTE);
      expect(
        rig
          .rows()
          .map((row) => row.next_at ?? 0)
          .every((next) => next <= NOW + 15 * MINUTE),
      ).toBe(true);
      siem.hook = undefined;

      at.now += 1_000;
      rig.commit(revoked(0));
      rig.store.suppress([ipv4('198.18.0.2')], NOW + DAY, 'ours', 'test', at.now);
      await deliverer.cycle(signal);

      expect(values()).toEqual(['198.18.0.1']);
      expect(deliverer.failure).toBeUndefined();
      await deliverer.cycle(signal);
      expect([...siem.rows.values()].map((row) => row.body.includes('amber'))).toEqual([true]);
    },
  );

  it('is tried once, and then waits like the rest', async () => {
    const { rig, at, deliverer, onApply, batches } = delivering();
    rig.commit(indicators(0, 2));
    await deliverer.cycle(signal);
    onApply(() => {
      throw retryable('503', { retryAfterMs: 600_000 });
    });
    rig.commit(indicators(2, 3));
    await deliverer.cycle(signal);
    rig.commit(revoked(0));
    batches.length = 0;

    for (let i = 0; i < 5; i++) {
      at.now += 1_000;
      await deliverer.cycle(signal);
    }

    expect(batches).toHaveLength(1);
  });

  it('waits no longer than a day for a time that an earlier version wrote', async () => {
    const { rig, at, start, values } = delivering();
    rig.commit(indicators(0, 1));
    const taken = rig.take()!;
    rig.store.settle(taken.id, [{ kind: 'retry', retryAt: NOW + 300 * DAY }], NOW);
    rig.restart();

    at.now += 1_000;
    await start('boot-2').cycle(signal);

    expect(values()).toHaveLength(1);
  });
});

describe('a SIEM that refuses everything', () => {
  const closed = { kind: 'permanent', message: 'index closed', code: 'index_closed_exception' } as const;

  it('is failing with nothing parked, and goes on by itself once it is mended', async () => {
    const { rig, siem, at, deliverer, values } = delivering();
    rig.commit(indicators(0, 2));
    await deliverer.cycle(signal);
    siem.refuse = () => closed;
    rig.commit(indicators(2, 5));

    await deliverer.cycle(signal);

    expect(deliverer.history.failure).toMatchObject({ kind: 'config', code: 'index_closed_exception' });
    expect(deliverer.history.failure?.message).toContain('refuses every change: index closed');
    expect(rig.read((reader) => reader.parked(10))).toEqual([]);
    expect(deliverer.totals.parked).toBe(0);
    siem.refuse = undefined;
    at.now += MINUTE;
    await deliverer.cycle(signal);
    expect(values()).toHaveLength(5);
    expect(deliverer.history.failure).toBeUndefined();
  });

  it('gives back what was parked alone for the same cause', async () => {
    const { rig, siem, at, deliverer, values } = delivering();
    siem.refuse = () => closed;
    rig.commit(indicators(0, 1));
    await deliverer.cycle(signal);
    expect(rig.read((reader) => reader.parked(10))).toHaveLength(1);

    rig.commit(indicators(1, 2));
    await deliverer.cycle(signal);

    expect(rig.read((reader) => reader.parked(10))).toEqual([]);
    siem.refuse = undefined;
    at.now += MINUTE;
    await deliverer.cycle(signal);
    expect(values()).toEqual(['198.18.0.0', '198.18.0.1']);
  });

  it('is told from one bad value, too, by a sound one that is sent along', async () => {
    const { rig, siem, at, deliverer, values } = delivering();
    rig.commit(indicators(0, 2));
    await deliverer.cycle(signal);
    siem.refuse = () => closed;
    rig.commit(indicators(2, 3));

    await deliverer.cycle(signal);

    expect(deliverer.history.failure).toMatchObject({ kind: 'config', code: 'index_closed_exception' });
    expect(rig.read((reader) => reader.parked(10))).toEqual([]);
    siem.refuse = undefined;
    at.now += MINUTE;
    await deliverer.cycle(signal);
    expect(values()).toHaveLength(3);
    siem.refuse = ({ key }) => (key.endsWith('.0.3') ? closed : undefined);
    rig.commit(indicators(3, 4));
    await deliverer.cycle(signal);
    expect(deliverer.history.failure).toBeUndefined();
    expect(rig.read((reader) => reader.parked(10)).map((one) => one.value)).toEqual(['198.18.0.3']);
  });

  it('is told from two bad values by a sound one that is sent along', async () => {
    const { rig, siem, deliverer, values } = delivering();
    rig.commit(indicators(0, 2));
    await deliverer.cycle(signal);
    siem.refuse = ({ key }) => (/\.[23]$/.test(key) ? closed : undefined);
    rig.commit(indicators(2, 4));

    await deliverer.cycle(signal);

    expect(deliverer.failure).toBeUndefined();
    expect(values()).toEqual(['198.18.0.0', '198.18.0.1']);
    expect(rig.read((reader) => reader.parked(10)).map((one) => one.value)).toEqual(['198.18.0.2', '198.18.0.3']);
  });

  it('parks values that only can be bad themselves, however many', async () => {
    const { rig, siem, deliverer } = delivering();
    siem.refuse = () => ({ ...closed, code: 'value_held_by_other' });
    rig.commit(indicators(0, 3));

    await deliverer.cycle(signal);

    expect(deliverer.failure).toBeUndefined();
    expect(rig.read((reader) => reader.parked(10))).toHaveLength(3);
  });

  it('is not asked a thousand times over by whole batches that are refused', async () => {
    const { rig, siem, at, deliverer, values, onApply, batches } = delivering();
    rig.commit(indicators(0, 400));
    onApply(() => {
      throw permanent('refused by something in between (403, a web page)', { code: 'between_403' });
    });

    await deliverer.cycle(signal);

    expect(batches.length).toBeLessThan(30);
    expect(deliverer.history.failure).toMatchObject({ kind: 'config', code: 'between_403' });
    expect(rig.read((reader) => reader.parked(10))).toEqual([]);
    siem.hook = undefined;
    at.now += MINUTE;
    await deliverer.cycle(signal);
    expect(values()).toHaveLength(400);
  });

  it('has one value parked where only that is refused on the way, and later ones are not held up', async () => {
    const { rig, deliverer, values, onApply } = delivering();
    rig.commit(indicators(0, 9));
    onApply((batch) => {
      if (batch.changes.some((one) => one.key.endsWith('.0.4')))
        throw permanent('refused by something in between (403, a web page)', { code: 'between_403' });
    });
    await deliverer.cycle(signal);
    rig.commit(indicators(9, 11));
    await deliverer.cycle(signal);

    expect(values()).toHaveLength(10);
    expect(rig.read((reader) => reader.parked(10))).toMatchObject([
      { value: '198.18.0.4', reason: expect.stringContaining('something in between (403, a web page)') },
    ]);
    expect(deliverer.failure).toBeUndefined();
  });

  it('tries what was parked again with the next audit', async () => {
    const { rig, siem, at, deliverer, values } = delivering();
    rig.commit(indicators(0, 1));
    await deliverer.cycle(signal);
    siem.refuse = () => closed;
    rig.commit(indicators(1, 2));
    await deliverer.cycle(signal);
    siem.refuse = undefined;

    at.now += 6 * HOUR;
    await deliverer.cycle(signal);
    await deliverer.cycle(signal);

    expect(values()).toHaveLength(2);
  });
});

describe('several calls in one apply', () => {
  it.each([
    ['a refusal of rights', configFailure('403')],
    ['a lost answer', retryable('504')],
  ])('with %s in the second leave nothing armed that is revoked', async (_what, error) => {
    const { rig, siem, at, deliverer, values } = delivering({ versioned: false, callsPerApply: 2 });
    rig.commit(indicators(0, 4));
    siem.failCall = { nth: 2, error };
    await deliverer.cycle(signal);
    siem.failCall = undefined;
    rig.commit(indicators(0, 4, { revoked: true, version: versionAt(NOW) }));

    for (let i = 0; i < 3; i++) {
      at.now += MINUTE;
      await deliverer.cycle(signal);
    }

    expect(values()).toEqual([]);
    rig.tick(at.now);
    expect(rig.rows()).toEqual([]);
  });
});

describe('a place that is given back', () => {
  it('is taken by another state at once', async () => {
    const first = delivering();
    first.rig.commit(indicators(0, 1));
    await first.deliverer.cycle(signal);

    await first.deliverer.leave(signal);

    expect(first.siem.mark?.at).toBe(0);
    const mark = first.siem.mark!;
    const verdict = judgeWriter(mark, { writer: 'other', boot: 'b', revision: 0, marked: false }, NOW + 1_000);
    expect(verdict.kind).toBe('adopt');
  });

  it('is not given back where somebody else took it', async () => {
    const { siem, deliverer } = delivering();
    await deliverer.cycle(signal);
    const other = { writer: 'other', boot: 'x', revision: 1, at: NOW };
    siem.mark = other;

    await deliverer.leave(signal);

    expect(siem.mark).toEqual(other);
  });

  it('is taken from a fresh writer by who knows that it is gone', async () => {
    const { rig, siem, start, values } = delivering();
    rig.commit(indicators(0, 1));
    siem.mark = { writer: 'other', boot: 'a1b2 soc-2.example, process 77', revision: 1, at: NOW };
    const waits = start('boot-1');
    await waits.cycle(signal);
    expect(waits.history.failure?.message).toContain('on soc-2.example, process 77');
    expect(waits.history.failure?.message).toContain('--take-over');

    await start('boot-1', { takeOver: true }).cycle(signal);

    expect(values()).toHaveLength(1);
    expect(siem.mark?.writer).not.toBe('other');
  });
});

describe('a revision beyond every clock', () => {
  it.each([1e18, 9e15, Number.MAX_SAFE_INTEGER, 1e300, Number.NaN])(
    '%s is read, told and overwritten',
    async (revision) => {
      const { rig, siem, at, deliverer, start, values } = delivering({ versioned: false });
      rig.commit(indicators(0, 2));
      await deliverer.cycle(signal);
      for (const [slot, row] of siem.rows) siem.rows.set(slot, { ...row, revision, until: 9e99 });
      siem.mark = { ...siem.mark!, revision, boot: 'boot-1' };

      at.now += 7 * HOUR;
      await deliverer.cycle(signal);
      await deliverer.cycle(signal);
      const second = start('boot-2');
      await second.cycle(signal);
      rig.commit(indicators(2, 3));
      await second.cycle(signal);

      expect(values()).toHaveLength(3);
      expect(rig.rows()).toHaveLength(3);
      expect([...siem.rows.values()].every((row) => Number.isSafeInteger(row.revision))).toBe(true);
    },
  );
});
