// One simulated SIEM as the daemon meets it: the in-memory double behind faults drawn by seed. Calls are refused before
// and after their effect, an apply stops between its calls, answers are lost, reordered and cut, writes land late.
import type { Batch } from '../../src/core/contracts/batch.ts';
import type { HitReader, Outcome, SiemConnector } from '../../src/core/contracts/siem-connector.ts';
import { type Failure, permanent, retryable } from '../../src/core/model/failure.ts';
import { TLP_LEVELS } from '../../src/core/model/marking.ts';
import { MINUTE } from '../builders/store.ts';
import type { memorySiem } from '../contract/memory-siem.ts';
import type { Draw } from './draw.ts';
import { contentOf, PARKED_VALUE } from './expected.ts';
import type { RuleSet } from './rules.ts';

/** The longest a write may land after the caller gave it up. */
export const LATEST_MS = 2 * MINUTE;

export interface Surroundings {
  readonly draw: Draw;
  readonly now: () => number;
  readonly rules: () => RuleSet;
  /** False once faults have stopped. */
  readonly faulty: () => boolean;
  /** One step of the process, which may be its last; then it never returns. */
  readonly beat: () => Promise<void>;
  /** What the SIEM carries out by itself at that time. */
  readonly later: (at: number, land: () => void) => void;
  readonly hits?: HitReader;
  /** Of a product that answers with receipts: what it has still to do, and has done. */
  readonly tasks: Tasks;
}

/** Receipts by task, once it is over; a product carries its tasks out in the order in which it took them. */
export class Tasks {
  readonly over = new Map<string, string | undefined>();
  #last = 0;
  #taken = 0;

  take(): string {
    this.#taken += 1;
    return `task-${this.#taken}`;
  }

  /** Never before the one that was taken before. */
  when(at: number): number {
    this.#last = Math.max(this.#last, at);
    return this.#last;
  }
}

/** A connector of one life of the daemon. */
export function faultyConnector(
  double: ReturnType<typeof memorySiem>,
  receipts: boolean,
  around: Surroundings,
): SiemConnector {
  const { draw, beat, hits } = around;
  const { store } = double;
  const inner = double.connect();
  const fails = (share: number): boolean => around.faulty() && draw.chance(share);
  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    await beat();
    if (fails(0.05)) throw retryable('SIEM: 503');
    const result = await work();
    await beat();
    return result;
  };

  const apply = async (batch: Batch, signal: AbortSignal): Promise<readonly Outcome[]> => {
    neverAbove(batch, around.rules());
    if (fails(0.08)) throw retryable('SIEM: refused before anything happened');
    // One value is refused for good, and with it any batch it stands in.
    if (batch.changes.some((one) => one.op === 'upsert' && one.key.endsWith(PARKED_VALUE)))
      throw permanent('SIEM: 400', { code: 'value_refused' });
    if (fails(0.06)) {
      around.later(around.now() + draw.below(LATEST_MS), () => void inner.apply(batch, signal));
      throw retryable('SIEM: time-out');
    }
    if (fails(0.06)) {
      await inner.apply(batch.slice(0, draw.below(batch.size)), signal);
      throw retryable('SIEM: reset half-way');
    }
    if (fails(0.08)) {
      // Several calls make one apply, and a later one is refused: the first ones took effect all the same.
      const done = draw.below(batch.size);
      const first = done === 0 ? [] : await inner.apply(batch.slice(0, done), signal);
      const failure = draw.from(REFUSALS);
      return [...first, ...batch.changes.slice(done).map(({ key }) => ({ key, kind: 'failed', failure }) as const)];
    }
    if (receipts && fails(0.2)) return task(batch, signal);
    const outcomes = [...(await inner.apply(batch, signal))];
    if (fails(0.06)) throw retryable('SIEM: answer lost');
    if (fails(0.3)) outcomes.reverse();
    if (fails(0.04)) outcomes.pop();
    return outcomes;
  };

  /** Taken now, carried out some time later. */
  const task = (batch: Batch, signal: AbortSignal): readonly Outcome[] => {
    const { tasks } = around;
    const receipt = tasks.take();
    around.later(tasks.when(around.now() + draw.below(LATEST_MS)), () => {
      tasks.over.set(receipt, undefined);
      void inner.apply(batch, signal).then(([first]) => {
        if (first?.kind === 'accepted') tasks.over.set(receipt, first.receipt);
      });
    });
    return batch.changes.map(({ key }) => ({ key, kind: 'accepted', receipt }) as const);
  };

  const settle = async (receipt: string, signal: AbortSignal): Promise<readonly Outcome[] | 'pending'> => {
    const inside = receipt.startsWith('task-') ? around.tasks.over.get(receipt) : receipt;
    if (inside === undefined || fails(0.2)) return 'pending';
    if (fails(0.1)) store.receipts.delete(inside);
    return (await inner.settle?.(inside, signal)) ?? 'pending';
  };

  return {
    probe: (signal) => inner.probe(signal),
    open: (signal) => call(() => inner.open(signal)),
    containers: (signal) => call(() => inner.containers(signal)),
    writer: (mine, signal) => call(() => inner.writer(mine, signal)),
    apply: (batch, signal) => call(() => apply(batch, signal)),
    ...(receipts ? { settle: (receipt: string, signal: AbortSignal) => call(() => settle(receipt, signal)) } : {}),
    list: (filter, signal) => inner.list(filter, signal),
    ...(hits === undefined ? {} : { hits }),
    close: () => inner.close(),
  };
}

const REFUSALS: readonly Failure[] = [
  { kind: 'config', message: 'SIEM: 401', code: 'token' },
  { kind: 'config', message: 'SIEM: 404', code: 'no_such_app' },
  { kind: 'retryable', message: 'SIEM: 503', code: 'busy' },
];

function neverAbove(batch: Batch, rules: RuleSet): void {
  for (let at = 0; at < batch.size; at++) {
    if (batch.changes[at]!.op === 'remove') continue;
    const { tlp } = contentOf(batch.frame(at).toString());
    if (TLP_LEVELS.indexOf(tlp) > TLP_LEVELS.indexOf(rules.clearance)) throw new Error(`${tlp} sent above clearance`);
  }
}
