// One value that makes the product fail (500) each time would hold up its neighbours for ever: nobody was refused, so that
// the whole call is tried again and again. What all of the failed calls had in common is suspected; after some of them in a
// row such a call is divided until the one is alone, and only that one waits.
import type { Outcome } from '../contracts/siem-connector.ts';
import type { Failure } from '../model/failure.ts';
import type { Suspicion } from './dividing.ts';
import { reasonOf } from './refusals.ts';

/** Identical failures before a call is divided: a product that stumbles is itself again by then. */
const BEFORE_DIVIDING = 3;
const FIRST_WAIT_MS = 60_000;
const MOST_WAIT_MS = 3_600_000;

type Keyed = readonly { readonly key: string }[];

export class BrokenCalls {
  #reason: string | undefined;
  #suspects = new Set<string>();
  #times = 0;
  /** Changes that broke a call of their own while others were taken, and how often. */
  readonly #breaking = new Map<string, number>();

  /** Whether a call with these is divided when it breaks. */
  suspicion(changes: Keyed): Suspicion | undefined {
    const often = this.#times >= BEFORE_DIVIDING;
    if (!often && this.#breaking.size === 0) return undefined;
    const suspected = changes.some(({ key }) => this.#breaking.has(key) || (often && this.#suspects.has(key)));
    return suspected ? { proven: (key) => this.#breaking.has(key) } : undefined;
  }

  /** A call with these broke as a whole. */
  broke(changes: Keyed, failure: Failure): void {
    const keys = changes.map(({ key }) => key);
    const same = this.#reason === reasonOf(failure) ? keys.filter((key) => this.#suspects.has(key)) : [];
    this.#reason = reasonOf(failure);
    this.#times = same.length === 0 ? 1 : this.#times + 1;
    this.#suspects = new Set(same.length === 0 ? keys : same);
  }

  /** A call of its own broke, and others were taken. Milliseconds until it is tried again. */
  breaks(key: string): number {
    const before = this.#breaking.get(key) ?? 0;
    this.#breaking.set(key, before + 1);
    return Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** before);
  }

  /** What was taken is not to blame. */
  told(outcomes: readonly Outcome[]): void {
    if (this.#breaking.size === 0 && this.#suspects.size === 0) return;
    for (const { key, kind } of outcomes) {
      if (kind === 'failed') continue;
      this.#breaking.delete(key);
      this.#suspects.delete(key);
    }
  }
}
