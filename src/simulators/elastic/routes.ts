// Path to handler. The first segment decides: an API name starts with an underscore, all else is an index expression.
import * as admin from './admin.ts';
import { document, multiGet, sourceFilter } from './documents.ts';
import { invalidRequest, type JsonObject } from './errors.ts';
import { type Answer, type Call, json, parseBody, type Room, resolveOptions } from './room.ts';
import { demandCluster, demandIndex, hasPrivileges, type Role, whoAmI } from './security.ts';

export function route(room: Room, call: Call): Answer {
  const segments = call.request.path
    .split('/')
    .filter((one) => one !== '')
    .map(decodeURIComponent);
  const [first] = segments;
  if (first === undefined) return about(room, call);
  return first.startsWith('_') && first !== '_all' ? api(room, call, segments) : onIndex(room, call, segments);
}

/** The route's name for the count of requests: names of indices and ids left out. */
export function routeName(method: string, path: string): string {
  const parts = path.split('/').filter((one) => one !== '');
  const shown = parts.map((part, at) => {
    if (part.startsWith('_') || ['api_key', 'user', 'health', 'point_in_time', 'index'].includes(part)) return part;
    return at === 0 ? '{index}' : '{name}';
  });
  return `${method} /${shown.join('/')}`;
}

function api(room: Room, call: Call, [first, second, third]: readonly (string | undefined)[]): Answer {
  const { method } = call.request;
  const elastic = room.product.kind === 'elasticsearch';
  switch (first) {
    case '_bulk':
      return bulk(room, call, undefined);
    case '_mget':
      return multiGet(room, call, undefined);
    case '_search':
      if (second === 'point_in_time' && method === 'DELETE' && !elastic) return closePoint(room, call, third);
      if (second === undefined) return search(room, call, undefined);
      break;
    case '_count':
      return count(room, call, '*');
    case '_pit':
      if (method === 'DELETE' && elastic) return closePoint(room, call, undefined);
      break;
    case '_refresh':
      return admin.refresh(room, call, '*');
    case '_index_template':
      if (second === '_simulate_index' && third !== undefined) return admin.simulateIndex(room, call, third);
      return admin.indexTemplate(room, call, second);
    case '_component_template':
      return admin.componentTemplate(room, call, second);
    case '_mapping':
      return admin.mapping(room, call, '*');
    case '_settings':
      return admin.settings(room, call, '*');
    case '_alias':
      return admin.alias(room, call, undefined, second);
    case '_aliases':
      return admin.changeAliases(room, call);
    case '_resolve':
      if (second === 'index' && third !== undefined) return admin.resolveIndex(room, call, third);
      break;
    case '_cluster':
      if (second === 'health' && (method === 'GET' || method === 'HEAD')) {
        demandCluster(call.caller, 'monitor');
        return admin.health(room);
      }
      if (second === 'settings' && method === 'PUT') return admin.clusterSettings(room, call);
      break;
    case '_ingest':
      if (second === 'pipeline' && third !== undefined) return admin.pipeline(room, call, third);
      break;
    case '_security':
      if (elastic) return security(room, call, second, third);
      break;
    default:
  }
  if (['_bulk', '_cluster', '_security', '_search', '_pit', '_resolve', '_ingest'].includes(first ?? ''))
    throw admin.unknownRoute(room, call);
  // The product takes an unknown API name for a bad index name.
  return admin.index(room, call, first ?? '');
}

function onIndex(room: Room, call: Call, [name = '', second, third]: readonly (string | undefined)[]): Answer {
  const { method, query } = call.request;
  switch (second) {
    case undefined:
      return admin.index(room, call, name);
    case '_bulk':
      return bulk(room, call, name);
    case '_mget':
      return multiGet(room, call, name);
    case '_doc':
    case '_create':
    case '_update':
    case '_source':
      return document(room, call, name, second, third);
    case '_search':
      if (third === 'point_in_time' && method === 'POST' && room.product.kind === 'opensearch') {
        const { id, views, at } = room.search.open(name, query.get('keep_alive'), resolveOptions(query));
        return json(200, {
          pit_id: id,
          _shards: { total: views, successful: views, skipped: 0, failed: 0 },
          creation_time: at,
        });
      }
      return search(room, call, name);
    case '_pit':
      if (method === 'POST' && room.product.kind === 'elasticsearch') {
        demandIndex(call.caller, name, 'read');
        const { id, views } = room.search.open(name, query.get('keep_alive'), resolveOptions(query));
        return json(200, { id, _shards: { total: views, successful: views, skipped: 0, failed: 0 } });
      }
      break;
    case '_count':
      return count(room, call, name);
    case '_refresh':
      return admin.refresh(room, call, name);
    case '_close':
    case '_open':
      if (method === 'POST') return admin.openOrClose(room, call, name, second === '_close');
      break;
    case '_mapping':
      return admin.mapping(room, call, name);
    case '_settings':
      return admin.settings(room, call, name);
    case '_alias':
      return admin.alias(room, call, name, third);
    default:
  }
  throw admin.unknownRoute(room, call);
}

function about(room: Room, call: Call): Answer {
  demandCluster(call.caller, 'monitor');
  const { kind, version } = room.product;
  const elastic = kind === 'elasticsearch';
  const about: JsonObject = {
    name: 'simulator',
    cluster_name: 'entente-simulator',
    cluster_uuid: room.clusterUuid,
    version: {
      ...(elastic ? { number: version, build_flavor: 'default' } : { distribution: 'opensearch', number: version }),
      build_type: elastic ? 'docker' : 'tar',
      build_hash: 'simulated',
      build_date: '2026-09-01T00:00:00.000Z',
      build_snapshot: false,
      lucene_version: '10.3.2',
      minimum_wire_compatibility_version: elastic ? '8.19.0' : '2.19.0',
      minimum_index_compatibility_version: elastic ? '8.0.0' : '2.0.0',
    },
    tagline: elastic ? 'You Know, for Search' : 'The OpenSearch Project: https://opensearch.org/',
  };
  return { status: 200, body: `${JSON.stringify(about, null, 2)}\n` };
}

function bulk(room: Room, call: Call, index: string | undefined): Answer {
  const { query, body } = call.request;
  const refresh = query.has('refresh') && query.get('refresh') !== 'false';
  return json(
    200,
    room.bulk.run({ body, index, requireAlias: query.get('require_alias') === 'true', refresh }, call.caller),
  );
}

function search(room: Room, call: Call, name: string | undefined): Answer {
  const { query } = call.request;
  const body = parseBody(call.request.body);
  for (const option of ['size', 'from']) if (query.has(option)) body[option] = Number(query.get(option));
  if (query.has('track_total_hits')) body['track_total_hits'] = JSON.parse(query.get('track_total_hits') ?? 'true');
  const filter = sourceFilter(call);
  if (filter !== undefined) body['_source'] = filter;
  if (name !== undefined && !name.includes('*') && !name.includes(',')) demandIndex(call.caller, name, 'read');
  const check = (index: string) => demandIndex(call.caller, index, 'read');
  return { status: 200, body: room.search.search(name, body, resolveOptions(query), check) };
}

function count(room: Room, call: Call, name: string): Answer {
  if (!name.includes('*')) demandIndex(call.caller, name, 'read');
  return json(200, room.search.count(name, parseBody(call.request.body), resolveOptions(call.request.query)));
}

function closePoint(room: Room, call: Call, which: string | undefined): Answer {
  const body = parseBody(call.request.body);
  if (room.product.kind === 'elasticsearch') {
    const ids = body['id'] === undefined ? [] : [body['id']].flat().map(String);
    if (ids.length === 0) throw invalidRequest('no point in time ids specified');
    const freed = room.search.close(ids);
    return json(freed > 0 ? 200 : 404, { succeeded: freed > 0, num_freed: freed });
  }
  const ids = [body['pit_id'] ?? []].flat().map(String);
  // OpenSearch calls a point that is already gone a success.
  const closed = which === '_all' ? room.search.closeAll() : ids;
  room.search.close(ids);
  return json(200, { pits: closed.map((id) => ({ successful: true, pit_id: id })) });
}

function security(room: Room, call: Call, second: string | undefined, third: string | undefined): Answer {
  const { method, body } = call.request;
  if (second === '_authenticate') return json(200, whoAmI(call.caller));
  if (second === 'user' && third === '_has_privileges') return json(200, hasPrivileges(call.caller, parseBody(body)));
  if (second === 'api_key' && (method === 'POST' || method === 'PUT')) {
    demandCluster(call.caller, 'manage_security');
    const { name, role_descriptors: roles } = parseBody(body) as {
      name: string;
      role_descriptors?: Record<string, Role>;
    };
    return json(200, room.security.createKey(name, Object.values(roles ?? {})));
  }
  if (second === 'api_key' && method === 'DELETE') {
    demandCluster(call.caller, 'manage_security');
    const { ids = [] } = parseBody(body) as { ids?: string[] };
    const invalidated = room.security.invalidate(ids);
    return json(200, { invalidated_api_keys: invalidated, previously_invalidated_api_keys: [], error_count: 0 });
  }
  throw admin.unknownRoute(room, call);
}
