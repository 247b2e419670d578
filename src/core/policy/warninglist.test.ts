import { expect, it } from 'vitest';
import { readWarninglist } from './warninglist.ts';

const text = (given: object) => JSON.stringify({ name: 'x', version: 1, description: '', ...given });

it('takes the type, the entries and the kinds of value from a warninglist', () => {
  const read = readWarninglist(
    'empty-hashes',
    text({ type: 'string', list: ['a', 7, 'b'], matching_attributes: ['md5', 'filename|sha1', 'ssdeep'] }),
  );

  expect(read).toEqual({ name: 'empty-hashes', type: 'string', entries: ['a', '', 'b'], kinds: new Set(['hash']) });
});

it('speaks of every kind where it names none', () => {
  expect(readWarninglist('x', text({ type: 'cidr', list: [] }))).toEqual({ name: 'x', type: 'cidr', entries: [] });
});

it.each([
  ['{"type": "string"', /no JSON \(/],
  ['[]', /no JSON object/],
  [text({ type: 'fuzzy', list: [] }), /type is none of string, substring/],
  [text({ type: 'host', list: [] }), /type is none of/],
  [text({ type: 'string' }), /no array/],
  [text({ type: 'string', list: [], matching_attributes: ['phone-number'] }), /no kind of value/],
])('refuses %s', (given, reason) => {
  expect(readWarninglist('x', given)).toEqual({ refused: expect.stringMatching(reason) as string });
});
