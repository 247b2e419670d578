import { expect, it } from 'vitest';
import { Secret } from '../core/runtime/secret.ts';
import { Expiries } from './expiries.ts';

const tokenUntil = (exp: number) => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return Secret.of(`${part({ alg: 'HS512' })}.${part({ exp })}.signature`);
};

it('are those of certificates as they were heard last, and of tokens that say it themselves, the first to end first', () => {
  const settings = { auth: { token: tokenUntil(1_900_000_000) } };
  const expiries = new Expiries({
    exchanges: [{ name: 'partner', settings }],
    siems: [{ name: 'watch', settings: {} }],
  });

  expiries.heard('exchange', 'partner', 'peer', 1_700_000_000_000);
  expiries.heard('exchange', 'partner', 'peer', 2_000_000_000_000);
  expiries.heard('exchange', 'partner', 'own', 1_800_000_000_000);

  expect(expiries.of('exchange', 'partner')).toEqual([
    { what: 'certificate', whose: 'own', at: 1_800_000_000_000 },
    { what: 'token', whose: 'own', at: 1_900_000_000_000 },
    { what: 'certificate', whose: 'peer', at: 2_000_000_000_000 },
  ]);
  expect(expiries.of('siem', 'watch')).toEqual([]);
  expect(expiries.of('siem', 'partner')).toEqual([]);
});
