// A product that answers with a receipt does the work later, in a task. Its receipts are kept by the store, so that they
// outlive a crash, and are asked for until each task has ended.
import { Batch } from '../contracts/batch.ts';
import type { Outcome } from '../contracts/siem-connector.ts';
import { toFailure } from '../model/failure.ts';
import type { Blame } from './blame.ts';
import { settleOutcomes } from './outcomes.ts';
import type { RefusedRemovals } from './refused-removals.ts';
import type { SiemStanding } from './standing.ts';
import type { Target } from './target.ts';
import type { Totals } from './totals.ts';

/** Between asking for receipts within one cycle. */
const WAITS_MS = [20, 40, 80, 160, 320, 640] as const;

export class Receipts {
  readonly #target: Target;
  readonly #standing: SiemStanding;
  readonly #blame: Blame;
  readonly #removals: RefusedRemovals;
  readonly #totals: Totals;

  constructor(target: Target, standing: SiemStanding, blame: Blame, removals: RefusedRemovals, totals: Totals) {
    this.#target = target;
    this.#standing = standing;
    this.#blame = blame;
    this.#removals = removals;
    this.#totals = totals;
  }

  /** `until`: a SIEM carries its tasks out in the order given, so that behind one that runs few are over. */
  async settle(signal: AbortSignal, until: 'all' | 'one is pending' = 'all'): Promise<void> {
    const { store, connector, name, now } = this.#target;
    if (connector.settle === undefined) return;
    for (const receipt of await store.receipts(name)) {
      const outcomes = await this.#ask(receipt, signal);
      if (outcomes === 'pending') {
        if (until === 'one is pending') return;
        continue;
      }
      await this.#ended(receipt, outcomes, now());
    }
  }

  /** Beside batches that are sent: soon after one was accepted. */
  async lookSoon(signal: AbortSignal): Promise<void> {
    if (this.#standing.failure !== undefined || signal.aborted) return;
    await this.#target.clock.sleep(WAITS_MS[0], signal);
    await this.settle(signal, 'one is pending');
  }

  /** Most tasks are over within moments: asked for soon and then ever later, before the next cycle looks again. */
  async wait(signal: AbortSignal, deliver: () => Promise<void>): Promise<void> {
    const { store, connector, clock, name } = this.#target;
    if (connector.settle === undefined) return;
    for (const wait of WAITS_MS) {
      if (this.#standing.failure !== undefined || signal.aborted || (await store.receipts(name)).length === 0) return;
      await clock.sleep(wait, signal);
      await this.settle(signal);
      // What was overtaken while its task ran is due at once.
      await deliver();
    }
  }

  /** A task that the SIEM does not know any more blocks nobody: what it did is read back. */
  async #ask(receipt: string, signal: AbortSignal): Promise<readonly Outcome[] | 'pending'> {
    const { connector, name, log } = this.#target;
    try {
      return (await connector.settle?.(receipt, signal)) ?? [];
    } catch (error) {
      if (toFailure(error).kind !== 'permanent') throw error;
      log.warn('The SIEM does not know a task of ours any more.', { siem: name, receipt });
      return [];
    }
  }

  async #ended(receipt: string, outcomes: readonly Outcome[], now: number): Promise<void> {
    const { store, name, random, retryAfterCapMs } = this.#target;
    const all = await this.#blame.ofTheSiem(outcomes);
    const settlements = outcomes.map((outcome) => {
      const key = outcome.key as string;
      if (all) return { key, settlement: this.#blame.again(now) };
      const one = Batch.of([{ op: 'upsert', key: outcome.key, slot: '', revision: 0 }], ['']);
      const settled = settleOutcomes(one, [outcome], now, 1, random(), retryAfterCapMs);
      if (settled.worst !== undefined) this.#standing.found(settled.worst);
      return { key, settlement: settled.settlements?.[0] ?? ({ kind: 'applied' } as const) };
    });
    const report = await store.settleReceipt(name, receipt, settlements, now);
    this.#removals.ended(outcomes, report.refusedRemoval);
    this.#totals.add(report);
  }
}
