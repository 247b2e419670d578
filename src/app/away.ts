// Whether the server of the state is away. Nothing is written to a SIEM meanwhile, because every batch comes out of the
// store and the store answers nobody until it is back; here is only what people are told.
import { type StatusReport, wholeCondition } from '../core/model/status.ts';
import type { Log } from '../core/runtime/log.ts';
import { StateAway } from '../core/store/state/open.ts';

export class Away {
  readonly #log: Log;
  #reason: string | undefined;
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
    if (reason !== undefined && before === undefined)
      this.#log.error('The state cannot be worked with; nothing is written to a SIEM until it can.', { reason });
    if (reason === undefined && before !== undefined) this.#log.info('The state can be worked with again.');
  }

  /** What is read for people; undefined while nothing can be. */
  unless<T>(read: () => T): T | undefined {
    try {
      const found = read();
      this.#unread = undefined;
      return found;
    } catch (error) {
      if (!(error instanceof StateAway)) throw error;
      this.#unread = error.message;
      return undefined;
    }
  }

  told(report: StatusReport): StatusReport {
    const reason = this.reason ?? 'the state cannot be read';
    const said = `${reason}; nothing is written to a SIEM`;
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
