// Takes the objects of an answer apart, so that each is parsed, read and forgotten before the next. Parsed all at
// once, the objects of a page outlive V8's young generation, and a third of an ingest's processor time went into
// collecting them.

/** Objects as they stand in an answer. Going through them may fail with a SyntaxError. */
export type RawObjects = Iterable<unknown> & { readonly length: number };

export interface SplitAnswer {
  /** The answer without its objects. */
  readonly rest: Readonly<Record<string, unknown>>;
  readonly objects: RawObjects;
}

/** Stands where the list of objects stood while the rest is parsed. */
const PLACEHOLDER = 0;

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const LETTER_U = 0x75;
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];
const KEY = Buffer.from('"objects"');

const ID = Buffer.from('"id"');

/**
 * Longest text that is decoded, in bytes as it stands; of a longer one only its beginning is. Longer than any that is
 * read: what bounds a pattern (128 Ki letters, of up to six bytes each) finds it too long all the same.
 */
export const LONGEST_TEXT = 1024 * 1024;
/** Longest object that is decoded, without what is left out of its texts. It takes several times as much memory. */
export const LONGEST_OBJECT = 8 * 1024 * 1024;

/** Stands in the place of an object that is longer. */
export class TooLong {
  /** As it stands, where it can be told. */
  readonly id: string | undefined;

  constructor(id: string | undefined) {
    this.id = id;
  }
}

/** Bytes that are left out, behind the one place and before the other. */
type Cut = readonly [from: number, to: number];

/**
 * Undefined where the text is no JSON, holds no list named objects, or one of more than `most`: a usual parser then
 * says what it is. The whole text is JSON exactly when the rest and each object are, but for what is left out of texts
 * that are far too long.
 */
export function splitObjects(body: Buffer, most: number): SplitAnswer | undefined {
  const open = listOfObjects(body);
  if (open === undefined) return undefined;
  const ends: number[] = [];
  const cuts: Cut[] = [];
  let depth = 0;
  for (let i = open + 1; i < body.length; i++) {
    const byte = body[i];
    if (byte === QUOTE) {
      const end = endOfText(body, i);
      if (end - i > LONGEST_TEXT) cuts.push([endOfBeginning(body, i), end]);
      i = end;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth-- > 0) continue;
      if (byte !== CLOSE_BRACKET) return undefined;
      // Of an empty list nothing stands between the brackets.
      if (ends.length > 0 || afterSpace(body, open + 1) !== i) ends.push(i);
      return ends.length > most ? undefined : split(body, open, i, ends, cuts);
    } else if (byte === COMMA && depth === 0 && ends.push(i) > most) return undefined;
  }
  return undefined;
}

function split(
  body: Buffer,
  open: number,
  close: number,
  ends: readonly number[],
  cuts: readonly Cut[],
): SplitAnswer | undefined {
  const rest = restOf(`${body.toString('utf8', 0, open)}${PLACEHOLDER}${body.toString('utf8', close + 1)}`);
  if (rest === undefined) return undefined;
  const objects = {
    length: ends.length,
    *[Symbol.iterator]() {
      let from = open + 1;
      let cut = 0;
      for (const end of ends) {
        const first = cut;
        let length = end - from;
        for (; cut < cuts.length && cuts[cut]![0] < end; cut++) length -= cuts[cut]![1] - cuts[cut]![0];
        if (length > LONGEST_OBJECT) yield new TooLong(idOf(body, from, end));
        else if (cut === first) yield JSON.parse(body.toString('utf8', from, end)) as unknown;
        else yield JSON.parse(without(cuts.slice(first, cut), body, from, end)) as unknown;
        from = end + 1;
      }
    },
  };
  return { rest, objects };
}

function without(cuts: readonly Cut[], body: Buffer, from: number, to: number): string {
  let text = '';
  let at = from;
  for (const [end, next] of cuts) {
    text += body.toString('utf8', at, end);
    at = next;
  }
  return text + body.toString('utf8', at, to);
}

/** Of the object that stands there, if it has one that looks like an id. */
function idOf(body: Buffer, from: number, to: number): string | undefined {
  let depth = 0;
  for (let i = from; i < to; i++) {
    const byte = body[i];
    if (byte === QUOTE) {
      const end = endOfText(body, i);
      if (depth === 1 && body.compare(ID, 0, ID.length, i, end + 1) === 0) {
        const value = afterSpace(body, afterSpace(body, end + 1) + 1);
        return /^"([a-z0-9-]{1,128})"/i.exec(body.toString('latin1', value, value + 130))?.[1];
      }
      i = end;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
  }
  return undefined;
}

function restOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    // A list was found one level deep in it, so that this is an object.
    const { objects, ...rest } = JSON.parse(text.replace(/^\uFEFF/, '')) as Record<string, unknown>;
    // Of several members under one name the last one counts, and this may not be the one that was found.
    return objects === PLACEHOLDER ? rest : undefined;
  } catch {
    return undefined;
  }
}

/** Where the list begins that the outermost object has under the name objects. */
function listOfObjects(body: Buffer): number | undefined {
  let depth = 0;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i];
    if (byte === QUOTE) {
      const end = endOfText(body, i);
      // The answer ends inside a text: no JSON, as the usual parser then says.
      if (end >= body.length) return undefined;
      if (depth === 1 && body.compare(KEY, 0, KEY.length, i, end + 1) === 0) {
        const colon = afterSpace(body, end + 1);
        const value = afterSpace(body, colon + 1);
        if (body[colon] === COLON && body[value] === OPEN_BRACKET) return value;
      }
      i = end;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
  }
  return undefined;
}

/** Place of the quotation mark that ends the text which begins at `from`. */
function endOfText(body: Buffer, from: number): number {
  let i = from + 1;
  while (i < body.length && body[i] !== QUOTE) i += body[i] === BACKSLASH ? 2 : 1;
  return i;
}

/** Behind as many bytes of the text as are decoded: between two letters, and in no escape. */
function endOfBeginning(body: Buffer, from: number): number {
  let i = from + 1;
  while (i < from + LONGEST_TEXT) i += body[i] !== BACKSLASH ? 1 : body[i + 1] === LETTER_U ? 6 : 2;
  while ((body[i]! & 0xc0) === 0x80) i++;
  return i;
}

function afterSpace(body: Buffer, from: number): number {
  let i = from;
  while (body[i] === 0x20 || body[i] === 0x09 || body[i] === 0x0a || body[i] === 0x0d) i++;
  return i;
}
