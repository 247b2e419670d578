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
  ['3F000', /op has not the rights it needs on schema entente/],
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

// As the server words them where the system has neither word of the manual for it (a quota, a limit of the size of a file)
// or one that lies (read-only is "permission denied").
it.each([
  ['XX000', 'could not extend file "base/16384/16389": Disk quota exceeded'],
  ['XX000', 'could not extend file "base/16384/16389" with FileFallocate(): File too large'],
  ['42501', 'could not open file "base/16384/16389": Read-only file system'],
  ['42501', 'could not create directory "base/pgsql_tmp": Read-only file system'],
])('%s of its disk passes, too: %s', (code, message) => {
  expect(failure(code, false, message)).toBeInstanceOf(StateAway);
  expect(failure(code, false, message)).toMatchObject({ message: expect.stringContaining('its disk takes no more') });
});

it('waits for tables that were there and cannot be seen, and takes any other that is missing for a fault of ours', () => {
  const missing = new ServerFault({ code: '42P01', lost: false, message: 'relation "meta" does not exist' });

  expect(serverFailure(missing, place, true)).toMatchObject({
    message: expect.stringMatching(/cannot be seen .*give the role its rights .* back; or put a backup back there/),
  });
  expect(serverFailure(missing, place)).toBe(missing);
});

it('takes a connection that is lost for away, and a wrong statement for a fault of ours', () => {
  expect(failure('', true)).toBeInstanceOf(StateAway);
  expect(failure('42601')).toBeInstanceOf(ServerFault);
  expect(JSON.stringify([failure('28P01'), failure('53100')])).not.toContain('hidden');
});

it.each(['28P01', '42501', '53100', '57P01', '42601', 'XX001'])(
  '%s says the words of the server and no SQL',
  (code) => {
    const sql = "SELECT value FROM meta\n  WHERE name = 'boot'";
    const fault = new ServerFault({ code, lost: false, message: 'its words' }, sql);

    const { message } = serverFailure(fault, place) as Error;
    expect(message).toContain('its words');
    expect(message).not.toMatch(/SELECT|meta/);
    // For who looks into it.
    expect(fault.statement).toBe("SELECT value FROM meta WHERE name = 'boot'");
  },
);
