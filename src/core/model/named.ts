// Which values a pattern names, however it spells them and whether or not it can be read: by these people find what was
// kept out. Never a claim. As 48-bit digests, so that a long value costs as little as a short one.
import { digest48 } from './digest.ts';
import { withoutHidden } from './text.ts';
import { guess, refang } from './typed-in.ts';

/** Of one object. More are not kept, and the digest that stands for them says so. */
export const MOST_NAMED = 4096;
/** Stands in place of what one object names beyond that. */
export const NAMES_MORE = 0;
/** What stands behind them is not looked at. No answer brings a longer text with less than these of it. */
export const MOST_CHARACTERS = 160 * 1024;

/** Text constants, as STIX spells them; the last one may lack its end. From each quote on one is found, so that none is looked at twice. */
const CONSTANT = /'((?:[^'\\]|\\.)*)(?:'|\\?$)/gs;
/** What parts words in all other languages of patterns, and in a pattern that is broken. */
const BETWEEN = /[\s'"`´‘’“”„«»,;<>|]+/u;
const EDGES = new Set('[]{}()=.:!');
/** Anything else is a word of a language, or a path. */
const LIKE_A_VALUE = /[.:@]|^[0-9a-f]{32,128}$/i;
const PATH = /^[[(]*[a-z][a-z0-9-]*:[a-z_][a-z0-9_.]*$/;
/** No value is longer. */
const MOST_LETTERS = 16_384;
/** Of one pattern, so that a hostile one costs no more than a moment. */
const MOST_WORDS = 4 * MOST_NAMED;

/** `except`: canonical values that the object is taken for. */
export function namedIn(pattern: string, except: readonly string[] = []): number[] {
  const text = pattern.slice(0, MOST_CHARACTERS);
  const found = new Set<number>();
  const without = new Set(except.map((value) => digest48(value)));
  let looked = 0;
  for (const values of words(text)) {
    for (const value of values) {
      const digest = digest48(value);
      if (!without.has(digest)) found.add(digest);
    }
    if (found.size > MOST_NAMED || ++looked > MOST_WORDS) return [...[...found].slice(0, MOST_NAMED), NAMES_MORE];
  }
  return pattern.length > MOST_CHARACTERS ? [...found, NAMES_MORE] : [...found];
}

/** By which digests something that was typed in is found. */
export const namesOf = (text: string): number[] => spelled(text).map((value) => digest48(value));

/** As the values it may be; as it stands where it is none. */
function spelled(text: string): string[] {
  const values = valuesOf(text);
  return values.length > 0 ? values : [refang(withoutHidden(text)).toLowerCase()];
}

function valuesOf(text: string): string[] {
  return text.length > MOST_LETTERS ? [] : [...new Set(guess(withoutHidden(text)).map((one) => one.value))];
}

function* words(text: string): Generator<readonly string[]> {
  let end = 0;
  for (const one of text.matchAll(CONSTANT)) {
    yield* loose(text.slice(end, one.index));
    end = one.index + one[0].length;
    // A quoted part of a path, as in file:hashes.'SHA-256'.
    if (text[one.index - 1] === '.') continue;
    const constant = one[1]!.replace(/\\(.)/gs, '$1');
    yield spelled(constant);
    // Not a constant but an apostrophe, or one that lost its end.
    if (!one[0].endsWith("'") || /[\r\n"]/.test(constant)) yield* loose(one[1]!);
  }
  yield* loose(text.slice(end));
}

function* loose(text: string): Generator<readonly string[]> {
  for (const one of text.split(BETWEEN)) {
    if (one.length > MOST_LETTERS || !LIKE_A_VALUE.test(one) || PATH.test(one)) continue;
    const word = trimmed(one);
    const value = word.includes('://') ? word : word.slice(word.lastIndexOf('=') + 1);
    yield [...new Set([one, word, value])].flatMap((spelling) => valuesOf(spelling));
  }
}

function trimmed(word: string): string {
  let from = 0;
  let to = word.length;
  while (from < to && EDGES.has(word[from]!)) from++;
  while (to > from && EDGES.has(word[to - 1]!)) to--;
  return word.slice(from, to);
}
