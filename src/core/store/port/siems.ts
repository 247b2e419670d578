// What the daemon knows of a SIEM and says of it: what was negotiated, its containers, whose mark stands there, and the
// comparison of the ledger with all that it holds.
import type { OwnedEntry } from '../../contracts/siem-connector.ts';
import type { Json } from '../../model/json.ts';
import type { ComparisonReport } from '../delivery/comparison.ts';
import { saneOwned } from '../unit/foreign-numbers.ts';
import { factsOf, type SiemFacts } from '../unit/peers.ts';
import type { Parts } from './parts.ts';

/** Units of a SIEM as a whole, each by its name. */
export const siemUnits = ({
  store,
  unit,
  people,
  containers,
  comparison,
  adoption,
  projector,
  checkpoints,
}: Parts) => ({
  siemFacts(siem: string): SiemFacts {
    return factsOf(store, store.siem(siem));
  },

  /** After `open`: what was negotiated. Other facts may mean another mapping, so refused rows are tried again. */
  opened(siem: string, facts: Json, now: number): void {
    const state = store.siem(siem);
    unit(now, (time) => {
      const before = JSON.stringify(state.facts);
      state.facts = facts;
      store.db.run('UPDATE siem SET facts = ? WHERE id = ?', JSON.stringify(facts), state.id);
      if (before !== JSON.stringify(facts)) people.retryRefused(state, 'all', time);
    });
  },

  /**
   * Containers as the SIEM has them now. Rows of one that is gone, was made anew or is named for the first time
   * become absent. One step: to be asked again while `more`, before anything is sent.
   */
  containers(
    siem: string,
    found: Readonly<Record<string, string>>,
    now: number,
  ): { lost: string[]; rows: number; more: boolean } {
    const state = store.siem(siem);
    return unit(now, (time) => containers.note(state, found, time));
  },

  /** A purge emptied the SIEM: nothing of it is present any more. What this does not come to, ticks do. */
  purged(siem: string, now: number): void {
    unit(now, (time) => containers.purged(store.siem(siem), time));
  },

  beginComparison(siem: string, repair: boolean, now: number): void {
    unit(now, () => comparison.begin(store.siem(siem), repair));
  },

  comparePart(siem: string, owned: readonly OwnedEntry[], now: number): void {
    unit(now, (time) => comparison.part(store.siem(siem), owned.map(saneOwned), time));
  },

  endComparison(siem: string, now: number): ComparisonReport {
    return unit(now, (time) => comparison.end(store.siem(siem), time));
  },

  /** `others`: somebody else wrote there, or a life of this state that it does not know of. */
  adopted(siem: string, floor: number, now: number, others = false, listed = false): void {
    unit(now, (time) => {
      store.raiseFloor(floor);
      adoption.begin(store.siem(siem), others, listed, projector.suppressions.at(time), time);
    });
  },

  /**
   * What the next mark at the SIEM says, noted before it is written: a state that does not know of a mark that is found
   * there is older than it.
   */
  marking(siem: string, now: number): { writer: string; revision: number; checkpoint?: string } {
    const checkpoint = checkpoints.newest();
    return unit(now, () => {
      const { revision, writer } = store;
      store.db.run('UPDATE siem SET marked = ? WHERE id = ?', revision, store.siem(siem).id);
      return { writer, revision, ...(checkpoint === undefined ? {} : { checkpoint }) };
    });
  },
});
