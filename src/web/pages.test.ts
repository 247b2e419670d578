// The pages over HTTP, with a source that says what it was asked: who may act, what is refused, and how bad values look.
import http from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { ExchangeReport, SiemReport, StatusReport } from '../core/model/status.ts';
import { Secret } from '../core/runtime/secret.ts';
import type { Compared } from '../core/store/read/record-between.ts';
import { startWeb, type WebOptions, type WebServer } from './server.ts';
import type { Asked, Chosen, Outcome, PageSource, ValueReport, WebSource } from './source.ts';

const NOW = Date.UTC(2026, 0, 5, 12);
const ODD = 'splunk..hq_-2.x';
const NASTY = '</bdi><script>alert(1)</script>\u202e';
const peer = {
  state: 'ok',
  since: '2026-01-05T11:00:00.000Z',
  reason: null,
  next_action: null,
  last_success: '2026-01-05T11:59:00.000Z',
  last_failure: null,
  next_attempt: null,
} as const;
const siem: SiemReport = {
  ...peer,
  name: ODD,
  type: 'splunk',
  wanted: 5,
  delivered: 4,
  pending: 1,
  parked: 0,
  held: 3,
  rejected: 0,
  oldest_pending_secs: 90,
  secs_left: null,
  drift: 0,
  kept_out: 0,
  hits: { state: 'ok', reason: null },
};
const anExchange = (name: string, state: 'ok' | 'paused'): ExchangeReport => ({
  ...peer,
  name,
  type: 'taxii21',
  next_poll: null,
  objects: 0,
  indicators: 0,
  refused: 0,
  parked: 0,
  held: 0,
  cursor: null,
  collections: [],
  ignored: {},
  report: { state, reason: null },
});
const status: StatusReport = {
  instance: 'soc-one',
  version: '1.2.3',
  state: 'ok',
  since: '2026-01-05T11:00:00.000Z',
  reasons: [],
  exchanges: [],
  siems: [siem],
  never_block: [],
  sweeps: [],
  sightings: { hits: 0, held: 0, denied: 0, queued: 0, sent: 0, failed: 0 },
};
const HELD = {
  id: 7,
  kind: 'removal',
  siem: ODD,
  exchange: 'cert',
  count: 3,
  set: '0a1b2c3d',
  created: '2026-01-05T11:30:00.000Z',
  expires: null,
  reason: NASTY,
} as const;
const unknown = (text: string): ValueReport => ({
  guesses: [{ type: 'url', value: text }],
  entries: [],
  refused: [],
  more: false,
  around: [],
  off: [],
});
const counted = { n: 0, more: false };

let web: WebServer | undefined;
let acted: { asked: Asked; by: string }[] = [];
afterEach(async () => {
  await web?.close();
  web = undefined;
  acted = [];
});

async function pagesOf(
  given: {
    options?: Partial<WebOptions>;
    pages?: Partial<PageSource>;
    source?: Partial<WebSource>;
    outcome?: Outcome;
  } = {},
) {
  const pages: PageSource = {
    now: () => NOW,
    waiting: async () => ({ sets: [HELD], sightings: [], disputed: [] }),
    samples: async () => [],
    value: async (text) => unknown(text),
    held: async (id) =>
      id === 7
        ? { entries: [{ id: 1, type: 'url', value: `http://evil.example/${NASTY}` }], next: undefined }
        : undefined,
    heldSighting: async () => undefined,
    difference: async () => ({
      rows: [],
      next: undefined,
      counts: [
        {
          siem: ODD,
          buckets: { add: counted, change: counted, remove: counted, hold: counted, park: counted, foreign: counted },
        },
      ],
    }),
    exchange: async () => undefined,
    history: async () => [
      {
        id: 3,
        kind: 'outage',
        role: 'siem',
        subject: ODD,
        at: '2026-01-05T10:00:00.000Z',
        until: null,
        counts: {},
        detail: { reason: NASTY },
        seq: null,
      },
    ],
    audit: async () => ({
      size: 1207,
      checkpoint: { size: 1200, at: '2026-01-05T11:57:00.000Z', root: 'AAAA', key: 'key' },
      prunedBelow: 0,
      verified: { at: '2026-01-05T11:58:00.000Z', size: 1200, sound: true, says: null },
    }),
    chosen: async () => ({ rows: [], gone: 0, set: '00000000', standing: {} }),
    compare: async () => ({ told: 'all', siems: [] }),
    valueAt: async () => [],
    act: async (asked, by) => {
      acted.push({ asked, by });
      return given.outcome ?? { done: null };
    },
    ...given.pages,
  };
  web = await startWeb(
    { host: '127.0.0.1', port: 0, loopback: true, hosts: [], token: Secret.of('t0ken'), ...given.options },
    {
      status: async () => status,
      ready: () => true,
      live: () => true,
      metrics: async () => '',
      pages,
      ...given.source,
    },
  );
}

function ask(
  path: string,
  {
    method = 'GET',
    headers = {},
    body = '',
  }: { method?: string; headers?: Record<string, string>; body?: string } = {},
) {
  return new Promise<{ status: number; headers: http.IncomingHttpHeaders; body: string }>((resolve, reject) => {
    const request = http.request(
      `http://127.0.0.1:${web?.port}/`,
      { path, method, headers, agent: false },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

/** As a browser does: signs in, reads the form, and sends it from that page. */
async function signedIn(): Promise<{ cookie: string; form: string }> {
  const signIn = await ask('/sign-in', {
    method: 'POST',
    body: 'token=t0ken',
    headers: { origin: 'null', 'sec-fetch-site': 'same-origin' },
  });
  const cookie = String(signIn.headers['set-cookie']).split(';')[0] ?? '';
  const { body } = await ask('/held', { headers: { cookie } });
  return { cookie, form: /name="form" value="([0-9a-f]{32})"/.exec(body)?.[1] ?? '' };
}

/** The words of one part. */
function textOf(body: string, part: string): string {
  const [, found = ''] = new RegExp(`<section data-part="${part}">([\\s\\S]*?)</section>`).exec(body) ?? [];
  return found.replace(/<[^>]*>/g, '').replace(/&#39;/g, "'");
}

const decide = (form: string, more: Record<string, string> = {}) =>
  new URLSearchParams({
    form,
    id: '7',
    set: '0a1b2c3d',
    decision: 'approve',
    reason: 'asked the partner',
    by: 'Ann',
    ...more,
  }).toString();
const SAME_SITE = { 'sec-fetch-site': 'same-origin', origin: 'null' };

describe('a decision', () => {
  it('goes to the daemon with the code that was shown, the reason and the name', async () => {
    await pagesOf();
    const { cookie, form } = await signedIn();

    const answer = await ask('/held', { method: 'POST', headers: { cookie, ...SAME_SITE }, body: decide(form) });

    expect(answer.status).toBe(200);
    expect(acted).toEqual([
      {
        asked: { kind: 'decide', decision: 'approve', id: '7', set: '0a1b2c3d', reason: 'asked the partner' },
        by: 'Ann',
      },
    ]);
    expect(answer.body).toContain('Approved hold 7');
    // A script that asked for this page again would put the list in the place of what was said.
    expect(answer.body).not.toContain('<script');
  });

  it('of a set that changed is told as refused, in the words of the daemon', async () => {
    await pagesOf({ outcome: { refused: 'hold 7 has changed since it was shown' } });
    const { cookie, form } = await signedIn();

    const answer = await ask('/held', { method: 'POST', headers: { cookie, ...SAME_SITE }, body: decide(form) });

    expect([answer.status, answer.body]).toEqual([
      409,
      expect.stringContaining('hold 7 has changed since it was shown'),
    ]);
  });

  it('is taken from nobody but a page of this session', async () => {
    await pagesOf();
    const { cookie, form } = await signedIn();
    const post = async (headers: Record<string, string>, body: string, path = '/held') =>
      (await ask(path, { method: 'POST', headers, body })).status;

    expect(await post(SAME_SITE, decide(form))).toBe(401);
    expect(await post({ cookie: `${cookie}0`, ...SAME_SITE }, decide(form))).toBe(401);
    expect(await post({ cookie, 'sec-fetch-site': 'cross-site' }, decide(form))).toBe(403);
    expect(await post({ cookie, 'sec-fetch-site': 'same-site' }, decide(form))).toBe(403);
    expect(await post({ cookie, origin: 'https://evil.example' }, decide(form))).toBe(403);
    expect(await post({ cookie, ...SAME_SITE, host: 'evil.example' }, decide(form))).toBe(421);
    expect(await post({ cookie, ...SAME_SITE }, decide('0'.repeat(32)))).toBe(403);
    expect(await post({ cookie, ...SAME_SITE }, decide(''))).toBe(403);
    expect(await post({ cookie, ...SAME_SITE }, `${decide(form)}&x=${'x'.repeat(40_000)}`)).toBe(413);
    expect(await post({ cookie, ...SAME_SITE }, decide(form), '/held/7')).toBe(405);
    expect(acted).toEqual([]);
  });

  it('needs all that it consists of', async () => {
    await pagesOf();
    const { cookie, form } = await signedIn();
    for (const wrong of [
      { reason: ' ' },
      { by: '' },
      { set: 'xyz' },
      { decision: 'maybe' },
      { id: '7 OR 1' },
    ] as Record<string, string>[])
      expect(
        (await ask('/held', { method: 'POST', headers: { cookie, ...SAME_SITE }, body: decide(form, wrong) })).status,
      ).toBe(400);
    expect(acted).toEqual([]);
  });

  it('is nothing that a GET does, nor a page where no token is configured', async () => {
    await pagesOf();
    const { cookie, form } = await signedIn();
    expect((await ask(`/held?${decide(form)}`, { headers: { cookie } })).status).toBe(200);
    await web?.close();

    await pagesOf({ options: { token: undefined as never } });
    const { body } = await ask('/held');
    expect((await ask('/held', { method: 'POST', headers: SAME_SITE, body: decide(form) })).status).toBe(405);
    expect(body).toContain('entente held approve 7 --set 0a1b2c3d --reason TEXT');
    expect(body).not.toContain('<form method="post"');
    expect(acted).toEqual([]);
  });
});

describe('the board of a daemon that lacks a side', () => {
  const cert = anExchange('cert', 'paused');
  it.each<[string, Partial<StatusReport>, string]>([
    [
      'both',
      { exchanges: [], siems: [] },
      'No exchange and no SIEM is configured yet, so there is nothing to keep in step.',
    ],
    ['the exchange', { exchanges: [], siems: [siem] }, 'No exchange is configured yet, so nothing is taken in.'],
    ['the SIEM', { exchanges: [cert], siems: [] }, 'No SIEM is configured yet, so nothing is written anywhere.'],
  ])('says what follows and names the next command: %s', async (_what, sides, words) => {
    await pagesOf({ source: { status: async () => ({ ...status, ...sides }) } });

    const { body } = await ask('/');

    expect(body).toContain(words);
    expect(body).toContain('<code>entente init new.yaml</code>');
  });

  it('is silent about beginning where both are there', async () => {
    await pagesOf({ source: { status: async () => ({ ...status, exchanges: [cert] }) } });

    expect((await ask('/')).body).not.toContain('entente init');
  });
});

describe('a page', () => {
  it('shows what others wrote as text, in its own direction', async () => {
    await pagesOf({
      pages: {
        value: async (text) => ({
          ...unknown(text),
          off: [
            {
              id: 1,
              of: 'suppress',
              type: 'url',
              value: text,
              until: '2026-01-06T00:00:00.000Z',
              by: NASTY,
              reason: NASTY,
            },
          ],
        }),
      },
    });

    for (const path of [
      '/',
      '/held',
      '/held/7',
      `/why?value=${encodeURIComponent(NASTY)}`,
      '/difference',
      '/history',
      `/siem/${ODD}/difference`,
      `/exchange/${encodeURIComponent(NASTY)}`,
    ]) {
      const { body } = await ask(path);
      expect(body).not.toContain('<script>');
      expect(body).not.toContain('\u202e');
    }
    expect((await ask('/held/7')).body).toContain('hxxp://evil[.]example/&lt;/bdi&gt;');
    // A name of usual length is not broken in its middle.
    expect((await ask('/history')).body).toContain(`<bdi class="name">${ODD}</bdi>`);
  });

  it('suggests what somebody called a false positive and is armed, on the board and among decisions', async () => {
    const one = {
      type: 'url',
      value: 'http://evil.example/x',
      said: [ODD, 'by hand'],
      armed: [ODD],
      count: 2,
    } as const;
    const disputed = [{ ...one, last: '2026-01-05T10:00:00.000Z' }];
    await pagesOf({ pages: { waiting: async () => ({ sets: [], sightings: [], disputed }) } });

    const [board, decisions] = [(await ask('/')).body, (await ask('/held')).body];

    expect(board).toContain('1 value that somebody called a false positive is armed');
    expect(board).toContain('href="/held#disputed"');
    expect(decisions).toContain('Called a false positive, and armed');
    expect(decisions).toContain('<a href="/why?value=http%3A%2F%2Fevil.example%2Fx">Take it off</a>');
    expect(decisions).not.toContain('<script>alert');
  });

  it('cuts a value of 8,000 characters, with the whole of it on demand and never as a link', async () => {
    const long = `http://evil.example/${'a'.repeat(7_960)}`;
    await pagesOf();

    const { status: code, body } = await ask(`/why?value=${encodeURIComponent(long)}`);

    expect(code).toBe(200);
    expect(body).toMatch(
      /<details class="long"><summary><bdi>hxxp:\/\/evil\[\.\]example\/a+…<\/bdi> <span class="show">show 7,98\d characters/,
    );
    expect(body).not.toMatch(/href="http/);
  });

  it('stands as one word in a command that is copied into a shell', async () => {
    await pagesOf();
    const command = async (value: string) =>
      /<code>entente suppress (.*?) --hours/.exec((await ask(`/why?value=${encodeURIComponent(value)}`)).body)?.[1];

    expect(await command("http://evil.example/';id")).toBe('&#39;http://evil.example/&#39;\\&#39;&#39;;id&#39;');
    expect(await command('198.51.100.7')).toBe('198.51.100.7');
    expect(await command(`http://evil.example/${'a'.repeat(200)}`)).toBe('VALUE');
  });

  it('is refused for a path that names nothing, however it is spelled', async () => {
    await pagesOf();

    for (const path of [
      '/siem//difference',
      '/siem/none/difference',
      '/held/8',
      '/exchange/%zz',
      '/exchange/..%2f..%2fetc',
      '/../../etc/passwd',
      '/client.ts',
      '/style.css/..%2fclient.ts',
      '/__proto__',
    ])
      expect([path, (await ask(path)).status]).toEqual([path, 404]);
    expect((await ask('//evil.example/')).status).toBe(404);
  });

  it('says of the record how long it is, up to where it is signed, and what the last look found', async () => {
    const shown = async (more: Partial<Awaited<ReturnType<PageSource['audit']>>> = {}) => {
      const state = { size: 3, checkpoint: null, prunedBelow: 0, verified: null, ...more };
      await pagesOf(Object.keys(more).length === 0 ? {} : { pages: { audit: async () => state } });
      const { body } = await ask('/history');
      await web?.close();
      return body
        .replace(/^[\s\S]*data-part="record"/, '')
        .replace(/<\/section>[\s\S]*/, '')
        .replace(/<[^>]*>/g, '');
    };

    expect(await shown()).toContain(
      'as it was written at the last look, 2 min ago. 1,207 records; signed up to 1,200, 3 min ago.',
    );
    expect(await shown({ verified: null })).toContain('not looked at yet. 3 records; never signed yet.');
    const broken = { at: '2026-01-05T11:58:00.000Z', size: 3, sound: false, says: 'record 2 is missing' };
    expect(await shown({ verified: broken })).toContain(
      'not what was written at the last look, 2 min ago: record 2 is missing.',
    );
  });

  it('compares two moments as they were typed, and says where that is more than a page goes through', async () => {
    const asked: number[][] = [];
    let found: Compared = {
      told: 'all',
      siems: [
        {
          siem: ODD,
          counts: { arm: 12, change: 1 },
          armed: Array.from({ length: 12 }, (_, i) => `url|http://evil.example/${i}${NASTY}`),
          disarmed: [],
          changed: ['ipv4-addr|198.51.100.7'],
        },
      ],
    };
    await pagesOf({
      pages: {
        compare: async (from, to) => {
          asked.push([from, to]);
          return found;
        },
      },
    });
    const shown = async (query: string) => textOf((await ask(`/history?${query}`)).body, 'compare');

    const text = await shown('from=2026-01-05T10:00Z&to=30m');
    expect(asked).toEqual([[Date.UTC(2026, 0, 5, 10), NOW - 30 * 60_000]]);
    expect(text).toContain(`${ODD}: 12 armed, 1 changed, 0 disarmed`);
    expect(text).toContain('hxxp://evil[.]example/0');
    expect(text).toContain('and 2 more');
    expect(text).toContain('198.51.100[.]7');
    expect(text).toContain('entente history --compare 2026-01-05T10:00:00.000Z 2026-01-05T11:30:00.000Z');
    await shown('from=2h&to=');
    expect(asked[1]).toEqual([NOW - 2 * 3_600_000, NOW]);

    found = { told: 'all', siems: [] };
    expect(await shown('from=2h')).toContain('Nothing changed in any SIEM');
    found = { told: 'counts', siems: [{ siem: ODD, counts: { arm: 900_000 } }] };
    expect(await shown('from=2h')).toContain('too many values to be named here');
    found = { told: 'nothing' };
    expect(await shown('from=9d')).toContain('more records than a page goes through');
    for (const wrong of ['from=yesterday', 'from=1h&to=2h', 'from=2026-01-05T13:00Z', 'to=1h'])
      expect([wrong, await shown(wrong)]).toEqual([wrong, expect.stringContaining('a time that is past, such as')]);
    expect(asked).toHaveLength(5);
    // Asked for again every second it would be gone through every second.
    expect((await ask('/history?from=2h')).body).not.toContain('<script');
    expect((await ask('/history')).body).toContain('<script');
  });

  it('tells of a value where it was armed at a moment, since when, and by whose word', async () => {
    const asked: [string, number][] = [];
    await pagesOf({
      pages: {
        valueAt: async (text, at) => {
          asked.push([text, at]);
          const nothing = { until: null, marking: null, held: null, record: null, object: null };
          return [
            {
              type: 'ipv4-addr',
              value: text,
              siems: [
                {
                  ...nothing,
                  siem: ODD,
                  state: 'armed',
                  since: '2026-01-04T10:00:00.000Z',
                  reason: 'vouched for by cert',
                  object: NASTY,
                  marking: 'green',
                  held: 'hold 7 (removal)',
                  record: 81,
                },
                { ...nothing, siem: 'other', state: 'unknown', since: null, reason: 'values were pruned' },
              ],
              acts: [
                {
                  record: 80,
                  at: '2026-01-04T09:00:00.000Z',
                  action: 'suppress',
                  by: NASTY,
                  detail: { reason: 'noise' },
                },
              ],
              untold: null,
            },
          ];
        },
      },
    });
    const shown = async (at: string) => textOf((await ask(`/why?value=198.51.100.7&at=${at}`)).body, 'then');

    const text = await shown('2026-01-05T10:00Z');
    expect(asked).toEqual([['198.51.100.7', Date.UTC(2026, 0, 5, 10)]]);
    expect(text).toContain('At 2026-01-05 10:00:00 UTC');
    expect(text).toMatch(/armed, held by hold 7 \(removal\)\s*2026-01-04 10:00:00 UTC/);
    expect(text).toMatch(/vouched for by cert.*TLP:GREEN\s*81/s);
    expect(text).toMatch(/other\s*not known/);
    expect(text).toMatch(/2026-01-04 09:00:00 UTC suppress by .*: noise, record 80/);
    expect(await shown('tomorrow')).toContain('a time that is past, such as');
    expect((await ask('/why?value=198.51.100.7')).body).toContain('name="at"');
  });

  it('tells of an exchange when it is polled next, what came due in vain, and how long certificate and token hold', async () => {
    const shown = async (more: Partial<ExchangeReport>) => {
      const exchange = { ...anExchange('cert', 'ok'), ...more };
      await pagesOf({ source: { status: async () => ({ ...status, exchanges: [exchange] }) } });
      const { body } = await ask('/exchange/cert');
      await web?.close();
      return textOf(body, 'exchange');
    };

    const next = { next_poll: '2026-01-05T12:03:00.000Z', poll_every_secs: 300 };
    const text = await shown({
      ...next,
      polls_late: 0,
      expires: [
        { what: 'token', whose: 'own', at: '2026-01-12T12:00:00.000Z' },
        { what: 'certificate', whose: 'peer', at: '2026-03-10T12:00:00.000Z' },
        { what: 'certificate', whose: 'own', at: '2026-01-05T11:00:00.000Z' },
      ],
    });
    expect(text).toContain('in 3 min, at 12:03:00 UTC; every 5 min by schedule');
    expect(text).toContain('nothing is late');
    expect(text).toContain('our token 7 days left');
    expect(text).toContain('its certificate 64 days left');
    expect(text).toContain('our certificate ended 60 min ago');
    expect(await shown({ ...next, polls_late: 3 })).toContain('3 polls came due since the last that succeeded');
    expect(await shown({ expires: [] })).toContain('neither certificate nor token says when it ends');
    expect(await shown({})).toContain('none is planned');
    // Times within sentences are written as all others.
    expect(await shown({ next_action: 'next attempt at 2026-01-05T12:01:00.419Z' })).toContain(
      'next attempt at 2026-01-05 12:01:00 UTC',
    );
  });

  it('draws the way back into each exchange that is told, and none where none is', async () => {
    const tips = async (...states: ('ok' | 'paused')[]) => {
      const exchanges = states.map((one, i) => anExchange(`e${i}`, one));
      await pagesOf({ source: { status: async () => ({ ...status, exchanges }) } });
      const { body } = await ask('/');
      await web?.close();
      return [body.match(/class="back tip"/g)?.length ?? 0, body.includes('sightings go back')];
    };

    expect(await tips('ok', 'paused', 'ok')).toEqual([2, true]);
    expect(await tips('paused')).toEqual([0, false]);
    // More than there is room for: the last box stands for all the rest.
    expect(await tips(...Array.from({ length: 9 }, (_, i) => (i === 8 ? 'ok' : 'paused')))).toEqual([1, true]);
  });

  it('says that it cannot be shown while the store is closed, and the board goes on', async () => {
    await pagesOf({ source: { pages: undefined } });

    expect((await ask('/')).body).toContain('<h1>soc-one');
    expect((await ask('/held')).status).toBe(503);
  });

  it('asks for the token beyond loopback, comes back to where one was, and never sends one elsewhere', async () => {
    await pagesOf({ options: { loopback: false } });

    const first = await ask('/held/7?after=3');
    const post = (to: string) =>
      ask('/sign-in', { method: 'POST', body: new URLSearchParams({ token: 't0ken', to }).toString() });

    expect([first.status, first.body]).toEqual([401, expect.stringContaining('name="to" value="/held/7?after=3"')]);
    expect((await post('/held/7?after=3')).headers.location).toBe('/held/7?after=3');
    for (const to of ['//evil.example/', 'https://evil.example/', '/\\evil.example', 'javascript:alert(1)', '/metrics'])
      expect((await post(to)).headers.location).toBe('/');
    expect((await ask('/events?page=/')).status).toBe(401);
    expect((await ask('/style.css')).status).toBe(200);
  });
});

describe('rows of the difference', () => {
  const row = {
    siem: ODD,
    exchanges: ['cert'],
    why: 'vouched for, and not there yet',
    wanted: true,
    until: null,
    present: 'no',
    since: '2026-01-05T10:00:00.000Z',
    attempts: 0,
    next: null,
    flying: false,
    hold: null,
    id: null,
  } as const;
  const parked = {
    ...row,
    row: '1-12',
    type: 'url',
    value: 'http://evil.example/',
    bucket: 'park',
    id: '1-12',
  } as const;
  const chosen: Chosen = {
    rows: [{ ...row, row: '1-11', type: 'ipv4-addr', value: '198.51.100.7', bucket: 'add' }, parked],
    gone: 1,
    set: '12ab34cd',
    standing: { [ODD]: 2, other: 0 },
  };
  const given = {
    difference: async () => ({ rows: chosen.rows, next: undefined, counts: [] }),
    chosen: async () => chosen,
  };

  it('can be chosen, one by one or all that are shown, without script', async () => {
    await pagesOf({ pages: given });

    const { body } = await ask('/difference');

    expect(body).toContain('<form id="chosen" action="/difference/chosen"');
    expect(body).toContain(
      '<input type="checkbox" name="row" value="1-11" form="chosen" aria-label="Choose 198.51.100[.]7">',
    );
    expect(body).toContain('<input type="checkbox" name="row" value="1-11,1-12" form="chosen">');
    for (const [what, words] of [
      ['suppress', 'Suppress'],
      ['retry', 'Try again'],
      ['repair', 'Repair'],
    ])
      expect(body).toMatch(new RegExp(`<button name="do" value="${what}">${words}`));
  });

  it('are counted before anything is done with them', async () => {
    const asked: (readonly string[])[] = [];
    await pagesOf({
      pages: {
        ...given,
        chosen: async (rows) => {
          asked.push(rows);
          return chosen;
        },
      },
    });
    const shown = async (what: string) =>
      textOf((await ask(`/difference/chosen?row=1-11,1-12&row=1-13&row=nonsense&do=${what}`)).body, 'plan');

    const suppress = await shown('suppress');
    expect(asked).toEqual([['1-11', '1-12', '1-13']]);
    expect(suppress).toContain('Suppress 2 values');
    expect(suppress).toContain(`They leave 1 SIEM: ${ODD} 2.`);
    expect(suppress).toContain('1 of the chosen rows differs no more and is left out.');
    expect(await shown('retry')).toContain('1 parked row is tried again at the next cycle; 1 is not parked');
    expect(await shown('repair')).toContain(`Repair ${ODD}`);
    expect(await shown('repair')).toContain('all 4 entries that carry our mark there');
    expect((await ask('/difference/chosen?do=suppress')).body).toContain('Nothing was chosen');
    expect((await ask('/difference/chosen?row=1-11&do=purge')).status).toBe(404);
  });

  it('are suppressed, tried again or repaired as they were shown, with a name and a reason', async () => {
    await pagesOf({ pages: given });
    const { cookie, form } = await signedIn();
    const post = (fields: Record<string, string>) =>
      ask('/difference/chosen', {
        method: 'POST',
        headers: { cookie, ...SAME_SITE },
        body: new URLSearchParams({ form, by: 'Ann', ...fields }).toString(),
      });
    const rows = { rows: '1-11,1-12', set: '12ab34cd' };

    const answers = [
      await post({ ...rows, do: 'suppress', hours: '24', reason: 'noise' }),
      await post({ ...rows, do: 'retry' }),
      await post({ do: 'repair', siem: ODD }),
      await post({ ...rows, do: 'suppress', hours: '24' }),
      await post({ ...rows, do: 'suppress', reason: 'noise', hours: '-1' }),
      await post({ do: 'retry', rows: '1-11;DROP', set: '12ab34cd' }),
      await post({ do: 'retry', rows: '1-11' }),
    ];

    expect(answers.map((one) => one.status)).toEqual([200, 200, 200, 400, 400, 400, 400]);
    const shown = { rows: ['1-11', '1-12'], set: '12ab34cd' };
    expect(acted.map(({ asked }) => asked)).toEqual([
      { kind: 'suppress-chosen', ...shown, hours: 24, reason: 'noise' },
      { kind: 'retry-chosen', ...shown },
      { kind: 'reconcile', siem: ODD, repair: true },
    ]);
  });
});

describe('a stream', () => {
  it('says which parts changed, and neither what nor more', async () => {
    let wanted = 5;
    await pagesOf({ source: { status: async () => ({ ...status, siems: [{ ...siem, wanted }] }) } });
    const told: string[] = [];
    const request = http.get(`http://127.0.0.1:${web?.port}/events?page=/`, { agent: false }, (response) => {
      response.on('data', (chunk: Buffer) => told.push(chunk.toString('utf8')));
    });
    request.on('error', () => {});
    const until = async (text: string) => {
      while (!told.join('').includes(text)) await new Promise((resolve) => setTimeout(resolve, 20));
    };

    await until('data: ["*"]');
    wanted = 6;
    await until('"siems"');
    request.destroy();

    expect(told.join('')).toMatch(/event: changed\ndata: \["flow","siems"\]\n\n/);
    expect(told.join('')).not.toContain(ODD);
  });
});
