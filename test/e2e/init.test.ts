// From an empty folder to indicators in a SIEM by `init` alone: a person at a terminal (util-linux `script` gives one),
// and a script with flags. The peers are the shipped simulators, started as a user would.
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { type Running, Site } from './site.ts';
import { terminal } from './terminal.ts';

vi.setConfig({ testTimeout: 120_000 });

let site: Site;
let simulators: Running[];
let taxii: { url: string; username: string; password: string };
let elastic: { url: string; api_key: string };

beforeEach(async () => {
  site = new Site();
  simulators = ['taxii', 'elastic'].map((kind) => site.start(['simulate', kind, '--port', '0'], { limitMs: 110_000 }));
  const [one, two] = await Promise.all(simulators.map((sim) => sim.until(/^(\{.*\})$/m)));
  taxii = JSON.parse(one ?? '');
  elastic = JSON.parse(two ?? '');
});
afterEach(async () => {
  await Promise.all(simulators.map((sim) => sim.kill('SIGTERM')));
  site.close();
});

async function syncs(env: Record<string, string> = {}): Promise<void> {
  const { code, stdout } = await site.entente(['run', '--once', '--json'], { env });
  const { siems } = JSON.parse(stdout) as { siems: { delivered: number; pending: number }[] };

  expect([code, siems]).toEqual([0, [expect.objectContaining({ pending: 0 })]]);
  expect(siems[0]?.delivered).toBeGreaterThan(100);
}

describe('a person at a terminal', () => {
  it('answers some questions, each judged at once, and has a file that works', async () => {
    const person = terminal(site, ['init']);
    await person.answer(/Name of this installation.*: $/, 'SOC one');
    await person.answer(/at most 40 of a-z[\s\S]*Name of this installation.*: $/, 'soc-one');
    await person.answer(/Type of the exchange \(.*taxii21.*\): $/, 'taxii21');
    await person.answer(/Its name here \[partner\]: $/, '');
    await person.answer(/url: $/, taxii.url);
    await person.answer(/Credentials: 1 username and password, .* \[1\]: $/, '');
    await person.answer(/username: $/, taxii.username);
    await person.answer(/password: where it is.*\[\.\/secrets\/partner-password\]: $/, 'hunter2');
    await person.answer(/a file begins with \.\/[\s\S]*password: where it is.*: $/, '');
    await person.answer(/Type the secret for it.*: $/, taxii.password);
    await person.answer(/ok +partner [\s\S]*Another exchange\? \[y\/N\] $/, '');
    await person.answer(/Type of the SIEM \(.*\): $/, 'elastic');
    await person.answer(/Its name here \[elastic\]: $/, 'elastic-hq');
    await person.answer(/url: $/, elastic.url);
    await person.answer(/Credentials: 1 api_key,.*: $/, '1');
    await person.answer(/api_key: where it is.*: $/, 'NOT_SET_HERE');
    await person.answer(/no such variable[\s\S]*api_key: where it is.*: $/, './es.key');
    await person.answer(/Type the secret for it.*: $/, 'wrong');
    await person.answer(/failed +elastic-hq [\s\S]*\[a\]gain, \[k\]eep it as it is, or leave it \[o\]ut.*: $/, 'k');
    await person.answer(/Another SIEM\? \[y\/N\] $/, '');
    const { code } = await person.running.ended;
    expect([code, person.running.stdout]).toEqual([
      1,
      expect.stringMatching(/Wrote \.\/entente\.yaml[\s\S]*entente plan/),
    ]);

    const text = readFileSync(site.path('entente.yaml'), 'utf8');
    expect(site.modes(/^entente\.yaml$|^es\.key$|^secrets\/./)).toEqual({
      'entente.yaml': '600',
      'es.key': '600',
      'secrets/partner-password': '600',
    });
    expect(parse(text)).toMatchObject({
      instance: 'soc-one',
      exchanges: [{ name: 'partner', auth: { username: taxii.username, password_file: './secrets/partner-password' } }],
      siems: [{ name: 'elastic-hq', auth: { api_key_file: './es.key' }, clearance: 'amber' }],
    });
    // Neither into the file nor onto the screen.
    expect(text + person.running.stdout).not.toContain(taxii.password);

    site.write('es.key', `${elastic.api_key}\n`);
    expect((await site.entente(['check', '--probe'])).code).toBe(0);
    await syncs();
  });

  it('who changes his mind leaves no file and no secret behind', async () => {
    const person = terminal(site, ['init', '--no-probe']);
    await person.answer(/Name of this installation.*: $/, '');
    await person.answer(/Type of the exchange.*: $/, 'taxii21');
    await person.answer(/Its name here.*: $/, '');
    await person.answer(/url: $/, taxii.url);
    await person.answer(/Credentials.*: $/, '2');
    await person.answer(/token: where it is.*: $/, '');
    await person.answer(/Type the secret for it.*: $/, 'abc');
    await person.answer(/Another exchange\? \[y\/N\] $/, '\u0003', '');
    const { code } = await person.running.ended;

    expect([code, person.running.stdout]).toEqual([1, expect.stringContaining('Interrupted')]);
    expect([existsSync(site.path('entente.yaml')), existsSync(site.path('secrets/partner-token'))]).toEqual([
      false,
      false,
    ]);
  });
});

describe('without a terminal', () => {
  it('says what to do, and takes flags; secrets by file or variable only', async () => {
    const nobody = await site.entente(['init']);
    expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining('--exchange name=partner')]);

    site.write('secrets/partner', taxii.password);
    const exchange = `name=partner,type=taxii21,url=${taxii.url},username=${taxii.username}`;
    const siem = `name=hq,type=elastic,url=${elastic.url},api_key_env=ES_KEY`;
    const init = (first: string, second: string, env: Record<string, string> = {}) =>
      site.entente(['init', '--instance', 'soc-one', '--exchange', first, '--siem', second], { env });

    expect((await init(`${exchange},password=${taxii.password}`, siem)).stderr).toContain('password_file=PATH');
    expect((await init(`${exchange},password_file=./secrets/partner`, siem)).stderr).toContain('ES_KEY');
    const refused = await init(`${exchange},password_file=./secrets/partner`, siem, { ES_KEY: 'wrong' });
    expect([refused.code, refused.stdout]).toEqual([1, expect.stringMatching(/ok +partner[\s\S]*failed +hq/)]);
    expect(existsSync(site.path('entente.yaml'))).toBe(false);

    const env = { ES_KEY: elastic.api_key };
    expect((await init(`${exchange},password_file=./secrets/partner`, siem, env)).code).toBe(0);
    await syncs(env);
    const again = await init(`${exchange},password_file=./secrets/partner`, siem, env);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('nothing is overwritten')]);
  });
});
