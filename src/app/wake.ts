// A sleep that others may end early. A call that comes while nobody sleeps is kept, so that none is lost.
import type { Clock } from '../core/runtime/clock.ts';

export class Wake {
  readonly #clock: Clock;
  #pending = false;
  #end: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): void {
    this.#pending = true;
    this.#end?.();
  }

  /** Until `ms` have passed, somebody calls `now`, or the signal aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#pending && ms > 0 && !signal.aborted) {
      const woken = new AbortController();
      this.#end = () => woken.abort();
      try {
        await this.#clock.sleep(ms, AbortSignal.any([signal, woken.signal]));
      } catch (error) {
        if (!signal.aborted && !woken.signal.aborted) throw error;
      } finally {
        this.#end = undefined;
      }
    }
    this.#pending = false;
  }
}
