// TLP and PAP as people spell them: `TLP:RED`, `TLPv2 level: red`, `amber+strict`, in any case and in any text.
import { PAP_LEVELS, stricterPap, stricterTlp, TLP_LEVELS, type Pap, type Tlp } from '../model/marking.ts';
import { withoutHidden } from '../model/text.ts';

interface Levels {
  readonly tlp?: Tlp;
  readonly pap?: Pap;
  /** A level is stated that we do not know: for people, to follow "marking X". */
  readonly unread?: string;
}

export interface Stated {
  readonly scheme: 'tlp' | 'pap';
  readonly text: unknown;
  /** Nothing else can be meant there: a text that is no level is one that we do not know. */
  readonly alone: boolean;
  /** A level that names no scheme: it counts, and explains nothing. */
  readonly hint?: boolean;
}

export const unknownLevel = (scheme: 'tlp' | 'pap'): string =>
  `which states a ${scheme.toUpperCase()} level that we do not know`;

/** What the texts say of an object that are no markings, such as its labels. */
export function readLevelWords(texts: unknown): Levels {
  const all: Stated[] = [];
  for (const text of Array.isArray(texts) ? (texts as readonly unknown[]) : [texts])
    for (const one of inWords(text)) if (one.hint !== true) all.push(one);
  return all.length === 0 ? NO_LEVELS : strictest(all);
}

const NO_LEVELS = {};

export function strictest(all: readonly Stated[]): Levels {
  let tlp: Tlp | undefined;
  let pap: Pap | undefined;
  let unread: string | undefined;
  for (const { scheme, text, alone } of all) {
    const level = scheme === 'tlp' ? parseTlp(text) : parsePap(text);
    if (level === undefined && alone) unread ??= unknownLevel(scheme);
    if (scheme === 'tlp') tlp = stricterTlp(tlp, parseTlp(text));
    else pap = stricterPap(pap, parsePap(text));
  }
  return {
    ...(tlp === undefined ? {} : { tlp }),
    ...(pap === undefined ? {} : { pap }),
    ...(unread === undefined ? {} : { unread }),
  };
}

/** `TLP:AMBER+STRICT`, `amber+strict`, `tlp:white`, in any case. */
export function parseTlp(text: unknown): Tlp | undefined {
  const level = levelOf('tlp', text)?.replace(/^amber[^a-z0-9]*strict$/, 'amber+strict');
  return level === 'white' ? 'clear' : TLP_LEVELS.find((known) => known === level);
}

export function parsePap(text: unknown): Pap | undefined {
  const level = levelOf('pap', text);
  return level === 'white' ? 'clear' : PAP_LEVELS.find((known) => known === level);
}

function levelOf(scheme: Stated['scheme'], text: unknown): string | undefined {
  const [, name, level] = typeof text === 'string' ? (WHOLE_LEVEL.exec(plain(text)) ?? []) : [];
  return name === undefined || schemeNamed(name) === scheme ? level?.toLowerCase() : undefined;
}

/** `TLP`, `tlp-2.0`, `Traffic Light Protocol`, `TLP:RED` and their like, as the kind of a marking. */
export function schemeOf(kind: unknown): Stated['scheme'] | undefined {
  const name = typeof kind === 'string' ? KIND.exec(plain(kind))?.[1] : undefined;
  return name === undefined ? undefined : schemeNamed(name);
}

const schemeNamed = (name: string): Stated['scheme'] => (/^t/i.test(name) ? 'tlp' : 'pap');

/** `TLP:RED`, `TLPv2 level: red`, `Traffic Light Protocol: amber+strict` and their like, anywhere in a text. */
export function inWords(text: unknown): readonly Stated[] {
  if (typeof text !== 'string') return [];
  if (text.length > MAX_KNOWN) return read(text);
  let stated = known.get(text);
  if (stated === undefined) {
    stated = read(text);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(text, stated);
  }
  return stated;
}

/** Labels repeat: a feed of a million indicators has a few hundred of them. */
const known = new Map<string, readonly Stated[]>();
const MOST_KNOWN = 1000;
const MAX_KNOWN = 100;

function read(text: string): readonly Stated[] {
  const words = plain(text);
  const found = [...words.matchAll(LEVEL_WORDS)].map(
    ([, name = '', level]): Stated => ({ scheme: schemeNamed(name), text: level, alone: true }),
  );
  if (found.length > 0) return found;
  const whole = ONLY_LABEL.exec(words);
  if (whole !== null) return [{ scheme: schemeNamed(whole[1]!), text: whole[2], alone: true }];
  // A restriction that names no scheme; what opens has to name it.
  return RESTRICTS.test(words) ? [{ scheme: 'tlp', text: words, alone: false, hint: true }] : [];
}

/** Without the letters that only look otherwise (full width), and without what is not seen. */
function plain(text: string): string {
  return withoutHidden((text.length > MAX_WORDS ? text.slice(0, MAX_WORDS) : text).normalize('NFKC'));
}

const LEVEL = 'amber[^a-z0-9]{0,3}strict|white|clear|green|amber|red';
const SCHEME = 'tlp|traffic[ _-]?light[ _-]?protocol|pap|permissible[ _-]?actions?[ _-]?protocol';
/** What may stand between the two. */
const BETWEEN =
  '(?:[^a-z0-9]|v?(?:ersion ?)?[12](?:[._][0-9])?(?![0-9])|level|colou?r|marking|rating|is(?![a-z])){0,12}';
const LEVEL_WORDS = new RegExp(`(?<![a-z0-9])(${SCHEME})${BETWEEN}(${LEVEL})(?![a-z])`, 'gi');
const WHOLE_LEVEL = new RegExp(
  `^[^a-z0-9]*(?:(${SCHEME})(?: ?\\((?:tlp|pap)\\))?${BETWEEN})?(${LEVEL})[^a-z0-9]*$`,
  'i',
);
const KIND = new RegExp(`^[^a-z0-9]*(${SCHEME})(?![a-z])`, 'i');
/** A label and nothing else, of a level to come. */
const ONLY_LABEL = /^\s*(tlp|pap)\s*[:=]\s*(?!v?[12](?:\.[0-9])?\s*$)(\S+)\s*$/i;
const RESTRICTS = /^[^a-z0-9]*(?:amber[^a-z0-9]{0,3}strict|amber|red)[^a-z0-9]*$/i;

/** Nothing but a scheme and its level. */
export function isOnlyLevel(statement: string): boolean {
  const [, scheme] = WHOLE_LEVEL.exec(plain(statement)) ?? [];
  return scheme !== undefined;
}

/** Longest text that is looked through. */
const MAX_WORDS = 4096;
