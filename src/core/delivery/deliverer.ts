// Keeps one SIEM in step. A cycle: containers still the same? still the only writer? read back what is uncertain,
// then batch after batch until nothing is due. The engine owns batching, concurrency and retry; the connector only
// makes calls.
//
// A failure of a whole call pauses the target and never loses work: rows go back with a time, a single refused
// upsert is parked, a refused removal makes the SIEM failing.
import PQueue from 'p-queue';
import { Batch } from '../contracts/batch.ts';
import type { Outcome, SiemConnector, SiemDefinition, SiemLimits, WriterMark } from '../contracts/siem-connector.ts';
import { type Failure, toFailure } from '../model/failure.ts';
import type { Clock } from '../runtime/clock.ts';
import { freshHistory, type History, record } from '../runtime/health.ts';
import type { Log } from '../runtime/log.ts';
import { backoffMs } from '../runtime/retry.ts';
import type { ComparisonReport } from '../store/delivery/comparison.ts';
import type { TakenBatch } from '../store/delivery/batches.ts';
import type { RemoteStore } from '../store/remote.ts';
import type { Settlement } from '../store/delivery/settling.ts';
import { BrokenCalls } from './broken-calls.ts';
import { type Applied, applyDivided } from './dividing.ts';
import { settleOutcomes } from './outcomes.ts';
import { refusedAlone, Refusals } from './refusals.ts';
import { GIVEN_BACK, judgeWriter, RENEW_AFTER_MS } from './writer.ts';

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
  /** A person said that the other writer is gone for good. */
  readonly takeOver?: boolean;
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
const AUDIT_EVERY_MS = 6 * 3_600_000;
/** An audit that failed is tried again sooner. */
const AUDIT_AGAIN_MS = 10 * 60_000;
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
  #markedAt: number | undefined;
  /** The mark says that up to this revision may have been written. */
  #markedUpTo = 0;
  /** The checkpoint that was read in the mark last. */
  #comparedRecord: string | undefined;
  #attempt = 0;
  #pausedUntil = 0;
  /** Removals that the SIEM refused for good, by key: it fails until they are gone. */
  readonly #refusedRemovals = new Map<string, Failure>();
  /** How often in a row removals were refused: they are tried soon at first, and then ever later. */
  #removalAttempt = 0;
  /** Batches taken whose results are not written: a failing store may leave some. */
  readonly #taken = new Set<number>();
  #failure: Failure | undefined;
  #refusals = new Refusals();
  readonly #broken = new BrokenCalls();
  /** Everything is refused for this, as far as was seen; one sound row is sent along to make sure. */
  #suspected: Failure | undefined;
  /** Changes refused in a call of their own, sent once more beside a sound row: refused beside one that is taken, they are bad. */
  readonly #comparing = new Set<string>();
  /** Something newer than anything of ours stands there: to be listed once no call is under way. */
  #superseded = false;
  #woken = false;
  #auditNotBefore = 0;
  #lane: Promise<unknown> = Promise.resolve();
  /** Listings that hold the lane and let others work beside them. */
  #listings = 0;
  /** What stands there is being taken over: nobody else writes there. */
  #adopting = false;
  #beside: Promise<void> = Promise.resolve();
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
    this.#woken = true;
  }

  /** One at a time: cycles, audits and whoever else works at this SIEM would spoil each other's listing. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#lane.then(work, work);
    this.#lane = turn.catch(() => {});
    return turn;
  }

  /**
   * A long listing holds the lane and changes nothing there, so what must go goes beside it: the store leaves rows that are
   * sent meanwhile out of the comparison.
   */
  async listing<T>(work: () => Promise<T>): Promise<T> {
    this.#listings++;
    try {
      return await work();
    } finally {
      this.#listings--;
    }
  }

  /** A person took a value off: where a listing holds the lane it is not waited for; else the next cycle does it. */
  urgent(signal: AbortSignal): Promise<void> {
    this.#beside = this.#beside.then(() => this.#besideListing(signal));
    return this.#beside;
  }

  async #besideListing(signal: AbortSignal): Promise<void> {
    if (this.#listings === 0 || !this.#opened || !(this.#marked || this.#adopting) || signal.aborted) return;
    try {
      if (!(await this.#o.store.urgent(this.name))) return;
      // What is to be armed waits until it is known what stands there.
      await this.#deliver(signal, this.#adopting ? 'removals' : 'all');
      await this.#awaitReceipts(signal);
    } catch (error) {
      if (!signal.aborted) await this.#failed(toFailure(error), error);
    }
  }

  /** One pass until nothing is due or the target fails. Never throws; the failure is in `failure` and `history`. */
  cycle(signal: AbortSignal): Promise<void> {
    return this.exclusive(() => this.#cycle(signal));
  }

  async #cycle(signal: AbortSignal): Promise<void> {
    const { store } = this.#o;
    try {
      await this.#beside;
      if (signal.aborted) return;
      // No pause holds up what must go: it is tried at once, whatever the SIEM said to others.
      if (this.#o.now() < this.#pausedUntil && !(await store.urgent(this.name))) return;
      this.#failure = undefined;
      if (this.#woken) await store.dueAtOnce(this.name, this.#o.now());
      this.#woken = false;
      await this.#giveBack();
      if (!this.#opened) await this.#open(signal);
      else await this.#checkContainers(signal);
      if (!(await this.#checkWriter(signal))) return;
      await this.#settleReceipts(signal);
      await this.#readBack(signal);
      await this.#lookAgain(signal);
      await this.#deliver(signal);
      await this.#awaitReceipts(signal);
      if (this.#superseded) await this.#listNewer(signal);
      if (this.#failure !== undefined) return;
      const [refused] = this.#refusedRemovals.values();
      const trouble = refused ?? this.#o.connector.trouble?.();
      if (trouble !== undefined) return await this.#remember(trouble);
      await this.#succeeded();
      await this.#auditWhenDue(signal);
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
    const { lost } = step;
    while (step.more) {
      rows += step.rows;
      step = await this.#o.store.containers(this.name, now, this.#o.now());
    }
    rows += step.rows;
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
    const { marked } = await store.siemFacts(this.name);
    const found = await connector.writer(undefined, signal);
    await this.#compareRecord(found?.checkpoint);
    // Revisions follow the clock, so that this state's newest one says nothing of its age; the mark it wrote last does.
    const known = this.#marked ? revision : (marked ?? openedRevision);
    const self = {
      writer,
      boot: this.#o.boot,
      revision: known,
      marked: this.#marked,
      ...(this.#markedAt === undefined ? {} : { markedAt: this.#markedAt }),
      openedRevision,
      takeOver: this.#o.takeOver,
    };
    const verdict = judgeWriter(found, self, now);
    switch (verdict.kind) {
      case 'twin':
        this.#pausedUntil = now + Math.min(60_000, Math.max(1_000, (verdict.freeAt ?? now + 60_000) - now));
        await store.postpone(this.name, this.#pausedUntil, now);
        await this.#remember({ kind: 'config', message: `${this.name}: ${verdict.reason}` });
        return false;
      case 'adopt':
        if (found !== undefined || this.#marked) {
          this.#o.log.warn('Taking over what stands in the SIEM under our name.', {
            siem: this.name,
            reason: verdict.reason,
          });
        }
        await this.#adopt(signal, found?.revision ?? 0, found !== undefined);
        await this.#mark(signal);
        return true;
      case 'late':
        await this.#mark(signal);
        return true;
      case 'mine':
        if (!this.#marked || now - this.#renewedAt >= RENEW_AFTER_MS) await this.#mark(signal);
        return true;
    }
  }

  /** What the mark says was signed: a record that this state does not have tells that an older one was put back. */
  async #compareRecord(checkpoint: string | undefined): Promise<void> {
    if (checkpoint === undefined || checkpoint === this.#comparedRecord) return;
    const lost = await this.#o.store.foundCheckpoint(this.name, checkpoint, this.#o.now());
    this.#comparedRecord = checkpoint;
    if (lost > 0)
      this.#o.log.error('This state is older than the record of it that was signed; the record says so from now on.', {
        siem: this.name,
      });
  }

  async #mark(signal: AbortSignal): Promise<void> {
    const { revision, ...marking } = await this.#o.store.marking(this.name, this.#o.now());
    const mark: WriterMark = { ...marking, boot: this.#o.boot, revision, at: this.#o.now() };
    await this.#o.connector.writer(mark, signal);
    this.#marked = true;
    this.#renewedAt = mark.at;
    this.#markedAt = mark.at;
    this.#markedUpTo = revision;
  }

  /** At a clean stop: whoever comes next need not wait until the mark is old. */
  leave(signal: AbortSignal): Promise<void> {
    return this.exclusive(async () => {
      if (!this.#marked) return;
      const { store, connector, boot, now } = this.#o;
      const found = await connector.writer(undefined, signal);
      if (found?.writer !== (await store.identity()).writer || found.boot !== boot) return;
      await connector.writer({ ...(await store.marking(this.name, now())), boot, at: GIVEN_BACK }, signal);
      this.#marked = false;
    });
  }

  /** Lists what carries our name and takes it into the ledger as it stands. */
  async #adopt(signal: AbortSignal, floor: number, others: boolean): Promise<void> {
    const { store, now } = this.#o;
    await store.adopted(this.name, floor, now(), others);
    this.#refusedRemovals.clear();
    const { highestRevision, present } = await this.#takeOver(signal);
    await store.adopted(this.name, Math.max(floor, highestRevision), now(), others || present > 0, true);
    this.#auditNotBefore = 0;
  }

  /** Removals of what a person took off go beside the listing, those of before as well. */
  async #takeOver(signal: AbortSignal): Promise<ComparisonReport> {
    this.#adopting = true;
    try {
      const taken = this.#audit(signal, true);
      const beside = this.urgent(signal);
      const report = await taken;
      await beside;
      await this.#beside;
      return report;
    } finally {
      this.#adopting = false;
    }
  }

  /** Compares ledger and SIEM; with `repair`, the ledger follows what was found and delivery does the rest. */
  audit(signal: AbortSignal, repair: boolean): Promise<ComparisonReport> {
    return this.exclusive(() => this.#audit(signal, repair));
  }

  async #audit(signal: AbortSignal, repair: boolean): Promise<ComparisonReport> {
    const { store, connector } = this.#o;
    const list = async (): Promise<ComparisonReport> => {
      await store.beginComparison(this.name, repair, this.#o.now());
      for await (const part of connector.list({}, signal)) await store.comparePart(this.name, part, this.#o.now());
      let report = await store.endComparison(this.name, this.#o.now());
      while (report.more) report = await store.endComparison(this.name, this.#o.now());
      return report;
    };
    return this.listing(list);
  }

  /** By the time of the last one, which outlives restarts. */
  async #auditWhenDue(signal: AbortSignal): Promise<void> {
    const now = this.#o.now();
    if (now < this.#auditNotBefore) return;
    const { repairedAt, listAgain } = await this.#o.store.siemFacts(this.name);
    const due = Math.min((repairedAt ?? 0) + AUDIT_EVERY_MS, listAgain ?? Number.POSITIVE_INFINITY);
    if (now < due) {
      this.#auditNotBefore = due;
      return;
    }
    this.#auditNotBefore = now + AUDIT_AGAIN_MS;
    try {
      const { counts } = await this.#audit(signal, true);
      if (counts.missing + counts.stale + counts.orphaned > 0)
        this.#o.log.warn('The SIEM had drifted; it is put right.', { siem: this.name, ...counts });
      // What was refused once may have been refused for what is over by now.
      await this.#o.store.retryRefused(this.name, 'by the SIEM', this.#o.now());
    } catch (error) {
      if (signal.aborted) return;
      const failure = toFailure(error);
      this.#o.log.warn('The audit of the SIEM failed; it is tried again later.', { siem: this.name, failure });
    }
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
      const all = this.#refusals.judge(outcomes);
      if (all !== undefined) await this.#suspect(all);
      const settlements = outcomes.map((outcome) => {
        if (all !== undefined) return { key: outcome.key as string, settlement: this.#again(now) };
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
      this.#noteSettled(outcomes, report.refusedRemoval);
      this.#progress(report);
    }
  }

  /** A task holds changes of one kind, so that with a refused removal all of them are removals. */
  #noteSettled(outcomes: readonly Outcome[], refusedRemoval: string | undefined): void {
    for (const one of outcomes) {
      if (one.kind !== 'failed') this.#refusedRemovals.delete(one.key);
      else if (refusedRemoval !== undefined && one.failure.kind === 'permanent')
        this.#refused(one.key, one.failure.message);
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

  /** What a call that had been given up may have done since. */
  async #lookAgain(signal: AbortSignal): Promise<void> {
    const { store, connector } = this.#o;
    for (;;) {
      const { slots, observables } = await store.doubtful(this.name, SLICE, this.#o.now());
      if (slots.length === 0) return;
      const owned = [];
      for await (const part of connector.list({ slots }, signal)) owned.push(...part);
      const changed = await store.lookedAt(this.name, observables, owned, this.#o.now());
      if (changed > 0)
        this.#o.log.warn('Calls that had been given up landed late; what they did is put right.', {
          siem: this.name,
          entries: changed,
        });
    }
  }

  async #deliver(signal: AbortSignal, which: 'all' | 'removals' = 'all'): Promise<void> {
    const queue = new PQueue({ concurrency: this.#limits.concurrency });
    const stop = (): boolean => this.#failure !== undefined || this.#superseded || signal.aborted;
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
        taken = await this.#o.store.takeBatch(this.name, this.#limits, this.#o.now(), which);
      } catch (error) {
        crash ??= error;
        break;
      }
      if (taken === undefined) {
        await queue.onIdle();
        // Rows whose wish changed in flight are due again at once; without any, this pass is over.
        if (stop() || which === 'removals' || (await this.#o.store.nextWork(this.name, this.#o.now())) !== 0) break;
        continue;
      }
      const batch = taken;
      this.#taken.add(batch.id);
      // Before anything of it is written: an older state that is put back then knows that it is older.
      if (batch.newest > this.#markedUpTo) await this.#mark(signal).catch(failed);
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
    if (this.#failure !== undefined || this.#superseded || signal.aborted) {
      // Not sent at all: back to work as if it had never been taken.
      await store.settle(
        taken.id,
        batch.changes.map(() => ({ kind: 'retry', retryAt: this.#o.now() + this.#wait(this.#failure) }) as const),
        this.#o.now(),
      );
      this.#taken.delete(taken.id);
      return false;
    }
    const caller = {
      apply: (part: Batch) => {
        this.totals.calls++;
        return this.#o.connector.apply(part, this.#o.abort);
      },
      onSplit: (split: { readonly maxItems?: number; readonly maxBytes?: number }) => this.#lower(split),
      onBug: (error: unknown) =>
        this.#o.log.error('A connector failed in a way it should not.', { siem: this.name, error }),
    };
    const applied = await applyDivided(batch, caller, this.#broken.suspicion(batch.changes));
    const now = this.#o.now();
    const delayed = this.#noteBroken(batch, applied, now);
    // A removal is never parked, so that its refusals are told apart below.
    const all = batch.changes[0]?.op === 'remove' ? undefined : this.#refusals.judge(applied.outcomes);
    if (all !== undefined) await this.#suspect(all);
    const compared = batch.changes[0]?.op === 'upsert' && all === undefined && (await this.#compare(applied.outcomes));
    const settled = settleOutcomes(
      batch,
      // What made the SIEM fail is told apart below.
      applied.breaking.size === 0
        ? applied.outcomes
        : applied.outcomes.map((one) => (delayed.has(one.key) ? { key: one.key, kind: 'applied' as const } : one)),
      now,
      1 + (batch.changes[0]?.op === 'remove' ? Math.max(this.#attempt, this.#removalAttempt) : this.#attempt),
      this.#o.random(),
      this.#o.retryAfterCapMs,
    );
    const wait = now + this.#wait(applied.failure);
    const settlementOf = (one: Settlement, i: number): Settlement => {
      const { key } = batch.changes[i]!;
      if (applied.unknown.has(key)) return { kind: 'unknown', retryAt: delayed.get(key) ?? wait };
      if (all !== undefined || compared) return this.#again(now);
      return applied.failure !== undefined && applied.undone.has(key) ? { kind: 'retry', retryAt: wait } : one;
    };
    // A batch that was divided keeps its bytes: the call that was refused may still be sending them.
    const report =
      settled.settlements === undefined && !applied.divided && delayed.size === 0
        ? await store.settleAll(taken.id, now, taken.bytes.buffer)
        : await store.settle(
            taken.id,
            (settled.settlements ?? batch.changes.map(() => ({ kind: 'applied' }) as const)).map(settlementOf),
            now,
          );
    this.#taken.delete(taken.id);
    if (report.applied > 0) this.#suspected = undefined;
    this.#progress(report);
    if (all === undefined) this.#noteRemovals(batch, applied.outcomes);
    if (batch.changes[0]?.op === 'remove')
      for (const [key, { message }] of applied.breaking) this.#refused(key, message);
    const failure = applied.failure ?? settled.worst;
    // A refused change is that change's affair; anything else holds for the target.
    if (failure !== undefined && failure.kind !== 'permanent' && !isOfPlace(failure)) this.#failure = failure;
    if (settled.superseded) this.#superseded = true;
    return applied.outcomes.some((one) => one.kind === 'accepted');
  }

  /** When each change that makes the SIEM fail is tried again. */
  #noteBroken({ changes }: Batch, applied: Applied, now: number): ReadonlyMap<string, number> {
    this.#broken.told(applied.outcomes);
    if (applied.broken !== undefined) this.#broken.broke(changes, applied.broken);
    const delayed = new Map<string, number>();
    for (const [key, failure] of applied.breaking) {
      const wait = this.#broken.breaks(key);
      delayed.set(key, now + wait);
      this.#o.log.warn('One change makes the SIEM fail each time; it waits, and the others go on.', {
        siem: this.name,
        failure,
        nextAttempt: new Date(now + wait).toISOString(),
      });
    }
    return delayed;
  }

  /**
   * Everything is refused for one reason. What was parked for it goes to work again, and with it, the first time, a
   * row that stands there: when that is taken, the others are bad values after all; when not, it is the SIEM's state.
   */
  async #suspect(refusal: Failure): Promise<void> {
    const { store } = this.#o;
    const { code, message } = refusal;
    await store.retryRefused(this.name, code === undefined ? { note: message } : { code }, this.#o.now());
    const first = this.#suspected === undefined;
    this.#suspected = refusal;
    if (first && (await store.sendAgain(this.name, this.#o.now()))) return;
    this.#failure = {
      kind: 'config',
      message: `${this.name} refuses every change: ${message}; nothing is given up, it goes on by itself once that is mended`,
      ...(code === undefined ? {} : { code }),
    };
  }

  /**
   * One change alone tells nothing of whether it or the SIEM is to blame. It goes again beside a row that stands there,
   * where there is one. True when that is under way.
   */
  async #compare(outcomes: readonly Outcome[]): Promise<boolean> {
    const key = refusedAlone(outcomes);
    if (key === undefined) return false;
    if (this.#comparing.delete(key)) return false;
    if (!(await this.#o.store.sendAgain(this.name, this.#o.now()))) return false;
    this.#comparing.add(key);
    return true;
  }

  /** At once while a sound row is on its way to tell, or when the pause is over. */
  #again(now: number): Settlement {
    return { kind: 'retry', retryAt: now + this.#wait(this.#failure) };
  }

  /** Somebody restored an older state, or somebody else writes: what stands there is taken over. */
  async #listNewer(signal: AbortSignal): Promise<void> {
    this.#superseded = false;
    this.#renewedAt = Number.NEGATIVE_INFINITY;
    await this.#adopt(signal, 0, true);
    if (this.#failure !== undefined) return;
    await this.#failed(
      { kind: 'retryable', message: `${this.name} holds newer revisions than this state; listing what stands there` },
      undefined,
    );
  }

  #noteRemovals(batch: Batch, outcomes: readonly Outcome[]): void {
    const refused = new Map<string, Failure>();
    for (const one of outcomes)
      if (one.kind === 'failed' && one.failure.kind === 'permanent') refused.set(one.key, one.failure);
    if (refused.size === 0 && this.#refusedRemovals.size === 0) return;
    if (batch.changes[0]?.op === 'remove') this.#removalAttempt = refused.size === 0 ? 0 : this.#removalAttempt + 1;
    // What is tried again and taken by a task is refused until the task has ended otherwise.
    const open = new Set(outcomes.flatMap((one) => (one.kind === 'accepted' ? [one.key as string] : [])));
    for (const { key, op } of batch.changes) {
      const failure = refused.get(key);
      if (open.has(key)) continue;
      if (failure === undefined) this.#refusedRemovals.delete(key);
      else if (op === 'remove') this.#refused(key, failure.message);
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
    this.#comparing.clear();
    this.history = record(this.history, { kind: 'success', at: this.#o.now() });
    if (recovered) this.#o.log.info('The SIEM works again.', { siem: this.name });
    await this.#o.store.note('siem', this.name, undefined, this.#o.now());
    // The others wait for times that were set while it was not well.
    if (recovered) await this.#o.store.dueAtOnce(this.name, this.#o.now());
  }

  async #failed(found: Failure, error: unknown): Promise<void> {
    this.#attempt++;
    const failure = ofTheSiem(found);
    const wait = backoffMs(this.#attempt, failure, this.#o.random(), this.#o.retryAfterCapMs);
    this.#pausedUntil = this.#o.now() + wait;
    if (failure.kind === 'bug' && error !== undefined)
      this.#o.log.error('Delivery failed in a way it should not.', { siem: this.name, error });
    // After a refusal or an outage the SIEM may have been changed: negotiate and provision again.
    if (failure.kind === 'config') this.#opened = false;
    await this.#o.store.postpone(this.name, this.#pausedUntil, this.#o.now());
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

/** Holds for one container alone: its changes wait, the others go on, and `trouble()` says so at the end. */
function isOfPlace(failure: Failure): boolean {
  return failure.code?.startsWith('place_') === true;
}

/** A refusal for good of a call that carries no value (a mark, a listing) is about the SIEM, and heals with it. */
function ofTheSiem(failure: Failure): Failure {
  return failure.kind === 'permanent' ? { ...failure, kind: 'config', code: failure.code ?? 'call_refused' } : failure;
}
