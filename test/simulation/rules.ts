// The rule sets of the simulated SIEMs, and what each of them admits, written apart from the store's own rules.
import type { IncomingIndicator } from '../../src/core/model/entry.ts';
import { TLP_LEVELS, type Tlp } from '../../src/core/model/marking.ts';
import type { BrakeSettings } from '../../src/core/policy/brakes.ts';
import type { SiemSpec } from '../../src/core/store/spec/spec.ts';
import { aSiem } from '../builders/store.ts';

export interface RuleSet {
  readonly clearance: Tlp;
  readonly hosting: 'on_premises' | 'cloud';
  /** How a claim without PAP counts. */
  readonly withoutPap: 'green' | 'amber';
  readonly minConfidence: number;
  /** Left out: it takes all. */
  readonly maxEntries?: number;
  readonly unknownConfidence: 'accept' | 'refuse';
  /** By exchange: how a claim of it without TLP counts. */
  readonly unmarked: Readonly<Record<string, Tlp | 'refuse'>>;
}

/** Where the simulation begins: two SIEMs that may hold different things. */
export const RULES: Readonly<Record<string, RuleSet>> = {
  one: {
    clearance: 'amber',
    hosting: 'on_premises',
    withoutPap: 'amber',
    minConfidence: 0,
    unknownConfidence: 'accept',
    unmarked: { alpha: 'amber', beta: 'refuse' },
  },
  two: {
    clearance: 'green',
    hosting: 'cloud',
    withoutPap: 'green',
    minConfidence: 30,
    unknownConfidence: 'refuse',
    unmarked: { alpha: 'green', beta: 'amber' },
  },
};

/** The level a claim counts with, or undefined when this SIEM may not hold it. */
export function admitted(object: IncomingIndicator, exchange: string, rules: RuleSet): Tlp | undefined {
  const tlp = object.tlp ?? rules.unmarked[exchange] ?? 'refuse';
  if (tlp === 'refuse' || TLP_LEVELS.indexOf(tlp) > TLP_LEVELS.indexOf(rules.clearance)) return undefined;
  if (object.benign === true) return undefined;
  if (rules.hosting === 'cloud' && ['amber', 'red'].includes(object.pap ?? rules.withoutPap)) return undefined;
  if (object.confidence === undefined) return rules.unknownConfidence === 'accept' ? tlp : undefined;
  return object.confidence < rules.minConfidence ? undefined : tlp;
}

/** The same rules as the configuration hands them to the store. */
export function specOf(name: string, rules: RuleSet, brake: BrakeSettings, longestCallMs: number): SiemSpec {
  const lifetime = { defaultDays: 90, byType: {}, maxDays: 730 };
  const { unmarked, maxEntries, ...intake } = rules;
  return {
    ...(maxEntries === undefined ? {} : { maxEntries }),
    ...aSiem({ name, listensTo: [] }),
    longestCallMs,
    brakes: Object.fromEntries(Object.keys(unmarked).map((exchange) => [exchange, brake])),
    fingerprint: JSON.stringify({ unmarked, ...intake, limited: maxEntries !== undefined }),
    rules: Object.fromEntries(
      Object.entries(unmarked).map(([exchange, level]) => [
        exchange,
        { intake: { siem: name, ...intake, unmarked: level }, lifetime },
      ]),
    ),
  };
}
