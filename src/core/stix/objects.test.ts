import fc from '../../../test/property.ts';
import { describe, expect, it } from 'vitest';
import type { IncomingIndicator, IndicatorFacts } from '../model/entry.ts';
import { UNREADABLE_LABEL } from './markings.ts';
import { ODD_TIMES, readObject } from './objects.ts';

const ID = 'indicator--7df7da76-baa5-48be-98b3-ae9b4bd84184';
const SOURCE = 'identity--96b9f522-7592-502b-a5f7-8fa59a268afd';
const RED = 'marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed';
const GREEN = 'marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da';

const anIndicator = (fields: Record<string, unknown> = {}) => ({
  type: 'indicator',
  spec_version: '2.1',
  id: ID,
  created: '2026-01-05T10:00:00Z',
  modified: '2026-01-05T10:00:00.5Z',
  valid_from: '2026-01-05T10:00:00Z',
  pattern: "[ipv4-addr:value = '198.51.100.1']",
  pattern_type: 'stix',
  ...fields,
});

type ReadIndicator = Omit<IncomingIndicator, 'facts'> & { readonly facts: IndicatorFacts };

function indicator(raw: unknown, bundleSpecVersion?: string): ReadIndicator {
  const read = readObject(raw, bundleSpecVersion);
  if (!('object' in read) || read.object.kind !== 'indicator') throw new Error(`no indicator: ${JSON.stringify(read)}`);
  return { ...read.object, facts: JSON.parse(read.object.facts) as IndicatorFacts };
}

describe('a level in a label', () => {
  it('makes stricter what a marking says, and is no marking where none does', () => {
    const beside = indicator(anIndicator({ object_marking_refs: [GREEN], labels: ['tlp:red'] }));
    const alone = indicator(anIndicator({ labels: ['tlp:clear'] }));

    expect([beside.tlp, alone.tlp, alone.facts.tlpLabel]).toEqual(['red', undefined, 'clear']);
  });

  it('keeps the object out where we do not know it', () => {
    const unknown = indicator(anIndicator({ object_marking_refs: [GREEN], labels: ['tlp:purple'] }));

    expect([unknown.tlp, unknown.openMarkings]).toEqual(['green', [UNREADABLE_LABEL]]);
  });
});

describe('an indicator', () => {
  it('is read with the fields that we use', () => {
    const read = indicator(
      anIndicator({
        name: 'C2 address',
        description: 'seen by a partner',
        indicator_types: ['malicious-activity'],
        labels: ['botnet'],
        created_by_ref: SOURCE,
        confidence: 85,
        valid_until: '2026-02-05T10:00:00Z',
        object_marking_refs: [RED],
      }),
    );

    expect(read).toEqual({
      kind: 'indicator',
      objectId: ID,
      version: '2026-01-05T10:00:00.500000000Z',
      revoked: false,
      validFrom: Date.UTC(2026, 0, 5, 10),
      validUntil: Date.UTC(2026, 1, 5, 10),
      confidence: 85,
      tlp: 'red',
      observables: [{ type: 'ipv4-addr', value: '198.51.100.1' }],
      facts: {
        name: 'C2 address',
        description: 'seen by a partner',
        types: ['malicious-activity'],
        labels: ['botnet'],
        createdBy: SOURCE,
        created: '2026-01-05T10:00:00.000000000Z',
      },
      digest: read.digest,
    });
  });

  it('is read in its STIX 2.0 form, whatever spec_version says', () => {
    const { pattern_type: _, ...old } = anIndicator({
      spec_version: 'indicator',
      labels: ['malicious-activity'],
      pattern: `[file:hashes.SHA256 = '${'A'.repeat(64)}']`,
    });

    expect(indicator(old, '2.0')).toMatchObject({
      observables: [{ type: "file:hashes.'SHA-256'", value: 'a'.repeat(64) }],
      facts: { types: ['malicious-activity'] },
    });
    expect(indicator({ ...old, labels: ['Benign'] }).benign).toBe(true);
  });

  it('is benign only by its types, even far down a long list', () => {
    const many = [...Array.from({ length: 30 }, (_, i) => `type-${i}`), 'benign'];

    expect(indicator(anIndicator({ indicator_types: many })).benign).toBe(true);
    expect(indicator(anIndicator({ indicator_types: ['unknown'], labels: ['benign'] })).benign).toBeUndefined();
  });

  it.each([
    ['pattern type sigma', { pattern_type: 'sigma', pattern: 'title: x' }],
    ['unknown pattern type', { pattern_type: 'invented' }],
    ['pattern is missing', { pattern: undefined }],
    ['not a valid STIX pattern', { pattern: '[ipv4-addr:value' }],
    ['pattern too long', { pattern: `[${'x'.repeat(200_000)}]` }],
    ['valid_until is not after valid_from', { valid_until: '2026-01-05T10:00:00Z' }],
    ['valid_until is not after valid_from', { valid_until: '2025-01-05T10:00:00Z' }],
    ['valid_until is no timestamp', { valid_until: 'tomorrow' }],
    ['valid_from is no timestamp', { valid_from: '2026-02-30T00:00:00Z' }],
    ['unsupported: file:name', { pattern: "[file:name = 'a.exe' OR file:size = 3]" }],
    ['confidence is no integer from 0 to 100', { confidence: '85' }],
    ['confidence is no integer from 0 to 100', { confidence: 0.9 }],
    ['confidence is no integer from 0 to 100', { confidence: -1 }],
    ['confidence is no integer from 0 to 100', { confidence: 101 }],
    ['confidence is no integer from 0 to 100', { confidence: [50] }],
    ['confidence is no integer from 0 to 100', { confidence: true }],
    ['indicator_types is no list of texts', { indicator_types: 'malicious-activity' }],
    ['indicator_types is no list of texts', { indicator_types: { 0: 'benign' } }],
    ['indicator_types is no list of texts', { indicator_types: ['malicious-activity', ['benign']] }],
    ['labels is no list of texts', { labels: 'benign', pattern_type: undefined }],
    ['valid_until is no timestamp', { valid_until: 1767607200 }],
    ['URL with control or broken characters', { pattern: "[url:value = 'http://a.example/\ufffd']" }],
  ])('is kept without values when it cannot be used: %s', (refusal, fields) => {
    const read = indicator(anIndicator(fields));

    expect(read).toMatchObject({ objectId: ID, refusal, observables: [] });
    expect((read.facts.pattern ?? '').length).toBeLessThanOrEqual(1024);
  });

  it.each([{ pattern: 'stale' }, { pattern_type: 'sigma' }, { valid_until: 'never' }, { pattern: undefined }])(
    'only withdraws when it is revoked, be it broken or not: %j',
    (fields) => {
      const read = indicator(anIndicator({ revoked: true, ...fields }));

      expect(read).toMatchObject({ revoked: true, observables: [] });
      expect(read.refusal).toBeUndefined();
    },
  );

  it('states no confidence by null', () => {
    const read = indicator(anIndicator({ confidence: null }));
    expect([read.confidence, read.refusal]).toEqual([undefined, undefined]);
  });

  it('keeps the sound arms of an OR and says what was left out', () => {
    const pattern = "[ipv4-addr:value = '198.51.100.1' OR file:name = 'a.exe' OR file:hashes.SSDEEP = '3:a:b']";

    expect(indicator(anIndicator({ pattern }))).toMatchObject({
      observables: [{ type: 'ipv4-addr', value: '198.51.100.1' }],
      refusal: 'unsupported: file:name',
      facts: { detail: 'unsupported: file:name; unsupported hash algorithm: file:hashes.SSDEEP', pattern },
    });
  });

  it.each<[unknown, string]>([
    ['85', 'confidence is "85"'],
    [1e300, 'confidence is 1e+300'],
    [{}, 'confidence is an object'],
  ])('says what was stated in the place of a confidence: %j', (confidence, detail) => {
    expect(indicator(anIndicator({ confidence })).facts.detail).toBe(detail);
  });

  it('is called harmless also by a text where a list belongs', () => {
    expect(indicator(anIndicator({ indicator_types: 'benign' }))).toMatchObject({ benign: true, observables: [] });
  });

  it.each([true, 'true', 'True', ' TRUE ', 1, '1', 'yes', 'Y', 't', 'on', 'revoked'])(
    'is withdrawn by revoked: %j',
    (revoked) => {
      expect(indicator(anIndicator({ revoked })).revoked).toBe(true);
    },
  );

  it.each(['false', 'no', '', 0, 2, [], {}, [true], 'maybe'])(
    'is neither taken nor withdrawn by revoked: %j',
    (revoked) => {
      expect(readObject(anIndicator({ revoked }))).toMatchObject({
        refusal: { objectId: ID, reason: 'revoked is neither true nor false' },
      });
    },
  );

  it.each([undefined, 'yesterday', 5, {}])('is withdrawn whatever its version says: %j', (modified) => {
    const read = indicator(anIndicator({ revoked: true, modified }));
    expect([read.revoked, read.version < '0001']).toEqual([true, true]);
  });

  it.each([undefined, 'yesterday', 5, {}])('is called harmless whatever its version says: %j', (modified) => {
    const read = indicator(anIndicator({ indicator_types: ['Benign'], modified }));
    expect([read.benign, read.revoked, read.version < '0001']).toEqual([true, false, true]);
  });

  it('has no valid_from: it is valid from when it was made, or changed where that is not said', () => {
    expect(indicator(anIndicator({ valid_from: undefined })).validFrom).toBe(Date.UTC(2026, 0, 5, 10));
    expect(indicator(anIndicator({ valid_from: undefined, created: undefined })).validFrom).toBe(
      Date.UTC(2026, 0, 5, 10) + 500,
    );
  });

  it('has its times in another spelling of RFC 3339: they are read, and the quirk is named', () => {
    const odd = readObject(anIndicator({ modified: '2026-01-05T12:00:00.5+02:00', revoked: true }));

    expect(odd).toMatchObject({
      object: { version: '2026-01-05T10:00:00.500000000Z', revoked: true },
      quirk: ODD_TIMES,
    });
    expect(readObject(anIndicator({}))).not.toHaveProperty('quirk');
  });

  it.each([
    ['id', `${ID}\u200b`, `${ID}\\u{200b}`],
    ['modified', '2026-01-05T10:00:00Z\ufeff', '2026-01-05T10:00:00Z\\u{feff}'],
  ])('is refused with what nobody sees in its %s spelled out', (field, given, detail) => {
    expect(readObject(anIndicator({ [field]: given }))).toMatchObject({ refusal: { detail } });
  });

  it('keeps a confidence of 0, which is not the same as none', () => {
    expect(indicator(anIndicator({ confidence: 0 })).confidence).toBe(0);
  });

  it('shows texts without control characters and cut to length', () => {
    const { facts } = indicator(
      anIndicator({
        name: `a\u0000b\u202ec${'x'.repeat(300)}`,
        description: `line\r\nbreak ${'\ud83d\ude00'.repeat(2000)}`,
        labels: [...Array.from({ length: 20 }, () => 'l'.repeat(100)), 5],
      }),
    );

    expect(facts.name).toHaveLength(256);
    expect(facts.name).toMatch(/^abcx+$/);
    expect(facts.description!.startsWith('line break ')).toBe(true);
    expect(facts.description!.length).toBeLessThanOrEqual(1024);
    expect(facts.description!.isWellFormed()).toBe(true);
    expect(facts.labels).toEqual(Array.from({ length: 16 }, () => 'l'.repeat(64)));
  });

  it.each([
    ['a classification', 'nato:classification="NS"'],
    ['a classification at the end of a long text', `${'x'.repeat(80)} NATO SECRET`],
    ['an exercise', 'exercise:locked-shields="2026"'],
  ])('keeps before all other labels and types what says %s', (_what, said) => {
    const others = Array.from({ length: 20 }, (_one, n) => `label ${n}`);
    const { facts } = indicator(anIndicator({ labels: [...others, said], indicator_types: [...others, said] }));

    expect([facts.labels?.[0], facts.types?.[0]]).toEqual([said, said]);
    expect([facts.labels?.slice(1), facts.types?.slice(1)]).toEqual([others.slice(0, 15), others.slice(0, 15)]);
  });

  it('has another digest as soon as anything that we use differs', () => {
    const digest = (fields: Record<string, unknown>) => indicator(anIndicator(fields)).digest;

    expect(digest({})).toBe(digest({ x_custom: 'ignored' }));
    expect(
      new Set([{}, { confidence: 1 }, { revoked: true }, { name: 'a' }, { object_marking_refs: [RED] }].map(digest))
        .size,
    ).toBe(5);
  });
});

describe('readObject', () => {
  it.each<[string, unknown, string]>([
    ['no object', 'text', 'not an object'],
    ['null', null, 'not an object'],
    ['a list', [], 'not an object'],
    ['no type', { id: ID }, 'type is missing'],
    ['no id', anIndicator({ id: undefined }), 'id is missing'],
    ['an id of another type', anIndicator({ id: SOURCE }), 'id is not of the form type--UUID'],
    ['no version', anIndicator({ modified: 'now' }), 'modified is missing or no timestamp'],
    ['a nameless identity', { type: 'identity', id: SOURCE, modified: '2026-01-05T10:00:00Z' }, 'name is missing'],
    [
      'a relationship without ends',
      { type: 'relationship', id: ID.replace('indicator', 'relationship'), modified: '2026-01-05T10:00:00Z' },
      'relationship without type or ends',
    ],
  ])('refuses %s', (_what, raw, reason) => {
    expect(readObject(raw)).toMatchObject({ refusal: { reason } });
  });

  it.each([
    ['sighting', 'sighting'],
    ['observed-data', 'observed-data'],
    ['ipv4-addr', 'ipv4-addr'],
    ['x-invented', 'unknown type'],
    ['constructor', 'unknown type'],
    ['Indicator', 'type in another case (indicator)'],
    ['URL', 'type in another case (url)'],
    ['X-Invented', 'unknown type'],
  ])('ignores %s', (type, ignored) => {
    expect(readObject({ type, id: `${type}--x` })).toEqual({ ignored });
  });

  it('accepts ids that break the UUID version rules, as OASIS examples do', () => {
    expect(indicator(anIndicator({ id: 'indicator--baeabcaa-cdef-defd-ef12-342d65defabc' }))).toBeDefined();
  });

  it('spells the UUID of every id in small letters, so that an object is one however it is spelled', () => {
    const upper = (id: string) => id.replace(/--.*/, (uuid) => uuid.toUpperCase());
    const [id, malware, author] = ['indicator', 'malware', 'identity'].map(
      (type) => `${type}--abcdef00-0000-4000-8000-00000000000a`,
    ) as [string, string, string];
    const given = anIndicator({ id, created_by_ref: author });
    const times = { created: '2026-01-05T10:00:00Z', modified: '2026-01-06T10:00:00Z' };
    const relation = {
      type: 'relationship',
      id: id.replace('indicator', 'relationship'),
      relationship_type: 'indicates',
      source_ref: id,
      target_ref: malware,
      ...times,
    };

    expect(readObject({ ...given, id: upper(id), created_by_ref: upper(author) })).toEqual(readObject(given));
    expect(
      readObject({ ...relation, id: upper(relation.id), source_ref: upper(id), target_ref: upper(malware) }),
    ).toEqual(readObject(relation));
    expect(readObject({ type: 'malware', id: upper(malware), name: 'Pebble', ...times })).toMatchObject({
      object: { objectId: malware },
    });
  });

  it('reads names, markings and relationships', () => {
    const times = { created: '2026-01-05T10:00:00Z', modified: '2026-01-06T10:00:00Z' };
    const malware = `malware--${ID.slice(11)}`;

    expect(readObject({ type: 'malware', id: malware, name: 'Pebble\u0007', ...times })).toEqual({
      object: {
        kind: 'name',
        objectId: malware,
        version: '2026-01-06T10:00:00.000000000Z',
        type: 'malware',
        name: 'Pebble',
      },
    });
    expect(readObject({ type: 'marking-definition', id: RED, created: times.created })).toEqual({
      object: { kind: 'marking', objectId: RED, tlp: 'red' },
    });
    const unknown = RED.replace('5e57c739', 'AE57C739');
    expect(readObject({ type: 'marking-definition', id: unknown, created: times.created })).toEqual({
      object: { kind: 'marking', objectId: unknown.toLowerCase(), unread: 'which says nothing we can read' },
    });
    expect(
      readObject({
        type: 'relationship',
        id: `relationship--${ID.slice(11)}`,
        relationship_type: 'indicates',
        source_ref: ID,
        target_ref: malware,
        ...times,
      }),
    ).toMatchObject({
      object: { kind: 'relationship', relation: 'indicates', source: ID, target: malware, revoked: false },
    });
  });

  it('is not troubled by deep nesting in what it does not use', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`);

    expect(indicator(anIndicator({ x_deep: deep, labels: deep, object_marking_refs: deep })).openMarkings).toEqual([
      'unreadable',
    ]);
  });

  it('never throws, whatever a field holds', () => {
    const field = fc.constantFrom(
      ...Object.keys(anIndicator()),
      'labels',
      'revoked',
      'granular_markings',
      'object_marking_refs',
      'extensions',
    );

    fc.assert(
      fc.property(
        fc.dictionary(field, fc.jsonValue()),
        fc.constantFrom('indicator', 'marking-definition', 'relationship', 'identity'),
        (fields, type) => {
          const read = readObject({ ...anIndicator(), id: `${type}--${ID.slice(11)}`, ...fields, type });
          expect(Object.keys(read).filter((key) => key !== 'quirk')).toHaveLength(1);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

it.each<[unknown, object]>([
  [undefined, { ignored: 'bundle' }],
  [null, { ignored: 'bundle' }],
  [{ [ID]: anIndicator() }, { refusal: { reason: 'objects of a bundle are no list', detail: 'bundle--1' } }],
  ['none', { refusal: { reason: 'objects of a bundle are no list', detail: 'bundle--1' } }],
])('a bundle of nothing is ignored, and one whose objects cannot be read is refused: %j', (objects, result) => {
  expect(readObject({ type: 'bundle', id: 'bundle--1', objects })).toEqual(result);
});

describe('one object of very many parts', () => {
  const MARKING = {
    type: 'marking-definition',
    id: `marking-definition--${ID.slice(-36)}`,
    created: '2026-01-05T10:00:00Z',
  };
  const several = <T>(part: (n: number) => T) => Array.from({ length: 60_000 }, (_one, n) => part(n));
  // More than a call takes arguments.
  const fields = Object.fromEntries(Array.from({ length: 150_000 }, (_one, n) => [`tlp_${n}`, 'red']));

  it.each<[string, object]>([
    ['labels that state a level', anIndicator({ labels: several(() => 'tlp:red') })],
    ['references', anIndicator({ object_marking_refs: several((n) => `marking-definition--${n}`) })],
    ['granular markings', anIndicator({ granular_markings: several((n) => ({ marking_ref: `marking-${n}` })) })],
    ['fields of a definition', { ...MARKING, definition_type: 'statement', definition: fields }],
    ['fields of an extension', { ...MARKING, extensions: { a: fields } }],
  ])('is read within a moment, and kept out: %s', (_parts, raw) => {
    const began = performance.now();
    const read = readObject(raw);

    expect(performance.now() - began).toBeLessThan(20_000);
    if (!('object' in read)) throw new Error(JSON.stringify(read));
    if (read.object.kind === 'marking') expect(read.object.tlp).toBe('red');
    else if (read.object.kind === 'indicator') {
      const { tlp, openMarkings = [], facts } = read.object;
      expect(tlp === 'red' || openMarkings.includes('unreadable') || facts.includes('"tlpLabel":"red"')).toBe(true);
      expect(openMarkings.length).toBeLessThan(1000);
    }
  });
});
