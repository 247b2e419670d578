// The first way through a file: is it whole, what is it, and by what digest does one know it again. Nothing of it is
// taken in before this is known, so that of a file that was cut off nothing stands on a watchlist, and an absence is
// concluded only from what was read to its end. What a file is, its content says: names and extensions lie.
import { createHash } from 'node:crypto';
import {
  allBlank,
  type Bounds,
  LineParts,
  ListParts,
  ListSearch,
  type Part,
  TooLarge,
} from '../../../core/runtime/json-parts.ts';
import { eventsIn } from '../../../core/misp/event.ts';
import { isRecord } from '../../../core/stix/raw.ts';
import { isManifest } from './feed.ts';

/** Where the elements of a file stand. */
export type Form =
  /** Elements of a list, from right behind its bracket. */
  | {
      readonly kind: 'list';
      readonly from: number;
      /** The way to the list from the outermost object. */
      readonly path: readonly string[];
      /** What stands around it, where that is an object. */
      readonly around: Readonly<Record<string, unknown>> | undefined;
    }
  /** One JSON value a line. */
  | { readonly kind: 'lines' }
  /** The whole file is one value. */
  | { readonly kind: 'value' };

export interface Whole {
  readonly form: Form;
  /** Elements, those that are too large too. */
  readonly count: number;
  /** Of the whole content. */
  readonly digest: string;
}

/** Why a file is refused: constant words, and the particular case. */
export interface Wrong {
  readonly reason: string;
  readonly detail?: string;
}

export const BOUNDS: Bounds = { bytes: 8 * 1024 * 1024, values: 1_000_000 };
/** Lists in what is sent: bundles and envelopes, answers of MISP, and the attributes of one event. */
const LISTS = [['objects'], ['response'], ['Event'], ['Event', 'Attribute']];
const PLACEHOLDER = '\u0000list';

export const CUT_OFF = 'file is cut off';
export const NO_JSON = 'file is not JSON';
export const NOTHING_KNOWN = 'file is neither STIX nor MISP';
export const TOO_LARGE = 'file holds an element that is too large';
export const EMPTY = 'file is empty';

/** `chunks` gives the file from its start, each time it is called. */
export async function survey(chunks: () => AsyncIterable<Buffer>, bounds = BOUNDS): Promise<Whole | Wrong> {
  try {
    const one = new Document(bounds);
    let first = true;
    for await (const chunk of chunks()) {
      if (first) {
        const other = notText(chunk);
        if (other !== undefined) return other;
        if (beginsWithLine(chunk)) one.linesFollow = true;
      }
      first = false;
      if (one.linesFollow || !one.feed(chunk)) break;
    }
    if (!one.linesFollow) return one.end();
    const lines = new Lines(bounds);
    for await (const chunk of chunks()) lines.feed(chunk);
    return lines.end();
  } catch (error) {
    if (error instanceof TooLarge) return { reason: TOO_LARGE, detail: error.message };
    throw error;
  }
}

/** Elements as they are looked at: each must be JSON, and some must be what we know. */
class Elements {
  count = 0;
  known = 0;
  /** Of the first that is larger than we take into memory: why. */
  over: string | undefined;

  /** Nobody looked into it, so that it may be what we know. */
  passOver(over: string): void {
    this.over ??= over;
    this.count++;
  }

  look(text: string): boolean {
    try {
      if (isKnown(JSON.parse(text))) this.known++;
      this.count++;
      return true;
    } catch {
      return false;
    }
  }
}

/** A text with one value: a list, an object with a list in it, or any other. */
class Document {
  readonly #bounds: Bounds;
  readonly #hash = createHash('sha256');
  readonly #search: ListSearch;
  readonly #elements = new Elements();
  #list: ListParts | undefined;
  #path: readonly string[] = [];
  #from = 0;
  #at = 0;
  #tail: Buffer[] = [];
  #tailBytes = 0;
  /** The first value is over, and its line too, and more follows. */
  linesFollow = false;
  #ended = false;
  #broken: string | undefined;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
    this.#search = new ListSearch(LISTS, bounds);
  }

  /** False when nothing more need be read. */
  feed(chunk: Buffer): boolean {
    this.#hash.update(chunk);
    let rest = chunk;
    if (!this.#ended && this.#list === undefined) {
      const found = this.#search.feed(chunk);
      if (found === undefined) return this.#seen(chunk);
      rest = chunk.subarray(found.at - this.#at + 1);
      if (found.kind === 'value') this.#ended = true;
      else {
        this.#from = found.at + 1;
        this.#path = found.path;
        this.#list = new ListParts(this.#from, this.#bounds);
      }
    }
    if (this.#list !== undefined && this.#list.closed === undefined) {
      const begin = this.#at + chunk.length - rest.length;
      for (const { bytes, over } of this.#list.feed(rest))
        if (over !== undefined) this.#elements.passOver(over);
        else if (!this.#elements.look(bytes.toString('utf8'))) {
          this.#broken = `in element ${this.#elements.count + 1}`;
          return false;
        }
      if (this.#list.closed === undefined) return this.#seen(chunk);
      rest = rest.subarray(this.#list.closed - begin);
    }
    return this.#follows(rest) && this.#seen(chunk);
  }

  #seen(chunk: Buffer): true {
    this.#at += chunk.length;
    return true;
  }

  /** What comes behind the list, or behind the value. */
  #follows(bytes: Buffer): boolean {
    this.#tail.push(Buffer.from(bytes));
    this.#tailBytes += bytes.length;
    if (this.#tailBytes > this.#bounds.bytes) throw new TooLarge('too much behind the list of objects');
    if (!this.#ended || allBlank(bytes)) return true;
    // Another value, or no JSON at all.
    this.linesFollow = true;
    return false;
  }

  end(): Whole | Wrong {
    if (this.#broken !== undefined) return { reason: NO_JSON, detail: this.#broken };
    const head = textOf(this.#search.head);
    if (this.#list === undefined && !this.#ended) {
      if (this.#at === 0) return { reason: EMPTY };
      return this.#search.open ? { reason: CUT_OFF } : { reason: NO_JSON, detail: 'only blanks' };
    }
    const digest = this.#hash.digest('hex').slice(0, 32);
    if (this.#list === undefined) return wholeValue(head, digest);
    if (this.#list.closed === undefined) return { reason: CUT_OFF, detail: `after ${told(this.#elements.count)}` };
    return this.#around(head, Buffer.concat(this.#tail).toString('utf8'), digest);
  }

  #around(head: string, tail: string, digest: string): Whole | Wrong {
    const text = `${head}[${JSON.stringify(PLACEHOLDER)}${tail}`;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      const open = tail.startsWith(']') && new ListSearch([], this.#bounds).feed(Buffer.from(text)) === undefined;
      return open
        ? { reason: CUT_OFF, detail: `after ${told(this.#elements.count)}` }
        : { reason: NO_JSON, detail: 'around its list' };
    }
    const { count, known } = this.#elements;
    const around = isRecord(value) ? withoutList(value, this.#path) : undefined;
    // Of several members under one name the last one counts, and this is not the one that was found.
    if (isRecord(value) && around === undefined) return { reason: NO_JSON, detail: 'two lists under one name' };
    if (count > 0 && known === 0 && this.#path[0] !== 'Event') return nothingKnown(this.#elements);
    return { form: { kind: 'list', from: this.#from, path: this.#path, around }, count, digest };
  }
}

/** Undefined where the list that was found does not stand there. */
function withoutList(
  value: Readonly<Record<string, unknown>>,
  [name, ...path]: readonly string[],
): Readonly<Record<string, unknown>> | undefined {
  if (name === undefined || !Object.hasOwn(value, name)) return undefined;
  const { [name]: found, ...rest } = value;
  if (path.length === 0) return isPlaceholder(found) ? rest : undefined;
  const within = isRecord(found) ? withoutList(found, path) : undefined;
  return within === undefined ? undefined : { ...rest, [name]: within };
}

/** JSON Lines: each line stands for itself, so that a broken one among good ones is one object less. */
class Lines {
  readonly #hash = createHash('sha256');
  readonly #parts: LineParts;
  readonly #elements = new Elements();
  #lines = 0;

  constructor(bounds: Bounds) {
    this.#parts = new LineParts(0, bounds);
  }

  feed(chunk: Buffer): void {
    this.#hash.update(chunk);
    for (const part of this.#parts.feed(chunk)) this.#line(part);
  }

  end(): Whole | Wrong {
    const rest = this.#parts.rest();
    if (!this.#line(rest) && this.#elements.count > 0) return { reason: CUT_OFF, detail: `in line ${this.#lines}` };
    const { count, known } = this.#elements;
    if (count === 0) return { reason: NO_JSON };
    if (known === 0) return nothingKnown(this.#elements);
    return { form: { kind: 'lines' }, count, digest: this.#hash.digest('hex').slice(0, 32) };
  }

  #line({ bytes, over }: Part): boolean {
    this.#lines++;
    if (over !== undefined) this.#elements.passOver(over);
    if (over !== undefined || allBlank(bytes)) return true;
    return this.#elements.look(lineText(bytes, this.#lines));
  }
}

/** Of a file in which no element is what we know. */
const nothingKnown = ({ over }: Elements): Wrong =>
  over === undefined ? { reason: NOTHING_KNOWN } : { reason: TOO_LARGE, detail: over };

function wholeValue(text: string, digest: string): Whole | Wrong {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { reason: NO_JSON };
  }
  return isKnown(value) ? { form: { kind: 'value' }, count: 1, digest } : { reason: NOTHING_KNOWN };
}

const MAGIC: readonly (readonly [string, string])[] = [
  ['1f8b', 'gzip'],
  ['504b0304', 'zip'],
  ['425a68', 'bzip2'],
  ['fd377a58', 'xz'],
  ['28b52ffd', 'zstd'],
];

/** What people are helped by more than by "not JSON". */
function notText(chunk: Buffer): Wrong | undefined {
  const begin = chunk.toString('hex', 0, 4);
  if (/^(fffe|feff)/.test(begin)) return { reason: 'file is not in UTF-8', detail: 'UTF-16' };
  const packed = MAGIC.find(([magic]) => begin.startsWith(magic));
  return packed === undefined ? undefined : { reason: 'file is compressed', detail: packed[1] };
}

/** Whether the first line is a whole value, and another line follows. */
function beginsWithLine(chunk: Buffer): boolean {
  const end = chunk.indexOf(0x0a);
  if (end < 0 || allBlank(chunk, end)) return false;
  try {
    return isRecord(JSON.parse(textOf(chunk.subarray(0, end))));
  } catch {
    return false;
  }
}

/** A STIX object or bundle, an empty envelope, MISP events, the manifest of a feed of them. */
function isKnown(value: unknown): boolean {
  if (!isRecord(value)) return false;
  if (typeof value['type'] === 'string' || Object.keys(value).length === 0) return true;
  return eventsIn(value) !== undefined || isManifest(value);
}

const textOf = (bytes: Buffer): string => bytes.toString('utf8').replace(/^\uFEFF/, '');
/** A byte order mark can only stand before the first line. */
export const lineText = (bytes: Buffer, line: number): string => (line === 1 ? textOf(bytes) : bytes.toString('utf8'));

const isPlaceholder = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 1 && value[0] === PLACEHOLDER;

const told = (count: number): string => (count === 1 ? '1 element' : `${count.toLocaleString('en')} elements`);
