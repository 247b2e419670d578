// One text for one JSON value (RFC 8785), so that everybody who hashes a record hashes the same bytes. Strings and numbers
// are spelled as ECMAScript spells them, which is what the RFC takes over; members stand in the order of their UTF-16 units.
import type { Json } from '../model/json.ts';

export function canonical(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} has no place in JSON`);
    return JSON.stringify(value);
  }
  if (typeof value === 'string') return text(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const members = Object.entries(value as { readonly [name: string]: Json })
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, one]) => `${text(name)}:${canonical(one)}`);
  return `{${members.join(',')}}`;
}

/** Half a character has no bytes in UTF-8, and two halves that differ would get the same ones: it is refused. */
function text(value: string): string {
  if (!value.isWellFormed()) throw new TypeError('a text with half a surrogate pair has no canonical form');
  return JSON.stringify(value);
}
