// Whether one SIEM may hold one claim: what both the projection and `why` ask.
import type { Claim } from '../model/entry.ts';
import type { ObservableType } from '../model/observable.ts';
import { judge } from '../policy/intake.ts';
import type { SiemSpec } from './spec.ts';

/** With a constant code to count by and a reason for people. */
export type ClaimDecision =
  | { readonly kind: 'accept' }
  | { readonly kind: 'hold' | 'refuse'; readonly code: string; readonly reason: string };

export function decideClaim(
  siem: SiemSpec,
  type: ObservableType,
  claim: Claim,
  exchangeActive: boolean,
  now: number,
): ClaimDecision {
  const rules = siem.rules[claim.exchange];
  if (!exchangeActive) return refuse('exchange_removed', `exchange ${claim.exchange} is no longer configured`);
  if (rules === undefined)
    return refuse('not_listened_to', `${siem.name} does not listen to exchange ${claim.exchange}`);
  if (!siem.observables.includes(type)) return refuse('observable_not_taken', `${siem.name} takes no ${type}`);
  return judge(claim, rules.intake, now);
}

const refuse = (code: string, reason: string): ClaimDecision => ({ kind: 'refuse', code, reason });
