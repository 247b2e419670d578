import { describe, expect, it } from 'vitest';
import { parsePap, parseTlp } from './level-words.ts';
import { readMarkingDefinition, readMarkings, UNREADABLE_MARKING } from './markings.ts';

const id = (uuid: string) => `marking-definition--${uuid}`;
const GREEN = id('bab4a63c-aed9-4cf5-a766-dfca5abac2bb');
const RED = id('e828b379-4e03-4974-9ac4-e53a884c97c1');
const PAP_AMBER = id('60f8932b-e51e-4458-b265-a2e8be9a80ab');
const OWN = id('11111111-1111-4111-8111-111111111111');
const TLP_EXTENSION = 'extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d';
const PAP_EXTENSION = 'extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b';
const UNKNOWN_TLP = { unread: 'which states a TLP level that we do not know' };
const says = (statement: string) => ({ definition_type: 'statement', definition: { statement } });
const STATEMENT = says('terms of a group');

describe('readMarkings', () => {
  it.each([
    ['613f2e26-407d-48c7-9eca-b8e91df99dc9', { tlp: 'clear' }],
    ['34098fce-860f-48ae-8e50-ebd3cc5e41da', { tlp: 'green' }],
    ['f88d31f6-486f-44da-b317-01333bde0b82', { tlp: 'amber' }],
    ['5e57c739-391a-4eb3-b6be-7d15ca92d5ed', { tlp: 'red' }],
    ['94868c89-83c2-464b-929b-a1a8aa3c8487', { tlp: 'clear' }],
    ['bab4a63c-aed9-4cf5-a766-dfca5abac2bb', { tlp: 'green' }],
    ['55d920b0-5e8b-4f79-9ee9-91f868d9b421', { tlp: 'amber' }],
    ['939a9414-2ddd-4d32-a0cd-375ea402b003', { tlp: 'amber+strict' }],
    ['e828b379-4e03-4974-9ac4-e53a884c97c1', { tlp: 'red' }],
    ['826578e1-40ad-459f-bc73-ede076f81f37', { tlp: 'amber+strict' }],
    ['a3bea94c-b469-41dc-9cfe-d6e7daba7730', { pap: 'clear' }],
    ['ad15a0cd-55b6-4588-a14c-a66105329b92', { pap: 'clear' }],
    ['c43594d1-4b11-4c59-93ab-1c9b14d53ce9', { pap: 'green' }],
    ['60f8932b-e51e-4458-b265-a2e8be9a80ab', { pap: 'amber' }],
    ['740d36e5-7714-4c30-961a-3ae632ceee0e', { pap: 'red' }],
  ])('knows %s', (uuid, level) => {
    expect(readMarkings([id(uuid)], undefined)).toEqual({ ...level, open: [] });
  });

  it('takes the strictest of object and granular markings', () => {
    const granular = [{ marking_ref: RED, selectors: ['description'] }];

    expect(readMarkings([GREEN, PAP_AMBER], granular)).toEqual({ tlp: 'red', pap: 'amber', open: [] });
    expect(readMarkings([RED], [{ marking_ref: GREEN, selectors: ['name'] }])).toEqual({ tlp: 'red', open: [] });
    const papGreen = id('c43594d1-4b11-4c59-93ab-1c9b14d53ce9');
    expect(readMarkings([PAP_AMBER, papGreen], undefined)).toEqual({ pap: 'amber', open: [] });
  });

  it('leaves a reference open that only a definition can explain', () => {
    expect(readMarkings([GREEN, OWN, OWN], undefined)).toEqual({ tlp: 'green', open: [OWN] });
  });

  it('knows an id in capitals', () => {
    expect(readMarkings([RED.replace(/[a-f]/g, (letter) => letter.toUpperCase())], undefined)).toEqual({
      tlp: 'red',
      open: [],
    });
  });

  it('says nothing of an object without markings, and passes over languages', () => {
    expect(readMarkings(undefined, undefined)).toEqual({ open: [] });
    expect(readMarkings(null, [{ lang: 'fr', selectors: ['name'] }])).toEqual({ open: [] });
  });

  it.each([
    [[5], undefined],
    [{}, undefined],
    [[null], undefined],
    [undefined, ['x']],
    [undefined, [{ selectors: [] }]],
    [['x'.repeat(500)], undefined],
  ])('keeps open what cannot be read: %j %j', (refs, granular) => {
    expect(readMarkings(refs, granular)).toEqual({ open: [UNREADABLE_MARKING] });
  });
});

describe('readMarkingDefinition', () => {
  it.each<[string, Record<string, unknown>, object]>([
    ['TLP 2.0 extension', { extensions: { [TLP_EXTENSION]: { tlp_2_0: 'amber+strict' } } }, { tlp: 'amber+strict' }],
    ['TLP extension of a level to come', { extensions: { [TLP_EXTENSION]: { tlp_2_0: 'violet' } } }, UNKNOWN_TLP],
    ['TLP extension without level', { extensions: { [TLP_EXTENSION]: {} } }, UNKNOWN_TLP],
    ['PAP extension', { extensions: { [PAP_EXTENSION]: { pap: 'green' } } }, { pap: 'green' }],
    ['TLP 1.0 definition', { definition_type: 'tlp', definition: { tlp: 'white' } }, { tlp: 'clear' }],
    [
      'OpenCTI definition',
      { definition_type: 'TLP', definition: { TLP: 'x' }, name: 'TLP:AMBER+STRICT' },
      { tlp: 'amber+strict' },
    ],
    ['OpenCTI PAP', { definition_type: 'PAP', name: 'PAP:RED' }, { pap: 'red' }],
    ['name alone', { name: 'tlp:Amber+Strict' }, { tlp: 'amber+strict' }],
    ['name of PAP alone', { name: 'PAP:CLEAR' }, { pap: 'clear' }],
    ['well-known id beside another level', { id: GREEN, definition: { tlp: 'red' } }, { tlp: 'green' }],
    [
      'statement',
      { definition_type: 'statement', definition: { statement: 'Copyright Example' } },
      { statement: 'Copyright Example' },
    ],
    [
      'statement that speaks of PAP',
      { name: 'PAP:RED', definition_type: 'statement', definition: { statement: 'PAP:RED. Passive use only' } },
      { pap: 'red', statement: 'PAP:RED. Passive use only' },
    ],
    ['statement with control characters', { definition: { statement: 'a\u0000b\nc' } }, { statement: 'ab c' }],
    [
      'unknown kind',
      { definition_type: 'iep', definition: { iep: {} } },
      { unread: 'of the kind iep, which we do not know' },
    ],
    [
      'unknown extension',
      { extensions: { 'extension-definition--3a65884d-005a-4290-8335-cb2d778a83ce': {} } },
      { unread: 'which says nothing we can read' },
    ],
    ['a restriction that names no scheme', { name: 'RED' }, { tlp: 'red', unread: 'which says nothing we can read' }],
    ['nothing at all', {}, { unread: 'which says nothing we can read' }],
    [
      'red, and in its extension clear',
      { definition_type: 'tlp', definition: { tlp: 'red' }, extensions: { [TLP_EXTENSION]: { tlp_2_0: 'clear' } } },
      { tlp: 'red' },
    ],
    ['clear, and red in its name', { definition: { tlp: 'clear' }, name: 'TLP:RED' }, { tlp: 'red' }],
    [
      'fields of OpenCTI beside a statement',
      { ...STATEMENT, x_opencti_definition_type: 'TLP', x_opencti_definition: 'TLP:AMBER+STRICT' },
      { tlp: 'amber+strict', statement: 'terms of a group' },
    ],
    [
      'OpenCTI PAP without prefix',
      { ...STATEMENT, x_opencti_definition_type: 'pap', x_opencti_definition: 'Red' },
      { pap: 'red', statement: 'terms of a group' },
    ],
    [
      'OpenCTI in its extension',
      { extensions: { 'extension-definition--x': { x_opencti_definition: 'tlp:red' } } },
      { tlp: 'red' },
    ],
    [
      'OpenCTI level to come',
      { ...STATEMENT, x_opencti_definition_type: 'TLP', x_opencti_definition: 'TLP:VIOLET' },
      { ...UNKNOWN_TLP, statement: 'terms of a group' },
    ],
    [
      'a name beside a statement',
      { ...STATEMENT, name: 'Tlp:Amber-Strict' },
      { tlp: 'amber+strict', statement: 'terms of a group' },
    ],
    [
      'a name of a level to come',
      { ...STATEMENT, name: 'TLP:EX:CHR' },
      { ...UNKNOWN_TLP, statement: 'terms of a group' },
    ],
    ['words of a statement that are the level', says('TLP: AMBER+STRICT'), { tlp: 'amber+strict' }],
    [
      'two levels in the words of a statement',
      says('TLP:CLEAR for members, tlp red for others'),
      { tlp: 'red', statement: 'TLP:CLEAR for members, tlp red for others' },
    ],
    [
      'two PAP levels in the words of a statement',
      says('PAP:CLEAR for members, PAP:RED for others'),
      { pap: 'red', statement: 'PAP:CLEAR for members, PAP:RED for others' },
    ],
    ['the long name', says('Traffic Light Protocol 2.0: Green'), { tlp: 'green' }],
    ['both schemes', { name: 'TLP:GREEN / PAP:AMBER' }, { tlp: 'green', pap: 'amber' }],
    [
      'a statement about TLP',
      says('see https://www.first.org/tlp/ and the redaction rules'),
      { statement: 'see https://www.first.org/tlp/ and the redaction rules' },
    ],
    [
      'a PAP level that is none',
      { name: 'PAP:AMBER+STRICT' },
      { unread: 'which states a PAP level that we do not know' },
    ],
    ['a definition that is a text', { definition_type: 'tlp', definition: 'TLP:RED' }, { tlp: 'red' }],
    ['well-known id in capitals', { id: GREEN.toUpperCase(), definition: { tlp: 'red' } }, { tlp: 'green' }],
  ])('%s', (_what, raw, level) => {
    expect(readMarkingDefinition(raw)).toEqual(level);
  });

  // Each of these was read as a statement without any level, and opened.
  it.each([
    'TLP2:RED',
    'TLPv2 RED',
    'TLP v2.0: RED',
    'TLP:2.0 red',
    'TLP level: red',
    'TLP is RED',
    'TLP_RED',
    'TLP/RED',
    'TLP\uff1aRED',
    'TLP:\u200bRED',
    'Traffic Light Protocol (TLP): RED',
    'RED',
  ])('reads %j wherever a definition may spell it', (text) => {
    expect(readMarkingDefinition(says(text))).toMatchObject({ tlp: 'red' });
    expect(readMarkingDefinition({ ...STATEMENT, name: text })).toMatchObject({ tlp: 'red' });
    expect(readMarkingDefinition({ ...STATEMENT, description: text })).toMatchObject({ tlp: 'red' });
    expect(readMarkingDefinition({ definition_type: 'tlp', definition: { tlp: text } })).toEqual({ tlp: 'red' });
  });

  it.each<[string, Record<string, unknown>]>([
    ['kind', { definition_type: 'TLP:RED' }],
    ['kind with a version', { definition_type: 'TLP:2.0', definition: { level: 'red' } }],
    ['long name of the kind', { x_opencti_definition_type: 'Traffic Light Protocol', x_opencti_definition: 'RED' }],
    ['field beside the standard', { tlp_2_0: 'red' }],
    ['field of an unknown extension', { extensions: { 'extension-definition--x': { x_tlp: 'red' } } }],
    ['extension in capitals', { extensions: { [TLP_EXTENSION.toUpperCase()]: { tlp_2_0: 'red' } } }],
  ])('reads a level in the %s', (_what, raw) => {
    expect(readMarkingDefinition({ ...STATEMENT, ...raw })).toMatchObject({ tlp: 'red' });
  });

  it.each<[string, Record<string, unknown>]>([
    ['classification', { definition_type: 'classification', definition: { statement: 'SECRET' } }],
    ['iep', { definition_type: 'IEP', definition: { statement: 'x' }, name: 'TLP:GREEN' }],
    ['distribution', { ...STATEMENT, x_opencti_definition_type: 'distribution', x_opencti_definition: 'ours' }],
  ])('does not understand the kind %s, whatever else it says', (kind, raw) => {
    expect(readMarkingDefinition(raw).unread).toBe(`of the kind ${kind}, which we do not know`);
  });

  it.each([200, 1100, 3000])(
    'is not understood where its text states a classification behind %i letters',
    (letters) => {
      const terms = 'Terms of use. '.repeat(letters / 14);
      const raw = { ...STATEMENT, definition: { statement: `${terms}This is NATO SECRET.` } };

      // Of so long a text the beginning alone is judged later.
      expect(readMarkingDefinition(raw).unread).toBe('whose long text states a classification (secret)');
      expect(readMarkingDefinition({ ...STATEMENT, definition: { statement: `NATO SECRET. ${terms}` } }).unread).toBe(
        undefined,
      );
      expect(readMarkingDefinition({ ...STATEMENT, definition: { statement: terms } }).unread).toBe(undefined);
    },
  );

  it('knows no level in an extension that is no object', () => {
    expect(readMarkingDefinition({ ...STATEMENT, extensions: { [TLP_EXTENSION]: ['red'] } })).toMatchObject(
      UNKNOWN_TLP,
    );
  });
});

describe('levels', () => {
  it.each([
    ['TLP:AMBER+STRICT', 'amber+strict'],
    ['tlp: amber-strict', 'amber+strict'],
    ['White', 'clear'],
    ['ambre', undefined],
    ['', undefined],
    [5, undefined],
  ])('TLP %s is %s', (text, level) => {
    expect(parseTlp(text)).toBe(level);
  });

  it.each([
    ['PAP:WHITE', 'clear'],
    ['red', 'red'],
    ['amber+strict', undefined],
  ])('PAP %s is %s', (text, level) => {
    expect(parsePap(text)).toBe(level);
  });
});
