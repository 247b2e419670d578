// What the loops of sightings ask: hits read from a SIEM, and what may be told to an exchange.
import type { Failure } from '../../model/failure.ts';
import type { Json } from '../../model/json.ts';
import type { Observable } from '../../model/observable.ts';
import type { Hit, Posted, Sighting } from '../../model/sighting.ts';
import { hitCursor, noteHits, presentEntries } from '../sightings/hit-source.ts';
import type { HitReport } from '../sightings/hits.ts';
import type { SendSettlement } from '../sightings/outbox.ts';
import { nextDue } from '../sightings/posted.ts';
import type { Parts } from './parts.ts';

/** Units of hits, by the SIEM's name, and of sightings, by the exchange's. */
export const sightingUnits = ({ store, unit, sightings, projector, touched }: Parts) => ({
  hitCursor(siem: string): Json | undefined {
    return hitCursor(store, store.siem(siem));
  },

  /** Hits, what they make to be told, and the place to read on from, together. */
  commitHits(siem: string, hits: readonly Hit[], cursor: Json | undefined, now: number): HitReport {
    return unit(now, (time) => {
      const { renewed } = sightings;
      renewed.clear();
      const report = sightings.commit(store.siem(siem), hits, cursor, time);
      for (const entry of projector.claims.entries([...renewed]).values())
        touched.add(entry, { cause: 'none', exchangeId: 0 });
      return report;
    });
  },

  /** `idle`: why nothing could be read, though nothing failed. */
  noteHits(siem: string, failure: Failure | undefined, now: number, idle?: string): void {
    unit(now, (time) => noteHits(store, store.siem(siem), failure, time, idle));
  },

  presentEntries(siem: string, after: number, limit: number): { entries: Observable[]; last: number | undefined } {
    return presentEntries(store, store.siem(siem), after, limit);
  },

  /** Due sightings, judged again; they count as being sent until they are settled. */
  takeSightings(exchange: string, limit: number, now: number): Sighting[] {
    return unit(now, (time) => sightings.outbox.take(store.exchange(exchange), limit, time));
  },

  settleSightings(exchange: string, settlements: readonly SendSettlement[], now: number): void {
    unit(now, (time) => sightings.outbox.settle(store.exchange(exchange), settlements, time));
  },

  sendReceipts(exchange: string): { receipt: string; posted: Posted[] }[] {
    return sightings.receipts(store.exchange(exchange));
  },

  nextSending(exchange: string): number | undefined {
    return nextDue(store, store.exchange(exchange));
  },

  /** Refused by an exchange for good: tried again, all of them or one. */
  retrySightings(only: number | undefined, now: number): number {
    return unit(now, (time) => sightings.outbox.retryFailed(only, time));
  },

  retainSightings(now: number): { dropped: number; more: boolean } {
    return unit(now, (time) => sightings.retain(time));
  },
});
