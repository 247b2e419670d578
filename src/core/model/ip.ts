// Addresses as numbers. For texts that `isIPv4` and `isIPv6` have accepted, and for ranges of either.
import { isIPv4, isIPv6 } from 'node:net';

interface Cidr {
  readonly address: string;
  readonly prefix: number;
}

/** Undefined without a slash, and for what is no prefix in any notation (a leading zero, beyond three digits). */
export function splitCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const prefix = text.slice(slash + 1);
  return /^(?:0|[1-9]\d{0,2})$/.test(prefix) ? { address: text.slice(0, slash), prefix: Number(prefix) } : undefined;
}

export function ipv4Number(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

export function ipv4Text(bits: number): string {
  return `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`;
}

/** Eight 16-bit groups of a text that isIPv6 has accepted. */
export function ipv6Groups(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const left = groupsOf(head);
  if (tail === undefined) return left;
  const right = groupsOf(tail);
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

function groupsOf(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

/** Clears the bits behind the prefix. */
export function mask(groups: number[], prefix: number): void {
  for (let i = 0; i < 8; i++) {
    const keep = Math.min(16, Math.max(0, prefix - i * 16));
    groups[i] = groups[i]! & (0xffff << (16 - keep)) & 0xffff;
  }
}

export const isMapped = (groups: readonly number[]): boolean =>
  groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);

/** RFC 5952: lower case, the first longest run of two or more zero groups cut, mapped addresses in dotted form (§5). */
export function ipv6Text(groups: readonly number[]): string {
  if (!isMapped(groups)) return ipv6Hex(groups);
  const [, , , , , , high = 0, low = 0] = groups;
  return `::ffff:${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** The same with no dotted form, as the URL standard writes a host. */
export function ipv6Hex(groups: readonly number[]): string {
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (groups[end] === 0) end++;
    if (end - i > length) {
      start = i;
      length = end - i;
    }
    i = Math.max(i, end);
  }
  const hex = groups.map((group) => group.toString(16));
  return start < 0 ? hex.join(':') : `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

/** First and last address of an address or network, as texts of one length, so that text order is their order. */
export interface IpRange {
  readonly version: 4 | 6;
  readonly first: string;
  readonly last: string;
}

/** Undefined for what is neither an address nor a network. */
export function ipRange(text: string): IpRange | undefined {
  const network = splitCidr(text);
  const address = network?.address ?? text;
  if (isIPv4(address)) {
    const prefix = network?.prefix ?? 32;
    if (prefix > 32) return undefined;
    const bits = ipv4Number(address);
    const size = 2 ** (32 - prefix);
    const first = bits - (bits % size);
    return { version: 4, first: hexOf(first, 8), last: hexOf(first + size - 1, 8) };
  }
  if (!isIPv6(address) || address.includes('%')) return undefined;
  const prefix = network?.prefix ?? 128;
  if (prefix > 128) return undefined;
  const first = ipv6Groups(address);
  mask(first, prefix);
  const last = first.map((group, i) => group | (0xffff >> Math.min(16, Math.max(0, prefix - i * 16))));
  return { version: 6, first: groupsHex(first), last: groupsHex(last) };
}

export function overlaps(a: IpRange, b: IpRange): boolean {
  return a.version === b.version && a.first <= b.last && b.first <= a.last;
}

/** The addresses of version 4 that stand inside such of version 6: mapped, compatible, translated, NAT64 and 6to4. */
export function embedded(range: IpRange): IpRange | undefined {
  if (range.version === 4) return undefined;
  for (const { before, at } of EMBEDDINGS) {
    if (!range.first.startsWith(before)) continue;
    // A network wider than the embedding holds all of IPv4.
    if (!range.last.startsWith(before)) return { version: 4, first: '00000000', last: 'ffffffff' };
    return { version: 4, first: range.first.slice(at, at + 8), last: range.last.slice(at, at + 8) };
  }
  return undefined;
}

const EMBEDDINGS = [
  { before: `${'0'.repeat(20)}ffff`, at: 24 },
  { before: '0'.repeat(24), at: 24 },
  { before: `${'0'.repeat(16)}ffff0000`, at: 24 },
  { before: `0064ff9b${'0'.repeat(16)}`, at: 24 },
  { before: '2002', at: 4 },
];

const hexOf = (number: number, digits: number): string => number.toString(16).padStart(digits, '0');
const groupsHex = (groups: readonly number[]): string => groups.map((group) => hexOf(group, 4)).join('');
