// Batches that were taken and not settled yet, as this process knows them. After a crash their rows tell.
import type { Op } from '../../ledger/stand.ts';
import type { SiemState } from '../unit/context.ts';
import type { Sent } from '../record/records.ts';

/** What was sent, as the record tells of it once it is applied. */
export interface FlightRow extends Sent {
  readonly type: number;
  readonly op: Op;
}

interface Flight {
  readonly siem: SiemState;
  readonly rows: readonly FlightRow[];
}

export class Flights {
  readonly #flights = new Map<number, Flight>();

  begin(batchId: number, flight: Flight): void {
    this.#flights.set(batchId, flight);
  }

  /** Throws where the engine settles what it did not take. */
  of(batchId: number): Flight {
    const flight = this.#flights.get(batchId);
    if (flight === undefined) throw new Error(`batch ${batchId} is not in flight`);
    return flight;
  }

  end(batchId: number): void {
    this.#flights.delete(batchId);
  }

  snapshot(): ReadonlyMap<number, Flight> {
    return new Map(this.#flights);
  }

  /** A unit failed: what it took is not in flight, and what it settled still is. */
  restore(before: ReadonlyMap<number, Flight>): void {
    this.#flights.clear();
    for (const [id, flight] of before) this.#flights.set(id, flight);
  }
}
