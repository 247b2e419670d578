// A sample that another run draws again from the same seed: of each area its share of all, within it by lot.

export function sampled<T extends { readonly area: string }>(
  all: readonly T[],
  most: number,
  seed: number,
): readonly T[] {
  const draw = numbers(seed);
  const areas = [...Map.groupBy(all, (one) => one.area).values()];
  const shares = areas.map((some) => (some.length * Math.min(most, all.length)) / all.length);
  const counts = shares.map(Math.floor);
  // What rounding left over goes to those of whom it took most.
  const owed = shares.map((share, i) => ({ i, rest: share % 1 })).toSorted((a, b) => b.rest - a.rest);
  const left = Math.round(shares.reduce((sum, one) => sum + one, 0)) - counts.reduce((sum, one) => sum + one, 0);
  for (const { i } of owed.slice(0, left)) counts[i]!++;
  return areas.flatMap((some, i) => {
    const drawn = new Set(
      some
        .map((one) => ({ one, lot: draw() }))
        .toSorted((a, b) => a.lot - b.lot)
        .slice(0, counts[i])
        .map(({ one }) => one),
    );
    return some.filter((one) => drawn.has(one));
  });
}

/** mulberry32 */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
