// What the operator is told is true: status, suppress, and commands beside a file that is broken.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventually, type Status } from './site.ts';
import { addresses, aWorld, indicator, type World } from './world.ts';

// Each starts processes, and other work may keep the machine busy.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const UNAVAILABLE = { match: '/', action: 'status', status: 503 } as const;

let world: World;
beforeEach(async () => {
  world = await aWorld();
  world.site.configure(world.settings());
});
afterEach(() => world.close());

const suppress = (value: string, ...more: string[]) =>
  world.site.entente(['suppress', value, '--hours', '1', '--reason', 'ours', ...more]);
const armed = (): string[] => {
  try {
    return world.armed();
  } catch {
    return []; // the index does not exist yet
  }
};

describe('suppress', () => {
  it('says of each SIEM that the value is off, and exits 0', async () => {
    world.taxii.load(addresses(2).map((value) => indicator(value)));
    const daemon = await world.site.daemon();
    await eventually(() => armed().length === 2, 'both are armed');
    // It takes its time, and is waited for.
    world.elastic.setFaults([{ match: '/_bulk', action: 'slow', ms: 2000, times: 1 }]);

    const done = await suppress('198.18.0.1', '--json');

    expect([done.code, world.armed()]).toEqual([0, ['198.18.0.2']]);
    expect(JSON.parse(done.stdout)).toMatchObject({
      ids: [expect.any(Number)],
      daemon: true,
      siems: [{ name: 'watch', state: 'removed', reason: null }],
    });
    const unknown = await suppress('198.18.9.9');
    expect([unknown.code, unknown.stdout]).toEqual([0, expect.stringContaining('watch: does not stand there')]);
    const { ids } = JSON.parse(done.stdout) as { ids: number[] };
    await world.site.entente(['suppress', 'lift', String(ids[0]), '--by', 'ana']);
    const { stderr } = await daemon.stop();
    // One line each: who and how many, never what.
    const told = (message: string) =>
      stderr.split('\n').flatMap((line) => (line.includes(message) ? [JSON.parse(line) as object] : []));
    expect(told('Values were suppressed.')).toMatchObject([{ values: 1, hours: 1 }, { values: 1 }]);
    expect(told('A suppression was lifted.')).toMatchObject([{ suppression: ids[0], by: 'ana' }]);
    expect(stderr).not.toMatch(/198\.18\./);
  });

  it('exits 1 while the value stands anywhere, with the reason', async () => {
    world.taxii.load([indicator('198.18.0.1')]);
    const daemon = await world.site.daemon();
    await eventually(() => armed().length === 1, 'it is armed');
    world.elastic.setFaults([UNAVAILABLE]);

    const left = await suppress('198.18.0.1');

    expect(left.code).toBe(1);
    expect(left.stdout).toMatch(/watch: still there, pending: .*503/);
    await daemon.stop();
  });

  it('says that no daemon runs, and exits 1 while the value stands', async () => {
    world.taxii.load([indicator('198.18.0.1')]);
    await world.site.entente(['run', '--once']);

    const left = await suppress('198.18.0.1');
    const nowhere = await suppress('198.18.9.9');

    expect([left.code, nowhere.code]).toEqual([1, 0]);
    for (const { stdout } of [left, nowhere]) expect(stdout).toContain('no daemon runs on this state');
    expect(left.stdout).toContain('watch: still there, pending');
  });

  it('lift says what still holds the value off', async () => {
    world.taxii.load([indicator('198.18.0.1')]);
    await world.site.entente(['run', '--once']);
    const ids: number[] = [];
    for (const by of ['ana', 'bo'])
      ids.push(...(JSON.parse((await suppress('198.18.0.1', '--by', by, '--json')).stdout) as { ids: number[] }).ids);

    const first = await world.site.entente(['suppress', 'lift', String(ids[0])]);
    const last = await world.site.entente(['suppress', 'lift', String(ids[1])]);

    expect(first.stdout).toMatch(new RegExp(`another suppression holds:\\n {2}${ids[1]} until .*, by bo: ours`));
    expect(last.stdout).toContain('the next cycle writes the value again');
  });

  it.each([
    ['suppress', 'harmless'],
    ['harmless', 'suppress'],
  ])('lift of %s says that %s still holds the value off', async (lifted, other) => {
    world.taxii.load([indicator('198.18.0.1')]);
    await world.site.entente(['run', '--once']);
    const took = async (verb: string) => {
      const hours = verb === 'suppress' ? ['--hours', '1'] : [];
      const { ids } = await world.site.ask<{ ids: number[] }>([verb, '198.18.0.1', '--reason', 'ours', ...hours]);
      return String(ids[0]);
    };
    const [id, still] = [await took(lifted), await took(other)];

    const { stdout } = await world.site.entente([lifted, 'lift', id]);

    expect(stdout).toMatch(
      new RegExp(`198.18.0.1 stays off, because .*:\\n {2}.*\\(entente ${other} lift ${still}\\)`),
    );
  });

  it('does not wait behind a comparison that takes its time', async () => {
    world.taxii.load(addresses(2).map((value) => indicator(value)));
    const daemon = await world.site.daemon();
    await eventually(() => armed().length === 2, 'both are armed');
    world.elastic.setFaults([{ match: '/_search', action: 'slow', ms: 20_000, times: 1 }]);
    const comparing = world.site.start(['reconcile']);
    await daemon.process.until(/A command asks for something.*reconcile/);

    const started = performance.now();
    const done = await suppress('198.18.0.1');

    expect([done.code, world.armed()]).toEqual([0, ['198.18.0.2']]);
    expect(performance.now() - started).toBeLessThan(15_000);
    await comparing.ended;
    await daemon.stop();
  });
});

describe('status', () => {
  it('without a living daemon says so first and exits 1, by text and as JSON', async () => {
    world.taxii.load([indicator('198.18.0.1')]);
    await world.site.entente(['run', '--once']);

    const text = await world.site.entente(['status']);
    const json = await world.site.entente(['status', '--json']);

    expect([text.code, json.code]).toEqual([1, 1]);
    expect(text.stdout.split('\n')[0]).toMatch(/^soc-one: no daemon answers; last known: ok since /);
    expect((JSON.parse(json.stdout) as Status).reasons[0]).toMatch(/^no daemon runs on this state/);
  });

  it('exits 0 while all is well, 1 while something fails, with rows for hits and reports', async () => {
    world.taxii.load([indicator('198.18.0.1')]);
    const daemon = await world.site.daemon();
    await daemon.until((one) => one.state === 'ok');
    const well = await world.site.entente(['status']);
    expect(well).toMatchObject({ code: 0, stderr: '' });
    expect(well.stdout).toMatch(/^hits of watch +paused/m);
    expect(well.stdout).toMatch(/^reports to partner +paused/m);
    expect(well.stdout).toMatch(/^partner +ok +\d{4}-\d\d-\d\d .* \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/m);
    await daemon.stop();

    world.elastic.setFaults([{ match: '/', action: 'status', status: 401 }]);
    const again = await world.site.daemon();
    await again.until((one) => one.state === 'failing');
    const ill = await world.site.entente(['status']);
    expect(ill.code).toBe(1);
    expect(ill.stdout).toMatch(/^soc-one: failing since /);
    await again.stop();
  });

  it('never says ok of a peer that was never reached', async () => {
    world.taxii.setFaults([{ match: '/', action: 'hang' }]);
    world.elastic.setFaults([{ match: '/', action: 'hang' }]);
    const daemon = await world.site.daemon();

    const { state, exchanges, siems } = await daemon.status();

    expect(state).toBe('recovering');
    for (const one of [...exchanges, ...siems])
      expect(one).toMatchObject({ state: 'recovering', reason: 'not reached yet', last_success: null });
    await daemon.process.kill('SIGKILL');
  });

  it('dates the whole by its worst part, and says when each peer is asked next', async () => {
    world.taxii.load([indicator('198.18.0.1')]);
    await world.site.entente(['run', '--once']);
    world.elastic.setFaults([{ match: '/', action: 'status', status: 401 }]);
    world.taxii.load([indicator('198.18.0.2')]);
    const daemon = await world.site.daemon();
    const status = (await daemon.until(
      (one) =>
        one.siems[0]?.['pending'] === 1 && one.state === 'failing' && Number(one.siems[0]['oldest_pending_secs']) >= 1,
    )) as Status & {
      since: string;
    };

    expect(status.since).toBe(status.siems[0]?.['since']);
    expect(status.exchanges[0]).toMatchObject({ state: 'ok', next_attempt: null, next_poll: expect.any(String) });
    expect(Date.parse(String(status.exchanges[0]?.['next_poll']))).toBeGreaterThan(Date.now());
    expect(status.siems[0]).toMatchObject({ next_attempt: expect.any(String), secs_left: null });
    await daemon.stop();
  });

  it('says of a full watchlist that it is full, what is missing there, and what to do', async () => {
    world.taxii.load(addresses(5).map((value) => indicator(value)));
    world.site.configure(world.settings({ siem: { max_entries: 3 } }));
    await world.site.entente(['run', '--once']);

    const status = await world.site.ask<Status>(['status']);

    expect(status.state).toBe('failing');
    expect(status.siems[0]).toMatchObject({
      state: 'failing',
      delivered: 3,
      wanted: 5,
      reason: expect.stringMatching(/^watch holds 3 of 5 wanted entries: .* is full \(max_entries 3\)$/),
      next_action: expect.stringContaining('raise max_entries of watch'),
    });
  });
});

describe('commands beside a daemon', () => {
  const readings = [['status'], ['why', '198.18.0.1'], ['suppress', 'list'], ['held', 'list'], ['parked', 'list']];

  it('need none of the secrets of the peers', async () => {
    world.taxii.load([indicator('198.18.0.1')]);
    world.site.configure(
      world.settings({
        exchange: { auth: { username: world.taxii.username, password: '${PARTNER_PASSWORD}' } },
        siem: { auth: { api_key_file: './key' } },
      }),
    );
    world.site.write('key', world.elastic.apiKey);
    const env = { PARTNER_PASSWORD: world.taxii.password };
    const daemon = await world.site.daemon({ env });
    await eventually(() => armed().length === 1, 'it is armed');

    for (const args of readings) expect(await world.site.entente(args)).toMatchObject({ code: 0, stderr: '' });
    expect((await suppress('198.18.0.1')).code).toBe(0);
    // What contacts a peer still needs them.
    const check = await world.site.entente(['check', '--probe']);
    expect([check.code, check.stderr]).toEqual([2, expect.stringContaining('PARTNER_PASSWORD is not set')]);
    await daemon.stop();
    world.site.remove('key');
    expect((await suppress('198.18.0.1')).stderr).toBe('');
    expect(await world.site.entente(['why', '198.18.0.1'])).toMatchObject({ code: 0, stderr: '' });
  });

  it.each([
    ['broken YAML', 'instance: ['],
    ['a wrong value', 'instance: SOC ONE\nstate: "./state/entente.db"\n'],
    ['a file that is gone', undefined],
  ])('work beside %s, and say so', async (_, text) => {
    world.taxii.load([indicator('198.18.0.1')]);
    const secret = 'Hidden-Correct-Horse-7';
    world.site.configure(
      world.settings({
        exchange: { auth: { username: world.taxii.username, password: world.taxii.password } },
        top: { proxy: `http://who:${secret}@127.0.0.1:9` },
      }),
    );
    const daemon = await world.site.daemon();
    await eventually(() => armed().length === 1, 'it is armed');
    if (text === undefined) world.site.remove('entente.yaml');
    else world.site.write('entente.yaml', text);

    for (const args of readings)
      expect(await world.site.entente(args)).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(/entente\.yaml[\s\S]* is broken; the daemon runs on with what it read before/),
      });
    const done = await suppress('198.18.0.1');
    expect([done.code, done.stdout]).toEqual([0, expect.stringContaining('watch: removed')]);
    const state = world.site.files(/^state/);
    for (const one of [secret, world.taxii.password, world.elastic.apiKey]) expect(state.includes(one)).toBe(false);
    await daemon.stop();
    // Nobody lives any more who knows better than the file.
    expect((await world.site.entente(['status'])).code).toBe(2);
  });
});

describe('a bad reload', () => {
  it('shows in /health', async () => {
    const daemon = await world.site.daemon();
    await daemon.until((one) => one.state === 'ok');
    expect((await daemon.get('/metrics')).text).toMatch(/^entente_config_last_reload_successful 1$/m);
    world.site.write('entente.yaml', 'instance: [');
    daemon.process.signal('SIGHUP');
    await daemon.until((one) => one.reasons.some((reason) => reason.includes('not used')));

    const { code, text } = await daemon.get('/health');

    expect(code).toBe(503);
    expect(JSON.parse(text)).toMatchObject({ reasons: [expect.stringContaining('the new configuration is not used')] });
    expect((await daemon.get('/metrics')).text).toMatch(/^entente_config_last_reload_successful 0$/m);
    await daemon.stop();
  });
});
