// Entries of the collections API: reading them, and the single changes whose answers are definite.
import { retryable } from '../../../core/contracts/failure.ts';
import type { SiemDeps } from '../../../core/contracts/siem-connector.ts';
import { eachOf, type HeldRow, type HeldSet, type HeldSets } from './board.ts';
import { quoted, type QRadarClient } from './client.ts';
import type { QRadarSettings } from './config.ts';
import { isOwnSource } from './notes.ts';
import { EntryRow, EntryRows } from './responses.ts';

export const ROOT = '/reference_data_collections';
export const PAGE = 1000;
/** A query string above this comes near what web servers refuse. */
const QUERY_BYTES = 4000;
/** Enough to find and to delete a row. Notes are most of its bytes. */
export const WITHOUT_NOTES = 'id,collection_id,value,source,domain_id';
const WITH_NOTES = `${WITHOUT_NOTES},notes`;
const READS_AT_ONCE = 4;
const SINGLES_AT_ONCE = 4;

export interface SingleEntry {
  readonly value: string;
  readonly source: string;
  readonly notes: string;
}

export class Entries {
  readonly owner: string;
  readonly #client: QRadarClient;
  readonly #config: QRadarSettings;
  readonly #deps: SiemDeps;

  constructor(client: QRadarClient, config: QRadarSettings, deps: SiemDeps) {
    this.owner = `entente:${deps.instance}`;
    this.#client = client;
    this.#config = config;
    this.#deps = deps;
  }

  async *ofSet(
    set: HeldSet,
    whose: 'ours' | 'others',
    signal: AbortSignal,
    fields: string = WITH_NOTES,
  ): AsyncIterable<readonly HeldRow[]> {
    const mine = `source ${whose === 'ours' ? '=' : '!='} "${this.owner}"`;
    for await (const rows of this.#pages(`collection_id = ${set.id} and ${mine}`, signal, fields))
      yield rows.map((row) => ({ ...row, kind: set.kind }));
  }

  /** Our entries with these stored values; without their notes where only their being there counts. */
  async withValues(
    set: HeldSet,
    stored: readonly string[],
    signal: AbortSignal,
    fields: string = WITH_NOTES,
  ): Promise<readonly HeldRow[]> {
    const chunks = filterChunks(stored);
    const found: HeldRow[] = [];
    // Many values, or one that cannot be quoted: reading the whole set takes fewer requests, or is the only way.
    if (chunks === undefined || (await this.#pagesOf(set, chunks.length, signal)) < chunks.length) {
      const wanted = new Set(stored);
      for await (const page of this.ofSet(set, 'ours', signal, fields))
        found.push(...page.filter((row) => wanted.has(row.value)));
      return found;
    }
    await eachOf(chunks, READS_AT_ONCE, async (chunk) => {
      const filter = `collection_id = ${set.id} and value in (${chunk})`;
      for await (const rows of this.#pages(filter, signal, fields, set.element))
        for (const row of rows) if (isOwnSource(row.source, this.owner)) found.push({ ...row, kind: set.kind });
    });
    return found;
  }

  /** How many pages the whole set takes. It was counted before its last changes, so it is asked anew where that decides. */
  async #pagesOf(set: HeldSet, chunks: number, signal: AbortSignal): Promise<number> {
    const counted = Math.ceil(set.count / PAGE);
    if (counted >= chunks || chunks === 1) return Math.max(1, counted);
    return Math.ceil((await this.#count(`collection_id = ${set.id}`, signal)) / PAGE);
  }

  /** Our entries in these slots, by slot. */
  async inSlots(
    slots: readonly string[],
    sets: HeldSets,
    signal: AbortSignal,
    fields: string = WITH_NOTES,
  ): Promise<Map<string, HeldRow>> {
    const held = new Map<string, HeldRow>();
    for (const [suffix, some] of Map.groupBy(slots, suffixOf)) {
      const set = sets.get(suffix);
      if (set === undefined) continue;
      const stored = some.map((slot) => slot.slice(suffix.length + 1));
      for (const row of await this.withValues(set, stored, signal, fields)) held.set(`${suffix}|${row.value}`, row);
    }
    return held;
  }

  /** Slots in the sets of these slots that an analyst, or another instance, holds; with their source. */
  async others(slots: readonly string[], sets: HeldSets, signal: AbortSignal): Promise<Map<string, string>> {
    const used = [...new Set(slots.map(suffixOf))].flatMap((suffix) => sets.get(suffix) ?? []);
    const others = new Map<string, string>();
    if (used.length === 0) return others;
    const byId = new Map(used.map((set) => [set.id, set]));
    const filter = `collection_id in (${[...byId.keys()].join(', ')}) and source != "${this.owner}"`;
    for await (const rows of this.#pages(filter, signal, WITHOUT_NOTES)) {
      for (const row of rows) {
        const set = byId.get(row.collection_id ?? 0);
        if (set !== undefined && !isOwnSource(row.source, this.owner))
          others.set(`${set.kind.suffix}|${row.value}`, row.source ?? 'nobody');
      }
    }
    return others;
  }

  async countOthers(sets: readonly HeldSet[], signal: AbortSignal): Promise<number> {
    if (sets.length === 0) return 0;
    const ids = sets.map((set) => set.id).join(', ');
    return this.#count(`collection_id in (${ids}) and source != "${this.owner}"`, signal);
  }

  async #count(filter: string, signal: AbortSignal): Promise<number> {
    const { body, total } = await this.#client.call({
      path: `${ROOT}/set_entries`,
      query: { filter, fields: 'id' },
      range: [0, 0],
      signal,
    });
    return total ?? (Array.isArray(body) ? body.length : 0);
  }

  async mark(control: HeldSet, signal: AbortSignal): Promise<EntryRow | undefined> {
    const filter = `collection_id = ${control.id} and value = "writer ${this.owner}"`;
    for await (const rows of this.#pages(filter, signal)) {
      // The value names its owner, so whatever the console wrote into `source`, this is it.
      if (rows[0] !== undefined) return rows[0];
    }
    return undefined;
  }

  /** By value, which makes the entry or renews it; the notes of one that was there are sure to change only by its id. */
  async put(set: HeldSet, given: SingleEntry, signal: AbortSignal): Promise<void> {
    const domain = this.#config.domain_id;
    const body = { collection_id: set.id, ...given, ...(domain === undefined ? {} : { domain_id: domain }) };
    const row = await this.#post(`${ROOT}/set_entries`, body, set, signal);
    if (row.notes !== given.notes)
      await this.#post(`${ROOT}/set_entries/${row.id}`, { notes: given.notes }, set, signal);
  }

  async #post(path: string, body: object, set: HeldSet, signal: AbortSignal): Promise<EntryRow> {
    const answer = await this.#client.call({ method: 'POST', path, json: JSON.stringify(body), allow: [404], signal });
    if (answer.status !== 404) return this.#client.parse(EntryRow, answer.body, 'the change of an entry');
    throw retryable(`${this.#deps.name}: an entry of ${set.name} went away while it was changed`, { uncertain: false });
  }

  async deleteAll(ids: readonly number[], signal: AbortSignal): Promise<void> {
    await eachOf(ids, SINGLES_AT_ONCE, async (id) => {
      // This endpoint produces plain text, so it must not be asked for JSON. 404: it is gone, as wanted.
      await this.#client.call({
        method: 'DELETE',
        path: `${ROOT}/set_entries/${id}`,
        accept: '*/*',
        allow: [404],
        signal,
      });
    });
  }

  /** In the order of ids, and on from the last one: rows that come and go meanwhile shift positions, never ids. */
  async *#pages(
    filter: string,
    signal: AbortSignal,
    fields: string = WITH_NOTES,
    entryType?: string,
  ): AsyncIterable<readonly EntryRow[]> {
    for (let after = 0; ; ) {
      const { body, total } = await this.#client.call({
        path: `${ROOT}/set_entries`,
        query: {
          filter: `${filter} and id > ${after}`,
          sort: '+id',
          fields,
          ...(entryType === undefined ? {} : { entry_type: entryType }),
        },
        range: [0, PAGE - 1],
        signal,
      });
      const rows = this.#client.parse(EntryRows, body, 'the list of entries');
      const ours = rows.filter((row) => (row.domain_id ?? undefined) === this.#config.domain_id);
      if (ours.length > 0) yield ours;
      if (rows.length === 0 || (total !== undefined && total <= rows.length)) return;
      after = Math.max(...rows.map((row) => row.id));
    }
  }
}

export const suffixOf = (slot: string): string => slot.slice(0, slot.indexOf('|'));

/** Values as lists for a filter, each short enough for a URL. Undefined when one cannot stand in a filter. */
function filterChunks(values: readonly string[]): readonly string[] | undefined {
  const chunks: string[][] = [];
  let bytes = QUERY_BYTES;
  for (const value of values) {
    const text = quoted(value);
    if (text === undefined) return undefined;
    const more = encodeURIComponent(`${text},`).length;
    if (more > QUERY_BYTES) return undefined;
    bytes += more;
    if (bytes <= QUERY_BYTES) chunks.at(-1)?.push(text);
    else {
      chunks.push([text]);
      bytes = more;
    }
  }
  return chunks.map((chunk) => chunk.join(','));
}
