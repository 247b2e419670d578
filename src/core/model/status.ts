// What `entente status --json` and /status answer (the public interface fixes these names, hence the wire's spelling).

import { type Condition, runbookOf } from './condition.ts';

export const STATES = ['ok', 'paused', 'recovering', 'failing'] as const;
/** ok; paused = disabled or shadow; recovering = will heal by itself; failing = a person must act. Sorted from best to worst. */
export type State = (typeof STATES)[number];

interface StateReport {
  readonly state: State;
  /** The same word for the same thing, whatever the reason says. */
  readonly condition?: Condition;
  /** Its chapter, as `docs/runbook.md#stale`; null where there is nothing to look up. */
  readonly runbook?: string | null;
  readonly reason: string | null;
}

/** Reading hits from a SIEM, or reporting to an exchange. A part that is paused has nothing else to say. */
export interface PartReport extends StateReport {
  readonly since?: string;
  readonly next_action?: string | null;
  readonly last_success?: string | null;
  readonly last_failure?: string | null;
}

/** When a certificate or a token ends, where it can be known. */
export interface Expiry {
  readonly what: 'certificate' | 'token';
  readonly whose: 'own' | 'peer';
  /** RFC 3339. */
  readonly at: string;
}

interface PeerReport extends StateReport {
  readonly name: string;
  readonly type: string;
  /** RFC 3339, as all times here. */
  readonly since: string;
  /** What happens or who must do what; null when nothing is needed. */
  readonly next_action: string | null;
  readonly last_success: string | null;
  readonly last_failure: string | null;
  /** After a failure. */
  readonly next_attempt: string | null;
  /** The first to end first; empty where none says so. Only of a running daemon. */
  readonly expires?: readonly Expiry[];
}

/** One collection of an exchange: it may fail while the others are read. */
export interface CollectionReport extends StateReport {
  readonly id: string;
  readonly title: string;
  readonly since: string;
  readonly next_action: string | null;
  readonly last_success: string | null;
  readonly last_failure: string | null;
  readonly next_attempt: string | null;
}

export interface ExchangeReport extends PeerReport {
  /** By schedule; null without a daemon. */
  readonly next_poll: string | null;
  /** Between the next two by schedule; null without a daemon. */
  readonly poll_every_secs?: number | null;
  /** Polls that came due since the last one that succeeded, without the one that is under way. */
  readonly polls_late?: number;
  readonly objects: number;
  readonly indicators: number;
  readonly refused: number;
  readonly parked: number;
  readonly held: number;
  readonly cursor: string | null;
  readonly collections: readonly CollectionReport[];
  /** Objects that are nothing for us, by type, since the exchange was configured. */
  readonly ignored: Readonly<Record<string, number>>;
  readonly report: PartReport;
  /** Of an exchange of files only. */
  readonly files?: { readonly accepted: number; readonly refused: number; readonly waiting: number };
}

export interface SiemReport extends PeerReport {
  readonly wanted: number;
  readonly delivered: number;
  readonly pending: number;
  readonly parked: number;
  /** Of the parked: kept out by better ones, because the SIEM takes only so many (max_entries). */
  readonly kept_out: number;
  /** Waits for a person, or for the partners after a state was lost. */
  readonly held: number;
  /** Kept as it is since a person rejected a hold. */
  readonly rejected: number;
  readonly oldest_pending_secs: number;
  /** Until nothing waits any more; null while that is not known: nothing moves, or an exchange is not read to its end. */
  readonly secs_left: number | null;
  readonly drift: number;
  readonly hits: PartReport;
}

/** Work in steps over all of something, that is under way. */
export interface SweepReport {
  readonly kind: string;
  /** The exchange or SIEM, or the hold by its id. */
  readonly of: string | null;
  /** Rows so far. */
  readonly done: number;
  readonly since: string;
}

/** One never-block list. */
export interface NeverBlockReport {
  readonly list: string;
  readonly action: 'refuse' | 'note';
  /** Null for what is not made of entries. */
  readonly entries: number | null;
  /** Entries that mean nothing or everything. */
  readonly left_out: number;
  /** Values that came, or stood in a SIEM when the list changed, and were kept out. */
  readonly refused: number;
  /** Values that came and were armed all the same. */
  readonly noted: number;
  /** The first few. */
  readonly problems: readonly string[];
}

/** What ails the daemon itself, not one of its parts. */
interface WholeCondition {
  readonly condition: Condition;
  readonly runbook: string | null;
  readonly reason: string;
  readonly next_action: string;
}

export interface StatusReport {
  readonly instance: string;
  readonly version: string;
  /** The worst of all parts. */
  readonly state: State;
  /** Of the worst part. */
  readonly since: string;
  readonly reasons: readonly string[];
  /** Of the daemon itself; their reasons stand among all reasons too. */
  readonly conditions?: readonly WholeCondition[];
  readonly exchanges: readonly ExchangeReport[];
  readonly siems: readonly SiemReport[];
  /** Built-in lists that met a value, and all of the configured folder. */
  readonly never_block: readonly NeverBlockReport[];
  /** The oldest, at most 20. */
  readonly sweeps: readonly SweepReport[];
  readonly sightings: {
    readonly hits: number;
    readonly held: number;
    readonly denied: number;
    readonly queued: number;
    readonly sent: number;
    readonly failed: number;
  };
}

export function wholeCondition(condition: Condition, reason: string, nextAction: string): WholeCondition {
  return { condition, runbook: runbookOf(condition), reason, next_action: nextAction };
}

export function worstState(states: readonly State[]): State {
  return states.reduce<State>((worst, one) => (STATES.indexOf(one) > STATES.indexOf(worst) ? one : worst), 'ok');
}
