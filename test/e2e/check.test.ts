// What `check` says of a file that is wrong, odd, or not a configuration at all: a sentence with its place, never a stack.
import { chmodSync, mkdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Site } from './site.ts';

// Each starts processes, and other work may keep the machine busy.
vi.setConfig({ testTimeout: 90_000 });

let site: Site;
beforeEach(() => {
  site = new Site();
});
afterEach(() => site.close());

const SIEM = 'siems: [{ name: watch, type: elastic, url: "https://es.example:9200", auth: { api_key: abc } }]\n';
const exchange = (more = '') =>
  `exchanges: [{ name: partner, type: taxii21, url: "https://taxii.example/api/"${more} }]\n`;
const IDENTITY = 'identity: { id: identity--0b1d2e3f-0000-4000-8000-000000000001, name: SOC }\n';

async function check(text: string, args: string[] = []) {
  site.write('entente.yaml', text);
  const ended = await site.entente(['check', ...args]);
  expect(ended.stderr).not.toMatch(/\n\s+at |a bug|heap/);
  return ended;
}

describe('a wrong value', () => {
  it.each([
    ['an unquoted cron', exchange(', schedule: */5 * * * *'), /:2:\d+ .*begins with \*.*quote it.*"\*\/5 \* \* \* \*"/],
    [
      'an unquoted cron of stars',
      exchange(', schedule: * * * * *'),
      /:2:\d+ .*begins with \*.*quote it.*"\* \* \* \* \*"/,
    ],
    ['an unquoted cron of a star and numbers', exchange(', schedule: * 3 * * 1'), /quote it "\* 3 \* \* 1"/],
    ['a mail-like text', 'instance: soc\nlog: { level: @info }\n', /quote it/],
    ['a missing scheme', exchange().replace('https://', ''), /exchanges\[0\]\.url.*scheme.*https:\/\//],
    ['a scheme that is no web', exchange().replace('https://', 'htps://'), /exchanges\[0\]\.url.*did you mean https/],
    ['a near level', 'log: { level: warning }\n', /log\.level: .*did you mean warn\?/],
    ['a near marking', 'policy: { unmarked: WHITE }\n', /policy\.unmarked: .*did you mean clear\?/],
    [
      'a near mode',
      SIEM.replace('type: elastic', 'mode: dry-run, type: elastic'),
      /siems\[0\]\.mode: .*did you mean shadow\?/,
    ],
    [
      'a near observable',
      SIEM.replace('type: elastic', 'observables: [ipv4, domain], type: elastic'),
      /observables\[0\]: .*did you mean ipv4-addr\?[\s\S]*did you mean domain-name\?/,
    ],
    ['a near type', SIEM.replace('type: elastic', 'type: elasticsearch'), /siems\[0\]\.type: .*did you mean elastic\?/],
    [
      'a proxy of a peer',
      exchange(', proxy: proxy.example:3128'),
      /exchanges\[0\]\.proxy: expected an http\(s\) URL, or none/,
    ],
    ['a self-referring alias', 'log: &a { level: *a }\n', /alias \*a stands within its own anchor/],
    ['__proto__', '__proto__: { state: ./x }\n', /__proto__: unknown key/],
    [
      '__proto__ where names are free',
      'policy: { never_block: { list_actions: { __proto__: note } } }\n',
      /:2:\d+ __proto__: unknown key/,
    ],
    ['a second document', '---\ninstance: soc\n', /:2:1 a second document begins here/],
    ['another word', exchange(', vanished: remove'), /vanished: .*did you mean withdraw\?/],
    [
      'another spelling',
      SIEM.replace('type: elastic', 'hosting: onprem, clearance: "TLP:AMBER STRICT", type: elastic'),
      /hosting: .*did you mean on_premises\?/,
    ],
    ['more words', 'policy: { max_classification: NATO SECRET }\n', /max_classification: .*did you mean secret\?/],
    [
      'a name of something built in',
      'constructor: 1\ntoString: 2\n',
      /constructor: unknown key[\s\S]*toString: unknown key/,
    ],
    [
      'an alias bomb',
      `a: &a [${'x,'.repeat(9)}x]\nb: &b [${'*a,'.repeat(9)}*a]\nc: [${'*b,'.repeat(9)}*b]\nd: [${'*b,'.repeat(99)}*b]\n`,
      /aliases expand to too much|unknown key/,
    ],
  ])('%s is named with what helps', async (_, more, says) => {
    const { code, stdout, stderr } = await check(
      `instance: soc\n${more}`.replace('instance: soc\ninstance', 'instance'),
    );

    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^entente\.yaml:\d+:\d+ /);
    expect(stderr).toMatch(says);
  });

  it('that names a file is told with path and cause', async () => {
    mkdirSync(site.path('folder'));
    const { stderr } = await check(
      `instance: soc\n${exchange(', tls: { ca_file: ./no-such.pem }')}${SIEM.replace('api_key: abc', 'api_key_file: ./folder')}`,
    );

    expect(stderr).toContain(`this file cannot be read (ENOENT): ${site.path('no-such.pem')}`);
    expect(stderr).toContain(`the file of this secret cannot be read (EISDIR): ${site.path('folder')}`);
  });

  it('is told with the path of the file, also one that is not here', async () => {
    site.write('etc/soc.yaml', 'instance: SOC\n');

    const beside = await site.entente(['check', '-c', 'etc/soc.yaml']);
    const gone = await site.entente(['check', '-c', '/nowhere/soc.yaml']);

    expect(beside.stderr).toMatch(/^etc\/soc\.yaml:1:11 instance: /);
    expect(gone.stderr).toMatch(/^\/nowhere\/soc\.yaml:1:1 cannot read \/nowhere\/soc\.yaml \(ENOENT\)/);
  });
});

describe('a file that is no configuration', () => {
  it('of twenty megabytes is refused in words within the memory of the daemon', async () => {
    const { code, stderr } = await check(`instance: soc\npolicy:\n${'  - 198.51.100.7\n'.repeat(1_200_000)}`);

    expect([code, stderr]).toEqual([2, expect.stringMatching(/^entente\.yaml:1:1 the file is 20\.\d MB .*at most/)]);
  });

  it('and never ends is refused in words', async () => {
    const { code, stderr } = await site.entente(['check', '-c', '/dev/zero']);

    expect([code, stderr]).toEqual([2, expect.stringMatching(/^\/dev\/zero:1:1 the file is more than 32\.0 MB/)]);
  });

  it('of a million short values is refused in words', async () => {
    const { code, stderr } = await check(`instance: soc\nsiems:\n${'-\n'.repeat(490_000)}`);

    expect([code, stderr]).toEqual([2, expect.stringMatching(/^entente\.yaml:1:1 the file has far more values/)]);
  });

  it('nested without end is refused in words', async () => {
    const { code, stderr } = await check(`instance: soc\nsiems: ${'['.repeat(50_000)}${']'.repeat(50_000)}\n`);

    expect([code, stderr]).toEqual([2, expect.stringMatching(/^entente\.yaml:\d+:\d+ .*nested/)]);
  });

  it('but has aliases that say the same twice is fine', async () => {
    const { code } = await check(
      `instance: soc\nexchanges:\n  - { name: a, type: taxii21, url: "https://a.example/", tls: &tls { server_name: x.example } }\n  - { name: b, type: taxii21, url: "https://b.example/", tls: *tls }\n${SIEM}`,
    );
    expect(code).toBe(0);
  });
});

describe('what is allowed and yet odd', () => {
  it.each([
    ['no exchange', `instance: soc\n${SIEM}`, /warning: .*no exchange/],
    ['no SIEM', `instance: soc\n${exchange()}`, /warning: .*no SIEM/],
    [
      'reports without a rule',
      `instance: soc\n${exchange(', report_to: sightings')}${SIEM}${IDENTITY}`,
      /warning: .*exchanges\[0\].*no release rule/,
    ],
  ])('%s is a warning', async (_, text, says) => {
    const { code, stderr } = await check(text);
    const json = await site.entente(['check', '--json']);

    expect([code, stderr]).toEqual([0, expect.stringMatching(says)]);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, problems: [], warnings: [{ line: expect.any(Number) }] });
  });

  it('is none where all is there', async () => {
    const rule = 'release: [{ to: partner, tlp: [clear], action: share }]\n';
    const { code, stderr } = await check(
      `instance: soc\n${exchange(', report_to: sightings')}${SIEM}${IDENTITY}${rule}`,
    );

    expect([code, stderr]).toEqual([0, '']);
  });
});

it.each(['000', '777'])(
  'writes files that are asked for so that their owner alone reads them, under umask %s',
  async (umask) => {
    site.configure({ instance: 'soc' });
    site.write('umask.sh', `umask ${umask}; exec "$@"`);
    const under = ['sh', site.path('umask.sh')];
    const siem = 'name=watch,type=elastic,url=https://siem.example,api_key_file=./key';
    expect((await site.entente(['run', '--once'], { under })).code).toBe(0);
    for (const command of [
      ['record', '--out', 'made.jsonl'],
      ['backup', 'made.db'],
      ['init', 'made.yaml', '--instance', 'soc', '--siem', siem, '--no-probe'],
    ])
      expect(await site.entente(command, { under }), command[0]).toMatchObject({ code: 0 });

    expect(site.modes(/^made/)).toEqual({ 'made.jsonl': '600', 'made.db': '600', 'made.yaml': '600' });
  },
);

it('keeps state, journal, lock and backup for their owner alone, whatever the umask', async () => {
  site.configure({ instance: 'soc' });
  site.write('umask.sh', 'umask 000; exec "$@"');
  const under = ['sh', site.path('umask.sh')];
  const daemon = await site.daemon({ under });
  const modes = () => site.modes(/^state\/|\.db$/);
  // A folder, as that of the checkpoints, cannot be entered without the last bit.
  const open = () => Object.entries(modes()).filter(([, mode]) => mode !== '600' && mode !== '700');
  expect((await site.entente(['backup', 'copy.db'], { under })).code).toBe(0);

  expect(modes()).toMatchObject({ 'state/entente.db': '600', 'state/entente.db.lock': '600', 'copy.db': '600' });
  expect(open()).toEqual([]);
  await daemon.stop();

  // One that an older version left open to others.
  chmodSync(site.state, 0o644);
  const again = await site.daemon({ under });
  expect(open()).toEqual([]);
  await again.stop();
});
