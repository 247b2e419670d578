import { describe, expect, it, vi } from 'vitest';
import { delivering, revoked, signal } from '../../../test/builders/delivering.ts';
import { DAY, HOUR, indicators, ipv4, MINUTE, NOW, versionAt } from '../../../test/builders/store.ts';
import { ConnectorError, configFailure, permanent, retryable } from '../model/failure.ts';

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
