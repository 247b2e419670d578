// What machines read of the daemon: a log whose every line is JSON, and metrics that are fed.
import { spawnSync } from 'node:child_process';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { elastic } from '../../src/connectors/siem/elastic/index.ts';
import { eventually } from './site.ts';
import { addresses, aWorld, INDEX, indicator, type World } from './world.ts';

// Each starts processes, and other work may keep the machine busy.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const RUNS = 'entente_peer_runs_total';
const FAILURES = 'entente_peer_failures_total';
const TLP_GREEN = 'marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da';
const HOUR_MS = 3_600_000;
const EVERY_SECOND = '* * * * * *';

let world: World;
beforeEach(async () => {
  world = await aWorld();
  world.site.configure(world.settings());
});
afterEach(() => world.close());

interface Line {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** Throws where a line is no JSON. */
const linesOf = (stderr: string): Line[] =>
  stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
const armed = (): number => {
  try {
    return world.armed().length;
  } catch {
    return 0; // the index does not exist yet
  }
};

describe('the log', () => {
  it('is JSON in every line, tells normal work in counts, and ends with the true reason', async () => {
    world.site.configure(world.settings({ exchange: { schedule: EVERY_SECOND } }));
    world.taxii.load(addresses(3).map((value) => indicator(value)));
    const daemon = await world.site.daemon();
    await eventually(() => armed() === 3, 'all are armed');
    world.taxii.load([indicator('198.18.7.7')]);
    await eventually(() => armed() === 4, 'one more is armed');

    const { stdout, stderr } = await daemon.stop();

    const lines = linesOf(stderr);
    expect(stdout).toBe('');
    const told = (message: string) => lines.filter((one) => one.message === message);
    expect(told('New indicators were taken in.')).toMatchObject([
      { exchange: 'partner', created: 3 },
      { exchange: 'partner', created: 1 },
    ]);
    const written = told('Changes were written to the SIEM.');
    expect(written.map((one) => one['siem'])).toContain('watch');
    expect(written.reduce((sum, one) => sum + Number(one['applied']), 0)).toBe(4);
    expect(lines.at(-1)).toMatchObject({ message: 'Entente stopped.', reason: 'SIGTERM' });
    // Every poll of every second: what brought nothing says nothing.
    for (const { message } of lines) expect([message, told(message).length < 6]).toEqual([message, true]);
  });

  it.each([
    ['SIGINT', 'SIGINT'],
    ['SIGTERM', 'SIGTERM'],
  ] as const)('names %s as the reason', async (signal, reason) => {
    const daemon = await world.site.daemon();
    const { code, stderr } = await daemon.process.kill(signal);

    expect([code, linesOf(stderr).at(-1)?.['reason']]).toEqual([0, reason]);
  });

  it('ends in JSON with the cause, also where a state that cannot be written ends it', async () => {
    world.site.configure(world.settings({ exchange: { schedule: EVERY_SECOND } }));
    // No file may grow beyond this: what a full disk answers, without filling one.
    const daemon = await world.site.daemon({ under: ['prlimit', '--fsize=2000000'] });
    await daemon.ready();
    world.taxii.load(addresses(10_000).map((value) => indicator(value)));

    const { code, stderr } = await daemon.process.ended;

    expect(code).toBe(1);
    expect(linesOf(stderr).at(-1)).toMatchObject({
      message: 'Entente stopped.',
      reason: expect.stringMatching(/disk|cannot write|full/),
    });
  });

  it.each([
    [
      'another one holds the state',
      async () => {
        await world.site.daemon();
      },
      /is held by/,
    ],
    [
      'the port is taken',
      async () => {
        const { port } = new URL(world.taxii.url);
        world.site.configure(world.settings({ top: { listen: `127.0.0.1:${port}` } }));
      },
      /EADDRINUSE|in use|taken/,
    ],
    [
      'the state is no database',
      async () => {
        world.site.write('state/entente.db', 'x'.repeat(10_000));
      },
      /not a database/,
    ],
  ])('is JSON also where nothing is started because %s', async (_, obstacle, reason) => {
    await obstacle();

    const { code, stdout, stderr } = await world.site.entente(['run']);

    expect([code, stdout]).toEqual([1, '']);
    expect(linesOf(stderr).at(-1)).toMatchObject({
      level: 'error',
      message: 'Entente could not be started.',
      reason: expect.stringMatching(reason),
    });
  });

  it('is JSON, with the stack, where a bug that nobody caught ends it', async () => {
    const planted = world.site.write(
      'planted.mjs',
      `import { isMainThread } from 'node:worker_threads';
       if (isMainThread) process.on('SIGUSR2', () => { throw new Error('planted fault'); });`,
    );
    const daemon = await world.site.daemon({ env: { NODE_OPTIONS: `--import=file://${planted}` } });
    await daemon.ready();

    const { code, stderr } = await daemon.process.kill('SIGUSR2');

    expect(code).toBe(70);
    expect(linesOf(stderr).at(-1)).toMatchObject({
      level: 'error',
      message: 'A bug ended the process.',
      error: { message: 'planted fault', stack: expect.stringContaining('planted.mjs') },
    });
  });

  it('tells that the clock is not believed', async () => {
    world.taxii.load([indicator('198.18.0.1')]);
    await world.site.entente(['run', '--once']);
    const db = new DatabaseSync(world.site.state);
    db.exec(
      `UPDATE meta SET value = CAST(CAST(value AS INTEGER) - ${365 * 86_400_000} AS TEXT) WHERE name = 'engine_time'`,
    );
    db.close();
    world.taxii.setFaults([{ match: '/', action: 'status', status: 503 }]);

    const daemon = await world.site.daemon();
    await daemon.until((one) => one.reasons.some((reason) => reason.startsWith('nothing expires')));
    const { stderr } = await daemon.stop();

    expect(linesOf(stderr)).toContainEqual(
      expect.objectContaining({
        level: 'error',
        message: 'The clock is not believed; nothing expires.',
        doubt: expect.stringContaining('after the last run'),
      }),
    );
  });
});

describe('metrics', () => {
  it('count runs, failures and last success of every role, under names that promtool takes', async ({ skip }) => {
    world.taxii.load([
      indicator('198.18.0.1'),
      indicator('198.18.0.2', { pattern_type: 'sigma', pattern: 'title: x' }),
    ]);
    const daemon = await world.site.daemon();
    await eventually(() => armed() === 1, 'it is armed');
    await daemon.until((one) => one.state === 'ok');
    const well = (await daemon.get('/metrics')).text;
    await daemon.stop();
    world.taxii.setFaults([{ match: '/', action: 'status', status: 401 }]);
    world.elastic.setFaults([{ match: '/', action: 'status', status: 503 }]);
    const again = await world.site.daemon();
    await again.until((one) => one.exchanges[0]?.state === 'failing' && one.siems[0]?.['last_failure'] !== null);
    let ill = '';
    await eventually(async () => {
      ill = (await again.get('/metrics')).text;
      return ill.match(/^entente_peer_failures_total\{/gm)?.length === 2;
    }, 'both failures are counted');
    await again.stop();

    for (const [role, peer] of [
      ['exchange', 'partner'],
      ['siem', 'watch'],
    ]) {
      const labels = `role="${role}",peer="${peer}"`;
      const at = new RegExp(`^entente_peer_last_success_timestamp_seconds\\{${labels}\\} (\\S+)$`, 'm').exec(well)?.[1];
      expect(Math.abs(Number(at) - Date.now() / 1000)).toBeLessThan(120);
      expect(well).toMatch(new RegExp(`^entente_peer_runs_total\\{${labels}\\} [1-9]`, 'm'));
      expect(ill).toMatch(new RegExp(`^entente_peer_failures_total\\{${labels},kind="\\w+"\\} [1-9]`, 'm'));
      // What succeeded before a restart did succeed.
      expect(ill).toMatch(new RegExp(`^entente_peer_last_success_timestamp_seconds\\{${labels}\\} \\d`, 'm'));
    }
    expect(well).toMatch(/^entente_delivery_changes_total\{siem="watch",outcome="applied"\} 1$/m);
    for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_start_time_seconds'])
      expect(well).toMatch(new RegExp(`^${name} \\d`, 'm'));
    // Declared and never fed would stand there with a help text and no number.
    const fed = (text: string) =>
      [...text.matchAll(/^# HELP (entente_\S+)/gm)].filter(([, name]) => !new RegExp(`^${name}[ {]`, 'm').test(text));
    expect(fed(well + ill).map(([, name]) => name)).toEqual([]);

    const tool = spawnSync('promtool', ['check', 'metrics'], { input: ill, encoding: 'utf8' });
    if (tool.error !== undefined) skip('promtool is not installed (Debian package prometheus)');
    expect([tool.status, tool.stdout, tool.stderr]).toEqual([0, '', '']);
  });

  it('count readings of hits and sendings as they do polls and cycles', async () => {
    const hits = { schedule: EVERY_SECOND };
    world.site.configure(
      world.settings({
        exchange: { report_to: world.taxii.collections.write },
        siem: { hits },
        top: {
          identity: { id: 'identity--0c3a5b2e-2f5b-4c8e-9d0f-5a8c3f6b1d11', name: 'SOC Example' },
          release: [{ to: 'partner', tlp: ['clear', 'green'], action: 'share' }],
        },
      }),
    );
    world.taxii.load([indicator('198.18.0.1', { object_marking_refs: [TLP_GREEN] })]);
    const plant = (at = new Date().toISOString()) =>
      world.elastic.plantEvents([
        {
          time: at,
          index: '.internal.alerts-security.alerts-default-000001',
          fields: {
            'kibana.alert.original_time': at,
            threat: {
              enrichments: [
                { matched: { id: elastic.slot('ipv4-addr', '198.18.0.1', null), index: INDEX, field: 'source.ip' } },
              ],
            },
          },
        },
      ]);
    const daemon = await world.site.daemon();
    await eventually(() => armed() === 1, 'it is armed');
    plant();
    await eventually(() => world.taxii.sightings().length === 1, 'it is told');
    const number = async (name: string, role: string, peer: string) => {
      const { text } = await daemon.get('/metrics');
      return Number(new RegExp(`^${name}\\{role="${role}",peer="${peer}"[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
    };
    const ways = [
      ['hits', 'watch'],
      ['report', 'partner'],
    ] as const;
    for (const [role, peer] of ways) {
      await eventually(async () => (await number(RUNS, role, peer)) > 0, `${role} ran`);
      const at = await number('entente_peer_last_success_timestamp_seconds', role, peer);
      expect(Math.abs(at - Date.now() / 1000)).toBeLessThan(120);
      expect(await number(FAILURES, role, peer)).toBe(0);
    }

    world.taxii.setFaults([{ match: 'POST', action: 'status', status: 503 }]);
    plant(new Date(Date.now() + HOUR_MS).toISOString());
    await eventually(async () => (await number(FAILURES, 'report', 'partner')) > 0, 'a sending failed');
    world.elastic.setFaults([{ match: '/', action: 'status', status: 503 }]);
    await eventually(async () => (await number(FAILURES, 'hits', 'watch')) > 0, 'a reading failed');
    await daemon.stop();
  });
});
