// Many addresses and networks, and on which of the lists each stands: one look costs the logarithm of their number,
// however they lie inside one another. Built once: the line of all addresses is cut wherever a network begins or ends,
// and each piece knows the lists that cover it.
import type { IpRange } from '../model/ip.ts';

/** Lists that an address stands on; `within` where all of a network does, and not only a part. */
export interface AddressFound {
  readonly list: number;
  readonly within: boolean;
}

const NONE: readonly AddressFound[] = [];
/** Bits for the number of a list in an event. */
const LIST_BITS = 2 ** 16;

export class AddressIndexBuilder {
  /** Where networks of version 4 begin and end, as numbers that sort by place: place, end before begin, list. */
  #events4: number[] = [];
  readonly #events6: string[] = [];

  add(range: IpRange, list: number): void {
    if (range.version === 4) {
      this.#events4.push(event4(Number.parseInt(range.first, 16), true, list));
      this.#events4.push(event4(Number.parseInt(range.last, 16) + 1, false, list));
      return;
    }
    this.#events6.push(`${range.first} 1 ${list}`, `${after(range.last)} 0 ${list}`);
  }

  build(): AddressIndex {
    const sets = new Sets();
    const events = Float64Array.from(this.#events4).sort();
    this.#events4 = [];
    const four = pieces(
      events.length,
      (i) => Math.floor(events[i]! / (2 * LIST_BITS)),
      (i) => ({ begins: Math.floor(events[i]! / LIST_BITS) % 2 === 1, list: events[i]! % LIST_BITS }),
      sets,
    );
    this.#events6.sort();
    const six = pieces(
      this.#events6.length,
      (i) => this.#events6[i]!.slice(0, 32),
      (i) => ({ begins: this.#events6[i]![33] === '1', list: Number(this.#events6[i]!.slice(35)) }),
      sets,
    );
    return new AddressIndex(
      Float64Array.from(four.starts),
      Uint32Array.from(four.sets),
      six.starts,
      six.sets,
      sets.all,
    );
  }
}

export class AddressIndex {
  readonly #starts4: Float64Array;
  readonly #sets4: Uint32Array;
  readonly #starts6: readonly string[];
  readonly #sets6: readonly number[];
  readonly #all: readonly (readonly AddressFound[])[];

  constructor(
    starts4: Float64Array,
    sets4: Uint32Array,
    starts6: readonly string[],
    sets6: readonly number[],
    all: readonly (readonly number[])[],
  ) {
    this.#starts4 = starts4;
    this.#sets4 = sets4;
    this.#starts6 = starts6;
    this.#sets6 = sets6;
    this.#all = all.map((lists) => lists.map((list) => ({ list, within: true })));
  }

  /** A canonical address of version 4. */
  findIPv4(text: string): readonly AddressFound[] {
    if (this.#starts4.length === 0) return NONE;
    let bits = 0;
    let octet = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === DOT) {
        bits = bits * 256 + octet;
        octet = 0;
      } else octet = octet * 10 + code - ZERO;
    }
    const piece = lastAtMost(this.#starts4, bits * 256 + octet);
    return piece < 0 ? NONE : this.#all[this.#sets4[piece]!]!;
  }

  find(range: IpRange): readonly AddressFound[] {
    return range.version === 4
      ? this.#between(this.#starts4, this.#sets4, Number.parseInt(range.first, 16), Number.parseInt(range.last, 16))
      : this.#between(this.#starts6, this.#sets6, range.first, range.last);
  }

  #between<T extends number | string>(
    starts: ArrayLike<T>,
    sets: ArrayLike<number>,
    first: T,
    last: T,
  ): readonly AddressFound[] {
    const from = lastAtMost(starts, first);
    const to = lastAtMost(starts, last);
    if (from === to) return from < 0 ? NONE : this.#all[sets[from]!]!;
    const pieces = to - Math.max(from, 0) + (from < 0 ? 2 : 1);
    const counts = new Map<number, number>();
    for (let piece = Math.max(from, 0); piece <= to; piece++)
      for (const { list } of this.#all[sets[piece]!]!) counts.set(list, (counts.get(list) ?? 0) + 1);
    return [...counts].map(([list, n]) => ({ list, within: n === pieces }));
  }
}

const DOT = 46;
const ZERO = 48;

const event4 = (at: number, begins: boolean, list: number): number => (at * 2 + (begins ? 1 : 0)) * LIST_BITS + list;

/** The address behind, as a text that sorts after every address where there is none. */
function after(last: string): string {
  if (/^f+$/.test(last)) return 'g'.repeat(last.length);
  return (BigInt(`0x${last}`) + 1n).toString(16).padStart(last.length, '0');
}

/** Index of the last one that is no greater; -1 where all are. */
function lastAtMost<T extends number | string>(sorted: ArrayLike<T>, value: T): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Sets of lists, each kept once. */
class Sets {
  readonly all: (readonly number[])[] = [[]];
  readonly #known = new Map<string, number>([['', 0]]);

  numberOf(lists: readonly number[]): number {
    const key = lists.join();
    let number = this.#known.get(key);
    if (number === undefined) {
      number = this.all.push(lists) - 1;
      this.#known.set(key, number);
    }
    return number;
  }
}

function pieces<T extends number | string>(
  count: number,
  placeOf: (i: number) => T,
  eventOf: (i: number) => { begins: boolean; list: number },
  sets: Sets,
): { starts: T[]; sets: number[] } {
  const made: { starts: T[]; sets: number[] } = { starts: [], sets: [] };
  const open = new Map<number, number>();
  for (let i = 0; i < count; ) {
    const place = placeOf(i);
    for (; i < count && placeOf(i) === place; i++) {
      const { begins, list } = eventOf(i);
      const depth = (open.get(list) ?? 0) + (begins ? 1 : -1);
      if (depth === 0) open.delete(list);
      else open.set(list, depth);
    }
    const set = sets.numberOf([...open.keys()].sort((a, b) => a - b));
    if (made.sets.at(-1) === set || (made.sets.length === 0 && set === 0)) continue;
    made.starts.push(place);
    made.sets.push(set);
  }
  return made;
}
