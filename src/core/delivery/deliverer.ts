// Keeps one SIEM in step. A cycle: containers still the same? still the only writer? read back what is uncertain,
// then batch after batch until nothing is due. The engine owns batching, concurrency and retry; the connector only
// makes calls.
//
// A failure of a whole call pauses the target and never loses work: rows go back with a time, a single refused
// upsert is parked, a refused removal makes the SIEM failing.
import type { SiemDefinition } from '../contracts/siem-connector.ts';
import { type Failure, toFailure } from '../model/failure.ts';
import type { History } from '../runtime/health.ts';
import type { ComparisonReport } from '../store/delivery/comparison.ts';
import { Adoption } from './adoption.ts';
import { Audits } from './audits.ts';
import { Blame } from './blame.ts';
import { Containers } from './containers.ts';
import { Flights } from './flights.ts';
import { Lane } from './lane.ts';
import { type Claimant, OwnMark } from './mark.ts';
import { lookAgain, readBack } from './read-back.ts';
import { Receipts } from './receipts.ts';
import { RefusedRemovals } from './refused-removals.ts';
import { Sending } from './sending.ts';
import { SiemStanding } from './standing.ts';
import type { Target } from './target.ts';
import { type Progress, Totals } from './totals.ts';

export interface DelivererOptions extends Target, Claimant {
  readonly definition: SiemDefinition;
  /** Ends calls in hand. Fires later than the signal of `cycle`, which only stops new work. */
  readonly abort: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export class Deliverer {
  readonly name: string;
  readonly totals: Totals;
  readonly #target: Target;
  readonly #lane = new Lane();
  readonly #standing: SiemStanding;
  readonly #mark: OwnMark;
  readonly #removals = new RefusedRemovals();
  readonly #containers: Containers;
  readonly #blame: Blame;
  readonly #receipts: Receipts;
  readonly #flights: Flights;
  readonly #sending: Sending;
  readonly #audits: Audits;
  readonly #adoption: Adoption;

  constructor(options: DelivererOptions) {
    const { name, definition, abort, onProgress } = options;
    this.name = name;
    this.#target = options;
    this.totals = new Totals(name, onProgress);
    const [target, lane, removals, totals] = [options, this.#lane, this.#removals, this.totals];
    const standing = new SiemStanding(target);
    const blame = new Blame(target, standing);
    this.#standing = standing;
    this.#blame = blame;
    this.#mark = new OwnMark(target, options);
    this.#containers = new Containers(target, standing, removals);
    this.#receipts = new Receipts(target, standing, blame, removals, totals);
    this.#flights = new Flights(target, standing, blame, removals, totals, definition.limits, abort);
    this.#sending = new Sending(target, standing, this.#mark, this.#flights, this.#receipts);
    this.#audits = new Audits(target, lane);
    this.#adoption = new Adoption(target, lane, this.#audits, removals, (signal) => this.urgent(signal));
  }

  /** Engine time before which nothing is tried. */
  get pausedUntil(): number {
    return this.#standing.pausedUntil;
  }

  get failure(): Failure | undefined {
    return this.#standing.failure;
  }

  get history(): History {
    return this.#standing.history;
  }

  /** Ends a pause: a secret was renewed, a person asked. */
  wake(): void {
    this.#standing.wake();
  }

  /** One at a time: for whoever else works at this SIEM. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.#lane.exclusive(work);
  }

  /** A long listing by who has the lane: what must go goes beside it. */
  listing<T>(work: () => Promise<T>): Promise<T> {
    return this.#lane.listing(work);
  }

  /** A person took a value off: where a listing holds the lane it is not waited for; else the next cycle does it. */
  urgent(signal: AbortSignal): Promise<void> {
    return this.#lane.beside(() => this.#besideListing(signal));
  }

  /** One pass until nothing is due or the target fails. Never throws; the failure is in `failure` and `history`. */
  cycle(signal: AbortSignal): Promise<void> {
    return this.exclusive(() => this.#cycle(signal));
  }

  /** Compares ledger and SIEM; with `repair`, the ledger follows what was found and delivery does the rest. */
  audit(signal: AbortSignal, repair: boolean): Promise<ComparisonReport> {
    return this.exclusive(() => this.#audits.compare(signal, repair));
  }

  /** At a clean stop. */
  leave(signal: AbortSignal): Promise<void> {
    return this.exclusive(() => this.#mark.giveBack(signal));
  }

  async #cycle(signal: AbortSignal): Promise<void> {
    const { store, connector, name, now } = this.#target;
    try {
      await this.#lane.besideEnded;
      if (signal.aborted) return;
      // No pause holds up what must go: it is tried at once, whatever the SIEM said to others.
      if (now() < this.pausedUntil && !(await store.urgent(name))) return;
      await this.#standing.begin();
      await this.#flights.giveBack();
      await this.#containers.check(signal);
      if (!(await this.#isWriter(signal))) return;
      await this.#receipts.settle(signal);
      await readBack(this.#target, signal);
      await lookAgain(this.#target, signal);
      await this.#sending.deliver(signal);
      await this.#waitForReceipts(signal);
      if (this.#flights.superseded) await this.#listNewer(signal);
      if (this.failure !== undefined) return;
      const trouble = this.#removals.failure ?? connector.trouble?.();
      if (trouble !== undefined) return await this.#standing.remember(trouble);
      this.#blame.settled();
      await this.#standing.succeeded();
      await this.#audits.whenDue(signal);
    } catch (error) {
      if (signal.aborted) return;
      await this.#standing.failed(toFailure(error), error);
    }
  }

  async #besideListing(signal: AbortSignal): Promise<void> {
    const known = this.#standing.negotiated && (this.#mark.written || this.#adoption.underWay);
    if (!known || signal.aborted) return;
    try {
      if (!(await this.#target.store.urgent(this.name))) return;
      // What is to be armed waits until it is known what stands there.
      await this.#sending.deliver(signal, this.#adoption.underWay ? 'removals' : 'all');
      await this.#waitForReceipts(signal);
    } catch (error) {
      if (!signal.aborted) await this.#standing.failed(toFailure(error), error);
    }
  }

  #waitForReceipts(signal: AbortSignal): Promise<void> {
    return this.#receipts.wait(signal, () => this.#sending.deliver(signal));
  }

  /** False when somebody else writes here. */
  async #isWriter(signal: AbortSignal): Promise<boolean> {
    const { log, name, now } = this.#target;
    const { verdict, found } = await this.#mark.judge(signal);
    switch (verdict.kind) {
      case 'twin': {
        const at = now();
        const wait = Math.min(60_000, Math.max(1_000, (verdict.freeAt ?? at + 60_000) - at));
        await this.#standing.pause(at + wait, { kind: 'config', message: `${name}: ${verdict.reason}` });
        return false;
      }
      case 'adopt':
        if (found !== undefined || this.#mark.written)
          log.warn('Taking over what stands in the SIEM under our name.', { siem: name, reason: verdict.reason });
        await this.#adoption.run(signal, found?.revision ?? 0, found !== undefined);
        await this.#mark.write(signal);
        return true;
      case 'late':
        await this.#mark.write(signal);
        return true;
      case 'mine':
        await this.#mark.renewWhenOld(signal);
        return true;
    }
  }

  /** Somebody restored an older state, or somebody else writes: what stands there is taken over. */
  async #listNewer(signal: AbortSignal): Promise<void> {
    this.#flights.superseded = false;
    this.#mark.renewSoon();
    await this.#adoption.run(signal, 0, true);
    if (this.failure !== undefined) return;
    await this.#standing.failed({
      kind: 'retryable',
      message: `${this.name} holds newer revisions than this state; listing what stands there`,
    });
  }
}
