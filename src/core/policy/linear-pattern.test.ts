import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinearPattern } from './linear-pattern.ts';

function read(text: string): LinearPattern {
  const pattern = LinearPattern.read(text);
  if ('refused' in pattern) throw new Error(`${text}: ${pattern.refused}`);
  return pattern;
}

describe('a linear pattern', () => {
  it.each([
    ['/^abuse@/i', ['ABUSE@x.example', 'abuse@'], ['x.abuse@', 'abus']],
    ['^(?:a|bc)+d$', ['ad', 'bcad'], ['d', 'bd', 'adx']],
    ['\\d{2,3}-[a-f]{2}', ['x12-aby', '123-ff'], ['1-ab', '12-ag']],
    ['a.c', ['abc', 'xa-c'], ['ac', 'a\nc']],
    ['[^a-z.]', ['a1'], ['abc.']],
    ['(a{0,2}b){2}', ['bab', 'aabaab'], ['ba']],
    ['\\bcdn\\b', ['a.cdn.b', 'cdn'], ['cdns', 'acdn']],
    ['a*?b', ['aab'], ['aa']],
    ['/[A-F]+x/i', ['abx', 'ABX'], ['gx']],
    ['/^\\D\\W$/i', ['x.'], ['1.', 'xx']],
    ['/ÄB/i', ['xäb'], ['ab']],
    ['#/wp-admin/#', ['http://x/wp-admin/y'], ['wp-admin']],
    ['\\x41[\\]-]', ['A]', 'A-'], ['A[']],
    ['(?i)a[[:digit:]]', ['A1'], ['ab']],
    ['^\\p{L}+$', ['äb'], ['a1']],
  ])('%s', (text, matches, others) => {
    const pattern = read(text);

    for (const one of matches) expect([one, pattern.test(one)]).toEqual([one, true]);
    for (const one of others) expect([one, pattern.test(one)]).toEqual([one, false]);
  });

  it.each([
    ['(?=a)b', /invalid .*\(\?=/],
    ['(a)\\1', /invalid escape/],
    ['a**', /repetition/],
    ['(a', /missing closing \)/],
    ['a)', /unexpected \)/],
    ['[a', /missing closing \]/],
    ['a{2000}', /repeat/],
    ['(?:(?:a{400}){400})', /repeat|too long/],
    ['.{900}(?:ab){900}', /too long/],
    ['.*', /everything/],
    ['a?', /everything/],
    ['.', /everything/],
    ['/^.+$/', /everything/],
    ['[\\w]', /everything/],
    ['/a/x', /flags x/],
    ['[b-a]', /range/],
  ])('refuses %s', (text, reason) => {
    expect(LinearPattern.read(text)).toEqual({ refused: expect.stringMatching(reason) as string });
  });

  it('says of every text what the engine of the language says', () => {
    const part = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '(a|b)', '(?:ab|c)', '\\d', '\\b', '^', '$');
    const repeat = fc.constantFrom('', '*', '+', '?', '{2}', '{1,3}');
    const source = fc
      .array(fc.tuple(part, repeat), { minLength: 1, maxLength: 6 })
      .map((parts) => parts.map(([one, many]) => (/^(\\b|\^|\$)$/.test(one) ? one : `${one}${many}`)).join(''));
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', '.'), maxLength: 12 });

    fc.assert(
      fc.property(source, text, (pattern, given) => {
        const own = LinearPattern.read(pattern);
        const matches = (one: string) => new RegExp(pattern).test(one);
        if ('refused' in own) expect(matches('') || ['203.0.113.47', 'kxq.zone.test'].every(matches)).toBe(true);
        else expect(own.test(given)).toBe(matches(given));
      }),
      { numRuns: 2000, seed: 12 },
    );
  });

  it.each(['(a+)+$', '(a|aa)+$', '(.*a){12}x', '([a-z]+)*!'])(
    '%s takes no longer than its length times the text',
    (text) => {
      const pattern = read(text);
      const [short, long] = [1000, 8000].map((n) => `${'a'.repeat(n)}0`);
      let tested = 0;
      for (const one of [short!, long!]) tested += pattern.test(one) ? 1 : 0;

      // An engine that goes back would not come to this line.
      expect(tested).toBe(0);
    },
  );
});
