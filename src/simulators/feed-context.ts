// What surrounds the indicators of a feed: who publishes, how it is marked, and which malware it speaks of.

import type { Seed } from './feed-draw.ts';
import type { StixObject } from './stix-object.ts';

const TLP_EXTENSION = 'extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d';
const PAP_EXTENSION = 'extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b';

/** The identifiers of TLP 2.0 that OASIS published. */
export const TLP = {
  clear: 'marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487',
  green: 'marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb',
  amber: 'marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421',
  'amber+strict': 'marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003',
  red: 'marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1',
} as const;
export type TlpLevel = keyof typeof TLP;
export const TLP_LEVELS = Object.keys(TLP) as TlpLevel[];

export const TLP_1 = [
  'marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9',
  'marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da',
  'marking-definition--f88d31f6-486f-44da-b317-01333bde0b82',
  'marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed',
] as const;

export const PAP = {
  clear: ['marking-definition--ad15a0cd-55b6-4588-a14c-a66105329b92', '2022-10-01T00:00:00.000Z'],
  green: ['marking-definition--c43594d1-4b11-4c59-93ab-1c9b14d53ce9', '2022-10-09T00:00:00.000Z'],
  amber: ['marking-definition--60f8932b-e51e-4458-b265-a2e8be9a80ab', '2022-10-02T00:00:00.000Z'],
  red: ['marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e', '2022-10-06T00:00:00.000Z'],
} as const;

const PARTNERS = ['Harbour Energy CERT', 'Ministry Computer Emergency Team', 'Northern Rail SOC'];
const STATEMENTS = [
  'PAP:RED. Passive use only: no look-up, no contact with the infrastructure.',
  'PAP:AMBER. Look-ups at third parties only where they cannot be traced to the recipient.',
  'Distribution limited to members of the exchange. Copyright of the contributing member.',
];
const MALWARE: readonly (readonly [string, readonly string[]])[] = [
  ['GreyHeron', ['backdoor']],
  ['TinFox', ['downloader']],
  ['PaperLantern', ['remote-access-trojan']],
  ['SaltMarsh', ['ransomware']],
  ['BrassOwl', ['keylogger']],
  ['QuietFerry', ['bot']],
  ['NightLedger', ['webshell']],
  ['GlassAnvil', ['wiper']],
];

export interface Context {
  readonly publisher: string;
  readonly partners: readonly string[];
  readonly statements: readonly string[];
  readonly malware: readonly string[];
  readonly objects: readonly StixObject[];
}

export function context(seed: Seed, seedNumber: number, created: string): Context {
  const id = (type: string, salt: number, place: number): string => `${type}--${seed.draw(salt, 0, place).uuid()}`;
  const publisher = id('identity', 20, 0);
  const partners = PARTNERS.map((_, place) => id('identity', 20, place + 1));
  const statements = STATEMENTS.map((_, place) => id('marking-definition', 21, place));
  const malware = MALWARE.map((_, place) => id('malware', 22, place));
  const common = { spec_version: '2.1', created, modified: created };
  const identity = (identityId: string, name: string, more: Record<string, string>): StixObject => ({
    type: 'identity',
    ...common,
    id: identityId,
    name,
    identity_class: 'organization',
    ...more,
  });
  const marking = (type: 'tlp_2_0' | 'pap', level: string, markingId: string, made: string): StixObject => ({
    type: 'marking-definition',
    spec_version: '2.1',
    id: markingId,
    created: made,
    name: `${type === 'pap' ? 'PAP' : 'TLP'}:${level.toUpperCase()}`,
    extensions: {
      [type === 'pap' ? PAP_EXTENSION : TLP_EXTENSION]: { extension_type: 'property-extension', [type]: level },
    },
  });
  const objects: StixObject[] = [
    identity(publisher, `Example Exchange ${seedNumber}`, { contact_information: 'desk@exchange.example' }),
    ...partners.map((one, place) => identity(one, PARTNERS[place] as string, { created_by_ref: publisher })),
    ...TLP_LEVELS.map((level) => marking('tlp_2_0', level, TLP[level], '2022-10-01T00:00:00.000Z')),
    ...Object.entries(PAP).map(([level, [markingId, made]]) => marking('pap', level, markingId, made)),
    ...statements.map((one, place) => ({
      type: 'marking-definition',
      spec_version: '2.1',
      id: one,
      created_by_ref: publisher,
      created,
      definition_type: 'statement',
      definition: { statement: STATEMENTS[place] as string },
    })),
    ...malware.map((one, place) => ({
      type: 'malware',
      ...common,
      id: one,
      created_by_ref: publisher,
      name: MALWARE[place]?.[0] as string,
      malware_types: MALWARE[place]?.[1] as readonly string[],
      is_family: true,
      object_marking_refs: [TLP.green],
    })),
  ];
  return { publisher, partners, statements, malware, objects };
}
