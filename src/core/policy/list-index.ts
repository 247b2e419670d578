// Never-block lists made ready for looking up: hundreds of thousands of entries, asked for every value that comes, so
// each look goes through maps and one search, never through the entries. Entries that mean nothing or everything are
// left out and told.
import { embedded, ipRange } from '../model/ip.ts';
import type { Observable } from '../model/observable.ts';
import { hostOf } from '../model/observable.ts';
import { type AddressFound, type AddressIndex, AddressIndexBuilder } from './address-index.ts';
import { LinearPattern } from './linear-pattern.ts';
import { isCatchAll, kindOf, type ListedValue, listedValue, type ValueKind } from '../model/listed-value.ts';
import { SubstringIndex } from './substring-index.ts';
import type { NamedList } from './warninglist.ts';

/** What became of a list's entries. */
export interface ListReport {
  readonly name: string;
  entries: number;
  leftOut: number;
  /** The first few of what was left out, each with its reason. */
  readonly problems: string[];
}

export interface Listed {
  readonly list: string;
  /** For people, to follow the value: `is listed`, `lies below example.org`. */
  readonly what: string;
  /** Of a network: all of it, and not only a part. */
  readonly within: boolean;
}

const MOST_TOLD = 5;
const MOST_PATTERN_STEPS = 20_000;
/** Names, URLs, mail addresses and hashes of all lists together: some 90 bytes each, in a heap that is bounded. */
const MOST_TEXTS = 500_000;

/** One list, or several that have the entry in common. */
type Lists = number | readonly number[];
type Names = Map<string, Lists>;

export class ListIndex {
  readonly reports: readonly ListReport[];
  readonly #names: readonly string[];
  readonly #addresses: AddressIndex;
  readonly #exact: Readonly<Record<Exclude<ValueKind, 'address'>, Names>> = {
    name: new Map(),
    url: new Map(),
    mail: new Map(),
    hash: new Map(),
  };
  readonly #hosts: Names = new Map();
  readonly #suffixes: Names = new Map();
  readonly #substrings = new SubstringIndex();
  readonly #patterns: {
    readonly pattern: LinearPattern;
    readonly list: number;
    readonly kinds: ReadonlySet<ValueKind> | undefined;
  }[] = [];
  #patternSteps = 0;
  #texts = 0;

  constructor(lists: Iterable<NamedList>) {
    const names: string[] = [];
    const reports: ListReport[] = [];
    const addresses = new AddressIndexBuilder();
    for (const list of lists) {
      const report: ListReport = { name: list.name, entries: 0, leftOut: 0, problems: [] };
      const number = names.push(list.name) - 1;
      reports.push(report);
      if (list.entries.length === 0) report.problems.push('it has no entries, and names nothing');
      for (const entry of list.entries) {
        const problem = this.#add(entry, number, list, addresses);
        if (problem === undefined) report.entries++;
        else {
          report.leftOut++;
          if (report.problems.length < MOST_TOLD)
            report.problems.push(`${entry.slice(0, 80) || 'an entry'}: ${problem}`);
        }
      }
    }
    this.#names = names;
    this.reports = reports;
    this.#addresses = addresses.build();
  }

  /** Every list that the value stands on. Nearly always none. */
  find(observable: Observable): readonly Listed[] {
    const { type, value } = observable;
    const kind = kindOf(type);
    if (kind === 'address') {
      // The usual case needs neither host nor range.
      if (type === 'ipv4-addr' && !value.includes('/') && !this.#looks) {
        const found = this.#addresses.findIPv4(value);
        return found.length === 0 ? NONE : found.map((one) => this.#address(one));
      }
      return this.#unique([...this.#ofAddress(value), ...this.#ofText(value, kind)]);
    }
    const found: Listed[] = [];
    this.#note(found, this.#exact[kind].get(value), 'is listed');
    const host = kind === 'hash' ? undefined : hostOf(observable);
    if (host !== undefined) found.push(...this.#ofHost(host));
    found.push(...this.#ofText(value, kind));
    return found.length === 0 ? NONE : this.#unique(found);
  }

  /** Texts are looked through, too. */
  get #looks(): boolean {
    return this.#substrings.size > 0 || this.#patterns.length > 0;
  }

  #ofHost(host: string): Listed[] {
    const last = host.charCodeAt(host.length - 1);
    // No name ends with a digit label, and no address of version 6 is without a colon.
    if ((last >= 48 && last <= 57) || host.includes(':')) {
      const found = this.#ofAddress(host);
      if (found.length > 0 || host.includes(':')) return found;
    }
    const found: Listed[] = [];
    this.#note(found, this.#hosts.get(host), 'is listed');
    if (this.#suffixes.size === 0) return found;
    for (let name = host; ; name = name.slice(name.indexOf('.') + 1)) {
      this.#note(found, this.#suffixes.get(name), name === host ? 'is listed' : `lies below ${name}`);
      if (!name.includes('.')) return found;
    }
  }

  #ofAddress(text: string): Listed[] {
    const range = ipRange(text);
    if (range === undefined) return [];
    const inner = embedded(range);
    return [range, ...(inner === undefined ? [] : [inner])].flatMap((one) =>
      this.#addresses.find(one).map((found) => this.#address(found)),
    );
  }

  #address({ list, within }: AddressFound): Listed {
    return { list: this.#names[list]!, what: within ? 'is listed' : 'holds listed addresses', within };
  }

  #ofText(value: string, kind: ValueKind): Listed[] {
    if (!this.#looks) return [];
    const found: Listed[] = [];
    for (const { list, entry } of this.#substrings.find(value, kind))
      found.push({ list: this.#names[list]!, what: `has ${entry} in it`, within: true });
    for (const { pattern, list, kinds } of this.#patterns)
      if ((kinds === undefined || kinds.has(kind)) && pattern.test(value))
        found.push({ list: this.#names[list]!, what: 'matches one of its patterns', within: true });
    return found;
  }

  #note(found: Listed[], lists: Lists | undefined, what: string): void {
    if (lists === undefined) return;
    for (const list of typeof lists === 'number' ? [lists] : lists)
      found.push({ list: this.#names[list]!, what, within: true });
  }

  /** Each list once, all of a network before a part of it. */
  #unique(found: readonly Listed[]): readonly Listed[] {
    if (found.length < 2) return found;
    const first = new Map<string, Listed>();
    for (const one of found)
      if (first.get(one.list)?.within !== true)
        first.set(one.list, first.get(one.list) !== undefined && !one.within ? first.get(one.list)! : one);
    return [...first.values()];
  }

  /** Why it was left out. */
  #add(entry: string, list: number, { type, kinds }: NamedList, addresses: AddressIndexBuilder): string | undefined {
    if (entry.trim() === '') return 'it is empty or no text';
    if (type === 'regex') return this.#addPattern(entry, list, kinds);
    if (type === 'substring') return this.#substrings.add(entry.trim().toLowerCase(), list, kinds);
    // In MISP a name may stand with the dot before it that means what is below.
    const value = listedValue(type === 'hostname' ? entry.trim().replace(/^\*?\./, '') : entry);
    if (value === undefined) return 'it is no address, network, name, URL, mail address or hash';
    if (kinds !== undefined && !kinds.has(value.kind)) return `it is no value of the kinds that the list is for`;
    if (value.kind === 'address') return this.#addAddress(value, list, addresses);
    if (type === 'cidr') return 'it is no address or network';
    if (++this.#texts > MOST_TEXTS) return `all lists together have more than ${MOST_TEXTS} names and other texts`;
    if (value.kind === 'name' && type === 'hostname') join(this.#suffixes, value.value, list);
    else if (value.kind === 'name' && type === 'host') join(this.#hosts, value.value, list);
    else join(this.#exact[value.kind], value.value, list);
    return undefined;
  }

  #addAddress(
    { range }: ListedValue & { kind: 'address' },
    list: number,
    addresses: AddressIndexBuilder,
  ): string | undefined {
    if (isCatchAll(range)) return 'it covers nearly everything';
    addresses.add(range, list);
    const inner = embedded(range);
    if (inner !== undefined && !isCatchAll(inner)) addresses.add(inner, list);
    return undefined;
  }

  #addPattern(entry: string, list: number, kinds: ReadonlySet<ValueKind> | undefined): string | undefined {
    const pattern = LinearPattern.read(entry.trim());
    if ('refused' in pattern) return pattern.refused;
    this.#patternSteps += pattern.steps;
    if (this.#patternSteps > MOST_PATTERN_STEPS) return 'all patterns together are too long';
    this.#patterns.push({ pattern, list, kinds });
    return undefined;
  }
}

const NONE: readonly Listed[] = [];

function join(names: Names, value: string, list: number): void {
  const before = names.get(value);
  if (before === undefined) names.set(value, list);
  else if (typeof before === 'number') {
    if (before !== list) names.set(value, [before, list]);
  } else if (!before.includes(list)) names.set(value, [...before, list]);
}
