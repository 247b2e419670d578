// How a peer stands with one loop: since when it fails, until when it is left alone, and what is told of it. A failure is
// told when it comes, not each time it comes again, and the first success ends the pause and all that was counted.
//
// Nothing here is awaited. What a loop must also write down (rows put off, a note in the state) it does between the steps.
import type { Failure } from '../model/failure.ts';
import { freshHistory, type History, record } from './health.ts';
import type { Log } from './log.ts';
import { backoffMs } from './retry.ts';

interface StandingParts {
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Log;
  readonly retryAfterCapMs?: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** What the log is told, each by a constant sentence of whoever owns the loop. */
export interface Telling {
  /** It works again. */
  readonly well: (log: Log, who: Fields) => void;
  /** It heals by itself: a warning. */
  readonly heals: (log: Log, fields: Fields) => void;
  /** A person must act: an error. */
  readonly refused: (log: Log, fields: Fields) => void;
  /** Field that says when it is tried again, where the log tells that. */
  readonly next?: 'nextAttempt' | 'next_attempt';
}

export class Standing {
  readonly #parts: StandingParts;
  readonly #telling: Telling;
  readonly #who: () => Fields;
  #history: History;
  #attempt = 0;
  #pausedUntil = 0;

  /** `who`: fields of the log that name whom it is about. */
  constructor(parts: StandingParts, telling: Telling, who: () => Fields) {
    this.#parts = parts;
    this.#telling = telling;
    this.#who = who;
    this.#history = freshHistory(parts.now());
  }

  get history(): History {
    return this.#history;
  }

  get failure(): Failure | undefined {
    return this.#history.failure;
  }

  /** Engine time before which nothing is tried. */
  get pausedUntil(): number {
    return this.#pausedUntil;
  }

  get pauses(): boolean {
    return this.#parts.now() < this.#pausedUntil;
  }

  /** Failures in a row. */
  get attempt(): number {
    return this.#attempt;
  }

  /** Ends a pause: a secret was renewed, a person asked. */
  wake(): void {
    this.#pausedUntil = 0;
  }

  /** How long is waited if this is what the next attempt comes to. */
  waitMs(failure: Failure): number {
    const { random, retryAfterCapMs } = this.#parts;
    return backoffMs(this.#attempt + 1, failure, random(), retryAfterCapMs);
  }

  /** Whether it had failed before. */
  succeeded(): boolean {
    const recovered = this.failure !== undefined;
    this.#rested();
    this.#history = record(this.#history, { kind: 'success', at: this.#parts.now() });
    if (recovered) this.#telling.well(this.#parts.log, this.#who());
    return recovered;
  }

  /** An attempt came to this. `error` is what was thrown, where something was. */
  failed(failure: Failure, error?: unknown): void {
    this.pause(this.count(failure));
    this.remember(failure, error);
  }

  /** One more failure in a row. Returns the engine time of the next attempt. */
  count(failure: Failure): number {
    const wait = this.waitMs(failure);
    this.#attempt++;
    return this.#parts.now() + wait;
  }

  pause(until: number): void {
    this.#pausedUntil = until;
  }

  /** Tells it once, and keeps it for `status`. */
  remember(failure: Failure, error?: unknown): void {
    const { log } = this.#parts;
    const { next, heals, refused } = this.#telling;
    const news = this.failure?.message !== failure.message;
    this.#keep(failure, this.#pausedUntil);
    if (!news) return;
    const fields = {
      ...this.#who(),
      failure,
      ...(next === undefined ? {} : { [next]: new Date(this.#pausedUntil).toISOString() }),
      ...(failure.kind === 'bug' && error !== undefined ? { error } : {}),
    };
    if (failure.kind === 'retryable') heals(log, fields);
    else refused(log, fields);
  }

  /** It answers, and parts of it do not, which pause and were told each for themselves. */
  partly(failure: Failure, nextAttempt: number): void {
    this.#rested();
    this.#keep(failure, nextAttempt);
  }

  #rested(): void {
    this.#attempt = 0;
    this.#pausedUntil = 0;
  }

  #keep(failure: Failure, nextAttempt: number): void {
    this.#history = record(this.#history, { kind: 'failure', at: this.#parts.now(), failure, nextAttempt });
  }
}
