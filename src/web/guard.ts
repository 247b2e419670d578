// Who may look and who may act. A Host header that is not ours is refused, so that a web page elsewhere cannot read this
// one through a name that it points at loopback; a form must come from a page of ours.
import type http from 'node:http';
import { isIP } from 'node:net';
import { systemClock } from '../core/runtime/clock.ts';
import type { Secret } from '../core/runtime/secret.ts';
import type { Acting } from './page.ts';
import { formToken, isToken, sessionHolds } from './session.ts';

export interface WebOptions {
  readonly host: string;
  readonly port: number;
  readonly loopback: boolean;
  readonly token?: Secret;
  /** Further names under which a Host header is accepted. */
  readonly hosts: readonly string[];
}

export function hostAllowed(header: string | undefined, options: WebOptions): boolean {
  if (header === undefined) return false;
  const name = header.replace(/:\d+$/, '').toLowerCase();
  // Only a name can be pointed elsewhere: an address in the Host header is the address that was connected to.
  if (name === 'localhost' || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0) return true;
  return [options.host, ...options.hosts].some((one) => one.toLowerCase() === name);
}

const bearer = (header: string | undefined): string | undefined => /^Bearer (.+)$/i.exec(header ?? '')?.[1];

export const letIn = ({ headers }: http.IncomingMessage, { token }: WebOptions): boolean =>
  isToken(bearer(headers.authorization), token) || sessionHolds(headers.cookie, token, systemClock.now());

/** Acting needs a token everywhere, and the session that the form began. */
export function actingOf({ headers }: http.IncomingMessage, { token }: WebOptions): Acting {
  if (token === undefined) return { kind: 'no' };
  const form = formToken(headers.cookie, token, systemClock.now());
  return form === undefined ? { kind: 'sign in' } : { kind: 'may', form };
}

/** Browsers say `null` for the origin of a form where no referrer is sent, as here: then the other header decides. */
export function isForeign({ headers }: http.IncomingMessage): boolean {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  return origin !== undefined && origin !== 'null' && URL.parse(origin)?.host !== host;
}

const MOST_FORM_BYTES = 32_768;

/** Undefined when it is longer than any form of ours. */
export async function formOf(
  request: http.IncomingMessage,
  most = MOST_FORM_BYTES,
): Promise<URLSearchParams | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    // A request without an encoding gives buffers.
    const one = chunk as Buffer;
    bytes += one.length;
    if (bytes > most) return undefined;
    chunks.push(one);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
