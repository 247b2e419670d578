// Takes over what stands in the SIEM under our name: at the first start, after a lost or restored state, and where
// something newer than ours was met. Everything is listed and goes into the ledger as it stands.
import type { ComparisonReport } from '../store/delivery/comparison.ts';
import type { Audits } from './audits.ts';
import type { Lane } from './lane.ts';
import type { RefusedRemovals } from './refused-removals.ts';
import type { Target } from './target.ts';

export class Adoption {
  readonly #target: Target;
  readonly #lane: Lane;
  readonly #audits: Audits;
  readonly #removals: RefusedRemovals;
  /** Sends what a person took off beside the listing. */
  readonly #urgent: (signal: AbortSignal) => Promise<void>;
  /** Nobody else writes there meanwhile. */
  underWay = false;

  constructor(
    target: Target,
    lane: Lane,
    audits: Audits,
    removals: RefusedRemovals,
    urgent: (signal: AbortSignal) => Promise<void>,
  ) {
    this.#target = target;
    this.#lane = lane;
    this.#audits = audits;
    this.#removals = removals;
    this.#urgent = urgent;
  }

  /** By who has the lane. `floor`: revisions up to there are taken; `others`: somebody else wrote there. */
  async run(signal: AbortSignal, floor: number, others: boolean): Promise<void> {
    const { store, name, now } = this.#target;
    await store.adopted(name, floor, now(), others);
    this.#removals.clear();
    const { highestRevision, present } = await this.#list(signal);
    await store.adopted(name, Math.max(floor, highestRevision), now(), others || present > 0, true);
    this.#audits.timesChanged();
  }

  /** Removals of what a person took off go beside the listing, those of before as well. */
  async #list(signal: AbortSignal): Promise<ComparisonReport> {
    this.underWay = true;
    try {
      const listed = this.#audits.compare(signal, true);
      const beside = this.#urgent(signal);
      const report = await listed;
      await beside;
      await this.#lane.besideEnded;
      return report;
    } finally {
      this.underWay = false;
    }
  }
}
