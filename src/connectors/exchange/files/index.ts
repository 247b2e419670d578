import { defineExchange } from '../../../core/contracts/exchange-connector.ts';
import { cursorSettings, FilesConfig, reportForm } from './config.ts';
import { countFiles } from './memory.ts';

export const files = defineExchange({
  type: 'files',
  config: FilesConfig,
  settings: cursorSettings,
  reports: (config) => config.outbox !== undefined,
  reportForm,
  files: countFiles,
  create: async (config, deps) => new (await import('./connector.ts')).FilesConnector(config, deps),
});
