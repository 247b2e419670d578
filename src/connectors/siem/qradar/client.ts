// One call to the console: token, version, and the reading of whatever comes back. Failures of QRadar are JSON,
// those of the web server or a proxy in front of it are HTML, so nothing is taken for granted.
import type { z } from 'zod';
import { configFailure, ConnectorError, retryable } from '../../../core/contracts/failure.ts';
import type { SiemDeps } from '../../../core/contracts/siem-connector.ts';
import {
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  isForeignRefusal,
  isRefusingPage,
  pageInsteadOfJson,
  pathBelow,
  refusedBetween,
  retryAfterMs,
  statusFailure,
} from '../../../core/runtime/http.ts';
import type { Secret } from '../../../core/runtime/secret.ts';
import type { QRadarSettings } from './config.ts';
import { ErrorBody } from './responses.ts';

export interface Ask {
  readonly method?: HttpRequest['method'];
  /** Below /api. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Inclusive, as QRadar counts. */
  readonly range?: readonly [number, number];
  readonly json?: Buffer | string;
  readonly form?: Readonly<Record<string, string>>;
  readonly accept?: string;
  /** No Version header: for the question which versions there are. */
  readonly anyVersion?: boolean;
  /** Statuses that the caller reads by itself. */
  readonly allow?: readonly number[];
  /** Changes in the request, to halve it when it is too large. */
  readonly size?: number;
  readonly signal: AbortSignal;
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  /** QRadar's own code, of a refusal that the caller allowed. */
  readonly code: number | undefined;
  readonly message: string;
  /** Rows in all, from Content-Range. */
  readonly total: number | undefined;
  /** The console's clock, epoch milliseconds, where it told. */
  readonly date?: number;
}

export class QRadarClient {
  readonly #http: HttpClient;
  /** Where a gateway has the console, below its own address. */
  readonly #below: string;
  readonly #token: Secret;
  readonly #deps: SiemDeps;
  readonly #name: string;
  #version: string | undefined;

  constructor(config: QRadarSettings, deps: SiemDeps) {
    this.#http = deps.http({ baseUrl: config.url });
    this.#below = pathBelow(config.url, 'api');
    this.#token = config.auth.token;
    this.#deps = deps;
    this.#name = deps.name;
  }

  /** Undefined once the console said that the version or an endpoint was removed. */
  get version(): string | undefined {
    return this.#version;
  }

  set version(version: string | undefined) {
    this.#version = version;
  }

  async call(ask: Ask): Promise<Reply> {
    if (ask.signal.aborted)
      throw retryable(`${this.#name}: the request was stopped before it was sent`, { uncertain: false });
    const body = ask.form === undefined ? ask.json : new URLSearchParams(ask.form).toString();
    const token = this.#reveal();
    const response = await this.#http.request({
      method: ask.method ?? 'GET',
      path: `${this.#below}/api${ask.path}`,
      ...(ask.query === undefined ? {} : { query: ask.query }),
      headers: {
        SEC: token,
        Accept: ask.accept ?? 'application/json',
        ...(ask.anyVersion === true || this.#version === undefined ? {} : { Version: this.#version }),
        ...(ask.range === undefined ? {} : { Range: `items=${ask.range[0]}-${ask.range[1]}` }),
        ...(ask.json === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(ask.form === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' }),
      },
      ...(body === undefined ? {} : { body: Buffer.from(body) }),
      signal: ask.signal,
    });
    const what = `${ask.method ?? 'GET'} ${ask.path}`;
    const refusal = this.#refusal(response, ask, what, token);
    if (refusal !== undefined) return refusal;
    return {
      status: response.status,
      body: this.#json(response, what),
      code: undefined,
      message: '',
      total: totalOf(response),
      ...dateOf(response),
    };
  }

  parse<S extends z.ZodType>(schema: S, body: unknown, what: string): z.output<S> {
    const read = schema.safeParse(body);
    if (read.success) return read.data;
    // What was asked for may have been done, and no value is to blame.
    if (body === undefined) throw retryable(`${this.#name}: the answer to ${what} is empty`, { uncertain: true });
    const issue = read.error.issues[0];
    throw configFailure(
      `${this.#name}: the answer to ${what} has another form than IBM documents (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}); look at what stands between, or report it with the version of QRadar`,
      { uncertain: true, code: 'strange_answer' },
    );
  }

  close(): void {
    this.#http.close();
  }

  /** The file may be gone for a moment while the token is renewed, or hold something else than one. */
  #reveal(): string {
    let token: string;
    try {
      token = this.#token.reveal();
    } catch (cause) {
      throw configFailure(
        `${this.#name}: the file of auth.token cannot be read; check auth.token_file and its permissions`,
        { cause, uncertain: false, code: 'token_unreadable' },
      );
    }
    if (token !== '' && !/\p{Cc}/u.test(token)) return token;
    throw configFailure(`${this.#name}: auth.token is empty or has line breaks in it; it has to be one line`, {
      uncertain: false,
      code: 'token_unreadable',
    });
  }

  /** Throws for a failure; a refusal that the caller allowed comes back as a reply. */
  #refusal(response: HttpResponse, ask: Ask, what: string, token: string): Reply | undefined {
    const { status } = response;
    const write = ask.method !== undefined && ask.method !== 'GET';
    if (isRefusingPage(response)) throw refusedBetween(response, `${this.#name}: ${what}`, write);
    if (status >= 200 && status < 300) return undefined;
    // Beyond the end of a list. QRadar says 200 by its documentation; a proxy may know HTTP better.
    if (status === 416) return { status, body: [], code: undefined, message: '', total: totalOf(response) };
    const page = pageInsteadOfJson(response);
    if (status === 405 || status === 501) throw this.#methodRefused(ask, status, page);
    const told = ErrorBody.safeParse(parsed(response.body));
    const code = told.success ? told.data.code : undefined;
    // Whom QRadar refuses, it tells with a code of its own; without one the word is a gateway's.
    if (isForeignRefusal(response, code !== undefined) && status < 500 && !KEPT.has(status))
      throw refusedBetween(response, `${this.#name}: ${what}`, write);
    const message = (told.success ? saidIn(told.data) : '').replaceAll(token, '[redacted]').slice(0, 300);
    if (
      (status === 410 && ask.allow?.includes(410) !== true) ||
      (status === 422 && /has been removed/i.test(message))
    ) {
      const version = this.#version ?? 'newest';
      this.#version = undefined;
      throw retryable(
        `${this.#name}: API version ${version} or ${what} was removed from the console; versions are negotiated again`,
        {
          status,
          uncertain: false,
        },
      );
    }
    // "Not there" is believed of QRadar alone: it always names a code of its own.
    const ownWord = code !== undefined || status === 422;
    if (ask.allow?.includes(status) && ownWord) return { status, body: undefined, code, message, total: undefined };
    const wait = retryAfterMs(response.headers['retry-after'], this.#deps.clock.now());
    const said = `${code === undefined ? '' : ` (code ${code})`}${page ? ' (a web page)' : ''}${message === '' ? '' : `: ${message}`}`;
    const place = ofPlace(code);
    throw new ConnectorError(
      place?.kind ?? statusFailure(status) ?? 'bug',
      `${this.#name}: QRadar answered ${status} to ${what}${said}${place === undefined ? nextStep(status) : `; ${place.next}`}`,
      {
        status,
        uncertain: status >= 500,
        code: code === undefined ? `http_${status}${page ? '_page' : ''}` : refusalCode(status, code),
        ...(wait === undefined ? {} : { retryAfterMs: wait }),
        ...(status === 413 && ask.size !== undefined && ask.size > 1
          ? { split: { maxItems: Math.ceil(ask.size / 2) } }
          : {}),
      },
    );
  }

  /** Some proxies let no PATCH or DELETE through. No value is to blame, and no smaller batch helps. */
  #methodRefused(ask: Ask, status: number, page: boolean): ConnectorError {
    const method = ask.method ?? 'GET';
    return configFailure(
      `${this.#name}: ${method} is refused on the way (${status}${page ? ', a web page' : ''}), at ${ask.path}; let the proxy before the console pass ${method}`,
      { status, uncertain: false, code: `http_${status}_${method.toLowerCase()}` },
    );
  }

  #json(response: HttpResponse, what: string): unknown {
    if (response.status === 204 || response.body.length === 0) return undefined;
    const type = response.headers['content-type'] ?? '';
    if (type.includes('html') || /^\s*</.test(response.body.subarray(0, 40).toString('utf8'))) {
      throw configFailure(
        `${this.#name}: ${what} was answered by a web page instead of QRadar; check url and what stands between (proxy, login page)`,
        { uncertain: true },
      );
    }
    const body = parsed(response.body);
    if (body === undefined)
      throw retryable(`${this.#name}: the answer to ${what} is no complete JSON`, { uncertain: true });
    return body;
  }
}

/** The value does not fit its set, is too long, or its notes are: about this value alone. */
const OF_VALUE: ReadonlySet<number | undefined> = new Set([20003, 20006, 20007, 20008, 20009]);

interface OfPlace {
  readonly kind: 'retryable' | 'config';
  readonly next: string;
}

const SET_GONE: OfPlace = { kind: 'retryable', next: 'the set is gone; it is made anew at the next open' };
const NO_DOMAIN: OfPlace = { kind: 'config', next: 'domain_id names a domain that this console does not have' };

/** About the set or the domain, whatever the value. */
const OF_PLACE: ReadonlyMap<number | null | undefined, OfPlace> = new Map([
  [20004, SET_GONE],
  [23000, SET_GONE],
  [23003, SET_GONE],
  [20005, NO_DOMAIN],
  [23005, NO_DOMAIN],
  [1011, NO_DOMAIN],
]);

export const ofPlace = (code: number | null | undefined): OfPlace | undefined => OF_PLACE.get(code);

export function refusalCode(status: number, code: number | undefined): string {
  return OF_VALUE.has(code) ? `value_${code}` : `qradar_${status}_${code ?? ''}`;
}

/** Read as QRadar's own even from a page: busy or too large is the same whoever says it. */
const KEPT: ReadonlySet<number> = new Set([408, 413, 414, 425, 429]);

/** The cause may stand in the description or the details while the message names the endpoint only. */
function saidIn({ message, description, details, http_response: http }: ErrorBody): string {
  const more = [description, typeof details === 'string' ? details : JSON.stringify(details ?? {})];
  const texts = [message, ...more.filter((text) => text !== '{}' && text !== '[]')].filter(
    (text, i, all) => text !== '' && all.indexOf(text) === i,
  );
  return texts.length > 0 ? texts.join('; ') : (http?.message ?? '');
}

function nextStep(status: number): string {
  if (status === 401) return '; renew the authorized service token, and deploy changes on the console';
  if (status === 403) return '; give the token the role that the README of the QRadar connector names';
  if (status === 404) return '; check url and QRadar version';
  if (status === 413) return '; the batch is split';
  return '';
}

/** `items 0-49/312`, or `items` with a star and the number alone. */
function totalOf(response: HttpResponse): number | undefined {
  const match = /\/(\d+)\s*$/.exec(response.headers['content-range'] ?? '');
  return match === null ? undefined : Number(match[1]);
}

function dateOf(response: HttpResponse): { readonly date?: number } {
  const date = Date.parse(response.headers['date'] ?? '');
  return Number.isNaN(date) ? {} : { date };
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** A quoted text of a filter. Undefined for one whose quoting no public page explains. */
export function quoted(text: string): string | undefined {
  return /["\\]/.test(text) ? undefined : `"${text}"`;
}
