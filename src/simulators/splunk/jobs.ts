// Search jobs, old paths and v2: made, asked about, read page by page, controlled, cancelled; oneshot and export
// answer at once. A search runs when its job is made, so its rows never change, however late they are read.
import { randomHex } from '../../core/runtime/ids.ts';
import type { SimResponse } from '../server.ts';
import { alone, type Call, type Handler, list, say } from './call.ts';
import { type EaiEntry, escapeXml, json, xml } from './render.ts';
import { runOn, runSearch, type SearchContext, SplError, timeOf } from './spl.ts';
import { appAcl, atLeast, type Job, type JobMessage, type Row } from './state.ts';

const NO_SEARCH =
  "The required 'search' parameter for the Splunk platform REST API search/jobs endpoint is not specified. Specify the required 'search' parameter for the POST request on the endpoint and then retry your request.";

export const jobRoutes: Handler = (call) => {
  if (call.path[0] !== 'search') return undefined;
  const v2 = call.path[1] === 'v2';
  const path = v2 ? call.path.slice(2) : call.path.slice(1);
  if (path[0] !== 'jobs' || (v2 && !atLeast(call.state.version, 9, 0, 1)))
    return say(call, 404, 'FATAL', 'Unknown endpoint.');
  expire(call);
  const [, sid, action] = path;
  if (sid === undefined) return call.method === 'POST' ? create(call) : list(call, 'jobs', visible(call));
  if (sid === 'export') return exported(call);
  const job = call.state.jobs.get(sid);
  if (job === undefined) return say(call, 404, 'FATAL', 'Unknown sid.');
  job.touched = call.state.clock.now();
  if (action === 'control') return control(call, job);
  if (action === 'results' || action === 'events' || action === 'results_preview') return results(call, job, action);
  if (action !== undefined) return say(call, 404, 'FATAL', 'Unknown endpoint.');
  if (call.method === 'DELETE') {
    call.state.jobs.delete(sid);
    return say(call, 200, 'INFO', 'Search job cancelled.');
  }
  if (call.state.clock.now() < job.created + call.state.settings.jobUnreadyMs) return { status: 204, body: '' };
  return alone(call, 'jobs', entry(call, job));
};

function create(call: Call): SimResponse {
  const ran = run(call);
  if ('status' in ran) return ran;
  const mode = call.form.get('exec_mode') ?? 'normal';
  if (mode === 'oneshot') return rendered(call, ran, ran.rows.length);
  const running = [...call.state.jobs.values()].filter((one) => one.owner === call.user.name && !done(call, one));
  if (running.length >= call.state.settings.searchQuota) {
    return say(
      call,
      503,
      'FATAL',
      'Search not executed: The maximum number of concurrent historical searches for this user based on their role quota has been reached.',
    );
  }
  const now = call.state.clock.now();
  const job: Job = {
    sid: call.form.get('id') ?? `${(now / 1000).toFixed(0)}.${randomHex(3)}`,
    search: call.form.get('search') ?? '',
    owner: call.user.name,
    app: call.app,
    rows: ran.rows.slice(0, Number(call.form.get('max_count') ?? 500_000)),
    fields: ran.fields,
    earliest: call.form.get('earliest_time') ?? '',
    latest: call.form.get('latest_time') ?? '',
    created: now,
    doneAt: mode === 'blocking' ? now : now + call.state.settings.jobMs,
    ttl: 600,
    priority: 5,
    touched: now,
    finalized: false,
    paused: false,
    messages: ran.messages,
  };
  call.state.jobs.set(job.sid, job);
  return call.json ? json(201, { sid: job.sid }) : xml(201, `<response><sid>${escapeXml(job.sid)}</sid></response>`);
}

function run(call: Call): Found | SimResponse {
  const search = call.form.get('search')?.trim();
  if (!search) return say(call, 400, 'FATAL', NO_SEARCH);
  try {
    const messages = [...call.state.settings.jobMessages];
    return { ...runSearch(search, context(call, messages)), messages };
  } catch (error) {
    if (error instanceof SplError) return say(call, 400, 'FATAL', error.message);
    throw error;
  }
}

interface Found {
  readonly rows: readonly Row[];
  readonly fields: readonly string[];
  readonly messages: readonly JobMessage[];
}

function context(call: Call, messages: JobMessage[] = []): SearchContext {
  const now = call.state.clock.now();
  const time = (name: string): number | undefined => timeOf(call.form.get(name), now);
  return {
    state: call.state,
    app: call.form.get('namespace') ?? call.app,
    user: call.user,
    messages,
    window: {
      earliest: time('earliest_time'),
      latest: time('latest_time'),
      indexEarliest: time('index_earliest'),
      indexLatest: time('index_latest'),
    },
  };
}

function control(call: Call, job: Job): SimResponse {
  const action = call.form.get('action');
  switch (action) {
    case 'cancel':
      call.state.jobs.delete(job.sid);
      return say(call, 200, 'INFO', 'Search job cancelled.');
    case 'finalize':
      job.finalized = true;
      return say(call, 200, 'INFO', 'Search job finalized.');
    case 'pause':
    case 'unpause':
      job.paused = action === 'pause';
      return say(call, 200, 'INFO', `Search job ${action}d.`);
    case 'setttl':
      job.ttl = Number(call.form.get('ttl'));
      return say(call, 200, 'INFO', `The ttl of the search job was changed to ${job.ttl}.`);
    case 'setpriority':
      job.priority = Number(call.form.get('priority'));
      return say(call, 200, 'INFO', 'The search job priority was changed.');
    case 'touch':
    case 'enablepreview':
    case 'disablepreview':
    case 'save':
    case 'unsave':
      return say(call, 200, 'INFO', `Action ${action} done.`);
    default:
      return say(call, 400, 'FATAL', `Invalid action: ${action}`);
  }
}

function results(call: Call, job: Job, kind: string): SimResponse {
  if (!done(call, job) && kind === 'results') return { status: 204, body: '' };
  let rows = job.rows;
  let { fields } = job;
  const post = call.form.get('search');
  if (post !== null) {
    try {
      ({ rows, fields } = runOn(rows, post, context(call)));
    } catch (error) {
      if (error instanceof SplError) return say(call, 400, 'FATAL', error.message);
      throw error;
    }
  }
  const offset = Number(call.form.get('offset') ?? 0);
  const count = Number(call.form.get('count') ?? 100);
  const most = Math.min(count === 0 ? 50_000 : count, 50_000);
  const shown = { rows: rows.slice(offset, offset + most), fields, messages: job.messages };
  return rendered(call, shown, rows.length, offset);
}

/** Results as JSON objects, JSON rows, CSV or XML. Every value is a text or a list of texts. */
function rendered(call: Call, { rows, fields, messages }: Found, total: number, offset = 0): SimResponse {
  const wanted = call.form.getAll('f');
  const shown = wanted.length === 0 ? fields : fields.filter((name) => wanted.includes(name));
  const only = (row: Row): Row => Object.fromEntries(Object.entries(row).filter(([name]) => shown.includes(name)));
  const mode = call.form.get('output_mode') ?? 'xml';
  const post = call.form.has('search') && call.path.includes('results') ? { post_process_count: total } : {};
  if (mode === 'json') {
    return json(200, {
      preview: false,
      init_offset: offset,
      messages,
      fields: shown.map((name) => ({ name })),
      results: rows.map(only),
      ...post,
      highlighted: {},
    });
  }
  if (mode === 'json_rows') {
    return json(200, {
      preview: false,
      init_offset: offset,
      messages,
      fields: shown,
      rows: rows.map((row) => shown.map((name) => row[name] ?? null)),
      ...post,
    });
  }
  if (mode === 'csv') {
    const cell = (value: string): string => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
    const lines = rows.map((row) => shown.map((name) => cell([row[name] ?? ''].flat().join('\n'))).join(','));
    return { status: 200, headers: { 'content-type': 'text/csv' }, body: [shown.join(','), ...lines, ''].join('\n') };
  }
  const values = (value: string | string[]): string =>
    [value]
      .flat()
      .map((one) => `<value><text>${escapeXml(one)}</text></value>`)
      .join('');
  const body = rows.map(
    (row, i) =>
      `<result offset='${offset + i}'>${Object.entries(only(row))
        .map(([name, value]) => `<field k='${escapeXml(name)}'>${values(value)}</field>`)
        .join('')}</result>`,
  );
  const order = shown.map((name) => `<field>${escapeXml(name)}</field>`).join('');
  return xml(200, `<results preview='0'><meta><fieldOrder>${order}</fieldOrder></meta>${body.join('')}</results>`);
}

/** One JSON object a line; the last carries lastrow, and an empty set is that line alone. No paging, no resume. */
function exported(call: Call): SimResponse {
  const ran = run(call);
  if ('status' in ran) return ran;
  if ((call.form.get('output_mode') ?? 'xml') !== 'json') return rendered(call, ran, ran.rows.length);
  const lines = ran.rows.map((result, offset) =>
    JSON.stringify({
      preview: false,
      offset,
      ...(offset === ran.rows.length - 1 ? { lastrow: true } : {}),
      result,
    }),
  );
  if (lines.length === 0) lines.push(JSON.stringify({ preview: false, lastrow: true }));
  return { status: 200, headers: { 'content-type': 'application/json' }, body: `${lines.join('\n')}\n` };
}

const done = (call: Call, job: Job): boolean => job.finalized || (!job.paused && call.state.clock.now() >= job.doneAt);

function expire(call: Call): void {
  const now = call.state.clock.now();
  for (const job of call.state.jobs.values()) {
    if (now > job.touched + job.ttl * 1000) call.state.jobs.delete(job.sid);
  }
}

/** What a finished search of this size always says. */
const UNCHANGING = {
  isFailed: false,
  isZombie: false,
  isSaved: false,
  isSavedSearch: false,
  isPreviewEnabled: false,
  isRealTimeSearch: false,
  isRemoteTimeline: false,
  eventIsStreaming: true,
  eventIsTruncated: false,
  eventSorting: 'desc',
  eventFieldCount: 0,
  resultIsStreaming: false,
  dropCount: 0,
  diskUsage: 49_152,
  numPreviews: 0,
  statusBuckets: 0,
  searchProviders: ['simulated-splunk'],
};

const visible = (call: Call): EaiEntry[] => [...call.state.jobs.values()].map((job) => entry(call, job));

function entry(call: Call, job: Job): EaiEntry {
  const isDone = done(call, job);
  const count = isDone ? job.rows.length : 0;
  return {
    name: job.search,
    path: `/services/search/${call.path[1] === 'v2' ? 'v2/' : ''}jobs/${job.sid}`,
    acl: { ...appAcl(job.app, job.owner) },
    content: {
      ...UNCHANGING,
      sid: job.sid,
      label: job.sid,
      delegate: '',
      keywords: '',
      eventSearch: job.search,
      reportSearch: '',
      remoteSearch: job.search,
      earliestTime: job.earliest,
      latestTime: job.latest,
      cursorTime: new Date(job.created).toISOString(),
      dispatchState: isDone ? 'DONE' : job.paused ? 'PAUSE' : 'RUNNING',
      doneProgress: isDone ? 1 : 0.5,
      isDone,
      isFinalized: job.finalized,
      isPaused: job.paused,
      eventCount: count,
      eventAvailableCount: count,
      resultCount: count,
      scanCount: count,
      resultPreviewCount: count,
      runDuration: (job.doneAt - job.created) / 1000,
      ttl: job.ttl,
      priority: job.priority,
      messages: isDone ? job.messages : [],
      request: { search: job.search },
    },
  };
}
