// What no partner may put on a watchlist: values that name nobody in particular, or ourselves, or that stand on a list of
// ours. No source overrides it. A list either refuses or only notes; our own ground is always refused.
import { getPublicSuffix } from 'tldts-icann';
import { embedded, ipRange, type IpRange, overlaps } from '../model/ip.ts';
import { BUILT_IN_LISTS } from '../model/listed-value.ts';
import { hostOf, type Observable } from '../model/observable.ts';
import { builtInLists } from './built-in-lists.ts';
import { ListIndex } from './list-index.ts';
import { SPECIAL, SPECIAL_OCTETS } from './special-addresses.ts';
import type { NamedList } from './warninglist.ts';

type ListAction = 'refuse' | 'note';

/** Values, networks and domains of the configuration. They always refuse. */
const CONFIGURED_LIST = 'configured';

/** Warninglists that refuse unless the configuration says otherwise; all others note. */
const REFUSING_LISTS: ReadonlySet<string> = new Set(['public-dns-v4', 'public-dns-v6', 'empty-hashes', 'tlds']);

export const actionOf = (list: string, actions: NeverBlockRules['actions']): ListAction => {
  if (list === CONFIGURED_LIST) return 'refuse';
  const usual = REFUSING_LISTS.has(list) || BUILT_IN_LISTS.some((one) => one === list) ? 'refuse' : 'note';
  return actions[list] ?? usual;
};

/** No file of the configured folder may take such a name. */
export const isOurListName = (name: string): boolean =>
  name === CONFIGURED_LIST || BUILT_IN_LISTS.some((one) => one === name);

export interface NeverBlockRules {
  /** By list; left out: as usual. */
  readonly actions: Readonly<Record<string, ListAction>>;
  readonly own: Own;
  /** Hosts that our own configuration names. */
  readonly hosts?: readonly string[];
  readonly configured?: Configured;
  /** Folder of warninglists. */
  readonly lists?: string;
  /** What stands in that folder, read by who keeps the state. */
  readonly files?: Pick<ListIndex, 'find'>;
}

/** A domain covers what is below it, `=domain` only itself. */
export interface Configured {
  readonly values: readonly string[];
  readonly cidrs: readonly string[];
  readonly domains: readonly string[];
}

/** Our own ground. Networks as CIDR; a domain covers what is below it, `=domain` only itself. */
export interface Own {
  readonly networks: readonly string[];
  readonly domains: readonly string[];
}

export interface Finding {
  readonly list: string;
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

/**
 * Lists that name the value and only note, for who looks at it in a SIEM. Not `documentation`: who lets that note tries
 * something, and knows.
 */
export function notedLists(observable: Observable, rules: NeverBlockRules): readonly string[] {
  const findings = neverBlock(observable, rules);
  if (findings.length === 0) return NO_LISTS;
  const noted = findings.filter(({ action, list }) => action === 'note' && list !== 'documentation');
  return [...new Set(noted.map(({ list }) => list))];
}

const NO_LISTS: readonly string[] = [];

/** What one exchange or SIEM adds for itself. */
export function neverBlockAlso(observable: Observable, also: Configured): readonly Finding[] {
  const index = indexOf(also, () => listsOf(also));
  return found(observable, index, {});
}

/** Our own ground, and what has a meaning only there: nothing of it is told to anybody, whatever stands on watchlists. */
export function isOurGround(observable: Observable, own: Own): boolean {
  return ofGround(observable, own).some(({ list }) => list === 'own_hosts' || list === 'special_addresses');
}

let last:
  | { readonly type: string; readonly value: string; rules: NeverBlockRules; findings: readonly Finding[] }
  | undefined;

const NONE: readonly Finding[] = [];

function look(observable: Observable, rules: NeverBlockRules): readonly Finding[] {
  const { own, actions, files } = rules;
  const ground = ofGround(observable, own);
  const ours = indexOf(rules, () => [
    ...(rules.configured === undefined ? [] : listsOf(rules.configured)),
    { name: 'own_hosts', type: 'host', entries: rules.hosts ?? [] },
  ]);
  const lists = [builtInLists(), ours, ...(files === undefined ? [] : [files])];
  let findings = NONE;
  for (const index of lists) {
    const more = found(observable, index, actions);
    if (more.length > 0) findings = [...findings, ...more];
  }
  if (ground.length === 0) return findings;
  const host = hostOf(observable) ?? observable.value;
  return [
    ...ground.map(({ list, what, always }) => ({
      list,
      action: always ? ('refuse' as const) : actionOf(list, actions),
      reason: reasonOf(host, what, list),
    })),
    ...findings,
  ];
}

function found(
  observable: Observable,
  index: Pick<ListIndex, 'find'>,
  actions: NeverBlockRules['actions'],
): readonly Finding[] {
  const listed = index.find(observable);
  if (listed.length === 0) return NONE;
  return listed.flatMap(({ list, what, within }) => {
    const action = actionOf(list, actions);
    // A network goes with any address that may not be armed; that some are worth a note says nothing of all.
    return within || action === 'refuse' ? [{ list, action, reason: reasonOf(observable.value, what, list) }] : [];
  });
}

const reasonOf = (value: string, what: string, list: string): string => `${value} ${what} (never-block list ${list})`;

function listsOf({ values, cidrs, domains }: Configured): NamedList[] {
  const name = CONFIGURED_LIST;
  return [
    { name, type: 'string', entries: values },
    { name, type: 'cidr', entries: cidrs },
    { name, type: 'hostname', entries: domains.filter((one) => !one.startsWith('=')) },
    { name, type: 'host', entries: domains.filter((one) => one.startsWith('=')).map((one) => one.slice(1)) },
  ];
}

const indexes = new WeakMap<object, ListIndex>();

function indexOf(of: object, lists: () => NamedList[]): ListIndex {
  let index = indexes.get(of);
  if (index === undefined) {
    index = new ListIndex(lists());
    indexes.set(of, index);
  }
  return index;
}

interface Ground {
  readonly list: 'special_addresses' | 'documentation' | 'public_suffixes' | 'own_hosts';
  readonly what: string;
  /** Whatever the configuration says. */
  readonly always?: boolean;
}

/** What is known without any list: the special ranges, suffixes, and our own networks and domains. */
function ofGround(observable: Observable, own: Own): readonly Ground[] {
  if (isPlain(observable, own)) return NO_GROUND;
  const host = hostOf(observable);
  if (host === undefined) return NO_GROUND;
  const range = ipRange(host);
  return range === undefined ? ofName(host, observable.type === 'domain-name', own) : ofAddress(host, range, own);
}

const NO_GROUND: readonly Ground[] = [];

function ofAddress(text: string, range: IpRange, own: Own): Ground[] {
  const inner = embedded(range);
  const found: Ground[] = [];
  const add = (list: Ground['list'], what: string, always = false) => {
    if (!found.some((one) => one.list === list)) found.push({ list, what, always });
  };
  const meets = (other: IpRange) => overlaps(range, other) || (inner !== undefined && overlaps(inner, other));
  for (const other of ownOf(own).networks) if (meets(other)) add('own_hosts', 'is our own ground', true);
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

function ofName(host: string, alone: boolean, own: Own): Ground[] {
  const found: Ground[] = [];
  const { domains, names } = ownOf(own);
  if (names.has(host) || under(host, domains))
    found.push({ list: 'own_hosts', what: 'is our own ground', always: true });
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
