import { defineExchange } from '../../../core/contracts/exchange-connector.ts';
import { cursorSettings, MispConfig } from './config.ts';

export const misp = defineExchange({
  type: 'misp',
  config: MispConfig,
  settings: cursorSettings,
  reports: (config) => config.report,
  reportForm: (config) => ({ to: config.url, as: 'sightings' }),
  create: async (config, deps) => new (await import('./connector.ts')).MispConnector(config, deps),
});
