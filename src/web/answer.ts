// One answer over HTTP, with the headers that every answer carries.
import type http from 'node:http';
import type { Asset } from './assets.ts';
import type { Markup } from './html.ts';

export const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

export interface Answer {
  readonly status: number;
  readonly type:
    | 'text/plain; charset=utf-8'
    | 'application/json; charset=utf-8'
    | 'text/html; charset=utf-8'
    | Asset['type']
    | typeof PROMETHEUS;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Everything a page needs is a file of ours; nothing else is loaded, run, framed or sent a form. */
export const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

export const plain = (status: number, text: string, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${text}\n`,
  headers,
});

export const json = (status: number, value: unknown): Answer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: `${JSON.stringify(value)}\n`,
});

export const page = (status: number, markup: Markup, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  type: 'text/html; charset=utf-8',
  body: String(markup),
  headers,
});

export function send(request: http.IncomingMessage, response: http.ServerResponse, one: Answer): void {
  const body = Buffer.from(one.body);
  response.writeHead(one.status, {
    ...SECURITY_HEADERS,
    'content-type': one.type,
    'content-length': body.length,
    ...one.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
  request.resume(); // a body that nobody reads would hold the connection
}
