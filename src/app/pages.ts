// What the web pages read and ask for, from the running daemon's own parts.
import { buildSighting } from '../core/stix/build.ts';
import type { Json } from '../core/model/json.ts';
import { guess } from '../core/model/typed-in.ts';
import { inTurns } from '../core/runtime/in-turns.ts';
import { HistoryReader } from '../core/store/read/history.ts';
import { PagesReader, type DifferenceAsked } from '../core/store/read/pages.ts';
import { RecordReader } from '../core/store/read/record.ts';
import { RefusedReader } from '../core/store/read/refused.ts';
import type { Asked, Off, Outcome, PageSource, ValueThen } from '../web/source.ts';
import type { App } from '../app.ts';
import { explainValue } from './explain-value.ts';
import { placeOf, storeSpec } from './specs.ts';

const DAY_MS = 86_400_000;
const MOST_SIGHTINGS = 100;
const MOST_DISPUTED = 50;
const ANSWER_MS = 20_000;
const ASK_EVERY_MS = 100;
/** What one page goes through of the record. */
const MOST_COMPARED = { records: 20_000, values: 50_000 };
/** Who called how many of them harmless or off is a list of its own. */
const SIGHTING_ID = /^s(\d{1,15})$/;

export class Pages implements PageSource {
  readonly reader: PagesReader;
  readonly #app: App;
  #refused: RefusedReader | undefined;
  #history: HistoryReader | undefined;
  #record: RecordReader | undefined;
  /** One at a time, so that many who ask take no more room than one. */
  #comparing: Promise<unknown> = Promise.resolve();
  /** A request was left: set by who carries requests out. */
  onRequest: () => void = () => {};

  constructor(app: App) {
    this.#app = app;
    this.reader = new PagesReader(placeOf(app.config));
  }

  now = () => this.#app.now();

  waiting: PageSource['waiting'] = async () => {
    const { reader, sightings } = this.#app;
    return {
      sets: reader.held(),
      sightings: firstOf(sightings.held(), MOST_SIGHTINGS),
      disputed: sightings.disputed(MOST_DISPUTED),
    };
  };

  samples: PageSource['samples'] = async () => this.reader.samples(this.now() - DAY_MS);

  value: PageSource['value'] = async (text) => {
    const { config, reader, sightings } = this.#app;
    this.#refused ??= new RefusedReader(storeSpec(config));
    const now = this.now();
    const found = explainValue(config, { reader, sightings, refused: this.#refused }, text, now, true);
    const off = [
      ...reader.suppressions(now).map((one): Off => ({ ...one, of: 'suppress' })),
      ...reader.harmless().map(({ review, ...one }): Off => ({ ...one, until: review, of: 'harmless' })),
    ];
    const named = (one: Off) => found.guesses.some(({ type, value }) => type === one.type && value === one.value);
    return { ...found, off: off.filter(named) };
  };

  held: PageSource['held'] = async (id, after) => this.reader.held(id, after);

  heldSighting: PageSource['heldSighting'] = async (id) => {
    const { config, sightings } = this.#app;
    const found = SIGHTING_ID.test(id) ? sightings.heldSighting(id) : undefined;
    if (found === undefined || config.identity === undefined) return undefined;
    const exchange = config.exchanges.find((one) => one.name === found.held.exchange);
    const where = (exchange?.settings as { report_where_sighted?: boolean } | undefined)?.report_where_sighted === true;
    return { held: found.held, stix: buildSighting(found.sighting, config.identity, where) };
  };

  difference = async (asked: DifferenceAsked) => this.reader.difference(asked);

  exchange: PageSource['exchange'] = async (name) => {
    const refusals = this.#app.reader.exchanges().find((one) => one.name === name)?.refusals ?? {};
    return this.reader.exchange(name, refusals);
  };

  compare: PageSource['compare'] = (from, to) => {
    const work = () => inTurns(this.#ofRecord().compared(from, to, MOST_COMPARED), this.#app.clock);
    const compared = this.#comparing.then(work);
    this.#comparing = compared.catch(() => {});
    return compared;
  };

  valueAt: PageSource['valueAt'] = async (text, time) => {
    const { config, clock } = this.#app;
    const siems = config.siems.map(({ name }) => name);
    const then: ValueThen[] = [];
    for (const one of guess(text))
      then.push({ ...one, ...(await inTurns(this.#ofRecord().atInSteps(one, time, siems), clock)) });
    return then;
  };

  #ofRecord(): RecordReader {
    this.#record ??= new RecordReader(storeSpec(this.#app.config));
    return this.#record;
  }

  audit: PageSource['audit'] = async () => this.#ofHistory().auditState();

  history: PageSource['history'] = async ({ kinds, before, limit }) =>
    this.#ofHistory().history({
      limit,
      ...(kinds === undefined ? {} : { kinds }),
      ...(before === undefined ? {} : { before: Number(before) }),
    });

  #ofHistory(): HistoryReader {
    this.#history ??= new HistoryReader(storeSpec(this.#app.config));
    return this.#history;
  }

  act: PageSource['act'] = async (asked, by): Promise<Outcome> => {
    const { store, clock } = this.#app;
    const { kind, ...args } = requestOf(asked, by);
    const id = await store.makeRequest(kind, args as Json, by, this.now());
    this.onRequest();
    const start = clock.monotonic();
    for (;;) {
      // Written by finishRequest.
      const outcome = (await store.requestOutcome(id)) as { ok: boolean; value?: Json; message?: string } | undefined;
      if (outcome?.ok === true) return { done: outcome.value ?? null };
      if (outcome !== undefined) return { refused: outcome.message ?? 'the daemon gave no reason' };
      if (clock.monotonic() - start > ANSWER_MS)
        return { refused: 'the daemon is still at it, and may do it yet; look at this page again in a minute' };
      await clock.sleep(ASK_EVERY_MS);
    }
  };

  close(): void {
    this.reader.close();
    this.#history?.close();
    this.#record?.close();
    this.#refused?.close();
  }
}

function firstOf<T>(all: Iterable<T>, most: number): T[] {
  const first: T[] = [];
  for (const one of all) if (first.push(one) >= most) break;
  return first;
}

/** As commands say it; the daemon checks it against its schema. */
function requestOf(asked: Asked, by: string): { readonly kind: string } & Readonly<Record<string, unknown>> {
  if (asked.kind === 'suppress') return { ...asked, false_positive: false };
  if (asked.kind !== 'decide') return asked;
  const { id, set, ...rest } = asked;
  const sighting = SIGHTING_ID.exec(id)?.[1];
  const shown = { id: Number(sighting ?? id), set };
  return {
    ...rest,
    by,
    holds: sighting === undefined ? [shown] : [],
    sightings: sighting === undefined ? [] : [shown],
  };
}
