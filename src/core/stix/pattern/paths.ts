// Which object paths are things that a watchlist holds. Partners write hash names in several ways; all are read.
import type { ObservableType } from '../../model/observable.ts';
import type { Path } from './ast.ts';

/** 'address': the path leads to an IPv4 or IPv6 address, and the value tells which. */
export type Watched = ObservableType | 'address';

export function watchedPath(path: Path): Watched | { readonly unsupported: string } {
  const names: string[] = [];
  for (const step of path.steps) {
    if (step.kind === 'index') return UNSUPPORTED;
    names.push(step.name);
  }
  const [first, second] = names;
  if (path.objectType === 'file' && first === 'hashes' && second !== undefined && names.length === 2) {
    return hashType(second) ?? OTHER_HASH;
  }
  return WATCHED.get(`${path.objectType}:${names.join('.')}`) ?? unsupported(path.objectType, names);
}

/** MD5, 'SHA-1', SHA256, sha256 and so on. Undefined for algorithms that no watchlist holds. */
export function hashType(name: string): ObservableType | undefined {
  return HASHES.get(name) ?? HASHES.get(name.toUpperCase().replaceAll('-', ''));
}

const WATCHED: ReadonlyMap<string, Watched> = new Map<string, Watched>([
  ['ipv4-addr:value', 'ipv4-addr'],
  ['ipv6-addr:value', 'ipv6-addr'],
  ['network-traffic:src_ref.value', 'address'],
  ['network-traffic:dst_ref.value', 'address'],
  ['domain-name:value', 'domain-name'],
  ['url:value', 'url'],
  ['email-addr:value', 'email-addr'],
  ['email-message:from_ref.value', 'email-addr'],
  ['email-message:sender_ref.value', 'email-addr'],
]);

const HASHES: ReadonlyMap<string, ObservableType> = new Map<string, ObservableType>([
  ['MD5', 'file:hashes.MD5'],
  ['SHA-1', "file:hashes.'SHA-1'"],
  ['SHA1', "file:hashes.'SHA-1'"],
  ['SHA-256', "file:hashes.'SHA-256'"],
  ['SHA256', "file:hashes.'SHA-256'"],
  ['SHA-512', "file:hashes.'SHA-512'"],
  ['SHA512', "file:hashes.'SHA-512'"],
]);

const UNSUPPORTED = { unsupported: 'unsupported object path' };
const OTHER_HASH = { unsupported: 'unsupported hash algorithm' };

// Paths that partners really send are counted by name; whatever else comes shares one reason, so that nobody can
// fill the counters with inventions.
const COUNTED = new Set([
  'file:name',
  'file:path',
  'file:size',
  'mutex:name',
  'process:name',
  'process:command_line',
  'mac-addr:value',
  'user-account:account_login',
  'windows-registry-key:key',
  'autonomous-system:number',
  'email-message:subject',
  'x509-certificate:serial_number',
  'app:id',
  'app:cert.sha256',
  'configuration-profile:id',
  'android-property:name',
]);

function unsupported(objectType: string, names: readonly string[]): { unsupported: string } {
  const path = `${objectType}:${names.join('.')}`;
  return COUNTED.has(path) ? { unsupported: `unsupported: ${path}` } : UNSUPPORTED;
}
