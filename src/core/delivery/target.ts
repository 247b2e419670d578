// One SIEM as the parts of its delivery see it: who it is, what is kept of it and what calls it.
import type { SiemConnector } from '../contracts/siem-connector.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { RemoteStore } from '../store/remote.ts';

export interface Target {
  readonly name: string;
  readonly connector: SiemConnector;
  readonly store: RemoteStore;
  readonly clock: Clock;
  /** Engine time: like the clock, but never ahead of a jump nobody confirmed. */
  readonly now: () => number;
  readonly log: Log;
  readonly random: () => number;
  readonly retryAfterCapMs?: number;
}
