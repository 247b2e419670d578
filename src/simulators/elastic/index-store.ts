// One index: documents with versions, what a search already sees, and the deletes the index still remembers.
// Sources stay text and are parsed when a query asks; a search sees a snapshot that only a refresh moves.
import { randomHex } from '../../core/runtime/ids.ts';
import { parseDuration } from './dates.ts';
import { ElasticError, invalidRequest, type JsonObject } from './errors.ts';
import { DocumentCheck, type FieldMapping, type Mappings, mergeMappings } from './mappings.ts';

export interface StoredDocument {
  readonly id: string;
  readonly source: string;
  readonly version: number;
  readonly seqNo: number;
}

interface Tombstone {
  readonly version: number;
  readonly at: number;
}

export interface Precondition {
  readonly version?: number;
  readonly versionType?: string;
  readonly ifSeqNo?: number;
  readonly ifPrimaryTerm?: number;
  readonly create?: boolean;
}

export interface Written {
  readonly result: 'created' | 'updated' | 'deleted' | 'not_found' | 'noop';
  readonly version: number;
  readonly seqNo: number;
}

/** What searches see. `cache` holds sorted matches of recent searches; it lives as long as the snapshot. */
export interface Snapshot {
  readonly documents: ReadonlyMap<string, StoredDocument>;
  readonly cache: Map<string, unknown>;
}

const SIX_BITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** A random id of the product's look. */
export function randomId(length: number): string {
  const bytes = Buffer.from(randomHex(length), 'hex');
  return Array.from(bytes, (byte) => SIX_BITS[byte & 63]).join('');
}

export class IndexStore {
  readonly name: string;
  readonly uuid = randomId(22);
  readonly createdAt: number;
  readonly aliases = new Map<string, JsonObject>();
  /** Flat names below `index.`, all values text. */
  readonly settings: Map<string, string>;
  mappings: Mappings;
  /** By `_close`: neither read nor written until `_open`. */
  closed = false;
  /** Its primary shard is on no node, as after a lost disk. */
  unassigned = false;
  private readonly modern: boolean;
  private readonly now: () => number;
  private readonly live = new Map<string, StoredDocument>();
  private readonly tombstones = new Map<string, Tombstone>();
  private dirty = new Set<string>();
  private dirtySince = 0;
  private seen = new Map<string, StoredDocument>();
  private shared = false;
  private current: Snapshot | undefined;
  private check: DocumentCheck | undefined;
  private nextSeqNo = 0;

  constructor(name: string, settings: Map<string, string>, mappings: Mappings, modern: boolean, now: () => number) {
    this.name = name;
    this.settings = settings;
    this.mappings = mappings;
    this.modern = modern;
    this.now = now;
    this.createdAt = now();
  }

  get count(): number {
    return this.live.size;
  }

  /** Throws where the index can be neither read nor written now. */
  demandOpen(): void {
    if (this.closed) throw new ElasticError(400, 'index_closed_exception', 'closed', this.place());
  }

  get replicas(): number {
    return Number(this.settings.get('number_of_replicas') ?? 1);
  }

  /** Real-time: sees a document before any refresh. */
  get(id: string): StoredDocument | undefined {
    return this.live.get(id);
  }

  all(): Iterable<StoredDocument> {
    return this.live.values();
  }

  setMappings(mappings: Mappings): void {
    this.mappings = mappings;
    this.check = undefined;
  }

  put(id: string, source: string, document: JsonObject, condition: Precondition): Written {
    const old = this.live.get(id);
    this.judge(id, old, condition);
    this.check ??= new DocumentCheck(
      this.mappings,
      this.settings.get('mapping.ignore_malformed') === 'true',
      this.modern,
    );
    const additions = this.check.run(id, document);
    if (additions !== undefined) this.learn(additions);
    const version = condition.version ?? (old?.version ?? this.tombstone(id)?.version ?? 0) + 1;
    const stored = { id, source, version, seqNo: this.nextSeqNo++ };
    this.live.set(id, stored);
    if (old === undefined) this.tombstones.delete(id);
    this.touch(id);
    return { result: old === undefined ? 'created' : 'updated', version, seqNo: stored.seqNo };
  }

  delete(id: string, condition: Precondition): Written {
    const old = this.live.get(id);
    this.judge(id, old, condition);
    const version = condition.version ?? (old?.version ?? this.tombstone(id)?.version ?? 0) + 1;
    this.tombstones.set(id, { version, at: this.now() });
    if (old !== undefined) {
      this.live.delete(id);
      this.touch(id);
    }
    return { result: old === undefined ? 'not_found' : 'deleted', version, seqNo: this.nextSeqNo++ };
  }

  refresh(): void {
    if (this.dirty.size === 0) return;
    if (this.shared) this.seen = new Map(this.seen);
    this.shared = false;
    this.current = undefined;
    for (const id of this.dirty) {
      const document = this.live.get(id);
      // A rewritten document is a new one at the end, as in the product's segments.
      this.seen.delete(id);
      if (document !== undefined) this.seen.set(id, document);
    }
    this.dirty = new Set();
  }

  /** What a search sees now; refreshes first when the refresh interval has passed since the oldest unseen write. */
  snapshot(): Snapshot {
    const interval = parseDuration(this.settings.get('refresh_interval') ?? '1s') ?? 1000;
    if (interval >= 0 && this.dirty.size > 0 && this.now() - this.dirtySince >= interval) this.refresh();
    this.shared = true;
    this.current ??= { documents: this.seen, cache: new Map() };
    return this.current;
  }

  conflict(id: string, what: string): ElasticError {
    return new ElasticError(
      409,
      'version_conflict_engine_exception',
      `[${id}]: version conflict, ${what}`,
      this.place(),
    );
  }

  place(): JsonObject {
    return { index_uuid: this.uuid, shard: '0', index: this.name };
  }

  private touch(id: string): void {
    if (this.dirty.size === 0) this.dirtySince = this.now();
    this.dirty.delete(id);
    this.dirty.add(id);
  }

  /** A delete is remembered for `index.gc_deletes` only; after that an old version is taken again. */
  private tombstone(id: string): Tombstone | undefined {
    const found = this.tombstones.get(id);
    if (found === undefined) return undefined;
    const keep = parseDuration(this.settings.get('gc_deletes') ?? '60s') ?? 60_000;
    if (keep < 0 || this.now() - found.at <= keep) return found;
    this.tombstones.delete(id);
    return undefined;
  }

  private judge(id: string, old: StoredDocument | undefined, condition: Precondition): void {
    const { version, versionType, ifSeqNo, ifPrimaryTerm } = condition;
    if (condition.create === true && old !== undefined)
      throw this.conflict(id, `document already exists (current version [${old.version}])`);
    if (ifSeqNo !== undefined && (old?.seqNo !== ifSeqNo || ifPrimaryTerm !== 1)) {
      const wanted = `required seqNo [${ifSeqNo}], primary term [${ifPrimaryTerm}].`;
      const held =
        old === undefined
          ? 'but no document was found'
          : `current document has seqNo [${old.seqNo}] and primary term [1]`;
      throw this.conflict(id, `${wanted} ${held}`);
    }
    if (version === undefined) return;
    const current = old?.version ?? this.tombstone(id)?.version;
    if (current === undefined) return;
    if (versionType === 'external_gte' ? current > version : current >= version) {
      const relation = versionType === 'external_gte' ? 'higher than' : 'higher or equal to';
      throw this.conflict(id, `current version [${current}] is ${relation} the one provided [${version}]`);
    }
  }

  private learn(additions: Record<string, FieldMapping>): void {
    this.setMappings(mergeMappings(this.mappings, { properties: additions }, false));
  }
}

/** Reads and judges the version parameters of one write, from an action line or a query string. */
export function precondition(given: JsonObject, op: string, hasId: boolean): Precondition {
  const number = (name: string) => (given[name] === undefined ? undefined : Number(given[name]));
  const versionType = given['version_type'] as string | undefined;
  const version = number('version');
  const ifSeqNo = number('if_seq_no');
  const ifPrimaryTerm = number('if_primary_term');
  const external = versionType === 'external' || versionType === 'external_gte' || versionType === 'external_gt';
  if (version !== undefined && op === 'create')
    throw invalidRequest('create operations only support internal versioning. use index instead');
  if (version !== undefined && !hasId) throw invalidRequest('an id must be provided if version type or value are set');
  if (version !== undefined && !external)
    throw invalidRequest(
      'internal versioning can not be used for optimistic concurrency control. Please use `if_seq_no` and `if_primary_term` instead',
    );
  if (external && (version === undefined || !Number.isInteger(version) || version < 0))
    throw invalidRequest(`illegal version value [${version ?? -3}] for version type [${versionType!.toUpperCase()}]`);
  return {
    ...(op === 'create' ? { create: true } : {}),
    ...(version === undefined ? {} : { version }),
    ...(versionType === undefined ? {} : { versionType }),
    ...(ifSeqNo === undefined ? {} : { ifSeqNo }),
    ...(ifPrimaryTerm === undefined ? {} : { ifPrimaryTerm }),
  };
}
