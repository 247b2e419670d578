// Probes, metrics and the pages. Reading needs nothing on loopback and a token beyond it; acting needs a token
// everywhere, a session, and a form that a page of ours made.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { permanent } from '../core/model/failure.ts';
import { withoutHidden } from '../core/model/text.ts';
import { systemClock } from '../core/runtime/clock.ts';
import { type Answer, json, page as pageAnswer, plain, PROMETHEUS, send } from './answer.ts';
import { assetAt } from './assets.ts';
import { waitingCount } from './attention.ts';
import { board } from './board.ts';
import { limitConnections } from './connections.ts';
import { outcomePage } from './forms.ts';
import { actingOf, formOf, hostAllowed, isForeign, letIn, type WebOptions } from './guard.ts';
import { Live } from './live.ts';
import { messagePage, type Page, type PageRequest, type Part, signInPage, topPart, wholePage } from './page.ts';
import { type Found, routeOf } from './routes.ts';
import { isFormToken, isToken, sessionCookie } from './session.ts';
import type { WebSource } from './source.ts';

export type { WebOptions } from './guard.ts';
export type { WebSource } from './source.ts';

export interface WebServer {
  readonly url: string;
  readonly port: number;
  /** From now on other options and another source, at the same place. */
  serve(options: WebOptions, source: WebSource): void;
  close(): Promise<void>;
}

const MOST_CONNECTIONS = 100;

export async function startWeb(first: WebOptions, firstSource: WebSource): Promise<WebServer> {
  guarded(first);
  let options = first;
  let source = firstSource;
  const server = http.createServer({
    requestTimeout: 10_000,
    headersTimeout: 5_000,
    keepAliveTimeout: 5_000,
    // A URL of 8,000 characters is a value like others, and each may take three to be written.
    maxHeaderSize: 32_768,
  });
  limitConnections(server, MOST_CONNECTIONS);
  const live = new Live((request) => partsFor(request, options, source));
  server.on('request', (request, response) => {
    if (isLive(request) && hostAllowed(request.headers.host, options) && mayRead(request, options)) {
      live.open(request, response);
      return;
    }
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
        live.close();
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

const mayRead = (request: http.IncomingMessage, options: WebOptions): boolean =>
  options.loopback || letIn(request, options);

/** Only a path: what begins with two slashes names no other host here. */
const urlAt = (path: string): URL | undefined =>
  path.startsWith('/') ? (URL.parse(`http://here${path}`) ?? undefined) : undefined;
const urlOf = (request: http.IncomingMessage): URL | undefined => urlAt(request.url ?? '/');

const isLive = (request: http.IncomingMessage): boolean =>
  request.method === 'GET' && (request.url ?? '').split('?', 1)[0] === '/events';

async function answer(request: http.IncomingMessage, options: WebOptions, source: WebSource): Promise<Answer> {
  if (!hostAllowed(request.headers.host, options))
    return plain(421, 'this Host is not served here; add it to listen.hosts');
  const url = urlOf(request);
  if (url === undefined) return plain(400, 'this is no path');
  const path = url.pathname;
  if (request.method === 'POST' && (path === '/sign-in' || routeOf(path)?.form !== undefined)) {
    // Without a token nobody acts, so that there is nothing to post to.
    if (options.token !== undefined)
      return path === '/sign-in' ? signIn(request, options) : take(request, url, options, source);
  }
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return plain(405, 'only GET and HEAD', { allow: 'GET, HEAD' });
  if (path === '/livez') return source.live() ? plain(200, 'ok') : plain(503, 'the loops do not turn');
  if (path === '/readyz')
    return source.ready() ? plain(200, 'ok') : plain(503, 'starting: not every peer was tried yet');
  const asset = assetAt(path);
  if (asset !== undefined) return { status: 200, ...asset };
  const found = routeOf(path);
  if (path === '/sign-in' && options.token !== undefined)
    return pageAnswer(200, signInPage(ownPath(url.searchParams.get('to'))));
  // Probes and the style say nothing that is worth a token; everything below does.
  if (!mayRead(request, options)) {
    const headers = { 'www-authenticate': 'Bearer realm="entente"' };
    if (found === undefined) return plain(401, 'a token is needed', headers);
    return pageAnswer(401, signInPage(ownPath(url.pathname + url.search)), headers);
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
    default:
      return found === undefined
        ? plain(404, 'nothing here; try /status')
        : show(request, options, source, (asked) => found.page(asked), url, found);
  }
}

/** The page in its frame. While the store is closed, or its server away, there is the board alone, as it was last. */
async function show(
  request: http.IncomingMessage,
  options: WebOptions,
  source: WebSource,
  make: (asked: PageRequest) => Page | Promise<Page>,
  url: URL,
  found: Found,
): Promise<Answer> {
  const { made, top, status, acting, now } = await partsOf(request, options, source, make, url, found);
  return pageAnswer(made.status ?? 200, wholePage(made, top, status, acting, new Date(now).toISOString()));
}

async function partsOf(
  request: http.IncomingMessage,
  options: WebOptions,
  source: WebSource,
  make: (asked: PageRequest) => Page | Promise<Page>,
  url: URL,
  { params }: Pick<Found, 'params'>,
) {
  const status = await source.status();
  const { pages } = source;
  const acting = actingOf(request, options);
  const now = pages?.now() ?? systemClock.now();
  const waiting = (await pages?.waiting(1)) ?? { sets: [], sightings: [], disputed: [] };
  const closed = () =>
    url.pathname === '/'
      ? board({ status, waiting, samples: [], now })
      : messagePage(
          'Not just now',
          'The daemon is starting, stopping or taking a new configuration over, or the server of its state is away: the board says which.',
          'none',
          503,
        );
  const made =
    pages === undefined
      ? closed()
      : await make({
          path: url.pathname,
          params,
          query: url.searchParams,
          source,
          pages,
          status,
          now,
          waiting,
          acting,
        });
  const top = topPart(status, made.screen, waitingCount(waiting, status.sightings.held));
  return { made, top, status, acting, now };
}

/** For a stream: what of the page that it watches there is now. Undefined where there is no such page, or no right to it any more. */
async function partsFor(
  request: http.IncomingMessage,
  options: WebOptions,
  source: WebSource,
): Promise<readonly Part[] | undefined> {
  const url = urlAt(urlOf(request)?.searchParams.get('page') ?? '/');
  const found = url === undefined ? undefined : routeOf(url.pathname);
  if (url === undefined || found === undefined || !mayRead(request, options)) return undefined;
  const { made, top } = await partsOf(request, options, source, (asked) => found.page(asked), url, found);
  return made.still === true ? undefined : [top, ...made.parts];
}

/** A form of a page: only of ours, only within its session, and the daemon says what came of it. */
async function take(request: http.IncomingMessage, url: URL, options: WebOptions, source: WebSource): Promise<Answer> {
  if (isForeign(request)) return plain(403, 'another site sent this form');
  const acting = actingOf(request, options);
  if (acting.kind !== 'may')
    return pageAnswer(401, signInPage(ownPath(url.pathname), 'Sign in first, then decide again.'));
  const fields = await formOf(request);
  if (fields === undefined) return plain(413, 'this form is too long');
  if (!isFormToken(fields.get('form'), acting.form))
    return plain(403, 'this form is not of your session; open the page again');
  const found = routeOf(url.pathname);
  const { pages } = source;
  if (found?.form === undefined || pages === undefined)
    return plain(503, 'nothing is taken just now; try again in a moment');
  const read = found.form(fields);
  const by = withoutHidden(fields.get('by') ?? '')
    .trim()
    .slice(0, 100);
  const wrong =
    typeof read === 'string' ? read : by === '' ? 'your name is needed: it stands in the record' : undefined;
  if (typeof read === 'string' || wrong !== undefined) {
    const refusal = messagePage('Nothing was done', `${wrong ?? ''}. Go back and try again.`, 'none', 400);
    return show(request, options, source, () => refusal, url, found);
  }
  const outcome = await pages.act(read.asked, by);
  return show(request, options, source, () => outcomePage(read, outcome), url, found);
}

const MOST_TOKEN_BYTES = 4_096;

/** The form: the token once, and from then on a cookie. Only a page of ours may send it. */
async function signIn(request: http.IncomingMessage, options: WebOptions): Promise<Answer> {
  if (isForeign(request)) return plain(403, 'another site sent this form');
  const fields = await formOf(request, MOST_TOKEN_BYTES);
  if (fields === undefined) return plain(413, 'this is no token');
  const { token } = options;
  const to = ownPath(fields.get('to'));
  if (token === undefined || !isToken(fields.get('token') ?? undefined, token))
    return pageAnswer(401, signInPage(to, 'That is not the token.'));
  const secure = request.headers['x-forwarded-proto'] === 'https';
  return plain(303, 'signed in', { location: to, 'set-cookie': sessionCookie(token, systemClock.now(), secure) });
}

/** Nobody is sent elsewhere by a link that somebody made. */
function ownPath(to: string | null): string {
  const url = urlAt(to ?? '');
  return url === undefined || routeOf(url.pathname) === undefined ? '/' : url.pathname + url.search;
}
