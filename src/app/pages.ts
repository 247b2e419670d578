// What the web pages read and ask for, from the running daemon's own parts.
import { buildSighting } from '../core/stix/build.ts';
import type { Json } from '../core/model/json.ts';
import type { Observable } from '../core/model/observable.ts';
import { guess } from '../core/model/typed-in.ts';
import { sha256 } from '../core/runtime/ids.ts';
import { inTurns } from '../core/runtime/in-turns.ts';
import { HistoryReader } from '../core/store/read/history.ts';
import type { DifferenceAsked } from '../core/store/read/difference.ts';
import { PagesReader } from '../core/store/read/pages.ts';
import { RecordReader } from '../core/store/read/record.ts';
import { RefusedReader } from '../core/store/read/refused.ts';
import type { Asked, Chosen, Off, Outcome, PageSource, ValueThen } from '../web/source.ts';
import type { App } from '../app.ts';
import { explainValue } from './explain-value.ts';
import { placeOf, storeSpec } from './specs.ts';

const DAY_MS = 86_400_000;
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

  waiting: PageSource['waiting'] = async (most) => {
    const { reader, sightings } = this.#app;
    return {
      sets: reader.held(),
      sightings: [...sightings.held(most)],
      disputed: sightings.disputed(MOST_DISPUTED),
    };
  };

  samples: PageSource['samples'] = async () => this.reader.samples(this.now() - DAY_MS);

  value: PageSource['value'] = async (text) => {
    const { config, reader, sightings, store } = this.#app;
    this.#refused ??= new RefusedReader(storeSpec(config));
    // Long lists take seconds to be read, and whoever reads them holds up everybody: the store has them on its thread.
    const onLists = config.policy.never_block.lists === undefined ? undefined : await store.onLists(guess(text));
    const now = this.now();
    const readers = { reader, sightings, refused: this.#refused };
    const found = explainValue(config, readers, text, now, true, onLists);
    const off = found.guesses.flatMap((guessed): Off[] => [
      ...reader.suppressions(now, guessed).map((one): Off => ({ ...one, of: 'suppress' })),
      ...reader.harmless(guessed).map(({ review, ...one }): Off => ({ ...one, until: review, of: 'harmless' })),
    ]);
    return { ...found, off };
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

  chosen: PageSource['chosen'] = async (names) => {
    const rows = this.reader.rows(names);
    const shown = rows.map(({ row, type, value, bucket }) => [row, type, value, bucket]);
    return {
      rows,
      gone: new Set(names).size - rows.length,
      set: sha256(JSON.stringify(shown)).slice(0, 8),
      standing: this.#app.reader.standing(valuesOf(rows)),
    };
  };

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
    const request = await this.#requestOf(asked, by);
    if (!('kind' in request)) return request;
    const { kind, ...args } = request;
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

  /** As commands say it; the daemon checks it against its schema. */
  async #requestOf(asked: Asked, by: string): Promise<Request | { readonly refused: string }> {
    switch (asked.kind) {
      case 'suppress':
        return { ...asked, false_positive: false };
      case 'decide':
        return decisionOf(asked, by);
      case 'suppress-chosen':
      case 'retry-chosen': {
        const { rows, set } = await this.chosen(asked.rows);
        if (set !== asked.set) return { refused: 'what was chosen has changed since it was shown' };
        if (asked.kind === 'retry-chosen')
          return {
            kind: 'retry-parked',
            ids: rows.flatMap(({ bucket, id }) => (bucket === 'park' && id !== null ? [id] : [])),
          };
        const { hours, reason } = asked;
        return { kind: 'suppress', observables: valuesOf(rows), hours, reason, false_positive: false };
      }
      default:
        return asked;
    }
  }

  close(): void {
    this.reader.close();
    this.#history?.close();
    this.#record?.close();
    this.#refused?.close();
  }
}

const valuesOf = (rows: Chosen['rows']): Observable[] => [
  ...new Map(rows.map(({ type, value }) => [`${type} ${value}`, { type, value }])).values(),
];

type Request = { readonly kind: string } & Readonly<Record<string, unknown>>;

function decisionOf({ id, set, ...rest }: Extract<Asked, { kind: 'decide' }>, by: string): Request {
  const sighting = SIGHTING_ID.exec(id)?.[1];
  const shown = { id: Number(sighting ?? id), set };
  return {
    ...rest,
    by,
    holds: sighting === undefined ? [shown] : [],
    sightings: sighting === undefined ? [] : [shown],
  };
}
