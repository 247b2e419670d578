// Hits read from a simulated Splunk with every call in view, for the tests of the Splunk connector.
import { anEntry } from './entry.ts';
import { never, type SplunkRig, upserts } from './splunk-rig.ts';
import { INSTANCE } from '../contract/splunk-harness.ts';
import type { SiemDeps } from '../../src/core/contracts/siem-connector.ts';
import type { Json } from '../../src/core/model/json.ts';
import type { Hit } from '../../src/core/model/sighting.ts';
import { type Clock, systemClock } from '../../src/core/runtime/clock.ts';
import { createHttp } from '../../src/core/runtime/http.ts';
import { silentLog } from '../../src/core/runtime/log.ts';
import type { Job } from '../../src/simulators/splunk/state.ts';
import { SplunkClient } from '../../src/connectors/siem/splunk/client.ts';
import { splunk } from '../../src/connectors/siem/splunk/index.ts';
import { eventSource, SplunkHits, threatSource } from '../../src/connectors/siem/splunk/hits.ts';
import { Rows as OurRows } from '../../src/connectors/siem/splunk/rows.ts';

export const ADDRESS = '192.0.2.7';
export const KEY = `ipv4-addr|${ADDRESS}`;

export interface Wire {
  readonly reader: SplunkHits;
  /** Bodies of answers to calls under search. */
  readonly answers: string[];
  readonly searches: string[];
}

export interface Given {
  readonly events?: object;
  readonly ignoreHosts?: readonly string[];
  readonly clock?: Clock;
  readonly before?: (path: string, jobs: readonly Job[]) => void;
  readonly threat?: boolean;
  readonly mostRows?: number;
}

export async function read(reader: SplunkHits, cursor?: Json): Promise<{ hits: Hit[]; cursors: Json[] }> {
  const hits: Hit[] = [];
  const cursors: Json[] = [];
  for await (const page of reader.read(cursor, never)) {
    hits.push(...page.hits);
    cursors.push(page.cursor);
  }
  return { hits, cursors };
}

export const secs = () => Date.now() / 1000;

/** What those tests do with the server that was started for each of them. */
export function hitsOn(rig: SplunkRig) {
  /** A reader over it; `before` is called ahead of every request, to do what a bad moment does. */
  const aReader = (given: Given = {}): Wire => {
    const { url, token } = rig.server;
    const [answers, searches]: [string[], string[]] = [[], []];
    const config = splunk.config.parse({
      type: 'splunk',
      url,
      auth: { token },
      event_search: {
        indexes: ['main'],
        fields: { 'ipv4-addr': ['dest_ip', 'src_ip'], url: ['url'] },
        ...given.events,
      },
      ignore_hosts: given.ignoreHosts ?? [],
    });
    const deps: SiemDeps = {
      name: 'one',
      instance: INSTANCE,
      clock: given.clock ?? systemClock,
      log: silentLog,
      http: (options) => {
        const client = createHttp({ label: 'one', timeoutMs: 5000, allowHttp: false, tls: {} }, options);
        return {
          ...client,
          request: async (request) => {
            given.before?.(request.path, [...rig.server.state.jobs.values()]);
            const search = new URLSearchParams(request.body?.toString() ?? '').get('search');
            if (search !== null) searches.push(search);
            const answer = await client.request(request);
            if (request.path.includes('/search/')) answers.push(answer.body.toString());
            return answer;
          },
        };
      },
    };
    const client = new SplunkClient(config, deps);
    const source =
      given.threat === true
        ? threatSource(
            config,
            new OurRows(client, `entente:${INSTANCE}`, 'threat_intel', deps),
            async () => 'DA-ESS-ThreatIntelligence',
            `entente:${INSTANCE}`,
          )
        : eventSource(config.event_search!, config.ignore_hosts);
    return { reader: new SplunkHits(client, config.app, source, deps, given.mostRows), answers, searches };
  };
  const plant = (fields: Record<string, string | string[]>, indexed = secs(), time = indexed) =>
    void rig.server.state.events.push({ time, indexed, fields: { index: 'main', ...fields } });
  const armed = async (...values: readonly string[]) => {
    const connector = await rig.opened();
    await connector.apply(upserts(values.map((value) => anEntry({ value }))), never);
  };
  return { aReader, plant, armed };
}
