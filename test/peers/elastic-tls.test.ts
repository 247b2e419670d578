// HTTPS of the vendor's own server: trusted by the authority that configuration names, and by nothing else.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import { selfSigned } from '../../src/simulators/tls.ts';
import { anEntry, NOON } from '../builders/entry.ts';
import { contextFor, encodeBatch } from '../contract/batches.ts';
import { elasticConfig, elasticConnector, type ElasticPlace } from '../contract/elastic-harness.ts';
import { describeWith, tryStart } from './available.ts';
import { startElasticsearch } from './elasticsearch.ts';
import type { ScriptPeer } from './script-peer.ts';

const never = new AbortController().signal;
const secure = await tryStart('Elasticsearch with TLS', () => startElasticsearch({ tls: true }));
const folder = mkdtempSync(join(tmpdir(), 'entente-elastic-tls-'));
afterAll(async () => {
  rmSync(folder, { recursive: true });
  if (secure.kind === 'running') await secure.peer.stop();
});

const placeOf = (peer: ScriptPeer, tls: ElasticPlace['tls']): ElasticPlace => ({
  url: peer.url,
  auth: { username: peer.username, password: peer.password },
  ...(tls === undefined ? {} : { tls }),
});

describeWith('a real Elasticsearch with HTTPS', secure, (peer) => {
  it('takes entries from who trusts its own authority', async () => {
    const connector = elasticConnector(placeOf(peer, { ca_file: peer.caFile }));
    const entry = anEntry({ value: '203.0.113.1' });
    const context = contextFor(elastic, elasticConfig({ url: peer.url }), { revision: NOON * 1000, now: NOON });
    try {
      await connector.open(never);

      const probe = await connector.probe(never);
      const outcomes = await connector.apply(encodeBatch(elastic, [entry], context).batch, never);

      expect(peer.url).toMatch(/^https:/);
      expect(probe).toMatchObject({ ok: true });
      expect(outcomes).toEqual([{ key: entry.key, kind: 'applied' }]);
    } finally {
      await connector.close();
    }
  });

  describe('refuses a server whose authority it does not know, as a matter of configuration', () => {
    const stranger = join(folder, 'stranger.pem');
    writeFileSync(stranger, selfSigned().ca);

    it.each([
      ['with the authorities of the system alone', {}],
      ['with another authority', { ca_file: stranger }],
    ])('%s', async (_, tls) => {
      const connector = elasticConnector(placeOf(peer, tls));
      try {
        const probe = await connector.probe(never);

        await expect(connector.open(never)).rejects.toMatchObject({
          kind: 'config',
          message: expect.stringMatching(/certificate/i),
        });
        expect(probe).toMatchObject({ ok: false, failure: { kind: 'config' } });
        expect(probe.message).not.toContain(peer.password);
      } finally {
        await connector.close();
      }
    });
  });
});
