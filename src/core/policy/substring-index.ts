// Texts that may stand anywhere in a value. Looked up by their first three characters, so that a look costs the length
// of the value and not the number of entries.
import type { ValueKind } from '../model/listed-value.ts';

interface Entry {
  readonly entry: string;
  readonly list: number;
  readonly kinds: ReadonlySet<ValueKind> | undefined;
}

/** Shorter ones stand in nearly everything. */
const SHORTEST = 3;

export class SubstringIndex {
  readonly #byStart = new Map<string, Entry[]>();
  /** One mark for each start that there may be: most places of a value begin none. */
  readonly #marks = new Uint8Array(65_536);
  size = 0;

  /** Why it was left out. */
  add(entry: string, list: number, kinds: ReadonlySet<ValueKind> | undefined): string | undefined {
    if (entry.length < SHORTEST) return `it is shorter than ${SHORTEST} characters and would match nearly everything`;
    const start = entry.slice(0, SHORTEST);
    const beside = this.#byStart.get(start);
    if (beside === undefined) this.#byStart.set(start, [{ entry, list, kinds }]);
    else beside.push({ entry, list, kinds });
    this.#marks[markOf(entry, 0)] = 1;
    this.size++;
    return undefined;
  }

  *find(value: string, kind: ValueKind): Generator<Entry> {
    if (this.size === 0) return;
    const text = value.toLowerCase();
    for (let at = 0; at + SHORTEST <= text.length; at++) {
      if (this.#marks[markOf(text, at)] === 0) continue;
      for (const one of this.#byStart.get(text.slice(at, at + SHORTEST)) ?? [])
        if (text.startsWith(one.entry, at) && (one.kinds === undefined || one.kinds.has(kind))) yield one;
    }
  }
}

const markOf = (text: string, at: number): number =>
  (text.charCodeAt(at) * 961 + text.charCodeAt(at + 1) * 31 + text.charCodeAt(at + 2)) & 0xffff;
