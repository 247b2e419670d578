import { describe, expect, it } from 'vitest';
import { ConnectorError, toFailure } from './failure.ts';
import { showingHidden, withoutHidden } from './text.ts';

/** One of each kind, by what it does to a reader. */
const HIDDEN = [
  ['turns the direction', '\u202e'],
  ['isolates', '\u2066'],
  ['marks a direction', '\u200f'],
  ['has no width', '\u200b'],
  ['joins', '\u200d'],
  ['is a soft hyphen', '\u00ad'],
  ['is a byte order mark', '\ufeff'],
  ['begins a colour', '\u001b[31m'],
  ['ends a line', '\r\n'],
  ['ends a line elsewhere', '\u2028'],
  ['is a control beyond ASCII', '\u0085'],
  ['fills', '\u3164'],
  ['is a tag', '\u{e0041}'],
] as const;

describe('text of a peer', () => {
  it.each(HIDDEN)('loses a character that %s, in whatever failure it is quoted', (_what, character) => {
    const text = `no${character}such`;

    expect(withoutHidden(text)).toMatch(/^no ?(\[31m)?such$/);
    expect(new ConnectorError('config', `SIEM watch: ${text}`).message).toBe(`SIEM watch: ${withoutHidden(text)}`);
    expect(toFailure(new SyntaxError(text)).message).toBe(`SyntaxError: ${withoutHidden(text)}`);
    expect(showingHidden(text)).toMatch(/^no(\\u\{[0-9a-f]+\})+(\[31m)?such$/);
  });

  it('stays as it is where all can be seen, in any script', () => {
    for (const text of ['plain', 'Grüße, Ελλάδα, 日本', 'a  b']) {
      expect([withoutHidden(text), showingHidden(text)]).toEqual([text, text]);
    }
  });
});
