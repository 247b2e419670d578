// What is found in a SIEM under our own mark, or is not found there, goes into the ledger: after a lost or restored
// state, after an administrator's hand, after a call that had been given up.
import type { OwnedEntry } from '../../contracts/siem-connector.ts';
import { type Found, notThere, seen, unknown } from '../../ledger/found.ts';
import type { Stand } from '../../ledger/stand.ts';
import { OBSERVABLE_TYPES, type Observable } from '../../model/observable.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import type { Projector } from '../projection/projection.ts';
import type { StandTable } from '../projection/stand-table.ts';

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

  /** A call that had been given up left this behind, or what it overwrote. True when the ledger held something else. */
  found(siem: SiemState, observable: Observable, one: OwnedEntry): boolean {
    this.#raiseFloor(one);
    const { now, revision } = this.#store;
    const known = this.#stands.of(siem, observable);
    if (known?.stand.call !== undefined) return false;
    // Where nobody wants it, and it was ours a moment ago, it goes, and waits for no partner as one that was never known.
    const after =
      known === undefined
        ? unknown(foundOf(one), 'late', revision, now, slotOf(siem, one))
        : seen(known.stand, foundOf(one), revision);
    if (after === known?.stand) return false;
    const id = known?.entry.id ?? this.entryOf(observable) ?? this.#newEntry(observable);
    this.#stands.write(siem, { id, ...observable }, known?.stand, after);
    return true;
  }

  /** Its slot was looked at and nothing of ours stood there. True when the ledger said otherwise. */
  missed(siem: SiemState, observable: Observable): boolean {
    const known = this.#stands.of(siem, observable);
    if (known === undefined || known.stand.present.is === 'no' || known.stand.call !== undefined) return false;
    const after = notThere(known.stand);
    if (after === undefined) this.#projector.lost(siem, known, this.#store.now);
    else this.#stands.write(siem, known.entry, known.stand, after);
    return after === undefined;
  }

  entryOf({ type, value }: Observable): number | undefined {
    return this.#store.db.get<{ id: number }>(
      'SELECT id FROM entry WHERE type = ? AND value = ?',
      OBSERVABLE_TYPES.indexOf(type),
      value,
    )?.id;
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
