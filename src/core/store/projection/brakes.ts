// The brakes: a partner that suddenly withdraws much of what it vouched for, or sends ten times the usual, is
// more often broken or broken into than right. Counted per exchange and SIEM over a time window, never per plan.
// What goes beyond is held (holds.ts).
import { additionBrake, type BrakeSettings, DEFAULT_BRAKES, removalBrake } from '../../policy/brakes.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import type { BrakeKind } from '../rows/hold-rows.ts';

const MINUTE = 60_000;
/** Earlier windows that say what is usual. */
const USUAL_WINDOWS = 7;

/** Rows of one unit that one exchange withdrew from, or added to, one SIEM. */
interface Group {
  readonly kind: BrakeKind;
  readonly siem: SiemState;
  readonly exchangeId: number;
  /** By entry, the expiry it had where it was cut short and not withdrawn. */
  readonly entries: Map<number, number | undefined>;
}

/** A group that goes beyond the brake. */
export interface Beyond extends Group {
  readonly reason: string;
}

export class Brakes {
  readonly #store: StoreContext;
  /** Rows of the running unit, by kind, SIEM and exchange; judged together at its end. */
  readonly #pending = new Map<string, Group>();

  readonly #foreseen = new Map<string, number>();

  constructor(store: StoreContext) {
    this.#store = store;
  }

  /** `kept`: it still stands, and would have stood until then. */
  withdrawn(siem: SiemState, exchangeId: number, entryId: number, kept?: number): void {
    this.#note('removal', siem, exchangeId, entryId, kept);
  }

  /** What is gone through in steps is judged together: the steps that follow will withdraw, or add, so many more. */
  foresee(kind: BrakeKind, siem: SiemState, exchangeId: number, entries: number): void {
    this.#foreseen.set(`${kind} ${siem.id} ${exchangeId}`, Math.max(0, entries));
  }

  added(siem: SiemState, exchangeId: number, entryId: number): void {
    const exchange = this.#store.exchanges.find((one) => one.id === exchangeId);
    // The first sync brings everything at once: it neither brakes nor says what is usual.
    if (exchange === undefined || exchange.firstSync) return;
    this.#note('addition', siem, exchange.id, entryId);
  }

  #note(kind: BrakeKind, siem: SiemState, exchangeId: number, entryId: number, kept?: number): void {
    const key = `${kind} ${siem.id} ${exchangeId}`;
    let group = this.#pending.get(key);
    if (group === undefined) {
      group = { kind, siem, exchangeId, entries: new Map() };
      this.#pending.set(key, group);
    }
    // Cut short twice in one unit: what it had before the first time.
    group.entries.set(entryId, kept === undefined ? undefined : (group.entries.get(entryId) ?? kept));
  }

  /** At the end of a unit, inside its transaction: counts, and says what goes beyond. */
  judge(now: number): Beyond[] {
    const found: Beyond[] = [];
    const minute = Math.floor(now / MINUTE);
    for (const group of this.#pending.values()) {
      const cut = [...group.entries.values()].filter((one) => one !== undefined).length;
      this.#count(group, group.kind, minute, group.entries.size - cut);
      // Apart, since what was cut short is still wanted and counted among what the exchange vouches for.
      this.#count(group, 'cut', minute, cut);
      const reason = this.#beyond(group, minute);
      if (reason !== undefined) found.push({ ...group, reason });
    }
    this.#pending.clear();
    this.#foreseen.clear();
    return found;
  }

  #count({ siem, exchangeId }: Group, kind: string, minute: number, n: number): void {
    if (n === 0) return;
    this.#store.db.run(
      `INSERT INTO brake (siem_id, exchange_id, kind, minute, n) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (siem_id, exchange_id, kind, minute) DO UPDATE SET n = brake.n + excluded.n`,
      siem.id,
      exchangeId,
      kind,
      minute,
      n,
    );
  }

  /** A person approved what was counted: what comes next is measured by itself. Additions still say what is usual. */
  forgive(kind: BrakeKind, siemId: number, exchangeId: number): void {
    const { db } = this.#store;
    if (kind === 'addition')
      db.run(
        `INSERT INTO brake (siem_id, exchange_id, kind, minute, n)
         SELECT siem_id, exchange_id, 'approved', minute, n FROM brake WHERE siem_id = ? AND exchange_id = ? AND kind = 'addition'
         ON CONFLICT (siem_id, exchange_id, kind, minute) DO UPDATE SET n = brake.n + excluded.n`,
        siemId,
        exchangeId,
      );
    const kinds = kind === 'addition' ? "'addition'" : "'removal', 'cut'";
    db.run(`DELETE FROM brake WHERE siem_id = ? AND exchange_id = ? AND kind IN (${kinds})`, siemId, exchangeId);
  }

  /** Counts that no window asks for any more. */
  prune(now: number): void {
    const windows = this.#store.siems.flatMap((siem) =>
      Object.values(siem.spec.brakes).map((one) => one.removal.windowHours),
    );
    const before = Math.floor(now / MINUTE) - Math.max(24, ...windows) * 60 * (USUAL_WINDOWS + 2);
    this.#store.db.run('DELETE FROM brake WHERE minute < ?', before);
  }

  /** Undoes what a failed unit noted. */
  forget(): void {
    this.#pending.clear();
    this.#foreseen.clear();
  }

  #beyond(group: Group, minute: number): string | undefined {
    const { kind, siem, exchangeId } = group;
    const settings = this.#settings(siem, exchangeId);
    const { windowHours } = settings.removal;
    const window = windowHours * 60;
    const total = (kinds: string, from: number, to: number): number =>
      this.#store.db.get<{ n: number }>(
        `SELECT coalesce(sum(n), 0) AS n FROM brake WHERE siem_id = ? AND exchange_id = ? AND kind IN (${kinds}) AND minute > ? AND minute <= ?`,
        siem.id,
        exchangeId,
        from,
        to,
      )?.n ?? 0;
    const foreseen = this.#foreseen.get(`${kind} ${siem.id} ${exchangeId}`) ?? 0;
    const name = this.#store.exchangeNames.get(exchangeId) ?? 'no exchange';
    if (kind === 'removal') {
      const { share, atLeast } = settings.removal;
      const gone = total("'removal'", minute - window, minute);
      const inWindow = gone + total("'cut'", minute - window, minute) + foreseen;
      if (inWindow < atLeast) return undefined;
      const armed = this.#armed(siem, exchangeId) + gone;
      if (removalBrake({ withdrawnInWindow: inWindow, armed, share, atLeast }) === 'pass') return undefined;
      return `${name} withdrew ${inWindow} of about ${armed} entries within ${windowHours} h`;
    }
    const { factor, atLeast } = settings.addition;
    const inWindow = total("'addition'", minute - window, minute) + foreseen;
    if (inWindow < atLeast) return undefined;
    const before = total("'addition', 'approved'", minute - window * (USUAL_WINDOWS + 1), minute - window);
    const usual = before / this.#windows(group, minute, window);
    if (additionBrake({ addedInWindow: inWindow, usual, factor, atLeast, firstSync: false }) === 'pass')
      return undefined;
    return `${name} added ${inWindow} entries within ${windowHours} h; usual are ${Math.round(usual)}`;
  }

  /** Entries in this SIEM that this exchange vouches for. A tally: counting a million rows would hold up the store. */
  #armed(siem: SiemState, exchangeId: number): number {
    return this.#store.tally(`siem:${siem.id}`, exchangeId === 0 ? 'wanted' : `armed:${exchangeId}`);
  }

  /** How many earlier windows there is any record of, so that a young exchange is not measured by days it did not have. */
  #windows(group: { siem: SiemState; exchangeId: number }, minute: number, window: number): number {
    const first = this.#store.db.get<{ minute: number | null }>(
      "SELECT min(minute) AS minute FROM brake WHERE siem_id = ? AND exchange_id = ? AND kind IN ('addition', 'approved')",
      group.siem.id,
      group.exchangeId,
    )?.minute;
    const elapsed = Math.ceil((minute - (first ?? minute)) / window) - 1;
    return Math.min(USUAL_WINDOWS, Math.max(1, elapsed));
  }

  /** The SIEM's own. An exchange that left the configuration, or is no longer listened to, brakes by its strictest. */
  #settings(siem: SiemState, exchangeId: number): BrakeSettings {
    const name = this.#store.exchangeNames.get(exchangeId);
    const own = name === undefined ? undefined : siem.spec.brakes[name];
    if (own !== undefined) return own;
    const all = Object.values(siem.spec.brakes);
    return all.reduce((best, one) => (one.removal.share < best.removal.share ? one : best), all[0] ?? DEFAULT_BRAKES);
  }
}
