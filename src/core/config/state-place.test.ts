import { expect, it } from 'vitest';
import { StateSettings, stateServer } from './state-place.ts';

const read = (given: unknown) => stateServer(StateSettings.parse(given));
const wrong = (given: unknown) => StateSettings.safeParse(given).error?.message ?? 'nothing is wrong';

it('tells a file from a server', () => {
  expect(read('./state/entente.db')).toBeUndefined();
  expect(read('postgres://op@127.0.0.1/soc')).toEqual({
    name: 'postgres://op@127.0.0.1/soc',
    host: '127.0.0.1',
    port: 5432,
    user: 'op',
    database: 'soc',
    schema: 'entente',
  });
});

it('encrypts beyond this machine, whatever is said', () => {
  expect(read('postgres://op@db.example:5433/soc')).toMatchObject({ host: 'db.example', port: 5433, tls: {} });
  expect(read({ url: 'postgresql://op@[::1]/soc', tls: { ca_file: '/ca' } })).toMatchObject({
    host: '::1',
    tls: { ca_file: '/ca' },
  });
  expect(read({ url: 'postgres://op@localhost/soc?host=/run/postgresql', tls: {} })).not.toHaveProperty('tls');
});

it('prints no password and knows the schema by name', () => {
  const found = read({ url: 'postgres://op@db.example/soc', password: 'hidden', schema: 'red' });

  expect(found).toMatchObject({ name: 'postgres://op@db.example/soc (schema red)', schema: 'red' });
  expect(JSON.stringify(found)).not.toContain('hidden');
  expect(found?.password?.reveal()).toBe('hidden');
});

it.each([
  ['postgres://op:word@db.example/soc', /no password in the URL/],
  ['postgres://db.example/soc', /user, host and database must be named/],
  ['postgres://op@db.example', /user, host and database must be named/],
  ['postgres://op@db.example/soc?sslmode=disable', /sslmode is not taken from the URL/],
  ['mysql://op@db.example/soc', /not a place for the state/],
])('refuses %s', (url, words) => {
  expect(wrong(url)).toMatch(words);
  expect(wrong({ url })).not.toBe('nothing is wrong');
});

it("refuses a schema's name that the server keeps for itself", () => {
  expect(wrong({ url: 'postgres://op@db.example/soc', schema: 'pg_state' })).toMatch(/not beginning with .* pg_/);
});
