// Store, pollers and deliverers in one thread, with a clock that is turned by hand, two scripted partners and two
// SIEMs in memory. Faults come by seed: a crash between any two steps, lost, partial, wrong and reordered outcomes,
// writes that land late, containers deleted, older and lost state files.
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Batch } from '../../src/core/contracts/batch.ts';
import type { Outcome, SiemConnector } from '../../src/core/contracts/siem-connector.ts';
import { Deliverer } from '../../src/core/delivery/deliverer.ts';
import { Poller } from '../../src/core/ingest/poller.ts';
import { permanent, retryable } from '../../src/core/model/failure.ts';
import { silentLog } from '../../src/core/runtime/log.ts';
import { localStore, type RemoteStore } from '../../src/core/store/remote.ts';
import type { StoreSpec } from '../../src/core/store/spec.ts';
import { anExchange, aSiem, DAY, HOUR, ipv4, MINUTE, NOW, versionAt } from '../builders/store.ts';
import { memorySiem, type MemorySiemOptions, type MemorySiemStore } from '../contract/memory-siem.ts';
import { Draw } from './draw.ts';
import { contentOf, expectedIn, PARKED_VALUE } from './expected.ts';
import { Partner } from './partner.ts';

const PRODUCTS: readonly MemorySiemOptions[] = [
  { versioned: true },
  { versioned: true, receipts: true },
  { versioned: false },
  { versioned: false, foldsSlots: true },
  { versioned: false, foldsSlots: true, receipts: true },
];
export const SIEMS = [
  { name: 'one', clearance: 'amber' },
  { name: 'two', clearance: 'green' },
] as const;
const FOREIGN = 'analyst.example';

export class World {
  readonly seed: number;
  readonly partners: readonly Partner[];
  readonly trail: string[] = [];
  now = NOW;
  readonly #draw: Draw;
  readonly #folder: string;
  readonly #product: MemorySiemOptions;
  readonly #doubles;
  readonly #late: { at: number; land: () => void }[] = [];
  #faulty = true;
  /** Steps until the process dies. */
  #fuse = Number.POSITIVE_INFINITY;
  #died: () => void = () => {};
  #store!: RemoteStore;
  #pollers: Poller[] = [];
  #deliverers: Deliverer[] = [];
  #boots = 0;
  /** Counts the lives, so that what an earlier one left behind does nothing in a later one. */
  #life = 0;

  constructor(seed: number) {
    this.seed = seed;
    this.#draw = new Draw(seed);
    this.#folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'entente-sim-'));
    this.partners = ['alpha', 'beta'].map((name) => new Partner(name, this.#draw));
    this.#product = { ...PRODUCTS[seed % PRODUCTS.length]!, maxItems: 1 + this.#draw.below(6) };
    this.#doubles = SIEMS.map(() => memorySiem(this.#product));
    for (const { store } of this.#doubles) store.foreign.set(FOREIGN, 'an analyst');
  }

  async run(steps: number): Promise<void> {
    this.#boot();
    for (let i = 0; i < steps; i++) await this.#step();
    await this.#settle();
    this.#check('after the faults');
    // Everything expires in the end, and goes within one cycle.
    this.now += 20 * DAY;
    await this.#round();
    this.#check('after twenty days');
  }

  close(): void {
    this.#life++;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #state(): string {
    return join(this.#folder, 'state.db');
  }

  #boot(): void {
    this.#life++;
    this.#boots++;
    const spec: StoreSpec = {
      path: this.#state,
      instance: 'test-instance',
      exchanges: this.partners.map(({ name }) => anExchange({ name })),
      siems: SIEMS.map(({ name, clearance }) =>
        aSiem({
          name,
          clearance,
          listensTo: ['alpha', 'beta'],
          brake: { removal: { share: 1, atLeast: 1e9, windowHours: 24 } },
        }),
      ),
    };
    const inner = localStore(spec, new Map([['memory', this.#doubles[0]!.definition]]));
    this.#store = this.#mortal(inner);
    const common = { store: this.#store, now: () => this.now, log: silentLog, random: () => this.#draw.next() };
    this.#pollers = this.partners.map(
      (one) => new Poller({ ...common, name: one.name, connector: one.connector(), withdrawVanished: true }),
    );
    this.#deliverers = SIEMS.map(
      ({ name }, i) =>
        new Deliverer({
          ...common,
          name,
          definition: this.#doubles[i]!.definition,
          connector: this.#connector(i),
          clock: { now: () => this.now, monotonic: () => this.now, sleep: async () => {} },
          boot: `boot-${this.#boots}`,
          abort: new AbortController().signal,
        }),
    );
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

  #connector(i: number): SiemConnector {
    const life = this.#life;
    const { store } = this.#doubles[i]!;
    const inner = this.#doubles[i]!.connect();
    const call = async <T>(work: () => Promise<T>): Promise<T> => {
      await this.#beat(life);
      if (this.#fails(0.05)) throw retryable('SIEM: 503');
      const result = await work();
      await this.#beat(life);
      return result;
    };
    return {
      probe: (signal) => inner.probe(signal),
      open: (signal) => call(() => inner.open(signal)),
      containers: (signal) => call(() => inner.containers(signal)),
      writer: (mine, signal) => call(() => inner.writer(mine, signal)),
      apply: (batch, signal) => call(() => this.#apply(i, inner, batch, signal)),
      ...(this.#product.receipts === true && inner.settle !== undefined
        ? {
            settle: (receipt: string, signal: AbortSignal) =>
              call(async () => {
                if (this.#fails(0.2)) return 'pending' as const;
                if (this.#fails(0.1)) store.receipts.delete(receipt);
                return (await inner.settle?.(receipt, signal)) ?? 'pending';
              }),
          }
        : {}),
      list: (filter, signal) => inner.list(filter, signal),
      close: () => inner.close(),
    };
  }

  async #apply(i: number, inner: SiemConnector, batch: Batch, signal: AbortSignal): Promise<readonly Outcome[]> {
    const clearance = SIEMS[i]!.clearance;
    for (let at = 0; at < batch.size; at++) {
      if (batch.changes[at]!.op === 'remove') continue;
      const { tlp } = contentOf(batch.frame(at).toString());
      if (tlp === 'red' || (tlp !== 'green' && clearance === 'green')) throw new Error(`${tlp} sent above clearance`);
    }
    if (this.#fails(0.08)) throw retryable('SIEM: refused before anything happened');
    // One value is refused for good, and with it any batch it stands in.
    if (batch.changes.some((one) => one.op === 'upsert' && one.key.endsWith(PARKED_VALUE)))
      throw permanent('SIEM: 400');
    if (this.#fails(0.06)) {
      // The caller gives up; the write lands some time later.
      this.#late.push({ at: this.now + this.#draw.below(2 * MINUTE), land: () => void inner.apply(batch, signal) });
      throw retryable('SIEM: time-out');
    }
    if (this.#fails(0.06)) {
      await inner.apply(batch.slice(0, this.#draw.below(batch.size)), signal);
      throw retryable('SIEM: reset half-way');
    }
    const outcomes = [...(await inner.apply(batch, signal))];
    if (this.#fails(0.06)) throw retryable('SIEM: answer lost');
    if (this.#fails(0.3)) outcomes.reverse();
    if (this.#fails(0.04)) outcomes.pop();
    return outcomes;
  }

  #fails(share: number): boolean {
    return this.#faulty && this.#draw.chance(share);
  }

  async #step(): Promise<void> {
    const draw = this.#draw;
    const dice = draw.below(100);
    this.#fuse = draw.chance(0.15) ? 1 + draw.below(30) : Number.POSITIVE_INFINITY;
    if (dice < 35) this.#publish();
    else if (dice < 55) await this.#alive('poll', () => draw.from(this.#pollers).poll(new AbortController().signal));
    else if (dice < 80)
      await this.#alive('cycle', () => draw.from(this.#deliverers).cycle(new AbortController().signal));
    else if (dice < 85) await this.#alive('both', () => Promise.all(this.#everybody()));
    else if (dice < 90) await this.#alive('tick', () => this.#store.tick(this.now, false));
    else if (dice < 92)
      await this.#alive('listing', () => draw.from(this.#pollers).listing(new AbortController().signal));
    else if (dice < 94)
      await this.#alive('audit', () => draw.from(this.#deliverers).audit(new AbortController().signal, true));
    else if (dice < 95) this.#drop();
    else if (dice < 96) this.#vanish();
    else if (dice < 97) this.#disk();
    else this.#pass(draw.chance(0.2) ? draw.below(3 * DAY) : draw.below(2 * HOUR));
    this.#pass(draw.below(30_000));
  }

  #everybody(): Promise<unknown>[] {
    const signal = new AbortController().signal;
    return [...this.#pollers.map((one) => one.poll(signal)), ...this.#deliverers.map((one) => one.cycle(signal))];
  }

  #publish(): void {
    const draw = this.#draw;
    const partner = draw.from(this.partners);
    const n = 1 + draw.below(4);
    for (let i = 0; i < n; i++) {
      // Few ids and few values, so that versions, sources and slots meet.
      const type = 'url' as const;
      const value = draw.chance(0.04)
        ? PARKED_VALUE
        : `http://a.example/${draw.from(['x', 'X', 'y', 'Y', 'z', 'w', 'v', 'u'])}`;
      partner.publish({
        objectId: `indicator--${partner.name}-${draw.below(14)}`,
        version: versionAt(this.now + partner.log.length),
        revoked: draw.chance(0.12),
        validFrom: this.now + (draw.chance(0.15) ? draw.below(DAY) : -DAY),
        ...(draw.chance(0.5)
          ? { validUntil: this.now + draw.below(10 * DAY) + 1 }
          : { validUntil: this.now + 15 * DAY }),
        tlp: draw.from(['green', 'green', 'amber', 'red']),
        confidence: draw.below(101),
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

  /** An older copy of the state file comes back, or none. */
  #disk(): void {
    const backup = join(this.#folder, 'backup.db');
    const draw = this.#draw.below(3);
    if (draw === 0 || !existsSync(backup)) {
      rmSync(backup, { force: true });
      const db = new DatabaseSync(this.#state);
      db.prepare('VACUUM INTO ?').run(backup);
      db.close();
      this.#note('backup');
      return;
    }
    this.#life++;
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.#state + suffix, { force: true });
    if (draw === 1) copyFileSync(backup, this.#state);
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
    for (const one of this.#deliverers) await one.audit(signal, true);
    for (let i = 0; i < 3; i++) await this.#round();
  }

  async #round(): Promise<void> {
    this.#pass(16 * MINUTE);
    while ((await this.#store.tick(this.now, false)).more);
    await Promise.all(this.#everybody());
    await Promise.all(this.#everybody());
  }

  #checkCursors(): void {
    const db = new DatabaseSync(this.#state, { readOnly: true });
    for (const partner of this.partners) {
      const row = db.prepare('SELECT id, cursor FROM exchange WHERE name = ?').get(partner.name);
      const cursor = Number(row?.['cursor'] ?? 0);
      const known = db.prepare('SELECT version FROM object WHERE exchange_id = ? AND object_id = ?');
      for (const object of partner.log.slice(0, cursor)) {
        if (object.objectId.startsWith('indicator--gone')) continue;
        const stored = known.get(row?.['id'] as number, object.objectId);
        if (stored === undefined) this.#fail(`cursor ${cursor} is ahead of ${object.objectId}`);
      }
    }
    db.close();
  }

  #check(when: string): void {
    SIEMS.forEach(({ name, clearance }, i) => {
      const { store, definition } = this.#doubles[i]!;
      const problem = expectedIn(this.partners, clearance, this.now, store, (type, value) =>
        definition.slot(type, value, null),
      );
      if (problem !== undefined) this.#fail(`${when}, ${name}: ${problem}`);
      if (store.foreign.get(FOREIGN) !== 'an analyst') this.#fail(`${when}, ${name}: a foreign entry changed`);
      if (this.#deliverers[i]!.failure !== undefined)
        this.#fail(`${when}, ${name}: ${JSON.stringify(this.#deliverers[i]!.failure)}`);
    });
  }

  #note(text: string): void {
    this.trail.push(`${new Date(this.now).toISOString()} ${text}`);
  }

  #fail(message: string): never {
    throw new Error(
      `seed ${this.seed} (${JSON.stringify(this.#product)}): ${message}\n${this.trail.slice(-40).join('\n')}`,
    );
  }
}

export type { MemorySiemStore };
