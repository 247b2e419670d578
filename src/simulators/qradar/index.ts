// A QRadar console on loopback: authorisation, version negotiation and routing. It follows IBM's public pages;
// what they leave open is a setting (store.ts) and can be changed while it runs.
import { systemClock, type Clock } from '../../core/runtime/clock.ts';
import { randomHex } from '../../core/runtime/ids.ts';
import {
  type RunningSimulator,
  type SimRequest,
  type SimResponse,
  type SimulatorOptions,
  startServer,
} from '../server.ts';
import { Ariel } from './ariel.ts';
import { type Answer, type Call, type Handler, page } from './call.ts';
import { classicHandlers } from './classic.ts';
import { collectionHandlers } from './collections.ts';
import { errorBody, QRadarError } from './errors.ts';
import { parseFilter, type Row, sortRows } from './select.ts';
import { DEFAULTS, type Settings, Store } from './store.ts';
import { standing, TABLE, type RouteRow } from './table.ts';
import { versionsOf } from './versions.ts';

export interface QRadarOptions extends SimulatorOptions {
  /** Newest API version of the console. */
  readonly apiVersion?: string;
  readonly token?: string;
  readonly settings?: Partial<Settings>;
  readonly clock?: Clock;
}

export interface PlantedEvent {
  readonly time: string | number;
  /** Names as the console has them: sourceip, URL, `DNS Request Domain`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface RunningQRadar extends RunningSimulator {
  readonly kind: 'qradar';
  readonly token: string;
  readonly store: Store;
  /** May be changed while it runs, as by `POST /_sim/settings`. */
  readonly settings: Settings;
  /** Plants events, as `POST /_sim/events` does. */
  plant(events: readonly PlantedEvent[]): void;
  /** Another token from now on: the old one is revoked. */
  setToken(token: string): void;
  /** The console is upgraded. */
  setApiVersion(newest: string): void;
}

export async function startQradar(options: QRadarOptions = {}): Promise<RunningQRadar> {
  const clock = options.clock ?? systemClock;
  const settings: Settings = { ...DEFAULTS, ...options.settings };
  const store = new Store(clock, settings);
  const ariel = new Ariel();
  const offenses: Row[] = [];
  let token =
    options.token ??
    `${randomHex(4)}-${randomHex(2)}-4${randomHex(2).slice(1)}-8${randomHex(2).slice(1)}-${randomHex(6)}`;
  let versions = versionsOf(options.apiVersion ?? '26.0');

  const handlers: Readonly<Record<string, Handler>> = {
    ...classicHandlers,
    ...collectionHandlers,
    ...ariel.handlers,
    'GET /help/versions': () => ({
      status: 200,
      body: versions.list.map((one) => ({ ...one, root_resource_ids: [] })),
    }),
    'GET /help/resources': () => ({ status: 200, body: [] }),
    'GET /help/endpoints': (call) => endpoints(call),
    'GET /system/about': () => ({
      status: 200,
      body: {
        build_version: `${versions.release}.0`,
        external_version: versions.release,
        fips_enabled: false,
        release_name: versions.release,
      },
    }),
    'GET /siem/offenses': (call) => {
      const rows = offenses.filter(parseFilter(call.params.get('filter'), 1010));
      const known = [...new Set([...OFFENSE_FIELDS, ...offenses.flatMap((row) => Object.keys(row))])];
      return page(call, sortRows(rows, call.params.get('sort'), 1030), known, settings.maxOffensePage);
    },
  };
  const routes = compile(handlers);
  const plant = (events: readonly PlantedEvent[]): void => {
    ariel.events.push(...events.map(({ time, fields }) => ({ time: new Date(time).getTime(), fields })));
  };

  const answer = (request: SimRequest): SimResponse => {
    store.settle();
    let route = `${request.method} ${request.path}`;
    try {
      if (settings.refusedMethods.includes(request.method)) return html(405, 'Method Not Allowed', route);
      if (request.path.length + String(request.query).length > settings.maxUrlBytes)
        return html(414, 'Request-URI Too Long', route);
      if (request.body.length > settings.maxBodyBytes) return html(413, 'Request Entity Too Large', route);
      if (!request.path.startsWith('/api/')) return html(404, 'Not Found', route);
      if (request.headers['sec'] !== token)
        throw new QRadarError(
          401,
          18,
          'No SEC header present in request. Please provide it via "SEC: token". You may also use BASIC authentication parameters if this host supports it. e.g. "Authorization: Basic base64Encoding"',
        );
      const version = versions.pick(request.headers['version']);
      const raw = request.path.slice('/api'.length);
      const found = match(routes, request.method, raw, version.version);
      if (found === 'encoded slash') return html(400, 'Bad Request', route);
      const where = found === undefined ? 'none' : standing(found.row, version.version);
      if (found === undefined || where === 'none')
        throw new QRadarError(404, 5, `No endpoint ${request.method} ${raw} in version ${version.version}`);
      route = found.row.route;
      if (where === 'gone') throw new QRadarError(410, 10, `The endpoint ${route} has been removed`);
      const writes = request.method !== 'GET' && !route.includes('/ariel/');
      if (writes && settings.role === 'reader')
        throw new QRadarError(403, 26, 'User has insufficient capabilities to access this endpoint resource');
      const result = found.handler({
        store,
        version: version.version,
        path: found.path,
        params: parameters(request, settings.queryDecoding),
        headers: request.headers,
        body: request.body,
      });
      const old = version.deprecated || where === 'deprecated';
      return respond(
        result,
        route,
        clock.now(),
        old ? { deprecated: `This ${version.deprecated ? 'version' : 'endpoint'} is deprecated` } : {},
      );
    } catch (error) {
      if (!(error instanceof QRadarError)) throw error;
      return {
        status: error.status,
        headers: { 'content-type': 'application/json;charset=UTF-8' },
        body: errorBody(error),
        route,
      };
    }
  };

  const running = await startServer(
    {
      handle: answer,
      state: () => ({
        api_version: versions.newest,
        sets: [...store.sets.values()].map((set) => ({
          id: set.id,
          name: set.name,
          type: set.type,
          entries: [...set.entries.values()],
        })),
        tasks: [...store.tasks.values()].map(({ id, kind, status }) => ({ id, kind, status })),
        searches: ariel.searches.size,
        events: ariel.events.length,
        settings,
      }),
      backdoor: {
        events: (body) => {
          plant(body as readonly PlantedEvent[]);
          return { events: ariel.events.length };
        },
        offenses: (body) => {
          offenses.push(...(body as readonly Row[]));
          return { offenses: offenses.length };
        },
        settings: (body) => Object.assign(settings, body),
      },
    },
    options,
  );
  return {
    ...running,
    kind: 'qradar',
    store,
    settings,
    get token() {
      return token;
    },
    plant,
    setToken: (next) => {
      token = next;
    },
    setApiVersion: (newest) => {
      versions = versionsOf(newest);
    },
  };
}

const OFFENSE_FIELDS =
  'id description offense_type offense_source status start_time last_updated_time last_persisted_time first_persisted_time event_count flow_count magnitude rules log_sources source_address_ids local_destination_address_ids categories domain_id closing_reason_id'.split(
    ' ',
  );

/** The line that a simulator prints once it listens. */
export function announcement({ kind, url, token }: RunningQRadar): string {
  return JSON.stringify({ kind, url, token });
}

function parameters(request: SimRequest, decoding: Settings['queryDecoding']): URLSearchParams {
  const all = new URLSearchParams();
  for (const [name, value] of request.query)
    all.append(name, decoding === 'once' ? value : decode(value.replaceAll('+', ' ')));
  if ((request.headers['content-type'] ?? '').includes('application/x-www-form-urlencoded'))
    for (const [name, value] of new URLSearchParams(request.body.toString('utf8'))) all.append(name, value);
  return all;
}

interface Route {
  readonly row: RouteRow;
  readonly method: string;
  readonly parts: readonly string[];
  readonly handler: Handler;
}

function compile(handlers: Readonly<Record<string, Handler>>): readonly Route[] {
  return TABLE.map((row) => {
    const [method = '', path = ''] = row.route.split(' ');
    const handler = handlers[row.route];
    if (handler === undefined) throw new Error(`no handler for ${row.route}`);
    return { row, method, parts: path.split('/').slice(1), handler };
  });
}

/** Literal parts win over parameters; a route of another version of the same form does not hide a live one. */
function match(routes: readonly Route[], method: string, raw: string, version: string) {
  const given = raw.split('/').slice(1);
  const fitting = routes
    .filter(
      (one) =>
        one.method === method &&
        one.parts.length === given.length &&
        one.parts.every((part, i) => part.startsWith('{') || part === given[i]),
    )
    .toSorted((a, b) => parameterCount(a) - parameterCount(b) || rank(a, version) - rank(b, version));
  const route = fitting[0];
  if (route === undefined) return undefined;
  const path: Record<string, string> = {};
  for (const [i, part] of route.parts.entries()) {
    if (!part.startsWith('{')) continue;
    const once = decode(given[i] ?? '');
    // The web container in front refuses an encoded slash; so such parts are encoded twice.
    if (once.includes('/')) return 'encoded slash' as const;
    path[part.slice(1, -1)] = decode(once);
  }
  return { row: route.row, handler: route.handler, path };
}

const parameterCount = (route: Route): number => route.parts.filter((part) => part.startsWith('{')).length;
const rank = (route: Route, version: string): number =>
  ['live', 'deprecated'].includes(standing(route.row, version)) ? 0 : 1;

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone percent sign stands for itself.
    return text;
  }
}

function endpoints(call: Call): Answer {
  const rows = TABLE.map((row, i) => {
    const [http_method = '', path = ''] = row.route.split(' ');
    const where = standing(row, call.version);
    return {
      id: i + 1,
      http_method,
      path,
      version: call.version,
      deprecated: where === 'deprecated',
      removed: where === 'gone',
      where,
    };
  });
  const known = ['id', 'http_method', 'path', 'version', 'deprecated', 'removed'];
  const there = rows
    .filter((row) => row.where === 'live' || row.where === 'deprecated')
    .map((row) => ({ ...row, where: undefined }));
  // `version=20.0` is a number in text; the filter compares numbers.
  return page(call, there.filter(parseFilter(call.params.get('filter'), 1005)), known);
}

function respond(answer: Answer, route: string, now: number, extra: Readonly<Record<string, string>>): SimResponse {
  return {
    status: answer.status,
    route,
    headers: {
      date: new Date(now).toUTCString(),
      ...(answer.status === 204 ? {} : { 'content-type': 'application/json;charset=UTF-8' }),
      ...extra,
      ...answer.headers,
    },
    ...(answer.status === 204 ? {} : { body: JSON.stringify(answer.body) }),
  };
}

function html(status: number, title: string, route: string): SimResponse {
  return {
    status,
    route,
    headers: { 'content-type': 'text/html;charset=utf-8' },
    body: `<!doctype html><html><head><title>HTTP Status ${status}</title></head><body><h1>HTTP Status ${status} - ${title}</h1></body></html>`,
  };
}
