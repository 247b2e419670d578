// Who may come in: HTTP Basic, a bearer token, an API key in a header of any name, or a client certificate.
import type { SimRequest } from '../server.ts';

export type User =
  | { readonly username: string; readonly password: string }
  | { readonly token: string }
  | { readonly header: string; readonly value: string }
  /** The common name of a certificate that the simulator's authority signed. */
  | { readonly certificate: string };

export function isKnown(request: SimRequest, users: readonly User[]): boolean {
  const given = request.headers['authorization'] ?? '';
  return users.some((user) => {
    if ('token' in user) return given === `Bearer ${user.token}`;
    if ('header' in user) return request.headers[user.header.toLowerCase()] === user.value;
    if ('certificate' in user) return request.clientCertificate === user.certificate;
    const found = /^basic\s+(.+)$/i.exec(given);
    return found !== null && Buffer.from(found[1]!, 'base64').toString('utf8') === `${user.username}:${user.password}`;
  });
}

/** Several challenges in one header, as RFC 9110 allows and the interoperability tests do. */
export const CHALLENGE = 'Basic realm="taxii", charset="UTF-8", Bearer realm="taxii"';
