// The parts of one exchange, each with its own state and back-off: a collection that fails is left alone for longer
// each time, and none of the others waits for it.
import type { ScopeEnd, ScopeName } from '../contracts/exchange-connector.ts';
import type { Failure } from '../model/failure.ts';
import { freshHistory, type History, record } from '../runtime/health.ts';
import type { Log } from '../runtime/log.ts';
import { backoffMs } from '../runtime/retry.ts';

export interface Scope {
  readonly scope: string;
  title: string;
  history: History;
  /** What a person should know though it is read. */
  note?: string;
  attempt: number;
  pausedUntil: number;
}

interface ScopesOptions {
  readonly exchange: string;
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Log;
  readonly retryAfterCapMs?: number;
}

/** Worst first: what a person must mend before what heals by itself. */
const SEVERITY: Readonly<Record<Failure['kind'], number>> = { bug: 3, config: 2, permanent: 1, retryable: 0 };

export class Scopes {
  readonly #o: ScopesOptions;
  readonly #all = new Map<string, Scope>();
  /** Of the poll under way. */
  #ended = new Set<string>();

  constructor(options: ScopesOptions) {
    this.#o = options;
  }

  get all(): readonly Scope[] {
    return [...this.#all.values()];
  }

  get failing(): readonly Scope[] {
    return this.all.filter((one) => one.history.failure !== undefined);
  }

  get worst(): Failure | undefined {
    const failures = this.failing.flatMap(({ history }) => history.failure ?? []);
    return failures.toSorted((a, b) => SEVERITY[b.kind] - SEVERITY[a.kind])[0];
  }

  /** When the first of those that failed may be asked again. */
  get pausedUntil(): number {
    return Math.min(...this.failing.map((one) => one.pausedUntil));
  }

  wake(): void {
    for (const one of this.#all.values()) one.pausedUntil = 0;
  }

  begin(): void {
    this.#ended = new Set();
  }

  /** With `only` those that fail and have rested; else all but those that rest. */
  due(scope: string, only: 'failing' | 'all'): boolean {
    const known = this.#all.get(scope);
    const due =
      known === undefined || known.history.failure === undefined ? only === 'all' : this.#o.now() >= known.pausedUntil;
    // One that is not asked is still there.
    if (!due) this.#ended.add(scope);
    return due;
  }

  end({ scope, title }: ScopeName, { failure, note }: ScopeEnd): void {
    const { now, log, exchange, random, retryAfterCapMs } = this.#o;
    const one = this.#all.get(scope) ?? {
      scope,
      title,
      history: freshHistory(now()),
      attempt: 0,
      pausedUntil: 0,
    };
    this.#all.set(scope, one);
    this.#ended.add(scope);
    one.title = title;
    if (failure === undefined) {
      if (one.history.failure !== undefined)
        log.info('A collection of the exchange can be read again.', { exchange, collection: title });
      one.history = record(one.history, { kind: 'success', at: now() });
      [one.attempt, one.pausedUntil] = [0, 0];
      if (note !== undefined && note !== one.note)
        log.warn('The exchange answers oddly.', { exchange, collection: title, warning: note });
      if (note === undefined) delete one.note;
      else one.note = note;
      return;
    }
    one.attempt++;
    one.pausedUntil = now() + backoffMs(one.attempt, failure, random(), retryAfterCapMs);
    const news = one.history.failure?.message !== failure.message;
    one.history = record(one.history, { kind: 'failure', at: now(), failure, nextAttempt: one.pausedUntil });
    if (!news) return;
    const fields = { exchange, collection: title, failure, next_attempt: new Date(one.pausedUntil).toISOString() };
    if (failure.kind === 'retryable') log.warn('A collection of the exchange cannot be read; the others are.', fields);
    else log.error('A collection of the exchange is refused or answers wrongly; the others are read.', fields);
  }

  /** At the end of a poll: what was neither read nor resting is no part of the exchange any more. */
  forgetOthers(): void {
    for (const scope of this.#all.keys()) if (!this.#ended.has(scope)) this.#all.delete(scope);
  }
}
