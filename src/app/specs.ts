// From the configuration to what the store is told. Plain values; the fingerprints decide what is computed anew.
import type { Config, ExchangeConfig, SiemConfig } from '../core/config/load.ts';
import { fingerprint } from '../core/config/fingerprint.ts';
import { policyFor } from '../core/config/policy.ts';
import { releaseSettings } from '../core/config/release.ts';
import type { Json } from '../core/model/json.ts';
import { CANON_VERSION } from '../core/model/canonical.ts';
import type { ExchangeSpec, SiemSpec, StoreSpec } from '../core/store/spec.ts';

export function storeSpec(config: Config, path = config.state): StoreSpec {
  return {
    path,
    instance: config.instance,
    exchanges: config.exchanges.map((exchange): ExchangeSpec => exchangeSpec(config, exchange)),
    siems: config.siems.map((siem) => siemSpec(config, siem)),
    release: releaseSettings(config),
    audit: { level: config.audit.level, valuesDays: config.retention.audit_values_days },
  };
}

function exchangeSpec(config: Config, exchange: ExchangeConfig): ExchangeSpec {
  const settings = exchange.definition.settings(exchange.settings);
  const bareUrls = exchange.policy.bare_urls ?? config.policy.bare_urls;
  // Objects are read again under another choice, and under the usual one the fingerprint is what it always was.
  const shape = bareUrls === 'refuse' ? settings : { settings, bareUrls };
  return { name: exchange.name, type: exchange.type, fingerprint: fingerprint(shape), bareUrls };
}

function siemSpec(config: Config, siem: SiemConfig): SiemSpec {
  const { definition } = siem;
  const settings = definition.settings(siem.settings, config.instance);
  const listensTo = siem.exchanges ?? config.exchanges.map((one) => one.name);
  const pairs = listensTo.map((name) => [name, policyFor(config, name, siem.name)] as const);
  const rules = Object.fromEntries(pairs.map(([name, { intake, lifetime }]) => [name, { intake, lifetime }]));
  const brakes = Object.fromEntries(
    pairs.map(([name, { removalBrake, additionBrake }]) => [name, { removal: removalBrake, addition: additionBrake }]),
  );
  const observables = definition.observables.filter((type) => siem.observables?.includes(type) ?? true);
  const maxEntries = siem.max_entries ?? definition.maxEntries;
  const refreshAfterDays = definition.refreshAfter?.(siem.settings) ?? definition.refreshAfterDays;
  const shape = {
    settings,
    rules,
    observables,
    canon: CANON_VERSION,
    // With a limit every row is given what it is worth; how large the limit is changes nothing of that.
    ...(maxEntries === undefined ? {} : { limited: true }),
  };
  return {
    name: siem.name,
    type: siem.type,
    // Rules and settings are plain values made from the file; nothing in them is undefined after the round trip.
    fingerprint: fingerprint(JSON.parse(JSON.stringify(shape)) as Json),
    settings,
    rules,
    brakes,
    observables,
    longestCallMs: definition.longestCallMs,
    ...(maxEntries === undefined ? {} : { maxEntries }),
    ...(refreshAfterDays === undefined ? {} : { refreshAfterDays }),
  };
}
