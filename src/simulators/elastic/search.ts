// `_search`, `_count` and points in time. Hits are written as text around the stored sources. The sorted matches of a
// search are kept with the snapshot, so that paging through 200,000 documents parses each of them once.
import { addressKey } from './addresses.ts';
import type { Cluster, Resolve } from './cluster.ts';
import { parseDate, parseDuration } from './dates.ts';
import { ElasticError, illegalArgument, invalidRequest, type JsonObject, shardFailure } from './errors.ts';
import { filterSource } from './filter-path.ts';
import { type IndexStore, randomId, type Snapshot, type StoredDocument } from './index-store.ts';
import { family, findField } from './mappings.ts';
import { collect, compile } from './query.ts';

type SortValue = string | number | null;

interface SortKey {
  readonly field: string;
  readonly descending: boolean;
  readonly missingFirst: boolean;
  readonly unmapped: string | undefined;
}

interface Match {
  readonly view: View;
  readonly document: StoredDocument;
  readonly sort: readonly SortValue[];
  /** What sort values compare by, where that differs from what is shown (addresses). */
  readonly keys: readonly SortValue[];
}

interface View {
  readonly index: IndexStore;
  readonly snapshot: Snapshot;
  readonly order: number;
}

interface PointInTime {
  readonly views: readonly View[];
  expiresAt: number;
}

const KNOWN = new Set(
  'query size from sort search_after pit _source fields track_total_hits track_scores timeout version seq_no_primary_term stored_fields docvalue_fields min_score terminate_after explain profile'.split(
    ' ',
  ),
);
const LONG_MAX = '9223372036854775807';

export class Search {
  private readonly cluster: Cluster;
  private readonly points = new Map<string, PointInTime>();

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  get openPoints(): number {
    return this.points.size;
  }

  count(expression: string, body: JsonObject, options: Resolve): JsonObject {
    const views = this.views(expression, options);
    const { lists, failures } = this.perShard(views, body['query'], []);
    return { count: lists.reduce((sum, one) => sum + one.length, 0), _shards: shards(views, failures) };
  }

  /** The answer as text. */
  search(expression: string | undefined, body: JsonObject, options: Resolve, check: (index: string) => void): string {
    const started = performance.now();
    for (const [name, value] of Object.entries(body))
      if (!KNOWN.has(name)) {
        const what =
          typeof value === 'object' ? 'START_OBJECT' : typeof value === 'number' ? 'VALUE_NUMBER' : 'VALUE_STRING';
        const reason = `Unknown key for a ${what} in [${name}].`;
        throw new ElasticError(400, 'parsing_exception', reason, { line: 1, col: 1 });
      }
    const pit = body['pit'] as { id: string; keep_alive?: string } | undefined;
    if (pit !== undefined && expression !== undefined)
      throw invalidRequest('[indices] cannot be used with point in time. Do not specify any index with point in time.');
    const views = pit === undefined ? this.views(expression ?? '*', options) : this.pointViews(pit);
    for (const view of views) check(view.index.name);
    const size = Number(body['size'] ?? 10);
    const from = Number(body['from'] ?? 0);
    const first = views[0]?.index.name ?? '';
    const window = Math.min(...views.map((view) => Number(view.index.settings.get('max_result_window') ?? 10_000)));
    if (size < 0) throw illegalArgument(`[size] parameter cannot be negative, found [${size}]`);
    if (from + size > window)
      throw shardFailure(
        400,
        'illegal_argument_exception',
        `Result window is too large, from + size must be less than or equal to: [${window}] but was [${from + size}]. See the scroll api for a more efficient way to request large data sets. This limit can be set by changing the [index.max_result_window] index level setting.`,
        first,
      );
    const sort = sortKeys(body['sort'], pit !== undefined && this.cluster.modern);
    const after = body['search_after'] as SortValue[] | undefined;
    if (after !== undefined && from > 0)
      throw invalidRequest('`from` parameter must be set to 0 when `search_after` is used');
    if (after !== undefined && (after.length > sort.length || after.length === 0))
      throw illegalArgument(`search_after has ${after.length} value(s) but sort has ${sort.length}.`);
    const { found, failures } = this.merge(views, body['query'], sort);
    const start = after === undefined ? from : firstAfter(found, after, sort, views);
    const page = found.slice(start, start + size);
    const scored = sort.length === 0;
    const score = scored ? (onlyFilters(body['query']) ? '0.0' : '1.0') : 'null';
    const hits = page.map((match) => hit(match, body, scored ? score : 'null', sort.length > 0));
    const limit = body['track_total_hits'];
    const total =
      limit === false
        ? ''
        : `"total":{"value":${found.length},"relation":"eq"},`.replace(
            /"value":(\d+),"relation":"eq"/,
            (whole, value: string) => {
              const most = limit === true ? Number.POSITIVE_INFINITY : Number(limit ?? 10_000);
              return Number(value) > most ? `"value":${most},"relation":"gte"` : whole;
            },
          );
    const best = scored ? (views.length === 0 ? '0.0' : found.length === 0 ? 'null' : score) : 'null';
    const head = pit === undefined ? '' : `"pit_id":${JSON.stringify(pit.id)},`;
    const took = Math.round(performance.now() - started);
    return `{${head}"took":${took},"timed_out":false,"_shards":${JSON.stringify(shards(views, failures))},"hits":{${total}"max_score":${best},"hits":[${hits.join(',')}]}}`;
  }

  open(expression: string, keepAlive: string | null, options: Resolve): { id: string; views: number; at: number } {
    if (keepAlive === null)
      throw invalidRequest(this.cluster.modern ? '[keep_alive] is not specified' : 'keep alive not specified');
    const views = this.views(expression, options);
    const id = Buffer.from(`${randomId(24)}${views.map((view) => view.index.uuid).join('')}`).toString('base64url');
    this.points.set(id, { views, expiresAt: this.cluster.now() + keepFor(keepAlive) });
    return { id, views: views.length, at: this.cluster.now() };
  }

  close(ids: readonly string[]): number {
    this.expire();
    return ids.filter((id) => this.points.delete(id)).length;
  }

  closeAll(): string[] {
    this.expire();
    const ids = [...this.points.keys()];
    this.points.clear();
    return ids;
  }

  private expire(): void {
    for (const [id, point] of this.points) if (point.expiresAt < this.cluster.now()) this.points.delete(id);
  }

  private pointViews(pit: { id: string; keep_alive?: string }): readonly View[] {
    this.expire();
    if (pit.id.length < 20) {
      if (this.cluster.modern) throw illegalArgument('java.io.EOFException');
      throw new ElasticError(500, 'unsupported_version_exception', 'Unsupported version [ES 0.0.77]');
    }
    const point = this.points.get(pit.id);
    if (point === undefined || point.views.some((view) => this.cluster.indices.get(view.index.name) !== view.index))
      throw shardFailure(
        404,
        'search_context_missing_exception',
        `No search context found for id [${pit.id.slice(0, 8)}]`,
        '',
      );
    if (pit.keep_alive !== undefined)
      point.expiresAt = Math.max(point.expiresAt, this.cluster.now() + keepFor(pit.keep_alive));
    return point.views;
  }

  private views(expression: string, options: Resolve): View[] {
    // A closed index is passed over where a pattern finds it, and refused where it is named.
    const named = new Set(expression.split(','));
    return this.cluster
      .resolve(expression, options)
      .filter((index) => {
        const byName = named.has(index.name) || [...index.aliases.keys()].some((alias) => named.has(alias));
        if (byName) index.demandOpen();
        return !index.closed;
      })
      .map((index, order) => ({ index, snapshot: index.snapshot(), order }));
  }

  private merge(views: readonly View[], query: unknown, sort: readonly SortKey[]) {
    const { lists, failures } = this.perShard(views, query, sort);
    if (lists.length === 1) return { found: lists[0]!, failures };
    const all = lists.flat();
    return { found: sort.length === 0 ? all : all.sort((a, b) => compare(a.keys, b.keys, sort)), failures };
  }

  /** Shards that fail are told inside a success, unless all of them do. */
  private perShard(views: readonly View[], query: unknown, sort: readonly SortKey[]) {
    const lists: (readonly Match[])[] = [];
    const failures: unknown[] = [];
    let failed: ElasticError | undefined;
    for (const view of views) {
      try {
        if (view.index.unassigned)
          throw shardFailure(503, 'no_shard_available_action_exception', 'no shard available', view.index.name);
        lists.push(this.matches(view, query, sort));
      } catch (error) {
        if (!(error instanceof ElasticError) || error.details['failed_shards'] === undefined) throw error;
        failed ??= error;
        failures.push(...(error.details['failed_shards'] as unknown[]));
      }
    }
    if (failed !== undefined && lists.length === 0)
      throw new ElasticError(failed.status, failed.type, failed.message, {
        ...failed.details,
        failed_shards: failures,
      });
    return { lists, failures };
  }

  private matches(view: View, query: unknown, sort: readonly SortKey[]): readonly Match[] {
    const text = JSON.stringify([query ?? null, sort, view.order, view.index.mappings === undefined]);
    const { cache, documents } = view.snapshot;
    const known = cache.get(text);
    if (known !== undefined) return known as readonly Match[];
    const context = {
      index: view.index.name,
      mappings: view.index.mappings,
      now: this.cluster.now(),
      maxTerms: Number(view.index.settings.get('max_terms_count') ?? 65_536),
    };
    const matchAll = query === undefined || (query as JsonObject)['match_all'] !== undefined;
    const predicate = matchAll ? undefined : compile(query, context);
    const readers = sort.map((key) => sortReader(key, view));
    const ids = idsOf(query, documents);
    const blind = readers.every((reader) => reader.blind) && (matchAll || ids !== undefined);
    const found: Match[] = [];
    let ordinal = 0;
    for (const document of ids ?? documents.values()) {
      ordinal += 1;
      const source = blind ? {} : (JSON.parse(document.source) as JsonObject);
      if (predicate !== undefined && ids === undefined && !predicate(source, document.id)) continue;
      const values = readers.map((reader) => reader.read(source, document, ordinal));
      found.push({
        view,
        document,
        sort: values.map(([shown]) => shown),
        keys: values.map(([, key]) => key),
      });
    }
    if (sort.length > 0) found.sort((a, b) => compare(a.keys, b.keys, sort));
    if (!text.includes('"now')) {
      if (cache.size >= 4) cache.delete(cache.keys().next().value ?? '');
      cache.set(text, found);
    }
    return found;
  }
}

function keepFor(text: string): number {
  const kept = parseDuration(text);
  if (kept === undefined)
    throw illegalArgument(`failed to parse setting [keep_alive] with value [${text}] as a time value`);
  return kept;
}

function idsOf(query: unknown, documents: ReadonlyMap<string, StoredDocument>): StoredDocument[] | undefined {
  const ids = (query as { ids?: { values?: unknown[] } } | undefined)?.ids?.values;
  if (!Array.isArray(ids)) return undefined;
  return ids.map((id) => documents.get(String(id))).filter((one) => one !== undefined);
}

function sortKeys(given: unknown, addTieBreaker: boolean): SortKey[] {
  const list = given === undefined ? [] : Array.isArray(given) ? given : [given];
  const keys = list.map((one: unknown): SortKey => {
    if (typeof one === 'string')
      return { field: one, descending: one === '_score', missingFirst: false, unmapped: undefined };
    const [field = '', spec] = Object.entries(one as JsonObject)[0] ?? [];
    const options = (typeof spec === 'string' ? { order: spec } : spec) as JsonObject;
    return {
      field,
      descending: options['order'] === undefined ? field === '_score' : options['order'] === 'desc',
      missingFirst: options['missing'] === '_first',
      unmapped: options['unmapped_type'] as string | undefined,
    };
  });
  if (addTieBreaker && keys.length > 0 && !keys.some((key) => key.field === '_shard_doc'))
    keys.push({ field: '_shard_doc', descending: false, missingFirst: false, unmapped: undefined });
  return keys;
}

interface SortReader {
  /** Needs no parsed source. */
  readonly blind: boolean;
  read(source: JsonObject, document: StoredDocument, ordinal: number): [shown: SortValue, key: SortValue];
}

function sortReader(key: SortKey, view: View): SortReader {
  const plain = (read: (document: StoredDocument, ordinal: number) => SortValue): SortReader => ({
    blind: true,
    read: (_source, document, ordinal) => {
      const value = read(document, ordinal);
      return [value, value];
    },
  });
  if (key.field === '_shard_doc' || key.field === '_doc') return plain((_one, at) => view.order * 2 ** 32 + at - 1);
  if (key.field === '_score') return plain(() => 1);
  if (key.field === '_seq_no') return plain((document) => document.seqNo);
  if (key.field === '_index') return plain(() => view.index.name);
  if (key.field === '_id')
    throw shardFailure(
      400,
      'illegal_argument_exception',
      'Fielddata access on the _id field is disallowed, you can re-enable it by updating the dynamic cluster setting: indices.id_field_data.enabled',
      view.index.name,
    );
  const found = findField(view.index.mappings, key.field);
  if (found === undefined || found.mapping.properties !== undefined) {
    if (key.unmapped !== undefined) return plain(() => null);
    throw shardFailure(
      400,
      'query_shard_exception',
      `No mapping found for [${key.field}] in order to sort on`,
      view.index.name,
      {
        index_uuid: view.index.uuid,
        index: view.index.name,
      },
    );
  }
  const kind = family(found.mapping.type ?? 'object');
  if (kind === 'text')
    throw shardFailure(
      400,
      'illegal_argument_exception',
      `Fielddata is disabled on [${key.field}] in [${view.index.name}]. Text fields are not optimised for operations that require per-document field data like aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead.`,
      view.index.name,
    );
  const pick = (one: unknown): [SortValue, SortValue] => {
    if (kind === 'date') return both(parseDate(one) ?? null);
    if (kind === 'number') return both(Number(one));
    if (kind === 'ip') return [String(one), addressKey(String(one)) ?? null];
    return both(String(one));
  };
  return {
    blind: false,
    read: (source) => {
      const values = collect(source, found.path).map(pick);
      if (values.length === 0) return [kind === 'date' || kind === 'number' ? Number(LONG_MAX) : null, null];
      // A field with several values sorts by its smallest when ascending and by its largest when descending.
      values.sort((a, b) => (a[1]! < b[1]! ? -1 : 1));
      return key.descending ? values.at(-1)! : values[0]!;
    },
  };
}

const both = (value: SortValue): [SortValue, SortValue] => [value, value];

function compare(a: readonly SortValue[], b: readonly SortValue[], sort: readonly SortKey[]): number {
  for (let at = 0; at < sort.length; at += 1) {
    const left = a[at] ?? null;
    const right = b[at] ?? null;
    if (left === right) continue;
    const { descending, missingFirst } = sort[at]!;
    if (left === null) return missingFirst ? -1 : 1;
    if (right === null) return missingFirst ? 1 : -1;
    return (left < right ? -1 : 1) * (descending ? -1 : 1);
  }
  return 0;
}

function firstAfter(
  found: readonly Match[],
  after: readonly SortValue[],
  sort: readonly SortKey[],
  views: readonly View[],
) {
  const keys = after.map((value, at) => {
    const key = sort[at]!;
    if (value === Number(LONG_MAX)) return null;
    const mapping = views[0] === undefined ? undefined : findField(views[0].index.mappings, key.field)?.mapping;
    const kind = family(mapping?.type ?? 'object');
    if (kind === 'ip') return addressKey(String(value)) ?? null;
    return kind === 'date' && value !== null ? (parseDate(value) ?? null) : value;
  });
  const used = sort.slice(0, after.length);
  let low = 0;
  let high = found.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(found[middle]!.keys, keys, used) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function hit({ view, document, sort }: Match, body: JsonObject, score: string, sorted: boolean): string {
  const parts = [`"_index":${JSON.stringify(view.index.name)},"_id":${JSON.stringify(document.id)}`];
  if (body['version'] === true) parts.push(`"_version":${document.version}`);
  if (body['seq_no_primary_term'] === true) parts.push(`"_seq_no":${document.seqNo},"_primary_term":1`);
  parts.push(`"_score":${score}`);
  const source = sourceText(document.source, body['_source']);
  if (source !== undefined) parts.push(`"_source":${source}`);
  const fields = body['fields'] ?? body['docvalue_fields'];
  if (Array.isArray(fields)) {
    const shown = fieldValues(view, JSON.parse(document.source) as JsonObject, fields);
    if (Object.keys(shown).length > 0) parts.push(`"fields":${JSON.stringify(shown)}`);
  }
  if (sorted)
    parts.push(`"sort":[${sort.map((one) => (one === Number(LONG_MAX) ? LONG_MAX : JSON.stringify(one))).join(',')}]`);
  return `{${parts.join(',')}}`;
}

/** Undefined when the source is not asked for. `filter` is the body's `_source` or the like from a query string. */
export function sourceText(source: string, filter: unknown): string | undefined {
  if (filter === undefined || filter === true) return source;
  if (filter === false) return undefined;
  const list = (one: unknown): string[] => (one === undefined ? [] : [one].flat().map(String));
  const isObject = typeof filter === 'object' && filter !== null && !Array.isArray(filter);
  const { includes, include, excludes, exclude } = (isObject ? filter : { includes: filter }) as JsonObject;
  const kept = filterSource(JSON.parse(source) as JsonObject, list(includes ?? include), list(excludes ?? exclude));
  return JSON.stringify(kept);
}

function fieldValues(view: View, source: JsonObject, fields: readonly unknown[]): JsonObject {
  const out: JsonObject = {};
  for (const one of fields) {
    const name = typeof one === 'string' ? one : String((one as JsonObject)['field']);
    const found = findField(view.index.mappings, name);
    if (found === undefined) continue;
    const date = family(found.mapping.type ?? 'object') === 'date';
    const values = collect(source, found.path).map((value) =>
      date ? new Date(parseDate(value) ?? 0).toISOString() : value,
    );
    if (values.length > 0) out[name] = values;
  }
  return out;
}

function onlyFilters(query: unknown): boolean {
  const inner = (query as { bool?: JsonObject } | undefined)?.bool;
  return inner !== undefined && inner['must'] === undefined && inner['should'] === undefined;
}

function shards(views: readonly View[], failures: readonly unknown[]): JsonObject {
  const [total, failed] = [views.length, failures.length];
  return { total, successful: total - failed, skipped: 0, failed, ...(failed === 0 ? {} : { failures }) };
}
