// The configuration as it was understood, as a text that holds no secret. The daemon leaves it in the state, so that a
// command beside it works while the file on disk is broken.
import { Secret } from '../runtime/secret.ts';
import type { Path } from './source.ts';

const HIDDEN = '[redacted]';

/** True where the schema made a secret of what stands at `path` in the file, or of what its twin `<key>_file` names. */
export function secretIn(data: unknown, path: Path): boolean {
  const last = path.at(-1);
  const twin = typeof last === 'string' ? last.replace(/_file$/, '') : last;
  return [last, twin].some((one) => one !== undefined && valueAt(data, [...path.slice(0, -1), one]) instanceof Secret);
}

/** JSON, which is YAML too. `value`: the file with variables replaced; `data`: what the schema made of it. */
export function withoutSecrets(value: unknown, data: unknown): string {
  return JSON.stringify(clean(value, data));
}

/** A secret from a file is no text of the configuration: there its path stands. */
function clean(value: unknown, data: unknown): unknown {
  if (typeof value === 'string') return data instanceof Secret ? HIDDEN : escaped(withoutUser(value));
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one, i) => clean(one, inside(data, i)));
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, clean(one, inside(data, key))]));
}

const withoutUser = (text: string): string => text.replace(/^(\w+:\/\/)[^/@]*@/, '$1');

/** It is read as a file again, where `${` would be a variable. */
const escaped = (text: string): string => text.replaceAll('${', () => '$${');

const valueAt = (value: unknown, path: Path): unknown => path.reduce(inside, value);

function inside(value: unknown, key: string | number): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[key] : undefined;
}
