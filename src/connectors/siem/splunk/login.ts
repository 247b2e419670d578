// The three ways to say who we are. A session ends after an idle hour, so it is begun again when the server no
// longer knows it; a token from a file is read again, since somebody may have renewed it.
import { configFailure } from '../../../core/contracts/failure.ts';
import type { Secret } from '../../../core/runtime/secret.ts';
import type { SplunkConfig } from './config.ts';

export interface Credential {
  /** Value of the Authorization header; undefined while a login is needed first. */
  header(): string | undefined;
  /** Form of the login call; undefined where there is none to make. */
  readonly login: (() => Buffer) | undefined;
  begin(sessionKey: string): void;
  /** After a 401 for `sent`: is there another header to try, by reading the secret again or by a new login? */
  renewable(sent: string): boolean;
  /** Epoch milliseconds at which a token ends, when it tells. */
  expires(): number | undefined;
}

export function credentialOf(auth: SplunkConfig['auth']): Credential {
  if ('token' in auth) {
    const header = (): string => `Bearer ${reveal(auth.token, 'auth.token')}`;
    return {
      header,
      login: undefined,
      begin: () => {},
      renewable: (sent) => header() !== sent,
      expires: () => tokenExpiry(reveal(auth.token, 'auth.token')),
    };
  }
  const { username, password } = auth;
  if (auth.login === 'basic') {
    const header = (): string =>
      `Basic ${Buffer.from(`${username}:${reveal(password, 'auth.password')}`).toString('base64')}`;
    return {
      header,
      login: undefined,
      begin: () => {},
      renewable: (sent) => header() !== sent,
      expires: () => undefined,
    };
  }
  return session(username, () => reveal(password, 'auth.password'));
}

function session(username: string, password: () => string): Credential {
  let current: string | undefined;
  return {
    header: () => current,
    login: () =>
      Buffer.from(new URLSearchParams({ username, password: password(), output_mode: 'json' }).toString(), 'utf8'),
    begin: (sessionKey) => {
      current = `Splunk ${sessionKey}`;
    },
    renewable: (sent) => {
      // Another call may have begun a new session meanwhile.
      if (current === sent) current = undefined;
      return true;
    },
    expires: () => undefined,
  };
}

/** A secret from a file is read now, and may be gone or be something else than a secret. */
function reveal(secret: Secret, key: string): string {
  let text: string;
  try {
    text = secret.reveal();
  } catch (cause) {
    throw configFailure(`the file of ${key} cannot be read; check ${key}_file and its permissions`, { cause });
  }
  if (text === '' || /\p{Cc}/u.test(text)) {
    throw configFailure(`${key} is empty or has line breaks in it; it has to be one line`);
  }
  return text;
}

/** `exp` of a JWT in epoch milliseconds. Undefined for 0 (never) and for anything that is no JWT. */
export function tokenExpiry(token: string): number | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const exp = typeof claims === 'object' && claims !== null && 'exp' in claims ? claims.exp : undefined;
    return typeof exp === 'number' && exp > 0 ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}
