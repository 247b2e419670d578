// The exchange as core sees it: pages and a listing over all selected collections.
import type {
  ExchangeConnector,
  ExchangeDeps,
  ListingPart,
  Page,
  Reading,
  ScopeName,
} from '../../../core/contracts/exchange-connector.ts';
import type { Probe } from '../../../core/contracts/siem-connector.ts';
import type { IncomingObject, ObjectRefusal } from '../../../core/model/entry.ts';
import type { Json } from '../../../core/model/json.ts';
import { ConnectorError, permanent, toFailure } from '../../../core/model/failure.ts';
import { oneAhead } from '../../../core/runtime/ahead.ts';
import { spelledId } from '../../../core/stix/raw.ts';
import { TaxiiClient } from './client.ts';
import { accountOf, type Taxii21Config } from './config.ts';
import { type Cursor, cursorJson, type Place, placeOf, readCursor, withPlace } from './cursor.ts';
import { readManifest } from './manifest.ts';
import { type Read, readObjects } from './objects.ts';
import { smaller, tooLarge, wordsOf } from './page-size.ts';
import type { Collection } from './responses.ts';
import { collectionUrl, findRoot, type Root, selectCollections, slashed } from './roots.ts';
import type { RunContext } from './run-context.ts';
import { readCollection, type Step } from './run.ts';
import { TaxiiReports } from './send.ts';
import { inTurns } from './turns.ts';
import { versionOf } from './time.ts';

/** A collection that is silent for so long is overtaken by the next. */
const OVERTAKE_MS = 2_000;
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
      const problems = selection.unreadable.map((one) => one.error);
      const names: string[] = [];
      for (const collection of selection.readable) {
        const name = `${collection.title ?? collection.id} (${collection.id})`;
        try {
          const size = await this.#firstPage(root, collection, signal);
          names.push(size < this.#config.page_size ? `${name}, in pages of at most ${size}` : name);
        } catch (error) {
          // What was answered is told of each: who sets a partner up asks for all that is missing at once.
          if (!(error instanceof ConnectorError) || (concernsAll(error, signal) && error.status === undefined))
            throw error;
          problems.push(error);
        }
      }
      const [failure] = problems;
      if (failure !== undefined) {
        const message = [...new Set(problems.map((one) => one.message))].join('; ');
        return { ok: false, message, failure: { ...toFailure(failure), message } };
      }
      const reports = this.#reports === undefined ? '' : `; ${await this.#reports.probe(signal)}`;
      const odd = selection.notes.length === 0 ? '' : `; ${selection.notes.join('; ')}`;
      return { ok: true, message: `TAXII 2.1, API root "${root.title}"; reads ${names.join(', ')}${reports}${odd}` };
    } catch (error) {
      const failure = toFailure(error);
      return { ok: false, message: failure.message, failure };
    }
  }

  /** The page that a first poll begins with, asked for and read as there; returns the size that worked. */
  async #firstPage(root: Root, { id, title }: Collection, signal: AbortSignal): Promise<number> {
    const what = `the collection ${title ?? id}`;
    for (let size = this.#config.page_size; ; ) {
      try {
        const query = { added_after: this.#config.start, limit: size };
        const { content } = await this.#client.objects(collectionUrl(root, id, 'objects/'), what, signal, query);
        await readObjects(content.objects, `${this.#who}: ${what}`, signal);
        return size;
      } catch (error) {
        if (!(error instanceof ConnectorError)) throw error;
        // 404 may mean empty; the list just said that it is there.
        if (error.status === 404) return size;
        const why = tooLarge(error);
        const next = why === undefined || why === 'slow' ? undefined : smaller(size, why);
        if (next === undefined) throw error;
        size = next;
      }
    }
  }

  async *pages(
    cursor: Json | undefined,
    signal: AbortSignal,
    reading?: Reading,
  ): AsyncGenerator<Page, void, undefined> {
    const stop = new AbortController();
    const errors: unknown[] = [];
    const watched = reading ?? { now: () => this.#deps.clock.now(), due: () => true, ended: () => {} };
    yield* oneAhead(this.#read(cursor, AbortSignal.any([signal, stop.signal]), watched, errors), stop);
    if (reading === undefined && errors.length > 0) throw errors[0];
  }

  async *listing(signal: AbortSignal): AsyncGenerator<ListingPart, void, undefined> {
    const root = await this.#findRoot(signal);
    const { readable, unreadable } = await this.#select(root, signal);
    const [hindered] = unreadable;
    // Nothing may be read at all: whoever asked for a listing must learn of it.
    if (hindered !== undefined && readable.length === 0) throw hindered.error;
    let doubted = readable.length === 1;
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
          const present = page.entries.map((one) => ({
            objectId: spelledId(one.id),
            version: versionOf(one.version ?? ''),
          }));
          yield { scope: collection.id, present, complete: page.last };
        }
        doubted = false;
      } catch (error) {
        if (!(error instanceof ConnectorError)) throw error;
        const ofAll = concernsAll(error, signal);
        if (signal.aborted || (ofAll && doubted)) throw error;
        doubted = ofAll;
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

  /** A collection that fails does not keep the others from being read, nor does one that is silent. */
  async *#read(
    json: Json | undefined,
    signal: AbortSignal,
    reading: Reading,
    errors: unknown[],
  ): AsyncGenerator<Page, void, undefined> {
    const failed = (scope: ScopeName, error: unknown): void => {
      errors.push(error);
      reading.ended(scope, { failure: toFailure(error) });
    };
    const stand = new Stand(json);
    const root = await this.#findRoot(signal);
    const selection = await this.#select(root, signal);
    if (selection.serverNow !== undefined) reading.heard?.(selection.serverNow);
    const [hindered] = selection.unreadable;
    if (selection.readable.length === 0 && hindered !== undefined) throw hindered.error;
    for (const { name, error } of selection.unreadable) failed({ scope: name, title: name }, error);
    const account = accountOf(this.#config);
    const open = (collection: Collection) => {
      const now = reading.now();
      const context: RunContext = {
        client: this.#client,
        root,
        collection,
        who: this.#who,
        pageSize: this.#config.page_size,
        start: this.#config.start,
        caps: this.#caps,
        serverNow: Math.min(selection.serverNow ?? now, now),
        now,
        signal,
      };
      return readCollection(stand.of(root, collection, account), context);
    };
    const due = selection.readable.filter((one) => reading.due(one.id));
    const patience = (over: AbortSignal) => this.#deps.clock.sleep(OVERTAKE_MS, over);
    // Met once it may be one collection's own: others would wait for ever. Met twice running it is the server's.
    let doubted: { scope: { scope: string; title: string }; error: ConnectorError } | undefined;
    const served = new Set<string>();
    for await (const turn of inTurns(due, open, patience)) {
      const collection = turn.source;
      const sound = turn.kind === 'value' || turn.error === undefined;
      if (sound && doubted?.scope.scope !== collection.id) {
        served.add(collection.id);
        if (doubted !== undefined) failed(doubted.scope, doubted.error);
        doubted = undefined;
      }
      if (turn.kind === 'value') {
        yield* stand.pages(turn.value, collection);
        continue;
      }
      const scope = { scope: collection.id, title: collection.title ?? collection.id };
      if (turn.error === undefined) {
        const { limit } = stand.of(root, collection, account);
        const notes = collection === selection.readable[0] ? [...selection.notes] : [];
        if (limit !== undefined) notes.push(wordsOf(limit));
        if (collection.can_read === undefined) notes.push(NO_CAN_READ);
        reading.ended(scope, notes.length === 0 ? {} : { note: notes.join('; ') });
      } else if (signal.aborted) {
        throw turn.error;
      } else if (turn.error instanceof ConnectorError && concernsAll(turn.error, signal)) {
        if (doubted !== undefined) throw turn.error;
        doubted = { scope, error: turn.error };
      } else failed(scope, turn.error);
    }
    if (doubted === undefined) return;
    served.delete(doubted.scope.scope);
    if (served.size === 0) throw doubted.error;
    failed(doubted.scope, doubted.error);
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

/** Wrong credentials and a limit of requests concern the whole server, unless another collection is served beside. */
function concernsAll(error: ConnectorError, signal: AbortSignal): boolean {
  return error.status === 401 || error.status === 429 || signal.aborted;
}

/** The places of all collections, as the pages that went on so far leave them. */
class Stand {
  #cursor: Cursor;
  #told: string;

  constructor(json: Json | undefined) {
    this.#cursor = readCursor(json);
    this.#told = JSON.stringify(cursorJson(this.#cursor));
  }

  of(root: Root, collection: Collection, account: string): Place {
    return placeOf(this.#cursor, root.url.href, collection.id, account);
  }

  *pages(step: Step, collection: Collection): Generator<Page, void, undefined> {
    const before = cursorJson(withPlace(this.#cursor, step.before));
    const known = placeOf(this.#cursor, step.after.root, step.after.collection, step.after.account);
    this.#cursor = withPlace(this.#cursor, step.after);
    const after = cursorJson(this.#cursor);
    // Without news only a true end, or another size of pages, is worth a commit, and only if it moves the cursor.
    const ends = step.after.resume === undefined || JSON.stringify(step.after.limit) !== JSON.stringify(known.limit);
    const moved = ends && JSON.stringify(after) !== this.#told;
    if (step.read.length === 0 && step.warnings.length === 0 && !moved) return;
    yield* pagesOf(step, collection.id, before, after);
    this.#told = JSON.stringify(after);
  }
}

const NO_CAN_READ = 'the server does not say can_read of it; it is read all the same';

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

function split(read: readonly Read[]): Pick<Page, 'objects' | 'refusals' | 'ignored'> {
  const objects: IncomingObject[] = [];
  const refusals: ObjectRefusal[] = [];
  const ignored: Record<string, number> = {};
  for (const one of read) {
    if (one.kind === 'object') objects.push(one.object);
    else if (one.kind === 'refusal') refusals.push(one.refusal);
    else ignored[one.type] = (ignored[one.type] ?? 0) + 1;
  }
  return { objects, refusals, ...(Object.keys(ignored).length === 0 ? {} : { ignored }) };
}
