// Acts on a refusal whose blame is open (refusals.ts tells which). Where everything is refused it is the SIEM's state, as far
// as can be seen, and where one change alone is refused nobody can tell; either way a sound row, one that stands there,
// is sent along: when that is taken, the others are bad values after all; when not, it is the SIEM.
import type { Outcome } from '../contracts/siem-connector.ts';
import type { Failure } from '../model/failure.ts';
import type { Settlement } from '../store/delivery/settling.ts';
import { refusedAlone, Refusals } from './refusals.ts';
import type { SiemStanding } from './standing.ts';
import type { Target } from './target.ts';

export class Blame {
  readonly #target: Target;
  readonly #standing: SiemStanding;
  readonly #refusals = new Refusals();
  /** Everything is refused for this, as far as was seen; one sound row is sent along to make sure. */
  #suspected: Failure | undefined;
  /** Changes refused in a call of their own, sent once more beside a sound row: refused beside one that is taken, they are bad. */
  readonly #comparing = new Set<string>();

  constructor(target: Target, standing: SiemStanding) {
    this.#target = target;
    this.#standing = standing;
  }

  /**
   * True where everything is refused for one reason: nothing of it is parked. What was parked for it goes to work again, and
   * with it, the first time, a sound row.
   */
  async ofTheSiem(outcomes: readonly Outcome[]): Promise<boolean> {
    const refusal = this.#refusals.judge(outcomes);
    if (refusal === undefined) return false;
    const { store, name, now } = this.#target;
    const { code, message } = refusal;
    await store.retryRefused(name, code === undefined ? { note: message } : { code }, now());
    const first = this.#suspected === undefined;
    this.#suspected = refusal;
    if (first && (await store.sendAgain(name, now()))) return true;
    this.#standing.found({
      kind: 'config',
      message: `${name} refuses every change: ${message}; nothing is given up, it goes on by itself once that is mended`,
      ...(code === undefined ? {} : { code }),
    });
    return true;
  }

  /** True where one change alone was refused and goes again beside a sound row, if there is one. */
  async isOpen(outcomes: readonly Outcome[]): Promise<boolean> {
    const key = refusedAlone(outcomes);
    if (key === undefined) return false;
    if (this.#comparing.delete(key)) return false;
    const { store, name, now } = this.#target;
    if (!(await store.sendAgain(name, now()))) return false;
    this.#comparing.add(key);
    return true;
  }

  /** At once while a sound row is on its way to tell, or when the pause is over. */
  again(now: number): Settlement {
    return { kind: 'retry', retryAt: now + this.#standing.waitMs(this.#standing.failure) };
  }

  /** Something was taken: whatever else is refused, the SIEM is not to blame. */
  taken(): void {
    this.#suspected = undefined;
  }

  /** A cycle went well to its end. */
  settled(): void {
    this.#comparing.clear();
  }
}
