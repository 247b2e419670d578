// Splunk as a watchlist: rows of KV store collections, in an app of our own or in Enterprise Security's.
import { defineSiem } from '../../../core/contracts/siem-connector.ts';
import { OBSERVABLE_TYPES } from '../../../core/model/observable.ts';
import { keyPrefix, SplunkConfig } from './config.ts';
import { SplunkConnector } from './connector.ts';
import { containerOf, encodeEntry, slotOf } from './mapping.ts';

export const splunk = defineSiem<SplunkConfig>({
  type: 'splunk',
  config: SplunkConfig,
  observables: OBSERVABLE_TYPES,
  // 1000 is the oldest default for one batch; a server with another limit says so, and the engine obeys.
  limits: { maxItems: 1000, maxBytes: 4_000_000, concurrency: 2 },
  // Enterprise Security keeps a row for 60 days after it was last fed.
  refreshAfterDays: 30,
  versioned: false,
  foldsSlots: false,
  readsHits: true,
  settings: (config, instance) => ({ form: config.form, prefix: keyPrefix(instance) }),
  places: (config) => {
    const url = config.url.replace(/\/+$/, '');
    return [config.form === 'lookups' ? `splunk ${url} ${config.app}` : `splunk ${url} threat_intel`];
  },
  container: containerOf,
  slot: slotOf,
  encode: encodeEntry,
  create: (config, deps) => new SplunkConnector(config, deps),
});
