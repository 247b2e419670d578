import fc from '../../../../test/property.ts';
import { describe, expect, it } from 'vitest';
import type { Observable } from '../../model/observable.ts';
import { readByGrammar, readByShape, readPattern } from './read.ts';

const ip = (value: string): Observable => ({ type: 'ipv4-addr', value });
const domain = (value: string): Observable => ({ type: 'domain-name', value });
const MD5 = 'd41d8cd98f00b204e9800998ecf8427e';
const md5: Observable = { type: 'file:hashes.MD5', value: MD5 };

describe('readPattern', () => {
  it.each<[string, Observable[]]>([
    ["[ipv4-addr:value = '198.51.100.1']", [ip('198.51.100.1')]],
    ["[ipv4-addr:value == '198.51.100.1']", [ip('198.51.100.1')]],
    ["[ipv4-addr:value = '198.51.100.9/24']", [ip('198.51.100.0/24')]],
    ["[ipv4-addr:value ISSUBSET '198.51.100.0/24']", [ip('198.51.100.0/24')]],
    ["[ipv4-addr:value ISSUBSET '198.51.100.1/32']", [ip('198.51.100.1')]],
    [
      "[ipv4-addr:value ISSUBSET '198.51.100.0/24' OR ipv4-addr:value ISSUBSET '196.45.200.0/24']",
      [ip('198.51.100.0/24'), ip('196.45.200.0/24')],
    ],
    ["[ipv6-addr:value ISSUBSET '2001:DB8::0/120']", [{ type: 'ipv6-addr', value: '2001:db8::/120' }]],
    ["[ipv4-addr:value IN ('198.51.100.1', '198.51.100.2')]", [ip('198.51.100.1'), ip('198.51.100.2')]],
    ["[domain-name:value LIKE 'www.example.com']", [domain('www.example.com')]],
    [
      "[url:value = 'https://www.example.com/foo' OR domain-name:value = 'www.example.com']",
      [{ type: 'url', value: 'https://www.example.com/foo' }, domain('www.example.com')],
    ],
    [
      "[domain-name:value = 'a.example'] OR ([ipv4-addr:value = '198.51.100.1'])",
      [domain('a.example'), ip('198.51.100.1')],
    ],
    ["[(domain-name:value = 'a.example' OR (domain-name:value = 'A.example'))]", [domain('a.example')]],
    ["[domain-name:value = 'a.example'] REPEATS 1 TIMES", [domain('a.example')]],
    [`[file:hashes.MD5 = '${MD5}']`, [md5]],
    [`[ file:hashes.'md5' = '${MD5.toUpperCase()}' ]`, [md5]],
    [`[file:hashes.SHA1 = '${'a'.repeat(40)}']`, [{ type: "file:hashes.'SHA-1'", value: 'a'.repeat(40) }]],
    [`[file:hashes.sha256='${'a'.repeat(64)}']`, [{ type: "file:hashes.'SHA-256'", value: 'a'.repeat(64) }]],
    [`[file:hashes.'SHA-512' = '${'a'.repeat(128)}']`, [{ type: "file:hashes.'SHA-512'", value: 'a'.repeat(128) }]],
    ["[network-traffic:dst_ref.value = '198.51.100.1']", [ip('198.51.100.1')]],
    ["[network-traffic:src_ref.value IN ('2001:db8::1')]", [{ type: 'ipv6-addr', value: '2001:db8::1' }]],
    [
      "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.1']",
      [ip('198.51.100.1')],
    ],
    [
      "[(network-traffic:src_ref.value = 'a.example' AND network-traffic:src_ref.type = 'domain-name')]",
      [domain('a.example')],
    ],
    [
      "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value ISSUBSET '198.51.100.0/24']",
      [ip('198.51.100.0/24')],
    ],
    [
      "[email-message:from_ref.type = 'email-addr' AND email-message:from_ref.value = 'A@b.example']",
      [{ type: 'email-addr', value: 'a@b.example' }],
    ],
    ["[email-message:sender_ref.value = 'a@b.example']", [{ type: 'email-addr', value: 'a@b.example' }]],
    ["[url:value = 'http://a.example/it\\'s\\\\x']", [{ type: 'url', value: "http://a.example/it's\\x" }]],
  ])('%s is exact', (text, observables) => {
    expect(readPattern(text)).toEqual({ verdict: 'exact', observables });
  });

  it.each([
    ['nonsense', 'not a valid STIX pattern'],
    [' '.repeat(200_000), 'pattern too long'],
    ["[domain-name:value = 'a.example'] AND [ipv4-addr:value = '198.51.100.1']", 'AND of observations'],
    ["[domain-name:value = 'a.example'] FOLLOWEDBY [ipv4-addr:value = '198.51.100.1']", 'FOLLOWEDBY'],
    ["[ipv4-addr:value = '198.51.100.1'] REPEATS 5 TIMES", 'REPEATS qualifier'],
    ["[ipv4-addr:value = '198.51.100.1'] REPEATS 10 TIMES", 'REPEATS qualifier'],
    ["[ipv4-addr:value = '198.51.100.1'] WITHIN 5 SECONDS", 'WITHIN qualifier'],
    [
      "[ipv4-addr:value = '198.51.100.1'] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'",
      'START/STOP qualifier',
    ],
    ["[ipv4-addr:value='198.51.100.1' AND domain-name:value='a.example']", 'AND over different object types'],
    [
      "[(ipv4-addr:value='198.51.100.1' OR url:value='http://a.example/') AND domain-name:value='a.example']",
      'AND over different object types',
    ],
    ["[domain-name:value='a.example' AND domain-name:resolves_to_refs[*].value='198.51.100.1']", 'AND of tests'],
    [`[file:hashes.MD5='${MD5}' AND file:name='a.exe']`, 'AND of tests'],
    [
      "[network-traffic:dst_ref.type='ipv4-addr' AND network-traffic:dst_ref.value='198.51.100.1' AND network-traffic:dst_port=443]",
      'AND of tests',
    ],
    ["[network-traffic:dst_ref.type='ipv4-addr' AND network-traffic:src_ref.value='198.51.100.1']", 'AND of tests'],
    ["[network-traffic:dst_ref.type='ipv4-addr' AND network-traffic:dst_ref.value!='198.51.100.1']", 'operator !='],
    ["[network-traffic:dst_ref.type!='ipv4-addr' AND network-traffic:dst_ref.value='198.51.100.1']", 'AND of tests'],
    ["[network-traffic:dst_ref.type='ipv4-addr' AND network-traffic:dst_ref.value='a.example']", 'not an IPv4 address'],
    ["[x-own:other_ref.type='ipv4-addr' AND x-own:other_ref.value='198.51.100.1']", 'unsupported object path'],
    ["[network-traffic:dst_ref.value = 'a.example']", 'reference to something other than an address'],
    ["[domain-name:value NOT = 'a.example']", 'NOT'],
    ["[domain-name:value NOT IN ('a.example')]", 'NOT'],
    ["[domain-name:value != 'a.example']", 'operator !='],
    ["[domain-name:value > 'a.example']", 'operator >'],
    ['[EXISTS domain-name:value]', 'EXISTS'],
    ["[domain-name:value MATCHES '^a$']", 'operator MATCHES'],
    ["[ipv4-addr:value ISSUPERSET '198.51.100.0/24']", 'operator ISSUPERSET'],
    ["[domain-name:value ISSUBSET '198.51.100.0/24']", 'ISSUBSET of something other than addresses'],
    ["[domain-name:value LIKE '%.example']", 'LIKE with wildcards'],
    ["[domain-name:value LIKE 'a_.example']", 'LIKE with wildcards'],
    ['[domain-name:value IN ()]', 'empty IN'],
    ['[domain-name:value = 5]', 'value is not a string'],
    ["[url:value = h'00']", 'value is not a string'],
    ["[file:name = 'a.exe']", 'unsupported: file:name'],
    ["[file:path = '/tmp/a']", 'unsupported: file:path'],
    ["[configuration-profile:id = 'a']", 'unsupported: configuration-profile:id'],
    ["[x-invented:thing = 'a']", 'unsupported object path'],
    ["[domain-name:resolves_to_refs[0].value = '198.51.100.1']", 'unsupported object path'],
    ["[file:hashes.ssdeep = '3:a:b']", 'unsupported hash algorithm'],
    ["[file:hashes.MD5 = 'abc']", 'hash of the wrong length'],
    ["[url:value = 'hxxp://a.example/']", 'defanged value'],
    ["[ipv4-addr:value = '0.0.0.0/0']", 'network too wide'],
  ])('%s stands for no value', (text, reason) => {
    expect(readPattern(text)).toMatchObject({ verdict: 'irreducible', observables: [], reason });
  });

  it.each([
    ["[domain-name:value = 'a.example' OR file:name = 'a.exe']", 'unsupported: file:name'],
    ["[domain-name:value = 'a.example'] OR [url:value MATCHES 'x']", 'operator MATCHES'],
    ["[domain-name:value IN ('a.example', '*.example')]", 'a wildcard is not a domain name'],
    [
      "[domain-name:value = 'a.example' OR domain-name:value = 'b.example' AND domain-name:value = 'c.example']",
      'AND of tests',
    ],
  ])('%s is only partly a value', (text, reason) => {
    expect(readPattern(text)).toMatchObject({ verdict: 'partial', observables: [domain('a.example')], reason });
  });

  it.each([
    ["[file:hashes.SHA-256 = 'a']", 'line 1, column 14: expected a property name'],
    ["[domain-name:value = 'a.example'\n  OR url:value 'x']", 'line 2, column 16: '],
    ["[file:hashes.MD5 = 'abc']", "hash of the wrong length: file:hashes.MD5 'abc'"],
    ["[domain-name:value = 'hid\u200bden.example']", "hidden character: domain-name 'hid\\u{200b}den.example'"],
    [
      "[domain-name:value = 'a.example' OR file:hashes.SSDEEP = '3:a:b']",
      'unsupported hash algorithm: file:hashes.SSDEEP',
    ],
    [
      "[domain-name:value = 'a.example' OR file:name = 'a' OR url:value MATCHES 'x']",
      'unsupported: file:name; operator MATCHES',
    ],
    ["[url:value = 'a.example/x']", "URL without scheme and host: url 'a.example/x'"],
  ])('of %j it is said where or what: %s', (text, detail) => {
    expect(readPattern(text).detail).toContain(detail);
  });

  it('reads the common shapes without the grammar', () => {
    expect(readByShape("[ipv4-addr:value = '198.51.100.1']")).toBeDefined();
    expect(readByShape(`[file:hashes.'SHA-256' = '${'a'.repeat(64)}']`)).toBeDefined();
    expect(
      readByShape("[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.1']"),
    ).toBeDefined();
  });

  it('comes to the same result by shape and by grammar', () => {
    const blank = fc.constantFrom('', ' ', '  ', '\t');
    const path = fc.constantFrom(
      'ipv4-addr:value',
      'ipv6-addr:value',
      'domain-name:value',
      'url:value',
      'email-addr:value',
      'file:hashes.MD5',
      "file:hashes.'SHA-256'",
      'file:hashes.sha1',
      'file:hashes.AND',
      "file:hashes.'SHA-3'",
      'file:name',
      "network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value",
      "network-traffic:src_ref.type='domain-name'  AND  network-traffic:src_ref.value",
      "network-traffic:src_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value",
    );
    const value = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.domain(),
      fc.webUrl(),
      fc.emailAddress(),
      fc.constantFrom(MD5, 'a'.repeat(64), 'a'.repeat(40), "' OR x:y = '", '\\', "\\'", '//', '/*', '[', ''),
      fc.string({ maxLength: 8 }),
    );

    fc.assert(
      fc.property(path, value, blank, blank, blank, (left, text, a, b, c) => {
        const pattern = `${a}[${b}${left}${c}=${a}'${text}'${b}]${c}`;
        const short = readByShape(pattern);
        if (short !== undefined) expect(short).toEqual(readByGrammar(pattern));
      }),
      { numRuns: 3000 },
    );
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void readPattern(text)));
  });
});

it.each([
  ['before the pattern', "\ufeff[url:value = 'http://a.example/']", 'unexpected character "\\u{feff}"'],
  ['between two words', "[url:value =\u200b'http://a.example/']", 'unexpected character "\\u{200b}"'],
  ['in a name', "[file:hashes.'MD5\u200b' = 'a']", 'algorithm: file:hashes.MD5\\u{200b}'],
  ['in a text', "[url:value 'a\u200bb']", 'there is "a\\u{200b}b"'],
])('spells out what nobody sees in a pattern that it refuses: %s', (_where, pattern, words) => {
  expect(readPattern(pattern).detail).toContain(words);
});
