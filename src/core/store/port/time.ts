// What time asks, without anybody doing anything: entries whose moment has come, steps of long work, and what is long gone.
import { judgeDue, nextDue } from '../projection/due.ts';
import type { Parts } from './parts.ts';

/** Rows of one kind that one unit drops at most, so that none keeps others waiting long. */
const STEP = 2000;
const DAY_MS = 86_400_000;

/** Units that the time loop and retention ask. */
export const timeUnits = (parts: Parts) => {
  const { store, unit, stride, sweeps, seats, brakes, holdTable, retention } = parts;
  return {
    /** Entries whose moment has come, and one step of what is gone through in steps. */
    tick(now: number, expiryPaused: boolean): { changed: number; more: boolean; nextDue: number | undefined } {
      return unit(now, (time) => {
        stride.begins();
        const due = expiryPaused ? { rows: 0, changed: 0, more: false } : judgeDue(parts, stride.rows, time);
        // One step's worth in one unit, of whichever kind.
        const step = due.more ? { rows: 0, more: true } : sweeps.step(time);
        // While expiry waits, no moment is due.
        const next = expiryPaused ? undefined : nextDue(store);
        stride.ended(Math.max(due.rows, step.rows));
        return { changed: due.changed, more: step.more || seats.more, nextDue: next };
      });
    },

    /** Drops what is long gone, a step at a time. */
    retain(goneDays: number, now: number): { dropped: number; more: boolean } {
      return unit(now, (time) => {
        const before = time - goneDays * DAY_MS;
        brakes.prune(time);
        holdTable.prune(before);
        // A partner that still publishes it shows it again.
        store.db.run(
          'DELETE FROM unreadable WHERE id IN (SELECT id FROM unreadable WHERE seen < ? LIMIT ?)',
          before,
          STEP,
        );
        return retention.step(before, STEP, time);
      });
    },
  };
};
