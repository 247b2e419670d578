// What partners send and do that they should not. One SIEM listens to all of them: whatever happens at one, the
// others go on, each is worded for the person who reads it, and nothing leaves the SIEM.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RunningTaxii } from '../../src/simulators/taxii/index.ts';
import { startTaxii, type TaxiiOptions } from '../../src/simulators/taxii/index.ts';
import { selfSigned } from '../../src/simulators/tls.ts';
import { type RawPartner, rawPartner } from './raw-partner.ts';
import type { Ended, Settings, Status } from './site.ts';
import { aWorld, addresses, idFor, indicator, type World } from './world.ts';

// Each starts processes, and other work may keep the machine busy.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const DAY_MS = 86_400_000;
/** How each partner goes wrong after a good first day, and how the state and the log must word it. */
const TROUBLE: readonly {
  readonly name: string;
  readonly options?: TaxiiOptions;
  readonly go: (partner: RunningTaxii) => unknown;
  readonly state: 'recovering' | 'failing';
  readonly says: RegExp;
}[] = [
  { name: 'down', go: (one) => one.close(), state: 'recovering', says: /ECONNREFUSED/ },
  {
    name: 'password',
    go: (one) => one.setQuirks([{ kind: 'unauthorized' }]),
    state: 'failing',
    says: /refused the credentials \(401\)/,
  },
  {
    name: 'truncated',
    go: (one) => one.setFaults([{ match: '/objects/', action: 'truncate' }]),
    state: 'recovering',
    says: /aborted|cut off/,
  },
  { name: 'html', go: (one) => one.setQuirks([{ kind: 'html' }]), state: 'failing', says: /a web page came instead/ },
  {
    name: 'huge',
    go: (one) => one.setQuirks([{ kind: 'huge', bytes: 500_000_000 }]),
    state: 'failing',
    says: /more than 32 MiB/,
  },
  {
    name: 'bomb',
    go: (one) => one.setQuirks([{ kind: 'gzip-bomb', bytes: 500_000_000 }]),
    state: 'failing',
    says: /more than 32 MiB/,
  },
  {
    name: 'busy',
    go: (one) => one.setQuirks([{ kind: 'too-many-requests', secs: 600 }]),
    state: 'recovering',
    says: /429/,
  },
];

describe('a partner that goes wrong', () => {
  let world: World;
  let expired: RunningTaxii;
  let redirecting: RawPartner;
  let elsewhere: RawPartner;
  let dense: RawPartner;
  let crowded: RawPartner;
  const partners = new Map<string, RunningTaxii>();
  let armedBefore: string[];
  let ended: Ended;
  let status: Status;

  beforeAll(async () => {
    world = await aWorld({ taxii: { data: [indicator('198.18.9.9')] } });
    const exchanges: Settings[] = [world.settings()['exchanges'] as unknown as Settings[]].flat();
    for (const [i, { name, options }] of TROUBLE.entries()) {
      const one = await startTaxii({ ...options, data: addresses(3, i * 10).map((value) => indicator(value)) });
      partners.set(name, one);
      exchanges.push(exchange(name, one));
    }
    const tls = selfSigned({ now: Date.now() - 60 * DAY_MS });
    expired = await startTaxii({ tls, data: [indicator('198.18.8.8')] });
    exchanges.push({ ...exchange('certificate', expired), tls: { ca_file: world.site.write('ca.pem', tls.ca) } });
    elsewhere = await rawPartner(JSON.stringify({ objects: [indicator('198.18.7.7')] }));
    redirecting = await rawPartner();
    redirecting.status = 302;
    redirecting.headers['location'] = `${elsewhere.url}collections/x/objects/`;
    exchanges.push({ name: 'redirect', type: 'taxii21', url: redirecting.url, auth: { token: 'never-to-elsewhere' } });
    dense = await rawPartner(JSON.stringify({ objects: [indicator('198.18.6.6')] }));
    crowded = await rawPartner(JSON.stringify({ objects: [indicator('198.18.6.7')] }));
    for (const [name, { url }] of Object.entries({ dense, crowded })) exchanges.push({ name, type: 'taxii21', url });
    world.site.configure(world.settings({ top: { exchanges } }));

    await world.site.entente(['run', '--once', '--patience-secs', '0']);
    armedBefore = world.armed();
    for (const { name, go } of TROUBLE) await go(partners.get(name)!);
    // Small on the wire, and would be ten times as large in memory.
    dense.page = `{"objects":[{"a":${'['.repeat(4_000_000)}${']'.repeat(4_000_000)}}]}`;
    crowded.page = `{"objects":[${'{},'.repeat(700_000)}{}]}`;
    world.taxii.load([indicator('198.18.9.10')]);
    ended = await world.site.entente(['run', '--once', '--patience-secs', '25'], { limitMs: 250_000 });
    expect(ended, ended.stderr).toMatchObject({ code: 1 });
    status = await world.site.ask<Status>(['status']);
  }, 300_000);

  afterAll(async () => {
    for (const one of partners.values()) await one.close().catch(() => {});
    await Promise.all([expired, redirecting, elsewhere, dense, crowded].map((one) => one.close()));
    await world.close();
  });

  function exchange(name: string, one: RunningTaxii): Settings {
    return {
      name,
      type: 'taxii21',
      url: one.apiRoot,
      collections: [one.collections.read],
      auth: { username: one.username, password: one.password },
      // 32 MiB take their time where many tests run at once.
      ...(name === 'huge' || name === 'bomb' ? { timeout_secs: 240 } : {}),
    };
  }
  const about = (name: string) => status.exchanges.find((one) => one.name === name);

  it.each(TROUBLE)('is worded in status and log: $name', ({ name, state, says }) => {
    expect(about(name)).toMatchObject({ state, reason: expect.stringMatching(says) });
    expect(about(name)?.['next_action']).toEqual(expect.any(String));
    expect(logged(ended.stderr, name)).toMatchObject([{ level: state === 'failing' ? 'error' : 'warn' }]);
  });

  it('is worded in status and log: an expired certificate', () => {
    expect(about('certificate')).toMatchObject({
      state: 'failing',
      reason: expect.stringMatching(/certificate has expired/),
    });
    expect(logged(ended.stderr, 'certificate')).toHaveLength(1);
  });

  it('is worded in status and log: an answer that would fill the memory', () => {
    const says = (text: RegExp) => ({ state: 'failing', reason: expect.stringMatching(text) });
    expect(about('dense')).toMatchObject(says(/one answer of more than 2,000,000 values/));
    expect(about('crowded')).toMatchObject(says(/objects: more than 200,000 in one answer/));
  });

  it('is not followed to another host', () => {
    expect(about('redirect')).toMatchObject({ state: 'failing', reason: expect.stringMatching(/redirect|302/) });
    expect(elsewhere.asked).toBe(0);
  });

  it('loses nothing on the SIEM, and the partners that work go on', () => {
    expect(armedBefore).toHaveLength(3 + 3 * TROUBLE.length);
    expect(world.armed()).toEqual([...armedBefore, '198.18.9.10'].sort());
    expect(about('partner')).toMatchObject({ state: 'ok' });
  });
});

describe('a partner whose paging never ends', () => {
  it('is read once and left alone, with everything it had', async () => {
    const world = await aWorld({ taxii: { pageCap: 2, data: addresses(6).map((value) => indicator(value)) } });
    const repeats = await startTaxii({ pageCap: 2, data: addresses(6, 20).map((value) => indicator(value)) });
    try {
      world.taxii.setQuirks([{ kind: 'endless-more' }]);
      repeats.setQuirks([{ kind: 'repeat-page' }]);
      const [one] = world.settings()['exchanges'] as Settings[];
      const second = {
        ...one,
        name: 'repeats',
        url: repeats.apiRoot,
        collections: [repeats.collections.read],
      };
      world.site.configure(world.settings({ top: { exchanges: [one, second] } }));
      const ended = await world.site.entente(['run', '--once', '--patience-secs', '3']);
      const status = await world.site.ask<Status>(['status']);

      expect(world.armed()).toEqual(expect.arrayContaining(addresses(6)));
      expect(requests(world.taxii)).toBeLessThan(60);
      expect(requests(repeats)).toBeLessThan(60);
      expect(ended.stderr).toContain('with empty pages');
      expect(status.exchanges).toMatchObject([
        { name: 'partner', state: 'ok' },
        { name: 'repeats', state: 'failing', reason: expect.stringMatching(/repeats itself/) },
      ]);
    } finally {
      await repeats.close();
      await world.close();
    }
  });
});

describe('a page with bad objects in it', () => {
  it('arms the good ones, and counts and words the bad ones', async () => {
    const world = await aWorld();
    const nested = `${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}`;
    const long = `[ipv4-addr:value = '198.18.1.1'${" AND url:value = 'http://a.example/'".repeat(6000)}]`;
    const twice = indicator('198.18.3.1', { name: 'first' });
    const objects = [
      indicator('198.18.3.2'),
      { type: 'indicator', pattern: "[ipv4-addr:value = '198.18.3.3']" },
      { type: 'indicator', id: idFor('long'), ...patternOf(long) },
      indicator('198.18.3.4', { valid_until: '9999-12-31T23:59:59.999Z' }),
      twice,
      twice,
      { ...twice, name: 'other content', pattern: "[ipv4-addr:value = '198.18.3.5']" },
      indicator('198.18.3.6', { name: 'MARK' }),
      indicator('198.18.3.7', { x_deep: 'DEEP' }),
      indicator('198.18.3.8', { valid_until: 'soon' }),
      7,
      null,
      indicator('198.18.3.9'),
    ];
    const text = JSON.stringify({ objects }).replace('"DEEP"', nested);
    const [head = '', tail = ''] = text.split('MARK');
    const partner = await rawPartner(
      Buffer.concat([Buffer.from(head), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from(tail)]),
    );
    try {
      world.site.configure(
        world.settings({ top: { exchanges: [{ name: 'partner', type: 'taxii21', url: partner.url }] } }),
      );
      const ended = await world.site.entente(['run', '--once']);
      const status = await world.site.ask<Status>(['status']);
      const plan = await world.site.ask<{ siems: { refused: Record<string, number> }[] }>(['plan', '--offline']);

      expect(world.armed()).toEqual(
        expect.arrayContaining(['198.18.3.1', '198.18.3.2', '198.18.3.4', '198.18.3.6', '198.18.3.7', '198.18.3.9']),
      );
      expect(world.armed()).not.toContain('198.18.3.5');
      expect(ended.code).toBe(0);
      expect(status.exchanges[0]).toMatchObject({ state: 'ok' });
      expect(plan.siems[0]?.refused).toEqual({ 'pattern too long': 1, 'valid_until is no timestamp': 1 });
      expect(status.exchanges[0]).toMatchObject({ objects: 13, refused: 2, parked: 3 });
      for (const line of ['2: not an object', '1: id is missing', '1: pattern too long'])
        expect(ended.stdout).toContain(`  refused ${line}\n`);
      expect((await world.site.entente(['status'])).stdout).toMatch(/UNREADABLE.*\npartner +ok +\S+ \S+ +\d+ +2 +3 /);
      const why = await world.site.ask<{ entries: { siems: { until: string }[] }[] }>(['why', '198.18.3.4']);
      expect(Date.parse(why.entries[0]?.siems[0]?.until ?? '')).toBeLessThan(Date.now() + 731 * DAY_MS);
    } finally {
      await partner.close();
      await world.close();
    }
  });
});

function patternOf(pattern: string): object {
  const { id: _id, pattern: _pattern, ...rest } = indicator('198.18.1.1');
  return { ...rest, pattern };
}

const requests = (one: RunningTaxii): number => [...one.requests.values()].reduce((sum, n) => sum + n, 0);

function logged(stderr: string, exchange: string): { level: string; message: string }[] {
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { level: string; message: string; exchange?: string })
    .filter((one) => one.exchange === exchange);
}
