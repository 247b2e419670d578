// One poll: which events are read, what becomes of each, and the cursor that goes with every page. An event that cannot be read
// keeps none of the others from being read, unless two running fail: then it is the server. Pages of an event that is known already
// form a snapshot of it, so that whatever it no longer shows is gone.
import type { Page, Reading } from '../../../core/contracts/exchange-connector.ts';
import { readEventHead } from '../../../core/misp/head.ts';
import { ConnectorError, toFailure } from '../../../core/model/failure.ts';
import type { Json } from '../../../core/model/json.ts';
import { GUARDED } from './client.ts';
import type { EventEnd, EventPart, ReadingContext } from './context.ts';
import { type At, type Cursor, isYoung, type Mark, pruned } from './cursor.ts';
import { digestOf } from './mapping.ts';
import type { IndexRow } from './responses.ts';
import { headsOf, indexed, listingFrom, published, readEvent } from './search.ts';
import { readWhole } from './whole.ts';

/** All events together, as a scope. */
export const EVENTS = { scope: 'events', title: 'events' } as const;
const PRUNED_EVERY = 500;
const SCORED_EVERY_SECS = 86_400;
/** Of one poll. */
const SCORED_FOR_SECS = 60;
/** No digest. */
const UNKNOWN = -1;
/** Of events that are missed at once: beyond both it is taken for lost access. */
const MISSED_SHARE = 0.2;
const MISSED_FEW = 10;

/** A guard that keeps back more than these running lets no event pass. */
const MOST_KEPT_BACK = 10;

export interface RunOptions {
  readonly mode: 'search' | 'sync';
  readonly graceSecs: number;
  /** Whether it is time to look for events that are no longer published. */
  readonly looks: boolean;
}

export class Run {
  readonly #context: ReadingContext;
  readonly #options: RunOptions;
  readonly #reading: Reading;
  #cursor: Cursor;
  /** The cursor says something that no page has carried yet. */
  #dirty = false;
  #known: Set<string> | undefined;
  #doubt: string | undefined;
  /** Events running that a guard kept back. */
  #keptBack = 0;
  #sincePruned = 0;
  readonly errors: unknown[] = [];

  constructor(context: ReadingContext, options: RunOptions, reading: Reading) {
    this.#context = context;
    this.#options = options;
    this.#reading = reading;
    this.#cursor = context.cursor;
  }

  async *pages(): AsyncGenerator<Page, void, undefined> {
    const all = this.#reading.due(EVENTS.scope);
    for (const uuid of this.#cursor.failed) yield* this.#again(uuid);
    if (all) {
      yield* this.#options.mode === 'search' ? this.#search() : this.#sync();
      if (this.#options.looks) yield* this.#missed();
      if (this.#options.mode === 'search' && this.#context.extras['includeDecayScore'] === 1) yield* this.#scores();
    }
    if (this.#context.limit.learnt !== this.#context.cursor.limit) this.#dirty = true;
    if (this.#dirty) yield { scope: EVENTS.scope, objects: [], refusals: [], cursor: this.#json() };
  }

  async *#search(): AsyncGenerator<Page, void, undefined> {
    const context = this.#context;
    for await (const heads of published(context, listingFrom(this.#cursor.after, context.start)))
      for (const head of heads) {
        const pub = head.publishTimestamp ?? 0;
        if (!this.#isNews(head.uuid, head.timestamp, pub)) continue;
        const move = (): void => {
          this.#cursor = { ...this.#cursor, after: Math.max(this.#cursor.after ?? 0, pub) };
        };
        yield* this.#event(head.uuid, head.info, (at) => readEvent(context, head, at), move, {
          pub,
          ts: head.timestamp,
        });
      }
  }

  /**
   * A score sinks though nobody edits or publishes: once a day every event is read for it, a while at each poll, so that
   * what is new waits for little of it.
   */
  async *#scores(): AsyncGenerator<Page, void, undefined> {
    const context = this.#context;
    const now = this.#nowSecs();
    const { scored } = this.#cursor;
    const rests = scored !== undefined && scored.upto === undefined && now - scored.since < SCORED_EVERY_SECS;
    if (rests) return;
    // The first reading of all events has just brought them.
    if (scored !== undefined) {
      const since = scored.upto === undefined ? now : scored.since;
      for await (const heads of published(context, scored.upto ?? context.start))
        for (const head of heads) {
          const pub = head.publishTimestamp ?? 0;
          if (this.#nowSecs() - now > SCORED_FOR_SECS) return;
          const move = (): void => {
            this.#cursor = { ...this.#cursor, scored: { since, upto: pub } };
          };
          yield* this.#event(head.uuid, head.info, (at) => readEvent(context, head, at), move, {
            pub,
            ts: head.timestamp,
          });
        }
      this.#cursor = { ...this.#cursor, scored: { since } };
    } else this.#cursor = { ...this.#cursor, scored: { since: now } };
    this.#dirty = true;
  }

  async *#sync(): AsyncGenerator<Page, void, undefined> {
    const context = this.#context;
    let heard: number | undefined;
    const first = (time: number): void => {
      heard ??= time;
      context.heard(time);
    };
    const hearing = { ...context, heard: first };
    const found = new Map<string, IndexRow>();
    for await (const row of indexed(hearing, listingFrom(this.#cursor.after, context.start))) found.set(row.uuid, row);
    // What is published while the list is asked for is after it.
    const now = Math.floor((heard ?? context.now()) / 1000);
    const run = this.#cursor.run ?? { since: now, upto: '' };
    // By uuid, so that one place tells how far a run has come.
    const rows = [...found.values()]
      .toSorted((a, b) => (a.uuid < b.uuid ? -1 : 1))
      .filter((row) => row.uuid > run.upto);
    for (const row of rows) {
      if (!this.#isNews(row.uuid, row.timestamp)) continue;
      const move = (): void => {
        this.#cursor = { ...this.#cursor, run: { ...run, upto: row.uuid } };
      };
      yield* this.#event(row.uuid, undefined, () => readWhole(context, row.uuid), move);
    }
    if (this.#cursor.run === undefined) return;
    const { run: _over, ...rest } = this.#cursor;
    this.#cursor = { ...rest, after: run.since, marks: pruned(rest.marks, run.since) };
    this.#dirty = true;
  }

  /** Not read yet as it stands; or perhaps published once more within the second in which it was read. */
  #isNews(uuid: string, ts: number, pub?: number): boolean {
    const mark = this.#cursor.marks[uuid];
    if (mark === undefined || mark.ts !== ts || (pub !== undefined && mark.pub !== pub)) return true;
    return isYoung(mark);
  }

  async *#event(
    uuid: string,
    title: string | undefined,
    open: (at: At | undefined) => AsyncGenerator<EventPart, EventEnd>,
    move: () => void,
    listed?: { readonly pub: number; readonly ts: number },
  ): AsyncGenerator<Page, void, undefined> {
    // It rests after a failure, and is on the list of those that failed.
    if (!this.#reading.due(uuid) && this.#cursor.failed.includes(uuid)) return;
    const { at } = this.#cursor;
    const goesOn = at !== undefined && at.uuid === uuid && at.pub === listed?.pub && at.ts === listed.ts;
    try {
      if (!goesOn && (await this.#isSame(uuid, open))) return;
      const parts = open(goesOn ? at : undefined);
      let digest: number | undefined;
      let step = await parts.next();
      while (step.done !== true) {
        const part = step.value;
        if (part.begins) digest = 0;
        if (digest !== undefined) digest = digestOf(part.read, digest);
        yield await this.#part(part, digest, move);
        step = await parts.next();
      }
      if (step.value === 'moved') this.#forget(uuid);
      this.#sound(uuid, title);
    } catch (error) {
      if (this.#context.signal.aborted || !(error instanceof ConnectorError) || concernsAll(error)) throw error;
      if (!this.#concernsOne(uuid, error)) throw error;
      this.#failed(uuid, title, error);
      move();
    }
  }

  /** Of an event that was read within the second of its publication: whether it was read as it stands. */
  async #isSame(uuid: string, open: (at: undefined) => AsyncGenerator<EventPart, EventEnd>): Promise<boolean> {
    const mark = this.#cursor.marks[uuid];
    if (mark === undefined || !isYoung(mark)) return false;
    let digest = 0;
    for await (const { head, read } of open(undefined)) {
      if (head.timestamp !== mark.ts || head.publishTimestamp !== mark.pub) return false;
      digest = digestOf(read, digest);
    }
    if (digest !== mark.digest) return false;
    const now = this.#nowSecs();
    if (isYoung({ ...mark, read: now })) return true;
    this.#cursor = { ...this.#cursor, marks: { ...this.#cursor.marks, [uuid]: { ...mark, read: now } } };
    this.#dirty = true;
    return true;
  }

  #nowSecs(): number {
    return Math.floor(this.#context.now() / 1000);
  }

  /** `digest`: of all parts until this one; undefined where the first was read before a restart. */
  async #part(part: EventPart, digest: number | undefined, move: () => void): Promise<Page> {
    const { head, read, begins, ends, next } = part;
    const known = await this.#isKnown(head.uuid);
    if (ends) {
      const { publishTimestamp: pub = 0, timestamp: ts } = head;
      this.#mark(head.uuid, { pub, ts, digest: digest ?? UNKNOWN, read: this.#nowSecs() });
      move();
    } else if (next !== undefined) this.#cursor = { ...this.#cursor, at: next };
    this.#known?.add(head.uuid);
    this.#dirty = false;
    return {
      scope: head.uuid,
      objects: read.objects,
      refusals: read.refusals,
      cursor: this.#json(),
      ...(begins && known ? { snapshotBegins: true } : {}),
      ...(ends && (known || !begins) ? { snapshotEnds: true } : {}),
    };
  }

  /** Nothing of an event that the store does not know can be gone from it. */
  async #isKnown(uuid: string): Promise<boolean> {
    if (this.#reading.scopes === undefined) return true;
    this.#known ??= new Set(await this.#reading.scopes());
    return this.#known.has(uuid);
  }

  #mark(uuid: string, mark: Mark): void {
    const { at: _done, ...rest } = this.#cursor;
    const marks = { ...rest.marks, [uuid]: mark };
    const after = Math.max(rest.after ?? 0, this.#options.mode === 'search' ? mark.pub : 0);
    const prunes = ++this.#sincePruned >= PRUNED_EVERY;
    if (prunes) this.#sincePruned = 0;
    const away = Object.fromEntries(Object.entries(rest.away).filter(([one]) => one !== uuid));
    this.#cursor = { ...rest, marks: prunes ? pruned(marks, after) : marks, away };
  }

  #forget(uuid: string): void {
    const { at, ...rest } = this.#cursor;
    if (at?.uuid === uuid) {
      this.#cursor = rest;
      this.#dirty = true;
    }
  }

  #sound(uuid: string, title: string | undefined): void {
    this.#doubt = undefined;
    this.#keptBack = 0;
    if (!this.#cursor.failed.includes(uuid)) return;
    this.#cursor = { ...this.#cursor, failed: this.#cursor.failed.filter((one) => one !== uuid) };
    this.#dirty = true;
    this.#reading.ended({ scope: uuid, title: title ?? uuid }, {});
  }

  /** Not the server as a whole, so that the others are read. */
  #concernsOne(uuid: string, error: ConnectorError): boolean {
    if (error.code === GUARDED) return ++this.#keptBack <= MOST_KEPT_BACK;
    if (this.#doubt !== undefined && this.#doubt !== uuid) return false;
    this.#doubt = uuid;
    return true;
  }

  #failed(uuid: string, title: string | undefined, error: ConnectorError): void {
    this.errors.push(error);
    this.#reading.ended({ scope: uuid, title: title ?? uuid }, { failure: toFailure(error) });
    if (this.#cursor.failed.includes(uuid)) return;
    this.#cursor = { ...this.#cursor, failed: [...this.#cursor.failed, uuid] };
    this.#dirty = true;
  }

  async *#again(uuid: string): AsyncGenerator<Page, void, undefined> {
    if (!this.#reading.due(uuid)) return;
    const stay = (): void => {};
    if (this.#options.mode === 'sync') {
      yield* this.#event(uuid, undefined, () => readWhole(this.#context, uuid), stay);
      return;
    }
    const [head] = await headsOf(this.#context, [uuid]);
    // Gone or unpublished: it comes again when it is published again.
    if (head === undefined || head.published !== true) this.#sound(uuid, undefined);
    else yield* this.#event(uuid, head.info, () => readEvent(this.#context, head, undefined), stay);
  }

  /** Known events that are no longer published: withdrawn once that has lasted. Those that are gone are the listing's. */
  async *#missed(): AsyncGenerator<Page, void, undefined> {
    if (this.#reading.scopes === undefined) return;
    const known = (await this.#reading.scopes()).filter((one) => one !== EVENTS.scope);
    if (known.length === 0) return;
    const shown = new Set<string>();
    for await (const { uuid } of indexed(this.#context, undefined)) shown.add(uuid);
    const missed = known.filter((uuid) => !shown.has(uuid));
    if (missed.length >= MISSED_FEW && missed.length > MISSED_SHARE * known.length) {
      this.#context.warn(
        `${missed.length} of ${known.length} events are no longer listed, which looks like lost access; none is withdrawn for it`,
      );
      return;
    }
    const now = this.#nowSecs();
    const away: Record<string, number> = {};
    for (const uuid of missed) {
      const state = await this.#stateOf(uuid);
      if (state === 'unpublished') away[uuid] = this.#cursor.away[uuid] ?? now;
      const over = away[uuid] !== undefined && now - away[uuid] >= this.#options.graceSecs;
      if (!over && state !== 'empty') continue;
      delete away[uuid];
      const { [uuid]: _gone, ...marks } = this.#cursor.marks;
      this.#cursor = { ...this.#cursor, marks };
      yield { scope: uuid, objects: [], refusals: [], cursor: this.#json(), snapshotBegins: true, snapshotEnds: true };
    }
    if (JSON.stringify(away) === JSON.stringify(this.#cursor.away)) return;
    this.#cursor = { ...this.#cursor, away };
    this.#dirty = true;
  }

  async #stateOf(uuid: string): Promise<'gone' | 'unpublished' | 'empty' | 'there'> {
    const { client, signal, mapping } = this.#context;
    const event = await unlessKeptBack(client.view(uuid, `the event ${uuid}`, signal));
    if (event === 'kept back') return 'there';
    if (event === undefined) return 'gone';
    const head = readEventHead(event.head);
    if ('refusal' in head) return 'there';
    if (head.published === false) return 'unpublished';
    for (const one of mapping.whole(event, head, this.#context.now())) if ('indicator' in one) return 'there';
    return 'empty';
  }

  #json(): Json {
    const { after, at, run, scored, limit: _old, ...rest } = this.#cursor;
    const limit = this.#context.limit.learnt;
    return {
      ...rest,
      ...(after === undefined ? {} : { after }),
      ...(at === undefined ? {} : { at: { ...at } }),
      ...(run === undefined ? {} : { run: { ...run } }),
      ...(scored === undefined ? {} : { scored: { ...scored } }),
      ...(limit === undefined ? {} : { limit: { ...limit } }),
      // Numbers, texts and lists of them, and nothing undefined.
    } as unknown as Json;
  }
}

/** What a guard keeps back may be there, or not. */
export const unlessKeptBack = <T>(view: Promise<T>): Promise<T | 'kept back'> =>
  view.catch((error: unknown) => {
    if (error instanceof ConnectorError && error.code === GUARDED) return 'kept back' as const;
    throw error;
  });

/** Wrong credentials, a guard and a limit of requests concern the whole server. */
export const concernsAll = (error: ConnectorError): boolean => error.kind === 'config' || error.status === 429;
