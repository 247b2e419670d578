// The Merkle tree of RFC 6962 (and 9162): hashes of leaves and nodes, the root over any number of leaves, and proofs that
// a leaf is in a tree. Pure; a hash is 32 bytes.
import { hash } from 'node:crypto';

export type Hash = Buffer;

/** By the name that `hash` knows it under. */
const LATIN1 = 'binary';

const EMPTY: Hash = hash('sha256', '', 'buffer');

/** §2.1: a leaf and a node never share a hash, whatever a leaf says. */
export function leafHash(record: string | Uint8Array): Hash {
  // A zero before a text is a zero before its bytes, and saves a copy.
  if (typeof record === 'string') return hash('sha256', `\0${record}`, 'buffer');
  return hash('sha256', Buffer.concat([Buffer.of(0), record]), 'buffer');
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Hash {
  const whole = Buffer.allocUnsafe(65);
  whole[0] = 1;
  whole.set(left, 1);
  whole.set(right, 33);
  return hash('sha256', whole, 'buffer');
}

/** What is kept of a tree so that leaves can be added: the roots of its perfect subtrees, the largest first. */
export class Frontier {
  #size: number;
  readonly #roots: Hash[];

  constructor(size = 0, roots: readonly Hash[] = []) {
    if (roots.length !== perfect(size).length)
      throw new RangeError(`${roots.length} hashes are no frontier of ${size}`);
    this.#size = size;
    this.#roots = [...roots];
  }

  get size(): number {
    return this.#size;
  }

  get roots(): readonly Hash[] {
    return this.#roots;
  }

  append(leaf: Hash): void {
    let top = leaf;
    // One subtree is closed for each one at the end of the size's binary form.
    for (let size = this.#size; size % 2 === 1; size = Math.floor(size / 2)) top = nodeHash(this.#roots.pop()!, top);
    this.#roots.push(top);
    this.#size++;
  }

  root(): Hash {
    return this.#roots.length === 0 ? EMPTY : this.#roots.reduceRight((right, left) => nodeHash(left, right));
  }
}

/** Sizes of the perfect subtrees of a tree, the largest first. */
export function perfect(size: number): number[] {
  const sizes: number[] = [];
  for (let left = size, power = 2 ** Math.floor(Math.log2(Math.max(1, size))); left > 0; power /= 2)
    if (left >= power) {
      sizes.push(power);
      left -= power;
    }
  return sizes;
}

export function rootOf(leaves: Iterable<Hash>): Hash {
  const frontier = new Frontier();
  for (const leaf of leaves) frontier.append(leaf);
  return frontier.root();
}

/**
 * Root over these texts as leaves, level by level. A hash that is handed on as a Latin-1 text costs half of what it does as a
 * buffer, and each batch that was delivered has thousands.
 */
export function rootOfTexts(texts: readonly string[]): Hash {
  let level = texts.map((one) => hash('sha256', `\0${one}`, LATIN1));
  if (level.length === 0) return EMPTY;
  const node = Buffer.alloc(65);
  node[0] = 1;
  while (level.length > 1) {
    const above: string[] = [];
    for (let i = 0; i + 1 < level.length; i += 2) {
      node.write(level[i]!, 1, 'latin1');
      node.write(level[i + 1]!, 33, 'latin1');
      above.push(hash('sha256', node, LATIN1));
    }
    if (level.length % 2 === 1) above.push(level.at(-1)!);
    level = above;
  }
  return Buffer.from(level[0]!, 'latin1');
}

/** Root over the leaves from `begin` to before `end`. A range that is looked at again and again may be remembered by who asks. */
type Range = (begin: number, end: number) => Hash;

/** Below that, hashing again costs less than looking up. */
const REMEMBERED = 64;

/** Over hashes that lie in one piece, as those of a million records do. Large subtrees are hashed once. */
export function rangesOf(hashes: Uint8Array): Range {
  const known = new Map<string, Hash>();
  const range: Range = (begin, end) => {
    if (end - begin === 0) return EMPTY;
    if (end - begin === 1) return Buffer.from(hashes.subarray(32 * begin, 32 * end));
    const key = end - begin < REMEMBERED ? undefined : `${begin} ${end}`;
    const found = key === undefined ? undefined : known.get(key);
    if (found !== undefined) return found;
    const middle = begin + split(end - begin);
    const made = nodeHash(range(begin, middle), range(middle, end));
    if (key !== undefined) known.set(key, made);
    return made;
  };
  return range;
}

/** The largest power of two below the size. */
const split = (size: number): number => 2 ** Math.floor(Math.log2(size - 1));

/** §2.1.1: the hashes beside the way from a leaf up to the root of the first `size`. */
export function inclusionProof(range: Range, index: number, size: number): Hash[] {
  if (index < 0 || index >= size) throw new RangeError(`leaf ${index} is not in a tree of ${size}`);
  const path = (begin: number, end: number): Hash[] => {
    if (end - begin === 1) return [];
    const middle = begin + split(end - begin);
    return index < middle ? [...path(begin, middle), range(middle, end)] : [...path(middle, end), range(begin, middle)];
  };
  return path(0, size);
}
