// Probes, metrics and the status page. Reads only: GET and HEAD, and a form that lets a browser in. A Host header that is not ours is refused, so that
// a web page elsewhere cannot read this one through a name that it points at loopback; from beyond loopback a
// token is needed.
import http from 'node:http';
import { isIP, type AddressInfo } from 'node:net';
import { permanent } from '../core/model/failure.ts';
import type { StatusReport } from '../core/model/status.ts';
import { systemClock } from '../core/runtime/clock.ts';
import type { Secret } from '../core/runtime/secret.ts';
import { limitConnections } from './connections.ts';
import { signInPage, statusPage } from './page.ts';
import { isToken, sessionCookie, sessionHolds } from './session.ts';

export interface WebSource {
  status(): Promise<StatusReport>;
  /** Configuration and store are good and each peer was tried once. */
  ready(): boolean;
  /** The loops turn. */
  live(): boolean;
  metrics(): Promise<string>;
  /** Why a new configuration is not used; undefined when the one that runs is the newest. */
  badReload?(): string | undefined;
}

export interface WebOptions {
  readonly host: string;
  readonly port: number;
  readonly loopback: boolean;
  readonly token?: Secret;
  /** Further names under which a Host header is accepted. */
  readonly hosts: readonly string[];
}

export interface WebServer {
  readonly url: string;
  readonly port: number;
  /** From now on other options and another source, at the same place. */
  serve(options: WebOptions, source: WebSource): void;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type:
    | 'text/plain; charset=utf-8'
    | 'application/json; charset=utf-8'
    | 'text/html; charset=utf-8'
    | typeof PROMETHEUS;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const MOST_CONNECTIONS = 100;
const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';
const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

export async function startWeb(first: WebOptions, firstSource: WebSource): Promise<WebServer> {
  guarded(first);
  let options = first;
  let source = firstSource;
  const server = http.createServer({
    requestTimeout: 10_000,
    headersTimeout: 5_000,
    keepAliveTimeout: 5_000,
    maxHeaderSize: 8_192,
  });
  limitConnections(server, MOST_CONNECTIONS);
  server.on('request', (request, response) => {
    answer(request, options, source).then(
      (one) => send(request, response, one),
      (error: unknown) =>
        send(
          request,
          response,
          plain(500, `the answer could not be made: ${error instanceof Error ? error.message : 'unknown'}`),
        ),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        permanent(`cannot listen on ${options.host}:${options.port}: ${error.message}; free it, or set listen`, {
          cause: error,
        }),
      ),
    );
    server.listen(options.port, options.host, resolve);
  });
  // A listening TCP server has an AddressInfo, never a pipe name.
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    port,
    serve: (nextOptions, nextSource) => {
      guarded(nextOptions);
      options = nextOptions;
      source = nextSource;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function guarded(options: WebOptions): void {
  if (!options.loopback && options.token === undefined) {
    throw new Error(`listening on ${options.host} needs a token; set listen.token_file`);
  }
}

async function answer(request: http.IncomingMessage, options: WebOptions, source: WebSource): Promise<Answer> {
  if (!hostAllowed(request.headers.host, options))
    return plain(421, 'this Host is not served here; add it to listen.hosts');
  const path = (request.url ?? '/').split('?', 1)[0];
  if (request.method === 'POST' && path === '/sign-in' && !options.loopback) return signIn(request, options);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { ...plain(405, 'only GET and HEAD'), headers: { allow: 'GET, HEAD' } };
  }
  if (path === '/livez') return source.live() ? plain(200, 'ok') : plain(503, 'the loops do not turn');
  if (path === '/readyz')
    return source.ready() ? plain(200, 'ok') : plain(503, 'starting: not every peer was tried yet');
  // Probes say nothing that is worth a token; everything below does.
  if (!options.loopback && !letIn(request, options)) {
    const headers = { 'www-authenticate': 'Bearer realm="entente"' };
    if (path !== '/') return { ...plain(401, 'a token is needed'), headers };
    return { status: 401, type: 'text/html; charset=utf-8', body: signInPage(), headers };
  }
  switch (path) {
    case '/health': {
      const status = await source.status();
      // Work goes on with the old one, so no part fails; but nobody sees to it unless monitoring says so.
      const healthy = status.state !== 'failing' && source.badReload?.() === undefined;
      return json(healthy ? 200 : 503, { state: status.state, reasons: status.reasons });
    }
    case '/status':
      return json(200, await source.status());
    case '/metrics':
      return { status: 200, type: PROMETHEUS, body: await source.metrics() };
    case '/':
      return {
        status: 200,
        type: 'text/html; charset=utf-8',
        body: statusPage(await source.status(), new Date(systemClock.now()).toISOString()),
      };
    default:
      return plain(404, 'nothing here; try /status');
  }
}

function hostAllowed(header: string | undefined, options: WebOptions): boolean {
  if (header === undefined) return false;
  const name = header.replace(/:\d+$/, '').toLowerCase();
  // Only a name can be pointed elsewhere: an address in the Host header is the address that was connected to.
  if (name === 'localhost' || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0) return true;
  return [options.host, ...options.hosts].some((one) => one.toLowerCase() === name);
}

const bearer = (header: string | undefined): string | undefined => /^Bearer (.+)$/i.exec(header ?? '')?.[1];

function letIn({ headers }: http.IncomingMessage, { token }: WebOptions): boolean {
  return isToken(bearer(headers.authorization), token) || sessionHolds(headers.cookie, token, systemClock.now());
}

const MOST_FORM_BYTES = 4_096;

/** The form: the token once, and from then on a cookie. Only a page of ours may send it. */
async function signIn(request: http.IncomingMessage, options: WebOptions): Promise<Answer> {
  const { origin, host } = request.headers;
  const site = request.headers['sec-fetch-site'];
  const foreign =
    (site !== undefined && site !== 'same-origin' && site !== 'none') ||
    (origin !== undefined && URL.parse(origin)?.host !== host);
  if (foreign) return plain(403, 'another site sent this form');
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > MOST_FORM_BYTES) return plain(413, 'this is no token');
  }
  const { token } = options;
  if (token === undefined || !isToken(new URLSearchParams(text).get('token') ?? undefined, token))
    return { status: 401, type: 'text/html; charset=utf-8', body: signInPage('That is not the token.') };
  const secure = request.headers['x-forwarded-proto'] === 'https';
  return {
    ...plain(303, 'signed in'),
    headers: { location: '/', 'set-cookie': sessionCookie(token, systemClock.now(), secure) },
  };
}

const plain = (status: number, text: string): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${text}\n`,
});
const json = (status: number, value: unknown): Answer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: `${JSON.stringify(value)}\n`,
});

function send(request: http.IncomingMessage, response: http.ServerResponse, one: Answer): void {
  const body = Buffer.from(one.body);
  response.writeHead(one.status, {
    ...SECURITY_HEADERS,
    'content-type': one.type,
    'content-length': body.length,
    ...one.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
  request.resume(); // a body that nobody reads would hold the connection
}
