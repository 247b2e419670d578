// Both far sides as shipped simulators, a store between them, and one round of delivery done: what a test of the way
// back begins with. Everything that goes to the exchange and into the log is kept to be looked through.
import { expect } from 'vitest';
import { taxii21 } from '../../src/connectors/exchange/taxii21/index.ts';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import { splunk } from '../../src/connectors/siem/splunk/index.ts';
import { Batch } from '../../src/core/contracts/batch.ts';
import type { SiemDefinition } from '../../src/core/contracts/siem-connector.ts';
import { systemClock } from '../../src/core/runtime/clock.ts';
import { createHttp } from '../../src/core/runtime/http.ts';
import type { Log } from '../../src/core/runtime/log.ts';
import { Reporter } from '../../src/core/sightings/reporter.ts';
import { Sender } from '../../src/core/sightings/sender.ts';
import { localStore } from '../../src/core/store/remote.ts';
import type { SiemEncoder } from '../../src/core/contracts/siem-connector.ts';
import type { ReleaseSpec } from '../../src/core/store/spec/spec.ts';
import { type ElasticOptions, startElastic } from '../../src/simulators/elastic/index.ts';
import type { RunningSimulator } from '../../src/simulators/server.ts';
import { type SplunkOptions, startSplunk } from '../../src/simulators/splunk/index.ts';
import { startTaxii } from '../../src/simulators/taxii/index.ts';
import { Taxii21Connector } from '../../src/connectors/exchange/taxii21/connector.ts';
import { aSiem, aStore, objectIdAt } from '../builders/sightings.ts';

export const never = new AbortController().signal;
export const IDENTITY = {
  id: 'identity--0c3a5b2e-2f5b-4c8e-9d0f-5a8c3f6b1d11',
  name: 'SOC Example',
  class: 'organization',
};
const INSTANCE = 'soc-one';
export const INDEX = 'logs-ti_entente_soc_one.indicator';

export const closers: (() => unknown)[] = [];

export function stixIndicator(n: number, pattern: string) {
  return {
    type: 'indicator',
    spec_version: '2.1',
    id: objectIdAt(n),
    created: '2026-01-01T00:00:00.000Z',
    modified: '2026-01-01T00:00:00.000Z',
    valid_from: '2026-01-01T00:00:00Z',
    valid_until: '2099-01-01T00:00:00Z',
    pattern,
    pattern_type: 'stix',
    object_marking_refs: ['marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb'],
  };
}

/** One SIEM of the shipped simulators, and what its connector is configured with. */
export interface FarSide {
  readonly definition: SiemDefinition;
  readonly start: () => Promise<{ readonly sim: RunningSimulator; readonly config: object }>;
}

export const elasticSide = (more: object = {}, options: ElasticOptions = {}): FarSide => ({
  // A definition is written for its own configuration; which one that is only its schema has to know.
  definition: elastic as unknown as SiemDefinition,
  start: async () => {
    const sim = await startElastic(options);
    return { sim, config: { url: sim.url, auth: { username: sim.username, password: sim.password }, ...more } };
  },
});

export const splunkSide = (options: SplunkOptions = {}, more: object = {}): FarSide => ({
  definition: splunk as unknown as SiemDefinition,
  start: async () => {
    const sim = await startSplunk(options);
    return { sim, config: { url: sim.url, auth: { token: sim.token }, ...more } };
  },
});

/** `reportTo` puts another server in the place of the simulated exchange for what is sent. */
export async function aRoundTrip(
  patterns: readonly string[],
  given: { elastic?: object; siem?: FarSide; release?: Partial<ReleaseSpec>; reportTo?: object } = {},
) {
  const taxii = await startTaxii({ data: patterns.map((pattern, n) => stixIndicator(n + 1, pattern)) });
  closers.push(() => taxii.close());
  const { definition, start } = given.siem ?? elasticSide(given.elastic);
  const { sim, config: configured } = await start();
  closers.push(() => sim.close());
  const logged: string[] = [];
  const note =
    (level: string) =>
    (message: string, fields?: object): void =>
      void logged.push(JSON.stringify([level, message, fields]));
  const log: Log = {
    error: note('error'),
    warn: note('warn'),
    info: note('info'),
    debug: note('debug'),
    child: () => log,
  };
  const sentBodies: string[] = [];
  const http = (label: string) => (options: Parameters<typeof createHttp>[1]) => {
    const client = createHttp({ label, timeoutMs: 10_000, allowHttp: false, tls: {} }, options);
    return {
      ...client,
      request: (request: Parameters<typeof client.request>[0]) => {
        if (label === 'exchange')
          sentBodies.push(JSON.stringify([request.path, request.query, request.headers, request.body?.toString()]));
        return client.request(request);
      },
    };
  };
  const taxiiDeps = { name: 'partner', clock: systemClock, log, http: http('exchange'), identity: IDENTITY };
  const access = {
    type: 'taxii21',
    url: taxii.discovery,
    auth: { username: taxii.username, password: taxii.password },
  };
  const reading = { ...access, collections: [taxii.collections.read], report_to: taxii.collections.write };
  const exchange = new Taxii21Connector(taxii21.config.parse(reading), taxiiDeps);
  closers.push(() => exchange.close());
  const { type } = definition;
  const config = definition.config.parse({ type, ...configured });
  const siem = await definition.create(config, {
    name: 'one',
    instance: INSTANCE,
    clock: systemClock,
    log,
    http: http('siem'),
  });
  closers.push(() => siem.close());

  const blank = aStore({
    ...(given.release === undefined ? {} : { release: given.release }),
    siems: [],
  });
  blank.store.close();
  const spec = {
    ...blank.spec,
    siems: [aSiem('one', { type, settings: definition.settings(config, INSTANCE) })],
  };
  const encoders = new Map<string, SiemEncoder>([[type, definition as unknown as SiemEncoder]]);
  const store = localStore(spec, encoders);
  closers.push(() => store.close());

  for await (const page of exchange.pages(undefined, never)) await store.commitPages('partner', [page], Date.now());
  await siem.open(never);
  const taken = await store.takeBatch('one', definition.limits, Date.now());
  const outcomes = await siem.apply(new Batch(taken!.changes, taken!.bytes, taken!.ends), never);
  expect(outcomes.every((one) => one.kind === 'applied')).toBe(true);
  await store.settleAll(taken!.id, Date.now());

  const common = { store, now: Date.now, log, random: () => 1 };
  const reporter = new Reporter({ ...common, name: 'one', connector: siem });
  const other =
    given.reportTo === undefined ? exchange : new Taxii21Connector(taxii21.config.parse(given.reportTo), taxiiDeps);
  if (other !== exchange) closers.push(() => other.close());
  const sender = new Sender({ ...common, name: 'partner', connector: other });
  const plant = async (events: readonly object[]) => {
    const answer = await fetch(`${sim.url}/_sim/events`, { method: 'POST', body: JSON.stringify(events) });
    expect(answer.status).toBe(200);
  };
  return { taxii, sim, store, spec, siem, reporter, sender, plant, logged, sentBodies };
}
