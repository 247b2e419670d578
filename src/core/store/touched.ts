// Entries whose claims changed in the running unit. Each is judged once, at the unit's end and from all its claims:
// ten thousand objects that name one value are one judgement, not ten thousand over ever more claims.
import { CAUSE } from './rows.ts';
import type { StoredEntry, Trigger } from './projection.ts';

export class Touched {
  readonly #entries = new Map<number, { entry: StoredEntry; trigger: Trigger }>();

  add(entry: StoredEntry, trigger: Trigger): void {
    const before = this.#entries.get(entry.id);
    if (before === undefined) this.#entries.set(entry.id, { entry, trigger });
    else before.trigger = bothOf(before.trigger, trigger);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Hands each entry over and forgets it. */
  drain(judge: (entry: StoredEntry, trigger: Trigger) => void): void {
    for (const { entry, trigger } of this.#entries.values()) judge(entry, trigger);
    this.#entries.clear();
  }

  /** A unit failed. */
  forget(): void {
    this.#entries.clear();
  }
}

/** A withdrawal counts for the brake, whatever else happened to the entry. */
export function bothOf(a: Trigger, b: Trigger): Trigger {
  const [first, second] = a.cause === CAUSE.withdrawn || b.cause !== CAUSE.withdrawn ? [a, b] : [b, a];
  return {
    cause: first.cause === CAUSE.none ? second.cause : first.cause,
    exchangeId: first.exchangeId === 0 ? second.exchangeId : first.exchangeId,
    force: a.force === true || b.force === true,
  };
}
