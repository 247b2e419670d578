// What is joined to the command line: connectors, simulators, and the commands that need the store.
import packageFile from '../../package.json' with { type: 'json' };
import type { Parts } from './command.ts';

export const parts: Parts = {
  version: packageFile.version,
  registry: { siems: [], exchanges: [] },
  simulators: {},
  commands: [],
};
