// The Merkle tree of RFC 6962 (and 9162): hashes of leaves and nodes, the root over any number of leaves, and proofs that
// a leaf is in a tree and that one tree begins another. Pure; a hash is 32 bytes.
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
export type Range = (begin: number, end: number) => Hash;

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

/** §2.1.2: what shows that the tree of the first `before` leaves begins that of `size`. */
export function consistencyProof(range: Range, before: number, size: number): Hash[] {
  if (before < 0 || before > size) throw new RangeError(`a tree of ${before} does not begin one of ${size}`);
  if (before === 0 || before === size) return [];
  const prove = (begin: number, end: number, known: boolean): Hash[] => {
    if (before === end) return known ? [] : [range(begin, end)];
    const middle = begin + split(end - begin);
    return before <= middle
      ? [...prove(begin, middle, known), range(middle, end)]
      : [...prove(middle, end, false), range(begin, middle)];
  };
  return prove(0, size, true);
}

/** RFC 9162 §2.1.3.2. */
export function isIncluded(leaf: Hash, index: number, size: number, proof: readonly Hash[], root: Hash): boolean {
  if (index < 0 || index >= size) return false;
  let [fn, sn] = [index, size - 1];
  let found = leaf;
  for (const one of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      found = nodeHash(one, found);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)];
    } else found = nodeHash(found, one);
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && found.equals(root);
}

/** RFC 9162 §2.1.4.2. */
export function isConsistent(before: number, size: number, first: Hash, second: Hash, proof: readonly Hash[]): boolean {
  if (before < 0 || before > size) return false;
  if (before === size) return proof.length === 0 && first.equals(second);
  if (before === 0) return proof.length === 0;
  // A power of two is a subtree of the larger tree, so that its root need not be told.
  const hashes = Number.isInteger(Math.log2(before)) ? [first, ...proof] : [...proof];
  const [begin, ...rest] = hashes;
  if (begin === undefined) return false;
  let [fn, sn] = [before - 1, size - 1];
  while (fn % 2 === 1) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  let [old, now] = [begin, begin];
  for (const one of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      [old, now] = [nodeHash(one, old), nodeHash(one, now)];
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)];
    } else now = nodeHash(now, one);
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && old.equals(first) && now.equals(second);
}
