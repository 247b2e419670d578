// What only Splunk does: limits read from refusals, silent cuts, a KV store that starts, other people's rows. The
// clauses that all connectors share are in test/contract.
import { describe, expect, it } from 'vitest';
import { anEntry } from '../../../../test/builders/entry.ts';
import {
  addresses,
  context,
  delivered,
  errorOf,
  held,
  never,
  removals,
  SplunkRig,
  upserts,
} from '../../../../test/builders/splunk-rig.ts';
import { joinBatches } from '../../../../test/contract/batches.ts';
import { startSplunk } from '../../../simulators/splunk/index.ts';

const rig = new SplunkRig();

describe('limits of the server', () => {
  it('tells the engine how many documents one batch may have, in the words of the server', async () => {
    const connector = await rig.opened();
    rig.server.state.settings.max_documents_per_batch_save = 200;

    const error = await errorOf(connector.apply(upserts(addresses(201)), never));

    expect(error.kind).toBe('permanent');
    expect(error.split).toEqual({ maxItems: 200 });
    expect(error.message).toContain('max_documents_per_batch_save=200');
    expect(new Set((await delivered(connector, upserts(addresses(450)))).values())).toEqual(new Set(['applied']));
    expect(rig.rows()).toHaveLength(450);
  });

  it('tells the engine how large one batch may be', async () => {
    const connector = await rig.opened();
    rig.server.state.settings.max_size_per_batch_save_mb = 0.01;

    const error = await errorOf(connector.apply(upserts(addresses(50)), never));

    expect(error).toMatchObject({ kind: 'permanent', split: { maxBytes: 10_483 } });
  });

  it('parks the one row that is too large, with the reason of the server, and delivers the others', async () => {
    const connector = await rig.opened();
    rig.server.state.settings.max_size_per_batch_save_mb = 0.005;
    const long = anEntry({ type: 'url', value: `https://long.example/${'a'.repeat(8000)}` });
    const others = addresses(4);

    const outcome = await delivered(connector, upserts([...others.slice(0, 2), long, ...others.slice(2)]));

    expect(outcome.get(long.key)).toMatch(/^parked: .*max_size_per_batch_save_mb=0.005/);
    for (const entry of others) expect(outcome.get(entry.key)).toBe('applied');
  });

  it('holds a URL of 8 kB where the server takes it', async () => {
    const connector = await rig.opened();
    const long = anEntry({ type: 'url', value: `https://long.example/${'a'.repeat(8000)}` });

    await connector.apply(upserts([long]), never);

    expect((await held(connector)).map((one) => one.key)).toEqual([long.key]);
  });

  it('lists everything though the server cuts its answers without a word', async () => {
    const connector = await rig.opened();
    await connector.apply(upserts(addresses(60)), never);
    rig.server.state.settings.max_rows_per_query = 7;
    const slots = rig.rows().map((row) => String(row['_key']));

    expect(await held(connector)).toHaveLength(60);
    expect(await held(connector, slots)).toHaveLength(60);
  });

  it('removes in shorter queries where the server takes only short URLs', async () => {
    const connector = await rig.opened();
    const entries = addresses(300);
    await connector.apply(upserts(entries), never);
    rig.server.state.settings.maxUrlBytes = 2500;

    const outcomes = await connector.apply(removals(entries), never);

    expect(outcomes.map((one) => one.kind)).toEqual(entries.map(() => 'applied'));
    expect(rig.rows()).toHaveLength(0);
  });

  it('repeats a batch of which the server had stored a part', async () => {
    const connector = await rig.opened();
    const batch = upserts(addresses(10));
    rig.server.state.settings.failBatchAfter = 4;

    const error = await errorOf(connector.apply(batch, never));
    const between = rig.rows().length;
    rig.server.state.settings.failBatchAfter = 0;
    await connector.apply(batch, never);

    expect(error).toMatchObject({ kind: 'retryable', uncertain: true });
    expect(between).toBe(4);
    expect(rig.rows()).toHaveLength(10);
  });
});

describe('what is in the way', () => {
  it('waits for a KV store that starts, and nothing was done', async () => {
    const connector = await rig.opened();
    rig.server.state.settings.kvReadyAt = Date.now() + 60_000;

    const error = await errorOf(connector.apply(upserts(addresses(1)), never));
    const probe = await connector.probe(never);

    expect(error).toMatchObject({ kind: 'retryable', uncertain: false, status: 503 });
    expect(error.message).toContain('KV Store is initializing');
    expect(probe).toMatchObject({ ok: false, failure: { kind: 'retryable' } });
  });

  it('does not take a login page for a removal', async () => {
    const connector = await rig.opened();
    const entries = addresses(3);
    await connector.apply(upserts(entries), never);
    rig.server.setFaults([{ match: 'DELETE', action: 'html' }]);

    const error = await errorOf(connector.apply(removals(entries), never));

    expect(error.kind).toBe('config');
    expect(error.message).toContain('8089');
    expect(rig.rows()).toHaveLength(3);
  });

  it('reads the reason out of an XML error as well', async () => {
    const connector = await rig.opened();
    const body = '<response><messages><msg type="ERROR">Bad things happened</msg></messages></response>';
    rig.server.setFaults([{ match: 'batch_save', action: 'status', status: 400, body }]);

    const error = await errorOf(connector.apply(upserts(addresses(2)), never));

    expect(error).toMatchObject({ kind: 'permanent', split: undefined });
    expect(error.message).toContain('Bad things happened');
  });

  it('creates nothing with provision: never, and says what to install', async () => {
    const connector = rig.connect({ provision: 'never' });

    const error = await errorOf(connector.open(never));

    expect(error.kind).toBe('config');
    expect(error.message).toContain('install content/splunk/entente');
    expect([...rig.server.state.apps.keys()]).not.toContain('entente');
  });

  it('says that Enterprise Security is missing', async () => {
    const plain = await startSplunk({ enterpriseSecurity: false });
    const connector = rig.connect({ url: plain.url, auth: { token: plain.token }, form: 'threat_intel' });

    const error = await errorOf(connector.open(never));

    expect(error.kind).toBe('config');
    expect(error.message).toContain('DA-ESS-ThreatIntelligence');
    await plain.close();
  });
});

describe('what belongs to others', () => {
  it('keeps two daemons of different instances apart on the same values', async () => {
    const mons = await rig.opened();
    const east = await rig.opened({ instance: 'soc-east' });
    const entries = addresses(3);
    await mons.apply(upserts(entries), never);
    await east.apply(upserts(entries, context('soc-east')), never);

    await mons.apply(removals(entries), never);

    expect(await held(mons)).toEqual([]);
    expect(await held(east)).toHaveLength(3);
    expect(await mons.foreign?.(never)).toBe(3);
  });

  it('never deletes without a query, nor beyond its own mark', async () => {
    const connector = await rig.opened();
    const entries = addresses(2);
    await connector.apply(upserts(entries), never);
    const table = rig.server.state.collections.get('entente/entente_ip')!.documents.get('nobody')!;
    const stolen = [...table.values()].find((row) => row['entry_key'] === entries[0]!.key)!;
    table.set(String(stolen['_key']), { ...stolen, owner: 'an analyst took it over' });

    await connector.apply(removals(entries), never);
    await connector.apply(removals([]), never);

    expect(rig.rows().map((row) => row['owner'])).toEqual(['an analyst took it over']);
  });

  it('does not widen the sharing that an administrator narrowed', async () => {
    const connector = await rig.opened();
    rig.server.state.lookups.get('entente/entente_ip')!.acl.read = ['soc'];

    await connector.open(never);

    expect(rig.server.state.lookups.get('entente/entente_ip')!.acl.read).toEqual(['soc']);
  });

  it('creates again what an administrator deleted, and completes what is incomplete', async () => {
    const connector = await rig.opened();
    rig.server.state.lookups.delete('entente/entente_network');
    rig.server.state.collections.get('entente/entente_ip')!.settings.delete('field.valid_until');

    await connector.open(never);

    expect(rig.server.state.lookups.get('entente/entente_network')?.settings.get('match_type')).toBe('CIDR(network)');
    expect(rig.server.state.collections.get('entente/entente_ip')!.settings.get('field.valid_until')).toBe('number');
  });

  it('sees that a collection was emptied, as that it was deleted', async () => {
    const connector = await rig.opened();
    await connector.apply(upserts(addresses(2)), never);
    rig.server.state.collections.get('entente/entente_ip')!.documents.clear();

    const names = (await connector.containers(never)).map((one) => one.name);

    expect(names).toContain('entente_url');
    expect(names).not.toContain('entente_ip');
  });
});

it('answers a mixed batch over all collections once per key', async () => {
  const connector = await rig.opened();
  const kept = [
    anEntry({ type: 'domain-name', value: 'c2.example' }),
    anEntry({ type: 'url', value: 'https://quote.example/a"b\\c' }),
    anEntry({ type: 'email-addr', value: 'phish@mail.example' }),
  ];
  const gone = addresses(5);
  await connector.apply(upserts(gone), never);

  const outcomes = await connector.apply(joinBatches(removals(gone), upserts(kept)), never);

  expect(outcomes.map((one) => one.key).sort()).toEqual([...kept, ...gone].map((entry) => entry.key).sort());
  expect((await held(connector)).map((one) => one.key).sort()).toEqual(kept.map((entry) => entry.key).sort());
});
