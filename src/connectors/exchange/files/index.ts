import { defineExchange } from '../../../core/contracts/exchange-connector.ts';
import { cursorSettings, FilesConfig, reportForm } from './config.ts';
import { FilesConnector } from './connector.ts';
import { countFiles } from './memory.ts';

export const files = defineExchange({
  type: 'files',
  config: FilesConfig,
  settings: cursorSettings,
  reports: (config) => config.outbox !== undefined,
  reportForm,
  files: countFiles,
  create: (config, deps) => new FilesConnector(config, deps),
});
