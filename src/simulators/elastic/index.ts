// A simulated Elasticsearch 8 or 9, or OpenSearch: documents with versions, near-real-time search, templates, points
// in time, users and API keys. It follows the product, and test/peers compares the two.
import { gunzipSync } from 'node:zlib';
import { type Clock, systemClock } from '../../core/runtime/clock.ts';
import { randomHex } from '../../core/runtime/ids.ts';
import {
  type RunningSimulator,
  type SimRequest,
  type SimResponse,
  type SimulatorOptions,
  startServer,
} from '../server.ts';
import { Bulk, type ItemFault } from './bulk.ts';
import { Cluster } from './cluster.ts';
import { ElasticError } from './errors.ts';
import { type PlantedEvent, plant } from './events.ts';
import { filterPath } from './filter-path.ts';
import { randomId } from './index-store.ts';
import { negotiate, PlainError, type Product } from './media-types.ts';
import { type Answer, json, type Room } from './room.ts';
import { route, routeName } from './routes.ts';
import { Search } from './search.ts';
import { type Caller, Security } from './security.ts';

export type { ItemFault } from './bulk.ts';
export type { PlantedEvent } from './events.ts';

export interface ElasticOptions extends SimulatorOptions {
  readonly product?: 'elasticsearch' | 'opensearch';
  /** Default 9.5.0, for OpenSearch 3.8.0. */
  readonly version?: string;
  /** `none` lets everybody in, as a server without its security plugin does. */
  readonly security?: 'on' | 'none';
  readonly username?: string;
  readonly password?: string;
  /** A bearer token that is accepted. */
  readonly bearer?: string;
  /** Larger bodies get 413 without a body. */
  readonly maxContentLength?: number;
  readonly clock?: Clock;
}

export interface RunningElastic extends RunningSimulator {
  readonly username: string;
  readonly password: string;
  /** Encoded, as it stands behind `ApiKey `; may do everything. */
  readonly apiKey: string;
  /** The line a started simulator prints. */
  readonly announcement: string;
  /** Answers single items of later bulk requests with these failures. */
  setItemFaults(faults: readonly ItemFault[]): void;
  plantEvents(events: readonly PlantedEvent[]): { index: string; id: string }[];
  /** Sources by id, as a real-time read sees them. */
  documents(index: string): Record<string, unknown>;
  /** Removes an index as an administrator would. */
  dropIndex(name: string): void;
  /** Takes the primary shard of an index off its node, or gives it back. */
  setUnassigned(name: string, unassigned: boolean): void;
}

const EVERYBODY: Caller = {
  kind: 'user',
  name: 'anonymous',
  roles: [{ cluster: ['all'], indices: [{ names: ['*'], privileges: ['all'] }] }],
};

export async function startElastic(options: ElasticOptions = {}): Promise<RunningElastic> {
  const kind = options.product ?? 'elasticsearch';
  const version = options.version ?? (kind === 'elasticsearch' ? '9.5.0' : '3.8.0');
  const product: Product = { kind, version, major: Number(version.split('.')[0]) };
  const clock = options.clock ?? systemClock;
  const cluster = new Cluster(kind === 'elasticsearch', () => clock.now());
  const room: Room = {
    product,
    cluster,
    bulk: new Bulk(cluster),
    search: new Search(cluster),
    security: new Security(options.username ?? 'elastic', options.password ?? randomHex(8), options.bearer),
    clusterUuid: randomId(22),
  };
  const planted = (body: unknown) => plant(cluster, body as PlantedEvent[]);
  const running = await startServer(
    {
      handle: (request) => handle(room, options, request),
      state: () => ({
        indices: Object.fromEntries(
          [...cluster.indices.values()].map((one) => [one.name, { uuid: one.uuid, documents: one.count }]),
        ),
        templates: [...cluster.templates.keys()],
        open_points_in_time: room.search.openPoints,
      }),
      backdoor: {
        events: planted,
        item_faults: (body) => room.bulk.setFaults(body as ItemFault[]),
        documents: (body) => sources(cluster, String((body as { index: string }).index)),
        unassign: (body) => {
          const { index, unassigned } = body as { index: string; unassigned: boolean };
          unassign(cluster, index, unassigned);
        },
        drop_index: (body) => void cluster.indices.delete(String((body as { index: string }).index)),
      },
    },
    options,
  );
  const { username, password, apiKey } = room.security;
  return {
    ...running,
    username,
    password,
    apiKey,
    announcement: JSON.stringify({ kind: 'elastic', url: running.url, username, password, api_key: apiKey }),
    setItemFaults: (faults) => room.bulk.setFaults(faults),
    plantEvents: (events) => plant(cluster, events),
    documents: (index) => sources(cluster, index),
    dropIndex: (name) => void cluster.indices.delete(name),
    setUnassigned: (name, unassigned) => unassign(cluster, name, unassigned),
  };
}

function handle(room: Room, options: ElasticOptions, request: SimRequest): SimResponse {
  const named = { route: routeName(request.method, request.path) };
  if (request.body.length > (options.maxContentLength ?? 100 * 1024 * 1024)) return { status: 413, ...named };
  let type = room.product.kind === 'elasticsearch' ? 'application/json' : 'application/json; charset=UTF-8';
  let answer: Answer;
  try {
    type = negotiate(room.product, request.headers, request.body.length > 0);
    const caller =
      options.security === 'none'
        ? EVERYBODY
        : room.security.authenticate(request.headers['authorization'], request.path);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(request.body) : request.body;
    answer = route(room, { request: { ...request, body }, caller });
  } catch (error) {
    answer = failed(room, error);
  }
  const headers: Record<string, string> = { 'content-type': type, ...answer.headers };
  // The product leaves its mark out of answers that security or a block refused.
  if (room.product.kind === 'elasticsearch' && answer.status !== 401 && answer.status !== 403)
    headers['x-elastic-product'] = 'Elasticsearch';
  if (answer.status === 401)
    headers['www-authenticate'] =
      room.product.kind === 'elasticsearch'
        ? 'Basic realm="security", charset="UTF-8", ApiKey'
        : 'Basic realm="OpenSearch Security"';
  return { status: answer.status, headers, body: text(answer, request.query.get('filter_path')), ...named };
}

function text(answer: Answer, filter: string | null): string {
  if (filter === null || answer.status >= 400 || ('body' in answer && answer.body === ''))
    return 'body' in answer ? answer.body : JSON.stringify(answer.value);
  return JSON.stringify(filterPath('body' in answer ? JSON.parse(answer.body) : answer.value, filter));
}

function failed(room: Room, error: unknown): Answer {
  if (error instanceof PlainError) {
    const unknown = room.product.kind === 'opensearch' && error.status === 400;
    return json(error.status, unknown ? { error: error.message } : { error: error.message, status: error.status });
  }
  if (!(error instanceof ElasticError)) throw error;
  if (error.status === 401 && room.product.kind === 'opensearch') return { status: 401, body: 'Unauthorized' };
  return json(error.status, error.body());
}

function unassign(cluster: Cluster, name: string, unassigned: boolean): void {
  for (const one of cluster.resolve(name)) one.unassigned = unassigned;
}

function sources(cluster: Cluster, index: string): Record<string, unknown> {
  const [one] = cluster.resolve(index);
  return Object.fromEntries([...(one?.all() ?? [])].map((held) => [held.id, JSON.parse(held.source)]));
}
