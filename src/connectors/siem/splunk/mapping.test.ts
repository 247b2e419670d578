import { describe, expect, it } from 'vitest';
import { aClaim, anEntry, DAY_MS, NOON } from '../../../../test/builders/entry.ts';
import type { EncodeContext } from '../../../core/contracts/siem-connector.ts';
import type { Entry } from '../../../core/model/entry.ts';
import type { ObservableType } from '../../../core/model/observable.ts';
import { keyPrefix } from './settings.ts';
import { collectionOfSlot, containerOf, encodeEntry, slotOf } from './mapping.ts';
import { ownedEntry } from './ownership.ts';

const settings = { form: 'lookups', prefix: keyPrefix('ncirc-mons') };
const context = (form: 'lookups' | 'threat_intel' = 'lookups'): EncodeContext => ({
  owner: 'entente:ncirc-mons',
  writer: 'writer-1',
  revision: 1_795_435_200_000_001,
  now: NOON,
  settings: { ...settings, form },
  facts: null,
});

function row(entry: Entry, form?: 'lookups' | 'threat_intel'): Record<string, unknown> {
  const encoded = encodeEntry(entry, context(form));
  if ('refused' in encoded) throw new Error(encoded.refused);
  return JSON.parse(encoded.body) as Record<string, unknown>;
}

describe('a row of our own collections', () => {
  it('is flat and says whose it is, what it stands for and until when', () => {
    const entry = anEntry({ value: '192.0.2.7', confidence: 80, pap: 'green', until: NOON + 10 * DAY_MS });

    expect(row(entry)).toEqual({
      _key: slotOf('ipv4-addr', '192.0.2.7', settings),
      kind: 'address',
      ip: '192.0.2.7',
      type: 'ipv4-addr',
      description: 'Indicator of a test',
      tlp: 'amber',
      pap: 'green',
      confidence: 80,
      exchanges: 'partner',
      source_ids: 'indicator--11111111-1111-4111-8111-111111111111',
      names: 'Indicator of a test',
      indicator_types: 'malicious-activity',
      labels: 'test',
      owner: 'entente:ncirc-mons',
      entry_key: 'ipv4-addr|192.0.2.7',
      writer: 'writer-1',
      revision: '1795435200000001',
      valid_from: Date.UTC(2026, 10, 20) / 1000,
      valid_until: NOON / 1000 + 10 * 86_400,
    });
  });

  const MATCHED: readonly (readonly [ObservableType, string, Record<string, string>])[] = [
    ['ipv4-addr', '198.51.100.0/24', { kind: 'network', network: '198.51.100.0/24' }],
    ['ipv6-addr', '2001:db8::7', { kind: 'address', ip: '2001:db8::7' }],
    ['domain-name', 'c2.example', { domain: 'c2.example', domain_pattern: '*.c2.example' }],
    ['url', 'https://x.example/A?b=C', { url: 'https://x.example/a?b=c' }],
    ['email-addr', 'Phish@mail.example', { email: 'phish@mail.example' }],
    ['file:hashes.MD5', 'd41d8cd98f00b204e9800998ecf8427f', { algorithm: 'md5' }],
    ["file:hashes.'SHA-256'", 'b'.repeat(64), { file_hash: 'b'.repeat(64), algorithm: 'sha-256' }],
  ];
  it.each(MATCHED)('matches %s %s in lower case', (type, value, fields) => {
    expect(row(anEntry({ type, value }))).toMatchObject(fields);
  });

  it('never puts a network where an address is compared, nor the reverse', () => {
    expect(row(anEntry({ value: '198.51.100.0/24' }))).not.toHaveProperty('ip');
    expect(row(anEntry({ value: '198.51.100.1' }))).not.toHaveProperty('network');
  });

  it('names fifty sources and counts the rest', () => {
    const claims = Array.from({ length: 60 }, (_, i) => aClaim({ objectId: `indicator--${i}` }));

    expect(row(anEntry({ claims }))['source_ids']).toMatch(/indicator--49 \(10 more\)$/);
  });
});

describe('a row of a threat collection', () => {
  it('carries the columns of Enterprise Security, fed now', () => {
    const entry = anEntry({ type: 'domain-name', value: 'c2.example', confidence: 0 });

    expect(row(entry, 'threat_intel')).toMatchObject({
      domain: 'c2.example',
      threat_key: 'entente:ncirc-mons',
      time: NOON / 1000,
      weight: 1,
      disabled: false,
      owner: 'entente:ncirc-mons',
    });
  });

  it('weighs 60 where no confidence is stated', () => {
    expect(row(anEntry({ value: '192.0.2.7' }), 'threat_intel')).toMatchObject({ weight: 60 });
  });

  it('refuses a value that would work as a wildcard there', () => {
    const entry = anEntry({ type: 'url', value: 'https://x.example/*' });

    expect(encodeEntry(entry, context('threat_intel'))).toEqual({ refused: expect.stringContaining('wildcard') });
    expect(encodeEntry(entry, context('lookups'))).not.toHaveProperty('refused');
  });
});

describe('slots', () => {
  it('tell their collection, in both forms', () => {
    const slot = slotOf('domain-name', 'c2.example', settings);

    expect(collectionOfSlot(slot, 'lookups')).toBe('entente_domain');
    expect(collectionOfSlot(slot, 'threat_intel')).toBe('ip_intel');
    expect(collectionOfSlot('analyst-row', 'lookups')).toBeUndefined();
    for (const type of ['ipv4-addr', 'url', 'email-addr', 'file:hashes.MD5'] as const) {
      expect(collectionOfSlot(slotOf(type, 'x', settings), 'lookups')).toBe(containerOf(type, settings));
    }
  });

  it('differ between spellings, types and instances', () => {
    const other = { ...settings, prefix: keyPrefix('soc-east') };

    const slots = [
      slotOf('url', 'https://x.example/a', settings),
      slotOf('url', 'https://x.example/A', settings),
      slotOf('url', 'https://x.example/a', other),
      slotOf('domain-name', 'https://x.example/a', settings),
    ];
    expect(new Set(slots).size).toBe(4);
  });
});

describe('a row read back', () => {
  const held = {
    _key: 'k',
    owner: 'entente:ncirc-mons',
    entry_key: 'url|https://x.example/A|b',
    writer: 'w',
    revision: '1795435200000001',
    valid_until: 1_795_435_200.5,
  };

  it('is the entry that was written, with its original spelling', () => {
    expect(ownedEntry(held, 'entente:ncirc-mons')).toEqual({
      key: 'url|https://x.example/A|b',
      slot: 'k',
      writer: 'w',
      revision: 1_795_435_200_000_001,
      until: 1_795_435_200_500,
    });
  });

  it('is nothing of ours under another mark, without a key, or with a key of no known type', () => {
    expect(ownedEntry({ ...held, owner: 'entente:soc-east' }, 'entente:ncirc-mons')).toBeUndefined();
    expect(ownedEntry({ _key: 'k', owner: 'entente:ncirc-mons' }, 'entente:ncirc-mons')).toBeUndefined();
    expect(ownedEntry({ ...held, entry_key: 'mutex|x' }, 'entente:ncirc-mons')).toBeUndefined();
  });
});

it('writes years that no search can print as the nearest that it can', () => {
  const encoded = encodeEntry(anEntry({ validFrom: -62_167_219_200_000, until: 8.64e15 }), context());

  expect('body' in encoded && JSON.parse(encoded.body)).toMatchObject({
    valid_from: 0,
    valid_until: 253_402_300_799.999,
  });
});

it('says among the labels on which never-block lists the value stands', () => {
  const encoded = encodeEntry(anEntry({ noted: ['microsoft-azure'] }), context());

  expect('refused' in encoded ? {} : JSON.parse(encoded.body)).toMatchObject({
    labels: expect.stringContaining('on list microsoft-azure') as string,
  });
});
