// Which of the claims on an observable one SIEM may hold: each is judged by the rules that this SIEM has for its exchange,
// and what policy holds until a person decides is kept apart (holds.ts).
import { type Admitted, condense } from '../inventory/merge.ts';
import type { Claim } from '../model/entry.ts';
import type { Observable, ObservableType } from '../model/observable.ts';
import { expiryOf, type ExpiryRules } from '../policy/expiry.ts';
import { type IntakeRules, judge, unmarkedTlp } from '../policy/intake.ts';
import { type Question, questionOf } from './holds.ts';

/** What a SIEM takes, and from which exchanges by which rules. */
export interface Listener {
  readonly name: string;
  readonly observables: readonly ObservableType[];
  readonly rules: Readonly<Record<string, { readonly intake: IntakeRules; readonly lifetime: ExpiryRules }>>;
}

/** Of an exchange that is known by its number, too. */
export interface NumberedClaim extends Claim {
  readonly exchangeId: number;
}

/** With a constant code to count by and a reason for people. */
type ClaimDecision =
  | { readonly kind: 'accept'; readonly note?: string }
  | { readonly kind: 'hold' | 'refuse'; readonly code: string; readonly reason: string };

/** Whether one SIEM may hold one claim. */
export function decideClaim(
  siem: Listener,
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

/** Bit of an exchange in `vouchers`; beyond 31 exchanges some share one, which only makes a brake's share coarser. */
export const voucherBit = (exchangeId: number): number => 1 << (exchangeId % 31);

export type Weighed<C extends NumberedClaim> = Admitted & { readonly claim: C };

/** What the claims on an entry come to for one SIEM, as far as they were gone through. */
export interface Admission<C extends NumberedClaim> {
  admitted: Weighed<C>[];
  /** Those that policy holds until a person lets the entry in. */
  pending: (Weighed<C> & { readonly asks: Question })[];
  /** Policy refused some. */
  refused: boolean;
  vouchers: number;
  /** An exchange among them that left the configuration. */
  left: number | undefined;
}

export const noneYet = <C extends NumberedClaim>(): Admission<C> => ({
  admitted: [],
  pending: [],
  refused: false,
  vouchers: 0,
  left: undefined,
});

/** What the claims are judged by besides the rules. */
export interface Circumstances {
  readonly now: number;
  /** Whether the exchange is still configured. */
  readonly isActive: (exchangeId: number) => boolean;
  /** When the value was last seen here, asked where a hit renews. */
  readonly lastHit: () => number | undefined;
  /** Of more, only those that the result depends on are kept (condense). */
  readonly most: number;
}

/** Judges more claims, which may come in parts. */
export function admit<C extends NumberedClaim>(
  into: Admission<C>,
  siem: Listener,
  observable: Observable,
  claims: readonly C[],
  { now, isActive, lastHit, most }: Circumstances,
): void {
  for (const claim of claims) {
    const active = isActive(claim.exchangeId);
    if (!active) into.left ??= claim.exchangeId;
    const decision = decideClaim(siem, observable, claim, active);
    if (decision.kind === 'refuse') {
      into.refused = true;
      continue;
    }
    // Accepted means that the SIEM has rules for this exchange.
    const rules = siem.rules[claim.exchange]!;
    // Where unmarked ones are refused, whoever was accepted states a level.
    const unmarked = rules.intake.unmarked === 'refuse' ? 'red' : unmarkedTlp(claim, rules.intake.unmarked);
    const until = expiryOf(
      claim,
      rules.lifetime,
      observable.type,
      rules.lifetime.renewOnHit === true ? lastHit() : undefined,
    );
    if (decision.kind === 'hold') {
      // Nobody knows how strict it is: where a person lets it in, it counts as the strictest.
      const level = decision.code === 'marking_unexplained' ? { atLeast: 'red' as const } : {};
      const asks = questionOf(claim.exchangeId, decision.code, decision.reason);
      into.pending.push({ claim, until, unmarked, ...level, asks });
      continue;
    }
    into.vouchers |= voucherOf({ claim, until }, now);
    into.admitted.push({ claim, until, unmarked });
  }
  // Condensed of these very ones.
  if (into.admitted.length > most) into.admitted = condense(into.admitted, now, most) as Weighed<C>[];
  if (into.pending.length > most) into.pending = condense(into.pending, now, most) as Admission<C>['pending'];
}

/** These, and who vouches by them now. */
export const vouching = <C extends NumberedClaim>(
  admitted: Weighed<C>[],
  now: number,
): Pick<Admission<C>, 'admitted' | 'vouchers'> => ({
  admitted,
  vouchers: admitted.reduce((bits, one) => bits | voucherOf(one, now), 0),
});

const voucherOf = (
  { claim, until }: { readonly claim: Pick<NumberedClaim, 'validFrom' | 'exchangeId'>; readonly until: number },
  now: number,
): number => (claim.validFrom <= now && now < until ? voucherBit(claim.exchangeId) : 0);
