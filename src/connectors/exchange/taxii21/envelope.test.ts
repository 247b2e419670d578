import { gzipSync } from 'node:zlib';
import fc from '../../../../test/property.ts';
import { describe, expect, it } from 'vitest';
import { MOST_CHARACTERS } from '../../../core/model/named.ts';
import { LONGEST_OBJECT, LONGEST_TEXT, splitObjects, TooLong } from './envelope.ts';

const MOST = 100;

function split(text: string | Buffer): unknown {
  const found = splitObjects(Buffer.from(text), MOST);
  return found === undefined ? undefined : { ...found.rest, objects: [...found.objects] };
}

/** What a usual parser says, in the same words. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return 'no JSON';
  }
}

function splitOrNot(text: string): unknown {
  try {
    return split(text) ?? parsed(text);
  } catch {
    return 'no JSON';
  }
}

describe('the objects of an answer, one by one', () => {
  it.each([
    '{"more":true,"next":"n","objects":[{"id":"a","x":[1,{"y":"]}"}]},{"id":"b"}]}',
    '{"objects":[]}',
    ' { "objects" : [ \n ] , "more" : false }',
    '{"objects":[1,"two",null,[3],{"four":[]}]}',
    String.raw`{"next":"\"objects\":[","objects":["a\\","\"]"],"x":{"objects":[1]}}`,
    '{"nested":{"objects":[7]},"objects":[8]}',
    '{"objects":["ключ, [ключ]","🙂"]}',
    '{"objects":[1],"more":{"objects":[2]}}',
  ])('are those that a parser finds: %s', (text) => {
    expect(split(text)).toEqual(JSON.parse(text));
  });

  it('counts them before they are parsed', () => {
    expect(splitObjects(Buffer.from('{"objects":[{},broken,[1,2]]}'), MOST)?.objects.length).toBe(3);
  });

  it.each([
    '{"objects":[1],"objects":[2]}',
    String.raw`{"objects":[1],"\u006fbjects":[2]}`,
    String.raw`{"\u006fbjects":[2]}`,
    '{"objects":null}',
    '{"objects":{"a":[1]}}',
    '[{"objects":[1]}]',
    '{"more":false}',
    '"objects"',
    '',
    `{"objects":[${'1,'.repeat(MOST)}1]}`,
  ])('leaves what is anything else to a parser: %s', (text) => {
    expect(split(text)).toBeUndefined();
  });

  it.each([
    '{"objects":[1,]}',
    '{"objects":[,1]}',
    '{"objects":[1 2]}',
    '{"objects":[{"a":1}{"b":2}]}',
    '{"objects":[{"a":[1}]}]}',
    '{"objects":[1]]}',
    '{"objects":[}}',
    '{"objects":[\u00a0]}',
    '{"objects":[1]} x',
    '{"objects":[1],}',
    '{"objects":[1',
    '{"objects":["1]}',
    '{"objects" [1]}',
  ])('finds broken what a parser finds broken: %s', (text) => {
    expect(parsed(text)).toBe('no JSON');
    expect(splitOrNot(text)).toBe('no JSON');
  });

  it('reads a byte order mark and invalid UTF-8 as a parser reads the decoded text', () => {
    const bytes = Buffer.concat([Buffer.from('\uFEFF{"objects":["a'), Buffer.from([0xe2, 0x82]), Buffer.from('",1]}')]);
    expect(split(bytes)).toEqual({ objects: ['a\uFFFD', 1] });
  });

  it('takes an answer that was cut anywhere, or packed twice, for what it is', () => {
    const text = '{"more":true,"objects":[{"id":"indicator--1","name":"a\\"b"},{"x":["y"]}],"next":"n"}';
    for (let end = 0; end < text.length; end++)
      expect(splitObjects(Buffer.from(text.slice(0, end)), 10)).toBeUndefined();
    expect(splitObjects(gzipSync(gzipSync(text)), 10)).toBeUndefined();
    for (let n = 0; n < 200; n++) expect(splitObjects(gzipSync(`{"objects":["${n}"]}`), 10)).toBeUndefined();
  });

  it.each([
    ['plain letters', 'x', 'x'],
    ['letters of two bytes', 'д', 'д'],
    ['letters of four bytes', '🙂', '🙂'],
    ['escapes', String.raw`\u0434`, 'д'],
    ['short escapes', String.raw`\n\"`, '\n"'],
    ['letters behind one of another length', '🙂x\\u0434', '🙂xд'],
  ])('leaves out the rest of a text that is far too long: %s', (_what, written, letters) => {
    const times = Math.ceil((3 * LONGEST_TEXT) / Buffer.byteLength(written));
    const text = `{"objects":[{"a":"${written.repeat(times)}","b":["${written.repeat(9)}"]},{"c":"${written.repeat(times)}"},{"d":"]}"}],"more":true}`;

    const found = splitObjects(Buffer.from(text), MOST)!;
    const [first, second, third] = [...found.objects] as { a?: string; b?: string[]; c?: string; d?: string }[];

    for (const cut of [first!.a!, second!.c!]) {
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(LONGEST_TEXT + 16);
      // What bounds a pattern still finds it too long.
      expect(cut.length).toBeGreaterThan(MOST_CHARACTERS);
      expect(letters.repeat(times).startsWith(cut)).toBe(true);
    }
    expect([Object.keys(first!), first!.b, third, found.rest]).toEqual([
      ['a', 'b'],
      [letters.repeat(9)],
      { d: ']}' },
      { more: true },
    ]);
  });

  it('decodes no object that is far too long, and names it where it can', () => {
    const many = Array.from({ length: 2 + LONGEST_OBJECT / 65_536 }, () => 'x'.repeat(65_536));
    const all = [{ id: 'indicator--1' }, { x: [{ id: 'no' }], many, id: 'indicator--2' }, { many }, { id: 3, many }];
    const text = JSON.stringify({ objects: [...all, { id: 'indicator--4' }] });

    const found = [...splitObjects(Buffer.from(text), MOST)!.objects];

    expect(found.map((one) => (one instanceof TooLong ? `too long: ${one.id}` : one))).toEqual([
      { id: 'indicator--1' },
      'too long: indicator--2',
      'too long: undefined',
      'too long: undefined',
      { id: 'indicator--4' },
    ]);
  });

  it('agrees with a parser on any text', () => {
    const pieces = fc.constantFrom(
      '\u00a0',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      ' ',
      '1',
      '"objects"',
      '"a"',
      '{"objects":[',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 14 }), (parts) => {
        const text = parts.join('');
        expect(splitOrNot(text)).toEqual(parsed(text));
      }),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.jsonValue(), { maxLength: 5 }), (other, objects) => {
        const text = JSON.stringify({ other, objects, more: true });
        expect(split(text)).toEqual(JSON.parse(text));
      }),
    );
  });
});
