// The one place that knows axios. It adds what a daemon needs and axios does not do by itself: a deadline for
// the whole exchange, a limit for the decompressed answer, no redirects, TLS and proxy per peer, and errors of
// our own kinds, because an axios error carries the request's credentials.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { rootCertificates, type PeerCertificate } from 'node:tls';
import axios, { AxiosError, type AxiosInstance } from 'axios';
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
  /** A proxy URL; 'none' for none; undefined = HTTPS_PROXY and NO_PROXY given here. */
  readonly proxyEnv?:
    | { readonly HTTP_PROXY?: string; readonly HTTPS_PROXY?: string; readonly NO_PROXY?: string }
    | undefined;
  readonly tls: HttpTls;
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
  readonly body: Buffer;
  readonly url: string;
}

export interface HttpClient {
  /** Any HTTP status resolves. Rejects with a ConnectorError when no complete answer came. */
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Closes idle connections. */
  close(): void;
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
  let agents: { httpAgent: http.Agent; httpsAgent: https.Agent } | undefined;
  let client: AxiosInstance | undefined;
  // Agents are made at the first request: certificate files are read then, and a constructor does no work.
  const ready = (): AxiosInstance => {
    if (client !== undefined) return client;
    agents = makeAgents(peer, options);
    client = axios.create({
      adapter: 'http',
      ...agents,
      proxy: false,
      maxRedirects: 0,
      responseType: 'arraybuffer',
      validateStatus: () => true,
      maxContentLength: options.maxBytes ?? 64 * 1024 * 1024,
      maxBodyLength: Number.POSITIVE_INFINITY,
      headers: { 'user-agent': 'entente/0.1', ...options.headers },
      transitional: { silentJSONParsing: false, clarifyTimeoutError: true },
      transformRequest: [(data: unknown) => data],
      transformResponse: [(data: unknown) => data],
    });
    return client;
  };
  return {
    async request(request) {
      const url = new URL(request.path, base);
      if (url.origin !== base.origin) {
        throw new ConnectorError(
          'config',
          `${peer.label}: ${url.origin} is another host than ${base.origin}; credentials are not sent there`,
        );
      }
      for (const [name, value] of Object.entries(request.query ?? {}))
        if (value !== undefined) url.searchParams.append(name, String(value));
      const deadline = AbortSignal.timeout(request.timeoutMs ?? peer.timeoutMs);
      try {
        const answer = await ready().request<Buffer>({
          url: url.href,
          method: request.method ?? 'GET',
          headers: {
            ...(request.body === undefined ? {} : { 'content-length': String(request.body.length) }),
            ...request.headers,
          },
          ...(request.body === undefined ? {} : { data: request.body }),
          signal: AbortSignal.any([request.signal, deadline]),
        });
        const headers: Record<string, string> = {};
        for (const [name, value] of Object.entries(answer.headers))
          if (value != null) headers[name.toLowerCase()] = String(value);
        return { status: answer.status, headers, body: Buffer.from(answer.data ?? ''), url: url.href };
      } catch (error) {
        throw networkFailure(error, peer, url, request.signal, deadline);
      }
    },
    close() {
      agents?.httpAgent.destroy();
      agents?.httpsAgent.destroy();
      agents = undefined;
      client = undefined;
    },
  };
}

function makeAgents(peer: HttpPeer, options: HttpOptions): { httpAgent: http.Agent; httpsAgent: https.Agent } {
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
  const shared = {
    keepAlive: true,
    maxSockets: options.maxSockets ?? 8,
    ...(peer.proxyEnv === undefined ? {} : { proxyEnv: peer.proxyEnv }),
  };
  const httpsAgent = new https.Agent({
    ...shared,
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca: [...rootCertificates, ca.toString('utf8')] }),
    cert: read(tls.cert_file, 'tls.cert_file'),
    key: read(tls.key_file, 'tls.key_file'),
    passphrase: tls.key_passphrase?.reveal(),
    ...(tls.server_name === undefined ? {} : { servername: tls.server_name }),
    ...(pinned === undefined ? {} : { checkServerIdentity: pinCheck(pinned) }),
  });
  return { httpAgent: new http.Agent(shared), httpsAgent };
}

/** A pinned certificate replaces the check of the name, never the check of the chain. */
function pinCheck(pinned: string): (host: string, certificate: PeerCertificate) => Error | undefined {
  return (host, certificate) =>
    certificate.fingerprint256.replaceAll(':', '').toLowerCase() === pinned
      ? undefined
      : new Error(`certificate of ${host} has another fingerprint than tls.fingerprint_sha256`);
}

const TLS_CODES = /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/;

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
    return new ConnectorError('retryable', `${where}: no complete answer in time`, { uncertain: true });
  const code = error instanceof AxiosError ? (error.code ?? '') : '';
  const text = error instanceof Error ? error.message : String(error);
  // Only code and message are kept: the axios error itself holds the credentials.
  if (/maxContentLength/.test(text)) {
    return new ConnectorError('permanent', `${where}: the answer is larger than allowed and was not read`, {
      uncertain: true,
    });
  }
  if (TLS_CODES.test(code) || /certificate|fingerprint/.test(text)) {
    return new ConnectorError(
      'config',
      `${where}: TLS failed: ${text}; check tls.ca_file and the server's certificate`,
      { uncertain: false },
    );
  }
  const refused = code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN';
  return new ConnectorError('retryable', `${where}: ${code === '' ? text : `${text} (${code})`}`, {
    uncertain: !refused,
  });
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

/** Retry-After in milliseconds: seconds or an HTTP date. Undefined when absent or unreadable. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header.trim()) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
