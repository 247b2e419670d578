// Reads hits by bounded searches over index time, so that events which are late by their own time are found all the
// same. Windows are told in the server's own time; each overlaps the one before, and the store knows what comes twice.
import { retryable } from '../../../core/contracts/failure.ts';
import type { HitPage, HitReader, SiemDeps } from '../../../core/contracts/siem-connector.ts';
import type { Json } from '../../../core/model/json.ts';
import type { Hit } from '../../../core/model/sighting.ts';
import type { SplunkClient } from './client.ts';
import type { SplunkConfig } from './config.ts';
import { eventSearch, type HitRow, hitsOf, threatSearch, type Window } from './hit-search.ts';
import { isSlot } from './ownership.ts';
import { refuseWhileStarting } from './readiness.ts';
import type { Rows } from './rows.ts';
import { SearchJob } from './search-job.ts';

/** From the index time of an event until searches on every indexer find it, and clocks of indexers that differ. */
export const OVERLAP_SECS = 300;
/** One search covers no more, so that catching up after a long stop does not ask for days at once. */
const LONGEST_SECS = 3600;
/** A search that is slow even for so short a time would be slow for any. */
const SHORTEST_SLOW_SECS = 60;
const MOST_ROWS = 50_000;
/** For one second, which cannot be halved: what limits.conf allows at most. */
const MOST_ROWS_OF_A_SECOND = 500_000;
export const DAY_SECS = 86_400;
/** Events of Enterprise Security are made when it matches. */
const THREAT_LATE_DAYS = 2;
/** Clocks of those who write events may be ahead. */
export const AHEAD_SECS = 2 * DAY_SECS;

/** What is searched, and how its rows tell our entries. */
export interface HitSource {
  readonly lateDays: number;
  spl(window: Window): string;
  hits(rows: readonly HitRow[], signal: AbortSignal): Promise<Hit[]>;
}

export class SplunkHits implements HitReader {
  readonly #client: SplunkClient;
  readonly #app: string;
  readonly #source: HitSource;
  readonly #deps: SiemDeps;
  readonly #mostRows: number;

  constructor(client: SplunkClient, app: string, source: HitSource, deps: SiemDeps, mostRows = MOST_ROWS) {
    this.#client = client;
    this.#app = app;
    this.#source = source;
    this.#deps = deps;
    this.#mostRows = mostRows;
  }

  /** The cursor is the end of the last window that was read whole. */
  async *read(cursor: Json | undefined, signal: AbortSignal): AsyncIterable<HitPage> {
    const server = await this.#server(signal);
    const { now } = server;
    // A clock that ran ahead must not hide what comes after it was set right.
    const read = Math.min(placeOf(cursor) ?? now, now);
    // Where the first reading begins must not move while it fails.
    if (placeOf(cursor) === undefined) yield { hits: [], cursor: { read } };
    let span = LONGEST_SECS;
    for (let from = read - OVERLAP_SECS; from < now; ) {
      const window = { from, to: Math.min(from + span, now) };
      const place = Math.max(read, from);
      const whole = yield* this.#window(window, { read: place }, server.version, signal);
      if (!whole) {
        span = Math.max(1, Math.floor((window.to - from) / 2));
        continue;
      }
      from = window.to;
      span = Math.min(LONGEST_SECS, span * 2);
      yield { hits: [], cursor: { read: Math.max(read, from) } };
    }
  }

  /** Runs the search over one second, to see that it can be run, and reads nothing. */
  async probe(signal: AbortSignal): Promise<void> {
    const { now, version } = await this.#server(signal);
    for await (const _ of this.#window({ from: now - 1, to: now }, null, version, signal));
  }

  /** Without its KV store a server searches on, and finds nothing. */
  async #server(signal: AbortSignal): Promise<{ now: number; version: string }> {
    const server = await this.#client.serverInfo(signal);
    refuseWhileStarting(`${this.#deps.name}: hits wait`, server.kvStore);
    return { now: Math.floor((server.now ?? this.#deps.clock.now()) / 1000) + 1, version: server.version };
  }

  /** False, and nothing read, when the window holds more than one search gives. */
  async *#window(window: Window, cursor: Json, version: string, signal: AbortSignal): AsyncGenerator<HitPage, boolean> {
    const secs = window.to - window.from;
    const maxRows = secs > 1 ? this.#mostRows : MOST_ROWS_OF_A_SECOND;
    const search = {
      app: this.#app,
      spl: this.#source.spl(window),
      earliest: window.from - this.#source.lateDays * DAY_SECS,
      latest: window.to + AHEAD_SECS,
      maxRows,
      version,
    };
    const job = new SearchJob(this.#client, this.#deps, search);
    try {
      const finished = await job.run(search, signal);
      if (finished.kind === 'slow') {
        if (secs > SHORTEST_SLOW_SECS) return false;
        throw retryable(
          `${this.#deps.name}: the search for hits of ${secs} s did not end in time; name fewer indexes or fields in event_search`,
        );
      }
      if (finished.rows >= maxRows || finished.cut) {
        if (secs > 1) return false;
        this.#deps.log.warn('More hits in one second than a search gives; the rest is not counted.', { maxRows });
      }
      for await (const rows of job.pages(signal)) yield { hits: await this.#source.hits(rows, signal), cursor };
      return true;
    } finally {
      await job.cancel();
    }
  }
}

/** Events of configured indexes that our lookups know. */
export function eventSource(
  settings: NonNullable<SplunkConfig['event_search']>,
  ignored: readonly string[],
): HitSource {
  return {
    lateDays: settings.late_days,
    spl: (window) => eventSearch(settings, ignored, window),
    hits: async (rows) => hitsOf(rows),
  };
}

/** What Enterprise Security matched. It names the row, and the row tells its entry; a row that is gone tells none. */
export function threatSource(
  config: Pick<SplunkConfig, 'threat_activity_index' | 'ignore_hosts'>,
  ours: Rows,
  intelApp: (signal: AbortSignal) => Promise<string>,
  owner: string,
): HitSource {
  return {
    lateDays: THREAT_LATE_DAYS,
    spl: (window) => threatSearch(config.threat_activity_index, owner, config.ignore_hosts, window),
    hits: async (rows, signal) => {
      const named = rows.flatMap((row) => [row.entente_key ?? []].flat());
      const keys = await keysOfRows(ours, await intelApp(signal), owner, named, signal);
      return hitsOf(rows, (slot) => keys.get(slot));
    },
  };
}

/** The entries behind rows of the threat collections; what is no row of ours tells none. */
export async function keysOfRows(
  ours: Rows,
  app: string,
  owner: string,
  named: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const slots = [...new Set(named.filter((text) => isSlot(text, owner)))];
  const keys = new Map<string, string>();
  for await (const entries of ours.some(app, slots, signal)) for (const { slot, key } of entries) keys.set(slot, key);
  return keys;
}

function placeOf(cursor: Json | undefined): number | undefined {
  if (typeof cursor !== 'object' || cursor === null || !('read' in cursor)) return undefined;
  return typeof cursor['read'] === 'number' ? cursor['read'] : undefined;
}
