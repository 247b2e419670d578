// A Splunk to rehearse and test with: management port (8089) of one server, with KV store, lookups, tokens, searches
// over planted events and, unless left out, Enterprise Security's threat collections. Written from the product's
// documentation and other people's measurements, not from what our connector sends.
import {
  type RunningSimulator,
  type SimRequest,
  type SimResponse,
  type SimulatorOptions,
  startServer,
} from '../server.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { authenticate, authRoutes, issueToken, login, newUser, userSecret } from './auth.ts';
import { address, type Call, formOf, type Handler, say } from './call.ts';
import { jobRoutes } from './jobs.ts';
import { kvConfigRoutes } from './kv-config.ts';
import { documentsOf, kvDataRoutes } from './kv-data.ts';
import { lookupRoutes } from './lookups.ts';
import { installNotables, notableRoutes } from './notables.ts';
import { message } from './render.ts';
import { type Document, type Settings, SplunkState } from './state.ts';
import { kvReady, systemRoutes } from './system.ts';
import { installEnterpriseSecurity, prune, threatIntelRoutes } from './threat-intel.ts';

export interface SplunkOptions extends SimulatorOptions {
  /** Splunk version to play, e.g. 9.0.4; limits and paths follow it. */
  readonly version?: string;
  readonly username?: string;
  readonly password?: string;
  /** Life of the token that is made at start; 0 = for ever. */
  readonly tokenExpiresInSecs?: number;
  readonly enterpriseSecurity?: boolean;
  readonly settings?: Partial<Settings>;
  readonly clock?: Clock;
}

export interface RunningSplunk extends RunningSimulator {
  readonly kind: 'splunk';
  readonly username: string;
  readonly password: string;
  readonly token: string;
  /** An account with role user: it may search and read, and change nothing. */
  readonly reader: { readonly username: string; readonly password: string; readonly token: string };
  /** For tests that look at what a server holds, beside the REST interface. */
  readonly state: SplunkState;
  /** Shared documents of a collection, by `_key`. */
  documents(app: string, collection: string): ReadonlyMap<string, Document>;
}

const ROUTES: readonly Handler[] = [
  systemRoutes,
  authRoutes,
  kvConfigRoutes,
  kvDataRoutes,
  lookupRoutes,
  threatIntelRoutes,
  notableRoutes,
  jobRoutes,
];

export async function startSplunk(options: SplunkOptions = {}): Promise<RunningSplunk> {
  const state = new SplunkState(options);
  Object.assign(state.settings, options.settings);
  if (state.enterpriseSecurity) {
    installEnterpriseSecurity(state);
    installNotables(state);
  }
  const username = options.username ?? 'admin';
  const password = options.password ?? userSecret();
  const reader = { username: 'analyst', password: userSecret() };
  state.users.set(username, newUser(username, password, 'admin'));
  state.users.set(reader.username, newUser(reader.username, reader.password, 'user'));
  const life = options.tokenExpiresInSecs ?? 90 * 86_400;
  const expires = life === 0 ? 0 : Math.floor(state.clock.now() / 1000) + life;
  const token = issueToken(state, username, 'entente', expires).text;
  const readerToken = issueToken(state, reader.username, 'entente', expires).text;

  let port = 8089;
  const running = await startServer(
    {
      handle: (request) => {
        const given = balanced(state, request, (head) => answer(state, request, { port, head }));
        const { method, path: uri_path } = request;
        state.logInternal({ sourcetype: 'splunkd_access', method, uri_path, status: String(given.status) });
        return given;
      },
      state: () => ({
        version: state.version,
        settings: state.settings,
        sessions: state.sessions.size,
        collections: Object.fromEntries(
          [...state.collections].map(([name, one]) => [name, documentsOf(one, 'nobody').size]),
        ),
        lookups: [...state.lookups.keys()],
        events: state.events.length,
        jobs: state.jobs.size,
      }),
      backdoor: {
        events: (body) => plant(state, body),
        settings: (body) => void Object.assign(state.settings, body),
        /** Ends all sessions, as a restart or the idle time-out does. */
        'expire-sessions': () => state.sessions.clear(),
        'revoke-tokens': () => {
          for (const one of state.tokens.values()) one.status = 'disabled';
        },
        prune: () => ({ gone: prune(state) }),
        rows: (body) => rows(state, body),
      },
    },
    // Long `$or` lists travel in the URL, far beyond what an HTTP server of Node takes by default.
    { ...options, maxHeaderBytes: 1_000_000 },
  );
  port = running.port;
  return {
    ...running,
    kind: 'splunk',
    username,
    password,
    token,
    reader: { ...reader, token: readerToken },
    state,
    documents: (app, collection) => {
      const found = state.collections.get(`${app}/${collection}`);
      return found === undefined ? new Map() : documentsOf(found, 'nobody');
    },
  };
}

function answer(state: SplunkState, request: SimRequest, at: { port: number; head: number }): SimResponse {
  const where = address(request.path);
  const form = formOf(request);
  const json = form.get('output_mode')?.startsWith('json') ?? false;
  if (where === undefined) return message(json, 404, 'ERROR', 'Not Found');
  const url = `${request.path}?${request.query.toString()}`;
  if (url.length > state.settings.maxUrlBytes) return message(json, 414, 'ERROR', 'Request-URI Too Long');
  if (where.path.join('/') === 'auth/login') {
    return request.method === 'POST' ? login(state, form, at, json) : message(json, 404, 'ERROR', 'Not Found');
  }
  const user = authenticate(state, request, at.head, json);
  if ('status' in user) return user;
  const call: Call = { state, method: request.method, ...where, request, form, json, user };
  if (where.path[0] === 'storage' && !kvReady(call)) {
    return say(call, 503, 'ERROR', 'KV Store is initializing. Please try again later.');
  }
  for (const route of ROUTES) {
    const given = route(call);
    if (given !== undefined) return { ...given, route: `${request.method} ${routeName(where.path)}` };
  }
  return say(call, 404, 'ERROR', 'Not Found');
}

/** What a balancer does before several search heads: whoever brings its cookie back stays, everybody else is spread. */
function balanced(state: SplunkState, request: SimRequest, to: (head: number) => SimResponse): SimResponse {
  const { searchHeads, balancerCookie: name } = state.settings;
  if (searchHeads <= 1) return to(0);
  const sent = (request.headers['cookie'] ?? '').split(/;\s*/).find((one) => name !== '' && one.startsWith(`${name}=`));
  const stuck = sent === undefined ? -1 : Number(sent.slice(name.length + 1));
  if (stuck >= 0 && stuck < searchHeads) return to(stuck);
  const head = state.spread++ % searchHeads;
  const given = to(head);
  if (name === '') return given;
  const cookies = [given.headers?.['set-cookie'], `${name}=${head}; Path=/`].filter((one) => one !== undefined);
  return { ...given, headers: { ...given.headers, 'set-cookie': cookies.join(', ') } };
}

/** Names of entities become placeholders, so that requests are counted by route. */
function routeName(path: readonly string[]): string {
  const text = path.join('/');
  return text
    .replace(/^(storage\/collections\/data\/[^/]+)\/(?!batch_(save|find)$).+$/, '$1/{key}')
    .replace(/^((?:search\/(?:v2\/)?)jobs)\/(?!export$)[^/]+/, '$1/{sid}');
}

/** `[{"time":"2026-11-23T12:00:00Z","indextime":"…","fields":{…}}]`; indextime defaults to now. */
function plant(state: SplunkState, body: unknown): unknown {
  if (!Array.isArray(body)) throw new Error('events is a list of {time, fields}');
  for (const one of body as { time: string | number; indextime?: string | number; fields: Record<string, string> }[]) {
    state.events.push({
      time: seconds(one.time),
      indexed: one.indextime === undefined ? state.clock.now() / 1000 : seconds(one.indextime),
      fields: one.fields,
    });
  }
  return { events: state.events.length };
}

const seconds = (time: string | number): number => (typeof time === 'number' ? time : Date.parse(time) / 1000);

/** `{"app","collection"}` → its shared documents: for outside checks that must not go through a connector. */
function rows(state: SplunkState, body: unknown): unknown {
  const { app, collection } = body as { app: string; collection: string };
  const found = state.collections.get(`${app}/${collection}`);
  return found === undefined ? [] : [...documentsOf(found, 'nobody').values()];
}

/** The line a started simulator prints. */
export function announcement({ kind, url, username, password, token }: RunningSplunk): string {
  return JSON.stringify({ kind, url, username, password, token });
}
