// Regular expressions of never-block lists, matched in time that grows with the length of pattern times text and no
// faster: lists come from elsewhere, values from partners, and a pattern that backtracks could be made to hold the
// store for hours. RE2 walks them state by state; what cannot be walked so (a look around, a reference back) is refused.
import { RE2JS, RE2JSException } from 're2js';

/** Longest program; counted repeats are written out. */
const MOST_STEPS = 2000;

/** One value of each kind, with nothing in common but what nearly every value has. */
const UNRELATED = [
  '203.0.113.47',
  '2001:db8::7',
  'kxq.zone.test',
  'http://vjh.test/Wu/6',
  'yo@prf.test',
  '8d2c4b9e61f03a7580dd1ec2f4b69a3f',
];

const matchesAll = (pattern: RE2JS): boolean => pattern.test('') || UNRELATED.every((value) => pattern.test(value));

export class LinearPattern {
  readonly #pattern: RE2JS;

  private constructor(pattern: RE2JS) {
    this.#pattern = pattern;
  }

  /** As MISP writes them, with delimiters and flags (`/…/i`), or the bare expression. */
  static read(text: string): LinearPattern | { readonly refused: string } {
    const [, , inner, flags] = /^([/#~!%@])(.*)\1([a-zA-Z]*)$/s.exec(text) ?? [];
    if (flags !== undefined && /[^iuDU]/.test(flags)) return { refused: `flags ${flags} are not understood` };
    try {
      const pattern = RE2JS.compile(inner ?? text, flags?.includes('i') === true ? RE2JS.CASE_INSENSITIVE : 0);
      if (pattern.programSize() > MOST_STEPS) return { refused: 'the expression is too long' };
      return matchesAll(pattern) ? { refused: 'it matches everything' } : new LinearPattern(pattern);
    } catch (error) {
      if (error instanceof RE2JSException) return { refused: error.message };
      throw error;
    }
  }

  get steps(): number {
    return this.#pattern.programSize();
  }

  /** Whether it matches anywhere in the text. */
  test(text: string): boolean {
    return this.#pattern.test(text);
  }
}
