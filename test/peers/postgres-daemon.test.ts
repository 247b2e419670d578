// The daemon and its commands over a real PostgreSQL: the lock, a kill, a server that restarts under it, a server that is
// away or wrong.
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import { openBeside, openReading } from '../../src/core/store/state/open.ts';
import type { Database } from '../../src/core/store/sql/port.ts';
import { aWorld, indicator, type World } from '../e2e/world.ts';
import { eventually } from '../e2e/site.ts';
import { describeWith, tryStart } from './available.ts';
import { placeOn, startPostgres } from './postgres.ts';
import type { ScriptPeer } from './script-peer.ts';
import { smallDisk } from './small-disk.ts';

const [started, encrypted] = await Promise.all([
  tryStart('PostgreSQL', () => startPostgres()),
  tryStart('PostgreSQL with TLS', () => startPostgres({ tls: true })),
]);
afterAll(async () => {
  for (const one of [started, encrypted]) if (one.kind === 'running') await one.peer.stop();
});

const values = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `198.51.100.${from + i}`);

let made = 0;

describeWith('the daemon over PostgreSQL', started, (server) => {
  let world: World;
  let state: Record<string, unknown>;

  beforeEach(async () => {
    world = await aWorld();
    state = stateOn(server);
    world.site.write('password', server.password);
    configure();
  });
  afterEach(() => world.close());

  const configure = (more: Record<string, unknown> = {}) =>
    world.site.configure(
      world.settings({ exchange: { schedule: '* * * * * *' }, top: { state: { ...state, ...more } } }),
    );
  const publish = (from: number, to: number) => world.taxii.load(values(from, to).map((value) => indicator(value)));
  const armed = (count: number) => eventually(() => standing().length === count, `${count} armed`, 60_000);
  /** Nothing while the daemon has not made its index. */
  const standing = (): string[] => {
    try {
      return world.armed();
    } catch {
      return [];
    }
  };

  it('rehearses a new configuration from what the server knows', async () => {
    publish(1, 20);
    await world.site.entente(['run', '--once']);
    world.site.configure(world.settings({ siem: { clearance: 'green' }, top: { state } }), 'new.yaml');

    const { code, stdout } = await world.site.entente(['rehearse', '--config', 'new.yaml', '--json']);

    expect([code, JSON.parse(stdout)]).toMatchObject([1, { siems: [{ name: 'watch', stands: 0, removed: 19 }] }]);
  });

  it('fills a SIEM, changes nothing again, and is read beside it', async () => {
    publish(1, 20);

    expect(await world.site.entente(['run', '--once'])).toMatchObject({ code: 0 });
    expect(world.armed()).toHaveLength(19);
    expect((await world.site.entente(['run', '--once'])).stdout).toMatch(/wrote 0 changes/);
    const why = await world.site.ask<{ entries: { siems: { state: string }[] }[] }>(['why', '198.51.100.7']);
    expect(why.entries[0]?.siems[0]?.state).toBe('delivered');
    expect(await world.site.ask(['status'])).toMatchObject({ siems: [{ wanted: 19, delivered: 19 }] });
    expect((await world.site.ask<{ siems: { add: number }[] }>(['plan'])).siems[0]).toMatchObject({
      add: 0,
      remove: 0,
    });
    expect(world.site.printed).not.toContain(server.password);
  });

  it('holds its lock by its connection: a second one is refused by name, and a kill frees it at once', async () => {
    publish(1, 5);
    const daemon = await world.site.daemon();
    await armed(4);

    const second = await world.site.entente(['run']);
    expect([second.code, second.stderr]).toEqual([1, expect.stringMatching(/held by entente run, pid \d+/)]);
    const beside = await world.site.entente(['suppress', '198.51.100.2', '--hours', '1', '--reason', 'ours']);
    expect([beside.code, world.armed().length]).toEqual([0, 3]);

    await daemon.process.kill('SIGKILL');
    publish(5, 8);
    const next = await world.site.daemon();
    await armed(6);
    expect((await next.stop()).code).toBe(0);
  });

  it('ends and names the other where somebody took its state while it stood still', async () => {
    publish(1, 5);
    const daemon = await world.site.daemon();
    await armed(4);
    daemon.process.signal('SIGSTOP');
    await asAdministrator(server, (db) => {
      db.all("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'entente'");
    });

    const next = await world.site.daemon();
    daemon.process.signal('SIGCONT');

    const { code, stderr } = await daemon.process.ended;
    expect([code, stderr]).toEqual([1, expect.stringMatching(new RegExp(`entente run, pid ${next.process.pid}`))]);
    publish(5, 10);
    await armed(9);
    expect((await next.stop()).code).toBe(0);
  });

  it('waits while its server restarts under it, says so, and goes on by itself', async () => {
    publish(1, 5);
    const daemon = await world.site.daemon();
    await armed(4);

    await server.kill();
    publish(5, 10);
    const away = await daemon.until((one) => one.reasons.some((reason) => /is away.*nothing is written/.test(reason)));
    expect([away.state, (await daemon.get('/health')).code]).toEqual(['failing', 503]);
    expect([(await daemon.get('/livez')).code, (await daemon.get('/')).code]).toEqual([200, 200]);
    await delay(500);
    expect(world.armed()).toHaveLength(4);
    await server.restart();

    await armed(9);
    await daemon.until((one) => !one.reasons.some((reason) => reason.includes('is away')));
    expect((await daemon.stop()).code).toBe(0);
    expect(daemon.process.stderr).toMatch(/can be worked with again/);
  });

  it('writes nothing to a SIEM while its server takes no writes, says so, and goes on by itself', async () => {
    publish(1, 5);
    const daemon = await world.site.daemon();
    await armed(4);

    await asAdministrator(server, (db) => {
      const [data] = db.all<{ setting: string }>("SELECT setting FROM pg_settings WHERE name = 'data_directory'");
      writeFileSync(join(data!.setting, 'standby.signal'), '');
    });
    await server.kill();
    await server.restart();
    publish(5, 10);
    const away = await daemon.until((one) => one.reasons.some((reason) => /takes no writes/.test(reason)));
    expect([away.state, (await daemon.get('/health')).code]).toEqual(['failing', 503]);
    await delay(500);
    expect(world.armed()).toHaveLength(4);

    await asAdministrator(server, (db) => void db.all('SELECT pg_promote()'), 'read');
    await armed(9);
    expect((await daemon.stop()).code).toBe(0);
  });

  it('waits for a server that fell over a full disk of its log, which lost nothing', async ({ skip }) => {
    publish(1, 5);
    const daemon = await world.site.daemon();
    await armed(4);
    let data = '';
    await asAdministrator(server, (db) => {
      data = db.all<{ setting: string }>("SELECT setting FROM pg_settings WHERE name = 'data_directory'")[0]!.setting;
    });
    const disk = smallDisk(`${data}-log`, 200, statSync(data).uid);
    if (typeof disk === 'string') return skip(disk);
    const [log, aside] = [join(data, 'pg_wal'), join(data, 'pg_wal.aside')];
    const move = async (from: string, to: string) => {
      await server.kill();
      execFileSync('cp', ['-a', `${from}/.`, to]);
    };
    try {
      await move(log, disk.folder);
      renameSync(log, aside);
      symlinkSync(disk.folder, log);
      await server.restart();
      publish(5, 7);
      await armed(6);

      disk.fill();
      // The next segments find no room.
      for (let turn = 0; turn < 20; turn++)
        await asAdministrator(
          server,
          (db) => void db.all('SELECT pg_switch_wal(), pg_logical_emit_message(false, $$x$$, $$y$$)'),
        ).catch(() => {});
      publish(7, 10);
      const away = await daemon.until((one) =>
        one.reasons.some((reason) => /is away.*nothing is written/.test(reason)),
      );
      expect([away.state, (await daemon.get('/health')).code]).toEqual(['failing', 503]);
      expect(world.armed()).toHaveLength(6);
      expect(readFileSync(join(data, '../log'), 'utf8')).toMatch(/PANIC: .*No space left on device/);

      disk.clear();
      await server.restart();
      await armed(9);
      expect((await daemon.stop()).code).toBe(0);
      expect(await world.site.ask(['status'])).toMatchObject({ siems: [{ wanted: 9, delivered: 9 }] });
    } finally {
      disk.clear();
      rmSync(aside, { recursive: true, force: true });
      mkdirSync(aside);
      chownSync(aside, statSync(data).uid, statSync(data).gid);
      await move(disk.folder, aside);
      rmSync(log);
      renameSync(aside, log);
      disk.unmount();
      await server.restart();
    }
  });

  it('waits for a server that is away at its start; a single run gives up', async () => {
    await server.kill();
    const once = await world.site.entente(['run', '--once', '--patience-secs', '1']);
    expect([once.code, once.stderr]).toEqual([1, expect.stringMatching(/server of the state .* is away/)]);

    publish(1, 5);
    const running = world.site.start(['run']);
    await running.until(/waiting for it/);
    await server.restart();
    await armed(4);
    expect((await running.kill('SIGTERM')).code).toBe(0);
  });

  it('moves to the server and back, and backs itself up into a file, without a change to the SIEM', async () => {
    world.site.configure(world.settings());
    publish(1, 9);
    expect((await world.site.entente(['run', '--once'])).code).toBe(0);
    await world.site.entente(['suppress', '198.51.100.3', '--hours', '5', '--reason', 'ours']);
    expect((await world.site.entente(['run', '--once'])).code).toBe(0);
    const to = ['state', 'copy', '--to', String(state['url']), '--schema', String(state['schema'])];
    const moved = await world.site.entente([...to, '--password-file', world.site.path('password')]);
    expect([moved.code, moved.stdout]).toEqual([0, expect.stringMatching(/found each table the same there/)]);
    const again = await world.site.entente([...to, '--password-file', world.site.path('password')]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/holds a state already/)]);

    configure();
    expect((await world.site.entente(['run', '--once'])).stdout).toMatch(/wrote 0 changes/);
    await world.site.entente(['suppress', '198.51.100.4', '--hours', '5', '--reason', 'ours']);
    expect((await world.site.entente(['run', '--once'])).code).toBe(0);
    expect(await world.site.entente(['backup', 'backup.db'])).toMatchObject({ code: 0 });
    expect(await world.site.entente(['state', 'copy', '--to', 'back.db'])).toMatchObject({ code: 0 });
    for (const file of ['backup.db', 'back.db']) {
      world.site.configure(world.settings({ top: { state: `./${file}` } }));
      expect(await world.site.ask(['suppress', 'list'])).toMatchObject({ suppressions: [{}, {}] });
      expect(await world.site.ask(['status'])).toMatchObject({ siems: [{ wanted: 6, delivered: 6 }] });
    }
    expect((await world.site.entente(['run', '--once'])).stdout).toMatch(/wrote 0 changes/);
    expect(standing()).toHaveLength(6);
  });

  it('says what is wrong with a password, a database or an instance, exit 2', async () => {
    expect((await world.site.entente(['run', '--once'])).code).toBe(0);
    const refused = async (...args: string[]) => {
      const { code, stderr } = await world.site.entente(args.length === 0 ? ['run', '--once'] : args);
      return `${code}: ${stderr}`;
    };

    world.site.write('wrong', 'something else');
    configure({ password_file: './wrong' });
    expect(await refused()).toMatch(/^2: .*refused the password of entente; renew it/);
    configure({ url: String(state['url']).replace(/entente$/, 'nowhere') });
    expect(await refused()).toMatch(/^2: .*there is no database nowhere/);
    world.site.configure({ ...world.settings({ top: { state } }), instance: 'another' });
    expect(await refused()).toMatch(/^2: .*belongs to instance/);
    configure({ url: 'postgres://entente:secret@127.0.0.1/entente' });
    expect(await refused('check')).toMatch(/^2: .*no password in the URL/s);
  });
});

describeWith('the daemon over PostgreSQL with TLS', encrypted, (server) => {
  it('trusts the certificate that it is given, and no other', async () => {
    const world = await aWorld();
    try {
      const state = { ...stateOn(server), password: server.password, password_file: undefined };
      const run = async (tls: object) => {
        world.site.configure(world.settings({ top: { state: { ...state, tls } } }));
        return world.site.entente(['run', '--once']);
      };

      expect(await run({})).toMatchObject({ code: 2, stderr: expect.stringMatching(/no trusted connection/) });
      expect(await run({ ca_file: server.caFile })).toMatchObject({ code: 0 });
      expect(await run({ ca_file: server.caFile, server_name: 'db.example' })).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/no trusted connection/),
      });
      expect(world.site.printed).not.toContain(server.password);
    } finally {
      await world.close();
    }
  });
});

async function asAdministrator(server: ScriptPeer, work: (db: Database) => void, to = 'write'): Promise<void> {
  const place = placeOn({ port: server.port, user: 'postgres', database: 'postgres', password: '' }, 'public');
  const db = to === 'read' ? openReading(place) : openBeside(place);
  try {
    work(db);
  } finally {
    db.close();
  }
}

function stateOn(server: ScriptPeer): Record<string, unknown> {
  return { url: server.url, password_file: './password', schema: `daemon_${process.pid}_${++made}` };
}
