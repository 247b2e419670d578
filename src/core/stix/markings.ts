// TLP and PAP of an object. Levels are known by the table of well-known ids, else by the marking-definition itself:
// its extension, its `definition`, its name. A reference that nothing explains yet is open and counts as TLP:RED;
// so does a definition in a language we do not speak. Statements are kept as text and never read as a level.
import { PAP_LEVELS, stricterPap, stricterTlp, TLP_LEVELS, type Pap, type Tlp } from '../model/marking.ts';
import { cleanText, isRecord } from './raw.ts';

export interface Markings {
  readonly tlp?: Tlp;
  readonly pap?: Pap;
  /** References that only a marking-definition can explain. */
  readonly open: readonly string[];
}

/** Stands for a marking that cannot even be read as a reference. No definition will ever explain it. */
export const UNREADABLE_MARKING = 'unreadable';

/** The strictest of object and granular markings holds for the whole object. */
export function readMarkings(objectMarkingRefs: unknown, granularMarkings: unknown): Markings {
  // Most objects carry one level, or nothing.
  if (granularMarkings === undefined && Array.isArray(objectMarkingRefs) && objectMarkingRefs.length === 1) {
    const known = ALONE.get(objectMarkingRefs[0] as string);
    if (known !== undefined) return known;
  }
  let tlp: Tlp | undefined;
  let pap: Pap | undefined;
  let open: string[] | undefined;
  const take = (ref: unknown) => {
    const known = typeof ref === 'string' ? WELL_KNOWN.get(ref) : undefined;
    if (known === undefined) {
      const text = typeof ref === 'string' && ref.length <= MAX_ID ? ref : UNREADABLE_MARKING;
      open ??= [];
      if (!open.includes(text)) open.push(text);
    } else {
      tlp = stricterTlp(tlp, known.tlp);
      pap = stricterPap(pap, known.pap);
    }
  };
  for (const ref of list(objectMarkingRefs)) take(ref);
  for (const marking of list(granularMarkings)) {
    if (!isRecord(marking)) take(undefined);
    else if (marking['marking_ref'] !== undefined) take(marking['marking_ref']);
    // Without a marking_ref a granular marking only names a language.
    else if (marking['lang'] === undefined) take(undefined);
  }
  return markings(tlp, pap, open ?? NONE);
}

export interface MarkingDefinition {
  readonly tlp?: Tlp;
  readonly pap?: Pap;
  readonly statement?: string;
}

/** What a marking-definition says. One that is neither TLP, PAP nor statement is a rule we cannot keep: TLP:RED. */
export function readMarkingDefinition(raw: Readonly<Record<string, unknown>>): MarkingDefinition {
  const known = typeof raw['id'] === 'string' ? WELL_KNOWN.get(raw['id']) : undefined;
  if (known !== undefined) return known;

  const extensions = isRecord(raw['extensions']) ? raw['extensions'] : {};
  const definition = isRecord(raw['definition']) ? raw['definition'] : {};
  const kind = typeof raw['definition_type'] === 'string' ? raw['definition_type'].toLowerCase() : '';

  const tlpText =
    inExtension(extensions, TLP_EXTENSION, 'tlp_2_0') ?? definition['tlp'] ?? ofKind(kind, 'tlp', raw['name']);
  if (tlpText !== undefined) return { tlp: parseTlp(tlpText) ?? 'red' };
  const papText =
    inExtension(extensions, PAP_EXTENSION, 'pap') ?? definition['pap'] ?? ofKind(kind, 'pap', raw['name']);
  if (papText !== undefined) return { pap: parsePap(papText) ?? 'red' };
  if (kind === 'statement' || typeof definition['statement'] === 'string') {
    return { statement: cleanText(definition['statement'], MAX_STATEMENT) ?? '' };
  }
  const tlp = parsePrefixed('tlp', raw['name'], parseTlp);
  if (tlp !== undefined) return { tlp };
  const pap = parsePrefixed('pap', raw['name'], parsePap);
  return pap === undefined ? { tlp: 'red' } : { pap };
}

/** `TLP:AMBER+STRICT`, `amber+strict`, `tlp:white`, in any case. */
export function parseTlp(text: unknown): Tlp | undefined {
  const level = levelOf('tlp', text)?.replace(/^amber[ _-]strict$/, 'amber+strict');
  return level === 'white' ? 'clear' : TLP_LEVELS.find((known) => known === level);
}

export function parsePap(text: unknown): Pap | undefined {
  const level = levelOf('pap', text);
  return level === 'white' ? 'clear' : PAP_LEVELS.find((known) => known === level);
}

const MAX_ID = 128;
const MAX_STATEMENT = 1024;
const NONE: readonly string[] = [];
const TLP_EXTENSION = 'extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d';
const PAP_EXTENSION = 'extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b';

const WELL_KNOWN: ReadonlyMap<string, { readonly tlp?: Tlp; readonly pap?: Pap }> = new Map(
  Object.entries({
    // TLP 1.0, STIX 2.1 §7.2.1.4
    '613f2e26-407d-48c7-9eca-b8e91df99dc9': { tlp: 'clear' },
    '34098fce-860f-48ae-8e50-ebd3cc5e41da': { tlp: 'green' },
    'f88d31f6-486f-44da-b317-01333bde0b82': { tlp: 'amber' },
    '5e57c739-391a-4eb3-b6be-7d15ca92d5ed': { tlp: 'red' },
    // TLP 2.0, OASIS common object repository
    '94868c89-83c2-464b-929b-a1a8aa3c8487': { tlp: 'clear' },
    'bab4a63c-aed9-4cf5-a766-dfca5abac2bb': { tlp: 'green' },
    '55d920b0-5e8b-4f79-9ee9-91f868d9b421': { tlp: 'amber' },
    '939a9414-2ddd-4d32-a0cd-375ea402b003': { tlp: 'amber+strict' },
    'e828b379-4e03-4974-9ac4-e53a884c97c1': { tlp: 'red' },
    // OpenCTI's own AMBER+STRICT
    '826578e1-40ad-459f-bc73-ede076f81f37': { tlp: 'amber+strict' },
    // PAP, OASIS common object repository
    'a3bea94c-b469-41dc-9cfe-d6e7daba7730': { pap: 'clear' },
    'ad15a0cd-55b6-4588-a14c-a66105329b92': { pap: 'clear' },
    'c43594d1-4b11-4c59-93ab-1c9b14d53ce9': { pap: 'green' },
    '60f8932b-e51e-4458-b265-a2e8be9a80ab': { pap: 'amber' },
    '740d36e5-7714-4c30-961a-3ae632ceee0e': { pap: 'red' },
  } as const).map(([uuid, level]) => [`marking-definition--${uuid}`, level]),
);

const ALONE: ReadonlyMap<string, Markings> = new Map(
  Array.from(WELL_KNOWN, ([ref, level]) => [ref, { ...level, open: NONE }]),
);

function markings(tlp: Tlp | undefined, pap: Pap | undefined, open: readonly string[]): Markings {
  return { ...(tlp === undefined ? {} : { tlp }), ...(pap === undefined ? {} : { pap }), open };
}

function list(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return NONE;
  return Array.isArray(value) ? value : [value];
}

function inExtension(extensions: Readonly<Record<string, unknown>>, id: string, property: string): unknown {
  const extension = extensions[id];
  // An extension of this kind that lacks its level is still one: it must end as the strictest level, not as none.
  return isRecord(extension) ? (extension[property] ?? '') : undefined;
}

const ofKind = (kind: string, wanted: string, name: unknown) => (kind === wanted ? (name ?? '') : undefined);

function levelOf(scheme: string, text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  const lower = text.trim().toLowerCase();
  return lower.startsWith(`${scheme}:`) ? lower.slice(scheme.length + 1).trim() : lower;
}

/** A name is only a level when it says of what. */
function parsePrefixed<T>(scheme: string, name: unknown, parse: (text: unknown) => T): T | undefined {
  return typeof name === 'string' && name.trim().toLowerCase().startsWith(`${scheme}:`) ? parse(name) : undefined;
}
