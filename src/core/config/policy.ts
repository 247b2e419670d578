// The rules for one exchange into one SIEM: the global policy, then the exchange's overrides, then the SIEM's.
import { canonical } from '../model/canonical.ts';
import type { Classification, Pap, Tlp } from '../model/marking.ts';
import { isLoopbackHost } from './listen.ts';
import type { Config } from './config.ts';
import type { Policy, PolicyOverrides } from './settings/policy.ts';

/** What intake knows of the pair; the same shape as policy/intake.ts asks for. */
interface IntakeSettings {
  readonly siem: string;
  readonly clearance: Tlp;
  readonly hosting?: 'on_premises' | 'cloud';
  readonly highestPap?: Pap;
  readonly withoutPap: Pap;
  readonly unmarked: Tlp;
  readonly minConfidence: number;
  readonly unknownConfidence: 'accept' | 'hold' | 'refuse';
  readonly widestNetwork: { readonly ipv4: number; readonly ipv6: number };
  readonly maxClassification: Classification;
  readonly neverBlock: NeverBlockSettings;
  readonly neverBlockAlso?: readonly ConfiguredList[];
}

interface ConfiguredList {
  readonly values: readonly string[];
  readonly cidrs: readonly string[];
  readonly domains: readonly string[];
}

export interface NeverBlockSettings {
  readonly actions: Readonly<Record<string, 'refuse' | 'note'>>;
  readonly own: { readonly networks: readonly string[]; readonly domains: readonly string[] };
  readonly hosts: readonly string[];
  readonly configured: ConfiguredList;
  readonly lists?: string;
}

/** One for all exchanges and SIEMs of a configuration: a value is looked up once for all of them. */
export function neverBlockSettings(config: Config): NeverBlockSettings {
  let settings = made.get(config);
  if (settings === undefined) {
    settings = settingsOf(config);
    made.set(config, settings);
  }
  return settings;
}

const made = new WeakMap<Config, NeverBlockSettings>();

function settingsOf(config: Config): NeverBlockSettings {
  const { list_actions: actions, lists, ...configured } = config.policy.never_block;
  return {
    actions: Object.fromEntries(
      Object.entries(actions).flatMap(([list, one]) => (one === undefined ? [] : [[list, one]])),
    ),
    own: { networks: config.own.networks, domains: spelled(config.own.domains) },
    hosts: hostsOf(config),
    configured: listOf(configured),
    ...(lists === undefined ? {} : { lists }),
  };
}

const listOf = ({ values, cidrs, domains }: ConfiguredList): ConfiguredList => ({
  values,
  cidrs,
  domains: spelled(domains),
});

/** The schema has refused what has no canonical form. */
const spelled = (domains: readonly string[]): string[] =>
  domains.flatMap((text) => {
    const name = canonical('domain-name', text.replace(/^=/, ''));
    return 'value' in name ? [`${text.startsWith('=') ? '=' : ''}${name.value}`] : [];
  });

/** Hosts that our own configuration names. Loopback is nobody's, and on another list. */
function hostsOf({ exchanges, siems, proxy }: Config): string[] {
  const peers = [...exchanges, ...siems];
  const proxies = [proxy, ...peers.map((one) => one.peer.proxy)].filter((one) => one !== undefined);
  const names = [...peers.flatMap((one) => one.urls), ...proxies].flatMap((text) => {
    const host = URL.parse(text)?.hostname.replace(/^\[|\]$/g, '');
    return host === undefined || host === '' || isLoopbackHost(host) ? [] : [host];
  });
  return [...new Set(names)].sort();
}

interface LifetimeSettings {
  readonly defaultDays: number;
  readonly byType: Readonly<Record<string, number>>;
  readonly maxDays: number;
  readonly validUntil: 'respect' | 'cap' | 'replace';
  readonly renewOnHit: boolean;
}

interface PairPolicy {
  readonly intake: IntakeSettings;
  readonly lifetime: LifetimeSettings;
  readonly removalBrake: { readonly share: number; readonly atLeast: number; readonly windowHours: number };
  readonly additionBrake: { readonly factor: number; readonly atLeast: number };
  /** Until an unanswered hold counts as failing. */
  readonly holdPatienceHours: number;
}

export function policyFor(config: Config, exchangeName: string, siemName: string): PairPolicy {
  const siem = config.siems.find((one) => one.name === siemName);
  if (siem === undefined) throw new Error(`no SIEM named ${siemName} in the configuration`);
  // Claims of an exchange that is no longer configured are judged by the global policy until they are withdrawn.
  const exchange = config.exchanges.find((one) => one.name === exchangeName);
  const policy = overridden(overridden(config.policy, exchange?.policy ?? {}), siem.policy);
  const { default: defaultDays, ...byType } = policy.lifetime_days;
  return {
    intake: {
      siem: siem.name,
      clearance: siem.clearance,
      ...(siem.hosting === undefined ? {} : { hosting: siem.hosting }),
      ...(siem.highest_pap === undefined ? {} : { highestPap: siem.highest_pap }),
      withoutPap: policy.without_pap,
      unmarked: policy.unmarked,
      minConfidence: policy.min_confidence,
      unknownConfidence: policy.unknown_confidence,
      widestNetwork: policy.widest_network,
      maxClassification: policy.max_classification,
      neverBlock: neverBlockSettings(config),
      ...also([exchange?.policy, siem.policy]),
    },
    lifetime: {
      defaultDays,
      byType: Object.fromEntries(
        Object.entries(byType).filter((pair): pair is [string, number] => pair[1] !== undefined),
      ),
      maxDays: policy.max_days,
      validUntil: policy.valid_until,
      renewOnHit: policy.renew_on_hit,
    },
    removalBrake: {
      share: policy.removal_brake.share,
      atLeast: policy.removal_brake.at_least,
      windowHours: policy.removal_brake.window_hours,
    },
    additionBrake: { factor: policy.addition_brake.factor, atLeast: policy.addition_brake.at_least },
    holdPatienceHours: policy.hold_patience_hours,
  };
}

function overridden(base: Policy, by: PolicyOverrides): Policy {
  return {
    ...base,
    min_confidence: by.min_confidence ?? base.min_confidence,
    unknown_confidence: by.unknown_confidence ?? base.unknown_confidence,
    unmarked: by.unmarked ?? base.unmarked,
    without_pap: by.without_pap ?? base.without_pap,
    lifetime_days: { ...base.lifetime_days, ...given(by.lifetime_days) },
    max_days: by.max_days ?? base.max_days,
    valid_until: by.valid_until ?? base.valid_until,
    renew_on_hit: by.renew_on_hit ?? base.renew_on_hit,
    max_classification: by.max_classification ?? base.max_classification,
    widest_network: { ...base.widest_network, ...given(by.widest_network) },
    removal_brake: { ...base.removal_brake, ...given(by.removal_brake) },
    addition_brake: { ...base.addition_brake, ...given(by.addition_brake) },
    hold_patience_hours: by.hold_patience_hours ?? base.hold_patience_hours,
  };
}

/** What overrides add; the same value for every pair that shares it. */
function also(overrides: readonly (PolicyOverrides | undefined)[]): Pick<IntakeSettings, 'neverBlockAlso'> {
  const lists = overrides.flatMap((one) => {
    if (one?.never_block === undefined) return [];
    let list = added.get(one.never_block);
    if (list === undefined) {
      list = listOf(one.never_block);
      added.set(one.never_block, list);
    }
    return [list];
  });
  return lists.length === 0 ? {} : { neverBlockAlso: lists };
}

const added = new WeakMap<object, ConfiguredList>();

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the keys that are there but undefined: they would wipe out what they should leave. */
function given<T extends object>(value: T | undefined): Given<T> {
  return Object.fromEntries(Object.entries(value ?? {}).filter(([, one]) => one !== undefined)) as Given<T>;
}
