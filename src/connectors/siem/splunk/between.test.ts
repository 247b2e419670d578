// What stands between us and Splunk: balancers that spread clients over search heads, firewalls, ingresses, proxies.
// Their word is not Splunk's.
import { describe, expect, it } from 'vitest';
import { anEntry } from '../../../../test/builders/entry.ts';
import {
  addresses,
  delivered,
  errorOf,
  held,
  never,
  removals,
  SplunkRig,
  upserts,
} from '../../../../test/builders/splunk-rig.ts';
import { startFaultProxy } from '../../../../test/contract/fault-proxy.ts';
import type { Fault } from '../../../simulators/server.ts';
import { CookieJar } from './cookies.ts';

const rig = new SplunkRig();
const page = (status: number, match: string, more: Partial<Fault> = {}): Fault => ({
  match,
  action: 'status',
  status,
  headers: { 'content-type': 'text/html' },
  body: '<!DOCTYPE html><html><title>Request Rejected</title><body>Support ID 17</body></html>',
  ...more,
});

describe('two search heads behind a balancer', () => {
  const login = () => ({ username: rig.server.username, password: rig.server.password });

  it('are one to us while its cookie is kept, also for calls at the same time and after a session ended', async () => {
    rig.server.state.settings.searchHeads = 2;
    const connector = rig.connect({ auth: login() });
    await Promise.all([connector.probe(never), connector.probe(never)]);
    await connector.open(never);
    for (let n = 0; n < 3; n++) await Promise.all([held(connector), connector.apply(upserts(addresses(3)), never)]);
    rig.server.state.sessions.clear();

    await Promise.all([held(connector), connector.apply(upserts(addresses(5)), never)]);

    expect(rig.rows()).toHaveLength(5);
    // One at the start, one for the session that ended.
    expect(rig.requests('POST /services/auth/login 200')).toBe(2);
  });

  it('are named as the cause where there is no cookie', async () => {
    Object.assign(rig.server.state.settings, { searchHeads: 2, balancerCookie: '' });

    const error = await errorOf(rig.connect({ auth: login() }).open(never));

    expect(error).toMatchObject({ kind: 'config', code: 'session_unknown' });
    expect(error.message).toContain('another search head answers');
    expect(error.message).not.toContain('renew the token or password');
  });

  it('do not matter to a token', async () => {
    Object.assign(rig.server.state.settings, { searchHeads: 2, balancerCookie: '' });
    const connector = await rig.opened();

    await connector.apply(upserts(addresses(2)), never);

    expect(await held(connector)).toHaveLength(2);
  });
});

describe('cookies', () => {
  it('are kept by name, dropped when they end, and those of a session are not', () => {
    const jar = new CookieJar();
    expect(jar.header()).toBeUndefined();

    jar.keep(
      'LBSTICK=A; Path=/; Expires=Wed, 21 Oct 2037 07:28:00 GMT, splunkd_8089=secret; Secure, route=r=1; HttpOnly',
    );
    expect(jar.header()).toBe('LBSTICK=A; route=r=1');
    jar.keep('LBSTICK=B');
    jar.keep('route=; Max-Age=0');
    expect(jar.header()).toBe('LBSTICK=B');
    jar.clear();
    expect(jar.header()).toBeUndefined();
  });
});

describe('a web page instead of an answer', () => {
  it('with 403 to a write is about one value: it is parked, and the others stand', async () => {
    const connector = await rig.opened();
    const [bad, ...good] = ['/?f=../../etc/passwd', '/a', '/b'].map((path) =>
      anEntry({ type: 'url', value: `https://listed.example${path}` }),
    );
    rig.server.setFaults([page(403, 'POST', { holds: 'etc/passwd' })]);

    const error = await errorOf(connector.apply(upserts([...good, bad!]), never));
    const outcome = await delivered(connector, upserts([...good, bad!]));

    expect(error).toMatchObject({ kind: 'permanent', code: 'between_403', uncertain: false });
    expect(outcome.get(bad!.key)).toMatch(/refused by something in between \(403, a web page\)/);
    for (const { key } of good) expect(outcome.get(key)).toBe('applied');
    expect((await held(connector)).map((one) => one.key).sort()).toEqual(good.map((one) => one.key).sort());
  });

  it("with 403 in Splunk's own words is a matter of rights", async () => {
    const connector = await rig.opened();
    const body =
      '{"messages":[{"type":"ERROR","text":"You (user=u) do not have permission to perform this operation"}]}';
    rig.server.setFaults([{ match: 'batch_save', action: 'status', status: 403, body }]);

    const error = await errorOf(connector.apply(upserts(addresses(2)), never));

    expect(error).toMatchObject({ kind: 'config', code: 'http_403' });
    expect(error.message).toContain('give the account the rights');
  });

  it.each([
    [405, 'config', 'http_405_page'],
    [404, 'config', 'http_404_page'],
    [503, 'retryable', 'http_503_page'],
    [502, 'retryable', 'http_502_page'],
  ] as const)('with %i is said as that, and divides no batch', async (status, kind, code) => {
    const connector = await rig.opened();
    const entries = addresses(4);
    await connector.apply(upserts(entries), never);
    for (const [match, batch] of [
      ['batch_save', upserts(entries)],
      ['DELETE', removals(entries)],
    ] as const) {
      rig.server.setFaults([page(status, match)]);

      const error = await errorOf(connector.apply(batch, never));

      expect(error).toMatchObject({ kind, code, status });
      expect(error.message).toContain(`refused by something in between (${status}, a web page)`);
      expect(error.message).not.toContain('created again');
    }
  });

  it('asks to wait, and is obeyed by the engine', async () => {
    const connector = await rig.opened();
    rig.server.setFaults([
      page(503, 'batch_save', { headers: { 'retry-after': '86400', 'content-type': 'text/html' } }),
    ]);

    expect(await errorOf(connector.apply(upserts(addresses(1)), never))).toMatchObject({ retryAfterMs: 86_400_000 });
    rig.server.setFaults([page(503, 'batch_save', { headers: { 'retry-after': '-5', 'content-type': 'text/html' } })]);
    expect((await errorOf(connector.apply(upserts(addresses(1)), never))).retryAfterMs).toBeUndefined();
  });

  it('with 404 is no missing collection: nothing is created, and nothing concluded', async () => {
    const connector = await rig.opened();
    await connector.apply(upserts(addresses(2)), never);
    const created = rig.requests('POST storage/collections/config');
    rig.server.setFaults([page(404, '/storage/collections/')]);

    expect(await errorOf(held(connector))).toMatchObject({ code: 'http_404_page' });
    expect(await errorOf(held(connector, ['x'.repeat(50)]).then(() => connector.containers(never)))).toMatchObject({
      code: 'http_404_page',
    });
    expect(await errorOf(connector.open(never))).toMatchObject({ code: 'http_404_page' });
    expect(rig.requests('POST storage/collections/config')).toBe(created);
  });
});

it('a proxy that asks with 401 and a page for a login of its own is not taken for a second search head', async () => {
  const { username, password } = rig.server;
  rig.server.setFaults([page(401, 'GET')]);

  const error = await errorOf(rig.connect({ auth: { username, password } }).open(never));

  expect(error).toMatchObject({ kind: 'config', code: 'http_401_page' });
  expect(error.message).not.toContain('another search head answers');
});

describe('an answer that is not in the words of Splunk', () => {
  const GATEWAYS = [
    ['empty', ''],
    ['of a gateway', '{"message":"no Route matched with those values"}'],
    ['of a framework', '{"status":404,"error":"Not Found","path":"/x"}'],
  ] as const;

  it.each(GATEWAYS)('with 404 and %s concludes nothing: no row is gone, no collection is missing', async (_, body) => {
    const connector = await rig.opened();
    const batch = upserts(addresses(2));
    await connector.apply(batch, never);
    const slots = batch.changes.map(({ slot }) => slot);
    rig.server.setFaults([{ match: '/storage/collections/', action: 'status', status: 404, body }]);

    for (const work of [() => held(connector), () => held(connector, slots), () => connector.containers(never)]) {
      const error = await errorOf(work());
      expect(error).toMatchObject({ kind: 'config', code: 'http_404_page' });
      expect(error.message).toContain('refused by something in between (404, not in the words of the product)');
    }
  });

  it('with 403 and the JSON of a firewall is about one value, and with 403 and nothing a matter of rights', async () => {
    const connector = await rig.opened();
    const answers = (body: string): Fault => ({ match: 'batch_save', action: 'status', status: 403, body });
    rig.server.setFaults([answers('{"message":"Forbidden"}')]);
    expect(await errorOf(connector.apply(upserts(addresses(2)), never))).toMatchObject({
      kind: 'permanent',
      code: 'between_403',
    });

    rig.server.setFaults([answers('')]);
    expect(await errorOf(connector.apply(upserts(addresses(2)), never))).toMatchObject({
      kind: 'config',
      code: 'http_403',
    });
  });

  it('with 200 and the page of a firewall is about one value, a login page is not', async () => {
    const connector = await rig.opened();
    rig.server.setFaults([page(200, 'batch_save')]);
    expect(await errorOf(connector.apply(upserts(addresses(2)), never))).toMatchObject({
      kind: 'permanent',
      code: 'between_200',
      uncertain: false,
    });

    rig.server.setFaults([{ match: 'batch_save', action: 'html' }]);
    expect(await errorOf(connector.apply(upserts(addresses(2)), never))).toMatchObject({ kind: 'config' });
  });

  it.each([
    [200, '{}'],
    [200, 'null'],
    [200, '{"messages":[{"type":"ERROR","text":"KV Store is initializing. Please try again later."}]}'],
    [202, ''],
    [204, ''],
  ])('with %i and %j to a removal is not believed while the rows stand there', async (status, body) => {
    const connector = await rig.opened();
    const entries = addresses(2);
    await connector.apply(upserts(entries), never);
    rig.server.setFaults([{ match: 'DELETE', action: 'status', status, body }]);

    const error = await errorOf(connector.apply(removals(entries), never));

    expect(error).toMatchObject({ kind: 'config', code: 'strange_answer', uncertain: true });
    expect(error.message).toContain('2 of them stand there still');
    expect(rig.rows()).toHaveLength(2);
  });

  it('to a removal that took place all the same is no failure', async () => {
    const connector = await rig.opened();
    const entries = addresses(2);
    rig.server.setFaults([{ match: 'DELETE', action: 'status', status: 200, body: '{}' }]);

    expect((await connector.apply(removals(entries), never)).map(({ kind }) => kind)).toEqual(['applied', 'applied']);
  });

  it.each(['{}', '{"status":"ok"}', 'null'])(
    'with 200 and %j is the fault of whoever gave it: nothing is marked anew, no mark is missing',
    async (body) => {
      const connector = await rig.opened();
      const before = await connector.containers(never);
      await connector.writer({ writer: 'w', boot: 'b', revision: 1, at: 1 }, never);
      rig.server.setFaults([{ match: 'GET /servicesNS/nobody/entente/storage/', action: 'status', status: 200, body }]);

      for (const work of [
        () => held(connector),
        () => connector.containers(never),
        () => connector.writer(undefined, never),
      ]) {
        const error = await errorOf(work());
        expect(error).toMatchObject({ kind: 'config', code: 'strange_answer', uncertain: true });
        expect(error.message).toContain('look at what stands between');
      }
      rig.server.setFaults([]);
      expect(await connector.containers(never)).toEqual(before);
    },
  );
});

it('a refusal with the request in it shows nothing of our credentials', async () => {
  const { token, username, password } = rig.server;
  const echo = (text: string) => JSON.stringify({ messages: [{ type: 'ERROR', text: `no ${text}, sorry` }] });
  const refused = (match: string, text: string): Fault => ({ match, action: 'status', status: 403, body: echo(text) });

  rig.server.setFaults([refused('', `Bearer ${token}`)]);
  const byToken = await errorOf(rig.connect().open(never));
  rig.server.setFaults([refused('auth/login', `username=${username}&password=${password}`)]);
  const byLogin = await errorOf(rig.connect({ auth: { username, password } }).open(never));
  rig.server.setFaults([refused('', `${username}:${password}`)]);
  const byBasic = await errorOf(rig.connect({ auth: { username, password, login: 'basic' } }).open(never));

  expect(byToken.message).toContain('no Bearer [redacted], sorry');
  expect(byToken.message).not.toContain(token);
  for (const error of [byLogin, byBasic]) {
    expect(error.message).toContain('[redacted], sorry');
    expect(error.message).not.toContain(password);
  }
});

it('a gateway that has Splunk under a path of its own is asked there, and nothing else of that host', async () => {
  const { url, token, username, password } = rig.server;
  const elsewhere: string[] = [];
  const gateway = await startFaultProxy(url, (request) => {
    if (!request.path.startsWith('/siem/')) elsewhere.push(request.path);
    Reflect.set(request, 'path', request.path.replace(/^\/siem/, ''));
  });
  try {
    for (const [path, auth] of [
      ['/siem', { token }],
      ['/siem/', { username, password }],
      ['/siem/services', { token }],
    ] as const) {
      const connector = await rig.opened({ url: `${gateway.url}${path}`, auth });
      expect((await connector.apply(upserts(addresses(1)), never))[0], path).toMatchObject({ kind: 'applied' });
    }
    expect(elsewhere).toEqual([]);
  } finally {
    await gateway.close();
  }
});
