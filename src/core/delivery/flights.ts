// One batch's flight: taken out of the store, sent in as many calls as it takes, and what they came to written back. A
// batch whose result could not be written is given back first of all the next time.
import { Batch } from '../contracts/batch.ts';
import type { SiemLimits } from '../contracts/siem-connector.ts';
import type { Failure } from '../model/failure.ts';
import type { TakenBatch } from '../store/delivery/batches.ts';
import type { Blame } from './blame.ts';
import { BrokenCalls } from './broken-calls.ts';
import { type Applied, applyDivided, type Caller } from './dividing.ts';
import { settleApplied } from './outcomes.ts';
import type { RefusedRemovals } from './refused-removals.ts';
import type { SiemStanding } from './standing.ts';
import type { Target } from './target.ts';
import type { Totals } from './totals.ts';

export class Flights {
  readonly #target: Target;
  readonly #standing: SiemStanding;
  readonly #blame: Blame;
  readonly #removals: RefusedRemovals;
  readonly #totals: Totals;
  readonly #caller: Caller;
  readonly #broken = new BrokenCalls();
  #limits: SiemLimits;
  /** Batches taken whose results are not written: a failing store may leave some. */
  readonly #taken = new Set<number>();
  /** Something newer than anything of ours stands there: to be listed once no call is under way. */
  superseded = false;

  constructor(
    target: Target,
    standing: SiemStanding,
    blame: Blame,
    removals: RefusedRemovals,
    totals: Totals,
    limits: SiemLimits,
    /** Ends calls in hand. */
    abort: AbortSignal,
  ) {
    this.#target = target;
    this.#standing = standing;
    this.#blame = blame;
    this.#removals = removals;
    this.#totals = totals;
    this.#limits = limits;
    this.#caller = {
      apply: (part) => {
        totals.calls++;
        return target.connector.apply(part, abort);
      },
      onSplit: (split) => this.#lower(split),
      onBug: (error) => target.log.error('A connector failed in a way it should not.', { siem: target.name, error }),
    };
  }

  /** At a time. */
  get concurrency(): number {
    return this.#limits.concurrency;
  }

  /** Nothing more leaves. */
  stopped(signal: AbortSignal): boolean {
    return this.#standing.failure !== undefined || this.superseded || signal.aborted;
  }

  async take(which: 'all' | 'removals'): Promise<TakenBatch | undefined> {
    const { store, name, now } = this.#target;
    const batch = await store.takeBatch(name, this.#limits, now(), which);
    if (batch !== undefined) this.#taken.add(batch.id);
    return batch;
  }

  /** Nobody knows what became of a batch whose result could not be written. */
  async giveBack(): Promise<void> {
    const { store, now } = this.#target;
    for (const id of this.#taken) {
      await store.settle(id, [], now());
      this.#taken.delete(id);
    }
  }

  /** True when the SIEM gave a receipt. */
  async send(taken: TakenBatch, signal: AbortSignal): Promise<boolean> {
    const batch = new Batch(taken.changes, taken.bytes, taken.ends);
    if (this.stopped(signal)) {
      await this.#leave(taken, batch);
      return false;
    }
    const applied = await applyDivided(batch, this.#caller, this.#broken.suspicion(batch.changes));
    const now = this.#target.now();
    const removals = batch.changes[0]?.op === 'remove';
    const delayed = this.#noteBroken(batch, applied, now);
    // A removal is never parked, so that its refusals are told apart below.
    const all = !removals && (await this.#blame.ofTheSiem(applied.outcomes));
    const open = all || (!removals && (await this.#blame.isOpen(applied.outcomes)));
    const { settlements, superseded, failure } = settleApplied(batch, applied, delayed, {
      now,
      attempt: 1 + (removals ? Math.max(this.#standing.attempt, this.#removals.times) : this.#standing.attempt),
      chance: this.#target.random(),
      cap: this.#target.retryAfterCapMs,
      waitMs: this.#standing.waitMs(applied.failure),
      ...(open ? { again: () => this.#blame.again(now) } : {}),
    });
    const { store } = this.#target;
    const report =
      settlements === 'all applied'
        ? await store.settleAll(taken.id, now, taken.bytes.buffer)
        : await store.settle(taken.id, settlements, now);
    this.#taken.delete(taken.id);
    if (report.applied > 0) this.#blame.taken();
    this.#totals.add(report);
    if (!all) this.#removals.called(batch.changes, applied.outcomes);
    if (removals) for (const [key, { message }] of applied.breaking) this.#removals.refused(key, message);
    // A refused change is that change's affair; anything else holds for the target.
    if (failure !== undefined && failure.kind !== 'permanent' && !isOfPlace(failure)) this.#standing.found(failure);
    if (superseded) this.superseded = true;
    return applied.outcomes.some((one) => one.kind === 'accepted');
  }

  /** Not sent at all: back to work as if it had never been taken. */
  async #leave({ id }: TakenBatch, { changes }: Batch): Promise<void> {
    const { store, now } = this.#target;
    await store.settle(
      id,
      changes.map(() => this.#blame.again(now())),
      now(),
    );
    this.#taken.delete(id);
  }

  /** When each change that makes the SIEM fail is tried again. */
  #noteBroken({ changes }: Batch, applied: Applied, now: number): ReadonlyMap<string, number> {
    this.#broken.told(applied.outcomes);
    if (applied.broken !== undefined) this.#broken.broke(changes, applied.broken);
    const delayed = new Map<string, number>();
    for (const [key, failure] of applied.breaking) {
      const wait = this.#broken.breaks(key);
      delayed.set(key, now + wait);
      this.#target.log.warn('One change makes the SIEM fail each time; it waits, and the others go on.', {
        siem: this.#target.name,
        failure,
        nextAttempt: new Date(now + wait).toISOString(),
      });
    }
    return delayed;
  }

  #lower(split: Partial<Pick<SiemLimits, 'maxItems' | 'maxBytes'>>): void {
    this.#limits = {
      ...this.#limits,
      maxItems: Math.max(1, Math.min(this.#limits.maxItems, split.maxItems ?? this.#limits.maxItems)),
      maxBytes: Math.max(1, Math.min(this.#limits.maxBytes, split.maxBytes ?? this.#limits.maxBytes)),
    };
    const { log, name } = this.#target;
    log.info('The SIEM takes smaller batches than expected.', { siem: name, ...this.#limits });
  }
}

/** Holds for one container alone: its changes wait, the others go on, and `trouble()` says so at the end. */
function isOfPlace(failure: Failure): boolean {
  return failure.code?.startsWith('place_') === true;
}
