// How a SIEM stands with us: the failure at hand, until when it is left alone, and what is told and remembered of it.
//
// A failure that is found stops new work at once (`found`); the end of the work counts it, pauses the target and puts
// off what is due (`failed`). A success ends all of it.
import type { Failure } from '../model/failure.ts';
import { freshHistory, type History, record } from '../runtime/health.ts';
import { backoffMs } from '../runtime/retry.ts';
import type { Target } from './target.ts';

export class Standing {
  readonly #target: Target;
  history: History;
  /** Facts and containers are known. */
  negotiated = false;
  #failure: Failure | undefined;
  #attempt = 0;
  #pausedUntil = 0;
  #woken = false;

  constructor(target: Target) {
    this.#target = target;
    this.history = freshHistory(target.now());
  }

  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** Engine time before which nothing is tried. */
  get pausedUntil(): number {
    return this.#pausedUntil;
  }

  /** Failures in a row. */
  get attempt(): number {
    return this.#attempt;
  }

  /** Ends a pause: a secret was renewed, a person asked. */
  wake(): void {
    this.#pausedUntil = 0;
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
    const { random, retryAfterCapMs } = this.#target;
    return failure === undefined ? 0 : backoffMs(this.#attempt + 1, failure, random(), retryAfterCapMs);
  }

  async succeeded(): Promise<void> {
    const { store, name, now, log } = this.#target;
    const recovered = this.history.failure !== undefined;
    this.#attempt = 0;
    this.#pausedUntil = 0;
    this.history = record(this.history, { kind: 'success', at: now() });
    if (recovered) log.info('The SIEM works again.', { siem: name });
    await store.note('siem', name, undefined, now());
    // The others wait for times that were set while it was not well.
    if (recovered) await store.dueAtOnce(name, now());
  }

  /** Work ended with this. `error` is what was thrown, where something was. */
  async failed(found: Failure, error?: unknown): Promise<void> {
    const { name, now, log, random, retryAfterCapMs } = this.#target;
    this.#attempt++;
    const failure = ofTheSiem(found);
    const until = now() + backoffMs(this.#attempt, failure, random(), retryAfterCapMs);
    if (failure.kind === 'bug' && error !== undefined)
      log.error('Delivery failed in a way it should not.', { siem: name, error });
    // After a refusal or an outage the SIEM may have been changed: negotiate and provision again.
    if (failure.kind === 'config') this.negotiated = false;
    await this.pause(until, failure);
  }

  async pause(until: number, failure: Failure): Promise<void> {
    const { store, name, now } = this.#target;
    this.#pausedUntil = until;
    await store.postpone(name, until, now());
    await this.remember(failure);
  }

  /** Says it once, and keeps it for `status`. */
  async remember(failure: Failure): Promise<void> {
    const { store, name, now, log } = this.#target;
    this.#failure = failure;
    const worse = this.history.failure?.message !== failure.message;
    this.history = record(this.history, { kind: 'failure', at: now(), failure, nextAttempt: this.#pausedUntil });
    if (worse) {
      const fields = { siem: name, failure, nextAttempt: new Date(this.#pausedUntil).toISOString() };
      if (failure.kind === 'retryable') log.warn('The SIEM is not reachable or busy; it is tried again.', fields);
      else log.error('The SIEM refuses; a person must act.', fields);
    }
    await store.note('siem', name, failure, now());
  }
}

/** A refusal for good of a call that carries no value (a mark, a listing) is about the SIEM, and heals with it. */
function ofTheSiem(failure: Failure): Failure {
  return failure.kind === 'permanent' ? { ...failure, kind: 'config', code: failure.code ?? 'call_refused' } : failure;
}
