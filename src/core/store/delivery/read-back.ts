// Calls whose effect nobody knows, on a product without versions: their slots are looked at before anything more is sent.
import type { OwnedEntry } from '../../contracts/siem-connector.ts';
import { readBack } from '../../ledger/found.ts';
import { entryKey } from '../../model/observable.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import { foundOf } from './findings.ts';
import { STATE } from '../rows/rows.ts';
import type { StandTable } from '../projection/stand-table.ts';

export class ReadBack {
  readonly #store: StoreContext;
  readonly #stands: StandTable;

  constructor(store: StoreContext, stands: StandTable) {
    this.#store = store;
    this.#stands = stands;
  }

  /** Slots whose last call may or may not have had its effect, once their waiting time is over. */
  uncertain(siem: SiemState, now: number, limit: number): { slots: string[]; entryIds: number[] } {
    const rows = this.#stands.select(
      siem,
      'INDEXED BY projection_work',
      `p.state <> 0 AND p.state = ${STATE.uncertain} AND (p.next_at IS NULL OR p.next_at <= ?) ORDER BY p.entry_id LIMIT ?`,
      now,
      limit,
    );
    return {
      slots: rows.map(({ entry }) => siem.encoder.slot(entry.type, entry.value, siem.spec.settings)),
      entryIds: rows.map(({ entry }) => entry.id),
    };
  }

  /** What the read-back of those slots showed. */
  resolve(siem: SiemState, entryIds: readonly number[], owned: readonly OwnedEntry[]): void {
    const found = new Map(owned.map((one) => [one.key, one]));
    const slots = new Set(owned.map((one) => one.slot));
    this.#stands.together(() => {
      for (const { entry, stand } of this.#stands.standings(siem, entryIds).values()) {
        const { type, value } = entry;
        const one = found.get(entryKey(type, value));
        // Another key of ours in the same slot: something stands there that this row may have to remove.
        const shared = siem.encoder.foldsSlots && slots.has(siem.encoder.slot(type, value, siem.spec.settings));
        const next = readBack(stand, one && foundOf(one), shared, this.#store.engineTime);
        this.#stands.write(siem, entry, stand, next);
      }
    });
  }
}
