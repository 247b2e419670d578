// One console, kept as the engine asks: negotiates the version, keeps the sets there, and leaves the rows to the
// board of the API that the console speaks.
import type { Batch } from '../../../core/contracts/batch.ts';
import {
  configFailure,
  type ConnectorError,
  type Failure,
  retryable,
  toFailure,
} from '../../../core/contracts/failure.ts';
import type {
  Change,
  Container,
  Outcome,
  OwnedEntry,
  Probe,
  SiemConnector,
  SiemDeps,
  WriterMark,
} from '../../../core/contracts/siem-connector.ts';
import { type Board, type HeldSet, type HeldSets, pick } from './board.ts';
import { Classic } from './classic.ts';
import { QRadarClient } from './client.ts';
import { Collections } from './collections.ts';
import type { QRadarSettings } from './config.ts';
import { CONTROL, SET_KINDS, type SetKind, containerKind, setName } from './sets.ts';
import { QRadarHits } from './hits.ts';
import { forgetsTooSoon, renewalDays } from './lifetime.ts';
import { type Facts, ownedEntry, splitSlot } from './mapping.ts';
import { About, Versions } from './responses.ts';
import { chooseVersion } from './versions.ts';

interface Session {
  readonly facts: Facts;
  readonly board: Board;
  readonly kinds: readonly SetKind[];
}

export class QRadarConnector implements SiemConnector {
  readonly #client: QRadarClient;
  readonly #config: QRadarSettings;
  readonly #deps: SiemDeps;
  readonly #owner: string;
  readonly hits: QRadarHits;
  #session: Session | undefined;
  #sets: HeldSets | undefined;
  #learned: Board | undefined;
  /** Sets whose names are taken where we cannot reach them. Their changes wait, the others go on. */
  readonly #barred = new Map<string, Failure>();
  /** Counts how often a set was found empty that had entries before: an administrator's purge keeps the set's id. */
  readonly #purges = new Map<string, number>();
  /** Sets from which we removed since their entries were counted last: they may be empty by our own doing. */
  readonly #thinned = new Set<string>();

  constructor(config: QRadarSettings, deps: SiemDeps) {
    this.#client = new QRadarClient(config, deps);
    this.#config = config;
    this.#deps = deps;
    this.#owner = `entente:${deps.instance}`;
    this.hits = new QRadarHits(
      this.#client,
      config,
      {
        sets: async (signal) => {
          const { board, kinds } = await this.#ready(signal);
          return board.sets(kinds, signal);
        },
        list: (filter, signal) => this.#listed(filter, false, signal),
      },
      deps,
    );
  }

  async probe(signal: AbortSignal, asked?: { readonly hits: boolean }): Promise<Probe> {
    try {
      const { facts, board, kinds } = await this.#ready(signal);
      const about = await this.#client.call({ path: '/system/about', signal });
      const { external_version: release } = this.#client.parse(About, about.body, 'the question for the release');
      const sets = await board.sets(kinds, signal);
      for (const set of sets.values()) this.#check(set);
      await board.mayWrite(signal);
      const missing = kinds.length - sets.size;
      if (missing > 0 && this.#config.provision === 'never') throw this.#missing(kinds, sets);
      for (const set of sets.values()) this.#checkLifetime(set);
      if (asked?.hits === true) await this.hits.probe(signal);
      const taken = await this.#takenElsewhere(board, kinds, sets, signal);
      const state = missing === 0 ? 'all sets are there' : `${missing} sets will be created${taken}`;
      return { ok: true, message: `QRadar ${release}, API ${facts.version} (${facts.api}); ${state}` };
    } catch (error) {
      const failure = toFailure(error);
      return { ok: false, message: failure.message, failure };
    }
  }

  async open(signal: AbortSignal) {
    const { facts, board, kinds } = await this.#ready(signal);
    const before = await board.sets(kinds, signal);
    for (const set of before.values()) this.#check(set);
    const missing = kinds.filter((kind) => !before.has(kind.suffix));
    if (missing.length > 0 && this.#config.provision === 'never') throw this.#missing(kinds, before);
    this.#sets = missing.length === 0 ? before : await this.#provide(board, kinds, missing, signal);
    await this.#learn(board, this.#sets, signal);
    return { facts, containers: this.#containersOf(this.#sets, kinds) };
  }

  async containers(signal: AbortSignal): Promise<readonly Container[]> {
    const { board, kinds } = await this.#ready(signal);
    const sets = await board.sets(kinds, signal);
    // Somebody may have made one anew as another type: it would take values as something else, or refuse each of them.
    for (const set of sets.values()) this.#check(set);
    for (const [suffix, set] of sets)
      if (set.count === 0 && (this.#sets?.get(suffix)?.count ?? 0) > 0 && !this.#thinned.has(suffix))
        this.#purges.set(suffix, (this.#purges.get(suffix) ?? 0) + 1);
    this.#thinned.clear();
    this.#sets = sets;
    return this.#containersOf(sets, kinds);
  }

  async writer(mine: WriterMark | undefined, signal: AbortSignal): Promise<WriterMark | undefined> {
    const { board } = await this.#ready(signal);
    const control = (await this.#held(signal)).get(CONTROL.suffix);
    if (control === undefined) {
      if (mine === undefined) return undefined;
      throw retryable(
        `${this.#deps.name}: set ${setName(this.#config.set_prefix, CONTROL)} is missing; it is made anew at the next open`,
        { uncertain: false },
      );
    }
    const before = await board.readMark(control, signal);
    if (mine !== undefined) await board.writeMark(control, mine, signal);
    return before;
  }

  async leave(signal: AbortSignal): Promise<{ removed: number; stays: readonly string[] }> {
    const { board } = await this.#ready(signal);
    const sets = await this.#held(signal);
    const control = sets.get(CONTROL.suffix);
    const removed = control === undefined ? 0 : await board.dropControl(control, signal);
    return { removed, stays: [...sets.values()].map(({ name }) => `the set ${name}, now empty of ours`) };
  }

  async apply(batch: Batch, signal: AbortSignal): Promise<readonly Outcome[]> {
    const { board, kinds } = await this.#ready(signal);
    for (const change of batch.changes)
      if (change.op === 'remove') this.#thinned.add(splitSlot(change.slot)?.kind.suffix ?? '');
    const barredKinds = kinds.filter((kind) => this.#barred.has(kind.suffix));
    if (batch.changes.some((change) => this.#barred.has(suffixOf(change))))
      this.#sets = await this.#provide(board, kinds, barredKinds, signal);
    const sets = await this.#held(signal);
    const sound = batch.changes.flatMap((change, i) => (this.#barred.has(suffixOf(change)) ? [] : [i]));
    const outcomes = batch.changes.flatMap((change): Outcome[] => {
      const failure = this.#barred.get(suffixOf(change));
      return failure === undefined ? [] : [{ key: change.key, kind: 'failed', failure }];
    });
    if (sound.length === 0) return outcomes;
    return [...outcomes, ...(await board.apply(pick(batch, sound), sets, signal))];
  }

  trouble(): Failure | undefined {
    for (const failure of this.#barred.values()) return failure;
    for (const set of this.#sets?.values() ?? []) {
      const said = forgetsTooSoon(set, renewalDays(this.#config.dead_man_days));
      if (said !== undefined) return { kind: 'config', message: `${this.#deps.name}: ${said}`, code: 'place_lifetime' };
    }
    return undefined;
  }

  async settle(receipt: string, signal: AbortSignal): Promise<readonly Outcome[] | 'pending'> {
    const { board } = await this.#ready(signal);
    // A console that fell back to the classic API has no such task any more: its rows are read back.
    return (await board.settle?.(receipt, await this.#held(signal), signal)) ?? [];
  }

  list(filter: { readonly slots?: readonly string[] }, signal: AbortSignal): AsyncIterable<readonly OwnedEntry[]> {
    return this.#listed(filter, true, signal);
  }

  /** `settled`: what was sent and may still take effect is waited for; hits need only what stands there now. */
  async *#listed(
    filter: { readonly slots?: readonly string[] },
    settled: boolean,
    signal: AbortSignal,
  ): AsyncIterable<readonly OwnedEntry[]> {
    const { board } = await this.#ready(signal);
    const sets = await this.#held(signal);
    const wanted =
      filter.slots === undefined ? undefined : Map.groupBy(filter.slots, (slot) => splitSlot(slot)?.kind.suffix ?? '');
    for (const set of sets.values()) {
      const slots = wanted?.get(set.kind.suffix);
      if (set.kind.suffix === CONTROL.suffix || (wanted !== undefined && slots === undefined)) continue;
      const stored = slots?.map((slot) => slot.slice(set.kind.suffix.length + 1));
      if (stored === undefined) for await (const page of board.rows(set, signal)) yield this.#owned(set, page);
      else {
        if (settled) await board.settled?.(set, stored, signal);
        yield this.#owned(set, await board.rowsOf(set, stored, signal));
      }
    }
  }

  async foreign(signal: AbortSignal): Promise<number> {
    const { board } = await this.#ready(signal);
    const sets = [...(await this.#held(signal)).values()];
    return board.countOthers(
      sets.filter((set) => set.kind.suffix !== CONTROL.suffix),
      signal,
    );
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  /** Negotiates once, and again after the console said that what we spoke was removed. */
  async #ready(signal: AbortSignal): Promise<Session> {
    if (this.#session !== undefined && this.#client.version !== undefined) return this.#session;
    const { body } = await this.#client.call({ path: '/help/versions', anyVersion: true, signal });
    const offered = this.#client.parse(Versions, body, 'the list of API versions');
    const { warning, ...facts } = chooseVersion(offered, this.#config.api_version, this.#deps.name);
    if (warning !== undefined)
      this.#deps.log.warn('The API version of QRadar needs attention.', { siem: this.#deps.name, warning });
    this.#deps.log.info('API version of QRadar negotiated.', {
      siem: this.#deps.name,
      version: facts.version,
      api: facts.api,
    });
    this.#client.version = facts.version;
    const same = this.#session?.facts.api === facts.api ? this.#session.board : undefined;
    const make = facts.api === 'collections' ? Collections : Classic;
    const kinds: SetKind[] = [...SET_KINDS, CONTROL];
    this.#session = {
      facts,
      board: same ?? new make(this.#client, this.#config, this.#deps),
      kinds: facts.cidr ? kinds : kinds.filter((kind) => kind.element !== 'CIDR'),
    };
    return this.#session;
  }

  /** Makes sets that are missing. One that is taken all the same stands where we do not see it, and bars nobody else. */
  async #provide(
    board: Board,
    kinds: readonly SetKind[],
    missing: readonly SetKind[],
    signal: AbortSignal,
  ): Promise<HeldSets> {
    for (const kind of missing) await board.create(kind, signal);
    const sets = await board.sets(kinds, signal);
    this.#barred.clear();
    for (const kind of missing) {
      if (sets.has(kind.suffix)) continue;
      const name = setName(this.#config.set_prefix, kind);
      const tenant = await board.elsewhere?.(name, signal);
      const failure = this.#elsewhere(name, tenant);
      if (kind.suffix === CONTROL.suffix) throw failure;
      this.#barred.set(kind.suffix, toFailure(failure));
    }
    return sets;
  }

  /** A name that is seen elsewhere may bar ours; only making the set tells. */
  async #takenElsewhere(board: Board, kinds: readonly SetKind[], sets: HeldSets, signal: AbortSignal): Promise<string> {
    const taken: string[] = [];
    for (const kind of kinds) {
      const name = setName(this.#config.set_prefix, kind);
      if (!sets.has(kind.suffix) && (await board.elsewhere?.(name, signal)) !== undefined) taken.push(name);
    }
    if (taken.length === 0) {
      // Only making it tells, and a look makes nothing.
      return board.elsewhere === undefined || sets.size === kinds.length
        ? ''
        : '; one of their names in a tenant that this token does not see would show only then (see set_prefix)';
    }
    return `, but ${taken.join(', ')} stands in another tenant and may be in the way: see tenant_id and set_prefix`;
  }

  #elsewhere(name: string, tenant: number | null | undefined): ConnectorError {
    const where = tenant === null ? ' (it is shared)' : tenant === undefined ? '' : ` (tenant ${tenant})`;
    return configFailure(
      `${this.#deps.name}: set ${name} stands in another tenant${where}, and its name cannot be used twice; set tenant_id to that tenant${tenant === null ? ' or leave it out' : ''}, rename that set, or choose another set_prefix`,
      { uncertain: false, code: 'place_other_tenant' },
    );
  }

  /** Once for each board: nothing of this changes while a console runs. */
  async #learn(board: Board, sets: HeldSets, signal: AbortSignal): Promise<void> {
    const control = sets.get(CONTROL.suffix);
    if (control === undefined || this.#learned === board) return;
    await board.learn?.(control, signal);
    this.#learned = board;
  }

  async #held(signal: AbortSignal): Promise<HeldSets> {
    if (this.#sets === undefined) {
      const { board, kinds } = await this.#ready(signal);
      this.#sets = await board.sets(kinds, signal);
    }
    return this.#sets;
  }

  #owned(set: HeldSet, rows: Awaited<ReturnType<Board['rowsOf']>>): readonly OwnedEntry[] {
    return rows.flatMap((row) => ownedEntry(set.kind, row, this.#owner) ?? []);
  }

  /** A type with two sets has one container, which is there and the same only while both are. */
  #containersOf(sets: HeldSets, kinds: readonly SetKind[]): readonly Container[] {
    const byName = Map.groupBy(
      kinds.filter((kind) => kind.observable !== undefined),
      (kind) => (kind.observable === undefined ? '' : setName(this.#config.set_prefix, containerKind(kind.observable))),
    );
    const out: Container[] = [];
    for (const [name, some] of byName) {
      const parts = some.map((kind) => {
        const set = sets.get(kind.suffix);
        const purges = this.#purges.get(kind.suffix);
        return set === undefined ? undefined : `${set.identity}${purges === undefined ? '' : `#${purges}`}`;
      });
      if (parts.every((part) => part !== undefined)) out.push({ name, identity: parts.join('+') });
    }
    return out;
  }

  #check(set: HeldSet): void {
    if (set.element === set.kind.element) return;
    throw configFailure(
      `${this.#deps.name}: set ${set.name} has type ${set.element} and needs ${set.kind.element}; delete or rename it, or choose another set_prefix`,
    );
  }

  #checkLifetime(set: HeldSet): void {
    const said = forgetsTooSoon(set, renewalDays(this.#config.dead_man_days));
    if (said !== undefined) throw configFailure(`${this.#deps.name}: ${said}`, { code: 'place_lifetime' });
  }

  #missing(kinds: readonly SetKind[], sets: HeldSets) {
    const names = kinds
      .filter((kind) => !sets.has(kind.suffix))
      .map((kind) => `${setName(this.#config.set_prefix, kind)} (${kind.element})`);
    return configFailure(`${this.#deps.name}: sets are missing and provision is never; create ${names.join(', ')}`);
  }
}

const suffixOf = (change: Change): string => splitSlot(change.slot)?.kind.suffix ?? '';
