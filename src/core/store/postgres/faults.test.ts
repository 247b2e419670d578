import { expect, it } from 'vitest';
import { StateAway } from '../sql/away.ts';
import type { ServerPlace } from '../sql/place.ts';
import { serverFailure } from './faults.ts';
import { ServerFault } from './link.ts';

const place: ServerPlace = {
  name: 'postgres://op@db.example/soc',
  host: 'db.example',
  port: 5432,
  user: 'op',
  database: 'soc',
  schema: 'entente',
  password: { text: 'hidden' },
};
const failure = (code: string, lost = false, message = 'its words') =>
  serverFailure(new ServerFault({ code, lost, message }), place);

it.each([
  ['28P01', /refused the password of op; renew it/],
  ['3D000', /no database soc/],
  ['42501', /op has not the rights it needs on schema entente/],
  ['CERT_HAS_EXPIRED', /no trusted connection/],
])('%s is for a person to put right', (code, words) => {
  expect(failure(code)).toMatchObject({ kind: 'config', message: expect.stringMatching(words) });
});

it.each([
  ['53100', /disk of the server is full/],
  ['53300', /no connection left/],
  ['25006', /takes no writes/],
  ['57P01', /being restarted/],
  ['40001', /is away/],
  ['ECONNREFUSED', /is away: its words/],
])('%s passes by itself', (code, words) => {
  const found = failure(code);

  expect(found).toBeInstanceOf(StateAway);
  expect((found as Error).message).toMatch(words);
});

it('takes a connection that is lost for away, and a wrong statement for a fault of ours', () => {
  expect(failure('', true)).toBeInstanceOf(StateAway);
  expect(failure('42601')).toBeInstanceOf(ServerFault);
  expect(JSON.stringify([failure('28P01'), failure('53100')])).not.toContain('hidden');
});
