// What stands in for the launcher in the other tests (warm.ts) answers as it does: each command both ways.
import { afterEach, expect, it } from 'vitest';
import { commandTable } from '../../src/cli/cli.ts';
import { parts } from '../../src/cli/parts.ts';
import { addresses, aWorld, indicator, type World } from './world.ts';

let world: World;
afterEach(() => world.close());

/** What each is typed as, twice. Commands that stay until they are ended are always started by the launcher. */
const TYPED: Readonly<Record<string, readonly string[]>> = {
  init: ['init', 'entente.yaml'],
  run: ['run', '--once'],
  plan: ['plan', '--json'],
  record: ['record', '--out', 'none/record.jsonl'],
  rehearse: ['rehearse'],
  status: ['status', '--json'],
  why: ['why', '198.18.0.1', '--json'],
  suppress: ['suppress', 'list', '--json'],
  harmless: ['harmless', 'list'],
  held: ['held', 'list'],
  refused: ['refused', 'list'],
  parked: ['parked', 'list'],
  reconcile: ['reconcile'],
  purge: ['purge', '--siem', 'watch'],
  history: ['history', '--json'],
  audit: ['audit', 'verify'],
  backup: ['backup', 'none/copy.db'],
  state: ['state', 'copy'],
  check: ['check', '--probe'],
  completion: ['completion', 'bash'],
  schema: ['schema', '--help'],
  help: ['help', 'why'],
  version: ['version', '--json'],
  pattern: ['pattern'],
};
const STAYS = ['demo', 'simulate'];

/** Times, and how long something took or takes, differ from one moment to the next. */
const unmoved = (text: string): string =>
  text
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>')
    .replace(/\b\d+(\.\d+)? (ms|s|seconds?|minutes?)\b|("\w*(secs|Ms|pid|took)\w*":)[\d.]+/g, '$3<number>');

it('each command answers in a warm process what it answers by the launcher', { timeout: 240_000 }, async () => {
  world = await aWorld();
  world.site.configure(world.settings());
  world.taxii.load(addresses(3).map((value) => indicator(value)));
  await world.site.entente(['run', '--once'], { by: 'launcher' });
  const names = (await commandTable(parts)).map(({ name }) => name);
  expect([...Object.keys(TYPED), ...STAYS].toSorted()).toEqual(names.toSorted());

  for (const args of [...Object.values(TYPED), ['stauts'], ['run', '--onse'], []]) {
    const launched = await world.site.entente(args, { by: 'launcher' });
    const warm = await world.site.entente(args);

    for (const one of [launched, warm])
      Object.assign(one, { stdout: unmoved(one.stdout), stderr: unmoved(one.stderr) });
    expect(warm, args.join(' ')).toEqual(launched);
  }
});

it('reads its folder, variables and clock anew for each command', async () => {
  world = await aWorld();
  const other = await aWorld();
  for (const one of [world, other])
    one.site.configure({ ...one.settings({ siem: { auth: { api_key: '${KEY}' } } }), instance: '${NAME}' });
  const typed = (one: World, name: string, by?: 'launcher') =>
    one.site.entente(['check', '--probe'], {
      env: { NAME: name, KEY: one.elastic.apiKey },
      ...(by === undefined ? {} : { by }),
    });

  for (const one of [world, other, world]) {
    expect(await typed(one, 'soc-a')).toMatchObject({ code: 0 });
    expect(await one.site.entente(['check'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('KEY is not set'),
    });
  }
  world.site.configure(world.settings());
  const clock = await world.site.entente(['check'], { clock: 'tomorrow' });
  expect(clock.stderr).toContain('ENTENTE_CLOCK is not a time');
  await other.close();
});
