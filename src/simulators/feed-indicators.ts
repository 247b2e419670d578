// The life of the indicators of a feed: born on a day, changed once or twice, some revoked, most with an expiry, and a
// few irregular as partners have them.

import { type Context, PAP, TLP, TLP_1, TLP_LEVELS, type TlpLevel } from './feed-context.ts';
import type { Draw, Seed } from './feed-draw.ts';
import { type Family, Values, word } from './feed-values.ts';
import { type StixObject, textOf } from './stix-object.ts';

const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
/** Nothing happens to an indicator later than this many days after its birth. */
export const LIFE_DAYS = 15;

type Mutable = { type: string; id: string; [name: string]: StixObject[string] };

const NAMES: Record<Family, readonly string[]> = {
  ipv4: ['Command and control address', 'SSH brute force source', 'Scanning host', 'Exploit attempt source'],
  domain: ['Command and control domain', 'Phishing domain', 'Malware distribution domain'],
  url: ['Phishing page', 'Payload location', 'Exfiltration endpoint'],
  hash: ['Malicious file'],
  other: ['Malicious artefact'],
};
const TYPES: readonly (readonly [number, readonly string[]])[] = [
  [0.7, ['malicious-activity']],
  [0.15, ['anomalous-activity']],
  [0.1, ['malicious-activity', 'attribution']],
  [0.05, ['compromised']],
];
const TLP_SHARES: readonly (readonly [number, TlpLevel])[] = [
  [0.25, 'clear'],
  [0.4, 'green'],
  [0.22, 'amber'],
  [0.1, 'amber+strict'],
  [0.03, 'red'],
];
const PAP_SHARES: readonly (readonly [number, keyof typeof PAP])[] = [
  [0.1, 'clear'],
  [0.4, 'green'],
  [0.4, 'amber'],
  [0.1, 'red'],
];
const PHASES = ['reconnaissance', 'delivery', 'exploitation', 'installation', 'command-and-control'];

export interface Plan {
  readonly seed: Seed;
  readonly count: number;
  /** Epoch milliseconds of day 0. */
  readonly start: number;
  readonly context: Context;
}

export class Indicators {
  readonly #plan: Plan;
  readonly #values: Values;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#values = new Values(plan.seed);
  }

  /** As it is first published. */
  birth(day: number, index: number): Mutable {
    const { seed, count, context } = this.#plan;
    const draw = seed.draw(4, day, index);
    const at = this.#bornAt(day, index);
    const [sourceDay, sourceIndex] = this.#source(day, index);
    const { family, pattern } = this.#values.pattern(
      sourceDay * count + sourceIndex,
      seed.draw(2, sourceDay, sourceIndex),
    );
    const validFrom = at - draw.below(36 * HOUR);
    const object: Mutable = {
      type: 'indicator',
      spec_version: '2.1',
      id: `indicator--${draw.uuid()}`,
      created_by_ref: draw.share() < 0.8 ? context.publisher : draw.pick(context.partners),
      created: stamp(at),
      modified: stamp(at),
      name: draw.pick(NAMES[family]),
      indicator_types: draw.weighted(TYPES),
      pattern,
      pattern_type: 'stix',
      pattern_version: '2.1',
      valid_from: stamp(validFrom),
    };
    if (draw.share() < 0.4)
      object['description'] = `Seen by ${1 + draw.below(9)} members, ${1 + draw.below(5000)} events.`;
    const life = draw.share();
    if (life < 0.01) {
      object['valid_until'] = stamp(at - 1000);
      object['valid_from'] = stamp(at - 48 * HOUR);
    } else if (life < 0.8) object['valid_until'] = stamp(at + draw.pick([1, 7, 7, 7, 14, 30, 90]) * DAY);
    if (draw.share() < 0.3)
      object['kill_chain_phases'] = [
        { kill_chain_name: 'lockheed-martin-cyber-kill-chain', phase_name: draw.pick(PHASES) },
      ];
    if (draw.share() < 0.25) object['labels'] = [word(draw)];
    if (draw.share() < 0.85)
      object['confidence'] = draw.weighted([
        [0.1, 5 + draw.below(25)],
        [0.4, 30 + draw.below(40)],
        [0.5, 70 + draw.below(31)],
      ]);
    if (draw.share() < 0.1)
      object['external_references'] = [{ source_name: 'case', external_id: `CASE-${draw.below(100_000)}` }];
    object['object_marking_refs'] = this.#markings(draw);
    if (draw.share() < 0.01) object['granular_markings'] = [{ selectors: ['name'], marking_ref: TLP.red }];
    return object;
  }

  /** What it became on the day `age` days after its birth; undefined when nothing happened that day. */
  change(day: number, index: number, age: number): StixObject | undefined {
    const { second, third, revoked } = this.#life(day, index);
    if (age !== second && age !== third && age !== revoked) return undefined;
    const object = this.birth(day, index);
    if (second > 0 && second <= age) this.#alter(object, day, index, 1, this.#changedAt(day + second, day, index));
    if (third > 0 && third <= age) this.#alter(object, day, index, 2, this.#changedAt(day + third, day, index));
    if (revoked > 0 && revoked <= age) {
      object['modified'] = stamp(this.#changedAt(day + revoked, day, index));
      object['revoked'] = true;
    }
    return object;
  }

  /** Names the malware behind a third of the indicators. */
  relationship(day: number, index: number, indicator: StixObject): StixObject | undefined {
    const draw = this.#plan.seed.draw(8, day, index);
    if (draw.share() >= 0.33) return undefined;
    return {
      type: 'relationship',
      spec_version: '2.1',
      id: `relationship--${draw.uuid()}`,
      created_by_ref: indicator['created_by_ref'] as string,
      created: indicator['created'] as string,
      modified: indicator['modified'] as string,
      relationship_type: 'indicates',
      source_ref: indicator.id,
      target_ref: draw.pick(this.#plan.context.malware),
      object_marking_refs: [TLP.green],
    };
  }

  /** An indicator that a careful consumer refuses, mends or parks. */
  irregular(day: number, place: number): StixObject {
    const draw = this.#plan.seed.draw(9, day, place);
    const object = this.birth(day, draw.below(Math.max(this.#plan.count, 1)));
    object.id = `indicator--${draw.uuid()}`;
    (IRREGULAR[place % IRREGULAR.length] as Twist)(object, draw);
    return object;
  }

  /** New ones come between 01:00 and midnight; what became of older ones in the hour before. */
  #bornAt(day: number, index: number): number {
    return this.#plan.start + day * DAY + HOUR + Math.floor((23 * HOUR * index) / this.#plan.count);
  }

  #changedAt(day: number, bornOn: number, index: number): number {
    const first = Math.max(0, day - LIFE_DAYS);
    const { count, start } = this.#plan;
    return start + day * DAY + Math.floor((HOUR * ((bornOn - first) * count + index)) / ((day - first) * count));
  }

  /** Days after birth of its second and third version and of its revocation; 0 is never. */
  #life(day: number, index: number): { second: number; third: number; revoked: number } {
    const draw = this.#plan.seed.draw(3, day, index);
    const second = draw.share() < 0.2 ? 1 + draw.below(7) : 0;
    const third = second > 0 && draw.share() < 0.25 ? second + 1 + draw.below(3) : 0;
    const revoked = draw.share() < 0.04 ? Math.max(second, third) + 1 + draw.below(5) : 0;
    return { second, third, revoked };
  }

  /** Which value it carries: its own, or, for one in twelve, that of an earlier indicator. */
  #source(day: number, index: number): [number, number] {
    for (;;) {
      const draw = this.#plan.seed.draw(1, day, index);
      const r = draw.share();
      if (r < 0.08 && day > 0) {
        day -= 1;
        index = draw.below(this.#plan.count);
      } else if (r >= 0.08 && r < 0.085 && index > 0) index = draw.below(index);
      else return [day, index];
    }
  }

  #markings(draw: Draw): string[] {
    const markings: string[] = [TLP[draw.weighted(TLP_SHARES)]];
    const r = draw.share();
    if (r < 0.15) markings.push(PAP[draw.weighted(PAP_SHARES)][0]);
    else if (r < 0.2) markings.push(draw.pick(this.#plan.context.statements));
    return markings;
  }

  #alter(object: Mutable, day: number, index: number, version: number, at: number): void {
    const draw = this.#plan.seed.draw(4 + version, day, index);
    object['modified'] = stamp(at);
    const r = draw.share();
    if (r < 0.5) {
      const until = typeof object['valid_until'] === 'string' ? Date.parse(object['valid_until']) : at;
      object['valid_until'] = stamp(Math.max(until, at) + (7 + draw.below(24)) * DAY);
    } else if (r < 0.7) {
      object['confidence'] = draw.below(101);
    } else if (r < 0.85) {
      const [tlp, ...rest] = object['object_marking_refs'] as readonly string[];
      object['object_marking_refs'] = [TLP[draw.pick(TLP_LEVELS.filter((one) => TLP[one] !== tlp))], ...rest];
    } else if (r < 0.95) {
      // A corrected value: far beyond the numbers of all first values.
      const n = day * this.#plan.count + index + version * 2 ** 26;
      object['pattern'] = this.#values.pattern(n, this.#plan.seed.draw(2, day, index)).pattern;
    } else {
      object['description'] = `Reviewed. ${word(draw)} ${word(draw)}.`;
    }
  }
}

const stamp = (ms: number): string => new Date(ms).toISOString();

type Twist = (object: Mutable, draw: Draw) => void;

const IRREGULAR: readonly Twist[] = [
  (o) => retime(o, (text) => text.replace('Z', '417Z')),
  (o) => retime(o, (text) => text.replace(/\.\d+Z/, 'Z')),
  (o) => delete o['name'],
  (o) => delete o['created_by_ref'],
  (o) => delete o['object_marking_refs'],
  (o, draw) => Object.assign(o, { object_marking_refs: [draw.pick(TLP_1)] }),
  (o, draw) => Object.assign(o, { object_marking_refs: [`marking-definition--${draw.uuid()}`] }),
  (o) => Object.assign(o, { pattern: textOf(o, 'pattern').slice(0, -1) }),
  (o) => Object.assign(o, { pattern: "[ipv4-addr:value = '999.1.2.3']" }),
  (o) => Object.assign(o, { pattern: 'title: example\ndetection:\n  condition: none\n', pattern_type: 'sigma' }),
  (o, draw) => Object.assign(o, { pattern: `[ipv4-addr:value = '10.${draw.below(256)}.${draw.below(256)}.7']` }),
  (o, draw) =>
    Object.assign(o, { pattern: `[domain-name:value = '${word(draw).toUpperCase()}-${draw.hex(6)}.Example']` }),
  (o, draw) => Object.assign(o, { x_score: draw.share(), x_tags: [word(draw)], revoked: false, lang: 'en' }),
  (o) => Object.assign(o, { valid_until: stamp(Date.parse(textOf(o, 'valid_from')) - 1000) }),
  (o) => Object.assign(o, { indicator_types: ['benign'] }),
];

function retime(object: Mutable, change: (text: string) => string): void {
  for (const name of ['created', 'modified']) object[name] = change(textOf(object, name));
}
