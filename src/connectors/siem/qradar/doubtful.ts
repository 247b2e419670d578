// Changes whose bulk update went out and whose answer was lost: nobody knows the task, which may still wait.
import type { Batch } from '../../../core/contracts/batch.ts';
import type { Change } from '../../../core/contracts/siem-connector.ts';

/** Beyond, the oldest are forgotten; the engine looks at such rows again by time. */
const MOST = 20_000;

export interface Doubt {
  readonly change: Change;
  readonly frame: Buffer;
  /** The task that was sent behind it. */
  readonly fence?: number;
}

export class Doubtful {
  readonly #slots = new Map<string, Doubt>();

  note(batch: Batch): void {
    for (const [i, change] of batch.changes.entries()) {
      this.#slots.delete(change.slot);
      // A copy: the batch's own buffer may be used again.
      this.#slots.set(change.slot, { change, frame: Buffer.from(batch.frame(i)) });
    }
    for (const slot of this.#slots.keys()) {
      if (this.#slots.size <= MOST) break;
      this.#slots.delete(slot);
    }
  }

  has(slot: string): boolean {
    return this.#slots.has(slot);
  }

  get(slot: string): Doubt | undefined {
    return this.#slots.get(slot);
  }

  fenced(slot: string, task: number): void {
    const doubt = this.#slots.get(slot);
    if (doubt !== undefined) this.#slots.set(slot, { ...doubt, fence: task });
  }

  settle(...slots: readonly string[]): void {
    for (const slot of slots) this.#slots.delete(slot);
  }
}
