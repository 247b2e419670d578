// From hits to what may leave: hits, aggregates, release decisions, outbox rows and the hit cursor change in one
// transaction, so that a crash at any line neither loses a hit nor counts it twice.
import type { Grid } from '../../inventory/aggregate.ts';
import { hitDigest } from '../../model/digest.ts';
import type { Json } from '../../model/json.ts';
import { entryKey, type Observable } from '../../model/observable.ts';
import type { Hit, Posted } from '../../model/sighting.ts';
import { Releases } from '../rows/releases.ts';
import type { ReleaseSpec } from '../spec/spec.ts';
import type { ExchangeState, SiemState, StoreContext } from '../unit/context.ts';
import type { Sweeps } from '../unit/sweeps.ts';
import { HeldSightings } from './held-sightings.ts';
import { moveHitCursor } from './hit-source.ts';
import { BY_HAND, DAY_MS, type HitReport, Hits } from './hits.ts';
import { Outbox } from './outbox.ts';
import { notePlaces } from './places.ts';
import { postedUnder, receipts } from './posted.ts';
import { Telling } from './telling.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Where a step of retention took fewer of each kind there are no more. */
const FULL_STEP = 2000;

/** Where the configuration says nothing. */
const NOTHING: ReleaseSpec = {
  rules: [],
  reporting: [],
  windowMinutes: 60,
  precisionMinutes: 60,
  delayMinutes: 0,
  minCount: 1,
  holdHours: 72,
  ignore: [],
  hitsDays: 30,
  sightingsDays: 365,
};

export class Sightings {
  readonly outbox: Outbox;
  readonly held: HeldSightings;
  readonly #store: StoreContext;
  readonly #spec: ReleaseSpec;
  readonly #grid: Grid;
  readonly #hits: Hits;
  readonly #telling: Telling;

  constructor(store: StoreContext, sweeps: Sweeps) {
    this.#store = store;
    this.#spec = store.spec.release ?? NOTHING;
    const { windowMinutes, precisionMinutes } = this.#spec;
    this.#grid = { windowMs: windowMinutes * MINUTE_MS, precisionMs: precisionMinutes * MINUTE_MS };
    const releases = new Releases(store.db, this.#spec, notePlaces(store));
    this.held = new HeldSightings(store, releases);
    this.outbox = new Outbox(store, releases, this.held);
    this.#hits = new Hits(store, this.#grid, releases);
    this.#telling = new Telling(store, sweeps, this.#grid, releases, this.outbox);
  }

  /** Entries whose lifetime may have been renewed by the hits of the running unit. */
  get renewed(): Set<number> {
    return this.#hits.renewed;
  }

  /** Without a cursor the hits are kept and the place stays: a search goes on over further entries. */
  commit(siem: SiemState, hits: readonly Hit[], cursor: Json | undefined, now: number): HitReport {
    const report = this.#add(siem, hits, now);
    if (cursor !== undefined) moveHitCursor(this.#store, siem, cursor);
    return report;
  }

  /** A person says that a value is no threat: a negative hit of the entry, as of now. */
  disown(observables: readonly Observable[], suppressions: readonly number[], now: number): void {
    const hits = observables.map(({ type, value }, n): Hit => {
      const dedupe = hitDigest('suppress', String(suppressions[n]));
      return { key: entryKey(type, value), verdict: 'false_positive', first: now, last: now, count: 1, dedupe };
    });
    this.#add(BY_HAND, hits, now);
  }

  #add(siem: { readonly id: number }, hits: readonly Hit[], now: number): HitReport {
    const { report, windows } = this.#hits.add(siem, hits, now);
    this.#telling.tell(windows, now);
    return report;
  }

  /** That are to be asked for, with what each stands for. */
  receipts(to: ExchangeState): { receipt: string; posted: Posted[] }[] {
    const { precisionMs } = this.#grid;
    return receipts(this.#store, to).map((receipt) => ({
      receipt,
      posted: postedUnder(this.#store, to, receipt, precisionMs),
    }));
  }

  /** Ends holds nobody decided and drops what is older than it may be kept, a step at a time. */
  retain(now: number): { dropped: number; more: boolean } {
    const expired = this.held.expire(now - this.#spec.holdHours * HOUR_MS, now);
    const dropped = [...this.#hits.retain(now), this.outbox.retain(now - this.#spec.sightingsDays * DAY_MS)];
    return { dropped: dropped.reduce((sum, n) => sum + n, 0), more: [expired, ...dropped].some((n) => n >= FULL_STEP) };
  }
}
