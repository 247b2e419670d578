// What the delivery loop of a SIEM asks: batches, what became of them, and what nobody knows yet.
import type { OwnedEntry } from '../../contracts/siem-connector.ts';
import type { Observable } from '../../model/observable.ts';
import type { BuiltBatch } from '../delivery/batch-builder.ts';
import type { Doubtful } from '../delivery/doubts.ts';
import type { SettleReport, Settlement } from '../delivery/settling.ts';
import { isUrgent, nextWork } from '../delivery/work.ts';
import type { Refused } from '../projection/people.ts';
import { saneOwned } from '../unit/foreign-numbers.ts';
import type { Parts } from './parts.ts';

/** Units of delivery, each by the SIEM's name or the number of a batch. */
export const deliveryUnits = ({ store, unit, batches, settling, receipts, readBack, doubts, runs, people }: Parts) => ({
  takeBatch(
    siem: string,
    limits: { maxItems: number; maxBytes: number },
    now: number,
    which: 'all' | 'removals' = 'all',
  ): BuiltBatch | undefined {
    return unit(now, (time) => batches.take(store.siem(siem), limits, time, which));
  },

  /** `bytes`, if given, are those of the batch, to be used for another one. */
  settleAll(batchId: number, now: number, bytes?: ArrayBuffer): SettleReport {
    if (bytes !== undefined) batches.giveBack(bytes);
    return unit(now, () => settling.all(batchId));
  },

  settle(batchId: number, settlements: readonly Settlement[], now: number): SettleReport {
    return unit(now, () => settling.settle(batchId, settlements));
  },

  /** When work is next due at this SIEM: 0 = now, undefined = none. */
  nextWork(siem: string, now: number): number | undefined {
    return nextWork(store, store.siem(siem), now);
  },

  /** True when something that must go has not been tried since it is to go: no pause holds it up. */
  urgent(siem: string): boolean {
    return isUrgent(store, store.siem(siem));
  },

  uncertain(siem: string, limit: number, now: number): { slots: string[]; entryIds: number[] } {
    return readBack.uncertain(store.siem(siem), now, limit);
  },

  resolve(siem: string, entryIds: readonly number[], owned: readonly OwnedEntry[], now: number): void {
    unit(now, () => readBack.resolve(store.siem(siem), entryIds, owned.map(saneOwned)));
  },

  /** Values of which a call was lost: it may have landed since they were looked at last. */
  doubtful(siem: string, limit: number, now: number): Doubtful {
    return doubts.due(store.siem(siem), now, limit);
  },

  /** What their slots held. Returns how many had changed behind our back; they go to work. */
  lookedAt(siem: string, looked: readonly Observable[], owned: readonly OwnedEntry[], now: number): number {
    return unit(now, () => doubts.seen(store.siem(siem), looked, owned.map(saneOwned)));
  },

  /** A try failed before it came to these: they wait like those it was about. */
  postpone(siem: string, until: number, now: number): void {
    unit(now, () => runs.waitUntil(store.siem(siem), until));
  },

  /** The SIEM is well again, or a person says so: what waits for a time waits no more. */
  dueAtOnce(siem: string, now: number): void {
    unit(now, () => runs.atOnce(store.siem(siem)));
  },

  /** Parked rows go to work again, those that `which` names. */
  retryRefused(siem: string, which: Refused, now: number): void {
    unit(now, (time) => people.retryRefused(store.siem(siem), which, time));
  },

  /** One row that stands there is written again as it is, to see whether anything is taken. False when there is none. */
  sendAgain(siem: string, now: number): boolean {
    return unit(now, () => people.sendAgain(store.siem(siem)));
  },

  /** Of tasks that a SIEM has under way. */
  receipts(siem: string): string[] {
    return receipts.open(store.siem(siem));
  },

  settleReceipt(
    siem: string,
    receipt: string,
    outcomes: readonly { key: string; settlement: Settlement }[],
    now: number,
  ): SettleReport {
    return unit(now, () => receipts.settle(store.siem(siem), receipt, outcomes));
  },
});
