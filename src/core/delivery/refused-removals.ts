// Removals that the SIEM refused for good, by key. A removal is never parked: what should be gone stays armed, so that the
// SIEM is failing and a person must act, until each of them was carried out.
import type { Change, Outcome } from '../contracts/siem-connector.ts';
import type { Failure } from '../model/failure.ts';

export class RefusedRemovals {
  readonly #failures = new Map<string, Failure>();
  /** How often in a row removals were refused: they are tried soon at first, and then ever later. */
  #times = 0;

  get times(): number {
    return this.#times;
  }

  /** Why the SIEM is failing. */
  get failure(): Failure | undefined {
    return this.#failures.values().next().value;
  }

  /** What stands there is looked at anew. */
  clear(): void {
    this.#failures.clear();
  }

  refused(key: string, message: string): void {
    this.#failures.set(key, { kind: 'config', message: `a removal is refused: ${message}` });
  }

  /** What a call came to. An upsert of such a value ends the matter too. */
  called(changes: readonly Pick<Change, 'key' | 'op'>[], outcomes: readonly Outcome[]): void {
    const refused = new Map<string, Failure>();
    for (const one of outcomes)
      if (one.kind === 'failed' && one.failure.kind === 'permanent') refused.set(one.key, one.failure);
    if (refused.size === 0 && this.#failures.size === 0) return;
    if (changes[0]?.op === 'remove') this.#times = refused.size === 0 ? 0 : this.#times + 1;
    // What is tried again and taken by a task is refused until the task has ended otherwise.
    const open = new Set(outcomes.flatMap((one) => (one.kind === 'accepted' ? [one.key as string] : [])));
    for (const { key, op } of changes) {
      const failure = refused.get(key);
      if (open.has(key)) continue;
      if (failure === undefined) this.#failures.delete(key);
      else if (op === 'remove') this.refused(key, failure.message);
    }
  }

  /** What a task came to. It holds changes of one kind, so that with a refused removal all of them are removals. */
  ended(outcomes: readonly Outcome[], refusedRemoval: string | undefined): void {
    for (const one of outcomes) {
      if (one.kind !== 'failed') this.#failures.delete(one.key);
      else if (refusedRemoval !== undefined && one.failure.kind === 'permanent')
        this.refused(one.key, one.failure.message);
    }
  }
}
