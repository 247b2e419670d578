// Keys of ours that are one row in the product, since that folds case or takes one value for another: they share its slot.
import { lost } from '../../ledger/found.ts';
import { cameBefore, inherits, isHeir, isSpokenOver, type Words, writtenOver } from '../../ledger/rest.ts';
import { gone, isKept, phaseOf } from '../../ledger/stand.ts';
import type { Standing, StandTable } from '../projection/stand-table.ts';
import type { StoredEntry } from '../rows/rows.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import type { EntryClaims } from '../unit/entry-claims.ts';
import { stored, type WorkRow } from './work-rows.ts';

export class Slots {
  readonly #store: StoreContext;
  readonly #stands: StandTable;
  readonly #entriesOf: EntryClaims['entries'];
  /** By slot, the entries in it, of the rows that are gone through now. */
  #members: ReadonlyMap<string, readonly number[]> = new Map();
  /** Those of them that are not alone in theirs. */
  #sharers: ReadonlyMap<number, StoredEntry> = new Map();
  /** Those of them to whom a call is on its way: calls begin and end in units of their own. */
  #called: ReadonlySet<number> = new Set();

  constructor(store: StoreContext, stands: StandTable, claims: EntryClaims) {
    this.#store = store;
    this.#stands = stands;
    this.#entriesOf = (ids) => claims.entries(ids);
  }

  /**
   * Of rows that work is taken out of, before it is: who is in their slots, and, for the running set, how they stand.
   * Nothing joins a slot while they are gone through.
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
    for (const there of members.values()) there.sort((a, b) => a - b);
    this.#members = members;
    const sharing = new Set<number>();
    for (const one of entries) {
      const others = this.#others(slotOf(siem, one), one.id);
      if (others.length > 0) for (const id of [one.id, ...others]) sharing.add(id);
    }
    const ids = [...sharing];
    this.#sharers = this.#entriesOf(ids);
    this.#stands.loadAll(siem, ids);
    this.#called = new Set(ids.filter((id) => this.#stands.load(siem, id)?.call !== undefined));
  }

  /** Of those who share the slots: whom a hold keeps. */
  kept(siem: SiemState): number[] {
    return [...this.#sharers.keys()].filter((id) => {
      const stand = this.#stands.load(siem, id);
      return stand !== undefined && isKept(stand);
    });
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
    const wrote = kept.length === 0 ? undefined : this.#stands.load(siem, entry.id);
    const words = { entryId: entry.id, revision: wrote?.present.revision ?? 0 };
    const over = kept.filter((one) => isSpokenOver(one.stand, one.entry.id, words) && !tells(one));
    for (const one of over)
      this.#stands.write(siem, one.entry, one.stand, lost(one.stand, false, revision, engineTime));
    const heirs = sharing.filter((one) => !over.includes(one));
    if (heirs.length === 0) return false;
    for (const heir of heirs) this.#stands.write(siem, heir.entry, heir.stand, inherits(heir.stand, revision));
    this.#stands.step(siem, entry, (stand) => gone(stand, engineTime));
    return true;
  }

  /** Where nobody takes the row over, the removal of one takes it away for all: who stood there and does not go by a call of its own is lost. */
  takeAlong(siem: SiemState, slot: string, entryId: number): void {
    const { revision, engineTime } = this.#store;
    for (const { entry, stand } of this.#sharing(siem, slot, entryId)) {
      const goesItself = stand.call !== undefined || phaseOf(stand) === 'remove';
      if (stand.present.is === 'no' || goesItself) continue;
      this.#stands.write(siem, entry, stand, lost(stand, false, revision, engineTime));
    }
  }

  /**
   * Of rows that are to be written, in their order, after `foresee`: those that come after others of their slot get a
   * revision that says so, the running one, since nothing else tells later whose words the row of the product shows.
   * `before`: by entry, what of their batch comes before them, to which these are added.
   */
  arrange(siem: SiemState, rows: readonly WorkRow[], before: Map<number, Words>): void {
    const { revision } = this.#store;
    for (const row of rows) {
      const entry = stored(row);
      const others = this.#others(slotOf(siem, entry), entry.id);
      const isLast = others.every((id) => {
        const words = before.get(id) ?? this.#wordsOf(siem, id);
        return words === undefined || cameBefore(words, { entryId: entry.id, revision: row.wanted_rev });
      });
      if (!isLast) {
        this.#stands.step(siem, entry, (stand) => writtenOver(stand, revision));
        row.wanted_rev = revision;
      }
      if (others.length > 0) before.set(entry.id, { entryId: entry.id, revision: row.wanted_rev });
    }
  }

  #wordsOf(siem: SiemState, entryId: number): Words | undefined {
    const { is, revision } = this.#stands.load(siem, entryId)!.present;
    return is === 'no' ? undefined : { entryId, revision };
  }

  /** Calls on one slot follow each other: two at a time may land in either order. */
  isBusy(siem: SiemState, entry: StoredEntry): boolean {
    return this.#others(slotOf(siem, entry), entry.id).some((id) => this.#called.has(id));
  }

  /** Other rows that are the same row in the product, as what became of those before left them. */
  #sharing(siem: SiemState, slot: string, entryId: number): Standing[] {
    return this.#others(slot, entryId).flatMap((id) => {
      const stand = this.#stands.load(siem, id);
      return stand === undefined ? [] : [{ entry: this.#sharers.get(id)!, stand }];
    });
  }

  #others(slot: string, entryId: number): readonly number[] {
    return (this.#members.get(slot) ?? []).filter((id) => id !== entryId);
  }
}

const slotOf = (siem: SiemState, { type, value }: StoredEntry): string =>
  siem.encoder.slot(type, value, siem.spec.settings);
