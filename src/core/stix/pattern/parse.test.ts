import fc from '../../../../test/property.ts';
import { describe, expect, it } from 'vitest';
import { MAX_DEPTH, MAX_PATTERN_LENGTH, parsePattern } from './parse.ts';

const VALID = [
  "[ipv4-addr:value = '198.51.100.1']",
  "[ file:hashes.'SHA-256' = 'aa' ]",
  "[file:hashes.sha256='aa']",
  '[x:a[-1] = 1]',
  '[x:a IN ()]',
  '[x:a IN (1, 2.5, true)]',
  "[x:a == 1 OR x:a <> 'b']",
  '[NOT EXISTS x:a]',
  '[EXISTS x:a.b[*].c[0]]',
  "[x:'START' = 1]",
  "[x:a.'b-c'[*].d NOT = 'e']",
  "[x:a NOT LIKE '%b_']",
  '[x:a = .5 AND x:b = -0.25 AND x:c = +7 AND x:d = 0]',
  "[x:a = h'' OR x:a = h'0aFf' OR x:a = b'Zm9v' OR x:a = b'Zg==']",
  "[x:a = t'2026-02-30T23:59:60.1Z']",
  "[x:a = '']",
  "[x:a = 'it\\'s C:\\\\x']",
  "[x:a = 'line\nbreak \u00fc \ud83d\ude00']",
  '[x:a = 1] /* a comment * with / stars **/ AND // to the end\n [x:b = 2]',
  '\u3000[x:a\u00a0=\u20091]\u0085',
  '[a:b = 1] REPEATS 0 TIMES',
  '[a:b = 1] WITHIN 0 SECONDS',
  "[a:b = 1] REPEATS 5 TIMES WITHIN 1800 SECONDS START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'",
  '([a:b = 1]) WITHIN 5 SECONDS WITHIN 6 SECONDS',
  '([a:b = 1] AND ([c:d = 2] OR [e:f = 3])) FOLLOWEDBY [g:h = 4] WITHIN 1.5 SECONDS',
  "[ipv4-addr:value='x' AND domain-name:value='y']",
  "[x-my-type:my_prop > '2' AND (x-my-type:b <= h'00' OR x-my-type:c >= t'2026-01-01T00:00:00Z')]",
  "[ipv4-addr:value ISSUBSET '198.51.100.0/24' OR ipv4-addr:value ISSUPERSET '198.51.100.0/24']",
  "[file:extensions.'windows-pebinary-ext'.sections[*].entropy > 7.0]",
];

describe('parsePattern', () => {
  it.each(VALID)('accepts %s', (text) => {
    expect(parsePattern(text)).toHaveProperty('pattern');
  });

  it.each<[string, number, number, string]>([
    ['', 1, 1, 'expected [ or (, but the pattern ends'],
    ['[]', 1, 2, 'expected an object type, but there is "]"'],
    ["ipv4-addr:value = '198.51.100.1'", 1, 1, 'expected [ or (, but there is "ipv4-addr"'],
    ['[NOT x:a = 1]', 1, 6, 'expected EXISTS, but there is "x"'],
    ["[x:a = '\\d+']", 1, 9, "only \\' and \\\\ are escapes"],
    ["[x:a = 'C:\\Windows']", 1, 11, "only \\' and \\\\ are escapes"],
    ["[x:a = 'open]", 1, 8, 'this quote is never closed'],
    ['[x:a = null]', 1, 8, 'expected a literal, but there is "null"'],
    ['[x:a = "b"]', 1, 8, 'unexpected character "\\""'],
    ["[x:a = 'b' and x:c = 'd']", 1, 12, 'expected ], but there is "and"'],
    ['[x:a = 007]', 1, 8, 'an integer has no leading zeros'],
    ['[x:a = 5.]', 1, 9, 'expected ], but there is "."'],
    ['[x:START = 1]', 1, 4, 'expected a property name, but there is "START"'],
    ['[x:a-b = 1]', 1, 4, 'expected a property name, but there is "a-b"'],
    ["['x':a = 1]", 1, 2, 'expected an object type, but there is "x"'],
    ['[x:a LIKE 1]', 1, 11, 'LIKE takes a string'],
    ['[x:a < true]', 1, 8, '< takes no truth value'],
    ['[x:a IN (1,)]', 1, 12, 'expected a literal, but there is ")"'],
    ["[x:a = h'abc']", 1, 8, "h'' holds pairs of hex digits"],
    ["[x:a = b'']", 1, 8, "b'' holds padded base64, not empty"],
    ["[x:a = b'Zg']", 1, 8, "b'' holds padded base64, not empty"],
    ["[x:a = t'2026-13-01T00:00:00Z']", 1, 8, "t'' holds a UTC timestamp such as 2026-01-05T10:00:00Z"],
    ["[x:a = t'2026-01-01T00:00:00.Z']", 1, 8, "t'' holds a UTC timestamp such as 2026-01-05T10:00:00Z"],
    ['[x:a = 1] WITHIN 5 MINUTES', 1, 20, 'expected SECONDS, but there is "MINUTES"'],
    ['[x:a = 1] REPEATS 1.5 TIMES', 1, 19, 'expected a positive number, but there is "1.5"'],
    [
      "[x:a = 1] START '2026-01-01T00:00:00Z' STOP '2026-01-02T00:00:00Z'",
      1,
      17,
      'expected a timestamp, but there is "2026-01-01T00:00:00Z"',
    ],
    ['[x:a = 1] WITHIN 5 SECONDS WITHIN 6 SECONDS', 1, 28, 'the same qualifier stands here twice'],
    ['[x:a = 1] [x:b = 2]', 1, 11, 'expected the end of the pattern, but there is "["'],
    ['[x:a = 1]\n  AND\n  [x:b ~ 2]', 3, 8, 'unexpected character "~"'],
    ['[x:a = 1', 1, 9, 'expected ], but the pattern ends'],
    ['[x:a = 1] /* open', 1, 11, 'unexpected character "/"'],
  ])('refuses %s', (text, line, column, message) => {
    expect(parsePattern(text)).toEqual({ fault: { line, column, message } });
  });

  it('undoes escapes in one pass', () => {
    expect(parsePattern("[x:a = 'a\\\\\\'b']")).toMatchObject({
      pattern: { comparison: { value: { kind: 'string', value: "a\\'b" } } },
    });
    expect(parsePattern("[x:a = '\\\\']")).toMatchObject({ pattern: { comparison: { value: { value: '\\' } } } });
  });

  it('binds AND before OR before FOLLOWEDBY', () => {
    expect(parsePattern('[a:b=1 OR a:b=2 AND a:b=3] FOLLOWEDBY [a:b=4] OR [a:b=5] AND [a:b=6]')).toMatchObject({
      pattern: {
        kind: 'followed-by',
        terms: [
          { comparison: { kind: 'or', terms: [{ kind: 'compare' }, { kind: 'and' }] } },
          { kind: 'or', terms: [{ kind: 'brackets' }, { kind: 'and' }] },
        ],
      },
    });
  });

  it('gives up on nesting and length in good time', () => {
    const nested = (depth: number) => `[${'('.repeat(depth)}x:a = 1${')'.repeat(depth)}]`;

    expect(parsePattern(nested(MAX_DEPTH))).toHaveProperty('pattern');
    expect(parsePattern(nested(MAX_DEPTH + 1))).toMatchObject({ fault: { message: 'nested deeper than 64' } });
    expect(parsePattern('('.repeat(100_000))).toMatchObject({ fault: { message: 'nested deeper than 64' } });
    expect(parsePattern(' '.repeat(MAX_PATTERN_LENGTH + 1))).toMatchObject({ fault: { line: 1, column: 1 } });
  });

  it('reads a wide pattern as long as the longest allowed one', () => {
    const tests = Array.from({ length: 4000 }, (_, i) => `url:value = 'http://a.example/${i}'`).join(' OR ');

    expect(parsePattern(`[${tests.slice(0, tests.lastIndexOf(' OR', MAX_PATTERN_LENGTH - 2))}]`)).toHaveProperty(
      'pattern',
    );
  });

  it('never throws, whatever pieces of patterns are put together', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ...'[ ] ( ) , : . * = != < AND OR NOT IN LIKE EXISTS FOLLOWEDBY REPEATS 5 TIMES x a true'.split(' '),
      ),
      fc.constantFrom(
        "'a'",
        "h'0",
        "b'Zg=='",
        "t'2026-01-01T00:00:00Z'",
        "'\\'",
        '/*',
        '//',
        '\n',
        '-1',
        '.5',
        '\ud800',
      ),
      fc.string({ maxLength: 4 }),
    );

    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.constantFrom('', ' '), (pieces, between) => {
        const parsed = parsePattern(pieces.join(between));
        expect('pattern' in parsed || parsed.fault.column > 0).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
