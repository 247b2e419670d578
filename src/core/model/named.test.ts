import { expect, it } from 'vitest';
import { MOST_CHARACTERS, MOST_NAMED, NAMES_MORE, namedIn, namesOf } from './named.ts';

const SHA256 = 'ab'.repeat(32);
const finds = (pattern: string, typed: string): boolean =>
  namesOf(typed).some((digest) => namedIn(pattern).includes(digest));

it.each([
  ["[ipv6-addr:value = '2001:0DB8:0:0::00A1' AND url:value = 'x']", '2001:db8::a1'],
  ["[ipv6-addr:value = '2001:db8::a1' AND url:value = 'x']", '2001[:]DB8:0:0:0:0:0:A1'],
  ["[domain-name:value = 'bücher.example' AND url:value = 'x']", 'XN--BCHER-KVA[.]example'],
  ["[domain-name:value = 'xn--bcher-kva.example' AND url:value = 'x']", 'Bücher.example.'],
  ["[domain-name:value = 'evil[.]example']", 'evil.example'],
  ["[domain-name:value = 'ev\u200bil.example']", 'evil.example'],
  ["[url:value = 'hxxps://Evil.example:443']", 'https://evil.example/'],
  ["[url:value = 'https://evil.example/it\\'s']", "https://evil.example/it's"],
  [`[file:hashes.'SHA-256' = '${SHA256.toUpperCase()}' AND file:size = 3]`, SHA256],
  [`[domain-name:value = '${'x'.repeat(5000)}' AND domain-name:value = 'late.example']`, 'late.example'],
  ["[domain-name:value = 'evil.example", 'evil.example'],
  ["[domain-name:value = 'evil.example]", 'evil.example'],
  ['[domain-name:value = "evil.example"]', 'evil.example'],
  ['[domain-name:value = ‘evil.example’]', 'evil.example'],
  ["alert ip any -> 198.18.0.9/32 80 (msg:'it is')", '198.18.0.9'],
  ["title: don't\ndetection:\n  dst_ip:\n    - 198.18.0.9\n  host: 'evil.example'", '198.18.0.9'],
  ["title: don't\ndetection:\n  dst_ip:\n    - 198.18.0.9\n  host: 'evil.example'", 'evil.example'],
  [`rule a { strings: $a = "evil.example" condition: hash.sha256 == ${SHA256} }`, SHA256],
])('%s names %s', (pattern, typed) => {
  expect(finds(pattern, typed)).toBe(true);
});

it.each([
  ["[ipv4-addr:value = '198.18.9.9' AND url:value = 'x']", '8.9.9'],
  ["[url:value = 'https://a.example/?q=evil.example' AND url:value = 'x']", 'evil.example'],
  ["[url:value = 'https://a.example/A' AND url:value = 'x']", 'https://a.example/a'],
])('%s does not name %s', (pattern, typed) => {
  expect(finds(pattern, typed)).toBe(false);
});

it('keeps so many of one object, says where there are more, and leaves out what the object is taken for', () => {
  const many = Array.from({ length: MOST_NAMED + 10 }, (_, i) => `domain-name:value = 'n${i}.example'`).join(' AND ');

  expect(namedIn(`[${many}]`)).toHaveLength(MOST_NAMED + 1);
  expect(namedIn(`[${many}]`).at(-1)).toBe(NAMES_MORE);
  expect(namedIn("[ipv4-addr:value = '198.18.0.9'] OR [mutex:name = 'x.y']", ['198.18.0.9'])).toEqual(namesOf('x.y'));
});

it('says that there is more behind what is looked at of a pattern', () => {
  const behind = `[domain-name:value = 'a.example' AND ${' '.repeat(MOST_CHARACTERS)} domain-name:value = 'b.example']`;

  expect(namedIn(behind)).toEqual([...namesOf('a.example'), NAMES_MORE]);
});

it.each([
  ['brackets', `${']'.repeat(400_000)}x.y`],
  ['dots', '.'.repeat(4_000_000)],
  ['one constant many times', "'a.example'".repeat(300_000)],
  ['a constant without end', `'${'a.'.repeat(1_000_000)}\\`],
  ['escaped constants without end', `${"\\'".repeat(80_000)}\\`],
  ['signs', `${'='.repeat(4_000_000)}.`],
  ['words', 'a.b '.repeat(1_000_000)],
])('reads %s within a moment', (_, pattern) => {
  const began = performance.now();
  namedIn(pattern);
  expect(performance.now() - began).toBeLessThan(3000);
});
