// The paths of Splunk's management port that we use.
import { z } from 'zod';
import { configFailure, ConnectorError, permanent } from '../../../core/contracts/failure.ts';
import type { SiemDeps, WriterMark } from '../../../core/contracts/siem-connector.ts';
import type { HttpResponse } from '../../../core/runtime/http.ts';
import type { SplunkConfig } from './config.ts';
import { HitRows } from './hit-search.ts';
import {
  Entities,
  type Entity,
  FoundRows,
  Generation,
  isMissing,
  Jobs,
  type JobState,
  Keys,
  Mark,
  type OwnRow,
  OwnRows,
  parse,
  ShortRows,
  Started,
} from './responses.ts';
import { type Call, FORM, SplunkSession } from './session.ts';
import { prefixOf } from './settings.ts';

/** What others found to pass; a server that takes less says 413 or 414, and the number is halved. */
const URL_BYTES = 24_000;
const FIELDS = ['_key', 'owner', 'threat_key', 'entry_key', 'writer', 'revision', 'valid_until'];

export class SplunkClient {
  readonly #session: SplunkSession;
  #urlBytes = URL_BYTES;

  constructor(config: SplunkConfig, deps: SiemDeps) {
    this.#session = new SplunkSession(config, deps);
  }

  close(): void {
    this.#session.close();
  }

  tokenExpires(): number | undefined {
    return this.#session.tokenExpires();
  }

  /** `now` is the server's own time, epoch milliseconds, to the second. */
  async serverInfo(
    signal: AbortSignal,
  ): Promise<{ version: string; kvStore: string | undefined; now: number | undefined }> {
    const call: Call = { path: '/services/server/info', query: { count: 0 }, doing: 'asking who it is' };
    const { entry, updated } = parse(Entities, await this.#session.call(call, signal), this.#session.where(call.doing));
    const { version, kvStoreStatus } = entry[0]?.content ?? {};
    const now = Date.parse(updated ?? '');
    return {
      now: Number.isNaN(now) ? undefined : now,
      version: typeof version === 'string' ? version : 'of unknown version',
      kvStore: typeof kvStoreStatus === 'string' ? kvStoreStatus : undefined,
    };
  }

  /** What the account may do; undefined when the server does not tell. */
  async capabilities(signal: AbortSignal): Promise<readonly string[] | undefined> {
    const context = await this.entity('/services/authentication/current-context', signal);
    const read = z.array(z.string()).safeParse(context?.content['capabilities']);
    return read.success ? read.data : undefined;
  }

  /** One entity of a list endpoint; undefined when there is none of this name. */
  async entity(path: string, signal: AbortSignal): Promise<Entity | undefined> {
    try {
      const [entity] = await this.#entities({ path, doing: `reading ${path}` }, signal);
      return entity;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Creates or changes an entity. */
  async post(path: string, form: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    const call: Call = {
      method: 'POST',
      path,
      headers: { 'content-type': FORM },
      body: Buffer.from(new URLSearchParams(form).toString(), 'utf8'),
      doing: `writing ${form['name'] ?? path}`,
    };
    parse(z.unknown(), await this.#session.call(call, signal), this.#session.where(call.doing));
  }

  /** Stores documents whole; existing keys are overwritten. Returns the keys that the server names. */
  async batchSave(collection: string, documents: Buffer, items: number, signal: AbortSignal): Promise<Set<string>> {
    const call: Call = {
      method: 'POST',
      path: `${data(collection)}/batch_save`,
      headers: { 'content-type': 'application/json' },
      body: documents,
      doing: `saving ${items} rows into ${collection}`,
      items,
    };
    const response = await this.#session.call(call, signal);
    return new Set(parse(Keys, response, this.#session.where(call.doing)));
  }

  /**
   * Removes the first of these keys, as many as one call takes, and tells how many that were. Only rows with this mark,
   * or for `mark` undefined those keys themselves; never a call without a query, which would empty the collection.
   */
  async remove(
    collection: string,
    keys: readonly string[],
    mark: Readonly<Record<string, string>> | undefined,
    signal: AbortSignal,
  ): Promise<number> {
    for (;;) {
      const some = this.#fitting(keys, mark);
      const query = removalQuery(some, mark);
      if (some.length === 0) throw permanent(`${this.#session.where('removing')}: no keys given`);
      const call: Call = {
        method: 'DELETE',
        path: data(collection),
        query: { query },
        doing: `removing ${some.length} rows from ${collection}`,
        items: some.length,
      };
      try {
        const response = await this.#session.call(call, signal);
        // A removal is answered with 200 and an empty body. A login page or a gateway on the way says 200 as well.
        if (response.status !== 200 || response.body.length > 0) {
          if (response.body.length > 0) parse(z.unknown(), response, this.#session.where(call.doing));
          await this.#refuseLeft(collection, some, mark, signal);
        }
        return some.length;
      } catch (error) {
        if (!(error instanceof ConnectorError) || (error.status !== 413 && error.status !== 414) || some.length === 1)
          throw error;
        this.#urlBytes = Math.floor(urlBytes(query) / 2);
      }
    }
  }

  /** Throws where rows that were to be removed stand there still. */
  async #refuseLeft(
    collection: string,
    keys: readonly string[],
    mark: Readonly<Record<string, string>> | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const rows = await this.find(collection, keys, signal);
    const left = rows.filter((row) => Object.entries(mark ?? {}).every(([column, text]) => row[column] === text));
    if (left.length === 0) return;
    throw configFailure(
      `${this.#session.where(`removing ${keys.length} rows from ${collection}`)}: the answer is none that Splunk gives, and ${left.length} of them stand there still; look at what stands between`,
      { uncertain: true, code: 'strange_answer' },
    );
  }

  /** Rows that may be ours after `after`, in order of key. An empty page is the end; a short one is not. */
  async page(collection: string, owner: string, after: string, limit: number, signal: AbortSignal): Promise<OwnRow[]> {
    const call: Call = {
      path: data(collection),
      query: {
        query: JSON.stringify({ $and: [{ $or: [{ owner }, ourKeys(owner)] }, { _key: { $gt: after } }] }),
        sort: '_key',
        limit,
        fields: FIELDS.join(','),
      },
      doing: `listing ${collection}`,
    };
    return parse(OwnRows, await this.#session.call(call, signal), this.#session.where(call.doing));
  }

  /** Rows of others after `after`: their keys, and what marks a marker. */
  async foreignPage(collection: string, owner: string, after: string, signal: AbortSignal): Promise<OwnRow[]> {
    const call: Call = {
      path: data(collection),
      query: {
        query: JSON.stringify({ $and: [{ owner: { $ne: owner } }, { _key: { $gt: after } }] }),
        sort: '_key',
        limit: 50_000,
        fields: '_key,owner,threat_key,generation',
      },
      doing: `counting rows of others in ${collection}`,
    };
    return parse(OwnRows, await this.#session.call(call, signal), this.#session.where(call.doing));
  }

  /** Whatever stands under these keys. The query is in the body, so its length does not matter. */
  async find(
    collection: string,
    keys: readonly string[],
    signal: AbortSignal,
    fields: readonly string[] = FIELDS,
  ): Promise<OwnRow[]> {
    const query = { $or: keys.map((_key) => ({ _key })) };
    const call: Call = {
      method: 'POST',
      path: `${data(collection)}/batch_find`,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify([{ query, fields, limit: 0 }])),
      doing: `looking up ${keys.length} rows in ${collection}`,
    };
    return parse(FoundRows, await this.#session.call(call, signal), this.#session.where(call.doing)).flat();
  }

  /** The marker in a collection; undefined where there is none that can be read. */
  async generation(collection: string, key: string, signal: AbortSignal): Promise<string | undefined> {
    const response = await this.#document(collection, key, signal);
    return (
      response && parse(Generation, response, this.#session.where(`reading the marker of ${collection}`)).generation
    );
  }

  /** The writer mark; undefined where there is none that can be read. */
  async mark(collection: string, key: string, signal: AbortSignal): Promise<WriterMark | undefined> {
    const response = await this.#document(collection, key, signal);
    return response && parse(Mark, response, this.#session.where('reading the writer mark'));
  }

  /** Runs a short search and returns its rows. `path` ends in `jobs`. */
  async searchNow(path: string, search: string, signal: AbortSignal): Promise<z.output<typeof ShortRows>> {
    const call: Call = {
      method: 'POST',
      path,
      headers: { 'content-type': FORM },
      body: Buffer.from(new URLSearchParams({ search, exec_mode: 'oneshot', output_mode: 'json' }).toString(), 'utf8'),
      doing: 'searching',
    };
    return parse(ShortRows, await this.#session.call(call, signal), this.#session.where(call.doing));
  }

  /** Makes a search job and returns its id. `path` ends in `jobs`. */
  async startSearch(path: string, form: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string> {
    const call: Call = {
      method: 'POST',
      path,
      headers: { 'content-type': FORM },
      body: Buffer.from(new URLSearchParams(form).toString(), 'utf8'),
      doing: 'searching for hits',
    };
    return parse(Started, await this.#session.call(call, signal), this.#session.where(call.doing)).sid;
  }

  /** Undefined while the job is not ready. */
  async searchState(path: string, signal: AbortSignal): Promise<JobState | undefined> {
    const call: Call = { path, doing: 'waiting for a search' };
    const response = await this.#session.call(call, signal);
    if (response.status === 204) return undefined;
    return parse(Jobs, response, this.#session.where(call.doing)).entry[0].content;
  }

  async searchResults(
    path: string,
    page: { readonly count: number; readonly offset: number; readonly f: readonly string[] },
    signal: AbortSignal,
  ): Promise<z.output<typeof HitRows>> {
    const form = new URLSearchParams({ count: String(page.count), offset: String(page.offset) });
    for (const name of page.f) form.append('f', name);
    const call: Call = {
      method: 'POST',
      path,
      headers: { 'content-type': FORM },
      body: Buffer.from(form.toString(), 'utf8'),
      doing: 'reading hits',
    };
    return parse(HitRows, await this.#session.call(call, signal), this.#session.where(call.doing));
  }

  async #document(collection: string, key: string, signal: AbortSignal): Promise<HttpResponse | undefined> {
    try {
      return await this.#session.call(
        { path: `${data(collection)}/${encodeURIComponent(key)}`, doing: `reading ${collection}` },
        signal,
      );
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async #entities(call: Call, signal: AbortSignal): Promise<Entity[]> {
    const response = await this.#session.call({ ...call, query: { ...call.query, count: 0 } }, signal);
    return parse(Entities, response, this.#session.where(call.doing)).entry;
  }

  #fitting(keys: readonly string[], mark: Readonly<Record<string, string>> | undefined): readonly string[] {
    // All our keys have one length, so the first tells how many fit.
    const fixed = urlBytes(removalQuery([], mark));
    const each = urlBytes(JSON.stringify({ _key: keys[0] })) + 3;
    return keys.slice(0, Math.max(1, Math.floor((this.#urlBytes - fixed) / each)));
  }
}

/** Collections are named `app/collection`; owner nobody, because rows of anybody else are not seen by lookups. */
const data = (collection: string): string => {
  const [app = '', name = ''] = collection.split('/');
  return `/servicesNS/nobody/${encodeURIComponent(app)}/storage/collections/data/${encodeURIComponent(name)}`;
};

function removalQuery(keys: readonly string[], mark: Readonly<Record<string, string>> | undefined): string {
  const among = { $or: keys.map((_key) => ({ _key })) };
  return JSON.stringify(mark === undefined ? among : { $and: [mark, among] });
}

/** Every `_key` that we make begins with our prefix and `-`, which `.` follows. */
const ourKeys = (owner: string) => ({ _key: { $gte: `${prefixOf(owner)}-`, $lt: `${prefixOf(owner)}.` } });

const urlBytes = (text: string): number => new URLSearchParams({ q: text }).toString().length;
