// The way back as loops: hits are read per SIEM by schedule, and what they make due is sent per exchange at once.
import type { Config } from '../core/config/load.ts';
import { readsHits } from '../core/config/release.ts';
import type { ExchangeConnector } from '../core/contracts/exchange-connector.ts';
import type { SiemConnector } from '../core/contracts/siem-connector.ts';
import type { PartReport } from '../core/model/status.ts';
import type { Clock } from '../core/runtime/clock.ts';
import type { Lifecycle } from '../core/runtime/lifecycle.ts';
import type { Log } from '../core/runtime/log.ts';
import { createScheduled, type Scheduled } from '../core/runtime/scheduler.ts';
import { Reporter } from '../core/sightings/reporter.ts';
import { type SendReport, Sender } from '../core/sightings/sender.ts';
import type { RemoteStore } from '../core/store/remote.ts';
import type { Attempt } from './attempts.ts';
import { idlePart, NOTHING_SENT, partReport } from './part-report.ts';
import { Wake } from './wake.ts';

/** What is due is looked for so often when nothing wakes the sender. */
const SLOWEST_SEND_MS = 15_000;
const RETENTION_MS = 10 * 60_000;

export interface ReportingParts {
  readonly config: Config;
  readonly store: RemoteStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly now: () => number;
  readonly random: () => number;
  readonly attempt: Attempt;
  readonly siem: (name: string) => SiemConnector | undefined;
  readonly exchange: (name: string) => ExchangeConnector | undefined;
}

export class Reporting {
  readonly reporters = new Map<string, Reporter>();
  readonly senders = new Map<string, Sender>();
  readonly #parts: ReportingParts;
  readonly #wakes = new Map<string, Wake>();

  constructor(parts: ReportingParts) {
    this.#parts = parts;
    const { config, store, now, log, random } = parts;
    const shared = { store, now, log, random, retryAfterCapMs: config.retryAfterCapMs };
    for (const exchange of config.exchanges) {
      const connector = parts.exchange(exchange.name);
      if (connector === undefined || !exchange.reports) continue;
      this.senders.set(exchange.name, new Sender({ name: exchange.name, connector, ...shared }));
      this.#wakes.set(exchange.name, new Wake(parts.clock));
    }
    for (const siem of config.siems) {
      const connector = parts.siem(siem.name);
      if (connector === undefined || !readsHits(config, siem)) continue;
      const onHits = () => this.wake();
      this.reporters.set(siem.name, new Reporter({ name: siem.name, connector, ...shared, onHits }));
    }
  }

  /** Something may be due: hits came, or a person approved. */
  wake(): void {
    for (const one of this.#wakes.values()) one.now();
  }

  /** Starts the loops; the schedules are to be stopped with the others. */
  start(lifecycle: Lifecycle): Scheduled[] {
    const { clock, log, config } = this.#parts;
    const schedules = [...this.reporters].map(([name, reporter]) => {
      const cron = config.siems.find((one) => one.name === name)?.hits.schedule ?? '*/2 * * * *';
      const scheduled = createScheduled(
        { name: `hits ${name}`, cron, jitterMs: 0, run: (signal) => this.#collect(reporter, signal) },
        clock,
        log,
      );
      scheduled.start();
      return scheduled;
    });
    for (const [name, sender] of this.senders)
      lifecycle.own(`report to ${name}`, (signal) => this.#sendLoop(name, sender, signal));
    lifecycle.own('retention of sightings', (signal) => this.#retainLoop(signal));
    return schedules;
  }

  /** Where nothing of ours ever stood there is nothing to match, and what a search needs may not have been made yet. */
  async #collect(reporter: Reporter, signal: AbortSignal): Promise<void> {
    const { store } = this.#parts;
    const begun = (await store.hitCursor(reporter.name)) !== undefined;
    if (!begun && (await store.presentEntries(reporter.name, 0, 1)).last === undefined) return;
    const { fresh } = await this.#parts.attempt('hits', reporter, () => reporter.collect(signal));
    if (fresh > 0) this.#parts.log.info('Hits were counted.', { siem: reporter.name, hits: fresh });
  }

  async #cycle(sender: Sender, signal: AbortSignal): Promise<SendReport> {
    const report = await this.#parts.attempt('report', sender, () => sender.cycle(signal));
    if (report.sent > 0)
      this.#parts.log.info('Sightings were sent.', {
        exchange: sender.name,
        sent: report.sent,
        pending: report.pending,
      });
    return report;
  }

  async #sendLoop(name: string, sender: Sender, signal: AbortSignal): Promise<void> {
    const { store, now } = this.#parts;
    while (!signal.aborted) {
      await this.#cycle(sender, signal);
      const due = await store.nextSending(name);
      const next = Math.min(due ?? Number.POSITIVE_INFINITY, sender.nextAsk ?? Number.POSITIVE_INFINITY);
      const wait = Math.max(next - now(), sender.pausedUntil - now(), 100);
      await this.#wakes.get(name)?.wait(Math.min(SLOWEST_SEND_MS, wait), signal);
    }
  }

  async #retainLoop(signal: AbortSignal): Promise<void> {
    const { store, now, clock } = this.#parts;
    const rest = new Wake(clock);
    while (!signal.aborted) {
      while ((await store.retainSightings(now())).more && !signal.aborted);
      await rest.wait(RETENTION_MS, signal);
    }
  }

  /** `run --once`: reads hits, sends what is due and waits for verdicts. What went wrong, in words. */
  async once(patienceMs: number, signal: AbortSignal): Promise<string[]> {
    const { clock, store, now } = this.#parts;
    while ((await store.retainSightings(now())).more && !signal.aborted);
    await Promise.all([...this.reporters.values()].map((one) => this.#collect(one, signal)));
    const start = clock.monotonic();
    await Promise.all(
      [...this.senders].map(async ([name, sender]) => {
        const rest = new Wake(clock);
        while (!signal.aborted) {
          const { pending, done } = await this.#cycle(sender, signal);
          const due = await store.nextSending(name);
          if (done && pending === 0 && (due === undefined || due > now())) return;
          if (!done && sender.failure?.kind !== 'retryable') return;
          if (clock.monotonic() - start > patienceMs) return;
          await rest.wait(Math.max(100, Math.min(1_000, sender.pausedUntil - now())), signal);
        }
      }),
    );
    return [...this.reporters.values(), ...this.senders.values()].flatMap((one) =>
      one.failure === undefined ? [] : [one.failure.message],
    );
  }

  hitsReport(siem: string): PartReport {
    return this.#report(this.reporters.get(siem), siem, this.#parts.config.siems, 'no hits are read');
  }

  sendReport(exchange: string): PartReport {
    return this.#report(
      this.senders.get(exchange),
      exchange,
      this.#parts.config.exchanges,
      'no sightings are reported',
    );
  }

  #report(
    part: Reporter | Sender | undefined,
    name: string,
    peers: readonly { readonly name: string; readonly stale_after_minutes: number }[],
    idle: string,
  ): PartReport {
    if (part === undefined) return idlePart(idle);
    const nothing = part instanceof Reporter && part.failure === undefined ? part.idle : undefined;
    if (nothing !== undefined) return idlePart(nothing);
    const minutes = peers.find((one) => one.name === name)?.stale_after_minutes ?? 60;
    const unused = part instanceof Sender ? NOTHING_SENT : 'no hits were read yet';
    return partReport(part.history, minutes, this.#parts.now(), unused);
  }
}
