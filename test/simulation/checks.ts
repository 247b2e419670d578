// What must hold of a world: after each step, once faults have stopped, and of what the partners were told.
import type { EntryKey } from '../../src/core/model/observable.ts';
import { PRESENT, STATE } from '../../src/core/store/rows/rows.ts';
import { HOUR } from '../builders/store.ts';
import { difference, type Expected, expectedIn } from './expected.ts';
import { heldKeys } from './held.ts';
import { ledgerDrift } from './ledger-drift.ts';
import type { Life } from './life.ts';
import type { People } from './people.ts';
import { recordDrift } from './record-drift.ts';
import { FOREIGN, type Scene, SIEMS } from './scene.ts';
import type { Told } from './sightings.ts';

export class Checks {
  readonly #scene: Scene;
  readonly #life: Life;
  readonly #people: People;
  readonly #told: readonly Told[];

  constructor(scene: Scene, life: Life, people: People, told: readonly Told[]) {
    this.#scene = scene;
    this.#life = life;
    this.#people = people;
    this.#told = told;
  }

  afterStep(): void {
    this.#cursors();
    const drift = ledgerDrift((sql) => this.#scene.ask(sql), this.#scene.partners.length);
    if (drift !== undefined) this.#scene.fail(drift);
  }

  calm(when: string): void {
    const scene = this.#scene;
    const { deliverers, reporters, senders } = this.#life;
    SIEMS.forEach((name, i) => {
      const { store } = scene.doubles[i]!;
      const rejected = heldKeys(scene, name, "h.decision = 'reject'");
      const others = rejected.size + this.#mayStand(name);
      const problem = difference(this.#wanted(i), store, rejected, scene.rules[name]!.maxEntries, others);
      if (problem !== undefined) scene.fail(`${when}, ${name}: ${problem}`);
      if (store.foreign.get(FOREIGN) !== 'an analyst') scene.fail(`${when}, ${name}: a foreign entry changed`);
      for (const { failure } of [deliverers[i]!, reporters[i]!, ...senders])
        if (failure !== undefined) scene.fail(`${when}, ${name}: ${JSON.stringify(failure)}`);
    });
  }

  record(when: string): void {
    const problem = recordDrift((sql) => this.#scene.ask(sql));
    if (problem !== undefined) this.#scene.fail(`${when}: ${problem}`);
  }

  atWork(): boolean {
    const rests = [STATE.settled, STATE.parked, STATE.held];
    return this.#scene.ask(`SELECT 1 AS one FROM projection WHERE state NOT IN (${rests.join()}) LIMIT 1`).length > 0;
  }

  /** With everything calm, each value on a list is seen once more: whoever may know, knows. */
  async telling(round: () => Promise<void>): Promise<void> {
    const scene = this.#scene;
    const before = scene.partners.map(() => new Map<string, number>());
    const due = new Set<string>();
    scene.now += 2 * HOUR;
    SIEMS.forEach((_, i) => {
      for (const [key, { sources }] of this.#wanted(i)) {
        if (![...scene.doubles[i]!.store.rows.values()].some((row) => row.key === key)) continue;
        scene.seen[i]!.plant(key, scene.now);
        for (const source of sources) due.add(source);
      }
    });
    for (const source of due) {
      const [at, objectId] = this.#split(source);
      before[at]!.set(objectId, this.#told[at]!.countOf(objectId));
    }
    for (let i = 0; i < 3; i++) await round();
    for (const source of due) {
      const [at, objectId] = this.#split(source);
      const released = scene.knownTlp(scene.partners[at]!.name, objectId) === 'green';
      const told = this.#told[at]!.countOf(objectId) > before[at]!.get(objectId)!;
      if (told !== released) scene.fail(`${source} was seen; told: ${told}, released: ${released}`);
    }
    for (const one of this.#told) {
      const problem = one.exaggerated(scene.seen);
      if (problem !== undefined) scene.fail(problem);
    }
  }

  #split(source: string): [number, string] {
    const [name, objectId = ''] = source.split('/');
    return [this.#scene.partners.findIndex((one) => one.name === name), objectId];
  }

  #cursors(): void {
    const scene = this.#scene;
    for (const partner of scene.partners) {
      const [row] = scene.ask<{ id: number; cursor: string | null }>(
        'SELECT id, cursor FROM exchange WHERE name = ?',
        partner.name,
      );
      const cursor = Number(row?.cursor ?? 0);
      const known = new Set(
        scene
          .ask<{ id: string }>('SELECT object_id AS id FROM object WHERE exchange_id = ?', row?.id ?? 0)
          .map(({ id }) => id),
      );
      for (const { objectId } of partner.log.slice(0, cursor)) {
        if (!objectId.startsWith('indicator--gone') && !known.has(objectId))
          scene.fail(`cursor ${cursor} is ahead of ${objectId}`);
      }
    }
  }

  #wanted(i: number): Map<EntryKey, Expected> {
    const scene = this.#scene;
    const { definition } = scene.doubles[i]!;
    const off = (key: string) => this.#people.tookOff(key);
    return expectedIn(scene.partners, scene.rules[SIEMS[i]!]!, scene.now, off, (type, value) =>
      definition.slot(type, value, null),
    );
  }

  /** Refused, and sent before by a call of which nobody knows the end: they keep their places until somebody looks. */
  #mayStand(siem: string): number {
    const [row] = this.#scene.ask<{ n: number }>(
      `SELECT count(*) AS n FROM projection p JOIN siem s ON s.id = p.siem_id
       WHERE s.name = ? AND p.state = ${STATE.parked} AND p.present = ${PRESENT.maybe} AND p.place IS NOT NULL`,
      siem,
    );
    return row?.n ?? 0;
  }
}
