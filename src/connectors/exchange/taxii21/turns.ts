// Several readings as one, so that none keeps the others waiting. They go one after the other; one that is silent for
// longer than the patience is overtaken, and goes on beside the next. One that fails ends alone.

/** Answers that came while another was used are held, so that only a few are under way at once. */
const MOST_AT_ONCE = 4;

export type Turn<S, T> = { readonly source: S } & (
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'end'; readonly error?: unknown }
);

interface Active<S, T> {
  readonly generator: AsyncGenerator<T, void, undefined>;
  next: Promise<Turn<S, T>>;
}

/** `patience` resolves when the next may begin; its signal says that it need not. */
export async function* inTurns<S, T>(
  sources: readonly S[],
  open: (source: S) => AsyncGenerator<T, void, undefined>,
  patience: (signal: AbortSignal) => Promise<void>,
): AsyncGenerator<Turn<S, T>, void, undefined> {
  const waiting = [...sources];
  const active = new Map<S, Active<S, T>>();
  const begin = (): void => {
    // Only asked while something waits.
    const source = waiting.shift()!;
    const generator = open(source);
    active.set(source, { generator, next: settled(source, generator) });
  };
  try {
    while (waiting.length > 0 || active.size > 0) {
      if (active.size === 0) begin();
      const over = new AbortController();
      const races: Promise<Turn<S, T> | undefined>[] = [...active.values()].map((one) => one.next);
      if (waiting.length > 0 && active.size < MOST_AT_ONCE)
        races.push(
          patience(over.signal).then(
            () => undefined,
            () => undefined,
          ),
        );
      const turn = await Promise.race(races);
      over.abort();
      if (turn === undefined) {
        begin();
        continue;
      }
      // Whatever is settled first was put there above.
      const one = active.get(turn.source)!;
      if (turn.kind === 'end') active.delete(turn.source);
      yield turn;
      if (turn.kind === 'value') one.next = settled(turn.source, one.generator);
    }
  } finally {
    await Promise.all([...active.values()].map(({ generator }) => generator.return()));
  }
}

async function settled<S, T>(source: S, generator: AsyncGenerator<T, void, undefined>): Promise<Turn<S, T>> {
  try {
    const { done, value } = await generator.next();
    return done === true ? { source, kind: 'end' } : { source, kind: 'value', value: value as T };
  } catch (error) {
    return { source, kind: 'end', error };
  }
}
