import { expect, it } from 'vitest';
import { entryKey, hostOf, OBSERVABLE_TYPES, parseEntryKey } from './observable.ts';

it.each(OBSERVABLE_TYPES)('a key of %s says which value it is of, also when that holds a bar', (type) => {
  for (const value of ['plain', 'http://a.example/x|y', '|', 'a|b|c', `${type}|`])
    expect(parseEntryKey(entryKey(type, value))).toEqual({ type, value });
});

it.each(['', '|', 'ipv4-addr', 'ipv4-addr|', 'unknown|x', '|ipv4-addr|x', 'ipv4-addrx|y'])(
  '%j is no key of ours',
  (text) => {
    expect(parseEntryKey(text)).toBeUndefined();
  },
);

it.each([
  ['url', 'http://u:p@a.example:8080/x@y?z', 'a.example'],
  ['url', 'http://[2001:db8::1]:8080/x', '2001:db8::1'],
  ['url', 'http://a.example?x', 'a.example'],
  ['url', 'http://a.example\\x', 'a.example'],
  ['url', 'http://a.example:8080\\@b.example/', 'a.example'],
  ['email-addr', 'a@b.example', 'b.example'],
  ['domain-name', 'a.example', 'a.example'],
  ['ipv4-addr', '192.0.2.0/24', '192.0.2.0/24'],
  ['file:hashes.MD5', 'abc', undefined],
] as const)('%s %s speaks of the host %s', (type, value, host) => {
  expect(hostOf({ type, value })).toBe(host);
});
