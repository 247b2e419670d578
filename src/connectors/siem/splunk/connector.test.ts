// What only Splunk does: limits read from refusals, silent cuts, sessions, a KV store that starts, markers. The
// clauses that all connectors share are in test/contract.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anEntry, DAY_MS, NOON } from '../../../../test/builders/entry.ts';
import { encodeBatch, joinBatches, removalBatch } from '../../../../test/contract/batches.ts';
import { INSTANCE, splunkConfig, splunkConnector, type SplunkPlace } from '../../../../test/contract/splunk-harness.ts';
import type { Batch } from '../../../core/contracts/batch.ts';
import type { EncodeContext, OwnedEntry, SiemConnector } from '../../../core/contracts/siem-connector.ts';
import type { Entry } from '../../../core/model/entry.ts';
import { ConnectorError } from '../../../core/model/failure.ts';
import { type RunningSplunk, startSplunk } from '../../../simulators/splunk/index.ts';
import { ES_APP, prune } from '../../../simulators/splunk/threat-intel.ts';
import { selfSigned } from '../../../simulators/tls.ts';
import { splunk } from './index.ts';

const never = new AbortController().signal;
let server: RunningSplunk;
let open: SiemConnector[] = [];
let revision = NOON * 1000;

beforeEach(async () => {
  server = await startSplunk();
});
afterEach(async () => {
  for (const one of open) await one.close();
  open = [];
  await server.close();
});

function connect(given: Partial<SplunkPlace> = {}): SiemConnector {
  const made = splunkConnector({ url: server.url, auth: { token: server.token }, timeoutMs: 5000, ...given });
  open.push(made);
  return made;
}

async function opened(given: Partial<SplunkPlace> = {}): Promise<SiemConnector> {
  const made = connect(given);
  await made.open(never);
  return made;
}

function context(instance = INSTANCE, form: SplunkPlace['form'] = 'lookups'): EncodeContext {
  revision += 1;
  const config = splunkConfig({ url: 'http://127.0.0.1:1', auth: { token: 'x' }, form });
  return {
    owner: `entente:${instance}`,
    writer: 'writer-1',
    revision,
    now: NOON,
    settings: splunk.settings(config, instance),
    facts: null,
  };
}

const upserts = (entries: readonly Entry[], ctx = context()): Batch => encodeBatch(splunk, entries, ctx).batch;
const removals = (entries: readonly Entry[], ctx = context()): Batch =>
  removalBatch(
    splunk,
    entries.map((entry) => entry.key),
    ctx,
  );
const addresses = (count: number): Entry[] =>
  Array.from({ length: count }, (_, i) => anEntry({ type: 'ipv6-addr', value: `2001:db8::${(i + 1).toString(16)}` }));

async function held(connector: SiemConnector, slots?: readonly string[]): Promise<OwnedEntry[]> {
  const rows: OwnedEntry[] = [];
  for await (const page of connector.list(slots === undefined ? {} : { slots }, never)) rows.push(...page);
  return rows;
}

async function errorOf(promise: Promise<unknown>): Promise<ConnectorError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConnectorError)) throw new Error(`expected a ConnectorError, got ${String(error)}`);
  return error;
}

/** As the engine does: obeys a split, and bisects what is permanent down to single changes. */
async function delivered(connector: SiemConnector, batch: Batch): Promise<Map<string, string>> {
  try {
    return new Map((await connector.apply(batch, never)).map((one) => [one.key, one.kind]));
  } catch (error) {
    if (!(error instanceof ConnectorError) || error.kind !== 'permanent') throw error;
    if (batch.size === 1) return new Map([[batch.changes[0]!.key, `parked: ${error.message}`]]);
    const step = Math.min(error.split?.maxItems ?? batch.size, Math.ceil(batch.size / 2));
    const all = new Map<string, string>();
    for (let at = 0; at < batch.size; at += step) {
      for (const [key, kind] of await delivered(connector, batch.slice(at, Math.min(at + step, batch.size))))
        all.set(key, kind);
    }
    return all;
  }
}

const rows = () => [...server.documents('entente', 'entente_ip').values()].filter((row) => 'entry_key' in row);
const requests = (part: string): number =>
  [...server.requests].reduce((sum, [name, times]) => sum + (name.includes(part) ? times : 0), 0);

describe('limits of the server', () => {
  it('tells the engine how many documents one batch may have, in the words of the server', async () => {
    const connector = await opened();
    server.state.settings.max_documents_per_batch_save = 200;

    const error = await errorOf(connector.apply(upserts(addresses(201)), never));

    expect(error.kind).toBe('permanent');
    expect(error.split).toEqual({ maxItems: 200 });
    expect(error.message).toContain('max_documents_per_batch_save=200');
    expect(new Set((await delivered(connector, upserts(addresses(450)))).values())).toEqual(new Set(['applied']));
    expect(rows()).toHaveLength(450);
  });

  it('tells the engine how large one batch may be', async () => {
    const connector = await opened();
    server.state.settings.max_size_per_batch_save_mb = 0.01;

    const error = await errorOf(connector.apply(upserts(addresses(50)), never));

    expect(error).toMatchObject({ kind: 'permanent', split: { maxBytes: 10_483 } });
  });

  it('parks the one row that is too large, with the reason of the server, and delivers the others', async () => {
    const connector = await opened();
    server.state.settings.max_size_per_batch_save_mb = 0.005;
    const long = anEntry({ type: 'url', value: `https://long.example/${'a'.repeat(8000)}` });
    const others = addresses(4);

    const outcome = await delivered(connector, upserts([...others.slice(0, 2), long, ...others.slice(2)]));

    expect(outcome.get(long.key)).toMatch(/^parked: .*max_size_per_batch_save_mb=0.005/);
    for (const entry of others) expect(outcome.get(entry.key)).toBe('applied');
  });

  it('holds a URL of 8 kB where the server takes it', async () => {
    const connector = await opened();
    const long = anEntry({ type: 'url', value: `https://long.example/${'a'.repeat(8000)}` });

    await connector.apply(upserts([long]), never);

    expect((await held(connector)).map((one) => one.key)).toEqual([long.key]);
  });

  it('lists everything though the server cuts its answers without a word', async () => {
    const connector = await opened();
    await connector.apply(upserts(addresses(60)), never);
    server.state.settings.max_rows_per_query = 7;
    const slots = rows().map((row) => String(row['_key']));

    expect(await held(connector)).toHaveLength(60);
    expect(await held(connector, slots)).toHaveLength(60);
  });

  it('removes in shorter queries where the server takes only short URLs', async () => {
    const connector = await opened();
    const entries = addresses(300);
    await connector.apply(upserts(entries), never);
    server.state.settings.maxUrlBytes = 2500;

    const outcomes = await connector.apply(removals(entries), never);

    expect(outcomes.map((one) => one.kind)).toEqual(entries.map(() => 'applied'));
    expect(rows()).toHaveLength(0);
  });

  it('repeats a batch of which the server had stored a part', async () => {
    const connector = await opened();
    const batch = upserts(addresses(10));
    server.state.settings.failBatchAfter = 4;

    const error = await errorOf(connector.apply(batch, never));
    const between = rows().length;
    server.state.settings.failBatchAfter = 0;
    await connector.apply(batch, never);

    expect(error).toMatchObject({ kind: 'retryable', uncertain: true });
    expect(between).toBe(4);
    expect(rows()).toHaveLength(10);
  });
});

describe('who we are', () => {
  it('logs in again when a session has ended, and goes on', async () => {
    const { username, password } = server;
    const connector = await opened({ auth: { username, password } });
    server.state.sessions.clear();

    const outcomes = await connector.apply(upserts(addresses(3)), never);

    expect(outcomes.map((one) => one.kind)).toEqual(['applied', 'applied', 'applied']);
    expect(requests('POST /services/auth/login 200')).toBe(2);
  });

  it('asks for a login once only when the password is no longer right', async () => {
    const { username, password } = server;
    const connector = await opened({ auth: { username, password } });
    server.state.sessions.clear();
    server.state.users.get(username)!.password = 'changed-meanwhile';

    const error = await errorOf(connector.apply(upserts(addresses(1)), never));

    expect(error.kind).toBe('config');
    expect(error.message).not.toContain(password);
    expect(requests('POST /services/auth/login 401')).toBe(1);
  });

  it('works with Basic credentials, without any login', async () => {
    const { username, password } = server;
    const connector = await opened({ auth: { username, password, login: 'basic' } });

    await connector.apply(upserts(addresses(1)), never);

    expect(rows()).toHaveLength(1);
    expect(requests('auth/login')).toBe(0);
  });

  it('stops at a revoked token, and uses the one that somebody put into its file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'entente-splunk-'));
    const file = join(folder, 'token');
    writeFileSync(file, `${server.token}\n`);
    const auth = { token: { file } } as unknown as SplunkPlace['auth'];
    const connector = await opened({ auth });

    for (const token of server.state.tokens.values()) token.status = 'disabled';
    const error = await errorOf(connector.apply(upserts(addresses(1)), never));
    writeFileSync(file, await newSession());
    const outcomes = await connector.apply(upserts(addresses(1)), never);

    expect(error).toMatchObject({ kind: 'config', status: 401, uncertain: false });
    expect(error.message).toContain('call not properly authenticated');
    expect(outcomes.map((one) => one.kind)).toEqual(['applied']);
    rmSync(folder, { recursive: true, force: true });
  });

  it('says days before that a token will end', async () => {
    const other = await startSplunk({ tokenExpiresInSecs: 5 * 86_400 });
    const said: string[] = [];
    const log = { error() {}, info() {}, debug() {}, warn: (text: string) => void said.push(text), child: () => log };
    const connector = connect({ url: other.url, auth: { token: other.token }, log });

    const probe = await connector.probe(never);
    await connector.open(never);

    expect(probe).toMatchObject({ ok: true, message: expect.stringContaining('the token expires on 20') });
    expect(said).toEqual(['The Splunk token ends soon; renew it.']);
    await other.close();
  });

  it('finds at the probe that an account may not write', async () => {
    await opened();

    const probe = await connect({ auth: { token: server.reader.token } }).probe(never);

    expect(probe).toMatchObject({ ok: false, failure: { kind: 'config' } });
    expect(probe.message).toContain('may not write');
  });

  it('finds at the probe that an account may not create the app', async () => {
    const probe = await connect({ auth: { token: server.reader.token } }).probe(never);

    expect(probe).toMatchObject({ ok: false, failure: { kind: 'config' } });
    expect(probe.message).toContain('content/splunk/entente');
  });

  it('trusts a certificate of the given authority', async () => {
    const tls = selfSigned();
    const folder = mkdtempSync(join(tmpdir(), 'entente-splunk-'));
    writeFileSync(join(folder, 'ca.pem'), tls.ca);
    const secure = await startSplunk({ tls: { cert: tls.cert, key: tls.key } });

    const place = { url: secure.url, auth: { token: secure.token }, tls: { ca_file: join(folder, 'ca.pem') } };
    const probe = await connect(place).probe(never);

    expect(probe, probe.message).toMatchObject({ ok: true });
    await secure.close();
    rmSync(folder, { recursive: true, force: true });
  });
});

describe('what is in the way', () => {
  it('waits for a KV store that starts, and nothing was done', async () => {
    const connector = await opened();
    server.state.settings.kvReadyAt = Date.now() + 60_000;

    const error = await errorOf(connector.apply(upserts(addresses(1)), never));
    const probe = await connector.probe(never);

    expect(error).toMatchObject({ kind: 'retryable', uncertain: false, status: 503 });
    expect(error.message).toContain('KV Store is initializing');
    expect(probe).toMatchObject({ ok: false, failure: { kind: 'retryable' } });
  });

  it('does not take a login page for a removal', async () => {
    const connector = await opened();
    const entries = addresses(3);
    await connector.apply(upserts(entries), never);
    server.setFaults([{ match: 'DELETE', action: 'html' }]);

    const error = await errorOf(connector.apply(removals(entries), never));

    expect(error.kind).toBe('config');
    expect(error.message).toContain('8089');
    expect(rows()).toHaveLength(3);
  });

  it('reads the reason out of an XML error as well', async () => {
    const connector = await opened();
    const body = '<response><messages><msg type="ERROR">Bad things happened</msg></messages></response>';
    server.setFaults([{ match: 'batch_save', action: 'status', status: 400, body }]);

    const error = await errorOf(connector.apply(upserts(addresses(2)), never));

    expect(error).toMatchObject({ kind: 'permanent', split: undefined });
    expect(error.message).toContain('Bad things happened');
  });

  it('creates nothing with provision: never, and says what to install', async () => {
    const connector = connect({ provision: 'never' });

    const error = await errorOf(connector.open(never));

    expect(error.kind).toBe('config');
    expect(error.message).toContain('install content/splunk/entente');
    expect([...server.state.apps.keys()]).not.toContain('entente');
  });

  it('says that Enterprise Security is missing', async () => {
    const plain = await startSplunk({ enterpriseSecurity: false });
    const connector = connect({ url: plain.url, auth: { token: plain.token }, form: 'threat_intel' });

    const error = await errorOf(connector.open(never));

    expect(error.kind).toBe('config');
    expect(error.message).toContain('DA-ESS-ThreatIntelligence');
    await plain.close();
  });
});

describe('what belongs to others', () => {
  it('keeps two daemons of different instances apart on the same values', async () => {
    const mons = await opened();
    const east = await opened({ instance: 'soc-east' });
    const entries = addresses(3);
    await mons.apply(upserts(entries), never);
    await east.apply(upserts(entries, context('soc-east')), never);

    await mons.apply(removals(entries), never);

    expect(await held(mons)).toEqual([]);
    expect(await held(east)).toHaveLength(3);
    expect(await mons.foreign?.(never)).toBe(3);
  });

  it('never deletes without a query, nor beyond its own mark', async () => {
    const connector = await opened();
    const entries = addresses(2);
    await connector.apply(upserts(entries), never);
    const table = server.state.collections.get('entente/entente_ip')!.documents.get('nobody')!;
    const stolen = [...table.values()].find((row) => row['entry_key'] === entries[0]!.key)!;
    table.set(String(stolen['_key']), { ...stolen, owner: 'an analyst took it over' });

    await connector.apply(removals(entries), never);
    await connector.apply(removals([]), never);

    expect(rows().map((row) => row['owner'])).toEqual(['an analyst took it over']);
  });

  it('does not widen the sharing that an administrator narrowed', async () => {
    const connector = await opened();
    server.state.lookups.get('entente/entente_ip')!.acl.read = ['soc'];

    await connector.open(never);

    expect(server.state.lookups.get('entente/entente_ip')!.acl.read).toEqual(['soc']);
  });

  it('creates again what an administrator deleted, and completes what is incomplete', async () => {
    const connector = await opened();
    server.state.lookups.delete('entente/entente_network');
    server.state.collections.get('entente/entente_ip')!.settings.delete('field.valid_until');

    await connector.open(never);

    expect(server.state.lookups.get('entente/entente_network')?.settings.get('match_type')).toBe('CIDR(network)');
    expect(server.state.collections.get('entente/entente_ip')!.settings.get('field.valid_until')).toBe('number');
  });

  it('sees that a collection was emptied, as that it was deleted', async () => {
    const connector = await opened();
    await connector.apply(upserts(addresses(2)), never);
    server.state.collections.get('entente/entente_ip')!.documents.clear();

    const names = (await connector.containers(never)).map((one) => one.name);

    expect(names).toContain('entente_url');
    expect(names).not.toContain('entente_ip');
  });
});

describe('searches', () => {
  async function search(spl: string): Promise<Record<string, string>[]> {
    const body = new URLSearchParams({ search: spl, exec_mode: 'oneshot', output_mode: 'json' });
    const answer = await fetch(`${server.url}/servicesNS/analyst/search/search/v2/jobs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.reader.token}` },
      body,
    });
    return ((await answer.json()) as { results: Record<string, string>[] }).results;
  }

  it('find what stands on the lists, for a plain user in another app', async () => {
    const connector = await opened();
    const entries = [
      anEntry({ value: '192.0.2.7' }),
      anEntry({ value: '198.51.100.0/24' }),
      anEntry({ type: 'domain-name', value: 'c2.example' }),
      anEntry({ type: "file:hashes.'SHA-256'", value: 'ab'.repeat(32) }),
    ];
    await connector.apply(upserts(entries), never);
    const now = Date.now() / 1000;
    const fields = { index: 'proxy', query: 'C2.example', file_hash: 'AB'.repeat(32) };
    server.state.events.push(
      { time: now, indexed: now, fields: { ...fields, dest_ip: '192.0.2.7' } },
      { time: now, indexed: now, fields: { index: 'proxy', dest_ip: '198.51.100.77', query: 'www.c2.example' } },
      { time: now, indexed: now, fields: { index: 'proxy', dest_ip: '203.0.113.1' } },
    );

    const hits = async (lookup: string) =>
      (
        await search(`search index=proxy earliest=-5m | lookup ${lookup} OUTPUT entry_key | where isnotnull(entry_key)`)
      ).map((row) => row['entry_key']);
    expect(await hits('entente_ip ip AS dest_ip')).toEqual([entries[0]!.key]);
    expect(await hits('entente_network network AS dest_ip')).toEqual([entries[1]!.key]);
    expect(await hits('entente_domain domain AS query')).toEqual([entries[2]!.key]);
    expect(await hits('entente_subdomain domain_pattern AS query')).toEqual([entries[2]!.key]);
    expect(await hits('entente_file file_hash')).toEqual([entries[3]!.key]);
  });
});

describe('the threat collections of Enterprise Security', () => {
  it('show our rows through their own endpoint, under our threat_key', async () => {
    const connector = await opened({ form: 'threat_intel' });
    await connector.apply(upserts([anEntry({ value: '192.0.2.7' })], context(INSTANCE, 'threat_intel')), never);

    const item = encodeURIComponent('{"ip":"192.0.2.7"}');
    const answer = await fetch(`${server.url}/services/data/threat_intel/item/ip_intel?item=${item}`, {
      headers: { authorization: `Bearer ${server.token}` },
    });

    expect(await answer.json()).toMatchObject({ status: true, message: [{ threat_key: `entente:${INSTANCE}` }] });
  });

  it('keep what is fed again within 60 days, and lose the rest with its marker', async () => {
    const connector = await opened({ form: 'threat_intel' });
    const table = server.state.collections.get(`${ES_APP}/email_intel`)!.documents.get('nobody')!;
    for (const row of table.values()) row['time'] = Date.now() / 1000 - 61 * 86_400;

    const gone = prune(server.state);

    expect(gone).toBe(1);
    expect((await connector.containers(never)).map((one) => one.name)).not.toContain('email_intel');
    expect(splunk.refreshAfterDays).toBeLessThan(60);
  });

  it('renews its markers long before they are too old', async () => {
    let now = Date.now();
    const clock = { now: () => now, monotonic: () => 0, sleep: async () => {} };
    const connector = await opened({ form: 'threat_intel', clock });
    const before = await connector.containers(never);
    now += 2 * DAY_MS;

    await connector.writer({ writer: 'w', boot: 'b', revision: 1, at: now }, never);

    const marker = [...server.documents(ES_APP, 'ip_intel').values()].find((row) => 'generation' in row);
    expect(marker?.['time']).toBe(now / 1000);
    expect(await connector.containers(never)).toEqual(before);
  });
});

it('answers a mixed batch over all collections once per key', async () => {
  const connector = await opened();
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

async function newSession(): Promise<string> {
  const body = new URLSearchParams({ username: server.username, password: server.password, output_mode: 'json' });
  const answer = await fetch(`${server.url}/services/auth/login`, { method: 'POST', body });
  return ((await answer.json()) as { sessionKey: string }).sessionKey;
}
