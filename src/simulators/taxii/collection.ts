// One collection: its rights and its objects in the order they were added. Filters and order follow TAXII 2.1 §3.3
// to §3.5: ascending by date added, strictly after `added_after`, the newest version of each object unless told
// otherwise.
import { sha256 } from '../../core/runtime/ids.ts';
import type { StixObject } from '../stix-object.ts';
import type { Filter } from './query.ts';
import { Rows } from './rows.ts';
import { comparableTime, formatStamp } from './stamp.ts';

export interface CollectionInfo {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly alias?: string;
  readonly can_read: boolean;
  readonly can_write: boolean;
}

/** A place in the order: the page goes on behind it. Rows break the tie between equal dates. */
export interface Place {
  readonly date: number;
  readonly row: number;
}

export type Added = 'added' | 'already there' | 'another content under this version';

export class Collection {
  readonly info: CollectionInfo;
  readonly rows = new Rows();
  readonly #newest = new Map<string, number>();
  /** Row numbers by date, only once an object came with an earlier date than its predecessor. */
  #order: number[] | undefined;
  #live = 0;

  constructor(info: CollectionInfo) {
    this.info = info;
  }

  get count(): number {
    return this.#live;
  }

  get lastDate(): number {
    return this.rows.length === 0 ? 0 : this.rows.date(this.#at(this.rows.length - 1));
  }

  /** `force` keeps another content under a known id and version too, as partners' exchanges have it. */
  add(object: StixObject, date: number, force = false): Added {
    const text = JSON.stringify(object);
    const stated = versionOf(object);
    const newest = this.#newest.get(object.id) ?? -1;
    for (let row = newest; row >= 0; row = this.rows.previous(row)) {
      if (this.rows.gone(row)) continue;
      if (this.rows.text(row).equals(Buffer.from(text))) return 'already there';
      if (stated !== undefined && this.rows.versions[row] === stated && !force)
        return 'another content under this version';
    }
    const version = stated ?? formatStamp(date);
    const type = TYPES.get(object.type) ?? object.type;
    const outOfOrder = this.rows.length > 0 && date < this.lastDate;
    const row = this.rows.add(object.id, type, version, text, date, newest, isSpec20(object));
    TYPES.set(type, type);
    this.#newest.set(this.rows.ids[row]!, row);
    for (let one = newest < 0 ? -1 : row; one >= 0; one = this.rows.previous(one)) this.rows.markSeveral(one);
    if (this.#order !== undefined || outOfOrder) this.#insert(row, date);
    this.#live += 1;
    return 'added';
  }

  /** Removes the versions of an object that fit; answers how many there were. */
  remove(id: string, fits: (row: number) => boolean = () => true): number {
    let removed = 0;
    for (const row of this.versionsOf(id).filter(fits)) {
      this.rows.remove(row);
      removed += 1;
    }
    this.#live -= removed;
    return removed;
  }

  /** The live rows of an id, newest arrival first. */
  versionsOf(id: string): number[] {
    const found: number[] = [];
    for (let row = this.#newest.get(id) ?? -1; row >= 0; row = this.rows.previous(row))
      if (!this.rows.gone(row)) found.push(row);
    return found;
  }

  /** Up to `most` rows that pass, behind `place` or behind `added_after`; `more` says whether another would pass. */
  page(
    filter: Filter,
    options: { place?: Place; most: number; inclusive?: boolean; hidden?: number | undefined },
  ): { rows: number[]; more: boolean } {
    const passes = this.test(filter);
    const rows: number[] = [];
    const candidates = filter.ids?.length === 1 ? this.#ordered(this.versionsOf(filter.ids[0]!)) : undefined;
    const total = candidates?.length ?? this.rows.length;
    const rowAt = (index: number): number => (candidates === undefined ? this.#at(index) : candidates[index]!);
    for (let index = this.#start(filter, options, total, rowAt); index < total; index++) {
      const row = rowAt(index);
      if (row === options.hidden || !passes(row)) continue;
      if (rows.length === options.most) return { rows, more: true };
      rows.push(row);
    }
    return { rows, more: false };
  }

  /** Whether a row is live and passes the match fields. */
  test(filter: Filter): (row: number) => boolean {
    const ids = filter.ids === undefined ? undefined : new Set(filter.ids);
    const types = filter.types === undefined ? undefined : new Set(filter.types);
    return (row) =>
      !this.rows.gone(row) &&
      (ids === undefined || ids.has(this.rows.ids[row]!)) &&
      (types === undefined || types.has(this.rows.types[row]!)) &&
      this.#specFits(row, filter) &&
      this.#versionFits(row, filter);
  }

  /** Without match[spec_version]: the newest specification version the server has of that object (§3.4). */
  #specFits(row: number, filter: Filter): boolean {
    const spec = this.rows.specVersion(row);
    if (filter.specVersions !== undefined) return filter.specVersions.includes(spec);
    if (spec === '2.1' || !this.rows.several(row)) return true;
    return this.versionsOf(this.rows.ids[row]!).every((other) => this.rows.specVersion(other) === '2.0');
  }

  #versionFits(row: number, filter: Filter): boolean {
    const wanted = filter.versions;
    if (wanted.includes('all')) return true;
    const version = this.rows.versions[row]!;
    if (wanted.some((one) => comparableTime(one) === comparableTime(version))) return true;
    if (!this.rows.several(row)) return wanted.includes('last') || wanted.includes('first');
    const siblings = this.versionsOf(this.rows.ids[row]!).filter((other) => this.#specFits(other, filter));
    return (
      (wanted.includes('last') && this.#extreme(siblings, 1) === row) ||
      (wanted.includes('first') && this.#extreme(siblings, -1) === row)
    );
  }

  /** The row with the highest (1) or lowest (-1) version; of equal versions the later arrival. */
  #extreme(rows: readonly number[], direction: 1 | -1): number | undefined {
    let best: number | undefined;
    for (const row of rows) {
      const [a, b] = [comparableTime(this.rows.versions[row]!), comparableTime(this.rows.versions[best ?? row]!)];
      if (best === undefined || (direction === 1 ? a > b : a < b)) best = row;
    }
    return best;
  }

  /** Index of the first row behind the place, or behind added_after: a binary search, since rows are in order. */
  #start(
    filter: Filter,
    options: { place?: Place; inclusive?: boolean },
    total: number,
    rowAt: (index: number) => number,
  ): number {
    const { place } = options;
    const after = filter.addedAfter;
    const behind = (row: number): boolean => {
      const date = this.rows.date(row);
      if (place !== undefined) return date > place.date || (date === place.date && row > place.row);
      if (after === undefined) return true;
      return options.inclusive === true ? date >= after : date > after;
    };
    let low = 0;
    for (let high = total; low < high; ) {
      const middle = (low + high) >>> 1;
      if (behind(rowAt(middle))) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #at(index: number): number {
    return this.#order === undefined ? index : this.#order[index]!;
  }

  #ordered(rows: number[]): number[] {
    return rows.sort((a, b) => this.rows.date(a) - this.rows.date(b) || a - b);
  }

  #insert(row: number, date: number): void {
    this.#order ??= Array.from({ length: row }, (_, index) => index);
    let low = 0;
    for (let high = this.#order.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if (this.rows.date(this.#order[middle]!) > date) high = middle;
      else low = middle + 1;
    }
    this.#order.splice(low, 0, row);
  }
}

/** One string per type name, however many objects carry it. */
const TYPES = new Map<string, string>();

export function versionOf(object: StixObject): string | undefined {
  const version = object['modified'] ?? object['created'];
  return typeof version === 'string' ? version : undefined;
}

/** STIX 2.0 states its version on the bundle only; cyber observables have neither `created` nor, always, a version. */
function isSpec20(object: StixObject): boolean {
  if (typeof object['spec_version'] === 'string') return object['spec_version'] === '2.0';
  return object['created'] !== undefined;
}

/** A UUIDv4 by form, always the same for the same text. */
export function uuidOf(text: string): string {
  const hex = sha256(text);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
