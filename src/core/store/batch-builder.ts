// The bytes of one batch: frames are written one after the other into a buffer that is kept between batches, and only
// the finished run is copied, since it leaves for another thread.
import type { Change, EncodeContext } from '../contracts/siem-connector.ts';
import type { Encoder } from './spec.ts';

/** A batch as the store's own thread has it. */
export interface BuiltBatch {
  readonly id: number;
  readonly changes: readonly Change[];
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

/** Grows to the largest batch and stays. */
export class Scratch {
  #bytes = Buffer.alloc(0);

  /** At least `size` bytes, of which the first `kept` are as they were. */
  room(size: number, kept: number): Buffer {
    if (this.#bytes.length < size) {
      const larger = Buffer.allocUnsafeSlow(Math.max(size, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, kept);
      this.#bytes = larger;
    }
    return this.#bytes;
  }
}

/** Collects changes and their frames up to a number of bytes; `R` is the row that a change was made for. */
export class BatchBuilder<R> {
  readonly rows: R[] = [];
  readonly #scratch: Scratch;
  readonly #encoder: Encoder;
  #context: EncodeContext;
  readonly #maxBytes: number;
  readonly #changes: Change[] = [];
  readonly #ends: number[] = [];
  #end = 0;

  constructor(scratch: Scratch, encoder: Encoder, base: EncodeContext, maxBytes: number) {
    this.#scratch = scratch;
    this.#encoder = encoder;
    this.#context = base;
    this.#maxBytes = maxBytes;
  }

  /** Most rows of a batch share one revision, so the context of the last one is kept. */
  contextFor(revision: number): EncodeContext {
    if (this.#context.revision !== revision) this.#context = { ...this.#context, revision };
    return this.#context;
  }

  /** False when the batch is full; the row then belongs to the next one. */
  add(change: Change, body: string, row: R): boolean {
    const { frame } = this.#encoder;
    const text = frame === undefined ? body : frame(change, body, this.contextFor(change.revision));
    // UTF-8 takes at most three bytes for a unit of a string, so that nothing has to be measured first.
    const size = this.#scratch.room(this.#end + 3 * text.length, this.#end).write(text, this.#end);
    if (this.rows.length > 0 && this.#end + size > this.#maxBytes) return false;
    this.#end += size;
    this.#changes.push(change);
    this.#ends.push(this.#end);
    this.rows.push(row);
    return true;
  }

  finish(id: number): BuiltBatch {
    return {
      id,
      changes: this.#changes,
      // A copy over a buffer of its own, which may be transferred.
      bytes: new Uint8Array(this.#scratch.room(0, 0).subarray(0, this.#end)),
      ends: Uint32Array.from(this.#ends),
    };
  }
}
