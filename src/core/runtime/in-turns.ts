// Long work of one who asks among many who wait: it yields where it may stop, and the others have their turn.
import { setImmediate as breathe } from 'node:timers/promises';
import type { Clock } from './clock.ts';

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

/** The same at once, for a process that has nothing else to do. */
export function atOnce<T>(work: Iterator<unknown, T, undefined>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
