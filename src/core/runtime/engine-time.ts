// Engine time: the wall clock, distrusted. A clock that jumps a year ahead would expire everything, and expiry is
// exempt from the brake; so a jump against the monotonic clock, or since the last run, is not believed until a
// peer's own clock confirms it. Until then time goes on from where it was, and nothing expires.
import type { Clock } from './clock.ts';

const JUMP_MS = 3_600_000;
/** A daemon that stood still for longer than this asks a peer for the time before it lets anything expire. */
const LONG_STOP_MS = 7 * 86_400_000;

export class EngineTime {
  readonly #clock: Clock;
  #wall: number;
  #mono: number;
  #doubt: string | undefined;

  /** `persisted`: engine time of the last unit of work, 0 for a new state. `trusted`: a rehearsal's set clock. */
  constructor(clock: Clock, persisted: number, trusted: boolean) {
    this.#clock = clock;
    this.#mono = clock.monotonic();
    const wall = clock.now();
    this.#wall = Math.max(wall, persisted);
    if (trusted || persisted === 0) return;
    if (wall - persisted > LONG_STOP_MS) this.#doubt = `the clock stands ${days(wall - persisted)} after the last run`;
    else if (persisted - wall > JUMP_MS) this.#doubt = `the clock stands ${days(persisted - wall)} before the last run`;
    if (this.#doubt !== undefined) this.#wall = persisted;
  }

  now(): number {
    const wall = this.#clock.now();
    const mono = this.#clock.monotonic();
    const expected = this.#wall + (mono - this.#mono);
    if (this.#doubt === undefined && Math.abs(wall - expected) > JUMP_MS) {
      this.#doubt = `the clock jumped by ${days(Math.abs(wall - expected))} ${wall > expected ? 'ahead' : 'back'} while running`;
    }
    // A clock that came back to where the monotonic one says needs nobody's word.
    else if (this.#doubt !== undefined && Math.abs(wall - expected) <= JUMP_MS) this.#doubt = undefined;
    this.#wall = this.#doubt === undefined ? Math.max(wall, this.#wall) : expected;
    this.#mono = mono;
    // Parts of a millisecond are kept: cut off at each question they would make time run slow for who asks often.
    return Math.floor(this.#wall);
  }

  /** Why time is not believed now; expiry waits as long as this is set. */
  get doubt(): string | undefined {
    return this.#doubt;
  }

  /** A peer told its time. When it agrees with the wall clock, that is believed again. */
  confirm(peerTime: number): void {
    if (this.#doubt === undefined) return;
    const wall = this.#clock.now();
    if (Math.abs(peerTime - wall) > JUMP_MS) return;
    this.#doubt = undefined;
    // Also backwards: time that a wrong clock once set ahead must not stand still until it comes true.
    this.#wall = wall;
    this.#mono = this.#clock.monotonic();
  }
}

function days(ms: number): string {
  return ms >= 2 * 86_400_000 ? `${Math.round(ms / 86_400_000)} days` : `${Math.round(ms / 3_600_000)} hours`;
}
