// Element types: what a set of each type takes, and how it stores it.
import { isIPv4, isIPv6 } from 'node:net';

export const ELEMENT_TYPES = ['ALN', 'ALNIC', 'NUM', 'IP', 'PORT', 'DATE', 'CIDR'] as const;
export type ElementType = (typeof ELEMENT_TYPES)[number];

/** The type of this name in this API version; CIDR came with 21.0. */
export function elementType(text: unknown, version: string): ElementType | undefined {
  const type = ELEMENT_TYPES.find((known) => known === text);
  return type === 'CIDR' && Number(version) < 21 ? undefined : type;
}

/** The stored form, or undefined when the value does not fit the type. */
export function store(type: ElementType, value: string): string | undefined {
  switch (type) {
    case 'ALN':
      return value;
    case 'ALNIC':
      return value.toLowerCase();
    case 'IP':
      return isIPv4(value) ? value : undefined;
    case 'NUM':
      return value.trim() !== '' && Number.isFinite(Number(value)) ? String(Number(value)) : undefined;
    case 'PORT':
      return /^\d{1,5}$/.test(value) && Number(value) <= 65_535 ? String(Number(value)) : undefined;
    case 'DATE':
      return /^\d+$/.test(value) ? value : undefined;
    case 'CIDR': {
      const [address, bits] = value.split('/');
      return isIPv4(address ?? '') && /^\d{1,2}$/.test(bits ?? '') && Number(bits) <= 32 ? value : undefined;
    }
    default:
      return type satisfies never;
  }
}

/** Events print IPv6 as eight groups without leading zeros, never compressed. Other texts stay as they are. */
export function printed(value: unknown): unknown {
  if (typeof value !== 'string' || !isIPv6(value) || value.includes('.')) return value;
  const [head = '', tail] = value.toLowerCase().split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [a, b] = [groups(head), groups(tail ?? '')];
  const filled = tail === undefined ? a : [...a, ...Array<string>(8 - a.length - b.length).fill('0'), ...b];
  return filled.map((group) => Number.parseInt(group, 16).toString(16)).join(':');
}

const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^years?$/, 365 * 86_400],
  [/^mon(th)?s?$/, 30 * 86_400],
  [/^weeks?$/, 7 * 86_400],
  [/^days?$/, 86_400],
  [/^hours?$/, 3_600],
  [/^min(ute)?s?$/, 60],
  [/^sec(ond)?s?$/, 1],
];

/** A time to live such as `1 month` or `2 days 3 hours`, in milliseconds; undefined when it is none. */
export function parseInterval(text: string): number | undefined {
  const parts = text.trim().split(/\s+/);
  if (parts.length === 0 || parts.length % 2 === 1) return undefined;
  let seconds = 0;
  for (let i = 0; i < parts.length; i += 2) {
    const unit = UNITS.find(([name]) => name.test(parts[i + 1] ?? ''));
    if (unit === undefined || !/^\d+(\.\d+)?$/.test(parts[i] ?? '')) return undefined;
    seconds += Number(parts[i]) * unit[1];
  }
  return seconds * 1000;
}

export function printInterval(ms: number): string {
  let left = Math.floor(ms / 1000);
  const part = (size: number): number => {
    const n = Math.floor(left / size);
    left -= n * size;
    return n;
  };
  const [years, months, days, hours, minutes] = [365 * 86_400, 30 * 86_400, 86_400, 3_600, 60].map(part);
  return `${years} years ${months} mons ${days} days ${hours} hours ${minutes} mins ${left.toFixed(2)} secs`;
}
