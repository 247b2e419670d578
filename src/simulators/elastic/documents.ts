// Single documents: `_doc`, `_create`, `_update`, `_source` and `_mget`. Reads here are real-time.
import { checkBlock, checkId, parseSource, statusOf, update, written } from './bulk.ts';
import { indexNotFound, type JsonObject, ElasticError, invalidRequest, notFound } from './errors.ts';
import { type IndexStore, precondition, randomId, type StoredDocument } from './index-store.ts';
import { PlainError } from './media-types.ts';
import { type Answer, type Call, json, parseBody, type Room } from './room.ts';
import { sourceText } from './search.ts';
import { demandIndex, mayIndex } from './security.ts';

/** `/{index}/_doc[/{id}]` and its relatives. */
export function document(room: Room, call: Call, name: string, kind: string, id: string | undefined): Answer {
  const { method } = call.request;
  if (id === undefined && !(kind === '_doc' && method === 'POST')) {
    const allowed = kind === '_doc' ? '[POST]' : '[]';
    throw new PlainError(
      405,
      `Incorrect HTTP method for uri [${call.request.path}] and method [${method}], allowed: ${allowed}`,
    );
  }
  if (method === 'GET' || method === 'HEAD') return read(room, call, name, kind, id ?? '');
  return write(room, call, name, kind, id);
}

function read(room: Room, call: Call, name: string, kind: string, id: string): Answer {
  demandIndex(call.caller, name, 'read');
  const [index] = room.cluster.resolve(name);
  if (index === undefined) throw indexNotFound(name);
  demandReadable(index);
  const held = index.get(id);
  if (kind === '_source') {
    if (held === undefined) throw notFound(`Document not found [${index.name}]/[${id}]`);
    return { status: 200, body: held.source };
  }
  return { status: held === undefined ? 404 : 200, body: found(index.name, id, held, sourceFilter(call)) };
}

function write(room: Room, call: Call, name: string, kind: string, givenId: string | undefined): Answer {
  const { method, query, body } = call.request;
  const op =
    method === 'DELETE' ? 'delete' : kind === '_create' || query.get('op_type') === 'create' ? 'create' : 'index';
  demandIndex(call.caller, name, op === 'delete' ? 'delete' : op === 'create' ? 'create_doc' : 'index');
  checkId(givenId);
  const condition = precondition(Object.fromEntries(query), op, givenId !== undefined);
  if (
    op === 'delete' &&
    condition.version === undefined &&
    room.cluster.resolve(name, { ignoreUnavailable: true }).length === 0
  )
    throw indexNotFound(name);
  if (op !== 'delete' && body.length === 0) throw new ElasticError(400, 'parse_exception', 'request body is required');
  const index = room.cluster.writable(name);
  checkBlock(index);
  if (op !== 'delete') room.cluster.demandPipelines(index);
  const id = givenId ?? randomId(20);
  const text = body.toString('utf8');
  const change =
    op === 'delete'
      ? index.delete(id, condition)
      : kind === '_update'
        ? update(index, id, text, condition)
        : index.put(id, text, parseSource(text, room.cluster.modern), condition);
  if (query.has('refresh') && query.get('refresh') !== 'false') index.refresh();
  const status = statusOf(change);
  const answer = json(status, written(index, id, change));
  return status === 201
    ? { ...answer, headers: { location: `/${index.name}/_doc/${encodeURIComponent(id)}` } }
    : answer;
}

function demandReadable(index: IndexStore): void {
  index.demandOpen();
  if (index.unassigned)
    throw new ElasticError(503, 'no_shard_available_action_exception', `No shard available for [get [${index.name}]]`);
}

/** `_mget`: a document that is missing, or an index that is, concerns its own place in the answer only. */
export function multiGet(room: Room, call: Call, name: string | undefined): Answer {
  const body = parseBody(call.request.body);
  // Both forms of the request; what they hold is read name by name below.
  const asked = ((body['docs'] as JsonObject[] | undefined) ??
    ((body['ids'] as string[] | undefined) ?? []).map((id) => ({ _id: id }))) as JsonObject[];
  if (asked.length === 0) throw invalidRequest('no documents to get');
  const common = sourceFilter(call);
  const docs = asked.map((one) => {
    const index = (one['_index'] as string | undefined) ?? name ?? '';
    const id = String(one['_id']);
    try {
      if (!mayIndex(call.caller, index, 'read')) demandIndex(call.caller, index, 'read');
      const [held] = room.cluster.resolve(index);
      if (held === undefined) throw indexNotFound(index);
      demandReadable(held);
      return found(held.name, id, held.get(id), one['_source'] ?? common);
    } catch (error) {
      if (!(error instanceof ElasticError)) throw error;
      return JSON.stringify({ _index: index, _id: id, error: error.body()['error'] });
    }
  });
  return { status: 200, body: `{"docs":[${docs.join(',')}]}` };
}

function found(index: string, id: string, held: StoredDocument | undefined, filter: unknown): string {
  const place = `{"_index":${JSON.stringify(index)},"_id":${JSON.stringify(id)}`;
  if (held === undefined) return `${place},"found":false}`;
  const source = sourceText(held.source, filter);
  const numbers = `"_version":${held.version},"_seq_no":${held.seqNo},"_primary_term":1,"found":true`;
  return `${place},${numbers}${source === undefined ? '' : `,"_source":${source}`}}`;
}

export function sourceFilter(call: Call): unknown {
  const { query } = call.request;
  const list = (name: string) => query.get(name)?.split(',');
  const includes = list('_source_includes');
  const excludes = list('_source_excludes');
  if (includes !== undefined || excludes !== undefined) return { includes: includes ?? [], excludes: excludes ?? [] };
  const plain = query.get('_source');
  if (plain === null || plain === 'true' || plain === '') return undefined;
  return plain === 'false' ? false : plain.split(',');
}
