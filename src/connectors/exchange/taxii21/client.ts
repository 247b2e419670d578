// The one file that talks to a TAXII server: media types, credentials, and the reading of statuses. Everything it
// throws is a ConnectorError that says what was asked, what came back and what to do.
import type { z } from 'zod';
import type { ExchangeDeps } from '../../../core/contracts/exchange-connector.ts';
import { ConnectorError, configFailure, permanent, retryable } from '../../../core/model/failure.ts';
import { withoutHidden } from '../../../core/model/text.ts';
import { type HttpClient, type HttpResponse, retryAfterMs, statusFailure } from '../../../core/runtime/http.ts';
import { hasMoreValues } from '../../../core/runtime/json-values.ts';
import { MOST_OBJECTS, MOST_VALUES } from './bounds.ts';
import type { Taxii21Config } from './config.ts';
import { type RawObjects, splitObjects } from './envelope.ts';
import { Envelope, ErrorMessage, Status } from './responses.ts';

/** Form of the standard first; some servers refuse a version, others its absence (TAXII 2.1 §1.6.8). */
const MEDIA_TYPES = ['application/taxii+json;version=2.1', 'application/taxii+json'] as const;
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

export interface Answer<T> {
  readonly content: T;
  readonly bytes: number;
  /** X-TAXII-Date-Added-First and -Last, as received. */
  readonly first: string | undefined;
  readonly last: string | undefined;
  /** The server's clock from the Date header, epoch milliseconds. */
  readonly serverNow: number | undefined;
}

export type RawEnvelope = Omit<Envelope, 'objects'> & { readonly objects: RawObjects };

export type Query = Readonly<Record<string, string | number | undefined>>;

export class TaxiiClient {
  readonly #config: Taxii21Config;
  readonly #deps: ExchangeDeps;
  readonly #http: HttpClient;
  readonly #closing = new AbortController();
  #mediaType: string = MEDIA_TYPES[0];

  constructor(config: Taxii21Config, deps: ExchangeDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#http = deps.http({ baseUrl: config.url, maxBytes: MAX_ANSWER_BYTES, maxSockets: 2 });
  }

  /** `what` names the resource in messages: "the collection Indicators". */
  async get<T extends z.ZodType>(
    url: URL,
    what: string,
    shape: T,
    signal: AbortSignal,
    query: Query = {},
  ): Promise<Answer<z.output<T>>> {
    const response = await this.#send(url, what, signal, query);
    return this.#answer(response, this.#read(response, what, shape));
  }

  /** Objects of a collection. They are parsed while one goes through them, which may fail as this does. */
  async objects(url: URL, what: string, signal: AbortSignal, query: Query): Promise<Answer<RawEnvelope>> {
    const response = await this.#send(url, what, signal, query).catch((error: unknown) => {
      throw naming(error, what);
    });
    const split = this.#isJson(response, what) ? splitObjects(response.body, MOST_OBJECTS) : undefined;
    if (split === undefined) return this.#answer(response, this.#read(response, what, Envelope));
    const content = this.#shaped({ ...split.rest, objects: [] }, response, what, Envelope);
    const objects = eachOr(split.objects, () => this.#broken(response, what));
    return this.#answer(response, { ...content, objects });
  }

  /**
   * An envelope into a collection. A body and its length go out whole: some servers take no chunks. Undefined where it
   * was taken without a status resource: with another success than 202, with nothing, or with something else.
   */
  async post(url: URL, what: string, body: Buffer, signal: AbortSignal): Promise<Status | undefined> {
    const response = await this.#send(url, what, signal, {}, body);
    if (!this.#isJson(response, what, true)) return undefined;
    return Status.safeParse(parsedOr(undefined, response.body)).data;
  }

  #read<T extends z.ZodType>(response: HttpResponse, what: string, shape: T): z.output<T> {
    return this.#shaped(this.#parsed(response, what), response, what, shape);
  }

  #shaped<T extends z.ZodType>(content: unknown, response: HttpResponse, what: string, shape: T): z.output<T> {
    const read = shape.safeParse(content);
    if (read.success) return read.data;
    const issue = read.error.issues[0];
    throw permanent(
      `${this.#who}: ${what} is not what TAXII 2.1 describes (${issue?.path.join('.') || 'answer'}: ${issue?.message}); check url, or tell the partner`,
      { status: response.status },
    );
  }

  #answer<T>(response: HttpResponse, content: T): Answer<T> {
    const date = Date.parse(response.headers['date'] ?? '');
    return {
      content,
      bytes: response.body.length,
      first: response.headers['x-taxii-date-added-first'],
      last: response.headers['x-taxii-date-added-last'],
      serverNow: Number.isNaN(date) ? undefined : date,
    };
  }

  close(): void {
    this.#closing.abort();
    this.#http.close();
  }

  get #who(): string {
    return `exchange ${this.#deps.name}`;
  }

  async #send(url: URL, what: string, signal: AbortSignal, query: Query, body?: Buffer): Promise<HttpResponse> {
    const both = AbortSignal.any([signal, this.#closing.signal]);
    const ask = async (mediaType: string): Promise<HttpResponse> => {
      if (both.aborted) throw retryable(`${this.#who}: the request for ${what} was stopped`);
      return await this.#http.request({
        path: url.href,
        query,
        headers: {
          accept: mediaType,
          ...(body === undefined ? {} : { 'content-type': mediaType }),
          ...this.#credentials(),
        },
        ...(body === undefined ? {} : { method: 'POST' as const, body }),
        signal: both,
      });
    };
    try {
      const response = await ask(this.#mediaType);
      if (response.status !== 406 && response.status !== 415) return response;
      const other = MEDIA_TYPES.find((form) => form !== this.#mediaType) ?? this.#mediaType;
      const second = await ask(other);
      if (second.status >= 200 && second.status <= 299) this.#mediaType = other;
      return second;
    } catch (error) {
      if (!(error instanceof ConnectorError) || error.code !== 'answer_too_large') throw error;
      throw permanent(
        `${this.#who}: ${what} came as one answer of more than ${MAX_ANSWER_BYTES >> 20} MiB; lower page_size, or ask the partner why the server ignores limit`,
        { cause: error, code: 'answer_too_large' },
      );
    }
  }

  /** Revealed for each request, so that a renewed secret file is used at once. */
  #credentials(): Record<string, string> {
    const { auth } = this.#config;
    if (auth === undefined) return {};
    try {
      if ('username' in auth) {
        const pair = Buffer.from(`${auth.username}:${auth.password.reveal()}`, 'utf8').toString('base64');
        return { authorization: `Basic ${pair}` };
      }
      return 'token' in auth
        ? { authorization: `Bearer ${auth.token.reveal()}` }
        : { [auth.header.toLowerCase()]: auth.value.reveal() };
    } catch (error) {
      throw configFailure(`${this.#who}: cannot read the secret file of auth`, { cause: error });
    }
  }

  /** False where there is nothing to parse. Throws where the answer is a refusal, too large, or a web page. */
  #isJson(response: HttpResponse, what: string, writing = false): boolean {
    const { status, body } = response;
    if (status < 200 || status > 299) throw this.#refused(response, what, writing);
    if (hasMoreValues(body, MOST_VALUES)) {
      throw permanent(
        `${this.#who}: ${what} came as one answer of more than ${MOST_VALUES.toLocaleString('en')} values; lower page_size, or ask the partner what it sends`,
        { status, code: 'answer_too_large' },
      );
    }
    if (/html/i.test(response.headers['content-type'] ?? '') || /^\uFEFF?\s*</.test(body.toString('utf8', 0, 200))) {
      throw configFailure(
        `${this.#who}: a web page came instead of ${what} (${status}), as from a login or a proxy; check url and auth`,
        { status },
      );
    }
    return !isBlank(body);
  }

  #parsed(response: HttpResponse, what: string): unknown {
    if (!this.#isJson(response, what)) return {};
    const content = parsedOr(BROKEN, response.body);
    if (content === BROKEN) throw this.#broken(response, what);
    return content;
  }

  /** The parser's own message quotes the answer, which may hold indicator values. */
  #broken({ status, body }: HttpResponse, what: string): ConnectorError {
    return retryable(`${this.#who}: ${what} came as broken JSON of ${body.length} bytes; it will be asked again`, {
      status,
    });
  }

  #refused(response: HttpResponse, what: string, writing: boolean): ConnectorError {
    const { status } = response;
    const kind = statusFailure(status, { 405: 'config', 406: 'config', 415: 'config' }) ?? 'permanent';
    const said = this.#said(response);
    const message = `${this.#who}: ${what}: ${remedyFor(status, writing)}${said === '' ? '' : ` [server: ${said}]`}`;
    const wait = retryAfterMs(response.headers['retry-after'], this.#deps.clock.now());
    return new ConnectorError(kind, message, {
      status,
      ...(kind === 'retryable' && wait !== undefined ? { retryAfterMs: wait } : {}),
    });
  }

  /** The server's own words, cut, on one line, and without our credentials should it echo them. */
  #said(response: HttpResponse): string {
    const read = ErrorMessage.safeParse(parsedOr(undefined, response.body.subarray(0, 16_384)));
    if (!read.success) return '';
    let text = read.data.filter((part) => part !== undefined).join(': ');
    for (const hidden of Object.values(this.#credentials())) {
      const bare = hidden.replace(/^(Basic|Bearer) /, '');
      const pair = hidden.startsWith('Basic ') ? Buffer.from(bare, 'base64').toString('utf8') : bare;
      for (const one of [bare, pair, pair.slice(pair.indexOf(':') + 1)])
        if (one !== '') text = text.replaceAll(one, '[redacted]');
    }
    return withoutHidden(text).trim().slice(0, 200);
  }
}

/** Of an answer that is shorter than any JSON of use; a BOM counts as blank, too. */
const isBlank = (body: Buffer): boolean => body.length < MOST_BLANK && body.toString('utf8').trim() === '';
const MOST_BLANK = 1024;

const BROKEN = Symbol('broken JSON');

function parsedOr(otherwise: unknown, body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8').replace(/^\uFEFF/, ''));
  } catch {
    return otherwise;
  }
}

/** What went wrong on the way says which peer it was, and not what was asked for: here one collection of several. */
function naming(error: unknown, what: string): unknown {
  if (!(error instanceof ConnectorError) || error.message.includes(what)) return error;
  return new ConnectorError(error.kind, `${error.message}; asked for ${what}`, {
    cause: error,
    uncertain: error.uncertain,
    ...(error.status === undefined ? {} : { status: error.status }),
    ...(error.code === undefined ? {} : { code: error.code }),
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  });
}

/** The same objects; one that cannot be parsed means that the answer cannot. */
function eachOr(objects: RawObjects, broken: () => Error): RawObjects {
  return {
    length: objects.length,
    *[Symbol.iterator]() {
      try {
        yield* objects;
      } catch {
        throw broken();
      }
    },
  };
}

function remedyFor(status: number, writing: boolean): string {
  return (writing ? WRITING[status] : undefined) ?? REMEDIES[status] ?? `the server answered ${status}`;
}

const WRITING: Readonly<Record<number, string>> = {
  403: 'this account may not write there (403); ask the partner for access, or set report_auth',
  404: 'not found, or hidden from this account (404); check report_to, or ask the partner for access',
  405: 'the server takes no reports there (405); check report_to, or ask the partner',
  413: 'the request is larger than the server takes (413)',
};

const REMEDIES: Readonly<Record<number, string>> = {
  413: 'the server does not give so much at once (413); a smaller page_size may help',
  422: 'the server takes no objects of this type or content (422); ask the partner',
  400: 'the server does not accept the request (400)',
  401: 'the server refused the credentials (401); renew auth',
  403: 'this account may not read it (403); ask the partner for access, or take it out of collections',
  404: 'not found, or hidden from this account (404); check url and collections, or ask the partner for access',
  406: 'the server speaks no TAXII 2.1 here (406); check url',
  415: 'the server speaks no TAXII 2.1 here (415); check url',
  429: 'too many requests (429); polling goes on when the server allows it, a slower schedule avoids this',
  503: 'the server is not available (503); polling goes on when it is back',
};
