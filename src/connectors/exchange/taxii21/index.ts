import { defineExchange } from '../../../core/contracts/exchange-connector.ts';
import { cursorSettings, Taxii21Config } from './config.ts';
import { Taxii21Connector } from './connector.ts';

export const taxii21 = defineExchange({
  type: 'taxii21',
  config: Taxii21Config,
  settings: cursorSettings,
  reports: (config) => config.report_to !== undefined,
  create: (config, deps) => new Taxii21Connector(config, deps),
});
