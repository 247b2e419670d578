// From what a connector says of a batch to what the store writes of each row, matched by key and never by position.
import type { Batch } from '../contracts/batch.ts';
import type { Outcome } from '../contracts/siem-connector.ts';
import { type Failure, plainly } from '../model/failure.ts';
import { backoffMs } from '../runtime/retry.ts';
import type { Settlement } from '../store/delivery/settling.ts';
import type { Applied } from './dividing.ts';

/** When what was not done is tried again. */
interface Retry {
  readonly now: number;
  readonly attempt: number;
  readonly chance: number;
  readonly cap: number | undefined;
  /** For what was left undone when the target failed. */
  readonly waitMs: number;
  /** Given where it is open who is to blame: nothing is parked, each goes again. */
  readonly again?: () => Settlement;
}

interface Landing {
  readonly settlements: readonly Settlement[] | 'all applied';
  readonly superseded: boolean;
  /** Of the target, unless `permanent`. */
  readonly failure: Failure | undefined;
}

/** What all calls of a batch came to. `delayed`: when each change that makes the SIEM fail is tried again. */
export function settleApplied(
  batch: Batch,
  applied: Applied,
  delayed: ReadonlyMap<string, number>,
  { now, attempt, chance, cap, waitMs, again }: Retry,
): Landing {
  const { failure, unknown, undone, breaking, divided } = applied;
  // What made the SIEM fail says nothing of the target, and waits for a time of its own.
  const outcomes =
    breaking.size === 0
      ? applied.outcomes
      : applied.outcomes.map((one) => (delayed.has(one.key) ? { key: one.key, kind: 'applied' as const } : one));
  const settled = settleOutcomes(batch, outcomes, now, attempt, chance, cap);
  const rest = { superseded: settled.superseded, failure: failure ?? settled.worst };
  // A batch that was divided keeps its bytes: the call that was refused may still be sending them.
  if (settled.settlements === undefined && !divided && delayed.size === 0)
    return { settlements: 'all applied', ...rest };
  const settlements = batch.changes.map(({ key }, i): Settlement => {
    if (unknown.has(key)) return { kind: 'unknown', retryAt: delayed.get(key) ?? now + waitMs };
    if (again !== undefined) return again();
    if (failure !== undefined && undone.has(key)) return { kind: 'retry', retryAt: now + waitMs };
    return settled.settlements?.[i] ?? APPLIED;
  });
  return { settlements, ...rest };
}

interface Settled {
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
  retryAfterCapMs?: number,
): Settled {
  const byKey = new Map<string, Outcome>();
  for (const outcome of outcomes) byKey.set(outcome.key, outcome);
  let plain = true;
  let superseded = false;
  let worst: Failure | undefined;
  const settlements: Settlement[] = [];
  for (const change of batch.changes) {
    const outcome = byKey.get(change.key) ?? MISSING;
    if (outcome.kind === 'applied' && outcome.handle === undefined) {
      settlements.push(APPLIED);
      continue;
    }
    plain = false;
    switch (outcome.kind) {
      case 'applied':
        settlements.push({ kind: 'applied', ...(outcome.handle === undefined ? {} : { handle: outcome.handle }) });
        break;
      case 'accepted':
        settlements.push({ kind: 'accepted', receipt: outcome.receipt });
        break;
      case 'superseded':
        superseded = true;
        settlements.push({ kind: 'superseded', revision: outcome.revision });
        break;
      case 'missing':
        worst = worse(worst, NO_OUTCOME);
        settlements.push({ kind: 'unknown', retryAt: now + backoffMs(attempt, NO_OUTCOME, chance, retryAfterCapMs) });
        break;
      case 'failed': {
        const failure = plainly(outcome.failure);
        // A removal is never parked: what should be gone would stay armed and nobody would look.
        if (failure.kind === 'permanent' && change.op === 'upsert') {
          const code = failure.code === undefined ? {} : { code: failure.code };
          settlements.push({ kind: 'park', reason: failure.message, ...code });
          break;
        }
        worst = worse(worst, failure);
        // Busy or broken far side: the change may have been carried out all the same.
        const certain = failure.kind === 'permanent' || failure.kind === 'config';
        settlements.push({
          kind: certain ? 'retry' : 'unknown',
          retryAt: now + backoffMs(attempt, failure, chance, retryAfterCapMs),
        });
        break;
      }
    }
  }
  return { settlements: plain ? undefined : settlements, superseded, worst };
}

const APPLIED: Settlement = { kind: 'applied' };
const MISSING = { kind: 'missing' } as const;
const NO_OUTCOME: Failure = { kind: 'bug', message: 'the connector gave no outcome for a change' };
const ORDER = ['retryable', 'permanent', 'config', 'bug'] as const;

function worse(a: Failure | undefined, b: Failure): Failure {
  return a === undefined || ORDER.indexOf(b.kind) > ORDER.indexOf(a.kind) ? b : a;
}
