// What the store's units of work share: the connection, names and ids, time and revision of the running unit
// (unit-clock.ts), and the tallies that make status cheap (tally-book.ts); and the one transaction that a unit is.
import { ConnectorError } from '../../model/failure.ts';
import type { Observable } from '../../model/observable.ts';
import { randomHex } from '../../runtime/ids.ts';
import { History } from '../record/history.ts';
import { fingerprintOf } from '../spec/policy-version.ts';
import { POLICY_VERSION, Records } from '../record/records.ts';
import type { Database } from '../sql/port.ts';
import { nameOf, type OpenOptions, openState } from '../state/open.ts';
import type { SiemEncoder } from '../../contracts/siem-connector.ts';
import { type LoadedLists, type OnLists, withLists } from '../spec/lists.ts';
import { RowIds } from '../rows/row-ids.ts';
import type { AuditSpec, ExchangeSpec, SiemSpec, StoreSpec } from '../spec/spec.ts';
import { registerPeers } from './configured.ts';
import { type Tally, TallyBook } from './tally-book.ts';
import { UnitClock } from './unit-clock.ts';

/** A SIEM that is configured, and what the state knows of it. */
export interface SiemState {
  readonly id: number;
  readonly spec: SiemSpec;
  readonly encoder: SiemEncoder;
  /** Up to which revision something may have been sent there before this state was opened; 0: nothing was. */
  readonly openedMark: number;
  /** Negotiated with the product; null until the first open. */
  facts: unknown;
}

/** An exchange that is configured. */
export interface ExchangeState {
  readonly id: number;
  readonly spec: ExchangeSpec;
  readonly indicators: Tally;
  firstSync: boolean;
}

/** Where the configuration says nothing of the record. */
export const DEFAULT_AUDIT: AuditSpec = { level: 'values', valuesDays: 365 };

export class StoreContext {
  readonly db: Database;
  readonly spec: StoreSpec;
  readonly siems: readonly SiemState[];
  readonly exchanges: readonly ExchangeState[];
  /** Names of all exchanges ever seen, by id; only configured ones vouch. */
  readonly exchangeNames = new Map<number, string>();
  readonly writer: string;
  /** The highest revision this state had when it was opened: a SIEM that holds a higher one of ours met a newer state. */
  readonly openedRevision: number;
  readonly #lists: ReadonlyMap<string, LoadedLists>;
  readonly #clock: UnitClock;
  readonly #tallies: TallyBook;
  readonly ids: RowIds;
  readonly history: History;
  readonly records: Records;

  constructor(
    given: StoreSpec,
    encoders: ReadonlyMap<string, SiemEncoder>,
    options: Pick<OpenOptions, 'onAway' | 'onFault'> = {},
  ) {
    const { spec, reports, loaded } = withLists(given);
    this.spec = spec;
    this.#lists = loaded;
    this.db = openState(spec.path, {
      cacheMb: spec.cacheMb ?? 16,
      ...options,
      ...(spec.holder === undefined ? {} : { holder: spec.holder }),
      ...(spec.patienceMs === undefined ? {} : { patienceMs: spec.patienceMs }),
    });
    const instance = this.meta('instance');
    if (instance !== undefined && instance !== spec.instance) {
      this.db.close();
      throw new ConnectorError(
        'config',
        `the state ${nameOf(spec.path)} belongs to instance "${instance}", the configuration says "${spec.instance}"; entries in the SIEMs carry that name, so use another state or the old name`,
      );
    }
    this.ids = new RowIds(this.db, (name) => this.meta(name));
    this.history = new History(this.db, () => this.ids.take('history'));
    const { level } = spec.audit ?? DEFAULT_AUDIT;
    this.records = new Records(this.db, level, this.history, this.exchangeNames, {
      get: (name) => this.meta(name),
      set: (name, value) => this.setMeta(name, value),
    });
    this.records.configure(fingerprintOf(spec), this.meta(POLICY_VERSION), {
      exchanges: spec.exchanges.map(({ name }) => name),
      siems: spec.siems.map(({ name }) => name),
      level,
    });
    this.writer = this.meta('writer') ?? randomHex(8);
    this.openedRevision = Number(this.meta('last_revision') ?? 0);
    this.#clock = new UnitClock(this.openedRevision, Number(this.meta('engine_time') ?? 0));
    this.db.transaction(() => {
      this.setMeta('instance', spec.instance);
      this.setMeta('writer', this.writer);
      this.setMeta('lists', JSON.stringify(reports));
      registerPeers(this.db, spec);
    });
    for (const row of this.db.all<{ id: number; name: string }>('SELECT id, name FROM exchange'))
      this.exchangeNames.set(row.id, row.name);
    this.#tallies = new TallyBook(this.db);
    this.exchanges = spec.exchanges.map((one) => {
      const row = this.db.get<{ id: number; poll_completed: number | null }>(
        'SELECT id, poll_completed FROM exchange WHERE name = ?',
        one.name,
      )!;
      const indicators = this.tallyOf(`exchange:${row.id}`, 'indicators');
      return { id: row.id, spec: one, indicators, firstSync: row.poll_completed === null };
    });
    this.siems = spec.siems.map((one) => {
      const row = this.db.get<{ id: number; facts: string; marked: number | null }>(
        'SELECT id, facts, marked FROM siem WHERE name = ?',
        one.name,
      )!;
      const encoder = encoders.get(one.type);
      if (encoder === undefined) throw new ConnectorError('bug', `no encoder for SIEM type ${one.type}`);
      const openedMark = row.marked ?? this.openedRevision;
      return { id: row.id, spec: one, encoder, openedMark, facts: JSON.parse(row.facts) };
    });
  }

  /** Work at the opening of a state, before its first unit. */
  opening(work: () => void): void {
    this.db.transaction(() => {
      const before = this.#tallies.counted();
      work();
      this.#tallies.save(before);
    });
  }

  siem(name: string): SiemState {
    const found = this.siems.find((one) => one.spec.name === name);
    if (found === undefined) throw new ConnectorError('bug', `no SIEM ${name} in the store`);
    return found;
  }

  exchange(name: string): ExchangeState {
    const found = this.exchanges.find((one) => one.spec.name === name);
    if (found === undefined) throw new ConnectorError('bug', `no exchange ${name} in the store`);
    return found;
  }

  onLists(observables: readonly Observable[]): OnLists[] {
    return observables.map(
      (one) => new Map([...this.#lists].map(([folder, { index }]) => [folder, index.find(one)] as const)),
    );
  }

  meta(name: string): string | undefined {
    return this.db.get<{ value: string }>('SELECT value FROM meta WHERE name = ?', name)?.value;
  }

  setMeta(name: string, value: string): void {
    this.db.run(
      'INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      name,
      value,
    );
  }

  /** One unit of work: one transaction, one revision, engine time that never runs back. */
  unit<T>(now: number, work: (now: number) => T): T {
    const tallies = this.#tallies.counted();
    const time = this.#clock.begin(now);
    try {
      const done = this.db.transaction(() => {
        const result = work(time);
        this.#clock.end();
        this.setMeta('last_revision', String(this.lastRevision));
        this.setMeta('engine_time', String(time));
        this.#tallies.save(tallies);
        // The last statements of all: what they say was done is.
        this.records.write(time, this.revision);
        this.ids.save((name, value) => this.setMeta(name, value));
        return result;
      });
      this.ids.end(true);
      this.records.committed();
      return done;
    } catch (error) {
      this.ids.end(false);
      this.records.forget();
      this.#clock.fail();
      this.#tallies.restore(tallies);
      throw error;
    }
  }

  /** The highest revision that was given. */
  get lastRevision(): number {
    return this.#clock.lastRevision;
  }

  /** The revision of the running unit, after any raise of the floor. */
  get revision(): number {
    return this.#clock.revision;
  }

  /** Engine time of the running unit. */
  get now(): number {
    return this.#clock.now;
  }

  /** Engine time of the last unit. */
  get engineTime(): number {
    return this.#clock.engineTime;
  }

  /** A product holds a higher revision than any of ours: every later one must lie above it. */
  raiseFloor(found: number): void {
    this.#clock.raiseFloor(found);
  }

  count(owner: string, name: string, by: number): void {
    if (by !== 0) this.tallyOf(owner, name).n += by;
  }

  /** To be kept by who counts a million times. It is the same one for good, and set back when a unit fails. */
  tallyOf(owner: string, name: string): Tally {
    return this.#tallies.of(owner, name);
  }

  tally(owner: string, name: string): number {
    return this.#tallies.get(owner, name);
  }

  close(): void {
    this.db.close();
  }
}
