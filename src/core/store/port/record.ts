// What those ask who sign the record, watch its end, and let what is in it grow old.
import { fromBrief } from '../../audit/note.ts';
import { AUDIT_ORIGIN, type AuditHead, type FoundCheckpoint } from '../record/checkpoints.ts';
import type { RecordCheck } from '../record/watch.ts';
import { DEFAULT_AUDIT } from '../unit/context.ts';
import type { Parts } from './parts.ts';

/** Rows of the history that one unit drops at most. */
const STEP = 2000;
const DAY_MS = 86_400_000;

/** Units of the record. */
export const recordUnits = ({ store, unit, checkpoints, watch, recordRetention }: Parts) => {
  const foundCheckpoints = (found: readonly FoundCheckpoint[], now: number): number =>
    unit(now, () => checkpoints.compare(found));
  return {
    auditHead(): AuditHead {
      return checkpoints.head();
    },

    /** Whether the end of the record is what was written and signed. */
    checkRecord(now: number): RecordCheck {
      return unit(now, (time) => watch.check(time));
    },

    auditKey(key: string, proof: string | undefined, now: number): void {
      unit(now, () => checkpoints.key(key, proof));
    },

    keepCheckpoint(size: number, note: string, now: number): void {
      unit(now, (time) => checkpoints.keep(size, note, time));
    },

    /** Checkpoints found elsewhere. How many of them are not of this record: they are named in it from now on. */
    foundCheckpoints,

    /** As the mark in a SIEM has it. */
    foundCheckpoint(siem: string, brief: string, now: number): number {
      const origin = store.meta(AUDIT_ORIGIN) ?? '';
      return foundCheckpoints([{ place: siem, note: fromBrief(brief, origin) }], now);
    },

    /** The name of the record, which is `given` if it has none. */
    auditOrigin(given: string, now: number): string {
      return unit(now, () => checkpoints.origin(given));
    },

    /** Values in the record, and the history. */
    retainRecords(now: number): { dropped: number; more: boolean } {
      const before = now - (store.spec.audit ?? DEFAULT_AUDIT).valuesDays * DAY_MS;
      return unit(now, () => {
        const dropped = recordRetention.step(before) + store.history.prune(before, STEP);
        return { dropped, more: dropped > 0 };
      });
    },
  };
};
