// The log as static files (C2SP tlog-tiles): tiles of 256 hashes each, level above level, and the records themselves in
// bundles of 256. Any verifier that knows the layout can judge the log without us.
import { nodeHash } from './tree.ts';

const WIDTH = 256;
/** Two bytes tell the length of a record in a bundle. */
const MOST_RECORD_BYTES = 65_535;

interface TileFile {
  readonly path: string;
  readonly bytes: Buffer;
}

/** `x001/x234/067`: groups of three digits, all but the last marked. `width`: how many stand in one that is not full. */
function pathOf(level: string, index: number, width: number): string {
  let path = String(index % 1000).padStart(3, '0');
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000))
    path = `x${String(rest % 1000).padStart(3, '0')}/${path}`;
  return `tile/${level}/${path}${width === WIDTH ? '' : `.p/${width}`}`;
}

/** Files of hashes over the leaves given in one piece, lowest level first. */
export function* hashTiles(leaves: Uint8Array): Generator<TileFile, void, undefined> {
  let hashes = leaves;
  for (let level = 0; hashes.length > 0; level++) {
    const count = hashes.length / 32;
    for (let index = 0; index * WIDTH < count; index++) {
      const width = Math.min(WIDTH, count - index * WIDTH);
      const begin = index * WIDTH * 32;
      yield {
        path: pathOf(String(level), index, width),
        bytes: Buffer.from(hashes.subarray(begin, begin + width * 32)),
      };
    }
    hashes = above(hashes);
  }
}

/** The roots of the full tiles, which are the leaves of the next level. */
function above(hashes: Uint8Array): Uint8Array {
  const full = Math.floor(hashes.length / 32 / WIDTH);
  let level: Uint8Array = hashes.subarray(0, full * WIDTH * 32);
  for (let i = 0; i < 8; i++) {
    const next = Buffer.allocUnsafe(level.length / 2);
    for (let at = 0; at < next.length; at += 32)
      next.set(nodeHash(level.subarray(2 * at, 2 * at + 32), level.subarray(2 * at + 32, 2 * at + 64)), at);
    level = next;
  }
  return level;
}

/** The bundle of records that begins at 256 times `index`. */
export function bundle(index: number, records: readonly string[]): TileFile {
  const parts = records.flatMap((record) => {
    const bytes = Buffer.from(record, 'utf8');
    if (bytes.length > MOST_RECORD_BYTES) throw new RangeError(`a record of ${bytes.length} bytes fits no bundle`);
    const length = Buffer.allocUnsafe(2);
    length.writeUInt16BE(bytes.length);
    return [length, bytes];
  });
  return { path: pathOf('entries', index, records.length), bytes: Buffer.concat(parts) };
}
