import { copyFileSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { delivering, revoked, signal } from '../../../test/builders/delivering.ts';
import { indicators, MINUTE, versionAt } from '../../../test/builders/store.ts';
import type { MemorySiemOptions } from '../../../test/contract/memory-siem.ts';
import { configFailure } from '../model/failure.ts';
import { entryKey } from '../model/observable.ts';
import { STATE } from '../store/rows/rows.ts';

/** A rig with a copy of its state file, and how the copy is put back. */
function withBackup(product: MemorySiemOptions = {}) {
  const world = delivering(product);
  const { rig } = world;
  const copy = `${rig.path}.copy`;
  return {
    ...world,
    backUp: () => rig.store.backup(copy),
    putBack: () => {
      rig.close();
      for (const suffix of ['-wal', '-shm']) rmSync(rig.path + suffix, { force: true });
      copyFileSync(copy, rig.path);
      rig.restart();
    },
    /** Partners are read to their end and whatever waits for them is let go. */
    polled: () => {
      rig.store.pollCompleted('partner', world.at.now);
      rig.tick(world.at.now);
    },
  };
}

const PRODUCTS: MemorySiemOptions[] = [{ versioned: true }, { versioned: false }];

describe('an older state that was put back', () => {
  it.each(PRODUCTS)('is noticed, also where it committed and died before its first look (%j)', async (product) => {
    const { rig, at, start, values, backUp, putBack, polled } = withBackup(product);
    rig.commit(indicators(0, 1), at.now);
    await start('boot-1').cycle(signal);
    backUp();
    at.now += MINUTE;
    // The lost state armed a value of which the copy knows nothing, and which is gone from the partner by now.
    rig.commit(indicators(1, 2), at.now);
    await start('boot-2').cycle(signal);
    at.now += MINUTE;
    putBack();
    rig.commit(indicators(5, 6), at.now);
    rig.restart();

    const third = start('boot-3');
    await third.cycle(signal);
    at.now += MINUTE;
    polled();
    await third.cycle(signal);

    expect(values()).toEqual(['198.18.0.0', '198.18.0.5']);
  });

  it.each(PRODUCTS)('is noticed where the copy was made before anything was ever written (%j)', async (product) => {
    const { rig, at, start, values, backUp, putBack, polled } = withBackup(product);
    backUp();
    rig.commit(indicators(0, 1), at.now);
    await start('boot-1').cycle(signal);
    at.now += MINUTE;
    putBack();
    rig.commit(indicators(5, 6), at.now);
    // Somebody compared before the daemon looked, so that no audit is due; what it took over is in no container known here.
    await start('boot-2').audit(signal, true);
    rig.restart();

    const third = start('boot-3');
    await third.cycle(signal);
    at.now += MINUTE;
    polled();
    await third.cycle(signal);

    expect(values()).toEqual(['198.18.0.5']);
  });

  it('is noticed by a newer revision where the mark says nothing, and what else stands there is taken over', async () => {
    const { rig, siem, at, deliverer } = delivering();
    rig.commit(indicators(0, 1), at.now);
    await deliverer.cycle(signal);
    const [mine] = siem.rows.values();
    const key = entryKey('ipv4-addr', '198.18.9.9');
    siem.rows.set(mine!.slot, { ...mine!, revision: mine!.revision + 1e9 });
    siem.rows.set('ipv4-addr|198.18.9.9', { ...mine!, key, slot: 'ipv4-addr|198.18.9.9' });
    at.now += MINUTE;

    rig.commit(indicators(0, 1, { version: versionAt(at.now), tlp: 'amber' }), at.now);
    await deliverer.cycle(signal);

    expect(rig.row('198.18.9.9')).toMatchObject({ state: STATE.held });
    expect(deliverer.failure?.message).toContain('newer revisions');
  });

  it('is noticed where a clean stop wrote the mark last', async () => {
    const { rig, at, start, values, backUp, putBack, polled } = withBackup();
    rig.commit(indicators(0, 1), at.now);
    const first = start('boot-1');
    await first.cycle(signal);
    backUp();
    at.now += MINUTE;
    rig.commit(indicators(1, 2), at.now);
    await first.cycle(signal);
    await first.leave(signal);
    at.now += MINUTE;
    putBack();

    const second = start('boot-2');
    await second.cycle(signal);
    at.now += MINUTE;
    polled();
    await second.cycle(signal);

    expect(values()).toEqual(['198.18.0.0']);
  });

  it.each(PRODUCTS)('that is no older than the mark is not listed, nor one that was stopped (%j)', async (product) => {
    const { rig, at, siem, start } = withBackup(product);
    rig.commit(indicators(0, 2), at.now);
    const first = start('boot-1');
    await first.cycle(signal);
    at.now += MINUTE;
    rig.commit(indicators(2, 4), at.now);
    await first.leave(signal);
    rig.restart();
    const calls: string[] = [];
    siem.hook = (call) => void calls.push(call);

    await start('boot-2').cycle(signal);

    expect(calls).not.toContain('list');
  });

  it.each(PRODUCTS)(
    'removes what it had still to write and was taken back, for the lost one may have (%j)',
    async (product) => {
      const { rig, at, start, siem, values, backUp, putBack } = withBackup({ ...product, maxItems: 1 });
      rig.commit(indicators(0, 3), at.now);
      const first = start('boot-1');
      let calls = 0;
      siem.hook = (call, when) => {
        if (call === 'apply' && when === 'before' && ++calls > 1) throw configFailure('401');
      };
      await first.cycle(signal);
      backUp();
      siem.hook = undefined;
      at.now += MINUTE;
      first.wake();
      // Under the mark that the copy knows of: it is not due yet, and nothing newer is written.
      const marked = siem.mark;
      await first.cycle(signal);
      expect([values().length, siem.mark]).toEqual([3, marked]);
      at.now += MINUTE;
      putBack();
      rig.commit([...revoked(1), ...revoked(2)], at.now);

      await start('boot-2').cycle(signal);

      expect(values()).toEqual(['198.18.0.0']);
    },
  );

  it.each(PRODUCTS)('finds what a call of the lost one left behind after the listing (%j)', async (product) => {
    const { rig, at, start, siem, values, backUp, putBack, polled } = withBackup(product);
    rig.commit(indicators(0, 1), at.now);
    const first = start('boot-1');
    await first.cycle(signal);
    backUp();
    at.now += MINUTE;
    rig.commit(indicators(1, 2), at.now);
    siem.losing = 1;
    await first.cycle(signal);
    putBack();
    const second = start('boot-2');
    await second.cycle(signal);
    at.now += 2_000;
    siem.land();
    expect(values()).toContain('198.18.0.1');

    // The longest time of a call is half a minute here.
    at.now += 30_000;
    await second.cycle(signal);
    polled();
    await second.cycle(signal);

    expect(values()).toEqual(['198.18.0.0']);
  });
});
