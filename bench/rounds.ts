// Paired rounds: both sides of a pair run one after the other within a round, and the order changes from round to
// round, because on a shared machine the speed of a minute ago says little. Only ratios within a round are compared.

export interface Pair {
  /** Things per second, ours and the other's, in the same round. */
  readonly ours: number;
  readonly theirs: number;
}

export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export async function rounds(
  count: number,
  sides: { ours(round: number): Promise<number>; theirs(round: number): Promise<number> },
  note: (text: string) => void,
  /** A round is over. */
  ended: () => void = () => {},
): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (let round = 0; round < count; round++) {
    let ours: number;
    let theirs: number;
    if (round % 2 === 0) {
      ours = await sides.ours(round);
      theirs = await sides.theirs(round);
    } else {
      theirs = await sides.theirs(round);
      ours = await sides.ours(round);
    }
    pairs.push({ ours, theirs });
    ended();
    note(
      `round ${round + 1}/${count}: ${Math.round(ours)}/s against ${Math.round(theirs)}/s, ${(ours / theirs).toFixed(2)}`,
    );
  }
  return pairs;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
  return { median, low: sorted[0] ?? Number.NaN, high: sorted.at(-1) ?? Number.NaN };
}

export const ratios = (pairs: readonly Pair[]): Spread => spread(pairs.map(({ ours, theirs }) => ours / theirs));
