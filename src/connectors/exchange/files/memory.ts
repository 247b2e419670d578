// What is known of the files, as it goes into the cursor: which were read in which state and what became of them. A
// folder may hold ten thousands, and each page has a cursor, so that cursors share what did not change between them.
import type { FileCounts } from '../../../core/contracts/exchange-connector.ts';
import type { Json } from '../../../core/model/json.ts';
import { isRecord } from '../../../core/stix/raw.ts';
import { readSeries, type Series } from './series.ts';

export interface Known {
  readonly stamp: string;
  /** Of the content; empty where it was never read. */
  readonly digest: string;
  readonly outcome: 'accepted' | 'refused';
  readonly objects: number;
  /** Lines that were no JSON, by number: they stand in the list of what is refused. */
  readonly lines?: readonly number[];
  /** Since when it is gone from the folder, epoch milliseconds. */
  readonly goneSince?: number;
}

/** A file in the midst of which the last page ended. */
export interface Place {
  readonly name: string;
  readonly stamp: string;
  readonly digest: string;
  /** Byte at which the next element begins. */
  readonly offset: number;
  /** Elements before it. */
  readonly elements: number;
  readonly objects: number;
  readonly lines: readonly number[];
  /** An object came that nobody can name, so that nothing can be said to be missing. */
  readonly blind: boolean;
}

const CHUNK = 256;
const VERSION = 1;

export class Memory {
  readonly #files = new Map<string, { readonly known: Known; readonly chunk: number }>();
  /** Names by chunk, and each chunk as it was last told. */
  readonly #chunks: Set<string>[] = [];
  readonly #told: (Json | undefined)[] = [];
  readonly #count = { accepted: 0, refused: 0 };
  place: Place | undefined;
  series: Readonly<Record<string, Series>> = {};
  waiting = 0;
  /** Files that were moved away. */
  moved: { readonly accepted: number; readonly refused: number } = { accepted: 0, refused: 0 };

  static read(json: Json | undefined): Memory {
    const memory = new Memory();
    // Written by `json` below, or by an older version whose shape is not known here.
    if (!isRecord(json) || json['v'] !== VERSION) return memory;
    const stored = json as unknown as Stored;
    for (const row of stored.files.flat()) memory.set(row[0], knownOf(row));
    if (stored.place !== null) memory.place = stored.place;
    memory.series = readSeries(stored.series);
    memory.waiting = stored.waiting;
    memory.moved = stored.moved;
    return memory;
  }

  get(name: string): Known | undefined {
    return this.#files.get(name)?.known;
  }

  get names(): IterableIterator<string> {
    return this.#files.keys();
  }

  set(name: string, known: Known): void {
    const before = this.#files.get(name);
    let chunk = before?.chunk ?? this.#chunks.length - 1;
    if (before === undefined && (this.#chunks[chunk]?.size ?? CHUNK) >= CHUNK) {
      this.#chunks.push(new Set());
      chunk = this.#chunks.length - 1;
    }
    if (before !== undefined) this.#count[before.known.outcome]--;
    this.#count[known.outcome]++;
    this.#chunks[chunk]?.add(name);
    this.#told[chunk] = undefined;
    this.#files.set(name, { known, chunk });
  }

  delete(name: string): void {
    const found = this.#files.get(name);
    if (found === undefined) return;
    this.#files.delete(name);
    this.#count[found.known.outcome]--;
    this.#chunks[found.chunk]?.delete(name);
    this.#told[found.chunk] = undefined;
  }

  get refused(): number {
    return this.#count.refused;
  }

  json(): Json {
    const files = this.#chunks.map((names, i) => (this.#told[i] ??= [...names].map((name) => this.#row(name))));
    return {
      v: VERSION,
      // What `status` shows, here and in `countFiles`.
      count: {
        accepted: this.#count.accepted + this.moved.accepted,
        refused: this.#count.refused + this.moved.refused,
        waiting: this.waiting,
      },
      files,
      place: this.place === undefined ? null : { ...this.place },
      series: this.series as unknown as Json,
      waiting: this.waiting,
      moved: { ...this.moved },
    };
  }

  #row(name: string): Json {
    // It is in a chunk only while it is known.
    const { stamp, digest, outcome, objects, lines, goneSince } = this.#files.get(name)!.known;
    return [name, stamp, digest, outcome === 'accepted' ? 1 : 0, objects, [...(lines ?? [])], goneSince ?? null];
  }
}

type Row = readonly [string, string, string, 0 | 1, number, readonly number[], number | null];

interface Stored {
  readonly files: readonly (readonly Row[])[];
  readonly place: Place | null;
  readonly series: Json;
  readonly waiting: number;
  readonly moved: Memory['moved'];
}

function knownOf([, stamp, digest, accepted, objects, lines, goneSince]: Row): Known {
  return {
    stamp,
    digest,
    outcome: accepted === 1 ? 'accepted' : 'refused',
    objects,
    ...(lines.length === 0 ? {} : { lines }),
    ...(goneSince === null ? {} : { goneSince }),
  };
}

/** How many files were accepted, were refused, or wait, as a stored cursor tells. */
export function countFiles(json: Json | undefined): FileCounts {
  const count = isRecord(json) && json['v'] === VERSION ? json['count'] : undefined;
  // Written by `json` above.
  return isRecord(count) ? (count as unknown as FileCounts) : { accepted: 0, refused: 0, waiting: 0 };
}
