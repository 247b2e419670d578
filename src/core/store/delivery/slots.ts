// Keys of ours that are one row in the product, since that folds case or takes one value for another: they share its slot.
import { lost } from '../../ledger/found.ts';
import { inherits, isHeir, isSpokenOver } from '../../ledger/rest.ts';
import { gone, isKept } from '../../ledger/stand.ts';
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
    // One that is not written (held as an addition, parked) would leave in the slot what has to go.
    const sharing = this.#sharing(siem, slot, entry.id).filter(({ stand }) => isHeir(stand));
    const kept = sharing.filter(({ stand }) => isKept(stand));
    const wrote = kept.length === 0 ? 0 : (this.#stands.load(siem, entry.id)?.present.revision ?? 0);
    const over = kept.filter((one) => isSpokenOver(one.stand, wrote) && !tells(one));
    for (const one of over)
      this.#stands.write(siem, one.entry, one.stand, lost(one.stand, false, revision, engineTime));
    const heirs = sharing.filter((one) => !over.includes(one));
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
