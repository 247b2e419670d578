// The Elastic connector on the simulator: the shared contract for each product, and what is Elastic's own.
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import { Secret } from '../../src/core/runtime/secret.ts';
import { type ElasticOptions, type RunningElastic, startElastic } from '../../src/simulators/elastic/index.ts';
import { anEntry, NOON } from '../builders/entry.ts';
import { LOOPBACK_CERT_FILE, loopbackTls } from '../builders/tls.ts';
import { contextFor, encodeBatch } from './batches.ts';
import {
  admin,
  elasticConfig,
  elasticConnector,
  elasticDeps,
  elasticFaults,
  elasticHarness,
  type ElasticPlace,
} from './elastic-harness.ts';
import { ElasticConnector } from '../../src/connectors/siem/elastic/connector.ts';
import { siemContract, type SiemHarness } from './siem.ts';

const never = new AbortController().signal;

function place(server: RunningElastic, product: ElasticPlace['product'] = 'elasticsearch'): ElasticPlace {
  const basic = Buffer.from(`${server.username}:${server.password}`).toString('base64');
  return {
    url: server.url,
    admin: `Basic ${basic}`,
    auth:
      product === 'opensearch' ? { username: server.username, password: server.password } : { api_key: server.apiKey },
    product,
    timeoutMs: 1500,
  };
}

async function harness(options: ElasticOptions): Promise<SiemHarness> {
  const server = await startElastic(options);
  const secure = await startElastic({ tls: loopbackTls });
  return elasticHarness(place(server, options.product ?? 'elasticsearch'), {
    faults: elasticFaults(server),
    badTls: async () => elasticConnector(place(secure)),
    stop: async () => {
      await server.close();
      await secure.close();
    },
  });
}

siemContract('simulated Elasticsearch 9', () => harness({}));
siemContract('simulated Elasticsearch 8', () => harness({ version: '8.19.2' }));
siemContract('simulated OpenSearch', () => harness({ product: 'opensearch' }));

describe('the Elastic connector', () => {
  const opened: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(one: T): T => {
    opened.push(one);
    return one;
  };
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
  });
  const simulator = async (options: ElasticOptions = {}) => keep(await startElastic(options));
  let revision = NOON * 1000;
  const batch = (count = 1) => {
    revision += 1;
    const context = contextFor(elastic, elasticConfig({ url: 'http://127.0.0.1:9200' }), { revision, now: NOON });
    const entries = Array.from({ length: count }, (_, i) => anEntry({ type: 'domain-name', value: `d${i}.example` }));
    return encodeBatch(elastic, entries, context).batch;
  };

  it('asks the engine to halve a batch that is too large for the server', async () => {
    const server = await simulator({ maxContentLength: 20_000 });
    const connector = keep(elasticConnector(place(server)));
    await connector.open(never);
    const large = batch(100);

    await expect(connector.apply(large, never)).rejects.toMatchObject({
      kind: 'permanent',
      status: 413,
      uncertain: false,
      split: { maxBytes: Math.floor(large.bytes.length / 2) },
    });
  });

  it('refuses the wrong product before anything is written, and says what to set', async () => {
    const openSearch = place(await simulator({ product: 'opensearch', security: 'none' }));
    const elasticsearch = place(await simulator({ security: 'none' }), 'opensearch');

    for (const [there, hint] of [
      [openSearch, 'product: opensearch'],
      [elasticsearch, 'product: elasticsearch'],
    ] as const) {
      const connector = keep(elasticConnector(there));
      await expect(connector.open(never)).rejects.toMatchObject({
        kind: 'config',
        message: expect.stringContaining(hint),
      });
    }
  });

  it('goes on with the other node when one is down', async () => {
    const server = await simulator();
    const dead = await startElastic();
    await dead.close();
    const there = place(server);
    const config = { ...elasticConfig(there), url: [server.url, dead.url] };
    const connector = keep(new ElasticConnector(config, elasticDeps(there)));

    const results = [];
    for (let turn = 0; turn < 6; turn += 1) {
      results.push(
        await connector.containers(never).then(
          () => 'ok',
          () => 'failed',
        ),
      );
    }

    expect(results.filter((one) => one === 'failed').length).toBeLessThanOrEqual(1);
    expect(results.at(-1)).toBe('ok');
  });

  it('creates nothing with provision: never, and says what is missing', async () => {
    const server = await simulator();
    const connector = keep(elasticConnector(place(server), { provision: 'never' }));

    await expect(connector.open(never)).rejects.toMatchObject({
      kind: 'config',
      message: expect.stringContaining('content/elastic'),
    });

    expect(await connector.probe(never)).toMatchObject({ ok: false });
    expect([...server.requests.keys()].filter((name) => name.startsWith('PUT'))).toEqual([]);
  });

  it('refuses an index that was made without its mapping', async () => {
    const server = await simulator();
    const there = place(server);
    await admin(there, 'PUT', '/logs-ti_entente_test_instance.indicator/_doc/1', { a: 1 });
    const connector = keep(elasticConnector(there));

    await expect(connector.open(never)).rejects.toThrow('has not our mapping');
  });

  it('gives a deleted index its mapping again, even when a late write makes it', async () => {
    const server = await simulator();
    const connector = keep(elasticConnector(place(server)));
    const before = (await connector.open(never)).containers;
    server.dropIndex('logs-ti_entente_test_instance.indicator');

    await connector.apply(batch(), never);

    const after = (await connector.open(never)).containers;
    expect(after).toHaveLength(1);
    expect(after[0]?.identity).not.toBe(before[0]?.identity);
  });

  it('does not let two writers of the mark both believe they were alone', async () => {
    const server = await simulator();
    const there = place(server);
    const [one, other] = [keep(elasticConnector(there)), keep(elasticConnector(there))];
    await one.open(never);
    const mark = (boot: string) => ({ writer: 'w', boot, revision: 1, at: NOON });

    const both = await Promise.allSettled([one.writer(mark('a'), never), other.writer(mark('b'), never)]);

    const standing = await one.writer(undefined, never);
    const wrote = both.filter((result) => result.status === 'fulfilled').length;
    // Either one was refused, or they came one after the other and the second saw the first.
    const saw = both.some((result) => result.status === 'fulfilled' && result.value !== undefined);
    expect(wrote === 1 || saw).toBe(true);
    expect(['a', 'b']).toContain(standing?.boot);
  });

  it('reads a secret file again at each request', async () => {
    const server = await simulator();
    const folder = mkdtempSync(join(tmpdir(), 'entente-'));
    const file = join(folder, 'key');
    writeFileSync(file, 'b2xkOmtleQ==\n');
    const there = place(server);
    const config = { ...elasticConfig(there), auth: { api_key: Secret.file(file) } };
    const connector = keep(new ElasticConnector(config, elasticDeps(there)));

    await expect(connector.open(never)).rejects.toMatchObject({ kind: 'config', status: 401 });
    writeFileSync(file, `${server.apiKey}\n`);
    await expect(connector.open(never)).resolves.toBeDefined();
    rmSync(file);
    await expect(connector.open(never)).rejects.toMatchObject({ kind: 'config' });

    rmSync(folder, { recursive: true });
  });

  it('trusts its own CA, and with a fingerprint only that certificate', async () => {
    const server = await simulator({ tls: loopbackTls });
    const fingerprint = new X509Certificate(loopbackTls.cert).fingerprint256;
    const other = fingerprint.replace(/^../, fingerprint.startsWith('00') ? '11' : '00');
    const open = (tls: NonNullable<ElasticPlace['tls']>) =>
      keep(elasticConnector({ ...place(server), tls })).open(never);

    await expect(open({ ca_file: LOOPBACK_CERT_FILE })).resolves.toBeDefined();
    await expect(open({ ca_file: LOOPBACK_CERT_FILE, fingerprint_sha256: fingerprint })).resolves.toBeDefined();
    await expect(open({ ca_file: LOOPBACK_CERT_FILE, fingerprint_sha256: other })).rejects.toMatchObject({
      kind: 'config',
    });
  });

  it('refuses plain HTTP beyond loopback', async () => {
    const connector = keep(elasticConnector({ url: 'http://192.0.2.1:9200' }));

    expect(await connector.probe(never)).toMatchObject({ ok: false, failure: { kind: 'config' } });
  });

  it('does nothing before it is asked', async () => {
    const server = await simulator();

    keep(elasticConnector(place(server)));

    expect(server.requests.size).toBe(0);
  });
});
