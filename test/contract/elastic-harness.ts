// The Elastic connector on any server that speaks Elasticsearch: simulator, real Elasticsearch, OpenSearch. What an
// administrator or analyst does goes past the connector, by plain HTTP.
import type { z } from 'zod';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import type { SiemDeps } from '../../src/core/contracts/siem-connector.ts';
import { type Failure, toFailure } from '../../src/core/model/failure.ts';
import type { Observable } from '../../src/core/model/observable.ts';
import { systemClock } from '../../src/core/runtime/clock.ts';
import { createHttp, type HttpTls } from '../../src/core/runtime/http.ts';
import { silentLog } from '../../src/core/runtime/log.ts';
import type { RunningSimulator } from '../../src/simulators/server.ts';
import { ElasticConnector } from '../../src/connectors/siem/elastic/connector.ts';
import { anEntry, NOON } from '../builders/entry.ts';
import { contextFor, encodeBatch } from './batches.ts';
import type { SiemFaults, SiemHarness } from './siem.ts';

export interface ElasticPlace {
  readonly url: string;
  /** Authorization header of an administrator; none where security is off. */
  readonly admin?: string;
  /** `auth` of the connector's configuration; its texts are the secrets that must not show. */
  readonly auth?: { api_key: string } | { username: string; password: string };
  readonly product?: 'elasticsearch' | 'opensearch';
  readonly instance?: string;
  readonly index?: string;
  readonly timeoutMs?: number;
  readonly tls?: HttpTls;
}

export const INSTANCE = 'test-instance';

export function elasticConfig(place: ElasticPlace, more: Record<string, unknown> = {}) {
  return elastic.config.parse({
    type: 'elastic',
    url: place.url,
    ...(place.auth === undefined ? {} : { auth: place.auth }),
    ...(place.product === undefined ? {} : { product: place.product }),
    ...(place.index === undefined ? {} : { index: place.index }),
    ...more,
  }) as z.output<typeof elastic.config>;
}

export function elasticDeps(place: ElasticPlace): SiemDeps {
  return {
    name: 'elastic-test',
    instance: place.instance ?? INSTANCE,
    clock: systemClock,
    log: silentLog,
    http: (options) =>
      createHttp(
        { label: 'SIEM elastic-test', timeoutMs: place.timeoutMs ?? 30_000, allowHttp: false, tls: place.tls ?? {} },
        options,
      ),
  };
}

export const elasticConnector = (place: ElasticPlace, more: Record<string, unknown> = {}) =>
  new ElasticConnector({ ...elasticConfig(place), ...more }, elasticDeps(place));

let revision = NOON * 1000;
/** Domain names to be written, each time under a later revision. */
export function aBatch(...values: string[]) {
  revision += 1;
  const context = contextFor(elastic, elasticConfig({ url: 'http://127.0.0.1:9200' }), { revision, now: NOON });
  const entries = values.map((value) => anEntry({ type: 'domain-name', value }));
  return encodeBatch(elastic, entries, context).batch;
}

/** What a call or a reading came to. */
export async function failureOf(work: Promise<unknown> | AsyncIterable<unknown>): Promise<Failure> {
  try {
    if (Symbol.asyncIterator in work) for await (const _ of work);
    else await work;
  } catch (error) {
    return toFailure(error);
  }
  throw new Error('it did not fail');
}

/** Plain HTTP as an administrator; answers the parsed body and the status. */
export async function admin(place: ElasticPlace, method: string, path: string, body?: unknown) {
  const response = await fetch(`${place.url}${path}`, {
    method,
    headers: {
      ...(place.admin === undefined ? {} : { authorization: place.admin }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>) };
}

/** Faults on bulk requests, counted by what the server has seen of them. */
export function elasticFaults(server: RunningSimulator): SiemFaults {
  return {
    match: '_bulk',
    set: (faults) => server.setFaults(faults),
    seen: () => [...server.requests].reduce((sum, [name, count]) => sum + (name.includes('_bulk') ? count : 0), 0),
  };
}

export async function elasticHarness(
  place: ElasticPlace,
  more: { readonly faults?: SiemFaults; readonly stop?: () => Promise<void> } & Pick<
    SiemHarness,
    'badTls' | 'dropContainer'
  > = {},
): Promise<SiemHarness> {
  const config = elasticConfig(place);
  const settings = elastic.settings(config, place.instance ?? INSTANCE);
  const index = elastic.container('ipv4-addr', settings);
  const refresh = async () => {
    await admin(place, 'POST', `/${index}/_refresh`);
  };
  const source = async (id: string) => (await admin(place, 'GET', `/${index}/_doc/${id}`)).body?.['_source'];
  const foreignId = (one: Observable) => encodeURIComponent(`analyst-${one.value}`);
  const { auth } = place;
  return {
    definition: elastic,
    connector: new ElasticConnector(config, elasticDeps(place)),
    owner: `entente:${place.instance ?? INSTANCE}`,
    settings,
    secrets: auth === undefined ? [] : 'api_key' in auth ? [auth.api_key] : [auth.password],
    foreign: {
      plant: async (one) => {
        const document = {
          threat: { indicator: { type: one.type, ip: one.value, description: 'planted by an analyst' } },
        };
        await admin(place, 'PUT', `/${index}/_doc/${foreignId(one)}`, document);
        await refresh();
      },
      read: (one) => source(foreignId(one)),
    },
    read: (one) => source(elastic.slot(one.type, one.value, settings)),
    spoil: (body) => body.replace('"ip":"', '"ip":"no address '),
    refresh,
    dropContainer: more.dropContainer ?? (async () => void (await admin(place, 'DELETE', `/${index}`))),
    ...(auth === undefined
      ? {}
      : {
          badCredential: async () =>
            new ElasticConnector(
              elasticConfig({ ...place, auth: { api_key: 'bm9zdWNoOmtleQ==' } }),
              elasticDeps(place),
            ),
        }),
    ...(more.faults === undefined ? {} : { faults: more.faults }),
    ...(more.badTls === undefined ? {} : { badTls: more.badTls }),
    stop: more.stop ?? (async () => {}),
  };
}
