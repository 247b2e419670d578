// One file as pages. Nothing of it comes before the whole of it was surveyed; where a page ended, the next poll goes on
// after a crash. What becomes of the file is the last thing told.
import type { Page } from '../../../core/contracts/exchange-connector.ts';
import { attributesOf, eventsIn } from '../../../core/misp/event.ts';
import { readAttribute } from '../../../core/misp/attribute.ts';
import { nameOf, readEventHead, type EventHead } from '../../../core/misp/head.ts';
import { ConnectorError } from '../../../core/model/failure.ts';
import type { Json } from '../../../core/model/json.ts';
import { turns } from '../../../core/runtime/in-turns.ts';
import { isRecord } from '../../../core/stix/raw.ts';
import { codeOf, type Disk, UNKNOWN, wordsFor } from './disk.ts';
import { Changed, elementsOf } from './elements.ts';
import { isManifest } from './feed.ts';
import type { FoundFile } from './folder.ts';
import { Gathered, specVersionOf } from './mapping.ts';
import type { Known, Place } from './memory.ts';
import { OpenFile } from './open.ts';
import { survey, type Whole } from './survey.ts';

export type Ending =
  | {
      readonly kind: 'accepted';
      readonly digest: string;
      readonly objects: number;
      /** Numbers of what could not be read: lines that are no JSON, elements that are too large. */
      readonly lines: readonly number[];
    }
  /** It holds what it held. */
  | { readonly kind: 'same'; readonly known: Known }
  | { readonly kind: 'refused'; readonly reason: string; readonly detail?: string | undefined }
  /** Replaced or written to while it was read, or not whole and just written: it is read again. */
  | { readonly kind: 'waits' };

export interface ReadingOf {
  readonly disk: Disk;
  readonly file: FoundFile;
  readonly scope: string;
  /** What it no longer shows is gone. Of a delivery that holds for each MISP event in it. */
  readonly states: boolean;
  readonly known: Known | undefined;
  /** Where an earlier reading ended. */
  readonly place: Place | undefined;
  /** Names under which it may stand in the list of what is refused. */
  readonly mended: readonly string[];
  /** What is not whole would be moved away, and changed so shortly ago that somebody may write to it under an old time. */
  readonly fresh: boolean;
  readonly pageObjects: number | undefined;
  /** Throws where the reading is to end. */
  readonly stop: () => void;
  /** Times of the MISP events that were delivered. */
  readonly events: { eventTime(uuid: string): number | undefined; setEvent(uuid: string, time: number): void };
  /** The cursor of a page that ends within the file, and of the one that ends it. */
  readonly within: (place: Place) => Json;
  readonly after: (ending: Ending) => Json;
}

export async function* readFile(reading: ReadingOf): AsyncGenerator<Page, Ending, undefined> {
  const { disk, file, known, stop } = reading;
  let open: OpenFile | undefined;
  try {
    open = await OpenFile.open(disk, file);
    const opened = open;
    if (opened === undefined) return { kind: 'waits' };
    const surveyed = await survey(() => opened.chunks(0, stop));
    if (!(await opened.unchanged())) return { kind: 'waits' };
    if ('reason' in surveyed) return reading.fresh ? { kind: 'waits' } : { kind: 'refused', ...surveyed };
    if (known?.outcome === 'accepted' && known.digest === surveyed.digest) return { kind: 'same', known };
    return yield* new FilePages(reading, surveyed, opened).all();
  } catch (error) {
    if (error instanceof Changed) return { kind: 'waits' };
    const code = codeOf(error);
    if (error instanceof ConnectorError || code === UNKNOWN) throw error;
    if (code === 'ENOENT' || code === 'ESTALE') return { kind: 'waits' };
    return { kind: 'refused', reason: `file ${wordsFor(error)}`, detail: code };
  } finally {
    await open?.close();
  }
}

/** Of one file; more than these are told by their number alone. */
const MOST_LINES = 50;

class FilePages {
  readonly #reading: ReadingOf;
  readonly #whole: Whole;
  readonly #open: OpenFile;
  readonly #gathered: Gathered;
  readonly #lines: number[];
  /** A piece of a file holds very many elements. */
  readonly #turnOver = turns();
  /** Where the elements that are over ended. */
  #at: { readonly offset: number; readonly elements: number };
  #scope: string;
  #states: boolean;
  #begins: boolean;

  constructor(reading: ReadingOf, whole: Whole, open: OpenFile) {
    this.#reading = reading;
    this.#whole = whole;
    this.#open = open;
    const resumed = reading.place?.digest === whole.digest ? reading.place : undefined;
    this.#gathered = new Gathered(reading.pageObjects);
    this.#gathered.blind = resumed?.blind ?? false;
    this.#gathered.total = resumed?.objects ?? 0;
    this.#lines = [...(resumed?.lines ?? [])];
    this.#at = { offset: resumed?.offset ?? 0, elements: resumed?.elements ?? 0 };
    this.#scope = reading.scope;
    this.#states = reading.states;
    this.#begins = resumed === undefined;
  }

  async *all(): AsyncGenerator<Page, Ending, undefined> {
    const { form } = this.#whole;
    const attributes = form.kind === 'list' && form.path.length === 2 ? form.around?.['Event'] : undefined;
    if (attributes !== undefined) return yield* this.#oneEvent(attributes);
    const specVersion = form.kind === 'list' ? specVersionOf(form.around) : undefined;
    const bare = form.kind === 'list' && form.path[0] === 'Event';
    for await (const { value, over, end, number } of this.#elements()) {
      await this.#turnOver();
      if (this.#gathered.full) yield this.#within();
      const events = bare ? [value] : isRecord(value) && value['type'] === undefined ? eventsIn(value) : undefined;
      if (over !== undefined) this.#unread(number, `element is too large (${over})`);
      else if (value === undefined) this.#unread(number, 'line is not JSON');
      else if (events !== undefined) for (const event of events) yield* this.#event(event);
      else if (form.kind !== 'value' || !isNothing(value)) this.#gathered.take(value, specVersion);
      this.#at = { offset: end, elements: number };
    }
    return yield* this.#last();
  }

  #elements() {
    const { stop } = this.#reading;
    const chunks = (from: number) => this.#open.chunks(from, stop);
    return elementsOf(this.#whole.form, chunks, this.#at.offset, this.#at.elements);
  }

  /** A line that is no JSON, or an element that is too large: nobody knows what it is, so that nothing is concluded from what the file lacks. */
  #unread(number: number, reason: string): void {
    if (this.#lines.length < MOST_LINES) this.#lines.push(number);
    this.#gathered.refuse({ objectId: `${this.#reading.file.name}:${number}`, reason });
    this.#gathered.blind = true;
  }

  /** The file is one MISP event, of which the attributes are read one by one, and its objects with what stands around them. */
  async *#oneEvent(event: unknown): AsyncGenerator<Page, Ending, undefined> {
    const head = readEventHead(event);
    if ('refusal' in head) return { kind: 'refused', reason: head.refusal.reason, detail: head.refusal.objectId };
    if (!this.#delivered(head)) return yield* this.#last();
    this.#name(head);
    for await (const { value, over, end, number } of this.#elements()) {
      await this.#turnOver();
      if (this.#gathered.full) yield this.#within();
      if (over !== undefined) this.#unread(number, `element is too large (${over})`);
      else this.#gathered.attribute(readAttribute(value, head));
      this.#at = { offset: end, elements: number };
    }
    for (const one of attributesOf(event, head)) {
      await this.#turnOver();
      if (this.#gathered.full) yield this.#within();
      this.#gathered.attribute(one);
    }
    this.#reading.events.setEvent(head.uuid, head.timestamp);
    return yield* this.#last();
  }

  /** A MISP event among others. */
  async *#event(event: unknown): AsyncGenerator<Page, void, undefined> {
    const head = readEventHead(event);
    if ('refusal' in head) {
      this.#gathered.refuse(head.refusal);
      return;
    }
    const { states, scope } = this.#reading;
    if (!states && !this.#gathered.empty) yield this.#within();
    const around = { blind: this.#gathered.blind, begins: this.#begins };
    if (!this.#delivered(head)) return;
    if (!states) this.#gathered.blind = false;
    this.#name(head);
    for (const one of attributesOf(event, head)) {
      await this.#turnOver();
      if (this.#gathered.full) yield this.#within();
      this.#gathered.attribute(one);
    }
    if (states) return;
    this.#reading.events.setEvent(head.uuid, head.timestamp);
    yield this.#within(!this.#gathered.blind);
    [this.#scope, this.#states] = [scope, states];
    [this.#gathered.blind, this.#begins] = [around.blind, around.begins];
  }

  #name(head: EventHead): void {
    const name = nameOf(head);
    if (name !== undefined) this.#gathered.objects.push(name);
  }

  /**
   * Of deliveries an event is what is shown whole, whichever file it comes in; an older state of it says nothing. False
   * where it is one.
   */
  #delivered({ uuid, timestamp }: EventHead): boolean {
    if (this.#reading.states) return true;
    const known = this.#reading.events.eventTime(uuid);
    if (known !== undefined && known > timestamp) {
      this.#gathered.ignore('older state of a MISP event');
      return false;
    }
    [this.#scope, this.#states] = [`event ${uuid}`, true];
    // What a crash interrupted begins anew.
    this.#begins ||= this.#whole.form.kind !== 'list' || this.#whole.form.path.length < 2;
    return true;
  }

  #page(cursor: Json, ends: boolean): Page {
    const begins = this.#begins && this.#states ? { snapshotBegins: true } : {};
    this.#begins = false;
    const page = { scope: this.#scope, ...this.#gathered.next(), cursor, ...begins };
    return ends ? { ...page, snapshotEnds: true } : page;
  }

  #within(ends = false): Page {
    const { stop, file, within } = this.#reading;
    stop();
    const { name, stamp } = file;
    const { total: objects, blind } = this.#gathered;
    const { digest } = this.#whole;
    return this.#page(within({ name, stamp, digest, ...this.#at, objects, lines: [...this.#lines], blind }), ends);
  }

  async *#last(): AsyncGenerator<Page, Ending, undefined> {
    const { stop, file, mended, after } = this.#reading;
    stop();
    const { total: objects, blind, notes } = this.#gathered;
    const unchanged = await this.#open.unchanged();
    const ending: Ending = unchanged
      ? { kind: 'accepted', digest: this.#whole.digest, objects, lines: this.#lines }
      : { kind: 'waits' };
    yield {
      ...this.#page(after(ending), unchanged && this.#states && !blind),
      ...(unchanged ? { mended } : {}),
      ...(notes.size === 0 ? {} : { warning: `${file.name}: ${[...notes].join('; ')}` }),
    };
    return ending;
  }
}

/** An envelope without objects (TAXII 2.1 §3.7), and the manifest of a feed: files of their own that hold nothing. */
const isNothing = (value: unknown): boolean =>
  isRecord(value) && (Object.keys(value).length === 0 || isManifest(value));
