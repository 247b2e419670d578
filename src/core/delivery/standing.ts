// How a SIEM stands with us: what any peer's standing is, and what delivery needs beside it.
//
// A failure that is found stops new work at once (`found`); the end of the work counts it, pauses the target and puts
// off what is due (`failed`). A success ends all of it.
import type { Failure } from '../model/failure.ts';
import type { History } from '../runtime/health.ts';
import { Standing, type Telling } from '../runtime/standing.ts';
import type { Target } from './target.ts';

const TELLING: Telling = {
  well: (log, who) => log.info('The SIEM works again.', who),
  heals: (log, fields) => log.warn('The SIEM is not reachable or busy; it is tried again.', fields),
  refused: (log, fields) => log.error('The SIEM refuses; a person must act.', fields),
  next: 'nextAttempt',
};

export class SiemStanding {
  readonly #target: Target;
  readonly #standing: Standing;
  /** Facts and containers are known. */
  negotiated = false;
  /** Of this cycle: a cycle begins without one, where the history keeps it until something succeeds. */
  #failure: Failure | undefined;
  #woken = false;

  constructor(target: Target) {
    this.#target = target;
    this.#standing = new Standing(target, TELLING, () => ({ siem: target.name }));
  }

  get history(): History {
    return this.#standing.history;
  }

  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** Engine time before which nothing is tried. */
  get pausedUntil(): number {
    return this.#standing.pausedUntil;
  }

  /** Failures in a row. */
  get attempt(): number {
    return this.#standing.attempt;
  }

  /** Ends a pause: a secret was renewed, a person asked. */
  wake(): void {
    this.#standing.wake();
    this.#woken = true;
  }

  /** A cycle begins: what made the last one fail may be over. */
  async begin(): Promise<void> {
    const { store, name, now } = this.#target;
    this.#failure = undefined;
    if (this.#woken) await store.dueAtOnce(name, now());
    this.#woken = false;
  }

  /** No new work from now on. */
  found(failure: Failure): void {
    this.#failure = failure;
  }

  /** How long a change waits that was left undone for this. */
  waitMs(failure: Failure | undefined): number {
    return failure === undefined ? 0 : this.#standing.waitMs(failure);
  }

  async succeeded(): Promise<void> {
    const { store, name, now } = this.#target;
    const recovered = this.#standing.succeeded();
    await store.note('siem', name, undefined, now());
    // The others wait for times that were set while it was not well.
    if (recovered) await store.dueAtOnce(name, now());
  }

  /** Work ended with this. `error` is what was thrown, where something was. */
  async failed(found: Failure, error?: unknown): Promise<void> {
    const { name, log } = this.#target;
    const failure = ofTheSiem(found);
    const until = this.#standing.count(failure);
    // Each time, and not only as news: what was thrown may be another error under the same words.
    if (failure.kind === 'bug' && error !== undefined)
      log.error('Delivery failed in a way it should not.', { siem: name, error });
    // After a refusal or an outage the SIEM may have been changed: negotiate and provision again.
    if (failure.kind === 'config') this.negotiated = false;
    await this.pause(until, failure);
  }

  async pause(until: number, failure: Failure): Promise<void> {
    const { store, name, now } = this.#target;
    this.#standing.pause(until);
    await store.postpone(name, until, now());
    await this.remember(failure);
  }

  /** Says it once, and keeps it for `status`. */
  async remember(failure: Failure): Promise<void> {
    const { store, name, now } = this.#target;
    this.#failure = failure;
    this.#standing.remember(failure);
    await store.note('siem', name, failure, now());
  }
}

/** A refusal for good of a call that carries no value (a mark, a listing) is about the SIEM, and heals with it. */
function ofTheSiem(failure: Failure): Failure {
  return failure.kind === 'permanent' ? { ...failure, kind: 'config', code: failure.code ?? 'call_refused' } : failure;
}
