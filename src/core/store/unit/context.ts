// What the store's units of work share: the connection, names and ids, the revision of the running transaction,
// and the tallies that make status cheap.
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
import { BARE_URL } from '../../stix/bare-urls.ts';
import { RowIds } from '../rows/row-ids.ts';
import type { AuditSpec, ExchangeSpec, SiemSpec, StoreSpec } from '../spec/spec.ts';
import { saneRevision } from './foreign-numbers.ts';

export interface SiemState {
  readonly id: number;
  readonly spec: SiemSpec;
  readonly encoder: SiemEncoder;
  /** Up to which revision something may have been sent there before this state was opened; 0: nothing was. */
  readonly openedMark: number;
  /** Negotiated with the product; null until the first open. */
  facts: unknown;
}

/** One count that makes status cheap. */
export interface Tally {
  n: number;
}

export interface ExchangeState {
  readonly id: number;
  readonly spec: ExchangeSpec;
  readonly indicators: Tally;
  firstSync: boolean;
}

export const DEFAULT_AUDIT: AuditSpec = { level: 'values', valuesDays: 365 };

/** Longer steps back than this come confirmed. */
const CONFIRMED_MS = 3_600_000;

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
  #lastRevision: number;
  #revision = 0;
  #engineTime: number;
  #now = 0;
  readonly #tallies = new Map<string, Tally>();
  readonly ids: RowIds;
  readonly history: History;
  readonly records: Records;

  constructor(given: StoreSpec, encoders: ReadonlyMap<string, SiemEncoder>, options: Pick<OpenOptions, 'onAway'> = {}) {
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
    this.#lastRevision = Number(this.meta('last_revision') ?? 0);
    this.openedRevision = this.#lastRevision;
    this.#engineTime = Number(this.meta('engine_time') ?? 0);
    this.db.transaction(() => {
      this.setMeta('instance', spec.instance);
      this.setMeta('writer', this.writer);
      this.setMeta('lists', JSON.stringify(reports));
      // SIEMs whose wanted state must be computed anew, and whether all of it is sent again.
      const recompute = new Map<string, boolean>();
      this.#register('exchange', spec.exchanges, recompute);
      this.#register('siem', spec.siems, recompute);
      for (const [name, force] of recompute) beginRecompute(this.db, name, force);
    });
    for (const row of this.db.all<{ id: number; name: string }>('SELECT id, name FROM exchange'))
      this.exchangeNames.set(row.id, row.name);
    for (const row of this.db.all<{ owner: string; name: string; n: number }>('SELECT owner, name, n FROM tally')) {
      this.#tallies.set(`${row.owner} ${row.name}`, { n: row.n });
    }
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

  /** Names of peers become small ids; a peer that is no longer configured stays known and turns inactive. */
  #register(
    table: 'exchange' | 'siem',
    specs: readonly (ExchangeSpec | SiemSpec)[],
    recompute: Map<string, boolean>,
  ): void {
    const known = this.db.all<{ id: number; name: string; fingerprint: string; active: number; settings?: string }>(
      `SELECT * FROM ${table}`,
    );
    let exchangesChanged = false;
    for (const row of known) {
      if (specs.some((one) => one.name === row.name) || row.active === 0) continue;
      this.db.run(`UPDATE ${table} SET active = 0 WHERE id = ?`, row.id);
      exchangesChanged ||= table === 'exchange';
    }
    for (const one of specs) {
      const row = known.find((other) => other.name === one.name);
      if (row === undefined) {
        if (table === 'exchange')
          this.db.run(
            'INSERT INTO exchange (name, type, active, fingerprint) VALUES (?, ?, 1, ?)',
            one.name,
            one.type,
            one.fingerprint,
          );
        else
          this.db.run(
            "INSERT INTO siem (name, type, active, fingerprint, settings, containers, facts, marked) VALUES (?, ?, 1, ?, ?, '{}', 'null', 0)",
            one.name,
            one.type,
            one.fingerprint,
            JSON.stringify('settings' in one ? one.settings : null),
          );
        if (table === 'siem') recompute.set(one.name, false);
      } else {
        if (table === 'exchange' && row.fingerprint !== one.fingerprint) {
          this.db.run('UPDATE exchange SET cursor = NULL, poll_completed = NULL WHERE id = ?', row.id);
          // Perhaps bare URLs are read otherwise from now on: the same version of these says something else then.
          this.db.run('UPDATE object SET canon = 0 WHERE exchange_id = ? AND refusal = ?', row.id, BARE_URL);
          this.db.run(`UPDATE object SET canon = 0 WHERE exchange_id = ? AND facts LIKE '%"bare":true%'`, row.id);
        }
        if ('settings' in one && row.settings !== JSON.stringify(one.settings)) {
          // Another mapping writes the same content otherwise: everything is sent again.
          this.db.run('UPDATE siem SET settings = ? WHERE id = ?', JSON.stringify(one.settings), row.id);
          recompute.set(one.name, true);
        }
        if (table === 'siem' && (row.fingerprint !== one.fingerprint || row.active === 0))
          recompute.set(one.name, recompute.get(one.name) ?? false);
        exchangesChanged ||= table === 'exchange' && row.active === 0;
        this.db.run(
          `UPDATE ${table} SET active = 1, type = ?, fingerprint = ? WHERE id = ?`,
          one.type,
          one.fingerprint,
          row.id,
        );
      }
    }
    // Claims of an exchange that left or came back count differently everywhere.
    if (exchangesChanged) for (const { name } of this.spec.siems) recompute.set(name, recompute.get(name) ?? false);
  }

  /** Work at the opening of a state, before its first unit. */
  opening(work: () => void): void {
    this.db.transaction(() => {
      const before = new Map([...this.#tallies].map(([key, { n }]) => [key, n]));
      work();
      this.#flushTally(before);
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
  unit<T>(now: number, work: (now: number, revision: number) => T): T {
    // Small steps back are the clock's unrest. A long one reaches the store only once a peer confirmed it
    // (runtime/engine-time.ts): a clock that stood a year ahead must not hold time there for a year.
    const time = this.#engineTime - now > CONFIRMED_MS ? now : Math.max(now, this.#engineTime);
    const before = this.#lastRevision;
    const tallies = new Map<string, number>();
    for (const [key, tally] of this.#tallies) tallies.set(key, tally.n);
    try {
      const done = this.db.transaction(() => {
        this.#revision = Math.max(this.#lastRevision + 1, time * 1000);
        this.#now = time;
        const result = work(time, this.#revision);
        this.#lastRevision = this.#revision;
        this.setMeta('last_revision', String(this.#lastRevision));
        this.setMeta('engine_time', String(time));
        this.#flushTally(tallies);
        // The last statements of all: what they say was done is.
        this.records.write(time, this.#revision);
        this.ids.save((name, value) => this.setMeta(name, value));
        this.#engineTime = time;
        return result;
      });
      this.ids.end(true);
      this.records.committed();
      return done;
    } catch (error) {
      this.ids.end(false);
      this.records.forget();
      this.#lastRevision = before;
      for (const [key, tally] of this.#tallies) tally.n = tallies.get(key) ?? 0;
      throw error;
    }
  }

  get lastRevision(): number {
    return this.#lastRevision;
  }

  /** Engine time of the running unit. */
  get now(): number {
    return this.#now;
  }

  get engineTime(): number {
    return this.#engineTime;
  }

  /** A product holds a higher revision than any of ours: every later one must lie above it. */
  raiseFloor(found: number): void {
    const revision = saneRevision(found);
    if (revision >= this.#revision) this.#revision = revision + 1;
    this.#lastRevision = Math.max(this.#lastRevision, revision);
  }

  /** The revision of the running unit, after any raise of the floor. */
  get revision(): number {
    return this.#revision;
  }

  count(owner: string, name: string, by: number): void {
    if (by !== 0) this.tallyOf(owner, name).n += by;
  }

  /** To be kept by who counts a million times. It is the same one for good, and set back when a unit fails. */
  tallyOf(owner: string, name: string): Tally {
    const key = `${owner} ${name}`;
    let tally = this.#tallies.get(key);
    if (tally === undefined) {
      tally = { n: 0 };
      this.#tallies.set(key, tally);
    }
    return tally;
  }

  tally(owner: string, name: string): number {
    return this.#tallies.get(`${owner} ${name}`)?.n ?? 0;
  }

  /** A tally is a number read from rows; setting it anew corrects a drift. */
  setTally(owner: string, name: string, n: number): void {
    this.tallyOf(owner, name).n = n;
  }

  #flushTally(before: ReadonlyMap<string, number>): void {
    for (const [key, { n }] of this.#tallies) {
      if ((before.get(key) ?? 0) === n) continue;
      const space = key.indexOf(' ');
      this.db.run(
        'INSERT INTO tally (owner, name, n) VALUES (?, ?, ?) ON CONFLICT (owner, name) DO UPDATE SET n = excluded.n',
        key.slice(0, space),
        key.slice(space + 1),
        n,
      );
    }
  }

  close(): void {
    this.db.close();
  }
}

/** The sweep over all entries that a changed configuration asks for (sweeps.ts), in the transaction that notes the change. */
function beginRecompute(db: Database, siem: string, force: boolean): void {
  db.run(
    `INSERT INTO sweep (kind, owner, subject, position, argument, done, since, turn)
     SELECT 'recompute', id, '', '', ?, 0, 0, 0 FROM siem WHERE name = ?
     ON CONFLICT (kind, owner, subject) DO UPDATE SET position = '', done = 0${force ? ', argument = excluded.argument' : ''}`,
    JSON.stringify({ force }),
    siem,
  );
}
