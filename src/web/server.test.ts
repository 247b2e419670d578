import { connect, type Socket } from 'node:net';
import http from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { StatusReport } from '../core/model/status.ts';
import { Secret } from '../core/runtime/secret.ts';
import { startWeb, type WebOptions, type WebServer, type WebSource } from './server.ts';

const status: StatusReport = {
  instance: 'soc-one',
  version: '1.2.3',
  state: 'ok',
  since: '2026-01-01T00:00:00.000Z',
  reasons: [],
  exchanges: [],
  siems: [],
  never_block: [],
  sweeps: [],
  sightings: { hits: 0, held: 0, denied: 0, queued: 0, sent: 0, failed: 0 },
};

let web: WebServer | undefined;
afterEach(async () => {
  await web?.close();
  web = undefined;
});

async function aServer(source: Partial<WebSource> = {}, options: Partial<WebOptions> = {}): Promise<WebServer> {
  web = await startWeb(
    { host: '127.0.0.1', port: 0, loopback: true, hosts: [], ...options },
    {
      status: async () => status,
      ready: () => true,
      live: () => true,
      metrics: async () => 'entente_x 1\n',
      ...source,
    },
  );
  return web;
}

function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number; headers: http.IncomingHttpHeaders; body: string }>((resolve, reject) => {
    const request = http.request(
      `http://127.0.0.1:${web?.port}${path}`,
      { method, headers, agent: false },
      (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString('utf8');
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      },
    );
    request.on('error', reject);
    request.end();
  });
}

describe('the web server', () => {
  it('answers every path of the interface', async () => {
    await aServer();

    expect((await get('/livez')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(200);
    expect(JSON.parse((await get('/health')).body)).toEqual({ state: 'ok', reasons: [] });
    expect(JSON.parse((await get('/status')).body)).toEqual(status);
    expect((await get('/metrics')).body).toBe('entente_x 1\n');
    expect((await get('/')).headers['content-type']).toBe('text/html; charset=utf-8');
    expect((await get('/nothing')).status).toBe(404);
  });

  it('is alive but not ready while it starts, and not alive when loops stand still', async () => {
    await aServer({ ready: () => false });
    expect([(await get('/livez')).status, (await get('/readyz')).status]).toEqual([200, 503]);
    await web?.close();

    await aServer({ live: () => false });
    expect((await get('/livez')).status).toBe(503);
  });

  it('says 503 with the reasons only while something is failing', async () => {
    await aServer({ status: async () => ({ ...status, state: 'failing', reasons: ['SIEM watch: 401'] }) });
    const failing = await get('/health');
    await web?.close();
    await aServer({ status: async () => ({ ...status, state: 'recovering', reasons: ['SIEM watch: refused'] }) });

    expect([failing.status, JSON.parse(failing.body)]).toEqual([
      503,
      { state: 'failing', reasons: ['SIEM watch: 401'] },
    ]);
    expect((await get('/health')).status).toBe(200);
  });

  it('refuses a foreign Host, as a rebound name would send it', async () => {
    await aServer({}, { hosts: ['entente.example'] });

    expect((await get('/status', { host: 'evil.example' })).status).toBe(421);
    expect((await get('/status', { host: '127.0.0.1.evil.example' })).status).toBe(421);
    expect((await get('/status', { host: 'localhost:9' })).status).toBe(200);
    expect((await get('/status', { host: 'Entente.example' })).status).toBe(200);
  });

  it('asks for the token beyond loopback, but not for the two probes', async () => {
    await aServer({}, { loopback: false, token: Secret.of('t0ken') });

    expect((await get('/livez')).status).toBe(200);
    expect((await get('/status')).status).toBe(401);
    expect((await get('/status', { authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await get('/status', { authorization: 'Bearer t0ken' })).status).toBe(200);
  });

  it('lets a browser in beyond loopback by a form, whose cookie is strict and no longer holds with another token', async () => {
    const token = Secret.of('t0ken');
    await aServer({}, { loopback: false, token });
    const post = (body: string, headers: Record<string, string> = {}) =>
      fetch(`http://127.0.0.1:${web?.port}/sign-in`, { method: 'POST', body, headers, redirect: 'manual' });
    const form = 'application/x-www-form-urlencoded';

    const first = await get('/');
    expect(first.status).toBe(401);
    expect(first.body).toMatch(/<form method="post" action="\/sign-in">[\s\S]*type="password" name="token"/);
    expect(first.headers['content-security-policy']).toContain("form-action 'self'");
    expect((await post('token=wrong', { 'content-type': form })).status).toBe(401);
    expect((await post('token=t0ken', { origin: 'https://evil.example' })).status).toBe(403);
    expect((await post('token=t0ken', { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await post(`token=${'x'.repeat(5000)}`)).status).toBe(413);

    const good = await post('token=t0ken', { 'content-type': form, origin: `http://127.0.0.1:${web?.port}` });
    const cookie = good.headers.get('set-cookie') ?? '';

    expect([good.status, good.headers.get('location')]).toEqual([303, '/']);
    expect(cookie).toMatch(/^entente=\S+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain('t0ken');
    expect((await post('token=t0ken', { 'x-forwarded-proto': 'https' })).headers.get('set-cookie')).toContain(
      '; Secure',
    );
    const pair = cookie.split(';')[0]!;
    expect((await get('/', { cookie: `other=1; ${pair}` })).body).toContain('<h1>soc-one');
    expect((await get('/status', { cookie: pair })).status).toBe(200);
    const later = pair.replace(/\d(?=\.)/, (digit) => String((Number(digit) + 1) % 10));
    for (const bad of [later, `${pair.slice(0, -1)}x`, 'entente=1.2', 'entente='])
      expect((await get('/status', { cookie: bad })).status).toBe(401);

    await web?.close();
    await aServer({}, { loopback: false, token: Secret.of('another') });
    expect((await get('/status', { cookie: pair })).status).toBe(401);
  });

  it('takes no form on loopback, where none is needed', async () => {
    await aServer();
    expect((await get('/sign-in', {}, 'POST')).status).toBe(405);
  });

  it('shows a page that stays as it is until the reader asks again, and fits a phone', async () => {
    await aServer();
    const { body } = await get('/');
    const style = await get('/style.css');

    // Without script it is whole; what there is of it is a file of ours.
    expect(body).not.toMatch(
      /http-equiv|<style|<script(?! type="module" src="\/client\.js"><\/script>)| on[a-z]+=| style=/i,
    );
    expect(body).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">');
    expect(body).toMatch(/As of <time datetime="\d{4}-/);
    expect(style).toMatchObject({ status: 200, headers: { 'content-type': 'text/css; charset=utf-8' } });
    expect(style.body).toContain('@media (max-width: 48rem)');
  });

  it('does not start beyond loopback without a token', async () => {
    await expect(aServer({}, { loopback: false })).rejects.toThrow('token');
  });

  it('only reads', async () => {
    await aServer();

    const posted = await get('/status', {}, 'POST');
    const head = await get('/status', {}, 'HEAD');

    expect([posted.status, posted.headers.allow]).toEqual([405, 'GET, HEAD']);
    expect([head.status, head.body]).toEqual([200, '']);
  });

  it('sends security headers with every answer', async () => {
    await aServer();

    for (const path of ['/', '/status', '/nothing']) {
      const { headers } = await get(path);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'cache-control': 'no-store',
      });
      expect(headers['content-security-policy']).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      );
      expect(headers['referrer-policy']).toBe('no-referrer');
      expect(headers['set-cookie']).toBeUndefined();
    }
  });

  it('shows what partners and products say as text, never as markup', async () => {
    const nasty = '<script>alert("x")</script>&\'';
    const peer = {
      name: nasty,
      type: nasty,
      state: 'failing',
      since: '',
      reason: nasty,
      next_action: nasty,
      last_success: null,
      last_failure: null,
      next_attempt: null,
    } as const;
    const counts = {
      wanted: 1,
      delivered: 1,
      pending: 0,
      parked: 0,
      kept_out: 0,
      held: 0,
      rejected: 0,
      oldest_pending_secs: 0,
      secs_left: null,
      drift: 0,
    };
    await aServer({
      status: async () => ({
        ...status,
        instance: nasty,
        reasons: [nasty],
        siems: [{ ...peer, ...counts, hits: { state: 'ok', reason: null } }],
      }),
    });

    const { body } = await get('/');

    expect(body).not.toContain('<script>');
    expect(body).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;');
  });

  it('answers 500 when the status cannot be made, and goes on', async () => {
    await aServer({ status: () => Promise.reject(new Error('store is closed')) });

    expect((await get('/status')).status).toBe(500);
    expect((await get('/livez')).status).toBe(200);
  });
});

describe('connections of others', () => {
  it('are so many at once, and no more', async () => {
    const { port } = await aServer();
    const open = Array.from({ length: 130 }, () => connect(port, '127.0.0.1'));
    let left = open.length;
    const gone = new Promise<void>((resolve) => {
      for (const socket of open)
        socket
          .on('error', () => {})
          .on('close', () => {
            if (--left === 100) resolve();
          });
    });

    await gone;
    expect((await get('/livez')).status).toBe(200);
    for (const socket of open) socket.destroy();
  });

  it('keep no probe from its answer, idle or slow, though they are renewed all the time', async () => {
    const { port } = await aServer();
    const open = new Set<Socket>();
    let stopped = false;
    const hold = (): void => {
      if (stopped) return;
      const socket = connect(port, '127.0.0.1');
      open.add(socket);
      // One in two says a little and never comes to the end of it.
      if (open.size % 2 === 0) socket.write('GET /livez HTTP/1.1\r\nHost: local');
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        hold();
      });
    };
    for (let i = 0; i < 120; i++) hold();

    try {
      for (let i = 0; i < 20; i++) {
        const asked = performance.now();
        expect((await get('/livez')).status).toBe(200);
        expect(performance.now() - asked).toBeLessThan(500);
      }
    } finally {
      stopped = true;
      for (const socket of open) socket.destroy();
    }
  });
});
