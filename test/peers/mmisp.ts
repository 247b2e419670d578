// Modern MISP (PyPI mmisp-api): a foreign server that follows MISP's REST API, with what tests do to it over that API.
import { join } from 'node:path';
import { startServerProcess } from './server-process.ts';

const KEY = 'Writes0123456789abcdefghijklmnopqrstuv01';

export interface ModernMisp {
  readonly url: string;
  /** That reads and writes: one that only reads is refused by most routes there. */
  readonly key: string;
  call<T = unknown>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T>;
  stop(): Promise<void>;
}

export async function startModernMisp(python: string): Promise<ModernMisp> {
  const { origin, stop } = await startServerProcess({
    name: 'mmisp',
    python,
    script: join(import.meta.dirname, 'servers', 'mmisp_serve.py'),
    arguments: ['--key', KEY],
    bundles: [],
    tls: false,
  });
  return {
    url: `${origin}/`,
    key: KEY,
    call: async <T>(method: string, path: string, body?: unknown) => {
      const answer = await fetch(`${origin}/${path}`, {
        method,
        headers: { authorization: KEY, accept: 'application/json', 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 500)}`);
      return JSON.parse(text) as T;
    },
    stop,
  };
}
