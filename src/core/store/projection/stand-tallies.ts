// Where the stands of one SIEM are counted, by the type of their entries.
import { voucherBit } from '../../ledger/admit.ts';
import type { Tallies } from '../../ledger/tallies.ts';
import type { ObservableType } from '../../model/observable.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';

export class StandTallies {
  readonly #store: StoreContext;
  readonly #tallies = new Map<number, Map<ObservableType, Tallies>>();

  constructor(store: StoreContext) {
    this.#store = store;
  }

  /** Found once per SIEM and type: a first sync would look a million times. */
  of(siem: SiemState, type: ObservableType): Tallies {
    let ofSiem = this.#tallies.get(siem.id);
    if (ofSiem === undefined) {
      ofSiem = new Map();
      this.#tallies.set(siem.id, ofSiem);
    }
    let found = ofSiem.get(type);
    if (found === undefined) {
      const of = (name: string) => this.#store.tallyOf(`siem:${siem.id}`, name);
      found = {
        wanted: of('wanted'),
        wantedOfType: of(`wanted:${type}`),
        delivered: of('delivered'),
        presentOfType: of(`present:${type}`),
        parked: of('parked'),
        held: of('held'),
        adopted: of('adopted'),
        pending: of('pending'),
        seatedOfType: of(`seated:${type}`),
        outOfType: of(`out:${type}`),
        armed: [...this.#store.exchangeNames.keys()].map((id) => [voucherBit(id), of(`armed:${id}`)]),
      };
      ofSiem.set(type, found);
    }
    return found;
  }
}
