// From what a connector says of a batch to what the store writes of each row, matched by key and never by position.
import type { Batch } from '../contracts/batch.ts';
import type { Outcome } from '../contracts/siem-connector.ts';
import type { Failure } from '../model/failure.ts';
import type { Settlement } from '../store/batches.ts';
import { backoffMs } from '../runtime/retry.ts';

export interface Settled {
  /** Undefined when every change was applied and none has a handle. */
  readonly settlements: readonly Settlement[] | undefined;
  readonly superseded: boolean;
  /** The failure that says most about the target, if any change failed otherwise than by being refused for good. */
  readonly worst: Failure | undefined;
}

export function settleOutcomes(
  batch: Batch,
  outcomes: readonly Outcome[],
  now: number,
  attempt: number,
  chance: number,
): Settled {
  const byKey = new Map<string, Outcome>();
  for (const outcome of outcomes) byKey.set(outcome.key, outcome);
  let plain = true;
  let superseded = false;
  let worst: Failure | undefined;
  const settlements = batch.changes.map((change): Settlement => {
    const outcome = byKey.get(change.key);
    if (outcome === undefined) {
      plain = false;
      worst = worse(worst, { kind: 'bug', message: 'the connector gave no outcome for a change' });
      return { kind: 'unknown', retryAt: now + backoffMs(attempt, { kind: 'bug', message: '' }, chance) };
    }
    switch (outcome.kind) {
      case 'applied':
        if (outcome.handle === undefined) return APPLIED;
        plain = false;
        return { kind: 'applied', handle: outcome.handle };
      case 'accepted':
        plain = false;
        return { kind: 'accepted', receipt: outcome.receipt };
      case 'superseded':
        plain = false;
        superseded = true;
        return { kind: 'superseded', revision: outcome.revision };
      case 'failed': {
        plain = false;
        const { failure } = outcome;
        // A removal is never parked: what should be gone would stay armed and nobody would look.
        if (failure.kind === 'permanent' && change.op === 'upsert') return { kind: 'park', reason: failure.message };
        worst = worse(worst, failure);
        return { kind: 'retry', retryAt: now + backoffMs(attempt, failure, chance) };
      }
    }
  });
  return { settlements: plain ? undefined : settlements, superseded, worst };
}

const APPLIED: Settlement = { kind: 'applied' };
const ORDER = ['retryable', 'permanent', 'config', 'bug'] as const;

function worse(a: Failure | undefined, b: Failure): Failure {
  return a === undefined || ORDER.indexOf(b.kind) > ORDER.indexOf(a.kind) ? b : a;
}
