// The one place that knows axios. It adds what a daemon needs and axios does not do by itself: a deadline for
// the whole exchange, a limit for the decompressed answer, no redirects, TLS and proxy per peer, and errors of
// our own kinds, because an axios error carries the request's credentials.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { Readable } from 'node:stream';
import { checkServerIdentity, createSecureContext, type PeerCertificate, type SecureContext } from 'node:tls';
import type { AxiosInstance, AxiosStatic } from 'axios';
import { ConnectorError, type FailureKind } from '../model/failure.ts';
import type { Secret } from './secret.ts';

export interface HttpTls {
  readonly ca_file?: string | undefined;
  readonly cert_file?: string | undefined;
  readonly key_file?: string | undefined;
  readonly key_passphrase?: Secret | undefined;
  readonly server_name?: string | undefined;
  readonly fingerprint_sha256?: string | undefined;
}

/** Set once per peer from its configuration. */
export interface HttpPeer {
  /** Name for messages: "exchange cert-eu". */
  readonly label: string;
  readonly timeoutMs: number;
  readonly allowHttp: boolean;
  /** Proxies as Node reads them (no CIDR in NO_PROXY, subdomains as `.corp.example`); undefined = no proxy. */
  readonly proxyEnv?:
    | { readonly HTTP_PROXY?: string; readonly HTTPS_PROXY?: string; readonly NO_PROXY?: string }
    | undefined;
  readonly tls: HttpTls;
  /** Hears of every certificate that is used: the peer's at each new connection, ours when it is read. */
  readonly onCertificate?: ((whose: 'peer' | 'own', validTo: number) => void) | undefined;
}

/** Set by the connector. */
export interface HttpOptions {
  readonly baseUrl: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Largest answer after decompression. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Default 8. */
  readonly maxSockets?: number;
}

export interface HttpRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
  /** Relative to baseUrl, or absolute on the same origin. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Unpacked. A gzip stream that was cut inside a complete HTTP answer shows as a shorter body. */
  readonly body: Buffer;
  readonly url: string;
}

export interface HttpClient {
  /** Any HTTP status but a redirect resolves. Rejects with a ConnectorError when no complete answer came. */
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Stops requests under way and closes all connections. A later request reads the certificate files anew. */
  close(): void;
}

/** So that the first request does not stop the loops for the time that axios takes to load. */
export async function loadHttp(): Promise<void> {
  await import('axios');
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

export function createHttp(peer: HttpPeer, options: HttpOptions): HttpClient {
  const base = new URL(options.baseUrl);
  if (base.protocol === 'http:' && !peer.allowHttp && !LOOPBACK.test(base.hostname)) {
    throw new ConnectorError(
      'config',
      `${peer.label}: plain HTTP to ${base.host} is refused; use https, or set allow_http: true`,
    );
  }
  let session: Session | undefined;
  // Agents are made at the first request: certificate files are read then, and a constructor does no work. axios is
  // loaded then, so that a thread which makes no requests does not hold it.
  const ready = async (): Promise<Session> => {
    const { default: axios } = await import('axios');
    session ??= openSession(axios, peer, options);
    return session;
  };
  return {
    async request(request) {
      const url = target(request, base, peer);
      const deadline = AbortSignal.timeout(request.timeoutMs ?? peer.timeoutMs);
      let stopped: AbortSignal = request.signal;
      try {
        const { client, closing } = await ready();
        stopped = AbortSignal.any([request.signal, closing.signal]);
        const answer = await client.request<Readable>({
          url: url.href,
          method: request.method ?? 'GET',
          headers: {
            ...(request.body === undefined ? {} : { 'content-length': String(request.body.length) }),
            ...request.headers,
          },
          ...(request.body === undefined ? {} : { data: request.body }),
          signal: AbortSignal.any([stopped, deadline]),
        });
        const headers: Record<string, string> = {};
        for (const [name, value] of Object.entries(answer.headers))
          if (value != null) headers[name.toLowerCase()] = String(value);
        const body = await collected(answer.data, options.maxBytes ?? MOST_BYTES, peer, url);
        refuseRedirect(answer.status, headers['location'], url, peer);
        return { status: answer.status, headers, body, url: url.href };
      } catch (error) {
        throw networkFailure(error, peer, url, stopped, deadline);
      }
    },
    close() {
      session?.closing.abort();
      session?.httpAgent.destroy();
      session?.httpsAgent.destroy();
      session = undefined;
    },
  };
}

interface Agents {
  readonly httpAgent: http.Agent;
  readonly httpsAgent: https.Agent;
}

interface Session extends Agents {
  readonly client: AxiosInstance;
  readonly closing: AbortController;
}

function openSession(axios: AxiosStatic, peer: HttpPeer, options: HttpOptions): Session {
  const agents = makeAgents(peer, options);
  const client = axios.create({
    adapter: 'http',
    ...agents,
    // With `proxy: false` axios would put an agent without proxy in place of ours; left out, it would read the
    // process environment, unless the agent has a proxy of its own.
    ...(peer.proxyEnv === undefined ? { proxy: false as const } : {}),
    maxRedirects: 0,
    responseType: 'stream',
    validateStatus: () => true,
    // `collected` bounds it.
    maxContentLength: -1,
    maxBodyLength: Number.POSITIVE_INFINITY,
    headers: { 'user-agent': 'entente/0.1', ...options.headers },
    transitional: { silentJSONParsing: false, clarifyTimeoutError: true },
    transformRequest: [(data: unknown) => data],
    transformResponse: [(data: unknown) => data],
  });
  return { ...agents, client, closing: new AbortController() };
}

const MOST_BYTES = 64 * 1024 * 1024;
/** Longer answers are put together as they come: their pieces and the whole would else stand beside one another. */
const IN_PIECES = 2 * 1024 * 1024;

/**
 * After so many bytes of an answer its pieces are collected, where the launcher gave the means: V8 counts memory outside
 * of its heap, and lets some 60 MB of it gather before it looks.
 */
const SWEPT = 8 * 1024 * 1024;

/** The whole answer, unpacked. Reading ends where there is more than allowed. */
async function collected(answer: Readable, most: number, peer: HttpPeer, url: URL): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let whole: Buffer | undefined;
  let size = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    if (size + piece.length > most)
      throw new ConnectorError(
        'permanent',
        `${peer.label} (${url.host}): the answer is larger than allowed and was not read`,
        { uncertain: true, code: 'answer_too_large' },
      );
    if (whole === undefined && size + piece.length > IN_PIECES) {
      // Of memory that nobody writes to, the system gives none.
      whole = Buffer.allocUnsafeSlow(most);
      let at = 0;
      for (const one of pieces.splice(0)) at += one.copy(whole, at);
    }
    if (whole === undefined) pieces.push(piece);
    else piece.copy(whole, size);
    const before = Math.floor(size / SWEPT);
    size += piece.length;
    // All that an earlier answer left goes first; from then on the pieces of this one.
    if (Math.floor(size / SWEPT) > before) globalThis.gc?.({ type: before === 0 ? 'major' : 'minor' });
  }
  return whole?.subarray(0, size) ?? Buffer.concat(pieces);
}

/** The path of a configured address, without a final slash, and without `root` where somebody wrote that too. */
export function pathBelow(url: string, root: string): string {
  const path = new URL(url).pathname.replace(/\/+$/, '');
  return path.endsWith(`/${root}`) ? path.slice(0, -root.length - 1) : path;
}

/** The address of a request. A path may come from the peer itself, so it is held to the configured origin. */
function target(request: HttpRequest, base: URL, peer: HttpPeer): URL {
  const url = URL.parse(request.path, base.href);
  if (url === null) throw new ConnectorError('permanent', `${peer.label}: an address of ${base.host} is malformed`);
  if (url.origin !== base.origin) {
    throw new ConnectorError(
      'config',
      `${peer.label}: ${url.origin} is another host than ${base.origin}; credentials are not sent there`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new ConnectorError('config', `${peer.label}: an address of ${base.host} has a user name in it; use auth`);
  }
  for (const [name, value] of Object.entries(request.query ?? {}))
    if (value !== undefined) url.searchParams.append(name, String(value));
  return url;
}

/** Redirects are never followed: the next host would receive the credentials. */
function refuseRedirect(status: number, location: string | undefined, url: URL, peer: HttpPeer): void {
  if (status < 300 || status >= 400 || status === 304) return;
  const to = location === undefined ? null : URL.parse(location, url.href);
  // Origin and path only: the query of a login redirect may hold a ticket.
  const same = to?.origin === url.origin;
  const where = to === null ? 'nowhere' : same ? to.pathname : `${to.origin}${to.pathname}`;
  // Whoever answers must not be able to send people, and with them their credentials, elsewhere or to plain HTTP.
  const next = same ? 'configure the final address' : 'ask whoever runs it, by a way you trust, for the right address';
  throw new ConnectorError(
    'config',
    `${peer.label} (${url.host}): ${url.pathname} is redirected to ${where} (${status}) and redirects are not followed; ${next}`,
    { status },
  );
}

function makeAgents(peer: HttpPeer, options: HttpOptions): Agents {
  const { tls } = peer;
  const pinned = tls.fingerprint_sha256?.replaceAll(':', '').toLowerCase();
  const read = (path: string | undefined, what: string): Buffer | undefined => {
    if (path === undefined) return undefined;
    try {
      return readFileSync(path);
    } catch (error) {
      throw new ConnectorError('config', `${peer.label}: cannot read ${what} ${path}`, { cause: error });
    }
  };
  const ca = read(tls.ca_file, 'tls.ca_file');
  const cert = read(tls.cert_file, 'tls.cert_file');
  const shared = {
    keepAlive: true,
    maxSockets: options.maxSockets ?? 8,
    ...(peer.proxyEnv === undefined ? {} : { proxyEnv: peer.proxyEnv }),
  };
  // Read once for the peer: an agent given the certificates themselves spells all of them out for each request, to
  // find a connection by, and parses them for each connection.
  const secureContext = createSecureContext({
    minVersion: 'TLSv1.2',
    cert,
    key: read(tls.key_file, 'tls.key_file'),
    passphrase: revealed(tls.key_passphrase, peer),
  });
  // Beside the built-in roots, which are parsed once for all peers: given as texts they would be for each, and that is a
  // long time in which no probe is answered.
  if (ca !== undefined) trusting(secureContext, ca.toString('utf8'), peer);
  const httpsAgent = new https.Agent({
    ...shared,
    secureContext,
    ...(tls.server_name === undefined ? {} : { servername: tls.server_name }),
    checkServerIdentity: (host: string, certificate: PeerCertificate) => {
      peer.onCertificate?.('peer', Date.parse(certificate.valid_to));
      return (pinned === undefined ? checkServerIdentity : pinCheck(pinned))(host, certificate);
    },
  });
  if (cert !== undefined) peer.onCertificate?.('own', Date.parse(new X509Certificate(cert).validTo));
  return { httpAgent: new http.Agent(shared), httpsAgent };
}

function trusting({ context }: SecureContext, ca: string, { label, tls }: HttpPeer): void {
  try {
    // Node's types leave it open. A text of several certificates adds each of them, to a store of this peer's alone.
    (context as { addCACert(pem: string): void }).addCACert(ca);
  } catch (error) {
    throw new ConnectorError('config', `${label}: tls.ca_file ${tls.ca_file} holds no certificate`, { cause: error });
  }
}

function revealed(secret: Secret | undefined, peer: HttpPeer): string | undefined {
  try {
    return secret?.reveal();
  } catch (error) {
    throw new ConnectorError('config', `${peer.label}: cannot read tls.key_passphrase_file`, { cause: error });
  }
}

/** A pinned certificate replaces the check of the name, never the check of the chain. */
function pinCheck(pinned: string): (host: string, certificate: PeerCertificate) => Error | undefined {
  return (host, certificate) =>
    certificate.fingerprint256.replaceAll(':', '').toLowerCase() === pinned
      ? undefined
      : new Error(`certificate of ${host} has another fingerprint than tls.fingerprint_sha256`);
}

const TLS_CODES =
  /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|ERR_OSSL|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/;

function networkFailure(
  error: unknown,
  peer: HttpPeer,
  url: URL,
  caller: AbortSignal,
  deadline: AbortSignal,
): ConnectorError {
  if (error instanceof ConnectorError) return error;
  const where = `${peer.label} (${url.host})`;
  if (caller.aborted) return new ConnectorError('retryable', `${where}: the request was stopped`, { uncertain: true });
  if (deadline.aborted)
    return new ConnectorError('retryable', `${where}: no complete answer in time`, {
      uncertain: true,
      code: 'timeout',
    });
  // Only code and message are kept: the axios error itself holds the credentials.
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const text = plain(error instanceof Error ? error.message : String(error));
  if (TLS_CODES.test(code) || /certificate|fingerprint/.test(text)) {
    return new ConnectorError(
      'config',
      `${where}: TLS failed: ${text}; check tls.ca_file and the server's certificate`,
      { uncertain: false },
    );
  }
  if (code.startsWith('ERR_PROXY')) {
    const denied = code === 'ERR_PROXY_INVALID_CONFIG' || /\b40[137]\b/.test(text);
    return new ConnectorError(denied ? 'config' : 'retryable', `${where}: the proxy gave no way through: ${text}`, {
      uncertain: false,
    });
  }
  const refused = code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN';
  return new ConnectorError('retryable', `${where}: ${code === '' ? text : `${text} (${code})`}`, {
    uncertain: !refused,
  });
}

/** OpenSSL texts carry source lines and thread ids; only the reason helps. */
function plain(text: string): string {
  const reason = /:SSL routines:[^:]*:([^:]+)/.exec(text)?.[1];
  return reason ?? text;
}

/** The default reading of an HTTP status; connectors override single ones. Undefined = a success. */
export function statusFailure(
  status: number,
  overrides: Readonly<Record<number, FailureKind>> = {},
): FailureKind | undefined {
  const special = overrides[status];
  if (special !== undefined) return special;
  if (status >= 200 && status < 300) return undefined;
  if (status === 401 || status === 403 || status === 404 || (status >= 300 && status < 400)) return 'config';
  if (status === 408 || status === 425 || status === 429 || status >= 500) return 'retryable';
  return 'permanent';
}

/**
 * True when a web page, or other text that no JSON begins with, stands where a peer that speaks JSON should have
 * answered: the word of something in between (proxy, firewall, login), not of the product. An empty answer is none,
 * and neither is XML that is no web page: Splunk answers so where `output_mode` was dropped on the way.
 */
export function pageInsteadOfJson({ headers, body }: Pick<HttpResponse, 'headers' | 'body'>): boolean {
  const start = body
    .subarray(0, 1024)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (start === '') return false;
  if ((headers['content-type'] ?? '').includes('html')) return true;
  // What stands inside of JSON may look like a page: the values of a feed, and what was written into logs.
  if (/^[[{]/.test(start)) return false;
  if (/<(!doctype html|html|head|body|title|h1)\b/i.test(start)) return true;
  if (start.startsWith('<')) return false;
  // What is left is a bare JSON value, or plain words such as "404 page not found".
  try {
    JSON.parse(body.toString('utf8'));
    return false;
  } catch {
    return true;
  }
}

/** A refusal as it came, but for what we showed of ourselves: some answer with the request in it. */
export function withoutCredentials(response: HttpResponse, authorization = '', password = ''): HttpResponse {
  if (response.status < 400) return response;
  const [scheme = '', credential = ''] = authorization.split(' ');
  const basic = scheme === 'Basic' ? Buffer.from(credential, 'base64').toString('utf8') : '';
  const text = response.body.toString('utf8');
  // A shorter one would tear words apart, and is none.
  const shown = [credential, basic.slice(basic.indexOf(':') + 1), password].filter((one) => one.length > 3);
  const clean = shown.reduce((all, one) => all.replaceAll(one, '[redacted]'), text);
  return clean === text ? response : { ...response, body: Buffer.from(clean) };
}

/** Refusals that mean one thing from the product and another from what stands before it. */
const DEPENDS_ON_WHO: ReadonlySet<number> = new Set([403, 404, 405, 407, 501]);

/**
 * True for a refusal of whose word it is much depends, and that is not the product's: a web page, or an answer without
 * what the product always says (`own`). One that says nothing at all may forbid in anybody's name, but "not there" is
 * believed of the product alone.
 */
export function isForeignRefusal(response: Pick<HttpResponse, 'status' | 'headers' | 'body'>, own: boolean): boolean {
  const { status, body } = response;
  if (pageInsteadOfJson(response)) return true;
  if (own || !DEPENDS_ON_WHO.has(status)) return false;
  return status !== 403 || !/^\s*(\{\s*\}\s*)?$/.test(body.subarray(0, 64).toString('utf8'));
}

/** Words of a firewall's own page: some give it with 200. */
const REFUSES = /\brequest(ed url)?\b[^<]{0,20}\b(rejected|blocked|denied)\b|\bsupport id\b/i;

/** True for a web page with 200 by which a firewall refuses; a login page, which has 200 as well, is none. */
export function isRefusingPage({ status, body }: Pick<HttpResponse, 'status' | 'body'>): boolean {
  if (status < 200 || status >= 300) return false;
  const start = body.subarray(0, 4096).toString('utf8').trimStart();
  return /^<(!doctype html|html)\b/i.test(start) && REFUSES.test(start);
}

/**
 * What a refusal stands for that the product did not word: a page instead of JSON, nothing at all, or the JSON of a
 * gateway. `doing` names peer and call. In answer to a write, 403 may be about one value in it (a firewall that reads
 * along, and may say so in a page with 200), so that the engine may divide the batch; older firewalls say 501, which is
 * no broken server then: nothing was done, and nobody mends it by waiting.
 */
export function refusedBetween(response: HttpResponse, doing: string, write: boolean, now = 0): ConnectorError {
  const { status } = response;
  const aboutOne = write && (status === 403 || status === 501 || status < 300);
  const kind = aboutOne
    ? 'permanent'
    : (statusFailure(status, { 405: 'config', 407: 'config', 501: 'config' }) ?? 'config');
  const wait = retryAfterMs(response.headers['retry-after'], now);
  return new ConnectorError(
    kind,
    `${doing} refused by something in between (${status}, ${pageInsteadOfJson(response) ? 'a web page' : 'not in the words of the product'}); look at the proxy or firewall before it`,
    {
      status,
      code: status === 403 || status < 300 ? `between_${status}` : `http_${status}_page`,
      uncertain: status >= 500 && status !== 501,
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
    },
  );
}

/** Longer ones are typing errors: nobody means them. */
const ABSURD_MS = 366 * 86_400_000;
const HTTP_DATE = /^(mon|tue|wed|thu|fri|sat|sun)[a-z]*,? /i;

/** Retry-After in milliseconds: seconds or an HTTP date. Undefined when absent, unreadable or absurd. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  const wait = /^\d+$/.test(text)
    ? Number(text) * 1000
    : HTTP_DATE.test(text)
      ? Math.max(0, Date.parse(text) - now)
      : Number.NaN;
  return wait <= ABSURD_MS ? wait : undefined;
}
