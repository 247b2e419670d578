// The warninglists that are enabled on the simulated server, matched as exact texts.

import { word } from './words.ts';

export interface WarninglistData {
  readonly name: string;
  readonly values: readonly string[];
}

export class Warninglists {
  readonly #lists: readonly { readonly id: string; readonly name: string; readonly values: ReadonlySet<string> }[];

  constructor(lists: readonly WarninglistData[]) {
    this.#lists = lists.map(({ name, values }, i) => ({ id: String(i + 1), name, values: new Set(values) }));
  }

  index(): unknown[] {
    return this.#lists.map(({ id, name, values }) => ({
      Warninglist: {
        id,
        name,
        type: 'string',
        description: name,
        version: '1',
        enabled: true,
        default: true,
        category: 'false_positive',
        warninglist_entry_count: String(values.size),
      },
    }));
  }

  /** As attributes show them. */
  hits(value: string): unknown[] {
    return this.#lists
      .filter((list) => list.values.has(value))
      .map(({ id, name }) => ({
        match: value,
        value,
        warninglist_id: id,
        warninglist_name: name,
        warninglist_category: 'false_positive',
      }));
  }

  /** A value without a hit is left out, and without any hit the answer is an empty list. */
  check(body: unknown): unknown {
    const values = (Array.isArray(body) ? body : [body]).map(word);
    const hits = values.flatMap((value) => {
      const on = this.#lists.filter((list) => list.values.has(value));
      return on.length === 0 ? [] : [[value, on.map(({ id, name }) => ({ id, name, matched: value }))] as const];
    });
    return hits.length === 0 ? [] : Object.fromEntries(hits);
  }
}
