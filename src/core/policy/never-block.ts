// What no partner may put on a watchlist: values that name nobody in particular, or ourselves. No source overrides it.
// A list either refuses or only notes; our own ground is always refused.
import { getPublicSuffix } from 'tldts-icann';
import { embedded, ipRange, type IpRange, overlaps } from '../model/ip.ts';
import { hostOf, type Observable } from '../model/observable.ts';

/** Built-in lists whose action the configuration may set. */
const BUILT_IN_LISTS = ['special_addresses', 'documentation', 'public_suffixes'] as const;
export type BuiltInList = (typeof BUILT_IN_LISTS)[number];
export type ListName = BuiltInList | 'own_hosts';
export type ListAction = 'refuse' | 'note';

export interface NeverBlockRules {
  /** Left out: refuse. */
  readonly actions: Readonly<Partial<Record<BuiltInList, ListAction>>>;
  readonly own: Own;
}

/** Our own ground. Networks as CIDR; a domain covers what is below it, `=domain` only itself. */
export interface Own {
  readonly networks: readonly string[];
  readonly domains: readonly string[];
}

export interface Finding {
  readonly list: ListName;
  readonly action: ListAction;
  /** For people: `127.0.0.1 is a loopback address (never-block list special_addresses)`. */
  readonly reason: string;
}

/** Every list that the value stands on. Nearly always none. */
export function neverBlock(observable: Observable, rules: NeverBlockRules): readonly Finding[] {
  // One value is judged for every claim and every SIEM in turn.
  if (last !== undefined && last.rules === rules && last.value === observable.value && last.type === observable.type)
    return last.findings;
  const findings = look(observable, rules);
  last = { type: observable.type, value: observable.value, rules, findings };
  return findings;
}

/** Our own ground, and what has a meaning only there: nothing of it is told to anybody, whatever stands on watchlists. */
export function isOurGround(observable: Observable, own: Own): boolean {
  return look(observable, { actions: {}, own }).some(
    ({ list }) => list === 'own_hosts' || list === 'special_addresses',
  );
}

let last:
  | { readonly type: string; readonly value: string; rules: NeverBlockRules; findings: readonly Finding[] }
  | undefined;

const NONE: readonly Finding[] = [];

function look(observable: Observable, { actions, own }: NeverBlockRules): readonly Finding[] {
  if (isPlain(observable, own)) return NONE;
  const host = hostOf(observable);
  if (host === undefined) return NONE;
  const range = ipRange(host);
  const found =
    range === undefined ? ofName(host, observable.type === 'domain-name', own) : ofAddress(host, range, own);
  if (found.length === 0) return NONE;
  return found.map(({ list, what }) => ({
    list,
    action: list === 'own_hosts' ? 'refuse' : (actions[list] ?? 'refuse'),
    reason: `${host} ${what} (never-block list ${list})`,
  }));
}

interface Found {
  readonly list: ListName;
  readonly what: string;
}

function ofAddress(text: string, range: IpRange, own: Own): Found[] {
  const inner = embedded(range);
  const found: Found[] = [];
  const add = (list: ListName, what: string) => {
    if (!found.some((one) => one.list === list)) found.push({ list, what });
  };
  const meets = (other: IpRange) => overlaps(range, other) || (inner !== undefined && overlaps(inner, other));
  for (const other of ownOf(own).networks) if (meets(other)) add('own_hosts', 'is our own ground');
  const wide = text.includes('/');
  for (const { range: other, list, what } of SPECIAL) {
    if (meets(other)) add(list, wide ? `is a network of or with ${what} addresses` : `is ${article(what)} address`);
  }
  return found;
}

/** Most addresses of a feed lie where no range is: their first number alone tells. */
function isPlain({ type, value }: Observable, own: Own): boolean {
  if (type !== 'ipv4-addr' || own.networks.length > 0 || value.includes('/')) return false;
  return !SPECIAL_OCTETS.has(Number(value.slice(0, value.indexOf('.'))));
}

const article = (what: string): string => `${/^[aeiou]/.test(what) ? 'an' : 'a'} ${what}`;

function ofName(host: string, alone: boolean, own: Own): Found[] {
  const found: Found[] = [];
  const { domains, names } = ownOf(own);
  if (names.has(host) || under(host, domains)) found.push({ list: 'own_hosts', what: 'is our own ground' });
  if (LOCAL_ENDS.has(host.slice(host.lastIndexOf('.') + 1)) && under(host, LOCAL_NAMES))
    found.push({ list: 'special_addresses', what: 'is a name with a meaning only locally' });
  if (!host.includes('.'))
    found.push({ list: 'public_suffixes', what: 'has one label, which is no domain of anybody' });
  // An address or a page below a suffix names somebody; the suffix as a domain names everybody.
  else if (alone && getPublicSuffix(host, AS_GIVEN) === host)
    found.push({ list: 'public_suffixes', what: 'is a public suffix' });
  return found;
}

const AS_GIVEN = { extractHostname: false, validateHostname: false, detectIp: false } as const;

/** The name itself or a parent of it is in the set. */
function under(host: string, set: ReadonlySet<string>): boolean {
  if (set.size === 0) return false;
  for (let name = host; ; name = name.slice(name.indexOf('.') + 1)) {
    if (set.has(name)) return true;
    if (!name.includes('.')) return false;
  }
}

interface CompiledOwn {
  readonly networks: readonly IpRange[];
  readonly domains: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
}

const compiled = new WeakMap<Own, CompiledOwn>();

function ownOf(own: Own): CompiledOwn {
  let made = compiled.get(own);
  if (made === undefined) {
    made = {
      networks: own.networks.map(ipRange).filter((one) => one !== undefined),
      domains: new Set(own.domains.filter((one) => !one.startsWith('='))),
      names: new Set(own.domains.filter((one) => one.startsWith('=')).map((one) => one.slice(1))),
    };
    compiled.set(own, made);
  }
  return made;
}

/** RFC 6761, RFC 6762, RFC 8375, and the top-level domain that ICANN reserved for private use. `.example` and `.test` stay. */
const LOCAL_NAMES: ReadonlySet<string> = new Set(['localhost', 'localdomain', 'local', 'internal', 'home.arpa']);

const LOCAL_ENDS: ReadonlySet<string> = new Set(
  Array.from(LOCAL_NAMES, (name) => name.slice(name.lastIndexOf('.') + 1)),
);

interface Special {
  readonly list: 'special_addresses' | 'documentation';
  readonly what: string;
  readonly range: IpRange;
}

// The IANA special-purpose registries for IPv4 and IPv6, and multicast. The first that fits is named, so what is
// narrower stands before what holds it.
const SPECIAL: readonly Special[] = [
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

const SPECIAL_OCTETS: ReadonlySet<number> = new Set(
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
