// `_bulk`: reads action and source lines, judges the whole request first as the product does, then carries out the
// items one by one. The answer is 200 even when items failed.
import type { Cluster } from './cluster.ts';
import { ElasticError, illegalArgument, indexNotFound, invalidRequest, type JsonObject } from './errors.ts';
import { type IndexStore, type Precondition, precondition, randomId, type Written } from './index-store.ts';
import { type Caller, forbidden, mayIndex } from './security.ts';

export type Operation = 'index' | 'create' | 'update' | 'delete';

/** Failures on demand for single items: the next `times` items that match get this answer. */
export interface ItemFault {
  readonly op?: Operation;
  readonly id?: string;
  readonly skip?: number;
  readonly times?: number;
  readonly status: number;
  readonly type: string;
  readonly reason: string;
}

interface Action {
  readonly op: Operation;
  readonly index: string;
  readonly id: string | undefined;
  readonly condition: Precondition;
  readonly source: string;
  readonly requireAlias: boolean;
}

export interface BulkRequest {
  readonly body: Buffer;
  readonly index: string | undefined;
  readonly requireAlias: boolean;
  readonly refresh: boolean;
}

export class Bulk {
  private readonly cluster: Cluster;
  private faults: { fault: ItemFault; seen: number; used: number }[] = [];

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  setFaults(faults: readonly ItemFault[]): void {
    this.faults = faults.map((fault) => ({ fault, seen: 0, used: 0 }));
  }

  run(request: BulkRequest, caller: Caller): JsonObject {
    const started = performance.now();
    const actions = this.read(request);
    const rights = new Map<string, boolean>();
    const may = (action: Action): boolean => {
      const privilege = action.op === 'delete' ? 'delete' : action.op === 'create' ? 'create_doc' : 'index';
      const key = `${privilege} ${action.index}`;
      const known = rights.get(key) ?? mayIndex(caller, action.index, privilege);
      rights.set(key, known);
      return known;
    };
    if (actions.every((action) => !may(action)) && !canWriteAnywhere(caller)) throw forbiddenBulk(caller);
    const touched = new Set<IndexStore>();
    let errors = false;
    const items = actions.map((action) => {
      try {
        if (!may(action)) throw forbidden(caller, action.op === 'delete' ? 'delete' : 'index', action.index, 'index');
        return { [action.op]: this.carryOut(action, touched) };
      } catch (error) {
        if (!(error instanceof ElasticError)) throw error;
        errors = true;
        const { index, id } = action;
        return { [action.op]: { _index: index, _id: id ?? null, status: error.status, error: error.plain() } };
      }
    });
    if (request.refresh) for (const index of touched) index.refresh();
    return { errors, took: Math.round(performance.now() - started), items };
  }

  private carryOut(action: Action, touched: Set<IndexStore>): JsonObject {
    const { op } = action;
    const id = action.id ?? randomId(20);
    this.inject(op, id);
    const known = this.cluster.indices.get(action.index);
    if (action.requireAlias && known !== undefined)
      throw new ElasticError(
        404,
        'index_not_found_exception',
        `no such index [${action.index}] and [require_alias] request flag is [true] and [${action.index}] is not an alias`,
        { index_uuid: '_na_', index: action.index },
      );
    const external = action.condition.versionType !== undefined;
    if (op === 'delete' && !external && this.cluster.resolve(action.index, { ignoreUnavailable: true }).length === 0)
      throw indexNotFound(action.index);
    const index = this.cluster.writable(action.index);
    checkBlock(index);
    if (op !== 'delete') this.cluster.demandPipelines(index);
    touched.add(index);
    if (op === 'delete') return done(index, id, index.delete(id, action.condition));
    if (op === 'update') return done(index, id, update(index, id, action.source, action.condition));
    return done(
      index,
      id,
      index.put(id, action.source, parseSource(action.source, this.cluster.modern), action.condition),
    );
  }

  private inject(op: Operation, id: string): void {
    for (const one of this.faults) {
      if ((one.fault.op ?? op) !== op || (one.fault.id ?? id) !== id) continue;
      one.seen += 1;
      if (one.seen <= (one.fault.skip ?? 0) || one.used >= (one.fault.times ?? Number.POSITIVE_INFINITY)) continue;
      one.used += 1;
      throw new ElasticError(one.fault.status, one.fault.type, one.fault.reason);
    }
  }

  private read({ body, index: defaultIndex, requireAlias }: BulkRequest): Action[] {
    if (body.length === 0) throw new ElasticError(400, 'parse_exception', 'request body is required');
    if (body[body.length - 1] !== 10) throw illegalArgument('The bulk request must be terminated by a newline [\\n]');
    const actions: Action[] = [];
    let line = 0;
    for (let at = 0; at < body.length; ) {
      let end = body.indexOf(10, at);
      const text = body.toString('utf8', at, end);
      at = end + 1;
      line += 1;
      if (text === '' || text === '\r') continue;
      const [op, meta] = actionLine(text, line);
      let source = '';
      if (op !== 'delete') {
        if (at >= body.length) throw illegalArgument('The bulk request must be terminated by a newline [\\n]');
        end = body.indexOf(10, at);
        source = body.toString('utf8', at, end);
        at = end + 1;
        line += 1;
      }
      const index = (meta['_index'] as string | undefined) ?? defaultIndex;
      if (index === undefined) throw invalidRequest('index is missing');
      // An id is text or a number on the wire.
      const given = meta['_id'] as string | number | null | undefined;
      const id = given === undefined || given === null ? undefined : String(given);
      if (id === undefined && (op === 'delete' || op === 'update')) throw invalidRequest('id is missing');
      checkId(id);
      const condition = precondition(meta, op, id !== undefined);
      actions.push({ op, index, id, condition, source, requireAlias: requireAlias || meta['require_alias'] === true });
    }
    if (actions.length === 0) throw invalidRequest('no requests added');
    return actions;
  }
}

export function checkId(id: string | undefined): void {
  if (id === '') throw illegalArgument('if _id is specified it must not be empty');
  if (id !== undefined && id.length > 170 && Buffer.byteLength(id) > 512)
    throw invalidRequest(`id [${id}] is too long, must be no longer than 512 bytes but was: ${Buffer.byteLength(id)}`);
}

export function checkBlock(index: IndexStore): void {
  const block = (what: string) =>
    new ElasticError(403, 'cluster_block_exception', `index [${index.name}] blocked by: [FORBIDDEN/${what}];`);
  index.demandOpen();
  if (index.unassigned)
    throw new ElasticError(
      503,
      'unavailable_shards_exception',
      `[${index.name}][0] primary shard is not active Timeout: [1m], request: [BulkShardRequest [[${index.name}][0]] containing [1] requests]`,
    );
  if (index.settings.get('blocks.write') === 'true') throw block('8/index write (api)');
  if (index.settings.get('blocks.read_only') === 'true') throw block('5/index read-only (api)');
  if (index.settings.get('blocks.read_only_allow_delete') === 'true')
    throw new ElasticError(
      429,
      'cluster_block_exception',
      `index [${index.name}] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];`,
    );
}

export function parseSource(source: string, modern: boolean): JsonObject {
  const type = modern ? 'document_parsing_exception' : 'mapper_parsing_exception';
  let document: unknown;
  try {
    document = JSON.parse(source);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ElasticError(400, type, modern ? `[1:1] failed to parse: [1:1] ${reason}` : 'failed to parse', {
      caused_by: { type: 'x_content_parse_exception', reason },
    });
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new ElasticError(400, type, modern ? 'Malformed content, must start with an object' : 'failed to parse');
  return document as JsonObject;
}

/** A partial update: objects are merged, everything else replaced; the same content is a noop. */
export function update(index: IndexStore, id: string, body: string, condition: Precondition): Written {
  const { doc, upsert, doc_as_upsert: asUpsert, detect_noop: detect } = JSON.parse(body) as JsonObject;
  const old = index.get(id);
  if (old === undefined) {
    const first = upsert ?? (asUpsert === true ? doc : undefined);
    if (first === undefined)
      throw new ElasticError(404, 'document_missing_exception', `[${id}]: document missing`, index.place());
    return index.put(id, JSON.stringify(first), first as JsonObject, condition);
  }
  const before = JSON.parse(old.source) as JsonObject;
  const after = merge(before, (doc ?? {}) as JsonObject);
  const text = JSON.stringify(after);
  if (detect !== false && text === JSON.stringify(before))
    return { result: 'noop', version: old.version, seqNo: old.seqNo };
  return index.put(id, text, after, condition);
}

function merge(base: JsonObject, change: JsonObject): JsonObject {
  const out = { ...base };
  const isObject = (one: unknown): one is JsonObject => typeof one === 'object' && one !== null && !Array.isArray(one);
  for (const [name, value] of Object.entries(change)) {
    const held = out[name];
    out[name] = isObject(held) && isObject(value) ? merge(held, value) : value;
  }
  return out;
}

export function written(index: IndexStore, id: string, change: Written): JsonObject {
  return {
    _index: index.name,
    _id: id,
    _version: change.version,
    result: change.result,
    _shards: { total: 1 + index.replicas, successful: 1, failed: 0 },
    _seq_no: change.seqNo,
    _primary_term: 1,
  };
}

export function statusOf(change: Written): number {
  return change.result === 'created' ? 201 : change.result === 'not_found' ? 404 : 200;
}

function done(index: IndexStore, id: string, change: Written): JsonObject {
  return { ...written(index, id, change), status: statusOf(change) };
}

function actionLine(text: string, line: number): [Operation, JsonObject] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ElasticError(400, 'x_content_parse_exception', `[1:1] ${reason}`, {
      caused_by: { type: 'json_parse_exception', reason },
    });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw illegalArgument(`Malformed action/metadata line [${line}], expected START_OBJECT but found [VALUE_STRING]`);
  const op = Object.keys(parsed)[0] ?? '';
  if (op !== 'index' && op !== 'create' && op !== 'update' && op !== 'delete')
    throw illegalArgument(
      `Malformed action/metadata line [${line}], expected field [create], [delete], [index] or [update] but found [${op}]`,
    );
  const meta = (parsed as JsonObject)[op];
  return [op, typeof meta === 'object' && meta !== null ? (meta as JsonObject) : {}];
}

function canWriteAnywhere(caller: Caller): boolean {
  return caller.roles.some((role) =>
    (role.indices ?? []).some((grant) =>
      grant.names.some((name) => ['index', 'delete', 'create_doc'].some((one) => mayIndex(caller, name, one))),
    ),
  );
}

function forbiddenBulk(caller: Caller): ElasticError {
  const who = caller.kind === 'key' ? `API key id [${caller.keyId}] of user [${caller.name}]` : `user [${caller.name}]`;
  return new ElasticError(
    403,
    'security_exception',
    `action [indices:data/write/bulk] is unauthorized for ${who}, this action is granted by the index privileges [create_doc,create,delete,index,write,all]`,
  );
}
