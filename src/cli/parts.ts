// What is joined to the command line: connectors, simulators, and the commands that need the store.
import packageFile from '../../package.json' with { type: 'json' };
import { probePeers } from '../app/peers.ts';
import { exchanges, siems } from '../connectors/registry.ts';
import { feed } from '../simulators/feed.ts';
import { systemClock } from '../core/runtime/clock.ts';
import { silentLog } from '../core/runtime/log.ts';
import { startElastic } from '../simulators/elastic/index.ts';
import { announcement as qradarLine, startQradar } from '../simulators/qradar/index.ts';
import type { Fault } from '../simulators/server.ts';
import { announcement as splunkLine, startSplunk } from '../simulators/splunk/index.ts';
import { announcement, startTaxii } from '../simulators/taxii/index.ts';
import { selfSigned } from '../simulators/tls.ts';
import { backup, held, parked, suppress } from './act.ts';
import type { Parts, SimulatorStart, StartedSimulator } from './command.ts';
import { demo } from './demo.ts';
import { status } from './status.ts';
import { why } from './why.ts';
import { plan } from './plan.ts';
import { purge, reconcile } from './reconcile.ts';
import { run } from './run.ts';

const DAY_MS = 86_400_000;

export const parts: Parts = {
  version: packageFile.version,
  registry: { siems, exchanges },
  simulators: {
    taxii: async (start) => {
      const seed = Number(start.seed ?? 1);
      const data = start.data ?? feed({ seed, start: systemClock.now() - DAY_MS });
      const running = await startTaxii({ ...common(start), seed, data });
      return started(running, announcement(running));
    },
    elastic: async (start) => {
      const running = await startElastic(common(start));
      return started(running, running.announcement);
    },
    splunk: async (start) => {
      const version = start.splunkVersion === undefined ? {} : { version: start.splunkVersion };
      const running = await startSplunk({ ...common(start), ...version });
      return started(running, splunkLine(running));
    },
    qradar: async (start) => {
      const version = start.apiVersion === undefined ? {} : { apiVersion: start.apiVersion };
      const running = await startQradar({ ...common(start), ...version });
      return started(running, qradarLine(running));
    },
  },
  probe: (config, signal) => probePeers(config, systemClock, silentLog, signal),
  commands: [run, plan, status, why, suppress, held, parked, reconcile, purge, backup, demo],
};

function common(start: SimulatorStart) {
  return {
    port: start.port,
    ...(start.tls ? { tls: selfSigned() } : {}),
    // The simulator itself refuses faults it does not know.
    ...(start.faults === undefined ? {} : { faults: JSON.parse(start.faults) as Fault[] }),
  };
}

function started(running: { close(): Promise<void> }, line: string): StartedSimulator {
  return { line: JSON.parse(line) as Record<string, unknown>, close: () => running.close() };
}
