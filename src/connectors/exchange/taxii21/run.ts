// One run over one collection: from where its place stands to the end of what is published now. Whatever the server
// does, a run ends: truly, by giving up on a server that repeats itself, at a cap of pages or bytes, or with a
// failure. `after` moves only at a true end, and never beyond our own time: a partner whose clock ran ahead for a while
// would else have set it to where nothing new arrives any more.
import { ConnectorError, permanent, retryable } from '../../../core/model/failure.ts';
import type { Answer, RawEnvelope } from './client.ts';
import { type Instant, instantOf, laterOf, type Place, type Resume } from './cursor.ts';
import { readGroup } from './group.ts';
import { keyOf, markOf, type Read, readObjects } from './objects.ts';
import { type PageLimit, smaller, standing, tooLarge } from './page-size.ts';
import { type Ask, decide, MAX_LIMIT } from './paging.ts';
import { Collection } from './responses.ts';
import { collectionUrl } from './roots.ts';
import type { RunContext } from './run-context.ts';
import { microsOf, textOf } from './time.ts';

/** Added times may be taken before a server's commit, so objects can appear a little behind the cursor. */
const OVERLAP_MICROS = 300_000_000n;
const DAY_MICROS = 86_400_000_000n;
const MAX_SEEN = 5_000;

/** What one answer brought. `before` holds until all of it is committed, `after` from then on. */
export interface Step {
  readonly read: readonly Read[];
  readonly before: Place;
  readonly after: Place;
  readonly warnings: readonly string[];
}

/** As received, where it is in the form that every server takes; some servers send an offset that they refuse. */
function sendable({ text, micros }: Instant): string {
  return text.endsWith('Z') ? text : textOf(BigInt(micros));
}

export async function* readCollection(start: Place, context: RunContext): AsyncGenerator<Step, void, undefined> {
  const run = new Run(start, context);
  while (!run.ended) yield* run.turn();
}

class Run {
  readonly #context: RunContext;
  /** The place as it stood, without a resume point and a size of pages. */
  readonly #base: Place;
  #resume: Resume | undefined;
  #ask: Ask;
  /** Marks of what an earlier run read within the overlap. */
  #known = new Set<string>();
  /** Keys of what this run read at its latest added time, while paging by added time. */
  #tail: { at: bigint; keys: Set<string> } | undefined;
  /** Keys of recent pages, for the next run's overlap. */
  #recent: { readonly at: bigint; readonly keys: readonly string[] }[] = [];
  readonly #pageMarks = new Set<string>();
  readonly #tokens = new Set<string>();
  #tokenPages = 0;
  #top: Instant | undefined;
  #latest: Instant | undefined;
  /** Added times have only grown so far, as §3.5 demands; else they are no place to resume from. */
  #ordered = true;
  #idle = 0;
  #pages = 0;
  #bytes = 0;
  #unstamped = false;
  #restarted = false;
  #rebasedAt: string | undefined;
  /** Earliest group that could not be read completely; `after` stays before it. */
  #gap: bigint | undefined;
  #end: Place | undefined;
  #size: number;
  #limit: PageLimit | undefined;
  /** May be asked for at once. */
  #most = MAX_LIMIT;
  /** To be told with the next answer. */
  #told: string[] = [];

  constructor(place: Place, context: RunContext) {
    const { resume, limit, ...base } = notAhead(place, context.now, this.#told);
    this.#context = context;
    this.#limit = standing(limit, context.pageSize, context.now);
    this.#size = this.#limit?.size ?? context.pageSize;
    if (this.#limit !== undefined) this.#most = this.#size;
    this.#base = base;
    this.#resume = resume;
    this.#top = resume?.by === 'time' ? resume.at : resume?.top;
    this.#ask = this.#first(resume);
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** One request and what follows from it. */
  async *turn(): AsyncGenerator<Step, void, undefined> {
    const { signal } = this.#context;
    const answer = yield* this.#fetch();
    const { objects, more, next } = answer.content;
    const warnings: string[] = this.#told.splice(0);
    if (objects.length > this.#ask.limit) {
      warnings.push(`the server ignores limit: ${objects.length} objects for ${this.#ask.limit}`);
    }
    this.#pages += 1;
    this.#bytes += answer.bytes;
    const last = this.#stamp(answer, objects.length, warnings);
    const { read, mark, notes } = await readObjects(objects, `${this.#context.who}: ${this.#what}`, signal);
    warnings.push(...notes);
    const fresh = this.#newOnly(read, last, next === undefined && more === true);
    const repeats =
      objects.length === 0 ||
      this.#cameBefore(mark) ||
      (read.length > 0 && fresh.length === 0 && this.#tail !== undefined);
    this.#idle = repeats ? this.#idle + 1 : 0;
    const before = this.#place();

    const seen = { more, next, count: objects.length, last: last && BigInt(last.micros), idle: this.#idle };
    const decision = decide(seen, this.#ask, this.#size, this.#most);
    switch (decision.kind) {
      case 'end':
        this.#finish(warnings);
        break;
      case 'give-up':
        if (objects.length === 0) {
          // More of nothing: all that there was has come, and a later poll asks from there on.
          warnings.push(`${decision.why}, with empty pages`);
          this.#finish(warnings);
          break;
        }
        // What came is kept, but nobody knows what did not: the poll is no complete one, and a person must see it.
        this.#end = this.#sized(this.#base);
        yield { read: fresh, before, after: this.#place(), warnings };
        throw permanent(
          `${this.#context.who}: ${this.#what}: ${decision.why}; what came is kept, the next poll starts from the same place; tell the partner`,
        );
      case 'group':
        yield { read: fresh, before, after: before, warnings };
        yield* this.#group(decision.at, before);
        return;
      case 'ask':
        this.#ask = decision.ask;
        this.#resume = this.#resumePoint(last, next);
        this.#checkCaps(warnings);
        break;
      default:
        decision satisfies never;
    }
    yield { read: fresh, before, after: this.#place(), warnings };
  }

  /** Where a run begins: the overlap is read again only while the cursor is that young. */
  #first(resume: Resume | undefined): Ask {
    const { start, serverNow } = this.#context;
    if (resume?.by === 'next') return { addedAfter: resume.added_after, limit: resume.limit, next: resume.next };
    const from = resume?.at ?? this.#base.after;
    const ask = { limit: this.#size, next: undefined };
    if (from === undefined) {
      const micros = microsOf(start);
      return { ...ask, addedAfter: micros === undefined ? undefined : textOf(micros) };
    }
    const micros = BigInt(from.micros);
    if (BigInt(Math.trunc(serverNow)) * 1000n - micros < OVERLAP_MICROS) {
      this.#known = new Set(this.#base.seen ?? []);
      return { ...ask, addedAfter: textOf(micros - OVERLAP_MICROS) };
    }
    return { ...ask, addedAfter: resume === undefined ? sendable(from) : textOf(micros - 1n) };
  }

  /** Asks until there is an answer, with smaller pages where that may help. */
  async *#fetch(): AsyncGenerator<Step, Answer<RawEnvelope>, undefined> {
    const { client, root, collection, signal, who } = this.#context;
    let tried: PageLimit | undefined;
    for (;;) {
      const { addedAfter, limit, next } = this.#ask;
      try {
        const url = collectionUrl(root, collection.id, 'objects/');
        const answer = await client.objects(url, this.#what, signal, { added_after: addedAfter, limit, next });
        if (answer.bytes === 0 && next !== undefined)
          throw retryable(
            `${who}: ${this.#what}: the server says that there is more and then answers nothing; it will be asked again`,
          );
        if (tried !== undefined) this.#learnt(tried);
        return answer;
      } catch (error) {
        if (!(error instanceof ConnectorError)) throw error;
        if (next !== undefined && (error.status === 400 || error.status === 404) && this.#withoutToken(error)) continue;
        const why = signal.aborted ? undefined : tooLarge(error);
        if (why !== undefined && limit > this.#size) {
          // Only the large page that a group of equal added times needs; the usual one may do.
          this.#most = this.#size;
          this.#ask = { ...this.#ask, limit: this.#size };
          continue;
        }
        const size = why === undefined ? undefined : smaller(limit, why);
        if (why !== undefined && size !== undefined) {
          tried = { size, of: this.#context.pageSize, why, at: this.#context.now, words: wordsFor(error) };
          this.#askSmaller(size);
          if (why !== 'slow') continue;
          // What takes so long is not tried five times over: the next run begins with the smaller page.
          this.#learnt(tried);
          yield { read: [], before: this.#place(), after: this.#place(), warnings: [] };
          throw error;
        }
        // Some servers answer 404 where nothing matches; a collection that is gone answers so everywhere.
        if (error.status !== 404 || !(await this.#stillReadable())) throw error;
        return {
          content: { more: false, next: undefined, objects: [] },
          bytes: 0,
          first: undefined,
          last: undefined,
          serverNow: undefined,
        };
      }
    }
  }

  #learnt(limit: PageLimit): void {
    this.#limit = limit;
    this.#size = limit.size;
    this.#most = limit.size;
  }

  /** `next` is good for one limit only (trap of several servers), so that the added time leads on. */
  #askSmaller(size: number): void {
    const at = this.#ordered ? this.#latest : undefined;
    if (this.#ask.next === undefined) this.#ask = { ...this.#ask, limit: size };
    else if (at === undefined) this.#restart(size);
    else this.#ask = { addedAfter: textOf(BigInt(at.micros) - 1n), limit: size, next: undefined };
  }

  #restart(size: number): void {
    this.#ask = { ...this.#first(undefined), limit: size };
    this.#pageMarks.clear();
    this.#latest = undefined;
    this.#idle = 0;
  }

  /** A refused `next` restarts the run once; if tokens die again, the added time of the last page leads on. */
  #withoutToken(cause: ConnectorError): boolean {
    if (!this.#restarted) {
      this.#restarted = true;
      this.#restart(this.#size);
      return true;
    }
    const at = this.#ordered ? this.#latest : undefined;
    if (at === undefined || at.micros === this.#rebasedAt) {
      throw retryable(
        `${this.#context.who}: ${this.#what}: the server forgets its next before it can be used; lower page_size, or ask the partner how long it lives`,
        { cause },
      );
    }
    this.#rebasedAt = at.micros;
    this.#ask = { ...this.#ask, addedAfter: textOf(BigInt(at.micros) - 1n), next: undefined };
    return true;
  }

  async #stillReadable(): Promise<boolean> {
    const { client, root, collection, signal } = this.#context;
    const answer = await client.get(collectionUrl(root, collection.id), this.#what, Collection, signal);
    return answer.content.can_read !== false;
  }

  /** The added time of the last object, unless it is missing, junk, or a day later than our own clock. */
  #stamp(answer: Answer<RawEnvelope>, count: number, warnings: string[]): Instant | undefined {
    if (count === 0) return undefined;
    const micros = microsOf(answer.last);
    if (micros !== undefined && micros > microsAt(this.#context.now) + DAY_MICROS) {
      warnings.push(`the server gives an added time in the future (${answer.last?.slice(0, 40)}), which is not used`);
      return undefined;
    }
    const last = instantOf(answer.last, micros);
    if (last === undefined || micros === undefined) {
      this.#unstamped = true;
      return undefined;
    }
    const first = microsOf(answer.first) ?? micros;
    const latest = this.#latest === undefined ? first : BigInt(this.#latest.micros);
    if (first > micros || first < latest || micros < latest) this.#ordered = false;
    this.#latest = last;
    this.#top = laterOf(this.#top, this.#bounded(last));
    return last;
  }

  /** No later than our own time when the run began. */
  #bounded(at: Instant): Instant {
    const now = microsAt(this.#context.now);
    return BigInt(at.micros) > now ? { text: textOf(now), micros: String(now) } : at;
  }

  #newOnly(read: readonly Read[], last: Instant | undefined, byTime: boolean): readonly Read[] {
    const at = last === undefined ? undefined : BigInt(last.micros);
    const young = at !== undefined && BigInt(Math.trunc(this.#context.serverNow)) * 1000n - at < OVERLAP_MICROS;
    const tail = this.#tail;
    if (this.#known.size === 0 && !young && !byTime && tail === undefined) return read;

    const keys = read.map(keyOf);
    const fresh = read.filter(
      (_one, i) => !tail?.keys.has(keys[i]!) && !(this.#known.size > 0 && this.#known.has(markOf(keys[i]!))),
    );
    if (at !== undefined && young) {
      this.#recent.push({ at, keys });
      while (this.#recent.slice(1).reduce((sum, page) => sum + page.keys.length, 0) >= MAX_SEEN) this.#recent.shift();
    }
    if (at !== undefined && (byTime || tail !== undefined)) {
      this.#tail =
        tail !== undefined && tail.at === at
          ? { at, keys: new Set([...tail.keys, ...keys]) }
          : { at, keys: new Set(keys) };
    }
    return fresh;
  }

  #cameBefore(mark: string): boolean {
    const before = this.#pageMarks.has(mark);
    this.#pageMarks.add(mark);
    return before;
  }

  /** See cursor.ts: a time where times can be trusted, else a `next` that is known to change per page, else none. */
  #resumePoint(last: Instant | undefined, next: string | undefined): Resume | undefined {
    if (next !== undefined) {
      this.#tokens.add(next);
      this.#tokenPages += 1;
    }
    if (this.#ordered && last !== undefined) return { by: 'time', at: this.#bounded(last) };
    if (this.#ordered && last === undefined && this.#resume?.by === 'time') return this.#resume;
    if (next === undefined || this.#tokenPages < 2 || this.#tokens.size < this.#tokenPages) return undefined;
    const { addedAfter, limit } = this.#ask;
    return {
      by: 'next',
      next,
      limit,
      ...(addedAfter === undefined ? {} : { added_after: addedAfter }),
      ...(this.#top === undefined ? {} : { top: this.#top }),
    };
  }

  async *#group(at: bigint, before: Place): AsyncGenerator<Step, void, undefined> {
    const warnings: string[] = [];
    let found = 0;
    for await (const part of readGroup(at, this.#what, { ...this.#context, pageSize: this.#size })) {
      if (part === 'incomplete') {
        this.#gap ??= at;
        warnings.push(
          `more objects share the added time ${textOf(at)} than the server gives at once, and it offers neither next nor a usable manifest; some of them may be missing until that changes`,
        );
        continue;
      }
      const fresh = part.filter((one) => !this.#tail?.keys.has(keyOf(one)));
      found += fresh.length;
      yield { read: fresh, before, after: before, warnings: [] };
    }
    if (found > 0) this.#idle = 0;
    this.#ask = { addedAfter: textOf(at), limit: this.#size, next: undefined };
    this.#checkCaps(warnings);
    yield { read: [], before, after: this.#place(), warnings };
  }

  #checkCaps(warnings: string[]): void {
    const { caps } = this.#context;
    if (this.#pages < caps.pages && this.#bytes < caps.bytes) return;
    warnings.push(`one poll ends after ${this.#pages} pages and ${this.#bytes} bytes; the next goes on from here`);
    this.#end = this.#place();
  }

  #finish(warnings: string[]): void {
    if (this.#unstamped && this.#top === undefined) {
      warnings.push('the server sends no readable X-TAXII-Date-Added-Last, so each poll reads everything again');
    }
    let after = laterOf(this.#base.after, this.#top);
    const gap = this.#gap === undefined ? undefined : this.#gap - 1n;
    if (gap !== undefined && after !== undefined && BigInt(after.micros) > gap) after = instantOf(textOf(gap), gap);
    if (after === undefined) {
      this.#end = this.#sized(this.#base);
      return;
    }
    const oldest = BigInt(after.micros) - OVERLAP_MICROS;
    const seen = this.#recent
      .filter((page) => page.at > oldest)
      .flatMap((page) => page.keys)
      .slice(-MAX_SEEN)
      .map(markOf);
    const { seen: kept, ...rest } = this.#base;
    // A run that brought nothing leaves the marks, so that the cursor stays the same.
    const marks = seen.length > 0 ? seen : after === this.#base.after ? (kept ?? []) : [];
    this.#end = this.#sized({ ...rest, after, ...(marks.length === 0 ? {} : { seen: marks }) });
  }

  #place(): Place {
    return this.#end ?? this.#sized(this.#resume === undefined ? this.#base : { ...this.#base, resume: this.#resume });
  }

  #sized(place: Place): Place {
    return this.#limit === undefined ? place : { ...place, limit: this.#limit };
  }

  get #what(): string {
    return `the collection ${this.#context.collection.title ?? this.#context.collection.id}`;
  }
}

const microsAt = (ms: number): bigint => BigInt(Math.trunc(ms)) * 1000n;

/** What the server said of the page that was too large, for people. */
function wordsFor(error: ConnectorError): string {
  if (error.code === 'answer_too_large') return 'more than can be held';
  return error.status === undefined ? 'no answer in time' : `the server answered ${error.status}`;
}

/**
 * A place that stands ahead of our own time was set by a clock that ran ahead: nobody knows since when, so that
 * everything is read again, which loses nothing. What lies ahead by less than the overlap only comes back to now.
 */
function notAhead(place: Place, now: number, told: string[]): Place {
  const { after, resume, seen, ...rest } = place;
  const farthest = laterOf(after, resume?.by === 'time' ? resume.at : resume?.top);
  const ours = microsAt(now);
  if (farthest === undefined || BigInt(farthest.micros) <= ours) return place;
  if (BigInt(farthest.micros) <= ours + OVERLAP_MICROS) {
    const back = { text: textOf(ours), micros: String(ours) };
    const bounded = after !== undefined && BigInt(after.micros) > ours ? back : after;
    return { ...rest, ...(bounded === undefined ? {} : { after: bounded }), ...(seen === undefined ? {} : { seen }) };
  }
  told.push(
    `the place in this collection stood at ${farthest.text.slice(0, 40)}, ahead of our own time, as a clock of the partner had set it; everything is read again`,
  );
  return rest;
}
