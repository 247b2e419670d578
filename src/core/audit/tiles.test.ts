import { expect, it } from 'vitest';
import { bundle, hashTiles } from './tiles.ts';
import { leafHash, rangesOf } from './tree.ts';

const leavesOf = (size: number): Buffer =>
  Buffer.concat(Array.from({ length: size }, (_, i) => leafHash(`record ${i}`)));

it('lays hashes out as C2SP tlog-tiles does', () => {
  const leaves = leavesOf(70_000);
  const files = [...hashTiles(leaves)];
  const at = (path: string): Buffer | undefined => files.find((one) => one.path === path)?.bytes;

  expect(files.map((one) => one.path).filter((path) => !path.startsWith('tile/0/'))).toEqual([
    'tile/1/000',
    'tile/1/001.p/17',
    'tile/2/000.p/1',
  ]);
  expect(files.filter((one) => one.path.startsWith('tile/0/')).length).toBe(274);
  expect(at('tile/0/273.p/112')).toEqual(leaves.subarray(273 * 256 * 32));
  const range = rangesOf(leaves);
  expect(at('tile/1/000')?.subarray(32, 64)).toEqual(range(256, 512));
  expect(at('tile/2/000.p/1')).toEqual(range(0, 65_536));
});

it('names tiles beyond a thousand in groups of digits', () => {
  expect(bundle(1_234_067, ['a']).path).toBe('tile/entries/x001/x234/067.p/1');
  expect(
    bundle(
      0,
      Array.from({ length: 256 }, () => 'a'),
    ).path,
  ).toBe('tile/entries/000');
});

it('writes the length of each record before it', () => {
  expect(bundle(0, ['ab', 'ö']).bytes).toEqual(Buffer.from('00026162' + '0002c3b6', 'hex'));
  expect(() => bundle(0, ['x'.repeat(65_536)])).toThrow('65536');
});
