import { describe, expect, it } from 'vitest';
import { ConnectorError } from '../../../core/model/failure.ts';
import { Secret } from '../../../core/runtime/secret.ts';
import { credentialOf, tokenExpiry } from './login.ts';

const token = (claims: unknown): string =>
  ['head', JSON.stringify(claims), 'signature'].map((part) => Buffer.from(part).toString('base64url')).join('.');

describe('the end of a token', () => {
  it('is read out of its claims', () => {
    expect(tokenExpiry(token({ exp: 1_800_000_000, nbr: 0 }))).toBe(1_800_000_000_000);
  });

  it('is not known for a token without end, a session key, or anything else', () => {
    for (const text of [token({ exp: 0 }), token({ exp: 'soon' }), token(null), 'a.%%%.c', 'session-key', ''])
      expect(tokenExpiry(text)).toBeUndefined();
  });
});

describe('a credential', () => {
  it('that is a token is tried again only after it changed', () => {
    let text = 'first';
    const secret = { reveal: () => text } as unknown as Secret;
    const credential = credentialOf({ token: secret });

    expect(credential.header()).toBe('Bearer first');
    expect(credential.renewable('Bearer first')).toBe(false);
    text = 'second';
    expect(credential.renewable('Bearer first')).toBe(true);
  });

  it('that is a session begins once, and keeps one that another call began', () => {
    const credential = credentialOf({ username: 'u', password: Secret.of('p'), login: 'session' });

    expect(credential.header()).toBeUndefined();
    credential.begin('one');
    expect(credential.renewable('Splunk zero')).toBe(true);
    expect(credential.header()).toBe('Splunk one');
    expect(credential.renewable('Splunk one')).toBe(true);
    expect(credential.header()).toBeUndefined();
  });

  it('from a missing file, or with a line break in it, is a matter of configuration', () => {
    for (const secret of [Secret.file('/no/such/file'), Secret.of('two\nlines'), Secret.of('')]) {
      const credential = credentialOf({ token: secret });
      const failed = (() => {
        try {
          return credential.header();
        } catch (error) {
          return error;
        }
      })();

      expect(failed).toBeInstanceOf(ConnectorError);
      expect(failed).toMatchObject({ kind: 'config', message: expect.stringContaining('auth.token') });
      expect(String(failed)).not.toContain('lines\n');
    }
  });
});
