// Takes a whole event apart, so that each of its attributes and objects is parsed, read and forgotten before the next. Parsed
// all at once, an event of 100,000 attributes alone takes more memory than the whole daemon may have; also the text of a long one
// is packed until it is read.
import { turns } from '../../../core/runtime/in-turns.ts';
import { PackedPieces } from '../../../core/runtime/packed.ts';
import { hasMoreValues } from '../../../core/runtime/json-values.ts';

/** An event as it stands in an answer. Going through its lists may fail with a SyntaxError. */
export interface SplitEvent {
  /** Without its attributes and objects. */
  readonly head: unknown;
  readonly attributes: Iterable<unknown>;
  readonly objects: Iterable<unknown>;
}

/** Stands in the place of an attribute or object that is more than is taken into memory. */
export const TOO_LONG = Symbol('too long');
/** What one attribute or object may be; MISP itself holds no longer value than 64 KiB. */
const LONGEST = { bytes: 8 * 1024 * 1024, values: 500_000 };

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];
/** Longer answers are packed. */
const LONG_BYTES = 8 * 1024 * 1024;
const LISTS = ['Attribute', 'Object'] as const;

interface List {
  readonly name: string;
  /** Of its brackets. */
  readonly open: number;
  readonly close: number;
  /** Where its elements end. */
  readonly ends: readonly number[];
}

/** Undefined where what stands around the lists has more values than `most`. Throws a SyntaxError at what is no JSON. */
export async function splitEvent(body: Buffer, most: number): Promise<SplitEvent | undefined> {
  const lists: List[] = [];
  const keys: (string | undefined)[] = [];
  let depth = 0;
  let text: readonly [number, number] | undefined;
  let values = 1;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i];
    if (byte === QUOTE) {
      const end = endOfText(body, i);
      text = depth <= 2 ? [i + 1, end] : undefined;
      i = end;
    } else if (byte === COLON) {
      if (depth <= 2) keys[depth] = text === undefined ? undefined : body.toString('utf8', ...text);
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      const name = byte === OPEN_BRACKET && depth === 2 && keys[1] === 'Event' ? keys[2] : undefined;
      if (LISTS.some((one) => one === name)) {
        const list = await listFrom(body, i, name!);
        lists.push(list);
        i = list.close;
      } else {
        depth++;
        values++;
      }
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
    else if (byte === COMMA) values++;
  }
  if (values > most) return undefined;
  let around = '';
  let at = 0;
  for (const [place, { open, close }] of lists.entries()) {
    around += `${body.toString('utf8', at, open)}[${place}]`;
    at = close + 1;
  }
  around += body.toString('utf8', at);
  const { Event: event } = JSON.parse(around.replace(/^\uFEFF/, '')) as { Event?: unknown };
  if (typeof event !== 'object' || event === null) return { head: event, attributes: [], objects: [] };
  const { Attribute: attributes, Object: objects, ...head } = event as Record<string, unknown>;
  const pieces: Iterable<Buffer>[] = [];
  for (const { open, ends } of lists)
    pieces.push(
      body.length > LONG_BYTES ? await PackedPieces.of(body, open + 1, ends) : piecesOf(body, open + 1, ends),
    );
  return { head, attributes: elements(pieces, attributes), objects: elements(pieces, objects) };
}

function* piecesOf(body: Buffer, begin: number, ends: readonly number[]): Generator<Buffer> {
  let from = begin;
  for (const end of ends) {
    yield body.subarray(from, end);
    from = end + 1;
  }
}

async function listFrom(body: Buffer, open: number, name: string): Promise<List> {
  const ends: number[] = [];
  const turnOver = turns();
  let depth = 0;
  for (let i = open + 1; i < body.length; i++) {
    const byte = body[i];
    if (byte === QUOTE) i = endOfText(body, i);
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === COMMA && depth === 0) {
      ends.push(i);
      const rest = turnOver();
      if (rest !== undefined) await rest;
    } else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && depth-- === 0) {
      if (ends.length > 0 || body.toString('latin1', open + 1, i).trim() !== '') ends.push(i);
      return { name, open, close: i, ends };
    }
  }
  throw new SyntaxError(`the list ${name} has no end`);
}

/** `found`: what stands in its place now. Of two lists under one name the last one counts, as in any parser. */
function* elements(lists: readonly Iterable<Buffer>[], found: unknown): Generator<unknown> {
  const given: readonly unknown[] = found === undefined || found === null ? [] : Array.isArray(found) ? found : [found];
  const list = given.length === 1 ? lists[given[0] as number] : undefined;
  if (list === undefined) yield* given;
  else
    for (const bytes of list) {
      if (bytes.length > LONGEST.bytes || hasMoreValues(bytes, LONGEST.values)) yield TOO_LONG;
      else yield JSON.parse(bytes.toString('utf8')) as unknown;
    }
}

/** Place of the quotation mark that ends the text which begins at `from`. */
function endOfText(body: Buffer, from: number): number {
  let i = from + 1;
  while (i < body.length && body[i] !== QUOTE) i += body[i] === BACKSLASH ? 2 : 1;
  return i;
}
