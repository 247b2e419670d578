import { describe, expect, it } from 'vitest';
import { aClaim, anEntry, NOON } from '../../../../test/builders/entry.ts';
import type { EncodeContext } from '../../../core/contracts/siem-connector.ts';
import type { Entry } from '../../../core/model/entry.ts';
import { entryKey } from '../../../core/model/observable.ts';
import { confidenceWord, encodeEntry, frameChange, slotOf } from './mapping.ts';

const context: EncodeContext = {
  owner: 'entente:mons',
  writer: 'writer-1',
  revision: 1_795_435_200_000_001,
  now: NOON,
  settings: { index: 'logs-ti_entente_mons.indicator' },
  facts: null,
};

/** The document, as the product would read it. */
function document(entry: Entry) {
  const { body } = encodeEntry(entry, context);
  expect(body).not.toContain('\n');
  // Test code: the body was made a line above, and assertions below read it.
  return JSON.parse(body) as { threat: { indicator: Record<string, unknown> } } & Record<string, unknown>;
}

const indicator = (entry: Entry) => document(entry).threat.indicator;

describe('an entry as an ECS document', () => {
  it('carries what stock rules, analysts and we ourselves read', () => {
    const entry = anEntry({
      value: '192.0.2.7',
      confidence: 85,
      tlp: 'amber+strict',
      pap: 'amber',
      claims: [
        aClaim({
          exchange: 'cert-eu',
          objectId: 'indicator--1',
          provider: 'CERT "X"',
          threats: ['Emotet'],
          facts: {
            name: 'C2',
            description: 'A\\B',
            types: ['malicious-activity'],
            labels: ['c2'],
            created: '2026-11-19T08:00:00Z',
          },
        }),
        aClaim({ exchange: 'misp-be', objectId: 'indicator--2', facts: { name: 'C2', labels: ['c2', 'botnet'] } }),
      ],
    });

    expect(document(entry)).toEqual({
      '@timestamp': '2026-11-23T12:00:00.000Z',
      event: {
        kind: 'enrichment',
        category: ['threat'],
        type: ['indicator'],
        module: 'ti_entente',
        dataset: 'ti_entente.indicator',
      },
      tags: ['c2', 'botnet'],
      related: { ip: ['192.0.2.7'] },
      threat: {
        feed: { name: ['cert-eu', 'misp-be'] },
        indicator: {
          id: ['indicator--1', 'indicator--2'],
          type: 'ipv4-addr',
          ip: '192.0.2.7',
          name: '192.0.2.7',
          description: 'A\\B',
          provider: ['CERT "X"'],
          confidence: 'High',
          first_seen: '2026-11-20T00:00:00.000Z',
          modified_at: '2026-11-20T08:00:00.000Z',
          marking: { tlp: 'AMBER+STRICT' },
        },
      },
      entente: {
        owner: 'entente:mons',
        key: 'ipv4-addr|192.0.2.7',
        writer: 'writer-1',
        revision: 1_795_435_200_000_001,
        until: '2026-12-23T12:00:00.000Z',
        confidence: 85,
        pap: 'AMBER',
        names: ['C2'],
        types: ['malicious-activity'],
        threats: ['Emotet'],
      },
    });
  });

  it('never cuts a network to an address', () => {
    const entry = anEntry({ value: '198.51.100.0/24' });

    expect(indicator(entry)).not.toHaveProperty('ip');
    expect(document(entry)).not.toHaveProperty('related');
    expect(document(entry)['entente']).toMatchObject({ network: '198.51.100.0/24' });
  });

  it.each([
    ['ipv6-addr', '2001:db8::7', { ip: '2001:db8::7' }],
    ['domain-name', 'bad.example', { url: { domain: 'bad.example' } }],
    ['email-addr', 'a@mail.example', { email: { address: 'a@mail.example' } }],
    ['file:hashes.MD5', 'd'.repeat(32), { type: 'file', file: { hash: { md5: 'd'.repeat(32) } } }],
    ["file:hashes.'SHA-512'", 'e'.repeat(128), { type: 'file', file: { hash: { sha512: 'e'.repeat(128) } } }],
  ] as const)('puts %s where rules compare it', (type, value, expected) => {
    expect(indicator(anEntry({ type, value }))).toMatchObject(expected);
  });

  it('keeps a URL whole and adds its parts', () => {
    const value = 'https://[2001:db8::1]:8443/a\\"b?q={"x":1}#f';

    expect(indicator(anEntry({ type: 'url', value }))['url']).toMatchObject({
      full: value,
      original: value,
      scheme: 'https',
      domain: '2001:db8::1',
      port: 8443,
      fragment: 'f',
    });
  });

  it.each([
    [undefined, 'Not Specified'],
    [0, 'None'],
    [1, 'Low'],
    [29, 'Low'],
    [30, 'Medium'],
    [69, 'Medium'],
    [70, 'High'],
    [100, 'High'],
  ])('words confidence %s as %s', (given, word) => {
    expect(confidenceWord(given)).toBe(word);
  });

  it.each([
    ['2026-11-20T08:00:00.123456000Z', '2026-11-20T08:00:00.123456000Z'],
    ['2026-11-20T08:00:00.123000000Z', '2026-11-20T08:00:00.123Z'],
    ['2026-11-20T08:00:00.000000001Z', '2026-11-20T08:00:00.000000001Z'],
  ])('writes version %s as %s, with no zeros that say nothing', (version, written) => {
    expect(indicator(anEntry({ claims: [aClaim({ version })] }))['modified_at']).toBe(written);
  });

  it('costs few bytes beside what the partner told, because the product pays for each', () => {
    const { body } = encodeEntry(anEntry({ value: '192.0.2.7' }), context);

    expect(body.length).toBeLessThan(750);
  });

  it('writes a far expiry that a date field takes', () => {
    const entry = anEntry({ until: Date.UTC(9999, 11, 31) });

    expect(document(entry)['entente']).toMatchObject({ until: '9999-12-31T00:00:00.000Z' });
  });
});

describe('the bulk lines', () => {
  const key = entryKey('domain-name', 'bad.example');
  const slot = slotOf('domain-name', 'bad.example');

  it('name the document by a digest that tells type and value apart', () => {
    expect(slot).toMatch(/^[\w-]{43}$/);
    expect(slotOf('url', 'bad.example')).not.toBe(slot);
  });

  it('carry our revision as an external version', () => {
    expect(frameChange({ op: 'upsert', key, slot, revision: 7 }, '{}')).toBe(
      `{"index":{"_id":"${slot}","version":7,"version_type":"external"}}\n{}\n`,
    );
    expect(frameChange({ op: 'remove', key, slot, revision: 8 }, '')).toBe(
      `{"delete":{"_id":"${slot}","version":8,"version_type":"external"}}\n`,
    );
  });
});

it('writes years that no product takes as the nearest that all do', () => {
  const claims = [aClaim({ version: '0000-01-01T00:00:00.000000000Z' })];
  const entry = anEntry({ validFrom: Date.parse('0000-01-01T00:00:00Z'), until: 8.64e15, claims });
  const { body } = encodeEntry(entry, context);

  expect(JSON.parse(body)).toMatchObject({
    threat: {
      indicator: { first_seen: '1970-01-01T00:00:00.000Z', modified_at: '1970-01-01T00:00:00.000Z' },
    },
    entente: { until: '9999-12-31T23:59:59.999Z' },
  });
});

it('says among the tags on which never-block lists the value stands', () => {
  const tagsOf = (entry: Entry) => {
    const encoded = encodeEntry(entry, context);
    return (JSON.parse(encoded.body) as { tags?: string[] }).tags;
  };

  expect(tagsOf(anEntry({ noted: ['microsoft-azure'] }))).toEqual(['test', 'on list microsoft-azure']);
  expect(tagsOf(anEntry())).toEqual(['test']);
});
