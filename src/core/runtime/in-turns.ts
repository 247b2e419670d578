// Long work of one who asks among many who wait: it yields where it may stop, and the others have their turn.
import { setImmediate as breathe } from 'node:timers/promises';
import { type Clock, systemClock } from './clock.ts';

/** At a time; probes and other pages are answered between two turns. */
const TURN_MS = 8;

export async function inTurns<T>(work: Iterator<unknown, T, undefined>, clock: Pick<Clock, 'monotonic'>): Promise<T> {
  let until = clock.monotonic() + TURN_MS;
  for (;;) {
    const { done, value } = work.next();
    // What was yielded only says that it may stop here.
    if (done === true) return value;
    if (clock.monotonic() < until) continue;
    await breathe();
    until = clock.monotonic() + TURN_MS;
  }
}

/**
 * Before work that cannot be cut, where other such work went before. Whoever comes from an answer that arrived finds the
 * first breath before the next look at what arrived, so that nobody has had a turn by then.
 */
export async function shortRest(): Promise<void> {
  await breathe();
  await breathe();
}

/**
 * For a loop of many small steps, asked before each: what is to be awaited where its turn is over, which it is before the
 * first step. Whatever came before was long enough.
 */
export function turns(
  ms = TURN_MS / 2,
  clock: Pick<Clock, 'monotonic'> = systemClock,
): () => Promise<void> | undefined {
  let until = Number.NEGATIVE_INFINITY;
  const rest = async (): Promise<void> => {
    await shortRest();
    until = clock.monotonic() + ms;
  };
  return () => (clock.monotonic() < until ? undefined : rest());
}

/** The same at once, for a process that has nothing else to do. */
export function atOnce<T>(work: Iterator<unknown, T, undefined>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
