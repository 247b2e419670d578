// NATO and EU classification as tags, labels and statements spell it. No standard marking carries it, so it is looked for
// in words; what claims to be one and is not known counts as the highest.
import { type Classification, classificationRank } from '../model/marking.ts';
import { withoutHidden } from '../model/text.ts';

/** The highest that any of the texts states; undefined where none states any. */
export function classificationOf(texts: readonly string[]): Classification | undefined {
  let highest: Classification | undefined;
  for (const text of texts) {
    const level = levelIn(text);
    if (level !== undefined && (highest === undefined || classificationRank(level) > classificationRank(highest)))
      highest = level;
  }
  return highest;
}

/** Cheap, for texts of which nearly none states any. */
export const mayBeClassified = (text: string): boolean => MAYBE.test(text) || FULL_WIDTH.test(text);

const MAYBE = /nato|euci|cosmic|restreint|\b(?:eu|ue|n[rcs]|cts)\b/i;
/** Letters that only look otherwise. */
const FULL_WIDTH = /[\uff21-\uff5a]/;
/** No statement is kept longer. */
const MAX_TEXT = 1024;

function levelIn(given: string): Classification | undefined {
  if (!mayBeClassified(given)) return undefined;
  const text = withoutHidden(given.slice(0, MAX_TEXT).normalize('NFKD'))
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase();
  const [, scheme, stated = ''] = TAG.exec(text) ?? [];
  if (scheme !== undefined) return ABBREVIATED.get(plain(stated)) ?? inWords(stated) ?? 'top_secret';
  return ABBREVIATED.get(plain(text)) ?? inWords(text);
}

/** `nato:classification="NS"`, `euci:S-UE/EU-S`. */
const TAG = /^\s*(nato:classification|euci)\s*[:=]\s*["']?\s*([^"']*?)\s*["']?\s*$/;

const plain = (text: string): string => text.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');

/** By the abbreviation alone, in the spelling that `plain` gives. */
const ABBREVIATED: ReadonlyMap<string, Classification> = new Map<string, Classification>([
  ...['nu', 'nato-unclassified', 'eu-u'].map((one) => [one, 'unclassified'] as const),
  ...['nr', 'r-ue-eu-r', 'r-ue', 'eu-r'].map((one) => [one, 'restricted'] as const),
  ...['nc', 'nc-a', 'c-ue-eu-c', 'c-ue', 'eu-c'].map((one) => [one, 'confidential'] as const),
  ...['ns', 'ns-a', 's-ue-eu-s', 's-ue', 'eu-s'].map((one) => [one, 'secret'] as const),
  ...['cts', 'cts-a', 'cts-b', 'ts-ue-eu-ts', 'ts-ue', 'eu-ts'].map((one) => [one, 'top_secret'] as const),
]);

const WORDS: readonly (readonly [RegExp, Classification])[] = [
  [
    /\bcosmic[^a-z]+top[^a-z]+secret\b|\b(?:nato|eu)[^a-z]+top[^a-z]+secret\b|\btres[^a-z]+secret[^a-z]+ue\b/,
    'top_secret',
  ],
  [/\b(?:nato|eu)[^a-z]+secret\b|\bsecret[^a-z]+ue\b/, 'secret'],
  [/\b(?:nato|eu)[^a-z]+confidential\b|\bconfidentiel[^a-z]+ue\b/, 'confidential'],
  [/\b(?:nato|eu)[^a-z]+restricted\b|\brestreint[^a-z]+ue\b/, 'restricted'],
  [/\b(?:nato|eu)[^a-z]+unclassified\b/, 'unclassified'],
];

function inWords(text: string): Classification | undefined {
  return WORDS.find(([pattern]) => pattern.test(text))?.[1];
}
