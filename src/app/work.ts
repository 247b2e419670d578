// What the running daemon is at, for status: when each exchange is polled next, and how long a SIEM still has to write.
import type { Clock } from '../core/runtime/clock.ts';
import type { Scheduled } from '../core/runtime/scheduler.ts';

/** The rate is that of so long a time; a SIEM that wrote nothing in it has none. */
const WINDOW_MS = 30_000;
const LEAST_MS = 2_000;

type Polls = Pick<Scheduled, 'next' | 'everyMs'>;

export class Work {
  readonly #clock: Clock;
  readonly #reading = new Set<string>();
  readonly #polls = new Map<string, Polls>();
  /** Polls that came due since the last one that succeeded. */
  readonly #due = new Map<string, number>();
  readonly #written = new Map<string, { at: number; count: number }[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  schedule(exchange: string, polls: Polls): void {
    this.#polls.set(exchange, polls);
  }

  due(exchange: string): void {
    this.#due.set(exchange, (this.#due.get(exchange) ?? 0) + 1);
  }

  polled(exchange: string): void {
    this.#due.delete(exchange);
  }

  /** `failing`: the last poll failed, so that one which is under way makes good for none of them yet. */
  rhythm(exchange: string, failing: boolean): { readonly everyMs: number | undefined; readonly late: number } {
    const under = this.#reading.has(exchange) && !failing ? 1 : 0;
    return {
      everyMs: this.#polls.get(exchange)?.everyMs(),
      late: Math.max(0, (this.#due.get(exchange) ?? 0) - under),
    };
  }

  /** By the system's clock, in epoch milliseconds. */
  nextPoll(exchange: string): number | undefined {
    return this.#polls.get(exchange)?.next();
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
