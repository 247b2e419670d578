// One poll: what is known of the files as it goes on, what of that was told already, and what a person should hear.
import type { Page } from '../../../core/contracts/exchange-connector.ts';
import type { Json } from '../../../core/model/json.ts';
import type { Known, Memory, Place } from './memory.ts';
import type { Ending } from './read-file.ts';
import { gaps } from './series.ts';

export class Poll {
  readonly memory: Memory;
  readonly notes: string[] = [];
  readonly #scope: string;
  readonly #waiting = new Set<string>();
  #told: Json;

  constructor(memory: Memory, scope: string) {
    this.memory = memory;
    this.#scope = scope;
    this.#told = memory.json();
  }

  waits(name: string): void {
    this.#waiting.add(name);
  }

  /** It was missing for a moment only. */
  back(name: string, { goneSince, ...known }: Known): void {
    if (goneSince !== undefined) this.memory.set(name, known);
  }

  /** The cursor of a page that ends within a file. */
  within(place: Place): Json {
    this.memory.place = place;
    return this.tell();
  }

  /** The cursor of a page that ends a file. */
  after(name: string, stamp: string, ending: Ending): Json {
    this.ended(name, stamp, ending);
    return this.tell();
  }

  ended(name: string, stamp: string, ending: Ending): void {
    const { memory } = this;
    memory.place = undefined;
    switch (ending.kind) {
      case 'accepted': {
        const { digest, objects, lines } = ending;
        memory.set(name, { stamp, digest, outcome: 'accepted', objects, ...(lines.length === 0 ? {} : { lines }) });
        return;
      }
      case 'same':
        memory.set(name, { ...ending.known, stamp });
        return;
      case 'refused':
        memory.set(name, { stamp, digest: '', outcome: 'refused', objects: 0 });
        return;
      case 'waits':
        this.waits(name);
        return;
      default:
        ending satisfies never;
    }
  }

  tell(): Json {
    this.#told = this.memory.json();
    return this.#told;
  }

  /** A page beside the files. */
  page(parts: Partial<Page>): Page {
    return { scope: this.#scope, objects: [], refusals: [], ...parts, cursor: this.tell() };
  }

  /** What came to be known and no page told. */
  *news(): Generator<Page, void, undefined> {
    this.memory.waiting = this.#waiting.size;
    if (JSON.stringify(this.memory.json()) !== JSON.stringify(this.#told)) yield this.page({});
  }

  /** What a person should know though all of it could be read. */
  get note(): string | undefined {
    const { refused, series } = this.memory;
    const notes = [...this.notes];
    if (refused > 0)
      notes.push(`${refused === 1 ? '1 file is' : `${refused} files are`} refused: see entente refused list`);
    const missing = gaps(series);
    if (missing !== undefined) notes.push(missing);
    return notes.length === 0 ? undefined : notes.join('; ');
  }
}

/** Under these names it may stand in the list of what is refused. */
export function refusedNames(name: string, known: Known | undefined): string[] {
  return [name, ...(known?.lines ?? []).map((line) => `${name}:${line}`)];
}
