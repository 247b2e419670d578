// Long work of the daemon, told in the log while it lasts: a first sync of a million takes minutes, and who looks at
// the journal meanwhile wants to see that it moves, how fast, and when it is over. Short bursts say nothing.
import type { Clock } from '../core/runtime/clock.ts';
import type { Log } from '../core/runtime/log.ts';

const EVERY_MS = 10_000;
/** Silence for longer than this ends a burst of work. */
const IDLE_MS = 5_000;

export class Pace {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #pending: () => number;
  readonly #unread: () => boolean;
  #began = 0;
  #last = Number.NEGATIVE_INFINITY;
  #told = 0;
  #read = 0;
  #written = 0;
  #listed = 0;

  /**
   * `pending`: changes that still wait for a SIEM; asked for only when a line is due. `unread`: an exchange is being read,
   * so that nobody knows how much is still to come and when it is over.
   */
  constructor(clock: Clock, log: Log, pending: () => number, unread: () => boolean = () => false) {
    this.#clock = clock;
    this.#log = log;
    this.#pending = pending;
    this.#unread = unread;
  }

  /** `listed`: entries that stand in a SIEM, looked at by a comparison. */
  count(done: { readonly read?: number; readonly written?: number; readonly listed?: number }): void {
    const now = this.#clock.monotonic();
    if (now - this.#last > IDLE_MS) {
      this.#began = now;
      this.#told = now;
      this.#read = 0;
      this.#written = 0;
      this.#listed = 0;
    }
    this.#last = now;
    this.#read += done.read ?? 0;
    this.#written += done.written ?? 0;
    this.#listed += done.listed ?? 0;
    if (now - this.#told < EVERY_MS) return;
    this.#told = now;
    const secs = (now - this.#began) / 1000;
    const pending = this.#pending();
    const perSec = this.#written / secs;
    this.#log.info('Work goes on.', {
      read: this.#read,
      written: this.#written,
      ...(this.#listed > 0 ? { listed: this.#listed } : {}),
      pending,
      written_per_sec: Math.round(perSec),
      ...(perSec > 0 && !this.#unread() ? { secs_left: Math.ceil(pending / perSec) } : {}),
    });
  }
}
