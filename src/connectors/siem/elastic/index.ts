// Elasticsearch and OpenSearch as a watchlist: one document per value, where Kibana's indicator-match rules look.
import { defineSiem } from '../../../core/contracts/siem-connector.ts';
import { ElasticConfig, nodeUrls } from './config.ts';
import { elasticEncoder } from './encoder.ts';
import { indexName } from './settings.ts';

export const elastic = defineSiem<ElasticConfig>({
  ...elasticEncoder,
  config: ElasticConfig,
  limits: { maxItems: 2500, maxBytes: 5_000_000, concurrency: 2 },
  // A write waits up to a minute for its primary shard, and a proxy may hold it for as long before.
  longestCallMs: 120_000,
  // Stock rules look back 30 days by @timestamp.
  refreshAfterDays: 25,
  readsHits: true,
  urls: nodeUrls,
  settings: (config, instance) => ({ index: indexName(config.index, instance) }),
  places: (config, instance) =>
    nodeUrls(config).map((url) => `elastic ${url.replace(/\/+$/, '')} ${indexName(config.index, instance)}`),
  create: async (config, deps) => {
    // With the client, which takes long to load: at the first call probes would wait for it.
    const [{ ElasticConnector }] = await Promise.all([
      import('./connector.ts'),
      import('./connection.ts'),
      import('./failures.ts'),
    ]);
    return new ElasticConnector(config, deps);
  },
});
