import { expect, it } from 'vitest';
import { refusedLines } from './plan.ts';

it('tells reasons that differ by a value alone as one, the most first, and counts the rest', () => {
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`reason ${String.fromCharCode(97 + i)}`, 1]));
  const lines = refusedLines({
    'confidence 3 is below 40': 2,
    'confidence 39 is below 40': 3,
    '192.0.2.1 is a documentation address (never-block list documentation)': 4,
    '192.0.2.2 is a documentation address (never-block list documentation)': 4,
    ...many,
  });

  expect(lines.slice(0, 3)).toEqual([
    'refused 8: … is a documentation address (never-block list documentation)',
    'refused 5: confidence … is below 40',
    'refused 1: reason a',
  ]);
  expect(lines).toHaveLength(13);
  expect(lines.at(-1)).toBe('refused 10 for 10 other reasons: entente plan --json');
});
