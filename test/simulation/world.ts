// Store, pollers, deliverers, reporters and senders in one thread, with a clock that is turned by hand, two scripted
// partners, two SIEMs in memory under different rules, and people who act. Faults come by seed: a crash between any two
// steps, lost, partial, wrong and reordered outcomes, writes that land late, containers deleted, other rules at a
// restart, older and lost state files.
import { rmSync } from 'node:fs';
import { Deliverer } from '../../src/core/delivery/deliverer.ts';
import { Poller } from '../../src/core/ingest/poller.ts';
import { TLP_LEVELS } from '../../src/core/model/marking.ts';
import { type EntryKey, entryKey, OBSERVABLE_TYPES, type ObservableType } from '../../src/core/model/observable.ts';
import type { BrakeSettings } from '../../src/core/policy/brakes.ts';
import { sha256 } from '../../src/core/runtime/ids.ts';
import { silentLog } from '../../src/core/runtime/log.ts';
import { Reporter } from '../../src/core/sightings/reporter.ts';
import { Sender } from '../../src/core/sightings/sender.ts';
import type { StatePlace } from '../../src/core/store/sql/place.ts';
import type { Database } from '../../src/core/store/sql/port.ts';
import { openReading, openState } from '../../src/core/store/state/open.ts';
import { localStore, type RemoteStore } from '../../src/core/store/remote.ts';
import { StoreReader } from '../../src/core/store/read/status.ts';
import { PRESENT, STATE } from '../../src/core/store/rows/rows.ts';
import type { StoreSpec } from '../../src/core/store/spec/spec.ts';
import { scratchFolder } from '../builders/scratch.ts';
import { anExchange, DAY, HOUR, ipv4, MINUTE, NOW, versionAt } from '../builders/store.ts';
import { memorySiem, type MemorySiemOptions, type MemorySiemStore } from '../contract/memory-siem.ts';
import { Draw } from './draw.ts';
import { difference, type Expected, expectedIn, PARKED_VALUE } from './expected.ts';
import { faultyConnector, LATEST_MS, Tasks } from './far-side.ts';
import { InFile, type Keeping } from './keeping.ts';
import { ledgerDrift } from './ledger-drift.ts';
import { Partner } from './partner.ts';
import { type RuleSet, RULES, specOf } from './rules.ts';
import { recordDrift } from './record-drift.ts';
import { RELEASE, SeenHits, Told } from './sightings.ts';

const PRODUCTS: readonly MemorySiemOptions[] = [
  { versioned: true },
  { versioned: true, receipts: true },
  { versioned: false },
  { versioned: false, foldsSlots: true },
  { versioned: false, foldsSlots: true, receipts: true },
];
export const SIEMS = ['one', 'two'] as const;
/** From this seed on, the SIEMs of every second world judge alike until one gets other rules; earlier seeds go as they went. */
const ALIKE_FROM = 300_000;
const FOREIGN = 'analyst.example';
/** Ends of the URLs that are published: few, so that sources meet, and some that differ in case only. */
const LETTERS = ['x', 'X', 'y', 'Y', 'z', 'w', 'v', 'u'] as const;

interface Suppressed {
  readonly id: number;
  readonly key: string;
  readonly until: number;
}

export class World {
  readonly seed: number;
  readonly partners: readonly Partner[];
  readonly trail: string[] = [];
  /** What was done about each value, by SIEM and key; marks stand under no key. */
  readonly #stories = new Map<string, string[]>();
  now = NOW;
  readonly #draw: Draw;
  readonly #folder: string;
  readonly #keeping: Keeping;
  readonly #product: MemorySiemOptions;
  readonly #doubles;
  readonly #tasks = SIEMS.map(() => new Tasks());
  readonly #seen = SIEMS.map(() => new SeenHits());
  readonly #told: readonly Told[];
  readonly #late: { at: number; land: () => void }[] = [];
  #rules: Record<string, RuleSet> = { ...RULES };
  readonly #brake: BrakeSettings;
  /** What people took off, as the state that is in use knows it. */
  #suppressed: readonly Suppressed[] = [];
  #backedUp: readonly Suppressed[] = [];
  #faulty = true;
  /** Steps until the process dies. */
  #fuse = Number.POSITIVE_INFINITY;
  #died: () => void = () => {};
  #store!: RemoteStore;
  #spec!: StoreSpec;
  /** The same without a life that ends: what people ask for happens, or does not. */
  #people!: RemoteStore;
  #open = false;
  /** A second connection to the state in use. */
  #looking: Database | undefined;
  #pollers: Poller[] = [];
  #deliverers: Deliverer[] = [];
  #reporters: Reporter[] = [];
  #senders: Sender[] = [];
  #boots = 0;
  /** Counts the lives, so that what an earlier one left behind does nothing in a later one. */
  #life = 0;

  constructor(seed: number, keptIn: (folder: string) => Keeping = (folder) => new InFile(folder)) {
    this.seed = seed;
    this.#draw = new Draw(seed);
    this.#folder = scratchFolder('entente-sim-');
    this.#keeping = keptIn(this.#folder);
    this.partners = ['alpha', 'beta'].map((name) => new Partner(name, this.#draw));
    this.#product = {
      ...PRODUCTS[seed % PRODUCTS.length]!,
      maxItems: 1 + this.#draw.below(6),
      longestCallMs: LATEST_MS,
    };
    this.#doubles = SIEMS.map(() => memorySiem(this.#product));
    if (seed >= ALIKE_FROM && seed % 2 === 0) this.#rules = { one: RULES['one']!, two: RULES['one']! };
    for (const name of SIEMS) this.#rules[name] = this.#limited(this.#rules[name]!);
    // Every fourth world is too small for its brakes.
    this.#brake =
      seed % 4 === 0
        ? { removal: { share: 1, atLeast: 1e9, windowHours: 24 }, addition: { factor: 1, atLeast: 1e9 } }
        : { removal: { share: 0.3, atLeast: 2, windowHours: 6 }, addition: { factor: 2, atLeast: 4 } };
    this.#told = this.partners.map(
      (one) =>
        new Told(
          one,
          this.#draw,
          (...object) => this.#knownTlp(...object),
          (message) => this.#fail(message),
        ),
    );
    this.#doubles.forEach(({ store }, i) => {
      store.foreign.set(FOREIGN, 'an analyst');
      this.#listen(SIEMS[i]!, store);
    });
  }

  /** `look` is shown the state after each step, and at the end. */
  async run(steps: number, look: (when: string, state: StatePlace) => void = () => {}): Promise<void> {
    this.#boot();
    for (let i = 0; i < steps; i++) {
      await this.#step();
      look(`step ${i + 1}`, this.#state);
    }
    await this.#settle();
    look('settled', this.#state);
    await this.#tell();
    look('told', this.#state);
    // Everything expires in the end, and goes within one cycle.
    this.now += 20 * DAY;
    await this.#round();
    this.#check('after twenty days');
    look('over', this.#state);
  }

  close(): void {
    this.#life++;
    this.#leaveStore();
    this.#keeping.forget();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The state is let go, as the kernel does for a process that died. */
  #leaveStore(): void {
    this.#looking?.close();
    this.#looking = undefined;
    if (this.#open) void this.#people.close();
    this.#open = false;
  }

  get #state(): StatePlace {
    return this.#keeping.place;
  }

  #boot(): void {
    this.#life++;
    this.#boots++;
    this.#spec = {
      path: this.#state,
      instance: 'test-instance',
      exchanges: this.partners.map(({ name }) => anExchange({ name })),
      siems: SIEMS.map((name) => specOf(name, this.#rules[name]!, this.#brake, LATEST_MS)),
      release: RELEASE,
    };
    this.#leaveStore();
    this.#newState();
    this.#people = localStore(this.#spec, new Map([['memory', this.#doubles[0]!.definition]]));
    this.#open = true;
    this.#store = this.#mortal(this.#neverHeld(this.#people));
    const common = { store: this.#store, now: () => this.now, log: silentLog, random: () => this.#draw.next() };
    this.#pollers = this.partners.map(
      (one) => new Poller({ ...common, name: one.name, connector: one.connector(), withdrawVanished: true }),
    );
    const connectors = SIEMS.map((name, i) => this.#connector(name, i));
    this.#deliverers = SIEMS.map(
      (name, i) =>
        new Deliverer({
          ...common,
          name,
          definition: this.#doubles[i]!.definition,
          connector: connectors[i]!,
          clock: { now: () => this.now, monotonic: () => this.now, sleep: async () => {} },
          boot: `boot-${this.#boots}`,
          abort: new AbortController().signal,
        }),
    );
    this.#reporters = SIEMS.map((name, i) => new Reporter({ ...common, name, connector: connectors[i]! }));
    const life = this.#life;
    this.#senders = this.partners.map(({ name }, i) => {
      const send = async (sightings: Parameters<Told['send']>[0]) => {
        await this.#beat(life);
        const outcomes = await this.#told[i]!.send(sightings);
        await this.#beat(life);
        return outcomes;
      };
      return new Sender({ ...common, name, connector: { send } });
    });
  }

  /** A new state draws its writer by chance, and sums and delays depend on it. Here the seed draws it. */
  #newState(): void {
    if (this.#keeping.there) return;
    const db = openState(this.#state);
    db.run("INSERT INTO meta (name, value) VALUES ('writer', ?)", sha256(`${this.seed} ${this.#boots}`).slice(0, 16));
    db.close();
  }

  /** What a person has not allowed to go is in no batch. The rows are read in the moment in which they are taken. */
  #neverHeld(store: RemoteStore): RemoteStore {
    const takeBatch: RemoteStore['takeBatch'] = async (siem, ...rest) => {
      const held = this.#heldRemovals(siem);
      const batch = await store.takeBatch(siem, ...rest);
      const changes = typeof batch?.changes === 'function' ? batch.changes() : batch?.changes;
      for (const { op, key } of changes ?? [])
        if (op === 'remove' && held.has(key)) this.#fail(`${siem}: ${key} is held, and its removal was sent`);
      return batch;
    };
    return new Proxy(store, { get: (target, name) => (name === 'takeBatch' ? takeBatch : Reflect.get(target, name)) });
  }

  #heldRemovals(siem: string): Set<string> {
    return this.#heldKeys(siem, "h.kind = 'removal' AND (h.decided IS NULL OR h.decision = 'reject')");
  }

  #heldKeys(siem: string, which: string): Set<string> {
    const rows = this.#ask<{ type: number; value: string }>(
      `SELECT e.type, e.value FROM projection p JOIN siem s ON s.id = p.siem_id JOIN entry e ON e.id = p.entry_id
       JOIN hold h ON h.id = p.hold WHERE s.name = ? AND ${which}`,
      siem,
    );
    return new Set(rows.map(({ type, value }) => entryKey(OBSERVABLE_TYPES[type]!, value)));
  }

  #ask<R>(sql: string, ...values: (string | number)[]): R[] {
    this.#looking ??= openReading(this.#state);
    // Each caller names the columns it reads.
    return this.#looking.all<object>(sql, ...values) as R[];
  }

  /** A call that a dead process made comes back to nobody. */
  #mortal<T extends object>(target: T): T {
    const life = this.#life;
    return new Proxy(target, {
      get: (object, name) => {
        const member: unknown = Reflect.get(object, name);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]) => {
          await this.#beat(life);
          const result: unknown = await (member as (...given: unknown[]) => unknown).apply(object, args);
          await this.#beat(life);
          return result;
        };
      },
    });
  }

  /** One step of the process: it may be its last. */
  async #beat(life: number): Promise<void> {
    if (life === this.#life && --this.#fuse > 0) return;
    if (life === this.#life) {
      this.#life++;
      this.#died();
    }
    await new Promise<never>(() => {});
  }

  #connector(name: string, i: number) {
    const life = this.#life;
    const faulty = (): boolean => this.#faulty;
    return faultyConnector(this.#doubles[i]!, this.#product.receipts === true, {
      draw: this.#draw,
      now: () => this.now,
      rules: () => this.#rules[name]!,
      faulty,
      beat: () => this.#beat(life),
      later: (at, land) => void this.#late.push({ at, land }),
      tasks: this.#tasks[i]!,
      hits: this.#seen[i]!.reader(this.#draw, faulty),
    });
  }

  async #step(): Promise<void> {
    const draw = this.#draw;
    const dice = draw.below(100);
    this.#fuse = draw.chance(0.15) ? 1 + draw.below(30) : Number.POSITIVE_INFINITY;
    const signal = new AbortController().signal;
    if (dice < 30) this.#publish();
    else if (dice < 48) await this.#alive('poll', () => draw.from(this.#pollers).poll(signal));
    else if (dice < 70) await this.#alive('cycle', () => draw.from(this.#deliverers).cycle(signal));
    else if (dice < 75) await this.#alive('all', () => Promise.all(this.#everybody()));
    else if (dice < 80) await this.#alive('tick', () => this.#store.tick(this.now, false));
    else if (dice < 82) await this.#alive('listing', () => draw.from(this.#pollers).listing(signal));
    else if (dice < 84) await this.#alive('audit', () => draw.from(this.#deliverers).audit(signal, draw.chance(0.5)));
    else if (dice < 86) this.#plant();
    else if (dice < 88) await this.#alive('hits', () => draw.from(this.#reporters).collect(signal));
    else if (dice < 90) await this.#alive('send', () => draw.from(this.#senders).cycle(signal));
    else if (dice < 92) await this.#person();
    else if (dice < 93) this.#otherRules();
    else if (dice < 94) this.#drop();
    else if (dice < 95) this.#vanish();
    else if (dice < 96) this.#disk();
    else this.#pass(draw.chance(0.2) ? draw.below(3 * DAY) : draw.below(2 * HOUR));
    this.#pass(draw.below(30_000));
  }

  #everybody(): Promise<unknown>[] {
    const signal = new AbortController().signal;
    return [
      ...this.#pollers.map((one) => one.poll(signal)),
      ...this.#deliverers.map((one) => one.cycle(signal)),
      ...this.#reporters.map((one) => one.collect(signal)),
      ...this.#senders.map((one) => one.cycle(signal)),
    ];
  }

  /** Somebody's machine talks to what stands on a list, or to what stood there. */
  #plant(): void {
    const i = this.#draw.below(SIEMS.length);
    const keys = [...this.#doubles[i]!.store.rows.values()].map(({ key }) => key);
    if (keys.length === 0) return;
    const key = this.#draw.from(keys);
    this.#seen[i]!.plant(key, this.now);
    this.#note(`hit ${SIEMS[i]} ${key}`);
  }

  /** Takes a value off for a while, gives one back, or decides about what is held. */
  async #person(): Promise<void> {
    const draw = this.#draw;
    if (draw.chance(0.4)) return await this.#decide(() => draw.from(['approve', 'reject', 'wait'] as const));
    if (this.#suppressed.length > 0 && draw.chance(0.4)) {
      const one = draw.from(this.#suppressed);
      await this.#people.lift(one.id, this.now);
      this.#suppressed = this.#suppressed.filter(({ id }) => id !== one.id);
      this.#note(`lift ${one.key}`);
      return;
    }
    const value = `http://a.example/${draw.from(LETTERS)}`;
    const until = this.now + 1 + draw.below(2 * DAY);
    const [id] = await this.#people.suppress([{ type: 'url', value }], until, 'quiet', 'a person', this.now);
    this.#suppressed = [...this.#suppressed, { id: id!, key: `url|${value}`, until }];
    this.#note(`suppress ${value}`);
  }

  /** Goes through all holds that wait. */
  async #decide(choice: () => 'approve' | 'reject' | 'wait'): Promise<void> {
    const reader = new StoreReader(this.#spec);
    const held = reader.held();
    reader.close();
    for (const { id, kind, siem, set, count } of held) {
      const decision = choice();
      if (decision === 'wait') continue;
      await this.#people.decide({ holds: [{ id, set }], sightings: [] }, decision, 'a person', 'seen', this.now);
      this.#note(`${decision} ${kind} ${siem} ${count}`);
    }
  }

  /** Another configuration, which takes a restart. */
  #otherRules(): void {
    const draw = this.#draw;
    const name = draw.from(SIEMS);
    const rules = {
      ...this.#rules[name]!,
      clearance: draw.from(['green', 'amber', 'amber+strict'] as const),
      minConfidence: draw.from([0, 30, 60]),
      hosting: draw.from(['on_premises', 'cloud'] as const),
      withoutPap: draw.from(['green', 'green', 'amber'] as const),
    };
    this.#rules = { ...this.#rules, [name]: this.#limited(rules) };
    this.#note(`other rules ${name} ${JSON.stringify(rules)}`);
    this.#boot();
  }

  /** In every third world the SIEMs take only so many, now more and now fewer. */
  #limited(rules: RuleSet): RuleSet {
    return this.seed % 3 !== 1 ? rules : { ...rules, maxEntries: 1 + ((this.seed + this.#boots) % 5) };
  }

  #publish(): void {
    const draw = this.#draw;
    const partner = draw.from(this.partners);
    const n = 1 + draw.below(4);
    for (let i = 0; i < n; i++) {
      // Few ids and few values, so that versions, sources and slots meet.
      const type = 'url' as const;
      const value = draw.chance(0.04) ? PARKED_VALUE : `http://a.example/${draw.from(LETTERS)}`;
      partner.publish({
        objectId: `indicator--${partner.name}-${draw.below(14)}`,
        version: versionAt(this.now + partner.log.length),
        revoked: draw.chance(0.12),
        validFrom: this.now + (draw.chance(0.15) ? draw.below(DAY) : -DAY),
        ...(draw.chance(0.5)
          ? { validUntil: this.now + draw.below(10 * DAY) + 1 }
          : { validUntil: this.now + 15 * DAY }),
        ...(draw.chance(0.1) ? {} : { tlp: draw.from(['green', 'green', 'amber', 'red'] as const) }),
        ...(draw.chance(0.1) ? {} : { confidence: draw.below(101) }),
        ...(draw.chance(0.1) ? { pap: draw.from(['clear', 'amber', 'red'] as const) } : {}),
        ...(draw.chance(0.05) ? { benign: true } : {}),
        observables: draw.chance(0.15)
          ? []
          : draw.chance(0.2)
            ? [{ type, value }, ipv4('192.0.2.7')]
            : [{ type, value }],
      });
    }
    this.#note(`publish ${partner.name} ${n}`);
  }

  /** The partner forgets an object without a word. */
  #vanish(): void {
    const partner = this.#draw.from(this.partners);
    const [id] = partner.current.keys();
    if (id === undefined || partner.current.get(id)?.revoked === true) return;
    partner.current.delete(id);
    // What is gone is in no page any more; the positions of the others stay.
    partner.log.forEach((one, i) => {
      if (one.objectId === id)
        partner.log[i] = { ...partner.log[i]!, objectId: `indicator--gone-${partner.name}-${i}`, observables: [] };
    });
    this.#note(`vanish ${id}`);
  }

  #drop(): void {
    this.#draw.from(this.#doubles).store.drop();
    this.#note('container deleted');
  }

  /** An older copy of the state comes back, or none. */
  #disk(): void {
    const draw = this.#draw.below(3);
    if (draw === 0 || !this.#keeping.backedUp) {
      this.#keeping.backup();
      this.#backedUp = this.#suppressed;
      this.#note('backup');
      return;
    }
    this.#life++;
    this.#leaveStore();
    this.#keeping.lose();
    if (draw === 1) this.#keeping.restore();
    this.#suppressed = draw === 1 ? this.#backedUp : [];
    this.#note(draw === 1 ? 'older state restored' : 'state lost');
    this.#boot();
  }

  #pass(ms: number): void {
    this.now += ms;
    const due = this.#late.filter((one) => one.at <= this.now);
    for (const one of due) {
      this.#late.splice(this.#late.indexOf(one), 1);
      one.land();
    }
  }

  /** Runs a step of the process, or as much of it as its life allows. */
  async #alive(what: string, work: () => Promise<unknown>): Promise<void> {
    const life = this.#life;
    const death = new Promise<'dead'>((resolve) => {
      this.#died = () => resolve('dead');
    });
    const end = await Promise.race([work(), death]);
    this.#note(`${what}${end === 'dead' ? ' DIED' : ''}`);
    if (end === 'dead' || life !== this.#life) this.#boot();
    this.#checkCursors();
    const drift = ledgerDrift((sql) => this.#ask(sql), this.partners.length);
    if (drift !== undefined) this.#fail(drift);
  }

  /** Faults stop; everything is given time and turns. */
  async #settle(): Promise<void> {
    this.#faulty = false;
    this.#fuse = Number.POSITIVE_INFINITY;
    for (const one of this.partners) one.faulty = false;
    this.#pass(20 * MINUTE);
    for (let i = 0; i < 4; i++) await this.#round();
    const signal = new AbortController().signal;
    for (const one of this.#pollers) await one.listing(signal);
    for (let i = 0; i < 3; i++) await this.#round();
    await this.#rest();
    // What an audit would mend must not be there to be mended.
    this.#check('after the faults');
    for (const one of this.#deliverers) {
      const { missing, stale, orphaned } = (await one.audit(signal, false))!;
      if (missing.length + stale.length + orphaned.length > 0)
        this.#fail(`${one.name}: an audit finds ${JSON.stringify({ missing, stale, orphaned })}`);
    }
    await this.#round();
    await this.#rest();
    this.#check('after an audit');
    this.#checkRecord('after an audit');
  }

  /** What became valid, or over, in the last round takes as many rounds as all before it: another may have to leave first. */
  async #rest(): Promise<void> {
    for (let i = 0; i < 3 && this.#atWork(); i++) await this.#round();
  }

  /** With everything calm, each value on a list is seen once more: whoever may know, knows. */
  async #tell(): Promise<void> {
    const before = this.partners.map(() => new Map<string, number>());
    const due = new Set<string>();
    this.now += 2 * HOUR;
    SIEMS.forEach((_, i) => {
      for (const [key, { sources }] of this.#wanted(i)) {
        if (![...this.#doubles[i]!.store.rows.values()].some((row) => row.key === key)) continue;
        this.#seen[i]!.plant(key, this.now);
        for (const source of sources) due.add(source);
      }
    });
    for (const source of due) {
      const [at, objectId] = this.#split(source);
      before[at]!.set(objectId, this.#told[at]!.countOf(objectId));
    }
    for (let i = 0; i < 3; i++) await this.#round();
    for (const source of due) {
      const [at, objectId] = this.#split(source);
      const released = this.#knownTlp(this.partners[at]!.name, objectId) === 'green';
      const told = this.#told[at]!.countOf(objectId) > before[at]!.get(objectId)!;
      if (told !== released) this.#fail(`${source} was seen; told: ${told}, released: ${released}`);
    }
    for (const one of this.#told) {
      const problem = one.exaggerated(this.#seen);
      if (problem !== undefined) this.#fail(problem);
    }
  }

  #split(source: string): [number, string] {
    const [name, objectId = ''] = source.split('/');
    return [this.partners.findIndex((one) => one.name === name), objectId];
  }

  async #round(): Promise<void> {
    this.#pass(16 * MINUTE);
    while ((await this.#store.tick(this.now, false)).more);
    await Promise.all(this.#everybody());
    await this.#decide(() => 'approve');
    while ((await this.#store.tick(this.now, false)).more);
    await Promise.all(this.#everybody());
  }

  #checkCursors(): void {
    for (const partner of this.partners) {
      const [row] = this.#ask<{ id: number; cursor: string | null }>(
        'SELECT id, cursor FROM exchange WHERE name = ?',
        partner.name,
      );
      const cursor = Number(row?.cursor ?? 0);
      const known = new Set(
        this.#ask<{ id: string }>('SELECT object_id AS id FROM object WHERE exchange_id = ?', row?.id ?? 0).map(
          ({ id }) => id,
        ),
      );
      for (const { objectId } of partner.log.slice(0, cursor)) {
        if (!objectId.startsWith('indicator--gone') && !known.has(objectId))
          this.#fail(`cursor ${cursor} is ahead of ${objectId}`);
      }
    }
  }

  /** As the daemon knows it now; undefined when it states none or knows no such object. */
  #knownTlp(exchange: string, objectId: string): string | undefined {
    const [row] = this.#ask<{ tlp: number | null }>(
      'SELECT o.tlp FROM object o JOIN exchange e ON e.id = o.exchange_id WHERE e.name = ? AND o.object_id = ?',
      exchange,
      objectId,
    );
    return typeof row?.tlp === 'number' ? TLP_LEVELS[row.tlp] : undefined;
  }

  #wanted(i: number): Map<EntryKey, Expected> {
    const { definition } = this.#doubles[i]!;
    const off = (key: string) => this.#suppressed.some((one) => one.key === key && one.until > this.now);
    return expectedIn(this.partners, this.#rules[SIEMS[i]!]!, this.now, off, (type, value) =>
      definition.slot(type, value, null),
    );
  }

  #check(when: string): void {
    SIEMS.forEach((name, i) => {
      const { store } = this.#doubles[i]!;
      const rejected = this.#heldKeys(name, "h.decision = 'reject'");
      const others = rejected.size + this.#mayStand(name);
      const problem = difference(this.#wanted(i), store, rejected, this.#rules[name]!.maxEntries, others);
      if (problem !== undefined) this.#fail(`${when}, ${name}: ${problem}`);
      if (store.foreign.get(FOREIGN) !== 'an analyst') this.#fail(`${when}, ${name}: a foreign entry changed`);
      for (const { failure } of [this.#deliverers[i]!, this.#reporters[i]!, ...this.#senders])
        if (failure !== undefined) this.#fail(`${when}, ${name}: ${JSON.stringify(failure)}`);
    });
  }

  #atWork(): boolean {
    const rests = [STATE.settled, STATE.parked, STATE.held];
    return this.#ask(`SELECT 1 AS one FROM projection WHERE state NOT IN (${rests.join()}) LIMIT 1`).length > 0;
  }

  /** Refused, and sent before by a call of which nobody knows the end: they keep their places until somebody looks. */
  #mayStand(siem: string): number {
    const [row] = this.#ask<{ n: number }>(
      `SELECT count(*) AS n FROM projection p JOIN siem s ON s.id = p.siem_id
       WHERE s.name = ? AND p.state = ${STATE.parked} AND p.present = ${PRESENT.maybe} AND p.place IS NOT NULL`,
      siem,
    );
    return row?.n ?? 0;
  }

  #checkRecord(when: string): void {
    const problem = recordDrift((sql) => this.#ask(sql));
    if (problem !== undefined) this.#fail(`${when}: ${problem}`);
  }

  #note(text: string): void {
    this.trail.push(`${new Date(this.now).toISOString()} ${text}`);
  }

  /** Asks for nothing and takes no time, so that a seed goes as it would go without. */
  #listen(name: string, store: MemorySiemStore): void {
    let marked = store.mark;
    store.hook = (call, when, batch) => {
      if (when !== 'after') return;
      if (call === 'writer' && store.mark !== marked) {
        marked = store.mark;
        this.#noteOf(`${name} `, `${marked?.boot} ${marked?.revision}`);
      }
      for (const { op, key, slot, revision } of batch?.changes ?? [])
        this.#noteOf(`${name} ${key}`, `${op} ${revision}, then ${store.rows.get(slot)?.revision ?? 'nothing'} there`);
    };
  }

  #noteOf(subject: string, what: string): void {
    const story = this.#stories.get(subject) ?? [];
    this.#stories.set(subject, story);
    story.push(`${new Date(this.now).toISOString()} boot-${this.#boots} ${what}`);
  }

  #fail(message: string): never {
    throw new Error(
      [
        `seed ${this.seed} (${JSON.stringify(this.#product)}): ${message}`,
        ...this.trail.slice(-60),
        ...this.#storyOf(message),
      ].join('\n'),
    );
  }

  /** All that is known of the value that a failure names: what was done about it, and what the state holds of it. */
  #storyOf(message: string): string[] {
    const name = SIEMS.find((one) => message.includes(`${one}: `));
    const key = /[a-z0-9-]+\|[^\s,:]+(?::\/\/[^\s,:]+)?/.exec(message)?.[0];
    if (name === undefined || key === undefined) return [];
    const told = (subject: string) => (this.#stories.get(subject) ?? []).slice(-20);
    const [type, value] = [key.slice(0, key.indexOf('|')), key.slice(key.indexOf('|') + 1)];
    const entry = `(SELECT id FROM entry WHERE type = ${OBSERVABLE_TYPES.indexOf(type as ObservableType)} AND value = '${value}')`;
    const rows = [
      `SELECT p.* FROM projection p WHERE p.entry_id = ${entry}`,
      `SELECT o.* FROM object o JOIN contribution c ON c.object_id = o.id WHERE c.entry_id = ${entry}`,
      `SELECT h.* FROM hold h JOIN projection p ON p.hold = h.id WHERE p.entry_id = ${entry}`,
      'SELECT id, name, adopted_at, repaired_at FROM siem',
    ].flatMap((sql) => this.#ask<object>(sql).map((row) => `  ${JSON.stringify(row)}`));
    const published = this.partners.flatMap((one) =>
      one.log
        .filter(({ observables }) => observables.some((found) => found.value === value))
        .map(({ objectId, version, revoked }) => `  ${objectId} ${version}${revoked ? ' revoked' : ''}`),
    );
    return [
      `marks at ${name}:`,
      ...told(`${name} `),
      // Keys that some products cannot tell apart, with it.
      ...[...this.#stories.keys()]
        .filter((subject) => subject.toLowerCase() === `${name} ${key}`.toLowerCase())
        .flatMap((subject) => [`${subject.slice(name.length + 1)} at ${name}:`, ...told(subject)]),
      'in the state:',
      ...rows,
      'published:',
      ...published,
    ];
  }
}

export type { MemorySiemStore };
