/**
 * The same sequence, with the next value already under way while the current one is used: the network and the
 * mapping of a page run beside the commit of the page before. Never more than one ahead. Leaving early stops what
 * is under way, through the controller that the source listens to, and waits for its end.
 */
export async function* oneAhead<T>(
  source: AsyncGenerator<T, void, undefined>,
  stop: AbortController,
): AsyncGenerator<T, void, undefined> {
  const ask = (): Promise<IteratorResult<T, void>> => {
    const promise = source.next();
    // A failure is thrown where its value is taken; until then it must not count as unhandled.
    promise.catch(() => {});
    return promise;
  };
  let pending = ask();
  try {
    for (;;) {
      const { done, value } = await pending;
      if (done === true) return;
      pending = ask();
      yield value as T;
    }
  } finally {
    stop.abort();
    await pending.catch(() => {});
    await source.return();
  }
}
