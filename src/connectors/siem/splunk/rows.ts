// Reads rows of collections and tells which entries of ours they hold. One row that cannot be read is left out and
// counted; it never ends the reading of the others.
import type { OwnedEntry, SiemDeps } from '../../../core/contracts/siem-connector.ts';
import type { SplunkClient } from './client.ts';
import { collectionOfSlot } from './mapping.ts';
import { isSlot, type Mark, markOf, ownedEntry, VALUE_FIELDS } from './ownership.ts';
import { isMissing, type OwnRow } from './responses.ts';
import type { Form } from './settings.ts';

const PAGE = 5000;
const KEYS_PER_QUERY = 500;

export class Rows {
  readonly #client: SplunkClient;
  readonly #owner: string;
  readonly #form: Form;
  readonly #deps: SiemDeps;

  constructor(client: SplunkClient, owner: string, form: Form, deps: SiemDeps) {
    this.#client = client;
    this.#owner = owner;
    this.#form = form;
    this.#deps = deps;
  }

  /** Everything of ours. A read is cut without a word at the server's limits, so only an empty page is the end. */
  async *all(app: string, names: readonly string[], signal: AbortSignal): AsyncIterable<readonly OwnedEntry[]> {
    let unreadable = 0;
    for (const name of names) {
      const collection = `${app}/${name}`;
      for (let after = ''; ; ) {
        const rows = await missingAs([], this.#client.page(collection, this.#owner, after, PAGE, signal));
        if (rows.length === 0) break;
        after = rows.at(-1)!._key;
        const read = await this.#entries(collection, rows, signal);
        unreadable += read.unreadable;
        if (read.entries.length > 0) yield read.entries;
      }
    }
    this.#tell(unreadable);
  }

  async *some(app: string, slots: readonly string[], signal: AbortSignal): AsyncIterable<readonly OwnedEntry[]> {
    let unreadable = 0;
    for (const [name, here] of Map.groupBy(slots, (slot) => collectionOfSlot(slot, this.#form))) {
      if (name === undefined) continue;
      const collection = `${app}/${name}`;
      for (let at = 0; at < here.length; at += KEYS_PER_QUERY) {
        const rows = await this.#under(collection, here.slice(at, at + KEYS_PER_QUERY), signal);
        const read = await this.#entries(collection, rows, signal);
        unreadable += read.unreadable;
        if (read.entries.length > 0) yield read.entries;
      }
    }
    this.#tell(unreadable);
  }

  /** Of these slots, those whose rows lost our mark and are ours all the same, with what tells so. */
  async unmarked(collection: string, slots: readonly string[], signal: AbortSignal): Promise<Map<string, Mark>> {
    const found = new Map<string, Mark>();
    for (let at = 0; at < slots.length; at += KEYS_PER_QUERY) {
      for (const row of await this.#under(collection, slots.slice(at, at + KEYS_PER_QUERY), signal)) {
        const mark = markOf(row, this.#owner);
        if (mark === 'threat_key' || mark === 'key') found.set(row._key, mark);
      }
    }
    return found;
  }

  /** Rows of others in a collection of our own. Another instance's marker is no entry. */
  async foreign(collection: string, signal: AbortSignal): Promise<number> {
    let count = 0;
    for (let after = ''; ; ) {
      const rows = await missingAs([], this.#client.foreignPage(collection, this.#owner, after, signal));
      if (rows.length === 0) return count;
      count += rows.filter((row) => row['generation'] === undefined && markOf(row, this.#owner) === undefined).length;
      after = rows.at(-1)!._key;
    }
  }

  /** The answer may have been cut: what was not in it is asked for once more. */
  async #under(collection: string, slots: readonly string[], signal: AbortSignal): Promise<OwnRow[]> {
    const all: OwnRow[] = [];
    for (let asked = slots; asked.length > 0; ) {
      const rows = await missingAs([], this.#client.find(collection, asked, signal));
      const seen = new Set(rows.map((row) => row._key));
      const left = asked.filter((slot) => !seen.has(slot));
      all.push(...rows);
      if (left.length === asked.length) break;
      asked = left;
    }
    return all;
  }

  async #entries(collection: string, rows: readonly OwnRow[], signal: AbortSignal): Promise<Read> {
    const entries: OwnedEntry[] = [];
    const lost: OwnRow[] = [];
    for (const row of rows) {
      const entry = ownedEntry(row, this.#owner);
      if (entry !== undefined) entries.push(entry);
      else if (isSlot(row._key, this.#owner) && markOf(row, this.#owner) !== undefined) lost.push(row);
    }
    // The value itself tells what a row is about, where entry_key does not any more.
    const values = new Map<string, OwnRow>();
    for (let at = 0; at < lost.length; at += KEYS_PER_QUERY) {
      const keys = lost.slice(at, at + KEYS_PER_QUERY).map((row) => row._key);
      for (const row of await this.#client.find(collection, keys, signal, VALUE_FIELDS)) values.set(row._key, row);
    }
    let unreadable = 0;
    for (const row of lost) {
      const entry = ownedEntry({ ...values.get(row._key), ...row }, this.#owner);
      if (entry !== undefined) entries.push({ ...entry, revision: 0 });
      else unreadable += 1;
    }
    return { entries, unreadable };
  }

  #tell(rows: number): void {
    if (rows === 0) return;
    this.#deps.log.warn('Rows of ours cannot be read and are left out; somebody changed them.', { rows });
  }
}

interface Read {
  readonly entries: readonly OwnedEntry[];
  readonly unreadable: number;
}

async function missingAs<T>(value: T, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (isMissing(error)) return value;
    throw error;
  }
}
