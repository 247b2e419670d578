import { describe, expect, it } from 'vitest';
import { hasMoreValues } from './json-values.ts';

const more = (text: string, most: number) => hasMoreValues(Buffer.from(text), most);

describe('the values of a JSON text', () => {
  it.each([
    ['[1,2,3]', 4],
    ['{"a":[{}]}', 4],
    [`[${'{},'.repeat(9)}{}]`, 21],
    [`${'['.repeat(30)}${']'.repeat(30)}`, 31],
  ])('%s: %i', (text, count) => {
    expect([more(text, count), more(text, count - 1)]).toEqual([false, true]);
  });

  it.each(['["a,b,[{,"]', String.raw`["\",,,,\\",1]`, '["never closed,,,,,,'])(
    'are not what stands in text: %s',
    (text) => {
      expect(more(text, 3)).toBe(false);
    },
  );
});
