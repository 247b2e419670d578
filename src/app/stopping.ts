// When stopping must not wait: the store does one unit of work after the other on its thread, and one that takes long
// would keep the process alive until somebody kills it. Ended in the middle it is rolled back, so nothing is lost.
import type { Clock } from '../core/runtime/clock.ts';
import type { Log } from '../core/runtime/log.ts';
import { within } from '../core/runtime/within.ts';

const SILENT_MS = 4_000;
const ASK_EVERY_MS = 250;
const TOLD = Symbol('told to stop');

interface Stopping {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: { dataVersion(): Promise<unknown> };
}

/** What `work` comes to; undefined once the store answers nothing for some seconds, which is what `work` waits for. */
export async function unlessStoreIsSilent<T>(app: Stopping, work: Promise<T>): Promise<T | undefined> {
  const over = new AbortController();
  try {
    return await Promise.race([work, silence(app, over.signal)]);
  } finally {
    over.abort();
  }
}

/** `work` that was told to stop by `signal`: its calls in hand end, long work of the store is not waited for. */
export async function untilStopped<T>(app: Stopping, work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const told = new Promise<typeof TOLD>((resolve) => {
    signal.addEventListener('abort', () => resolve(TOLD), { once: true });
    if (signal.aborted) resolve(TOLD);
  });
  const first = await Promise.race([work, told]);
  return first === TOLD ? unlessStoreIsSilent(app, work) : first;
}

/** Resolves when the store is silent; never when `over` comes first. */
async function silence({ clock, log, store }: Stopping, over: AbortSignal): Promise<undefined> {
  for (;;) {
    // A store that is gone says so to everybody who waits for it.
    const asked = store.dataVersion().catch(() => undefined);
    if (!(await within(clock, SILENT_MS, asked))) break;
    try {
      await clock.sleep(ASK_EVERY_MS, over);
    } catch {
      return new Promise(() => {});
    }
  }
  if (over.aborted) return new Promise(() => {});
  log.warn('The store is in the middle of long work, which is ended; it is done again at the next start.');
  return undefined;
}
