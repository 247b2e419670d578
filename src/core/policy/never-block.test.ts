import fc from '../../../test/property.ts';
import { describe, expect, it } from 'vitest';
import { canonical } from '../model/canonical.ts';
import type { ObservableType } from '../model/observable.ts';
import { ListIndex } from './list-index.ts';
import { isOurGround, neverBlock, type NeverBlockRules, notedLists } from './never-block.ts';

const NOTHING = { networks: [], domains: [] };
const OWN = { networks: ['203.0.114.0/24', '2a00:1::/32'], domains: ['mons.example', '=only.example'] };

function found(type: ObservableType, text: string, rules: NeverBlockRules = { actions: {}, own: NOTHING }): string[] {
  const spelled = canonical(type, text);
  if ('refused' in spelled) throw new Error(`${text}: ${spelled.refused}`);
  return neverBlock({ type, value: spelled.value }, rules).map((one) => `${one.action} ${one.reason}`);
}

describe('neverBlock', () => {
  it.each<[ObservableType, string, string, string]>([
    ['ipv4-addr', '0.0.0.0', 'unspecified', 'special_addresses'],
    ['ipv4-addr', '0.1.2.3', 'this-network', 'special_addresses'],
    ['ipv4-addr', '127.0.0.1', 'loopback', 'special_addresses'],
    ['ipv4-addr', '255.255.255.255', 'broadcast', 'special_addresses'],
    ['ipv4-addr', '192.168.0.1', 'private', 'special_addresses'],
    ['ipv4-addr', '172.31.255.255', 'private', 'special_addresses'],
    ['ipv4-addr', '10.0.0.0/8', 'private', 'special_addresses'],
    ['ipv4-addr', '100.127.255.255', 'shared', 'special_addresses'],
    ['ipv4-addr', '169.254.169.254', 'link-local', 'special_addresses'],
    ['ipv4-addr', '239.255.255.250', 'multicast', 'special_addresses'],
    ['ipv4-addr', '192.0.0.1', 'special-purpose', 'special_addresses'],
    ['ipv4-addr', '172.0.0.0/8', 'network of or with private', 'special_addresses'],
    ['ipv6-addr', '::', 'unspecified', 'special_addresses'],
    ['ipv6-addr', '::1', 'loopback', 'special_addresses'],
    ['ipv6-addr', 'fe80::1', 'link-local', 'special_addresses'],
    ['ipv6-addr', 'fd00::1', 'private', 'special_addresses'],
    ['ipv6-addr', 'ff02::1', 'multicast', 'special_addresses'],
    ['ipv6-addr', '::ffff:127.0.0.1', 'loopback', 'special_addresses'],
    ['ipv6-addr', '64:ff9b::10.0.0.1', 'private', 'special_addresses'],
    ['ipv6-addr', '::127.0.0.1', 'loopback', 'special_addresses'],
    ['ipv6-addr', '::169.254.169.254', 'link-local', 'special_addresses'],
    ['ipv6-addr', '::ffff:0:10.0.0.1', 'private', 'special_addresses'],
    ['url', 'http://[::192.168.0.1]/', 'private', 'special_addresses'],
    ['ipv6-addr', '2002:c0a8:1::1', 'private', 'special_addresses'],
    ['ipv4-addr', '192.0.2.1', 'documentation', 'documentation'],
    ['ipv4-addr', '198.51.100.9', 'documentation', 'documentation'],
    ['ipv4-addr', '203.0.113.9', 'documentation', 'documentation'],
    ['ipv4-addr', '198.19.255.255', 'benchmarking', 'documentation'],
    ['ipv4-addr', '255.255.255.254', 'future use', 'documentation'],
    ['ipv6-addr', '2001:db8::1', 'documentation', 'documentation'],
    ['ipv6-addr', '3fff::1', 'documentation', 'documentation'],
    ['ipv6-addr', '::ffff:192.0.2.1', 'documentation', 'documentation'],
    ['domain-name', 'com', 'one label', 'public_suffixes'],
    ['domain-name', 'a3f0c1a3f0c1a3f0c1a3f0c1a3f0c1a3f0c1beef', 'one label', 'public_suffixes'],
    ['domain-name', 'org.uk', 'public suffix', 'public_suffixes'],
    ['domain-name', 'foo.ck', 'public suffix', 'public_suffixes'],
    ['domain-name', '公司.cn', 'public suffix', 'public_suffixes'],
    ['url', 'http://intranet/x', 'one label', 'public_suffixes'],
    ['email-addr', 'root@mailhost', 'one label', 'public_suffixes'],
    ['url', 'https://user@10.0.0.5:8443/x', 'private', 'special_addresses'],
    ['url', 'http://[::1]:9200/', 'loopback', 'special_addresses'],
    ['url', 'http://[::ffff:127.0.0.1]/', 'loopback', 'special_addresses'],
    ['domain-name', 'printer.local', 'meaning only locally', 'special_addresses'],
    ['ipv4-addr', '8.8.8.8', 'is listed', 'public_resolvers'],
    ['ipv4-addr', '8.8.0.0/16', 'holds listed addresses', 'public_resolvers'],
    ['ipv6-addr', '2001:4860:4860:0:0:0:0:8888', 'is listed', 'public_resolvers'],
    ['ipv6-addr', '::ffff:8.8.8.8', 'is listed', 'public_resolvers'],
    ['url', 'https://dns.google/dns-query', 'is listed', 'public_resolvers'],
    ['url', 'https://9.9.9.9:443/x', 'is listed', 'public_resolvers'],
    ['url', 'https://9.9.9.9\\x', 'is listed', 'public_resolvers'],
    ['url', 'http://10.0.0.5\\@elsewhere.example/', 'private', 'special_addresses'],
    ['file:hashes.MD5', 'D41D8CD98F00B204E9800998ECF8427E', 'is listed', 'empty_hashes'],
  ])('%s %s: %s, of the list %s', (type, text, what, list) => {
    const [first] = found(type, text);

    expect(first).toMatch(new RegExp(`^refuse .*${what}.*\\(never-block list ${list}\\)$`));
  });

  it.each<[ObservableType, string]>([
    ['ipv4-addr', '5.6.7.8'],
    ['ipv4-addr', '100.128.0.1'],
    ['ipv4-addr', '223.255.255.255'],
    ['ipv4-addr', '172.32.0.0/16'],
    ['ipv6-addr', '2a00:1450::1'],
    ['ipv6-addr', '::ffff:5.6.7.8'],
    ['ipv6-addr', '::5.6.7.8'],
    ['domain-name', 'bad.example'],
    ['domain-name', 'host.test'],
    ['domain-name', 'www.ck'],
    ['domain-name', 'someone.github.io'],
    ['domain-name', 'bad.org.uk'],
    ['url', 'http://gov.uk/page'],
    ['email-addr', 'a@nhs.uk'],
    ['file:hashes.MD5', 'd41d8cd98f00b204e9800998ecf8427f'],
    ['domain-name', 'x.dns.google'],
    ['ipv4-addr', '8.8.8.9'],
    ['ipv4-addr', '8.9.0.0/16'],
  ])('leaves %s %s alone', (type, text) => {
    expect(found(type, text)).toEqual([]);
  });

  it('notes where the configuration says so, each list for itself', () => {
    const rules: NeverBlockRules = { actions: { documentation: 'note' }, own: NOTHING };

    expect(found('ipv4-addr', '192.0.2.1', rules)[0]).toMatch(/^note /);
    expect(found('ipv4-addr', '10.0.0.1', rules)[0]).toMatch(/^refuse /);
    expect(found('ipv4-addr', '192.0.0.0/16', rules).map((one) => one.split(' ')[0])).toEqual(['refuse', 'note']);
  });

  it.each<[ObservableType, string]>([
    ['ipv4-addr', '203.0.114.77'],
    ['ipv4-addr', '203.0.0.0/16'],
    ['ipv6-addr', '2a00:1:2::3'],
    ['ipv6-addr', '::ffff:203.0.114.77'],
    ['domain-name', 'mons.example'],
    ['domain-name', 'a.b.mons.example'],
    ['domain-name', 'only.example'],
    ['url', 'https://www.mons.example:8443/login'],
    ['url', 'http://203.0.114.1/'],
    ['email-addr', 'boss@mons.example'],
  ])('refuses %s %s as our own ground, whatever the lists say', (type, text) => {
    const notes = {
      special_addresses: 'note',
      documentation: 'note',
      public_suffixes: 'note',
      own_hosts: 'note',
    } as const;

    expect(found(type, text, { actions: notes, own: OWN })[0]).toMatch(/^refuse .*our own ground.*own_hosts\)$/);
  });

  it.each<[ObservableType, string]>([
    ['domain-name', 'x.only.example'],
    ['domain-name', 'notmons.example'],
    ['ipv4-addr', '203.0.115.1'],
  ])('knows that %s %s is not ours', (type, text) => {
    expect(found(type, text, { actions: {}, own: OWN })).toEqual([]);
  });
});

it('counts hosts of our configuration, and nothing below them, as ours, unless the configuration only notes them', () => {
  const rules = { actions: {}, own: NOTHING, hosts: ['splunk.soc.example', '5.6.7.8'] };

  expect(found('domain-name', 'Splunk.SOC.example.', rules)[0]).toMatch(/^refuse .*own_hosts\)$/);
  expect(found('url', 'http://5.6.7.8/x', rules)[0]).toMatch(/^refuse .*own_hosts\)$/);
  expect(found('domain-name', 'x.splunk.soc.example', rules)).toEqual([]);
  expect(found('ipv4-addr', '5.6.7.8', { ...rules, actions: { own_hosts: 'note' } })[0]).toMatch(/^note /);
});

it('refuses what the configuration lists, and nothing overrides that', () => {
  const configured = { values: ['hxxp'], cidrs: ['5.6.0.0/20'], domains: ['discord.com', '=yandex.com'] };
  const rules = { actions: { configured: 'note' as const }, own: NOTHING, configured };

  for (const [type, text] of [
    ['ipv4-addr', '5.6.15.255'],
    ['ipv4-addr', '5.0.0.0/8'],
    ['domain-name', 'cdn.discord.com'],
    ['url', 'https://yandex.com/x'],
  ] as const)
    expect(found(type, text, rules)[0]).toMatch(/^refuse .*\(never-block list configured\)$/);
  expect(found('domain-name', 'mail.yandex.com', rules)).toEqual([]);
  expect(found('ipv4-addr', '5.6.16.0', rules)).toEqual([]);
});

it('takes the lists of a folder for notes, but those that name what nobody may arm', () => {
  const files = new ListIndex([
    { name: 'cloud', type: 'cidr', entries: ['5.6.0.0/16'] },
    { name: 'public-dns-v4', type: 'cidr', entries: ['5.6.7.8'] },
  ]);
  const rules: NeverBlockRules = { actions: {}, own: NOTHING, files };

  expect(found('ipv4-addr', '5.6.7.8', rules).map((one) => one.split(' ')[0])).toEqual(['note', 'refuse']);
  expect(found('ipv4-addr', '5.6.7.9', rules)).toEqual(['note 5.6.7.9 is listed (never-block list cloud)']);
  // All of a network, or nothing, where a list only notes; any address of it where a list refuses.
  expect(found('ipv4-addr', '5.0.0.0/8', rules)).toEqual([
    'refuse 5.0.0.0/8 holds listed addresses (never-block list public-dns-v4)',
  ]);
  expect(found('ipv4-addr', '5.6.7.9', { ...rules, actions: { cloud: 'refuse' } })[0]).toMatch(/^refuse /);
});

it('nothing of our own ground is told, nor of what has a meaning only there', () => {
  const told = (value: string) => !isOurGround({ type: 'ipv4-addr', value }, OWN);

  expect(['203.0.114.1', '10.0.0.5', '127.0.0.1'].filter(told)).toEqual([]);
  expect(['192.0.2.1', '5.6.7.8'].filter(told)).toHaveLength(2);
});

it('comes to the same of every address, whether its first number alone decides or all ranges are looked at', () => {
  // A network of our own somewhere else has every address looked at.
  const elsewhere = { actions: {}, own: { networks: ['2a00::/128'], domains: [] } };
  const octet = fc.nat(255);

  fc.assert(
    fc.property(fc.tuple(octet, octet, octet, octet), (octets) => {
      const value = octets.join('.');
      expect(found('ipv4-addr', value)).toEqual(found('ipv4-addr', value, elsewhere));
    }),
    { numRuns: 3000 },
  );
});

it('names the lists that only note, for who looks at the value in a SIEM', () => {
  const rules = {
    actions: { public_resolvers: 'note', documentation: 'note' },
    own: { networks: [], domains: [] },
  } as const;

  expect(notedLists({ type: 'ipv4-addr', value: '8.8.8.8' }, rules)).toEqual(['public_resolvers']);
  expect(notedLists({ type: 'ipv4-addr', value: '192.0.2.1' }, rules)).toEqual([]);
  expect(notedLists({ type: 'ipv4-addr', value: '127.0.0.1' }, rules)).toEqual([]);
});

it('judges the same text of another type by itself', () => {
  const rules = { actions: {}, own: OWN };

  expect(neverBlock({ type: 'domain-name', value: 'mons.example' }, rules)).toHaveLength(1);
  expect(neverBlock({ type: 'file:hashes.MD5', value: 'mons.example' }, rules)).toEqual([]);
});
