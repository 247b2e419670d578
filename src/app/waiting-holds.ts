// What waits for a person, as status, page, log and metrics tell it: from the moment it is held, and as a failure once
// it was left unanswered for too long.
import type { Config } from '../core/config/load.ts';
import { policyFor } from '../core/config/policy.ts';
import type { Log } from '../core/runtime/log.ts';
import type { HeldSet } from '../core/store/read/waiting.ts';

const HOUR_MS = 3_600_000;

export interface WaitingHold {
  readonly id: number;
  readonly siem: string;
  readonly reason: string;
  readonly since: number;
  readonly nextAction: string;
  /** Unanswered for longer than `policy.hold_patience_hours`. */
  readonly overdue: boolean;
}

/** The longest waiting first. */
export function waitingHolds(config: Config, holds: readonly HeldSet[], now: number): WaitingHold[] {
  return holds
    .filter((hold) => config.siems.some((siem) => siem.name === hold.siem))
    .map((hold) => {
      const patience = policyFor(config, hold.exchange, hold.siem).holdPatienceHours;
      const since = Date.parse(hold.created);
      const overdue = now - since >= patience * HOUR_MS;
      const waits = overdue ? `is unanswered for more than ${patience} h` : 'waits for a person';
      return {
        id: hold.id,
        siem: hold.siem,
        reason: `hold ${hold.id} (${hold.count} ${WORDS[hold.kind]}) ${waits}: ${hold.reason}`,
        since,
        nextAction: `entente held show ${hold.id}, then approve or reject it`,
        overdue,
      };
    });
}

const WORDS: Readonly<Record<HeldSet['kind'], string>> = {
  intake: 'values to let in',
  removal: 'removals',
  addition: 'additions',
};

/** Tells each hold in the log when it is first seen, and again when it has doubled. */
export class HoldNews {
  readonly #log: Log;
  readonly #told = new Map<number, number>();
  #sightings = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  tell(holds: readonly HeldSet[], heldSightings: number): void {
    for (const { id, kind, siem, exchange, count, set, reason } of holds) {
      const told = this.#told.get(id);
      if (told !== undefined && count < 2 * told) continue;
      this.#told.set(id, count);
      this.#log.warn('A hold waits for a person.', {
        hold: id,
        kind,
        siem,
        exchange,
        entries: count,
        set,
        reason,
        next: `entente held show ${id}, then approve or reject it`,
      });
    }
    for (const id of this.#told.keys()) if (!holds.some((one) => one.id === id)) this.#told.delete(id);
    if (heldSightings > this.#sightings)
      this.#log.warn('Sightings wait for a person.', {
        held: heldSightings,
        next: 'entente held list --kind sighting',
      });
    this.#sightings = heldSightings;
  }
}
