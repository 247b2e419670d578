// Store, pollers, deliverers, reporters and senders in one thread, with a clock that is turned by hand, two scripted
// partners, two SIEMs in memory under different rules, and people who act. Faults come by seed: a crash between any two
// steps, lost, partial, wrong and reordered outcomes, writes that land late, containers deleted, other rules at a
// restart, older and lost state files.
import type { StatePlace } from '../../src/core/store/sql/place.ts';
import { DAY, HOUR, MINUTE } from '../builders/store.ts';
import { Checks } from './checks.ts';
import { InFile, type Keeping } from './keeping.ts';
import { Life } from './life.ts';
import { People } from './people.ts';
import { publish, vanish } from './publishing.ts';
import { Scene, SIEMS } from './scene.ts';
import { Told } from './sightings.ts';

export class World {
  readonly #scene: Scene;
  readonly #life: Life;
  readonly #people: People;
  readonly #checks: Checks;

  constructor(seed: number, keptIn: (folder: string) => Keeping = (folder) => new InFile(folder)) {
    const scene = new Scene(seed, keptIn);
    const told = scene.partners.map(
      (one) =>
        new Told(
          one,
          scene.draw,
          (...object) => scene.knownTlp(...object),
          (message) => scene.fail(message),
        ),
    );
    this.#scene = scene;
    this.#life = new Life(scene, told);
    this.#people = new People(scene, this.#life);
    this.#checks = new Checks(scene, this.#life, this.#people, told);
  }

  /** What happened, a line for each step. */
  get trail(): readonly string[] {
    return this.#scene.trail.lines;
  }

  /** `look` is shown the state after each step, and at the end. */
  async run(steps: number, look: (when: string, state: StatePlace) => void = () => {}): Promise<void> {
    const scene = this.#scene;
    this.#life.boot();
    for (let i = 0; i < steps; i++) {
      await this.#step();
      look(`step ${i + 1}`, scene.state);
    }
    await this.#settle();
    look('settled', scene.state);
    await this.#checks.telling(() => this.#round());
    look('told', scene.state);
    // Everything expires in the end, and goes within one cycle.
    scene.now += 20 * DAY;
    await this.#round();
    this.#checks.calm('after twenty days');
    look('over', scene.state);
  }

  close(): void {
    this.#life.end();
    this.#scene.close();
  }

  async #step(): Promise<void> {
    const scene = this.#scene;
    const { draw } = scene;
    const life = this.#life;
    const dice = draw.below(100);
    life.fuse = draw.chance(0.15) ? 1 + draw.below(30) : Number.POSITIVE_INFINITY;
    const signal = new AbortController().signal;
    if (dice < 30) publish(scene);
    else if (dice < 48) await this.#alive('poll', () => draw.from(life.pollers).poll(signal));
    else if (dice < 70) await this.#alive('cycle', () => draw.from(life.deliverers).cycle(signal));
    else if (dice < 75) await this.#alive('all', () => Promise.all(life.everybody()));
    else if (dice < 80) await this.#alive('tick', () => life.store.tick(scene.now, false));
    else if (dice < 82) await this.#alive('listing', () => draw.from(life.pollers).listing(signal));
    else if (dice < 84) await this.#alive('audit', () => draw.from(life.deliverers).audit(signal, draw.chance(0.5)));
    else if (dice < 86) this.#plant();
    else if (dice < 88) await this.#alive('hits', () => draw.from(life.reporters).collect(signal));
    else if (dice < 90) await this.#alive('send', () => draw.from(life.senders).cycle(signal));
    else if (dice < 92) await this.#people.act();
    else if (dice < 93) this.#otherRules();
    else if (dice < 94) this.#drop();
    else if (dice < 95) vanish(scene);
    else if (dice < 96) this.#disk();
    else scene.pass(draw.chance(0.2) ? draw.below(3 * DAY) : draw.below(2 * HOUR));
    scene.pass(draw.below(30_000));
  }

  #alive(what: string, work: () => Promise<unknown>): Promise<void> {
    return this.#life.alive(what, work, () => this.#checks.afterStep());
  }

  /** Somebody's machine talks to what stands on a list, or to what stood there. */
  #plant(): void {
    const { draw, doubles, seen, now, trail } = this.#scene;
    const i = draw.below(SIEMS.length);
    const keys = [...doubles[i]!.store.rows.values()].map(({ key }) => key);
    if (keys.length === 0) return;
    const key = draw.from(keys);
    seen[i]!.plant(key, now);
    trail.note(`hit ${SIEMS[i]} ${key}`);
  }

  /** Another configuration, which takes a restart. */
  #otherRules(): void {
    const scene = this.#scene;
    const { draw } = scene;
    const name = draw.from(SIEMS);
    const rules = {
      ...scene.rules[name]!,
      clearance: draw.from(['green', 'amber', 'amber+strict'] as const),
      minConfidence: draw.from([0, 30, 60]),
      hosting: draw.from(['on_premises', 'cloud'] as const),
      withoutPap: draw.from(['green', 'green', 'amber'] as const),
    };
    scene.rules = { ...scene.rules, [name]: scene.limited(rules) };
    scene.trail.note(`other rules ${name} ${JSON.stringify(rules)}`);
    this.#life.boot();
  }

  #drop(): void {
    const { draw, doubles, trail } = this.#scene;
    draw.from(doubles).store.drop();
    trail.note('container deleted');
  }

  /** An older copy of the state comes back, or none. */
  #disk(): void {
    const { draw, keeping, trail } = this.#scene;
    const drawn = draw.below(3);
    if (drawn === 0 || !keeping.backedUp) {
      keeping.backup();
      this.#people.backup();
      trail.note('backup');
      return;
    }
    this.#life.end();
    keeping.lose();
    if (drawn === 1) keeping.restore();
    this.#people.forget(drawn === 1 ? 'backup' : 'nothing');
    trail.note(drawn === 1 ? 'older state restored' : 'state lost');
    this.#life.boot();
  }

  /** Faults stop; everything is given time and turns. */
  async #settle(): Promise<void> {
    const scene = this.#scene;
    const { pollers, deliverers } = this.#life;
    scene.faulty = false;
    this.#life.fuse = Number.POSITIVE_INFINITY;
    for (const one of scene.partners) one.faulty = false;
    scene.pass(20 * MINUTE);
    for (let i = 0; i < 4; i++) await this.#round();
    const signal = new AbortController().signal;
    for (const one of pollers) await one.listing(signal);
    for (let i = 0; i < 3; i++) await this.#round();
    await this.#rest();
    // What an audit would mend must not be there to be mended.
    this.#checks.calm('after the faults');
    for (const one of deliverers) {
      const { missing, stale, orphaned } = (await one.audit(signal, false))!;
      if (missing.length + stale.length + orphaned.length > 0)
        scene.fail(`${one.name}: an audit finds ${JSON.stringify({ missing, stale, orphaned })}`);
    }
    await this.#round();
    await this.#rest();
    this.#checks.calm('after an audit');
    this.#checks.record('after an audit');
  }

  /** What became valid, or over, in the last round takes as many rounds as all before it: another may have to leave first. */
  async #rest(): Promise<void> {
    for (let i = 0; i < 3 && this.#checks.atWork(); i++) await this.#round();
  }

  async #round(): Promise<void> {
    const scene = this.#scene;
    const life = this.#life;
    scene.pass(16 * MINUTE);
    while ((await life.store.tick(scene.now, false)).more);
    await Promise.all(life.everybody());
    await this.#people.decide(() => 'approve');
    while ((await life.store.tick(scene.now, false)).more);
    await Promise.all(life.everybody());
  }
}
