// Batch after batch until nothing is due or the target fails: some fly while the next one is made ready.
import PQueue from 'p-queue';
import { toFailure } from '../model/failure.ts';
import type { TakenBatch } from '../store/delivery/batches.ts';
import type { Flights } from './flights.ts';
import type { OwnMark } from './mark.ts';
import type { Receipts } from './receipts.ts';
import type { SiemStanding } from './standing.ts';
import type { Target } from './target.ts';

export class Sending {
  readonly #target: Target;
  readonly #standing: SiemStanding;
  readonly #mark: OwnMark;
  readonly #flights: Flights;
  readonly #receipts: Receipts;

  constructor(target: Target, standing: SiemStanding, mark: OwnMark, flights: Flights, receipts: Receipts) {
    this.#target = target;
    this.#standing = standing;
    this.#mark = mark;
    this.#flights = flights;
    this.#receipts = receipts;
  }

  async deliver(signal: AbortSignal, which: 'all' | 'removals' = 'all'): Promise<void> {
    const { store, name, now } = this.#target;
    const queue = new PQueue({ concurrency: this.#flights.concurrency });
    const stop = (): boolean => this.#flights.stopped(signal);
    let crash: unknown;
    let looking: Promise<void> = Promise.resolve();
    const failed = (error: unknown): void => {
      crash ??= error;
      if (this.#standing.failure === undefined) this.#standing.found(toFailure(error));
    };
    // Tasks of earlier batches end while later ones are sent; one look for each batch, so that looks have an end too.
    const lookSoon = (): void => {
      looking = looking.then(() => this.#receipts.lookSoon(signal)).catch(failed);
    };
    while (!stop()) {
      // One batch ready while the others fly.
      await queue.onSizeLessThan(1);
      if (stop()) break;
      let batch: TakenBatch | undefined;
      try {
        batch = await this.#flights.take(which);
      } catch (error) {
        crash ??= error;
        break;
      }
      if (batch === undefined) {
        await queue.onIdle();
        // Rows whose wish changed in flight are due again at once; without any, this pass is over.
        if (stop() || which === 'removals' || (await store.nextWork(name, now())) !== 0) break;
        continue;
      }
      const ready = batch;
      await this.#mark.writeFor(ready.newest, signal).catch(failed);
      queue
        .add(async () => {
          if (await this.#flights.send(ready, signal)) lookSoon();
        })
        .catch(failed);
    }
    await queue.onIdle();
    await looking;
    if (crash !== undefined) throw crash;
    if (this.#standing.failure !== undefined) await this.#standing.failed(this.#standing.failure);
  }
}
