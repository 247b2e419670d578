// Who may ask, and how refusals look: statuses and texts are those that others measured on real servers.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { announcement, type RunningSplunk, startSplunk } from './index.ts';
import { ask, basic, said } from './testing.ts';

let server: RunningSplunk;
beforeEach(async () => {
  server = await startSplunk();
});
afterEach(() => server.close());

describe('credentials', () => {
  it('are challenged when none, or wrong Basic ones, are given', async () => {
    for (const as of ['', basic('admin', 'wrong')]) {
      const told = await ask(server, 'GET', '/services/server/info', { as });

      expect([told.status, ...said(told)]).toEqual([401, 'ERROR', 'Unauthorized']);
      expect(told.headers.get('www-authenticate')).toBe('Basic realm="/splunk"');
    }
  });

  it('are refused without a challenge when a token or session is not known', async () => {
    for (const as of ['Bearer nonsense', 'Splunk 0123456789abcdef']) {
      const told = await ask(server, 'GET', '/services/server/info', { as });

      expect([told.status, ...said(told)]).toEqual([401, 'WARN', 'call not properly authenticated']);
      expect(told.headers.get('www-authenticate')).toBeNull();
    }
  });

  it('come in XML as well', async () => {
    const told = await ask(server, 'GET', '/services/server/info', { as: 'Bearer nonsense', inJson: false });

    expect(told.text).toContain('<msg type="WARN">call not properly authenticated</msg>');
  });

  it('work as token, session, Basic and cookie', async () => {
    const { username, password } = server;
    const login = await ask(server, 'POST', '/services/auth/login', {
      as: '',
      form: { username, password, cookie: '1' },
    });
    const { sessionKey } = login.json<{ sessionKey: string }>();
    const [cookie = ''] = (login.headers.get('set-cookie') ?? '').split(';');

    for (const as of [
      `Bearer ${server.token}`,
      `Splunk ${sessionKey}`,
      `Bearer ${sessionKey}`,
      basic(username, password),
    ])
      expect((await ask(server, 'GET', '/services/server/info', { as })).status).toBe(200);
    expect(cookie).toMatch(/^splunkd_\d+=/);
    expect((await fetch(`${server.url}/services/server/info`, { headers: { cookie } })).status).toBe(200);
  });

  it('tell a wrong password from a missing one', async () => {
    const wrong = await ask(server, 'POST', '/services/auth/login', { form: { username: 'admin', password: 'x' } });
    const missing = await ask(server, 'POST', '/services/auth/login', { form: { username: 'admin' } });

    expect(wrong.status).toBe(401);
    expect(wrong.json()).toEqual({
      messages: [{ type: 'WARN', code: 'incorrect_username_or_password', text: 'Login failed' }],
    });
    expect(missing.status).toBe(400);
    expect(missing.json()).toEqual({ messages: [{ type: 'WARN', text: 'Login failed' }] });
  });

  it('end with the idle time-out of a session, and with the life of a token', async () => {
    let now = Date.now();
    const clock = { now: () => now, monotonic: () => 0, sleep: async () => {} };
    const other = await startSplunk({ clock, tokenExpiresInSecs: 7200 });
    const form = { username: other.username, password: other.password };
    const { sessionKey } = (await ask(other, 'POST', '/services/auth/login', { form })).json<{ sessionKey: string }>();
    const status = async (as: string) => (await ask(other, 'GET', '/services/server/info', { as })).status;

    now += 3_500_000;
    expect(await status(`Splunk ${sessionKey}`)).toBe(200);
    now += 3_601_000;
    expect(await status(`Splunk ${sessionKey}`)).toBe(401);
    now += 200_000;
    expect(await status(`Bearer ${other.token}`)).toBe(401);
    await other.close();
  });
});

describe('several search heads behind one address', () => {
  const login = async () => {
    const { username, password } = server;
    const told = await ask(server, 'POST', '/services/auth/login', { as: '', form: { username, password } });
    return { as: `Splunk ${told.json<{ sessionKey: string }>().sessionKey}`, cookie: told.headers.get('set-cookie') };
  };
  const statuses = async (headers: Record<string, string>) => {
    const seen: number[] = [];
    for (let n = 0; n < 4; n++) seen.push((await fetch(`${server.url}/services/server/info`, { headers })).status);
    return seen;
  };

  it('know their own sessions only, and a balancer keeps whoever brings its cookie back', async () => {
    server.state.settings.searchHeads = 2;
    const { as, cookie } = await login();

    expect(cookie).toMatch(/^LBSTICK=\d/);
    expect((await statuses({ authorization: as })).sort((a, b) => a - b)).toEqual([200, 200, 401, 401]);
    expect(await statuses({ authorization: as, cookie: cookie!.split(';')[0]! })).toEqual([200, 200, 200, 200]);
    expect(await statuses({ authorization: `Bearer ${server.token}` })).toEqual([200, 200, 200, 200]);
  });

  it('spread everybody where the balancer has no cookie', async () => {
    Object.assign(server.state.settings, { searchHeads: 2, balancerCookie: '' });
    const { as, cookie } = await login();

    expect(cookie).toBeNull();
    expect(await statuses({ authorization: as })).toContain(401);
  });
});

describe('tokens', () => {
  it('are made once with their claims, disabled and deleted', async () => {
    const path = '/services/authorization/tokens';
    const made = await ask(server, 'POST', path, { form: { name: 'admin', audience: 'test', expires_on: '+90d' } });
    const { id, token } = made.json<{ entry: { content: { id: string; token: string } }[] }>().entry[0]!.content;
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as {
      exp: number;
      iat: number;
    };

    expect(claims.exp - claims.iat).toBe(90 * 86_400);
    expect((await ask(server, 'GET', path)).text).not.toContain(token);
    const disabled = await ask(server, 'POST', `${path}/admin`, { form: { id, status: 'disabled' } });
    expect(said(disabled)).toEqual(['INFO', 'Token(s) updated to status: disabled.']);
    expect((await ask(server, 'GET', path, { as: `Bearer ${token}` })).status).toBe(401);
    expect((await ask(server, 'DELETE', `${path}/admin`, { query: { id } })).status).toBe(200);
  });
});

describe('refusals', () => {
  const CASES: readonly (readonly [string, string, string, number, string])[] = [
    ['an unknown path', 'GET', '/services/no/such', 404, 'Not Found'],
    ['an unknown path below search', 'GET', '/services/search/no', 404, 'Unknown endpoint.'],
    ['an unknown entity', 'GET', '/servicesNS/nobody/search/storage/collections/config/none', 404, 'id=none'],
    [
      'a POST without a name',
      'POST',
      '/servicesNS/nobody/search/storage/collections/config',
      400,
      'without a target name',
    ],
    ['collections of another owner', 'GET', '/servicesNS/admin/search/storage/collections/config', 400, 'nobody'],
  ];
  it.each(CASES)('of %s', async (_, method, path, status, text) => {
    const told = await ask(server, method, path, method === 'POST' ? { form: {} } : {});

    expect(told.status).toBe(status);
    expect(said(told)[1]).toContain(text);
  });

  it('name the missing capability', async () => {
    const as = `Bearer ${server.reader.token}`;
    const told = await ask(server, 'POST', '/services/apps/local', { as, form: { name: 'x' } });

    expect(told.status).toBe(403);
    expect(said(told)[1]).toBe(
      'You (user=analyst) do not have permission to perform this operation (requires capability: edit_local_apps).',
    );
  });

  it('count URLs that are too long', async () => {
    const told = await ask(server, 'GET', '/services/server/info', { query: { f: 'x'.repeat(70_000) } });

    expect(told.status).toBe(414);
  });
});

it('lists entities in pages of thirty, or as asked', async () => {
  const path = '/servicesNS/nobody/search/storage/collections/config';
  for (let i = 0; i < 32; i += 1) await ask(server, 'POST', path, { form: { name: `c${i}` } });
  const sizes = async (query: Record<string, string>) =>
    (await ask(server, 'GET', path, { query })).json<{ entry: unknown[]; paging: unknown }>();

  expect((await sizes({})).entry).toHaveLength(30);
  expect((await sizes({})).paging).toEqual({ total: 32, perPage: 30, offset: 0 });
  expect((await sizes({ count: '0' })).entry).toHaveLength(32);
  expect((await sizes({ count: '5', offset: '30' })).entry).toHaveLength(2);
});

it('tells version, limits and state of the KV store', async () => {
  const old = await startSplunk({ version: '9.0.4' });
  const limits = async (one: RunningSplunk) =>
    (await ask(one, 'GET', '/servicesNS/nobody/system/configs/conf-limits/kvstore')).text;

  expect((await ask(old, 'GET', '/services/server/info')).text).toContain('"version":"9.0.4"');
  expect(await limits(old)).toContain('"max_documents_per_batch_save":"1000"');
  expect(await limits(server)).toContain('"max_documents_per_batch_save":"50000"');
  old.state.settings.kvReadyAt = Date.now() + 60_000;
  expect((await ask(old, 'GET', '/services/kvstore/status')).text).toContain('"status":"starting"');
  const told = await ask(old, 'GET', '/servicesNS/nobody/search/storage/collections/config');
  expect([told.status, said(told)[1]]).toEqual([503, 'KV Store is initializing. Please try again later.']);
  await old.close();
});

it('turns moods by its back door', async () => {
  const door = (name: string, body: unknown) =>
    fetch(`${server.url}/_sim/${name}`, { method: 'POST', body: JSON.stringify(body) });

  await door('settings', { max_documents_per_batch_save: 7 });
  await door('events', [{ time: '2026-11-23T10:00:00Z', fields: { index: 'proxy' } }]);
  await door('revoke-tokens', {});
  const state = (await (await fetch(`${server.url}/_sim/state`)).json()) as { state: Record<string, unknown> };

  expect(state.state).toMatchObject({ events: 1, settings: { max_documents_per_batch_save: 7 } });
  expect((await ask(server, 'GET', '/services/server/info')).status).toBe(401);
});

it('announces itself in one line', () => {
  expect(Object.keys(JSON.parse(announcement(server)) as object)).toEqual([
    'kind',
    'url',
    'username',
    'password',
    'token',
  ]);
});
