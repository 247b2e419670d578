// What an entry of a never-block list means, in the one spelling that values have: an address or network, a name, a
// URL, a mail address, a hash. So one entry holds for every spelling of it.
import { canonical } from './canonical.ts';
import { ipRange, type IpRange } from './ip.ts';
import type { ObservableType } from './observable.ts';

/** Built-in never-block lists, whose action the configuration may set. */
export const BUILT_IN_LISTS = [
  'special_addresses',
  'documentation',
  'public_suffixes',
  'public_resolvers',
  'empty_hashes',
  'own_hosts',
] as const;

export const VALUE_KINDS = ['address', 'name', 'url', 'mail', 'hash'] as const;
export type ValueKind = (typeof VALUE_KINDS)[number];

export type ListedValue =
  | { readonly kind: 'address'; readonly range: IpRange }
  | { readonly kind: Exclude<ValueKind, 'address'>; readonly value: string };

/** Undefined for what is no value of these kinds. */
export function listedValue(given: string): ListedValue | undefined {
  const text = given.trim();
  const range = ipRange(text);
  if (range !== undefined) return { kind: 'address', range };
  if (/^[0-9a-f]{32,}$/i.test(text)) {
    const hash = HASHES.get(text.length);
    return hash === undefined ? undefined : spelled('hash', hash, text);
  }
  if (text.includes('://')) return spelled('url', 'url', text);
  if (text.includes('@')) return spelled('mail', 'email-addr', text);
  return spelled('name', 'domain-name', text);
}

export function kindOf(type: ObservableType): ValueKind {
  switch (type) {
    case 'ipv4-addr':
    case 'ipv6-addr':
      return 'address';
    case 'domain-name':
      return 'name';
    case 'url':
      return 'url';
    case 'email-addr':
      return 'mail';
    default:
      return 'hash';
  }
}

/** More than an eighth of all addresses, and for version 6 more than half of those in use: names nobody. */
export function isCatchAll({ version, first, last }: IpRange): boolean {
  const digits = version === 4 ? 8 : 4;
  const size = Number.parseInt(last.slice(0, digits), 16) - Number.parseInt(first.slice(0, digits), 16) + 1;
  return size > (version === 4 ? 2 ** 29 : 2 ** 12);
}

const HASHES: ReadonlyMap<number, ObservableType> = new Map([
  [32, 'file:hashes.MD5'],
  [40, "file:hashes.'SHA-1'"],
  [64, "file:hashes.'SHA-256'"],
  [128, "file:hashes.'SHA-512'"],
]);

function spelled(kind: Exclude<ValueKind, 'address'>, type: ObservableType, text: string): ListedValue | undefined {
  const found = canonical(type, text);
  return 'value' in found ? { kind, value: found.value } : undefined;
}
