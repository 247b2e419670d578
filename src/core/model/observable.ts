// An observable is a typed value in STIX terms. Its canonical text decides when two partners speak of the
// same thing, so a type and its canonical value together are the identity of an entry.

/** Observable types that can stand on a watchlist. Hashes keep the algorithm in the type (STIX 2.1 §10.6 names). */
export const OBSERVABLE_TYPES = [
  'ipv4-addr',
  'ipv6-addr',
  'domain-name',
  'url',
  'email-addr',
  'file:hashes.MD5',
  "file:hashes.'SHA-1'",
  "file:hashes.'SHA-256'",
  "file:hashes.'SHA-512'",
] as const;

export type ObservableType = (typeof OBSERVABLE_TYPES)[number];

/** A value as it stands on watchlists: canonical for its type. A network is written as CIDR, a single address never is. */
export interface Observable {
  readonly type: ObservableType;
  readonly value: string;
}

declare const keyBrand: unique symbol;
/** `type|value`. No observable type contains `|`, so the first one separates. */
export type EntryKey = string & { readonly [keyBrand]: true };

export function entryKey(type: ObservableType, value: string): EntryKey {
  // The brand marks that the text was made here; nothing else constructs a key.
  return `${type}|${value}` as EntryKey;
}

/** Undoes entryKey. Undefined for text that is no key of ours, since it may come back from a SIEM. */
export function parseEntryKey(text: string): Observable | undefined {
  const bar = text.indexOf('|');
  const type = OBSERVABLE_TYPES.find((known) => known === text.slice(0, bar));
  const value = text.slice(bar + 1);
  return bar > 0 && type !== undefined && value !== '' ? { type, value } : undefined;
}

export function isNetwork(observable: Observable): boolean {
  return (observable.type === 'ipv4-addr' || observable.type === 'ipv6-addr') && observable.value.includes('/');
}

/**
 * The address, network or host name that a canonical value speaks of: itself, or the host of a URL or mailbox. Without
 * brackets and port. Undefined for hashes.
 */
export function hostOf({ type, value }: Observable): string | undefined {
  switch (type) {
    case 'ipv4-addr':
    case 'ipv6-addr':
    case 'domain-name':
      return value;
    case 'email-addr':
      return value.slice(value.lastIndexOf('@') + 1);
    case 'url': {
      const authority = /^[^:]*:\/\/([^/?#\\]*)/.exec(value)?.[1] ?? '';
      const host = authority.slice(authority.lastIndexOf('@') + 1).replace(/:\d*$/, '');
      return host.startsWith('[') ? host.slice(1, -1) : host;
    }
    default:
      return undefined;
  }
}

/** The name under which lifetimes and counts are configured: all hashes are `file`. */
export function family(
  type: ObservableType,
): 'ipv4-addr' | 'ipv6-addr' | 'domain-name' | 'url' | 'email-addr' | 'file' {
  return type.startsWith('file:') ? 'file' : (type as Exclude<ObservableType, `file:${string}`>);
}
