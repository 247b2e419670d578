// How to go on after a page. Pure: what was asked and what came, to what is asked next.
import { textOf } from './time.ts';

/** `limit` and `addedAfter` stay the same for as long as `next` is followed; some servers refuse anything else. */
export interface Ask {
  readonly addedAfter: string | undefined;
  readonly limit: number;
  readonly next: string | undefined;
}

export interface Seen {
  /** Undefined when the server left it out. */
  readonly more: boolean | undefined;
  readonly next: string | undefined;
  readonly count: number;
  /** Added time of the last object, where there is a credible one. */
  readonly last: bigint | undefined;
  /** Pages without anything new, this one included, one after the other. */
  readonly idle: number;
}

export type Decision =
  | { readonly kind: 'end' }
  | { readonly kind: 'ask'; readonly ask: Ask }
  /** More objects share this added time than a page holds, and there is no `next`: fetch them by id. */
  | { readonly kind: 'group'; readonly at: bigint }
  | { readonly kind: 'give-up'; readonly why: string };

/** Asked for when a group of equal added times is larger than a page; servers may give less. */
export const MAX_LIMIT = 10_000;

/** `more` decides; where it is left out, a `next` after a page that held something does. */
export function goesOn(page: Pick<Seen, 'more' | 'next' | 'count'>): boolean {
  return page.more === true || (page.more === undefined && page.next !== undefined && page.count > 0);
}

/** `most`: what may be asked for at once; less than MAX_LIMIT where the server was seen to refuse more. */
export function decide(page: Seen, ask: Ask, pageSize: number, most = MAX_LIMIT): Decision {
  if (!goesOn(page)) return { kind: 'end' };
  const repeats: Decision = { kind: 'give-up', why: 'the server says that there is more but repeats itself' };
  if (page.next !== undefined) {
    // One token for all pages is in use, so the same `next` alone proves nothing.
    if (page.idle >= 2 || (page.idle === 1 && page.next === ask.next)) return repeats;
    return { kind: 'ask', ask: { ...ask, next: page.next } };
  }
  if (page.last === undefined) {
    return {
      kind: 'give-up',
      why: 'the server says that there is more but gives neither next nor a readable X-TAXII-Date-Added-Last',
    };
  }
  // A page may end within a group of equal times, so its last time is asked for again.
  const from = textOf(page.last - 1n);
  if (from === ask.addedAfter) {
    if (ask.limit >= most) return { kind: 'group', at: page.last };
    return { kind: 'ask', ask: { addedAfter: from, limit: most, next: undefined } };
  }
  if (page.idle >= 2) return repeats;
  return { kind: 'ask', ask: { addedAfter: from, limit: pageSize, next: undefined } };
}
