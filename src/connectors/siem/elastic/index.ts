// Elasticsearch and OpenSearch as a watchlist: one document per value, where Kibana's indicator-match rules look.
import { defineSiem } from '../../../core/contracts/siem-connector.ts';
import { OBSERVABLE_TYPES } from '../../../core/model/observable.ts';
import { ElasticConfig, indexName, indexSettings, nodeUrls } from './config.ts';
import { ElasticConnector } from './connector.ts';
import { encodeEntry, frameChange, slotOf } from './mapping.ts';

export const elastic = defineSiem<ElasticConfig>({
  type: 'elastic',
  config: ElasticConfig,
  observables: OBSERVABLE_TYPES,
  limits: { maxItems: 2500, maxBytes: 5_000_000, concurrency: 2 },
  // Stock rules look back 30 days by @timestamp.
  refreshAfterDays: 25,
  versioned: true,
  foldsSlots: false,
  readsHits: true,
  settings: (config, instance) => ({ index: indexName(config.index, instance) }),
  places: (config, instance) =>
    nodeUrls(config).map((url) => `elastic ${url.replace(/\/+$/, '')} ${indexName(config.index, instance)}`),
  container: (_type, settings) => indexSettings(settings).index,
  slot: slotOf,
  encode: encodeEntry,
  frame: frameChange,
  create: (config, deps) => new ElasticConnector(config, deps),
});
