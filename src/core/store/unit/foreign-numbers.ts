// Numbers that a SIEM reports, as far as the ledger can keep them.
import type { OwnedEntry } from '../../contracts/siem-connector.ts';

/**
 * Revisions are microseconds of some clock. One beyond every clock was written by no Entente: it is counted as this
 * one, so that ours can still lie above it and every number here stays exact. It is the year 2223.
 */
const MOST_REVISION = 8e15;

/** A whole number from 0 to that one. */
export const saneRevision = (revision: number): number =>
  Number.isFinite(revision) ? Math.min(MOST_REVISION, Math.max(0, Math.trunc(revision))) : MOST_REVISION;

/** As a SIEM holds it; an end that is no moment is none. */
export function saneOwned(one: OwnedEntry): OwnedEntry {
  const revision = saneRevision(one.revision);
  const dated = one.until === undefined || Number.isSafeInteger(one.until);
  if (revision === one.revision && dated) return one;
  const { until, ...rest } = one;
  return { ...rest, revision, ...(dated && until !== undefined ? { until } : {}) };
}
