// What is sent must be what its revision stands for. Where a claim began or ended since a row was planned and the clock's
// tick did not come yet, or the rules changed and their recomputation did not come to the row, it is planned anew first.
import type { Reason } from '../../ledger/project.ts';
import type { Projector } from '../projection/projection.ts';
import type { SiemState } from '../unit/context.ts';
import { stored, type WorkRow } from './work-rows.ts';

/** A row that is planned anew has no cause but the time or the rules. */
export const NOTHING_NEW: Reason = { cause: 'none', exchangeId: 0 };

/** For one batch. */
export class Replanning {
  readonly #projector: Projector;
  readonly #recomputedTo: number;
  /** Rows that a recomputation under way has still to come to, each told once. */
  readonly #told = new Set<number>();

  /** `recomputedTo`: up to which entry the rules that hold now were applied; undefined: to all of them. */
  constructor(projector: Projector, recomputedTo: number | undefined) {
    this.#projector = projector;
    this.#recomputedTo = recomputedTo ?? Number.POSITIVE_INFINITY;
  }

  /** True if there were any: the selection is then made again. */
  has(siem: SiemState, rows: readonly WorkRow[], now: number): boolean {
    // What goes through the claims of a crowded one is a sweep, and what is sent of it is what that came to.
    const due = rows.filter((row) => (row.due !== null && row.due <= now) || this.#awaits(row.entry_id));
    let left = due.length;
    this.#projector.projectAll(
      due.map((row) => ({ entry: stored(row), reason: NOTHING_NEW })),
      now,
      siem,
      () => left--,
    );
    return left > 0;
  }

  #awaits(entryId: number): boolean {
    if (entryId <= this.#recomputedTo || this.#told.has(entryId)) return false;
    this.#told.add(entryId);
    return true;
  }
}
