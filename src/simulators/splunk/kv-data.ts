// storage/collections/data: documents of KV store collections. Success is always JSON; errors are XML unless
// output_mode=json was asked. Reads are cut silently at the row and size limits, batches are refused above theirs.
import type { SimResponse } from '../server.ts';
import { type Call, type Handler, lacks, say } from './call.ts';
import {
  asQuery,
  BadQuery,
  isObject,
  keysOf,
  matches,
  parseQuery,
  projection,
  type Query,
  sorter,
} from './kv-query.ts';
import { json } from './render.ts';
import { type Collection, type Document, mayRead, mayWrite, newKey } from './state.ts';

interface Find {
  readonly query?: Query | undefined;
  readonly fields?: string | readonly unknown[] | Query | undefined;
  readonly sort?: string | readonly unknown[] | undefined;
  readonly limit: number;
  readonly skip: number;
}

export const kvDataRoutes: Handler = (call) => {
  const [a, b, c, name, key] = call.path;
  if (a !== 'storage' || b !== 'collections' || c !== 'data') return undefined;
  if (name === undefined) return say(call, 404, 'ERROR', 'Not Found');
  const collection = call.state.collection(call.app, name);
  if (collection === undefined) return missing(call);
  const writing = call.method !== 'GET' && key !== 'batch_find';
  if (!(writing ? mayWrite : mayRead)(collection.acl, call.user)) {
    return lacks(call, `${writing ? 'write' : 'read'} on collection ${name}`);
  }
  try {
    if (key === undefined) return onCollection(call, collection);
    if (key === 'batch_save' && call.method === 'POST') return batchSave(call, collection);
    if (key === 'batch_find' && call.method === 'POST') return batchFind(call, collection);
    return onDocument(call, collection, key);
  } catch (error) {
    if (error instanceof BadQuery) return say(call, 400, 'ERROR', `JSON in the request is invalid. (${error.message})`);
    throw error;
  }
};

function onCollection(call: Call, collection: Collection): SimResponse {
  switch (call.method) {
    case 'GET': {
      const query = call.request.query;
      return json(
        200,
        find(call, collection, {
          query: parseQuery(query.get('query')),
          fields: query.get('fields') ?? undefined,
          sort: query.get('sort') ?? undefined,
          limit: Number(query.get('limit') ?? 0),
          skip: Number(query.get('skip') ?? 0),
        }),
      );
    }
    case 'POST': {
      const document = typed(collection, body(call));
      const mine = ownDocuments(call, collection);
      const key = document['_key'];
      if (typeof key === 'string' && mine.has(key)) {
        return say(call, 409, 'ERROR', 'A document with the same key and user already exists.');
      }
      return json(201, { _key: store(call, collection, document) });
    }
    case 'DELETE': {
      const query = parseQuery(call.request.query.get('query'));
      const mine = ownDocuments(call, collection);
      const keys = query === undefined ? undefined : keysOf(query);
      for (const key of keys ?? [...mine.keys()]) {
        const document = mine.get(key);
        if (document === undefined) continue;
        if (query === undefined || matches(document, query, call.state.settings.inOperator)) mine.delete(key);
      }
      return { status: 200, body: '' };
    }
    default:
      return say(call, 400, 'ERROR', `Cannot perform action "${call.method}" without a target name to act on.`);
  }
}

function onDocument(call: Call, collection: Collection, key: string): SimResponse {
  const mine = ownDocuments(call, collection);
  const document = mine.get(key) ?? shared(collection).get(key);
  if (call.method === 'GET') return document === undefined ? missing(call) : json(200, document);
  const given = call.method === 'DELETE' ? undefined : typed(collection, body(call));
  if (!mine.has(key)) return missing(call);
  if (given === undefined) {
    mine.delete(key);
    return { status: 200, body: '' };
  }
  store(call, collection, { ...given, _key: key });
  return json(200, { _key: key });
}

function batchSave(call: Call, collection: Collection): SimResponse {
  const { settings } = call.state;
  const given = parsed(call);
  if (!Array.isArray(given)) throw new BadQuery('batch_save takes a list');
  const exceeds = (detail: string): SimResponse =>
    say(call, 400, 'ERROR', `Request exceeds API limits - see limits.conf for details. (${detail})`);
  if (given.length > settings.max_documents_per_batch_save) {
    return exceeds(
      `Too many documents for a single batch save, max_documents_per_batch_save=${settings.max_documents_per_batch_save}`,
    );
  }
  if (call.request.body.length > settings.max_size_per_batch_save_mb * 1024 * 1024) {
    return exceeds(`Batch save size too large, max_size_per_batch_save_mb=${settings.max_size_per_batch_save_mb}`);
  }
  // A batch stops at its first failure: what came before stays stored.
  const keys: string[] = [];
  for (const one of given) {
    if (settings.failBatchAfter > 0 && keys.length >= settings.failBatchAfter) {
      return say(call, 500, 'ERROR', 'Internal server error');
    }
    keys.push(store(call, collection, typed(collection, asQuery(one))));
  }
  return json(200, keys);
}

function batchFind(call: Call, collection: Collection): SimResponse {
  const given = parsed(call);
  if (!Array.isArray(given)) throw new BadQuery('batch_find takes a list');
  if (given.length > call.state.settings.max_queries_per_batch) {
    return say(
      call,
      400,
      'ERROR',
      `Request exceeds API limits - see limits.conf for details. (Too many queries, max_queries_per_batch=${call.state.settings.max_queries_per_batch})`,
    );
  }
  const answers = given.map((one) => {
    const wanted = asQuery(one);
    return find(call, collection, {
      query: wanted['query'] === undefined ? undefined : asQuery(wanted['query']),
      fields: wanted['fields'] as Find['fields'],
      sort: wanted['sort'] as Find['sort'],
      limit: Number(wanted['limit'] ?? 0),
      skip: Number(wanted['skip'] ?? 0),
    });
  });
  return json(200, answers);
}

/** Own documents and shared ones, filtered, sorted, and cut without a word at the server's limits. */
function find(call: Call, collection: Collection, wanted: Find): Document[] {
  const { settings } = call.state;
  const sources = new Set([ownDocuments(call, collection), shared(collection)]);
  const keys = wanted.query === undefined ? undefined : keysOf(wanted.query);
  let rows: Document[] = [];
  for (const source of sources) {
    for (const document of keys === undefined ? source.values() : picked(source, keys)) {
      if (wanted.query === undefined || matches(document, wanted.query, settings.inOperator)) rows.push(document);
    }
  }
  if (wanted.sort !== undefined) rows.sort(sorter(wanted.sort));
  rows = rows.slice(wanted.skip, wanted.limit > 0 ? wanted.skip + wanted.limit : undefined);
  rows = rows.slice(0, settings.max_rows_per_query);
  if (wanted.fields !== undefined) rows = rows.map(projection(wanted.fields));
  let bytes = 0;
  const fits = rows.findIndex((row) => {
    bytes += JSON.stringify(row).length + 1;
    return bytes > settings.max_size_per_result_mb * 1024 * 1024;
  });
  return fits === -1 ? rows : rows.slice(0, fits);
}

function* picked(source: ReadonlyMap<string, Document>, keys: ReadonlySet<string>): Iterable<Document> {
  for (const key of keys) {
    const document = source.get(key);
    if (document !== undefined) yield document;
  }
}

function store(call: Call, collection: Collection, document: Document): string {
  const key = typeof document['_key'] === 'string' && document['_key'] !== '' ? document['_key'] : newKey();
  const user = call.owner ?? 'nobody';
  ownDocuments(call, collection).set(key, { ...document, _user: user, _key: key });
  return key;
}

/** Converts fields of a declared type; what cannot be converted is dropped, or refused with enforceTypes. */
function typed(collection: Collection, document: Query): Document {
  const enforce = collection.settings.get('enforceTypes') === 'true';
  const out: Document = {};
  for (const [name, value] of Object.entries(document)) {
    if (name.startsWith('$') || name.includes('.')) throw new BadQuery(`field name ${name} is not allowed`);
    const converted = convert(collection.settings.get(`field.${name}`), value);
    if (converted !== undefined) out[name] = converted;
    else if (enforce) throw new BadQuery(`field ${name} has the wrong type`);
  }
  if (out['_key'] !== undefined && typeof out['_key'] !== 'string') throw new BadQuery('_key is not a string');
  delete out['_user'];
  return out;
}

function convert(type: string | undefined, value: unknown): unknown {
  if (type === 'number' || type === 'time') {
    if (typeof value === 'number') return value;
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
    return Number.isNaN(number) ? undefined : number;
  }
  if (type === 'bool') {
    if (typeof value === 'boolean') return value;
    if (/^(true|1)$/i.test(String(value))) return true;
    return /^(false|0)$/i.test(String(value)) ? false : undefined;
  }
  if (type === 'string') return typeof value === 'object' && value !== null ? undefined : String(value);
  return value;
}

function parsed(call: Call): unknown {
  try {
    return JSON.parse(call.request.body.toString('utf8'));
  } catch {
    throw new BadQuery('body is not JSON');
  }
}

function body(call: Call): Query {
  const given = parsed(call);
  if (!isObject(given)) throw new BadQuery('body is not a JSON object');
  return given;
}

function ownDocuments(call: Call, collection: Collection): Map<string, Document> {
  return documentsOf(collection, call.owner === undefined || call.owner === '-' ? 'nobody' : call.owner);
}

const shared = (collection: Collection): Map<string, Document> => documentsOf(collection, 'nobody');

export function documentsOf(collection: Collection, user: string): Map<string, Document> {
  let found = collection.documents.get(user);
  if (found === undefined) {
    found = new Map();
    collection.documents.set(user, found);
  }
  return found;
}

const missing = (call: Call): SimResponse => say(call, 404, 'ERROR', 'Could not find object.');
