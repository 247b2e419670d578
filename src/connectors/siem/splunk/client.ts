// The paths of Splunk's management port that we use. Every call asks for JSON, since errors come as XML otherwise;
// every call that may be refused says what it was doing.
import { z } from 'zod';
import { ConnectorError, permanent, retryable } from '../../../core/contracts/failure.ts';
import type { SiemDeps, WriterMark } from '../../../core/contracts/siem-connector.ts';
import type { HttpClient, HttpRequest, HttpResponse } from '../../../core/runtime/http.ts';
import type { SplunkConfig } from './config.ts';
import { type HitRow, HitRows } from './hit-search.ts';
import { type Credential, credentialOf } from './login.ts';
import {
  Entities,
  type Entity,
  FoundRows,
  Generation,
  Jobs,
  type JobState,
  Keys,
  Login,
  Mark,
  type OwnRow,
  OwnRows,
  parse,
  refusal,
  Started,
} from './responses.ts';

const FORM = 'application/x-www-form-urlencoded';
/** What others found to pass; a server that takes less says 413 or 414, and the number is halved. */
const URL_BYTES = 24_000;
const FIELDS = ['_key', 'owner', 'entry_key', 'writer', 'revision', 'valid_until'];

type Call = Omit<HttpRequest, 'signal'> & { readonly doing: string; readonly items?: number };

export class SplunkClient {
  readonly #http: HttpClient;
  readonly #credential: Credential;
  readonly #deps: SiemDeps;
  #urlBytes = URL_BYTES;

  constructor(config: SplunkConfig, deps: SiemDeps) {
    this.#http = deps.http({ baseUrl: config.url });
    this.#credential = credentialOf(config.auth);
    this.#deps = deps;
  }

  close(): void {
    this.#http.close();
  }

  tokenExpires(): number | undefined {
    return this.#credential.expires();
  }

  /** `now` is the server's own time, epoch milliseconds, to the second. */
  async serverInfo(
    signal: AbortSignal,
  ): Promise<{ version: string; kvStore: string | undefined; now: number | undefined }> {
    const call: Call = { path: '/services/server/info', query: { count: 0 }, doing: 'asking who it is' };
    const { entry, updated } = parse(Entities, await this.#call(call, signal), this.#where(call.doing));
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
      if (error instanceof ConnectorError && error.status === 404) return undefined;
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
    parse(z.unknown(), await this.#call(call, signal), this.#where(call.doing));
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
    const response = await this.#call(call, signal);
    return new Set(parse(Keys, response, this.#where(call.doing)));
  }

  /** Removes these keys where they carry our mark. Bounded queries, never a call without a query. */
  async remove(collection: string, keys: readonly string[], owner: string, signal: AbortSignal): Promise<void> {
    for (let at = 0; at < keys.length; ) {
      const some = this.#fitting(keys.slice(at), owner);
      const query = removalQuery(some, owner);
      // The one call that would empty a collection if the query were lost.
      if (some.length === 0 || query === '') throw permanent(`${this.#where('removing')}: no keys given`);
      const call: Call = {
        method: 'DELETE',
        path: data(collection),
        query: { query },
        doing: `removing ${some.length} rows from ${collection}`,
        items: some.length,
      };
      try {
        const response = await this.#call(call, signal);
        // A removal is answered with an empty body; a login page on the way answers 200 as well.
        if (response.body.length > 0) parse(z.unknown(), response, this.#where(call.doing));
        at += some.length;
      } catch (error) {
        if (!(error instanceof ConnectorError) || (error.status !== 413 && error.status !== 414) || some.length === 1)
          throw error;
        this.#urlBytes = Math.floor(urlBytes(query) / 2);
      }
    }
  }

  /** Our rows after `after` in order of key. An empty page is the end; a short one is not. */
  async page(collection: string, owner: string, after: string, limit: number, signal: AbortSignal): Promise<OwnRow[]> {
    const call: Call = {
      path: data(collection),
      query: {
        query: JSON.stringify({ $and: [{ owner }, { _key: { $gt: after } }] }),
        sort: '_key',
        limit,
        fields: FIELDS.join(','),
      },
      doing: `listing ${collection}`,
    };
    return parse(OwnRows, await this.#call(call, signal), this.#where(call.doing));
  }

  /** Rows of others after `after`: their keys, and what marks a marker. */
  async foreignPage(collection: string, owner: string, after: string, signal: AbortSignal): Promise<OwnRow[]> {
    const call: Call = {
      path: data(collection),
      query: {
        query: JSON.stringify({ $and: [{ owner: { $ne: owner } }, { _key: { $gt: after } }] }),
        sort: '_key',
        limit: 50_000,
        fields: '_key,generation',
      },
      doing: `counting rows of others in ${collection}`,
    };
    return parse(OwnRows, await this.#call(call, signal), this.#where(call.doing));
  }

  /** Our rows among these keys. The query is in the body, so its length does not matter. */
  async find(collection: string, owner: string, keys: readonly string[], signal: AbortSignal): Promise<OwnRow[]> {
    const query = { $and: [{ owner }, { $or: keys.map((_key) => ({ _key })) }] };
    const call: Call = {
      method: 'POST',
      path: `${data(collection)}/batch_find`,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify([{ query, fields: FIELDS, limit: 0 }])),
      doing: `looking up ${keys.length} rows in ${collection}`,
    };
    return parse(FoundRows, await this.#call(call, signal), this.#where(call.doing)).flat();
  }

  async generation(collection: string, key: string, signal: AbortSignal): Promise<string | undefined> {
    const response = await this.#document(collection, key, signal);
    return response && parse(Generation, response, this.#where(`reading the marker of ${collection}`)).generation;
  }

  async mark(collection: string, key: string, signal: AbortSignal): Promise<WriterMark | undefined> {
    const response = await this.#document(collection, key, signal);
    if (response === undefined) return undefined;
    const { writer, boot, mark_revision, at } = parse(Mark, response, this.#where('reading the writer mark'));
    return { writer, boot, revision: mark_revision, at };
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
    return parse(Started, await this.#call(call, signal), this.#where(call.doing)).sid;
  }

  /** Undefined while the job is not ready. */
  async searchState(path: string, signal: AbortSignal): Promise<JobState | undefined> {
    const call: Call = { path, doing: 'waiting for a search' };
    const response = await this.#call(call, signal);
    if (response.status === 204) return undefined;
    return parse(Jobs, response, this.#where(call.doing)).entry[0].content;
  }

  async searchResults(
    path: string,
    page: { readonly count: number; readonly offset: number; readonly f: readonly string[] },
    signal: AbortSignal,
  ): Promise<HitRow[]> {
    const form = new URLSearchParams({ count: String(page.count), offset: String(page.offset) });
    for (const name of page.f) form.append('f', name);
    const call: Call = {
      method: 'POST',
      path,
      headers: { 'content-type': FORM },
      body: Buffer.from(form.toString(), 'utf8'),
      doing: 'reading hits',
    };
    return parse(HitRows, await this.#call(call, signal), this.#where(call.doing)).results;
  }

  async #document(collection: string, key: string, signal: AbortSignal): Promise<HttpResponse | undefined> {
    try {
      return await this.#call(
        { path: `${data(collection)}/${encodeURIComponent(key)}`, doing: `reading ${collection}` },
        signal,
      );
    } catch (error) {
      if (error instanceof ConnectorError && error.status === 404) return undefined;
      throw error;
    }
  }

  async #entities(call: Call, signal: AbortSignal): Promise<Entity[]> {
    const response = await this.#call({ ...call, query: { ...call.query, count: 0 } }, signal);
    return parse(Entities, response, this.#where(call.doing)).entry;
  }

  async #call(call: Call, signal: AbortSignal): Promise<HttpResponse> {
    const { doing, items, ...request } = call;
    const sent = this.#credential.header() ?? (await this.#login(signal));
    const attempt = (authorization: string): Promise<HttpResponse> => {
      if (signal.aborted) throw retryable(`${this.#where(doing)} was stopped before it was sent`, { uncertain: false });
      return this.#http.request({
        ...request,
        query: { ...request.query, output_mode: 'json' },
        headers: { ...request.headers, authorization },
        signal,
      });
    };
    let response = await attempt(sent);
    // Nothing was carried out by a call that got 401, so it may be sent again under a renewed credential, once.
    if (response.status === 401 && this.#credential.renewable(sent)) {
      response = await attempt(this.#credential.header() ?? (await this.#login(signal)));
    }
    const failed = refusal(response, this.#where(doing), this.#deps.clock.now(), items);
    if (failed !== undefined) throw failed;
    return response;
  }

  async #login(signal: AbortSignal): Promise<string> {
    const where = this.#where('logging in');
    const form = this.#credential.login?.();
    if (form === undefined) throw new ConnectorError('bug', `${where}: this kind of credential has no login`);
    if (signal.aborted) throw retryable(`${where} was stopped before it was sent`, { uncertain: false });
    const response = await this.#http.request({
      method: 'POST',
      path: '/services/auth/login',
      headers: { 'content-type': FORM },
      body: form,
      signal,
    });
    const failed = refusal(response, where, this.#deps.clock.now());
    if (failed?.kind === 'permanent') {
      throw new ConnectorError('config', `${failed.message}; check username and password in auth`);
    }
    if (failed !== undefined) throw failed;
    const { sessionKey } = parse(Login, response, where);
    this.#credential.begin(sessionKey);
    return `Splunk ${sessionKey}`;
  }

  #fitting(keys: readonly string[], owner: string): readonly string[] {
    // All our keys have one length, so the first tells how many fit.
    const fixed = urlBytes(removalQuery([], owner));
    const each = urlBytes(JSON.stringify({ _key: keys[0] })) + 3;
    return keys.slice(0, Math.max(1, Math.floor((this.#urlBytes - fixed) / each)));
  }

  #where(doing: string): string {
    return `${this.#deps.name}: ${doing}`;
  }
}

/** Collections are named `app/collection`; owner nobody, because rows of anybody else are not seen by lookups. */
const data = (collection: string): string => {
  const [app = '', name = ''] = collection.split('/');
  return `/servicesNS/nobody/${encodeURIComponent(app)}/storage/collections/data/${encodeURIComponent(name)}`;
};

function removalQuery(keys: readonly string[], owner: string): string {
  return JSON.stringify({ $and: [{ owner }, { $or: keys.map((_key) => ({ _key })) }] });
}

const urlBytes = (text: string): number => new URLSearchParams({ q: text }).toString().length;
