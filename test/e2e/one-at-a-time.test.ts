// Who holds the state, as people meet it: a start beside a running command, a command beside a frozen daemon, and a
// reload, during which the probes go on answering.
import { hostname } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventually, moment } from './site.ts';
import { addresses, aWorld, indicator, type World } from './world.ts';

// Each starts processes, and other work may keep the machine busy.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

let world: World;
beforeEach(async () => {
  world = await aWorld({ taxii: { data: addresses(3).map((value) => indicator(value)) } });
  world.site.configure(world.settings());
});
afterEach(() => world.close());

describe('a start that meets a running command', () => {
  it('waits for it, says for whom, and runs', async () => {
    await world.site.entente(['run', '--once']);
    world.elastic.setFaults([{ match: '/_search', action: 'slow', ms: 4_000, times: 1 }]);
    const comparing = world.site.start(['reconcile']);
    await eventually(() => world.site.files(/\.lock$/).includes('entente reconcile'), 'it holds the state');

    const daemon = await world.site.daemon();

    expect(daemon.process.stderr).toMatch(/is held by entente reconcile, pid \d+ on \S+, since \S+; waiting for it/);
    expect((await comparing.ended).code).toBe(0);
    expect((await daemon.stop()).code).toBe(0);
  });

  it('fails at once beside a daemon, which does not end by itself', async () => {
    const daemon = await world.site.daemon();

    const second = await world.site.entente(['run', '--once']);

    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`held by entente run, pid ${daemon.process.pid} on ${hostname()}, since `);
    expect(second.stderr).not.toContain('waiting');
    await daemon.stop();
  });
});

describe('suppress beside a daemon that is frozen', () => {
  const suppress = () => world.site.entente(['suppress', '198.18.0.1', '--hours', '1', '--reason', 'ours']);

  it.each(['between two writes', 'within a write'])(
    '%s names it and says what to do; nothing is left behind',
    async (when) => {
      const daemon = await world.site.daemon();
      await eventually(() => armed().length === 3, 'all are armed');
      await moment(500); // what is written after that is written
      daemon.process.signal('SIGSTOP');
      // What a process leaves that is stopped in the middle of a write: its lock on the file.
      const other = new DatabaseSync(world.site.state);
      if (when === 'within a write') other.exec('BEGIN IMMEDIATE');

      const done = await suppress();

      other.close();
      const { pid } = daemon.process;
      expect([done.code, done.stdout]).toEqual([1, '']);
      expect(done.stderr).toContain(`entente run, pid ${pid} on ${hostname()}`);
      expect(done.stderr).toMatch(/nothing was done.*frozen.*kill -CONT/);
      expect(done.stderr).not.toContain('another program');
      daemon.process.signal('SIGCONT');
      await moment(1000); // long enough to take a request up
      expect(await world.site.ask(['suppress', 'list'])).toEqual({ suppressions: [], suggested: [] });
      await daemon.stop();
    },
  );
});

describe('a reload', () => {
  it('closes no web server: every probe is answered, and one place stays', async () => {
    const daemon = await world.site.daemon();
    await daemon.ready();
    const codes: Record<string, number[]> = {
      '/livez': [],
      '/readyz': [],
      '/status': [],
      '/metrics': [],
      '/health': [],
    };
    let over = false;
    const asking = Object.keys(codes).map(async (path) => {
      while (!over) {
        codes[path]!.push(
          await daemon.get(path).then(
            ({ code }) => code,
            () => 0,
          ),
        );
        await moment(5);
      }
    });
    for (const share of [40, 50]) {
      world.site.configure(world.settings({ top: { policy: { min_confidence: share } } }));
      const before = daemon.process.stderr.split('"Entente runs."').length;
      daemon.process.signal('SIGHUP');
      await eventually(() => daemon.process.stderr.split('"Entente runs."').length > before, 'the reload is done');
    }
    await moment(300);
    over = true;
    await Promise.all(asking);

    const seen = Object.entries(codes).map(([path, all]) => [path, [...new Set(all)]]);
    expect(seen).toEqual(Object.keys(codes).map((path) => [path, [200]]));
    expect((await daemon.status()).reasons).toEqual([]);
    expect((await daemon.stop()).code).toBe(0);
  });

  it('opens another place where listen changed, and closes the first', async () => {
    const daemon = await world.site.daemon();
    world.site.configure(world.settings({ top: { listen: '[::1]:0' } }));
    daemon.process.signal('SIGHUP');

    const url = await daemon.process.until(/listens on (http:\/\/\[::1\]:\d+)/);

    expect((await fetch(`${url}/livez`)).status).toBe(200);
    await expect(daemon.get('/livez')).rejects.toThrow('fetch failed');
    expect((await daemon.stop()).code).toBe(0);
  });
});

function armed(): string[] {
  try {
    return world.armed();
  } catch {
    return []; // the index does not exist yet
  }
}
