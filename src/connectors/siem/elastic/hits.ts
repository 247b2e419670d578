// Reads what Kibana's indicator-match rules found (alerts), and searches events where no rule does. Both read one
// point in time page by page; what becomes visible late lies inside the overlap of the next reading.
import type { EventSearch, HitPage, HitReader, SiemDeps } from '../../../core/contracts/siem-connector.ts';
import { toFailure } from '../../../core/contracts/failure.ts';
import type { Json } from '../../../core/model/json.ts';
import type { Observable } from '../../../core/model/observable.ts';
import type { Hit } from '../../../core/model/sighting.ts';
import { type Alert, ALERT_FIELDS, hitsOf, unknownSlots } from './alerts.ts';
import type { ElasticApi } from './client.ts';
import type { ElasticConfig } from './config.ts';
import { comparedFields, eventHits, eventQuery, ownHosts } from './events.ts';
import { OwnSource } from './responses.ts';

const PAGE = 1000;
/** Refresh lag and bulk writes out of order; alerts are few, so it is generous. */
const OVERLAP_MS = 10 * 60_000;
/** How far the first reading looks back; two days, because the SIEM's clock may be one off. */
const FIRST_MS = 2 * 86_400_000;

export class ElasticHits implements HitReader {
  readonly #api: ElasticApi;
  readonly #aliases: readonly string[];
  readonly #ignored: readonly string[];
  readonly #index: string;
  readonly #owner: string;
  readonly #deps: SiemDeps;

  constructor(
    api: ElasticApi,
    config: Pick<ElasticConfig, 'alert_spaces' | 'ignore_hosts'>,
    index: string,
    owner: string,
    deps: SiemDeps,
  ) {
    this.#api = api;
    this.#aliases = config.alert_spaces.map((space) => `.alerts-security.alerts-${space}`);
    this.#ignored = config.ignore_hosts;
    this.#index = index;
    this.#owner = owner;
    this.#deps = deps;
  }

  /**
   * The cursor is a time by the SIEM's own clock per space: that of the newest alert read. Alerts come in the order
   * of that time, so a reading that ends early goes on from there; verdicts given later are found by their own time.
   */
  async *read(cursor: Json | undefined, signal: AbortSignal): AsyncIterable<HitPage> {
    const places = new Map(Object.entries(isTimes(cursor) ? cursor : {}));
    for (const alias of this.#aliases) {
      const since = (places.get(alias) ?? this.#deps.clock.now() - FIRST_MS + OVERLAP_MS) - OVERLAP_MS;
      for await (const page of this.#alerts(alias, since, signal)) {
        // A clock that ran ahead must not hide what comes after it was set right.
        const newest = Math.min(page.newest, this.#deps.clock.now());
        places.set(alias, Math.max(newest, places.get(alias) ?? 0));
        yield { hits: page.hits, cursor: Object.fromEntries(places) };
      }
    }
  }

  async *#alerts(alias: string, since: number, signal: AbortSignal) {
    let pit = await this.#api.openEvents(alias, signal);
    // Kibana makes the alias with its first alert.
    if (pit === undefined) return;
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
        const keys = await this.#keys(unknownSlots(alerts, this.#index), signal);
        yield { hits: hitsOf(alerts, this.#index, keys), newest: Number(hits.at(-1)?.sort?.[0] ?? since) };
        if (hits.length < PAGE) return;
        after = hits.at(-1)?.sort;
      }
    } finally {
      await close(this.#api, pit, this.#deps, signal);
    }
  }

  #query(since: number): Record<string, unknown> {
    const from = { gte: since, format: 'epoch_millis' };
    const ours = { term: { 'threat.enrichments.matched.index': this.#index } };
    return {
      size: PAGE,
      _source: ALERT_FIELDS,
      query: {
        bool: {
          filter: [{ nested: { path: 'threat.enrichments', query: ours, ignore_unmapped: true } }],
          should: [{ range: { '@timestamp': from } }, { range: { 'kibana.alert.workflow_status_updated_at': from } }],
          minimum_should_match: 1,
          must_not: ownHosts(this.#ignored),
        },
      },
      sort: [{ '@timestamp': { order: 'asc', format: 'epoch_millis' } }],
    };
  }

  /** Keys of slots as our own index tells them; what is gone, or not ours, is left out. */
  async #keys(slots: readonly string[], signal: AbortSignal): Promise<Map<string, string>> {
    const keys = new Map<string, string>();
    if (slots.length === 0) return keys;
    for (const doc of await this.#api.documents(this.#index, slots, signal)) {
      const read = OwnSource.safeParse(doc._source);
      if (read.success && read.data.entente.owner === this.#owner) keys.set(doc._id, read.data.entente.key);
    }
    return keys;
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

  async *search(
    entries: readonly Observable[],
    window: { readonly from: number; readonly to: number },
    signal: AbortSignal,
  ): AsyncIterable<readonly Hit[]> {
    const { fields, indices, time_field: timeField } = this.#settings;
    const query = eventQuery(entries, fields, timeField, window.to - window.from, this.#ignored);
    if (query === undefined) return;
    let pit = await this.#api.openEvents(indices.join(','), signal);
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
