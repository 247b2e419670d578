// Reads what Kibana's indicator-match rules found (alerts), and searches events where no rule does. Both read one
// point in time page by page; what becomes visible late lies inside the overlap of the next reading.
import type { EventSearch, HitPage, HitReader, SiemDeps } from '../../../core/contracts/siem-connector.ts';
import { configFailure, toFailure } from '../../../core/contracts/failure.ts';
import type { Json } from '../../../core/model/json.ts';
import type { Observable } from '../../../core/model/observable.ts';
import type { Hit } from '../../../core/model/sighting.ts';
import { type Alert, ALERT_FIELDS, hitsOf, matchesOf } from './alerts.ts';
import type { ElasticApi } from './client.ts';
import type { ElasticConfig } from './config.ts';
import { comparedFields, eventHits, eventQueries, ownHosts } from './events.ts';
import { OwnDocuments } from './own-documents.ts';

const PAGE = 1000;
/** Refresh lag and bulk writes out of order; alerts are few, so it is generous. */
const OVERLAP_MS = 10 * 60_000;
/** How far the first reading looks back; two days, because the SIEM's clock may be one off. */
const FIRST_MS = 2 * 86_400_000;

/** The alias over the alerts of one Kibana space. */
export const alertsOf = (space: string): string => `.alerts-security.alerts-${space}`;

export class ElasticHits implements HitReader {
  readonly #api: ElasticApi;
  readonly #aliases: readonly string[];
  readonly #ignored: readonly string[];
  readonly #own: OwnDocuments;
  readonly #deps: SiemDeps;
  idle: string | undefined;

  constructor(
    api: ElasticApi,
    config: Pick<ElasticConfig, 'alert_spaces' | 'ignore_hosts'>,
    index: string,
    owner: string,
    deps: SiemDeps,
  ) {
    this.#api = api;
    this.#aliases = config.alert_spaces.map(alertsOf);
    this.#ignored = config.ignore_hosts;
    this.#own = new OwnDocuments(api, index, owner);
    this.#deps = deps;
  }

  /**
   * The cursor is a time by the SIEM's own clock per space: that of the newest alert read. Alerts come in the order
   * of that time, so a reading that ends early goes on from there; verdicts given later are found by their own time.
   */
  async *read(cursor: Json | undefined, signal: AbortSignal): AsyncIterable<HitPage> {
    const places = new Map(Object.entries(isTimes(cursor) ? cursor : {}));
    const missing: string[] = [];
    this.#own.forget();
    for (const alias of this.#aliases) {
      const since = (places.get(alias) ?? this.#deps.clock.now() - FIRST_MS + OVERLAP_MS) - OVERLAP_MS;
      for await (const page of this.#alerts(alias, since, signal)) {
        if (page === undefined) {
          missing.push(alias);
          continue;
        }
        // A clock that ran ahead must not hide what comes after it was set right.
        const newest = Math.min(page.newest, this.#deps.clock.now());
        places.set(alias, Math.max(newest, places.get(alias) ?? 0));
        yield { hits: page.hits, cursor: Object.fromEntries(places) };
      }
    }
    this.idle =
      missing.length < this.#aliases.length
        ? undefined
        : `nothing to read: ${missing.join(', ')} is not there yet (Kibana makes it with the first alert); check alert_spaces, or set event_search`;
  }

  /** Undefined once where there is no such alias. */
  async *#alerts(
    alias: string,
    since: number,
    signal: AbortSignal,
  ): AsyncIterable<{ readonly hits: Hit[]; readonly newest: number } | undefined> {
    let pit = await this.#api.openEvents(alias, signal);
    // Kibana makes the alias with its first alert.
    if (pit === undefined) {
      yield undefined;
      return;
    }
    try {
      for (let after: readonly unknown[] | undefined; ; ) {
        const page = await this.#api.alerts(
          pit,
          { ...this.#query(since), ...(after === undefined ? {} : { search_after: after }) },
          signal,
        );
        pit = page.pit_id ?? pit;
        const { hits } = page.hits;
        if (hits.length === 0) return;
        const alerts = hits.map((hit): Alert => ({ id: hit._id, source: hit._source }));
        const ours = await this.#own.keys(matchesOf(alerts), signal);
        yield { hits: hitsOf(alerts, ours), newest: Number(hits.at(-1)?.sort?.[0] ?? since) };
        if (hits.length < PAGE) return;
        after = hits.at(-1)?.sort;
      }
    } finally {
      await close(this.#api, pit, this.#deps, signal);
    }
  }

  #query(since: number): Record<string, unknown> {
    const from = { gte: since, format: 'epoch_millis' };
    const matched = { exists: { field: 'threat.enrichments.matched.id' } };
    return {
      size: PAGE,
      _source: ALERT_FIELDS,
      query: {
        bool: {
          filter: [{ nested: { path: 'threat.enrichments', query: matched, ignore_unmapped: true } }],
          should: [{ range: { '@timestamp': from } }, { range: { 'kibana.alert.workflow_status_updated_at': from } }],
          minimum_should_match: 1,
          must_not: ownHosts(this.#ignored),
        },
      },
      sort: [{ '@timestamp': { order: 'asc', format: 'epoch_millis' } }],
    };
  }
}

export class ElasticEventSearch implements EventSearch {
  /** The product takes 65,536 terms; fewer keep a query small, and one value may be compared with several fields. */
  readonly maxEntries = 5000;
  readonly overlapMs = OVERLAP_MS;
  readonly #api: ElasticApi;
  readonly #settings: NonNullable<ElasticConfig['event_search']>;
  readonly #ignored: readonly string[];
  readonly #deps: SiemDeps;
  idle: string | undefined;

  constructor(
    api: ElasticApi,
    settings: NonNullable<ElasticConfig['event_search']>,
    ignored: readonly string[],
    deps: SiemDeps,
  ) {
    this.#api = api;
    this.#settings = settings;
    this.#ignored = ignored;
    this.#deps = deps;
  }

  get indices(): readonly string[] {
    return this.#settings.indices;
  }

  async *search(
    entries: readonly Observable[],
    window: { readonly from: number; readonly to: number },
    signal: AbortSignal,
  ): AsyncIterable<readonly Hit[]> {
    const { fields, indices, time_field: timeField } = this.#settings;
    const back = window.to - window.from;
    for (const { some, query } of eventQueries(entries, fields, timeField, back, this.#ignored))
      yield* this.#found(some, query, indices.join(','), signal);
  }

  /** One name that is gone hides what stands in the others, and what they hold must not be passed over. */
  async #refuseParts(signal: AbortSignal): Promise<void> {
    const missing: string[] = [];
    for (const one of this.#settings.indices)
      if ((await this.#api.shardsBehind(one, signal)) === undefined) missing.push(one);
    if (missing.length === 0 || missing.length === this.#settings.indices.length) return;
    throw configFailure(
      `${this.#deps.name}: hits wait: event_search names ${missing.join(', ')}, and no such index is there; mend event_search.indices`,
      { code: 'index_not_found_exception' },
    );
  }

  async *#found(entries: readonly Observable[], query: object, indices: string, signal: AbortSignal) {
    const { fields } = this.#settings;
    let pit = await this.#api.openEvents(indices, signal);
    if (pit === undefined) await this.#refuseParts(signal);
    this.idle = pit === undefined ? `nothing to read: ${indices} is not there; mend event_search.indices` : undefined;
    if (pit === undefined) return;
    const time = { field: '@timestamp', format: 'strict_date_optional_time' };
    const body = {
      size: PAGE,
      _source: false,
      fields: [time, ...comparedFields(entries, fields)],
      query,
      sort: [{ _shard_doc: 'asc' }],
    };
    try {
      for (let after: readonly unknown[] | undefined; ; ) {
        const page = await this.#api.events(
          pit,
          { ...body, ...(after === undefined ? {} : { search_after: after }) },
          signal,
        );
        pit = page.pit_id ?? pit;
        if (page.hits.hits.length > 0) yield eventHits(page, entries, fields);
        if (page.hits.hits.length < PAGE) return;
        after = page.hits.hits.at(-1)?.sort;
      }
    } finally {
      await close(this.#api, pit, this.#deps, signal);
    }
  }
}

const isTimes = (cursor: Json | undefined): cursor is { readonly [alias: string]: number } =>
  typeof cursor === 'object' &&
  cursor !== null &&
  !Array.isArray(cursor) &&
  Object.values(cursor).every((one) => typeof one === 'number');

async function close(api: ElasticApi, pit: string, deps: SiemDeps, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  try {
    await api.closePit(pit, signal);
  } catch (error) {
    deps.log.debug('A reading of hits could not be closed; it ends by itself.', { failure: toFailure(error).message });
  }
}
