import { expect, it } from 'vitest';
import { Secret } from '../core/runtime/secret.ts';
import { tokenEnd } from './token-end.ts';

const jwt = (claims: object) => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return Secret.of(`${part({ alg: 'HS512' })}.${part(claims)}.signature`);
};

it('is the first end that a token itself states', () => {
  const auth = { token: jwt({ exp: 2_000_000_000 }), more: [{ key: jwt({ exp: 1_900_000_000 }) }], other: jwt({}) };

  expect(tokenEnd({ name: 'x', auth })).toBe(1_900_000_000_000);
});

it.each([
  ['an opaque token', Secret.of('872fdfe8-1692-4e84-8c1a-53cae0d9bed0')],
  ['three parts that are none', Secret.of('a.b.c')],
  ['a JSON that is no object', Secret.of(`a.${Buffer.from('null').toString('base64url')}.c`)],
  ['a token that never ends', jwt({ exp: 0 })],
  ['a file that is not there', Secret.file('/nowhere/at/all')],
])('is not known of %s', (_, token) => {
  expect(tokenEnd({ auth: { token } })).toBeUndefined();
});
