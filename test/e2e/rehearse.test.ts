// A new configuration, rehearsed: against what the state knows, and against a record of what the partner publishes. Nobody
// is contacted by it, and what stands in the SIEM stays.
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Settings } from './site.ts';
import { addresses, aWorld, indicator, revoked, type World } from './world.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 });

interface Rehearsal {
  siems: {
    name: string;
    only: string | null;
    stands: number;
    held: number;
    tried: number;
    added: number;
    removed: number;
    entries: { added: { value: string; reason: string }[]; removed: { value: string; reason: string }[] };
  }[];
  left: string[];
}

let world: World;
beforeEach(async () => {
  const strong = addresses(20).map((value) => indicator(value, { confidence: 80 }));
  const weak = addresses(5, 20).map((value) => indicator(value, { confidence: 20 }));
  world = await aWorld({ taxii: { data: [...strong, ...weak] } });
  world.site.configure(world.settings({ top: { policy: { min_confidence: 10 } } }));
});
afterEach(() => world.close());

const rehearse = async (args: readonly string[] = []) => {
  const ended = await world.site.entente(['rehearse', '--config', 'new.yaml', ...args, '--json'], { limitMs: 110_000 });
  return { code: ended.code, told: JSON.parse(ended.stdout || 'null') as Rehearsal, stderr: ended.stderr };
};
const configure = (more: Parameters<World['settings']>[0], siems?: readonly Settings[]) =>
  world.site.configure({ ...world.settings(more), ...(siems === undefined ? {} : { siems }) }, 'new.yaml');

/** Requests that either far side saw so far. */
const asked = () =>
  [world.taxii, world.elastic].map(({ requests }) => [...requests.values()].reduce((a, b) => a + b, 0));

describe.each(['the stored state', 'a record'])('against %s', (against) => {
  const withRecord = against === 'a record' ? ['--record', 'monday.jsonl'] : [];
  beforeEach(async () => {
    if (withRecord.length > 0) expect((await world.site.entente(['record', '--out', 'monday.jsonl'])).code).toBe(0);
    else expect((await world.site.entente(['run', '--once'])).code).toBe(0);
  });

  it('tells what a stricter rule takes off, with the reason, and touches nobody', async () => {
    configure({ top: { policy: { min_confidence: 50 } } });
    const armed = () => (withRecord.length > 0 ? [] : world.armed());
    const before = [asked(), armed()];
    const { code, told, stderr } = await rehearse(withRecord);

    expect([code, stderr, told.left]).toEqual([1, '', []]);
    expect(told.siems).toMatchObject([{ name: 'watch', only: null, stands: 20, tried: 20, added: 0, removed: 5 }]);
    expect(told.siems[0]?.entries.removed.map((one) => one.value).sort()).toEqual(addresses(5, 20).sort());
    expect(told.siems[0]?.entries.removed[0]?.reason).toBe('confidence 20 is below 50');
    expect([asked(), armed()]).toEqual(before);

    const { stdout } = await world.site.entente(['rehearse', '--config', 'new.yaml', ...withRecord]);
    expect(stdout).toMatch(/- 198\.18\.0\.\d+ {2}\(ipv4-addr\) {2}confidence 20 is below 50/);
    expect(stdout).toContain('refused 5: confidence … is below 50');
  });

  it('says with exit 0 that nothing would differ, and tells a SIEM that is new', async () => {
    configure({ top: { policy: { min_confidence: 15 } } });
    expect(await rehearse(withRecord)).toMatchObject({
      code: 0,
      told: { siems: [{ added: 0, removed: 0 }], left: [] },
    });

    const { siems } = world.settings() as { siems: Settings[] };
    configure({ top: { policy: { min_confidence: 10 } } }, [
      ...siems,
      { name: 'second', type: 'qradar', url: 'https://qradar.example', auth: { token: 'x' } },
    ]);
    const { code, told } = await rehearse(withRecord);
    expect(code).toBe(1);
    expect(told.siems).toMatchObject([
      { name: 'watch', only: null, added: 0, removed: 0 },
      { name: 'second', only: 'new', stands: 25, tried: 25, added: 25 },
    ]);
  });
});

it('what a hold keeps standing is told as standing, though the simulated SIEM begins with nothing', async () => {
  const braked = { policy: { removal_brake: { share: 0.2, at_least: 5, window_hours: 24 } } };
  world.site.configure(world.settings({ top: braked }));
  expect((await world.site.entente(['run', '--once'])).code).toBe(0);
  world.taxii.load(addresses(12).map(revoked));
  expect((await world.site.entente(['run', '--once'])).code).toBe(0);
  configure({ top: { policy: { ...braked.policy, min_confidence: 1 } } });

  const { code, told } = await rehearse();

  expect(code).toBe(0);
  expect(told.siems).toMatchObject([{ stands: 25, held: 12, tried: 25, added: 0, removed: 0 }]);
});

describe('a record', () => {
  it('holds no credential and no address of the partner, and only its owner reads it', async () => {
    expect((await world.site.entente(['record', '--out', 'monday.jsonl'])).code).toBe(0);
    const text = readFileSync(world.site.path('monday.jsonl'), 'utf8');

    expect(text).toContain('198.18.0.1');
    for (const secret of [world.taxii.password, world.elastic.apiKey, new URL(world.taxii.apiRoot).host])
      expect(text).not.toContain(secret);
    expect(world.site.modes(/monday/)).toEqual({ 'monday.jsonl': '600' });
    // What stands there is left alone.
    expect((await world.site.entente(['record', '--out', 'monday.jsonl'])).code).not.toBe(0);
    expect(readFileSync(world.site.path('monday.jsonl'), 'utf8')).toBe(text);
  });

  it('that was cut, is too large or is none is refused, and none is kept of a partner that fails', async () => {
    configure({});
    await world.site.entente(['record', '--out', 'whole.jsonl']);
    const lines = readFileSync(world.site.path('whole.jsonl'), 'utf8').trimEnd().split('\n');
    writeFileSync(world.site.path('cut.jsonl'), lines.slice(0, -1).join('\n'));
    writeFileSync(world.site.path('none.jsonl'), '{"a":1}\n');

    for (const [name, says] of [
      ['cut', 'was cut'],
      ['none', 'is no record'],
      ['nowhere', 'nowhere.jsonl'],
    ]) {
      const { code, stderr } = await world.site.entente([
        'rehearse',
        '--config',
        'new.yaml',
        '--record',
        `${name}.jsonl`,
      ]);
      expect([code, stderr]).toEqual([1, expect.stringContaining(says ?? '')]);
    }
    const small = await world.site.entente(['record', '--out', 'small.jsonl', '--max-mb', '0.001']);
    expect([small.code, small.stderr]).toEqual([1, expect.stringContaining('--max-mb')]);
    expect(world.site.modes(/small/)).toEqual({});

    world.taxii.setFaults([{ match: '/', action: 'status', status: 401 }]);
    const failed = await world.site.entente(['record', '--out', 'failed.jsonl']);
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining('not recorded')]);
  });

  it('needs two configurations', async () => {
    const { code, stderr } = await world.site.entente(['rehearse']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('compares two configurations')]);
  });
});
