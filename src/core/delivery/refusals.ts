// One bad value, or a SIEM that refuses everything? A closed index, a missing pipeline or a firewall before it refuses
// each change in the same words as a bad value is refused. So a refusal for good is a value's own affair only while
// others are taken: when all changes of a call, or two calls in a row, are refused for the same reason, it is the
// state of the SIEM, nothing is parked, and work goes on by itself once it is mended.
import type { Outcome } from '../contracts/siem-connector.ts';
import type { Failure } from '../model/failure.ts';

/** By what two refusals are the same. */
export const reasonOf = (failure: Failure): string => failure.code ?? failure.message;

/** Words that a connector gives to what can only be about the value (`value_held_by_other`). */
const aboutTheValue = (failure: Failure): boolean => failure.code?.startsWith('value_') === true;

/** The key of a call's only change, when that was refused and the reason may as well be the SIEM's. */
export function refusedAlone(outcomes: readonly Outcome[]): string | undefined {
  const [one] = outcomes;
  if (outcomes.length !== 1 || one?.kind !== 'failed') return undefined;
  return one.failure.kind === 'permanent' && !aboutTheValue(one.failure) ? one.key : undefined;
}

export class Refusals {
  #last: { readonly reason: string; readonly keys: ReadonlySet<string> } | undefined;

  /** The refusal, when everything is refused for it. */
  judge(outcomes: readonly Outcome[]): Failure | undefined {
    const keys = new Set<string>();
    let reason: string | undefined;
    let refusal: Failure | undefined;
    for (const one of outcomes) {
      if (one.kind !== 'failed') {
        this.#last = undefined;
        return undefined;
      }
      const { failure } = one;
      if (failure.kind !== 'permanent' || aboutTheValue(failure)) return undefined;
      if (reason !== undefined && reason !== reasonOf(failure)) return undefined;
      reason = reasonOf(failure);
      refusal = failure;
      keys.add(one.key);
    }
    if (reason === undefined) return undefined;
    const before = this.#last;
    this.#last = { reason, keys };
    if (keys.size > 1) return refusal;
    return before?.reason === reason && [...before.keys].some((key) => !keys.has(key)) ? refusal : undefined;
  }
}
