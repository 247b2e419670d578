// Keys of ours that are one row in the product, since that folds case or takes one value for another: they share its slot.
import { lost } from '../../ledger/found.ts';
import { inherits, isHeir, isSpokenOver } from '../../ledger/rest.ts';
import { gone, isKept, phaseOf } from '../../ledger/stand.ts';
import type { Standing, StandTable } from '../projection/stand-table.ts';
import type { StoredEntry } from '../rows/rows.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';

export class Slots {
  readonly #store: StoreContext;
  readonly #stands: StandTable;
  /** By slot, the entries in it, of the rows that are gone through now. */
  #members: ReadonlyMap<string, readonly number[]> = new Map();
  /** Those of them to whom a call is on its way. */
  #called: ReadonlySet<number> = new Set();

  constructor(store: StoreContext, stands: StandTable) {
    this.#store = store;
    this.#stands = stands;
  }

  /**
   * Of rows that work is taken out of, before it is: who is in their slots. Nothing joins a slot while they are gone
   * through, and calls begin and end in units of their own.
   */
  foresee(siem: SiemState, entries: readonly StoredEntry[]): void {
    const members = new Map<string, number[]>();
    for (const [slot, id] of this.#store.db.listsByKeys(
      'SELECT p.slot, p.entry_id FROM projection p INDEXED BY projection_slot WHERE p.siem_id = ? AND p.slot IN ($keys)',
      [...new Set(entries.map((one) => slotOf(siem, one)))],
      siem.id,
    ) as [string, number][]) {
      const known = members.get(slot);
      if (known === undefined) members.set(slot, [id]);
      else known.push(id);
    }
    this.#members = members;
    const sharing = new Set(entries.flatMap((one) => this.#others(slotOf(siem, one), one.id)));
    const called = [...this.#stands.standings(siem, [...sharing])].filter(([, { stand }]) => stand.call !== undefined);
    this.#called = new Set(called.map(([id]) => id));
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

  /** The removal of one takes the row away for all: who stood there, and neither takes it over nor goes by a call of its own, is lost. */
  takeAlong(siem: SiemState, slot: string, entryId: number): void {
    const { revision, engineTime } = this.#store;
    for (const { entry, stand } of this.#sharing(siem, slot, entryId)) {
      const goesItself = stand.call !== undefined || phaseOf(stand) === 'remove';
      if (stand.present.is === 'no' || goesItself || isHeir(stand)) continue;
      this.#stands.write(siem, entry, stand, lost(stand, false, revision, engineTime));
    }
  }

  /** Calls on one slot follow each other: two at a time may land in either order. */
  isBusy(siem: SiemState, entry: StoredEntry): boolean {
    return this.#others(slotOf(siem, entry), entry.id).some((id) => this.#called.has(id));
  }

  /** Other rows that are the same row in the product. Few are, and what becomes of one changes the next. */
  #sharing(siem: SiemState, slot: string, entryId: number): Standing[] {
    if (this.#others(slot, entryId).length === 0) return [];
    return this.#stands.select(siem, 'INDEXED BY projection_slot', 'p.slot = ? AND p.entry_id <> ?', slot, entryId);
  }

  #others(slot: string, entryId: number): readonly number[] {
    return (this.#members.get(slot) ?? []).filter((id) => id !== entryId);
  }
}

const slotOf = (siem: SiemState, { type, value }: StoredEntry): string =>
  siem.encoder.slot(type, value, siem.spec.settings);
