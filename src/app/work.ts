// What the running daemon is at, for status: when each exchange is polled next, and how long a SIEM still has to write.
import type { Clock } from '../core/runtime/clock.ts';

/** The rate is that of so long a time; a SIEM that wrote nothing in it has none. */
const WINDOW_MS = 30_000;
const LEAST_MS = 2_000;

export class Work {
  readonly #clock: Clock;
  readonly #reading = new Set<string>();
  readonly #polls = new Map<string, () => number | undefined>();
  readonly #written = new Map<string, { at: number; count: number }[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  schedule(exchange: string, next: () => number | undefined): void {
    this.#polls.set(exchange, next);
  }

  /** By the system's clock, in epoch milliseconds. */
  nextPoll(exchange: string): number | undefined {
    return this.#polls.get(exchange)?.();
  }

  /** While `work` reads an exchange nobody knows how much there is. */
  async reading<T>(exchange: string, work: () => Promise<T>): Promise<T> {
    this.#reading.add(exchange);
    try {
      return await work();
    } finally {
      this.#reading.delete(exchange);
    }
  }

  get unread(): boolean {
    return this.#reading.size > 0;
  }

  wrote(siem: string, count: number): void {
    if (count === 0) return;
    const all = this.#written.get(siem) ?? [];
    all.push({ at: this.#clock.monotonic(), count });
    this.#written.set(siem, all);
    this.#forget(all);
  }

  /** Undefined while it is not known. */
  secsLeft(siem: string, pending: number): number | undefined {
    if (pending === 0) return 0;
    if (this.unread) return undefined;
    const all = this.#written.get(siem) ?? [];
    this.#forget(all);
    const [first] = all;
    if (first === undefined) return undefined;
    const span = this.#clock.monotonic() - first.at;
    if (span < LEAST_MS) return undefined;
    const count = all.reduce((sum, one) => sum + one.count, 0);
    return Math.ceil(pending / ((count / span) * 1000));
  }

  #forget(all: { at: number; count: number }[]): void {
    const oldest = this.#clock.monotonic() - WINDOW_MS;
    let gone = 0;
    while (gone < all.length && all[gone]!.at < oldest) gone++;
    all.splice(0, gone);
  }
}
