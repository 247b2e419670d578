// Compares ledger and SIEM, all that stands there under our name; every six hours by itself.
import { toFailure } from '../model/failure.ts';
import type { ComparisonReport } from '../store/delivery/comparison.ts';
import type { Lane } from './lane.ts';
import type { Target } from './target.ts';

const EVERY_MS = 6 * 3_600_000;
/** One that failed is tried again sooner. */
const AGAIN_MS = 10 * 60_000;

export class Audits {
  readonly #target: Target;
  readonly #lane: Lane;
  /** So that the store is not asked each cycle. */
  #notBefore = 0;

  constructor(target: Target, lane: Lane) {
    this.#target = target;
    this.#lane = lane;
  }

  /** With `repair`, the ledger follows what was found and delivery does the rest. By who has the lane. */
  compare(signal: AbortSignal, repair: boolean): Promise<ComparisonReport> {
    const { store, connector, name, now } = this.#target;
    return this.#lane.listing(async () => {
      await store.beginComparison(name, repair, now());
      for await (const part of connector.list({}, signal)) await store.comparePart(name, part, now());
      let report = await store.endComparison(name, now());
      while (report.more) report = await store.endComparison(name, now());
      return report;
    });
  }

  /** The stored times are asked anew. */
  timesChanged(): void {
    this.#notBefore = 0;
  }

  /** By the time of the last one, which outlives restarts. */
  async whenDue(signal: AbortSignal): Promise<void> {
    const { store, name, log } = this.#target;
    const now = this.#target.now();
    if (now < this.#notBefore) return;
    const { repairedAt, listAgain } = await store.siemFacts(name);
    const due = Math.min((repairedAt ?? 0) + EVERY_MS, listAgain ?? Number.POSITIVE_INFINITY);
    if (now < due) {
      this.#notBefore = due;
      return;
    }
    this.#notBefore = now + AGAIN_MS;
    try {
      const { counts } = await this.compare(signal, true);
      if (counts.missing + counts.stale + counts.orphaned > 0)
        log.warn('The SIEM had drifted; it is put right.', { siem: name, ...counts });
      // What was refused once may have been refused for what is over by now.
      await store.retryRefused(name, 'by the SIEM', this.#target.now());
    } catch (error) {
      if (signal.aborted) return;
      log.warn('The audit of the SIEM failed; it is tried again later.', { siem: name, failure: toFailure(error) });
    }
  }
}
