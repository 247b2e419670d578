// Reads the hits of one SIEM into the store. The cursor moves with the hits it covers and never ahead of them, so a
// reading that is cut off anywhere goes on from what was committed; what is read twice counts once.
import type { SiemConnector } from '../contracts/siem-connector.ts';
import { type Failure, toFailure } from '../model/failure.ts';
import type { Json } from '../model/json.ts';
import { freshHistory, type History, record } from '../runtime/health.ts';
import type { Log } from '../runtime/log.ts';
import { backoffMs } from '../runtime/retry.ts';
import type { RemoteStore } from '../store/remote.ts';

/** How far the first search of events looks back. */
const FIRST_MS = 3_600_000;

interface ReporterOptions {
  /** Name of the SIEM. */
  readonly name: string;
  readonly connector: Pick<SiemConnector, 'hits' | 'search'>;
  readonly store: RemoteStore;
  readonly now: () => number;
  readonly log: Log;
  readonly random: () => number;
  readonly retryAfterCapMs?: number;
  /** New hits were committed: something may be due to be sent. */
  readonly onHits?: (siem: string, fresh: number) => void;
}

interface Collected {
  readonly fresh: number;
  readonly ignored: number;
}

/** One cursor holds the places of both ways of reading. */
interface Places {
  readonly alerts?: Json;
  /** End of the last search, epoch milliseconds. */
  readonly searched?: number;
}

export class Reporter {
  readonly name: string;
  history: History;
  readonly #o: ReporterOptions;
  #attempt = 0;
  #pausedUntil = 0;

  constructor(options: ReporterOptions) {
    this.#o = options;
    this.name = options.name;
    this.history = freshHistory(options.now());
  }

  /** Why there is nothing to read, where none of the ways of reading has anything. */
  get idle(): string | undefined {
    const ways = [this.#o.connector.hits, this.#o.connector.search].filter((one) => one !== undefined);
    const idle = ways.flatMap((one) => one.idle ?? []);
    return ways.length > 0 && idle.length < ways.length
      ? undefined
      : (idle[0] ?? 'no way to read hits is configured; set event_search');
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

  /** One reading to the end of what is searchable. Never throws. */
  async collect(signal: AbortSignal): Promise<Collected> {
    const total = { fresh: 0, ignored: 0 };
    const { connector, store, now } = this.#o;
    if (now() < this.#pausedUntil) return total;
    try {
      await this.#alerts(connector, total, signal);
      await this.#search(connector, total, signal);
      if (signal.aborted) return total;
      await store.noteHits(this.name, undefined, now(), this.idle);
      this.#succeeded();
    } catch (error) {
      if (!signal.aborted) await this.#failed(toFailure(error), error);
    }
    if (total.fresh > 0) this.#o.onHits?.(this.name, total.fresh);
    return total;
  }

  async #alerts(
    connector: ReporterOptions['connector'],
    total: { fresh: number; ignored: number },
    signal: AbortSignal,
  ) {
    if (connector.hits === undefined) return;
    const { store, now } = this.#o;
    const places = placesOf(await store.hitCursor(this.name));
    for await (const page of connector.hits.read(places.alerts, signal)) {
      const cursor = { ...json(places), alerts: page.cursor };
      add(total, await store.commitHits(this.name, page.hits, cursor, now()));
    }
  }

  /** The window moves only after every entry was searched for in it. */
  async #search(
    connector: ReporterOptions['connector'],
    total: { fresh: number; ignored: number },
    signal: AbortSignal,
  ) {
    const { search } = connector;
    if (search === undefined) return;
    const { store, now } = this.#o;
    const places = placesOf(await store.hitCursor(this.name));
    const to = now();
    const window = { from: Math.min(places.searched ?? to - FIRST_MS, to) - search.overlapMs, to };
    for (let after = 0; ; ) {
      const { entries, last } = await store.presentEntries(this.name, after, search.maxEntries);
      if (last === undefined) break;
      for await (const hits of search.search(entries, window, signal))
        add(total, await store.commitHits(this.name, hits, undefined, now()));
      after = last;
    }
    if (!signal.aborted) await store.commitHits(this.name, [], { ...json(places), searched: to }, now());
  }

  #succeeded(): void {
    if (this.history.failure !== undefined) this.#o.log.info('Hits can be read again.', { siem: this.name });
    this.#attempt = 0;
    this.#pausedUntil = 0;
    this.history = record(this.history, { kind: 'success', at: this.#o.now() });
  }

  async #failed(failure: Failure, error: unknown): Promise<void> {
    const { log, now, store, random } = this.#o;
    this.#attempt++;
    this.#pausedUntil = now() + backoffMs(this.#attempt, failure, random(), this.#o.retryAfterCapMs);
    const news = this.history.failure?.message !== failure.message;
    this.history = record(this.history, { kind: 'failure', at: now(), failure, nextAttempt: this.#pausedUntil });
    if (news) {
      const fields = { siem: this.name, failure, ...(failure.kind === 'bug' ? { error } : {}) };
      if (failure.kind === 'retryable') log.warn('Hits cannot be read now; it is tried again.', fields);
      else log.error('Hits cannot be read; a person must act.', fields);
    }
    await store.noteHits(this.name, failure, now());
  }
}

function placesOf(cursor: Json | undefined): Places {
  // Our own value, as written below.
  return typeof cursor === 'object' && cursor !== null ? (cursor as Places) : {};
}

const json = ({ alerts, searched }: Places): { [key: string]: Json } => ({
  ...(alerts === undefined ? {} : { alerts }),
  ...(searched === undefined ? {} : { searched }),
});

function add(total: { fresh: number; ignored: number }, report: { fresh: number; ignored: number }): void {
  total.fresh += report.fresh;
  total.ignored += report.ignored;
}
