// Field mappings: which types exist, how a document is judged against them, and where a query finds a field. Only
// values of mapped fields are judged, as in the product, where an unmapped field under `dynamic: false` may hold anything.
import { addressKey, networkRange } from './addresses.ts';
import { parseDate } from './dates.ts';
import { ElasticError, type JsonObject, illegalArgument } from './errors.ts';

export interface FieldMapping {
  type?: string;
  properties?: Record<string, FieldMapping>;
  fields?: Record<string, FieldMapping>;
  value?: string;
  dynamic?: string | boolean;
  ignore_malformed?: boolean;
}

export interface Mappings {
  dynamic?: string | boolean;
  _meta?: JsonObject;
  dynamic_templates?: Record<string, DynamicTemplate>[];
  properties?: Record<string, FieldMapping>;
}

interface DynamicTemplate {
  match?: string;
  path_match?: string;
  match_mapping_type?: string;
  mapping: FieldMapping;
}

const TEXT = ['text', 'match_only_text'];
const WORDS = ['keyword', 'constant_keyword', 'wildcard', 'version', 'flattened', 'binary'];
const INTEGERS = ['long', 'integer', 'short', 'byte', 'unsigned_long'];
const FLOATS = ['double', 'float', 'half_float', 'scaled_float'];
const OTHERS = ['date', 'date_nanos', 'ip', 'ip_range', 'boolean', 'object', 'nested', 'geo_point', 'alias'];
const TYPES = new Set([...TEXT, ...WORDS, ...INTEGERS, ...FLOATS, ...OTHERS]);

/** Groups of types that a query treats alike. */
export function family(type: string): 'text' | 'word' | 'number' | 'date' | 'ip' | 'ip_range' | 'boolean' | 'other' {
  if (TEXT.includes(type)) return 'text';
  if (WORDS.includes(type)) return 'word';
  if (INTEGERS.includes(type) || FLOATS.includes(type)) return 'number';
  if (type === 'date' || type === 'date_nanos') return 'date';
  return type === 'ip' || type === 'ip_range' || type === 'boolean' ? type : 'other';
}

export function checkMappings(mappings: Mappings): void {
  for (const [name, field] of Object.entries(mappings.properties ?? {})) checkField(name, field);
}

function checkField(name: string, field: FieldMapping): void {
  if (field.type !== undefined && !TYPES.has(field.type)) {
    const reason = `The mapper type [${field.type}] declared on field [${name}] does not exist. It might have been created within a future version or requires a plugin to be installed. Check the documentation.`;
    throw new ElasticError(400, 'mapper_parsing_exception', reason);
  }
  for (const [child, below] of Object.entries(field.properties ?? {})) checkField(child, below);
}

/** Adds `extra` to `base`; a field that exists keeps its type or the whole request fails. */
export function mergeMappings(base: Mappings, extra: Mappings, retype: boolean): Mappings {
  const { properties, ...rest } = extra;
  const merged: Mappings = { ...base, ...rest };
  const all = mergeFields(base.properties ?? {}, properties ?? {}, retype, '');
  return Object.keys(all).length === 0 ? merged : { ...merged, properties: all };
}

function mergeFields(
  base: Record<string, FieldMapping>,
  extra: Record<string, FieldMapping>,
  retype: boolean,
  prefix: string,
): Record<string, FieldMapping> {
  const out = { ...base };
  for (const [name, field] of Object.entries(expandDots(extra))) {
    const old = out[name];
    if (old === undefined) {
      out[name] = field.properties === undefined ? field : { ...field, properties: expandDots(field.properties) };
      continue;
    }
    const type = (one: FieldMapping) => one.type ?? 'object';
    if (type(old) !== type(field) && !retype)
      throw illegalArgument(`mapper [${prefix}${name}] cannot be changed from type [${type(old)}] to [${type(field)}]`);
    if (old.properties === undefined && field.properties === undefined) out[name] = { ...old, ...field };
    else {
      const below = mergeFields(old.properties ?? {}, field.properties ?? {}, retype, `${prefix}${name}.`);
      out[name] = { ...old, ...field, properties: below };
    }
  }
  return out;
}

/** `{"a.b": leaf}` means an object `a` with a field `b`. */
function expandDots(fields: Record<string, FieldMapping>): Record<string, FieldMapping> {
  const out: Record<string, FieldMapping> = {};
  for (const [name, field] of Object.entries(fields)) {
    const dot = name.indexOf('.');
    if (dot < 0)
      out[name] = field.properties === undefined ? field : { ...field, properties: expandDots(field.properties) };
    else {
      const head = name.slice(0, dot);
      const below = expandDots({ [name.slice(dot + 1)]: field });
      out[head] = { ...out[head], properties: mergeFields(out[head]?.properties ?? {}, below, true, '') };
    }
  }
  return out;
}

export interface Field {
  readonly mapping: FieldMapping;
  /** Path in the source, relative to the nested object that holds it if there is one. */
  readonly path: string;
  /** Nearest nested object above, by full path. */
  readonly nested: string | undefined;
}

/** Finds a field by full path; a multi-field (`url.full.text`) reads its parent's value. */
export function findField(mappings: Mappings, path: string): Field | undefined {
  let fields = mappings.properties ?? {};
  let nested: string | undefined;
  const names = path.split('.');
  for (let at = 0; at < names.length; at += 1) {
    const field = fields[names[at]!];
    if (field === undefined) return undefined;
    const here = names.slice(0, at + 1).join('.');
    const relative = (full: string) => (nested === undefined ? full : full.slice(nested.length + 1));
    if (at === names.length - 1) return { mapping: field, path: relative(here), nested };
    if (field.type === 'nested') nested = here;
    if (field.type === 'flattened') return { mapping: field, path: relative(path), nested };
    const multi = field.fields?.[names[at + 1]!];
    if (multi !== undefined && at === names.length - 2) return { mapping: multi, path: relative(here), nested };
    fields = field.properties ?? {};
  }
  return undefined;
}

/** What a document does to an index: fields that dynamic mapping adds, or an error. */
export class DocumentCheck {
  private readonly mappings: Mappings;
  private readonly lenient: boolean;
  private readonly modern: boolean;
  private additions: Record<string, FieldMapping> | undefined;

  constructor(mappings: Mappings, lenient: boolean, modern: boolean) {
    this.mappings = mappings;
    this.lenient = lenient;
    this.modern = modern;
  }

  /** Returns the fields to add, or undefined when nothing changes. */
  run(id: string, document: JsonObject): Record<string, FieldMapping> | undefined {
    this.additions = undefined;
    this.object(document, this.mappings.properties ?? {}, '', this.mappings.dynamic ?? true, id);
    return this.additions;
  }

  private object(
    value: JsonObject,
    fields: Record<string, FieldMapping>,
    prefix: string,
    dynamic: string | boolean,
    id: string,
  ) {
    for (const name in value) {
      const held = value[name];
      if (held === null) continue;
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (field !== undefined) this.field(held, field, prefix + name, dynamic, id);
      else if (name.includes('.') && !name.startsWith('.') && !name.endsWith('.')) {
        const dot = name.indexOf('.');
        this.object({ [name.slice(0, dot)]: { [name.slice(dot + 1)]: held } }, fields, prefix, dynamic, id);
      } else this.unknown(held, prefix, name, dynamic, id);
    }
  }

  private field(value: unknown, field: FieldMapping, path: string, dynamic: string | boolean, id: string): void {
    if (Array.isArray(value)) {
      for (const one of value) if (one !== null) this.field(one, field, path, dynamic, id);
      return;
    }
    if (field.properties !== undefined || field.type === 'object' || field.type === 'nested') {
      if (typeof value !== 'object') {
        const what = `object mapping for [${path}] tried to parse field [${path.slice(path.lastIndexOf('.') + 1)}] as object, but found a concrete value`;
        throw this.failure(this.modern ? `[1:1] ${what}` : what);
      }
      // Arrays were taken apart and null skipped, so an object is left.
      this.object(value as JsonObject, field.properties ?? {}, `${path}.`, field.dynamic ?? dynamic, id);
      return;
    }
    const wrong = judge(value, field);
    if (wrong === undefined || ((this.lenient || field.ignore_malformed === true) && typeof value !== 'object')) return;
    const shown = typeof value === 'string' ? value : JSON.stringify(value);
    const reason = `failed to parse field [${path}] of type [${field.type}] in document with id '${id}'. Preview of field's value: '${shown}'`;
    throw this.failure(this.modern ? `[1:1] ${reason}` : reason, { type: 'illegal_argument_exception', reason: wrong });
  }

  private unknown(value: unknown, prefix: string, name: string, dynamic: string | boolean, id: string): void {
    if (String(dynamic) === 'false' || String(dynamic) === 'runtime') return;
    if (String(dynamic) === 'strict') {
      const parent = prefix === '' ? '_doc' : prefix.slice(0, -1);
      const reason = `mapping set to strict, dynamic introduction of [${name}] within [${parent}] is not allowed`;
      const shown = this.modern ? `[1:1] ${reason}` : reason;
      throw new ElasticError(400, 'strict_dynamic_mapping_exception', shown);
    }
    const sample = Array.isArray(value) ? value.find((one) => one !== null) : value;
    if (sample === undefined) return;
    if (typeof sample === 'object') {
      for (const one of Array.isArray(value) ? value : [value])
        if (one !== null && typeof one === 'object')
          this.object(one as JsonObject, {}, `${prefix}${name}.`, dynamic, id);
      return;
    }
    this.additions ??= {};
    this.additions[prefix + name] = this.guess(sample, name, prefix + name);
  }

  private guess(sample: unknown, name: string, path: string): FieldMapping {
    const kind =
      typeof sample === 'boolean'
        ? 'boolean'
        : typeof sample === 'number'
          ? Number.isInteger(sample)
            ? 'long'
            : 'double'
          : typeof sample === 'string' && sample.includes('-') && parseDate(sample) !== undefined
            ? 'date'
            : 'string';
    for (const entry of this.mappings.dynamic_templates ?? [])
      for (const template of Object.values(entry)) {
        if (template.match_mapping_type !== undefined && !['*', kind].includes(template.match_mapping_type)) continue;
        if (template.match !== undefined && !glob(template.match).test(name)) continue;
        if (template.path_match !== undefined && !glob(template.path_match).test(path)) continue;
        return template.mapping;
      }
    if (kind !== 'string') return { type: kind === 'double' ? 'float' : kind };
    return { type: 'text', fields: { keyword: { type: 'keyword' } } };
  }

  private failure(reason: string, cause?: JsonObject): ElasticError {
    const type = this.modern ? 'document_parsing_exception' : 'mapper_parsing_exception';
    return new ElasticError(400, type, reason, cause === undefined ? {} : { caused_by: cause });
  }
}

/** Why a value does not fit its field; undefined when it does. */
function judge(value: unknown, field: FieldMapping): string | undefined {
  const type = field.type ?? 'object';
  const text = String(value);
  switch (family(type)) {
    case 'ip':
      return typeof value === 'string' && addressKey(value) !== undefined
        ? undefined
        : `'${text}' is not an IP string literal.`;
    case 'ip_range':
      if (typeof value === 'object') return undefined;
      return networkRange(text) !== undefined || addressKey(text) !== undefined
        ? undefined
        : `Expected [ip/prefix] but was [${text}]`;
    case 'date':
      return parseDate(value) !== undefined
        ? undefined
        : `failed to parse date field [${text}] with format [strict_date_optional_time||epoch_millis]`;
    case 'number':
      return typeof value === 'object' || text.trim() === '' || Number.isNaN(Number(text))
        ? `For input string: "${text}"`
        : undefined;
    case 'boolean':
      return ['true', 'false', ''].includes(text)
        ? undefined
        : `Failed to parse value [${text}] as only [true] or [false] are allowed.`;
    case 'word':
    case 'text':
      if (type === 'flattened')
        return typeof value === 'object' ? undefined : 'Failed to parse object: expecting token of type [START_OBJECT]';
      if (type === 'constant_keyword' && field.value !== undefined && text !== field.value)
        return `[constant_keyword] field only accepts values that are equal to the value defined in the mappings [${field.value}], but got [${text}]`;
      return typeof value === 'object' ? 'Expected text but found START_OBJECT' : undefined;
    default:
      return undefined;
  }
}

export function glob(pattern: string): RegExp {
  return new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\?]/g, '\\$&').replaceAll('*', '.*')}$`, 's');
}
