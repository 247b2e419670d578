// Three simulated SIEMs and a simulated partner with the daemon's own parts between them, and a reader that looks at
// the SIEM side alone: at the fields a detection would compare, never at keys of ours.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from '../../src/app.ts';
import { type OnceReport, runOnce } from '../../src/app/once.ts';
import { exchanges, siems } from '../../src/connectors/registry.ts';
import { loadConfig } from '../../src/core/config/load.ts';
import { problemLine } from '../../src/core/config/source.ts';
import { canonical } from '../../src/core/model/canonical.ts';
import type { ObservableType } from '../../src/core/model/observable.ts';
import { shiftedClock, systemClock } from '../../src/core/runtime/clock.ts';
import { silentLog } from '../../src/core/runtime/log.ts';
import { type RunningElastic, startElastic } from '../../src/simulators/elastic/index.ts';
import { type RunningQRadar, startQradar } from '../../src/simulators/qradar/index.ts';
import { type RunningSplunk, startSplunk } from '../../src/simulators/splunk/index.ts';
import { type RunningTaxii, startTaxii, type TaxiiData } from '../../src/simulators/taxii/index.ts';

export interface ThreeSiems {
  readonly taxii: RunningTaxii;
  readonly elastic: RunningElastic;
  readonly splunk: RunningSplunk;
  readonly qradar: RunningQRadar;
  readonly app: App;
  run(patienceMs?: number): Promise<OnceReport>;
  /** Canonical values by SIEM, sorted. */
  held(): { elastic: string[]; splunk: string[]; qradar: string[] };
  close(): Promise<void>;
}

export interface ThreeOptions {
  readonly data: TaxiiData;
  /** RFC 3339; the real time when left out. */
  readonly clock?: string;
  readonly policy?: object;
  /** Of the QRadar sets; 200,000 when left out. */
  readonly maxEntries?: number | 'default';
  readonly longestCallMs?: number;
}

export async function threeSiems(options: ThreeOptions): Promise<ThreeSiems> {
  const clock = options.clock === undefined ? systemClock : shiftedClock(Date.parse(options.clock));
  const taxii = await startTaxii({ data: options.data, clock: () => clock.now() });
  const elastic = await startElastic({ clock });
  const splunk = await startSplunk({ clock });
  const qradar = await startQradar({ clock });
  const folder = mkdtempSync(join(tmpdir(), 'entente-three-'));
  const file = join(folder, 'entente.yaml');
  const auth = { username: taxii.username, password: taxii.password };
  const most = options.maxEntries ?? 200_000;
  // JSON is YAML.
  writeFileSync(
    file,
    JSON.stringify({
      instance: 'three',
      state: './state.db',
      exchanges: [
        { name: 'partner', type: 'taxii21', url: taxii.apiRoot, auth, collections: [taxii.collections.read] },
      ],
      siems: [
        { name: 'elastic', type: 'elastic', url: elastic.url, auth: { api_key: elastic.apiKey }, clearance: 'red' },
        { name: 'splunk', type: 'splunk', url: splunk.url, auth: { token: splunk.token }, clearance: 'red' },
        {
          name: 'qradar',
          type: 'qradar',
          url: qradar.url,
          auth: { token: qradar.token },
          clearance: 'red',
          ...(most === 'default' ? {} : { max_entries: most }),
        },
      ],
      policy: { never_block: { list_actions: { documentation: 'note' } }, ...options.policy },
    }),
  );
  const answer = loadConfig(
    file,
    { exchanges, siems },
    options.clock === undefined ? {} : { ENTENTE_CLOCK: options.clock },
  );
  if ('problems' in answer) throw new Error(answer.problems.map(problemLine).join('\n'));
  const longest = options.longestCallMs === undefined ? {} : { longestCallMs: options.longestCallMs };
  const app = await App.open({ config: answer.config, log: silentLog, version: 'test', ...longest });
  return {
    taxii,
    elastic,
    splunk,
    qradar,
    app,
    run: (patienceMs = 60_000) => runOnce(app, patienceMs, new AbortController().signal),
    held: () => ({ elastic: inElastic(elastic), splunk: inSplunk(splunk), qradar: inQradar(qradar) }),
    close: async () => {
      await app.close();
      for (const one of [taxii, elastic, splunk, qradar]) await one.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A value as all SIEMs would have to spell it; one that is none of ours stays as it is and shows. */
function spelled(type: ObservableType, value: string): string {
  const read = canonical(type, value);
  return 'value' in read ? read.value : `unreadable ${value}`;
}
const address = (value: string) => spelled(value.includes(':') ? 'ipv6-addr' : 'ipv4-addr', value);

interface Indicator {
  readonly ip?: string;
  readonly url?: { readonly domain?: string; readonly full?: string };
  readonly email?: { readonly address: string };
  readonly file?: { readonly hash: Readonly<Record<string, string>> };
  readonly type: string;
}

function inElastic(elastic: RunningElastic): string[] {
  return Object.values(elastic.documents('logs-ti_entente_three.indicator'))
    .map((source) => {
      const { threat, entente } = source as { threat: { indicator: Indicator }; entente: { network?: string } };
      const { ip, url, email, file, type } = threat.indicator;
      if (entente.network !== undefined) return address(entente.network);
      if (ip !== undefined) return address(ip);
      if (email !== undefined) return spelled('email-addr', email.address);
      if (file !== undefined) return Object.values(file.hash).join();
      return type === 'url' ? spelled('url', url?.full ?? '') : spelled('domain-name', url?.domain ?? '');
    })
    .sort();
}

const LOOKUPS = {
  ip: ['ip', 'network'],
  domain: ['domain'],
  url: ['url'],
  email: ['src_user', 'email'],
  file: ['file_hash'],
};

function inSplunk(splunk: RunningSplunk): string[] {
  return Object.entries(LOOKUPS)
    .flatMap(([family, fields]) =>
      [...splunk.documents('entente', `entente_${family}`).values()]
        .map((row) => fields.map((field) => row[field]).find((value) => typeof value === 'string'))
        .filter((value): value is string => value !== undefined)
        .map((value) => (family === 'ip' ? address(value) : value)),
    )
    .sort();
}

function inQradar(qradar: RunningQRadar): string[] {
  return [...qradar.store.sets.values()]
    .filter((set) => !set.name.endsWith('Control'))
    .flatMap((set) => [...set.entries.values()].map(({ value }) => (/ IP/.test(set.name) ? address(value) : value)))
    .sort();
}
