// A daemon with its pages for people to look at and a browser to walk: a partner and three SIEMs, simulated, that can be
// set on fire. Names and reasons of the partner are as bad as they come.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from '../../src/app.ts';
import { startDaemon } from '../../src/app/daemon.ts';
import { Front } from '../../src/app/front.ts';
import { exchanges, siems } from '../../src/connectors/registry.ts';
import { elastic as elasticSiem } from '../../src/connectors/siem/elastic/index.ts';
import { loadConfig } from '../../src/core/config/load.ts';
import { problemLine } from '../../src/core/config/source.ts';
import { silentLog } from '../../src/core/runtime/log.ts';
import { startElastic } from '../../src/simulators/elastic/index.ts';
import { feed } from '../../src/simulators/feed.ts';
import { startQradar } from '../../src/simulators/qradar/index.ts';
import { startSplunk } from '../../src/simulators/splunk/index.ts';
import type { StixObject } from '../../src/simulators/stix-object.ts';
import { startTaxii } from '../../src/simulators/taxii/index.ts';

export const TOKEN = 'a token of the stage';
export const SEEN = '198.51.100.7';
/** A URL as long as some are. */
export const LONG = `http://evil.example/${'a'.repeat(7_900)}`;
const DAY_MS = 86_400_000;

export interface Stage {
  readonly url: string;
  readonly app: App;
  /** The partner withdraws so many of what it published. */
  withdraw(count: number): Promise<void>;
  publish(objects: readonly StixObject[]): Promise<void>;
  /** Splunk refuses the token, and the partner answers nothing but errors. */
  setOnFire(): Promise<void>;
  putOut(): Promise<void>;
  /** Somebody was seen talking to SEEN. */
  plant(count: number): Promise<void>;
  close(): Promise<void>;
}

export interface StageOptions {
  readonly objects?: number;
  readonly empty?: boolean;
  readonly token?: boolean;
}

export async function pagesStage({ objects = 600, empty = false, token = true }: StageOptions = {}): Promise<Stage> {
  const data = [
    ...feed({ count: objects, start: Date.now() - DAY_MS }),
    anIndicator('203.0.113.9', { name: '\u202eevil<script>alert(1)</script>' }),
    anIndicator('', { pattern: `[url:value = '${LONG}']` }),
    anIndicator(SEEN, { name: 'Beacon of <b>TheDukes</b> & "friends"' }),
  ];
  const taxii = await startTaxii({ data: empty ? [] : data });
  const elastic = await startElastic({});
  const splunk = await startSplunk({});
  const qradar = await startQradar({});
  const folder = mkdtempSync(join(tmpdir(), 'entente-pages-'));
  mkdirSync(join(folder, 'inbox'));
  writeFileSync(join(folder, 'token'), TOKEN);
  const file = join(folder, 'entente.yaml');
  const parts = {
    exchanges: [
      {
        name: 'cert-eu',
        type: 'taxii21',
        url: taxii.apiRoot,
        auth: { username: taxii.username, password: taxii.password },
        collections: [taxii.collections.read],
        report_to: taxii.collections.write,
        schedule: '*/2 * * * * *',
      },
      { name: 'low-side', type: 'files', path: './inbox' },
    ],
    siems: [
      {
        name: 'elastic-hq',
        type: 'elastic',
        url: elastic.url,
        auth: { username: elastic.username, password: elastic.password },
        hits: { schedule: '* * * * * *' },
      },
      { name: 'splunk..hq_-2.x', type: 'splunk', url: splunk.url, auth: { token: splunk.token } },
      {
        name: 'qradar-hq',
        type: 'qradar',
        url: qradar.url,
        auth: { token: qradar.token },
        max_entries: 100,
        clearance: 'green',
      },
    ],
    identity: { id: 'identity--0c3a5b2e-2f5b-4c8e-9d0f-5a8c3f6b1d11', name: 'SOC Example' },
    release: [{ to: 'cert-eu', tlp: ['clear', 'green', 'amber'], action: 'hold' }],
  };
  writeFileSync(
    file,
    JSON.stringify({
      instance: 'ncirc-mons',
      state: './state.db',
      listen: { address: '127.0.0.1:0', ...(token ? { token_file: './token' } : {}) },
      policy: { never_block: { list_actions: { documentation: 'note' } } },
      ...(empty ? {} : parts),
    }),
  );
  const answer = loadConfig(file, { exchanges, siems }, {});
  if ('problems' in answer) throw new Error(answer.problems.map(problemLine).join('\n'));
  const app = await App.open({ config: answer.config, log: silentLog, version: '0.1.0' });
  const front = new Front();
  const daemon = await startDaemon(app, { badReload: () => undefined, front, tried: new Set() });
  const revised = (one: StixObject, more: object): StixObject => ({
    ...one,
    modified: new Date(Date.now() - 1000).toISOString(),
    ...more,
  });
  return {
    url: daemon.web.url,
    app,
    withdraw: async (count) => {
      const some = data.filter((one) => one.type === 'indicator' && one['revoked'] !== true).slice(0, count);
      taxii.load(some.map((one) => revised(one, { revoked: true })));
    },
    publish: async (more) => void taxii.load([...more]),
    setOnFire: async () => {
      splunk.setFaults([{ action: 'status', status: 401 }]);
      taxii.setFaults([{ action: 'status', status: 500 }]);
    },
    putOut: async () => {
      splunk.setFaults([]);
      taxii.setFaults([]);
    },
    plant: async (count) => {
      const time = new Date().toISOString();
      const matched = {
        id: elasticSiem.slot('ipv4-addr', SEEN, null),
        index: 'logs-ti_entente_ncirc_mons.indicator',
        field: 'source.ip',
      };
      const alert = {
        time,
        index: '.internal.alerts-security.alerts-default-000001',
        fields: { 'kibana.alert.original_time': time, threat: { enrichments: [{ matched }] } },
      };
      await fetch(`${elastic.url}/_sim/events`, {
        method: 'POST',
        body: JSON.stringify(Array.from({ length: count }, () => alert)),
      });
    },
    close: async () => {
      await daemon.stop('the stage is over');
      await front.close();
      for (const one of [taxii, elastic, splunk, qradar]) await one.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

let made = 0;

/** An indicator of one address or whatever pattern is given. */
export function anIndicator(value: string, facts: Readonly<Record<string, unknown>> = {}): StixObject {
  const created = new Date(Date.now() - 60_000).toISOString();
  const number = String(++made).padStart(12, '0');
  return {
    type: 'indicator',
    spec_version: '2.1',
    id: `indicator--5f0c2a91-0000-4000-8000-${number}`,
    created,
    modified: created,
    pattern: `[ipv4-addr:value = '${value}']`,
    pattern_type: 'stix',
    valid_from: created,
    valid_until: new Date(Date.now() + 7 * DAY_MS).toISOString(),
    object_marking_refs: ['marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb'],
    ...facts,
  };
}
