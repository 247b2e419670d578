// The exchange as core sees it: pages and a listing over all selected collections.
import type { ExchangeConnector, ExchangeDeps, ListingPart, Page } from '../../../core/contracts/exchange-connector.ts';
import type { Probe } from '../../../core/contracts/siem-connector.ts';
import type { IncomingObject, ObjectRefusal } from '../../../core/model/entry.ts';
import type { Json } from '../../../core/model/json.ts';
import { ConnectorError, permanent, toFailure } from '../../../core/model/failure.ts';
import { oneAhead } from './ahead.ts';
import { TaxiiClient } from './client.ts';
import { accountOf, type Taxii21Config } from './config.ts';
import { cursorJson, placeOf, readCursor, withPlace } from './cursor.ts';
import { readManifest } from './manifest.ts';
import type { Read } from './objects.ts';
import { Envelope } from './responses.ts';
import { collectionUrl, findRoot, type Root, selectCollections, slashed } from './roots.ts';
import { readCollection, type RunContext, type Step } from './run.ts';
import { TaxiiReports } from './send.ts';
import { versionOf } from './time.ts';

/** Keeps one commit small when a server ignores `limit`. */
const MAX_PAGE = 1_000;

export interface Caps {
  readonly pages: number;
  readonly bytes: number;
}
const CAPS: Caps = { pages: 10_000, bytes: 16 * 1024 ** 3 };

export class Taxii21Connector implements ExchangeConnector {
  readonly #config: Taxii21Config;
  readonly #deps: ExchangeDeps;
  readonly #caps: Caps;
  readonly #client: TaxiiClient;
  readonly #reports: TaxiiReports | undefined;
  readonly send?: NonNullable<ExchangeConnector['send']>;
  readonly settle?: NonNullable<ExchangeConnector['settle']>;
  #root: Root | undefined;

  constructor(config: Taxii21Config, deps: ExchangeDeps, caps: Caps = CAPS) {
    this.#config = config;
    this.#deps = deps;
    this.#caps = caps;
    this.#client = new TaxiiClient(config, deps);
    const reports = TaxiiReports.of(config, deps);
    this.#reports = reports;
    if (reports === undefined) return;
    this.send = (sightings, signal) => reports.send(sightings, signal);
    this.settle = (receipt, posted, signal) => reports.settle(receipt, posted, signal);
  }

  async probe(signal: AbortSignal): Promise<Probe> {
    try {
      const root = await this.#findRoot(signal);
      const selection = await this.#select(root, signal);
      for (const collection of selection.readable) {
        const what = `the collection ${collection.title ?? collection.id}`;
        try {
          await this.#client.get(collectionUrl(root, collection.id, 'objects/'), what, Envelope, signal, { limit: 1 });
        } catch (error) {
          // 404 may mean empty; the list just said that it is there.
          if (!(error instanceof ConnectorError) || error.status !== 404) throw error;
        }
      }
      const [failure] = selection.failures;
      if (failure !== undefined) throw failure;
      const names = selection.readable.map((one) => `${one.title ?? one.id} (${one.id})`);
      const reports = this.#reports === undefined ? '' : `; ${await this.#reports.probe(signal)}`;
      return { ok: true, message: `TAXII 2.1, API root "${root.title}"; reads ${names.join(', ')}${reports}` };
    } catch (error) {
      const failure = toFailure(error);
      return { ok: false, message: failure.message, failure };
    }
  }

  async *pages(cursor: Json | undefined, signal: AbortSignal): AsyncGenerator<Page, void, undefined> {
    const stop = new AbortController();
    yield* oneAhead(this.#read(cursor, AbortSignal.any([signal, stop.signal])), stop);
  }

  async *listing(signal: AbortSignal): AsyncGenerator<ListingPart, void, undefined> {
    const root = await this.#findRoot(signal);
    const { readable, failures } = await this.#select(root, signal);
    const [failure] = failures;
    // Nothing may be read at all: whoever asked for a listing must learn of it.
    if (failure !== undefined && readable.length === 0) throw failure;
    for (const collection of readable) {
      const reading = {
        client: this.#client,
        url: collectionUrl(root, collection.id, 'manifest/'),
        what: `the manifest of the collection ${collection.title ?? collection.id}`,
        who: this.#who,
        limit: this.#config.page_size,
        maxPages: this.#caps.pages,
        signal,
      };
      try {
        for await (const page of readManifest(reading)) {
          const present = page.entries.map((one) => ({ objectId: one.id, version: versionOf(one.version ?? '') }));
          yield { scope: collection.id, present, complete: page.last };
        }
      } catch (error) {
        if (!(error instanceof ConnectorError) || concernsAll(error, signal)) throw error;
        yield {
          scope: collection.id,
          present: [],
          complete: false,
          failure: toFailure(this.#unlisted(error, collection)),
        };
      }
    }
  }

  #unlisted(error: ConnectorError, { title, id }: { title?: string | undefined; id: string }): ConnectorError {
    if (error.status !== 404) return error;
    return permanent(
      `${this.#who}: the server has no manifest for the collection ${title ?? id} (404), so objects that vanished there can't be found; leave vanished at keep`,
      { cause: error, status: 404 },
    );
  }

  async close(): Promise<void> {
    this.#reports?.close();
    this.#client.close();
  }

  /** A collection that fails does not keep the others from being read; its failure comes last. */
  async *#read(json: Json | undefined, signal: AbortSignal): AsyncGenerator<Page, void, undefined> {
    let cursor = readCursor(json);
    let told = JSON.stringify(cursorJson(cursor));
    const root = await this.#findRoot(signal);
    const selection = await this.#select(root, signal);
    const failures = [...selection.failures];
    for (const collection of selection.readable) {
      const now = this.#deps.clock.now();
      const context: RunContext = {
        client: this.#client,
        root,
        collection,
        who: this.#who,
        pageSize: this.#config.page_size,
        start: this.#config.start,
        caps: this.#caps,
        serverNow: selection.serverNow ?? now,
        now,
        signal,
      };
      const place = placeOf(cursor, root.url.href, collection.id, accountOf(this.#config));
      try {
        for await (const step of readCollection(place, context)) {
          const before = cursorJson(withPlace(cursor, step.before));
          cursor = withPlace(cursor, step.after);
          const after = cursorJson(cursor);
          // Without news only a true end is worth a commit, and only if it moves the cursor.
          const ends = step.after.resume === undefined && JSON.stringify(after) !== told;
          if (step.read.length === 0 && step.warnings.length === 0 && !ends) continue;
          yield* pagesOf(step, collection.id, before, after);
          told = JSON.stringify(after);
        }
      } catch (error) {
        if (!(error instanceof ConnectorError) || concernsAll(error, signal)) throw error;
        failures.push(error);
      }
    }
    const [failure] = failures;
    if (failure !== undefined) throw failure;
  }

  async #findRoot(signal: AbortSignal): Promise<Root> {
    this.#root ??= await findRoot(this.#client, this.#config.url, this.#who, signal);
    return this.#root;
  }

  async #select(root: Root, signal: AbortSignal): ReturnType<typeof selectCollections> {
    try {
      return await selectCollections(this.#client, root, this.#config.collections, this.#who, signal);
    } catch (error) {
      // The root may have moved; a discovery is asked again at the next poll.
      if (root.url.href !== slashed(this.#config.url).href) this.#root = undefined;
      throw error;
    }
  }

  get #who(): string {
    return `exchange ${this.#deps.name}`;
  }
}

/** Wrong credentials and a limit of requests concern the whole server, whichever collection they were met at. */
function concernsAll(error: ConnectorError, signal: AbortSignal): boolean {
  return error.status === 401 || error.status === 429 || signal.aborted;
}

/** One answer as pages of bounded size. Only the last moves the cursor. */
function* pagesOf(step: Step, scope: string, before: Json, after: Json): Generator<Page, void, undefined> {
  const count = Math.max(1, Math.ceil(step.read.length / MAX_PAGE));
  for (let i = 0; i < count; i++) {
    const last = i === count - 1;
    const warning = last && step.warnings.length > 0 ? { warning: step.warnings.join('; ') } : {};
    yield {
      scope,
      ...split(step.read.slice(i * MAX_PAGE, (i + 1) * MAX_PAGE)),
      cursor: last ? after : before,
      ...warning,
    };
  }
}

function split(read: readonly Read[]): Pick<Page, 'objects' | 'refusals'> {
  const objects: IncomingObject[] = [];
  const refusals: ObjectRefusal[] = [];
  for (const one of read) {
    if (one.kind === 'object') objects.push(one.object);
    else refusals.push(one.refusal);
  }
  return { objects, refusals };
}
