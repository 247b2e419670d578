// Takes a long JSON text apart while it is read, so that of a file of any length one element at a time is in memory.
// What is found is exact: the whole text is JSON exactly when the text around the list and each element are
// (json-parts.test.ts holds it against JSON.parse).

/** One element of a list, or one line. `bytes` is good until the next chunk is given. */
export interface Part {
  readonly bytes: Buffer;
  /** Place in the text right behind it. */
  readonly end: number;
  /** It is larger than we take into memory, and was passed over: what of it is. */
  readonly over?: string;
}

export interface Bounds {
  readonly bytes: number;
  /** Bytes alone do not bound memory: an empty object takes three of them and a hundred in the heap. */
  readonly values: number;
}

/** What stands around the list is larger than we take into memory. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

const [QUOTE, BACKSLASH, COMMA, COLON, LINE_FEED] = [0x22, 0x5c, 0x2c, 0x3a, 0x0a];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];

const isBlank = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x09 || byte === LINE_FEED || byte === 0x0d;

export function allBlank(bytes: Uint8Array, from = 0): boolean {
  for (let i = from; i < bytes.length; i++) if (!isBlank(bytes[i])) return false;
  return true;
}

/** What is kept of a part that chunks divide. */
class Begun {
  readonly #bounds: Bounds;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #over: string | undefined;
  values = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** The chunk's memory is used again, so that what lasts longer is a copy. What is too large is not kept at all. */
  keep(piece: Buffer): void {
    if (piece.length === 0 || this.#isOver(piece.length)) return;
    this.#pieces.push(Buffer.from(piece));
    this.#bytes += piece.length;
  }

  /** The whole part, of which this is the end. */
  end(piece: Buffer): Pick<Part, 'bytes' | 'over'> {
    const over = this.#isOver(piece.length) ? this.#over : undefined;
    const whole = this.#pieces.length === 0 ? piece : Buffer.concat([...this.#pieces, piece]);
    this.#pieces = [];
    this.#bytes = 0;
    this.#over = undefined;
    this.values = 0;
    return over === undefined ? { bytes: whole } : { bytes: Buffer.alloc(0), over };
  }

  get over(): string | undefined {
    return this.#over;
  }

  #isOver(more: number): boolean {
    if (this.#over !== undefined) return true;
    if (this.#bytes + more > this.#bounds.bytes)
      this.#over = `more than ${Math.round(this.#bounds.bytes / 1024 / 1024)} MiB`;
    else if (this.values > this.#bounds.values)
      this.#over = `more than ${this.#bounds.values.toLocaleString('en')} values`;
    if (this.#over !== undefined) this.#pieces = [];
    return this.#over !== undefined;
  }
}

/** The elements of a list, fed from right behind its bracket. */
export class ListParts {
  readonly #begun: Begun;
  #at: number;
  #depth = 0;
  #inText = false;
  #escaped = false;
  #first = true;
  #closed: number | undefined;

  constructor(from: number, bounds: Bounds) {
    this.#at = from;
    this.#begun = new Begun(bounds);
  }

  /** Place of the bracket, or the brace, that ends the list, once it came. */
  get closed(): number | undefined {
    return this.#closed;
  }

  /** An element that is blank is given too: then the list is no JSON. Nothing is read beyond the end of the list. */
  *feed(chunk: Buffer): Generator<Part, void, undefined> {
    const base = this.#at;
    const length = chunk.length;
    this.#at += length;
    let [from, depth, values] = [0, this.#depth, this.#begun.values];
    // A byte that follows a backslash is skipped, also where it comes with this chunk.
    let i = this.#escaped ? 1 : 0;
    let inText = this.#inText;
    while (i < length && this.#closed === undefined) {
      if (inText) {
        while (i < length && chunk[i] !== QUOTE) i += chunk[i] === BACKSLASH ? 2 : 1;
        if (i >= length) break;
        inText = false;
        i++;
        continue;
      }
      const byte = chunk[i];
      if (byte === QUOTE) inText = true;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        depth++;
        values++;
      } else if (byte === COMMA && depth > 0) values++;
      else if (byte === COMMA) {
        this.#first = false;
        this.#begun.values = values;
        yield { ...this.#begun.end(chunk.subarray(from, i)), end: base + i + 1 };
        [from, values] = [i + 1, 0];
      } else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && depth-- === 0) {
        this.#closed = base + i;
        this.#begun.values = values;
        const last = this.#begun.end(chunk.subarray(from, i));
        // Of an empty list nothing stands between the brackets. That a brace cannot end it, is told by what follows.
        if (!this.#first || last.over !== undefined || !allBlank(last.bytes)) yield { ...last, end: base + i };
      }
      i++;
    }
    if (this.#closed !== undefined) return;
    [this.#depth, this.#inText, this.#escaped] = [depth, inText, i > length];
    this.#begun.values = values;
    this.#begun.keep(chunk.subarray(from));
  }
}

/** Lines, those that are blank too. The last one may lack its line end. */
export class LineParts {
  readonly #begun: Begun;
  #at: number;

  constructor(from: number, bounds: Bounds) {
    this.#at = from;
    this.#begun = new Begun(bounds);
  }

  *feed(chunk: Buffer): Generator<Part, void, undefined> {
    let from = 0;
    for (let i = chunk.indexOf(LINE_FEED); i >= 0; i = chunk.indexOf(LINE_FEED, from)) {
      const line = this.#begun.end(chunk.subarray(from, i));
      from = i + 1;
      yield { ...line, end: this.#at + from };
    }
    this.#begun.keep(chunk.subarray(from));
    this.#at += chunk.length;
  }

  /** What stands behind the last line end. */
  rest(): Part {
    return { ...this.#begun.end(Buffer.alloc(0)), end: this.#at };
  }
}

export type Found =
  /** The list begins right behind this place; `path` leads to it from the outermost object. */
  | { readonly kind: 'list'; readonly at: number; readonly path: readonly string[] }
  /** The first value of the text ended here, and held no such list. */
  | { readonly kind: 'value'; readonly at: number };

/**
 * Looks for the list that a JSON text is about: the whole text, or the first that stands under one of `paths`, each a way
 * of names from the outermost object on. Keeps what it went through.
 */
export class ListSearch {
  readonly #paths: ReadonlySet<string>;
  readonly #begun: Begun;
  #at = 0;
  #depth = 0;
  /** Keys that lead to where it is; undefined for a step into a list. */
  readonly #way: (string | undefined)[] = [];
  #inText = false;
  #escaped = false;
  /** The key whose value comes next. */
  #key: string | undefined;
  #colon = false;
  #started = false;
  /** Bytes so far of what may be a key. */
  #text: number[] | undefined;
  #kept: Buffer = Buffer.alloc(0);

  constructor(paths: readonly (readonly string[])[], bounds: Bounds) {
    this.#paths = new Set(paths.map((path) => path.join('\0')));
    this.#begun = new Begun(bounds);
  }

  /** All bytes up to what was found, without the bracket of the list. */
  get head(): Buffer {
    return this.#kept;
  }

  get open(): boolean {
    return this.#depth > 0 || this.#inText;
  }

  feed(chunk: Buffer): Found | undefined {
    let text = this.#text;
    const base = this.#at;
    this.#at += chunk.length;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (this.#inText) {
        text?.push(byte);
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) {
          this.#inText = false;
          this.#key = text === undefined ? undefined : keyOf(text);
          this.#colon = false;
          text = undefined;
        } else if (text !== undefined && text.length > MOST_KEY) text = undefined;
        continue;
      }
      if (isBlank(byte) || (!this.#started && BYTE_ORDER_MARK.includes(byte))) continue;
      this.#started = true;
      if (byte === QUOTE && this.#depth > 0) {
        this.#inText = true;
        text = this.#depth <= MOST_STEPS ? [byte] : undefined;
        this.#key = undefined;
        continue;
      }
      if (byte === COLON && this.#key !== undefined) {
        this.#colon = true;
        continue;
      }
      const key = this.#colon ? this.#key : undefined;
      this.#key = undefined;
      this.#colon = false;
      if (byte === OPEN_BRACKET) {
        const path = this.#pathOf(key);
        if (path !== undefined) {
          this.#end(chunk.subarray(0, i));
          return { kind: 'list', at: base + i, path };
        }
      }
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (this.#depth > 0 && this.#depth <= MOST_STEPS) this.#way[this.#depth - 1] = key;
        this.#depth++;
        this.#begun.values++;
      } else if (byte === COMMA) this.#begun.values++;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#depth--;
      if (this.#depth <= 0) {
        // Its end, or a text, a number, a word, or no JSON at all: a parser says what it is.
        this.#end(chunk.subarray(0, i + 1));
        return { kind: 'value', at: base + i };
      }
    }
    this.#text = text;
    this.#begun.keep(chunk);
    if (this.#begun.over !== undefined) throw new TooLarge(this.#begun.over);
    return undefined;
  }

  /** The way to a list that begins here, where it is one of those that are looked for. */
  #pathOf(key: string | undefined): readonly string[] | undefined {
    if (this.#depth === 0) return [];
    if (key === undefined || this.#depth > MOST_STEPS) return undefined;
    const path = [...this.#way.slice(0, this.#depth - 1), key];
    // A step into a list has no name; what follows is not looked for.
    return path.every((step) => step !== undefined) && this.#paths.has(path.join('\0')) ? path : undefined;
  }

  #end(piece: Buffer): void {
    const { bytes, over } = this.#begun.end(piece);
    if (over !== undefined) throw new TooLarge(over);
    this.#kept = Buffer.from(bytes);
  }
}

const MOST_STEPS = 2;
const MOST_KEY = 64;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** A key may be spelled with escapes; the parser that reads the head finds those. */
function keyOf(text: readonly number[]): string {
  return Buffer.from(text).toString('utf8', 1, text.length - 1);
}
