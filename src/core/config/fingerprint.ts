// A short text that changes exactly when settings change, whatever the order of their keys. A cursor and a
// projection carry the fingerprint of the settings they were made under.
import type { Json } from '../model/json.ts';
import { sha256 } from '../runtime/ids.ts';

export function fingerprint(value: Json): string {
  return sha256(canonical(value)).slice(0, 24);
}

function canonical(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((one: Json) => canonical(one)).join(',')}]`;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`)
    .join(',')}}`;
}
