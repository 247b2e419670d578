// `/reference_data/sets`: by name, one value per call or a bulk load without source and without result per row.
import { type Answer, type Call, type Handler, json, oneOf, page, pathNumber, required, shape } from './call.ts';
import { badParameter, QRadarError } from './errors.ts';
import { parseFilter, pickFields, sliceRows } from './select.ts';
import { fits, type SetRow, type Task } from './store.ts';
import { elementType, parseInterval, printInterval } from './values.ts';

const SET_FIELDS = [
  'collection_id',
  'creation_time',
  'element_type',
  'name',
  'namespace',
  'number_of_elements',
  'time_to_live',
  'timeout_type',
  'data',
];
const NAMESPACES = ['SHARED', 'TENANT', 'PRIVATE'] as const;

export const classicHandlers: Readonly<Record<string, Handler>> = {
  'GET /reference_data/sets': (call) => {
    const filter = parseFilter(call.params.get('filter'), 1005);
    return page(
      call,
      call.store
        .visible()
        .map((set) => view(set, call))
        .filter(filter),
      SET_FIELDS,
    );
  },
  'POST /reference_data/sets': create,
  'GET /reference_data/sets/{name}': read,
  'POST /reference_data/sets/{name}': add,
  'DELETE /reference_data/sets/{name}': remove,
  'DELETE /reference_data/sets/{name}/{value}': removeValue,
  'POST /reference_data/sets/bulk_load/{name}': (call) => bulkLoad(call, null),
  'POST /reference_data/sets/bulk_load/{namespace}/{name}/{domain_id}': (call) => {
    if (!['SHARED', 'TENANT'].includes(call.path['namespace'] ?? ''))
      throw new QRadarError(422, 1012, 'Invalid namespace');
    return bulkLoad(call, call.store.domain(call.path['domain_id'], 404, 1011));
  },
  'GET /reference_data/set_delete_tasks/{task_id}': (call) => {
    const task = call.store.tasks.get(pathNumber(call, 'task_id'));
    if (task === undefined) throw new QRadarError(404, 1002, 'The task does not exist');
    return { status: 200, body: taskView(task) };
  },
};

function create(call: Call): Answer {
  const pick = shape(call, SET_FIELDS);
  const name = required(call, 'name');
  const type = elementType(required(call, 'element_type'), call.version);
  if (type === undefined) throw badParameter('element_type');
  const expiry = oneOf(call, 'timeout_type', ['UNKNOWN', 'FIRST_SEEN', 'LAST_SEEN'], 'UNKNOWN');
  const interval = call.params.get('time_to_live');
  const ttlMs = interval === null ? undefined : parseInterval(interval);
  if (interval !== null && ttlMs === undefined)
    throw new QRadarError(422, 1005, `Invalid time to live interval ${interval}`);
  if (name.length > 255) throw new QRadarError(422, 1005, 'The name is longer than 255 characters');
  if (call.store.taken(name, null)) throw new QRadarError(409, 1004, `The name ${name} is already in use`);
  const set = call.store.create({
    name,
    type,
    namespace: 'SHARED',
    tenantId: null,
    expiry,
    ttlMs,
    logOption: 'LOG_NONE',
    description: null,
  });
  return { status: 201, body: pick(view(set, call)) };
}

function read(call: Call): Answer {
  const set = named(call);
  const pick = pickFields(call.params.get('fields'), SET_FIELDS);
  const filter = parseFilter(call.params.get('filter'), 1005);
  const rows = [...set.entries.values()]
    .map(({ value, source, first_seen, last_seen, domain_id }) => ({ value, source, first_seen, last_seen, domain_id }))
    .filter(filter);
  const slice = sliceRows(rows, call.headers['range'], call.store.settings.maxPage);
  const data = Number(call.version) < 14 ? slice.rows.map((row) => ({ ...row, domain_id: undefined })) : slice.rows;
  // An empty set has no `data` at all on a real console's summary, and an empty list here does no harm to either reading.
  return {
    status: 200,
    body: pick({ ...view(set, call), data }),
    ...(slice.range === undefined ? {} : { headers: { 'content-range': slice.range } }),
  };
}

function add(call: Call): Answer {
  const set = named(call);
  const value = required(call, 'value');
  const domain = call.store.domain(call.params.get('domain_id'), 404, 1011);
  const stored = fits(set, value);
  if (stored === undefined || value === '' || value.length > call.store.settings.maxValueLength)
    throw new QRadarError(422, 1005, `The value ${value.slice(0, 60)} does not fit the element type ${set.type}`);
  // Without a source the classic API writes its own name, for an update as well.
  call.store.put(set, stored, { source: call.params.get('source') ?? 'reference data api', domain });
  return { status: 200, body: shape(call, SET_FIELDS)(view(set, call)) };
}

function removeValue(call: Call): Answer {
  const set = named(call);
  const domain = call.store.domain(call.params.get('domain_id'), 404, 1011);
  const stored = fits(set, call.path['value'] ?? '');
  const entry = stored === undefined ? undefined : call.store.entry(set, stored, domain);
  if (entry === undefined) throw new QRadarError(404, 1003, `${call.path['value']} does not exist in ${set.name}`);
  call.store.drop(entry);
  return { status: 200, body: view(set, call) };
}

function remove(call: Call): Answer {
  const set = named(call);
  const purge = oneOf(call, 'purge_only', ['true', 'false'], 'false') === 'true';
  const task = call.store.task(purge ? 'purge' : 'delete', `${purge ? 'Purge' : 'Delete'} ${set.name}`, () => {
    if (purge) set.entries.clear();
    else call.store.sets.delete(set.id);
  });
  return {
    status: 202,
    body: taskView(task),
    headers: { location: `/api/reference_data/set_delete_tasks/${task.id}` },
  };
}

function bulkLoad(call: Call, domain: number | null): Answer {
  const set = named(call);
  const values = json(call);
  if (!Array.isArray(values) || values.some((value) => typeof value !== 'string'))
    throw new QRadarError(400, 1001, 'JSON Parse Error!!  The body is not an array of strings');
  const stored = (values as string[]).map((value) => fits(set, value));
  const bad = stored.indexOf(undefined);
  if (bad >= 0 && call.store.settings.bulkLoadBadValue === 'refuse-all')
    throw new QRadarError(
      422,
      1005,
      `The value ${String(values[bad]).slice(0, 60)} does not fit the element type ${set.type}`,
    );
  for (const value of stored)
    if (value !== undefined) call.store.put(set, value, { source: 'reference data api', domain });
  return { status: 200, body: view(set, call) };
}

function named(call: Call): SetRow {
  const namespace = oneOf(call, 'namespace', NAMESPACES, 'SHARED');
  const name = call.path['name'] ?? '';
  const set = call.store.visible().find((one) => one.name === name && one.namespace === namespace);
  if (set === undefined) throw new QRadarError(404, 1002, `${name} does not exist`);
  return set;
}

function view(set: SetRow, call: Call): Record<string, unknown> {
  return {
    ...(Number(call.version) < 14 ? {} : { collection_id: set.id, namespace: set.namespace }),
    creation_time: set.created,
    element_type: set.type,
    name: set.name,
    number_of_elements: set.entries.size,
    ...(set.ttlMs === undefined ? {} : { time_to_live: printInterval(set.ttlMs) }),
    timeout_type: set.expiry === 'NO_EXPIRY' ? 'UNKNOWN' : set.expiry,
  };
}

export function taskView(task: Task): Record<string, unknown> {
  const done = task.status !== 'QUEUED' && task.status !== 'PROCESSING';
  return {
    id: task.id,
    name: task.name,
    status: task.status,
    message: task.errorMessage,
    created: task.created,
    created_by: 'API_user: simulator',
    started: done ? task.created : null,
    modified: done ? task.due : task.created,
    completed: done ? task.due : null,
  };
}
