// Entries whose claims changed in the running unit. Each is judged once, at the unit's end and from all its claims:
// ten thousand objects that name one value are one judgement, not ten thousand over ever more claims.
import type { Reason } from '../../ledger/project.ts';
import type { Json } from '../../model/json.ts';
import { CAUSES, type StoredEntry } from '../rows/rows.ts';

export class Touched {
  readonly #entries = new Map<number, { entry: StoredEntry; reason: Reason }>();

  add(entry: StoredEntry, reason: Reason): void {
    const before = this.#entries.get(entry.id);
    if (before === undefined) this.#entries.set(entry.id, { entry, reason });
    else before.reason = bothOf(before.reason, reason);
  }

  /** Hands all of them over and forgets them. */
  drain(): { readonly entry: StoredEntry; readonly reason: Reason }[] {
    const all = [...this.#entries.values()];
    this.#entries.clear();
    return all;
  }

  /** A unit failed. */
  forget(): void {
    this.#entries.clear();
  }
}

/** A withdrawal counts for the brake, whatever else happened to the entry. */
export function bothOf(a: Reason, b: Reason): Reason {
  const [first, second] = a.cause === 'withdrawn' || b.cause !== 'withdrawn' ? [a, b] : [b, a];
  return {
    cause: first.cause === 'none' ? second.cause : first.cause,
    exchangeId: first.exchangeId === 0 ? second.exchangeId : first.exchangeId,
    force: a.force === true || b.force === true,
  };
}

/** As the argument of a sweep, which a version before this one may have put there: it named the cause by its number. */
export function reasonOf(argument: Json): Reason {
  const { cause, exchangeId, force } = argument as unknown as Reason & { readonly cause: Reason['cause'] | number };
  // Nothing else of the argument: what a step came to must not outlive that it is begun anew.
  const known = typeof cause === 'number' ? (CAUSES[cause] ?? 'none') : cause;
  return { cause: known, exchangeId, ...(force === undefined ? {} : { force }) };
}
