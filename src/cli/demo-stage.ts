// What stands on the demo's stage, for its story and its summary.
import type { App } from '../app.ts';
import type { Config } from '../core/config/load.ts';
import type { RunningElastic } from '../simulators/elastic/index.ts';
import type { RunningMisp } from '../simulators/misp/index.ts';
import type { RunningQRadar } from '../simulators/qradar/index.ts';
import type { RunningSplunk } from '../simulators/splunk/index.ts';
import type { RunningTaxii } from '../simulators/taxii/index.ts';

export interface Partners {
  readonly taxii: RunningTaxii;
  readonly misp: RunningMisp;
}

export interface Simulated {
  readonly elastic: RunningElastic;
  readonly splunk: RunningSplunk;
  readonly qradar: RunningQRadar;
}

export interface Stage {
  readonly config: Config;
  readonly partners: Partners;
  readonly sims: Simulated;
  readonly app: App;
}

export const ELASTIC_INDEX = 'logs-ti_entente_demo.indicator';
