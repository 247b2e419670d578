// The process of a world from one start to the next: the store, who polls, delivers, reports and sends, and a death that
// may come between any two of their steps. What an earlier life left behind does nothing in a later one.
import { Deliverer } from '../../src/core/delivery/deliverer.ts';
import { Poller } from '../../src/core/ingest/poller.ts';
import { sha256 } from '../../src/core/runtime/ids.ts';
import { silentLog } from '../../src/core/runtime/log.ts';
import { Reporter } from '../../src/core/sightings/reporter.ts';
import { Sender } from '../../src/core/sightings/sender.ts';
import { localStore, type RemoteStore } from '../../src/core/store/remote.ts';
import type { StoreSpec } from '../../src/core/store/spec/spec.ts';
import { openState } from '../../src/core/store/state/open.ts';
import { anExchange } from '../builders/store.ts';
import { faultyConnector, LATEST_MS } from './far-side.ts';
import { neverHeld } from './held.ts';
import { specOf } from './rules.ts';
import { type Scene, SIEMS } from './scene.ts';
import { RELEASE, type Told } from './sightings.ts';

export class Life {
  /** Steps until the process dies. */
  fuse = Number.POSITIVE_INFINITY;
  store!: RemoteStore;
  spec!: StoreSpec;
  /** The same without a life that ends: what people ask for happens, or does not. */
  people!: RemoteStore;
  pollers: Poller[] = [];
  deliverers: Deliverer[] = [];
  reporters: Reporter[] = [];
  senders: Sender[] = [];
  readonly #scene: Scene;
  readonly #told: readonly Told[];
  #died: () => void = () => {};
  #open = false;
  /** Counts the lives. */
  #life = 0;

  constructor(scene: Scene, told: readonly Told[]) {
    this.#scene = scene;
    this.#told = told;
  }

  boot(): void {
    const scene = this.#scene;
    this.#life++;
    scene.boots++;
    this.spec = {
      path: scene.state,
      instance: 'test-instance',
      exchanges: scene.partners.map(({ name }) => anExchange({ name })),
      siems: SIEMS.map((name) => specOf(name, scene.rules[name]!, scene.brake, LATEST_MS)),
      release: RELEASE,
    };
    this.#leaveStore();
    this.#newState();
    this.people = localStore(this.spec, new Map([['memory', scene.doubles[0]!.definition]]));
    this.#open = true;
    this.store = this.#mortal(neverHeld(this.people, scene));
    const common = { store: this.store, now: () => scene.now, log: silentLog, random: () => scene.draw.next() };
    this.pollers = scene.partners.map(
      (one) => new Poller({ ...common, name: one.name, connector: one.connector(), withdrawVanished: true }),
    );
    const connectors = SIEMS.map((name, i) => this.#connector(name, i));
    this.deliverers = SIEMS.map(
      (name, i) =>
        new Deliverer({
          ...common,
          name,
          definition: scene.doubles[i]!.definition,
          connector: connectors[i]!,
          clock: { now: () => scene.now, monotonic: () => scene.now, sleep: async () => {} },
          boot: `boot-${scene.boots}`,
          abort: new AbortController().signal,
        }),
    );
    this.reporters = SIEMS.map((name, i) => new Reporter({ ...common, name, connector: connectors[i]! }));
    this.senders = scene.partners.map(({ name }, i) => new Sender({ ...common, name, connector: this.#sending(i) }));
  }

  /** Nothing of it goes on, and nobody has the state open. */
  end(): void {
    this.#life++;
    this.#leaveStore();
  }

  /**
   * Runs a step of the process, or as much of it as its life allows, then `checks`. All in one promise: what a dead life
   * still draws by chance depends on how soon the next step comes.
   */
  async alive(what: string, work: () => Promise<unknown>, checks: () => void): Promise<void> {
    const life = this.#life;
    const death = new Promise<'dead'>((resolve) => {
      this.#died = () => resolve('dead');
    });
    const end = await Promise.race([work(), death]);
    this.#scene.trail.note(`${what}${end === 'dead' ? ' DIED' : ''}`);
    if (end === 'dead' || life !== this.#life) this.boot();
    checks();
  }

  everybody(): Promise<unknown>[] {
    const signal = new AbortController().signal;
    return [
      ...this.pollers.map((one) => one.poll(signal)),
      ...this.deliverers.map((one) => one.cycle(signal)),
      ...this.reporters.map((one) => one.collect(signal)),
      ...this.senders.map((one) => one.cycle(signal)),
    ];
  }

  /** The state is let go, as the kernel does for a process that died. */
  #leaveStore(): void {
    this.#scene.lookAway();
    if (this.#open) void this.people.close();
    this.#open = false;
  }

  /** A new state draws its writer by chance, and sums and delays depend on it. Here the seed draws it. */
  #newState(): void {
    const { keeping, seed, boots, state } = this.#scene;
    if (keeping.there) return;
    const db = openState(state);
    db.run("INSERT INTO meta (name, value) VALUES ('writer', ?)", sha256(`${seed} ${boots}`).slice(0, 16));
    db.close();
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
    if (life === this.#life && --this.fuse > 0) return;
    if (life === this.#life) {
      this.#life++;
      this.#died();
    }
    await new Promise<never>(() => {});
  }

  #connector(name: string, i: number) {
    const scene = this.#scene;
    const life = this.#life;
    const faulty = (): boolean => scene.faulty;
    return faultyConnector(scene.doubles[i]!, scene.product.receipts === true, {
      draw: scene.draw,
      now: () => scene.now,
      rules: () => scene.rules[name]!,
      faulty,
      beat: () => this.#beat(life),
      later: (at, land) => scene.later(at, land),
      tasks: scene.tasks[i]!,
      hits: scene.seen[i]!.reader(scene.draw, faulty),
    });
  }

  #sending(i: number) {
    const life = this.#life;
    const send = async (sightings: Parameters<Told['send']>[0]) => {
      await this.#beat(life);
      const outcomes = await this.#told[i]!.send(sightings);
      await this.#beat(life);
      return outcomes;
    };
    return { send };
  }
}
