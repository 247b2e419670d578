// Start in order, stop in reverse, and own every loop in between. Stopping first tells everybody (one signal), then
// waits for loops within a grace period, then closes parts one after the other, whatever one of them throws.
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import { within } from './within.ts';

export interface Part {
  readonly name: string;
  start?(signal: AbortSignal): Promise<void>;
  stop?(): Promise<void>;
}

export interface Lifecycle {
  /** Aborts when stopping begins. */
  readonly signal: AbortSignal;
  /** Starts a part and remembers to stop it. When it fails, everything started before is stopped and the error is thrown. */
  add(part: Part): Promise<void>;
  /** Owns a loop. One that ends with an error before stopping is handed to `onCrash`. */
  own(name: string, loop: (signal: AbortSignal) => Promise<void>): void;
  /** Once; later calls wait for the same end. False when something did not end in time or failed to close. */
  stop(reason: string): Promise<boolean>;
}

interface LifecycleOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** For loops together, and again for each part. */
  readonly graceMs: number;
  readonly onCrash: (name: string, error: unknown) => void;
}

export function createLifecycle({ clock, log, graceMs, onCrash }: LifecycleOptions): Lifecycle {
  const stopping = new AbortController();
  const parts: Part[] = [];
  const loops = new Map<Promise<void>, string>();
  let stopped: Promise<boolean> | undefined;

  const inTime = (work: Promise<unknown>): Promise<boolean> => within(clock, graceMs, work);

  const end = async (reason: string): Promise<boolean> => {
    log.info('Stopping.', { reason });
    stopping.abort(new Error(`stopping: ${reason}`));
    let clean = await inTime(Promise.all(loops.keys()));
    if (!clean) log.warn('Some loops did not end in time.', { loops: [...loops.values()], graceMs });
    for (const part of parts.splice(0).reverse()) {
      try {
        if (part.stop !== undefined && !(await inTime(part.stop()))) {
          clean = false;
          log.warn('A part did not stop in time.', { part: part.name, graceMs });
        }
      } catch (error) {
        clean = false;
        log.error('A part failed to stop.', { part: part.name, error });
      }
    }
    return clean;
  };
  const stop = (reason: string): Promise<boolean> => {
    stopped ??= end(reason);
    return stopped;
  };

  return {
    signal: stopping.signal,
    async add(part) {
      if (stopping.signal.aborted) throw new Error(`${part.name} cannot start: stopping`);
      try {
        await part.start?.(stopping.signal);
      } catch (error) {
        await stop(`${part.name} did not start`);
        throw error;
      }
      parts.push(part);
    },
    own(name, loop) {
      const running = (async () => {
        try {
          await loop(stopping.signal);
        } catch (error) {
          // The end of a loop that was told to stop is no news, however it ends.
          if (!stopping.signal.aborted) onCrash(name, error);
        }
      })().finally(() => loops.delete(running));
      loops.set(running, name);
    },
    stop,
  };
}
