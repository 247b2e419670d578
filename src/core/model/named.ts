// Which values a pattern names, however it spells them and whether or not it can be read: by these people find what was
// kept out. Never a claim. As 48-bit digests, so that a long value costs as little as a short one.
import { digest48 } from './digest.ts';
import { withoutHidden } from './text.ts';
import { guess, refang } from './typed-in.ts';

/** Of one object. More are not kept, and the digest that stands for them says so. */
export const MOST_NAMED = 4096;
/** Stands in place of what one object names beyond that. */
export const NAMES_MORE = 0;
/** Longer than any page that is read. */
const MOST_CHARACTERS = 4 * 1024 * 1024;

/** Text constants, as STIX spells them; the last one may lack its end. */
const CONSTANT = /'((?:[^'\\]|\\.)*)(?:'|$)/gs;
/** What parts words in all other languages of patterns, and in a pattern that is broken. */
const BETWEEN = /[\s'"`´‘’“”„«»,;<>|]+/u;
const EDGES = /^[[({=.:!]+|[\])}=.:!]+$/g;
/** Anything else is a word of a language. */
const LIKE_A_VALUE = /[.:@]|^[0-9a-f]{32,128}$/i;

/** `except`: canonical values that the object is taken for. */
export function namedIn(pattern: string, except: readonly string[] = []): number[] {
  const text = pattern.slice(0, MOST_CHARACTERS);
  const found = new Set<number>();
  const without = new Set(except.map((value) => digest48(value)));
  const add = (word: string): boolean => {
    for (const digest of namesOf(word)) if (!without.has(digest)) found.add(digest);
    return found.size <= MOST_NAMED;
  };
  for (const word of words(text)) if (!add(word)) return [...[...found].slice(0, MOST_NAMED), NAMES_MORE];
  return [...found];
}

/** By which digests something that was typed in, or stands in a pattern, is found. */
export function namesOf(text: string): number[] {
  const plain = withoutHidden(text);
  const values = guess(plain).map((one) => one.value);
  return [...new Set(values.length > 0 ? values : [refang(plain).toLowerCase()])].map((value) => digest48(value));
}

function* words(text: string): Generator<string> {
  let end = 0;
  for (const one of text.matchAll(CONSTANT)) {
    yield* loose(text.slice(end, one.index));
    end = one.index + one[0].length;
    // A quoted part of a path, as in file:hashes.'SHA-256'.
    if (text[one.index - 1] === '.') continue;
    const constant = one[1]!.replace(/\\(.)/gs, '$1');
    yield constant;
    // Not a constant but an apostrophe, or one that lost its end.
    if (!one[0].endsWith("'") || /[\r\n"]/.test(constant)) yield* loose(one[1]!);
  }
  yield* loose(text.slice(end));
}

function* loose(text: string): Generator<string> {
  for (const one of text.split(BETWEEN)) {
    const word = one.replace(EDGES, '');
    const value = word.includes('://') ? word : word.slice(word.lastIndexOf('=') + 1);
    for (const spelling of new Set([one, word, value]))
      if (LIKE_A_VALUE.test(spelling) && guess(spelling).length > 0) yield spelling;
  }
}
