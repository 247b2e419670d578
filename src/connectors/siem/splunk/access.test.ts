// Who we are to Splunk: sessions that end, tokens that are revoked or renewed, rights that are missing, certificates.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addresses, errorOf, never, SplunkRig, upserts } from '../../../../test/builders/splunk-rig.ts';
import type { SplunkPlace } from '../../../../test/contract/splunk-harness.ts';
import { startSplunk } from '../../../simulators/splunk/index.ts';
import { selfSigned } from '../../../simulators/tls.ts';

const rig = new SplunkRig();

describe('who we are', () => {
  it('logs in again when a session has ended, and goes on', async () => {
    const { username, password } = rig.server;
    const connector = await rig.opened({ auth: { username, password } });
    rig.server.state.sessions.clear();

    const outcomes = await connector.apply(upserts(addresses(3)), never);

    expect(outcomes.map((one) => one.kind)).toEqual(['applied', 'applied', 'applied']);
    expect(rig.requests('POST /services/auth/login 200')).toBe(2);
  });

  it('asks for a login once only when the password is no longer right', async () => {
    const { username, password } = rig.server;
    const connector = await rig.opened({ auth: { username, password } });
    rig.server.state.sessions.clear();
    rig.server.state.users.get(username)!.password = 'changed-meanwhile';

    const error = await errorOf(connector.apply(upserts(addresses(1)), never));

    expect(error.kind).toBe('config');
    expect(error.message).not.toContain(password);
    expect(rig.requests('POST /services/auth/login 401')).toBe(1);
  });

  it('works with Basic credentials, without any login', async () => {
    const { username, password } = rig.server;
    const connector = await rig.opened({ auth: { username, password, login: 'basic' } });

    await connector.apply(upserts(addresses(1)), never);

    expect(rig.rows()).toHaveLength(1);
    expect(rig.requests('auth/login')).toBe(0);
  });

  it('stops at a revoked token, and uses the one that somebody put into its file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'entente-splunk-'));
    const file = join(folder, 'token');
    writeFileSync(file, `${rig.server.token}\n`);
    const auth = { token: { file } } as unknown as SplunkPlace['auth'];
    const connector = await rig.opened({ auth });

    for (const token of rig.server.state.tokens.values()) token.status = 'disabled';
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
    const connector = rig.connect({ url: other.url, auth: { token: other.token }, log });

    const probe = await connector.probe(never);
    await connector.open(never);

    expect(probe).toMatchObject({ ok: true, message: expect.stringContaining('the token expires on 20') });
    expect(said).toEqual(['The Splunk token ends soon; renew it.']);
    await other.close();
  });

  it('finds at the probe that an account may not write', async () => {
    await rig.opened();

    const probe = await rig.connect({ auth: { token: rig.server.reader.token } }).probe(never);

    expect(probe).toMatchObject({ ok: false, failure: { kind: 'config' } });
    expect(probe.message).toContain('may not write');
  });

  it('finds at the probe that an account may not create the app', async () => {
    const probe = await rig.connect({ auth: { token: rig.server.reader.token } }).probe(never);

    expect(probe).toMatchObject({ ok: false, failure: { kind: 'config' } });
    expect(probe.message).toContain('content/splunk/entente');
  });

  it('trusts a certificate of the given authority', async () => {
    const tls = selfSigned();
    const folder = mkdtempSync(join(tmpdir(), 'entente-splunk-'));
    writeFileSync(join(folder, 'ca.pem'), tls.ca);
    const secure = await startSplunk({ tls: { cert: tls.cert, key: tls.key } });

    const place = { url: secure.url, auth: { token: secure.token }, tls: { ca_file: join(folder, 'ca.pem') } };
    const probe = await rig.connect(place).probe(never);

    expect(probe, probe.message).toMatchObject({ ok: true });
    await secure.close();
    rmSync(folder, { recursive: true, force: true });
  });
});

async function newSession(): Promise<string> {
  const body = new URLSearchParams({
    username: rig.server.username,
    password: rig.server.password,
    output_mode: 'json',
  });
  const answer = await fetch(`${rig.server.url}/services/auth/login`, { method: 'POST', body });
  return ((await answer.json()) as { sessionKey: string }).sessionKey;
}
