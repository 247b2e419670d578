// The state file and the disk under it, and several instances on one SIEM. A process that cannot keep its state
// stops with words before it writes anything to a SIEM.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Settings, Site, type Status } from './site.ts';
import { addresses, aWorld, INDEX, indicator, revoked, type World } from './world.ts';

// Each starts processes, and other work may keep the machine busy.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const canMount = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;

const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
const LAUNCHER = join(import.meta.dirname, '../../bin/entente.mjs');
const canBeNobody =
  process.getuid?.() === 0 &&
  spawnSync(NOBODY[0]!, [...NOBODY.slice(1), process.execPath, LAUNCHER, 'version']).status === 0;

let world: World;
beforeEach(async () => {
  world = await aWorld({ taxii: { data: addresses(40).map((value) => indicator(value)) } });
  world.site.configure(world.settings());
});
afterEach(() => world.close());

/** Requests to the SIEM that would change something there. */
const writes = (one: World): string[] =>
  [...one.elastic.requests.keys()].filter(
    (name) => /^(PUT|POST|DELETE) /.test(name) && !/_search|_has_privileges|_simulate|_pit/.test(name),
  );

describe('a state file that is no good stops the process before anything is written to a SIEM', () => {
  it.each<[string, (path: string) => void]>([
    ['is no database', (path) => writeFileSync(path, 'not a database, though long enough to be one\n'.repeat(100))],
    ['is a folder', (path) => mkdirSync(path)],
  ])('%s', async (_what, damage) => {
    mkdirSync(dirname(world.site.state), { recursive: true });
    damage(world.site.state);
    const { code, stderr, stdout } = await world.site.entente(['run', '--once']);

    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(world.site.state);
    expect(stderr).toMatch(/restore a backup|check that it is a file/);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(writes(world)).toEqual([]);
  });

  it('is cut in the middle', async () => {
    await world.site.entente(['run', '--once']);
    for (const rest of ['-wal', '-shm']) rmSync(`${world.site.state}${rest}`, { force: true });
    truncateSync(world.site.state, Math.floor(readFileSync(world.site.state).length / 2 / 4096) * 4096);
    world.taxii.load([indicator('198.18.5.5')]);
    const before = world.armed();
    const { code, stderr } = await world.site.entente(['run', '--once']);

    expect(code).toBe(1);
    expect(stderr).toMatch(/damaged|malformed/);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(world.armed()).toEqual(before);
  });

  it('is locked by another program', async () => {
    await world.site.entente(['run', '--once']);
    world.taxii.load([indicator('198.18.5.5')]);
    const before = world.armed();
    const other = new DatabaseSync(world.site.state);
    other.exec('BEGIN IMMEDIATE');
    const { code, stderr } = await world.site.entente(['run', '--once']);
    other.close();

    expect(code).toBe(1);
    expect(stderr).toMatch(/entente.db is locked by another program/);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(world.armed()).toEqual(before);
  });

  it.skipIf(process.getuid?.() === 0)('is not writable', async () => {
    mkdirSync(dirname(world.site.state), { recursive: true });
    chmodSync(dirname(world.site.state), 0o500);
    const { code, stderr } = await world.site.entente(['run', '--once']);

    expect(code).toBe(1);
    expect(stderr).toContain(world.site.state);
    expect(writes(world)).toEqual([]);
  });

  it('does not fit on the disk', async () => {
    // A process may write no file larger than this: what a full disk answers, without filling one.
    const { code, stderr } = await world.site.entente(['run', '--once'], { under: ['prlimit', '--fsize=61440'] });

    expect(code).toBe(1);
    expect(stderr).toMatch(/disk|cannot write/);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(writes(world)).toEqual([]);
  });

  it.skipIf(!canMount)('fills its file system during the run', async () => {
    const mounted = [
      'unshare',
      '-m',
      'sh',
      '-c',
      'mkdir -p state && mount -t tmpfs -o size=900k none state && exec "$@"',
      'sh',
    ];
    world.taxii.load(addresses(3000, 1000).map((value) => indicator(value)));
    const { code, stderr } = await world.site.entente(['run', '--once'], { under: mounted });

    expect(code).toBe(1);
    expect(stderr).toMatch(/disk is full/);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('belongs to another instance', async () => {
    await world.site.entente(['run', '--once']);
    world.site.configure(world.settings({ top: { instance: 'another' } }));
    const { code, stderr } = await world.site.entente(['run', '--once']);

    expect(code).toBe(2);
    expect(stderr).toContain('soc-one');
    // What is wrong is the configuration, whichever command meets it.
    const suppress = ['suppress', addresses(1)[0]!, '--hours', '1', '--reason', 'ours'];
    expect(await world.site.entente(suppress)).toMatchObject({ code: 2, stderr: expect.stringContaining('soc-one') });
    // Of the state, not of the copy that is worked on and gone by then.
    const plan = await world.site.entente(['plan', '--offline']);
    expect(plan).toMatchObject({ code: 2, stderr: expect.stringContaining(`the state ${world.site.state} belongs`) });
  });
});

describe.skipIf(!canBeNobody)('a state that this user may not read', () => {
  const asNobody = { under: NOBODY };

  it.each([
    ['folder', (path: string) => chmodSync(dirname(path), 0o700)],
    ['file', (path: string) => [chmodSync(dirname(path), 0o755), chmodSync(path, 0o600)]],
  ])('by the rights of its %s is not taken for one that is missing or empty', async (_what, shut) => {
    await world.site.entente(['run', '--once']);
    chmodSync(world.site.folder, 0o755);
    shut(world.site.state);

    for (const command of [
      ['status'],
      ['why', addresses(1)[0]!],
      ['held', 'list'],
      ['refused', 'list'],
      ['history'],
      ['audit', 'verify', '--offline'],
      ['plan', '--offline'],
    ]) {
      const { code, stdout, stderr } = await world.site.entente(command, asNobody);
      expect([command, code, stdout]).toEqual([command, 1, '']);
      expect(stderr).toContain(`the state ${world.site.state} may not be read`);
      expect(stderr).toContain('as the user of the daemon');
    }
  });

  it('may have a configuration that may not be read either, which is said', async () => {
    chmodSync(world.site.folder, 0o755);
    chmodSync(world.site.path('entente.yaml'), 0o600);

    const { code, stderr } = await world.site.entente(['status'], asNobody);

    expect([code, stderr]).toEqual([
      2,
      'entente.yaml:1:1 cannot read ./entente.yaml (EACCES); ask as the user of the daemon, or mend its rights\n',
    ]);
  });

  it('is exported from a copy that may be read and not written, with why no checkpoint was signed', async () => {
    await world.site.entente(['run', '--once']);
    const copy = world.site.path('copy.db');
    await world.site.entente(['backup', copy]);
    world.site.configure(world.settings({ top: { state: './copy.db' } }), 'copy.yaml');
    chmodSync(world.site.folder, 0o755);
    chmodSync(copy, 0o644);

    const exported = ['audit', 'export', '--since', '1h', '--config', 'copy.yaml'];
    const { code, stdout, stderr } = await world.site.entente(exported, asNobody);

    expect([code, stdout]).toEqual([0, expect.stringContaining('"action":"deliver"')]);
    expect(stderr).toMatch(/^no new checkpoint was signed: no state can be kept at /);
  });

  it('is told of by the daemon, which may', async () => {
    const daemon = await world.site.daemon();
    world.site.configure(world.settings({ top: { listen: new URL(daemon.url).host } }));
    chmodSync(world.site.folder, 0o755);

    const { stdout, stderr } = await world.site.entente(['status'], asNobody);
    await daemon.stop();

    expect([stdout, stderr]).toEqual([expect.stringMatching(/^soc-one: (ok|recovering) since /), '']);
  });
});

describe('a SIEM that refuses', () => {
  it('leaves a command without its answer, exit 1: only what is wrong about ourselves is exit 2', async () => {
    await world.site.entente(['run', '--once']);
    world.site.configure(world.settings({ siem: { auth: { api_key: 'renewed-long-ago' } } }));

    const { code, stderr } = await world.site.entente(['reconcile']);

    expect(code).toBe(1);
    expect(stderr).toMatch(/401/);
  });
});

describe('two instances on one SIEM', () => {
  it('never touch the entries of each other, and an index that is taken is refused', async () => {
    const theirs = 'logs-ti_entente_soc_two.indicator';
    const other = new Site();
    try {
      const asSecond = (siem: Settings) => other.configure(world.settings({ siem, top: { instance: 'soc-two' } }));
      asSecond({});
      await Promise.all([world.site.entente(['run', '--once']), other.entente(['run', '--once'])]);
      expect([world.armed(), world.armed(theirs)]).toEqual([addresses(40).sort(), addresses(40).sort()]);

      world.taxii.load(addresses(3).map(revoked));
      await world.site.entente(['run', '--once']);
      expect([world.armed().length, world.armed(theirs).length]).toEqual([37, 40]);

      asSecond({ enabled: false });
      await other.entente(['purge', '--siem', 'watch', '--yes']);
      expect([world.armed().length, world.armed(theirs).length]).toEqual([37, 0]);

      asSecond({ index: INDEX });
      const taken = await other.entente(['run', '--once']);
      expect(taken.code).toBe(1);
      expect(taken.stderr).toContain('belongs to entente:soc-one; choose another index');
      expect(world.armed()).toHaveLength(37);
      expect(await world.site.ask<Status>(['status'])).toMatchObject({ state: 'ok' });
    } finally {
      other.close();
    }
  });
});
