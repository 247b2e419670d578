import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonical } from '../model/canonical.ts';
import { ipRange, overlaps } from '../model/ip.ts';
import type { ObservableType } from '../model/observable.ts';
import { ListIndex } from './list-index.ts';
import type { MatchType } from './warninglist.ts';

function observable(type: ObservableType, text: string) {
  const spelled = canonical(type, text);
  if ('refused' in spelled) throw new Error(`${text}: ${spelled.refused}`);
  return { type, value: spelled.value };
}

const aList = (type: MatchType, ...entries: string[]) => new ListIndex([{ name: 'a-list', type, entries }]);
const lists = (index: ListIndex, type: ObservableType, text: string) =>
  index.find(observable(type, text)).map(({ list }) => list);

const SHA = 'A'.repeat(64);

// One entry of a list beside every way in which a partner may write the value. Platforms that compare texts would need an
// entry for each of these.
describe('one entry holds for every spelling', () => {
  it.each<[MatchType, string, readonly (readonly [ObservableType, string])[]]>([
    [
      'hostname',
      'Discord.com',
      [
        ['domain-name', 'discord.com'],
        ['domain-name', 'DISCORD.COM'],
        ['domain-name', 'discord.com.'],
        ['domain-name', 'cdn.discord.com'],
        ['domain-name', 'ｄiscord.com'],
        ['url', 'https://discord.com/'],
        ['url', 'https://discord.com'],
        ['url', 'HTTPS://Discord.COM:443/api?x=1#y'],
        ['url', 'http://discord.com:8080/x'],
        ['url', 'http://user:secret@discord.com/x'],
        ['url', 'http://discord.com./x'],
        ['url', 'ftp://cdn.discord.com/'],
        ['url', 'http://discord.com?x'],
        ['email-addr', 'no-reply@discord.com'],
        ['email-addr', 'No-Reply@Mail.Discord.com'],
      ],
    ],
    [
      'string',
      '8.8.8.8',
      [
        ['ipv4-addr', '8.8.8.8'],
        ['ipv4-addr', '8.8.8.8/32'],
        ['ipv4-addr', '8.8.8.0/24'],
        ['ipv6-addr', '::ffff:8.8.8.8'],
        ['ipv6-addr', '::FFFF:0808:0808'],
        ['ipv6-addr', '64:ff9b::8.8.8.8'],
        ['ipv6-addr', '2002:808:808::1'],
        ['url', 'http://8.8.8.8/'],
        ['url', 'http://8.8.8.8:53/x'],
        ['url', 'http://u@8.8.8.8'],
        ['url', 'http://[::ffff:8.8.8.8]/'],
      ],
    ],
    [
      'cidr',
      '2001:DB8:0::/48',
      [
        ['ipv6-addr', '2001:db8::1'],
        ['ipv6-addr', '2001:0db8:0000:0000:0000:0000:0000:0001'],
        ['ipv6-addr', '2001:db8:0:1::/64'],
        ['url', 'http://[2001:DB8::1]:8080/'],
      ],
    ],
    [
      'cidr',
      '5.6.7.255/16',
      [
        ['ipv4-addr', '5.6.0.1'],
        ['ipv4-addr', '5.6.0.0/16'],
        ['url', 'http://5.6.1.1/'],
      ],
    ],
    [
      'string',
      'bücher.example',
      [
        ['domain-name', 'xn--bcher-kva.example'],
        ['domain-name', 'BÜCHER.example.'],
      ],
    ],
    [
      'string',
      SHA,
      [
        ["file:hashes.'SHA-256'", SHA.toLowerCase()],
        ["file:hashes.'SHA-256'", SHA],
      ],
    ],
    [
      'string',
      'HTTP://Bad.example:80',
      [
        ['url', 'http://bad.example/'],
        ['url', 'http://bad.example.'],
      ],
    ],
    ['string', 'Abuse@Bad.example.', [['email-addr', 'abuse@bad.example']]],
    [
      'substring',
      'VirusTotal',
      [
        ['url', 'https://www.virustotal.com/gui/'],
        ['domain-name', 'xvirustotal.com'],
      ],
    ],
    ['regex', '/^https?:.*\\/wp-admin\\//i', [['url', 'http://bad.example/x/WP-Admin/']]],
  ])('%s %s', (type, entry, spellings) => {
    const index = aList(type, entry);

    for (const [kind, text] of spellings) expect([text, lists(index, kind, text)]).toEqual([text, ['a-list']]);
    // Who compares texts finds one of them at most.
    expect(spellings.filter(([, text]) => text === entry).length).toBeLessThan(2);
  });

  it.each<[MatchType, string, ObservableType, string]>([
    ['hostname', 'discord.com', 'domain-name', 'notdiscord.com'],
    ['hostname', 'discord.com', 'url', 'http://bad.example/discord.com'],
    ['hostname', 'discord.com', 'url', 'http://discord.com@bad.example/'],
    ['string', 'discord.com', 'domain-name', 'cdn.discord.com'],
    ['string', 'discord.com', 'url', 'http://discord.com/'],
    ['host', 'discord.com', 'domain-name', 'cdn.discord.com'],
    ['string', '8.8.8.8', 'ipv4-addr', '8.8.8.80'],
    ['string', '8.8.8.8', 'url', 'http://8.8.8.8.example/'],
    ['cidr', '5.6.0.0/16', 'ipv4-addr', '5.7.0.0'],
    ['string', 'd41d8cd98f00b204e9800998ecf8427e', 'domain-name', 'd41d8cd98f00b204e9800998ecf8427e'],
  ])('and for nothing else: %s %s is not %s %s', (type, entry, kind, text) => {
    expect(lists(aList(type, entry), kind, text)).toEqual([]);
  });
});

it('leaves out what means nothing or everything, says so, and uses the rest', () => {
  const index = new ListIndex([
    {
      name: 'nets',
      type: 'cidr',
      entries: ['0.0.0.0/0', '::/0', '128.0.0.0/1', '2000::/3', 'x', '', '5.6.0.0/16', '5.6.0.0/40'],
    },
    { name: 'parts', type: 'substring', entries: ['a', 'bad'] },
    { name: 'patterns', type: 'regex', entries: ['.*', '(?=x)y', 'a(b', '^ok'] },
    { name: 'names', type: 'hostname', entries: ['', '.', '*', 'a b', 'ok.example', '*.below.example'] },
    { name: 'hashes', type: 'string', entries: ['3::', 'a'.repeat(32)], kinds: new Set(['hash']) },
  ]);

  expect(index.reports.map(({ name, entries, leftOut }) => [name, entries, leftOut])).toEqual([
    ['nets', 1, 7],
    ['parts', 1, 1],
    ['patterns', 1, 3],
    ['names', 2, 4],
    ['hashes', 1, 1],
  ]);
  expect(index.reports[0]?.problems[0]).toBe('0.0.0.0/0: it covers nearly everything');
  expect(lists(index, 'ipv4-addr', '5.6.1.1')).toEqual(['nets']);
  expect(lists(index, 'domain-name', 'a.ok.example')).toEqual(['names']);
  expect(lists(index, 'domain-name', 'a.below.example')).toEqual(['names']);
  expect(lists(index, 'ipv6-addr', '3::')).toEqual([]);
});

it('asks a text list only about the kinds of value it is for', () => {
  const index = new ListIndex([{ name: 'urls', type: 'substring', entries: ['bad'], kinds: new Set(['url']) }]);

  expect(lists(index, 'domain-name', 'bad.example')).toEqual([]);
  expect(lists(index, 'url', 'http://x.example/bad')).toEqual(['urls']);
});

it('names every list that a value stands on, each once', () => {
  const index = new ListIndex([
    { name: 'one', type: 'cidr', entries: ['5.0.0.0/8', '5.6.0.0/16', '5.6.7.8'] },
    { name: 'two', type: 'string', entries: ['5.6.7.8', 'x.example'] },
    { name: 'three', type: 'hostname', entries: ['x.example', 'a.x.example'] },
  ]);

  expect(lists(index, 'ipv4-addr', '5.6.7.8')).toEqual(['one', 'two']);
  expect(lists(index, 'ipv4-addr', '5.6.7.9')).toEqual(['one']);
  expect(lists(index, 'domain-name', 'x.example').sort()).toEqual(['three', 'two']);
  expect(lists(index, 'url', 'http://b.a.x.example/')).toEqual(['three']);
});

it('finds of addresses and networks what looking at each entry finds', () => {
  const net = fc
    .tuple(
      fc.boolean(),
      fc.integer({ min: 0, max: 255 }),
      fc.integer({ min: 0, max: 255 }),
      fc.integer({ min: 16, max: 32 }),
    )
    .map(([six, a, b, size]) =>
      six ? `2a00:${a.toString(16)}:${b.toString(16)}::/${size + 16}` : `5.6.${a}.${b}/${size}`,
    );

  fc.assert(
    fc.property(fc.array(fc.tuple(net, fc.nat(3)), { maxLength: 12 }), net, (entries, asked) => {
      const names = ['a', 'b', 'c', 'd'];
      const index = new ListIndex(
        names.map((name, i) => ({
          name,
          type: 'cidr' as const,
          entries: entries.filter(([, list]) => list === i).map(([text]) => text),
        })),
      );
      const range = ipRange(asked)!;
      const type = range.version === 4 ? 'ipv4-addr' : 'ipv6-addr';
      const expected = names.filter((_, i) =>
        entries.some(([text, list]) => list === i && overlaps(ipRange(text)!, range)),
      );

      expect(
        index
          .find({
            type,
            value: asked.replace(/\/32$|\/48$/, (size) => (size === '/32' && range.version === 4 ? '' : size)),
          })
          .map(({ list }) => list)
          .sort(),
      ).toEqual(expected);
    }),
    { seed: 13, numRuns: 1500 },
  );
});
