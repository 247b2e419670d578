// The brakes: a partner that suddenly withdraws much of what it vouched for, or sends ten times the usual, is
// more often broken or broken into than right. Counted per exchange and SIEM over a time window, never per plan.
// A hold freezes a listed set of rows; a person approves or rejects exactly that set.
import { ConnectorError } from '../model/failure.ts';
import { sha256 } from '../runtime/ids.ts';
import { additionBrake, removalBrake } from '../policy/brakes.ts';
import type { SiemState, StoreContext } from './context.ts';
import { STATE } from './rows.ts';
import type { Trigger } from './projection.ts';

export type HoldKind = 'removal' | 'addition';

export interface HoldRow {
  id: number;
  kind: HoldKind;
  siem_id: number;
  exchange_id: number;
  created: number;
  reason: string;
}

const MINUTE = 60_000;
/** Earlier windows that say what is usual. */
const USUAL_WINDOWS = 7;

export class Brakes {
  readonly #store: StoreContext;
  /** Rows of the running unit, by kind, SIEM and exchange; judged together at its end. */
  readonly #pending = new Map<string, { kind: HoldKind; siem: SiemState; exchangeId: number; entries: number[] }>();

  constructor(store: StoreContext) {
    this.#store = store;
  }

  withdrawn(siem: SiemState, exchangeId: number, entryId: number): void {
    this.#note('removal', siem, exchangeId, entryId);
  }

  added(siem: SiemState, trigger: Trigger, entryId: number): void {
    const exchange = this.#store.exchanges.find((one) => one.id === trigger.exchangeId);
    // The first sync brings everything at once: it neither brakes nor says what is usual.
    if (exchange === undefined || exchange.firstSync) return;
    this.#note('addition', siem, exchange.id, entryId);
  }

  #note(kind: HoldKind, siem: SiemState, exchangeId: number, entryId: number): void {
    const key = `${kind} ${siem.id} ${exchangeId}`;
    let group = this.#pending.get(key);
    if (group === undefined) {
      group = { kind, siem, exchangeId, entries: [] };
      this.#pending.set(key, group);
    }
    group.entries.push(entryId);
  }

  /** At the end of a unit, inside its transaction: counts, and freezes what goes beyond the brake. Returns rows frozen. */
  judge(now: number, count: (siem: SiemState, entryId: number, toHeld: boolean) => void): number {
    let frozen = 0;
    for (const group of this.#pending.values()) {
      const { kind, siem, exchangeId, entries } = group;
      const minute = Math.floor(now / MINUTE);
      this.#store.db.run(
        `INSERT INTO brake (siem_id, exchange_id, kind, minute, n) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (siem_id, exchange_id, kind, minute) DO UPDATE SET n = brake.n + excluded.n`,
        siem.id,
        exchangeId,
        kind,
        minute,
        entries.length,
      );
      const reason = this.#beyond(group, minute);
      if (reason === undefined) continue;
      const hold = this.#open(group, now, reason);
      for (const entryId of entries) {
        const changed = this.#store.db.run(
          `UPDATE projection SET state = ${STATE.held} WHERE siem_id = ? AND entry_id = ? AND state = ${kind === 'removal' ? STATE.remove : STATE.upsert}`,
          siem.id,
          entryId,
        );
        // A row in flight is listed too, and held once its call has ended.
        if (changed === 0 && !this.#busyFor(siem, entryId, kind)) continue;
        this.#store.db.run(
          'INSERT INTO hold_entry (hold_id, entry_id) VALUES (?, ?) ON CONFLICT DO NOTHING',
          hold,
          entryId,
        );
        if (changed > 0) count(siem, entryId, true);
        frozen++;
      }
    }
    this.#pending.clear();
    return frozen;
  }

  /** Counts that no window asks for any more. */
  prune(now: number): void {
    const hours = Math.max(24, ...this.#store.exchanges.map((one) => one.spec.removalBrake.windowHours));
    const before = Math.floor(now / MINUTE) - hours * 60 * (USUAL_WINDOWS + 2);
    this.#store.db.run('DELETE FROM brake WHERE minute < ?', before);
  }

  /** Undoes what a failed unit noted. */
  forget(): void {
    this.#pending.clear();
  }

  #beyond(
    group: { kind: HoldKind; siem: SiemState; exchangeId: number; entries: number[] },
    minute: number,
  ): string | undefined {
    const { kind, siem, exchangeId } = group;
    const exchange = this.#store.exchanges.find((one) => one.id === exchangeId);
    const settings = exchange?.spec ?? this.#strictest();
    const window = settings.removalBrake.windowHours * 60;
    const total = (from: number, to: number): number =>
      this.#store.db.get<{ n: number }>(
        'SELECT coalesce(sum(n), 0) AS n FROM brake WHERE siem_id = ? AND exchange_id = ? AND kind = ? AND minute > ? AND minute <= ?',
        siem.id,
        exchangeId,
        kind,
        from,
        to,
      )?.n ?? 0;
    const inWindow = total(minute - window, minute);
    const name = this.#store.exchangeNames.get(exchangeId) ?? 'no exchange';
    if (kind === 'removal') {
      const { share, atLeast } = settings.removalBrake;
      if (inWindow < atLeast) return undefined;
      const armed = this.#armed(siem, exchangeId) + inWindow;
      if (removalBrake({ withdrawnInWindow: inWindow, armed, share, atLeast }) === 'pass') return undefined;
      return `${name} withdrew ${inWindow} of about ${armed} entries within ${settings.removalBrake.windowHours} h`;
    }
    const { factor, atLeast } = settings.additionBrake;
    if (inWindow < atLeast) return undefined;
    const usual = total(minute - window * (USUAL_WINDOWS + 1), minute - window) / this.#windows(group, minute, window);
    if (additionBrake({ addedInWindow: inWindow, usual, factor, atLeast, firstSync: false }) === 'pass')
      return undefined;
    return `${name} added ${inWindow} entries within ${settings.removalBrake.windowHours} h; usual are ${Math.round(usual)}`;
  }

  /** Entries in this SIEM that this exchange vouches for. A tally: counting a million rows would hold up the store. */
  #armed(siem: SiemState, exchangeId: number): number {
    return this.#store.tally(`siem:${siem.id}`, exchangeId === 0 ? 'wanted' : `armed:${exchangeId}`);
  }

  /** How many earlier windows there is any record of, so that a young exchange is not measured by days it did not have. */
  #windows(group: { siem: SiemState; exchangeId: number }, minute: number, window: number): number {
    const first = this.#store.db.get<{ minute: number | null }>(
      "SELECT min(minute) AS minute FROM brake WHERE siem_id = ? AND exchange_id = ? AND kind = 'addition'",
      group.siem.id,
      group.exchangeId,
    )?.minute;
    const elapsed = Math.ceil((minute - (first ?? minute)) / window) - 1;
    return Math.min(USUAL_WINDOWS, Math.max(1, elapsed));
  }

  /** An exchange that left the configuration brakes by the strictest of those that stayed. */
  #strictest(): typeof DEFAULT_BRAKES {
    const specs = this.#store.exchanges.map((one) => one.spec);
    return specs.reduce<typeof DEFAULT_BRAKES>(
      (best, one) => (one.removalBrake.share < best.removalBrake.share ? one : best),
      specs[0] ?? DEFAULT_BRAKES,
    );
  }

  #busyFor(siem: SiemState, entryId: number, kind: HoldKind): boolean {
    return (
      this.#store.db.get(
        `SELECT 1 AS one FROM projection WHERE siem_id = ? AND entry_id = ? AND wanted = ? AND state IN (${STATE.flight}, ${STATE.accepted}, ${STATE.uncertain})`,
        siem.id,
        entryId,
        kind === 'removal' ? 0 : 1,
      ) !== undefined
    );
  }

  /** True while a hold that waits for a decision lists the row. */
  openFor(siem: SiemState, entryId: number): boolean {
    return this.#listed(siem, entryId, 'h.decided IS NULL');
  }

  /** True while a hold that waits, or one that was rejected, lists the row: it must not go to work. */
  bars(siem: SiemState, entryId: number): boolean {
    return this.#listed(siem, entryId, "(h.decided IS NULL OR h.decision = 'reject')");
  }

  #listed(siem: SiemState, entryId: number, which: string): boolean {
    return (
      this.#store.db.get(
        `SELECT 1 AS one FROM hold h JOIN hold_entry e ON e.hold_id = h.id WHERE h.siem_id = ? AND e.entry_id = ? AND ${which}`,
        siem.id,
        entryId,
      ) !== undefined
    );
  }

  #open(group: { kind: HoldKind; siem: SiemState; exchangeId: number }, now: number, reason: string): number {
    const { db } = this.#store;
    const open = db.get<{ id: number }>(
      'SELECT id FROM hold WHERE kind = ? AND siem_id = ? AND exchange_id = ? AND decided IS NULL',
      group.kind,
      group.siem.id,
      group.exchangeId,
    );
    if (open !== undefined) {
      db.run('UPDATE hold SET reason = ? WHERE id = ?', reason, open.id);
      return open.id;
    }
    return db.get<{ id: number }>(
      'INSERT INTO hold (kind, siem_id, exchange_id, created, reason) VALUES (?, ?, ?, ?, ?) RETURNING id',
      group.kind,
      group.siem.id,
      group.exchangeId,
      now,
      reason,
    )!.id;
  }

  /** The row moved on by itself (the partner vouches again, or withdrew a held addition). */
  released(siem: SiemState, entryId: number): void {
    this.#store.db.run(
      `DELETE FROM hold_entry WHERE entry_id = ? AND hold_id IN
         (SELECT id FROM hold WHERE siem_id = ? AND (decided IS NULL OR decision = 'reject'))`,
      entryId,
      siem.id,
    );
  }

  holds(): (HoldRow & { entries: number; digest: string })[] {
    return this.#store.db
      .all<HoldRow>(
        'SELECT id, kind, siem_id, exchange_id, created, reason FROM hold WHERE decided IS NULL ORDER BY id',
      )
      .map((hold) => ({ ...hold, ...this.#set(hold.id) }))
      .filter((hold) => hold.entries > 0);
  }

  /** The held set as a digest: an approval names the set it was given for. */
  #set(holdId: number): { entries: number; digest: string } {
    const ids = this.#store.db.all<{ entry_id: number }>(
      'SELECT entry_id FROM hold_entry WHERE hold_id = ? ORDER BY entry_id',
      holdId,
    );
    return { entries: ids.length, digest: sha256(ids.map((one) => one.entry_id).join(',')).slice(0, 16) };
  }

  /**
   * Approves or rejects a hold. Approved rows go to work; rejected removals stay armed and rejected additions stay
   * out, until the partner says something new about them.
   */
  decide(
    holdId: number,
    decision: 'approve' | 'reject',
    digest: string,
    by: string,
    reason: string,
    now: number,
    count: (siem: SiemState, entryId: number, toHeld: boolean) => void,
  ): number {
    const { db } = this.#store;
    const hold = db.get<HoldRow & { decided: number | null }>('SELECT * FROM hold WHERE id = ?', holdId);
    if (hold === undefined || hold.decided !== null)
      throw new ConnectorError('permanent', `no hold ${holdId} is waiting; see entente held list`);
    if (this.#set(holdId).digest !== digest) {
      throw new ConnectorError(
        'permanent',
        `hold ${holdId} covers another set than when it was shown; look again with entente held show ${holdId}`,
      );
    }
    const siem = this.#store.siems.find((one) => one.id === hold.siem_id);
    let done = 0;
    if (decision === 'approve' && siem !== undefined) {
      for (const { entry_id: entryId } of db.all<{ entry_id: number }>(
        'SELECT entry_id FROM hold_entry WHERE hold_id = ?',
        holdId,
      )) {
        const changed = db.run(
          `UPDATE projection SET state = CASE WHEN wanted = 1 THEN ${STATE.upsert} ELSE ${STATE.remove} END
           WHERE siem_id = ? AND entry_id = ? AND state = ${STATE.held}`,
          siem.id,
          entryId,
        );
        if (changed > 0) count(siem, entryId, false);
        done += changed;
      }
    }
    db.run(
      'UPDATE hold SET decided = ?, decision = ?, decided_by = ?, decision_reason = ? WHERE id = ?',
      now,
      decision,
      by,
      reason,
      holdId,
    );
    return done;
  }
}

const DEFAULT_BRAKES = {
  removalBrake: { share: 0.2, atLeast: 100, windowHours: 24 },
  additionBrake: { factor: 10, atLeast: 10_000 },
};
