// Splunk behind what stands before real ones, through the launcher: a balancer over two search heads, a firewall that
// refuses one value, an ingress that lost its way, and a port that is no management port.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type RunningSplunk, startSplunk } from '../../src/simulators/splunk/index.ts';
import { idFor, indicator, aWorld, type World } from './world.ts';

let world: World;
let splunk: RunningSplunk;
beforeEach(async () => {
  world = await aWorld();
  splunk = await startSplunk();
});
afterEach(async () => {
  await world.close();
  await splunk.close();
});

interface SiemStatus {
  readonly name: string;
  readonly state: string;
  readonly reason: string | null;
  readonly delivered: number;
  readonly parked: number;
}
const PAGE = { headers: { 'content-type': 'text/html' }, body: '<html><body>Request Rejected</body></html>' };
const BAD = 'https://listed.example/?f=../../etc/passwd';
const url = (value: string) => ({ ...indicator(value, { pattern: `[url:value = '${value}']` }), id: idFor(value) });

function configure(auth: object = { token: splunk.token }): void {
  const { siems, ...settings } = world.settings();
  const own = { name: 'hq', type: 'splunk', url: splunk.url, auth };
  world.site.configure({ ...settings, siems: [own, ...(siems as object[])] });
}
const statusOf = async (name = 'hq'): Promise<SiemStatus | undefined> =>
  (await world.site.ask<{ siems: SiemStatus[] }>(['status'])).siems.find((one) => one.name === name);
const held = (): string[] =>
  ['entente_ip', 'entente_url']
    .flatMap((name) => [...splunk.documents('entente', name).values()])
    .flatMap((row) => (typeof row['entry_key'] === 'string' ? [row['entry_key']] : []))
    .sort();

it('parks the one value that a firewall refuses, among values of several collections, and delivers the others', {
  timeout: 90_000,
}, async () => {
  splunk.setFaults([{ match: 'POST', holds: 'etc/passwd', action: 'status', status: 403, ...PAGE }]);
  const good = ['https://listed.example/a', 'https://listed.example/b'];
  world.taxii.load([indicator('198.18.0.1'), url(good[0]!), url(BAD), url(good[1]!), indicator('198.18.0.2')]);
  configure();

  await world.site.entente(['run', '--once', '--patience-secs', '40']);

  const expected = ['ipv4-addr|198.18.0.1', 'ipv4-addr|198.18.0.2', ...good.map((one) => `url|${one}`)];
  expect(held()).toEqual(expected);
  expect(await statusOf()).toMatchObject({ delivered: 4, parked: 1 });
  expect(await statusOf('watch')).toMatchObject({ state: 'ok', delivered: 5, parked: 0 });
  const why = await world.site.entente(['why', BAD]);
  expect(why.stdout).toContain('refused by something in between (403, a web page)');

  world.taxii.load([indicator('198.18.0.3'), url('https://listed.example/c')]);
  await world.site.entente(['run', '--once', '--patience-secs', '40']);
  expect(held()).toEqual([...expected, 'ipv4-addr|198.18.0.3', 'url|https://listed.example/c'].sort());
});

it('works with a session on two search heads behind a balancer with a cookie, and says what is wrong without', {
  timeout: 90_000,
}, async () => {
  splunk.state.settings.searchHeads = 2;
  world.taxii.load([indicator('198.18.0.1')]);
  configure({ username: splunk.username, password: splunk.password });

  const ran = await world.site.entente(['run', '--once']);
  splunk.state.settings.balancerCookie = '';
  const check = await world.site.entente(['check', '--probe']);

  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  expect(held()).toEqual(['ipv4-addr|198.18.0.1']);
  expect(check.stdout + check.stderr).toContain('another search head answers');
});

it('does not make collections of an ingress without a way, and says what it is', { timeout: 90_000 }, async () => {
  world.taxii.load([indicator('198.18.0.1')]);
  configure();
  // What is read goes astray; whoever believed that nothing is there could make it.
  splunk.setFaults(
    ['GET /services/apps', 'GET /servicesNS'].map((match) => ({ match, action: 'status', status: 404, ...PAGE })),
  );

  const ran = await world.site.entente(['run', '--once', '--patience-secs', '3']);

  expect(ran.code).toBe(1);
  expect(splunk.state.apps.has('entente')).toBe(false);
  expect(await statusOf()).toMatchObject({
    state: 'failing',
    reason: expect.stringContaining('refused by something in between (404, a web page)'),
  });
  splunk.setFaults([]);
  expect((await world.site.entente(['run', '--once'])).code).toBe(0);
  expect(held()).toEqual(['ipv4-addr|198.18.0.1']);
});

it.each(['https:///splunk.example/', 'https:splunk.example', 'https:\\\\splunk.example', 'https://splunk.example /'])(
  'refuses the URL %s before any name is looked up',
  { timeout: 60_000 },
  async (malformed) => {
    configure();
    const { siems, ...settings } = world.settings();
    const wrong = { name: 'hq', type: 'splunk', url: malformed, auth: { token: splunk.token } };
    world.site.configure({ ...settings, siems: [wrong, ...(siems as object[])] });

    const check = await world.site.entente(['check', '--probe']);

    expect(check.code).not.toBe(0);
    expect(check.stdout + check.stderr).toContain('such as https://host/');
    expect(check.stdout + check.stderr).not.toMatch(/ENOTFOUND|EAI_AGAIN/);
  },
);
