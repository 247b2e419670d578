// Indices, mappings, settings, aliases and templates.
import { flatSettings, templateMissing, type TemplateBody } from './cluster.ts';
import { type ElasticError, illegalArgument, type JsonObject, notFound } from './errors.ts';
import type { IndexStore } from './index-store.ts';
import { checkMappings, glob, type Mappings, mergeMappings } from './mappings.ts';
import { PlainError } from './media-types.ts';
import { acknowledged, type Answer, type Call, json, parseBody, type Room, resolveOptions } from './room.ts';
import { demandCluster, demandIndex } from './security.ts';

export function index(room: Room, call: Call, name: string): Answer {
  const { method, query, body } = call.request;
  if (method === 'PUT') {
    demandIndex(call.caller, name, 'create_index');
    // The body of a create request; mappings are checked when it is composed.
    room.cluster.create(name, parseBody(body) as TemplateBody);
    return json(200, { acknowledged: true, shards_acknowledged: true, index: name });
  }
  if (method === 'DELETE') {
    if (room.product.kind === 'elasticsearch' && (name.includes('*') || name === '_all'))
      throw illegalArgument('Wildcard expressions or all indices are not allowed');
    for (const one of room.cluster.resolve(name, resolveOptions(query))) {
      demandIndex(call.caller, one.name, 'delete_index');
      if (one.aliases.has(name))
        throw illegalArgument(
          `The provided expression [${name}] matches an alias, specify the corresponding concrete indices instead.`,
        );
      room.cluster.indices.delete(one.name);
    }
    return acknowledged;
  }
  const found = visible(room, call, name);
  return perIndex(found, (one) => ({
    aliases: Object.fromEntries(one.aliases),
    mappings: one.mappings,
    settings: nest(settingsOf(one)),
  }));
}

export function mapping(room: Room, call: Call, name: string): Answer {
  if (call.request.method === 'GET') return perIndex(visible(room, call, name), (one) => ({ mappings: one.mappings }));
  // The body of a mapping request; checked on the next line.
  const change = parseBody(call.request.body) as Mappings;
  checkMappings(change);
  for (const one of room.cluster.resolve(name)) {
    demandIndex(call.caller, one.name, 'manage');
    one.setMappings(mergeMappings(one.mappings, change, false));
  }
  return acknowledged;
}

export function settings(room: Room, call: Call, name: string): Answer {
  if (call.request.method === 'GET') {
    const flat = call.request.query.get('flat_settings') === 'true';
    return perIndex(visible(room, call, name), (one) => ({
      settings: flat
        ? Object.fromEntries(
            [...settingsOf(one)].map(([key, value]) => [`index.${key}`, value]).sort(([a], [b]) => (a! < b! ? -1 : 1)),
          )
        : nest(settingsOf(one)),
    }));
  }
  const change = flatSettings(parseBody(call.request.body));
  for (const one of room.cluster.resolve(name)) {
    demandIndex(call.caller, one.name, 'manage');
    for (const [key, value] of change) {
      if (key === 'number_of_shards')
        throw illegalArgument(`final ${one.name} setting [index.number_of_shards], not updateable`);
      if (value === 'null') one.settings.delete(key);
      else one.settings.set(key, value);
    }
  }
  return acknowledged;
}

/** `_close` and `_open`. A closed index keeps its place in the metadata. */
export function openOrClose(room: Room, call: Call, name: string, closed: boolean): Answer {
  const found = room.cluster.resolve(name);
  for (const one of found) {
    demandIndex(call.caller, one.name, 'manage');
    one.closed = closed;
  }
  if (!closed) return json(200, { acknowledged: true, shards_acknowledged: true });
  const indices = Object.fromEntries(found.map((one) => [one.name, { closed: true }]));
  return json(200, { acknowledged: true, shards_acknowledged: true, indices });
}

export function pipeline(room: Room, call: Call, name: string): Answer {
  const { method, body } = call.request;
  demandCluster(call.caller, 'manage_pipeline');
  const held = room.cluster.pipelines;
  if (method === 'PUT') {
    held.set(name, parseBody(body));
    return acknowledged;
  }
  if (method === 'DELETE') {
    if (!held.delete(name)) throw notFound(`pipeline [${name}] is missing`);
    return acknowledged;
  }
  return held.has(name) ? json(200, { [name]: held.get(name) }) : json(404, {});
}

export function clusterSettings(room: Room, call: Call): Answer {
  demandCluster(call.caller, 'manage');
  const { persistent = {}, transient = {} } = parseBody(call.request.body) as Record<string, JsonObject>;
  const most = flatSettings({ ...persistent, ...transient }).get('cluster.max_shards_per_node');
  if (most !== undefined) room.cluster.maxShards = most === 'null' ? 1000 : Number(most);
  return json(200, { acknowledged: true, persistent, transient });
}

export function refresh(room: Room, call: Call, name: string): Answer {
  const found = room.cluster.resolve(name, resolveOptions(call.request.query));
  for (const one of found) {
    demandIndex(call.caller, one.name, 'maintenance');
    one.demandOpen();
    one.refresh();
  }
  const total = found.reduce((sum, one) => sum + 1 + one.replicas, 0);
  return json(200, { _shards: { total, successful: found.length, failed: 0 } });
}

export function alias(room: Room, call: Call, name: string | undefined, wanted: string | undefined): Answer {
  const { method, body } = call.request;
  if (method === 'PUT' || method === 'POST' || method === 'DELETE') {
    for (const one of room.cluster.resolve(name ?? '')) {
      demandIndex(call.caller, one.name, 'manage');
      if (method === 'DELETE') one.aliases.delete(wanted ?? '');
      else one.aliases.set(wanted ?? '', parseBody(body));
    }
    return acknowledged;
  }
  const like = (wanted ?? '*').split(',').map(glob);
  const out: JsonObject = {};
  for (const one of name === undefined ? room.cluster.indices.values() : room.cluster.resolve(name)) {
    const held = [...one.aliases].filter(([each]) => like.some((pattern) => pattern.test(each)));
    if (held.length > 0 || (wanted === undefined && name !== undefined))
      out[one.name] = { aliases: Object.fromEntries(held) };
  }
  if (Object.keys(out).length === 0 && wanted !== undefined && !wanted.includes('*'))
    throw new PlainError(404, `alias [${wanted}] missing`);
  return json(200, out);
}

export function changeAliases(room: Room, call: Call): Answer {
  const { actions = [] } = parseBody(call.request.body) as { actions?: Record<string, JsonObject>[] };
  for (const action of actions)
    for (const [kind, spec] of Object.entries(action)) {
      const names = [spec['alias'] ?? spec['aliases']].flat().map(String);
      for (const one of room.cluster.resolve([spec['index'] ?? spec['indices']].flat().join(','))) {
        demandIndex(call.caller, one.name, 'manage');
        const { index: _index, indices: _indices, alias: _alias, aliases: _aliases, ...options } = spec;
        for (const each of names) {
          if (kind === 'add') one.aliases.set(each, options);
          else if (kind === 'remove') one.aliases.delete(each);
          else if (kind === 'remove_index') room.cluster.indices.delete(one.name);
        }
      }
    }
  return room.cluster.modern ? json(200, { acknowledged: true, errors: false }) : acknowledged;
}

export function resolveIndex(room: Room, call: Call, name: string): Answer {
  const elastic = room.product.kind === 'elasticsearch';
  const found = room.cluster.resolve(name, {
    ...resolveOptions(call.request.query),
    ...(elastic ? {} : { ignoreUnavailable: true }),
  });
  const indices = found.map((one) => ({
    name: one.name,
    ...(one.aliases.size === 0 ? {} : { aliases: [...one.aliases.keys()].sort() }),
    attributes: [one.closed ? 'closed' : 'open'],
    ...(elastic && room.product.major >= 9 ? { mode: 'standard' } : {}),
  }));
  const patterns = name.split(',').map(glob);
  const byAlias = new Map<string, string[]>();
  for (const one of room.cluster.indices.values())
    for (const each of one.aliases.keys())
      if (patterns.some((pattern) => pattern.test(each))) byAlias.set(each, [...(byAlias.get(each) ?? []), one.name]);
  const aliases = [...byAlias].map(([each, behind]) => ({ name: each, indices: behind }));
  const direct = indices.filter((one) => patterns.some((pattern) => pattern.test(one.name)));
  return json(200, { indices: direct, aliases, data_streams: [] });
}

export function indexTemplate(room: Room, call: Call, name: string | undefined): Answer {
  const { method, body } = call.request;
  demandCluster(call.caller, 'manage_index_templates');
  if (method === 'PUT' || method === 'POST') {
    room.cluster.putTemplate(name ?? '', { ...parseBody(body), ...stamps(room) });
    return acknowledged;
  }
  if (method === 'DELETE') {
    if (!room.cluster.templates.delete(name ?? '')) throw templateMissing(name ?? '');
    return acknowledged;
  }
  const found = named(room.cluster.templates, name).map(([each, template]) => ({
    name: each,
    index_template: { composed_of: [], ...template, ...shownTemplate(template) },
  }));
  if (found.length === 0 && name !== undefined && !name.includes('*'))
    throw notFound(`index template matching [${name}] not found`);
  return json(200, { index_templates: found });
}

export function componentTemplate(room: Room, call: Call, name: string | undefined): Answer {
  const { method, body } = call.request;
  demandCluster(call.caller, 'manage_index_templates');
  if (method === 'PUT' || method === 'POST') {
    room.cluster.putComponent(name ?? '', { ...parseBody(body), ...stamps(room) });
    return acknowledged;
  }
  if (method === 'DELETE') {
    room.cluster.dropComponent(name ?? '');
    return acknowledged;
  }
  const found = named(room.cluster.components, name).map(([each, component]) => ({
    name: each,
    component_template: { ...component, ...shownTemplate(component) },
  }));
  if (found.length === 0 && name !== undefined && !name.includes('*'))
    throw notFound(`component template matching [${name}] not found`);
  return json(200, { component_templates: found });
}

export function simulateIndex(room: Room, call: Call, name: string): Answer {
  demandCluster(call.caller, 'manage_index_templates');
  const winner = room.cluster.winner(name);
  if (winner === undefined) return json(200, {});
  const made = room.cluster.compose(name, {});
  const overlapping = [...room.cluster.templates]
    .filter(([, one]) => one !== winner && one.index_patterns.some((pattern) => glob(pattern).test(name)))
    .map(([each, one]) => ({ name: each, index_patterns: one.index_patterns }));
  return json(200, {
    template: { settings: nest(made.settings), mappings: made.mappings, aliases: made.aliases },
    overlapping,
  });
}

export function health(room: Room): Answer {
  const all = [...room.cluster.indices.values()];
  const missing = all.reduce((sum, one) => sum + one.replicas, 0);
  return json(200, {
    cluster_name: 'entente-simulator',
    status: missing > 0 ? 'yellow' : 'green',
    timed_out: false,
    number_of_nodes: 1,
    number_of_data_nodes: 1,
    ...(room.cluster.modern ? {} : { discovered_master: true, discovered_cluster_manager: true }),
    active_primary_shards: all.length,
    active_shards: all.length,
    relocating_shards: 0,
    initializing_shards: 0,
    unassigned_shards: missing,
    ...(room.cluster.modern ? { unassigned_primary_shards: 0 } : {}),
    delayed_unassigned_shards: 0,
    number_of_pending_tasks: 0,
    number_of_in_flight_fetch: 0,
    task_max_waiting_in_queue_millis: 0,
    active_shards_percent_as_number: all.length === 0 ? 100 : (100 * all.length) / (all.length + missing),
  });
}

function visible(room: Room, call: Call, name: string): IndexStore[] {
  const found = room.cluster.resolve(name, resolveOptions(call.request.query));
  for (const one of found) demandIndex(call.caller, one.name, 'view_index_metadata');
  if (found.length === 0 && !name.includes('*')) demandIndex(call.caller, name, 'view_index_metadata');
  return found;
}

function perIndex(found: readonly IndexStore[], show: (index: IndexStore) => JsonObject): Answer {
  return json(200, Object.fromEntries(found.map((one) => [one.name, show(one)])));
}

function settingsOf(one: IndexStore): Map<string, string> {
  return new Map([
    ...one.settings,
    ['uuid', one.uuid],
    ['creation_date', String(one.createdAt)],
    ['provided_name', one.name],
    ['version.created', '9111000'],
    ...(one.closed ? ([['verified_before_close', 'true']] as const) : []),
  ]);
}

/** `a.b` = 1 becomes `{index:{a:{b:"1"}}}`. */
function nest(flat: ReadonlyMap<string, string>): JsonObject {
  const index: JsonObject = {};
  for (const [path, value] of flat) {
    const steps = path.split('.');
    const last = steps.pop()!;
    let at = index;
    for (const step of steps) {
      // Settings never hold a value and children under one name.
      at[step] ??= {};
      at = at[step] as JsonObject;
    }
    at[last] = value;
  }
  return { index };
}

function named<T>(held: ReadonlyMap<string, T>, name: string | undefined): [string, T][] {
  const like = (name ?? '*').split(',').map(glob);
  return [...held].filter(([each]) => like.some((pattern) => pattern.test(each)));
}

function shownTemplate(one: JsonObject): JsonObject {
  const template = one['template'] as TemplateBody | undefined;
  if (template?.settings === undefined) return {};
  return { template: { ...template, settings: nest(flatSettings(template.settings)) } };
}

function stamps(room: Room): JsonObject {
  if (room.product.kind === 'opensearch' || room.product.major < 9) return {};
  const now = room.cluster.now();
  return { created_date_millis: now, modified_date_millis: now };
}

/** An unknown route answers as the product does. */
export function unknownRoute(room: Room, call: Call): ElasticError | PlainError {
  const { method, path } = call.request;
  if (room.product.kind === 'opensearch')
    return new PlainError(400, `no handler found for uri [${path}] and method [${method}]`);
  return new PlainError(405, `Incorrect HTTP method for uri [${path}] and method [${method}], allowed: [GET]`);
}
