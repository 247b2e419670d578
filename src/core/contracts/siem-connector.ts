// What a SIEM connector gives and what it may rely on. A connector states facts and makes vendor calls; the
// engine owns batching, concurrency, retry, timing, telemetry and dry run. The clauses that every connector
// keeps are the named tests in test/contract/siem.ts.
import type { z } from 'zod';
import type { Entry } from '../model/entry.ts';
import type { Failure } from '../model/failure.ts';
import type { Json } from '../model/json.ts';
import type { EntryKey, Observable, ObservableType } from '../model/observable.ts';
import type { Hit } from '../model/sighting.ts';
import type { Clock } from '../runtime/clock.ts';
import type { HttpOptions, HttpClient } from '../runtime/http.ts';
import type { Log } from '../runtime/log.ts';
import type { Batch } from './batch.ts';
import type { Change } from './change.ts';

/** What the pure functions of a connector may know. Crosses threads, so it is plain JSON without secrets. */
export interface EncodeContext {
  /** Owner mark `entente:<instance>`. */
  readonly owner: string;
  /** Random id made with the state file; a second daemon of the same name has another one. */
  readonly writer: string;
  /** Revision under which this change is sent. Greater than every earlier one of this state file. */
  readonly revision: number;
  /** Epoch milliseconds of this push. */
  readonly now: number;
  /** From `settings(config)`. */
  readonly settings: Json;
  /** From the last successful `open()`; null before (`plan --offline`). */
  readonly facts: Json;
}

/** `slot` = the product's own identity of the row; two keys may share one (a set that folds case). */
export interface Encoded {
  readonly slot: string;
  readonly body: string;
}

/** The product or our mapping cannot hold this entry; it is parked with this reason. */
export interface Refusal {
  readonly refused: string;
}

export type { Change } from './change.ts';

export type Outcome = { readonly key: EntryKey } & (
  | { readonly kind: 'applied'; readonly handle?: string }
  /** Taken, result later: ask `settle(receipt)`. */
  | { readonly kind: 'accepted'; readonly receipt: string }
  /** The product holds a higher revision than the one sent. */
  | { readonly kind: 'superseded'; readonly revision: number }
  | ({ readonly kind: 'failed' } & { readonly failure: Failure })
);

/** A place in the SIEM that holds entries (index, collection, set), with an identity that changes when it is made anew. */
export interface Container {
  readonly name: string;
  readonly identity: string;
}

/** The control record that says who writes here. `at` is epoch milliseconds. */
export interface WriterMark {
  readonly writer: string;
  readonly boot: string;
  readonly revision: number;
  readonly at: number;
  /** The newest checkpoint of the record of what was done: size, root and signature in one line. */
  readonly checkpoint?: string;
}

/** An entry that carries our owner mark, as the SIEM holds it. */
export interface OwnedEntry {
  readonly key: EntryKey;
  readonly slot: string;
  readonly writer: string;
  readonly revision: number;
  readonly until?: number;
  readonly handle?: string;
}

export interface Probe {
  readonly ok: boolean;
  /** One line for people: product and version, or what is wrong and what to do. */
  readonly message: string;
  readonly failure?: Failure;
}

export interface HitPage {
  readonly hits: readonly Hit[];
  /** Where to go on once these are committed. It overlaps what was read, so hits come again; the store knows them. */
  readonly cursor: Json;
}

/** Reads what the product itself matched against our entries (alerts, threat activity, offenses). */
export interface HitReader {
  /** Why the last reading had nothing to read at all, for people (no alerts are there yet); undefined where it had. */
  readonly idle?: string | undefined;
  /** From `cursor` to what is searchable now, oldest first. Undefined cursor = from now on, less the overlap. */
  read(cursor: Json | undefined, signal: AbortSignal): AsyncIterable<HitPage>;
}

/** Finds events that match given entries, where nothing in the product matches by itself. */
export interface EventSearch {
  /** As in HitReader. */
  readonly idle?: string | undefined;
  /** Most entries of one search. */
  readonly maxEntries: number;
  /** How far a next search reaches back over the end of the one before: events are indexed late and out of order. */
  readonly overlapMs: number;
  /** Events that were indexed within the window, epoch milliseconds. Every event of one entry has a dedupe of its own. */
  search(
    entries: readonly Observable[],
    window: { readonly from: number; readonly to: number },
    signal: AbortSignal,
  ): AsyncIterable<readonly Hit[]>;
}

export interface SiemConnector {
  /**
   * Contacts the SIEM with the rights that real work needs and changes nothing there. Never throws. With `hits`, reading
   * them is asked for as well.
   */
  probe(signal: AbortSignal, asked?: { readonly hits: boolean }): Promise<Probe>;
  /** Negotiates versions and provisions what is missing (unless `provision: never`). */
  open(signal: AbortSignal): Promise<{ readonly facts: Json; readonly containers: readonly Container[] }>;
  /** Cheap; asked each cycle. A missing container is left out. */
  containers(signal: AbortSignal): Promise<readonly Container[]>;
  /** Reads the writer mark; when `mine` is given, also writes it. Returns the mark that stood before. */
  writer(mine: WriterMark | undefined, signal: AbortSignal): Promise<WriterMark | undefined>;
  /** Exactly one outcome per change, matched by key. A thrown ConnectorError holds for the whole batch. */
  apply(batch: Batch, signal: AbortSignal): Promise<readonly Outcome[]>;
  settle?(receipt: string, signal: AbortSignal): Promise<readonly Outcome[] | 'pending'>;
  /** Only what carries our owner mark. With `slots`, only those rows. Pages of at most 5,000. */
  list(filter: { readonly slots?: readonly string[] }, signal: AbortSignal): AsyncIterable<readonly OwnedEntry[]>;
  /** How many rows without our mark stand in our containers; undefined where the product cannot tell cheaply. */
  foreign?(signal: AbortSignal): Promise<number | undefined>;
  /**
   * What a person has to mend though work goes on: one container of several cannot be used, or forgets too soon. Known
   * from the last call; the SIEM is failing as long as it stands. Changes that wait for it fail with kind `config` and a
   * code that begins with `place_`, which holds up no others.
   */
  trouble?(): Failure | undefined;
  /** Removes what we keep there beside entries (writer mark, markers), and names what was made for us and stays. */
  leave?(signal: AbortSignal): Promise<{ readonly removed: number; readonly stays: readonly string[] }>;
  readonly hits?: HitReader;
  readonly search?: EventSearch;
  close(): Promise<void>;
}

export interface SiemDeps {
  readonly name: string;
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Makes an HTTP client with this peer's TLS, proxy and time-outs already set; the connector adds its own. */
  readonly http: (options: HttpOptions) => HttpClient;
}

export interface SiemLimits {
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly concurrency: number;
}

/**
 * The pure half of a definition. It runs on the store's thread, so its module imports nothing that is not needed
 * there: no zod, no client, no connector.
 */
export interface SiemEncoder<T extends string = string> {
  readonly type: T;
  readonly observables: readonly ObservableType[];
  /** True when the product itself refuses a write with a lower revision, so that a late first write cannot win. */
  readonly versioned: boolean;
  /** True when two keys can share one slot. */
  readonly foldsSlots: boolean;
  /** Name of the container that holds this type. */
  container(type: ObservableType, settings: Json): string;
  /** The product's identity of the row for this observable. */
  slot(type: ObservableType, value: string, settings: Json): string;
  /** Pure, synchronous, thread-safe. */
  encode(entry: Entry, context: EncodeContext): Encoded | Refusal;
  /** Wire form of one change inside a batch; by default the body of an upsert, and nothing for a removal. */
  frame?(change: Change, body: string, context: EncodeContext): string;
}

export interface SiemDefinition<C extends { readonly type: string } = { readonly type: string }>
  extends SiemEncoder<C['type']> {
  /** strictObject with a literal `type`; core adds the keys that every SIEM takes. */
  readonly config: z.ZodType<C>;
  readonly limits: SiemLimits;
  /**
   * The longest time after which a call whose answer was lost can still take effect in this product, what stands
   * before it included. The engine looks at such rows again after it, and once more in the next audit.
   */
  readonly longestCallMs: number;
  /** Re-send entries that were not written for so long, where the product forgets old ones. */
  readonly refreshAfterDays?: number;
  /** The same, where it depends on the configuration. */
  refreshAfter?(config: C): number;
  /** True when its connector has `hits` or `search`. */
  readonly readsHits?: boolean;
  /** Most entries of one container unless configuration says otherwise. */
  readonly maxEntries?: number;
  /** Where the product answers, if not only at what stands under `url`. */
  urls?(config: C): readonly string[];
  /** What the encoder needs of the configuration. A change of it re-sends what it changes. */
  settings(config: C, instance: string): Json;
  /** Where entries go, as comparable texts: two configured SIEMs must not share one. Defaults may be made from the instance. */
  places(config: C, instance: string): readonly string[];
  /** Loads what only a working connector needs; contacts nobody. */
  create(config: C, deps: SiemDeps): Promise<SiemConnector>;
}

export function defineSiem<C extends { readonly type: string }>(definition: SiemDefinition<C>): SiemDefinition<C> {
  return definition;
}
