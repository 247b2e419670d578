// What may leave, and how far it has come: one sighting of one object towards one exchange, step by step.
//
//   decided:  share -> queued | hold -> held | deny -> denied        (again whenever hits add to it)
//   queued --judged again, then sent--> sending -> sent | pending (a receipt is stored) -> sent
//   sending, pending -> queued with a later due (a failure that heals) | failed (refused for good)
//   held --a person--> queued | denied          held --nobody in time--> denied
//   sent --more hits--> decided again, as a newer version under the same id
//
// After a crash what was being sent is queued, as an attempt made: it may have arrived, so it is looked for before it
// goes again.
import type { ReleaseDecision } from '../policy/release.ts';

export type TellingState = 'queued' | 'held' | 'denied' | 'sending' | 'pending' | 'sent' | 'failed';

export interface Telling {
  readonly state: TellingState;
  /** An opinion says the same however often it is told. */
  readonly once: boolean;
  /** Version of its content. */
  readonly modified: number;
  readonly rule: number | undefined;
  readonly reason: string;
  readonly since: number;
  readonly due: number;
  readonly attempt: number;
  /** The version that is on its way, and the one that was sent last. */
  readonly sending: number | undefined;
  readonly sent: number | undefined;
  readonly sentAt: number | undefined;
  readonly receipt: string | undefined;
  /** Stands for what a person saw and approved. */
  readonly approved: number | undefined;
  readonly rejected: boolean;
}

/** What the rules say of it now. */
export interface Ruling {
  readonly decision: ReleaseDecision;
  /** Stands for what a person would be shown now; undefined: its object is forgotten. */
  readonly shown: number | undefined;
  /** How long it waits once it may go. */
  readonly delayMs: number;
}

/** An approval stands for what was shown and nothing else: neither other content nor other markings. */
export function outcomeOf(telling: Pick<Telling, 'rejected' | 'approved'>, { decision, shown }: Ruling): TellingState {
  if (decision.action === 'deny' || telling.rejected || shown === undefined) return 'denied';
  if (decision.action === 'share') return 'queued';
  return telling.approved === shown ? 'queued' : 'held';
}

/** Hits added to it. What is on its way is decided once that is over, and a person's no stands. */
export function decided(telling: Telling, ruling: Ruling, now: number): Telling {
  const { state, rejected, sent, once } = telling;
  if (rejected || state === 'sending' || state === 'pending') return telling;
  // Once it was told there is nothing to add.
  if (sent !== undefined && once) return telling;
  const then = outcomeOf(telling, ruling);
  const waits = state === 'queued' || state === then;
  return moved(telling, then, ruling.decision, waits ? telling.due : now + ruling.delayMs, now);
}

/** Due, and judged once more by what is known now. */
export function taken(telling: Telling, ruling: Ruling, now: number): Telling {
  const { decision, delayMs } = ruling;
  const then = outcomeOf(telling, ruling);
  if (then !== 'queued') return moved(telling, then, decision, telling.due, now);
  // The rules may ask for more patience than when it was decided.
  const patient = decision.action === 'share' ? telling.since + delayMs : telling.due;
  if (patient > now) return moved(telling, 'queued', decision, patient, now);
  return { ...telling, state: 'sending', sending: telling.modified, rule: decision.rule, reason: decision.reason };
}

export function denied(telling: Telling, reason: string, now: number, rule?: number): Telling {
  const decision: ReleaseDecision = { action: 'deny', reason, ...(rule === undefined ? {} : { rule }) };
  return moved(telling, 'denied', decision, telling.due, now);
}

function moved(telling: Telling, state: TellingState, decision: ReleaseDecision, due: number, now: number): Telling {
  const stays = state === telling.state;
  return {
    ...telling,
    state,
    rule: decision.rule,
    reason: decision.reason,
    due,
    since: stays ? telling.since : now,
    attempt: stays ? telling.attempt : 0,
  };
}

export type Sent =
  | { readonly kind: 'sent' }
  | { readonly kind: 'accepted'; readonly receipt: string }
  | { readonly kind: 'again'; readonly at: number }
  | { readonly kind: 'refused'; readonly reason: string };

/** How a send ended. What is not on its way is left as it is. */
export function settled(telling: Telling, outcome: Sent, now: number): Telling {
  if (telling.state !== 'sending' && telling.state !== 'pending') return telling;
  const over: Telling = { ...telling, receipt: undefined, sending: undefined };
  switch (outcome.kind) {
    case 'sent':
      return { ...over, state: 'sent', sent: telling.sending, sentAt: now, since: now, attempt: 0 };
    case 'accepted':
      return { ...telling, state: 'pending', receipt: outcome.receipt };
    case 'again':
      return { ...over, state: 'queued', due: outcome.at, attempt: telling.attempt + 1 };
    case 'refused':
      return { ...over, state: 'failed', reason: outcome.reason, since: now };
  }
}

/** A person decided. `shown`: what they saw. */
export const answered = (telling: Telling, decision: 'approve' | 'reject', shown: number, now: number): Telling => ({
  ...telling,
  state: decision === 'approve' ? 'queued' : 'denied',
  approved: decision === 'approve' ? shown : telling.approved,
  rejected: decision === 'reject',
  since: now,
  due: Math.max(now, telling.due),
});

/** Refused for good, and tried once more. */
export const retried = (telling: Telling, now: number): Telling => ({
  ...telling,
  state: 'queued',
  due: now,
  attempt: 0,
});
