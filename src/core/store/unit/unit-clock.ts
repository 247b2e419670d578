// The time and the revision that each unit gets: engine time never runs back, and no two units share a revision.
import { saneRevision } from './foreign-numbers.ts';

/** Longer steps back than this come confirmed. */
const CONFIRMED_MS = 3_600_000;

export class UnitClock {
  #lastRevision: number;
  #engineTime: number;
  /** What both were when the running unit began. */
  #before: readonly [lastRevision: number, engineTime: number];
  #revision = 0;
  #now = 0;

  /** As the state that was opened has them. */
  constructor(lastRevision: number, engineTime: number) {
    this.#lastRevision = lastRevision;
    this.#engineTime = engineTime;
    this.#before = [lastRevision, engineTime];
  }

  /** A unit begins. Returns its time. */
  begin(now: number): number {
    // Small steps back are the clock's unrest. A long one reaches the store only once a peer confirmed it
    // (runtime/engine-time.ts): a clock that stood a year ahead must not hold time there for a year.
    const time = this.#engineTime - now > CONFIRMED_MS ? now : Math.max(now, this.#engineTime);
    this.#before = [this.#lastRevision, this.#engineTime];
    this.#revision = Math.max(this.#lastRevision + 1, time * 1000);
    this.#now = time;
    return time;
  }

  /** A product holds a higher revision than any of ours: every later one must lie above it. */
  raiseFloor(found: number): void {
    const revision = saneRevision(found);
    if (revision >= this.#revision) this.#revision = revision + 1;
    this.#lastRevision = Math.max(this.#lastRevision, revision);
  }

  /** Its last statements come. */
  end(): void {
    this.#lastRevision = this.#revision;
    this.#engineTime = this.#now;
  }

  /** The unit failed: its revision was given to nobody, and no floor was raised. */
  fail(): void {
    [this.#lastRevision, this.#engineTime] = this.#before;
  }

  /** The highest that was given. */
  get lastRevision(): number {
    return this.#lastRevision;
  }

  /** Of the running unit, after any raise of the floor. */
  get revision(): number {
    return this.#revision;
  }

  /** Of the running unit. */
  get now(): number {
    return this.#now;
  }

  /** Of the last one. */
  get engineTime(): number {
    return this.#engineTime;
  }
}
