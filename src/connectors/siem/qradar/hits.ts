// Reads what events hold of our sets, one search per set and event field, and what people say of offenses. The console does the comparing, so a search
// is as short for twenty thousand entries as for one; of an event only value, time and count are fetched.
import { configFailure, ConnectorError } from '../../../core/contracts/failure.ts';
import type { HitPage, HitReader, OwnedEntry, SiemDeps } from '../../../core/contracts/siem-connector.ts';
import type { Json } from '../../../core/model/json.ts';
import type { EntryKey } from '../../../core/model/observable.ts';
import type { Hit } from '../../../core/model/sighting.ts';
import type { Log } from '../../../core/runtime/log.ts';
import { type Fold, halves, hitQuery, hitsOf, isSpread, type Watched, type Window, windowsOf } from './aql.ts';
import { Ariel } from './ariel.ts';
import type { HeldSets } from './board.ts';
import type { QRadarClient } from './client.ts';
import type { QRadarConfig } from './config.ts';
import { SET_KINDS, setName } from './sets.ts';
import { DEFAULT_FIELDS, storedValue } from './mapping.ts';
import { closedOffenses, slotsOf, verdictsOf } from './offenses.ts';
import type { ResultRow } from './responses.ts';

/** Collectors hand events on late; a console that is busy does so by minutes. */
const OVERLAP_MS = 10 * 60_000;
/** Their place in the cursor, beside those of sets and fields. */
const OFFENSES = 'offenses';

/** What hits need of the connector around them. */
export interface SetsHeld {
  /** Negotiates the version where that was not done yet. */
  sets(signal: AbortSignal): Promise<HeldSets>;
  list(filter: { readonly slots: readonly string[] }, signal: AbortSignal): AsyncIterable<readonly OwnedEntry[]>;
}

type Kind = (typeof SET_KINDS)[number];
interface Target extends Watched {
  readonly kind: Kind;
  readonly fold: Fold;
  readonly place: string;
}

export class QRadarHits implements HitReader {
  readonly #client: QRadarClient;
  readonly #ariel: Ariel;
  readonly #config: QRadarConfig;
  readonly #held: SetsHeld;
  readonly #log: Log;
  #folds = true;

  constructor(client: QRadarClient, config: QRadarConfig, held: SetsHeld, deps: SiemDeps) {
    this.#client = client;
    this.#ariel = new Ariel(client, deps);
    this.#config = config;
    this.#held = held;
    this.#log = deps.log;
  }

  /**
   * The cursor is, per set and field, the time by the console's clock up to which was read. It moves window by window,
   * after all hits of one were given, so a reading that is cut off goes on with the next.
   */
  async *read(cursor: Json | undefined, signal: AbortSignal): AsyncIterable<HitPage> {
    const places = new Map(Object.entries(isTimes(cursor) ? cursor : {}));
    const page = (hits: readonly Hit[]): HitPage => ({ hits, cursor: Object.fromEntries(places) });
    const sets = await this.#held.sets(signal);
    const { names, now } = await this.#ariel.columns(signal);
    for (const target of this.#targets(names)) {
      // A clock that ran ahead must not hide what comes after it was set right.
      const since = Math.min(places.get(target.place) ?? now, now) - OVERLAP_MS;
      // Nothing can match an empty set, so nothing is missed.
      const windows = (sets.get(target.kind.suffix)?.count ?? 0) === 0 ? [] : windowsOf(since, now);
      for (let window = windows.shift(); window !== undefined; window = windows.shift()) {
        let spread = false;
        for await (const rows of this.#rows(target, window, signal)) {
          spread ||= rows.some((row) => isSpread(row, window!));
          const hits = await this.#hits(target, rows, window, signal);
          if (hits.length > 0) yield page(hits);
        }
        if (spread) {
          windows.unshift(...halves(window));
          continue;
        }
        places.set(target.place, window.to);
        yield page([]);
      }
      places.set(target.place, now);
    }
    const { false_positive_reasons: reasons } = this.#config;
    if (reasons.length > 0) {
      const since = Math.min(places.get(OFFENSES) ?? now, now) - OVERLAP_MS;
      for await (const { closed, upTo } of closedOffenses(this.#client, since, reasons, signal)) {
        const keys = await this.#keys(closed.flatMap(slotsOf), signal);
        places.set(OFFENSES, upTo);
        yield page(verdictsOf(closed, (slot) => keys.get(slot)));
      }
      places.set(OFFENSES, now);
    }
    yield page([]);
  }

  /** Asks what a reading asks, without a search: the columns, whether AQL takes ours, and the offenses if they are read. */
  async probe(signal: AbortSignal): Promise<void> {
    const { event_fields: fields, false_positive_reasons: reasons } = this.#config;
    const { names, now } = await this.#ariel.columns(signal);
    const unknown = Object.values(fields)
      .flat()
      .filter((field) => !names.has(field.toLowerCase()));
    if (unknown.length > 0)
      throw configFailure(
        `event_fields names properties that this console has not: ${unknown.join(', ')}; Admin, Custom Event Properties lists them`,
        { code: 'event_fields_unknown' },
      );
    const target = this.#targets(names)[0];
    const window = { from: now - OVERLAP_MS, to: now };
    if (target !== undefined)
      await this.#ariel.validate(
        hitQuery({ ...target, fold: 'none' }, window, now),
        `${target.set} in ${target.field}`,
        signal,
      );
    if (reasons.length > 0) for await (const _ of closedOffenses(this.#client, now, reasons, signal)) break;
  }

  /** Fields that somebody configured are always asked for; of ours only those that the console knows. */
  #targets(columns: ReadonlySet<string>): Target[] {
    const { event_fields: fields, set_prefix: prefix, ignore_hosts: ignored, domain_id: domainId } = this.#config;
    return SET_KINDS.filter((kind) => kind.element !== 'CIDR').flatMap((kind) => {
      const usual = DEFAULT_FIELDS[kind.observable].filter((field) => columns.has(field.toLowerCase()));
      return (fields[kind.observable] ?? usual).map((field) => {
        const set = setName(prefix, kind);
        return { kind, set, field, fold: foldOf(kind), domainId, ignored, place: `${kind.suffix}|${field}` };
      });
    });
  }

  async *#rows(target: Target, window: Window, signal: AbortSignal): AsyncIterable<readonly ResultRow[]> {
    const what = `${target.set} in ${target.field}`;
    const search = (fold: Fold) => this.#ariel.rows((now) => hitQuery({ ...target, fold }, window, now), what, signal);
    const fold = this.#folds ? target.fold : 'none';
    try {
      yield* search(fold);
    } catch (error) {
      // No page says whether a function may stand there. A refusal comes before the first row.
      if (fold === 'none' || !(error instanceof ConnectorError) || error.status !== 422) throw error;
      yield* search('none');
      this.#folds = false;
      this.#log.warn(
        'This console takes no functions beside reference sets: events are compared as they are written.',
        {
          refused: error.message,
        },
      );
    }
  }

  /** The set may hold values of analysts as well: a hit is ours by the mark on the entry. */
  async #hits(target: Target, rows: readonly ResultRow[], window: Window, signal: AbortSignal): Promise<Hit[]> {
    const { observable, suffix } = target.kind;
    const slotOf = (value: string): string => `${suffix}|${storedValue(observable, withoutFinalDot(target, value))}`;
    const slots = rows.filter((row) => !isSpread(row, window)).map((row) => slotOf(row.value));
    const keys = await this.#keys(slots, signal);
    return hitsOf(rows, target, window, (value) => keys.get(slotOf(value)));
  }

  async #keys(slots: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, EntryKey>> {
    const keys = new Map<string, EntryKey>();
    if (slots.length > 0)
      for await (const entries of this.#held.list({ slots: [...new Set(slots)] }, signal))
        for (const entry of entries) keys.set(entry.slot, entry.key);
    return keys;
  }
}

function foldOf(kind: Kind): Fold {
  if (kind.element !== 'ALNIC') return 'none';
  return kind.observable === 'domain-name' ? 'name' : 'case';
}

const withoutFinalDot = (target: Target, value: string): string =>
  target.fold === 'name' ? value.replace(/\.$/, '') : value;

const isTimes = (cursor: Json | undefined): cursor is { readonly [place: string]: number } =>
  typeof cursor === 'object' &&
  cursor !== null &&
  !Array.isArray(cursor) &&
  Object.values(cursor).every((one) => typeof one === 'number');
