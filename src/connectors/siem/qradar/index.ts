// IBM QRadar as a watchlist: one reference set per family of observables, for rules and AQL to look into.
import { defineSiem } from '../../../core/contracts/siem-connector.ts';
import { OBSERVABLE_TYPES } from '../../../core/model/observable.ts';
import { containerKind, QRadarConfig, setName, setSettings } from './config.ts';
import { QRadarConnector } from './connector.ts';
import { encodeEntry, slotOf } from './mapping.ts';

export const qradar = defineSiem<QRadarConfig>({
  type: 'qradar',
  config: QRadarConfig,
  observables: OBSERVABLE_TYPES,
  // IBM publishes no limit; 1,000 rows a bulk update is what others are seen to send.
  limits: { maxItems: 1000, maxBytes: 2_000_000, concurrency: 2 },
  // The dead-man switch counts from the last time an entry was written.
  refreshAfterDays: 30,
  versioned: false,
  foldsSlots: true,
  readsHits: true,
  // Rules on larger sets get slow.
  maxEntries: 20_000,
  settings: (config) => ({
    prefix: config.set_prefix,
    domainId: config.domain_id ?? null,
    notesLength: config.notes_length,
  }),
  places: (config) => [`qradar ${config.url.replace(/\/+$/, '')} ${config.set_prefix} ${config.domain_id ?? 'shared'}`],
  container: (type, settings) => setName(setSettings(settings).prefix, containerKind(type)),
  slot: (type, value) => slotOf(type, value),
  encode: encodeEntry,
  create: (config, deps) => new QRadarConnector(config, deps),
});
