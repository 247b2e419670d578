// `filter_path`: keeps only the named parts of an answer. `*` stands for one step, `**` for any number.
import type { JsonObject } from './errors.ts';

export function filterPath(answer: unknown, filter: string): unknown {
  const paths = filter
    .split(',')
    .filter((one) => one !== '' && !one.startsWith('-'))
    .map((one) => one.split('.'));
  return keep(answer, paths) ?? {};
}

/** `_source=false`, `_source=a,b`, `_source_includes`, `_source_excludes` and their body forms. */
export function filterSource(source: JsonObject, includes: readonly string[], excludes: readonly string[]): JsonObject {
  let out: JsonObject = source;
  if (includes.length > 0) {
    const paths = includes.flatMap((one) => [one.split('.'), [...one.split('.'), '**']]);
    out = (keep(source, paths) ?? {}) as JsonObject;
  }
  for (const path of excludes) out = without(out, path.split('.')) as JsonObject;
  return out;
}

function keep(value: unknown, paths: readonly (readonly string[])[]): unknown {
  if (paths.some((path) => path.length === 0 || (path.length === 1 && path[0] === '**'))) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) {
    const held = value.map((one) => keep(one, paths)).filter((one) => one !== undefined);
    return held.length === 0 ? undefined : held;
  }
  const out: JsonObject = {};
  for (const name in value) {
    const below: (readonly string[])[] = [];
    for (const path of paths) {
      const step = path[0]!;
      if (step === '**') {
        below.push(path);
        if (matches(path[1] ?? '', name)) below.push(path.slice(2));
      } else if (matches(step, name)) below.push(path.slice(1));
      else if (name.includes('.')) {
        // The product walks a dotted key like the objects it stands for.
        const parts = name.split('.');
        if (parts.length <= path.length && parts.every((part, at) => path[at] !== '**' && matches(path[at]!, part)))
          below.push(path.slice(parts.length));
      }
    }
    const held = below.length === 0 ? undefined : keep((value as JsonObject)[name], below);
    if (held !== undefined) out[name] = held;
  }
  return Object.keys(out).length === 0 ? undefined : out;
}

function without(value: unknown, path: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((one) => without(one, path));
  if (typeof value !== 'object' || value === null) return value;
  const out: JsonObject = {};
  for (const [name, below] of Object.entries(value))
    if (!matches(path[0]!, name)) out[name] = below;
    else if (path.length > 1) out[name] = without(below, path.slice(1));
  return out;
}

function matches(step: string, name: string): boolean {
  if (step === name || step === '*') return true;
  if (!step.includes('*')) return false;
  const [head = '', ...rest] = step.split('*');
  return name.startsWith(head) && name.endsWith(rest.at(-1) ?? '') && name.length >= head.length;
}
