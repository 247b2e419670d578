// Entries of the collections API: reading them, and the single changes whose answers are definite.
import { configFailure, permanent, retryable } from '../../../core/contracts/failure.ts';
import type { SiemDeps } from '../../../core/contracts/siem-connector.ts';
import { eachOf, type HeldRow, type HeldSet, type HeldSets } from './board.ts';
import { quoted, type QRadarClient } from './client.ts';
import type { QRadarSettings } from './config.ts';
import { isOurs } from './notes.ts';
import { EntryRow, readable, Rows } from './responses.ts';

export const ROOT = '/reference_data_collections';
export const PAGE = 1000;
/** A query string above this comes near what web servers refuse. */
const QUERY_BYTES = 4000;
/** The notes are most of the bytes, and say whose a row is where `source` was written over. */
const FIELDS = 'id,collection_id,value,source,domain_id,notes';
const READS_AT_ONCE = 4;
const SINGLES_AT_ONCE = 4;
/** Questions for values that are fewer than what the first page of foreign rows may save. */
const FEW_QUESTIONS = 2;

export interface SingleEntry {
  readonly value: string;
  readonly source: string;
  readonly notes: string;
}

export class Entries {
  readonly owner: string;
  /** An entry of the control set on which the ways of a console are tried. */
  readonly canary: string;
  readonly #client: QRadarClient;
  readonly #config: QRadarSettings;
  readonly #deps: SiemDeps;
  /** Whether a filter finds values that look encoded: consoles decode a query once or twice. */
  #exact = false;

  constructor(client: QRadarClient, config: QRadarSettings, deps: SiemDeps) {
    this.owner = `entente:${deps.instance}`;
    this.canary = `canary %2f + ${this.owner}`;
    this.#client = client;
    this.#config = config;
    this.#deps = deps;
  }

  /** Our rows, known by either mark, so that no filter can pass one over. */
  async *ofSet(set: HeldSet, signal: AbortSignal): AsyncIterable<readonly HeldRow[]> {
    for await (const rows of this.#pages(`collection_id = ${set.id}`, signal)) {
      const ours = rows.filter((row) => isOurs(row, this.owner));
      if (ours.length > 0) yield ours.map((row) => ({ ...row, kind: set.kind }));
    }
  }

  /** Our entries with these stored values. */
  async withValues(set: HeldSet, stored: readonly string[], signal: AbortSignal): Promise<readonly HeldRow[]> {
    const chunks = this.#chunks(stored);
    // Many values, or one that no filter finds for sure: reading the whole set takes fewer requests, or is the only way.
    if (chunks === undefined || (await this.#pagesOf(set, chunks.length, signal)) < chunks.length)
      return this.inWholeSet(set, stored, signal);
    const found: HeldRow[] = [];
    await eachOf(chunks, READS_AT_ONCE, async (chunk) => {
      const filter = `collection_id = ${set.id} and value in (${chunk})`;
      for await (const rows of this.#pages(filter, signal, set.element))
        for (const row of rows) if (isOurs(row, this.owner)) found.push({ ...row, kind: set.kind });
    });
    return found;
  }

  /** The same without any filter by value: what this does not find is not there. */
  async inWholeSet(set: HeldSet, stored: readonly string[], signal: AbortSignal): Promise<readonly HeldRow[]> {
    const wanted = new Set(stored);
    const found: HeldRow[] = [];
    for await (const page of this.ofSet(set, signal)) found.push(...page.filter((row) => wanted.has(row.value)));
    return found;
  }

  /** How many pages the whole set takes. It was counted before its last changes, so it is asked anew where that decides. */
  async #pagesOf(set: HeldSet, chunks: number, signal: AbortSignal): Promise<number> {
    const counted = Math.ceil(set.count / PAGE);
    if (counted >= chunks || chunks === 1) return Math.max(1, counted);
    return Math.ceil((await this.#count(`collection_id = ${set.id}`, signal)) / PAGE);
  }

  /** Our entries in these slots, by slot. `sure`: nothing that is there may be missed, since no removal will be sent. */
  async inSlots(
    slots: readonly string[],
    sets: HeldSets,
    signal: AbortSignal,
    sure = false,
  ): Promise<Map<string, HeldRow>> {
    const held = new Map<string, HeldRow>();
    for (const [suffix, some] of Map.groupBy(slots, suffixOf)) {
      const set = sets.get(suffix);
      if (set === undefined) continue;
      const note = (row: HeldRow): unknown => held.set(`${suffix}|${row.value}`, row);
      const stored = some.map(storedOf);
      for (const row of await this.withValues(set, stored, signal)) note(row);
      const missing = stored.filter((value) => !held.has(`${suffix}|${value}`));
      if (sure && missing.length > 0) for (const row of await this.inWholeSet(set, missing, signal)) note(row);
    }
    return held;
  }

  /**
   * Of these slots, those that an analyst or another instance holds, with their source. Few values are asked for; for
   * many the foreign rows are read, unless they are more.
   */
  async others(slots: readonly string[], sets: HeldSets, signal: AbortSignal): Promise<Map<string, string>> {
    const wanted = new Set(slots);
    const others = new Map<string, string>();
    const asks = [...Map.groupBy(wanted, suffixOf)].flatMap(([suffix, some]) => {
      const set = sets.get(suffix);
      return set === undefined ? [] : [{ set, chunks: this.#chunks(some.map(storedOf)) }];
    });
    if (asks.length === 0) return others;
    const byId = new Map(asks.map(({ set }) => [set.id, set]));
    const note = (rows: readonly EntryRow[], known?: HeldSet): void => {
      for (const row of rows) {
        const set = known ?? byId.get(row.collection_id ?? 0);
        const slot = `${set?.kind.suffix}|${row.value}`;
        if (set !== undefined && wanted.has(slot) && !isOurs(row, this.owner)) others.set(slot, row.source ?? 'nobody');
      }
    };
    const foreign = `source != "${this.owner}"`;
    const questions = asks.flatMap(({ set, chunks }) => chunks?.map((chunk) => ({ set, chunk })) ?? []);
    const askable = asks.every(({ chunks }) => chunks !== undefined);
    const ask = async ({ set, chunk }: (typeof questions)[number]): Promise<void> => {
      const filter = `collection_id = ${set.id} and value in (${chunk}) and ${foreign}`;
      for await (const rows of this.#pages(filter, signal, set.element)) note(rows, set);
    };
    if (!askable || questions.length > FEW_QUESTIONS) {
      const filter = `collection_id in (${[...byId.keys()].join(', ')}) and ${foreign}`;
      for await (const { rows, left } of this.#steps(filter, signal)) {
        note(rows);
        if (askable && left / PAGE > questions.length) break;
        if (left === 0) return others;
      }
      if (!askable) return others;
    }
    await eachOf(questions, READS_AT_ONCE, ask);
    return others;
  }

  async countOthers(sets: readonly HeldSet[], signal: AbortSignal): Promise<number> {
    if (sets.length === 0) return 0;
    let count = 0;
    const filter = `collection_id in (${sets.map((set) => set.id).join(', ')}) and source != "${this.owner}"`;
    for await (const rows of this.#pages(filter, signal))
      count += rows.filter((row) => !isOurs(row, this.owner)).length;
    return count;
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
    return this.#valued(control, `writer ${this.owner}`, signal);
  }

  /** The value names its owner, so whatever the console wrote into `source`, this is it. */
  async #valued(set: HeldSet, value: string, signal: AbortSignal): Promise<EntryRow | undefined> {
    for await (const rows of this.#pages(`collection_id = ${set.id} and value = "${value}"`, signal)) {
      const row = rows.find((one) => one.value === value);
      if (row !== undefined) return row;
    }
    return undefined;
  }

  /**
   * IBM's pages say that a query is decoded twice, and give examples that are encoded once. A value that reads
   * otherwise after a second decoding tells which this console does; where it is not found, no filter is asked for
   * such values.
   */
  async learnDecoding(control: HeldSet, signal: AbortSignal): Promise<void> {
    const asked = async (): Promise<boolean> => (await this.#valued(control, this.canary, signal)) !== undefined;
    let found = await asked();
    if (!found && (await this.readCanary(control, signal)) === undefined) {
      const notes = `${this.owner} shows how this console works`;
      await this.put(control, { value: this.canary, source: this.owner, notes }, signal);
      found = await asked();
    }
    if (!found)
      this.#deps.log.info('This console decodes queries twice; values with % or + are found by reading whole sets.', {
        siem: this.#deps.name,
      });
    this.#exact = found;
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

  /** Ids that are gone, and the first failure, after which nothing more is sent. */
  async deleteEach(
    ids: readonly number[],
    signal: AbortSignal,
  ): Promise<{ readonly gone: ReadonlySet<number>; readonly failed: ReadonlyMap<number, unknown> }> {
    const gone = new Set<number>();
    const failed = new Map<number, unknown>();
    await eachOf(ids, SINGLES_AT_ONCE, async (id) => {
      if (failed.size > 0) return;
      try {
        await this.#delete(id, signal);
        gone.add(id);
      } catch (error) {
        failed.set(id, error);
      }
    });
    return { gone, failed };
  }

  async deleteAll(ids: readonly number[], signal: AbortSignal): Promise<void> {
    const { failed } = await this.deleteEach(ids, signal);
    for (const error of failed.values()) throw error;
  }

  /** This endpoint produces plain text, so it must not be asked for JSON. 404: it is gone, as wanted. */
  async #delete(id: number, signal: AbortSignal): Promise<void> {
    const path = `${ROOT}/set_entries/${id}`;
    const { status } = await this.#client.call({ method: 'DELETE', path, accept: '*/*', allow: [404], signal });
    // QRadar says 204. Anything else may be a gateway's, so it is looked for.
    if (status === 204 || status === 404 || (await this.#client.call({ path, allow: [404], signal })).status === 404)
      return;
    throw configFailure(
      `${this.#deps.name}: a removal was answered with ${status}, which QRadar does not say, and the entry stands there still; look at what stands between`,
      { status, uncertain: true, code: 'strange_answer' },
    );
  }

  /** What stands in the control set under the canary's value; by reading the set, since no filter may find it. */
  async readCanary(control: HeldSet, signal: AbortSignal): Promise<EntryRow | undefined> {
    for await (const rows of this.#pages(`collection_id = ${control.id}`, signal)) {
      const row = rows.find((one) => one.value === this.canary);
      if (row !== undefined) return row;
    }
    return undefined;
  }

  async *#pages(filter: string, signal: AbortSignal, entryType?: string): AsyncIterable<readonly EntryRow[]> {
    for await (const { rows } of this.#steps(filter, signal, entryType)) if (rows.length > 0) yield rows;
  }

  /**
   * In the order of ids, and on from the last one: rows that come and go meanwhile shift positions, never ids. `left`:
   * rows that are still to come, at least one where nobody said.
   */
  async *#steps(
    filter: string,
    signal: AbortSignal,
    entryType?: string,
  ): AsyncIterable<{ readonly rows: readonly EntryRow[]; readonly left: number }> {
    let unread = 0;
    for (let after = 0; ; ) {
      const { body, total } = await this.#client.call({
        path: `${ROOT}/set_entries`,
        query: {
          filter: `${filter} and id > ${after}`,
          sort: '+id',
          fields: FIELDS,
          ...(entryType === undefined ? {} : { entry_type: entryType }),
        },
        range: [0, PAGE - 1],
        signal,
      });
      const given = this.#client.parse(Rows, body, 'the list of entries');
      const rows = readable(EntryRow, given);
      unread += given.length - rows.length;
      const left = given.length === 0 ? 0 : total === undefined ? 1 : total - given.length;
      yield { rows: rows.filter((row) => (row.domain_id ?? undefined) === this.#config.domain_id), left };
      if (left <= 0) break;
      const last = Math.max(after, ...given.map(idOf));
      if (last === after)
        throw permanent(`${this.#deps.name}: QRadar lists entries of which none has an id that goes on from ${after}`);
      after = last;
    }
    if (unread > 0)
      this.#deps.log.warn('Rows in QRadar have another form than IBM documents; they are left alone.', {
        siem: this.#deps.name,
        rows: unread,
      });
  }

  /** Values as lists for a filter, each short enough for a URL. Undefined when one of them cannot be asked for. */
  #chunks(values: readonly string[]): readonly string[] | undefined {
    if (!this.#exact && values.some((value) => /[%+]/.test(value))) return undefined;
    return filterChunks(values);
  }
}

export const suffixOf = (slot: string): string => slot.slice(0, slot.indexOf('|'));
const storedOf = (slot: string): string => slot.slice(slot.indexOf('|') + 1);

function idOf(row: unknown): number {
  const id = typeof row === 'object' && row !== null && 'id' in row ? row.id : undefined;
  return typeof id === 'number' ? id : 0;
}

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
