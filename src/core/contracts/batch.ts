// A batch is a list of changes and, beside it, the bytes that go over the wire. Bodies are encoded in the
// store's worker and travel as one buffer, because rows sent over threads as objects cost a tenth of the
// throughput (docs/decisions/0002-state-in-sqlite.md).
import type { Change } from './change.ts';

/** A list, or what makes it: on the engine's side most of a batch's life needs its bytes alone. */
export type Changes = readonly Change[] | (() => readonly Change[]);

export class Batch {
  #changes: Changes;
  /** Frames of all changes, one after the other. */
  readonly bytes: Buffer;
  /** End offset of each change's frame within `bytes`. */
  readonly #ends: Uint32Array;

  constructor(changes: Changes, bytes: Uint8Array, ends: Uint32Array) {
    this.#changes = changes;
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#ends = ends;
  }

  /** For tests and small calls: frames given as texts, one per change. */
  static of(changes: readonly Change[], frames: readonly string[]): Batch {
    const ends = new Uint32Array(frames.length);
    let end = 0;
    frames.forEach((frame, i) => {
      end += Buffer.byteLength(frame);
      ends[i] = end;
    });
    return new Batch(changes, Buffer.from(frames.join('')), ends);
  }

  get changes(): readonly Change[] {
    if (typeof this.#changes === 'function') this.#changes = this.#changes();
    return this.#changes;
  }

  get size(): number {
    return this.#ends.length;
  }

  /** The wire bytes of change `i`; empty for a removal unless the connector frames removals. */
  frame(i: number): Buffer {
    return this.bytes.subarray(i === 0 ? 0 : this.#ends[i - 1], this.#ends[i]);
  }

  slice(from: number, to: number): Batch {
    const start = from === 0 ? 0 : (this.#ends[from - 1] ?? 0);
    const ends = this.#ends.slice(from, to).map((end) => end - start);
    return new Batch(this.changes.slice(from, to), this.bytes.subarray(start, start + (ends.at(-1) ?? 0)), ends);
  }
}
