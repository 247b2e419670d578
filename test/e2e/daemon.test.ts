// The daemon as operators and probes see it: what each path means, signals, and commands beside it.
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventually, moment, type Settings, type Status } from './site.ts';
import { addresses, aWorld, indicator, revoked, type World } from './world.ts';

// Each starts processes, and other work may keep the machine busy.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const EVERY_SECOND = '* * * * * *';

let world: World;
beforeEach(async () => {
  world = await aWorld();
  world.site.configure(world.settings());
});
afterEach(() => world.close());

describe('the probes', () => {
  it('mean life, first contact and trouble; a dead SIEM blocks neither start nor readiness', async () => {
    world.taxii.load(addresses(2).map((value) => indicator(value)));
    world.elastic.setFaults([
      { match: '/', action: 'status', status: 401, body: '{"error":{"type":"security_exception","reason":"x"}}' },
    ]);
    const daemon = await world.site.daemon();
    expect((await daemon.get('/livez')).code).toBe(200);
    await daemon.ready();

    const health = await daemon.get('/health');
    expect(health.code).toBe(503);
    expect(JSON.parse(health.text)).toMatchObject({ state: 'failing', reasons: [expect.stringContaining('watch: ')] });
    const status = await daemon.status();
    expect(status).toMatchObject({
      exchanges: [{ state: 'ok', indicators: 2 }],
      siems: [{ state: 'failing', reason: expect.stringContaining('401'), wanted: 2, delivered: 0, pending: 2 }],
    });
    expect((await daemon.get('/livez')).code).toBe(200);
    const metrics = (await daemon.get('/metrics')).text;
    expect(metrics).toMatch(/^entente_\w+\{[^}]*siem="watch"[^}]*\} \d/m);

    world.elastic.setFaults([]);
    const { code } = await daemon.stop();
    expect(code).toBe(0);
  });

  it('show a SIEM that is silent as recovering, not as trouble, and it heals by itself', async () => {
    world.taxii.load([indicator('198.18.0.1')]);
    world.elastic.setFaults([{ match: '/', action: 'status', status: 503, times: 2 }]);
    const daemon = await world.site.daemon();
    await daemon.until((one) => one.siems[0]?.state === 'recovering');
    expect((await daemon.get('/health')).code).toBe(200);

    await daemon.until((one) => one.siems[0]?.state === 'ok' && one.siems[0]['delivered'] === 1);
    expect(world.armed()).toEqual(['198.18.0.1']);
    expect((await daemon.stop()).code).toBe(0);
  });
});

describe('signals', () => {
  it('SIGHUP applies a good configuration, keeps the old one beside a bad one and says so', async () => {
    world.taxii.load([indicator('198.18.0.1', { confidence: 30 }), indicator('198.18.0.2', { confidence: 90 })]);
    const daemon = await world.site.daemon();
    await eventually(() => safely(world).length === 2, 'both are armed');

    world.site.write('entente.yaml', 'instance: [');
    daemon.process.signal('SIGHUP');
    const bad = await daemon.until((one) => one.reasons.some((reason) => reason.includes('not used')));
    expect(bad.state).not.toBe('failing');
    expect(bad.conditions).toMatchObject([{ condition: 'reload-refused', runbook: 'docs/runbook.md#reload-refused' }]);
    expect((await world.site.entente(['status'])).stdout).toContain('docs/runbook.md#reload-refused');
    expect(daemon.process.stderr).toContain('The new configuration is not used; the old one runs on.');

    world.site.configure(world.settings({ top: { policy: { min_confidence: 50 }, listen: new URL(daemon.url).host } }));
    daemon.process.signal('SIGHUP');
    await eventually(() => safely(world).join() === '198.18.0.2', 'the stricter policy holds');
    await eventually(
      async () => (await daemon.status().catch(() => undefined))?.reasons.length === 0,
      'no reason is left',
    );

    const good = world.settings({ top: { policy: { min_confidence: 50 }, listen: new URL(daemon.url).host } });
    world.site.configure({ ...good, state: './elsewhere.db' });
    daemon.process.signal('SIGHUP');
    await daemon.until((one) => one.reasons.some((reason) => reason.includes('another state file')));
    world.site.configure(good);
    const status = await world.site.entente(['status']);
    expect([status.code, status.stderr]).toEqual([0, '']);
    expect(status.stdout).toContain('another state file');
    expect((await daemon.stop()).code).toBe(0);
  });

  it('SIGHUP with what cannot be started, or is for another state, leaves the old one running', async () => {
    const daemon = await world.site.daemon();
    const listen = new URL(daemon.url).host;
    const taken = new URL(world.elastic.url).host;
    world.site.configure(world.settings({ top: { listen: taken } }));
    daemon.process.signal('SIGHUP');
    // It listened on a free port, and does so again on another.
    const url = await daemon.process.until(/EADDRINUSE[\s\S]*listens on (http:\S+)/);
    const again = JSON.parse(await (await fetch(`${url}/status`)).text()) as Status;
    expect(again.reasons.join()).toContain('could not be started');

    world.site.configure(world.settings({ top: { listen, instance: 'soc-two' } }));
    daemon.process.signal('SIGHUP');
    await daemon.process.until(/names another instance, but this state belongs to soc-one/);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect((await daemon.stop()).code).toBe(0);
  });

  it('SIGHUP while a reload is under way ends nothing', async () => {
    const daemon = await world.site.daemon();
    const listen = new URL(daemon.url).host;
    world.site.configure(world.settings({ top: { listen } }));
    for (let i = 0; i < 40; i++) {
      daemon.process.signal('SIGHUP');
      await moment(25);
    }
    await eventually(async () => (await daemon.get('/livez').catch(() => undefined))?.code === 200, 'it lives');
    expect((await daemon.stop()).code).toBe(0);
  });
});

describe('beside a running daemon', () => {
  it('commands are carried out by it, readings are its own, and a second one is refused by name', async () => {
    world.taxii.load(addresses(3).map((value) => indicator(value)));
    const daemon = await world.site.daemon();
    await eventually(() => safely(world).length === 3, 'all are armed');

    const second = await world.site.entente(['run']);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`held by entente run, pid ${daemon.process.pid}`);

    const off = await world.site.ask<{ ids: number[] }>([
      'suppress',
      '198.18.0[.]1',
      '--hours',
      '2',
      '--reason',
      'scanner',
      '--by',
      'ana',
    ]);
    await eventually(() => safely(world).length === 2, 'it is off the list');
    const { suppressions } = await world.site.ask<{ suppressions: object[] }>(['suppress', 'list']);
    expect(suppressions).toMatchObject([{ id: off.ids[0], value: '198.18.0.1', reason: 'scanner', by: 'ana' }]);
    expect(await world.site.ask(['why', '198.18.0.1'])).toMatchObject({
      entries: [{ siems: [{ state: 'not_wanted', reason: expect.stringContaining('scanner') }] }],
    });
    expect((await world.site.entente(['suppress', 'lift', String(off.ids[0])])).code).toBe(0);
    await eventually(() => safely(world).length === 3, 'it is back');

    expect((await world.site.entente(['backup', 'copy.db'])).code).toBe(0);
    const again = await world.site.entente(['backup', 'copy.db']);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('move that file away, then try again')]);
    expect((await world.site.ask<{ siems: object[] }>(['reconcile'])).siems).toMatchObject([
      { wanted: 3, missing: [] },
    ]);
    expect(await world.site.ask<Status>(['status'])).toMatchObject({ state: 'ok', siems: [{ delivered: 3 }] });
    expect((await daemon.stop()).code).toBe(0);
    expect((await world.site.entente(['status'])).stderr).toContain('No daemon runs on this state');
  });
});

describe('time', () => {
  it('takes an entry off at its moment under a set clock', async () => {
    const until = Date.parse('2026-03-01T12:00:00Z');
    const facts = {
      valid_from: '2026-02-01T00:00:00Z',
      created: '2026-02-01T00:00:00.000Z',
      modified: '2026-02-01T00:00:00.000Z',
    };
    world.taxii.load([
      indicator('198.18.0.1', { ...facts, valid_until: '2026-03-01T12:00:00Z' }),
      indicator('198.18.0.2', { ...facts, valid_until: '2026-03-02T12:00:00Z' }),
    ]);
    const spawned = Date.now();
    const daemon = await world.site.daemon({ clock: new Date(until - 9_000).toISOString() });
    await eventually(() => safely(world).length === 2, 'both are armed');
    await eventually(() => safely(world).length === 1, 'one is over');

    // The process starts its clock after `spawned`, so by its own time it is at most this late.
    expect(until - 9_000 + (Date.now() - spawned)).toBeGreaterThanOrEqual(until);
    expect(world.armed()).toEqual(['198.18.0.2']);
    expect((await daemon.stop()).code).toBe(0);
  });

  it('empties no list when the clock of the machine stands a year ahead of the last run', async () => {
    world.taxii.load(addresses(2).map((value) => indicator(value)));
    await world.site.entente(['run', '--once']);
    // A set clock is believed, so the jump is made in the state: the last run was a year before this one.
    const db = new DatabaseSync(world.site.state);
    const year = 365 * 86_400_000;
    db.exec(`UPDATE meta SET value = CAST(CAST(value AS INTEGER) - ${year} AS TEXT) WHERE name = 'engine_time'`);
    db.exec(`UPDATE projection SET until = until - ${year}, due = due - ${year} WHERE due IS NOT NULL`);
    db.exec(`UPDATE object SET valid_until = valid_until - ${year}`);
    db.close();
    world.taxii.setFaults([{ match: '/', action: 'status', status: 503 }]);

    const daemon = await world.site.daemon();
    const status = await daemon.until((one) => one.reasons.some((reason) => reason.startsWith('nothing expires')));
    expect(status.state).toBe('failing');
    expect(status.conditions).toMatchObject([{ condition: 'clock-doubted', runbook: 'docs/runbook.md#clock-doubted' }]);
    await daemon.ready();
    expect(world.armed()).toEqual(addresses(2));
    expect((await daemon.stop()).code).toBe(0);
  });
});

describe('secrets', () => {
  it('renewed in their file are used after a 401 without a restart', async () => {
    world.site.write('password', 'wrong-at-first\n');
    world.taxii.load([indicator('198.18.0.1')]);
    world.site.configure(
      world.settings({
        exchange: { auth: { username: world.taxii.username, password_file: './password' }, schedule: EVERY_SECOND },
      }),
    );
    const daemon = await world.site.daemon();
    await daemon.until((one) => one.exchanges[0]?.state === 'failing');

    world.site.write('password', `${world.taxii.password}\n`);
    await daemon.until((one) => one.exchanges[0]?.state === 'ok');
    await eventually(() => safely(world).length === 1, 'it is armed');
    expect((await daemon.stop()).code).toBe(0);
  });

  it('show nowhere: not in output, log, status, metrics, page or state', async () => {
    const secret = 'Hidden-Correct-Horse-7';
    world.site.write('key', world.elastic.apiKey);
    world.site.configure(
      world.settings({
        exchange: { auth: { username: 'entente', password: secret } },
        siem: { auth: { api_key_file: './key' } },
        top: { log: { level: 'debug', format: 'json' } },
      }),
    );
    await world.site.entente(['check', '--probe', '--json']);
    const daemon = await world.site.daemon();
    await daemon.until((one) => one.exchanges[0]?.state === 'failing');
    let seen = '';
    for (const path of ['/status', '/metrics', '/health', '/']) seen += (await daemon.get(path)).text;
    await daemon.stop();
    await world.site.entente(['status']);
    seen += world.site.printed + world.site.files(/^state/);

    expect(seen).toContain('partner');
    const basic = Buffer.from(`entente:${secret}`).toString('base64');
    for (const one of [secret, basic, world.elastic.apiKey]) expect(seen.includes(one)).toBe(false);
  });
});

describe('what vanished from a collection', () => {
  it.each(['withdraw', 'keep'])('is found by the full listing: %s', async (vanished) => {
    world.taxii.load(addresses(12).map((value) => indicator(value)));
    world.site.configure(world.settings({ exchange: { vanished, full_listing: EVERY_SECOND } }));
    const daemon = await world.site.daemon();
    await eventually(() => safely(world).length === 12, 'all are armed');

    world.taxii.remove([indicator('198.18.0.1').id]);
    await daemon.process.until(/no longer published/);
    if (vanished === 'withdraw') await eventually(() => !safely(world).includes('198.18.0.1'), 'it is withdrawn');
    else expect(safely(world)).toContain('198.18.0.1');
    expect(safely(world).length).toBe(vanished === 'withdraw' ? 11 : 12);
    expect((await daemon.stop()).code).toBe(0);
  });
});

describe('what vanished while no daemon runs', () => {
  it('is looked for by run --once at first, and then when the listing was due since the last one', async () => {
    world.taxii.load(addresses(6).map((value) => indicator(value)));
    const settle = (exchange: Settings) => {
      world.site.configure(world.settings({ exchange: { vanished: 'withdraw', ...exchange } }));
      return world.site.entente(['run', '--once']);
    };
    const listings = () =>
      [...world.taxii.requests].reduce((sum, [route, n]) => sum + (route.includes('/manifest/') ? n : 0), 0);
    expect((await settle({ full_listing: '0 0 1 1 *' })).code).toBe(0);
    // All that is published was read from the beginning, which is as good as a listing.
    expect([world.armed().length, listings()]).toEqual([6, 0]);

    world.taxii.remove([indicator('198.18.0.1').id]);
    expect((await settle({ full_listing: '0 0 1 1 *' })).code).toBe(0);
    expect([world.armed().length, listings()]).toEqual([6, 0]);

    world.site.configure(world.settings({ exchange: { vanished: 'withdraw', full_listing: EVERY_SECOND } }));
    const planned = JSON.parse((await world.site.entente(['plan', '--json'])).stdout) as { siems: object[] };
    expect(planned.siems).toMatchObject([{ remove: 1 }]);
    expect((await settle({ full_listing: EVERY_SECOND })).code).toBe(0);
    expect([world.armed().length, listings()]).toEqual([5, 2]);
  });
});

describe('what waits for people', () => {
  it('a mass withdrawal is held and shown; an approval of another set is refused, one of this set is done', async () => {
    const values = addresses(40);
    const brake = { share: 0.2, at_least: 10, window_hours: 24 };
    world.site.configure(
      world.settings({ exchange: { schedule: EVERY_SECOND }, top: { policy: { removal_brake: brake } } }),
    );
    world.taxii.load(values.map((value) => indicator(value)));
    const daemon = await world.site.daemon();
    await eventually(() => safely(world).length === 40, 'all are armed');
    world.taxii.load(values.slice(0, 20).map(revoked));
    const before = await holdOf(20);
    expect(before).toMatchObject({ kind: 'removal', siem: 'watch', exchange: 'partner', reason: expect.any(String) });
    expect(world.armed()).toEqual(values.toSorted());
    const warned = await daemon.process.until(/(\{.*"A hold waits for a person\.".*\})/);
    expect(JSON.parse(warned)).toMatchObject({
      level: 'warn',
      kind: 'removal',
      siem: 'watch',
      entries: 20,
      set: before.set,
      next: `entente held show ${before.id}, then approve or reject it`,
    });
    const waits = expect.stringContaining(`hold ${before.id} (20 removals) waits for a person: partner withdrew 20`);
    const status = await daemon.status();
    expect(status).toMatchObject({
      state: 'ok',
      reasons: [waits],
      siems: [{ state: 'ok', reason: waits, next_action: expect.stringContaining('held show'), held: 20, rejected: 0 }],
    });
    const health = await daemon.get('/health');
    expect([health.code, JSON.parse(health.text)]).toMatchObject([200, { reasons: [waits] }]);
    expect((await daemon.get('/')).text).toContain('20 removals of partner wait for a person');
    expect((await daemon.get('/metrics')).text).toMatch(/^entente_holds_undecided\{kind="removal"\} 1$/m);

    world.taxii.load(values.slice(20, 25).map(revoked));
    const now = await holdOf(25);
    expect(await decide({ holds: [{ id: before.id, set: before.set }], sightings: [] })).toMatchObject({ ok: false });
    expect(world.armed()).toHaveLength(40);
    const shown = await world.site.entente(['held', 'show', String(now.id)]);
    expect(shown.stdout).toContain('removal of 25 entries at watch');
    expect(shown.stdout).toContain(values[24]);

    const done = await world.site.entente([
      'held',
      'approve',
      String(now.id),
      '--set',
      now.set,
      '--reason',
      'phoned',
      '--by',
      'ana',
    ]);
    expect([done.code, done.stdout]).toEqual([0, `Approved ${now.id}: removal of 25 entries at watch.\n`]);
    await eventually(() => safely(world).join() === values.slice(25).toSorted().join(), 'what was approved is gone');

    world.taxii.load(values.slice(25, 38).map(revoked));
    const next = await holdOf(13);
    const reject = ['held', 'reject', String(next.id), '--set', next.set, '--reason', 'a mistake', '--by', 'ana'];
    expect((await world.site.entente(reject)).code).toBe(0);
    const again = await world.site.entente(reject);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('nothing that fits is waiting')]);
    expect(world.armed()).toHaveLength(15);
    expect(await daemon.status()).toMatchObject({ state: 'ok', reasons: [], siems: [{ held: 0, rejected: 13 }] });
    expect((await daemon.get('/metrics')).text).toMatch(/^entente_holds_undecided\{kind="removal"\} 0$/m);
    const { stderr } = await daemon.stop();
    expect(stderr).toContain('New indicators were taken in.');
    const decided = stderr.split('\n').filter((line) => line.includes('"A hold was decided."'));
    expect(decided.map((line) => JSON.parse(line) as object)).toMatchObject([
      { decision: 'approve', kind: 'removal', siem: 'watch', exchange: 'partner', entries: 25, by: 'ana' },
      { decision: 'reject', kind: 'removal', siem: 'watch', exchange: 'partner', entries: 13, by: 'ana' },
    ]);
    expect(stderr).not.toMatch(/198\.18\./);
  });

  interface Hold {
    readonly id: number;
    readonly set: string;
    readonly count: number;
  }

  async function holdOf(entries: number): Promise<Hold> {
    let found: Hold | undefined;
    await eventually(async () => {
      const { held } = await world.site.ask<{ held: Hold[] }>(['held', 'list']);
      found = held.find((one) => one.count === entries);
      return found !== undefined;
    }, `a hold of ${entries}`);
    return found!;
  }

  /** What a person sends who looked at the set before it changed. */
  async function decide(request: object): Promise<unknown> {
    const db = new DatabaseSync(world.site.state, { timeout: 10_000 });
    try {
      const row = db
        .prepare(
          `INSERT INTO request (kind, arguments, made_by, schema, created, expires)
           SELECT 'decide', ?, 'ana', user_version, ?, ? FROM pragma_user_version RETURNING id`,
        )
        .get(
          JSON.stringify({ ...request, decision: 'approve', by: 'ana', reason: 'phoned' }),
          Date.now(),
          Date.now() + 60_000,
        );
      const outcome = () =>
        db.prepare('SELECT outcome FROM request WHERE id = ?').get(row?.['id'] as number)?.['outcome'];
      await eventually(() => typeof outcome() === 'string', 'an outcome');
      return JSON.parse(String(outcome()));
    } finally {
      db.close();
    }
  }

  it('a change that the SIEM refuses is parked, blocks nobody and can be tried again', async () => {
    world.taxii.load(addresses(3).map((value) => indicator(value)));
    // The first of three, and (two more have passed by then) again when the request that failed is asked for the reasons.
    const refused = { times: 1, status: 400, type: 'document_parsing_exception', reason: 'not this one' };
    world.elastic.setItemFaults([refused, { ...refused, skip: 2 }]);
    const first = await world.site.entente(['run', '--once']);
    expect([first.code, world.armed().length]).toEqual([0, 2]);
    const { parked } = await world.site.ask<{ parked: { id: string; reason: string }[] }>(['parked', 'list']);
    expect(parked).toMatchObject([{ siem: 'watch', reason: expect.stringContaining('not this one') }]);

    expect((await world.site.entente(['parked', 'retry', parked[0]!.id])).code).toBe(0);
    await world.site.entente(['run', '--once']);
    expect(world.armed()).toEqual(addresses(3));
    expect(await world.site.ask(['parked', 'list'])).toMatchObject({ parked: [] });
  });
});

/** The list, or nothing while there is no index yet. */
function safely(one: World): string[] {
  try {
    return one.armed();
  } catch {
    return [];
  }
}
