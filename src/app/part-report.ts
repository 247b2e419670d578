// A part of the way back (reading hits, sending sightings) as status tells it. One that nothing was asked of yet is
// paused: ok would say that the other side was reached.
import { runbookOf } from '../core/model/condition.ts';
import type { PartReport } from '../core/model/status.ts';
import { healthOf, type History } from '../core/runtime/health.ts';

export const NOTHING_SENT = 'nothing was to be sent yet';

export function partReport(
  history: History | undefined,
  staleAfterMinutes: number,
  now: number,
  unused: string,
): PartReport {
  if (history === undefined || (history.lastSuccess === undefined && history.failure === undefined))
    return idlePart(unused);
  const health = healthOf(history, { staleAfterMs: staleAfterMinutes * 60_000 }, now);
  const iso = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString());
  return {
    state: health.state,
    condition: health.condition,
    runbook: runbookOf(health.condition),
    reason: health.reason,
    since: new Date(health.since).toISOString(),
    next_action: health.nextAction,
    last_success: iso(history.lastSuccess),
    last_failure: iso(history.lastFailure),
  };
}

export const idlePart = (reason: string): PartReport => ({
  state: 'paused',
  condition: 'idle',
  runbook: runbookOf('idle'),
  reason,
});
