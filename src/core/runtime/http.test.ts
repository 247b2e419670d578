import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { selfSigned } from '../../simulators/tls.ts';
import { ConnectorError, toFailure } from '../model/failure.ts';
import {
  createHttp,
  type HttpClient,
  type HttpPeer,
  isForeignRefusal,
  isRefusingPage,
  pageInsteadOfJson,
  refusedBetween,
  retryAfterMs,
  statusFailure,
} from './http.ts';
import { Secret } from './secret.ts';

const SECRET = 'Hidden-token-1';
const never = new AbortController().signal;
const closers: (() => Promise<void> | void)[] = [];
const folder = mkdtempSync(join(tmpdir(), 'entente-http-'));

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Listening {
  readonly url: string;
  readonly port: number;
  /** "METHOD path" of every request, with its Authorization. */
  readonly seen: { readonly line: string; readonly authorization: string | undefined }[];
  readonly sockets: Set<Socket>;
}

async function listen(server: http.Server | https.Server, scheme: string): Promise<Listening> {
  const sockets = new Set<Socket>();
  const seen: Listening['seen'] = [];
  server.on('request', (req: http.IncomingMessage) => {
    seen.push({ line: `${req.method} ${req.url}`, authorization: req.headers.authorization });
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  );
  const { port } = server.address() as AddressInfo;
  return { url: `${scheme}://127.0.0.1:${port}`, port, seen, sockets };
}

const serve = (answer: http.RequestListener) => listen(http.createServer(answer), 'http');

function aClient(baseUrl: string, peer: Partial<HttpPeer> = {}, options: { maxBytes?: number } = {}): HttpClient {
  const client = createHttp(
    { label: 'exchange partner', timeoutMs: 5000, allowHttp: false, tls: {}, ...peer },
    { baseUrl, headers: { authorization: `Bearer ${SECRET}` }, ...options },
  );
  closers.push(() => client.close());
  return client;
}

async function failureOf(promise: Promise<unknown>): Promise<ConnectorError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConnectorError);
  expect(everyText(error)).not.toContain(SECRET);
  return error as ConnectorError;
}

/** All texts that can be reached from an error, through cause and through hidden properties too. */
function everyText(root: unknown): string {
  const found: string[] = [];
  const seen = new Set<unknown>();
  const walk = (value: unknown): void => {
    if (typeof value === 'string') found.push(value);
    if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value)) return;
    seen.add(value);
    if (Buffer.isBuffer(value)) found.push(value.toString('latin1'));
    for (const key of Reflect.ownKeys(value)) {
      found.push(String(key));
      walk(Reflect.getOwnPropertyDescriptor(value, key)?.value);
    }
  };
  walk(root);
  return found.join('\n');
}

describe('a request', () => {
  it('brings status, headers, query and body through unchanged', async () => {
    const server = await serve((req, res) => {
      res.writeHead(404, { 'X-Thing': 'a' });
      req.pipe(res);
    });

    const answer = await aClient(`${server.url}/api/`).request({
      method: 'POST',
      path: 'x/',
      query: { 'match[id]': 'a,b', gone: undefined },
      body: Buffer.from('{"a":1}'),
      signal: never,
    });

    expect(answer).toMatchObject({ status: 404, headers: { 'x-thing': 'a' } });
    expect(answer.body.toString()).toBe('{"a":1}');
    expect(server.seen[0]?.line).toBe('POST /api/x/?match%5Bid%5D=a%2Cb');
  });

  it('is cut at its deadline though bytes keep trickling in', async () => {
    const server = await serve((_req, res) => {
      const timer = setInterval(() => res.write('x'), 20);
      res.on('close', () => clearInterval(timer));
    });
    const started = performance.now();

    const failure = await failureOf(aClient(server.url, { timeoutMs: 150 }).request({ path: '/', signal: never }));

    expect(failure).toMatchObject({ kind: 'retryable', uncertain: true });
    expect(failure.message).toMatch(/in time/);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('refuses a small answer that unpacks to more than allowed', async () => {
    const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024));
    const server = await serve((_req, res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));

    const failure = await failureOf(
      aClient(server.url, {}, { maxBytes: 1024 * 1024 }).request({ path: '/', signal: never }),
    );

    expect(bomb.length).toBeLessThan(20_000);
    expect(failure).toMatchObject({ kind: 'permanent' });
    expect(failure.message).toMatch(/larger than allowed/);
  });

  it('unpacks an answer within the limit', async () => {
    const server = await serve((_req, res) =>
      res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"objects":[]}')),
    );

    const answer = await aClient(server.url).request({ path: '/', signal: never });

    expect(answer.body.toString()).toBe('{"objects":[]}');
  });

  it.each([
    [
      'a body shorter than announced',
      (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"a":'),
    ],
    [
      'a chunked body without its end',
      (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"a":\r\n'),
    ],
    ['a reset before the answer', (socket: Socket) => socket.resetAndDestroy()],
    ['an answer that is not HTTP', (socket: Socket) => socket.end('SSH-2.0-server\r\n')],
  ])('counts %s as retryable and of uncertain effect', async (_name, act) => {
    const server = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => act(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
    const { port } = server.address() as AddressInfo;

    const failure = await failureOf(aClient(`http://127.0.0.1:${port}`).request({ path: '/', signal: never }));

    expect(failure).toMatchObject({ kind: 'retryable', uncertain: true });
  });

  it('knows that a refused connection had no effect', async () => {
    const server = await serve((_req, res) => res.end());
    await closers.pop()?.();

    const failure = await failureOf(aClient(server.url).request({ path: '/', signal: never }));

    expect(failure).toMatchObject({ kind: 'retryable', uncertain: false });
  });

  it('ends promptly when its signal aborts, and sends nothing with a signal that was aborted before', async () => {
    const stop = new AbortController();
    let started = Number.NaN;
    const server = await serve(() => {
      started = performance.now();
      stop.abort();
    });
    const client = aClient(server.url);

    const failure = await failureOf(client.request({ path: '/', signal: stop.signal }));
    const second = await failureOf(client.request({ path: '/again', signal: stop.signal }));

    expect(performance.now() - started).toBeLessThan(1000);
    expect([failure.kind, second.kind]).toEqual(['retryable', 'retryable']);
    expect(server.seen.map((one) => one.line)).toEqual(['GET /']);
  });

  it('leaves no connection and no request behind after close', async () => {
    const server = await serve((req, res) => {
      if (req.url === '/quick') res.end('ok');
    });
    const client = aClient(server.url);
    await client.request({ path: '/quick', signal: never });
    const hanging = failureOf(client.request({ path: '/hang', signal: never }));
    await expect.poll(() => server.seen.length).toBe(2);

    client.close();

    expect((await hanging).message).toMatch(/stopped/);
    await expect.poll(() => server.sockets.size).toBe(0);
  });
});

describe('credentials stay with the configured peer', () => {
  it.each([301, 302, 303, 307, 308])('does not follow a %i to another host and says where it leads', async (status) => {
    const other = await serve((_req, res) => res.end('{}'));
    const server = await serve((_req, res) =>
      res.writeHead(status, { location: `${other.url}/login?ticket=${SECRET}` }).end(),
    );

    const failure = await failureOf(aClient(server.url).request({ path: '/api/', signal: never }));

    expect(failure).toMatchObject({ kind: 'config', status });
    expect(failure.message).toContain(`/api/ is redirected to ${other.url}/login (${status})`);
    expect(failure.message).toMatch(/ask whoever runs it/);
    expect(failure.message).not.toMatch(/configure/);
    expect(other.seen).toEqual([]);
  });

  it('does not follow a redirect on the same host either', async () => {
    const server = await serve((_req, res) => res.writeHead(308, { location: '/api/' }).end());

    const failure = await failureOf(aClient(server.url).request({ path: '/api', signal: never }));

    expect(failure.message).toContain('/api is redirected to /api/ (308)');
    expect(server.seen).toHaveLength(1);
  });

  it.each(['http://127.0.0.2:1/x', '//127.0.0.2/x', 'https://127.0.0.1/x'])('refuses %s', async (path) => {
    const failure = await failureOf(aClient('http://127.0.0.1:9').request({ path, signal: never }));

    expect(failure.kind).toBe('config');
    expect(failure.message).toMatch(/another host/);
  });

  it('refuses a user name in an address and a malformed address', async () => {
    const client = aClient('http://127.0.0.1:9');

    const named = await failureOf(client.request({ path: 'http://eve:x@127.0.0.1:9/', signal: never }));
    const malformed = await failureOf(client.request({ path: 'http://[', signal: never }));

    expect([named.kind, malformed.kind]).toEqual(['config', 'permanent']);
  });

  it('refuses plain HTTP beyond loopback unless it is allowed', () => {
    expect(() => aClient('http://taxii.partner.example/')).toThrow(/plain HTTP to taxii.partner.example is refused/);
    expect(() => aClient('http://taxii.partner.example/', { allowHttp: true })).not.toThrow();
  });
});

describe('TLS', () => {
  const made = selfSigned();
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const ca_file = file('ca.pem', made.ca);
  const fingerprint = new X509Certificate(made.cert).fingerprint256;
  const serveTls = (options: https.ServerOptions = {}) =>
    listen(
      https.createServer({ cert: made.cert, key: made.key, ...options }, (_req, res) => res.end('ok')),
      'https',
    );
  const ask = (url: string, tls: HttpPeer['tls']) => aClient(url, { tls }).request({ path: '/', signal: never });

  it('trusts an authority of its own from ca_file', async () => {
    const server = await serveTls();

    expect((await ask(server.url, { ca_file })).status).toBe(200);
  });

  it('trusts an authority of its own beside the public ones, for that peer alone, and each of a file of several', async () => {
    const server = await serveTls();
    const other = selfSigned();
    const second = await serveTls({ cert: other.cert, key: other.key });
    const stranger = aClient(server.url, { tls: {} });
    const refused = async () => (await failureOf(stranger.request({ path: '/', signal: never }))).message;
    const both = file('both.pem', `${made.ca}\n${other.ca}`);

    expect(await refused()).toContain('TLS failed');
    expect((await ask(server.url, { ca_file: both })).status).toBe(200);
    expect((await ask(second.url, { ca_file: both })).status).toBe(200);
    expect((await failureOf(ask(second.url, { ca_file }))).message).toContain('TLS failed');
    expect(await refused()).toContain('TLS failed');
  });

  it('refuses a server whose authority it does not know', async () => {
    const server = await serveTls();

    const failure = await failureOf(ask(server.url, {}));

    expect(failure).toMatchObject({ kind: 'config', uncertain: false });
    expect(failure.message).toMatch(/TLS failed.*check tls.ca_file/);
    expect(server.seen).toEqual([]);
  });

  it('refuses a certificate for another name, also one that server_name asks for', async () => {
    const server = await serveTls();

    const failure = await failureOf(ask(server.url, { ca_file, server_name: 'taxii.partner.example' }));

    expect(failure.kind).toBe('config');
    expect(failure.message).toMatch(/taxii.partner.example/);
    expect(server.seen).toEqual([]);
  });

  it('refuses an expired certificate', async () => {
    const old = selfSigned({ now: Date.UTC(2020, 0, 1) });
    const server = await serveTls({ cert: old.cert, key: old.key });

    const failure = await failureOf(ask(server.url, { ca_file: file('old-ca.pem', old.ca) }));

    expect(failure.kind).toBe('config');
    expect(failure.message).toMatch(/expired/);
  });

  it('accepts a pinned certificate of a trusted chain, whatever its name', async () => {
    const server = await serveTls();
    const pinned = { ca_file, fingerprint_sha256: fingerprint, server_name: 'taxii.partner.example' };

    expect((await ask(server.url, pinned)).status).toBe(200);
  });

  it('refuses another certificate than the pinned one, though ca_file trusts its chain, on every connection', async () => {
    const server = await serveTls();
    const client = aClient(server.url, { tls: { ca_file, fingerprint_sha256: 'ab'.repeat(32) } });

    for (const attempt of [1, 2]) {
      const failure = await failureOf(client.request({ path: `/${attempt}`, signal: never }));
      expect(failure.kind).toBe('config');
      expect(failure.message).toMatch(/another fingerprint/);
    }
    expect(server.seen).toEqual([]);
  });

  it('tells when the certificates end that are used, the own and that of the peer, also under a pin', async () => {
    const server = await serveTls({ ca: made.ca, requestCert: true });
    const cert_file = file('own.pem', made.client.cert);
    const key_file = file('own.key', made.client.key);
    for (const pin of [{ server_name: 'localhost' }, { fingerprint_sha256: fingerprint }]) {
      const heard: [string, number][] = [];
      const onCertificate = (whose: string, validTo: number) => void heard.push([whose, validTo]);
      const client = aClient(server.url, { tls: { ca_file, cert_file, key_file, ...pin }, onCertificate });
      await client.request({ path: '/', signal: never });

      const end = (pem: string) => Date.parse(new X509Certificate(pem).validTo);
      expect(heard).toEqual([
        ['own', end(made.client.cert)],
        ['peer', end(made.cert)],
      ]);
    }
  });

  it('does not take the pin for trust in the chain', async () => {
    const server = await serveTls();

    const failure = await failureOf(ask(server.url, { fingerprint_sha256: fingerprint }));

    expect(failure.kind).toBe('config');
  });

  it('shows its client certificate, also from a key under a passphrase', async () => {
    const server = await serveTls({ ca: made.ca, requestCert: true, rejectUnauthorized: true });
    const locked = createPrivateKey(made.client.key)
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: SECRET })
      .toString();
    const cert_file = file('client.pem', made.client.cert);
    const key_file = file('client.key', locked);

    const answer = await ask(server.url, { ca_file, cert_file, key_file, key_passphrase: Secret.of(SECRET) });
    const without = await failureOf(ask(server.url, { ca_file }));
    const wrong = await failureOf(ask(server.url, { ca_file, cert_file, key_file, key_passphrase: Secret.of('x') }));

    expect(answer.status).toBe(200);
    // The server's alert and the end of the connection race in TLS 1.3; it is a refusal either way.
    expect(['config', 'retryable']).toContain(without.kind);
    expect(wrong.kind).toBe('config');
  });

  it('names the certificate file that is missing or no certificate', async () => {
    const server = await serveTls();

    const missing = await failureOf(ask(server.url, { ca_file: join(folder, 'none.pem') }));
    const junk = await failureOf(ask(server.url, { ca_file, cert_file: file('junk.pem', 'junk'), key_file: ca_file }));
    const secret = await failureOf(ask(server.url, { ca_file, key_passphrase: Secret.file(join(folder, 'none')) }));

    expect(missing.message).toMatch(/cannot read tls.ca_file .*none.pem/);
    expect(junk.kind).toBe('config');
    expect(secret.message).toMatch(/key_passphrase_file/);
  });

  it('reads renewed certificate files after close', async () => {
    const server = await serveTls();
    const path = file('renewed.pem', selfSigned().ca);
    const client = aClient(server.url, { tls: { ca_file: path } });
    await failureOf(client.request({ path: '/', signal: never }));

    writeFileSync(path, made.ca);
    client.close();

    expect((await client.request({ path: '/', signal: never })).status).toBe(200);
  });

  describe('through a proxy', () => {
    const serveProxy = async (status = 200) => {
      const asked: { target: string | undefined; authorization: string | undefined }[] = [];
      const proxy = http.createServer();
      proxy.on('connect', (req: http.IncomingMessage, socket: Socket) => {
        asked.push({ target: req.url, authorization: req.headers['proxy-authorization'] });
        socket.on('error', () => {});
        if (status !== 200) return socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
        const onward = net.connect(Number(req.url?.split(':')[1]), '127.0.0.1', () => {
          socket.write('HTTP/1.1 200 OK\r\n\r\n');
          onward.pipe(socket).pipe(onward);
        });
        onward.on('error', () => socket.destroy());
        return undefined;
      });
      return { ...(await listen(proxy, 'http')), asked };
    };

    it('tunnels with one CONNECT, and checks the certificate of the far end', async () => {
      const server = await serveTls();
      const proxy = await serveProxy();
      const client = aClient(server.url, { tls: { ca_file }, proxyEnv: { HTTPS_PROXY: proxy.url } });

      await client.request({ path: '/1', signal: never });
      await client.request({ path: '/2', signal: never });
      const untrusted = await failureOf(
        aClient(server.url, { proxyEnv: { HTTPS_PROXY: proxy.url } }).request({ path: '/', signal: never }),
      );

      expect(proxy.asked.map((one) => one.target)).toEqual(Array(2).fill(`127.0.0.1:${server.port}`));
      expect(untrusted.kind).toBe('config');
    });

    it('goes past it for a host in NO_PROXY', async () => {
      const server = await serveTls();
      const proxy = await serveProxy();
      const proxyEnv = { HTTPS_PROXY: proxy.url, NO_PROXY: '127.0.0.1' };

      await aClient(server.url, { tls: { ca_file }, proxyEnv }).request({ path: '/', signal: never });

      expect(proxy.asked).toEqual([]);
      expect(server.seen).toHaveLength(1);
    });

    it('words a proxy that refuses, and shows it only its own credentials', async () => {
      const server = await serveTls();
      const proxy = await serveProxy(407);
      const HTTPS_PROXY = proxy.url.replace('//', `//user:${SECRET}@`);

      const failure = await failureOf(
        aClient(server.url, { tls: { ca_file }, proxyEnv: { HTTPS_PROXY } }).request({ path: '/', signal: never }),
      );

      expect(failure.kind).toBe('config');
      expect(failure.message).toMatch(/proxy/);
      expect(proxy.asked[0]?.authorization).toBe(`Basic ${Buffer.from(`user:${SECRET}`).toString('base64')}`);
    });
  });
});

describe('reading a status', () => {
  it.each([
    [200, undefined],
    [204, undefined],
    [301, 'config'],
    [400, 'permanent'],
    [401, 'config'],
    [403, 'config'],
    [404, 'config'],
    [408, 'retryable'],
    [413, 'permanent'],
    [429, 'retryable'],
    [500, 'retryable'],
    [503, 'retryable'],
  ])('%i is %s', (status, kind) => {
    expect(statusFailure(status)).toBe(kind);
  });

  it('lets a connector say otherwise for one status', () => {
    expect(statusFailure(404, { 404: 'retryable' })).toBe('retryable');
  });

  it.each([
    ['120', 120_000],
    [' 0 ', 0],
    ['Thu, 01 Jan 1970 00:01:00 GMT', 50_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['soon', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['', undefined],
    ['99999999999999999999999', undefined],
    ['Thu, 01 Jan 9999 00:00:00 GMT', undefined],
    ['Thursday, 01-Jan-70 00:01:00 GMT', 50_000],
    [undefined, undefined],
  ])('reads Retry-After %s as %s ms', (header, wait) => {
    expect(retryAfterMs(header, 10_000)).toBe(wait);
  });
});

describe('a page where JSON belongs', () => {
  const answer = (status: number, text: string, type = 'text/plain') => ({
    status,
    headers: { 'content-type': type },
    body: Buffer.from(text),
    url: 'https://siem.example/x',
  });

  it.each([
    ['<!DOCTYPE html><title>Request Rejected</title>', true],
    ['\uFEFF \n<HTML><body>no</body></HTML>', true],
    ['<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"></html>', true],
    ['Request Rejected', true],
    ['404 page not found', true],
    ['default backend - 404', true],
    ['{"error": "no"}', false],
    ['{"error": "cut in the mid', false],
    ['{"hits":[{"url":"http://listed.example/?q=<body onload=x>"}]}', false],
    ['[{"value":"<title>no page</title>"}]', false],
    [' [1]', false],
    ['"no such thing"', false],
    ['12', false],
    ['<?xml version="1.0"?><response><messages><msg type="ERROR">no</msg></messages></response>', false],
    ['', false],
  ])('%j is one: %s', (text, page) => {
    expect(pageInsteadOfJson(answer(403, text))).toBe(page);
  });

  it('goes by the media type where the text says nothing', () => {
    expect(pageInsteadOfJson(answer(403, '<center>no</center>', 'text/html; charset=utf-8'))).toBe(true);
  });

  it.each([
    [403, true, 'permanent', 'between_403'],
    [403, false, 'config', 'between_403'],
    [405, true, 'config', 'http_405_page'],
    [404, true, 'config', 'http_404_page'],
    [407, true, 'config', 'http_407_page'],
    [501, true, 'permanent', 'http_501_page'],
    [501, false, 'config', 'http_501_page'],
    [503, true, 'retryable', 'http_503_page'],
    [400, true, 'permanent', 'http_400_page'],
  ])('%i (write: %s) is %s with code %s', (status, write, kind, code) => {
    const failure = refusedBetween(answer(status, '<html></html>'), 'siem: PATCH is', write);

    expect(failure).toMatchObject({ kind, code, status, uncertain: status === 503 });
    expect(failure.message).toContain(`PATCH is refused by something in between (${status}, a web page)`);
    expect(toFailure(failure).code).toBe(code);
  });

  it.each([
    [403, '{"message":"Forbidden"}', true],
    [403, '', false],
    [403, ' {} ', false],
    [404, '', true],
    [404, '{}', true],
    [404, '{"message":"no Route matched with those values"}', true],
    [405, '', true],
    [501, '', true],
    [400, '{"message":"bad"}', false],
    [503, '', false],
    [503, '<html></html>', true],
  ])('a refusal with %i and %j that is not in its own words is foreign: %s', (status, text, foreign) => {
    expect(isForeignRefusal(answer(status, text, 'application/json'), false)).toBe(foreign);
    if (text.startsWith('{')) expect(isForeignRefusal(answer(status, text, 'application/json'), true)).toBe(false);
  });

  it.each([
    [200, '<html><head><title>Request Rejected</title></head><body>Your support ID is: 7</body></html>', true],
    [200, '<!DOCTYPE html><p>The requested URL was rejected. Please consult with your administrator.</p>', true],
    [200, '<!DOCTYPE html><html><body><form>Sign in</form></body></html>', false],
    [200, '{"message":"Request rejected"}', false],
    [403, '<html><title>Request Rejected</title></html>', false],
  ])('with %i, %j is how a firewall refuses: %s', (status, text, refuses) => {
    expect(isRefusingPage(answer(status, text, 'text/html'))).toBe(refuses);
    if (!refuses) return;
    const write = refusedBetween(answer(status, text, 'text/html'), 'siem: POST', true);
    expect(write).toMatchObject({ kind: 'permanent', code: 'between_200', uncertain: false });
    expect(refusedBetween(answer(status, text, 'text/html'), 'siem: GET', false).kind).toBe('config');
  });

  it('says so where it is none, and the product did not word it', () => {
    const failure = refusedBetween(answer(404, '', 'application/json'), 'siem: GET /x is', false);

    expect(failure.message).toContain('something in between (404, not in the words of the product)');
  });
});
