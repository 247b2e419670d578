// Plain HTTP to a simulated Splunk, for the simulator's own tests.
import type { RunningSplunk } from './index.ts';

export interface Told {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  /** Parsed body, for answers that are JSON. */
  json<T = unknown>(): T;
}

export interface Ask {
  readonly query?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Authorization header; default the token made at start. Empty for none. */
  readonly as?: string;
  /** Ask for JSON; default true. */
  readonly inJson?: boolean;
}

export async function ask(server: RunningSplunk, method: string, path: string, how: Ask = {}): Promise<Told> {
  const url = new URL(path, server.url);
  for (const [name, value] of Object.entries(how.query ?? {})) url.searchParams.set(name, value);
  if (how.inJson !== false) url.searchParams.set('output_mode', 'json');
  const as = how.as ?? `Bearer ${server.token}`;
  const answer = await fetch(url, {
    method,
    headers: {
      ...(as === '' ? {} : { authorization: as }),
      ...(how.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(how.form === undefined ? {} : { body: new URLSearchParams(how.form) }),
    ...(how.body === undefined ? {} : { body: typeof how.body === 'string' ? how.body : JSON.stringify(how.body) }),
  });
  const text = await answer.text();
  // The caller names the shape that this answer has by the reference.
  return { status: answer.status, text, headers: answer.headers, json: <T>() => JSON.parse(text) as T };
}

export const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/** The first message of an error, as [type, text]. */
export function said(told: Told): readonly [string, string] {
  const [first] = told.json<{ messages: { type: string; text: string }[] }>().messages;
  return [first?.type ?? '', first?.text ?? ''];
}
