// Keys of ours that are one row in the product, since that folds case or takes one value for another: they share its slot.
import { lost } from '../../ledger/found.ts';
import { inherits, isHeir, isSpokenOver } from '../../ledger/rest.ts';
import { gone } from '../../ledger/stand.ts';
import type { Standing, StandTable } from '../projection/stand-table.ts';
import type { StoredEntry } from '../rows/rows.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';

export class Slots {
  readonly #store: StoreContext;
  readonly #stands: StandTable;

  constructor(store: StoreContext, stands: StandTable) {
    this.#store = store;
    this.#stands = stands;
  }

  /**
   * When another wanted entry is the same row in the product, this one goes by being forgotten. The other takes over
   * what stands there and is written again, since the row may show this one's words. False when there is none: what a hold
   * keeps and nobody can describe any more (`tells`) is over with the row that shows the words of what leaves.
   */
  handOver(siem: SiemState, slot: string, entry: StoredEntry, tells: (kept: Standing) => boolean): boolean {
    const { revision, engineTime } = this.#store;
    const wrote = this.#stands.load(siem, entry.id)?.present.revision ?? 0;
    // One that is not written (held as an addition, parked) would leave in the slot what has to go.
    const heirs = this.#sharing(siem, slot, entry.id).filter((one) => {
      if (!isHeir(one.stand)) return false;
      if (!isSpokenOver(one.stand, wrote) || tells(one)) return true;
      this.#stands.write(siem, one.entry, one.stand, lost(one.stand, false, revision, engineTime));
      return false;
    });
    if (heirs.length === 0) return false;
    for (const heir of heirs) this.#stands.write(siem, heir.entry, heir.stand, inherits(heir.stand, revision));
    this.#stands.step(siem, entry, (stand) => gone(stand, engineTime));
    return true;
  }

  /** Calls on one slot follow each other: two at a time may land in either order. */
  isBusy(siem: SiemState, entry: StoredEntry): boolean {
    const slot = siem.encoder.slot(entry.type, entry.value, siem.spec.settings);
    return this.#sharing(siem, slot, entry.id).some(({ stand }) => stand.call !== undefined);
  }

  /** Other rows that are the same row in the product. */
  #sharing(siem: SiemState, slot: string, entryId: number): Standing[] {
    return this.#stands.select(siem, 'INDEXED BY projection_slot', 'p.slot = ? AND p.entry_id <> ?', slot, entryId);
  }
}
