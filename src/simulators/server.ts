// What all simulators share: a loopback HTTP server that counts requests by route and status, injects faults on
// demand, and has the back door `/_sim/*` that no connector uses. A simulator itself is a handler over its state.
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { TLSSocket } from 'node:tls';

export interface SimRequest {
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Common name of the client certificate, once our own authority vouched for it. */
  readonly clientCertificate?: string;
}

export interface SimResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** Sent piece by piece instead of `body`, for answers too large to hold; ends early when the client leaves. */
  readonly stream?: Iterable<Buffer>;
  /** Name of the route for the count of requests; default method and path. */
  readonly route?: string;
}

/** One fault. It applies to requests whose "METHOD path" contains `match`, `times` times (default: until cleared), after `skip` requests. */
export interface Fault {
  readonly match?: string;
  /** Only requests whose body holds this text, as a firewall sees it that reads along. */
  readonly holds?: string;
  readonly skip?: number;
  readonly times?: number;
  readonly action:
    | 'status' // answers `status` with `body` and `headers`, without effect
    | 'reset-before' // cuts the connection before anything happened
    | 'reset-after' // does the work, then cuts the connection
    | 'slow' // waits `ms`, then goes on
    | 'hang' // never answers
    | 'html' // answers a login page with 200
    | 'truncate' // does the work, then sends half of the answer
    | 'trickle'; // does the work, then sends the answer a few bytes at a time
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly ms?: number;
}

export interface SimulatorOptions {
  readonly port?: number;
  /** PEM certificate and key; plain HTTP otherwise. */
  readonly tls?: {
    readonly cert: string;
    readonly key: string;
    readonly ca?: string;
    /** Asks for a client certificate; a client without one is turned away unless `rejectUnauthorized` is false. */
    readonly requestCert?: boolean;
    readonly rejectUnauthorized?: boolean;
  };
  readonly faults?: readonly Fault[];
  /** Service time added to each request, milliseconds. */
  readonly latencyMs?: number;
  /** Longest request line and headers that are read at all, for products with long URLs. Default 16 KiB. */
  readonly maxHeaderBytes?: number;
}

export interface SimulatorHandler {
  handle(request: SimRequest): SimResponse | Promise<SimResponse>;
  /** What `GET /_sim/state` tells beside the request counts. */
  state(): unknown;
  /** `POST /_sim/<name>` with a JSON body, e.g. events or load. */
  readonly backdoor?: Readonly<Record<string, (body: unknown) => unknown>>;
}

export interface RunningSimulator {
  readonly url: string;
  readonly port: number;
  setFaults(faults: readonly Fault[]): void;
  /** Requests counted as "ROUTE STATUS". */
  readonly requests: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

export async function startServer(
  handler: SimulatorHandler,
  options: SimulatorOptions = {},
): Promise<RunningSimulator> {
  let faults = (options.faults ?? []).map((fault) => ({ fault, seen: 0, used: 0 }));
  const requests = new Map<string, number>();
  const sockets = new Set<Socket>();
  const count = (route: string, status: number | string) => {
    const name = `${route} ${status}`;
    requests.set(name, (requests.get(name) ?? 0) + 1);
  };
  const setFaults = (next: readonly Fault[]) => {
    faults = next.map((fault) => ({ fault, seen: 0, used: 0 }));
  };
  const pickFault = (method: string, target: string, body: Buffer): Fault | undefined => {
    for (const one of faults) {
      if (one.fault.match !== undefined && !`${method} ${target}`.includes(one.fault.match)) continue;
      if (one.fault.holds !== undefined && !body.includes(one.fault.holds)) continue;
      one.seen += 1;
      if (one.seen <= (one.fault.skip ?? 0) || one.used >= (one.fault.times ?? Number.POSITIVE_INFINITY)) continue;
      one.used += 1;
      return one.fault;
    }
    return undefined;
  };

  const listener = async (req: http.IncomingMessage, res: http.ServerResponse): Promise<void> => {
    const url = new URL(req.url ?? '/', 'http://loopback');
    const method = req.method ?? 'GET';
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    if (url.pathname.startsWith('/_sim/')) return backdoor(url.pathname.slice('/_sim/'.length), method, body, res);

    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(req.headers))
      headers[name] = Array.isArray(value) ? value.join(', ') : (value ?? '');
    const client = certificateName(req.socket);
    const request: SimRequest = {
      method,
      path: url.pathname,
      query: url.searchParams,
      headers,
      body,
      ...(client === undefined ? {} : { clientCertificate: client }),
    };
    const fault = pickFault(method, req.url ?? '/', body);
    if (options.latencyMs !== undefined) await new Promise((go) => setTimeout(go, options.latencyMs));
    switch (fault?.action) {
      case 'status':
        count(`${method} ${url.pathname}`, fault.status ?? 500);
        res
          .writeHead(fault.status ?? 500, { 'content-type': 'application/json', ...fault.headers })
          .end(fault.body ?? '');
        return;
      case 'html':
        count(`${method} ${url.pathname}`, 'html');
        res
          .writeHead(200, { 'content-type': 'text/html' })
          .end('<!DOCTYPE html><html><body><form>Sign in</form></body></html>');
        return;
      case 'reset-before':
        count(`${method} ${url.pathname}`, 'reset');
        req.socket.destroy();
        return;
      case 'hang':
        count(`${method} ${url.pathname}`, 'hang');
        return;
      case 'slow':
        await new Promise((go) => setTimeout(go, fault.ms ?? 1000));
        break;
      default:
    }
    const answer = await handler.handle(request);
    count(answer.route ?? `${method} ${url.pathname}`, answer.status);
    if (answer.stream !== undefined) {
      res.writeHead(answer.status, { ...answer.headers });
      await pipeline(Readable.from(answer.stream, { objectMode: false }), res).catch(() => res.destroy());
      return;
    }
    const out = typeof answer.body === 'string' ? Buffer.from(answer.body) : (answer.body ?? Buffer.alloc(0));
    const send: Record<string, string> = { ...answer.headers };
    if (fault?.action === 'reset-after') {
      req.socket.destroy();
      return;
    }
    if (method === 'HEAD' || answer.status === 204) {
      res.writeHead(answer.status, send).end();
      return;
    }
    res.writeHead(answer.status, { ...send, 'content-length': String(out.length) });
    if (fault?.action === 'truncate') {
      res.write(out.subarray(0, Math.floor(out.length / 2)), () => req.socket.destroy());
      return;
    }
    if (fault?.action === 'trickle') {
      for (let at = 0; at < out.length && !res.destroyed; at += 8) {
        res.write(out.subarray(at, at + 8));
        await new Promise((go) => setTimeout(go, fault.ms ?? 100));
      }
      res.end();
      return;
    }
    res.end(out);
  };

  const backdoor = (name: string, method: string, body: Buffer, res: http.ServerResponse): void => {
    const reply = (status: number, value: unknown) => {
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
    try {
      if (name === 'state' && method === 'GET') {
        reply(200, { requests: Object.fromEntries(requests), state: handler.state() });
      } else if (name === 'faults' && method === 'POST') {
        setFaults(JSON.parse(body.toString('utf8')) as Fault[]);
        reply(200, { ok: true });
      } else if (method === 'POST' && handler.backdoor?.[name] !== undefined) {
        reply(200, handler.backdoor[name](JSON.parse(body.toString('utf8'))) ?? { ok: true });
      } else {
        reply(404, { error: `no back door ${method} /_sim/${name}` });
      }
    } catch (error) {
      reply(400, { error: String(error) });
    }
  };

  const guarded = (req: http.IncomingMessage, res: http.ServerResponse): void => {
    listener(req, res).catch((error: unknown) => {
      if (!res.headersSent && !res.destroyed) res.writeHead(500, { 'content-type': 'text/plain' }).end(String(error));
    });
  };
  const limits = options.maxHeaderBytes === undefined ? {} : { maxHeaderSize: options.maxHeaderBytes };
  const server =
    options.tls === undefined
      ? http.createServer(limits, guarded)
      : https.createServer({ ...options.tls, ...limits }, guarded);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  // A listening TCP server has an AddressInfo, never a pipe name.
  const { port } = server.address() as AddressInfo;
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    setFaults,
    requests,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function certificateName(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const name = socket.getPeerCertificate().subject?.CN;
  return Array.isArray(name) ? name[0] : name;
}
