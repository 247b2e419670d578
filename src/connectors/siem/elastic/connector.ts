// One index of one cluster, kept as the engine asks. All decisions on answers are in responses.ts.
import type { Batch } from '../../../core/contracts/batch.ts';
import { configFailure, ConnectorError, retryable, toFailure } from '../../../core/contracts/failure.ts';
import type {
  Container,
  Outcome,
  OwnedEntry,
  Probe,
  SiemConnector,
  SiemDeps,
  WriterMark,
} from '../../../core/contracts/siem-connector.ts';
import { entryKey, parseEntryKey } from '../../../core/model/observable.ts';
import { applyBulk } from './bulk.ts';
import { ElasticApi } from './client.ts';
import type { ElasticSettings } from './config.ts';
import { indexName } from './settings.ts';
import { alertsOf, ElasticEventSearch, ElasticHits } from './hits.ts';
import { mappingProblems, problemText } from './mapping-check.ts';
import { OwnSource } from './responses.ts';
import { CONTROL_INDEX, TEMPLATE_VERSION } from './template.ts';

const PAGE = 5000;
const IDS_PER_REQUEST = 1000;

export class ElasticConnector implements SiemConnector {
  readonly #api: ElasticApi;
  readonly #index: string;
  readonly #owner: string;
  readonly #name: string;
  readonly #provision: 'auto' | 'never';
  readonly #deps: SiemDeps;
  readonly #spaces: readonly string[];
  /** Identity of the index whose mapping was looked at. */
  #checked: string | undefined;
  readonly hits?: ElasticHits;
  readonly search?: ElasticEventSearch;

  constructor(config: ElasticSettings, deps: SiemDeps) {
    this.#api = new ElasticApi(config, deps);
    this.#index = indexName(config.index, deps.instance);
    this.#owner = `entente:${deps.instance}`;
    this.#name = deps.name;
    this.#provision = config.provision ?? 'auto';
    this.#deps = deps;
    this.#spaces = config.alert_spaces;
    // Alerts are Kibana's; without it only events can be searched.
    if (config.product === 'elasticsearch')
      this.hits = new ElasticHits(this.#api, config, this.#index, this.#owner, deps);
    if (config.event_search !== undefined)
      this.search = new ElasticEventSearch(this.#api, config.event_search, config.ignore_hosts, deps);
  }

  async probe(signal: AbortSignal, asked?: { readonly hits: boolean }): Promise<Probe> {
    const readsHits = asked?.hits === true;
    try {
      const { version, product } = await this.#api.version(signal);
      const there = await this.#api.index(this.#index, signal);
      const missing = await this.#api.missingRights(this.#rights(there === undefined, readsHits), signal);
      if (missing !== undefined && missing.length > 0) {
        return failed(
          `${this.#name}: the credential lacks ${missing.join(', ')}; see the README of the Elastic connector`,
        );
      }
      if (there === undefined && this.#provision === 'never') {
        return failed(
          `${this.#name}: index ${this.#index} is missing and provision is never; create it as content/elastic says`,
        );
      }
      if (there !== undefined) {
        this.#checkIndex(there);
        await this.#api.rehearse(this.#index, signal);
      }
      const reading = readsHits ? await this.#probeHits(signal) : '';
      const state = there === undefined ? 'will be created' : behind(there.names, this.#index);
      return { ok: true, message: `${product} ${version}; index ${this.#index} ${state}${reading}` };
    } catch (error) {
      const failure = toFailure(error);
      return { ok: false, message: failure.message, failure };
    }
  }

  async open(signal: AbortSignal) {
    const facts = await this.#api.version(signal);
    const found = await this.#api.index(this.#index, signal);
    if (found === undefined) await this.#provisionIndex(signal);
    else {
      this.#checkIndex(found);
      if (!found.names.includes(this.#index))
        this.#deps.log.warn('Our index is an alias; rules and hits name the index behind it.', {
          alias: this.#index,
          behind: found.names,
        });
      if (this.#provision === 'auto') await this.#renewTemplate(signal);
    }
    await this.#provisionControl(signal);
    return { facts, containers: await this.containers(signal) };
  }

  async containers(signal: AbortSignal): Promise<readonly Container[]> {
    const identity = await this.#api.indexUuid(this.#index, signal);
    if (identity === undefined) return [];
    if (identity !== this.#checked) {
      // Somebody made it anew, or a write did where no template was left: all would be taken and no rule would match.
      const found = await this.#api.index(this.#index, signal);
      if (found === undefined) return [];
      this.#checkIndex(found);
      this.#checked = identity;
    }
    return [{ name: this.#index, identity }];
  }

  async writer(mine: WriterMark | undefined, signal: AbortSignal): Promise<WriterMark | undefined> {
    const id = `${this.#deps.instance}|${this.#index}`;
    const seen = await this.#api.mark(id, signal);
    if (mine !== undefined && !(await this.#api.putMark(id, { ...mine, owner: this.#owner }, seen, signal))) {
      throw retryable(`${this.#name}: another daemon wrote the writer mark at the same moment; it is read again`, {
        uncertain: false,
      });
    }
    return seen?.mark;
  }

  async leave(signal: AbortSignal): Promise<{ removed: number; stays: readonly string[] }> {
    const id = `${this.#deps.instance}|${this.#index}`;
    let removed = 0;
    try {
      if (await this.#api.dropMark(id, signal)) removed = 1;
    } catch (error) {
      // A key of before may write the mark and not delete it.
      if (toFailure(error).kind !== 'config') throw error;
      return { removed, stays: [`the writer mark in ${CONTROL_INDEX}, which this key may not delete`] };
    }
    return {
      removed,
      stays: [`the index ${this.#index}, now empty of ours`, 'its templates', `the index ${CONTROL_INDEX}`],
    };
  }

  async apply(batch: Batch, signal: AbortSignal): Promise<readonly Outcome[]> {
    return applyBulk(this.#api, this.#index, batch, signal);
  }

  async *list(
    filter: { readonly slots?: readonly string[] },
    signal: AbortSignal,
  ): AsyncIterable<readonly OwnedEntry[]> {
    if (filter.slots !== undefined) return yield* this.#listSlots(filter.slots, signal);
    if ((await this.#api.indexUuid(this.#index, signal)) === undefined) return;
    await this.#api.refresh(this.#index, signal);
    let pit = await this.#api.openPit(this.#index, signal);
    let unreadable = 0;
    try {
      for (let after: readonly unknown[] | undefined; ; ) {
        const page = await this.#api.page(pit, this.#owner, PAGE, after, signal);
        pit = page.pit_id ?? pit;
        const { hits } = page.hits;
        const rows = hits.flatMap((hit) => this.#owned(hit._id, hit._source) ?? []);
        unreadable += hits.length - rows.length;
        if (hits.length > 0) yield rows;
        if (hits.length < PAGE) break;
        after = hits.at(-1)?.sort;
      }
      if (unreadable > 0)
        this.#deps.log.warn('Documents of ours cannot be read and are left out; somebody changed them.', {
          index: this.#index,
          documents: unreadable,
        });
    } finally {
      await this.#closePit(pit, signal);
    }
  }

  async foreign(signal: AbortSignal): Promise<number | undefined> {
    if ((await this.#api.indexUuid(this.#index, signal)) === undefined) return 0;
    return this.#api.foreignCount(this.#index, this.#owner, signal);
  }

  async close(): Promise<void> {
    await this.#api.close();
  }

  /** Aliases and patterns that hits are read from. */
  get #readFrom(): string[] {
    return [...(this.hits === undefined ? [] : this.#spaces.map(alertsOf)), ...(this.search?.indices ?? [])];
  }

  /** What daily work does; creating index and templates is asked for only where it is still to be done by us. */
  #rights(making: boolean, readsHits: boolean): Record<string, unknown> {
    const make = making && this.#provision === 'auto';
    const reads = readsHits ? this.#readFrom : [];
    return {
      cluster: ['monitor', ...(make ? ['manage_index_templates'] : [])],
      index: [
        {
          names: [this.#index],
          privileges: ['index', 'delete', 'read', 'view_index_metadata', ...(make ? ['create_index'] : [])],
        },
        { names: [CONTROL_INDEX], privileges: ['index', 'read', 'view_index_metadata'] },
        ...(reads.length === 0 ? [] : [{ names: reads, privileges: ['read', 'view_index_metadata'] }]),
      ],
    };
  }

  /** Where hits would be read: what is missing of it, or a few words for the probe. */
  async #probeHits(signal: AbortSignal): Promise<string> {
    const told: string[] = [];
    if (this.hits !== undefined) {
      for (const space of this.#spaces) {
        if ((await this.#api.shardsBehind(alertsOf(space), signal)) !== undefined) continue;
        // Kibana makes the alias of a space with its first alert or when Security is opened there.
        if (space !== 'default')
          throw configFailure(
            `${this.#name}: there are no alerts of Kibana space ${space}; mend alert_spaces, or open Security in that space once`,
          );
        told.push('no alerts of space default yet');
      }
    }
    if (this.search !== undefined) {
      for (const one of this.search.indices) {
        if (((await this.#api.shardsBehind(one, signal)) ?? 0) > 0) continue;
        throw configFailure(
          `${this.#name}: event_search names ${one}, and no such index is there; mend event_search.indices`,
        );
      }
    }
    return told.length === 0 ? '' : `; ${told.join('; ')}`;
  }

  #checkIndex(found: NonNullable<Awaited<ReturnType<ElasticApi['index']>>>): void {
    const owner = found.mappings?._meta?.entente?.owner;
    if (owner !== undefined && owner !== this.#owner) {
      throw configFailure(
        `${this.#name}: index ${this.#index} belongs to ${owner}; choose another index for ${this.#owner}`,
      );
    }
    // An index that came to be without our template guesses types: an address would be text, and no rule would match.
    if (found.mappings?.properties?.['entente'] === undefined) {
      throw configFailure(
        `${this.#name}: index ${this.#index} has not our mapping; delete it, so that it is made anew, or put the mapping of content/elastic`,
      );
    }
    const problems = mappingProblems(found.mappings.properties);
    if (problems.length > 0) {
      throw configFailure(
        `${this.#name}: index ${this.#index} has another mapping than our documents need: ${problemText(problems)}; delete it, so that it is made anew, or put the mapping of content/elastic`,
        { code: 'mapping' },
      );
    }
    const { index } = found.settings;
    if (index.verified_before_close === 'true')
      throw configFailure(
        `${this.#name}: index is closed: ${this.#index}; open it (POST /${this.#index}/_open), or delete it to have it made anew`,
        { code: 'index_closed_exception' },
      );
    const block = ['write', 'read_only', 'read_only_allow_delete'].find(
      (one) => String(index.blocks?.[one]) === 'true',
    );
    if (block !== undefined)
      throw configFailure(
        `${this.#name}: index ${this.#index} is under a block; free disk space or remove the block (index.blocks.${block})`,
        { code: 'cluster_block_exception' },
      );
  }

  async #provisionIndex(signal: AbortSignal): Promise<void> {
    if (this.#provision === 'never') {
      throw configFailure(
        `${this.#name}: index ${this.#index} is missing and provision is never; create template and index as content/elastic says`,
      );
    }
    await this.#api.putTemplates(this.#index, this.#owner, signal);
    const winner = await this.#api.simulatedOwner(this.#index, signal);
    if (winner !== this.#owner) {
      throw configFailure(
        `${this.#name}: another index template wins for ${this.#index}; give it a lower priority than 500, or choose another index`,
      );
    }
    await this.#api.createIndex(this.#index, this.#owner, signal);
  }

  /** The index stands. The template is there for the day somebody deletes it; a key for daily work may not see it. */
  async #renewTemplate(signal: AbortSignal): Promise<void> {
    try {
      const template = await this.#api.template(this.#index, signal);
      if (template !== undefined && template.owner === this.#owner && (template.version ?? 0) >= TEMPLATE_VERSION)
        return;
      await this.#api.putTemplates(this.#index, this.#owner, signal);
    } catch (error) {
      if (!(error instanceof ConnectorError) || error.status !== 403) throw error;
      this.#deps.log.debug('The credential may not manage index templates; they are left as they are.', {
        index: this.#index,
      });
    }
  }

  async #provisionControl(signal: AbortSignal): Promise<void> {
    if ((await this.#api.indexUuid(CONTROL_INDEX, signal)) !== undefined) return;
    if (this.#provision === 'never') {
      throw configFailure(
        `${this.#name}: index ${CONTROL_INDEX} is missing and provision is never; create it as content/elastic says`,
      );
    }
    await this.#api.createControlIndex(signal);
  }

  async *#listSlots(slots: readonly string[], signal: AbortSignal): AsyncIterable<readonly OwnedEntry[]> {
    if (slots.length > 0 && (await this.#api.indexUuid(this.#index, signal)) === undefined) return;
    for (let at = 0; at < slots.length; at += IDS_PER_REQUEST) {
      const docs = await this.#api.documents(this.#index, slots.slice(at, at + IDS_PER_REQUEST), signal);
      const rows = docs.flatMap((doc) => this.#owned(doc._id, doc._source) ?? []);
      if (rows.length > 0) yield rows;
    }
  }

  /** A row under our mark; undefined for an analyst's own, and for one whose key we would not have written. */
  #owned(slot: string, source: unknown): OwnedEntry | undefined {
    const read = OwnSource.safeParse(source);
    if (!read.success || read.data.entente.owner !== this.#owner) return undefined;
    const { key, writer, revision, until } = read.data.entente;
    const observable = parseEntryKey(key);
    if (observable === undefined) return undefined;
    const expiry = until === undefined ? Number.NaN : Date.parse(until);
    return {
      key: entryKey(observable.type, observable.value),
      slot,
      writer,
      revision,
      ...(Number.isNaN(expiry) ? {} : { until: expiry }),
    };
  }

  async #closePit(pit: string, signal: AbortSignal): Promise<void> {
    // After an abort nothing more is sent; the product forgets the listing after its two minutes.
    if (signal.aborted) return;
    try {
      await this.#api.closePit(pit, signal);
    } catch (error) {
      this.#deps.log.debug('A listing could not be closed; it ends by itself.', { failure: toFailure(error).message });
    }
  }
}

const behind = (names: readonly string[], index: string): string =>
  names.includes(index)
    ? 'is there'
    : `is an alias of ${names.join(', ')}; an index of that name is what rules and hits know`;

function failed(message: string): Probe {
  return { ok: false, message, failure: { kind: 'config', message } };
}
