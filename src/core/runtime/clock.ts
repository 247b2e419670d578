// Time comes from here and nowhere else, so that tests and rehearsals can turn it.
import { setTimeout as delay } from 'node:timers/promises';

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds that only ever grow, from an arbitrary start. */
  monotonic(): number;
  /** Resolves after `ms`, or rejects at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal === undefined ? undefined : { signal }),
};

/** The system's clock moved so that now is `start`: for rehearsals and tests over past feeds. */
export function shiftedClock(start: number): Clock {
  const shift = start - systemClock.now();
  return { ...systemClock, now: () => systemClock.now() + shift };
}
