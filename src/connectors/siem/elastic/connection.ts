// The official client, speaking through the house's own HTTP: one place for TLS, proxy, deadlines, limits and
// the wording of network failures. The credential is added here, at the last moment, so that neither the client
// nor any of its errors ever holds it.
import {
  BaseConnection,
  Client,
  type ConnectionOptions,
  type ConnectionRequestOptions,
  type ConnectionRequestParams,
  errors,
  type TransportOptions,
  Transport,
} from '@elastic/elasticsearch';
import { configFailure, ConnectorError } from '../../../core/contracts/failure.ts';
import type { SiemDeps } from '../../../core/contracts/siem-connector.ts';
import {
  type HttpClient,
  type HttpResponse,
  isForeignRefusal,
  isRefusingPage,
  pageInsteadOfJson,
  refusedBetween,
  withoutCredentials,
} from '../../../core/runtime/http.ts';
import { type ElasticConfig, nodeUrls } from './config.ts';
import { isOwnRefusal } from './errors.ts';

export function createClient(config: ElasticConfig, deps: SiemDeps): Client {
  return new Client({
    nodes: nodeUrls(config).map((url) => ({ url: new URL(url) })),
    Connection: connectionClass(config, deps),
    Transport: config.product === 'opensearch' ? OpenSearchTransport : ElasticTransport,
    // The engine owns retry; a client that tries again would hide it and, for 502 to 504, hammer without waiting.
    maxRetries: 0,
    requestTimeout: config.timeout_secs * 1000,
    sniffOnStart: false,
    sniffOnConnectionFault: false,
    enableMetaHeader: false,
    disablePrototypePoisoningProtection: false,
    // By default the client copies what it hangs on an error key by key, the bytes of the request included: a failed
    // batch of more than a megabyte then takes more memory than a daemon has. Nothing is hidden that way either, as
    // the credential is never here and the errors end in failures.ts; `remove` would lose the answer's headers.
    redaction: { type: 'off' },
  });
}

/** Servers of version 8 refuse 9's media type, and those of 9 accept 8's. */
class ElasticTransport extends Transport {
  constructor(options: TransportOptions) {
    super({
      ...options,
      vendoredHeaders: {
        jsonContentType: 'application/vnd.elasticsearch+json; compatible-with=8',
        ndjsonContentType: 'application/vnd.elasticsearch+x-ndjson; compatible-with=8',
        accept: 'application/vnd.elasticsearch+json; compatible-with=8,text/plain',
      },
    });
  }
}

/** OpenSearch knows only plain media types (406 otherwise), and its answers do not name Elasticsearch. */
class OpenSearchTransport extends Transport {
  constructor(options: TransportOptions) {
    const { productCheck: _, ...unchecked } = options;
    super({
      ...unchecked,
      vendoredHeaders: {
        jsonContentType: 'application/json',
        ndjsonContentType: 'application/x-ndjson',
        accept: 'application/json',
      },
    });
  }
}

function connectionClass(config: ElasticConfig, deps: SiemDeps): typeof BaseConnection {
  return class HouseConnection extends BaseConnection {
    readonly #http: HttpClient;
    readonly #prefix: string;

    constructor(options: ConnectionOptions) {
      super(options);
      this.#http = deps.http({ baseUrl: this.url.href });
      this.#prefix = this.url.origin + this.url.pathname.replace(/\/$/, '');
    }

    // The base class also declares a form with a stream answer; the client uses it only for `asStream`, which we never ask.
    override async request(params: ConnectionRequestParams, options: ConnectionRequestOptions): Promise<never> {
      // Answers are short and the way is too: packing them costs the server more than it saves.
      const headers: Record<string, string> = { 'accept-encoding': 'identity' };
      for (const [name, value] of Object.entries(params.headers ?? {}))
        if (value !== undefined) headers[name] = String(value);
      const authorization = authorize(config, deps.name);
      if (authorization !== undefined) headers['authorization'] = authorization;
      try {
        const given = await this.#http.request({
          // The client uses no other methods than these.
          method: params.method as 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD',
          path: `${this.#prefix}${params.path}${params.querystring ? `?${params.querystring}` : ''}`,
          headers,
          ...(params.body == null || params.body === '' ? {} : { body: bodyBytes(params.body) }),
          signal: options.signal ?? new AbortController().signal,
        });
        const answer = withoutCredentials(given, authorization);
        const between = fromBetween(answer, params, deps);
        if (between !== undefined) throw between;
        // `never` stands for either answer form of the base class; this is the form without stream.
        return { statusCode: answer.status, headers: readable(answer), body: answer.body } as never;
      } catch (error) {
        // As a ConnectionError the pool passes over this node for a while; ours is found again by its cause.
        if (error instanceof ConnectorError && error.kind === 'retryable' && options.signal?.aborted !== true) {
          throw new errors.ConnectionError(error.message, undefined, {
            cause: error,
            redaction: { type: 'off' },
          });
        }
        throw error;
      }
    }

    override async close(): Promise<void> {
      this.#http.close();
    }
  };
}

/**
 * A page of a proxy, firewall or login is no word of the product, and neither is an empty refusal or the JSON of a
 * gateway. Left out are statuses that mean the same from anybody (a bare `Unauthorized` is OpenSearch's own) and 413,
 * after which a batch is split.
 */
function fromBetween(
  answer: HttpResponse,
  { method, path }: ConnectionRequestParams,
  deps: SiemDeps,
): ConnectorError | undefined {
  const { status } = answer;
  if (status === 401 || status === 413 || method === 'HEAD') return undefined;
  const doing = `${deps.name}: ${method} ${path.split('?')[0] ?? ''}`;
  if (status >= 400 && !isForeignRefusal(answer, isOwnRefusal(answer))) return undefined;
  if (status < 400 && !pageInsteadOfJson(answer)) return undefined;
  if (status >= 400 || isRefusingPage(answer))
    return refusedBetween(answer, `${doing} is`, path.endsWith('/_bulk'), deps.clock.now());
  return configFailure(
    `${doing} was answered by a web page instead of JSON, so the answer does not come from Elasticsearch; check url and what stands between (proxy, login page)`,
    { status, code: `http_${status}_page`, uncertain: true },
  );
}

/** OpenSearch calls a bare `Unauthorized` JSON. The client would stumble over the text and lose the status. */
function readable({ status, headers, body }: HttpResponse): HttpResponse['headers'] {
  return status >= 400 && body[0] !== 0x7b ? { ...headers, 'content-type': 'text/plain' } : headers;
}

function bodyBytes(body: NonNullable<ConnectionRequestParams['body']>): Buffer {
  if (Buffer.isBuffer(body)) return body;
  if (typeof body === 'string') return Buffer.from(body);
  throw new Error('a stream was given as body of a request');
}

/** Read at each request: a secret file that was renewed counts at once. */
function authorize(config: ElasticConfig, name: string): string | undefined {
  const { auth } = config;
  if (auth === undefined) return undefined;
  try {
    if ('api_key' in auth) return `ApiKey ${auth.api_key.reveal()}`;
    if ('token' in auth) return `Bearer ${auth.token.reveal()}`;
    return `Basic ${Buffer.from(`${auth.username}:${auth.password.reveal()}`).toString('base64')}`;
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw configFailure(`The secret file of ${name} cannot be read (${why}); check auth`);
  }
}
