// A command that does long work without a daemon, told to stop: it ends soon, says that it did not finish, and leaves
// nothing behind that the next one would stumble over.
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { stoppedInProcess } from './in-process.ts';
import { eventually, moment } from './site.ts';
import { addresses, aWorld, INDEX, indicator, type World } from './world.ts';

// Each starts processes, and other work may keep the machine busy.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const SOON_MS = 15_000;
const MANY = 200;

let world: World;
beforeEach(async () => {
  world = await aWorld({ taxii: { data: addresses(MANY).map((value) => indicator(value)) } });
  world.site.configure(world.settings());
  await world.site.entente(['run', '--once']);
  expect(world.armed()).toHaveLength(MANY);
  world.site.configure(world.settings({ siem: { enabled: false } }));
});
afterEach(() => world.close());

const COMMANDS = [
  ['reconcile', '--siem', 'watch', '--repair'],
  ['purge', '--siem', 'watch', '--yes'],
] as const;

function inState(sql: string): void {
  const db = new DatabaseSync(world.site.state);
  db.exec(sql);
  db.close();
}

const asked = () => [...world.elastic.requests.values()].reduce((sum, n) => sum + n, 0);

async function stopped(args: readonly string[], busy: () => boolean | Promise<boolean>) {
  const command = world.site.start(args);
  await eventually(busy, 'it is at it');
  const start = performance.now();
  const ended = await command.kill('SIGTERM');
  return { ...ended, tookMs: performance.now() - start };
}

it('ends soon where the SIEM answers nothing', async () => {
  world.elastic.setFaults([{ match: '/', action: 'hang' }]);
  const before = asked();

  const { code, stderr, tookMs } = await stopped(COMMANDS[1], () => asked() > before);

  expect(tookMs).toBeLessThan(SOON_MS);
  expect([code, stderr]).toEqual([1, expect.stringContaining('interrupted')]);
});

it('gives no plan that it did not come to the end of', async () => {
  world.taxii.setFaults([{ match: '/objects/', action: 'hang' }]);
  const asking = () =>
    [...world.taxii.requests].reduce((sum, [name, n]) => sum + (name.includes('/objects/') ? n : 0), 0);
  const before = asking();

  const { code, stdout, stderr } = await stopped(['plan'], () => asking() > before);

  expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining('interrupted')]);
});

it('says nothing of what would differ before both sides were worked out', async () => {
  const present = world.site.path('entente.yaml');
  world.site.configure(world.settings({ siem: { clearance: 'green' } }), 'new.yaml');

  const next = world.site.path('new.yaml');
  const ended = await stoppedInProcess(world.site, 'rehearse', '--config', next, '--present', present);

  expect(ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('interrupted') });
});

describe.each(COMMANDS)('%s', (...args) => {
  it('ends soon where the store is in the middle of long work', async () => {
    // Each row costs a third of a second, so that its unit of work is long on any machine.
    inState(`CREATE TRIGGER slow AFTER UPDATE ON projection BEGIN
      SELECT count(*) FROM (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1500000) SELECT x FROM n);
    END`);
    // Removed by the purge itself, or by somebody behind our back.
    if (args[0] === 'reconcile') world.elastic.dropIndex(INDEX);
    const before = asked();

    const { code, stderr, tookMs } = await stopped(args, async () => {
      const reached = args[0] === 'purge' ? world.armed().length === 0 : asked() > before;
      if (reached) await moment(2_000);
      return reached;
    });

    expect(tookMs).toBeLessThan(SOON_MS);
    expect([code, stderr]).toEqual([1, expect.stringContaining('interrupted')]);
    inState('DROP TRIGGER slow');
    // What is missing is written again where the SIEM is not off.
    world.site.configure(world.settings());
    const again = args[0] === 'purge' ? ['run', '--once'] : args;
    expect((await world.site.entente(again)).code).toBe(0);
    expect(world.armed()).toHaveLength(MANY);
  });
});
