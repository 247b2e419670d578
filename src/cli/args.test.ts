import { expect, it } from 'vitest';
import { numberOf } from './args.ts';

it.each([
  ['24', 24],
  ['0.5', 0.5],
  [undefined, 60],
  ['', Number.NaN],
  ['0x10', Number.NaN],
  ['1e3', Number.NaN],
  ['-1', Number.NaN],
  ['24h', Number.NaN],
  [true, Number.NaN],
])('a flag of %s is the number %d', (flag, number) => {
  expect(numberOf(flag, 60)).toBe(number);
});
