import { domainToASCII } from 'node:url';
import fc from '../../../test/property.ts';
import { describe, expect, it } from 'vitest';
import { canonical, MAX_URL_BYTES } from './canonical.ts';
import { OBSERVABLE_TYPES, type ObservableType } from './observable.ts';

const SHA256 = "file:hashes.'SHA-256'";

describe('canonical', () => {
  it.each<[ObservableType, string, string]>([
    ['ipv4-addr', '198.51.100.3', '198.51.100.3'],
    ['ipv4-addr', '198.51.100.3/32', '198.51.100.3'],
    ['ipv4-addr', '198.51.100.77/24', '198.51.100.0/24'],
    ['ipv4-addr', '203.0.113.255/25', '203.0.113.128/25'],
    ['ipv4-addr', '10.255.0.1/8', '10.0.0.0/8'],
    ['ipv4-addr', '255.255.255.255/31', '255.255.255.254/31'],
    ['ipv6-addr', '2001:0db8:85a3:0000:0000:8a2e:0370:7334', '2001:db8:85a3::8a2e:370:7334'],
    ['ipv6-addr', '2001:DB8::0/120', '2001:db8::/120'],
    ['ipv6-addr', '2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['ipv6-addr', '2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['ipv6-addr', '2001:db8:0:0:0:1:0:0', '2001:db8::1:0:0'],
    ['ipv6-addr', '::', '::'],
    ['ipv6-addr', '::1', '::1'],
    ['ipv6-addr', '2001:db8::1/128', '2001:db8::1'],
    ['ipv6-addr', '2001:db8:1234:5678::/45', '2001:db8:1230::/45'],
    ['ipv6-addr', '::FFFF:C633:6403', '::ffff:198.51.100.3'],
    ['ipv6-addr', '::ffff:198.51.100.3', '::ffff:198.51.100.3'],
    ['ipv6-addr', '::ffff:198.51.100.3/120', '::ffff:198.51.100.0/120'],
    ['domain-name', 'WWW.Example.COM.', 'www.example.com'],
    ['domain-name', 'bücher.example', 'xn--bcher-kva.example'],
    ['domain-name', 'BÜCHER.example', 'xn--bcher-kva.example'],
    ['domain-name', 'xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['domain-name', '例え。example', 'xn--r8jz45g.example'],
    ['domain-name', '_dmarc.my_host.example', '_dmarc.my_host.example'],
    ['domain-name', 'a--b.example', 'a--b.example'],
    ['domain-name', 'localhost', 'localhost'],
    ['domain-name', '1.2.3.4.example', '1.2.3.4.example'],
    ['url', 'HTTP://WWW.Example.com/A/b?C=d#E', 'http://www.example.com/A/b?C=d#E'],
    ['url', 'https://user:Pass@Example.com:443/', 'https://user:Pass@example.com/'],
    ['url', 'http://198.51.100.3:80', 'http://198.51.100.3/'],
    ['url', 'http://[2001:DB8::1]:8080/x', 'http://[2001:db8::1]:8080/x'],
    ['url', 'ftp://files.example/%7Euser/[x].php', 'ftp://files.example/%7Euser/[x].php'],
    ['url', 'http://a.example?u=http://b.example/[.]', 'http://a.example/?u=http://b.example/[.]'],
    ['url', 'http://a.example#x', 'http://a.example/#x'],
    ['url', 'http://Bücher.example./P?Q=ü', 'http://xn--bcher-kva.example/P?Q=ü'],
    ['url', 'http://a.example:8080', 'http://a.example:8080/'],
    ['url', 'http://a.example:/x', 'http://a.example/x'],
    ['url', 'http://a.example:0443/x', 'http://a.example:443/x'],
    ['url', 'ftp://a.example:21', 'ftp://a.example/'],
    ['url', 'tcp://a.example:4444', 'tcp://a.example:4444'],
    ['url', 'http://[2001:db8:0:0:0:0:0:1]:80/', 'http://[2001:db8::1]/'],
    ['url', 'http://[::FFFF:198.51.100.3]/', 'http://[::ffff:c633:6403]/'],
    ['url', 'http://-odd-.example/', 'http://-odd-.example/'],
    ['url', 'http://my_host.example/', 'http://my_host.example/'],
    ['email-addr', 'John.Doe@Example.COM', 'john.doe@example.com'],
    ['email-addr', 'a+tag@bücher.example', 'a+tag@xn--bcher-kva.example'],
    ['file:hashes.MD5', 'D41D8CD98F00B204E9800998ECF8427E', 'd41d8cd98f00b204e9800998ecf8427e'],
    ["file:hashes.'SHA-1'", 'A'.repeat(40), 'a'.repeat(40)],
    [SHA256, 'Ab'.repeat(32), 'ab'.repeat(32)],
    ["file:hashes.'SHA-512'", '0F'.repeat(64), '0f'.repeat(64)],
  ])('%s: %s becomes %s', (type, text, value) => {
    expect(canonical(type, text)).toEqual({ value });
  });

  it.each<[ObservableType, string, string]>([
    ['ipv4-addr', '010.0.0.1', 'not an IPv4 address'],
    ['ipv4-addr', '1.2.3', 'not an IPv4 address'],
    ['ipv4-addr', '0x7f.1', 'not an IPv4 address'],
    ['ipv4-addr', '256.1.1.1', 'not an IPv4 address'],
    ['ipv4-addr', ' 198.51.100.3', 'not an IPv4 address'],
    ['ipv4-addr', '198.51.100.3:80', 'not an IPv4 address'],
    ['ipv4-addr', '2001:db8::1', 'not an IPv4 address'],
    ['ipv4-addr', '198.51.100[.]3', 'defanged value'],
    ['ipv4-addr', '198.51.100.0/', 'not an IPv4 address'],
    ['ipv4-addr', '198.51.100.0/024', 'not an IPv4 address'],
    ['ipv4-addr', '198.51.100.0/33', 'invalid network prefix'],
    ['ipv4-addr', '0.0.0.0/0', 'network too wide'],
    ['ipv4-addr', '10.0.0.0/7', 'network too wide'],
    ['ipv6-addr', '198.51.100.3', 'not an IPv6 address'],
    ['ipv6-addr', 'fe80::1%eth0', 'not an IPv6 address'],
    ['ipv6-addr', '[2001:db8::1]', 'not an IPv6 address'],
    ['ipv6-addr', '2001:db8::/129', 'invalid network prefix'],
    ['ipv6-addr', '::/0', 'network too wide'],
    ['ipv6-addr', '2001::/18', 'network too wide'],
    ['ipv6-addr', '::ffff:0:0/96', 'network too wide'],
    ['ipv6-addr', '::ffff:10.0.0.0/103', 'network too wide'],
    ['ipv6-addr', '::/64', 'network too wide'],
    ['domain-name', '', 'not a domain name'],
    ['domain-name', '.', 'not a domain name'],
    ['domain-name', 'example.com..', 'not a domain name'],
    ['domain-name', 'a..example', 'not a domain name'],
    ['domain-name', '-a.example', 'not a domain name'],
    ['domain-name', `${'a'.repeat(64)}.example`, 'not a domain name'],
    ['domain-name', `${'a.'.repeat(126)}example`, 'not a domain name'],
    ['domain-name', 'domain autuo.example', 'not a domain name'],
    ['domain-name', 'exa\ufffdmple.com', 'not a domain name'],
    ['domain-name', '1.2.3', 'not a domain name'],
    ['domain-name', '0x7f.1', 'not a domain name'],
    ['domain-name', 'a.0x7f', 'not a domain name'],
    ['domain-name', '198.51.100.3', 'an address is not a domain name'],
    ['domain-name', '１９８.51.100.3', 'an address is not a domain name'],
    ['domain-name', '2001:db8::1', 'an address is not a domain name'],
    ['domain-name', 'http://example.com', 'a URL is not a domain name'],
    ['domain-name', 'example.com:8080', 'domain name with a port'],
    ['domain-name', '*.example.com', 'a wildcard is not a domain name'],
    ['domain-name', 'example[.]com', 'defanged value'],
    ['domain-name', 'hid\u200bden.example', 'hidden character'],
    ['domain-name', 'hid\u00adden.example', 'hidden character'],
    ['domain-name', 'hid\u202eden.example', 'hidden character'],
    ['domain-name', 'hidden.example\u00a0', 'hidden character'],
    ['ipv4-addr', '198.51.100.3\u2060', 'hidden character'],
    ['ipv6-addr', '\ufeff2001:db8::1', 'hidden character'],
    ['url', 'http://a.example/p\u2066ath', 'hidden character'],
    ['email-addr', 'a\u3164@example.com', 'hidden character'],
    [SHA256, `${'a'.repeat(63)}\u180e`, 'hidden character'],
    ['url', 'example.com/path', 'URL without scheme and host'],
    ['url', 'http:///path', 'URL without scheme and host'],
    ['url', 'mailto:a@b.example', 'URL without scheme and host'],
    ['url', 'hxxp://example.com/', 'defanged value'],
    ['url', 'http://example[.]com/', 'defanged value'],
    ['url', 'http://a b.example/', 'URL with an invalid host'],
    ['url', 'http://a..example/', 'URL with an invalid host'],
    ['url', 'http://[nonsense]/', 'URL with an invalid host'],
    ['url', 'http://[fe80::1%25eth0]/', 'URL with an invalid host'],
    ['url', 'http://0x7f.1/', 'URL with an invalid host'],
    ['url', 'http://2130706433/', 'URL with an invalid host'],
    ['url', 'http://010.0.0.1/', 'URL with an invalid host'],
    ['url', 'http://a.example:65536/', 'URL with an invalid host'],
    ['url', 'http://a.example:80a/', 'URL with an invalid host'],
    ['url', 'http://a.example/\u0000', 'URL with control or broken characters'],
    ['url', 'http://a.example/\ufffd', 'URL with control or broken characters'],
    ['url', 'http://a.example/\ud800', 'URL with control or broken characters'],
    ['url', 'http://a.example/ ', 'URL with control or broken characters'],
    ['url', `http://a.example/${'x'.repeat(MAX_URL_BYTES)}`, 'URL too long'],
    ['url', `http://a.example/${'ü'.repeat(MAX_URL_BYTES / 2)}`, 'URL too long'],
    ['email-addr', 'a@', 'not an e-mail address'],
    ['email-addr', '@example.com', 'not an e-mail address'],
    ['email-addr', 'a b@example.com', 'not an e-mail address'],
    ['email-addr', 'Joe <a@example.com>', 'not an e-mail address'],
    ['email-addr', 'a@198.51.100.3', 'not an e-mail address'],
    ['email-addr', `${'a'.repeat(65)}@example.com`, 'not an e-mail address'],
    ['email-addr', 'a[@]example.com', 'defanged value'],
    ['file:hashes.MD5', 'd41d8cd98f00b204e9800998ecf8427', 'hash of the wrong length'],
    ['file:hashes.MD5', 'z'.repeat(32), 'hash with other than hex digits'],
    [SHA256, 'a'.repeat(40), 'hash of the wrong length'],
  ])('%s: %s is refused: %s', (type, text, refused) => {
    expect(canonical(type, text)).toEqual({ refused });
  });

  it('leaves a canonical value as it is', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.domain(),
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc.emailAddress(),
      fc.ipV4(),
      fc.ipV6(),
      fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 130 })).map(([address, bits]) => `${address}/${bits}`),
      fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 34 })).map(([address, bits]) => `${address}/${bits}`),
    );

    fc.assert(
      fc.property(fc.constantFrom(...OBSERVABLE_TYPES), text, (type, given) => {
        const once = canonical(type, given);
        if ('value' in once) expect(canonical(type, once.value)).toEqual(once);
      }),
      { numRuns: 3000 },
    );
  });

  it('spells IPv6 as the URL standard does, mapped addresses apart', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const { value } = canonical('ipv6-addr', address) as { value: string };
        const standard = new URL(`http://[${address}]/`).hostname.slice(1, -1);
        if (!value.includes('.')) expect(value).toBe(standard);
        else expect(new URL(`http://[${value}]/`).hostname.slice(1, -1)).toBe(standard);
      }),
    );
  });

  it('accepts no domain that a URL parser would read as an address', () => {
    const label = fc.constantFrom('0x7f', '1', '010', 'a', '0x', 'example', '255');

    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 4 }), (labels) => {
        const read = canonical('domain-name', labels.join('.'));
        if ('value' in read) expect(domainToASCII(read.value)).toBe(read.value);
      }),
    );
  });
});
