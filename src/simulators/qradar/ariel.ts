// Ariel searches: created, run for a while, read page by page, deleted. The identical query text run again soon
// gives back the old search, as on a real console.
import { type Answer, type Call, type Handler, page, required } from './call.ts';
import { badParameter, QRadarError } from './errors.ts';
import { type Event, parseAql, type Query } from './aql.ts';
import { fits, type Store } from './store.ts';

interface Search {
  readonly id: string;
  readonly text: string;
  readonly query: Query;
  readonly created: number;
  readonly due: number;
  canceled: boolean;
  saved: boolean;
  rows?: readonly Record<string, unknown>[];
}

/** Columns that every console has. Custom properties are there once an event carries them. */
const BUILT_IN =
  'starttime endtime devicetime sourceip destinationip sourceaddress destinationaddress sourcev6 identityip sourceport destinationport sourcemac username eventcount qid category magnitude severity logsourceid devicetype domainid hasoffense creeventlist'.split(
    ' ',
  );
const RETENTION_MS = 86_400_000;
const SAME_QUERY_MS = 300_000;

export class Ariel {
  readonly events: Event[] = [];
  readonly searches = new Map<string, Search>();
  #last = 0;

  readonly handlers: Readonly<Record<string, Handler>> = {
    'POST /ariel/searches': (call) => this.#create(call),
    'GET /ariel/searches': (call) =>
      page(
        call,
        [...this.searches.keys()].map((search_id) => ({ search_id })),
        ['search_id'],
      ),
    'GET /ariel/searches/{search_id}': (call) => {
      const search = this.#find(call);
      const status = statusOf(search, call.store.clock.now());
      const waits = call.headers['prefer']?.startsWith('wait=') ?? false;
      return { status: waits && status === 'EXECUTE' ? 206 : 200, body: view(search, call.store) };
    },
    'POST /ariel/searches/{search_id}': (call) => {
      const search = this.#find(call);
      const status = call.params.get('status');
      const save = call.params.get('save_results');
      if (status === null && save === null) throw new QRadarError(422, 1005, 'Nothing to change was given');
      if (status !== null && status !== 'CANCELED') throw badParameter('status');
      if (save !== null && save !== 'true' && save !== 'false')
        throw new QRadarError(422, 1005, 'save_results is not a boolean');
      if (status !== null) search.canceled = true;
      search.saved = save === 'true';
      return { status: 200, body: view(search, call.store) };
    },
    'DELETE /ariel/searches/{search_id}': (call) => {
      const search = this.#find(call);
      const body = view(search, call.store);
      this.searches.delete(search.id);
      return { status: 202, body };
    },
    'GET /ariel/searches/{search_id}/results': (call) => {
      const search = this.#find(call);
      if (statusOf(search, call.store.clock.now()) === 'EXECUTE')
        throw new QRadarError(404, 1003, 'The search is not complete');
      const answer = page(call, this.#rows(search, call.store), search.query.columns);
      return { ...answer, body: { events: answer.body } };
    },
    'GET /ariel/searches/{search_id}/metadata': (call) => ({
      status: 200,
      body: {
        columns: this.#find(call).query.columns.map((name) => ({
          name,
          argument_type: null,
          object_value_type: 'String',
          indexable: false,
          nullable: true,
          provider_name: name,
        })),
      },
    }),
    'POST /ariel/validators/aql': (call) => {
      parseAql(required(call, 'query_expression'), call.store.clock.now());
      return { status: 200, body: null };
    },
    'GET /ariel/databases': () => ({ status: 200, body: ['events', 'flows'] }),
    'GET /ariel/databases/{name}': (call) => {
      if (call.path['name'] !== 'events')
        throw new QRadarError(404, 1002, `The database ${call.path['name']} does not exist`);
      const names = new Set([...BUILT_IN, ...this.events.flatMap((event) => Object.keys(event.fields))]);
      return { status: 200, body: { columns: [...names].map((name) => ({ name, nullable: true, indexable: false })) } };
    },
  };

  #create(call: Call): Answer {
    const { store } = call;
    const now = store.clock.now();
    // AQL inside a JSON body is not looked at, so the parameter counts as missing.
    if ((call.headers['content-type'] ?? '').includes('json'))
      throw new QRadarError(422, 1005, 'Either query_expression or saved_search_id must be given');
    const text = required(call, 'query_expression');
    if (!store.settings.functionsInSets && /REFERENCESETCONTAINS\('[^']*',\s*\w+\(/.test(text))
      throw new QRadarError(422, 2000, 'REFERENCESETCONTAINS takes no function');
    const query = parseAql(text, now);
    const same = [...this.searches.values()].find((one) => one.text === text && one.created > now - SAME_QUERY_MS);
    if (same !== undefined) return { status: 201, body: view(same, store) };
    this.#last += 1;
    const id = `00000000-0000-4000-8000-${String(this.#last).padStart(12, '0')}`;
    const search: Search = {
      id,
      text,
      query,
      created: now,
      due: now + store.settings.searchMs,
      canceled: false,
      saved: false,
    };
    this.searches.set(id, search);
    return { status: 201, body: view(search, store) };
  }

  #find(call: Call): Search {
    const search = this.searches.get(call.path['search_id'] ?? '');
    const old = search !== undefined && !search.saved && search.created + RETENTION_MS < call.store.clock.now();
    if (search === undefined || old)
      throw new QRadarError(404, 1002, `The search ${call.path['search_id']} does not exist`);
    if (statusOf(search, call.store.clock.now()) === 'COMPLETED') this.#rows(search, call.store);
    return search;
  }

  /** Computed once: a finished search keeps its rows, whatever is planted later. */
  #rows(search: Search, store: Store): readonly Record<string, unknown>[] {
    if (store.settings.searchError !== '') return [];
    search.rows ??= search.query.run(this.events, (name, value) => {
      const set = store.byName(name);
      if (set === undefined) return false;
      const stored = store.settings.foldsEvents ? fits(set, value) : value;
      return stored !== undefined && store.entry(set, stored, null) !== undefined;
    });
    return search.rows;
  }
}

function statusOf(search: Search, now: number): 'EXECUTE' | 'COMPLETED' | 'CANCELED' {
  if (search.canceled) return 'CANCELED';
  return now >= search.due ? 'COMPLETED' : 'EXECUTE';
}

function view(search: Search, store: Store): Record<string, unknown> {
  const status = statusOf(search, store.clock.now());
  const done = status !== 'EXECUTE';
  return {
    search_id: search.id,
    cursor_id: search.id,
    status,
    completed: done,
    progress: done ? 100 : 40,
    progress_details: [],
    record_count: search.rows?.length ?? 0,
    processed_record_count: search.rows?.length ?? 0,
    query_execution_time: done ? search.due - search.created : 0,
    query_string: search.text,
    data_file_count: 1,
    data_total_size: 0,
    index_file_count: 0,
    index_total_size: 0,
    compressed_data_file_count: 0,
    compressed_data_total_size: 0,
    size_on_disk: 0,
    save_results: search.saved,
    subsearch_ids: [],
    snapshot: null,
    desired_retention_time_msec: RETENTION_MS,
    ...(done && store.settings.searchError !== ''
      ? { error_messages: [{ code: 1, contexts: [], message: store.settings.searchError, severity: 'ERROR' }] }
      : {}),
  };
}
