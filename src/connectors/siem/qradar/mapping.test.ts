import fc from '../../../../test/property.ts';
import { describe, expect, it } from 'vitest';
import { aClaim, anEntry } from '../../../../test/builders/entry.ts';
import type { EncodeContext } from '../../../core/contracts/siem-connector.ts';
import type { ObservableType } from '../../../core/model/observable.ts';
import { containerKind, SET_KINDS } from './sets.ts';
import { encodeEntry, kindOf, ownedEntry, slotOf, splitSlot } from './mapping.ts';
import { raise, raisedLetters, readNotes, writeNotes } from './notes.ts';

const OWNER = 'entente:test-instance';

function context(given: { cidr?: boolean; domainId?: number; notesLength?: number } = {}): EncodeContext {
  return {
    owner: OWNER,
    writer: 'w1',
    revision: 1_795_000_000_000_123,
    now: 0,
    settings: { prefix: 'Entente', domainId: given.domainId ?? null, notesLength: given.notesLength ?? 1000 },
    facts: { version: '26.0', api: 'collections', cidr: given.cidr ?? true },
  };
}

function encoded(type: ObservableType, value: string, given = {}) {
  const result = encodeEntry(anEntry({ type, value }), context(given));
  if ('refused' in result) throw new Error(result.refused);
  return { slot: result.slot, row: JSON.parse(result.body) as { value: string; notes: string; source: string } };
}

describe('slots', () => {
  it.each([
    ['ipv4-addr', '192.0.2.1', 'IPv4|192.0.2.1'],
    ['ipv4-addr', '198.51.100.0/25', 'IPv4 Networks|198.51.100.0/25'],
    ['ipv6-addr', '2001:db8::7', 'IPv6|2001:db8:0:0:0:0:0:7'],
    ['ipv6-addr', '::', 'IPv6|0:0:0:0:0:0:0:0'],
    ['ipv6-addr', '2001:db8:1:2:3:4:5:6', 'IPv6|2001:db8:1:2:3:4:5:6'],
    ['domain-name', 'xn--bcher-kva.example', 'Domain|xn--bcher-kva.example'],
    ['url', 'https://case.example/MiXeD', 'URL|https://case.example/mixed'],
    ["file:hashes.'SHA-256'", 'b'.repeat(64), `SHA256|${'b'.repeat(64)}`],
  ] as const)('%s %s stands in %s', (type, value, slot) => {
    expect(slotOf(type, value)).toBe(slot);
    expect(splitSlot(slot)?.kind).toBe(kindOf({ type, value }));
    expect(encoded(type, value).slot).toBe(slot);
  });

  it('is one for two URLs that differ in case only', () => {
    expect(slotOf('url', 'https://x.example/A')).toBe(slotOf('url', 'https://x.example/a'));
  });

  it('keeps each hash algorithm in a set of its own', () => {
    const hashes = SET_KINDS.filter((kind) => kind.observable.startsWith('file:'));
    expect(new Set(hashes.map((kind) => kind.suffix)).size).toBe(4);
  });
});

describe('refusals', () => {
  it('names the version when the console has no type for networks', () => {
    const entry = anEntry({ value: '198.51.100.0/25' });
    expect(encodeEntry(entry, context({ cidr: false }))).toEqual({
      refused: 'QRadar API 26.0 has no set type for networks',
    });
  });

  it('refuses IPv6 networks everywhere', () => {
    const entry = anEntry({ type: 'ipv6-addr', value: '2001:db8:0:1::/64' });
    expect(encodeEntry(entry, context())).toEqual({ refused: 'QRadar has no set type for IPv6 networks' });
  });

  it('refuses a value that folding would change for good', () => {
    const entry = anEntry({ type: 'url', value: 'https://x.example/\u0130' });
    expect(encodeEntry(entry, context())).toHaveProperty('refused');
  });
});

describe('rows', () => {
  it.each([
    ['url', 'https://case.example/MiXeD/Path?Q=%2F'],
    ['url', 'https://quote.example/a%22b\'c\\d?x={"y":[1]}&z=$n'],
    ['ipv6-addr', '2001:db8::7'],
    ['email-addr', "O'Brien+tag@mail.example"],
    ['ipv4-addr', '198.51.100.0/25'],
  ] as const)('give back the key of %s %s', (type, value) => {
    const entry = anEntry({ type, value });
    const { slot, row } = encoded(type, value);

    expect(ownedEntry(kindOf(entry), row, OWNER)).toEqual({
      key: entry.key,
      slot,
      writer: 'w1',
      revision: 1_795_000_000_000_123,
      until: entry.until,
    });
  });

  it('of others are none of ours', () => {
    const { row } = encoded('ipv4-addr', '192.0.2.1');
    const kind = containerKind('ipv4-addr');
    for (const source of ['analyst', null])
      expect(ownedEntry(kind, { ...row, source, notes: 'mine' }, 'entente:test-instance')).toBeUndefined();
    expect(ownedEntry(kind, { ...row, source: 'entente:test-instance-2' }, 'entente:test-instance')).toBeUndefined();
  });

  it('are ours by their notes where somebody wrote over the source', () => {
    const { row } = encoded('ipv4-addr', '192.0.2.1');
    for (const source of ['analyst', null])
      expect(ownedEntry(containerKind('ipv4-addr'), { ...row, source }, 'entente:test-instance')?.writer).toBe('w1');
  });

  it('stay ours when an analyst writes over the notes, at a revision that the next audit renews', () => {
    const { row } = encoded('ipv4-addr', '192.0.2.1');
    const changed = { ...row, notes: 'see case 4711' };
    expect(ownedEntry(containerKind('ipv4-addr'), changed, OWNER)).toMatchObject({ revision: 0, writer: '' });
  });

  it('carry the domain when one is configured', () => {
    expect(encoded('ipv4-addr', '192.0.2.1', { domainId: 3 }).row).toMatchObject({ domain_id: 3 });
    expect(encoded('ipv4-addr', '192.0.2.1').row).not.toHaveProperty('domain_id');
  });
});

describe('notes', () => {
  const mark = { owner: OWNER, writer: 'w1', revision: 7, until: 1_800_000_000_000 };

  it('tell an analyst what the entry stands for', () => {
    const entry = anEntry({
      confidence: 80,
      claims: [aClaim({ threats: ['Test malware'], provider: 'CERT Example' })],
    });

    const notes = writeNotes(mark, entry, 1000);

    for (const text of [
      'TLP:AMBER',
      'confidence 80',
      'indicator--11111111-1111-4111-8111-111111111111 (partner)',
      'Indicator of a test',
      'Test malware',
      'CERT Example',
    ])
      expect(notes).toContain(text);
  });

  it('drop whole facts to stay within their length, and keep the mark', () => {
    const claims = Array.from({ length: 40 }, (_, i) => aClaim({ objectId: `indicator--${i}` }));

    const notes = writeNotes(mark, anEntry({ claims }), 300);

    expect(notes.length).toBeLessThanOrEqual(300);
    expect(readNotes(notes)).toEqual(mark);
  });

  it('are not ours in any other form', () => {
    for (const text of [
      null,
      '',
      'entente:x',
      'entente:x writer=w revision=a until=1;',
      'analyst: entente:x writer=w revision=1 until=1;',
    ])
      expect(readNotes(text)).toBeUndefined();
  });

  it('raise again exactly the letters that a set lowers', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'aAbBzZ09-._~/?=&%Éé"\\ '.split('')) });
    fc.assert(fc.property(letters, (value) => raise(value.toLowerCase(), raisedLetters(value)) === value));
  });
});

it('writes an end beyond the years of the product as the last of them', () => {
  const encoded = encodeEntry(anEntry({ until: 8.64e15 }), context());
  const { notes } = JSON.parse('body' in encoded ? encoded.body : '{}') as { notes: string };

  expect(readNotes(notes)?.until).toBe(253_402_300_799_999);
});

it('says among the labels in its notes on which never-block lists the value stands', () => {
  const encoded = encodeEntry(anEntry({ noted: ['microsoft-azure'] }), context());

  expect('refused' in encoded ? '' : encoded.body).toContain('on list microsoft-azure');
});
