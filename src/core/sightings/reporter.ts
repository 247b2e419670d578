// Reads the hits of one SIEM into the store. The cursor moves with the hits it covers and never ahead of them, so a
// reading that is cut off anywhere goes on from what was committed; what is read twice counts once.
import type { SiemConnector } from '../contracts/siem-connector.ts';
import { type Failure, toFailure } from '../model/failure.ts';
import type { Json } from '../model/json.ts';
import type { History } from '../runtime/health.ts';
import type { Log } from '../runtime/log.ts';
import { Standing, type Telling } from '../runtime/standing.ts';
import type { RemoteStore } from '../store/remote.ts';

/** How far the first search of events looks back. */
const FIRST_MS = 3_600_000;

const TELLING: Telling = {
  well: (log, who) => log.info('Hits can be read again.', who),
  heals: (log, fields) => log.warn('Hits cannot be read now; it is tried again.', fields),
  refused: (log, fields) => log.error('Hits cannot be read; a person must act.', fields),
};

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
  readonly #o: ReporterOptions;
  readonly #standing: Standing;

  constructor(options: ReporterOptions) {
    this.#o = options;
    this.name = options.name;
    this.#standing = new Standing(options, TELLING, () => ({ siem: options.name }));
  }

  /** Why there is nothing to read, where none of the ways of reading has anything. */
  get idle(): string | undefined {
    const ways = [this.#o.connector.hits, this.#o.connector.search].filter((one) => one !== undefined);
    const idle = ways.flatMap((one) => one.idle ?? []);
    return ways.length > 0 && idle.length < ways.length
      ? undefined
      : (idle[0] ?? 'no way to read hits is configured; set event_search');
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

  wake(): void {
    this.#standing.wake();
  }

  /** One reading to the end of what is searchable. Never throws. */
  async collect(signal: AbortSignal): Promise<Collected> {
    const total = { fresh: 0, ignored: 0 };
    const { connector, store, now } = this.#o;
    if (this.#standing.pauses) return total;
    try {
      await this.#alerts(connector, total, signal);
      await this.#search(connector, total, signal);
      if (signal.aborted) return total;
      await store.noteHits(this.name, undefined, now(), this.idle);
      this.#standing.succeeded();
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

  async #failed(failure: Failure, error: unknown): Promise<void> {
    this.#standing.failed(failure, error);
    await this.#o.store.noteHits(this.name, failure, this.#o.now());
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
