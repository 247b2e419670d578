// The people of a world: they take values off for a while, give them back, and decide about what is held.
import { StoreReader } from '../../src/core/store/read/status.ts';
import { DAY } from '../builders/store.ts';
import type { Life } from './life.ts';
import { someUrl } from './publishing.ts';
import type { Scene } from './scene.ts';

interface Suppressed {
  readonly id: number;
  readonly key: string;
  readonly until: number;
}

export class People {
  readonly #scene: Scene;
  readonly #life: Life;
  /** What people took off, as the state that is in use knows it. */
  #suppressed: readonly Suppressed[] = [];
  #backedUp: readonly Suppressed[] = [];

  constructor(scene: Scene, life: Life) {
    this.#scene = scene;
    this.#life = life;
  }

  /** Takes a value off for a while, gives one back, or decides about what is held. */
  async act(): Promise<void> {
    const { draw, trail, now } = this.#scene;
    if (draw.chance(0.4)) return await this.decide(() => draw.from(['approve', 'reject', 'wait'] as const));
    if (this.#suppressed.length > 0 && draw.chance(0.4)) {
      const one = draw.from(this.#suppressed);
      await this.#life.people.lift(one.id, now);
      this.#suppressed = this.#suppressed.filter(({ id }) => id !== one.id);
      trail.note(`lift ${one.key}`);
      return;
    }
    const value = someUrl(draw);
    const until = now + 1 + draw.below(2 * DAY);
    const [id] = await this.#life.people.suppress([{ type: 'url', value }], until, 'quiet', 'a person', now);
    this.#suppressed = [...this.#suppressed, { id: id!, key: `url|${value}`, until }];
    trail.note(`suppress ${value}`);
  }

  /** Goes through all holds that wait. */
  async decide(choice: () => 'approve' | 'reject' | 'wait'): Promise<void> {
    const reader = new StoreReader(this.#life.spec);
    const held = reader.held();
    reader.close();
    for (const { id, kind, siem, set, count } of held) {
      const decision = choice();
      if (decision === 'wait') continue;
      const holds = [{ id, set }];
      await this.#life.people.decide({ holds, sightings: [] }, decision, 'a person', 'seen', this.#scene.now);
      this.#scene.trail.note(`${decision} ${kind} ${siem} ${count}`);
    }
  }

  tookOff(key: string): boolean {
    return this.#suppressed.some((one) => one.key === key && one.until > this.#scene.now);
  }

  /** What they did goes with the state that knows it. */
  backup(): void {
    this.#backedUp = this.#suppressed;
  }

  /** Another state is in use: the one that was backed up, or none. */
  forget(to: 'backup' | 'nothing'): void {
    this.#suppressed = to === 'backup' ? this.#backedUp : [];
  }
}
