// What waits for a person, through the command as it is typed: an approval covers exactly what was shown.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import { parts } from '../../src/cli/parts.ts';
import { createOutput } from '../../src/cli/output.ts';
import { systemClock } from '../../src/core/runtime/clock.ts';
import { addresses, aWorld, indicator, revoked, type World } from './world.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let world: World;
beforeEach(async () => {
  world = await aWorld();
  const brake = { share: 0.2, at_least: 10, window_hours: 24 };
  world.site.configure(world.settings({ top: { policy: { removal_brake: brake, addition_brake: { at_least: 30 } } } }));
});
afterEach(() => world.close());

/** The command in this process, as main.ts runs it: a process for each would take most of the time. */
async function cli(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const text = { stdout: '', stderr: '' };
  const out = createOutput(
    {
      write: (more) => {
        text.stdout += more;
      },
    },
    {
      write: (more) => {
        text.stderr += more;
      },
    },
    {},
    systemClock,
  );
  const signal = new AbortController().signal;
  const code = await runCli([...args, '--config', world.site.path('entente.yaml')], { parts, out, env: {}, signal });
  return { code, ...text };
}
const asked = async <T>(...args: string[]): Promise<T> => JSON.parse((await cli(...args, '--json')).stdout) as T;
const once = () => cli('run', '--once');
const TOLD = ['--reason', 'phoned', '--by', 'ana'];

interface Listed {
  readonly held: readonly {
    readonly id: number;
    readonly kind: string;
    readonly count: number;
    readonly set: string;
  }[];
  readonly set: string | null;
}
const list = (...flags: string[]) => asked<Listed>('held', 'list', ...flags);

/** All are armed, and the first `n` of them withdrawn again. */
async function withdrawn(values: readonly string[], n: number): Promise<void> {
  world.taxii.load(values.map((value) => indicator(value)));
  expect((await once()).code).toBe(0);
  world.taxii.load(values.slice(0, n).map(revoked));
  expect((await once()).code).toBe(0);
}

describe('a held set', () => {
  it('is approved under the code that list and show print, and under no other', async () => {
    const values = addresses(40);
    await withdrawn(values, 20);
    const { held, set } = await list();
    expect(held).toEqual([
      {
        id: 1,
        kind: 'removal',
        siem: 'watch',
        exchange: 'partner',
        count: 20,
        set: expect.stringMatching(/^[0-9a-f]{8}$/),
        created: expect.any(String),
        expires: null,
        reason: expect.any(String),
      },
    ]);
    const code = held[0]!.set;
    expect(set).toBe(code);
    const shown = await cli('held', 'show', '1');
    expect(shown.stdout).toContain(`removal of 20 entries at watch, by partner`);
    expect(shown.stdout).toContain(`entente held approve 1 --set ${code} --reason TEXT`);
    expect((await cli('held', 'list')).stdout).toContain(code);

    for (const [args, says] of [
      [['held', 'approve', '1', ...TOLD], 'held approve needs --set CODE'],
      [['held', 'approve', '1', '--set', code], 'held approve needs --reason TEXT'],
      [['held', 'reject', '1', '--set', code, '--reason', '  '], 'held reject needs --reason TEXT'],
      [['held', 'approve', '1', '--set', code, '--reason', '\u200b\u00ad'], 'held approve needs --reason TEXT'],
      [['held', 'approve', '1', '--set', '12', ...TOLD], '--set 12 is no code'],
    ] as const)
      expect(await cli(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(says) });
    const wrong = await cli('held', 'approve', '1', '--set', '00000000', ...TOLD);
    expect(wrong).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('it covers 20 entries now') });

    world.taxii.load(values.slice(20, 25).map(revoked));
    await once();
    const grown = await cli('held', 'approve', '1', '--set', code, ...TOLD);
    expect([grown.code, grown.stderr]).toEqual([
      1,
      expect.stringMatching(
        /hold 1 has changed since it was shown: it covered 20 entries then and covers 25 now, 5 more \(among them 198\.18\.0\.\d+/,
      ),
    ]);
    await once();
    expect(world.armed()).toHaveLength(40);

    const again = (await list()).held[0]!.set;
    expect(again).not.toBe(code);
    const done = await cli('held', 'approve', '1', '--set', again.toUpperCase(), ...TOLD);
    expect(done).toMatchObject({ code: 0, stdout: 'Approved 1: removal of 25 entries at watch.\n' });
    await once();
    expect(world.armed()).toEqual(values.slice(25).toSorted());
    expect(await cli('held', 'list')).toMatchObject({ code: 0, stdout: 'Nothing waits for a person.\n' });
    const twice = await cli('held', 'approve', '1', '--set', again, ...TOLD);
    expect(twice).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing that fits is waiting') });
  });

  it('of other members of the same number is another set', async () => {
    const values = addresses(40);
    await withdrawn(values, 20);
    const [before] = (await list()).held;
    // One comes back under another object, another one goes.
    world.taxii.load([
      indicator(values[0]!, { id: 'indicator--00000000-0000-4000-8000-000000000001' }),
      revoked(values[30]!),
    ]);
    await once();
    const [now] = (await list()).held;

    expect([now!.count, now!.set === before!.set]).toEqual([20, false]);
    const refused = await cli('held', 'reject', '1', '--set', before!.set, ...TOLD);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('as many, but others') });
  });

  it('of any size is shown to its end', async () => {
    await withdrawn(addresses(1700), 1600);

    const text = (await cli('held', 'show', '1')).stdout;
    const shown = await asked<{ count: number; set: string; entries: { value: string }[] }>('held', 'show', '1');

    expect(new Set(shown.entries.map((one) => one.value))).toEqual(new Set(addresses(1600)));
    expect(text.match(/\(ipv4-addr\)/g)).toHaveLength(1600);
    expect([shown.count, text.includes(shown.set)]).toEqual([1600, true]);
  });

  it('of additions goes like one of removals, and many go under the code that the list prints for just those', async () => {
    await withdrawn(addresses(40), 20);
    world.taxii.load(addresses(40, 1000).map((value) => indicator(value)));
    await once();
    const all = await list('--exchange', 'partner');
    const additions = await list('--exchange', 'partner', '--kind', 'addition');
    expect(all.held.map((one) => [one.kind, one.count])).toEqual([
      ['removal', 20],
      ['addition', 40],
    ]);
    expect(additions.set).toBe(additions.held[0]!.set);
    expect(all.set).not.toBe(additions.set);
    const text = (await cli('held', 'list', '--exchange', 'partner')).stdout;
    expect(text).toContain(`held approve --exchange partner --set ${all.set} --reason TEXT`);

    world.taxii.load(addresses(2, 2000).map((value) => indicator(value)));
    await once();
    const stale = await cli('held', 'approve', '--exchange', 'partner', '--set', all.set!, ...TOLD);
    expect(stale).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('2: addition of 42 entries at watch'),
    });
    const { set } = await list('--exchange', 'partner', '--kind', 'addition');
    const some = await cli('held', 'approve', '--exchange', 'partner', '--kind', 'addition', '--set', set!, ...TOLD);
    expect(some.stdout).toBe('Approved 2: addition of 42 entries at watch.\n');
    await once();
    expect(world.armed()).toHaveLength(82);
    const rest = await list('--exchange', 'partner');
    const rejected = await cli('held', 'reject', '--exchange', 'partner', '--set', rest.set!, ...TOLD);
    expect(rejected).toMatchObject({ code: 0, stdout: 'Rejected 1: removal of 20 entries at watch.\n' });
    const why = await asked('why', addresses(1)[0]!);
    expect(why).toMatchObject({
      entries: [{ siems: [{ state: 'held', reason: 'hold 1, rejected by ana: phoned' }] }],
    });
  });

  it('counts as failing when nobody answered it for hold_patience_hours, of the SIEM it waits at', async () => {
    await withdrawn(addresses(40), 20);
    const ofSiem = async () => (await asked<{ siems: object[]; state: string }>('status')).siems[0];
    expect(await ofSiem()).toMatchObject({ state: 'ok', reason: expect.stringContaining('waits for a person') });

    const brake = { share: 0.2, at_least: 10, window_hours: 24 };
    const patient = { removal_brake: brake, hold_patience_hours: 48 };
    world.site.configure(world.settings({ siem: { policy: { hold_patience_hours: 1e-7 } }, top: { policy: patient } }));
    expect(await ofSiem()).toMatchObject({
      state: 'failing',
      reason: expect.stringMatching(/^hold 1 \(20 removals\) is unanswered for more than 1e-7 h: /),
      next_action: 'entente held show 1, then approve or reject it',
    });
    world.site.configure(world.settings({ top: { policy: patient } }));
    expect(await ofSiem()).toMatchObject({ state: 'ok' });
  });

  it('is asked about on a terminal, with the numbers', async () => {
    await withdrawn(addresses(40), 20);
    const ask = async (answer: string, args: readonly string[] = []) => {
      let text = '';
      const write = (more: string) => {
        text += more;
      };
      const stream = { write, isTTY: true, columns: 200 };
      const asked: string[] = [];
      const code = await runCli(
        ['held', 'approve', '1', '--reason', 'phoned', '--config', world.site.path('entente.yaml'), ...args],
        {
          parts,
          out: createOutput(stream, stream, { NO_COLOR: '1' }, systemClock),
          env: {},
          signal: new AbortController().signal,
          ask: async (question) => {
            asked.push(question);
            return answer;
          },
        },
      );
      return { code, text, asked };
    };

    const no = await ask('');
    expect(no).toMatchObject({ code: 1, asked: ['Approve this? [y/N] '] });
    expect(no.text).toMatch(/1: removal of 20 entries at watch: .*\(set [0-9a-f]{8}\)\nNothing was done\.\n/);
    expect((await list()).held).toHaveLength(1);
    expect(await ask('y')).toMatchObject({ code: 0, text: expect.stringContaining('Approved 1: removal of 20') });
    expect((await list()).held).toEqual([]);
  });
});
