// The exchange as core sees it: pages of events, a listing of all that is published, and a probe.
import type {
  ExchangeConnector,
  ExchangeDeps,
  ListingPart,
  Page,
  Reading,
} from '../../../core/contracts/exchange-connector.ts';
import type { Probe } from '../../../core/contracts/siem-connector.ts';
import { ConnectorError, permanent, toFailure } from '../../../core/model/failure.ts';
import type { Json } from '../../../core/model/json.ts';
import { oneAhead } from '../../../core/runtime/ahead.ts';
import { GUARDED, MispClient } from './client.ts';
import { extrasOf, type MispConfig } from './config.ts';
import type { EventEnd, EventPart, Limit, ReadingContext } from './context.ts';
import { readCursor } from './cursor.ts';
import { Mapping } from './mapping.ts';
import { standing, wordsOf } from './page-size.ts';
import { concernsAll, EVENTS, Run, unlessKeptBack } from './run.ts';
import { indexed, published, readEvent } from './search.ts';
import { MispReports } from './send.ts';
import { readWhole } from './whole.ts';

const HOUR_SECS = 3600;
const DAY_MS = 86_400_000;
/** A key that ends within so many days is told. */
const KEY_ENDS_DAYS = 14;
/** Of events that are gone at once: beyond both it is taken for lost access. */
const GONE_SHARE = 0.2;
const GONE_FEW = 10;

export class MispConnector implements ExchangeConnector {
  readonly #config: MispConfig;
  readonly #deps: ExchangeDeps;
  readonly #client: MispClient;
  readonly #mapping: Mapping;
  readonly #reports: MispReports | undefined;
  readonly send?: NonNullable<ExchangeConnector['send']>;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(config: MispConfig, deps: ExchangeDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#client = new MispClient(config, config.auth.key, deps);
    this.#mapping = new Mapping(config.filter);
    const reports = MispReports.of(config, deps);
    this.#reports = reports;
    if (reports !== undefined) this.send = (sightings, signal) => reports.send(sightings, signal);
  }

  async probe(signal: AbortSignal): Promise<Probe> {
    try {
      const { version } = await this.#client.version(signal);
      const { read } = this.#config;
      if (read === 'search') {
        await this.#client.heads({ published: 1, limit: 1, page: 1 }, 'the list of published events', signal);
        await this.#client.attributes({ published: 1, limit: 1, page: 1 }, 'attributes', signal);
      } else await this.#client.index({ limit: 1, page: 1 }, signal);
      const reports = await this.#reports?.probe(signal);
      const more = [reports, this.#keyWords()].filter((one) => one !== undefined);
      return { ok: true, message: [`MISP ${version}, read by ${read}`, ...more].join('; ') };
    } catch (error) {
      const failure = toFailure(error);
      return { ok: false, message: failure.message, failure };
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

  async *#read(
    json: Json | undefined,
    signal: AbortSignal,
    reading: Reading,
    errors: unknown[],
  ): AsyncGenerator<Page, void, undefined> {
    const warnings: string[] = [];
    const cursor = readCursor(json);
    const limit: Limit = { learnt: standing(cursor.limit, this.#config.page_size, reading.now()) };
    const context: ReadingContext = {
      ...this.#context(signal, limit, warnings),
      cursor,
      now: () => reading.now(),
      heard: (peerTime) => reading.heard?.(peerTime),
    };
    const graceSecs = this.#config.unpublish_grace_hours * HOUR_SECS;
    const every = Math.min(HOUR_SECS, graceSecs / 24);
    const now = Math.floor(reading.now() / 1000);
    const all = reading.due(EVENTS.scope);
    const looks = all && now - this.#lookedAt >= every;
    const run = new Run(context, { mode: this.#config.read, graceSecs, looks }, reading);
    for await (const page of run.pages()) {
      const warning = warnings.shift();
      yield warning === undefined ? page : { ...page, warning };
    }
    if (looks) this.#lookedAt = now;
    errors.push(...run.errors);
    const notes = [...new Set(warnings)];
    if (limit.learnt !== undefined) notes.push(wordsOf(limit.learnt));
    const ends = this.#keyWords();
    if (ends !== undefined) notes.push(ends);
    if (all) reading.ended(EVENTS, notes.length === 0 ? {} : { note: notes.join('; ') });
  }

  /** All published events, and those of `known` that are gone. */
  async *listing(signal: AbortSignal, known: readonly string[] = []): AsyncGenerator<ListingPart, void, undefined> {
    const context = this.#context(signal, { learnt: undefined }, []);
    const shown = new Set<string>();
    let sick: ConnectorError | undefined;
    for await (const [uuid, parts] of this.#published(context)) {
      shown.add(uuid);
      try {
        yield* listed(uuid, parts);
        sick = undefined;
      } catch (error) {
        if (!(error instanceof ConnectorError) || signal.aborted || concernsAll(error)) throw error;
        if (error.code !== GUARDED) {
          if (sick !== undefined) throw error;
          sick = error;
        }
        yield { scope: uuid, present: [], complete: false, failure: toFailure(error) };
      }
    }
    const missed = known.filter((one) => one !== EVENTS.scope && !shown.has(one));
    const gone: string[] = [];
    for (const uuid of missed)
      if ((await unlessKeptBack(this.#client.view(uuid, `the event ${uuid}`, signal))) === undefined) gone.push(uuid);
    if (gone.length >= GONE_FEW && gone.length > GONE_SHARE * known.length) {
      const failure = permanent(
        `${this.#client.who}: ${gone.length} of ${known.length} events are gone at once, which looks like lost access; nothing is concluded from it. Ask the partner`,
      );
      yield { scope: EVENTS.scope, present: [], complete: false, failure: toFailure(failure) };
      return;
    }
    for (const scope of gone) yield { scope, present: [], complete: true };
  }

  async close(): Promise<void> {
    this.#reports?.close();
    this.#client.close();
  }

  async *#published(
    context: ReadingContext,
  ): AsyncGenerator<readonly [string, AsyncGenerator<EventPart, EventEnd>], void, undefined> {
    if (this.#config.read === 'search') {
      const seen = new Set<string>();
      for await (const heads of published(context, context.start))
        for (const head of heads) {
          if (seen.has(head.uuid)) continue;
          seen.add(head.uuid);
          yield [head.uuid, readEvent(context, head, undefined)];
        }
      return;
    }
    const uuids = new Set<string>();
    for await (const { uuid } of indexed(context, context.start)) uuids.add(uuid);
    for (const uuid of uuids) yield [uuid, readWhole(context, uuid)];
  }

  #context(signal: AbortSignal, limit: Limit, warnings: string[]): ReadingContext {
    const { page_size: pageSize, start } = this.#config;
    return {
      client: this.#client,
      mapping: this.#mapping,
      cursor: readCursor(undefined),
      pageSize,
      extras: extrasOf(this.#config),
      start: start === undefined ? undefined : Math.floor(Date.parse(start) / 1000),
      now: () => this.#deps.clock.now(),
      signal,
      heard: () => {},
      warn: (text) => void (warnings.includes(text) || warnings.push(text)),
      limit,
    };
  }

  #keyWords(): string | undefined {
    const ends = this.#client.keyEnds;
    if (ends === undefined || ends - this.#deps.clock.now() > KEY_ENDS_DAYS * DAY_MS) return undefined;
    return `the auth key ends on ${new Date(ends).toISOString().slice(0, 10)}; renew auth.key`;
  }
}

/** An event that moves while it is listed says nothing of what it lacks. */
async function* listed(
  scope: string,
  parts: AsyncGenerator<EventPart, EventEnd>,
): AsyncGenerator<ListingPart, void, undefined> {
  for await (const { read, ends } of parts) {
    const present = read.objects.flatMap((one) =>
      one.kind === 'indicator' ? [{ objectId: one.objectId, version: one.version }] : [],
    );
    // What cannot be read is there all the same.
    for (const { objectId } of read.refusals) if (objectId !== undefined) present.push({ objectId, version: '' });
    yield { scope, present, complete: ends };
  }
}
