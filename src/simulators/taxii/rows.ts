// The rows of one collection, kept so that a million objects stay cheap: every object's JSON text is made once and
// lies in large buffers outside the heap; dates, places and lengths lie in typed arrays.
import { formatStamp } from './stamp.ts';

const CHUNK_BYTES = 8 << 20;

export class Rows {
  length = 0;
  readonly ids: string[] = [];
  readonly versions: string[] = [];
  readonly types: string[] = [];
  #chunks: Buffer[] = [];
  #used = 0;
  #dates = new Float64Array(1024);
  #chunk = new Uint16Array(1024);
  #offset = new Uint32Array(1024);
  #size = new Uint32Array(1024);
  #previous = new Int32Array(1024);
  #flags = new Uint8Array(1024);

  /** `previous` is the row of the same id that came before, or -1. */
  add(
    id: string,
    type: string,
    version: string,
    text: string,
    date: number,
    previous: number,
    spec20: boolean,
  ): number {
    const row = this.length;
    if (row === this.#dates.length) this.#grow();
    const bytes = Buffer.byteLength(text);
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || chunk.length - this.#used < bytes) {
      chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, bytes));
      this.#chunks.push(chunk);
      this.#used = 0;
    }
    chunk.write(text, this.#used);
    this.ids.push(id);
    this.types.push(type);
    this.versions.push(version);
    this.#dates[row] = date;
    this.#chunk[row] = this.#chunks.length - 1;
    this.#offset[row] = this.#used;
    this.#size[row] = bytes;
    this.#previous[row] = previous;
    this.#flags[row] = spec20 ? SPEC_20 : 0;
    this.#used += bytes;
    this.length += 1;
    return row;
  }

  date = (row: number): number => this.#dates[row]!;
  previous = (row: number): number => this.#previous[row]!;
  gone = (row: number): boolean => (this.#flags[row]! & GONE) !== 0;
  specVersion = (row: number): '2.0' | '2.1' => ((this.#flags[row]! & SPEC_20) === 0 ? '2.1' : '2.0');
  /** Whether its id has, or had, other versions. */
  several = (row: number): boolean => (this.#flags[row]! & SEVERAL) !== 0;

  remove(row: number): void {
    this.#flags[row]! |= GONE;
  }

  markSeveral(row: number): void {
    this.#flags[row]! |= SEVERAL;
  }

  text(row: number): Buffer {
    const from = this.#offset[row]!;
    return this.#chunks[this.#chunk[row]!]!.subarray(from, from + this.#size[row]!);
  }

  /** `{"more":…,"next":…,"objects":[…]}` made by copying the texts side by side. */
  envelope(rows: readonly number[], head: { readonly more?: boolean; readonly next?: string }): Buffer {
    const opening = JSON.stringify(head);
    if (rows.length === 0) return Buffer.from(opening);
    const before = `${opening.slice(0, -1)}${opening === '{}' ? '' : ','}"objects":[`;
    let size = Buffer.byteLength(before) + rows.length + 1;
    for (const row of rows) size += this.#size[row]!;
    const page = Buffer.allocUnsafe(size);
    let at = page.write(before);
    for (const [place, row] of rows.entries()) {
      if (place > 0) at = page.writeUInt8(COMMA, at);
      const from = this.#offset[row]!;
      at += this.#chunks[this.#chunk[row]!]!.copy(page, at, from, from + this.#size[row]!);
    }
    page.write(']}', at);
    return page;
  }

  manifestEntry(row: number): { id: string; date_added: string; version: string; media_type: string } {
    return {
      id: this.ids[row]!,
      date_added: formatStamp(this.date(row)),
      version: this.versions[row]!,
      media_type: `application/stix+json;version=${this.specVersion(row)}`,
    };
  }

  #grow(): void {
    const room = this.#dates.length * 2;
    const wider = <T extends Float64Array | Uint16Array | Uint32Array | Int32Array | Uint8Array>(
      made: T,
      old: T,
    ): T => {
      made.set(old);
      return made;
    };
    this.#dates = wider(new Float64Array(room), this.#dates);
    this.#chunk = wider(new Uint16Array(room), this.#chunk);
    this.#offset = wider(new Uint32Array(room), this.#offset);
    this.#size = wider(new Uint32Array(room), this.#size);
    this.#previous = wider(new Int32Array(room), this.#previous);
    this.#flags = wider(new Uint8Array(room), this.#flags);
  }
}

const GONE = 1;
const SEVERAL = 2;
const SPEC_20 = 4;
const COMMA = 0x2c;
