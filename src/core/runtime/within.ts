// A limit on how long something is waited for; what is waited for goes on or not, as it likes.
import type { Clock } from './clock.ts';

/** True when it ended within the time, false when it did not; its error is thrown. */
export async function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const late = clock.sleep(ms, timer.signal).then(
    () => false,
    () => true,
  );
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    timer.abort();
  }
}
