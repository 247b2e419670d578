// Sends one exchange what is due in its outbox. Delivery is at least once under derived ids, so whatever is in doubt
// is sent again; a receipt is asked after until the exchange has settled it.
import type { ExchangeConnector, SendOutcome } from '../contracts/exchange-connector.ts';
import { type Failure, toFailure } from '../model/failure.ts';
import { freshHistory, type History, record } from '../runtime/health.ts';
import type { Log } from '../runtime/log.ts';
import { backoffMs } from '../runtime/retry.ts';
import type { SendSettlement } from '../store/outbox.ts';
import type { RemoteStore } from '../store/remote.ts';

const MOST_AT_ONCE = 500;

export interface SenderOptions {
  /** Name of the exchange. */
  readonly name: string;
  readonly connector: Pick<ExchangeConnector, 'send' | 'settle'>;
  readonly store: RemoteStore;
  readonly now: () => number;
  readonly log: Log;
  readonly random: () => number;
  readonly retryAfterCapMs?: number;
}

export interface SendReport {
  sent: number;
  /** Refused for good. */
  refused: number;
  /** Taken by the exchange, its verdict still to come. */
  pending: number;
  /** Nothing failed; false when what is due waits for another attempt. */
  done: boolean;
}

export class Sender {
  readonly name: string;
  history: History;
  readonly #o: SenderOptions;
  #attempt = 0;
  #pausedUntil = 0;

  constructor(options: SenderOptions) {
    this.#o = options;
    this.name = options.name;
    this.history = freshHistory(options.now());
  }

  get failure(): Failure | undefined {
    return this.history.failure;
  }

  get pausedUntil(): number {
    return this.#pausedUntil;
  }

  wake(): void {
    this.#pausedUntil = 0;
  }

  /** Asks after receipts, then sends all that is due. Never throws. */
  async cycle(signal: AbortSignal): Promise<SendReport> {
    const report: SendReport = { sent: 0, refused: 0, pending: 0, done: true };
    const { connector, now } = this.#o;
    if (connector.send === undefined) return report;
    if (now() < this.#pausedUntil) return { ...report, done: false };
    try {
      await this.#settleReceipts(report, signal);
      while (!signal.aborted && (await this.#sendSome(connector.send, report, signal)));
      if (!signal.aborted) this.#succeeded();
    } catch (error) {
      report.done = false;
      if (!signal.aborted) this.#failed(toFailure(error), error);
    }
    return report;
  }

  async #settleReceipts(report: SendReport, signal: AbortSignal): Promise<void> {
    const { connector, store, now } = this.#o;
    for (const { receipt, uuids } of await store.sendReceipts(this.name)) {
      const outcomes = (await connector.settle?.(receipt, signal)) ?? [];
      if (outcomes === 'pending') {
        report.pending += uuids.length;
        continue;
      }
      const told = new Set(outcomes.map((one) => one.uuid));
      const forgotten = uuids
        .filter((uuid) => !told.has(uuid))
        .map((uuid) => ({ uuid, kind: 'again', at: now() }) as const);
      await this.#settle(outcomes, forgotten, report);
    }
  }

  async #sendSome(
    send: NonNullable<ExchangeConnector['send']>,
    report: SendReport,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { store, now } = this.#o;
    const due = await store.takeSightings(this.name, MOST_AT_ONCE, now());
    if (due.length === 0) return false;
    let outcomes: readonly SendOutcome[];
    try {
      outcomes = await send(due, signal);
    } catch (error) {
      // Nobody knows what arrived: all of it goes again, under the same ids.
      const at = now() + this.#wait(toFailure(error));
      await store.settleSightings(
        this.name,
        due.map(({ uuid }) => ({ uuid, kind: 'again', at })),
        now(),
      );
      throw error;
    }
    const told = new Set(outcomes.map((one) => one.uuid));
    const untold = due.filter(({ uuid }) => !told.has(uuid));
    await this.#settle(
      outcomes,
      untold.map(({ uuid }) => ({ uuid, kind: 'again', at: now() + 60_000 })),
      report,
    );
    const hindered = outcomes.find((one) => one.kind === 'failed' && one.failure.kind !== 'permanent');
    if (hindered?.kind === 'failed') {
      report.done = false;
      this.#failed(hindered.failure, undefined);
      return false;
    }
    return true;
  }

  async #settle(outcomes: readonly SendOutcome[], more: readonly SendSettlement[], report: SendReport): Promise<void> {
    const { store, now, log } = this.#o;
    const settlements = outcomes.map((one): SendSettlement => {
      if (one.kind !== 'failed') return one;
      if (one.failure.kind === 'permanent') return { uuid: one.uuid, kind: 'refused', reason: one.failure.message };
      return { uuid: one.uuid, kind: 'again', at: now() + this.#wait(one.failure) };
    });
    await store.settleSightings(this.name, [...settlements, ...more], now());
    const refused = settlements.filter((one) => one.kind === 'refused');
    report.sent += settlements.filter((one) => one.kind === 'sent').length;
    report.pending += settlements.filter((one) => one.kind === 'accepted').length;
    report.refused += refused.length;
    const [first] = refused;
    if (first !== undefined)
      log.error('The exchange refuses sightings; they wait until a person asks to try again.', {
        exchange: this.name,
        refused: refused.length,
        reason: first.reason,
      });
  }

  #wait(failure: Failure): number {
    return backoffMs(this.#attempt + 1, failure, this.#o.random(), this.#o.retryAfterCapMs);
  }

  #succeeded(): void {
    if (this.#pausedUntil > this.#o.now()) return;
    if (this.history.failure !== undefined)
      this.#o.log.info('The exchange takes sightings again.', { exchange: this.name });
    this.#attempt = 0;
    this.history = record(this.history, { kind: 'success', at: this.#o.now() });
  }

  #failed(failure: Failure, error: unknown): void {
    const { log, now } = this.#o;
    const wait = this.#wait(failure);
    this.#attempt++;
    this.#pausedUntil = now() + wait;
    const news = this.history.failure?.message !== failure.message;
    this.history = record(this.history, { kind: 'failure', at: now(), failure, nextAttempt: this.#pausedUntil });
    if (!news) return;
    const fields = { exchange: this.name, failure, ...(failure.kind === 'bug' ? { error } : {}) };
    if (failure.kind === 'retryable') log.warn('Sightings cannot be sent now; they are kept and tried again.', fields);
    else log.error('The exchange does not take sightings; a person must act.', fields);
  }
}
