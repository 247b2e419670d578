// From the configuration to what the store is told. Plain values; the fingerprints decide what is computed anew.
import type { Config, ExchangeConfig, SiemConfig } from '../core/config/load.ts';
import { fingerprint } from '../core/config/fingerprint.ts';
import { policyFor } from '../core/config/policy.ts';
import { releaseSettings } from '../core/config/release.ts';
import type { Json } from '../core/model/json.ts';
import { CANON_VERSION } from '../core/model/canonical.ts';
import type { StatePlace } from '../core/store/sql/place.ts';
import type { ExchangeSpec, SiemSpec, StoreSpec } from '../core/store/spec/spec.ts';

/** Where the state is, as the store takes it. */
export function placeOf({ state, server }: Pick<Config, 'state' | 'server'>): StatePlace {
  if (server === undefined) return state;
  const { password, tls, ...rest } = server;
  return {
    ...rest,
    ...(password === undefined
      ? {}
      : { password: password.file === undefined ? { text: password.reveal() } : { file: password.file } }),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            ...(tls.ca_file === undefined ? {} : { ca: tls.ca_file }),
            ...(tls.cert_file === undefined ? {} : { cert: tls.cert_file }),
            ...(tls.key_file === undefined ? {} : { key: tls.key_file }),
            ...(tls.key_passphrase === undefined ? {} : { passphrase: tls.key_passphrase.reveal() }),
            ...(tls.server_name === undefined ? {} : { serverName: tls.server_name }),
            ...(tls.fingerprint_sha256 === undefined ? {} : { fingerprintSha256: tls.fingerprint_sha256 }),
          },
        }),
  };
}

export function storeSpec(config: Config, path: StatePlace = placeOf(config)): StoreSpec {
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
