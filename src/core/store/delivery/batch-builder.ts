// The bytes of one batch: frames are written one after the other into one buffer, which goes to the engine's thread
// as it is and comes back once everything in it was applied.
import type { Change, EncodeContext } from '../../contracts/siem-connector.ts';
import type { SiemEncoder } from '../../contracts/siem-connector.ts';

/** A batch as the store's own thread has it. */
export interface BuiltBatch {
  readonly id: number;
  readonly changes: readonly Change[];
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly ends: Uint32Array;
  /** Highest revision among the changes. */
  readonly newest: number;
}

/**
 * Buffers of batches that came back. A batch's bytes leave for another thread and, made anew each time, would count
 * there as memory to be collected: a fifth of a delivery's processor time went into that.
 */
export class Buffers {
  readonly #free: Buffer[] = [];
  #size = 64 * 1024;

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#size);
  }

  give(buffer: ArrayBuffer): void {
    // Smaller ones, from before a larger batch, are let go.
    if (buffer.byteLength >= this.#size && this.#free.length < MOST_FREE) this.#free.push(Buffer.from(buffer));
  }

  /** At least `size` bytes, the first `kept` as they were. */
  larger(buffer: Buffer, size: number, kept: number): Buffer {
    if (buffer.length >= size) return buffer;
    this.#size = Math.max(size, Math.ceil(1.5 * buffer.length));
    const larger = Buffer.allocUnsafeSlow(this.#size);
    buffer.copy(larger, 0, 0, kept);
    return larger;
  }
}

/** Two fly and one is made. */
const MOST_FREE = 3;

/** Collects changes and their frames up to a number of bytes; `R` is the row that a change was made for. */
export class BatchBuilder<R> {
  readonly rows: R[] = [];
  readonly #buffers: Buffers;
  #buffer: Buffer;
  readonly #encoder: SiemEncoder;
  #context: EncodeContext;
  readonly #maxBytes: number;
  readonly #changes: Change[] = [];
  readonly #ends: number[] = [];
  #end = 0;
  #newest = 0;

  constructor(buffers: Buffers, encoder: SiemEncoder, base: EncodeContext, maxBytes: number) {
    this.#buffers = buffers;
    this.#buffer = buffers.take();
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
    const text = this.#encoder.frame?.(change, body, this.contextFor(change.revision)) ?? body;
    // UTF-8 takes at most three bytes for a unit of a string, so that nothing has to be measured first.
    this.#buffer = this.#buffers.larger(this.#buffer, this.#end + 3 * text.length, this.#end);
    const size = this.#buffer.write(text, this.#end);
    if (this.rows.length > 0 && this.#end + size > this.#maxBytes) return false;
    this.#end += size;
    this.#changes.push(change);
    if (change.revision > this.#newest) this.#newest = change.revision;
    this.#ends.push(this.#end);
    this.rows.push(row);
    return true;
  }

  /** Nothing came together: the buffer is for another one. */
  discard(): void {
    this.#buffers.give(this.#buffer.buffer as ArrayBuffer);
  }

  finish(id: number): BuiltBatch {
    // Allocated by itself (allocUnsafeSlow), so that its memory is this batch's alone and may be transferred.
    const bytes = new Uint8Array(this.#buffer.buffer as ArrayBuffer, 0, this.#end);
    return { id, changes: this.#changes, bytes, ends: Uint32Array.from(this.#ends), newest: this.#newest };
  }
}
