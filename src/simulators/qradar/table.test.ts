// Walks the table: each route, success and refusal is asked for, so that a drift between table and simulator shows.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../core/runtime/clock.ts';
import { type RunningQRadar, startQradar } from './index.ts';
import { TABLE } from './table.ts';

const NOON = Date.UTC(2026, 10, 23, 12);
// Time stands still but for what a trial asks for, so that a task is surely open, or surely done.
let shift = 0;
const clock: Clock = { ...systemClock, now: () => NOON + shift };
const later = (): void => {
  shift += 1000;
};

const ROOT = '/reference_data_collections';
const NO_ID = 99_999_999;

interface Ask {
  readonly json?: unknown;
  readonly text?: string;
  readonly form?: Record<string, string>;
  readonly query?: string;
  readonly headers?: Record<string, string>;
  readonly version?: string;
}

/** Path parameters of a fresh console that serve an ask. */
interface Ground {
  readonly setId: number;
  readonly cidrSet: number;
  readonly ipSet: number;
  readonly entry: number;
  readonly searchId: string;
  readonly task: (kind: 'bulk' | 'delete' | 'dependents') => Promise<number>;
}

type Trial = readonly [
  path: string | ((ground: Ground) => string | Promise<string>),
  ask?: Ask | ((ground: Ground) => Ask),
];

const SET = '/reference_data/sets/Walk';
const BULK = '/reference_data/sets/bulk_load/Walk';
const SHARED = '/reference_data/sets/bulk_load/SHARED/Walk/SHARED';
const OLD = { version: '14.0' };
const entry =
  (more: object) =>
  (ground: Ground): Ask => ({ json: { collection_id: ground.setId, value: 'x.example', ...more } });

/** By route: the request for each success status, and for each "status code". */
const TRIALS: Readonly<Record<string, Readonly<Record<string, Trial>>>> = {
  'GET /help/versions': { 200: ['/help/versions'] },
  'GET /help/endpoints': { 200: ['/help/endpoints'] },
  'GET /help/resources': { 200: ['/help/resources'] },
  'GET /system/about': { 200: ['/system/about'] },

  'GET /reference_data/sets': { 200: ['/reference_data/sets'] },
  'POST /reference_data/sets': {
    201: ['/reference_data/sets', { form: { name: 'New', element_type: 'IP' } }],
    '409 1004': ['/reference_data/sets', { form: { name: 'Walk', element_type: 'IP' } }],
    '422 1005': ['/reference_data/sets', { form: { name: 'New', element_type: 'IP', time_to_live: 'soon' } }],
    '422 8': ['/reference_data/sets', { form: { element_type: 'IP' } }],
    '422 11': ['/reference_data/sets', { form: { name: 'New', element_type: 'TEXT' } }],
  },
  'GET /reference_data/sets/{name}': {
    200: [SET],
    '404 1002': ['/reference_data/sets/None'],
    '422 1005': [SET, { query: 'filter=value%20%3D%3D%3D' }],
    '422 30': [SET, { query: 'fields=colour' }],
    '422 31': [SET, { query: 'fields=name,name' }],
  },
  'POST /reference_data/sets/{name}': {
    200: [SET, { form: { value: 'a.example' } }],
    '404 1002': ['/reference_data/sets/None', { form: { value: 'a.example' } }],
    '404 1011': [SET, { form: { value: 'a.example', domain_id: '77' } }],
    '422 1005': ['/reference_data/sets/WalkIp', { form: { value: '2001:db8::1' } }],
  },
  'DELETE /reference_data/sets/{name}': { 202: [SET], '404 1002': ['/reference_data/sets/None'] },
  'DELETE /reference_data/sets/{name}/{value}': {
    200: [`${SET}/here.example`],
    '404 1002': ['/reference_data/sets/None/here.example'],
    '404 1003': [`${SET}/absent.example`],
  },
  'POST /reference_data/sets/bulk_load/{name}': {
    200: [BULK, { json: ['a.example'], ...OLD }],
    '400 1001': [BULK, { text: '["a', ...OLD }],
    '404 1002': ['/reference_data/sets/bulk_load/None', { json: ['a.example'], ...OLD }],
    '422 1005': ['/reference_data/sets/bulk_load/WalkIp', { json: ['192.0.2.1', 'no address'], ...OLD }],
  },
  'POST /reference_data/sets/bulk_load/{namespace}/{name}/{domain_id}': {
    200: [SHARED, { json: ['a.example'] }],
    '400 1001': [SHARED, { json: [1] }],
    '404 1002': ['/reference_data/sets/bulk_load/SHARED/None/SHARED', { json: [] }],
    '404 1011': ['/reference_data/sets/bulk_load/SHARED/Walk/77', { json: [] }],
    '422 1005': ['/reference_data/sets/bulk_load/SHARED/WalkIp/SHARED', { json: ['no address'] }],
    '422 1012': ['/reference_data/sets/bulk_load/MINE/Walk/SHARED', { json: [] }],
  },
  'GET /reference_data/set_delete_tasks/{task_id}': {
    200: [async (ground) => `/reference_data/set_delete_tasks/${await ground.task('delete')}`, OLD],
    '404 1002': [`/reference_data/set_delete_tasks/${NO_ID}`, OLD],
  },

  [`GET ${ROOT}/sets`]: { 200: [`${ROOT}/sets`], '422 14001': [`${ROOT}/sets`, { query: 'filter=name%20%3D' }] },
  [`POST ${ROOT}/sets`]: {
    201: [`${ROOT}/sets`, { json: { name: 'New', entry_type: 'IP' } }],
    '409 10006': [`${ROOT}/sets`, { json: { name: 'Walk', entry_type: 'IP' } }],
    '422 10001': [`${ROOT}/sets`, { json: { name: 'New' } }],
    '422 10002': [`${ROOT}/sets`, { json: { entry_type: 'IP' } }],
    '422 10003': [`${ROOT}/sets`, { json: { name: 'New', entry_type: 'IP', namespace: 'TENANT' } }],
    '422 10004': [`${ROOT}/sets`, { json: { name: 'New', entry_type: 'IP', tenant_id: 1 } }],
    '422 10007': [`${ROOT}/sets`, { json: { name: 'New', entry_type: 'IP', time_to_live: 'soon' } }],
  },
  [`GET ${ROOT}/sets/{id}`]: {
    200: [(ground) => `${ROOT}/sets/${ground.setId}`],
    '404 15000': [`${ROOT}/sets/${NO_ID}`],
    '422 11': [`${ROOT}/sets/Walk`],
  },
  [`POST ${ROOT}/sets/{id}`]: {
    200: [(ground) => `${ROOT}/sets/${ground.setId}`, { json: { description: 'x' } }],
    '404 11001': [`${ROOT}/sets/${NO_ID}`, { json: {} }],
    '422 11002': [(ground) => `${ROOT}/sets/${ground.setId}`, { json: [] }],
    '422 11003': [(ground) => `${ROOT}/sets/${ground.setId}`, { json: { time_to_live: -1 } }],
    '422 11004': [(ground) => `${ROOT}/sets/${ground.setId}`, { json: { time_to_live: 5, expiry_type: 'NO_EXPIRY' } }],
  },
  [`DELETE ${ROOT}/sets/{id}`]: {
    202: [(ground) => `${ROOT}/sets/${ground.setId}`],
    '404 12000': [`${ROOT}/sets/${NO_ID}`],
  },
  [`GET ${ROOT}/set_delete_tasks/{task_id}`]: {
    200: [async (ground) => `${ROOT}/set_delete_tasks/${await ground.task('delete')}`],
    '404 12003': [`${ROOT}/set_delete_tasks/${NO_ID}`],
  },
  [`GET ${ROOT}/sets/{id}/dependents`]: {
    202: [(ground) => `${ROOT}/sets/${ground.setId}/dependents`],
    '404 13000': [`${ROOT}/sets/${NO_ID}/dependents`],
  },
  [`GET ${ROOT}/set_dependents_tasks/{task_id}`]: {
    200: [async (ground) => `${ROOT}/set_dependents_tasks/${await ground.task('dependents')}`],
    '404 13007': [`${ROOT}/set_dependents_tasks/${NO_ID}`],
  },
  [`GET ${ROOT}/set_dependents_tasks/{task_id}/results`]: {
    200: [async (ground) => `${ROOT}/set_dependents_tasks/${await ground.task('dependents')}/results`],
    '404 13009': [`${ROOT}/set_dependents_tasks/${NO_ID}/results`],
  },
  [`GET ${ROOT}/set_entries`]: {
    200: [`${ROOT}/set_entries`],
    '422 24001': [`${ROOT}/set_entries`, { query: 'filter=%3D' }],
    '422 24003': [`${ROOT}/set_entries`, { query: 'entry_type=TEXT' }],
  },
  [`POST ${ROOT}/set_entries`]: {
    201: [`${ROOT}/set_entries`, entry({})],
    200: [`${ROOT}/set_entries`, entry({ value: 'HERE.example' })],
    '422 20001': [`${ROOT}/set_entries`, { json: null }],
    '422 20002': [`${ROOT}/set_entries`, { json: { value: 'x' } }],
    '422 20003': [`${ROOT}/set_entries`, entry({ value: '' })],
    '422 20004': [`${ROOT}/set_entries`, { json: { collection_id: NO_ID, value: 'x' } }],
    '422 20005': [`${ROOT}/set_entries`, entry({ domain_id: 77 })],
    '422 20006': [`${ROOT}/set_entries`, (ground) => ({ json: { collection_id: ground.ipSet, value: '2001:db8::1' } })],
    '422 20007': [`${ROOT}/set_entries`, entry({ value: 'x'.repeat(5000) })],
    '422 20008': [`${ROOT}/set_entries`, entry({ notes: 'x'.repeat(5000) })],
    '422 20009': [
      `${ROOT}/set_entries`,
      (ground) => ({ json: { collection_id: ground.cidrSet, value: '192.0.2.0/33' } }),
    ],
  },
  [`PATCH ${ROOT}/set_entries`]: {
    202: [`${ROOT}/set_entries`, (ground) => ({ json: [{ collection_id: ground.setId, value: 'x' }] })],
    '422 23000': [`${ROOT}/set_entries`, { json: [{ collection_id: NO_ID, value: 'x' }] }],
    '422 23002': [`${ROOT}/set_entries`, { json: {} }],
    '422 23005': [
      `${ROOT}/set_entries`,
      (ground) => ({ json: [{ collection_id: ground.setId, value: 'x', domain_id: 77 }] }),
    ],
  },
  [`GET ${ROOT}/set_entries/{id}`]: {
    200: [(ground) => `${ROOT}/set_entries/${ground.entry}`],
    '404 25000': [`${ROOT}/set_entries/${NO_ID}`],
  },
  [`POST ${ROOT}/set_entries/{id}`]: {
    200: [(ground) => `${ROOT}/set_entries/${ground.entry}`, { json: { notes: 'new' } }],
    '404 21000': [`${ROOT}/set_entries/${NO_ID}`, { json: { notes: 'new' } }],
    '422 21003': [(ground) => `${ROOT}/set_entries/${ground.entry}`, { json: { notes: 'x'.repeat(5000) } }],
  },
  [`DELETE ${ROOT}/set_entries/{id}`]: {
    204: [(ground) => `${ROOT}/set_entries/${ground.entry}`],
    '404 22001': [`${ROOT}/set_entries/${NO_ID}`],
  },
  [`GET ${ROOT}/set_bulk_update_tasks/{task_id}`]: {
    200: [async (ground) => `${ROOT}/set_bulk_update_tasks/${await ground.task('bulk')}`],
    '404 23001': [`${ROOT}/set_bulk_update_tasks/${NO_ID}`],
  },
  [`GET ${ROOT}/set_bulk_update_tasks/{task_id}/results`]: {
    200: [
      async (ground) => {
        const id = await ground.task('bulk');
        later();
        return `${ROOT}/set_bulk_update_tasks/${id}/results`;
      },
    ],
    '404 23001': [`${ROOT}/set_bulk_update_tasks/${NO_ID}/results`],
    '404 23003': [async (ground) => `${ROOT}/set_bulk_update_tasks/${await ground.task('bulk')}/results`],
  },

  'GET /ariel/databases': { 200: ['/ariel/databases'] },
  'GET /ariel/databases/{name}': { 200: ['/ariel/databases/events'], '404 1002': ['/ariel/databases/none'] },
  'POST /ariel/validators/aql': {
    200: ['/ariel/validators/aql', { form: { query_expression: 'SELECT sourceip FROM events' } }],
    '422 2000': ['/ariel/validators/aql', { form: { query_expression: 'SELECT FROM' } }],
  },
  'GET /ariel/searches': { 200: ['/ariel/searches'] },
  'POST /ariel/searches': {
    201: ['/ariel/searches', { form: { query_expression: 'SELECT sourceip FROM events LAST 1 DAYS' } }],
    '422 2000': ['/ariel/searches', { form: { query_expression: 'DROP events' } }],
    '422 1005': ['/ariel/searches', { json: { query_expression: 'SELECT sourceip FROM events' } }],
  },
  'GET /ariel/searches/{search_id}': {
    200: [(ground) => `/ariel/searches/${ground.searchId}`],
    206: [(ground) => `/ariel/searches/${ground.searchId}`, { headers: { prefer: 'wait=1' } }],
    '404 1002': ['/ariel/searches/none'],
  },
  'POST /ariel/searches/{search_id}': {
    200: [(ground) => `/ariel/searches/${ground.searchId}`, { form: { status: 'CANCELED' } }],
    '404 1002': ['/ariel/searches/none', { form: { status: 'CANCELED' } }],
    '422 1005': [(ground) => `/ariel/searches/${ground.searchId}`, { form: { save_results: "{'a': 1}" } }],
  },
  'DELETE /ariel/searches/{search_id}': {
    202: [(ground) => `/ariel/searches/${ground.searchId}`],
    '404 1002': ['/ariel/searches/none'],
  },
  'GET /ariel/searches/{search_id}/results': {
    200: [
      async (ground) => {
        later();
        return `/ariel/searches/${ground.searchId}/results`;
      },
    ],
    '404 1002': ['/ariel/searches/none/results'],
    '404 1003': [(ground) => `/ariel/searches/${ground.searchId}/results`],
  },
  'GET /ariel/searches/{search_id}/metadata': {
    200: [(ground) => `/ariel/searches/${ground.searchId}/metadata`],
    '404 1002': ['/ariel/searches/none/metadata'],
  },
  'GET /siem/offenses': {
    200: ['/siem/offenses'],
    '422 1010': ['/siem/offenses', { query: 'filter=%3D' }],
    '422 1030': ['/siem/offenses', { query: 'sort=%3D' }],
  },
};

describe('table of routes', () => {
  let consoles: Readonly<Record<string, RunningQRadar>>;

  beforeAll(async () => {
    consoles = { '26.0': await startQradar({ clock }), '14.0': await startQradar({ clock, apiVersion: '14.0' }) };
  });
  afterAll(async () => {
    for (const sim of Object.values(consoles)) await sim.close();
  });

  const send = async (sim: RunningQRadar, method: string, path: string, ask: Ask = {}) => {
    const body =
      ask.form === undefined
        ? (ask.text ?? (ask.json === undefined ? undefined : JSON.stringify(ask.json)))
        : new URLSearchParams(ask.form).toString();
    const type = ask.form === undefined ? 'application/json' : 'application/x-www-form-urlencoded';
    const response = await fetch(`${sim.url}/api${path}${ask.query === undefined ? '' : `?${ask.query}`}`, {
      method,
      headers: { SEC: sim.token, ...(body === undefined ? {} : { 'content-type': type }), ...ask.headers },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>) };
  };

  /** Sets and rows that the trials speak of, made anew past the API. */
  const prepare = async (sim: RunningQRadar, withCollections: boolean): Promise<Ground> => {
    sim.store.sets.clear();
    const made = (name: string, type: 'ALNIC' | 'IP' | 'CIDR') =>
      sim.store.create({
        name,
        type,
        namespace: 'SHARED',
        tenantId: null,
        expiry: 'UNKNOWN',
        ttlMs: undefined,
        logOption: 'LOG_NONE',
        description: null,
      });
    const set = made('Walk', 'ALNIC');
    const { entry: row } = sim.store.put(set, 'here.example', { domain: null });
    // A text of its own each time: the same one would find the search before it.
    const form = { query_expression: `SELECT sourceip FROM events LIMIT ${sim.store.nextId()} LAST 1 DAYS` };
    const search = await send(sim, 'POST', '/ariel/searches', { form });
    const task = async (kind: 'bulk' | 'delete' | 'dependents'): Promise<number> => {
      const other = made('Other', 'ALNIC');
      if (!withCollections) return Number((await send(sim, 'DELETE', '/reference_data/sets/Other')).body?.['id']);
      const asked: Record<typeof kind, () => ReturnType<typeof send>> = {
        bulk: () => send(sim, 'PATCH', `${ROOT}/set_entries`, { json: [{ collection_id: other.id, value: 'x' }] }),
        delete: () => send(sim, 'DELETE', `${ROOT}/sets/${other.id}`),
        dependents: () => send(sim, 'GET', `${ROOT}/sets/${other.id}/dependents`),
      };
      return Number((await asked[kind]()).body?.['id']);
    };
    return {
      setId: set.id,
      ipSet: made('WalkIp', 'IP').id,
      cidrSet: made('WalkCidr', 'CIDR').id,
      entry: row.id,
      searchId: String(search.body?.['search_id']),
      task,
    };
  };

  for (const row of TABLE) {
    const trials = TRIALS[row.route] ?? {};
    const expected = [...row.ok.map(String), ...row.errors.map(([status, code]) => `${status} ${code}`)];

    it(`${row.route} has a trial for everything the table states`, () => {
      expect(Object.keys(trials).toSorted()).toEqual(expected.toSorted());
    });

    for (const what of expected) {
      it(`${row.route} answers ${what}`, async () => {
        const [path, ask] = trials[what] ?? ['/none'];
        const old = typeof ask === 'object' && ask.version !== undefined;
        const sim = consoles[old ? '14.0' : '26.0']!;
        const ground = await prepare(sim, !old);
        const method = row.route.split(' ')[0] ?? '';
        const asked = typeof ask === 'function' ? ask(ground) : ask;

        const { status, body } = await send(sim, method, typeof path === 'string' ? path : await path(ground), asked);

        const [wanted, code] = what.split(' ').map(Number);
        expect(status, JSON.stringify(body)).toBe(wanted);
        if (code !== undefined) {
          expect(body).toMatchObject({ code, http_response: { code: wanted } });
          expect(String(body?.['message'])).not.toBe('');
        }
      });
    }
  }
});
