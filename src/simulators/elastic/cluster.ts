// The indices of the simulated cluster with their templates and aliases.
import { ElasticError, illegalArgument, indexNotFound, type JsonObject, notFound } from './errors.ts';
import { IndexStore } from './index-store.ts';
import { checkMappings, glob, type Mappings, mergeMappings } from './mappings.ts';

export interface TemplateBody {
  settings?: JsonObject;
  mappings?: Mappings;
  aliases?: Record<string, JsonObject>;
}

export interface ComponentTemplate extends JsonObject {
  template: TemplateBody;
}

export interface IndexTemplate extends JsonObject {
  index_patterns: string[];
  composed_of?: string[];
  priority?: number;
  template?: TemplateBody;
}

export interface Resolve {
  readonly ignoreUnavailable?: boolean;
  readonly allowNoIndices?: boolean;
}

export class Cluster {
  readonly indices = new Map<string, IndexStore>();
  readonly components = new Map<string, ComponentTemplate>();
  readonly templates = new Map<string, IndexTemplate>();
  readonly pipelines = new Map<string, JsonObject>();
  /** `cluster.max_shards_per_node`, with one node. */
  maxShards = 1000;
  readonly modern: boolean;
  readonly now: () => number;

  constructor(modern: boolean, now: () => number) {
    this.modern = modern;
    this.now = now;
  }

  create(name: string, body: TemplateBody): IndexStore {
    checkName(name);
    const existing = this.indices.get(name);
    if (existing !== undefined)
      throw new ElasticError(
        400,
        'resource_already_exists_exception',
        `index [${name}/${existing.uuid}] already exists`,
        {
          index_uuid: existing.uuid,
          index: name,
        },
      );
    const made = this.compose(name, body);
    this.demandShards(made.settings);
    const index = new IndexStore(name, made.settings, made.mappings, this.modern, this.now);
    for (const [alias, options] of Object.entries(made.aliases)) index.aliases.set(alias, options);
    this.indices.set(name, index);
    return index;
  }

  private demandShards(settings: ReadonlyMap<string, string>): void {
    const shardsOf = (of: ReadonlyMap<string, string>): number =>
      Number(of.get('number_of_shards') ?? 1) * (1 + Number(of.get('number_of_replicas') ?? 1));
    const held = [...this.indices.values()]
      .filter((one) => !one.closed)
      .reduce((sum, one) => sum + shardsOf(one.settings), 0);
    const more = shardsOf(settings);
    if (held + more <= this.maxShards) return;
    throw new ElasticError(
      400,
      'validation_exception',
      `Validation Failed: 1: this action would add [${more}] shards, but this cluster currently has [${held}]/[${this.maxShards}] maximum normal shards open;`,
    );
  }

  /** The pipelines that a write to this index runs through have to exist. */
  demandPipelines(index: IndexStore): void {
    for (const setting of ['default_pipeline', 'final_pipeline']) {
      const name = index.settings.get(setting);
      if (name !== undefined && name !== '_none' && !this.pipelines.has(name))
        throw illegalArgument(`pipeline with id [${name}] does not exist`);
    }
  }

  /** The index a write goes to: an index, the write index of an alias, or a new index made from the templates. */
  writable(name: string): IndexStore {
    const index = this.indices.get(name);
    if (index !== undefined) return index;
    const behind = [...this.indices.values()].filter((one) => one.aliases.has(name));
    if (behind.length === 0) return this.create(name, {});
    const chosen =
      behind.length === 1 ? behind[0] : behind.find((one) => one.aliases.get(name)?.['is_write_index'] === true);
    if (chosen === undefined)
      throw illegalArgument(
        `no write index is defined for alias [${name}]. The write index may be explicitly disabled using is_write_index=false or the alias points to multiple indices without one being designated as a write index`,
      );
    return chosen;
  }

  /** Indices behind a comma-separated expression of names, aliases and wildcards. */
  resolve(expression: string, options: Resolve = {}): IndexStore[] {
    const found = new Set<IndexStore>();
    for (const part of expression.split(',')) {
      if (part === '_all' || part.includes('*')) {
        const like = part === '_all' ? /^/ : glob(part);
        const hidden = part.startsWith('.');
        for (const index of this.indices.values()) {
          const names = [index.name, ...index.aliases.keys()].filter((name) => hidden || !name.startsWith('.'));
          if (names.some((name) => like.test(name))) found.add(index);
        }
        continue;
      }
      const named = [...this.indices.values()].filter((index) => index.name === part || index.aliases.has(part));
      if (named.length === 0 && options.ignoreUnavailable !== true) {
        checkName(part);
        throw indexNotFound(part);
      }
      for (const index of named) found.add(index);
    }
    if (found.size === 0 && options.allowNoIndices === false) throw indexNotFound(expression);
    return [...found].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  putTemplate(name: string, body: JsonObject): void {
    const template = body as IndexTemplate;
    if (!Array.isArray(template.index_patterns) || template.index_patterns.length === 0)
      throw illegalArgument('Required [index_patterns]');
    const missing = (template.composed_of ?? []).filter((one) => !this.components.has(one));
    if (missing.length > 0)
      throw new ElasticError(
        400,
        'invalid_index_template_exception',
        `index_template [${name}] invalid, cause [index template [${name}] specifies component templates [${missing.join(', ')}] that do not exist]`,
      );
    for (const [other, held] of this.templates) {
      if (other === name || (held.priority ?? 0) !== (template.priority ?? 0)) continue;
      if (!held.index_patterns.some((a) => template.index_patterns.some((b) => overlap(a, b)))) continue;
      const mine = template.index_patterns.join(', ');
      const theirs = held.index_patterns.join(', ');
      throw illegalArgument(
        `index template [${name}] has index patterns [${mine}] matching patterns from existing templates [${other}] with patterns (${other} => [${theirs}]) that have the same priority [${template.priority ?? 0}], multiple index templates may not match during index creation, please use a different priority`,
      );
    }
    checkMappings(template.template?.mappings ?? {});
    this.templates.set(name, template);
  }

  putComponent(name: string, body: JsonObject): void {
    if (typeof body['template'] !== 'object' || body['template'] === null) throw illegalArgument('Required [template]');
    // Checked just above; the rest of the body is carried along as it came.
    const component = body as ComponentTemplate;
    checkMappings(component.template.mappings ?? {});
    this.components.set(name, component);
  }

  dropComponent(name: string): void {
    if (!this.components.has(name)) throw this.modern ? notFound(name) : templateMissing(name);
    const users = [...this.templates].filter(([, one]) => one.composed_of?.includes(name)).map(([user]) => user);
    if (users.length > 0)
      throw illegalArgument(
        `component templates [${name}] cannot be removed as they are still in use by index templates [${users.join(', ')}]`,
      );
    this.components.delete(name);
  }

  /** The template that wins for an index name: the highest priority whose pattern matches. */
  winner(index: string): IndexTemplate | undefined {
    return [...this.templates.values()]
      .filter((template) => template.index_patterns.some((pattern) => glob(pattern).test(index)))
      .sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0))[0];
  }

  /** Components in order, then the template's own part, then the request: later ones win. */
  compose(name: string, body: TemplateBody) {
    const template = this.winner(name);
    const parts = (template?.composed_of ?? []).map((one) => this.components.get(one)?.template ?? {});
    parts.push(template?.template ?? {}, body);
    let mappings: Mappings = {};
    const settings = new Map<string, string>([
      ['number_of_shards', '1'],
      ['number_of_replicas', '1'],
    ]);
    const aliases: Record<string, JsonObject> = {};
    for (const part of parts) {
      checkMappings(part.mappings ?? {});
      mappings = mergeMappings(mappings, part.mappings ?? {}, true);
      for (const [key, value] of flatSettings(part.settings ?? {})) settings.set(key, value);
      Object.assign(aliases, part.aliases ?? {});
    }
    if (mappings.dynamic !== undefined) mappings.dynamic = String(mappings.dynamic);
    return { settings, mappings, aliases };
  }
}

/** `{index:{a:{b:1}}}`, `{"index.a.b":1}` and `{a:{b:1}}` are the same setting `a.b`. */
export function flatSettings(settings: JsonObject): Map<string, string> {
  const flat = new Map<string, string>();
  const walk = (value: unknown, path: string): void => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [key, below] of Object.entries(value)) walk(below, path === '' ? key : `${path}.${key}`);
    } else flat.set(path.replace(/^index\./, ''), String(value));
  };
  walk(settings, '');
  return flat;
}

export const templateMissing = (name: string): ElasticError =>
  new ElasticError(404, 'index_template_missing_exception', `index_template [${name}] missing`);

function checkName(name: string): void {
  const wrong = (why: string) =>
    new ElasticError(400, 'invalid_index_name_exception', `Invalid index name [${name}], ${why}`, {
      index_uuid: '_na_',
      index: name,
    });
  if (/[ "*\\<|,>/?#:]/.test(name))
    throw wrong(`must not contain the following characters [' ','"','*','\\\\','<','|',',','>','/','?']`);
  if (/^[_\-+]/.test(name)) throw wrong(startsBadly(name));
  if (name !== name.toLowerCase()) throw wrong('must be lowercase');
  if (name === '.' || name === '..') throw wrong(`must not be '.' or '..'`);
  if (Buffer.byteLength(name) > 255) throw wrong(`index name is too long, (${Buffer.byteLength(name)} > 255)`);
}

function startsBadly(name: string): string {
  return name.startsWith('_') ? "must not start with '_'." : "must not start with '_', '-', or '+'";
}

/** Two patterns can match one name. Exact for patterns whose stars stand at the end, the only form templates use here. */
function overlap(a: string, b: string): boolean {
  return glob(a).test(b.replaceAll('*', '')) || glob(b).test(a.replaceAll('*', ''));
}
