// Whether one SIEM may hold one claim: what both the projection and `why` ask.
import type { Claim } from '../model/entry.ts';
import type { Observable } from '../model/observable.ts';
import { judge } from '../policy/intake.ts';
import type { SiemSpec } from './spec.ts';

/** With a constant code to count by and a reason for people. */
export type ClaimDecision =
  | { readonly kind: 'accept'; readonly note?: string }
  | { readonly kind: 'hold' | 'refuse'; readonly code: string; readonly reason: string };

export function decideClaim(
  siem: SiemSpec,
  observable: Observable,
  claim: Claim,
  exchangeActive: boolean,
): ClaimDecision {
  const rules = siem.rules[claim.exchange];
  if (!exchangeActive) return refuse('exchange_removed', `exchange ${claim.exchange} is no longer configured`);
  if (rules === undefined)
    return refuse('not_listened_to', `${siem.name} does not listen to exchange ${claim.exchange}`);
  const { type } = observable;
  if (!siem.observables.includes(type)) return refuse('observable_not_taken', `${siem.name} takes no ${type}`);
  return judge(observable, claim, rules.intake);
}

const refuse = (code: string, reason: string): ClaimDecision => ({ kind: 'refuse', code, reason });
