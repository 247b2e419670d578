// What the pages read and ask for. The composition root gives it; nothing here knows how it is done.
import type { Json } from '../core/model/json.ts';
import type { Observable } from '../core/model/observable.ts';
import type { StatusReport } from '../core/model/status.ts';
import type { DifferenceAsked, DifferencePage } from '../core/store/read/difference.ts';
import type { DifferenceRow } from '../core/store/read/difference-rows.ts';
import type { HeldPage, ExchangeDetails, Sample } from '../core/store/read/pages.ts';
import type { AuditState, HistoryEntry, HistoryKind } from '../core/store/read/history.ts';
import type { Compared } from '../core/store/read/record-between.ts';
import type { ValueAt } from '../core/store/read/record.ts';
import type { Disputed } from '../core/store/read/disputed.ts';
import type { HeldSet } from '../core/store/read/waiting.ts';
import type { WhyEntry } from '../core/store/read/why.ts';
import type { RefusedObject } from '../core/store/read/refused.ts';
import type { HeldSighting, WhyHits, WhyRelease } from '../core/store/read/sightings.ts';

export interface WebSource {
  status(): Promise<StatusReport>;
  /** Configuration and store are good and each peer was tried once. */
  ready(): boolean;
  /** The loops turn. */
  live(): boolean;
  metrics(): Promise<string>;
  /** Why a new configuration is not used; undefined when the one that runs is the newest. */
  badReload?(): string | undefined;
  /** Absent while the store is closed, or its server away: then there is the board alone, as it was last. */
  readonly pages?: PageSource | undefined;
}

export interface ValueEntry extends Omit<WhyEntry, 'siems' | 'hits' | 'releases'> {
  readonly siems: readonly (WhyEntry['siems'][number] & { readonly next_action: string })[];
  readonly hits: readonly WhyHits[];
  readonly releases: readonly WhyRelease[];
}

export interface ValueReport {
  /** What the text may be, whether known or not. */
  readonly guesses: readonly Observable[];
  readonly entries: readonly ValueEntry[];
  readonly refused: readonly RefusedObject[];
  /** Some refused objects name more than is kept of them. */
  readonly more: boolean;
  /** Networks, parent domains and hosts that cover it and are entries themselves. */
  readonly around: readonly Observable[];
  readonly off: readonly Off[];
}

/** A suppression, or a value that is called harmless. */
export interface Off {
  readonly id: number;
  readonly of: 'suppress' | 'harmless';
  readonly type: string;
  readonly value: string;
  readonly until: string;
  readonly by: string;
  readonly reason: string;
}

export type ValueThen = Observable & ValueAt;

export interface Waiting {
  readonly sets: readonly HeldSet[];
  /** The first of them. */
  readonly sightings: readonly HeldSighting[];
  /** The latest of them: nobody has to answer. */
  readonly disputed: readonly Disputed[];
}

export type Asked =
  | {
      readonly kind: 'suppress';
      readonly observables: readonly Observable[];
      readonly hours: number;
      readonly reason: string;
    }
  | {
      readonly kind: 'harmless';
      readonly observables: readonly Observable[];
      readonly review_days: number;
      readonly reason: string;
    }
  | { readonly kind: 'lift'; readonly id: number; readonly of: 'suppress' | 'harmless' }
  | {
      readonly kind: 'decide';
      readonly decision: 'approve' | 'reject';
      /** A hold by its number, a sighting as `s7`, with the code of what was shown. */
      readonly id: string;
      readonly set: string;
      readonly reason: string;
    }
  | { readonly kind: 'retry-parked'; readonly id: string }
  | (ChosenRows & { readonly kind: 'suppress-chosen'; readonly hours: number; readonly reason: string })
  | (ChosenRows & { readonly kind: 'retry-chosen' })
  /** What carries our mark in one SIEM is compared and put right. */
  | { readonly kind: 'reconcile'; readonly siem: string; readonly repair: true };

/** Rows of the difference by their names, and the code of what was shown of them. */
export interface ChosenRows {
  readonly rows: readonly string[];
  readonly set: string;
}

export interface Chosen {
  readonly rows: readonly DifferenceRow[];
  /** So many were named and differ no more. */
  readonly gone: number;
  readonly set: string;
  /** How many of the values each SIEM holds, or is about to. */
  readonly standing: Readonly<Record<string, number>>;
}

export type Outcome = { readonly done: Json } | { readonly refused: string };

export interface HistoryAsked {
  readonly kinds?: readonly HistoryKind[] | undefined;
  /** Where the page before ended. */
  readonly before?: string | undefined;
  readonly limit: number;
}

export interface PageSource {
  now(): number;
  /** `sightings`: the first so many. */
  waiting(sightings: number): Promise<Waiting>;
  /** The last day in half hours, per exchange and SIEM. */
  samples(): Promise<readonly Sample[]>;
  value(text: string): Promise<ValueReport>;
  held(id: number, after: number): Promise<HeldPage | undefined>;
  /** With the exact STIX that would leave. */
  heldSighting(id: string): Promise<{ readonly held: HeldSighting; readonly stix: unknown } | undefined>;
  difference(asked: DifferenceAsked): Promise<DifferencePage>;
  chosen(rows: readonly string[]): Promise<Chosen>;
  exchange(name: string): Promise<ExchangeDetails | undefined>;
  /** Newest first. */
  history(asked: HistoryAsked): Promise<readonly HistoryEntry[]>;
  /** What is armed otherwise at one moment than at an earlier one, as far as a page goes through it. */
  compare(from: number, to: number): Promise<Compared>;
  /** Whatever the text may be, as it stood then. */
  valueAt(text: string, time: number): Promise<readonly ValueThen[]>;
  /** How the record of what was done stands. */
  audit(): Promise<AuditState>;
  /** The same way as a command beside the daemon, so that log and record see it. */
  act(asked: Asked, by: string): Promise<Outcome>;
}
