// Every call to the product, and nothing else: paths, parameters and the parts of answers that we use. Each call
// takes a signal and throws a ConnectorError.
import type { Client } from '@elastic/elasticsearch';
import type { z } from 'zod';
import type { Batch } from '../../../core/contracts/batch.ts';
import { configFailure, ConnectorError } from '../../../core/contracts/failure.ts';
import type { SiemDeps, WriterMark } from '../../../core/contracts/siem-connector.ts';
import type { ElasticConfig } from './config.ts';
import { AlertPage } from './alerts.ts';
import { EventPage } from './events.ts';
import {
  Count,
  CountedShards,
  ElasticPit,
  IndexInfo,
  IndexTemplates,
  IndexUuid,
  ManyDocs,
  Marked,
  OpenSearchPit,
  Privileges,
  Root,
  SearchPage,
  SimulatedIndex,
  WithShards,
} from './responses.ts';
import { cut, cutShort, shardFailure } from './errors.ts';
import { stateOf } from './states.ts';
import {
  CONTROL_INDEX,
  CONTROL_MAPPINGS,
  componentTemplate,
  indexMappings,
  INDEX_SETTINGS,
  indexTemplate,
  templateName,
} from './template.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
type Body = Record<string, unknown>;

const OWN_FIELDS = ['entente.owner', 'entente.key', 'entente.writer', 'entente.revision', 'entente.until'];

export class ElasticApi {
  readonly #config: ElasticConfig;
  readonly #deps: SiemDeps;
  #made: Client | undefined;

  constructor(config: ElasticConfig, deps: SiemDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  async version(signal: AbortSignal): Promise<{ version: string; product: 'elasticsearch' | 'opensearch' }> {
    const root = await this.#ask(Root, 'reading the version', 'GET', '/', signal);
    const product = root.version.distribution === 'opensearch' ? 'opensearch' : 'elasticsearch';
    if (product !== this.#config.product) {
      throw configFailure(`${this.#deps.name}: this is ${product} ${root.version.number}; set product: ${product}`);
    }
    return { version: root.version.number, product };
  }

  /** What the index is, or undefined when there is none. */
  async index(index: string, signal: AbortSignal) {
    const found = await this.#found(IndexInfo, `looking at index ${index}`, 'GET', `/${index}`, signal);
    if (found === undefined) return undefined;
    // An alias answers under the names of the indices behind it.
    const [first] = Object.values(found);
    return first === undefined ? undefined : { ...first, names: Object.keys(found) };
  }

  async indexUuid(index: string, signal: AbortSignal): Promise<string | undefined> {
    const path = `/${index}/_settings/index.uuid`;
    const found = await this.#found(IndexUuid, `looking at index ${index}`, 'GET', path, signal);
    return found === undefined ? undefined : Object.values(found)[0]?.settings.index.uuid;
  }

  async createIndex(index: string, owner: string, signal: AbortSignal): Promise<void> {
    await this.#create(index, { settings: INDEX_SETTINGS, mappings: indexMappings(owner) }, signal);
  }

  async createControlIndex(signal: AbortSignal): Promise<void> {
    const settings = { index: { number_of_shards: 1, auto_expand_replicas: '0-1' } };
    await this.#create(CONTROL_INDEX, { settings, mappings: CONTROL_MAPPINGS }, signal);
  }

  /** Version and owner of our template, or undefined when there is none. */
  async template(index: string, signal: AbortSignal) {
    const path = `/_index_template/${templateName(index)}`;
    const found = await this.#found(IndexTemplates, 'looking at the index template', 'GET', path, signal);
    const one = found?.index_templates[0]?.index_template;
    return one === undefined ? undefined : { version: one.version, owner: one._meta?.owner };
  }

  async putTemplates(index: string, owner: string, signal: AbortSignal): Promise<void> {
    const name = templateName(index);
    await this.#send(
      'writing the component template',
      'PUT',
      `/_component_template/${name}`,
      signal,
      componentTemplate(owner),
    );
    await this.#send(
      'writing the index template',
      'PUT',
      `/_index_template/${name}`,
      signal,
      indexTemplate(index, owner),
    );
  }

  /** Owner that an index of this name would carry if it were made now. */
  async simulatedOwner(index: string, signal: AbortSignal): Promise<string | undefined> {
    const path = `/_index_template/_simulate_index/${index}`;
    const found = await this.#ask(SimulatedIndex, 'trying the index template', 'POST', path, signal);
    return found.template.mappings?._meta?.entente?.owner;
  }

  async bulk(index: string, batch: Batch, filter: string[], signal: AbortSignal): Promise<unknown> {
    try {
      // The client's type knows only objects and strings; bytes are sent as they are.
      const operations = batch.bytes as unknown as string[];
      const client = await this.#client();
      const answer: unknown = await client.bulk({ index, operations, filter_path: filter }, { signal });
      if (typeof answer === 'object') return answer;
    } catch (error) {
      const failure = await this.#translate(error, `writing to ${index}`);
      if (failure.status !== 413) throw failure;
      throw new ConnectorError('permanent', failure.message, {
        status: 413,
        uncertain: false,
        split: { maxBytes: Math.max(1, Math.floor(batch.bytes.length / 2)) },
      });
    }
    throw this.#strange(`writing to ${index}`);
  }

  /** Stored versions of these ids; what is not there is left out. Real-time: needs no refresh. */
  async versions(index: string, ids: readonly string[], signal: AbortSignal): Promise<Map<string, number>> {
    const path = `/${index}/_mget?_source=false&filter_path=docs._id,docs.found,docs._version,docs.error`;
    const { docs } = await this.#ask(ManyDocs, 'comparing versions', 'POST', path, signal, { ids });
    this.#whole(docs, 'comparing versions');
    return new Map(
      docs.flatMap((doc) => (doc.found === true && doc._version !== undefined ? [[doc._id, doc._version]] : [])),
    );
  }

  async documents(index: string, ids: readonly string[], signal: AbortSignal) {
    const path = `/${index}/_mget?_source_includes=${OWN_FIELDS.join(',')}`;
    const { docs } = await this.#ask(ManyDocs, 'reading entries', 'POST', path, signal, { ids });
    this.#whole(docs, 'reading entries');
    return docs.filter((doc) => doc.found === true);
  }

  /** The same of an index that may be anybody's; undefined where there is none, or this credential may not look. */
  async documentsElsewhere(index: string, ids: readonly string[], signal: AbortSignal) {
    const path = `/${encodeURIComponent(index)}/_mget?_source_includes=entente.owner,entente.key`;
    try {
      const { docs } = await this.#ask(ManyDocs, `looking at ${index}`, 'POST', path, signal, { ids });
      return docs.filter((doc) => doc.found === true);
    } catch (error) {
      if (error instanceof ConnectorError && error.kind === 'config') return undefined;
      throw error;
    }
  }

  /** A document that could not be read is not one that is missing. */
  #whole(docs: z.output<typeof ManyDocs>['docs'], doing: string): void {
    const error = docs.find((doc) => doc.error !== undefined)?.error;
    if (error === undefined) return;
    const { type = '', reason } = error;
    const state = stateOf(type, reason ?? '');
    const said = `${this.#deps.name}: ${doing} failed for some (${type}: ${cut(reason ?? '')})`;
    throw new ConnectorError(
      state === undefined ? 'retryable' : 'config',
      state === undefined ? said : `${said}; ${state.remedy}`,
      { uncertain: false, code: state?.code ?? type },
    );
  }

  /** Asks what real work asks of the way there and of the index, and changes nothing. Throws what stands against it. */
  async rehearse(index: string, signal: AbortSignal): Promise<void> {
    await this.#ask(Count, `searching ${index}`, 'POST', `/${index}/_count`, signal, { query: { match_all: {} } });
    try {
      // Nothing in it: the product refuses it with 400, and whoever stands between has seen the method and the path.
      await this.#send(`writing to ${index}`, 'POST', `/${index}/_bulk`, signal);
    } catch (error) {
      if (!(error instanceof ConnectorError) || error.status !== 400 || error.code?.startsWith('http_') === true)
        throw error;
    }
  }

  /** How many shards stand behind an expression of names and patterns; undefined where a name is missing. */
  async shardsBehind(expression: string, signal: AbortSignal): Promise<number | undefined> {
    const path = `/${encodeURIComponent(expression)}/_count`;
    const found = await this.#found(CountedShards, `looking at ${expression}`, 'POST', path, signal, {
      query: { match_none: {} },
    });
    return found?._shards.total;
  }

  /** Makes recent writes visible to search, where the credential may. */
  async refresh(index: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#send('refreshing', 'POST', `/${index}/_refresh`, signal);
    } catch (error) {
      // Without the right the index refreshes itself within a second; that is late, not wrong.
      if (!(error instanceof ConnectorError) || error.status !== 403) throw error;
    }
  }

  async openPit(index: string, signal: AbortSignal): Promise<string> {
    const doing = `listing ${index}`;
    if (this.#config.product === 'opensearch') {
      const path = `/${index}/_search/point_in_time?keep_alive=2m`;
      return (await this.#ask(OpenSearchPit, doing, 'POST', path, signal)).pit_id;
    }
    return (await this.#ask(ElasticPit, doing, 'POST', `/${index}/_pit?keep_alive=2m`, signal)).id;
  }

  /** As openPit, over what may not be there: undefined then. */
  async openEvents(indices: string, signal: AbortSignal): Promise<string | undefined> {
    const doing = `reading hits in ${indices}`;
    const path = `/${encodeURIComponent(indices)}`;
    if (this.#config.product === 'opensearch') {
      const found = `${path}/_search/point_in_time?keep_alive=2m`;
      return (await this.#found(OpenSearchPit, doing, 'POST', found, signal))?.pit_id;
    }
    return (await this.#found(ElasticPit, doing, 'POST', `${path}/_pit?keep_alive=2m`, signal))?.id;
  }

  async alerts(pit: string, body: Body, signal: AbortSignal) {
    return this.#ask(AlertPage, 'reading alerts', 'POST', '/_search', signal, {
      pit: { id: pit, keep_alive: '2m' },
      track_total_hits: false,
      ...body,
    });
  }

  async events(pit: string, body: Body, signal: AbortSignal) {
    return this.#ask(EventPage, 'searching events', 'POST', '/_search', signal, {
      pit: { id: pit, keep_alive: '2m' },
      track_total_hits: false,
      ...body,
    });
  }

  async closePit(id: string, signal: AbortSignal): Promise<void> {
    if (this.#config.product === 'opensearch') {
      await this.#send('closing a listing', 'DELETE', '/_search/point_in_time', signal, { pit_id: [id] });
    } else await this.#send('closing a listing', 'DELETE', '/_pit', signal, { id });
  }

  async page(pit: string, owner: string, size: number, after: readonly unknown[] | undefined, signal: AbortSignal) {
    return this.#ask(SearchPage, 'listing entries', 'POST', '/_search', signal, {
      pit: { id: pit, keep_alive: '2m' },
      size,
      track_total_hits: false,
      _source: OWN_FIELDS,
      query: { bool: { filter: [{ term: { 'entente.owner': owner } }] } },
      sort: [{ _shard_doc: 'asc' }],
      ...(after === undefined ? {} : { search_after: after }),
    });
  }

  async foreignCount(index: string, owner: string, signal: AbortSignal): Promise<number> {
    const query = { bool: { must_not: [{ term: { 'entente.owner': owner } }] } };
    return (await this.#ask(Count, `counting in ${index}`, 'POST', `/${index}/_count`, signal, { query })).count;
  }

  async mark(id: string, signal: AbortSignal) {
    const path = `/${CONTROL_INDEX}/_doc/${encodeURIComponent(id)}`;
    const found = await this.#found(Marked, 'reading the writer mark', 'GET', path, signal);
    if (found?.found !== true) return undefined;
    return { mark: found._source, seqNo: found._seq_no ?? 0, primaryTerm: found._primary_term ?? 0 };
  }

  /** False when there was none. */
  async dropMark(id: string, signal: AbortSignal): Promise<boolean> {
    if ((await this.mark(id, signal)) === undefined) return false;
    await this.#send('removing the writer mark', 'DELETE', `/${CONTROL_INDEX}/_doc/${encodeURIComponent(id)}`, signal);
    return true;
  }

  /** Writes only if nobody wrote since `seen` was read; false when somebody did. */
  async putMark(
    id: string,
    mark: WriterMark & { readonly owner: string },
    seen: { readonly seqNo: number; readonly primaryTerm: number } | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const condition =
      seen === undefined ? 'op_type=create' : `if_seq_no=${seen.seqNo}&if_primary_term=${seen.primaryTerm}`;
    const path = `/${CONTROL_INDEX}/_doc/${encodeURIComponent(id)}?${condition}`;
    try {
      await this.#send('writing the writer mark', 'PUT', path, signal, { ...mark });
      return true;
    } catch (error) {
      if (error instanceof ConnectorError && error.status === 409) return false;
      throw error;
    }
  }

  /** Which of the rights are missing; undefined where the product has no security to ask. */
  async missingRights(rights: Body, signal: AbortSignal): Promise<readonly string[] | undefined> {
    if (this.#config.product === 'opensearch') return undefined;
    try {
      const path = '/_security/user/_has_privileges';
      const answer = await this.#ask(Privileges, 'asking for rights', 'POST', path, signal, rights);
      return [
        ...missing(answer.cluster).map((right) => `cluster: ${right}`),
        ...Object.entries(answer.index).flatMap(([name, held]) => missing(held).map((right) => `${name}: ${right}`)),
      ];
    } catch (error) {
      // Without security the route is unknown, and the answer a 400 or 405.
      const told = error instanceof ConnectorError && error.code?.startsWith('http_') !== true;
      if (told && (error.status === 400 || error.status === 405)) return undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#made?.close();
    this.#made = undefined;
  }

  // Loaded and made at the first call: a constructor does no work, and the store's thread, which needs only our
  // mapping, stays free of the client's 30 MB.
  async #client(): Promise<Client> {
    const { createClient } = await import('./connection.ts');
    this.#made ??= createClient(this.#config, this.#deps);
    return this.#made;
  }

  async #create(index: string, body: Body, signal: AbortSignal): Promise<void> {
    try {
      await this.#send(`creating index ${index}`, 'PUT', `/${index}`, signal, body);
    } catch (error) {
      // Another instance, or a bulk request of ours, was faster.
      if (!(error instanceof ConnectorError) || !error.message.includes('resource_already_exists_exception'))
        throw error;
    }
  }

  async #send(doing: string, method: Method, path: string, signal: AbortSignal, body?: Body): Promise<unknown> {
    const [pathname, query] = path.split('?');
    try {
      const client = await this.#client();
      return await client.transport.request(
        {
          method,
          path: pathname ?? path,
          ...(query === undefined ? {} : { querystring: query }),
          ...(body === undefined ? {} : { body }),
        },
        { signal },
      );
    } catch (error) {
      throw await this.#translate(error, doing);
    }
  }

  async #ask<T extends z.ZodType>(
    answer: T,
    doing: string,
    method: Method,
    path: string,
    signal: AbortSignal,
    body?: Body,
  ): Promise<z.output<T>> {
    const given = await this.#send(doing, method, path, signal, body);
    const read = answer.safeParse(given);
    if (!read.success) throw this.#strange(doing);
    const shards = WithShards.safeParse(given);
    const where = `${this.#deps.name}: ${doing}`;
    const failure = shards.success
      ? (shardFailure(shards.data._shards, where) ?? cutShort(shards.data, where))
      : undefined;
    if (failure !== undefined) throw failure;
    return read.data;
  }

  /** Undefined where the product answers 404. */
  async #found<T extends z.ZodType>(
    answer: T,
    doing: string,
    method: Method,
    path: string,
    signal: AbortSignal,
    body?: Body,
  ) {
    try {
      return await this.#ask(answer, doing, method, path, signal, body);
    } catch (error) {
      // A page with this status is the word of an ingress that knows no such place.
      if (error instanceof ConnectorError && error.status === 404 && error.code !== 'http_404_page') return undefined;
      throw error;
    }
  }

  #strange(doing: string): ConnectorError {
    return configFailure(
      `${this.#deps.name}: ${doing} got an answer that this product does not give; check that url is the cluster itself`,
      { uncertain: true },
    );
  }

  async #translate(error: unknown, doing: string): Promise<ConnectorError> {
    const { translate } = await import('./failures.ts');
    return translate(error, this.#deps.name, doing, this.#deps.clock.now());
  }
}

const missing = (rights: Record<string, boolean>): string[] =>
  Object.entries(rights).flatMap(([right, held]) => (held ? [] : [right]));
