// The one file that talks to a MISP server: paths, headers, and the reading of statuses. MISP answers 403 for nearly
// everything, so that its words decide what a person has to do; a guard in front of it answers 403 in plain text, which is neither a
// bad key nor a withdrawal. Everything that is thrown is a ConnectorError that says what was asked, what came back and what to do.
import type { z } from 'zod';
import type { ExchangeDeps } from '../../../core/contracts/exchange-connector.ts';
import { ConnectorError, configFailure, type FailureKind, permanent, retryable } from '../../../core/model/failure.ts';
import { withoutHidden } from '../../../core/model/text.ts';
import { type HttpClient, type HttpResponse, retryAfterMs, statusFailure } from '../../../core/runtime/http.ts';
import type { Secret } from '../../../core/runtime/secret.ts';
import { shortRest } from '../../../core/runtime/in-turns.ts';
import { hasMoreValues } from '../../../core/runtime/json-values.ts';
import { MOST_VALUES } from './bounds.ts';
import type { MispConfig } from './config.ts';
import {
  AttributesAnswer,
  ErrorAnswer,
  EventHeadAnswer,
  EventsAnswer,
  IndexAnswer,
  type IndexRow,
  NewsAnswer,
  Version,
} from './responses.ts';
import { type SplitEvent, splitEvent } from './split.ts';

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** As MISP itself reads an event of another server; tombstones come with it where they may. */
const VIEW =
  'deleted[]:0/deleted[]:1/excludeGalaxy:1/includeEventCorrelations:0/includeFeedCorrelations:0/includeWarninglistHits:';

/** MISP spaces its JSON out for everybody else, which makes a large event half as large again. */
const AS_A_SERVER = { 'user-agent': 'MISP client entente/0.1' };

export interface Answer<T> {
  readonly content: T;
  /** X-Result-Count. */
  readonly count: number | undefined;
  /** The server's clock from the Date header, epoch milliseconds. */
  readonly serverNow: number | undefined;
}

export class MispClient {
  readonly #base: URL;
  readonly #key: Secret;
  readonly #deps: ExchangeDeps;
  readonly #http: HttpClient;
  readonly #closing = new AbortController();
  readonly #lists: 0 | 1;
  /** The server knows no named parameters in a path, and showed an event without them. */
  #plainViews = false;
  /** When the key ends, as the server said last. */
  keyEnds: number | undefined;

  constructor({ url, warninglist_hits: lists }: MispConfig, key: Secret, deps: ExchangeDeps) {
    this.#lists = lists ? 1 : 0;
    this.#base = new URL(url.endsWith('/') ? url : `${url}/`);
    this.#key = key;
    this.#deps = deps;
    this.#http = deps.http({ baseUrl: url, headers: AS_A_SERVER, maxBytes: MAX_ANSWER_BYTES, maxSockets: 2 });
  }

  async version(signal: AbortSignal): Promise<Version> {
    return (await this.#ask('servers/getVersion', 'the version', Version, signal)).content;
  }

  attributes(filter: object, what: string, signal: AbortSignal): Promise<Answer<readonly unknown[]>> {
    return this.#ask('attributes/restSearch', what, AttributesAnswer, signal, { returnFormat: 'json', ...filter });
  }

  /** Events without their attributes: tags, sharing group, times. */
  heads(filter: object, what: string, signal: AbortSignal): Promise<Answer<readonly unknown[]>> {
    return this.#ask('events/restSearch', what, EventsAnswer, signal, { returnFormat: 'json', metadata: 1, ...filter });
  }

  /** The same, of what is new since some time: a server that has nothing may answer without a body. */
  news(filter: object, what: string, signal: AbortSignal): Promise<Answer<readonly unknown[]>> {
    return this.#ask(
      'events/restSearch',
      what,
      NewsAnswer,
      signal,
      { returnFormat: 'json', metadata: 1, ...filter },
      [],
    );
  }

  /** The published events in short. Numbers, not booleans: a guard compares them as such. */
  index(filter: object, signal: AbortSignal): Promise<Answer<readonly IndexRow[]>> {
    const asked = { minimal: 1, published: 1, ...filter };
    return this.#ask('events/index', 'the list of events', IndexAnswer, signal, asked, []);
  }

  /** A whole event. Undefined where it is not there, or no longer shown to us. */
  async view(uuid: string, what: string, signal: AbortSignal): Promise<SplitEvent | undefined> {
    try {
      return await this.#event(`events/view/${uuid}${this.#plainViews ? '' : `/${VIEW}${this.#lists}`}`, what, signal);
    } catch (error) {
      if (error instanceof ConnectorError && error.code === GUARDED) throw this.#keptBack(what, error);
      if (!(error instanceof ConnectorError) || error.status !== 404) throw error;
      if (error.code === NO_SUCH_EVENT || this.#plainViews) return undefined;
      const event = await this.#event(`events/view/${uuid}`, what, signal).catch(() => undefined);
      if (event === undefined) throw error;
      this.#plainViews = true;
      return event;
    }
  }

  /** Of a single event that says nothing of the others, as a rule of the guard may be about it. */
  #keptBack(what: string, cause: ConnectorError): ConnectorError {
    return permanent(
      `${this.who}: a guard in front of the server keeps ${what} back (403 Forbidden); ask whoever runs it. Key and data are not judged by it, and what stood of the event stays`,
      { cause, status: 403, code: GUARDED },
    );
  }

  async #event(path: string, what: string, signal: AbortSignal): Promise<SplitEvent> {
    const response = await this.#send(path, what, signal, undefined);
    this.#accepted(response, what);
    this.#hear(response);
    const event = await splitEvent(response.body, MOST_VALUES).catch((error: unknown) => {
      throw error instanceof SyntaxError ? this.broken(what, response.body.length) : error;
    });
    if (event === undefined) throw this.#tooMany(response, what);
    this.#shaped(response, what, EventHeadAnswer, event.head);
    return event;
  }

  /** Any other call that sends something: what came, as it came. */
  async post<T extends z.ZodType>(
    path: string,
    what: string,
    shape: T,
    body: unknown,
    signal: AbortSignal,
  ): Promise<z.output<T>> {
    return (await this.#ask(path, what, shape, signal, body)).content;
  }

  close(): void {
    this.#closing.abort();
    this.#http.close();
  }

  get who(): string {
    return `exchange ${this.#deps.name}`;
  }

  async #ask<T extends z.ZodType>(
    path: string,
    what: string,
    shape: T,
    signal: AbortSignal,
    body?: unknown,
    /** What an answer without a body says; undefined where it says nothing that we know. */
    blank?: unknown,
  ): Promise<Answer<z.output<T>>> {
    const response = await this.#send(path, what, signal, body);
    this.#accepted(response, what);
    if (hasMoreValues(response.body, MOST_VALUES)) throw this.#tooMany(response, what);
    // Of an answer of some megabytes each of these takes its time.
    await shortRest();
    const json = blank !== undefined && isBlank(response.body) ? blank : this.#json(response, what);
    await shortRest();
    const content = this.#shaped(response, what, shape, json);
    const date = this.#hear(response);
    const count = response.headers['x-result-count'];
    return { content, count: count !== undefined && /^\d+$/.test(count) ? Number(count) : undefined, serverNow: date };
  }

  /** The server's clock, if it shows it. */
  #hear({ headers }: HttpResponse): number | undefined {
    const date = Date.parse(headers['date'] ?? '');
    const ends = Date.parse(headers['x-auth-key-expiration'] ?? '');
    if (!Number.isNaN(ends)) this.keyEnds = ends;
    return Number.isNaN(date) ? undefined : date;
  }

  async #send(path: string, what: string, signal: AbortSignal, body: unknown): Promise<HttpResponse> {
    const both = AbortSignal.any([signal, this.#closing.signal]);
    if (both.aborted) throw retryable(`${this.who}: the request for ${what} was stopped`);
    const { origin, pathname } = this.#base;
    try {
      return await this.#http.request({
        path: `${origin}${pathname}${path}`,
        headers: {
          accept: 'application/json',
          authorization: this.#revealed(),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { method: 'POST' as const, body: Buffer.from(JSON.stringify(body)) }),
        signal: both,
      });
    } catch (error) {
      if (!(error instanceof ConnectorError) || error.code !== 'answer_too_large') throw error;
      throw permanent(`${this.who}: ${what} came as one answer of more than ${MAX_ANSWER_BYTES >> 20} MiB`, {
        cause: error,
        code: 'answer_too_large',
      });
    }
  }

  /** Revealed for each request, so that a renewed secret file is used at once. */
  #revealed(): string {
    try {
      return this.#key.reveal();
    } catch (error) {
      throw configFailure(`${this.who}: cannot read the secret file of the auth key`, { cause: error });
    }
  }

  /** Throws at whatever is no answer of a MISP server that did what it was asked. */
  #accepted(response: HttpResponse, what: string): void {
    const { status, body, headers } = response;
    if (status < 200 || status > 299) throw this.#refused(response, what);
    if (/html/i.test(headers['content-type'] ?? '') || /^\uFEFF?\s*</.test(body.toString('utf8', 0, 200)))
      throw configFailure(
        `${this.who}: a web page came instead of ${what} (${status}), as from a login or a proxy; check url and auth`,
        { status },
      );
  }

  #tooMany({ status }: HttpResponse, what: string): ConnectorError {
    return permanent(
      `${this.who}: ${what} came as one answer of more than ${MOST_VALUES.toLocaleString('en')} values`,
      { status, code: 'answer_too_large' },
    );
  }

  #json({ body }: HttpResponse, what: string): unknown {
    try {
      return JSON.parse(body.toString('utf8').replace(/^\uFEFF/, ''));
    } catch {
      throw this.broken(what, body.length);
    }
  }

  /** The parser's own message quotes the answer, which may hold indicator values. */
  broken(what: string, bytes?: number): ConnectorError {
    const size = bytes === undefined ? '' : ` of ${bytes} bytes`;
    return retryable(`${this.who}: ${what} came as broken JSON${size}; it will be asked again`);
  }

  #shaped<T extends z.ZodType>({ status }: HttpResponse, what: string, shape: T, json: unknown): z.output<T> {
    const read = shape.safeParse(json);
    if (read.success) return read.data;
    const issue = read.error.issues[0];
    throw permanent(
      `${this.who}: ${what} is not what MISP answers (${issue?.path.join('.') || 'answer'}: ${issue?.message}); check url, or tell the partner`,
      { status },
    );
  }

  #refused(response: HttpResponse, what: string): ConnectorError {
    const { status, headers } = response;
    const said = saidIn(response);
    const { kind, words, code } = verdictOn(status, said, /json/i.test(headers['content-type'] ?? ''));
    const shown =
      said === '' ? '' : ` [server: ${withoutHidden(said).replaceAll(this.#revealed(), '[redacted]').slice(0, 200)}]`;
    // The server's own limit of requests in seconds; whatever stands before it says Retry-After, which may be a time.
    const now = this.#deps.clock.now();
    const wait = [headers['x-rate-limit-reset'], headers['retry-after']]
      .map((header) => retryAfterMs(header, now))
      .find((ms) => ms !== undefined && ms > 0);
    return new ConnectorError(kind, `${this.who}: ${what}: ${words}${shown}`, {
      status,
      ...(code === undefined ? {} : { code }),
      ...(kind === 'retryable' && wait !== undefined ? { retryAfterMs: wait } : {}),
    });
  }
}

const isBlank = (body: Buffer): boolean => body.length < MOST_BLANK && body.toString('utf8').trim() === '';
const MOST_BLANK = 1024;

const NO_SUCH_EVENT = 'no_such_event';
/** A guard's own refusal, which says nothing of key or data. */
export const GUARDED = 'guarded';

function saidIn({ body }: HttpResponse): string {
  const text = body.subarray(0, 16_384).toString('utf8');
  try {
    const read = ErrorAnswer.safeParse(JSON.parse(text));
    return read.success ? (read.data.message ?? read.data.name ?? '').trim() : '';
  } catch {
    return text.length <= 100 && !text.includes('<') ? text.trim() : '';
  }
}

interface Verdict {
  readonly kind: FailureKind;
  readonly words: string;
  readonly code?: string;
}

function verdictOn(status: number, said: string, isJson: boolean): Verdict {
  if (status === 404 && /invalid event/i.test(said))
    return {
      kind: 'permanent',
      words: 'there is no such event, or it is hidden from this key (404)',
      code: NO_SUCH_EVENT,
    };
  if (status === 403 && !isJson && /^forbidden$/i.test(said))
    return {
      kind: 'config',
      words:
        'a guard in front of the server does not let this request pass (403 Forbidden); set read: sync, or ask for the endpoint to be allowed. Key and data are not judged by it',
      code: GUARDED,
    };
  for (const [of, pattern, words] of WORDS) if (of === status && pattern.test(said)) return { kind: 'config', words };
  const kind = statusFailure(status, { 405: 'config' }) ?? 'permanent';
  return { kind, words: REMEDIES[status] ?? `the server answered ${status}` };
}

const WORDS: readonly (readonly [number, RegExp, string])[] = [
  [403, /expired/i, 'the auth key is expired (403); renew auth.key'],
  [403, /IP address/i, 'the auth key may not be used from our address (403); ask the partner'],
  [403, /permission/i, 'this key lacks the permission (403); ask the partner for it'],
  [
    405,
    /not allowed for this user role/i,
    'the role of this key may not search (405); ask the partner, or set read: sync',
  ],
];

const REMEDIES: Readonly<Record<number, string>> = {
  400: 'the server does not accept the request (400)',
  401: 'something in front of the server refused the key (401); renew auth.key, or ask the partner',
  403: 'the server refused the key (403); renew auth.key',
  404: 'not found (404); check url',
  405: 'the server does not take this request (405); check url, or ask the partner',
  429: 'too many requests (429); polling goes on when the server allows it, a slower schedule avoids this',
  500: 'the server broke off (500), as it does where too much is asked for at once',
  503: 'the server is not available (503); polling goes on when it is back',
};
