// Where there is no room for what a command writes: a copy, a list, a record, a configuration. The words name that place and
// never the state, which is well; nothing that is half written is left; and no answer is lost with exit 0.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { addresses, aWorld, indicator, type World } from './world.ts';

// Each starts processes, and other work may keep the machine busy.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const canMount = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;

let world: World;
beforeAll(async () => {
  world = await aWorld({ taxii: { data: addresses(40).map((value) => indicator(value)) } });
  world.site.configure(world.settings());
  world.site.configure(world.settings({ siem: { clearance: 'green' } }), 'new.yaml');
  mkdirSync(world.site.path('full'));
  await world.site.entente(['run', '--once']);
});
afterAll(() => world.close());

const inShell = (script: string): string[] => ['sh', '-c', script, 'sh'];

/** `full` is a small disk without room while the command runs; what it holds afterwards is said on stderr. */
const ON_A_FULL_DISK = [
  'unshare',
  '-m',
  ...inShell(
    'mount -t tmpfs -o size=16k none full && { head -c 100000 /dev/zero > full/fill 2> /dev/null; "$@"; code=$?; echo left: $(ls full) >&2; exit $code; }',
  ),
];

describe.skipIf(!canMount)('on a full disk', () => {
  it.each<[string, string[]]>([
    ['full/monday.jsonl', ['record', '--out', 'full/monday.jsonl']],
    ['full/copy.db', ['backup', 'full/copy.db']],
    ['full/other.db', ['state', 'copy', '--to', 'full/other.db']],
    ['full/proofs.json', ['audit', 'export', '--since', '1h', '--proofs', 'full/proofs.json']],
    ['full/tiles', ['audit', 'export', '--tiles', 'full/tiles']],
    [
      'full/new.yaml',
      ['init', 'full/new.yaml', '--instance', 'a', '--exchange', 'name=p,type=files,path=/', '--no-probe'],
    ],
  ])('%s is named, and the state is not', async (place, command) => {
    const { code, stderr } = await world.site.entente(command, { under: ON_A_FULL_DISK });

    expect(code).toBe(1);
    expect(stderr).toContain(place);
    expect(stderr).toMatch(/no space|disk is full/);
    expect(stderr).not.toContain('state/entente.db');
    expect(stderr).not.toMatch(/no state can be kept|a bug|\n\s+at /);
  });

  it.each([
    ['record', ['record', '--out', 'full/file']],
    ['backup', ['backup', 'full/file']],
    ['init', ['init', 'full/file', '--instance', 'a', '--exchange', 'name=p,type=files,path=/', '--no-probe']],
    ['proofs', ['audit', 'export', '--since', '1h', '--proofs', 'full/file']],
  ])('%s leaves no file that could be taken for a whole one', async (_what, command) => {
    const { stderr } = await world.site.entente(command, { under: ON_A_FULL_DISK });

    expect(stderr).toMatch(/\nleft: fill\n$/);
  });

  it.each([
    ['plan', ['plan', '--offline']],
    ['rehearse', ['rehearse', '--config', 'new.yaml']],
    ['demo', ['demo', '--once']],
  ])('%s says that its folder for temporary files is', async (_what, command) => {
    const full = world.site.path('full');
    const { code, stderr } = await world.site.entente(command, { under: ON_A_FULL_DISK, env: { TMPDIR: full } });

    expect(code).toBe(1);
    expect(stderr).toContain(`there is no room under ${full}`);
    expect(stderr).toContain('TMPDIR');
    expect(stderr).not.toContain('state/entente.db');
  });
});

describe('an answer that cannot be written', () => {
  it.each([
    ['status', '--json'],
    ['why', '198.18.0.1'],
    ['audit', 'export', '--since', '1h'],
    ['refused', 'list', '--json'],
    ['plan', '--offline'],
  ])('is told on stderr, exit 1: %s %s', async (...command) => {
    const { code, stderr } = await world.site.entente(command, { under: inShell('"$@" > /dev/full') });

    expect(code).toBe(1);
    expect(stderr.match(/the answer could not be written/g)).toHaveLength(1);
    expect(stderr).toContain('ENOSPC');
  });

  it.each([
    ['plan', ['plan', '--offline']],
    ['rehearse', ['rehearse', '--config', 'new.yaml']],
    ['demo', ['demo', '--once']],
  ])('leaves no copy of the state behind: %s', async (what, command) => {
    const tmp = world.site.path(`tmp-${what}`);
    mkdirSync(tmp, { recursive: true });
    for (const to of ['> /dev/full', '| true']) {
      await world.site.entente(command, { under: inShell(`"$@" ${to}`), env: { TMPDIR: tmp } });
      expect([to, readdirSync(tmp)]).toEqual([to, []]);
    }
  });

  it('is no fault where its reader went away', async () => {
    const { code, stderr } = await world.site.entente(['plan', '--offline', '--list'], {
      under: ['bash', '-c', 'set -o pipefail; "$@" | true', 'bash'],
    });

    expect([code, stderr]).toEqual([0, '']);
  });
});
