// How a browser gets in beyond loopback: a form takes the token and sets a cookie that says until when it holds, signed
// with the token. Nothing is remembered here, and another token ends every session.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { sha256 } from '../core/runtime/ids.ts';
import type { Secret } from '../core/runtime/secret.ts';

const COOKIE = 'entente';
const LIFE_MS = 12 * 3_600_000;

/** Compares digests, so that neither length nor content shows in the time taken. */
export function isToken(given: string | undefined, token: Secret | undefined): boolean {
  return given !== undefined && token !== undefined && same(given, token.reveal());
}

const same = (a: string, b: string): boolean => timingSafeEqual(Buffer.from(sha256(a)), Buffer.from(sha256(b)));

const signature = (until: string, token: Secret): string =>
  createHmac('sha256', token.reveal()).update(`entente session until ${until}`).digest('hex');

/** Only to this site, and no script may read it. `secure`: it came over TLS, which a proxy before us ends. */
export function sessionCookie(token: Secret, now: number, secure: boolean): string {
  const until = String(now + LIFE_MS);
  const flags = `Path=/; Max-Age=${LIFE_MS / 1000}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
  return `${COOKIE}=${until}.${signature(until, token)}; ${flags}`;
}

export const sessionHolds = (cookies: string | undefined, token: Secret | undefined, now: number): boolean =>
  sessionOf(cookies, token, now) !== undefined;

/** Stands in every form of this session's pages: who sends it has read one, which no other site can. */
export function formToken(cookies: string | undefined, token: Secret, now: number): string | undefined {
  const until = sessionOf(cookies, token, now);
  return until === undefined
    ? undefined
    : createHmac('sha256', token.reveal()).update(`entente form of ${until}`).digest('hex').slice(0, 32);
}

export const isFormToken = (given: string | null, expected: string): boolean => given !== null && same(given, expected);

/** Until when it holds, which is also its name. */
function sessionOf(cookies: string | undefined, token: Secret | undefined, now: number): string | undefined {
  if (token === undefined) return undefined;
  for (const one of (cookies ?? '').split(';')) {
    const [, until, given] = /^\s*entente=(\d{1,16})\.([0-9a-f]{64})\s*$/.exec(one) ?? [];
    if (until !== undefined && given !== undefined && Number(until) > now && same(given, signature(until, token)))
      return until;
  }
  return undefined;
}
