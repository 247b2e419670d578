// IP addresses as the product compares them: sixteen bytes, IPv4 mapped into IPv6. Hexadecimal text keeps the order.
import { isIP } from 'node:net';

export interface AddressRange {
  readonly from: string;
  readonly to: string;
}

/** 32 hexadecimal digits, or undefined when the text is no address. */
export function addressKey(text: string): string | undefined {
  const kind = isIP(text);
  if (kind === 4) return `00000000000000000000ffff${ipv4Hex(text)}`;
  if (kind !== 6 || text.includes('%')) return undefined;
  let six = text.toLowerCase();
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(six);
  if (dotted !== null) {
    const hex = ipv4Hex(dotted[2]!);
    six = `${dotted[1]}${hex.slice(0, 4)}:${hex.slice(4)}`;
  }
  const [head = '', tail] = six.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(zeros).fill('0'), ...right].map((group) => group.padStart(4, '0')).join('');
}

export function networkRange(text: string): AddressRange | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const key = addressKey(text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (key === undefined || !/^\d{1,3}$/.test(length)) return undefined;
  const bits = Number(length) + (isIP(text.slice(0, slash)) === 4 ? 96 : 0);
  if (bits > 128) return undefined;
  const host = (1n << BigInt(128 - bits)) - 1n;
  const value = BigInt(`0x${key}`);
  const hex = (number: bigint) => number.toString(16).padStart(32, '0');
  return { from: hex(value & ~host), to: hex(value | host) };
}

function ipv4Hex(text: string): string {
  return text
    .split('.')
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('');
}
