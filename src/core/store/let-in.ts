// Entries whose claims policy holds (unknown_confidence: hold), and which of them a person has let in. An approval lasts as
// long as the entry is wanted for those claims; nothing else remembers it.
import { intakeStays } from '../policy/holds.ts';
import type { Stand } from '../ledger/stand.ts';
import type { SiemState, StoreContext } from './context.ts';
import type { HoldTable } from './hold-table.ts';

const REASON = 'no confidence is stated, and policy.unknown_confidence holds such claims';

export class LetIn {
  readonly #store: StoreContext;
  readonly #holds: HoldTable;
  /** By SIEM and entry; few, and asked for every entry that is held. Undefined: to be read. */
  #known: Set<string> | undefined;

  constructor(store: StoreContext, holds: HoldTable) {
    this.#store = store;
    this.#holds = holds;
  }

  /** A unit failed. */
  forget(): void {
    this.#known = undefined;
  }

  has(siem: SiemState, entryId: number): boolean {
    return this.#all().has(`${siem.id} ${entryId}`);
  }

  /** Whether an approval of the hold that it stands under lets it in, remembered from now on. */
  letIn(siem: SiemState, entryId: number, stand: Stand | undefined): boolean {
    if (this.has(siem, entryId)) return true;
    const hold = stand?.hold === undefined ? undefined : this.#holds.get(stand.hold.id);
    if (hold?.kind !== 'intake' || hold.decision !== 'approve') return false;
    this.#store.db.run('INSERT INTO let_in (siem_id, entry_id) VALUES (?, ?) ON CONFLICT DO NOTHING', siem.id, entryId);
    this.#all().add(`${siem.id} ${entryId}`);
    return true;
  }

  /** Nobody speaks for it any more, or somebody who needs no approval does. */
  over(siem: SiemState, entryId: number): void {
    if (!this.has(siem, entryId)) return;
    this.#store.db.run('DELETE FROM let_in WHERE siem_id = ? AND entry_id = ?', siem.id, entryId);
    this.#all().delete(`${siem.id} ${entryId}`);
  }

  /** The hold it belongs into: the one it stands in, or the open one of this exchange. */
  holdFor(siem: SiemState, exchangeId: number, stand: Stand | undefined, changed: boolean, now: number): number {
    const hold = stand?.hold === undefined ? undefined : this.#holds.get(stand.hold.id);
    if (hold?.kind === 'intake' && intakeStays(hold.decision === 'reject', changed)) return hold.id;
    return this.#holds.open('intake', siem, exchangeId, now, REASON);
  }

  #all(): Set<string> {
    this.#known ??= new Set(
      this.#store.db
        .all<{ siem_id: number; entry_id: number }>('SELECT siem_id, entry_id FROM let_in')
        .map((row) => `${row.siem_id} ${row.entry_id}`),
    );
    return this.#known;
  }
}
