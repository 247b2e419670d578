// Collections of one Splunk, kept as the engine asks. Splunk has no versions and no identity for a collection: the
// engine's in-flight rule stands for the first, a marker row inside each collection for the second.
import type { Batch } from '../../../core/contracts/batch.ts';
import { toFailure } from '../../../core/contracts/failure.ts';
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
import { Applying } from './applying.ts';
import { SplunkClient } from './client.ts';
import type { SplunkSettings } from './config.ts';
import { eventSource, keysOfRows, SplunkHits, threatSource } from './hits.ts';
import { collectionsOf } from './mapping.ts';
import { CONTROL } from './plans.ts';
import { probe } from './probe.ts';
import { findIntelApp, provision } from './provision.ts';
import { refuseWhileStarting } from './readiness.ts';
import { Rows } from './rows.ts';
import { ownerOf, prefixOf } from './settings.ts';
import { SplunkReading, SplunkVerdicts, verdictSource } from './verdicts.ts';

const DAY_MS = 86_400_000;
const WARN_DAYS = 14;

export class SplunkConnector implements SiemConnector {
  readonly #client: SplunkClient;
  readonly #config: SplunkSettings;
  readonly #deps: SiemDeps;
  readonly #owner: string;
  readonly #rows: Rows;
  readonly #applying: Applying;
  readonly hits?: SplunkReading;
  #intelApp: string | undefined;
  /** When the markers were last written, so that Enterprise Security does not forget them after 60 days. */
  #markersAt = 0;

  constructor(config: SplunkSettings, deps: SiemDeps) {
    const { form, event_search: events, ignore_hosts: ignored } = config;
    this.#client = new SplunkClient(config, deps);
    this.#config = config;
    this.#deps = deps;
    this.#owner = ownerOf(deps.instance);
    this.#rows = new Rows(this.#client, this.#owner, form, deps);
    this.#applying = new Applying(this.#client, this.#rows, this.#owner, form, deps);
    const source =
      form === 'threat_intel'
        ? threatSource(config, this.#rows, (signal) => this.#app(signal), this.#owner)
        : events && eventSource(events, ignored);
    const hits = source && new SplunkHits(this.#client, config.app, source, deps);
    const verdicts = this.#verdicts();
    if (hits !== undefined || verdicts !== undefined) this.hits = new SplunkReading(hits, verdicts);
  }

  #verdicts(): SplunkVerdicts | undefined {
    if (this.#config.false_positive_dispositions.length === 0) return undefined;
    const keysOf = async (named: readonly string[], signal: AbortSignal) =>
      keysOfRows(this.#rows, await this.#app(signal), this.#owner, named, signal);
    const source = verdictSource(this.#config, this.#owner, keysOf);
    return new SplunkVerdicts(this.#client, this.#config.app, source, this.#deps);
  }

  async probe(signal: AbortSignal): Promise<Probe> {
    try {
      const asked = {
        client: this.#client,
        config: this.#config,
        deps: this.#deps,
        owner: this.#owner,
        hits: this.hits,
      };
      const said = await probe(asked, () => this.#app(signal), signal);
      return { ok: true, message: `${said}${this.#tokenNote()}` };
    } catch (error) {
      const failure = toFailure(error);
      return { ok: false, message: failure.message, failure };
    }
  }

  async open(signal: AbortSignal): Promise<{ facts: Json; containers: readonly Container[] }> {
    const { version, kvStore } = await this.#client.serverInfo(signal);
    refuseWhileStarting(this.#deps.name, kvStore);
    const created = await provision(this.#client, this.#config, this.#deps, this.#config.provision !== 'never', signal);
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
    const key = this.#writerKey();
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

  async leave(signal: AbortSignal): Promise<{ removed: number; stays: readonly string[] }> {
    const app = await this.#app(signal);
    let removed = 0;
    const drop = async (collection: string, key: string, there: boolean) => {
      if (there) removed += await this.#client.remove(collection, [key], undefined, signal);
    };
    for (const { name } of await this.containers(signal)) await drop(`${app}/${name}`, this.#markerKey(), true);
    const control = `${this.#config.app}/${CONTROL}`;
    await drop(control, this.#writerKey(), (await this.#client.mark(control, this.#writerKey(), signal)) !== undefined);
    const own =
      this.#config.form === 'lookups'
        ? `the app ${this.#config.app} with its empty collections and lookups`
        : `the collection ${control}`;
    return { removed, stays: [own] };
  }

  #writerKey(): string {
    return `${prefixOf(this.#owner)}-writer-${this.#config.form}`;
  }

  async apply(batch: Batch, signal: AbortSignal): Promise<readonly Outcome[]> {
    return this.#applying.apply(batch, await this.#app(signal), signal);
  }

  async *list(
    filter: { readonly slots?: readonly string[] },
    signal: AbortSignal,
  ): AsyncIterable<readonly OwnedEntry[]> {
    const app = await this.#app(signal);
    if (filter.slots === undefined) yield* this.#rows.all(app, this.#collections(), signal);
    else yield* this.#rows.some(app, filter.slots, signal);
  }

  /** In our own collections only: Enterprise Security's are full of other feeds, and Splunk cannot count. */
  async foreign(signal: AbortSignal): Promise<number | undefined> {
    if (this.#config.form === 'threat_intel') return undefined;
    let count = 0;
    for (const name of this.#collections()) count += await this.#rows.foreign(`${this.#config.app}/${name}`, signal);
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
    return `${prefixOf(this.#owner)}-0generation`;
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

  #tokenNote(): string {
    const expires = this.#client.tokenExpires();
    if (expires === undefined) return '';
    const days = (expires - this.#deps.clock.now()) / DAY_MS;
    if (days > WARN_DAYS) return '';
    return days <= 0 ? '; the token has expired' : `; the token expires on ${new Date(expires).toISOString()}`;
  }
}
