// The store: whole units of work, each one transaction. Synchronous, so that the simulation can run it in its own
// thread; the daemon runs it on a worker (remote.ts). Reading for people goes through read/.
import { fromBrief } from '../audit/note.ts';
import type { OwnedEntry } from '../contracts/siem-connector.ts';
import type { Failure } from '../model/failure.ts';
import type { Hit, Posted, Sighting } from '../model/sighting.ts';
import type { Json } from '../model/json.ts';
import { entryKey, OBSERVABLE_TYPES, type Observable } from '../model/observable.ts';
import { Adoption } from './delivery/adoption.ts';
import { Comparison, type ComparisonReport } from './delivery/comparison.ts';
import type { BuiltBatch } from './delivery/batch-builder.ts';
import { Batches } from './delivery/batches.ts';
import { AUDIT_ORIGIN, type AuditHead, Checkpoints, type FoundCheckpoint } from './record/checkpoints.ts';
import { Brakes } from './projection/brakes.ts';
import { DEFAULT_AUDIT, saneRevision, StoreContext } from './unit/context.ts';
import { Containers } from './delivery/containers.ts';
import { Crowds } from './projection/crowds.ts';
import { copyState, type OpenOptions, StateAway } from './state/open.ts';
import { Doubts, type Doubtful } from './delivery/doubts.ts';
import { Explanations } from './unit/explanations.ts';
import { Explaining } from './ingest/explaining.ts';
import { Findings } from './delivery/findings.ts';
import { Flights } from './delivery/flights.ts';
import { HoldTable } from './projection/hold-table.ts';
import { Holds } from './projection/holds.ts';
import { Links } from './ingest/links.ts';
import { Listing } from './ingest/listing.ts';
import type { OnLists } from './spec/lists.ts';
import { type CommitReport, emptyReport } from './ingest/commit-report.ts';
import { Objects } from './ingest/objects.ts';
import { tlpOf } from './rows/open-markings.ts';
import { People, type Refused, UNTIL_LIFTED, type Off } from './projection/people.ts';
import { Projector } from './projection/projection.ts';
import { registerRespelling } from './ingest/respelling.ts';
import { type SettleReport, type Settlement, Settling } from './delivery/settling.ts';
import { Snapshots } from './ingest/snapshots.ts';
import { Stride } from './unit/stride.ts';
import { mostOfStep, Sweeps } from './unit/sweeps.ts';
import { Touched } from './unit/touched.ts';
import { ReadBack } from './delivery/read-back.ts';
import { RecordRetention } from './record/retention.ts';
import { type RecordCheck, RecordWatch } from './record/watch.ts';
import { type Act, ENTENTE, words } from './record/records.ts';
import { Receipts } from './delivery/receipts.ts';
import { Retention } from './ingest/retention.ts';
import { Seats } from './projection/seats.ts';
import { insertRequest, requestOutcome, Requests, type StoredRequest } from './unit/requests.ts';
import { STATE, type StoredScope } from './rows/rows.ts';
import { keepSamples, type Sample } from './rows/samples.ts';
import { recover } from './delivery/recovery.ts';
import { StandRuns } from './projection/stand-runs.ts';
import { StandTable } from './projection/stand-table.ts';
import type { SendSettlement } from './sightings/outbox.ts';
import { type HitReport, Sightings } from './sightings/sightings.ts';
import type { SiemEncoder } from '../contracts/siem-connector.ts';
import type { StoreSpec } from './spec/spec.ts';
import { arriving, type PackedPage, unpackPage } from './ingest/wire.ts';
import type { Page } from '../contracts/exchange-connector.ts';

/** Rows a background step handles at most, so that no unit keeps others waiting long. */
const STEP = 2000;
/** How often a task under way in a SIEM is asked for. */
const RECEIPT_MS = 1000;

export interface SiemFacts {
  readonly facts: Json;
  readonly containers: Readonly<Record<string, string>>;
  readonly adopting: boolean;
  /** When everything there was last compared and put right. */
  readonly repairedAt: number | undefined;
  /** When that is to be done once more, after something was taken over. */
  readonly listAgain: number | undefined;
  /** What the mark that was written last says may have been written. */
  readonly marked: number | undefined;
}

/** As a SIEM holds it, with numbers that the ledger can keep. */
function sane(one: OwnedEntry): OwnedEntry {
  const revision = saneRevision(one.revision);
  const dated = one.until === undefined || Number.isSafeInteger(one.until);
  if (revision === one.revision && dated) return one;
  const { until, ...rest } = one;
  return { ...rest, revision, ...(dated && until !== undefined ? { until } : {}) };
}

/** Holds and held sightings, each with the code of what the person was shown. */
export interface Decided {
  readonly holds: readonly { readonly id: number; readonly set: string }[];
  readonly sightings: readonly { readonly id: number; readonly set: string }[];
}

/** What was decided, for the record: about whom and how many, never what. */
export interface Decisions {
  readonly holds: readonly { id: number; kind: string; siem: string; exchange: string; entries: number }[];
  readonly sightings: readonly { id: number; exchange: string; count: number }[];
}

export class Store {
  readonly #store: StoreContext;
  readonly #brakes: Brakes;
  readonly #holdTable: HoldTable;
  readonly #holds: Holds;
  readonly #stands: StandTable;
  readonly #runs: StandRuns;
  readonly #projector: Projector;
  readonly #context: Explanations;
  readonly #explaining: Explaining;
  readonly #objects: Objects;
  readonly #seats: Seats;
  readonly #flights = new Flights();
  readonly #touched = new Touched();
  readonly #stride: Stride;
  readonly #sweeps: Sweeps;
  readonly #crowds: Crowds;
  readonly #batches: Batches;
  readonly #settling: Settling;
  readonly #receipts: Receipts;
  readonly #readBack: ReadBack;
  readonly #comparison: Comparison;
  readonly #adoption: Adoption;
  readonly #containers: Containers;
  readonly #doubts: Doubts;
  readonly #listing: Listing;
  readonly #snapshots: Snapshots;
  readonly #retention: Retention;
  readonly #people: People;
  readonly #requests: Requests;
  readonly #sightings: Sightings;
  readonly #checkpoints: Checkpoints;
  readonly #watch: RecordWatch;
  readonly #recordRetention: RecordRetention;

  /** `watch`: milliseconds that only grow; steps of long work are as long as they may be by it (stride.ts). */
  constructor(
    spec: StoreSpec,
    encoders: ReadonlyMap<string, SiemEncoder>,
    options: Pick<OpenOptions, 'onAway'> & { readonly watch?: () => number } = {},
  ) {
    this.#store = new StoreContext(spec, encoders, options);
    this.#brakes = new Brakes(this.#store);
    this.#holdTable = new HoldTable(this.#store);
    this.#stands = new StandTable(this.#store, this.#holdTable);
    this.#runs = new StandRuns(this.#store);
    recover(this.#store, this.#stands, this.#runs);
    this.#seats = new Seats(this.#store, this.#stands);
    this.#projector = new Projector(this.#store, this.#brakes, this.#holdTable, this.#stands, this.#seats);
    this.#context = new Explanations(this.#store);
    this.#stride = new Stride(mostOfStep(this.#store.siems.length), options.watch);
    this.#sweeps = new Sweeps(this.#store, this.#stride);
    this.#crowds = new Crowds(this.#store, this.#projector, this.#sweeps);
    this.#holds = new Holds(
      this.#store,
      this.#holdTable,
      this.#brakes,
      this.#projector,
      this.#stands,
      this.#sweeps,
      this.#crowds,
    );
    const links = new Links(this.#store, this.#touched);
    this.#explaining = new Explaining(this.#store, this.#context, links, this.#sweeps, this.#brakes);
    this.#objects = new Objects(this.#store, this.#projector, this.#stands, this.#context, this.#touched, links);
    this.#batches = new Batches(
      this.#store,
      this.#projector,
      this.#stands,
      this.#runs,
      this.#context,
      this.#flights,
      this.#crowds,
      (siem) => {
        const position = this.#sweeps.find('recompute', siem.id, '')?.position;
        return position === undefined ? undefined : Number(position);
      },
    );
    this.#settling = new Settling(this.#store, this.#stands, this.#runs, this.#flights);
    this.#receipts = new Receipts(this.#store, this.#stands, this.#runs, this.#settling);
    this.#readBack = new ReadBack(this.#store, this.#stands);
    const findings = new Findings(this.#store, this.#projector, this.#stands);
    this.#comparison = new Comparison(this.#store, this.#projector, this.#stands, findings);
    this.#adoption = new Adoption(this.#store, this.#stands, this.#brakes, this.#sweeps);
    this.#containers = new Containers(this.#store, this.#projector, this.#stands, this.#sweeps);
    this.#doubts = new Doubts(this.#store, findings);
    this.#listing = new Listing(this.#store, this.#objects, this.#sweeps, this.#brakes);
    this.#snapshots = new Snapshots(this.#store, this.#objects, this.#listing, this.#sweeps, this.#brakes);
    this.#retention = new Retention(this.#store, this.#objects, this.#sweeps);
    this.#people = new People(this.#store, this.#projector, this.#stands, this.#sweeps);
    this.#requests = new Requests(this.#store);
    this.#sightings = new Sightings(this.#store, this.#sweeps);
    this.#checkpoints = new Checkpoints(this.#store);
    this.#watch = new RecordWatch(this.#store);
    this.#recordRetention = new RecordRetention(this.#store);
    registerProjections(this.#sweeps, this.#store, this.#projector, this.#brakes, this.#crowds);
    registerRespelling(this.#sweeps, this.#store, this.#context, this.#touched);
    this.#store.records.opened(tlpOf);
  }

  /** One unit, done again from its start where its database went away in the middle: nothing of it happened then. */
  #unit<T>(now: number, work: (now: number) => T): T {
    for (;;) {
      try {
        return this.#tried(now, work);
      } catch (error) {
        if (!(error instanceof StateAway)) throw error;
        this.#store.db.back(error);
      }
    }
  }

  #tried<T>(now: number, work: (now: number) => T): T {
    const flights = this.#flights.snapshot();
    this.#sweeps.refill();
    try {
      return this.#store.unit(now, (time) => {
        const result = work(time);
        this.#judgeTouched(time);
        this.#holds.judge(time);
        this.#seats.settle(time);
        return result;
      });
    } catch (error) {
      this.#brakes.forget();
      this.#holdTable.forget();
      this.#objects.forget();
      this.#context.forget();
      this.#touched.forget();
      this.#flights.restore(flights);
      this.#projector.forget();
      throw error;
    }
  }

  /** Each entry once, from all its claims. One that thousands of objects name is judged by a sweep, when they are all in. */
  #judgeTouched(now: number): void {
    this.#projector.projectAll(this.#touched.drain(), now, undefined, (one) => this.#crowds.again(one, now));
  }

  // ---- exchanges

  cursor(exchange: string): Json | undefined {
    const row = this.#store.db.get<{ cursor: string | null }>(
      'SELECT cursor FROM exchange WHERE id = ?',
      this.#store.exchange(exchange).id,
    );
    return row === undefined || row.cursor === null ? undefined : (JSON.parse(row.cursor) as Json);
  }

  /** Pages and the cursor of the last one, together. */
  commitPages(exchange: string, given: readonly (PackedPage | Page)[], now: number): CommitReport {
    const state = this.#store.exchange(exchange);
    return this.#unit(now, (time) => {
      // Made in the unit, which may be done again.
      const report = emptyReport();
      const pages = given.map((page) => ('objects' in page ? arriving(page) : unpackPage(page)));
      this.#explaining.take(state, pages, time);
      this.#objects.commit(state, pages, time, report, {
        before: (page) => this.#snapshots.before(state, page),
        after: (page) => this.#snapshots.after(state, page, time),
      });
      const last = pages.at(-1);
      if (last !== undefined) {
        const fresh = report.created + report.changed + report.revoked > 0;
        this.#store.db.run(
          `UPDATE exchange SET cursor = ?${fresh ? ', last_new = ?' : ''} WHERE id = ?`,
          ...(fresh ? [JSON.stringify(last.cursor), time, state.id] : [JSON.stringify(last.cursor), state.id]),
        );
        this.#store.count(`exchange:${state.id}`, 'objects', report.objects);
        const { objects, created, changed, revoked } = report;
        const refused = Object.values(report.refused).reduce((sum, n) => sum + n, 0);
        this.#store.history.polling(exchange, { objects, new: created, changed, revoked, refused }, time);
        report.indicators = state.indicators.n;
      }
      return report;
    });
  }

  /** The poll reached the end of what is published. */
  pollCompleted(exchange: string, now: number): void {
    const state = this.#store.exchange(exchange);
    this.#unit(now, (time) => {
      this.#store.db.run(
        'UPDATE exchange SET poll_completed = ?, last_success = ?, failing_since = NULL, failure = NULL WHERE id = ?',
        time,
        time,
        state.id,
      );
      for (const siem of this.#store.siems) this.#adoption.release(siem, time);
      this.#store.history.polled(exchange, time);
      this.#store.history.recovered('exchange', exchange, time);
    });
    state.firstSync = false;
  }

  /** Remembers success or failure of a peer, for `status` without a daemon. */
  note(role: 'exchange' | 'siem', name: string, failure: Failure | undefined, now: number): void {
    const id = role === 'exchange' ? this.#store.exchange(name).id : this.#store.siem(name).id;
    this.#unit(now, (time) => {
      if (failure === undefined) {
        this.#store.db.run(
          `UPDATE ${role} SET last_success = ?, failing_since = NULL, failure = NULL WHERE id = ?`,
          time,
          id,
        );
        this.#store.history.recovered(role, name, time);
      } else {
        this.#store.db.run(
          `UPDATE ${role} SET last_failure = ?, failing_since = coalesce(failing_since, ?), failure = ? WHERE id = ?`,
          time,
          time,
          // What the peer asked for is not kept: a time of its own making has no place here.
          JSON.stringify({ kind: failure.kind, message: failure.message }),
          id,
        );
        this.#store.history.failed(role, name, failure.message, time);
      }
    });
  }

  /** How the reading of each scope ended, for `status` without a daemon. What is not named is no longer read. */
  noteScopes(exchange: string, scopes: readonly StoredScope[], now: number): void {
    const state = this.#store.exchange(exchange);
    this.#unit(now, () => {
      this.#store.db.run('UPDATE scope SET reading = NULL WHERE exchange_id = ?', state.id);
      for (const { scope, ...reading } of scopes)
        this.#store.db.run(
          'UPDATE scope SET reading = ? WHERE id = ?',
          JSON.stringify(reading),
          this.#objects.scopeId(state, scope),
        );
    });
  }

  beginListing(exchange: string, now: number): number {
    return this.#unit(now, () => this.#listing.begin(this.#store.exchange(exchange)));
  }

  /** Those that showed something which is published; collections, events, files. */
  scopesOf(exchange: string): string[] {
    return this.#listing.scopesOf(this.#store.exchange(exchange));
  }

  listingPart(
    exchange: string,
    run: number,
    scope: string,
    present: readonly { objectId: string }[],
    complete: boolean,
    now: number,
  ): void {
    this.#unit(now, () => this.#listing.part(this.#store.exchange(exchange), run, scope, present, complete));
  }

  /**
   * Over: what every scope that ever showed it was listed without has vanished. With `withdraw`, its claims end; otherwise
   * what is missed for the first time is only counted. One step: to be asked again while there is more.
   */
  endListing(exchange: string, run: number, withdraw: boolean, now: number): { vanished: number; more: boolean } {
    return this.#unit(now, (time) => this.#listing.end(this.#store.exchange(exchange), run, withdraw, time));
  }

  // ---- time and rules

  /** Entries whose moment has come, and one step of a recomputation after a change of configuration. */
  tick(now: number, expiryPaused: boolean): { changed: number; more: boolean; nextDue: number | undefined } {
    return this.#unit(now, (time) => {
      this.#stride.begins();
      const most = this.#stride.rows;
      let handled = 0;
      let changed = 0;
      let more = false;
      let crowded = 0;
      if (!expiryPaused) {
        const rows = this.#store.db.all<{ siem_id: number; entry_id: number }>(
          'SELECT siem_id, entry_id FROM projection WHERE due IS NOT NULL AND due <= ? ORDER BY due LIMIT ?',
          time,
          most,
        );
        const entries = this.#projector.claims.entries(rows.map((row) => row.entry_id));
        for (const siem of this.#store.siems) {
          const due = rows.flatMap((row) => (row.siem_id === siem.id ? (entries.get(row.entry_id) ?? []) : []));
          const judged = due.map((entry) => ({ entry, reason: { cause: 'expired', exchangeId: 0 } as const }));
          this.#projector.projectAll(judged, time, siem, (one) => {
            crowded++;
            this.#crowds.look(one, time);
          });
          changed += due.length;
        }
        // Its SIEM left the configuration.
        for (const row of rows)
          if (!entries.has(row.entry_id) || !this.#store.siems.some((one) => one.id === row.siem_id))
            this.#stands.neverDue(row.siem_id, row.entry_id);
        // What is gone through by a sweep stays due until that is over.
        more = rows.length === most && crowded < most / 2;
        handled = rows.length;
      }
      // One step's worth in one unit, of whichever kind.
      if (!more) {
        const step = this.#sweeps.step(time);
        more = step.more;
        handled = Math.max(handled, step.rows);
      }
      const next = this.#store.db.get<{ due: number | null }>(
        'SELECT min(due) AS due FROM projection WHERE due IS NOT NULL',
      );
      this.#stride.ended(handled);
      // While expiry waits, no moment is due.
      return { changed, more: more || this.#seats.more, nextDue: expiryPaused ? undefined : (next?.due ?? undefined) };
    });
  }

  // ---- SIEMs

  siemFacts(siem: string): SiemFacts {
    const row = this.#store.db.get<{
      facts: string;
      containers: string;
      adopted_at: number | null;
      repaired_at: number | null;
      list_again: number | null;
      marked: number | null;
    }>(
      'SELECT facts, containers, adopted_at, repaired_at, list_again, marked FROM siem WHERE id = ?',
      this.#store.siem(siem).id,
    )!;
    return {
      facts: JSON.parse(row.facts) as Json,
      containers: JSON.parse(row.containers) as Record<string, string>,
      adopting: row.adopted_at !== null,
      repairedAt: row.repaired_at ?? undefined,
      listAgain: row.list_again ?? undefined,
      marked: row.marked ?? undefined,
    };
  }

  /** After `open`: what was negotiated. Other facts may mean another mapping, so refused rows are tried again. */
  opened(siem: string, facts: Json, now: number): void {
    const state = this.#store.siem(siem);
    this.#unit(now, (time) => {
      const before = JSON.stringify(state.facts);
      state.facts = facts;
      this.#store.db.run('UPDATE siem SET facts = ? WHERE id = ?', JSON.stringify(facts), state.id);
      if (before !== JSON.stringify(facts)) this.#people.retryRefused(state, 'all', time);
    });
  }

  /**
   * Containers as the SIEM has them now. Rows of one that is gone, was made anew or is named for the first time
   * become absent. One step: to be asked again while `more`, before anything is sent.
   */
  containers(
    siem: string,
    found: Readonly<Record<string, string>>,
    now: number,
  ): { lost: string[]; rows: number; more: boolean } {
    const state = this.#store.siem(siem);
    return this.#unit(now, (time) => this.#containers.note(state, found, time));
  }

  takeBatch(
    siem: string,
    limits: { maxItems: number; maxBytes: number },
    now: number,
    which: 'all' | 'removals' = 'all',
  ): BuiltBatch | undefined {
    return this.#unit(now, (time) => this.#batches.take(this.#store.siem(siem), limits, time, which));
  }

  /** `bytes`, if given, are those of the batch, to be used for another one. */
  settleAll(batchId: number, now: number, bytes?: ArrayBuffer): SettleReport {
    if (bytes !== undefined) this.#batches.giveBack(bytes);
    return this.#unit(now, () => this.#settling.all(batchId));
  }

  settle(batchId: number, settlements: readonly Settlement[], now: number): SettleReport {
    return this.#unit(now, () => this.#settling.settle(batchId, settlements));
  }

  /** When work is next due at this SIEM: 0 = now, undefined = none. */
  nextWork(siem: string, now: number): number | undefined {
    const { id } = this.#store.siem(siem);
    const ready = this.#store.db.get(
      `SELECT 1 AS one FROM projection INDEXED BY projection_work WHERE siem_id = ? AND state <> 0 AND state IN (1, 2) AND (next_at IS NULL OR next_at <= ?) LIMIT 1`,
      id,
      now,
    );
    if (ready !== undefined) return 0;
    const later = this.#store.db.all<{ state: number; at: number | null }>(
      'SELECT state, min(coalesce(next_at, 0)) AS at FROM projection INDEXED BY projection_work WHERE siem_id = ? AND state <> 0 AND state IN (1, 2, 4, 5) GROUP BY state',
      id,
    );
    // A receipt is asked for again after a while; an uncertain row is read back by the next cycle.
    const times = later.map((row) =>
      row.state === STATE.accepted ? now + RECEIPT_MS : Math.max(now + 1, row.at ?? 0),
    );
    return times.length === 0 ? undefined : Math.min(...times);
  }

  uncertain(siem: string, limit: number, now: number): { slots: string[]; entryIds: number[] } {
    return this.#readBack.uncertain(this.#store.siem(siem), now, limit);
  }

  resolve(siem: string, entryIds: readonly number[], owned: readonly OwnedEntry[], now: number): void {
    this.#unit(now, () => this.#readBack.resolve(this.#store.siem(siem), entryIds, owned.map(sane)));
  }

  /** Values of which a call was lost: it may have landed since they were looked at last. */
  doubtful(siem: string, limit: number, now: number): Doubtful {
    return this.#doubts.due(this.#store.siem(siem), now, limit);
  }

  /** What their slots held. Returns how many had changed behind our back; they go to work. */
  lookedAt(siem: string, looked: readonly Observable[], owned: readonly OwnedEntry[], now: number): number {
    return this.#unit(now, () => this.#doubts.seen(this.#store.siem(siem), looked, owned.map(sane)));
  }

  /** True when something that must go has not been tried since it is to go: no pause holds it up. */
  urgent(siem: string): boolean {
    return (
      this.#store.db.get(
        `SELECT 1 AS one FROM projection INDEXED BY projection_work
         WHERE siem_id = ? AND state <> 0 AND state IN (${STATE.remove}, ${STATE.uncertain}) AND wanted = 0 AND next_at IS NULL LIMIT 1`,
        this.#store.siem(siem).id,
      ) !== undefined
    );
  }

  /** A try failed before it came to these: they wait like those it was about. */
  postpone(siem: string, until: number, now: number): void {
    this.#unit(now, () => this.#runs.waitUntil(this.#store.siem(siem), until));
  }

  /** The SIEM is well again, or a person says so: what waits for a time waits no more. */
  dueAtOnce(siem: string, now: number): void {
    this.#unit(now, () => this.#runs.atOnce(this.#store.siem(siem)));
  }

  /** Parked rows that go to work again. How many. */
  retryRefused(siem: string, which: Refused, now: number): void {
    this.#unit(now, (time) => this.#people.retryRefused(this.#store.siem(siem), which, time));
  }

  /** One row that stands there is written again as it is, to see whether anything is taken. False when there is none. */
  sendAgain(siem: string, now: number): boolean {
    return this.#unit(now, () => this.#people.sendAgain(this.#store.siem(siem)));
  }

  receipts(siem: string): string[] {
    return this.#receipts.open(this.#store.siem(siem));
  }

  settleReceipt(
    siem: string,
    receipt: string,
    outcomes: readonly { key: string; settlement: Settlement }[],
    now: number,
  ): SettleReport {
    return this.#unit(now, () => this.#receipts.settle(this.#store.siem(siem), receipt, outcomes));
  }

  beginComparison(siem: string, repair: boolean, now: number): void {
    this.#unit(now, () => this.#comparison.begin(this.#store.siem(siem), repair));
  }

  comparePart(siem: string, owned: readonly OwnedEntry[], now: number): void {
    this.#unit(now, (time) => this.#comparison.part(this.#store.siem(siem), owned.map(sane), time));
  }

  endComparison(siem: string, now: number): ComparisonReport {
    return this.#unit(now, (time) => this.#comparison.end(this.#store.siem(siem), time));
  }

  /** `others`: somebody else wrote there, or a life of this state that it does not know of. */
  adopted(siem: string, floor: number, now: number, others = false, listed = false): void {
    this.#unit(now, (time) => {
      this.#store.raiseFloor(floor);
      this.#adoption.begin(this.#store.siem(siem), others, listed, this.#projector.suppressions.at(time), time);
    });
  }

  /**
   * What the next mark at the SIEM says, noted before it is written: a state that does not know of a mark that is found
   * there is older than it.
   */
  marking(siem: string, now: number): { writer: string; revision: number; checkpoint?: string } {
    const checkpoint = this.#checkpoints.newest();
    return this.#unit(now, () => {
      const { revision, writer } = this.#store;
      this.#store.db.run('UPDATE siem SET marked = ? WHERE id = ?', revision, this.#store.siem(siem).id);
      return { writer, revision, ...(checkpoint === undefined ? {} : { checkpoint }) };
    });
  }

  // ---- people

  /** `falsePositive`: the person says it is no threat, which counts as a negative hit. */
  suppress(
    observables: readonly Observable[],
    until: number,
    reason: string,
    by: string,
    now: number,
    falsePositive = false,
  ): number[] {
    return this.#unit(now, (time) => {
      const detail = { reason: words(reason), until: new Date(until).toISOString(), false_positive: falsePositive };
      this.#store.records.act({ action: 'suppress', actor: by, detail, rows: rowsOf('suppress', observables) });
      const ids = this.#off(observables, { until, reason }, by, time);
      if (falsePositive) this.#sightings.disown(observables, ids, time);
      return ids;
    });
  }

  /** Off every SIEM until somebody lifts it. */
  callHarmless(observables: readonly Observable[], review: number, reason: string, by: string, now: number): number[] {
    return this.#unit(now, (time) => {
      const detail = { reason: words(reason), review: new Date(review).toISOString() };
      this.#store.records.act({ action: 'harmless', actor: by, detail, rows: rowsOf('harmless', observables) });
      return this.#off(observables, { until: UNTIL_LIFTED, reason, review }, by, time);
    });
  }

  /** A SIEM that is being taken over may hold them though nobody knows of it yet. */
  #off(observables: readonly Observable[], off: Off, by: string, now: number): number[] {
    const ids = this.#people.suppress(observables, off, by, now);
    for (const siem of this.#store.siems) this.#adoption.takeOff(siem, observables, now);
    return ids;
  }

  lift(id: number, now: number, what: 'suppress' | 'harmless' = 'suppress', by = ENTENTE): void {
    this.#unit(now, (time) => {
      const lifted = this.#people.lift(id, what, time);
      this.#store.records.act({ action: 'lift', actor: by, detail: { of: what, id }, rows: rowsOf('lift', [lifted]) });
    });
  }

  retryParked(only: string | undefined, now: number): number {
    return this.#unit(now, (time) => this.#people.retryParked(only, time));
  }

  /** All of what a person decides on at once, or nothing: each under the code of what was shown. */
  decide(what: Decided, decision: 'approve' | 'reject', by: string, reason: string, now: number): Decisions {
    return this.#unit(now, (time) => {
      const decisions = this.#decideAll(what, decision, by, reason, time);
      this.#store.records.act(decidedAct(what, decisions, decision, by, reason));
      return decisions;
    });
  }

  #decideAll(what: Decided, decision: 'approve' | 'reject', by: string, reason: string, time: number): Decisions {
    const exchangeOf = (id: number) => this.#store.exchangeNames.get(id) ?? '(adopted)';
    return {
      holds: what.holds.map(({ id, set }) => {
        const { kind, siem_id, exchange_id, entries } = this.#holds.decide(id, decision, set, by, reason, time);
        const siem = this.#store.siems.find((one) => one.id === siem_id)?.spec.name ?? '(removed)';
        return { id, kind, siem, exchange: exchangeOf(exchange_id), entries };
      }),
      sightings: what.sightings.map(({ id, set }) => {
        const row = this.#sightings.outbox.decideHeld(id, decision, set, by, reason, time);
        return { id, exchange: exchangeOf(row.exchange_id), count: row.n };
      }),
    };
  }

  /** A purge emptied the SIEM: nothing of it is present any more. What this does not come to, ticks do. */
  purged(siem: string, now: number): void {
    this.#unit(now, (time) => this.#containers.purged(this.#store.siem(siem), time));
  }

  claimRequest(now: number): StoredRequest | undefined {
    return this.#unit(now, (time) => this.#requests.claim(time));
  }

  finishRequest(id: number, outcome: Json, now: number): void {
    this.#unit(now, (time) => this.#requests.finish(id, outcome, time));
  }

  /** What a page asks for, on the way that commands take. */
  makeRequest(kind: string, args: Json, by: string, now: number): number {
    return this.#unit(now, (time) => insertRequest(this.#store.db, kind, args, by, time));
  }

  requestOutcome(id: number): Json | undefined {
    return requestOutcome(this.#store.db, id);
  }

  keepSamples(samples: readonly Sample[], now: number): void {
    this.#unit(now, (time) => keepSamples(this.#store.db, samples, time));
  }

  dataVersion(): number {
    return this.#store.db.dataVersion();
  }

  /** A fact about the running daemon, for commands beside it. */
  remember(name: 'configuration' | 'listens', text: string, now: number): void {
    this.#unit(now, () => this.#store.setMeta(name, text));
  }

  /** On which never-block lists of files each of them stands, for who asks without having them. */
  onLists(observables: readonly Observable[]): OnLists[] {
    return this.#store.onLists(observables);
  }

  identity(): { writer: string; revision: number; openedRevision: number; engineTime: number } {
    return {
      writer: this.#store.writer,
      revision: this.#store.lastRevision,
      openedRevision: this.#store.openedRevision,
      engineTime: this.#store.engineTime,
    };
  }

  /** Drops what is long gone, a step at a time. */
  retain(goneDays: number, now: number): { dropped: number; more: boolean } {
    return this.#unit(now, (time) => {
      this.#brakes.prune(time);
      this.#holdTable.prune(time - goneDays * 86_400_000);
      // A partner that still publishes it shows it again.
      this.#store.db.run(
        'DELETE FROM unreadable WHERE id IN (SELECT id FROM unreadable WHERE seen < ? LIMIT ?)',
        time - goneDays * 86_400_000,
        STEP,
      );
      return this.#retention.step(time - goneDays * 86_400_000, STEP, time);
    });
  }

  // ---- sightings

  hitCursor(siem: string): Json | undefined {
    return this.#sightings.cursor(this.#store.siem(siem));
  }

  /** Hits, what they make to be told, and the place to read on from, together. */
  commitHits(siem: string, hits: readonly Hit[], cursor: Json | undefined, now: number): HitReport {
    return this.#unit(now, (time) => {
      const { renewed } = this.#sightings;
      renewed.clear();
      const report = this.#sightings.commit(this.#store.siem(siem), hits, cursor, time);
      for (const entry of this.#projector.claims.entries([...renewed]).values())
        this.#touched.add(entry, { cause: 'none', exchangeId: 0 });
      return report;
    });
  }

  /** `idle`: why nothing could be read, though nothing failed. */
  noteHits(siem: string, failure: Failure | undefined, now: number, idle?: string): void {
    this.#unit(now, (time) => this.#sightings.note(this.#store.siem(siem), failure, time, idle));
  }

  presentEntries(siem: string, after: number, limit: number): { entries: Observable[]; last: number | undefined } {
    return this.#sightings.present(this.#store.siem(siem), after, limit);
  }

  /** Due sightings, judged again; they count as being sent until they are settled. */
  takeSightings(exchange: string, limit: number, now: number): Sighting[] {
    return this.#unit(now, (time) => this.#sightings.outbox.take(this.#store.exchange(exchange), limit, time));
  }

  settleSightings(exchange: string, settlements: readonly SendSettlement[], now: number): void {
    this.#unit(now, (time) => this.#sightings.outbox.settle(this.#store.exchange(exchange), settlements, time));
  }

  sendReceipts(exchange: string): { receipt: string; posted: Posted[] }[] {
    const to = this.#store.exchange(exchange);
    const { outbox } = this.#sightings;
    return outbox.receipts(to).map((receipt) => ({ receipt, posted: outbox.postedUnder(to, receipt) }));
  }

  nextSending(exchange: string): number | undefined {
    return this.#sightings.outbox.nextDue(this.#store.exchange(exchange));
  }

  /** Refused by an exchange for good: tried again, all of them or one. */
  retrySightings(only: number | undefined, now: number): number {
    return this.#unit(now, (time) => this.#sightings.outbox.retryFailed(only, time));
  }

  retainSightings(now: number): { dropped: number; more: boolean } {
    return this.#unit(now, (time) => this.#sightings.retain(time));
  }

  // ---- the record

  /** What a person had done that no unit of its own tells of, and what was asked for and refused. */
  acted(action: 'request' | 'refused', by: string, detail: Act['detail'], now: number, refusal?: string): void {
    this.#unit(now, () => {
      // Words of ours may name values, and go with them.
      const rows =
        refusal === undefined
          ? []
          : [{ siem: null, op: 'refuse' as const, key: null, reason: words(refusal), object: null, marking: null }];
      this.#store.records.act({ action, actor: by, detail, rows });
    });
  }

  auditHead(): AuditHead {
    return this.#checkpoints.head();
  }

  /** Whether the end of the record is what was written and signed. */
  checkRecord(now: number): RecordCheck {
    return this.#unit(now, (time) => this.#watch.check(time));
  }

  auditKey(key: string, proof: string | undefined, now: number): void {
    this.#unit(now, () => this.#checkpoints.key(key, proof));
  }

  keepCheckpoint(size: number, note: string, now: number): void {
    this.#unit(now, (time) => this.#checkpoints.keep(size, note, time));
  }

  /** Checkpoints found elsewhere. How many of them are not of this record: they are named in it from now on. */
  foundCheckpoints(found: readonly FoundCheckpoint[], now: number): number {
    return this.#unit(now, () => this.#checkpoints.compare(found));
  }

  /** As the mark in a SIEM has it. */
  foundCheckpoint(siem: string, brief: string, now: number): number {
    const origin = this.#store.meta(AUDIT_ORIGIN) ?? '';
    return this.foundCheckpoints([{ place: siem, note: fromBrief(brief, origin) }], now);
  }

  /** The name of the record, which is `given` if it has none. */
  auditOrigin(given: string, now: number): string {
    return this.#unit(now, () => this.#checkpoints.origin(given));
  }

  /** Values in the record, and the history. */
  retainRecords(now: number): { dropped: number; more: boolean } {
    const before = now - (this.#store.spec.audit ?? DEFAULT_AUDIT).valuesDays * 86_400_000;
    return this.#unit(now, () => {
      const dropped = this.#recordRetention.step(before) + this.#store.history.prune(before, STEP);
      return { dropped, more: dropped > 0 };
    });
  }

  backup(file: string): void {
    copyState(this.#store.spec.path, file);
  }

  close(): void {
    this.#store.close();
  }
}

const rowsOf = (op: 'suppress' | 'harmless' | 'lift', observables: readonly Observable[]): NonNullable<Act['rows']> =>
  observables.map(({ type, value }) => ({
    siem: null,
    op,
    key: entryKey(type, value),
    reason: '',
    object: null,
    marking: null,
  }));

function decidedAct(
  { holds, sightings }: Decided,
  decided: Decisions,
  decision: 'approve' | 'reject',
  by: string,
  reason: string,
): Act {
  const of = (siem: string | null, object: string, says: string) =>
    ({ siem, op: decision, key: null, reason: says, object, marking: null }) as const;
  const rows = [
    ...decided.holds.map(({ id, kind, siem, exchange, entries }, i) =>
      of(siem, `hold ${id}`, `${kind} of ${entries} entries of ${exchange}, shown under ${holds[i]?.set ?? '?'}`),
    ),
    ...decided.sightings.map(({ id, exchange, count }, i) =>
      of(exchange, `sighting s${id}`, `counted ${count}, shown under ${sightings[i]?.set ?? '?'}`),
    ),
  ];
  const detail = { decision, reason: words(reason), holds: holds.length, sightings: sightings.length };
  return { action: 'decide', actor: by, detail, rows };
}

/** The sweep that computes wanted state of a SIEM anew, after a change of configuration. */
function registerProjections(
  sweeps: Sweeps,
  store: StoreContext,
  projector: Projector,
  brakes: Brakes,
  crowds: Crowds,
): void {
  sweeps.register('recompute', ({ owner, position, argument }, most, now) => {
    const siem = store.siems.find((one) => one.id === owner);
    if (siem === undefined) return { rows: 0, position: undefined };
    // Written by StoreContext.
    const { force } = argument as { readonly force: boolean };
    const rows = store.db.all<{ id: number; type: number; value: string }>(
      'SELECT id, type, value FROM entry WHERE id > ? ORDER BY id LIMIT ?',
      Number(position),
      most,
    );
    const reason = { cause: 'policy', exchangeId: 0, force } as const;
    projector.projectAll(
      rows.map(({ id, type, value }) => ({ entry: { id, type: OBSERVABLE_TYPES[type]!, value }, reason })),
      now,
      siem,
      (one) => crowds.again(one, now),
    );
    // What an exchange that left still carries goes with the steps that follow; the brake judges all of it together.
    for (const id of store.exchangeNames.keys())
      if (!store.exchanges.some((one) => one.id === id))
        brakes.foresee('removal', siem, id, store.tally(`siem:${siem.id}`, `armed:${id}`));
    return { rows: rows.length, position: rows.length < most ? undefined : String(rows.at(-1)!.id) };
  });
}
