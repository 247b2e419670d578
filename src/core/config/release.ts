// What the store is told of sightings, from the configuration; the same shape as store/spec/spec.ts asks for.
import { entryKey } from '../model/observable.ts';
import { fingerprint } from './fingerprint.ts';
import { type NeverBlockSettings, neverBlockSettings } from './policy.ts';
import { guess } from '../model/typed-in.ts';
import type { Config, SiemConfig } from './load.ts';

interface ReleaseSettings {
  readonly rules: readonly ReleaseRuleSettings[];
  readonly reporting: readonly string[];
  readonly windowMinutes: number;
  readonly precisionMinutes: number;
  readonly delayMinutes: number;
  readonly minCount: number;
  readonly holdHours: number;
  readonly ignore: readonly string[];
  readonly own: NeverBlockSettings['own'];
  readonly hitsDays: number;
  readonly sightingsDays: number;
  readonly forms: Readonly<Record<string, string>>;
}

type Rule = Config['release'][number];

interface ReleaseRuleSettings extends Pick<Rule, 'to' | 'action'> {
  readonly from?: readonly string[];
  readonly tlp?: NonNullable<Rule['tlp']>;
  readonly pap?: NonNullable<Rule['pap']>;
  readonly statements?: readonly string[];
  readonly types?: readonly string[];
  readonly minCount?: number;
  readonly maxAgeDays?: number;
  readonly falsePositives: boolean;
  readonly delayMinutes?: number;
  readonly jitterMinutes?: number;
}

export function releaseSettings(config: Config): ReleaseSettings {
  const { sightings, retention } = config;
  return {
    rules: config.release.map((rule) => ({
      to: rule.to,
      action: rule.action,
      falsePositives: rule.false_positives,
      ...given('from', rule.from),
      ...given('tlp', rule.tlp),
      ...given('pap', rule.pap),
      ...given('statements', rule.statements),
      ...given('types', rule.types),
      ...given('minCount', rule.min_count),
      ...given('maxAgeDays', rule.max_age_days),
      ...given('delayMinutes', rule.delay_minutes),
      ...given('jitterMinutes', rule.jitter_minutes),
    })),
    reporting: config.exchanges.filter((one) => one.reports && one.enabled).map((one) => one.name),
    windowMinutes: sightings.window_minutes,
    precisionMinutes: sightings.time_precision_minutes,
    delayMinutes: sightings.delay_minutes,
    minCount: sightings.min_count,
    holdHours: sightings.hold_hours,
    ignore: sightings.ignore_values.flatMap((text) => guess(text).map((one) => entryKey(one.type, one.value))),
    own: neverBlockSettings(config).own,
    hitsDays: retention.hits_days,
    sightingsDays: retention.sightings_days,
    forms: Object.fromEntries(config.exchanges.map((one) => [one.name, formOf(config, one)])),
  };
}

function formOf({ identity, sightings }: Config, { definition, settings }: Config['exchanges'][number]): string {
  const { id = '', name = '', class: kind = '' } = identity ?? {};
  const form = definition.reportForm?.(settings) ?? null;
  return fingerprint({ identity: [id, name, kind], precision: sightings.time_precision_minutes, form });
}

/** Hits are read once somebody wants to hear of them, unless configuration says otherwise. */
export function readsHits(config: Config, siem: SiemConfig): boolean {
  if (!siem.enabled || siem.definition.readsHits !== true) return false;
  return siem.hits.enabled ?? config.exchanges.some((one) => one.enabled && one.reports);
}

/** Without keys that are undefined: they would count as given where the rule is judged. */
function given<K extends string, T>(key: K, value: T | undefined): { [key in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]?: T });
}
