// When a token ends, where it says so itself: a JSON Web Token (RFC 7519), as Splunk's are and those of many exchanges.
// Other credentials keep it to themselves, and nothing is said of them.
import { Secret } from '../core/runtime/secret.ts';

/** Epoch milliseconds of the first one that ends, among all secrets within settings. */
export function tokenEnd(settings: unknown): number | undefined {
  const ends = secretsIn(settings).flatMap((one) => endOf(one) ?? []);
  return ends.length === 0 ? undefined : Math.min(...ends);
}

function secretsIn(settings: unknown): Secret[] {
  if (settings instanceof Secret) return [settings];
  if (typeof settings !== 'object' || settings === null) return [];
  return Object.values(settings).flatMap(secretsIn);
}

function endOf(secret: Secret): number | undefined {
  try {
    const [, body, ...rest] = secret.reveal().split('.');
    if (body === undefined || rest.length !== 1) return undefined;
    const { exp }: { exp?: unknown } = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as object;
    return typeof exp === 'number' && exp > 0 ? exp * 1000 : undefined;
  } catch {
    return undefined; // no such token, or a file that is just being replaced
  }
}
