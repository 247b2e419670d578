// Addresses that mean the same thing to everybody, or nothing: the IANA special-purpose registries for IPv4 and IPv6,
// multicast, and what documents and measurements use.
import { ipRange, type IpRange } from '../model/ip.ts';

interface Special {
  readonly list: 'special_addresses' | 'documentation';
  readonly what: string;
  readonly range: IpRange;
}

// The first that fits is named, so what is narrower stands before what holds it.
export const SPECIAL: readonly Special[] = [
  ...special('special_addresses', {
    unspecified: '0.0.0.0/32 ::/128',
    // Before what holds ::1 in its IPv4-compatible form.
    loopback: '127.0.0.0/8 ::1/128',
    'this-network': '0.0.0.0/8',
    private: '10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10',
    shared: '100.64.0.0/10',
    'link-local': '169.254.0.0/16 fe80::/10',
    broadcast: '255.255.255.255/32',
    multicast: '224.0.0.0/4 ff00::/8',
    'special-purpose': `192.0.0.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.175.48.0/24
      64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2620:4f:8000::/48 5f00::/16`,
  }),
  ...special('documentation', {
    documentation: '192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20',
    benchmarking: '198.18.0.0/15',
  }),
  // 240.0.0.0/4 but its last address.
  {
    list: 'documentation',
    what: 'reserved (future use)',
    range: { version: 4, first: 'f0000000', last: 'fffffffe' },
  },
];

/** First numbers of addresses of version 4 that may be special: most addresses of a feed have another. */
export const SPECIAL_OCTETS: ReadonlySet<number> = new Set(
  SPECIAL.filter(({ range }) => range.version === 4).flatMap(({ range }) => {
    const [first, last] = [range.first, range.last].map((one) => Number.parseInt(one.slice(0, 2), 16));
    return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
  }),
);

function special(list: Special['list'], ranges: Readonly<Record<string, string>>): Special[] {
  return Object.entries(ranges).flatMap(([what, texts]) =>
    texts.split(/\s+/).flatMap((text) => {
      const range = ipRange(text);
      return range === undefined ? [] : [{ list, what, range }];
    }),
  );
}
