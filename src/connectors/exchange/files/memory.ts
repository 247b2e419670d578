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

const VERSION = 1;
/** Of deliveries: those that came longest ago are forgotten. */
const MOST_EVENTS = 50_000;

export class Memory {
  readonly #files = new Rows<Known>(rowOf);
  /** Time of each MISP event that was delivered, epoch seconds: an older state of it says nothing. */
  readonly #events = new Rows<number>((uuid, time) => [uuid, time]);
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
    for (const [uuid, time] of stored.events.flat()) memory.setEvent(uuid, time);
    if (stored.place !== null) memory.place = stored.place;
    memory.series = readSeries(stored.series);
    memory.waiting = stored.waiting;
    memory.moved = stored.moved;
    return memory;
  }

  get(name: string): Known | undefined {
    return this.#files.get(name);
  }

  get names(): IterableIterator<string> {
    return this.#files.names;
  }

  get refused(): number {
    return this.#count.refused;
  }

  set(name: string, known: Known): void {
    const before = this.#files.get(name);
    if (before !== undefined) this.#count[before.outcome]--;
    this.#count[known.outcome]++;
    this.#files.set(name, known);
  }

  delete(name: string): void {
    const before = this.#files.get(name);
    if (before === undefined) return;
    this.#count[before.outcome]--;
    this.#files.delete(name);
  }

  eventTime(uuid: string): number | undefined {
    return this.#events.get(uuid);
  }

  setEvent(uuid: string, time: number): void {
    // At the end, as the one that came last.
    if (this.#events.get(uuid) !== time) this.#events.delete(uuid);
    this.#events.set(uuid, time);
    if (this.#events.size > MOST_EVENTS) this.#events.delete(this.#events.names.next().value!);
  }

  json(): Json {
    return {
      v: VERSION,
      // What `status` shows, here and in `countFiles`.
      count: {
        accepted: this.#count.accepted + this.moved.accepted,
        refused: this.#count.refused + this.moved.refused,
        waiting: this.waiting,
      },
      files: this.#files.json(),
      events: this.#events.json(),
      place: this.place === undefined ? null : { ...this.place },
      series: this.series as unknown as Json,
      waiting: this.waiting,
      moved: { ...this.moved },
    };
  }
}

const CHUNK = 256;

/** Rows by name, told in chunks of which only those are made anew that changed. */
class Rows<T> {
  readonly #row: (name: string, value: T) => Json;
  readonly #all = new Map<string, { readonly value: T; readonly chunk: number }>();
  /** Names by chunk, and each chunk as it was last told. */
  readonly #chunks: Set<string>[] = [];
  readonly #told: (Json | undefined)[] = [];

  constructor(row: (name: string, value: T) => Json) {
    this.#row = row;
  }

  get size(): number {
    return this.#all.size;
  }

  get names(): IterableIterator<string> {
    return this.#all.keys();
  }

  get(name: string): T | undefined {
    return this.#all.get(name)?.value;
  }

  set(name: string, value: T): void {
    let chunk = this.#all.get(name)?.chunk;
    if (chunk === undefined) {
      if ((this.#chunks.at(-1)?.size ?? CHUNK) >= CHUNK) this.#chunks.push(new Set());
      chunk = this.#chunks.length - 1;
      this.#chunks[chunk]?.add(name);
    }
    this.#told[chunk] = undefined;
    this.#all.set(name, { value, chunk });
  }

  delete(name: string): void {
    const found = this.#all.get(name);
    if (found === undefined) return;
    this.#all.delete(name);
    this.#chunks[found.chunk]?.delete(name);
    this.#told[found.chunk] = undefined;
  }

  json(): Json {
    return this.#chunks.flatMap((names, i) => {
      if (names.size === 0) return [];
      // It is in a chunk only while it is known.
      this.#told[i] ??= [...names].map((name) => this.#row(name, this.#all.get(name)!.value));
      return [this.#told[i]];
    });
  }
}

const rowOf = (name: string, { stamp, digest, outcome, objects, lines, goneSince }: Known): Json => [
  name,
  stamp,
  digest,
  outcome === 'accepted' ? 1 : 0,
  objects,
  [...(lines ?? [])],
  goneSince ?? null,
];

type Row = readonly [string, string, string, 0 | 1, number, readonly number[], number | null];

interface Stored {
  readonly files: readonly (readonly Row[])[];
  readonly events: readonly (readonly (readonly [string, number])[])[];
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
