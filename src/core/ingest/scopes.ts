// The parts of one exchange, each with its own state and back-off: a collection that fails is left alone for longer
// each time, and none of the others waits for it.
import type { ScopeEnd, ScopeName } from '../contracts/exchange-connector.ts';
import type { Failure } from '../model/failure.ts';
import type { History } from '../runtime/health.ts';
import type { Log } from '../runtime/log.ts';
import { Standing, type Telling } from '../runtime/standing.ts';

const TELLING: Telling = {
  well: (log, who) => log.info('A collection of the exchange can be read again.', who),
  heals: (log, fields) => log.warn('A collection of the exchange cannot be read; the others are.', fields),
  refused: (log, fields) =>
    log.error('A collection of the exchange is refused or answers wrongly; the others are read.', fields),
  next: 'next_attempt',
};

export class Scope {
  readonly scope: string;
  title: string;
  /** What a person should know though it is read. */
  note?: string;
  readonly standing: Standing;

  constructor({ scope, title }: ScopeName, options: ScopesOptions) {
    this.scope = scope;
    this.title = title;
    this.standing = new Standing(options, TELLING, () => ({ exchange: options.exchange, collection: this.title }));
  }

  get history(): History {
    return this.standing.history;
  }
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
    return this.all.filter(({ standing }) => standing.failure !== undefined);
  }

  get worst(): Failure | undefined {
    const failures = this.failing.flatMap(({ standing }) => standing.failure ?? []);
    return failures.toSorted((a, b) => SEVERITY[b.kind] - SEVERITY[a.kind])[0];
  }

  /** When the first of those that failed may be asked again. */
  get pausedUntil(): number {
    return Math.min(...this.failing.map(({ standing }) => standing.pausedUntil));
  }

  wake(): void {
    for (const { standing } of this.#all.values()) standing.wake();
  }

  begin(): void {
    this.#ended = new Set();
  }

  /** With `only` those that fail and have rested; else all but those that rest. */
  due(scope: string, only: 'failing' | 'all'): boolean {
    const known = this.#all.get(scope)?.standing;
    const due = known?.failure === undefined ? only === 'all' : !known.pauses;
    // One that is not asked is still there.
    if (!due) this.#ended.add(scope);
    return due;
  }

  end(name: ScopeName, { failure, note }: ScopeEnd): void {
    const { log, exchange } = this.#o;
    const { scope, title } = name;
    const one = this.#all.get(scope) ?? new Scope(name, this.#o);
    this.#all.set(scope, one);
    this.#ended.add(scope);
    one.title = title;
    if (failure !== undefined) {
      one.standing.failed(failure);
      return;
    }
    one.standing.succeeded();
    if (note !== undefined && note !== one.note)
      log.warn('The exchange answers oddly.', { exchange, collection: title, warning: note });
    if (note === undefined) delete one.note;
    else one.note = note;
  }

  /** At the end of a poll: what was neither read nor resting is no part of the exchange any more. */
  forgetOthers(): void {
    for (const scope of this.#all.keys()) if (!this.#ended.has(scope)) this.#all.delete(scope);
  }
}
