// The simulators as `entente simulate` starts them. Loaded when asked for: a daemon shall not hold them.
import { systemClock } from '../core/runtime/clock.ts';
import { startElastic } from '../simulators/elastic/index.ts';
import { feed } from '../simulators/feed.ts';
import { announcement as mispLine, startMisp } from '../simulators/misp/index.ts';
import { announcement as qradarLine, startQradar } from '../simulators/qradar/index.ts';
import type { Fault } from '../simulators/server.ts';
import { announcement as splunkLine, startSplunk } from '../simulators/splunk/index.ts';
import { announcement, startTaxii } from '../simulators/taxii/index.ts';
import { selfSigned } from '../simulators/tls.ts';
import type { Parts, SimulatorStart, StartedSimulator } from './command.ts';

const DAY_MS = 86_400_000;

export const starters = {
  taxii: async (start) => {
    const seed = Number(start.seed ?? 1);
    const data = start.data ?? feed({ seed, start: systemClock.now() - DAY_MS });
    const running = await startTaxii({ ...common(start), seed, data });
    return started(running, announcement(running));
  },
  misp: async (start) => {
    const running = await startMisp({ ...common(start), ...(start.data === undefined ? {} : { data: start.data }) });
    return started(running, mispLine(running));
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
} satisfies Parts['simulators'];

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
