// The Splunk connector on a simulated Splunk. What an administrator or analyst does goes past the connector: into the
// simulator's state, or by plain HTTP.
import { splunk } from '../../src/connectors/siem/splunk/index.ts';
import type { SplunkConfig } from '../../src/connectors/siem/splunk/config.ts';
import type { SiemConnector, SiemDeps } from '../../src/core/contracts/siem-connector.ts';
import type { Observable, ObservableType } from '../../src/core/model/observable.ts';
import { type Clock, systemClock } from '../../src/core/runtime/clock.ts';
import { createHttp, type HttpTls } from '../../src/core/runtime/http.ts';
import { type Log, silentLog } from '../../src/core/runtime/log.ts';
import { type RunningSplunk, type SplunkOptions, startSplunk } from '../../src/simulators/splunk/index.ts';
import type { Document } from '../../src/simulators/splunk/state.ts';
import { ES_APP } from '../../src/simulators/splunk/threat-intel.ts';
import { selfSigned } from '../../src/simulators/tls.ts';
import { SplunkConnector } from '../../src/connectors/siem/splunk/connector.ts';
import type { SiemHarness } from './siem.ts';

export const INSTANCE = 'test-instance';

export interface SplunkPlace {
  readonly url: string;
  readonly auth: { readonly token: string } | { readonly username: string; readonly password: string; login?: string };
  readonly form?: SplunkConfig['form'];
  readonly instance?: string;
  /** Further keys of the configuration. */
  readonly more?: object;
  readonly provision?: 'auto' | 'never';
  readonly timeoutMs?: number;
  readonly tls?: HttpTls;
  readonly log?: Log;
  readonly clock?: Clock;
}

export function splunkConfig(place: SplunkPlace): SplunkConfig {
  const { url, auth, form = 'lookups', more } = place;
  return splunk.config.parse({ type: 'splunk', url, auth, form, ...more });
}

export function splunkConnector(place: SplunkPlace): SiemConnector {
  const config = { ...splunkConfig(place), ...(place.provision === undefined ? {} : { provision: place.provision }) };
  const deps: SiemDeps = {
    name: 'splunk-test',
    instance: place.instance ?? INSTANCE,
    clock: place.clock ?? systemClock,
    log: place.log ?? silentLog,
    http: (options) =>
      createHttp(
        { label: 'SIEM splunk-test', timeoutMs: place.timeoutMs ?? 30_000, allowHttp: false, tls: place.tls ?? {} },
        options,
      ),
  };
  return new SplunkConnector(config, deps);
}

/** What our rows hold of a value, by collection. */
export function rowsOf(server: RunningSplunk, type: ObservableType, form: SplunkConfig['form']): Map<string, Document> {
  const name = splunk.container(type, { form, prefix: '' });
  return new Map(server.documents(form === 'lookups' ? 'entente' : ES_APP, name));
}

export function splunkHarness(form: SplunkConfig['form'], options: SplunkOptions = {}): () => Promise<SiemHarness> {
  return async () => {
    const server = await startSplunk(options);
    const app = form === 'lookups' ? 'entente' : ES_APP;
    const auth = { token: server.token };
    const place: SplunkPlace = { url: server.url, auth, form, timeoutMs: 1500 };
    const settings = splunk.settings(splunkConfig(place), INSTANCE);
    const documents = (type: ObservableType) => rowsOf(server, type, form);
    const foreignKey = (one: Observable): string => `analyst-${one.value}`;
    return {
      definition: splunk,
      connector: splunkConnector(place),
      owner: `entente:${INSTANCE}`,
      settings,
      secrets: [server.token, server.password],
      foreign: {
        plant: async (one) => {
          const name = splunk.container(one.type, settings);
          const answer = await fetch(`${server.url}/servicesNS/nobody/${app}/storage/collections/data/${name}`, {
            method: 'POST',
            headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
            body: JSON.stringify({ _key: foreignKey(one), ip: one.value, note: 'planted by an analyst' }),
          });
          if (!answer.ok) throw new Error(`planting: ${answer.status} ${await answer.text()}`);
        },
        read: async (one) => documents(one.type).get(foreignKey(one)),
      },
      read: async (one) => documents(one.type).get(splunk.slot(one.type, one.value, settings)),
      faults: {
        match: 'batch_save',
        set: (faults) => server.setFaults(faults),
        seen: () => count(server, 'batch_save'),
      },
      // A field name with a dot is refused for good.
      spoil: (body) => body.replace('{', '{"a.b":1,'),
      dropContainer: async (type) => {
        const name = splunk.container(type, settings);
        // Enterprise Security's collections cannot be deleted, but they can be emptied.
        if (form === 'threat_intel') documentsIn(server, app, name).clear();
        else server.state.collections.delete(`${app}/${name}`);
      },
      badTls: async () => {
        const other = await startSplunk({ tls: selfSigned() });
        const connector = splunkConnector({ ...place, url: other.url });
        const close = connector.close.bind(connector);
        connector.close = async () => {
          await close();
          await other.close();
        };
        return connector;
      },
      badCredential: async () =>
        splunkConnector({ ...place, auth: { username: server.username, password: 'no-such-password-here' } }),
      stop: () => server.close(),
    };
  };
}

function documentsIn(server: RunningSplunk, app: string, name: string): Map<string, Document> {
  return server.state.collections.get(`${app}/${name}`)?.documents.get('nobody') ?? new Map();
}

function count(server: RunningSplunk, part: string): number {
  let sum = 0;
  for (const [route, times] of server.requests) if (route.includes(part)) sum += times;
  return sum;
}
