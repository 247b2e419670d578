// The night shift's memory and the honest undo: a value off until it is lifted, and a whole push of a partner taken off.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { inProcess } from './in-process.ts';
import { eventually } from './site.ts';
import { addresses, aWorld, indicator, type World } from './world.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 });

let world: World;
beforeEach(async () => {
  world = await aWorld();
  world.site.configure(world.settings({ exchange: { schedule: '* * * * * *' } }));
});
afterEach(() => world.close());

const armed = (): string[] => {
  try {
    return world.armed();
  } catch {
    return []; // the index does not exist yet
  }
};

it('harmless takes a value off at once, lists it with its date, and lift gives it back', async () => {
  world.taxii.load(addresses(2).map((value) => indicator(value)));
  const daemon = await world.site.daemon();
  await eventually(() => armed().length === 2, 'both are armed');

  const done = await world.site.entente(['harmless', '198.18.0[.]1', '--reason', 'our updater', '--review', '30']);
  expect([done.code, done.stdout]).toEqual([0, expect.stringContaining('watch: removed')]);
  expect(world.armed()).toEqual(['198.18.0.2']);

  const { harmless } = await world.site.ask<{ harmless: { id: number }[] }>(['harmless', 'list']);
  expect(harmless).toMatchObject([{ value: '198.18.0.1', reason: 'our updater', due: false }]);
  expect((await world.site.entente(['why', '198.18.0.1'])).stdout).toContain('it stays off until somebody lifts it');
  expect((await world.site.entente(['suppress', 'list'])).stdout).toBe('No value is suppressed.\n');

  expect((await world.site.entente(['harmless', 'lift', String(harmless[0]!.id)])).code).toBe(0);
  await eventually(() => armed().length === 2, 'it is back');
  await daemon.stop();
});

it('suppress --exchange shows a push first and takes it off with --yes, but what was there before', async () => {
  world.taxii.load([indicator('198.18.0.1')]);
  const daemon = await world.site.daemon();
  await eventually(() => armed().length === 1, 'the first is armed');
  const since = new Date(Date.now()).toISOString();
  await new Promise((go) => setTimeout(go, 20));
  world.taxii.load(addresses(30, 10).map((value) => indicator(value)));
  await eventually(() => armed().length === 31, 'the push is armed');
  const push = ['suppress', '--exchange', 'partner', '--since', since, '--hours', '4', '--reason', 'a bad push'];

  const plan = await world.site.entente(push);
  expect(plan.stdout).toContain('30 values that only partner vouches for');
  expect(plan.stdout).toContain('Nothing was done');
  expect(world.armed()).toHaveLength(31);

  const done = await world.site.ask([...push, '--yes']);
  expect(done).toMatchObject({ values: 30, shared: 0, siems: { watch: 30 }, done: true });
  await eventually(() => armed().length === 1, 'the push is off');
  expect(world.armed()).toEqual(['198.18.0.1']);
  await daemon.stop();
});

it('suppress --exchange --poll takes off what one poll brought, as history names it, and nothing of the next', async () => {
  const entente = (...args: string[]) => inProcess(world.site, ...args);
  const poll = async (...values: readonly string[]) => {
    world.taxii.load(values.map((value) => indicator(value)));
    expect(await entente('run', '--once')).toMatchObject({ code: 0 });
    // A poll is named by the second in which it began.
    const second = Math.floor(Date.now() / 1000);
    await eventually(() => Math.floor(Date.now() / 1000) > second, 'the next second');
  };
  await poll('198.18.0.1');
  await poll('198.18.0.2', '198.18.0.3');
  await poll('198.18.0.4');
  const { entries } = JSON.parse((await entente('history', '--json')).stdout) as {
    entries: { kind: string; at: string; counts: { new?: number } }[];
  };
  const { at } = entries.find((one) => one.kind === 'poll' && one.counts.new === 2)!;
  const shown = at.replace('T', ' ').replace(/\.\d+Z$/, 'Z');
  const undo = ['suppress', '--exchange', 'partner', '--poll', shown, '--hours', '4', '--reason', 'a bad push'];

  const plan = await entente(...undo);
  expect(plan.stdout).toContain(`2 values that only partner vouches for, of its poll of ${shown}, would be suppressed`);
  const done = await entente(...undo, '--yes', '--json');
  expect(JSON.parse(done.stdout)).toMatchObject({ values: 2, shared: 0, done: true });
  await entente('run', '--once');
  expect(world.armed()).toEqual(['198.18.0.1', '198.18.0.4']);

  const none = await entente(...undo.map((one) => (one === shown ? '2026-01-01T00:00Z' : one)));
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('brought anything at')]);
});

it.each([
  [['harmless', '198.18.0.1'], 'harmless needs one VALUE and --reason'],
  [['harmless', '198.18.0.1', '--reason', 'x', '--review', '0'], '--review needs a number of days'],
  [['suppress', '--exchange', 'nobody', '--since', '1h', '--hours', '1', '--reason', 'x'], 'no exchange nobody'],
  [
    ['suppress', '--exchange', 'partner', '--since', 'tomorrow', '--hours', '1', '--reason', 'x'],
    '--since needs a time',
  ],
])('says what is missing: %j', async (args, message) => {
  const { code, stderr } = await world.site.entente(args);

  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});
