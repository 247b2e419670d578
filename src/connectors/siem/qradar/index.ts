// IBM QRadar as a watchlist: one reference set per family of observables, for rules and AQL to look into.
import { defineSiem } from '../../../core/contracts/siem-connector.ts';
import { QRadarConfig } from './config.ts';
import { qradarEncoder } from './encoder.ts';
import { renewalDays } from './lifetime.ts';

export const qradar = defineSiem<QRadarConfig>({
  ...qradarEncoder,
  config: QRadarConfig,
  // IBM publishes no limit; 1,000 rows a bulk update is what others are seen to send.
  limits: { maxItems: 1000, maxBytes: 2_000_000, concurrency: 2 },
  // Tasks wait behind others: a console that is deployed has been seen to take minutes.
  longestCallMs: 300_000,
  // The dead-man switch counts from the last time an entry was written.
  refreshAfter: (config) => renewalDays(config.dead_man_days),
  readsHits: true,
  // Rules on larger sets get slow.
  maxEntries: 20_000,
  settings: (config) => ({
    prefix: config.set_prefix,
    domainId: config.domain_id ?? null,
    notesLength: config.notes_length,
  }),
  places: (config) => [`qradar ${config.url.replace(/\/+$/, '')} ${config.set_prefix} ${config.domain_id ?? 'shared'}`],
  create: async (config, deps) => new (await import('./connector.ts')).QRadarConnector(config, deps),
});
