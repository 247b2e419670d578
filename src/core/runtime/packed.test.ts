import { expect, it } from 'vitest';
import { PackedPieces } from './packed.ts';

it.each([0, 1, 2, 1000, 70_000])('gives %i pieces back as they were', async (count) => {
  const pieces = Array.from({ length: count }, (_, n) => `${n} é `.repeat(n % 7) + 'x'.repeat(n % 40));
  pieces.push('y'.repeat(3_000_000), '', 'z');
  const body = Buffer.from(`[${pieces.join(',')}]`);
  const ends: number[] = [];
  let at = 0;
  for (const piece of pieces) {
    at += 1 + Buffer.byteLength(piece);
    ends.push(at);
  }
  const packed = await PackedPieces.of(body, 1, ends);

  expect([...packed].map(String)).toEqual(pieces);
});
