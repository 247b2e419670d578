// Splunk as a watchlist: rows of KV store collections, in an app of our own or in Enterprise Security's.
import { defineSiem } from '../../../core/contracts/siem-connector.ts';
import { SplunkConfig } from './config.ts';
import { splunkEncoder } from './encoder.ts';
import { keyPrefix } from './settings.ts';

export const splunk = defineSiem<SplunkConfig>({
  ...splunkEncoder,
  config: SplunkConfig,
  // 1000 is the oldest default for one batch; a server with another limit says so, and the engine obeys.
  limits: { maxItems: 1000, maxBytes: 4_000_000, concurrency: 2 },
  // A proxy gives up after a minute as a rule. A call to the KV store may live for five (clientSocketTimeout in
  // server.conf), which the next audit covers.
  longestCallMs: 120_000,
  // Enterprise Security keeps a row for 60 days after it was last fed.
  refreshAfterDays: 30,
  readsHits: true,
  settings: (config, instance) => ({ form: config.form, prefix: keyPrefix(instance) }),
  places: (config) => {
    const url = config.url.replace(/\/+$/, '');
    return [config.form === 'lookups' ? `splunk ${url} ${config.app}` : `splunk ${url} threat_intel`];
  },
  create: async (config, deps) => new (await import('./connector.ts')).SplunkConnector(config, deps),
});
