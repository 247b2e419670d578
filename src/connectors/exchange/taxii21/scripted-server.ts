// For tests: a server that answers from a script, for behaviour that no simulator should have to know.
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ExchangeDeps } from '../../../core/contracts/exchange-connector.ts';
import { systemClock } from '../../../core/runtime/clock.ts';
import { createHttp } from '../../../core/runtime/http.ts';
import { silentLog } from '../../../core/runtime/log.ts';

export interface Asked {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: unknown;
}

export interface ScriptedServer {
  readonly url: string;
  readonly asked: Asked[];
  close(): Promise<void>;
}

export const COLLECTION = '91a7b528-80eb-42ed-a74d-c6fbd5a26116';
export const ROOT = { title: 'Partner', versions: ['application/taxii+json;version=2.1'], max_content_length: 1000 };
export const ONE = { collections: [{ id: COLLECTION, title: 'Indicators', can_read: true, can_write: false }] };

/** `answer` gets what is below the API root `/api1/`; undefined falls back to one readable collection. */
export async function scripted(answer: (path: string, asked: Asked) => Reply | undefined): Promise<ScriptedServer> {
  const sockets = new Set<Socket>();
  const asked: Asked[] = [];
  const server = http.createServer((req, res) => {
    const url = new URL(req.url ?? '/', 'http://loopback');
    const one = { path: url.pathname, query: url.searchParams, headers: req.headers };
    asked.push(one);
    const path = url.pathname.replace(/^\/api1\//, '');
    const reply = answer(path, one) ?? usual(path);
    const body = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? {});
    const headers = { 'content-type': 'application/taxii+json;version=2.1', ...reply.headers };
    res.writeHead(reply.status ?? 200, headers).end(body);
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/api1/`,
    asked,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function usual(path: string): Reply {
  if (path === '') return { body: ROOT };
  if (path === 'collections/') return { body: ONE };
  if (path === `collections/${COLLECTION}/`) return { body: ONE.collections[0] };
  return { status: 404, body: { title: 'not found' } };
}

export const idOf = (n: number): string => `indicator--00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

export function anIndicator(n: number, more: object = {}): object {
  return {
    type: 'indicator',
    spec_version: '2.1',
    id: idOf(n),
    created: '2026-01-01T00:00:00.000Z',
    modified: '2026-01-01T00:00:00.000Z',
    valid_from: '2026-01-01T00:00:00Z',
    pattern: `[ipv4-addr:value = '198.51.100.${n % 250}']`,
    pattern_type: 'stix',
    ...more,
  };
}

/** An envelope with the header that tells the added times of its first and last object. */
export function envelope(numbers: readonly number[], paging: object, last?: string, first = last): Reply {
  return {
    body: { ...paging, ...(numbers.length === 0 ? {} : { objects: numbers.map((n) => anIndicator(n)) }) },
    headers:
      last === undefined
        ? {}
        : { 'x-taxii-date-added-last': last, ...(first === undefined ? {} : { 'x-taxii-date-added-first': first }) },
  };
}

export const testDeps: ExchangeDeps = {
  name: 'partner',
  clock: systemClock,
  log: silentLog,
  http: (options) => createHttp({ label: 'exchange partner', timeoutMs: 5000, allowHttp: false, tls: {} }, options),
};
