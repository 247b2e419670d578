// Keeps one SIEM in step. A cycle: containers still the same? still the only writer? read back what is uncertain,
// then batch after batch until nothing is due. The engine owns batching, concurrency and retry; the connector only
// makes calls.
//
// A failure of a whole call pauses the target and never loses work: rows go back with a time, a single refused
// upsert is parked, a refused removal makes the SIEM failing.
import PQueue from 'p-queue';
import { Batch } from '../contracts/batch.ts';
import type { Outcome, SiemConnector, SiemDefinition, SiemLimits, WriterMark } from '../contracts/siem-connector.ts';
import { ConnectorError, type Failure, toFailure } from '../model/failure.ts';
import type { Clock } from '../runtime/clock.ts';
import { freshHistory, type History, record } from '../runtime/health.ts';
import type { Log } from '../runtime/log.ts';
import type { AuditReport } from '../store/audit.ts';
import type { TakenBatch } from '../store/batches.ts';
import type { RemoteStore } from '../store/remote.ts';
import { settleOutcomes } from './outcomes.ts';
import { backoffMs } from '../runtime/retry.ts';
import { judgeWriter, RENEW_AFTER_MS } from './writer.ts';

export interface DelivererOptions {
  readonly name: string;
  readonly definition: SiemDefinition;
  readonly connector: SiemConnector;
  readonly store: RemoteStore;
  readonly clock: Clock;
  /** Engine time: like the clock, but never ahead of a jump nobody confirmed. */
  readonly now: () => number;
  readonly log: Log;
  readonly random: () => number;
  readonly retryAfterCapMs?: number;
  readonly boot: string;
  /** Ends calls in hand. Fires later than the signal of `cycle`, which only stops new work. */
  readonly abort: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly siem: string;
  readonly applied: number;
  readonly parked: number;
}

/** Read-backs and listings are asked in slices of this many rows. */
const SLICE = 500;
/** Between asking for receipts within one cycle. */
const RECEIPT_WAITS_MS = [20, 40, 80, 160, 320, 640] as const;

export class Deliverer {
  readonly name: string;
  history: History;
  readonly #o: DelivererOptions;
  #limits: SiemLimits;
  #opened = false;
  #marked = false;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #attempt = 0;
  #pausedUntil = 0;
  /** Removals that the SIEM refused for good, by key: it fails until they are gone. */
  readonly #refusedRemovals = new Map<string, Failure>();
  /** Batches taken whose results are not written: a failing store may leave some. */
  readonly #taken = new Set<number>();
  #failure: Failure | undefined;
  /** Changes applied in this cycle; the mark then says up to which revision this state wrote. */
  #applied = 0;
  readonly totals = { applied: 0, parked: 0, calls: 0 };

  constructor(options: DelivererOptions) {
    this.#o = options;
    this.name = options.name;
    this.#limits = options.definition.limits;
    this.history = freshHistory(options.now());
  }

  /** Engine time before which nothing is tried. */
  get pausedUntil(): number {
    return this.#pausedUntil;
  }

  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** Ends a pause: a secret was renewed, a person asked. */
  wake(): void {
    this.#pausedUntil = 0;
  }

  /** One pass until nothing is due or the target fails. Never throws; the failure is in `failure` and `history`. */
  async cycle(signal: AbortSignal): Promise<void> {
    if (this.#o.now() < this.#pausedUntil || signal.aborted) return;
    this.#failure = undefined;
    this.#applied = 0;
    try {
      await this.#giveBack();
      if (!this.#opened) await this.#open(signal);
      else await this.#checkContainers(signal);
      if (!(await this.#checkWriter(signal))) return;
      await this.#settleReceipts(signal);
      await this.#readBack(signal);
      await this.#deliver(signal);
      await this.#awaitReceipts(signal);
      if (this.#failure !== undefined) return;
      if (this.#applied > 0) await this.#mark(signal);
      const [refused] = this.#refusedRemovals.values();
      if (refused === undefined) await this.#succeeded();
      else await this.#remember(refused);
    } catch (error) {
      if (signal.aborted) return;
      await this.#failed(toFailure(error), error);
    }
  }

  /** Nobody knows what became of a batch whose result could not be written. */
  async #giveBack(): Promise<void> {
    for (const id of this.#taken) {
      await this.#o.store.settle(id, [], this.#o.now());
      this.#taken.delete(id);
    }
  }

  async #open(signal: AbortSignal): Promise<void> {
    const { store, connector, name } = this.#o;
    const opened = await connector.open(signal);
    await store.opened(name, opened.facts, this.#o.now());
    await this.#noteContainers(opened.containers);
    this.#opened = true;
  }

  async #checkContainers(signal: AbortSignal): Promise<void> {
    const found = await this.#o.connector.containers(signal);
    const known = (await this.#o.store.siemFacts(this.name)).containers;
    const gone = Object.keys(known).filter((one) => !found.some((other) => other.name === one));
    // Opening again provisions what an administrator deleted, where that is allowed.
    if (gone.length > 0) await this.#open(signal);
    else await this.#noteContainers(found);
  }

  async #noteContainers(found: readonly { name: string; identity: string }[]): Promise<void> {
    const now = Object.fromEntries(found.map((one) => [one.name, one.identity]));
    let rows = 0;
    let step = await this.#o.store.containers(this.name, now, this.#o.now());
    while (step.more) {
      rows += step.rows;
      step = await this.#o.store.containers(this.name, now, this.#o.now());
    }
    rows += step.rows;
    const { lost } = step;
    if (lost.length > 0 || rows > 0) this.#refusedRemovals.clear();
    if (lost.length > 0)
      this.#o.log.warn('A container was deleted or made anew; its entries are written again.', {
        siem: this.name,
        containers: lost,
        entries: rows,
      });
  }

  /** False when somebody else writes here. */
  async #checkWriter(signal: AbortSignal): Promise<boolean> {
    const { connector, store } = this.#o;
    const now = this.#o.now();
    const { writer, revision, openedRevision } = await store.identity();
    const found = await connector.writer(undefined, signal);
    // Revisions follow the clock, so that this state's newest one says nothing of its age; the one it was opened with does.
    const known = this.#marked ? revision : openedRevision;
    const verdict = judgeWriter(found, { writer, boot: this.#o.boot, revision: known, marked: this.#marked }, now);
    switch (verdict.kind) {
      case 'twin':
        this.#pausedUntil = now + Math.min(60_000, Math.max(1_000, (verdict.freeAt ?? now + 60_000) - now));
        await this.#remember({ kind: 'config', message: `${this.name}: ${verdict.reason}` });
        return false;
      case 'adopt':
        if (found !== undefined || this.#marked) {
          this.#o.log.warn('Taking over what stands in the SIEM under our name.', {
            siem: this.name,
            reason: verdict.reason,
          });
        }
        await this.adopt(signal, found?.revision ?? 0);
        await this.#mark(signal);
        return true;
      case 'mine':
        if (!this.#marked || now - this.#renewedAt >= RENEW_AFTER_MS) await this.#mark(signal);
        return true;
    }
  }

  async #mark(signal: AbortSignal): Promise<void> {
    const { writer, revision } = await this.#o.store.identity();
    const mark: WriterMark = { writer, boot: this.#o.boot, revision, at: this.#o.now() };
    await this.#o.connector.writer(mark, signal);
    this.#marked = true;
    this.#renewedAt = mark.at;
  }

  /** Lists what carries our name and takes it into the ledger as it stands. */
  async adopt(signal: AbortSignal, floor: number): Promise<AuditReport> {
    await this.#o.store.adopted(this.name, floor, this.#o.now());
    this.#refusedRemovals.clear();
    const report = await this.audit(signal, true);
    await this.#o.store.adopted(this.name, Math.max(floor, report.highestRevision), this.#o.now());
    return report;
  }

  /** Compares ledger and SIEM; with `repair`, the ledger follows what was found and delivery does the rest. */
  async audit(signal: AbortSignal, repair: boolean): Promise<AuditReport> {
    const { store, connector } = this.#o;
    await store.beginAudit(this.name, repair, this.#o.now());
    for await (const part of connector.list({}, signal)) await store.auditPart(this.name, part, this.#o.now());
    return store.endAudit(this.name, this.#o.now());
  }

  /** `until`: a SIEM carries its tasks out in the order given, so that behind one that runs few are over. */
  async #settleReceipts(signal: AbortSignal, until: 'all' | 'one is pending' = 'all'): Promise<void> {
    const { store, connector } = this.#o;
    if (connector.settle === undefined) return;
    for (const receipt of await store.receipts(this.name)) {
      const outcomes = await this.#receipt(receipt, signal);
      if (outcomes === 'pending') {
        if (until === 'one is pending') return;
        continue;
      }
      const now = this.#o.now();
      const settlements = outcomes.map((outcome) => {
        const one = Batch.of([{ op: 'upsert', key: outcome.key, slot: '', revision: 0 }], ['']);
        const { settlements: list, worst } = settleOutcomes(
          one,
          [outcome],
          now,
          1,
          this.#o.random(),
          this.#o.retryAfterCapMs,
        );
        if (worst !== undefined) this.#failure = worst;
        return { key: outcome.key as string, settlement: list?.[0] ?? ({ kind: 'applied' } as const) };
      });
      const report = await store.settleReceipt(this.name, receipt, settlements, now);
      if (report.refusedRemoval !== undefined) this.#refused(receipt, report.refusedRemoval);
      else this.#refusedRemovals.delete(receipt);
      this.#applied += report.applied;
      this.#progress(report);
    }
  }

  async #lookAtReceipts(signal: AbortSignal): Promise<void> {
    if (this.#failure !== undefined || signal.aborted) return;
    await this.#o.clock.sleep(RECEIPT_WAITS_MS[0], signal);
    await this.#settleReceipts(signal, 'one is pending');
  }

  /** Most tasks are over within moments: asked for soon and then ever later, before the next cycle looks again. */
  async #awaitReceipts(signal: AbortSignal): Promise<void> {
    const { store, connector, clock } = this.#o;
    if (connector.settle === undefined) return;
    for (const wait of RECEIPT_WAITS_MS) {
      if (this.#failure !== undefined || signal.aborted || (await store.receipts(this.name)).length === 0) return;
      await clock.sleep(wait, signal);
      await this.#settleReceipts(signal);
      // What was overtaken while its task ran is due at once.
      await this.#deliver(signal);
    }
  }

  /** A task that the SIEM does not know any more blocks nobody: what it did is read back. */
  async #receipt(receipt: string, signal: AbortSignal): Promise<readonly Outcome[] | 'pending'> {
    try {
      return (await this.#o.connector.settle?.(receipt, signal)) ?? [];
    } catch (error) {
      if (toFailure(error).kind !== 'permanent') throw error;
      this.#o.log.warn('The SIEM does not know a task of ours any more.', { siem: this.name, receipt });
      return [];
    }
  }

  /** A removal is never parked: what should be gone stays armed, so a person must act. */
  #refused(key: string, message: string): void {
    this.#refusedRemovals.set(key, { kind: 'config', message: `a removal is refused: ${message}` });
  }

  async #readBack(signal: AbortSignal): Promise<void> {
    const { store, connector } = this.#o;
    for (;;) {
      const { slots, entryIds } = await store.uncertain(this.name, SLICE, this.#o.now());
      if (slots.length === 0) return;
      const owned = [];
      for await (const part of connector.list({ slots }, signal)) owned.push(...part);
      await store.resolve(this.name, entryIds, owned, this.#o.now());
    }
  }

  async #deliver(signal: AbortSignal): Promise<void> {
    const queue = new PQueue({ concurrency: this.#limits.concurrency });
    const stop = (): boolean => this.#failure !== undefined || signal.aborted;
    let crash: unknown;
    let looking: Promise<void> = Promise.resolve();
    const failed = (error: unknown): void => {
      crash ??= error;
      this.#failure ??= toFailure(error);
    };
    // Tasks of earlier batches end while later ones are sent; one look for each batch, so that looks have an end too.
    const lookSoon = (): void => {
      looking = looking.then(() => this.#lookAtReceipts(signal)).catch(failed);
    };
    while (!stop()) {
      // One batch ready while the others fly.
      await queue.onSizeLessThan(1);
      if (stop()) break;
      let taken: TakenBatch | undefined;
      try {
        taken = await this.#o.store.takeBatch(this.name, this.#limits, this.#o.now());
      } catch (error) {
        crash ??= error;
        break;
      }
      if (taken === undefined) {
        await queue.onIdle();
        // Rows whose wish changed in flight are due again at once; without any, this pass is over.
        if (stop() || (await this.#o.store.nextWork(this.name, this.#o.now())) !== 0) break;
        continue;
      }
      const batch = taken;
      this.#taken.add(batch.id);
      queue
        .add(async () => {
          if (await this.#send(batch, signal)) lookSoon();
        })
        .catch(failed);
    }
    await queue.onIdle();
    await looking;
    if (crash !== undefined) throw crash;
    if (this.#failure !== undefined) await this.#failed(this.#failure, undefined);
  }

  /** True when the SIEM gave a receipt. */
  async #send(taken: TakenBatch, signal: AbortSignal): Promise<boolean> {
    const batch = new Batch(taken.changes, taken.bytes, taken.ends);
    const { store } = this.#o;
    if (this.#failure !== undefined || signal.aborted) {
      // Not sent at all: back to work as if it had never been taken.
      await store.settle(
        taken.id,
        batch.changes.map(() => ({ kind: 'retry', retryAt: this.#pausedUntil }) as const),
        this.#o.now(),
      );
      this.#taken.delete(taken.id);
      return false;
    }
    const outcomes = await this.#apply(batch);
    const now = this.#o.now();
    const settled = settleOutcomes(
      batch,
      outcomes.outcomes,
      now,
      this.#attempt + 1,
      this.#o.random(),
      this.#o.retryAfterCapMs,
    );
    const unknown = outcomes.unknown;
    // A batch that was divided has `unknown` and keeps its bytes: the call that was refused may still be sending them.
    const report =
      settled.settlements === undefined && unknown === undefined
        ? await store.settleAll(taken.id, now, taken.bytes.buffer)
        : await store.settle(
            taken.id,
            (settled.settlements ?? batch.changes.map(() => ({ kind: 'applied' }) as const)).map((one, i) =>
              unknown?.has(batch.changes[i]!.key) === true
                ? { kind: 'unknown' as const, retryAt: now + this.#wait(outcomes.failure) }
                : one,
            ),
            now,
          );
    this.#taken.delete(taken.id);
    this.#applied += report.applied;
    this.#progress(report);
    this.#noteRemovals(batch, outcomes.outcomes);
    const failure = outcomes.failure ?? settled.worst;
    // A refused change is that change's affair; anything else holds for the target.
    if (failure !== undefined && failure.kind !== 'permanent') this.#failure = failure;
    if (settled.superseded && this.#failure === undefined) {
      // Something newer than anything of ours stands there: somebody restored, or somebody else writes.
      this.#renewedAt = Number.NEGATIVE_INFINITY;
      this.#failure = {
        kind: 'retryable',
        message: `${this.name} holds newer revisions than this state; listing what stands there`,
      };
      await this.adopt(signal, 0);
    }
    return outcomes.outcomes.some((one) => one.kind === 'accepted');
  }

  #noteRemovals(batch: Batch, outcomes: readonly Outcome[]): void {
    const refused = new Map<string, Failure>();
    for (const one of outcomes)
      if (one.kind === 'failed' && one.failure.kind === 'permanent') refused.set(one.key, one.failure);
    if (refused.size === 0 && this.#refusedRemovals.size === 0) return;
    for (const { key, op } of batch.changes) {
      const failure = refused.get(key);
      if (failure === undefined) this.#refusedRemovals.delete(key);
      else if (op === 'remove') this.#refused(key, failure.message);
    }
  }

  /** Applies a batch; splits it where the product says it is too large, bisects it where it is refused as a whole. */
  async #apply(batch: Batch): Promise<{ outcomes: Outcome[]; failure?: Failure; unknown?: Set<string> }> {
    this.totals.calls++;
    try {
      return { outcomes: [...(await this.#o.connector.apply(batch, this.#o.abort))] };
    } catch (error) {
      const failure = toFailure(error);
      const known = error instanceof ConnectorError ? error : undefined;
      if (known?.split !== undefined) this.#lower(known.split);
      const divisible = batch.size > 1 && (failure.kind === 'permanent' || known?.split !== undefined);
      if (divisible) {
        const middle = Math.ceil(batch.size / 2);
        const first = await this.#apply(batch.slice(0, middle));
        const rest = batch.slice(middle, batch.size);
        if (first.failure !== undefined && first.failure.kind !== 'permanent') {
          return { ...first, outcomes: [...first.outcomes, ...failed(rest, first.failure)] };
        }
        const second = await this.#apply(rest);
        const failureOf = second.failure ?? first.failure;
        return {
          outcomes: [...first.outcomes, ...second.outcomes],
          ...(failureOf === undefined ? {} : { failure: failureOf }),
          unknown: new Set([...(first.unknown ?? []), ...(second.unknown ?? [])]),
        };
      }
      if (failure.kind === 'bug')
        this.#o.log.error('A connector failed in a way it should not.', { siem: this.name, error });
      const certain = known !== undefined && !known.uncertain;
      // A refusal of one single change is that change's affair; anything else holds for the target.
      if (failure.kind === 'permanent' && batch.size === 1) return { outcomes: failed(batch, failure) };
      return {
        outcomes: failed(batch, failure),
        failure,
        ...(certain ? {} : { unknown: new Set(batch.changes.map((change) => change.key)) }),
      };
    }
  }

  #lower(split: { readonly maxItems?: number; readonly maxBytes?: number }): void {
    this.#limits = {
      ...this.#limits,
      maxItems: Math.max(1, Math.min(this.#limits.maxItems, split.maxItems ?? this.#limits.maxItems)),
      maxBytes: Math.max(1, Math.min(this.#limits.maxBytes, split.maxBytes ?? this.#limits.maxBytes)),
    };
    this.#o.log.info('The SIEM takes smaller batches than expected.', { siem: this.name, ...this.#limits });
  }

  #wait(failure: Failure | undefined): number {
    return failure === undefined ? 0 : backoffMs(this.#attempt + 1, failure, this.#o.random(), this.#o.retryAfterCapMs);
  }

  #progress(report: { applied: number; parked: number }): void {
    this.totals.applied += report.applied;
    this.totals.parked += report.parked;
    this.#o.onProgress?.({ siem: this.name, applied: report.applied, parked: report.parked });
  }

  async #succeeded(): Promise<void> {
    const recovered = this.history.failure !== undefined;
    this.#attempt = 0;
    this.#pausedUntil = 0;
    this.history = record(this.history, { kind: 'success', at: this.#o.now() });
    if (recovered) this.#o.log.info('The SIEM works again.', { siem: this.name });
    await this.#o.store.note('siem', this.name, undefined, this.#o.now());
  }

  async #failed(failure: Failure, error: unknown): Promise<void> {
    this.#attempt++;
    this.#pausedUntil = this.#o.now() + backoffMs(this.#attempt, failure, this.#o.random(), this.#o.retryAfterCapMs);
    if (failure.kind === 'bug' && error !== undefined)
      this.#o.log.error('Delivery failed in a way it should not.', { siem: this.name, error });
    // After a refusal or an outage the SIEM may have been changed: negotiate and provision again.
    if (failure.kind === 'config') this.#opened = false;
    await this.#remember(failure);
  }

  async #remember(failure: Failure): Promise<void> {
    this.#failure = failure;
    const worse = this.history.failure?.message !== failure.message;
    this.history = record(this.history, {
      kind: 'failure',
      at: this.#o.now(),
      failure,
      nextAttempt: this.#pausedUntil,
    });
    if (worse) {
      const fields = { siem: this.name, failure, nextAttempt: new Date(this.#pausedUntil).toISOString() };
      if (failure.kind === 'retryable')
        this.#o.log.warn('The SIEM is not reachable or busy; it is tried again.', fields);
      else this.#o.log.error('The SIEM refuses; a person must act.', fields);
    }
    await this.#o.store.note('siem', this.name, failure, this.#o.now());
  }
}

function failed(batch: Batch, failure: Failure): Outcome[] {
  return batch.changes.map((change) => ({ key: change.key, kind: 'failed', failure }));
}
