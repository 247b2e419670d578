// TLP and PAP of an object. Levels are known by the table of well-known ids, else by the marking-definition itself: its
// extension, its `definition`, its name, the fields of OpenCTI, the words of its statement; the strictest of all counts.
// A reference that nothing explains yet is open and keeps the object out; so does a definition of a kind, or with a
// level, that we do not know: what is stated and not understood never opens.
import { stricterPap, stricterTlp, type Pap, type Tlp } from '../model/marking.ts';
import { classificationOf } from './classification.ts';
import { inWords, isOnlyLevel, schemeOf, strictest, unknownLevel, type Stated } from './level-words.ts';
import { cleanText, isRecord } from './raw.ts';

export interface Markings {
  readonly tlp?: Tlp | undefined;
  readonly pap?: Pap | undefined;
  /** References that only a marking-definition can explain. */
  readonly open: readonly string[];
}

/** Stands for a marking that cannot even be read as a reference. No definition will ever explain it. */
export const UNREADABLE_MARKING = 'unreadable';
/** The same for a label that spells a level which we do not know. */
export const UNREADABLE_LABEL = 'unreadable label';

/** The strictest of object and granular markings holds for the whole object. */
export function readMarkings(objectMarkingRefs: unknown, granularMarkings: unknown): Markings {
  // Most objects carry one level, or nothing.
  if (granularMarkings === undefined && Array.isArray(objectMarkingRefs) && objectMarkingRefs.length === 1) {
    const known = ALONE.get(objectMarkingRefs[0] as string);
    if (known !== undefined) return known;
  }
  let tlp: Tlp | undefined;
  let pap: Pap | undefined;
  let open: Set<string> | undefined;
  const take = (ref: unknown) => {
    const id = typeof ref === 'string' ? ref.toLowerCase() : undefined;
    const known = id === undefined ? undefined : WELL_KNOWN.get(id);
    if (known === undefined) {
      const text = id !== undefined && id.length <= MAX_ID ? id : UNREADABLE_MARKING;
      open ??= new Set();
      // A definition for each of so many would not explain what the object asks for either.
      open.add(open.size < MOST_OPEN ? text : UNREADABLE_MARKING);
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
  return markings(tlp, pap, open === undefined ? NONE : [...open]);
}

interface MarkingDefinition {
  readonly tlp?: Tlp;
  readonly pap?: Pap;
  readonly statement?: string;
  /** What it says is not understood: for people, to follow "marking X". */
  readonly unread?: string;
}

export function readMarkingDefinition(raw: Readonly<Record<string, unknown>>): MarkingDefinition {
  const known = typeof raw['id'] === 'string' ? WELL_KNOWN.get(raw['id'].toLowerCase()) : undefined;
  if (known !== undefined) return known;

  const stated = statedIn(raw);
  const { tlp, pap, unread: level } = strictest(stated);
  const statement = statementOf(raw);
  const explains = (tlp !== undefined || pap !== undefined) && stated.some((one) => one.hint !== true);
  const unread = level ?? unknownKind(raw, explains, statement) ?? saidAtLength(raw['definition']);
  return {
    ...(tlp === undefined ? {} : { tlp }),
    ...(pap === undefined ? {} : { pap }),
    // Words that only spell the level are no terms besides it.
    ...(statement === undefined || isOnlyLevel(statement) ? {} : { statement }),
    ...(unread === undefined ? {} : { unread }),
  };
}

/** A level or a statement beside a kind that we do not know is not all that it says. */
function unknownKind(
  raw: Readonly<Record<string, unknown>>,
  levelled: boolean,
  statement: string | undefined,
): string | undefined {
  for (const stated of [raw['definition_type'], raw['x_opencti_definition_type']]) {
    const kind = cleanText(stated, MAX_KIND)?.toLowerCase() ?? '';
    const scheme = schemeOf(kind);
    if (scheme !== undefined && !levelled) return unknownLevel(scheme);
    if (scheme === undefined && kind !== '' && kind !== 'statement') return `of the kind ${kind}, which we do not know`;
  }
  return levelled || statement !== undefined ? undefined : 'which says nothing we can read';
}

/** Of a statement the beginning is judged together with its objects; a classification behind it needs a person. */
function saidAtLength(definition: unknown): string | undefined {
  const text = isRecord(definition) ? cleanText(definition['statement'], MAX_READ) : undefined;
  if (text === undefined || text.length <= MOST_JUDGED) return undefined;
  const parts: string[] = [];
  for (let from = 0; from < text.length; from += MOST_AT_ONCE / 2) parts.push(text.slice(from, from + MOST_AT_ONCE));
  const level = classificationOf(parts);
  return level === 'unclassified' || level === classificationOf([text.slice(0, MOST_JUDGED)])
    ? undefined
    : `whose long text states a classification (${level})`;
}

/** Every place where a definition may spell a level. */
function statedIn(raw: Readonly<Record<string, unknown>>): Stated[] {
  const found: Stated[] = [];
  // One by one: there may be more of them than a call takes arguments.
  const add = (more: readonly Stated[]): void => {
    for (const one of more) found.push(one);
  };
  add(named(raw));
  add(openCti(raw));
  const extensions = isRecord(raw['extensions']) ? raw['extensions'] : {};
  for (const [given, extension] of Object.entries(extensions)) {
    const id = given.toLowerCase();
    const fields = isRecord(extension) ? extension : {};
    // An extension of this kind that lacks its level is still one.
    if (id === TLP_EXTENSION) found.push({ scheme: 'tlp', text: fields['tlp_2_0'], alone: true });
    if (id === PAP_EXTENSION) found.push({ scheme: 'pap', text: fields['pap'], alone: true });
    add(named(fields));
    add(openCti(fields));
  }
  const definition = raw['definition'];
  if (isRecord(definition)) {
    for (const [key, text] of Object.entries(definition)) {
      const scheme = key.toLowerCase();
      if (scheme === 'tlp' || scheme === 'pap') found.push({ scheme, text, alone: key === scheme });
      else add(inWords(text));
    }
    add(named(definition));
  } else add(inWords(definition));
  const kind = schemeOf(raw['definition_type']);
  if (kind !== undefined)
    for (const text of [raw['name'], ...(isRecord(definition) ? Object.values(definition) : [definition])])
      found.push({ scheme: kind, text, alone: false });
  for (const text of [raw['definition_type'], raw['name'], raw['description']]) add(inWords(text));
  return found;
}

/** Fields that are named after it: `tlp_2_0`, `x_tlp`, `tlp`. A text there is a level, or one that we do not know. */
function named(fields: Readonly<Record<string, unknown>>): Stated[] {
  return Object.entries(fields).flatMap(([key, text]) => {
    const scheme = FIELD.exec(key)?.[1]?.toLowerCase();
    return (scheme === 'tlp' || scheme === 'pap') && typeof text === 'string'
      ? [{ scheme, text, alone: key === key.toLowerCase() } as const]
      : [];
  });
}

/** OpenCTI keeps kind and level in fields of its own where the standard has no room for them. */
function openCti(raw: Readonly<Record<string, unknown>>): readonly Stated[] {
  const scheme = schemeOf(raw['x_opencti_definition_type']);
  const text = raw['x_opencti_definition'];
  return scheme === undefined ? inWords(text) : [{ scheme, text, alone: true }];
}

function statementOf(raw: Readonly<Record<string, unknown>>): string | undefined {
  const definition = raw['definition'];
  if (isRecord(definition)) return cleanText(definition['statement'], MAX_STATEMENT);
  return undefined;
}

const FIELD = /(?:^|[_.-])(tlp|pap)(?![a-z])/i;
const MAX_ID = 128;
/** Of one object. None has more than a few. */
const MOST_OPEN = 256;
const MAX_STATEMENT = 1024;
const MAX_KIND = 64;
/** Letters of a statement that count for the objects which refer to it. */
const MOST_JUDGED = 128;
/** Longest statement that is looked through, and the parts in which it is. */
const MAX_READ = 16_384;
const MOST_AT_ONCE = 512;
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
