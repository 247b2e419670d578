import { describe, expect, it } from 'vitest';
import fc from '../../../test/property.ts';
import {
  Frontier,
  type Hash,
  inclusionProof,
  leafHash,
  nodeHash,
  perfect,
  rangesOf,
  rootOf,
  rootOfTexts,
} from './tree.ts';

// The tree that implementations of Certificate Transparency have tested with since RFC 6962.
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const hashes = LEAVES.map((leaf) => leafHash(Buffer.from(leaf, 'hex')));
const range = rangesOf(Buffer.concat(hashes));
const hex = (proof: readonly Hash[]): string[] => proof.map((one) => one.toString('hex'));

describe('the known tree', () => {
  it('has the known roots', () => {
    expect(ROOTS.map((_, size) => rootOf(hashes.slice(0, size)).toString('hex'))).toEqual(ROOTS);
    expect(ROOTS.map((_, size) => range(0, size).toString('hex'))).toEqual(ROOTS);
  });

  it('gives the known proofs of inclusion', () => {
    expect(hex(inclusionProof(range, 0, 1))).toEqual([]);
    expect(hex(inclusionProof(range, 0, 8))).toEqual([
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ]);
    expect(hex(inclusionProof(range, 5, 8))).toEqual([
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
  });
});

const leavesOf = (size: number): Hash[] => Array.from({ length: size }, (_, i) => leafHash(`record ${i}`));
const pair = fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 300 })).map(([a, b]) => [a % b, b] as const);

/** As whoever was given a proof verifies it: RFC 9162 §2.1.3.2. */
function isIncluded(leaf: Hash, index: number, size: number, proof: readonly Hash[], root: Hash): boolean {
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

describe('any tree', () => {
  it('proves each of its leaves, and no other in its place', () => {
    fc.assert(
      fc.property(pair, ([index, size]) => {
        const leaves = leavesOf(size);
        const proof = inclusionProof(rangesOf(Buffer.concat(leaves)), index, size);
        const root = rootOf(leaves);

        expect(isIncluded(leaves[index]!, index, size, proof, root)).toBe(true);
        expect(isIncluded(leafHash('another'), index, size, proof, root)).toBe(false);
        expect(isIncluded(leaves[index]!, index, size, [...proof, root], root)).toBe(false);
        if (size > 1) expect(isIncluded(leaves[index]!, (index + 1) % size, size, proof, root)).toBe(false);
        if (proof.length > 0) expect(isIncluded(leaves[index]!, index, size, proof.slice(1), root)).toBe(false);
      }),
    );
  });

  it('goes on from a frontier as if it had never been put down', () => {
    fc.assert(
      fc.property(pair, ([at, size]) => {
        const leaves = leavesOf(size);
        const first = new Frontier();
        for (const leaf of leaves.slice(0, at)) first.append(leaf);
        const later = new Frontier(first.size, first.roots);
        for (const leaf of leaves.slice(at)) later.append(leaf);

        expect(later.root()).toEqual(rootOf(leaves));
        expect(later.roots).toHaveLength(perfect(size).length);
      }),
    );
  });

  it('has one root, whether its leaves come as hashes or as texts', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 70 }), (texts) => {
        expect(rootOfTexts(texts)).toEqual(rootOf(texts.map(leafHash)));
      }),
    );
  });

  it('takes no frontier that is none', () => {
    expect(() => new Frontier(6, [leafHash('one')])).toThrow('frontier');
  });
});
