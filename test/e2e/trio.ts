// A partner and a SIEM of each product, simulated, and a site that joins them.
import { type RunningQRadar, startQradar } from '../../src/simulators/qradar/index.ts';
import type { Fault } from '../../src/simulators/server.ts';
import { type RunningSplunk, startSplunk } from '../../src/simulators/splunk/index.ts';
import type { Settings } from './site.ts';
import { aWorld, idFor, indicator, type World } from './world.ts';

export const TRIO = ['watch', 'hq', 'console'] as const;
export type Member = (typeof TRIO)[number];

export interface Trio extends World {
  readonly splunk: RunningSplunk;
  readonly qradar: RunningQRadar;
  /** All three; `siems` adds settings to one of them. */
  configure(more?: { readonly siems?: Partial<Record<Member, Settings>>; readonly top?: Settings }): void;
  /** The same faults at each of the three from now on. */
  setFaults(faults: readonly Fault[]): void;
  /** Values that stand in each of them. */
  standing(): Record<Member, string[]>;
}

export async function aTrio(): Promise<Trio> {
  const world = await aWorld();
  const splunk = await startSplunk();
  const qradar = await startQradar();
  const sims = [world.elastic, splunk, qradar];
  return {
    ...world,
    splunk,
    qradar,
    configure: ({ siems = {}, top = {} } = {}) => {
      const settings = world.settings({ exchange: { schedule: '* * * * * *' }, top });
      const [watch] = settings['siems'] as Settings[];
      world.site.configure({
        ...settings,
        siems: [
          { ...watch, ...siems.watch },
          { name: 'hq', type: 'splunk', url: splunk.url, auth: { token: splunk.token }, ...siems.hq },
          { name: 'console', type: 'qradar', url: qradar.url, auth: { token: qradar.token }, ...siems.console },
        ],
      });
    },
    setFaults: (faults) => {
      for (const sim of sims) sim.setFaults(faults);
    },
    standing: () => ({
      watch: world.armed(),
      hq: ['entente_ip', 'entente_url']
        .flatMap((name) => [...splunk.documents('entente', name).values()])
        .flatMap((row) => (typeof row['entry_key'] === 'string' ? [row['entry_key'].replace(/^[^|]*\|/, '')] : []))
        .toSorted(),
      console: ['Entente IPv4', 'Entente URL']
        .flatMap((name) => [...(qradar.store.byName(name)?.entries.values() ?? [])])
        .map((row) => row.value)
        .toSorted(),
    }),
    close: async () => {
      await world.close();
      await splunk.close();
      await qradar.close();
    },
  };
}

/** An indicator of one URL. */
export const urlIndicator = (value: string) => ({
  ...indicator(value, { pattern: `[url:value = '${value}']` }),
  id: idFor(value),
});

/** The same everywhere. */
export const everywhere = <T>(what: T): Record<Member, T> => ({ watch: what, hq: what, console: what });
