// The part of the query language that connectors, indicator-match rules and tests need, compiled to a predicate over
// a parsed source. An unmapped field matches nothing, and a field below `nested` is seen only from a nested query.
import { type AddressRange, addressKey, networkRange } from './addresses.ts';
import { parseDate, parseDateMath } from './dates.ts';
import { ElasticError, illegalArgument, type JsonObject, shardFailure } from './errors.ts';
import { type Field, family, findField, glob, type Mappings } from './mappings.ts';

export type Predicate = (source: JsonObject, id: string) => boolean;

export interface QueryContext {
  readonly index: string;
  readonly mappings: Mappings;
  readonly now: number;
  readonly maxTerms: number;
  readonly nested?: string;
}

const never: Predicate = () => false;
const always: Predicate = () => true;

export function compile(query: unknown, context: QueryContext): Predicate {
  if (typeof query !== 'object' || query === null || Array.isArray(query))
    throw new ElasticError(400, 'parsing_exception', '[_na] query malformed, no start_object after query name');
  const kinds = Object.keys(query);
  const kind = kinds[0];
  if (kind === undefined) throw illegalArgument('query malformed, empty clause found');
  if (kinds.length > 1)
    throw new ElasticError(
      400,
      'parsing_exception',
      `[${kind}] malformed query, expected [END_OBJECT] but found [FIELD_NAME]`,
    );
  // A clause's body is an object for every kind below; what it holds is read field by field.
  const body = ((query as JsonObject)[kind] ?? {}) as JsonObject;
  switch (kind) {
    case 'match_all':
      return always;
    case 'match_none':
      return never;
    case 'bool':
      return bool(body, context);
    case 'constant_score':
      return compile(body['filter'], context);
    case 'ids': {
      const ids = new Set((body['values'] as unknown[]).map(String));
      return (_source, id) => ids.has(id);
    }
    case 'exists':
      return exists(String(body['field']), context);
    case 'nested':
      return nested(body, context);
    case 'terms': {
      const field = Object.keys(body).find((name) => name !== 'boost' && name !== '_name')!;
      const values = body[field] as unknown[];
      if (!Array.isArray(values)) throw illegalArgument(`[terms] query requires a list of values`);
      if (values.length > context.maxTerms)
        throw shardFailure(
          400,
          'query_shard_exception',
          `failed to create query: The number of terms [${values.length}] used in the Terms Query request has exceeded the allowed maximum of [${context.maxTerms}]. This maximum can be set by changing the [index.max_terms_count] index level setting.`,
          context.index,
        );
      return onField(field, context, (found) => oneOf(values, found, context));
    }
    case 'term':
      return leaf(body, 'value', context, (value, found, options) => {
        if (options['case_insensitive'] !== true) return oneOf([value], found, context);
        if (!word(undefined, found))
          throw badValue(
            `Field [${found.path}] of type [${found.mapping.type ?? 'object'}] does not support case insensitive term queries`,
            context,
          );
        const wanted = fold(String(value), options);
        return (held) => fold(String(held), options) === wanted;
      });
    case 'match':
    case 'match_phrase':
      return leaf(body, 'query', context, (value, found) => matchText(value, found, kind, context));
    case 'prefix':
      return leaf(body, 'value', context, (value, found, options) => {
        const start = fold(String(value), options);
        return (held) => word(held, found) && fold(String(held), options).startsWith(start);
      });
    case 'wildcard':
      return leaf(body, body['wildcard'] === undefined ? 'value' : 'wildcard', context, (value, found, options) => {
        const pattern = wildcard(fold(String(value), options));
        return (held) => word(held, found) && pattern.test(fold(String(held), options));
      });
    case 'range':
      return range(body, context);
    default:
      throw new ElasticError(400, 'parsing_exception', `unknown query [${kind}]`, {
        line: 1,
        col: 1,
        caused_by: { type: 'named_object_not_found_exception', reason: `[1:1] unknown field [${kind}]` },
      });
  }
}

function bool(body: JsonObject, context: QueryContext): Predicate {
  const clauses = (name: string): Predicate[] => {
    const given = body[name];
    if (given === undefined) return [];
    return (Array.isArray(given) ? given : [given]).map((one) => compile(one, context));
  };
  const all = [...clauses('filter'), ...clauses('must')];
  const none = clauses('must_not');
  const some = clauses('should');
  const minimum = Number(body['minimum_should_match'] ?? (some.length > 0 && all.length === 0 ? 1 : 0));
  return (source, id) => {
    for (const one of all) if (!one(source, id)) return false;
    for (const one of none) if (one(source, id)) return false;
    let matched = 0;
    for (const one of some) {
      if (matched >= minimum) break;
      if (one(source, id)) matched += 1;
    }
    return matched >= minimum;
  };
}

function nested(body: JsonObject, context: QueryContext): Predicate {
  const path = String(body['path']);
  const field = findField(context.mappings, path);
  if (field?.mapping.type !== 'nested') {
    if (body['ignore_unmapped'] === true) return never;
    throw shardFailure(
      400,
      'query_shard_exception',
      field === undefined
        ? `failed to create query: [nested] failed to find nested object under path [${path}]`
        : `failed to create query: [nested] nested object under path [${path}] is not of nested type`,
      context.index,
    );
  }
  const inner = compile(body['query'], { ...context, nested: path });
  const relative = context.nested === undefined ? path : path.slice(context.nested.length + 1);
  return (source, id) => collect(source, relative, true).some((one) => inner(one as JsonObject, id));
}

function exists(path: string, context: QueryContext): Predicate {
  if (path === '_id' || path === '_index') return always;
  const found = findField(context.mappings, path);
  if (found === undefined) return never;
  if (found.mapping.properties === undefined && found.mapping.type !== 'object')
    return found.nested === context.nested ? (source) => collect(source, found.path).length > 0 : never;
  const below = Object.keys(found.mapping.properties ?? {}).map((name) => exists(`${path}.${name}`, context));
  return (source, id) => below.some((one) => one(source, id));
}

type Test = (held: unknown) => boolean;

/** A clause `{field: value}` or `{field: {<name>: value, …options}}`. */
function leaf(
  body: JsonObject,
  name: string,
  context: QueryContext,
  make: (value: unknown, field: Field, options: JsonObject) => Test,
): Predicate {
  const field = Object.keys(body).find((key) => key !== 'boost' && key !== '_name');
  if (field === undefined) throw illegalArgument('field name is null or empty');
  const given = body[field];
  const long = typeof given === 'object' && given !== null;
  const options = long ? (given as JsonObject) : {};
  return onField(field, context, (found) => make(long ? options[name] : given, found, options));
}

function onField(path: string, context: QueryContext, make: (field: Field) => Test): Predicate {
  if (path === '_id' || path === '_index') {
    const test = make({ mapping: { type: 'keyword' }, path, nested: undefined });
    return (_source, id) => test(path === '_id' ? id : context.index);
  }
  const found = findField(context.mappings, path);
  if (found === undefined || found.nested !== context.nested) return never;
  const test = make(found);
  // A constant_keyword has its value in the mapping, whether or not a document repeats it.
  if (found.mapping.type === 'constant_keyword' && found.mapping.value !== undefined) {
    const verdict = test(found.mapping.value);
    return () => verdict;
  }
  return (source) => collect(source, found.path).some(test);
}

function oneOf(values: readonly unknown[], field: Field, context: QueryContext): Test {
  const kind = family(field.mapping.type ?? 'object');
  if (kind === 'ip' || kind === 'ip_range') {
    const single = new Set<string>();
    const ranges: AddressRange[] = [];
    for (const value of values) {
      const key = addressKey(String(value));
      const network = networkRange(String(value));
      if (key !== undefined) single.add(key);
      else if (network !== undefined && kind === 'ip') ranges.push(network);
      else throw badValue(`'${String(value)}' is not an IP string literal.`, context);
    }
    if (kind === 'ip')
      return (held) => {
        const key = addressKey(String(held));
        return key !== undefined && (single.has(key) || ranges.some((one) => one.from <= key && key <= one.to));
      };
    return (held) => {
      const network = heldRange(held);
      if (network === undefined) return false;
      for (const key of single) if (network.from <= key && key <= network.to) return true;
      return false;
    };
  }
  if (kind === 'date') {
    const times = new Set(values.map((value) => parseDateMath(value, context.now, false)));
    return (held) => times.has(parseDate(held));
  }
  if (kind === 'number') {
    const numbers = new Set(values.map(Number));
    for (const value of values)
      if (Number.isNaN(Number(value))) throw badValue(`For input string: "${String(value)}"`, context);
    return (held) => numbers.has(Number(held));
  }
  const texts = new Set(values.map(String));
  if (kind === 'text') return (held) => tokens(String(held)).some((token) => texts.has(token));
  return (held) => texts.has(String(held));
}

function matchText(value: unknown, field: Field, kind: string, context: QueryContext): Test {
  if (family(field.mapping.type ?? 'object') !== 'text') return oneOf([value], field, context);
  const wanted = tokens(String(value));
  if (kind === 'match') return (held) => tokens(String(held)).some((token) => wanted.includes(token));
  return (held) => ` ${tokens(String(held)).join(' ')} `.includes(` ${wanted.join(' ')} `);
}

function range(body: JsonObject, context: QueryContext): Predicate {
  const path = Object.keys(body)[0] ?? '';
  const bounds = (body[path] ?? {}) as JsonObject;
  return onField(path, context, (field) => {
    const kind = family(field.mapping.type ?? 'object');
    const read = (value: unknown, up: boolean): string | number => {
      const made =
        kind === 'date'
          ? parseDateMath(value, context.now, up)
          : kind === 'number'
            ? Number(value)
            : kind === 'ip'
              ? addressKey(String(value))
              : String(value);
      if (made === undefined || (typeof made === 'number' && Number.isNaN(made))) {
        if (kind === 'date')
          throw shardFailure(
            400,
            'parse_exception',
            `failed to parse date field [${String(value)}] with format [strict_date_optional_time||epoch_millis]`,
            context.index,
          );
        throw badValue(`For input string: "${String(value)}"`, context);
      }
      return made;
    };
    const tests: ((key: string | number) => boolean)[] = [];
    for (const [name, value] of Object.entries(bounds)) {
      if (value === null || value === undefined) continue;
      if (name === 'gte' || name === 'from') tests.push(atLeast(read(value, false)));
      else if (name === 'gt') tests.push(not(atMost(read(value, true))));
      else if (name === 'lte' || name === 'to') tests.push(atMost(read(value, true)));
      else if (name === 'lt') tests.push(not(atLeast(read(value, false))));
      else if (!['format', 'time_zone', 'boost', 'relation', '_name'].includes(name))
        throw new ElasticError(400, 'parsing_exception', `[range] query does not support [${name}]`);
    }
    return (held) => {
      const key =
        kind === 'date'
          ? parseDate(held)
          : kind === 'number'
            ? Number(held)
            : kind === 'ip'
              ? addressKey(String(held))
              : String(held);
      return key !== undefined && tests.every((test) => test(key));
    };
  });
}

const atLeast = (bound: string | number) => (key: string | number) => key >= bound;
const atMost = (bound: string | number) => (key: string | number) => key <= bound;
const not = (test: (key: string | number) => boolean) => (key: string | number) => !test(key);
const fold = (text: string, options: JsonObject) => (options['case_insensitive'] === true ? text.toLowerCase() : text);
const tokens = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+(?:[.'][\p{L}\p{N}]+)*/gu) ?? [];
const word = (_held: unknown, field: Field) => ['word', 'text'].includes(family(field.mapping.type ?? 'object'));

function wildcard(pattern: string): RegExp {
  return new RegExp(glob(pattern.replaceAll('?', '\u0000')).source.replaceAll('\u0000', '.'), 's');
}

function heldRange(held: unknown): AddressRange | undefined {
  if (typeof held === 'object' && held !== null) {
    const { gte = '::', lte = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' } = held as JsonObject;
    const [from, to] = [addressKey(String(gte)), addressKey(String(lte))];
    return from === undefined || to === undefined ? undefined : { from, to };
  }
  const text = String(held);
  const key = addressKey(text);
  return key === undefined ? networkRange(text) : { from: key, to: key };
}

function badValue(reason: string, context: QueryContext): ElasticError {
  return shardFailure(400, 'query_shard_exception', `failed to create query: ${reason}`, context.index);
}

/** Every value at a path, through arrays and dotted keys. `objects` keeps objects, as nested queries need them. */
export function collect(source: unknown, path: string, objects = false): unknown[] {
  const out: unknown[] = [];
  gather(source, path, out, objects);
  return out;
}

function gather(node: unknown, path: string, out: unknown[], objects: boolean): void {
  if (Array.isArray(node)) {
    for (const one of node) gather(one, path, out, objects);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  const holder = node as JsonObject;
  if (Object.hasOwn(holder, path)) spread(holder[path], out, objects);
  for (let dot = path.indexOf('.'); dot > 0; dot = path.indexOf('.', dot + 1)) {
    const head = path.slice(0, dot);
    if (Object.hasOwn(holder, head)) gather(holder[head], path.slice(dot + 1), out, objects);
  }
}

function spread(value: unknown, out: unknown[], objects: boolean): void {
  if (Array.isArray(value)) for (const one of value) spread(one, out, objects);
  else if (
    value !== null &&
    value !== undefined &&
    (objects || typeof value !== 'object' || 'gte' in value || 'gt' in value || 'lte' in value || 'lt' in value)
  )
    out.push(value);
}
