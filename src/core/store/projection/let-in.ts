// Entries whose claims policy holds (no confidence is stated, a marking that nobody explained), and which of them a person
// has let in. An approval covers the claims that are held for what was shown, and lasts as long as the entry is wanted for
// them; nothing else remembers it.
import { intakeStays, isCommon, keyOf, type Question } from '../../ledger/holds.ts';
import type { Stand } from '../../ledger/stand.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import type { HoldTable } from './hold-table.ts';

/** Of one partner at one SIEM. What is under still others stays out, and nobody is asked. */
export const MOST_ASKED = 100;

export class LetIn {
  readonly #store: StoreContext;
  readonly #holds: HoldTable;
  /** What was answered, by SIEM and entry; few, and asked for every entry that is held. Undefined: to be read. */
  #known: Map<string, string> | undefined;

  constructor(store: StoreContext, holds: HoldTable) {
    this.#store = store;
    this.#holds = holds;
  }

  /** A unit failed. */
  forget(): void {
    this.#known = undefined;
  }

  /** Whether a person let the entry in for this. */
  has(siem: SiemState, entryId: number, question: Question): boolean {
    return this.#all().get(`${siem.id} ${entryId}`) === keyOf(question);
  }

  /** An approval of the hold that the entry stands under, remembered from now on. */
  note(siem: SiemState, entryId: number, stand: Stand | undefined): void {
    const hold = stand?.hold === undefined ? undefined : this.#holds.get(stand.hold.id);
    if (hold?.kind !== 'intake' || hold.decision !== 'approve') return;
    const asked = keyOf({ exchangeId: hold.exchange_id, reason: hold.reason });
    if (this.#all().get(`${siem.id} ${entryId}`) === asked) return;
    this.#store.db.run(
      'INSERT INTO let_in (siem_id, entry_id, asked) VALUES (?, ?, ?) ON CONFLICT (siem_id, entry_id) DO UPDATE SET asked = excluded.asked',
      siem.id,
      entryId,
      asked,
    );
    this.#all().set(`${siem.id} ${entryId}`, asked);
  }

  /** Nobody speaks for it any more in the way that was let in, or somebody who needs no approval does. */
  over(siem: SiemState, entryId: number): void {
    if (!this.#all().has(`${siem.id} ${entryId}`)) return;
    this.#store.db.run('DELETE FROM let_in WHERE siem_id = ? AND entry_id = ?', siem.id, entryId);
    this.#all().delete(`${siem.id} ${entryId}`);
  }

  /** Whether there is, or may be made, a hold that asks this. */
  asks(siem: SiemState, question: Question): boolean {
    const { exchangeId, reason } = question;
    if (isCommon(question)) return true;
    const open = this.#holds.opened('intake', siem, exchangeId).filter((one) => one.entries > 0);
    return open.length < MOST_ASKED || open.some((one) => one.reason === reason);
  }

  /** The hold it belongs into: the one it stands in, or the open one that asks this. */
  holdFor(siem: SiemState, question: Question, stand: Stand | undefined, changed: boolean, now: number): number {
    const { exchangeId, reason } = question;
    const hold = stand?.hold === undefined ? undefined : this.#holds.get(stand.hold.id);
    const same = hold?.kind === 'intake' && hold.reason === reason && hold.exchange_id === exchangeId;
    if (same && intakeStays(hold.decision === 'reject', changed)) return hold.id;
    return this.#holds.open('intake', siem, exchangeId, now, reason);
  }

  #all(): Map<string, string> {
    this.#known ??= new Map(
      this.#store.db
        .all<{ siem_id: number; entry_id: number; asked: string }>('SELECT siem_id, entry_id, asked FROM let_in')
        .map((row) => [`${row.siem_id} ${row.entry_id}`, row.asked]),
    );
    return this.#known;
  }
}
