// The composition root: a configuration in, running loops out. Four loops over one store; each may be killed at any
// line, and the next run sees the same difference and makes the same idempotent call.
import { hostname } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Config } from './core/config/load.ts';
import type { ExchangeConnector } from './core/contracts/exchange-connector.ts';
import { Deliverer } from './core/delivery/deliverer.ts';
import type { Progress } from './core/delivery/totals.ts';
import { Poller } from './core/ingest/poller.ts';
import { toFailure } from './core/model/failure.ts';
import type { PartReport, StatusReport } from './core/model/status.ts';
import { type Clock, shiftedClock, systemClock } from './core/runtime/clock.ts';
import { EngineTime } from './core/runtime/engine-time.ts';
import { random, randomHex } from './core/runtime/ids.ts';
import type { Log } from './core/runtime/log.ts';
import { within } from './core/runtime/within.ts';
import { createMetrics, type Metrics, type Role } from './core/runtime/metrics.ts';
import type { CommitReport } from './core/store/ingest/commit-report.ts';
import { SightingsReader } from './core/store/read/sightings.ts';
import { StoreReader } from './core/store/read/status.ts';
import { openRemote, type RemoteStore, STORE_LIMITS } from './core/store/remote.ts';
import type { StoreSpec } from './core/store/spec/spec.ts';
import type { StateFailure } from './core/store/sql/state-failure.ts';
import { type Attempt, attempts } from './app/attempts.ts';
import { AuditLog } from './app/audit-log.ts';
import { type Connectors, connectorsOf } from './app/peers.ts';
import { Away } from './app/away.ts';
import { Expiries } from './app/expiries.ts';
import { Reporting } from './app/reporting.ts';
import { storeSpec } from './app/specs.ts';
import { statusReport } from './app/status.ts';
import { tokenEnd } from './app/token-end.ts';
import { HoldNews } from './app/waiting-holds.ts';
import { Work } from './app/work.ts';

export interface AppOptions {
  readonly config: Config;
  readonly log: Log;
  readonly version: string;
  /** Path of the state; the configured one unless this run works on a copy. */
  readonly state?: string;
  /** What others are told who want the state too, where its lock is a connection's. */
  readonly holder?: string;
  /** How long the server of the state may be away; for ever, unless it is said. */
  readonly serverPatienceMs?: number;
  /** Caps every call's time-out, where a pass must not outlast its patience. */
  readonly longestCallMs?: number;
  /** Reads from somewhere else than the partner: a rehearsal. */
  readonly exchange?: (name: string) => ExchangeConnector | undefined;
  /** The other writer of this name is gone for good, says a person. */
  readonly takeOver?: boolean;
  readonly onCommit?: (exchange: string, report: CommitReport) => void;
  readonly onProgress?: (progress: Progress) => void;
}

export interface RunningExchange {
  readonly poller: Poller;
  readonly connector: ExchangeConnector;
}

const LEAVE_MS = 3_000;
/** The store's thread is ended after that, whatever it does: what it did not finish is rolled back. */
const CLOSE_MS = 2_000;

/** Built JavaScript, as in a package, has its worker beside it. */
const WORKER = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';

export class App {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: RemoteStore;
  readonly reader: StoreReader;
  readonly time: EngineTime;
  readonly metrics: Metrics;
  readonly #holdNews: HoldNews;
  #lastStatus: StatusReport | undefined;
  readonly exchanges = new Map<string, RunningExchange>();
  readonly deliverers = new Map<string, Deliverer>();
  readonly reporting: Reporting;
  readonly sightings: SightingsReader;
  readonly work: Work;
  readonly expiries: Expiries;
  readonly audit: AuditLog;
  readonly attempt: Attempt;
  /** Something was taken in: set by who wants to go on with it at once. */
  onCommit: () => void = () => {};
  readonly #connectors: Connectors;
  readonly version: string;
  readonly #abort = new AbortController();
  /** Rejects when the state can no longer be kept: nothing more may be written anywhere then. */
  readonly broken: Promise<never>;
  #broken = false;
  /** Whether the server of the state is. */
  readonly away: Away;

  private constructor(
    options: AppOptions,
    clock: Clock,
    store: RemoteStore,
    engineTime: number,
    broken: Promise<never>,
    away: Away,
    metrics: Metrics,
    connectors: Connectors,
    expiries: Expiries,
  ) {
    this.away = away;
    const { config, log } = options;
    this.config = config;
    this.clock = clock;
    this.log = log;
    this.store = store;
    this.broken = broken;
    broken.catch(() => {
      this.#broken = true;
      this.#abort.abort();
    });
    this.version = options.version;
    this.reader = new StoreReader(storeSpec(config, options.state));
    try {
      this.sightings = new SightingsReader(storeSpec(config, options.state));
    } catch (error) {
      this.reader.close();
      throw error;
    }
    this.time = new EngineTime(clock, engineTime, config.clockStart !== undefined);
    this.#holdNews = new HoldNews(log);
    this.metrics = metrics;
    this.#connectors = connectors;
    this.work = new Work(clock);
    this.expiries = expiries;
    this.audit = new AuditLog(config, store, log, this.metrics, () => this.now());
    this.attempt = attempts(this.metrics, clock);
    const now = () => this.time.now();
    // Who meets this mark in a SIEM is told where its writer runs.
    const boot = `${randomHex(8)} ${hostname()}, process ${process.pid}`;
    for (const exchange of config.exchanges) {
      if (!exchange.enabled) continue;
      const connector = connectors.exchanges.get(exchange.name)!;
      const poller = new Poller({
        name: exchange.name,
        connector,
        store,
        now,
        log,
        random,
        retryAfterCapMs: config.retryAfterCapMs,
        withdrawVanished: exchange.vanished === 'withdraw',
        trial: options.state !== undefined,
        onPeerTime: (peerTime) => this.time.confirm(peerTime),
        onCommit: (name, report) => {
          const refused = Object.values(report.refused).reduce((sum, n) => sum + n, 0);
          this.metrics.ingested(name, { objects: report.objects, refused });
          if (report.classified > 0)
            log.error('Objects came that are classified above what may be held here; they are kept out.', {
              exchange: name,
              objects: report.classified,
            });
          options.onCommit?.(name, report);
          this.onCommit();
        },
      });
      this.exchanges.set(exchange.name, { poller, connector });
    }
    for (const siem of config.siems) {
      if (!siem.enabled || siem.mode === 'shadow') continue;
      const connector = connectors.siems.get(siem.name)!;
      this.deliverers.set(
        siem.name,
        new Deliverer({
          name: siem.name,
          definition: siem.definition,
          connector,
          store,
          clock,
          now,
          log,
          random,
          retryAfterCapMs: config.retryAfterCapMs,
          boot,
          takeOver: options.takeOver ?? false,
          abort: this.#abort.signal,
          onProgress: (progress) => {
            this.metrics.delivered(progress.siem, 'applied', progress.applied);
            this.metrics.delivered(progress.siem, 'parked', progress.parked);
            this.work.wrote(progress.siem, progress.applied + progress.parked);
            options.onProgress?.(progress);
          },
        }),
      );
    }
    this.reporting = new Reporting({
      config,
      store,
      clock,
      log,
      now,
      random,
      attempt: this.attempt,
      siem: (name) => connectors.siems.get(name),
      exchange: (name) => this.exchanges.get(name)?.connector,
    });
  }

  /** Opens the store on its thread. The caller holds the lock. */
  static async open(options: AppOptions): Promise<App> {
    const { config } = options;
    const clock = config.clockStart === undefined ? systemClock : shiftedClock(config.clockStart);
    const metrics = createMetrics(options.version);
    const expiries = new Expiries(config);
    const connectors = await connectorsOf(options, clock, (role, name, whose, validTo) => {
      expiries.heard(role, name, whose, validTo);
      metrics.expires('certificate', whose, role, name, validTo);
    });
    const worker = new Worker(new URL(WORKER, import.meta.url), { resourceLimits: STORE_LIMITS });
    let store: RemoteStore;
    const away = new Away(options.log);
    let breaks: (error: StateFailure) => void = () => {};
    const broken = new Promise<never>((_, reject) => {
      breaks = reject;
    });
    broken.catch(() => {});
    try {
      const spec: StoreSpec = {
        ...storeSpec(config, options.state),
        ...(options.holder === undefined ? {} : { holder: options.holder }),
        ...(options.serverPatienceMs === undefined ? {} : { patienceMs: options.serverPatienceMs }),
      };
      store = await openRemote(
        worker,
        spec,
        breaks,
        (reason) => away.tell(reason),
        // Status and the other levels have the words of the server; its values are in neither.
        (statement, reason) =>
          options.log.debug('A statement failed on the server of the state.', { reason, statement }),
      );
    } catch (error) {
      await worker.terminate();
      throw error;
    }
    try {
      const { engineTime } = await store.identity();
      return new App(options, clock, store, engineTime, broken, away, metrics, connectors, expiries);
    } catch (error) {
      // What reads for people could not be opened. The lock is given back before anybody else is started.
      await within(clock, CLOSE_MS, store.close());
      await worker.terminate();
      throw error;
    }
  }

  now(): number {
    return this.time.now();
  }

  /** What is due by the clock, until nothing more is. Returns when the next entry is due. */
  async tick(signal: AbortSignal, onStep?: () => void): Promise<number | undefined> {
    for (;;) {
      const { more, nextDue } = await this.store.tick(this.now(), this.time.doubt !== undefined);
      onStep?.();
      this.away.unless(() => this.#holdNews.tell(this.reader.held(), this.sightings.counts().held));
      if (!more || signal.aborted) return nextDue;
    }
  }

  /** As it is; while the server of the state is away, as it was, and that it is away. */
  async status(): Promise<StatusReport> {
    const report = this.away.unless(() => this.#status());
    if (report !== undefined) this.#lastStatus = report;
    if (this.#lastStatus === undefined) throw new Error(this.away.reason ?? 'the state cannot be read');
    return this.away.reason === undefined ? this.#lastStatus : this.away.told(this.#lastStatus);
  }

  #status(): StatusReport {
    const report = statusReport(this, this.version);
    for (const one of report.siems) {
      this.metrics.siem(one.name, {
        wanted: one.wanted,
        delivered: one.delivered,
        pending: one.pending,
        parked: one.parked,
        kept_out: one.kept_out,
        held: one.held,
        rejected: one.rejected,
        oldestPendingSecs: one.oldest_pending_secs,
        drift: one.drift,
      });
      this.#tellOf('siem', one.name, one);
      this.#tellOf('hits', one.name, one.hits);
    }
    for (const one of report.exchanges) {
      this.#tellOf('exchange', one.name, one);
      this.#tellOf('report', one.name, one.report);
    }
    for (const { list, refused, noted } of report.never_block) {
      this.metrics.neverBlocked(list, 'refuse', refused);
      this.metrics.neverBlocked(list, 'note', noted);
    }
    this.metrics.sightings({ ...report.sightings });
    const undecided = { intake: 0, removal: 0, addition: 0, sighting: report.sightings.held };
    for (const hold of this.reader.held()) undecided[hold.kind]++;
    this.metrics.holds(undecided);
    this.metrics.toReview(this.reader.toReview(this.now()));
    return report;
  }

  /** At a clean stop, once nothing is written any more: the place in each SIEM is given back. */
  async leave(): Promise<void> {
    const signal = AbortSignal.timeout(LEAVE_MS);
    await Promise.all(
      [...this.deliverers.values()].map(async (one) => {
        try {
          await one.leave(signal);
        } catch (error) {
          // Who comes next then waits until the mark is old.
          this.log.debug('The writer mark could not be given back.', { siem: one.name, failure: toFailure(error) });
        }
      }),
    );
  }

  /** Tokens that say themselves when they end; asked for when somebody looks, since one may be renewed in its file. */
  tellExpiries(): void {
    const { exchanges, siems } = this.config;
    for (const [role, peers] of [
      ['exchange', exchanges],
      ['siem', siems],
    ] as const)
      for (const { name, settings } of peers) {
        const end = tokenEnd(settings);
        if (end !== undefined) this.metrics.expires('token', 'own', role, name, end);
      }
  }

  #tellOf(role: Role, name: string, part: PartReport): void {
    this.metrics.state(role, name, part.state);
    if (typeof part.last_success === 'string') this.metrics.succeeded(role, name, Date.parse(part.last_success));
  }

  /** Ends calls in hand. */
  abort(): void {
    this.#abort.abort();
  }

  async close(): Promise<void> {
    this.abort();
    const { exchanges, siems } = this.#connectors;
    for (const connector of [...exchanges.values(), ...siems.values()]) await connector.close();
    this.reader.close();
    this.sightings.close();
    if (!this.#broken) await within(this.clock, CLOSE_MS, this.store.close());
    await this.store.terminate();
  }
}
