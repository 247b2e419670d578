// What is found in a SIEM under our own mark, or is not found there, goes into the ledger: after a lost or restored
// state, after an administrator's hand, after a call that had been given up.
import type { OwnedEntry } from '../../contracts/siem-connector.ts';
import { type Found, notThere, seen, unknown } from '../../ledger/found.ts';
import type { Stand } from '../../ledger/stand.ts';
import { OBSERVABLE_TYPES, type Observable } from '../../model/observable.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import { entryIdsOf, storedKey } from '../unit/entry-ids.ts';
import type { Projector } from '../projection/projection.ts';
import type { Standing, StandTable } from '../projection/stand-table.ts';

/** What a look found of an observable. */
export interface Seen {
  readonly observable: Observable;
  readonly one: OwnedEntry;
}

export class Findings {
  readonly #store: StoreContext;
  readonly #projector: Projector;
  readonly #stands: StandTable;

  constructor(store: StoreContext, projector: Projector, stands: StandTable) {
    this.#store = store;
    this.#projector = projector;
    this.#stands = stands;
  }

  /** A listing showed it: the ledger takes it as it stands there. Returns its entry. */
  adopt(
    siem: SiemState,
    observable: Observable,
    known: number | undefined,
    stand: Stand | undefined,
    one: OwnedEntry,
    now: number,
  ): number {
    this.#raiseFloor(one);
    const id = known ?? this.#newEntry(observable);
    // What a person took off waits for no partner.
    const cause = this.#projector.suppressions.has(observable, now) ? 'suppressed' : 'adopted';
    const after =
      stand === undefined
        ? unknown(foundOf(one), cause, this.#store.revision, now, slotOf(siem, one))
        : seen(stand, foundOf(one), this.#store.revision);
    this.#stands.write(siem, { id, ...observable }, stand, after);
    return id;
  }

  /** `found` and `missed` of all of these, in one set. Returns how many had changed behind our back. */
  look(siem: SiemState, found: readonly Seen[], missed: readonly Observable[]): number {
    const observables = [...found.map(({ observable }) => observable), ...missed];
    const entries = entryIdsOf(this.#store.db, observables);
    const lost: Standing[] = [];
    let changed = 0;
    this.#stands.together(() => {
      this.#stands.loadAll(siem, [...entries.values()]);
      for (const one of found) if (this.#found(siem, one, entries)) changed++;
      for (const one of missed) lost.push(...this.#missed(siem, one, entries));
      this.#projector.lostAll(siem, lost, this.#store.now);
    });
    return changed + lost.length;
  }

  /** A call that had been given up left this behind, or what it overwrote. True when the ledger held something else. */
  #found(siem: SiemState, { observable, one }: Seen, entries: Map<string, number>): boolean {
    this.#raiseFloor(one);
    const { now, revision } = this.#store;
    const known = entries.get(storedKey(observable));
    const stand = known === undefined ? undefined : this.#stands.load(siem, known);
    if (stand?.call !== undefined) return false;
    // Where nobody wants it, and it was ours a moment ago, it goes, and waits for no partner as one that was never known.
    const after =
      stand === undefined
        ? unknown(foundOf(one), 'late', revision, now, slotOf(siem, one))
        : seen(stand, foundOf(one), revision);
    if (after === stand) return false;
    const id = known ?? this.#newEntry(observable);
    entries.set(storedKey(observable), id);
    this.#stands.write(siem, { id, ...observable }, stand, after);
    return true;
  }

  /** Its slot was looked at and nothing of ours stood there. Returned when the ledger said otherwise. */
  #missed(siem: SiemState, observable: Observable, entries: ReadonlyMap<string, number>): Standing[] {
    const id = entries.get(storedKey(observable));
    const stand = id === undefined ? undefined : this.#stands.load(siem, id);
    if (id === undefined || stand === undefined || stand.present.is === 'no' || stand.call !== undefined) return [];
    const entry = { id, ...observable };
    const after = notThere(stand);
    if (after === undefined) return [{ entry, stand }];
    this.#stands.write(siem, entry, stand, after);
    return [];
  }

  #newEntry({ type, value }: Observable): number {
    const id = this.#store.ids.take('entry');
    this.#store.db.run(
      'INSERT INTO entry (id, type, value) VALUES (?, ?, ?)',
      id,
      OBSERVABLE_TYPES.indexOf(type),
      value,
    );
    return id;
  }

  #raiseFloor({ revision }: OwnedEntry): void {
    if (revision > this.#store.lastRevision) this.#store.raiseFloor(revision);
  }
}

export const foundOf = ({ revision, until, handle }: OwnedEntry): Found => ({ revision, until, handle });

const slotOf = ({ encoder }: SiemState, { slot }: OwnedEntry): string | undefined =>
  encoder.foldsSlots ? slot : undefined;
