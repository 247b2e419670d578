// Collections of one Splunk, kept as the engine asks. Splunk has no versions and no identity for a collection: the
// engine's in-flight rule stands for the first, a marker row inside each collection for the second.
import type { Batch } from '../../../core/contracts/batch.ts';
import { configFailure, ConnectorError, retryable, toFailure } from '../../../core/contracts/failure.ts';
import type {
  Container,
  Outcome,
  OwnedEntry,
  Probe,
  SiemConnector,
  SiemDeps,
  WriterMark,
} from '../../../core/contracts/siem-connector.ts';
import type { Json } from '../../../core/model/json.ts';
import { uuid } from '../../../core/runtime/ids.ts';
import { SplunkClient } from './client.ts';
import type { SplunkSettings } from './config.ts';
import { keyPrefix, ownerOf } from './settings.ts';
import { eventSource, SplunkHits, threatSource } from './hits.ts';
import { collectionOfSlot, collectionsOf, ownedEntry } from './mapping.ts';
import { CONTROL, findIntelApp, provision } from './provision.ts';
import type { OwnRow } from './responses.ts';

const PAGE = 5000;
const KEYS_PER_QUERY = 500;
const DAY_MS = 86_400_000;
const WARN_DAYS = 14;
const CREATES_APPS = ['edit_local_apps', 'install_apps', 'admin_all_objects'];

export class SplunkConnector implements SiemConnector {
  readonly #client: SplunkClient;
  readonly #config: SplunkSettings;
  readonly #deps: SiemDeps;
  readonly #owner: string;
  readonly #prefix: string;
  readonly hits?: SplunkHits;
  #intelApp: string | undefined;
  /** When the markers were last written, so that Enterprise Security does not forget them after 60 days. */
  #markersAt = 0;

  constructor(config: SplunkSettings, deps: SiemDeps) {
    this.#client = new SplunkClient(config, deps);
    this.#config = config;
    this.#deps = deps;
    this.#owner = ownerOf(deps.instance);
    this.#prefix = keyPrefix(deps.instance);
    const { form, event_search: events, ignore_hosts: ignored } = config;
    const source =
      form === 'threat_intel'
        ? threatSource(config, this.#client, (signal) => this.#app(signal), deps.instance)
        : events && eventSource(events, ignored);
    if (source !== undefined) this.hits = new SplunkHits(this.#client, config.app, source, deps);
  }

  async probe(signal: AbortSignal): Promise<Probe> {
    try {
      const info = await this.#client.serverInfo(signal);
      this.#refuseWhileStarting(info.kvStore);
      const app = await this.#app(signal);
      const missing = await this.#missing(app, this.#collections(), signal);
      if (missing.length > 0 && this.#config.form === 'threat_intel') {
        throw configFailure(
          `${this.#deps.name}: ${missing.join(', ')} missing in app ${app}; install Enterprise Security`,
        );
      }
      missing.push(...(await this.#missing(this.#config.app, [CONTROL], signal)));
      if (missing.length > 0) await this.#probeCreation(missing, signal);
      const made = missing.length > 0 ? `; ${missing.length} collections will be created` : '';
      return { ok: true, message: `Splunk ${info.version}, app ${app}${made}${this.#tokenNote()}` };
    } catch (error) {
      const failure = toFailure(error);
      return { ok: false, message: failure.message, failure };
    }
  }

  async open(signal: AbortSignal): Promise<{ facts: Json; containers: readonly Container[] }> {
    const { version, kvStore } = await this.#client.serverInfo(signal);
    this.#refuseWhileStarting(kvStore);
    const created = await provision(
      this.#client,
      this.#config,
      this.#deps.name,
      this.#config.provision !== 'never',
      signal,
    );
    if (created.length > 0) this.#deps.log.info('Created what was missing in Splunk.', { created: created.length });
    this.#intelApp = undefined;
    await this.#app(signal);
    const note = this.#tokenNote();
    if (this.hits === undefined) this.#deps.log.info('No hits are read from this Splunk: event_search is not set.');
    if (note !== '') this.#deps.log.warn('The Splunk token ends soon; renew it.', { ends: note.slice(2) });
    return { facts: { version }, containers: await this.#markContainers(signal) };
  }

  async containers(signal: AbortSignal): Promise<readonly Container[]> {
    const app = await this.#app(signal);
    const found: Container[] = [];
    for (const name of this.#collections()) {
      const identity = await this.#client.generation(`${app}/${name}`, this.#markerKey(), signal);
      if (identity !== undefined) found.push({ name, identity });
    }
    return found;
  }

  async writer(mine: WriterMark | undefined, signal: AbortSignal): Promise<WriterMark | undefined> {
    const key = `${this.#prefix}-writer-${this.#config.form}`;
    const collection = `${this.#config.app}/${CONTROL}`;
    const seen = await this.#client.mark(collection, key, signal);
    if (mine !== undefined) {
      const { revision, ...rest } = mine;
      const document = { _key: key, owner: this.#owner, ...rest, mark_revision: String(revision) };
      await this.#client.batchSave(collection, Buffer.from(JSON.stringify([document])), 1, signal);
      if (this.#deps.clock.now() - this.#markersAt > DAY_MS) await this.#markContainers(signal, 'known');
    }
    return seen;
  }

  async apply(batch: Batch, signal: AbortSignal): Promise<readonly Outcome[]> {
    const app = await this.#app(signal);
    const outcomes: Outcome[] = [];
    for (const [collection, { upserts, removals }] of this.#byCollection(batch, app)) {
      if (upserts.length > 0) {
        const saved = await this.#client.batchSave(collection, listOf(upserts, batch), upserts.length, signal);
        for (const i of upserts) outcomes.push(this.#saved(batch.changes[i]!, saved));
      }
      if (removals.length > 0) {
        const slots = removals.map((i) => batch.changes[i]!.slot);
        await this.#client.remove(collection, slots, this.#owner, signal);
        for (const i of removals) outcomes.push({ key: batch.changes[i]!.key, kind: 'applied' });
      }
    }
    return outcomes;
  }

  async *list(
    filter: { readonly slots?: readonly string[] },
    signal: AbortSignal,
  ): AsyncIterable<readonly OwnedEntry[]> {
    const app = await this.#app(signal);
    if (filter.slots !== undefined) return yield* this.#listSlots(app, filter.slots, signal);
    for (const name of this.#collections()) {
      // A read is cut without a word at the server's limits, so only an empty page is the end.
      let after = '';
      for (;;) {
        const rows = await this.#rows(`${app}/${name}`, after, signal);
        if (rows.length === 0) break;
        after = rows.at(-1)!._key;
        const entries = this.#entries(rows);
        if (entries.length > 0) yield entries;
      }
    }
  }

  /** In our own collections only: Enterprise Security's are full of other feeds, and Splunk cannot count. */
  async foreign(signal: AbortSignal): Promise<number | undefined> {
    if (this.#config.form === 'threat_intel') return undefined;
    let count = 0;
    for (const name of this.#collections()) {
      for (let after = ''; ; ) {
        const collection = `${this.#config.app}/${name}`;
        const rows = await this.#missingAs([], this.#client.foreignPage(collection, this.#owner, after, signal));
        if (rows.length === 0) break;
        // Another instance's marker is no entry.
        count += rows.filter((row) => row['generation'] === undefined).length;
        after = rows.at(-1)!._key;
      }
    }
    return count;
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  #collections(): readonly string[] {
    return collectionsOf(this.#config.form);
  }

  async #app(signal: AbortSignal): Promise<string> {
    if (this.#config.form === 'lookups') return this.#config.app;
    this.#intelApp ??= await findIntelApp(this.#client, this.#config, this.#deps.name, signal);
    return this.#intelApp;
  }

  #markerKey(): string {
    return `${this.#prefix}-0generation`;
  }

  /** Writes a marker where there is none, and renews the others' age. `known` = leaves collections without one alone. */
  async #markContainers(signal: AbortSignal, which: 'all' | 'known' = 'all'): Promise<readonly Container[]> {
    const app = await this.#app(signal);
    const known = new Map((await this.containers(signal)).map((one) => [one.name, one.identity]));
    const marked: Container[] = [];
    for (const name of this.#collections()) {
      if (which === 'known' && !known.has(name)) continue;
      const identity = known.get(name) ?? uuid();
      const marker = {
        _key: this.#markerKey(),
        owner: this.#owner,
        generation: identity,
        // Without a value a marker matches nothing; in a threat collection it is switched off as well.
        ...(this.#config.form === 'lookups'
          ? {}
          : { threat_key: this.#owner, time: this.#deps.clock.now() / 1000, disabled: true }),
      };
      await this.#client.batchSave(`${app}/${name}`, Buffer.from(JSON.stringify([marker])), 1, signal);
      marked.push({ name, identity });
    }
    this.#markersAt = this.#deps.clock.now();
    return marked;
  }

  #byCollection(batch: Batch, app: string): Map<string, { upserts: number[]; removals: number[] }> {
    const groups = new Map<string, { upserts: number[]; removals: number[] }>();
    batch.changes.forEach((change, i) => {
      const name = collectionOfSlot(change.slot, this.#config.form);
      // Slots come from our own slot(); another one means that the settings changed under a running batch.
      if (name === undefined || !change.slot.startsWith(`${this.#prefix}-`)) {
        throw new ConnectorError('bug', `${this.#deps.name}: slot ${change.slot} is not one of this instance`);
      }
      const group = groups.get(`${app}/${name}`) ?? { upserts: [], removals: [] };
      groups.set(`${app}/${name}`, group);
      (change.op === 'upsert' ? group.upserts : group.removals).push(i);
    });
    return groups;
  }

  #saved(change: Batch['changes'][number], saved: ReadonlySet<string>): Outcome {
    if (saved.has(change.slot)) return { key: change.key, kind: 'applied' };
    const message = `${this.#deps.name}: Splunk took the batch but does not name this row; it is sent again`;
    return { key: change.key, kind: 'failed', failure: { kind: 'retryable', message } };
  }

  async #rows(collection: string, after: string, signal: AbortSignal): Promise<readonly OwnRow[]> {
    return this.#missingAs([], this.#client.page(collection, this.#owner, after, PAGE, signal));
  }

  async *#listSlots(app: string, slots: readonly string[], signal: AbortSignal): AsyncIterable<readonly OwnedEntry[]> {
    for (const name of this.#collections()) {
      const here = slots.filter((slot) => collectionOfSlot(slot, this.#config.form) === name);
      for (let at = 0; at < here.length; at += KEYS_PER_QUERY) {
        let asked = here.slice(at, at + KEYS_PER_QUERY);
        while (asked.length > 0) {
          const rows = await this.#missingAs([], this.#client.find(`${app}/${name}`, this.#owner, asked, signal));
          if (rows.length === 0) break;
          yield this.#entries(rows);
          // The answer may have been cut: what was not in it is asked for once more.
          const seen = new Set(rows.map((row) => row._key));
          const left = asked.filter((slot) => !seen.has(slot));
          if (left.length === asked.length) break;
          asked = left;
        }
      }
    }
  }

  #entries(rows: readonly OwnRow[]): readonly OwnedEntry[] {
    return rows.flatMap((row) => ownedEntry(row, this.#owner) ?? []);
  }

  async #missingAs<T>(value: T, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof ConnectorError && error.status === 404) return value;
      throw error;
    }
  }

  /** Names of collections that are not there; throws for one that we may not write to. */
  async #missing(app: string, names: readonly string[], signal: AbortSignal): Promise<string[]> {
    const missing: string[] = [];
    for (const name of names) {
      const path = `/servicesNS/nobody/${encodeURIComponent(app)}/storage/collections/config/${name}`;
      const found = await this.#client.entity(path, signal);
      if (found === undefined) missing.push(name);
      else if (found.acl?.can_write === false) throw this.#noWrite(`collection ${name} in app ${app}`);
    }
    return missing;
  }

  async #probeCreation(missing: readonly string[], signal: AbortSignal): Promise<void> {
    const { app } = this.#config;
    if (this.#config.provision === 'never') {
      throw configFailure(
        `${this.#deps.name}: ${missing.join(', ')} missing in app ${app} and provision is never; install content/splunk/entente`,
      );
    }
    const found = await this.#client.entity(`/services/apps/local/${encodeURIComponent(app)}`, signal);
    if (found?.acl?.can_write === false) throw this.#noWrite(`app ${app}`);
    if (found !== undefined) return;
    const may = await this.#client.capabilities(signal);
    if (may !== undefined && !CREATES_APPS.some((one) => may.includes(one))) {
      throw configFailure(
        `${this.#deps.name}: app ${app} is missing and the account may not create it; install content/splunk/entente`,
      );
    }
  }

  #noWrite(what: string): ConnectorError {
    return configFailure(
      `${this.#deps.name}: the account may not write to ${what}; give it the rights listed in the README of the Splunk connector`,
    );
  }

  #refuseWhileStarting(kvStore: string | undefined): void {
    if (kvStore === undefined || kvStore === 'ready') return;
    const why = `the KV store is ${kvStore}`;
    if (kvStore === 'failed' || kvStore === 'disabled') {
      throw configFailure(`${this.#deps.name}: ${why}; see kvstore/status on that server`);
    }
    throw retryable(`${this.#deps.name}: ${why}; it is asked again`, { uncertain: false });
  }

  #tokenNote(): string {
    const expires = this.#client.tokenExpires();
    if (expires === undefined) return '';
    const days = (expires - this.#deps.clock.now()) / DAY_MS;
    if (days > WARN_DAYS) return '';
    return days <= 0 ? '; the token has expired' : `; the token expires on ${new Date(expires).toISOString()}`;
  }
}

/** Frames are JSON documents; a list of them needs commas only. */
function listOf(rows: readonly number[], batch: Batch): Buffer {
  const parts: Buffer[] = [];
  rows.forEach((i, at) => {
    parts.push(at === 0 ? OPEN : COMMA, batch.frame(i));
  });
  parts.push(CLOSE);
  return Buffer.concat(parts);
}

const OPEN = Buffer.from('[');
const COMMA = Buffer.from(',');
const CLOSE = Buffer.from(']');
