import { describe, expect, it } from 'vitest';
import { guess, refang } from './typed-in.ts';

describe('refang', () => {
  it.each([
    ['hxxp://example[.]com/a', 'http://example.com/a'],
    ['hXXps[:]//example(.)com', 'https://example.com'],
    ['hxxp[://]example[dot]com', 'http://example.com'],
    [' 198.51.100[.]3 ', '198.51.100.3'],
    ['2001[:]db8::1', '2001:db8::1'],
    ['a[at]example{.}com', 'a@example.com'],
    ['http://a.example/hxxp', 'http://a.example/hxxp'],
  ])('%s reads %s', (text, value) => {
    expect(refang(text)).toBe(value);
  });
});

describe('guess', () => {
  it.each([
    ['198.51.100[.]3', [{ type: 'ipv4-addr', value: '198.51.100.3' }]],
    ['198.51.100.9/24', [{ type: 'ipv4-addr', value: '198.51.100.0/24' }]],
    ['2001:DB8::1', [{ type: 'ipv6-addr', value: '2001:db8::1' }]],
    ['Example[.]COM', [{ type: 'domain-name', value: 'example.com' }]],
    ['hxxps://Example[.]com/A', [{ type: 'url', value: 'https://example.com/A' }]],
    ['A@example.com', [{ type: 'email-addr', value: 'a@example.com' }]],
    ['D41D8CD98F00B204E9800998ECF8427E', [{ type: 'file:hashes.MD5', value: 'd41d8cd98f00b204e9800998ecf8427e' }]],
    ['two words', []],
  ])('%s may be %j', (text, observables) => {
    expect(guess(text)).toEqual(observables);
  });
});
