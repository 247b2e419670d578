// The QRadar connector on a simulated console. What an administrator or analyst does goes past the connector.
import type { z } from 'zod';
import { qradar } from '../../src/connectors/siem/qradar/index.ts';
import type { SiemDeps } from '../../src/core/contracts/siem-connector.ts';
import type { Observable } from '../../src/core/model/observable.ts';
import { type Clock, systemClock } from '../../src/core/runtime/clock.ts';
import { createHttp, type HttpTls } from '../../src/core/runtime/http.ts';
import { silentLog } from '../../src/core/runtime/log.ts';
import { type QRadarOptions, type RunningQRadar, startQradar } from '../../src/simulators/qradar/index.ts';
import { selfSigned } from '../../src/simulators/tls.ts';
import { QRadarConnector } from '../../src/connectors/siem/qradar/connector.ts';
import type { SiemHarness } from './siem.ts';

export const INSTANCE = 'test-instance';

export interface QRadarPlace {
  readonly url: string;
  readonly token: string;
  readonly instance?: string;
  readonly clock?: Clock;
  readonly timeoutMs?: number;
  readonly tls?: HttpTls;
}

export function qradarConfig(place: QRadarPlace, more: Record<string, unknown> = {}) {
  const { provision, ...settings } = more;
  const config = qradar.config.parse({ type: 'qradar', url: place.url, auth: { token: place.token }, ...settings });
  return { ...config, ...(provision === undefined ? {} : { provision }) } as z.output<typeof qradar.config>;
}

export function qradarDeps(place: QRadarPlace): SiemDeps {
  return {
    name: 'qradar-test',
    instance: place.instance ?? INSTANCE,
    clock: place.clock ?? systemClock,
    log: silentLog,
    http: (options) =>
      createHttp(
        { label: 'SIEM qradar-test', timeoutMs: place.timeoutMs ?? 1500, allowHttp: false, tls: place.tls ?? {} },
        options,
      ),
  };
}

export const qradarConnector = (place: QRadarPlace, more: Record<string, unknown> = {}) =>
  new QRadarConnector(qradarConfig(place, more), qradarDeps(place));

/** The row of the set that holds this value, whoever put it there. */
export function rowOf(sim: RunningQRadar, one: Observable, settings: ReturnType<typeof qradar.settings>) {
  const slot = qradar.slot(one.type, one.value, settings);
  const bar = slot.indexOf('|');
  const set = sim.store.byName(`Entente ${slot.slice(0, bar)}`);
  return { set, stored: slot.slice(bar + 1), row: set && sim.store.entry(set, slot.slice(bar + 1), null) };
}

export async function qradarHarness(
  options: QRadarOptions = {},
): Promise<SiemHarness & { readonly sim: RunningQRadar }> {
  const sim = await startQradar(options);
  const untrusted = await startQradar({ ...options, tls: selfSigned() });
  const place: QRadarPlace = { url: sim.url, token: sim.token };
  const settings = qradar.settings(qradarConfig(place), INSTANCE);
  const classic = Number(options.apiVersion ?? '26.0') < 16;
  const match = classic ? 'POST /api/reference_data/sets/Entente' : 'PATCH /api/reference_data_collections/set_entries';
  const snapshot = (one: Observable) => {
    const { row } = rowOf(sim, one, settings);
    return row === undefined ? undefined : { ...row };
  };
  return {
    sim,
    definition: qradar,
    connector: qradarConnector(place),
    owner: `entente:${INSTANCE}`,
    settings,
    secrets: [sim.token],
    foreign: {
      plant: async (one) => {
        const { set, stored } = rowOf(sim, one, settings);
        if (set === undefined) throw new Error('the set is not there yet');
        sim.store.put(set, stored, { source: 'analyst', notes: 'planted by an analyst', domain: null });
      },
      read: async (one) => snapshot(one),
    },
    read: async (one) => snapshot(one),
    spoil: (body) => body.replace(/"value":"[^"]*"/, '"value":"no address"'),
    dropContainer: async (type) => {
      const set = sim.store.byName(qradar.container(type, settings));
      if (set !== undefined) sim.store.sets.delete(set.id);
    },
    badTls: async () => qradarConnector({ url: untrusted.url, token: untrusted.token }),
    badCredential: async () => qradarConnector({ ...place, token: '00000000-0000-4000-8000-00000000dead' }),
    faults: {
      match,
      set: (faults) => sim.setFaults(faults),
      seen: () => {
        let seen = 0;
        const [method, path = ''] = match.split(' ');
        for (const [route, count] of sim.requests) {
          const name = route.replace('/api', '');
          const start = path.replace('/api', '').replace('/Entente', '/');
          if (name.startsWith(`${method} ${start}`) && !name.includes('bulk_load')) seen += count;
        }
        return seen;
      },
    },
    stop: async () => {
      await sim.close();
      await untrusted.close();
    },
  };
}
