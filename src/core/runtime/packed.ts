// Pieces of a long answer that wait to be read, one after the other, and are kept packed until then: an answer of 50 MB
// would else lie beside all that becomes of it, for as long as that takes.
import { promisify } from 'node:util';
import { constants, deflateRaw, inflateRawSync } from 'node:zlib';

/** Some pieces together, so that packing is worth it. */
interface Bundle {
  readonly packed: Buffer;
  /** Where each piece ends in it; between two stands one byte that belongs to none. */
  readonly ends: readonly number[];
}

const BUNDLE_BYTES = 1024 * 1024;
const deflate = promisify(deflateRaw);

export class PackedPieces {
  readonly #bundles: readonly Bundle[];

  private constructor(bundles: readonly Bundle[]) {
    this.#bundles = bundles;
  }

  /** Pieces of `body` from `from` on, each up to one of `ends`; one byte is passed over between two. */
  static async of(body: Buffer, from: number, ends: readonly number[]): Promise<PackedPieces> {
    const bundles: Bundle[] = [];
    let start = from;
    let own: number[] = [];
    for (const [i, end] of ends.entries()) {
      own.push(end - start);
      if (end - start < BUNDLE_BYTES && i < ends.length - 1) continue;
      const packed = await deflate(body.subarray(start, end), { level: constants.Z_BEST_SPEED });
      bundles.push({ packed, ends: own });
      [start, own] = [end + 1, []];
    }
    return new PackedPieces(bundles);
  }

  /** Each is good until the next. */
  *[Symbol.iterator](): Generator<Buffer, void, undefined> {
    for (const { packed, ends } of this.#bundles) {
      const bytes = inflateRawSync(packed);
      let from = 0;
      for (const end of ends) {
        yield bytes.subarray(from, end);
        from = end + 1;
      }
    }
  }
}
