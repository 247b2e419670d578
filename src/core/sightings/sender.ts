// Sends one exchange what is due in its outbox. Delivery is at least once under derived ids, so whatever is in doubt
// is looked for there and sent again; a receipt is asked after until the exchange has settled it. Everything that has
// no answer yet is asked with a growing pause, so that a partner who loses things is not asked all day.
import type { ExchangeConnector, SendOutcome } from '../contracts/exchange-connector.ts';
import { type Failure, plainly, toFailure } from '../model/failure.ts';
import type { History } from '../runtime/health.ts';
import type { Log } from '../runtime/log.ts';
import { patienceMs } from '../runtime/retry.ts';
import { Standing, type Telling } from '../runtime/standing.ts';
import type { Posted } from '../model/sighting.ts';
import type { SendSettlement } from '../store/sightings/outbox.ts';
import type { RemoteStore } from '../store/remote.ts';

const MOST_AT_ONCE = 500;
/** A verdict that is pending is asked for after this time first. */
const [FIRST_ASK_MS, MOST_ASK_MS] = [2_000, 5 * 60_000];
interface Asked {
  readonly times: number;
  readonly next: number;
  /** Why it could not be asked for; others go on meanwhile. */
  readonly failure?: Failure;
}

/** What the exchange took and does not show. */
const [FIRST_LOOK_MS, MOST_LOOK_MS] = [60_000, 3_600_000];

const TELLING: Telling = {
  well: (log, who) => log.info('The exchange takes sightings again.', who),
  heals: (log, fields) => log.warn('Sightings cannot be sent now; they are kept and tried again.', fields),
  refused: (log, fields) => log.error('The exchange does not take sightings; a person must act.', fields),
};

interface SenderOptions {
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
  /** Taken by the exchange, which says nothing of them and does not show them. */
  unseen: number;
  /** Nothing failed; false when what is due waits for another attempt. */
  done: boolean;
}

/** Nothing was to be sent and nothing asked: the exchange was not reached. */
const untouched = (report: SendReport): boolean => report.sent + report.refused + report.pending === 0;

export class Sender {
  readonly name: string;
  readonly #o: SenderOptions;
  readonly #standing: Standing;
  /** Receipts that have no verdict yet. */
  #asked = new Map<string, Asked>();
  /** Taken by the exchange and not seen there yet. */
  readonly #unseen = new Map<string, { readonly reason: string; readonly until: number }>();
  /** Rounds one after the other that came to nothing else. */
  #unseenRounds = 0;

  constructor(options: SenderOptions) {
    this.#o = options;
    this.name = options.name;
    this.#standing = new Standing(options, TELLING, () => ({ exchange: options.name }));
  }

  get history(): History {
    return this.#standing.history;
  }

  get failure(): Failure | undefined {
    return this.#standing.failure;
  }

  get pausedUntil(): number {
    return this.#standing.pausedUntil;
  }

  /** When a verdict is asked for next. */
  get nextAsk(): number | undefined {
    return this.#asked.size === 0 ? undefined : Math.min(...[...this.#asked.values()].map(({ next }) => next));
  }

  /** Asks after receipts, then sends all that is due. Never throws. */
  async cycle(signal: AbortSignal): Promise<SendReport> {
    const report: SendReport = { sent: 0, refused: 0, pending: 0, unseen: 0, done: true };
    const { connector } = this.#o;
    if (connector.send === undefined) return report;
    if (this.#standing.pauses) return { ...report, done: false };
    try {
      await this.#settleReceipts(report, signal);
      while (!signal.aborted && (await this.#sendSome(connector.send, report, signal)));
      if (!signal.aborted && report.done) this.#concluded(report);
    } catch (error) {
      report.done = false;
      if (!signal.aborted) this.#standing.failed(toFailure(error), error);
    }
    return report;
  }

  /** What a cycle came to in which no call for sending failed. */
  #concluded(report: SendReport): void {
    const now = this.#o.now();
    // What was due and did not come back is no longer ours to send.
    for (const [uuid, { until }] of this.#unseen) if (until <= now) this.#unseen.delete(uuid);
    const stuck = [...this.#asked.values()].find((one) => one.failure !== undefined)?.failure;
    if (stuck !== undefined) {
      report.done = false;
      this.#wait(stuck, 0);
      return;
    }
    const [first] = this.#unseen.values();
    if (first === undefined) {
      this.#succeeded(untouched(report));
      return;
    }
    if (report.sent > 0) this.#unseenRounds = 0;
    if (report.unseen === 0) return;
    // An exchange that takes everything and shows nothing is left in peace for longer each time.
    const rounds = report.sent > 0 ? undefined : this.#unseenRounds++;
    const wait = rounds === undefined ? 0 : patienceMs(rounds, FIRST_LOOK_MS, MOST_LOOK_MS, this.#o.random());
    this.#wait({ kind: 'retryable', message: first.reason }, wait);
  }

  async #settleReceipts(report: SendReport, signal: AbortSignal): Promise<void> {
    const { connector, store, now, random } = this.#o;
    const receipts = await store.sendReceipts(this.name);
    const known = this.#asked;
    this.#asked = new Map();
    let hindered = false;
    for (const { receipt, posted } of receipts) {
      const asked = known.get(receipt) ?? { times: 0, next: 0 };
      if (asked.next > now() || hindered || signal.aborted) {
        this.#asked.set(receipt, asked);
        report.pending += posted.length;
        continue;
      }
      const later = {
        times: asked.times + 1,
        next: now() + patienceMs(asked.times, FIRST_ASK_MS, MOST_ASK_MS, random()),
      };
      let outcomes: readonly SendOutcome[] | 'pending';
      try {
        outcomes = (await connector.settle?.(receipt, posted, signal)) ?? [];
      } catch (error) {
        const failure = toFailure(error);
        if (failure.kind === 'bug') throw error;
        this.#asked.set(receipt, { ...later, failure });
        // The others are asked next time: a server that is away need not be asked for each.
        hindered = true;
        continue;
      }
      if (outcomes !== 'pending') await this.#settle(outcomes, posted, report);
      else {
        this.#asked.set(receipt, later);
        report.pending += posted.length;
      }
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
      const at = now() + this.#standing.waitMs(toFailure(error));
      await store.settleSightings(
        this.name,
        due.map(({ uuid }) => ({ uuid, kind: 'again', at })),
        now(),
      );
      throw error;
    }
    await this.#settle(outcomes, due, report);
    const hindered = outcomes.find((one) => one.kind === 'failed' && one.failure.kind !== 'permanent');
    if (hindered?.kind === 'failed') {
      report.done = false;
      this.#standing.failed(hindered.failure);
      return false;
    }
    return true;
  }

  async #settle(outcomes: readonly SendOutcome[], given: readonly Posted[], report: SendReport): Promise<void> {
    const { store, now, log, random } = this.#o;
    const attempts = new Map(given.map(({ uuid, attempt }) => [uuid, attempt ?? 0]));
    const told = new Set(outcomes.map((one) => one.uuid));
    const untold = given
      .filter(({ uuid }) => !told.has(uuid))
      .map(({ uuid }) => ({ uuid, kind: 'unseen', reason: `exchange ${this.name}: ${NOTHING_SAID}` }) as const);
    const settlements = [...outcomes, ...untold].map((one): SendSettlement => {
      if (one.kind === 'unseen') {
        const until = now() + patienceMs(attempts.get(one.uuid) ?? 0, FIRST_LOOK_MS, MOST_LOOK_MS, random());
        this.#unseen.set(one.uuid, { reason: one.reason, until });
        report.unseen++;
        return { uuid: one.uuid, kind: 'again', at: until };
      }
      if (one.kind === 'accepted') {
        const next = now() + patienceMs(0, FIRST_ASK_MS, MOST_ASK_MS, random());
        if (!this.#asked.has(one.receipt)) this.#asked.set(one.receipt, { times: 0, next });
        const before = this.#unseen.get(one.uuid);
        if (before !== undefined) this.#unseen.set(one.uuid, { ...before, until: Number.POSITIVE_INFINITY });
        return one;
      }
      if (one.kind === 'sent' || one.failure.kind === 'permanent') this.#unseen.delete(one.uuid);
      if (one.kind === 'sent') return one;
      if (one.failure.kind === 'permanent')
        return { uuid: one.uuid, kind: 'refused', reason: plainly(one.failure).message };
      return { uuid: one.uuid, kind: 'again', at: now() + this.#standing.waitMs(one.failure) };
    });
    await store.settleSightings(this.name, settlements, now());
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

  #succeeded(untouched: boolean): void {
    if (this.#standing.pauses) return;
    if (untouched && this.failure === undefined) return;
    this.#unseenRounds = 0;
    this.#standing.succeeded();
  }

  /** No call for sending failed, so that none is counted: there is an answer to wait for. */
  #wait(failure: Failure, ms: number): void {
    this.#standing.pause(this.#o.now() + ms);
    this.#standing.remember(failure);
  }
}

const NOTHING_SAID = 'it took a report and says nothing of what became of it; it is looked for again';
