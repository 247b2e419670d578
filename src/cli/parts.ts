// What is joined to the command line: connectors, and simulators and commands, which are loaded when they are asked for.
import packageFile from '../../package.json' with { type: 'json' };
import { exchanges, siems } from '../connectors/registry.ts';
import type { Command, Parts } from './command.ts';

const named = <Name extends string>(name: Name, module: () => Promise<Readonly<Record<Name, Command>>>) => ({
  name,
  load: async () => (await module())[name],
});

export const parts: Parts = {
  version: packageFile.version,
  registry: { siems, exchanges },
  simulators: {
    taxii: async (start) => (await import('./simulators.ts')).starters.taxii(start),
    misp: async (start) => (await import('./simulators.ts')).starters.misp(start),
    elastic: async (start) => (await import('./simulators.ts')).starters.elastic(start),
    splunk: async (start) => (await import('./simulators.ts')).starters.splunk(start),
    qradar: async (start) => (await import('./simulators.ts')).starters.qradar(start),
  },
  async probe(config, signal) {
    const [{ probePeers }, { systemClock }, { silentLog }] = await Promise.all([
      import('../app/peers.ts'),
      import('../core/runtime/clock.ts'),
      import('../core/runtime/log.ts'),
    ]);
    return probePeers(config, systemClock, silentLog, signal);
  },
  commands: [
    named('init', () => import('./init.ts')),
    named('run', () => import('./run.ts')),
    named('plan', () => import('./plan.ts')),
    named('record', () => import('./record.ts')),
    named('rehearse', () => import('./rehearse.ts')),
    named('status', () => import('./status.ts')),
    named('why', () => import('./why.ts')),
    named('suppress', () => import('./suppress.ts')),
    named('harmless', () => import('./harmless.ts')),
    named('held', () => import('./held.ts')),
    named('refused', () => import('./refused.ts')),
    named('parked', () => import('./act.ts')),
    named('reconcile', () => import('./reconcile.ts')),
    named('purge', () => import('./reconcile.ts')),
    named('history', () => import('./history.ts')),
    named('audit', () => import('./audit.ts')),
    named('backup', () => import('./act.ts')),
    named('state', () => import('./state-copy.ts')),
    named('demo', () => import('./demo.ts')),
  ],
};
