// Whether the server of the state is away. Nothing is written to a SIEM meanwhile, because every batch comes out of the
// store and the store answers nobody until it is back; here is only what people are told.
import { ConnectorError } from '../core/model/failure.ts';
import { type StatusReport, wholeCondition } from '../core/model/status.ts';
import type { Log } from '../core/runtime/log.ts';
import { StateAway } from '../core/store/state/open.ts';

export class Away {
  readonly #log: Log;
  #reason: string | undefined;
  readonly #logged = new Set<string>();
  /** Of who reads for people, over connections of their own. */
  #unread: string | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** In words, while it is. */
  get reason(): string | undefined {
    return this.#reason ?? this.#unread;
  }

  tell(reason: string | undefined): void {
    const before = this.#reason;
    this.#reason = reason;
    if (reason === undefined) {
      this.#logged.clear();
      if (before !== undefined) this.#log.info('The state can be worked with again.');
      return;
    }
    // What ended the connection is seldom why there is no other; each is told once, however often it is tried.
    if (this.#logged.has(reason)) return;
    this.#logged.add(reason);
    this.#log.error('The state cannot be worked with; nothing is written to a SIEM until it can.', { reason });
  }

  /** What is read for people; undefined while nothing can be. */
  unless<T>(read: () => T): T | undefined {
    try {
      const found = read();
      this.#unread = undefined;
      return found;
    } catch (error) {
      // A password or a right that was changed there is for a person, who is told; the daemon waits.
      const refused = error instanceof ConnectorError && error.kind === 'config';
      if (!(error instanceof StateAway || refused)) throw error;
      this.#unread = error.message;
      return undefined;
    }
  }

  told(report: StatusReport): StatusReport {
    // Who works on the state has a connection of its own, and says itself when that is away.
    const said =
      this.#reason === undefined
        ? `${this.#unread ?? 'the state cannot be read'}; what is shown is how it was last`
        : `${this.#reason}; nothing is written to a SIEM`;
    return {
      ...report,
      state: 'failing',
      reasons: [...report.reasons, said],
      conditions: [
        ...(report.conditions ?? []),
        wholeCondition('state-away', said, 'look at that server; work goes on by itself'),
      ],
    };
  }
}
