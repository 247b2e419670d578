// What becomes of a stand by a call: the intent before it, the answer to it, and what is known where none came.
import {
  AT_ONCE,
  gone,
  type Is,
  isKept,
  type Op,
  phaseOf,
  type Presence,
  rests,
  type Stand,
  withReason,
} from './stand.ts';

/** The intent, on disk before anything is sent. */
export function taken(stand: Stand, batch: number): Stand {
  return {
    ...stand,
    present: stand.present.is === 'no' ? { ...stand.present, is: 'maybe' } : stand.present,
    call: { kind: 'flight', sent: stand.wanted.revision, batch },
    again: false,
  };
}

/** What the SIEM said of one change, or nobody did. */
export type Outcome =
  | { readonly kind: 'applied'; readonly handle?: string }
  | { readonly kind: 'accepted'; readonly receipt: string }
  /** The SIEM holds a higher revision of ours. */
  | { readonly kind: 'superseded'; readonly revision: number }
  /** Not applied for certain; try again at `retryAt`. */
  | { readonly kind: 'retry'; readonly retryAt: number }
  /** Nobody knows whether it was applied. */
  | { readonly kind: 'unknown'; readonly retryAt: number }
  | { readonly kind: 'park'; readonly reason: string; readonly code?: string };

/** What was sent, and what stood there before. */
export interface Sent {
  readonly op: Op;
  readonly before: Is;
}

/** What the answer is judged by. */
interface Terms {
  /** The one that new wishes get now. */
  readonly revision: number;
  /** The product keeps the highest revision by itself, so that what nobody knows is simply sent again. */
  readonly versioned: boolean;
  /** When what rests without a wish is looked at again. */
  readonly lookAt: number;
}

/** What became of the call. Undefined: nothing is left to keep. One whose intent stands no more is left as it is. */
export function settled(stand: Stand, { op, before }: Sent, outcome: Outcome, terms: Terms): Stand | undefined {
  const { call, wanted, wait } = stand;
  if (call === undefined) return stand;
  // A change that is still the newest failed: it waits. One that was overtaken goes at once.
  const overtaken = wanted.revision !== call.sent;
  const retryAt = (at: number): number | undefined => (overtaken ? undefined : at);
  // What a hold keeps and has written anew is still to be, unless that was applied.
  const again = rests(stand) && op === 'upsert' && !overtaken;
  const next = then();
  // A first write that came to nothing, of what was withdrawn meanwhile: there is nothing that a hold could keep.
  const neverStood = overtaken && op === 'upsert';
  const nothing = !next.wanted.is && next.present.is === 'no';
  return nothing && (phaseOf(next) === 'settled' || neverStood) ? gone(stand, terms.lookAt) : next;

  function then(): Stand {
    const ended: Stand = { ...stand, call: undefined, again };
    const asBefore: Presence = { ...stand.present, is: before };
    switch (outcome.kind) {
      case 'applied':
        return { ...ended, present: standing(stand, op, call!.sent, outcome.handle), again: false, wait: AT_ONCE };
      case 'accepted':
        return {
          ...stand,
          present: { ...stand.present, is: 'maybe' },
          call: { kind: 'accepted', sent: call!.sent, op, receipt: outcome.receipt },
        };
      case 'superseded':
        return {
          ...ended,
          present: { ...stand.present, is: 'maybe', revision: outcome.revision },
          wanted: { ...wanted, revision: terms.revision },
          wait: { ...wait, at: undefined },
        };
      case 'retry':
        return { ...ended, present: asBefore, wait: { attempt: wait.attempt + 1, at: retryAt(outcome.retryAt) } };
      case 'unknown': {
        const doubtful = stand.present.is === 'yes' && op === 'upsert';
        const present: Presence = doubtful ? { ...stand.present, is: 'maybe' } : stand.present;
        const attempt = wait.attempt + 1;
        if (terms.versioned) return { ...ended, present, wait: { attempt, at: retryAt(outcome.retryAt) } };
        // The read-back waits, so that a call that lands soon is seen; not so where what stands there must go.
        const mustGo = !wanted.is && overtaken;
        return {
          ...ended,
          present,
          call: { kind: 'uncertain', sent: call!.sent },
          wait: { attempt, at: mustGo ? undefined : outcome.retryAt },
        };
      }
      case 'park': {
        const refused: Stand = { ...ended, present: asBefore, wait: { ...wait, at: undefined } };
        const stays = (wanted.is || isKept(stand)) && op === 'upsert' && !overtaken;
        return stays ? withReason(refused, outcome.reason, outcome.code) : refused;
      }
    }
  }
}

function standing({ present }: Stand, op: Op, revision: number, handle: string | undefined): Presence {
  return op === 'upsert' ? { is: 'yes', revision, handle: handle ?? present.handle } : { is: 'no', revision, handle };
}

/** The process died with the call under way. On a product without versions it is read back, a little later. */
export function recovered(stand: Stand, versioned: boolean, readBackAt: number): Stand {
  if (stand.call?.kind !== 'flight') return stand;
  const present: Presence = { ...stand.present, is: 'maybe' };
  const { sent } = stand.call;
  const again = rests(stand) && sent === stand.wanted.revision;
  return versioned
    ? { ...stand, present, call: undefined, again, wait: { ...stand.wait, at: undefined } }
    : { ...stand, present, call: { kind: 'uncertain', sent }, wait: { ...stand.wait, at: readBackAt } };
}
