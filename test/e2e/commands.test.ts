// Every command of the public interface as an outside user sees it: what it prints, where, and how it exits.
import { existsSync } from 'node:fs';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { inProcess } from './in-process.ts';
import type { Status } from './site.ts';
import { addresses, aWorld, idFor, INDEX, indicator, type World } from './world.ts';

// Each starts processes, and other work may keep the machine busy.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const time = expect.stringMatching(RFC3339);

let world: World;
beforeEach(async () => {
  world = await aWorld();
  world.site.configure(world.settings());
});
afterEach(() => world.close());

describe('check', () => {
  it('names every problem at once with line and column, and exits 2', async () => {
    world.site.write(
      'bad.yaml',
      'instance: SOC One\nlistne: 1\nexchanges:\n  - { name: a, type: taxi, url: x }\nsiems: []\npolicy: { max_days: -1 }\n',
    );
    const { code, stdout, stderr } = await world.site.entente(['check', '-c', 'bad.yaml']);

    expect([code, stdout]).toEqual([2, '']);
    const lines = stderr.trim().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(4);
    for (const line of lines) expect(line).toMatch(/^bad\.yaml:\d+:\d+ \S+: .+/);
    for (const key of ['instance', 'listne', 'type', 'max_days']) expect(stderr).toContain(key);
  });

  it('probes every peer with the rights of real work and changes nothing there', async () => {
    const good = await world.site.entente(['check', '--probe']);
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(good.stdout).toMatch(/ok +partner .*\n.*ok +watch/);
    expect(
      [...world.elastic.requests.keys()].filter(
        (one) => /^(PUT|POST|DELETE) /.test(one) && !/_search|_has_privileges|_simulate/.test(one),
      ),
    ).toEqual([]);

    world.site.configure(world.settings({ siem: { auth: { api_key: 'bm90OmtleQ==' } } }));
    const bad = await world.site.entente(['check', '--probe']);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(/failed +watch .*401/);
  });
});

describe('run --once', () => {
  it('exits 0 with nothing left, and 1 in time with what a silent SIEM left over', async () => {
    world.taxii.load(addresses(3).map((value) => indicator(value)));
    const good = await world.site.entente(['run', '--once']);
    expect([good.code, world.armed()]).toEqual([0, addresses(3)]);
    expect(good.stdout).toContain('Read 3 objects, wrote 3 changes.');

    world.taxii.load([indicator('198.18.1.1')]);
    world.elastic.setFaults([{ match: '/', action: 'hang' }]);
    world.site.configure(world.settings({ siem: { timeout_secs: 1 } }));
    const started = performance.now();
    const silent = await world.site.entente(['run', '--once', '--patience-secs', '2']);

    expect(silent.code).toBe(1);
    expect(silent.stderr).toContain('watch: 1 changes are not delivered');
    expect(performance.now() - started).toBeLessThan(12_000);
  });

  it('is interrupted by SIGTERM with exit 1', async () => {
    world.taxii.setFaults([{ match: '/objects/', action: 'hang' }]);
    const running = world.site.start(['run', '--once']);
    await running.until(/x/, 100).catch(() => {});
    for (let i = 0; i < 200 && world.taxii.requests.size === 0; i++) await new Promise((go) => setTimeout(go, 50));

    const { code, stderr } = await running.kill('SIGTERM');
    expect(code).toBe(1);
    expect(stderr).toContain('interrupted');
  });
});

describe('answers for machines', () => {
  it('have the shapes of the public interface', async () => {
    world.taxii.load([
      indicator('198.18.0.1', { confidence: 80 }),
      indicator('198.18.0.2', { id: idFor('amber+strict'), confidence: 5 }),
      indicator('198.18.0.3', { id: idFor('sigma'), pattern_type: 'sigma', pattern: 'title: x' }),
    ]);
    world.site.configure(world.settings({ top: { policy: { min_confidence: 10 } } }));

    const plan = await world.site.ask(['plan']);
    expect(plan).toEqual({
      siems: [
        {
          name: 'watch',
          add: 1,
          change: 0,
          remove: 0,
          held: 0,
          refused: { 'confidence 5 is below 10': 1, 'pattern type sigma': 1 },
          by_type: { 'ipv4-addr': 1 },
        },
      ],
    });
    expect(existsSync(world.site.state)).toBe(false);

    const once = await world.site.entente(['run', '--once']);
    expect(once.code).toBe(0);
    const status = await world.site.ask<Status>(['status']);
    expect(status).toEqual({
      instance: 'soc-one',
      never_block: [
        { list: 'documentation', action: 'note', entries: null, left_out: 0, refused: 0, noted: 2, problems: [] },
      ],
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      state: 'ok',
      since: time,
      reasons: expect.any(Array),
      exchanges: [
        expect.objectContaining({
          name: 'partner',
          type: 'taxii21',
          state: 'ok',
          since: time,
          reason: null,
          next_action: null,
          last_success: time,
          last_failure: null,
          objects: 3,
          indicators: 3,
          refused: 1,
          parked: 0,
          held: 0,
          cursor: expect.any(String),
          report: { state: 'paused', reason: expect.any(String), condition: 'idle', runbook: 'docs/runbook.md#idle' },
        }),
      ],
      siems: [
        expect.objectContaining({
          name: 'watch',
          type: 'elastic',
          state: 'ok',
          since: time,
          reason: null,
          next_action: null,
          last_success: time,
          last_failure: null,
          wanted: 1,
          delivered: 1,
          pending: 0,
          parked: 0,
          held: 0,
          oldest_pending_secs: 0,
          drift: 0,
          hits: { state: 'paused', reason: expect.any(String), condition: 'idle', runbook: 'docs/runbook.md#idle' },
        }),
      ],
      sweeps: [],
      conditions: [],
      sightings: { hits: 0, held: 0, denied: 0, queued: 0, sent: 0, failed: 0 },
    });

    const why = await world.site.ask<{ entries: unknown[] }>(['why', '198.18.0[.]1']);
    expect(why).toMatchObject({
      value: '198.18.0[.]1',
      entries: [
        {
          type: 'ipv4-addr',
          value: '198.18.0.1',
          claims: [
            {
              exchange: 'partner',
              object_id: idFor('198.18.0.1'),
              modified: expect.any(String),
              tlp: null,
              pap: null,
              confidence: 80,
              valid_until: time,
              decisions: [{ siem: 'watch', decision: 'accept', reason: expect.any(String) }],
            },
          ],
          siems: [
            {
              name: 'watch',
              state: 'delivered',
              reason: expect.any(String),
              since: time,
              until: time,
              next_action: expect.stringMatching(/^it expires at \S+Z and is removed then/),
            },
          ],
          hits: {},
          releases: [],
        },
      ],
    });
    expect(await world.site.ask(['why', '198.18.0.2'])).toMatchObject({
      entries: [
        {
          claims: [{ decisions: [{ decision: 'refuse', reason: 'confidence 5 is below 10' }] }],
          siems: [
            {
              state: 'not_wanted',
              next_action:
                'refused: confidence 5 is below 10; would need a higher confidence from the partner, or policy.min_confidence of at most 5',
            },
          ],
        },
      ],
    });
    expect((await world.site.entente(['why', '198.18.0.1'])).stdout).toMatch(
      /\nNext, at watch: it expires at \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ and is removed then/,
    );
    const unknown = await world.site.entente(['why', '203.0.113.99', '--json']);
    expect([unknown.code, (JSON.parse(unknown.stdout) as { entries: unknown }).entries]).toEqual([0, []]);

    expect(await world.site.ask(['reconcile'])).toEqual({
      siems: [{ name: 'watch', wanted: 1, pending: 0, present: 1, missing: [], stale: [], orphaned: [], foreign: 0 }],
    });
  });
});

describe('reconcile', () => {
  it('finds what foreign hands did, exits 1, and with --repair puts ours right and leaves theirs alone', async () => {
    world.taxii.load(addresses(4).map((value) => indicator(value)));
    await world.site.entente(['run', '--once']);
    const documents = world.elastic.documents(INDEX);
    const ids = new Map(
      Object.entries(documents).map(([id, one]) => [
        (one as { threat: { indicator: { name: string } } }).threat.indicator.name,
        id,
      ]),
    );
    const stale = documents[ids.get('198.18.0.2')!] as Record<string, unknown>;
    const orphan = structuredClone(stale) as { entente: { key: string; revision: number } };
    orphan.entente.key = 'ipv4-addr|198.18.77.77';
    await put('DELETE', `/${INDEX}/_doc/${ids.get('198.18.0.1')}`);
    await put('PUT', `/${INDEX}/_doc/${ids.get('198.18.0.2')}`, {
      ...stale,
      entente: { ...(stale['entente'] as object), revision: 1 },
    });
    // A snapshot that an administrator played back brings an old entry under its own id.
    const orphanId = elastic.slot('ipv4-addr', '198.18.77.77', { index: INDEX });
    await put('PUT', `/${INDEX}/_doc/${orphanId}`, orphan);
    await put('PUT', `/${INDEX}/_doc/analyst`, { threat: { indicator: { name: '198.18.0.1' } }, note: 'mine' });
    await put('POST', `/${INDEX}/_refresh`);

    const found = await world.site.entente(['reconcile', '--json']);
    expect(found.code).toBe(1);
    expect(JSON.parse(found.stdout)).toEqual({
      siems: [
        {
          name: 'watch',
          wanted: 4,
          pending: 0,
          present: expect.any(Number),
          missing: ['ipv4-addr|198.18.0.1'],
          stale: ['ipv4-addr|198.18.0.2'],
          orphaned: ['ipv4-addr|198.18.77.77'],
          foreign: 1,
        },
      ],
    });

    const repaired = await world.site.entente(['reconcile', '--repair', '--json']);
    // Nobody here knows the orphan: it may be news of the partner, so it goes after the next full poll.
    expect(repaired.code).toBe(1);
    expect(JSON.parse(repaired.stdout)).toMatchObject({
      siems: [{ missing: [], stale: [], orphaned: ['ipv4-addr|198.18.77.77'] }],
    });
    await world.site.entente(['run', '--once']);
    expect(await world.site.entente(['reconcile'])).toMatchObject({ code: 0 });
    const after = world.elastic.documents(INDEX);
    expect(after['analyst']).toEqual({ threat: { indicator: { name: '198.18.0.1' } }, note: 'mine' });
    expect(Object.keys(after).sort()).toEqual([...ids.values(), 'analyst'].sort());
  });

  const put = async (method: string, path: string, body?: unknown): Promise<void> => {
    const basic = Buffer.from(`${world.elastic.username}:${world.elastic.password}`).toString('base64');
    const answer = await fetch(`${world.elastic.url}${path}`, {
      method,
      headers: { authorization: `Basic ${basic}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect(answer.ok, `${method} ${path}: ${answer.status}`).toBe(true);
  };
});

describe('purge', () => {
  it('is refused while the SIEM is live, says what without --yes, and empties one in shadow mode', async () => {
    world.taxii.load(addresses(3).map((value) => indicator(value)));
    await world.site.entente(['run', '--once']);
    const live = await world.site.entente(['purge', '--siem', 'watch', '--yes']);
    expect([live.code, world.armed().length]).toEqual([1, 3]);
    expect(live.stderr).toContain('watch is live; set enabled: false or mode: shadow first');

    world.site.configure(world.settings({ siem: { mode: 'shadow' } }));
    const asked = await world.site.entente(['purge', '--siem', 'watch']);
    expect([asked.code, world.armed().length]).toEqual([0, 3]);
    expect(asked.stdout).toContain('3 entries of soc-one');

    const done = await world.site.entente(['purge', '--siem', 'watch', '--yes']);
    expect([done.code, done.stdout, world.armed()]).toEqual([0, 'Removed 3 entries from watch.\n', []]);
    expect(done.stderr).toMatch(/Removed 1 control records\. On purpose stays: the index .*its templates/);
    expect(world.elastic.documents('entente-control')).toEqual({});
  });
});

describe('suppress', () => {
  it('works without a daemon: listed at once, off at the next run, back once lifted', async () => {
    world.taxii.load(addresses(2).map((value) => indicator(value)));
    await world.site.entente(['run', '--once']);
    const wrong = await world.site.entente(['suppress', 'not/a value', '--hours', '1', '--reason', 'x']);
    expect(wrong.code).toBe(2);
    const { ids } = await world.site.ask<{ ids: number[] }>([
      'suppress',
      '198.18.0.1',
      '--hours',
      '1',
      '--reason',
      'x',
    ]);
    await world.site.entente(['run', '--once']);
    expect(world.armed()).toEqual(['198.18.0.2']);

    await world.site.entente(['suppress', 'lift', String(ids[0])]);
    expect((await world.site.entente(['suppress', 'list'])).stdout).toBe('No value is suppressed.\n');
    await world.site.entente(['run', '--once']);
    expect(world.armed()).toEqual(addresses(2));
  });
});

describe('what is typed wrong', () => {
  it('is answered in a sentence, and changes nothing', async () => {
    world.taxii.load([indicator('198.18.0.1')]);
    await world.site.entente(['run', '--once']);
    world.site.configure(world.settings({ siem: { clearance: 'green' } }), 'new.yaml');
    const taken = new URL(world.elastic.url).port;
    const wrong: [string[], number, string][] = [
      [['suppress', '198.18.0.1', '--hours', '1e12', '--reason', 'x'], 2, '--hours needs a number above 0'],
      [
        ['suppress', '198.18.0.1', '--hours', '1', '--reason', ' '],
        2,
        'suppress needs one VALUE, --hours and --reason',
      ],
      [['suppress', '198.18.0.1', '198.18.0.2', '--hours', '1', '--reason', 'x'], 2, 'suppress needs one VALUE'],
      [['reconcile', 'watch', '--repair'], 2, '"watch" is too much for reconcile'],
      [
        ['held', 'list', '--kind', 'nonsense'],
        2,
        '--kind nonsense is none; there is intake, removal, addition, sighting',
      ],
      [['held', 'show', '4'], 1, 'nothing is held under 4'],
      [['held', 'list', '--exchange', 'partnr'], 2, 'no exchange partnr; configured: partner'],
      [['refused', 'list', '--exchange', 'partnr'], 2, 'no exchange partnr; configured: partner'],
      [['reconcile', '--siem', 'wach'], 2, 'no SIEM named wach; configured: watch'],
      [['purge', '--siem', 'wach'], 2, 'no SIEM named wach; configured: watch'],
      [['purge', '--siem', 'wach', '--yes'], 2, 'no SIEM named wach; configured: watch'],
      [['why', ' '], 2, 'why needs one value'],
      [['audit'], 2, 'audit needs verify, export or rotate'],
      [['rehearse', '--config', 'new.yaml', '--record', 'state'], 1, 'state is a folder, no record'],
      [['backup', '/nowhere/b.db'], 1, 'no backup was made: unable to open database'],
      [['simulate', 'taxii', '--port', taken], 1, 'simulate taxii: listen EADDRINUSE'],
      [['simulate', 'taxii', '--faults', '{'], 2, 'simulate taxii: '],
      [['simulate', 'taxii', '--data', '/nowhere'], 2, 'simulate taxii: ENOENT'],
    ];
    for (const [args, code, says] of wrong)
      expect(await world.site.entente(args)).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(says) });
    expect((await world.site.entente(['suppress', 'list'])).stdout).toBe('No value is suppressed.\n');

    world.site.configure(world.settings({ top: { listen: `127.0.0.1:${taken}` } }));
    const run = await world.site.entente(['run']);
    expect([run.code, run.stderr]).toEqual([1, expect.stringMatching(/cannot listen on 127.0.0.1:\d+: .*EADDRINUSE/)]);
    expect(run.stderr).not.toMatch(/(\n|\\n)\s+at /);
  });

  it('shows the host of a URL that was pasted, and says of what is no value that it is none', async () => {
    world.taxii.load([indicator('198.18.0.1')]);
    await world.site.entente(['run', '--once']);

    const url = await world.site.entente(['why', 'hxxp://198.18.0[.]1/a']);
    expect([url.code, url.stdout]).toEqual([0, expect.stringContaining('See also 198.18.0.1 (ipv4-addr)')]);
    const none = await world.site.entente(['why', 'no such thing']);
    expect([none.code, none.stdout]).toEqual([0, expect.stringContaining('is no address')]);
  });
});

describe('a list', () => {
  it('that its flags leave empty does not say that there is nothing', async () => {
    const unexplained = ['marking-definition--11111111-2222-4333-8444-555555555555'];
    world.taxii.load([
      indicator('198.18.0.1', { object_marking_refs: unexplained }),
      indicator('a', { pattern_type: 'sigma', pattern: 'title: x' }),
    ]);
    await world.site.entente(['run', '--once']);
    const says = async (...args: string[]) => (await world.site.entente(args)).stdout;

    expect(await says('held', 'list', '--kind', 'removal')).toBe(
      'Nothing that fits waits for a person; entente held list shows 1.\n',
    );
    expect(await says('held', 'list', '7')).toContain('Nothing that fits');
    expect(await says('refused', 'list', '--reason', 'pattern_type_yara')).toBe('Nothing that fits is refused.\n');
  });

  it('that is cut says so', async () => {
    world.taxii.load(addresses(10_001).map((value) => indicator(value)));
    world.site.configure(world.settings());
    const plan = await world.site.entente(['plan', '--list']);
    expect(plan.stdout.match(/^ {2}add /gm)).toHaveLength(10_000);
    expect(plan.stderr).toContain('watch: only the first 10,000 are listed');

    world.site.configure(world.settings({ siem: { max_entries: 2 } }));
    await world.site.entente(['run', '--once']);
    const parked = await world.site.entente(['parked', 'list']);
    expect(parked.stdout.match(/198\.18\./g)).toHaveLength(1000);
    expect(parked.stderr).toContain('only the first 1,000 are shown');

    const db = new DatabaseSync(world.site.state);
    db.exec(`WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 10001)
      INSERT INTO history (kind, role, subject, at, until, counts, detail)
      SELECT 'poll', 'exchange', 'partner', ${Date.now() - 60_000} + x, ${Date.now() - 60_000} + x, '{"polls":1}', '{}' FROM n`);
    db.close();
    const history = await world.site.entente(['history']);
    expect(history.stdout.match(/\n/g)).toHaveLength(10_001);
    expect(history.stderr).toContain('only the newest 10,000 are shown');
  });
});

describe('simulate', () => {
  it.each([
    ['taxii', ['kind', 'url', 'discovery', 'username', 'password', 'collections']],
    ['elastic', ['kind', 'url', 'username', 'password', 'api_key']],
  ])('%s prints its one line and ends with SIGTERM', async (kind, keys) => {
    const running = world.site.start(['simulate', kind, '--port', '0']);
    await running.until(/\n/);
    const line = JSON.parse(running.stdout) as { kind: string; url: string };

    expect(Object.keys(line)).toEqual(keys);
    expect(line.kind).toBe(kind);
    expect((await fetch(`${new URL(line.url).origin}/_sim/state`)).status).toBe(200);
    expect((await running.kill('SIGTERM')).code).toBe(0);
  });
});

describe('the command line', () => {
  it('refuses what it does not know with exit 2 and a hint', async () => {
    const command = await world.site.entente(['stauts']);
    const flag = await world.site.entente(['run', '--onse']);

    expect([command.code, flag.code]).toEqual([2, 2]);
    expect(command.stderr).toContain('did you mean status?');
    expect(flag.stderr).toContain('did you mean --once?');
  });

  it('speaks of no last run where there was none', async () => {
    const { code, stderr } = await inProcess(world.site, 'status');

    expect([code, stderr]).toEqual([1, `there is no state at ${world.site.state} yet; start with: entente run\n`]);
  });

  it('has an example in the help of every command', async () => {
    const { stdout } = await world.site.entente(['--help']);
    const names = [...stdout.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, name]) => name!);
    expect(names).toEqual(
      expect.arrayContaining(
        'run check plan status why suppress held parked reconcile purge backup demo simulate audit pattern'.split(' '),
      ),
    );

    for (const name of names)
      expect(await inProcess(world.site, name, '--help')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/Example:\n {2}entente /),
      });
  });
});
