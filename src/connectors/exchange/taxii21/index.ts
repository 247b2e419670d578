import { defineExchange } from '../../../core/contracts/exchange-connector.ts';
import { cursorSettings, Taxii21Config } from './config.ts';

export const taxii21 = defineExchange({
  type: 'taxii21',
  config: Taxii21Config,
  settings: cursorSettings,
  reports: (config) => config.report_to !== undefined,
  reportForm: (config) => ({ to: config.report_to ?? null, where: config.report_where_sighted }),
  create: async (config, deps) => new (await import('./connector.ts')).Taxii21Connector(config, deps),
});
