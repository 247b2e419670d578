// What people said of notables and findings in Enterprise Security, read as verdicts on our entries. There is no endpoint
// that gives them: the product says to search with its macro `notable`, which joins each event with its disposition. A
// disposition changes long after its event, and no documented field says when, so every reading looks at the same days
// again, and the store knows what comes twice.
import { configFailure, ConnectorError } from '../../../core/contracts/failure.ts';
import type { HitPage, HitReader, SiemDeps } from '../../../core/contracts/siem-connector.ts';
import type { Json } from '../../../core/model/json.ts';
import type { Hit } from '../../../core/model/sighting.ts';
import type { SplunkClient } from './client.ts';
import type { SplunkConfig } from './config.ts';
import { type HitRow, verdictSearch, verdictsOf } from './hit-search.ts';
import { AHEAD_SECS, DAY_SECS, type SplunkHits } from './hits.ts';
import { refuseWhileStarting } from './readiness.ts';
import { SearchJob } from './search-job.ts';

/** A person may take that long to close an alert. */
const VERDICT_DAYS = 30;
const MOST_ROWS = 50_000;

/** What is asked for, and how its rows tell our entries. */
export interface VerdictSource {
  readonly spl: string;
  hits(rows: readonly HitRow[], signal: AbortSignal): Promise<Hit[]>;
}

export class SplunkVerdicts {
  readonly #client: SplunkClient;
  readonly #app: string;
  readonly #source: VerdictSource;
  readonly #deps: SiemDeps;

  constructor(client: SplunkClient, app: string, source: VerdictSource, deps: SiemDeps) {
    this.#client = client;
    this.#app = app;
    this.#source = source;
    this.#deps = deps;
  }

  async *read(signal: AbortSignal): AsyncGenerator<Hit[]> {
    const { version, now: told, kvStore } = await this.#client.serverInfo(signal);
    refuseWhileStarting(`${this.#deps.name}: verdicts wait`, kvStore);
    const now = Math.floor((told ?? this.#deps.clock.now()) / 1000) + 1;
    const search = {
      app: this.#app,
      spl: this.#source.spl,
      earliest: now - VERDICT_DAYS * DAY_SECS,
      latest: now + AHEAD_SECS,
      maxRows: MOST_ROWS,
      version,
    };
    const job = new SearchJob(this.#client, this.#deps, search);
    try {
      const finished = await job.run(search, signal).catch((error: unknown) => Promise.reject(named(error)));
      if (finished.kind === 'slow') throw slow(this.#deps.name);
      // The newest come first, so what is cut off was most likely read before.
      if (finished.rows >= MOST_ROWS || finished.cut)
        this.#deps.log.warn('More verdicts than a search gives; the oldest are not counted.', { maxRows: MOST_ROWS });
      for await (const rows of job.pages(signal)) yield await this.#source.hits(rows, signal);
    } finally {
      await job.cancel();
    }
  }
}

/** Hits first and verdicts after them, so that where Enterprise Security cannot be asked no hit waits. */
export class SplunkReading implements HitReader {
  readonly #hits: SplunkHits | undefined;
  readonly #verdicts: SplunkVerdicts | undefined;

  constructor(hits: SplunkHits | undefined, verdicts: SplunkVerdicts | undefined) {
    this.#hits = hits;
    this.#verdicts = verdicts;
  }

  async *read(cursor: Json | undefined, signal: AbortSignal): AsyncIterable<HitPage> {
    let place: Json = cursor ?? {};
    for await (const page of this.#hits?.read(cursor, signal) ?? []) {
      place = page.cursor;
      yield page;
    }
    for await (const hits of this.#verdicts?.read(signal) ?? []) if (hits.length > 0) yield { hits, cursor: place };
  }

  async probe(signal: AbortSignal): Promise<void> {
    await this.#hits?.probe(signal);
    for await (const _ of this.#verdicts?.read(signal) ?? []) break;
  }
}

/** The dispositions stand in SPL; the configuration admits none with a sign that could end a text there. */
export const verdictSource = (
  config: Pick<SplunkConfig, 'false_positive_dispositions' | 'ignore_hosts' | 'form'>,
  owner: string,
  keysOf: (slots: readonly string[], signal: AbortSignal) => Promise<ReadonlyMap<string, string>>,
): VerdictSource => ({
  spl: verdictSearch(config, owner),
  hits: async (rows, signal) => {
    // A notable of our own rules names the entry itself; one of Enterprise Security's names the row it matched.
    if (config.form === 'lookups') return verdictsOf(rows);
    const keys = await keysOf(
      rows.flatMap((row) => [row.entente_key ?? []].flat()),
      signal,
    );
    return verdictsOf(rows, (slot) => keys.get(slot));
  },
});

function named(error: unknown): unknown {
  if (!(error instanceof ConnectorError) || error.status !== 400 || !/macro/i.test(error.message)) return error;
  return configFailure(
    `${error.message}; false_positive_dispositions needs Enterprise Security and an account that may read its macros`,
    { cause: error, code: 'no_notables' },
  );
}

const slow = (name: string) =>
  configFailure(`${name}: the search for verdicts did not end in time; leave false_positive_dispositions out`, {
    code: 'verdicts_slow',
  });
