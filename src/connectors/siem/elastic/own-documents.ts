// Which of the documents that alerts name are ours. An alert names an index as it is called itself, never by an alias, so
// that a name alone would tell nothing once our index was reindexed. What counts is the document: an index under another
// name is asked whose it is.
import { type Match, placeOf } from './alerts.ts';
import type { ElasticApi } from './client.ts';
import { OwnMark } from './responses.ts';

type Documents = readonly { readonly _id: string; readonly _source?: unknown }[];

export class OwnDocuments {
  readonly #api: ElasticApi;
  readonly #index: string;
  readonly #owner: string;
  /** Names under which our own index is reached, for one reading. */
  #names: ReadonlySet<string> | undefined;

  constructor(api: ElasticApi, index: string, owner: string) {
    this.#api = api;
    this.#index = index;
    this.#owner = owner;
  }

  forget(): void {
    this.#names = undefined;
  }

  /** Keys of those that are ours, by their place. */
  async keys(matches: readonly Match[], signal: AbortSignal): Promise<Map<string, string>> {
    const keys = new Map<string, string>();
    for (const [index, some] of Map.groupBy(matches, (one) => one.index)) {
      const slots = some.map((one) => one.slot);
      if ((await this.#ownNames(signal)).has(index)) {
        // Of our own index the alert itself proves the key, also when the entry is gone by now.
        const told = await this.#told(
          some.filter((one) => one.key === undefined).map((one) => one.slot),
          signal,
        );
        for (const { slot, key } of some) {
          const found = key ?? told.get(slot);
          if (found !== undefined) keys.set(placeOf({ index, slot }), found);
        }
        continue;
      }
      const told = this.#ours((await this.#api.documentsElsewhere(index, slots, signal)) ?? []);
      for (const slot of slots) {
        const found = told.get(slot);
        if (found !== undefined) keys.set(placeOf({ index, slot }), found);
      }
    }
    return keys;
  }

  /** Keys of slots as our own index tells them; what is gone, or not ours, is left out. */
  async #told(slots: readonly string[], signal: AbortSignal): Promise<Map<string, string>> {
    return slots.length === 0 ? new Map() : this.#ours(await this.#api.documents(this.#index, slots, signal));
  }

  #ours(documents: Documents): Map<string, string> {
    return new Map(
      documents.flatMap((doc) => {
        const read = OwnMark.safeParse(doc._source);
        return read.success && read.data.entente.owner === this.#owner
          ? [[doc._id, read.data.entente.key] as const]
          : [];
      }),
    );
  }

  async #ownNames(signal: AbortSignal): Promise<ReadonlySet<string>> {
    this.#names ??= new Set([this.#index, ...((await this.#api.index(this.#index, signal))?.names ?? [])]);
    return this.#names;
  }
}
