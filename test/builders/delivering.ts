// A store, a SIEM in memory and a deliverer between them, under a clock that is turned by hand.
import { Deliverer, type DelivererOptions } from '../../src/core/delivery/deliverer.ts';
import { silentLog } from '../../src/core/runtime/log.ts';
import { onThisThread } from '../../src/core/store/remote.ts';
import { type MemorySiemOptions, memorySiem } from '../contract/memory-siem.ts';
import { indicators, NOW, Rig, versionAt } from './store.ts';

export const signal = new AbortController().signal;

export function delivering(product: MemorySiemOptions = {}) {
  const rig = new Rig({ product });
  const siem = memorySiem(product);
  const at = { now: NOW };
  const store = onThisThread(() => rig.store);
  const start = (boot: string, more: Partial<DelivererOptions> = {}) =>
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
      ...more,
    });
  const deliverer = start('boot-1');
  const values = () => [...siem.store.rows.values()].map((row) => row.key.slice(row.key.indexOf('|') + 1)).sort();
  const batches: number[] = [];
  const onApply = (
    work: (batch: { size: number; changes: readonly { key: string; op: string; revision: number }[] }) => void,
    when: 'before' | 'after' = 'before',
  ) => {
    siem.store.hook = (call, moment, batch) => {
      if (call !== 'apply' || batch === undefined) return;
      if (moment === 'before') batches.push(batch.size);
      if (moment === when) work(batch);
    };
  };
  return { rig, siem: siem.store, connect: siem.connect, at, deliverer, start, values, onApply, batches };
}

/** The i-th of `indicators`, taken back. */
export const revoked = (i: number) => indicators(i, i + 1, { revoked: true, version: versionAt(NOW) });
