// Counts what loops do at a peer: each poll, cycle, reading of hits and sending, how long it took and whether it failed.
import type { Failure } from '../core/model/failure.ts';
import type { Clock } from '../core/runtime/clock.ts';
import type { History } from '../core/runtime/health.ts';
import type { Metrics, Role } from '../core/runtime/metrics.ts';

interface Worker {
  readonly name: string;
  readonly history: History;
  readonly failure: Failure | undefined;
}

export type Attempt = <T>(role: Role, one: Worker, work: () => Promise<T>) => Promise<T>;

export function attempts(metrics: Metrics, clock: Clock): Attempt {
  return async (role, one, work) => {
    const before = one.history;
    const start = clock.monotonic();
    const result = await work();
    // While it pauses after a failure nothing is tried, and the history stays as it is.
    if (one.history !== before) {
      metrics.ran(role, one.name, (clock.monotonic() - start) / 1000);
      if (one.failure !== undefined) metrics.failed(role, one.name, one.failure.kind);
    }
    return result;
  };
}
