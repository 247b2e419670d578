// What hits make to be told falls into windows of time, and a look-up of many keys names the windows beside them: their
// starts go as a list of one length, so that the statement stays the same however many there are.

/** Of one entry, what is told of together. */
export interface Window {
  readonly entryId: number;
  readonly start: number;
  readonly verdict: number;
}

/** Windows that one look-up names. */
export const MOST_STARTS = 64;

/** For `start`, before the keys. */
export const IN_STARTS = `IN (${Array.from({ length: MOST_STARTS }, () => '?').join(', ')})`;

/** The values that go with IN_STARTS: a start that is named again changes nothing. */
export function startsOf(windows: readonly { readonly start: number }[]): number[] {
  const starts = [...new Set(windows.map((one) => one.start))];
  return Array.from({ length: MOST_STARTS }, (_, i) => starts[i] ?? starts[0]!);
}

/** In their order, in parts that one look-up can name and that come to no more than `most`, unless one alone does. */
export function* byStarts<T extends { readonly start: number }>(
  windows: Iterable<T>,
  costOf: (one: T) => number = () => 0,
  most = 0,
): Generator<readonly T[], void, undefined> {
  let part: T[] = [];
  let cost = 0;
  const starts = new Set<number>();
  for (const one of windows) {
    const more = costOf(one);
    const named = starts.has(one.start) || starts.size < MOST_STARTS;
    if (part.length > 0 && (!named || cost + more > most)) {
      yield part;
      part = [];
      cost = 0;
      starts.clear();
    }
    part.push(one);
    cost += more;
    starts.add(one.start);
  }
  if (part.length > 0) yield part;
}
