// `/reference_data_collections`: sets and entries by id, single entries with definite answers, and the bulk
// PATCH, whose answer is a task and whose outcome is read from the task's results.
import { type Answer, type Call, type Handler, json, page, pathNumber, shape } from './call.ts';
import { taskView } from './classic.ts';
import { plain, QRadarError } from './errors.ts';
import { parseFilter, type Row, sortRows } from './select.ts';
import { type EntryRow, type Expiry, fits, type SetRow, type Store, type Task } from './store.ts';
import { ELEMENT_TYPES, elementType } from './values.ts';

const SET_FIELDS = [
  'id',
  'name',
  'entry_type',
  'namespace',
  'tenant_id',
  'expiry_type',
  'time_to_live',
  'expired_log_option',
  'number_of_entries',
  'creation_time',
  'description',
  'global_id',
  'delete_entries',
];
const ENTRY_FIELDS = [
  'id',
  'collection_id',
  'value',
  'source',
  'notes',
  'domain_id',
  'first_seen',
  'last_seen',
  'delete_entry',
];
const ROOT = '/reference_data_collections';

export const collectionHandlers: Readonly<Record<string, Handler>> = {
  [`GET ${ROOT}/sets`]: (call) => {
    const rows = call.store
      .visible()
      .map(setView)
      .filter(parseFilter(call.params.get('filter'), 14001));
    return page(call, sortRows(rows, call.params.get('sort'), 14000), SET_FIELDS);
  },
  [`POST ${ROOT}/sets`]: createSet,
  [`GET ${ROOT}/sets/{id}`]: (call) => ({ status: 200, body: shape(call, SET_FIELDS)(setView(setOf(call, 15000))) }),
  [`POST ${ROOT}/sets/{id}`]: updateSet,
  [`DELETE ${ROOT}/sets/{id}`]: (call) => {
    const set = setOf(call, 12000);
    const task = call.store.task('delete', `Delete ${set.name}`, () => call.store.sets.delete(set.id));
    return { status: 202, body: taskView(task) };
  },
  [`GET ${ROOT}/set_delete_tasks/{task_id}`]: (call) => ({
    status: 200,
    body: taskView(taskOf(call, 'delete', 12003)),
  }),
  [`GET ${ROOT}/sets/{id}/dependents`]: (call) => {
    setOf(call, 13000);
    return { status: 202, body: taskView(call.store.task('dependents', 'Find dependents', () => undefined)) };
  },
  [`GET ${ROOT}/set_dependents_tasks/{task_id}`]: (call) => {
    const task = taskOf(call, 'dependents', 13007);
    return {
      status: 200,
      body: { ...taskView(task), number_of_dependents: 0, progress: 0, maximum: 0, task_components: [] },
    };
  },
  [`GET ${ROOT}/set_dependents_tasks/{task_id}/results`]: (call) => {
    taskOf(call, 'dependents', 13009);
    return page(call, [], ['dependent_id', 'dependent_name', 'dependent_type', 'blocking']);
  },
  [`GET ${ROOT}/set_entries`]: listEntries,
  [`POST ${ROOT}/set_entries`]: putEntry,
  [`PATCH ${ROOT}/set_entries`]: bulkUpdate,
  [`GET ${ROOT}/set_entries/{id}`]: (call) => ({
    status: 200,
    body: shape(call, ENTRY_FIELDS)(entryView(entryOf(call, 404, 25000))),
  }),
  [`POST ${ROOT}/set_entries/{id}`]: (call) => {
    const entry = entryOf(call, 404, 21000);
    const given = record(json(call), 21001);
    const notes = text(given['notes']);
    if ((notes ?? '').length > call.store.settings.maxNotesLength)
      throw new QRadarError(422, 21003, 'The notes are too long');
    // Only the notes can change; whatever else is in the body is ignored.
    if (given['notes'] !== undefined) entry.notes = notes ?? null;
    entry.last_seen = call.store.clock.now();
    if (call.store.settings.sourceByServer) entry.source = 'reference data api';
    return { status: 200, body: entryView(entry) };
  },
  [`DELETE ${ROOT}/set_entries/{id}`]: (call) => {
    call.store.drop(entryOf(call, 404, 22001));
    return { status: 204 };
  },
  [`GET ${ROOT}/set_bulk_update_tasks/{task_id}`]: (call) => {
    return { status: 200, body: bulkView(taskOf(call, 'bulk', 23001)) };
  },
  [`GET ${ROOT}/set_bulk_update_tasks/{task_id}/results`]: (call) => {
    const task = taskOf(call, 'bulk', 23001);
    if (task.results === undefined) throw new QRadarError(404, 23003, 'The results do not exist yet');
    return { status: 200, body: task.results };
  },
};

function createSet(call: Call): Answer {
  const given = record(json(call), 10001);
  if (given['entry_type'] === undefined) throw new QRadarError(422, 10001, 'No entry_type was given');
  const name = text(given['name']);
  if (name === undefined || name === '') throw new QRadarError(422, 10002, 'No name was given');
  const type = elementType(given['entry_type'], call.version);
  if (type === undefined) throw new QRadarError(422, 10001, `The entry_type is none of ${ELEMENT_TYPES.join(', ')}`);
  const namespace = given['namespace'] ?? 'SHARED';
  if (namespace === 'TENANT' && given['tenant_id'] == null)
    throw new QRadarError(422, 10003, 'A tenant namespace needs a tenant_id');
  if (namespace !== 'TENANT' && given['tenant_id'] != null)
    throw new QRadarError(422, 10004, 'A tenant_id is not allowed here');
  if (namespace !== 'SHARED' && namespace !== 'TENANT' && namespace !== 'PRIVATE')
    throw new QRadarError(422, 10005, 'No right in this namespace');
  const expiry = expiryOf(given['expiry_type'] ?? 'NO_EXPIRY');
  const ttl = given['time_to_live'] ?? null;
  if (expiry === undefined || (ttl !== null && (!Number.isInteger(ttl) || Number(ttl) <= 0)))
    throw new QRadarError(422, 10007, 'The time to live is not valid');
  const tenantId = (given['tenant_id'] as number | undefined) ?? null;
  if (call.store.taken(name, tenantId)) throw new QRadarError(409, 10006, `The name ${name} is already in use`);
  const set = call.store.create({
    name,
    type,
    namespace,
    tenantId,
    expiry,
    ttlMs: ttl === null ? undefined : Number(ttl) * 1000,
    logOption: text(given['expired_log_option']) ?? 'LOG_NONE',
    description: Number(call.version) < 21 ? null : (text(given['description']) ?? null),
  });
  return { status: 201, body: shape(call, SET_FIELDS)(setView(set)) };
}

function updateSet(call: Call): Answer {
  const set = setOf(call, 11001);
  const given = record(json(call), 11002);
  const expiry = given['expiry_type'] === undefined ? set.expiry : expiryOf(given['expiry_type']);
  const ttl = given['time_to_live'];
  if (expiry === undefined || (ttl != null && (!Number.isInteger(ttl) || Number(ttl) <= 0)))
    throw new QRadarError(422, 11003, 'The time to live is not valid');
  if (expiry === 'NO_EXPIRY' && ttl != null) throw new QRadarError(422, 11004, 'A time to live needs an expiry_type');
  set.expiry = expiry;
  if (ttl !== undefined) set.ttlMs = ttl === null ? undefined : Number(ttl) * 1000;
  if (given['description'] !== undefined) set.description = text(given['description']) ?? null;
  if (given['delete_entries'] === true) set.entries.clear();
  return { status: 200, body: setView(set) };
}

function listEntries(call: Call): Answer {
  const filterText = call.params.get('filter');
  const type = call.params.get('entry_type');
  if (type !== null && elementType(type, call.version) === undefined)
    throw new QRadarError(422, 24003, `The entry_type ${type} does not exist`);
  const filter = parseFilter(filterText, 24001);
  // Most filters name the sets they ask for; only those are looked at then.
  const only = /^\s*collection_id\s*(?:=\s*(\d+)|in\s*\(([\d,\s]+)\))(\s+and\b|\s*$)/.exec(filterText ?? '');
  const ids = (only?.[1] ?? only?.[2])?.split(',').map(Number);
  const sets = ids === undefined ? call.store.visible() : ids.map((id) => call.store.sets.get(id));
  const visible = new Set(call.store.visible());
  const rows: Row[] = [];
  for (const set of sets) {
    if (set === undefined || !visible.has(set) || (type !== null && set.type !== type)) continue;
    for (const entry of set.entries.values()) if (filter(entry as unknown as Row)) rows.push(entry as unknown as Row);
  }
  const sorted = sortRows(rows, call.params.get('sort'), 24002);
  const answer = page(call, sorted, ENTRY_FIELDS);
  return call.params.has('fields') ? answer : { ...answer, body: (answer.body as EntryRow[]).map(entryView) };
}

function putEntry(call: Call): Answer {
  const row = checkRow(call.store, call.body.length === 0 ? undefined : json(call));
  const { entry, created } = call.store.put(row.set, row.stored, row);
  return { status: created ? 201 : 200, body: shape(call, ENTRY_FIELDS)(entryView(entry)) };
}

/** Refusals of one row; a bulk update meets the same ones row by row. */
function checkRow(store: Store, body: unknown) {
  const given = record(body, 20001);
  if (given['collection_id'] == null) throw new QRadarError(422, 20002, 'No collection_id was given');
  if (given['value'] == null || given['value'] === '') throw new QRadarError(422, 20003, 'No value was given');
  const set = store.sets.get(Number(given['collection_id']));
  if (set === undefined) throw new QRadarError(422, 20004, `The set ${plain(given['collection_id'])} does not exist`);
  const domain = store.domain(given['domain_id'], 422, 20005);
  const value = plain(given['value']);
  if (value.length > store.settings.maxValueLength) throw new QRadarError(422, 20007, 'The value is too long');
  const notes = given['notes'] === undefined ? undefined : (text(given['notes']) ?? null);
  if ((notes ?? '').length > store.settings.maxNotesLength) throw new QRadarError(422, 20008, 'The notes are too long');
  const stored = fits(set, value);
  if (stored === undefined) {
    if (set.type === 'CIDR') throw new QRadarError(422, 20009, 'The value is not a valid CIDR');
    throw new QRadarError(422, 20006, `The value does not fit the type ${set.type} of the set`);
  }
  return { set, stored, source: text(given['source']), notes, domain };
}

function bulkUpdate(call: Call): Answer {
  const { store } = call;
  const rows = json(call);
  if (!Array.isArray(rows) || rows.length === 0 || rows.length > store.settings.maxRows)
    throw new QRadarError(422, 23002, `The body is not an array of 1 to ${store.settings.maxRows} entries`);
  for (const row of rows as unknown[]) {
    const given = record(row, 23002);
    if (given['delete_entry'] === true && store.settings.deleteInPatch === 'refused')
      throw new QRadarError(422, 23002, 'The field delete_entry cannot be set');
    if (!store.sets.has(Number(given['collection_id'])))
      throw new QRadarError(422, 23000, `The set ${plain(given['collection_id'])} does not exist`);
    store.domain(given['domain_id'], 422, 23005);
  }
  const task = store.task('bulk', 'Bulk Update', (done) => runBulk(store, done, rows as unknown[]));
  return { status: 202, body: bulkView(task) };
}

interface RowResult {
  readonly http_status: number;
  readonly unique_code: number;
  readonly message: string;
}

function runBulk(store: Store, task: Task, rows: readonly unknown[]): void {
  const { settings } = store;
  task.status = settings.taskEnds;
  const half = settings.taskEnds === 'COMPLETED' ? rows.length : Math.floor(rows.length / 2);
  const effects: (() => void)[] = [];
  const responses: RowResult[] = rows.map((row, i) => {
    try {
      const { status, effect } = planRow(store, row);
      if (i < half - settings.loseRows) effects.push(effect);
      return { http_status: status, unique_code: 0, message: '' };
    } catch (error) {
      if (!(error instanceof QRadarError)) throw error;
      return { http_status: error.status, unique_code: error.code, message: error.message };
    }
  });
  const good = responses.filter((one) => one.http_status < 400).length;
  const aborted = good < rows.length && settings.onBadRow === 'abort';
  if (!aborted) for (const effect of effects) effect();
  if (settings.taskEnds !== 'COMPLETED') {
    task.errorMessage = 'The task did not end as planned';
    return;
  }
  const lost = Math.min(settings.loseRows, good);
  const told = settings.responses === 'aligned' ? responses : responses.filter((one) => one.http_status >= 400);
  task.results = {
    id: task.id,
    status: aborted
      ? 'UPDATE_ABORTED'
      : good - lost < rows.length
        ? 'PARTIAL_UPDATE_PERFORMED'
        : 'COMPLETE_UPDATE_PERFORMED',
    total_responses: rows.length,
    successful_responses: aborted ? 0 : good - lost,
    responses: told,
  };
}

function planRow(store: Store, body: unknown): { status: number; effect: () => void } {
  const given = record(body, 23002);
  if (given['delete_entry'] === true && store.settings.deleteInPatch !== 'ignored') {
    const byId = given['id'] == null ? undefined : store.findEntry(Number(given['id']));
    if (store.settings.deleteInPatch === 'by-id' && byId === undefined)
      throw new QRadarError(422, 23003, 'The entry does not exist');
    const set = store.sets.get(Number(given['collection_id']));
    const stored = set && fits(set, plain(given['value'] ?? ''));
    const entry =
      byId ??
      (set && stored !== undefined
        ? store.entry(set, stored, store.domain(given['domain_id'], 422, 23005))
        : undefined);
    if (entry === undefined) throw new QRadarError(404, 22001, 'The entry does not exist');
    return { status: 200, effect: () => store.drop(entry) };
  }
  const row = checkRow(store, body);
  const status = store.entry(row.set, row.stored, row.domain) === undefined ? 201 : 200;
  return { status, effect: () => store.put(row.set, row.stored, row) };
}

function bulkView(task: Task): Record<string, unknown> {
  const { message, ...rest } = taskView(task);
  return { ...rest, error_code: task.errorMessage === null ? null : 110_000, error_message: message };
}

function setView(set: SetRow): Record<string, unknown> {
  return {
    id: set.id,
    name: set.name,
    entry_type: set.type,
    namespace: set.namespace,
    tenant_id: set.tenantId,
    expiry_type: set.expiry === 'UNKNOWN' ? 'NO_EXPIRY' : set.expiry,
    time_to_live: set.ttlMs === undefined ? null : set.ttlMs / 1000,
    expired_log_option: set.logOption,
    number_of_entries: set.entries.size,
    creation_time: set.created,
    description: set.description,
    global_id: `SYSTEM-${set.id}`,
    delete_entries: false,
  };
}

const entryView = (entry: EntryRow): Row => ({ ...entry, delete_entry: false });

function setOf(call: Call, code: number): SetRow {
  const id = pathNumber(call, 'id');
  const set = call.store.visible().find((one) => one.id === id);
  if (set === undefined) throw new QRadarError(404, code, `The set ${call.path['id']} does not exist`);
  return set;
}

function entryOf(call: Call, status: number, code: number): EntryRow {
  const entry = call.store.findEntry(pathNumber(call, 'id'));
  if (entry === undefined) throw new QRadarError(status, code, `The entry ${call.path['id']} does not exist`);
  return entry;
}

function taskOf(call: Call, kind: Task['kind'], code: number): Task {
  const task = call.store.tasks.get(pathNumber(call, 'task_id'));
  if (task === undefined || task.kind !== kind)
    throw new QRadarError(404, code, `The task ${call.path['task_id']} does not exist`);
  return task;
}

function record(body: unknown, code: number): Readonly<Record<string, unknown>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new QRadarError(422, code, 'The body is not an object');
  return body as Record<string, unknown>;
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const expiryOf = (value: unknown): Expiry | undefined =>
  value === 'FIRST_SEEN' || value === 'LAST_SEEN' || value === 'NO_EXPIRY' ? value : undefined;
