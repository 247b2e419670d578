import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aConfig, LEAST, problemsOf, smallRegistry } from '../../../test/builders/configuration.ts';
import { loadConfig } from './load.ts';
import { httpPeer } from './peer-http.ts';
import { policyFor } from './policy.ts';
import { fingerprint } from './fingerprint.ts';

const withExchange = (line: string) => `instance: soc-one\nexchanges:\n  - ${line}\n`;
const withSiems = (...lines: string[]) =>
  `instance: soc-one\nexchanges: [{ name: partner, type: taxii21, url: https://taxii.example/ }]\nsiems:\n${lines.map((one) => `  - ${one}\n`).join('')}`;
const ELASTIC = 'type: elastic, url: [https://es.example:9200], auth: { api_key: abc }';

describe('a good configuration', () => {
  it('gets the documented defaults', () => {
    const config = aConfig();

    expect(config).toMatchObject({
      instance: 'soc-one',
      state: '/etc/entente/state/entente.db',
      listen: { host: '127.0.0.1', port: 8686, loopback: true, hosts: [] },
      log: { level: 'info', format: 'json' },
      retention: { gone_days: 90 },
      policy: {
        min_confidence: 0,
        unknown_confidence: 'accept',
        unmarked: 'amber',
        lifetime_days: { default: 90 },
        max_days: 730,
        removal_brake: { share: 0.2, at_least: 100, window_hours: 24 },
        addition_brake: { factor: 10, at_least: 10_000 },
      },
    });
    expect(config.exchanges[0]).toMatchObject({
      enabled: true,
      vanished: 'keep',
      full_listing: '17 3 * * *',
      stale_after_minutes: 60,
      urls: ['https://taxii.example/api/'],
      settings: { page_size: 1000 },
    });
    expect(config.siems[0]).toMatchObject({ clearance: 'amber', mode: 'live', provision: 'auto', enabled: true });
  });

  it('replaces variables in texts only, and keeps the escaped form', () => {
    const config = aConfig(
      withExchange(
        '{ name: partner, type: taxii21, url: "https://${HOST}/a", collections: ["$${HOST}", "${HOST}-${HOST}"] }',
      ),
      { HOST: 'taxii.example' },
    );

    expect(config.exchanges[0]?.settings).toMatchObject({
      url: 'https://taxii.example/a',
      collections: ['${HOST}', 'taxii.example-taxii.example'],
    });
  });

  it('cannot be restructured by what a variable holds', () => {
    const config = aConfig(
      withExchange('{ name: partner, type: taxii21, url: https://taxii.example/, collections: ["${C}"] }'),
      {
        C: 'x"]\nsiems: [',
      },
    );

    expect(config.exchanges[0]?.settings).toMatchObject({ collections: ['x"]\nsiems: ['] });
    expect(config.siems).toEqual([]);
  });

  it('shows no secret however it is printed', () => {
    const config = aConfig(LEAST.replace('abc', '"${KEY}"'), { KEY: 'hunter2-hunter2' });

    expect(JSON.stringify(config.siems[0]?.settings) + inspect(config, { depth: 9 })).not.toContain('hunter2');
  });

  it('takes a token with an address beyond loopback', () => {
    const config = aConfig('instance: a\nlisten: { address: "0.0.0.0:9000", token: t0ken, hosts: [entente.example] }');

    expect(config.listen).toMatchObject({ host: '0.0.0.0', port: 9000, loopback: false, hosts: ['entente.example'] });
    expect(config.listen.token?.reveal()).toBe('t0ken');
  });
});

describe('problems', () => {
  it.each([
    [
      'an unknown key with its neighbour',
      'instance: a\nlistne: x',
      /^entente\.yaml:2:1 listne: unknown key; did you mean listen\? Allowed: instance, state, listen,/,
    ],
    [
      'an unknown key of a peer',
      withExchange('{ name: p, type: taxii21, url: https://x.example/, colections: [a] }'),
      /^entente\.yaml:3:56 exchanges\[0\]\.colections: unknown key; did you mean collections\?/,
    ],
    [
      'an unknown type with the known ones',
      withExchange('{ name: p, type: taxi21, url: https://x.example/ }'),
      /^entente\.yaml:3:22 exchanges\[0\]\.type: unknown type; did you mean taxii21\? Known types: taxii21$/,
    ],
    [
      'a missing type',
      withExchange('{ name: p, url: https://x.example/ }'),
      /exchanges\[0\]\.type: is missing; expected taxii21$/,
    ],
    ['a missing key', 'log: { level: info }', /^entente\.yaml:1:1 instance: is missing; expected a text$/],
    ['a wrong kind', 'instance: 12', /^entente\.yaml:1:11 instance: expected a text, got a number; put it in quotes$/],
    [
      'a wrong word',
      'instance: a\nlog: { level: wran }',
      /^entente\.yaml:2:15 log\.level: expected one of error, warn, info, debug; did you mean warn\?$/,
    ],
    ['a duplicate key', 'instance: a\ninstance: b', /^entente\.yaml:2:1 not valid YAML: .*unique/],
    ['an unknown tag', 'instance: !soc a', /^entente\.yaml:1:\d+ not valid YAML: .*tag/],
    ['an alias without anchor', 'instance: *nobody', /^entente\.yaml:1:\d+ .*nobody/],
    ['text that is no YAML', 'instance: [a', /^entente\.yaml:\d+:\d+ not valid YAML/],
    ['an empty file', '', /^entente\.yaml:1:1 the file is empty/],
    ['a list instead of keys', '- a', /^entente\.yaml:1:1 expected keys with values, got a list$/],
    [
      'a missing variable',
      'instance: "${NOBODY}"',
      /^entente\.yaml:1:11 instance: environment variable NOBODY is not set/,
    ],
    ['a malformed variable', 'instance: "${NO BODY}"', /^entente\.yaml:1:11 instance: expected \$\{NAME\}/],
    ['a bad instance', 'instance: SOC_1', /instance: expected at most 40 of a-z, 0-9 and dash$/],
    [
      'a bad cron',
      withExchange('{ name: p, type: taxii21, url: https://x.example/, schedule: "*/90 * * * *" }'),
      /exchanges\[0\]\.schedule: step 90 in minute is longer/,
    ],
    [
      'a backward range',
      withExchange('{ name: p, type: taxii21, url: https://x.example/, schedule: "0 22-2 * * *" }'),
      /exchanges\[0\]\.schedule: range 22-2 in hour runs backwards/,
    ],
    [
      'plain HTTP beyond loopback',
      withExchange('{ name: p, type: taxii21, url: http://x.example/ }'),
      /^entente\.yaml:3:36 exchanges\[0\]\.url: plain HTTP beyond loopback is refused; use https, or set allow_http: true$/,
    ],
    [
      'plain HTTP in a list',
      withSiems('{ name: w, type: elastic, url: [http://es.example:9200], auth: { api_key: a } }'),
      /siems\[0\]\.url\[0\]: plain HTTP/,
    ],
    [
      'credentials in a URL',
      withExchange('{ name: p, type: taxii21, url: https://u:p@x.example/ }'),
      /url: expected an http\(s\) URL without user name or password/,
    ],
    [
      'an address from outside without token',
      'instance: a\nlisten: 0.0.0.0:8686',
      /^entente\.yaml:2:9 listen: 0\.0\.0\.0 is reachable from outside this machine, so a token is needed/,
    ],
    ['an address that is none', 'instance: a\nlisten: here', /listen: not an address to listen on; write host:port/],
    ['a duration out of range', 'instance: a\npolicy: { max_days: 0 }', /policy\.max_days: expected more than 0$/],
    [
      'an unknown exchange name',
      withSiems(`{ name: w, ${ELASTIC}, exchanges: [partnr] }`),
      /siems\[0\]\.exchanges\[0\]: no exchange has this name; did you mean partner\?/,
    ],
    [
      'an unknown observable',
      withSiems(`{ name: w, ${ELASTIC}, observables: [ipv4-adr] }`),
      /observables\[0\]: expected one of ipv4-addr,.*did you mean ipv4-addr\?/,
    ],
    [
      'a misspelt credential',
      withExchange('{ name: p, type: taxii21, url: https://x.example/, auth: { username: u, pasword: x } }'),
      /exchanges\[0\]\.auth\.pasword: unknown key; did you mean password\?/,
    ],
    [
      'a secret twice',
      withSiems('{ name: w, type: elastic, url: [https://es.example], auth: { api_key: a, api_key_file: b } }'),
      /siems\[0\]\.auth\.api_key_file: give api_key or api_key_file, not both/,
    ],
    [
      'a secret file that is not there',
      withSiems('{ name: w, type: elastic, url: [https://es.example], auth: { api_key_file: ./nowhere } }'),
      /siems\[0\]\.auth\.api_key: the file of this secret cannot be read/,
    ],
    [
      'a number as secret',
      withSiems('{ name: w, type: elastic, url: [https://es.example], auth: { api_key: 12345 } }'),
      /siems\[0\]\.auth\.api_key: expected a text or keys with values, got a number; put it in quotes/,
    ],
    [
      'a certificate that is not there',
      withExchange('{ name: p, type: taxii21, url: https://x.example/, tls: { ca_file: ./nowhere.pem } }'),
      /exchanges\[0\]\.tls\.ca_file: this file cannot be read/,
    ],
    [
      'a way to switch TLS off',
      withExchange('{ name: p, type: taxii21, url: https://x.example/, tls: { verify: false } }'),
      /exchanges\[0\]\.tls\.verify: unknown key; Allowed: ca_file,/,
    ],
  ])('points at %s', (_, yaml, expected) => {
    const found = problemsOf(yaml);

    expect(found.filter((one) => expected.test(one))).toHaveLength(1);
  });

  it.each([
    // Most begin with the words of another product.
    [
      '{ user: me, pass: x }',
      [
        /auth\.username: is missing/,
        /auth\.password: is missing/,
        /user: .*did you mean username\?/,
        /pass: .*did you mean password\?/,
      ],
    ],
    ['{ toke: x }', [/auth\.token: is missing/, /toke: unknown key; did you mean token\?/]],
    [
      '{ secret: x, id: y }',
      [/auth: none of its keys is known; allowed: username, password; or token; or header, value$/],
    ],
    ['{ token: x, id: y }', [/auth\.id: unknown key; Allowed: token$/]],
  ])('names the keys of the form that was meant, and of all where none can be told: %s', (auth, said) => {
    const problems = problemsOf(withExchange(`{ name: p, type: taxii21, url: https://t.example/, auth: ${auth} }`));

    expect(problems.filter((one) => one.includes('auth'))).toHaveLength(said.length);
    for (const pattern of said) expect(problems).toContainEqual(expect.stringMatching(pattern));
  });

  it.each([['instance: a\naudit: { witness: https://witness.example }', 'audit.witness: not yet']])(
    'refuses what belongs to a later release as not yet: %s',
    (yaml, expected) => {
      expect(problemsOf(yaml)).toEqual([expect.stringContaining(expected)]);
    },
  );

  it('are all reported at once, in the order of the file', () => {
    const found = problemsOf(`
instance: SOC
listne: x
exchanges:
  - { name: p, type: taxii21, url: ftp://x.example/ }
  - { name: q, type: nobody }
siems:
  - { name: w, type: elastic, url: [https://es.example] }
policy: { min_confidence: 101 }
`);

    expect(found.map((one) => one.split(' ')[1])).toEqual([
      'instance:',
      'listne:',
      'exchanges[0].url:',
      'exchanges[1].type:',
      'siems[0].auth:',
      'policy.min_confidence:',
    ]);
  });

  it('report names that are used twice, and two SIEMs at one place', () => {
    const found = problemsOf(withSiems(`{ name: w, ${ELASTIC} }`, `{ name: w, ${ELASTIC} }`));

    expect(found).toEqual([
      expect.stringMatching(/^entente\.yaml:5:5 siems\[1\]: writes to the same place as w/),
      expect.stringMatching(/^entente\.yaml:5:13 siems\[1\]\.name: w is already the name of the entry at line 4/),
    ]);
  });

  it('never repeat a value that may be secret', () => {
    const found = problemsOf(
      withSiems('{ name: w, type: elastic, url: [https://es.example], auth: { api_key: [hunter2], token: hunter2 } }'),
    );

    expect(found.length).toBeGreaterThan(0);
    expect(found.join('\n')).not.toContain('hunter2');
  });
});

describe('files', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'entente-config-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('are found beside the configuration, and a renewed secret is used without reading it again', () => {
    writeFileSync(join(folder, 'key.txt'), 'first\n');
    writeFileSync(join(folder, 'entente.yaml'), LEAST.replace('api_key: abc', 'api_key_file: key.txt'));

    const answer = loadConfig(join(folder, 'entente.yaml'), smallRegistry, {});
    if ('problems' in answer) throw new Error(JSON.stringify(answer.problems));
    const { auth } = answer.config.siems[0]!.settings as unknown as { auth: { api_key: { reveal(): string } } };

    expect(auth.api_key.reveal()).toBe('first');
    writeFileSync(join(folder, 'key.txt'), 'second\n');
    expect(auth.api_key.reveal()).toBe('second');
    expect(answer.config.state).toBe(join(folder, 'state/entente.db'));
  });

  it('of the record are found beside the configuration, too', () => {
    const record = 'audit: { key_file: keys/record.key, checkpoints: points }';
    writeFileSync(join(folder, 'entente.yaml'), `${LEAST}\n${record}\n`);

    expect(loadConfig(join(folder, 'entente.yaml'), smallRegistry, {})).toMatchObject({
      config: { audit: { keyFile: join(folder, 'keys/record.key'), checkpoints: join(folder, 'points') } },
    });
  });

  it('that cannot be read are a problem, not a crash', () => {
    const answer = loadConfig(join(folder, 'nowhere.yaml'), smallRegistry, {});

    expect(answer).toMatchObject({ problems: [{ message: expect.stringContaining('ENOENT') }] });
  });
});

describe('the rehearsal clock', () => {
  const LOCAL = LEAST.replace('https://taxii.example', 'http://127.0.0.1:1').replace(
    'https://es.example:9200',
    '"http://[::1]:9200"',
  );

  it('is set when every peer is on loopback', () => {
    expect(aConfig(LOCAL, { ENTENTE_CLOCK: '2024-01-02T03:04:05Z' }).clockStart).toBe(Date.UTC(2024, 0, 2, 3, 4, 5));
    expect(aConfig(LOCAL).clockStart).toBeUndefined();
  });

  it('is refused against a real peer, and when it is no time', () => {
    expect(problemsOf(LEAST, { ENTENTE_CLOCK: '2024-01-02T03:04:05Z' })).toEqual([
      expect.stringContaining('partner, watch is not on loopback'),
    ]);
    expect(problemsOf(LOCAL, { ENTENTE_CLOCK: 'tomorrow' })).toEqual([
      expect.stringContaining('ENTENTE_CLOCK is not a time'),
    ]);
  });
});

describe('policy for a pair', () => {
  it('goes from the global rules over the exchange to the SIEM', () => {
    const config = aConfig(`
instance: a
exchanges:
  - { name: partner, type: taxii21, url: https://x.example/, policy: { min_confidence: 30, unmarked: green, lifetime_days: { url: 7 }, valid_until: replace, renew_on_hit: true, widest_network: { ipv6: 48 } } }
  - { name: other, type: taxii21, url: https://y.example/ }
siems:
  - { name: watch, type: elastic, url: [https://es.example], auth: { api_key: a }, clearance: green, hosting: cloud, highest_pap: amber, policy: { min_confidence: 50, without_pap: green, removal_brake: { share: 0.5 }, max_classification: restricted, never_block: { values: [192.0.2.9], domains: [SOC.example., =only.example] } } }
policy: { min_confidence: 10, unknown_confidence: hold, lifetime_days: { default: 60, ipv4-addr: 14 } }
`);

    expect(policyFor(config, 'partner', 'watch')).toEqual({
      intake: {
        siem: 'watch',
        clearance: 'green',
        hosting: 'cloud',
        highestPap: 'amber',
        withoutPap: 'green',
        unmarked: 'green',
        minConfidence: 50,
        unknownConfidence: 'hold',
        widestNetwork: { ipv4: 16, ipv6: 48 },
        maxClassification: 'restricted',
        neverBlock: {
          actions: {},
          own: { networks: [], domains: [] },
          hosts: ['es.example', 'x.example', 'y.example'],
          configured: { values: [], cidrs: [], domains: [] },
        },
        neverBlockAlso: [{ values: ['192.0.2.9'], cidrs: [], domains: ['soc.example', '=only.example'] }],
      },
      lifetime: {
        defaultDays: 60,
        byType: { 'ipv4-addr': 14, url: 7 },
        maxDays: 730,
        validUntil: 'replace',
        renewOnHit: true,
      },
      removalBrake: { share: 0.5, atLeast: 100, windowHours: 24 },
      additionBrake: { factor: 10, atLeast: 10_000 },
      holdPatienceHours: 24,
    });
    expect(policyFor(config, 'other', 'watch').lifetime.byType).toEqual({ 'ipv4-addr': 14 });
    expect(policyFor(config, 'other', 'watch').intake.unmarked).toBe('amber');
  });
});

describe('a proxy', () => {
  const proxyOf = (yaml: string, env = {}) => {
    const config = aConfig(yaml, env);
    return config.exchanges.map((one) => httpPeer(config, 'exchange', one).proxyEnv?.HTTPS_PROXY);
  };

  it('comes from the peer, then the file, then the environment, and never stands before loopback', () => {
    const yaml = `instance: a
proxy: http://global.example:3128
exchanges:
  - { name: a, type: taxii21, url: https://x.example/ }
  - { name: b, type: taxii21, url: https://x.example/, proxy: http://own.example:1 }
  - { name: c, type: taxii21, url: https://x.example/, proxy: none }
  - { name: d, type: taxii21, url: http://127.0.0.1:9/ }`;

    expect(proxyOf(yaml)).toEqual(['http://global.example:3128', 'http://own.example:1', undefined, undefined]);
    expect(proxyOf(yaml.replace(/proxy: http:..global.*/, ''), { https_proxy: 'http://env.example:2' })[0]).toBe(
      'http://env.example:2',
    );
  });
});

describe('a fingerprint', () => {
  it('depends on values and not on the order of keys', () => {
    expect(fingerprint({ a: 1, b: [1, { c: 2, d: 3 }] })).toBe(fingerprint({ b: [1, { d: 3, c: 2 }], a: 1 }));
    expect(fingerprint({ a: [1, 2] })).not.toBe(fingerprint({ a: [2, 1] }));
    expect(fingerprint({ a: '1' })).not.toBe(fingerprint({ a: 1 }));
  });
});
