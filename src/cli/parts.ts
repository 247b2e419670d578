// What is joined to the command line: connectors, simulators (loaded when asked for), and the commands that need the store.
import packageFile from '../../package.json' with { type: 'json' };
import { probePeers } from '../app/peers.ts';
import { exchanges, siems } from '../connectors/registry.ts';
import { systemClock } from '../core/runtime/clock.ts';
import { silentLog } from '../core/runtime/log.ts';
import { backup, parked } from './act.ts';
import { audit } from './audit.ts';
import { harmless } from './harmless.ts';
import { held } from './held.ts';
import { history } from './history.ts';
import { init } from './init.ts';
import { refused } from './refused.ts';
import type { Parts } from './command.ts';
import { demo } from './demo.ts';
import { state } from './state-copy.ts';
import { status } from './status.ts';
import { why } from './why.ts';
import { plan } from './plan.ts';
import { purge, reconcile } from './reconcile.ts';
import { record } from './record.ts';
import { rehearse } from './rehearse.ts';
import { run } from './run.ts';
import { suppress } from './suppress.ts';

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
  probe: (config, signal) => probePeers(config, systemClock, silentLog, signal),
  commands: [
    init,
    run,
    plan,
    record,
    rehearse,
    status,
    why,
    suppress,
    harmless,
    held,
    refused,
    parked,
    reconcile,
    purge,
    history,
    audit,
    backup,
    state,
    demo,
  ],
};
