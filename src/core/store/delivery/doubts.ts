// Values of which a call was lost. What it did is read back soon, and work goes on by what was seen; but a proxy may
// give up on a call that the product carries out later. So the value is looked at again, soon and ever later, until its
// longest time is over, whatever became of its row since: by then it may be revoked and forgotten, or stand there in a
// newer version.
import type { OwnedEntry } from '../../contracts/siem-connector.ts';
import { OBSERVABLE_TYPES, type Observable, parseEntryKey } from '../../model/observable.ts';
import type { SiemState, StoreContext } from '../unit/context.ts';
import type { Findings, Seen } from './findings.ts';
import { STATE } from '../rows/rows.ts';

/** Most that land late land within seconds; each further look comes after as long a time again. */
const FIRST_LOOK_MS = 10_000;

const firstLook = (now: number, { spec }: SiemState): number => now + Math.min(FIRST_LOOK_MS, spec.longestCallMs);

/** Notes that a call about this value may land until the product's longest time is over. */
export function doubt(store: StoreContext, siem: SiemState, observable: Observable): void {
  doubtSince(store, siem, observable, store.now);
}

export function doubtSince(store: StoreContext, siem: SiemState, { type, value }: Observable, at: number): void {
  store.db.run(
    `INSERT INTO doubt (siem_id, type, value, look_at, ends) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (siem_id, type, value) DO UPDATE SET look_at = min(doubt.look_at, excluded.look_at), ends = max(doubt.ends, excluded.ends)`,
    siem.id,
    OBSERVABLE_TYPES.indexOf(type),
    value,
    firstLook(at, siem),
    at + siem.spec.longestCallMs,
  );
}

export interface Doubtful {
  readonly slots: string[];
  readonly observables: Observable[];
}

export class Doubts {
  readonly #store: StoreContext;
  readonly #findings: Findings;

  constructor(store: StoreContext, findings: Findings) {
    this.#store = store;
    this.#findings = findings;
  }

  /** Whose next look is due and of which no call is under way now. */
  due(siem: SiemState, now: number, limit: number): Doubtful {
    const rows = this.#store.db.all<{ type: number; value: string }>(
      `SELECT d.type, d.value FROM doubt d INDEXED BY doubt_due WHERE d.siem_id = ? AND d.look_at <= ?
       AND NOT EXISTS (SELECT 1 FROM entry e JOIN projection p ON p.entry_id = e.id
         WHERE e.type = d.type AND e.value = d.value AND p.siem_id = d.siem_id
         AND p.state IN (${STATE.flight}, ${STATE.accepted}, ${STATE.uncertain})) LIMIT ?`,
      siem.id,
      now,
      limit,
    );
    const observables = rows.map((row) => ({ type: OBSERVABLE_TYPES[row.type]!, value: row.value }));
    return {
      observables,
      slots: observables.map((one) => siem.encoder.slot(one.type, one.value, siem.spec.settings)),
    };
  }

  /** What was found in their slots. Returns how many had changed behind our back. */
  seen(siem: SiemState, looked: readonly Observable[], owned: readonly OwnedEntry[]): number {
    const { db, now } = this.#store;
    const standing = new Set<string>();
    const found: Seen[] = [];
    for (const one of owned) {
      standing.add(one.key);
      // Keys that share the slot stand in this one row.
      if (siem.encoder.foldsSlots) standing.add(one.slot);
      const observable = parseEntryKey(one.key);
      if (observable !== undefined) found.push({ observable, one });
    }
    const missed = looked.filter((one) => {
      const slot = siem.encoder.slot(one.type, one.value, siem.spec.settings);
      return !standing.has(`${one.type}|${one.value}`) && !standing.has(slot);
    });
    const changed = this.#findings.look(siem, found, missed);
    const named = 'siem_id = ? AND type = ? AND value = ?';
    for (const one of looked) {
      const key = [siem.id, OBSERVABLE_TYPES.indexOf(one.type), one.value] as const;
      db.run(`DELETE FROM doubt WHERE ${named} AND ends <= ?`, ...key, now);
      // As long again as has passed since the call.
      db.run(
        `UPDATE doubt SET look_at = min(ends, ? + max(?, ? - (ends - ?))) WHERE ${named}`,
        now,
        FIRST_LOOK_MS,
        now,
        siem.spec.longestCallMs,
        ...key,
      );
    }
    return changed;
  }
}
