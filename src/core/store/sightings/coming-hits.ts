// Hits of one unit, folded before they are written: each row is written once, however many hits go into it. Pure.
import type { Window } from './windows.ts';

/** As a row of its own keeps it: of one entry in one window, of one verdict, under claims of one time. */
export interface Counted extends Window {
  readonly part: number;
  first: number;
  last: number;
  n: number;
}

/** What comes of the hits of a unit, each row once however many hits go into it. */
export class Coming {
  /** By digest, as read last: the day, and how many it stands for. */
  readonly seen = new Map<string, readonly [day: number, n: number]>();
  readonly #counted = new Map<string, Counted>();
  /** In which something changed, in their order. */
  readonly windows = new Map<string, Window>();
  /** By entry, the last day on which it is seen. */
  readonly days = new Map<number, number>();

  get counted(): Iterable<Counted> {
    return this.#counted.values();
  }

  add(one: Counted): void {
    const window = `${one.entryId} ${one.start} ${one.verdict}`;
    const { entryId, start, verdict } = one;
    if (!this.windows.has(window)) this.windows.set(window, { entryId, start, verdict });
    const key = `${window} ${one.part}`;
    const known = this.#counted.get(key);
    if (known === undefined) this.#counted.set(key, one);
    else merge(known, one);
  }
}

/** Hits on top of others: what they come to does not depend on their order. */
export function merge(into: Counted, { first, last, n }: Pick<Counted, 'first' | 'last' | 'n'>): void {
  into.first = Math.min(into.first, first);
  into.last = Math.max(into.last, last);
  into.n += n;
}
