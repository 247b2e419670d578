// What all parts of a simulated world share: what the seed draws, the time, two partners, two SIEMs in memory under their
// rules, and the state with a second connection to look into it.
import { rmSync } from 'node:fs';
import { TLP_LEVELS } from '../../src/core/model/marking.ts';
import type { BrakeSettings } from '../../src/core/policy/brakes.ts';
import type { StatePlace } from '../../src/core/store/sql/place.ts';
import type { Database } from '../../src/core/store/sql/port.ts';
import { openReading } from '../../src/core/store/state/open.ts';
import { scratchFolder } from '../builders/scratch.ts';
import { NOW } from '../builders/store.ts';
import { memorySiem, type MemorySiemOptions } from '../contract/memory-siem.ts';
import { Draw } from './draw.ts';
import { LATEST_MS, Tasks } from './far-side.ts';
import type { Keeping } from './keeping.ts';
import { Partner } from './partner.ts';
import { type RuleSet, RULES } from './rules.ts';
import { SeenHits } from './sightings.ts';
import { Trail } from './trail.ts';

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
export const FOREIGN = 'analyst.example';

export class Scene {
  readonly seed: number;
  readonly draw: Draw;
  readonly partners: readonly Partner[];
  readonly product: MemorySiemOptions;
  readonly doubles;
  readonly tasks = SIEMS.map(() => new Tasks());
  readonly seen = SIEMS.map(() => new SeenHits());
  readonly brake: BrakeSettings;
  readonly keeping: Keeping;
  readonly trail: Trail;
  now = NOW;
  /** Starts of the process. */
  boots = 0;
  /** False once faults have stopped. */
  faulty = true;
  rules: Record<string, RuleSet> = { ...RULES };
  readonly #folder: string;
  readonly #late: { at: number; land: () => void }[] = [];
  #looking: Database | undefined;

  constructor(seed: number, keptIn: (folder: string) => Keeping) {
    this.seed = seed;
    this.draw = new Draw(seed);
    this.#folder = scratchFolder('entente-sim-');
    this.keeping = keptIn(this.#folder);
    this.partners = ['alpha', 'beta'].map((name) => new Partner(name, this.draw));
    this.product = {
      ...PRODUCTS[seed % PRODUCTS.length]!,
      maxItems: 1 + this.draw.below(6),
      longestCallMs: LATEST_MS,
    };
    this.doubles = SIEMS.map(() => memorySiem(this.product));
    if (seed >= ALIKE_FROM && seed % 2 === 0) this.rules = { one: RULES['one']!, two: RULES['one']! };
    for (const name of SIEMS) this.rules[name] = this.limited(this.rules[name]!);
    // Every fourth world is too small for its brakes.
    this.brake =
      seed % 4 === 0
        ? { removal: { share: 1, atLeast: 1e9, windowHours: 24 }, addition: { factor: 1, atLeast: 1e9 } }
        : { removal: { share: 0.3, atLeast: 2, windowHours: 6 }, addition: { factor: 2, atLeast: 4 } };
    this.trail = new Trail(this);
    this.doubles.forEach(({ store }, i) => {
      store.foreign.set(FOREIGN, 'an analyst');
      this.trail.listen(SIEMS[i]!, store);
    });
  }

  get state(): StatePlace {
    return this.keeping.place;
  }

  /** In every third world the SIEMs take only so many, now more and now fewer. */
  limited(rules: RuleSet): RuleSet {
    return this.seed % 3 !== 1 ? rules : { ...rules, maxEntries: 1 + ((this.seed + this.boots) % 5) };
  }

  pass(ms: number): void {
    this.now += ms;
    const due = this.#late.filter((one) => one.at <= this.now);
    for (const one of due) {
      this.#late.splice(this.#late.indexOf(one), 1);
      one.land();
    }
  }

  /** What a SIEM carries out by itself at that time. */
  later(at: number, land: () => void): void {
    this.#late.push({ at, land });
  }

  ask<R>(sql: string, ...values: (string | number)[]): R[] {
    this.#looking ??= openReading(this.state);
    // Each caller names the columns it reads.
    return this.#looking.all<object>(sql, ...values) as R[];
  }

  /** Before the state goes, or becomes another. */
  lookAway(): void {
    this.#looking?.close();
    this.#looking = undefined;
  }

  /** As the daemon knows it now; undefined when it states none or knows no such object. */
  knownTlp(exchange: string, objectId: string): string | undefined {
    const [row] = this.ask<{ tlp: number | null }>(
      'SELECT o.tlp FROM object o JOIN exchange e ON e.id = o.exchange_id WHERE e.name = ? AND o.object_id = ?',
      exchange,
      objectId,
    );
    return typeof row?.tlp === 'number' ? TLP_LEVELS[row.tlp] : undefined;
  }

  fail(message: string): never {
    throw new Error(
      [
        `seed ${this.seed} (${JSON.stringify(this.product)}): ${message}`,
        ...this.trail.lines.slice(-60),
        ...this.trail.storyOf(message),
      ].join('\n'),
    );
  }

  close(): void {
    this.keeping.forget();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
